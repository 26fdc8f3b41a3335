//! One attempt at a task from its real start to its report: the call, its time, and the hooks around its end.
//!
//! Decides nothing about retries; what it reports is the attempt's end, and the machine says what follows.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::cancel::Stop;
use super::context::{Dispatch, TaskContext};
use super::outcome::{Outcome, TaskError};
use super::{Ended, Report, StreamRecord, Task, checked, checked_error};
use crate::limits::HOOK_SECONDS;
use crate::time::Duration;

/// What a task or one of its hooks answers.
type Answer = Result<Outcome, TaskError>;

/// Makes one attempt on the calling thread, from its real start to its report.
///
/// The timeout begins now. It cannot end code that does not look at its request to stop, but what such code answers
/// afterwards no longer counts: a timed-out attempt is over. An answer that comes in spite of another request counts.
pub(crate) fn run(task: &dyn Task, dispatch: &Dispatch) -> Report {
    let attempt = Attempt { task, dispatch, began: Instant::now() };
    match guarded("timeout of the task", || task.timeout()) {
        Ok(longest) => attempt.run(longest.map_or(dispatch.timeout, |longest| longest.min(dispatch.timeout))),
        Err(error) => Report { ended: Ended::Failed(error), streams: Vec::new() },
    }
}

struct Attempt<'a> {
    task: &'a dyn Task,
    dispatch: &'a Dispatch,
    began: Instant,
}

impl Attempt<'_> {
    fn run(&self, timeout: Duration) -> Report {
        // A timeout beyond what the clock can hold is none.
        self.dispatch.cancel.limit(self.began.checked_add(timeout.into()));
        let context = TaskContext::new(self.dispatch, timeout);
        let answer = guarded("the task", || self.task.run(&context)).and_then(|answer| answer);
        let answer = self.told(answer);
        let mut streams = context.into_streams();
        let ended = match ended(answer, self.dispatch.cancel.stop(), timeout) {
            Ended::Failed(error) if self.dispatch.cancel.stop() == Some(Stop::TimedOut) => {
                let (hook, captured) = self.after(|context| self.task.on_timeout(context), "on_timeout");
                streams.extend(captured);
                self.timed_out(hook, error)
            }
            Ended::Stopped(Stop::Canceled) => {
                let (hook, captured) = self.after(|context| self.task.on_cancel(context), "on_cancel");
                streams.extend(captured);
                canceled(hook)
            }
            ended => ended,
        };
        Report { ended, streams }
    }

    /// What is told of an answer: no secret, and nothing that an event cannot hold.
    fn told(&self, answer: Answer) -> Answer {
        // Masked first, since what refuses an answer may show a piece of it, and last, since polling may fail.
        let answer = held(self.dispatch.secrets.mask(answer));
        self.dispatch.secrets.mask(self.polled(answer))
    }

    /// The answer, with how long a task that goes on rests.
    fn polled(&self, answer: Answer) -> Answer {
        let elapsed = self.dispatch.now.since(self.dispatch.began);
        match answer {
            Ok(outcome) if outcome.lacks_delay() => {
                guarded("poll_after of the task", || self.task.poll_after(elapsed)).map(|delay| outcome.after(delay))
            }
            answer => answer,
        }
    }

    /// Calls a hook behind the attempt, with time of its own: what it answers, none if it is not there.
    fn after(
        &self,
        hook: impl FnOnce(&TaskContext<'_>) -> Option<Answer>,
        name: &str,
    ) -> (Option<Answer>, Vec<StreamRecord>) {
        let length = Duration::from_seconds(HOOK_SECONDS);
        let now = Instant::now();
        self.dispatch.cancel.renew(now.checked_add(length.into()));
        let spent = Duration::from(now.duration_since(self.began));
        let context = TaskContext::new(self.dispatch, spent.saturating_add(length));
        let answer =
            guarded(&format!("{name} of the task"), || hook(&context)).unwrap_or_else(|error| Some(Err(error)));
        let answer = answer.map(|answer| self.told(answer));
        let is_late = answer.is_some() && self.dispatch.cancel.stop() == Some(Stop::TimedOut);
        let answer = if is_late { Some(Err(late(name, length))) } else { answer };
        (answer, context.into_streams())
    }

    /// How a timed-out attempt ends whose hook has answered.
    fn timed_out(&self, hook: Option<Answer>, error: TaskError) -> Ended {
        match hook {
            None => Ended::Failed(error),
            Some(Ok(outcome)) => Ended::Outcome(outcome),
            Some(Err(error)) => match self.dispatch.cancel.stop() {
                None | Some(Stop::TimedOut) => Ended::Failed(error),
                Some(stop @ (Stop::Canceled | Stop::Closing)) => Ended::Stopped(stop),
            },
        }
    }
}

/// How a canceled attempt ends whose hook has answered: only data and errors are told.
fn canceled(hook: Option<Answer>) -> Ended {
    match hook {
        None => Ended::Stopped(Stop::Canceled),
        Some(Ok(outcome)) => Ended::Outcome(outcome.into_canceled()),
        Some(Err(error)) => Ended::Failed(error),
    }
}

fn ended(answer: Answer, stop: Option<Stop>, timeout: Duration) -> Ended {
    match (answer, stop) {
        (Ok(outcome), None | Some(Stop::Canceled | Stop::Closing)) => Ended::Outcome(outcome),
        (Ok(outcome), Some(Stop::TimedOut)) => {
            let error = TaskError::timeout(timeout);
            Ended::Failed(error.outputs_below(outcome.into_parts().outputs))
        }
        (Err(error), None) => Ended::Failed(error),
        (Err(error), Some(Stop::TimedOut)) => Ended::Failed(error.timed_out(timeout)),
        (Err(_), Some(stop @ (Stop::Canceled | Stop::Closing))) => Ended::Stopped(stop),
    }
}

/// The answer, if an event can hold it, else an error that one can.
fn held(answer: Answer) -> Answer {
    match answer {
        Ok(outcome) => checked(outcome),
        Err(error) => Err(checked_error(error)),
    }
}

fn late(hook: &str, length: Duration) -> TaskError {
    TaskError::timeout(length).saying(format!("{hook} took longer than its {length}"))
}

/// What the code of a task gives; a panic is a permanent error with its text.
pub(crate) fn guarded<T>(what: &str, call: impl FnOnce() -> T) -> Result<T, TaskError> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| panicked(what, &*panic))
}

fn panicked(what: &str, panic: &(dyn Any + Send)) -> TaskError {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("with something that is no text");
    TaskError::permanent(format!("{what} panicked: {text}"))
}
