//! The tasks that need no outside: `noop`, `wait`, `fail`, and the names of what people do.

use super::Task;
use super::context::TaskContext;
use super::outcome::{Outcome, TaskError};
use super::settings::Settings;
use crate::failure::ErrorCode;
use crate::time::{Duration, Timestamp};
use crate::value::{Map, Value};

/// `noop`: takes nothing, does nothing, leaves nothing.
pub(super) struct Noop;

impl Task for Noop {
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        Settings::read("noop", &task.dispatch().with, &[])?;
        Ok(Outcome::success())
    }
}

/// `wait`: lets time pass. No worker is held: it asks to be called again at the moment it waits for.
///
/// It keeps nothing between its calls, so a restart in between changes nothing.
pub(super) struct Wait;

impl Task for Wait {
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        let dispatch = task.dispatch();
        let until = wait_until(&dispatch.with, dispatch.began)?;
        if dispatch.now < until {
            return Ok(Outcome::resume_at(until));
        }
        Ok(Outcome::success().output("waited_seconds", waited_seconds(dispatch.began, dispatch.now)))
    }
}

/// The moment a `wait` with these settings ends, if it began at `began`.
///
/// # Errors
///
/// Permanent, unless exactly one of `duration`, `until` and `waitTime` (the seed's, in seconds) is there and readable.
pub(crate) fn wait_until(with: &Map, began: Timestamp) -> Result<Timestamp, TaskError> {
    let settings = Settings::read("wait", with, &["duration", "until", "waitTime"])?;
    let duration = settings.length("duration")?;
    let until: Option<Timestamp> =
        settings.typed("until", "a moment like 2026-05-01T12:00:00Z", |value| value.as_str()?.parse().ok())?;
    let seconds = settings.seconds("waitTime")?;
    match (duration.or(seconds), until) {
        (Some(_), None) if duration.is_some() && seconds.is_some() => {
            Err(settings.refused("waitTime", "there is with.duration already"))
        }
        (Some(length), None) => Ok(began.saturating_add(length)),
        (None, Some(moment)) => Ok(moment),
        (Some(_), Some(_)) => Err(settings.refused("until", "there is a length of time already")),
        (None, None) => Err(settings.refused("duration", "expected this, with.until or with.waitTime")),
    }
}

/// The output of a `wait` that began and ended at these moments.
pub(crate) fn waited_seconds(began: Timestamp, ended: Timestamp) -> Value {
    seconds(ended.since(began))
}

fn seconds(length: Duration) -> Value {
    let seconds = length.microseconds() as f64 / 1e6;
    Value::number(seconds).expect("a length of time is finite")
}

/// `fail`: ends as it is told to.
pub(super) struct Fail;

impl Task for Fail {
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        let settings = Settings::read("fail", &task.dispatch().with, &["message", "code", "outcome"])?;
        let message = settings.text("message")?.unwrap_or("the task was told to fail");
        let code: Option<ErrorCode> =
            settings.typed("code", "a code like NETWORK_ERROR", |value| value.as_str()?.parse().ok())?;
        let coded = |error: TaskError| error.code(code.clone().unwrap_or(ErrorCode::USER_CODE_ERROR));
        let error = || coded(TaskError::permanent(message));
        match settings.text("outcome")?.unwrap_or("terminal") {
            "terminal" => Ok(Outcome::terminal(error())),
            "transient" => Err(coded(TaskError::transient(message))),
            "failed_continue" => Ok(Outcome::failed_continue(error())),
            "stopped" => Ok(Outcome::stopped()),
            "canceled" => Ok(Outcome::canceled()),
            other => {
                let reason = format!("{other:?} is none of terminal, transient, failed_continue, stopped, canceled");
                Err(settings.refused("outcome", &reason))
            }
        }
    }
}

/// A name of what people do: their work is never handed to a worker, and this is never run under its own name.
pub(super) struct ByHand;

impl Task for ByHand {
    fn run(&self, _task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        let message = "this is done by hand, and known as such under its own name only, not under an alias";
        Err(TaskError::permanent(message).code(ErrorCode::CONFIGURATION_INVALID))
    }
}
