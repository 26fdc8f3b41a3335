//! The beginning of a workflow: whether it can be, and whether it is still in time.

use crate::event::{Creation, Event};
use crate::machine::command::Rejection;
use crate::machine::state::State;
use crate::time::Timestamp;

use super::Decision;

/// A workflow follows the definition it was made for, and its data can be read.
pub(super) fn refuse(state: &State, creation: &Creation) -> Result<(), Rejection> {
    if creation.definition != state.definition.hash() {
        return Err(Rejection::OtherDefinition { asked: creation.definition });
    }
    if creation.inputs.to_map().is_err() || creation.context.to_map().is_err() {
        return Err(Rejection::Malformed);
    }
    Ok(())
}

impl Decision<'_> {
    /// The root scope opens, unless the workflow comes too late.
    pub(super) fn start(&mut self, creation: &Creation, now: Timestamp) {
        if creation.start_time_expiry.is_some_and(|expiry| now > expiry) {
            self.end_expired();
        } else {
            self.push(Event::WorkflowStarted);
        }
    }
}
