//! Where effects happen: steps the machine, runs tasks, waits for timers.
//!
//! One owner of the states decides, one writer value writes, workers run tasks. The parts have no thread in them;
//! `workers` gives them threads, and `Engine::step` moves them on the caller's.

mod admission;
mod attempt;
mod calling;
mod calls;
mod captured;
mod claim;
mod clock;
mod closings;
mod commit;
mod completion;
mod config;
mod control;
mod definition_file;
mod dispatch;
mod engine;
mod entropy;
mod error;
mod futures;
mod inbox;
mod instances;
mod open;
mod owner;
mod promise;
mod rescue;
mod shared;
mod signal;
mod start;
mod subscription;
#[cfg(test)]
mod tests;
mod timers;
mod turn;
mod upkeep;
mod verification;
mod waits;
mod withdrawal;
mod witness;
mod workers;
mod worklist;

pub use captured::{CapturedStream, CapturedStreams};
pub use clock::{Clock, SystemClock};
pub use completion::{Approver, Claim, Completion};
pub use config::{Config, Drive};
pub use control::Control;
#[cfg(any(test, feature = "testing"))]
pub(crate) use control::ControlRequest;
pub use engine::{Engine, Progress};
pub use error::{Error, RemoteReason};
pub use inbox::Answer;
pub use signal::{Signal, Target};
pub use start::{By, Start, Trigger};
pub use subscription::Subscription;
