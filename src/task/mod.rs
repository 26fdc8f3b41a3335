//! Work outside: the trait a task implements, what it is told and answers, and the built-in tasks.
//!
//! Knows no machine and no store: a dispatch comes in, a report goes out. A kind of task is one implementation of
//! [`Task`] and one line in a registry; `builtin.rs` has the shortest, `shell.rs` the longest.

#![cfg_attr(
    not(feature = "shell"),
    allow(dead_code, reason = "half of the layer is there for tasks that run programs")
)]

mod attempt;
mod builtin;
mod cancel;
mod context;
#[cfg(feature = "docker")]
mod docker;
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
mod secret;
mod settings;
#[cfg(feature = "shell")]
mod shell;
#[cfg(all(test, feature = "shell"))]
pub(crate) use shell::patient as patient_shell;
mod signal;
#[cfg(feature = "ssh")]
mod ssh;
#[cfg(test)]
mod tests;

pub(crate) use attempt::{guarded, run};
pub(crate) use cancel::{Cancel, Stop};
pub use context::TaskContext;
pub(crate) use context::{ContextSource, Dispatch};
pub use outcome::{Outcome, TaskError};
pub(crate) use outcome::{OutcomeKind, Poll};
#[cfg(test)]
pub(crate) use outcome::{OutcomeParts, TaskErrorParts};
pub(crate) use place::{Place, StreamName, StreamRecord};
pub(crate) use program::kill_leftovers;
pub(crate) use registry::Verifier;
pub use registry::{AliasError, DuplicateName, Registry};
pub use secret::Secrets;
pub(crate) use secret::{EnvironmentSecrets, GivenSecrets};
pub use signal::ReceivedSignal;

use crate::failure::ErrorCode;
use crate::limits::{PAYLOAD_BYTES_MAX, SIGNALS_AWAITED_MAX};
use crate::time::Duration;
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

    /// Answers in place of an attempt that was stopped because its timeout has passed: what it gives is what the
    /// attempt ended with, and an error is retried or not by its own class. With none, as by default, the attempt has
    /// failed with class timeout.
    ///
    /// It is called on the same thread once [`run`](Task::run) has come back, may take 30 seconds, and is asked to stop
    /// after them as an attempt is; then, or if it panics, the attempt has failed and what it answers does not count.
    ///
    /// ```
    /// # use stabilize::{Outcome, Task, TaskContext, TaskError};
    /// struct Search;
    ///
    /// impl Task for Search {
    ///     fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
    ///         // ..
    /// #       task.check_canceled()?;
    ///         Ok(Outcome::success().output("complete", true))
    ///     }
    ///
    ///     fn on_timeout(&self, _task: &TaskContext<'_>) -> Option<Result<Outcome, TaskError>> {
    ///         Some(Ok(Outcome::success().output("complete", false)))
    ///     }
    /// }
    /// ```
    fn on_timeout(&self, _task: &TaskContext<'_>) -> Option<Result<Outcome, TaskError>> {
        None
    }

    /// Tidies up after an attempt that was canceled while a worker had it, and has stopped with an error.
    ///
    /// Outputs and context of what it answers are kept in the event `task.result_discarded`; how it answers changes
    /// nothing, because what is canceled stays canceled. With none, as by default, nothing is kept. Time and panics are
    /// as for [`on_timeout`](Task::on_timeout). Work at which no worker is, because it waits for its next try, its next
    /// poll or a signal, is canceled without being told, as is what a crash or the end of the engine has stopped.
    fn on_cancel(&self, _task: &TaskContext<'_>) -> Option<Result<Outcome, TaskError>> {
        None
    }

    /// The longest that an attempt of this kind may take; a definition can only shorten it. By default there is no such
    /// bound, and the definition's `timeout` counts.
    fn timeout(&self) -> Option<Duration> {
        None
    }

    /// How long to rest after [`Outcome::running`] that does not say it, when this piece of work began `elapsed` ago;
    /// by default one second.
    fn poll_after(&self, _elapsed: Duration) -> Duration {
        outcome::POLL_AFTER
    }
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
