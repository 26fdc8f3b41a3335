//! Reading history back: fold, show, verify, compare.
//!
//! Reads a store and writes nothing. Everything here is a function of what is durable.

mod at;
mod digest;
mod envelopes;
mod error;
mod event_filter;
mod fold;
mod history;
mod replayed;
mod summary;
#[cfg(test)]
mod tests;
mod verify;
mod view;

pub use at::At;
pub use digest::Digest;
pub use envelopes::{Envelopes, Follow};
pub use error::{DefinitionError, Error};
pub use event_filter::EventFilter;
pub(crate) use fold::{Definitions, has_ended};
pub use history::History;
pub use replayed::Replayed;
pub use summary::{Filter, WorkflowSummary};
pub use verify::{Divergence, Verified};
pub use view::{InstancesView, PausedDetails, StageView, TaskView, TriggerView, WorkflowView};
