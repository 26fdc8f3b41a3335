//! Work outside: the trait a task implements, what it is told and answers, and the built-in tasks.
//!
//! Knows no machine and no store: a dispatch comes in, a report goes out. A kind of task is one implementation of
//! [`Task`] and one line in a registry; `builtin.rs` has the shortest, `shell.rs` the longest.

#![cfg_attr(
    not(feature = "shell"),
    allow(dead_code, reason = "half of the layer is there for tasks that run programs")
)]

mod builtin;
mod cancel;
mod context;
#[cfg(feature = "http")]
mod http;
#[cfg(all(test, feature = "http"))]
pub(crate) use http::keys as http_keys;
mod outcome;
mod place;
mod program;
#[cfg(feature = "python")]
mod python;
mod registry;
mod settings;
#[cfg(feature = "shell")]
mod shell;
#[cfg(all(test, feature = "shell"))]
pub(crate) use shell::patient as patient_shell;
mod signal;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

pub(crate) use cancel::{Cancel, Stop};
pub use context::TaskContext;
pub(crate) use context::{ContextSource, Dispatch};
pub use outcome::{Outcome, TaskError};
pub(crate) use outcome::{OutcomeKind, Poll};
#[cfg(test)]
pub(crate) use outcome::{OutcomeParts, TaskErrorParts};
pub(crate) use place::{Place, StreamName, StreamRecord};
pub(crate) use program::kill_leftovers;
pub use registry::{AliasError, DuplicateName, Registry};
pub use signal::ReceivedSignal;

use crate::failure::ErrorCode;
use crate::limits::{PAYLOAD_BYTES_MAX, SIGNALS_AWAITED_MAX};
use crate::value::Map;

/// A kind of work.
///
/// ```
/// use stabilize::{Outcome, Task, TaskContext, TaskError};
///
/// /// Its progress survives retries, restarts and crashes.
/// struct Import;
///
/// impl Task for Import {
///     fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
///         match task.get::<u64>("processed")?.unwrap_or(0) {
///             20 => Ok(Outcome::success().output("total", 20)),
///             n => Err(TaskError::transient("rate limited").context_update("processed", n + 10)),
///         }
///     }
/// }
/// ```
pub trait Task: Send + Sync {
    /// Does the work of one attempt. Several threads may be in it at once, each with another attempt.
    ///
    /// After a crash it may be called again for work that was done already, with the same
    /// [`idempotency_key`](TaskContext::idempotency_key). A panic counts as a permanent error.
    ///
    /// # Errors
    ///
    /// Transient if trying again may help, else permanent.
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError>;
}

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Report {
    /// How it ended.
    pub(crate) ended: Ended,
    /// What was captured; the files are on the disk.
    pub(crate) streams: Vec<StreamRecord>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ended {
    /// The task answered.
    Outcome(Outcome),
    /// The task failed; a passed timeout is an error of class timeout.
    Failed(TaskError),
    /// The attempt was asked to stop and did; never [`Stop::TimedOut`].
    Stopped(Stop),
}

/// Makes one attempt on the calling thread, from its real start to its report.
///
/// The timeout begins now. It cannot end code that does not look at its request to stop, but what such code answers
/// afterwards no longer counts: a timed-out attempt is over. An answer that comes in spite of another request counts.
pub(crate) fn run(task: &dyn Task, dispatch: &Dispatch) -> Report {
    // A timeout beyond what the clock can hold is none.
    let deadline = Instant::now().checked_add(dispatch.timeout.into());
    dispatch.cancel.limit(deadline);
    let context = TaskContext::new(dispatch);
    let answer = catch_unwind(AssertUnwindSafe(|| task.run(&context))).unwrap_or_else(|panic| Err(panicked(&*panic)));
    let answer = match answer {
        Ok(outcome) => checked(outcome),
        Err(error) => Err(checked_error(error)),
    };
    Report { ended: ended(answer, dispatch), streams: context.into_streams() }
}

fn ended(answer: Result<Outcome, TaskError>, dispatch: &Dispatch) -> Ended {
    match (answer, dispatch.cancel.stop()) {
        (Ok(outcome), None | Some(Stop::Canceled | Stop::Closing)) => Ended::Outcome(outcome),
        (Ok(outcome), Some(Stop::TimedOut)) => {
            let error = TaskError::timeout(dispatch.timeout);
            Ended::Failed(error.outputs_below(outcome.into_parts().outputs))
        }
        (Err(error), None) => Ended::Failed(error),
        (Err(error), Some(Stop::TimedOut)) => Ended::Failed(error.timed_out(dispatch.timeout)),
        (Err(_), Some(stop @ (Stop::Canceled | Stop::Closing))) => Ended::Stopped(stop),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> TaskError {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("with something that is no text");
    TaskError::permanent(format!("the task panicked: {text}"))
}

/// The outcome, if an event can hold it (R15: one that is too large is turned into an error here, at the edge).
fn checked(outcome: Outcome) -> Result<Outcome, TaskError> {
    let (outputs, context) = outcome.data();
    check_names(outputs)?;
    check_size([outputs, context])?;
    check_signals(outcome.signals())?;
    Ok(outcome)
}

/// The error, if an event can hold it; without its outputs, if those are what is wrong.
fn checked_error(error: TaskError) -> TaskError {
    let (outputs, context) = error.data();
    if let Err(too_large) = check_size([&Map::new(), context]) {
        return too_large;
    }
    if check_names(outputs).is_err() || check_size([outputs, context]).is_err() {
        return error.without_outputs();
    }
    error
}

/// Outputs that people give, if an event can hold them.
///
/// # Errors
///
/// A name that is none, or more than is kept.
pub(crate) fn checked_outputs(outputs: &Map) -> Result<(), TaskError> {
    check_names(outputs)?;
    check_size([outputs, &Map::new()])
}

fn check_names(outputs: &Map) -> Result<(), TaskError> {
    match outputs.keys().find(|name| !outcome::is_output_name(name)) {
        Some(name) => {
            let message = format!("{name:?} is no name for an output: it is [A-Za-z0-9_][A-Za-z0-9_-]{{0,63}}");
            Err(TaskError::permanent(message).code(ErrorCode::VALIDATION_FAILED))
        }
        None => Ok(()),
    }
}

fn check_signals(names: &[String]) -> Result<(), TaskError> {
    let bad = names.iter().find(|name| !outcome::is_output_name(name));
    let message = match bad {
        Some(name) => format!("{name:?} is no name of a signal: it is [A-Za-z0-9_][A-Za-z0-9_-]{{0,63}}"),
        None if names.len() > SIGNALS_AWAITED_MAX => {
            format!("it waits for {} signals, and a task waits for at most {SIGNALS_AWAITED_MAX}", names.len())
        }
        None => return Ok(()),
    };
    Err(TaskError::permanent(message).code(ErrorCode::VALIDATION_FAILED))
}

fn check_size(maps: [&Map; 2]) -> Result<(), TaskError> {
    let mut bytes = 0;
    for (key, value) in maps.into_iter().flatten() {
        value.check_depth()?;
        bytes += key.len() + value.to_json().len();
    }
    if bytes > PAYLOAD_BYTES_MAX {
        let message = format!("outputs and context are {bytes} bytes, and at most {PAYLOAD_BYTES_MAX} are kept");
        return Err(TaskError::permanent(message).code(ErrorCode::RESOURCE_EXHAUSTED));
    }
    Ok(())
}
