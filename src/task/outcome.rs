//! What a task answers: an outcome with data, or an error with what retrying needs to know.

use std::error::Error;
use std::fmt;
use std::io;

use super::secret::map_of_texts;
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::time::{Duration, Timestamp};
use crate::value::{Map, Value, ValueError};

/// How long a polling task rests between two calls, unless it says so.
pub(super) const POLL_AFTER: Duration = Duration::from_seconds(1);

/// How a task ended, or that it goes on, with what it leaves behind.
///
/// ```
/// # use stabilize::Outcome;
/// let outcome = Outcome::success().output("total", 20).context("checked", true);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an outcome counts when the task returns it"]
pub struct Outcome {
    kind: OutcomeKind,
    outputs: Map,
    context: Map,
}

/// What kind of outcome it is, with the data only that kind has.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OutcomeKind {
    /// The work is done.
    Success,
    /// The work goes on; ask again.
    Running(Poll),
    /// The work has failed for good.
    Terminal(TaskError),
    /// The work has failed and the workflow goes on as if it had not.
    FailedContinue(TaskError),
    /// There was nothing to do.
    Skipped,
    /// The work was given up.
    Canceled,
    /// The branch ends here.
    Stopped,
    /// The work goes on when one of these signals comes, or any if there are none.
    Suspended(Vec<String>),
    /// The work is done, and control goes to the stage of this ref id.
    Jump(String),
    /// The work is done, and the stage goes back to the task with which the loop begins.
    Redirect,
}

/// When a task that goes on wants to be called again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Poll {
    /// When its task says in general; it is asked where the attempt was made.
    Unsaid,
    /// This long after its report.
    After(Duration),
    /// At this moment, without a worker in the meantime.
    At(Timestamp),
}

impl Poll {
    /// When a task that has answered `now` is called again.
    pub(crate) fn moment(self, now: Timestamp) -> Timestamp {
        match self {
            Poll::Unsaid => now.saturating_add(POLL_AFTER),
            Poll::After(length) => now.saturating_add(length),
            Poll::At(moment) => moment,
        }
    }
}

/// The pieces of an outcome.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OutcomeParts {
    pub(crate) kind: OutcomeKind,
    pub(crate) outputs: Map,
    pub(crate) context: Map,
}

impl Outcome {
    fn of(kind: OutcomeKind) -> Outcome {
        Outcome { kind, outputs: Map::new(), context: Map::new() }
    }

    /// The work is done: SUCCEEDED.
    pub fn success() -> Outcome {
        Outcome::of(OutcomeKind::Success)
    }

    /// The work goes on elsewhere: call the task again [`after`](Outcome::after) some time, or when
    /// [`poll_after`](crate::Task::poll_after) says, which is in one second unless the task has its own.
    pub fn running() -> Outcome {
        Outcome::of(OutcomeKind::Running(Poll::Unsaid))
    }

    /// The work goes on: call the task again at this moment; no worker waits for it.
    pub(crate) fn resume_at(moment: Timestamp) -> Outcome {
        Outcome::of(OutcomeKind::Running(Poll::At(moment)))
    }

    /// The work has failed for good: TERMINAL, mapped by the author's `on_failure`, never retried.
    pub fn terminal(error: impl Into<TaskError>) -> Outcome {
        Outcome::of(OutcomeKind::Terminal(error.into()))
    }

    /// The work has failed and what follows goes on: FAILED_CONTINUE. Its outputs count.
    pub fn failed_continue(error: impl Into<TaskError>) -> Outcome {
        Outcome::of(OutcomeKind::FailedContinue(error.into()))
    }

    /// There was nothing to do: SKIPPED.
    pub fn skipped() -> Outcome {
        Outcome::of(OutcomeKind::Skipped)
    }

    /// The work was given up: CANCELED.
    pub fn canceled() -> Outcome {
        Outcome::of(OutcomeKind::Canceled)
    }

    /// The branch ends here while others go on: STOPPED.
    pub fn stopped() -> Outcome {
        Outcome::of(OutcomeKind::Stopped)
    }

    /// The work goes on when a signal comes: SUSPENDED until then, without a worker; the task is called again and finds
    /// it in [`TaskContext::signal`](crate::TaskContext::signal). Any signal does, unless
    /// [`until_signal`](Outcome::until_signal) names some. One that was kept when it came too early counts, too.
    ///
    /// ```
    /// # use stabilize::{Outcome, Task, TaskContext, TaskError};
    /// struct Confirm;
    ///
    /// impl Task for Confirm {
    ///     fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
    ///         match task.signal() {
    ///             None => Ok(Outcome::suspend().until_signal("confirmed").context("asked", true)),
    ///             Some(signal) => Ok(Outcome::success().output("by", signal.actor())),
    ///         }
    ///     }
    /// }
    /// ```
    pub fn suspend() -> Outcome {
        Outcome::of(OutcomeKind::Suspended(Vec::new()))
    }

    /// For [`suspend`](Outcome::suspend): a signal of this name does, or one of those named before. Without meaning for
    /// other outcomes. A name is `[A-Za-z0-9_][A-Za-z0-9_-]{0,63}`; another one fails the task when it returns.
    pub fn until_signal(mut self, name: impl Into<String>) -> Outcome {
        if let OutcomeKind::Suspended(names) = &mut self.kind {
            names.push(name.into());
        }
        self
    }

    /// The work is done, and control goes to the stage with this ref id, whatever that waits for: the stage of this
    /// task ends, and its later tasks and the stages behind it do not follow. Its stage names the target in
    /// `jump_targets`; a jump elsewhere fails the task. Outputs and context of the outcome go along: they are the first
    /// of the new activation there.
    ///
    /// ```
    /// # use stabilize::{Outcome, Task, TaskContext, TaskError};
    /// struct Router;
    ///
    /// impl Task for Router {
    ///     fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
    ///         if task.get::<bool>("tests_passed")?.unwrap_or(false) {
    ///             return Ok(Outcome::success());
    ///         }
    ///         Ok(Outcome::jump_to("retry_stage").context("retry_reason", "tests failed"))
    ///     }
    /// }
    /// ```
    pub fn jump_to(target: impl Into<String>) -> Outcome {
        Outcome::of(OutcomeKind::Jump(target.into()))
    }

    /// The work is done, and its stage goes back to the task that says `loop_start`: from there on its tasks are done
    /// again, each with another [`idempotency_key`](crate::TaskContext::idempotency_key). Outputs and context count as
    /// those of a success do, so that the next turn sees them. Each such turn counts against `max_jumps` of the
    /// workflow. The task fails if there are too many, or if it stands in no loop.
    ///
    /// ```
    /// # use stabilize::{Outcome, Task, TaskContext, TaskError};
    /// struct IsReady;
    ///
    /// impl Task for IsReady {
    ///     fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
    ///         let looks = task.get::<u64>("looks")?.unwrap_or(0) + 1;
    ///         let outcome = if looks < 3 { Outcome::redirect() } else { Outcome::success() };
    ///         Ok(outcome.output("looks", looks))
    ///     }
    /// }
    /// ```
    pub fn redirect() -> Outcome {
        Outcome::of(OutcomeKind::Redirect)
    }

    /// For [`running`](Outcome::running): how long to rest before the next call. Without meaning for other outcomes.
    pub fn after(mut self, length: impl Into<Duration>) -> Outcome {
        if let OutcomeKind::Running(poll) = &mut self.kind {
            *poll = Poll::After(length.into());
        }
        self
    }

    /// Adds an output, visible to all that descends from this work. The name is `[A-Za-z0-9_][A-Za-z0-9_-]{0,63}`;
    /// another one fails the task when it returns.
    pub fn output(mut self, name: impl Into<String>, value: impl Into<Value>) -> Outcome {
        self.outputs.insert(name.into(), value.into());
        self
    }

    /// Adds outputs; each is as in [`output`](Outcome::output), and a later one replaces an earlier of its name.
    pub fn outputs<K: Into<String>, V: Into<Value>>(mut self, outputs: impl IntoIterator<Item = (K, V)>) -> Outcome {
        let outputs = outputs.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.outputs.extend(outputs);
        self
    }

    /// Adds an entry to the stage's own context: what its later tasks and calls see.
    pub fn context(mut self, key: impl Into<String>, value: impl Into<Value>) -> Outcome {
        self.context.insert(key.into(), value.into());
        self
    }

    /// Outputs and context.
    pub(super) fn data(&self) -> (&Map, &Map) {
        (&self.outputs, &self.context)
    }

    /// The outputs of a success.
    pub(crate) fn of_success(&self) -> Option<&Map> {
        (self.kind == OutcomeKind::Success).then_some(&self.outputs)
    }

    /// Does the task go on, without having said when to call it again?
    pub(super) fn lacks_delay(&self) -> bool {
        self.kind == OutcomeKind::Running(Poll::Unsaid)
    }

    /// The same data as what a canceled task leaves.
    pub(super) fn into_canceled(self) -> Outcome {
        Outcome { kind: OutcomeKind::Canceled, ..self }
    }

    /// The names of the signals it waits for.
    pub(super) fn signals(&self) -> &[String] {
        if let OutcomeKind::Suspended(names) = &self.kind { names } else { &[] }
    }

    /// The same outcome with other texts.
    pub(super) fn map_texts(self, change: &dyn Fn(&str) -> String) -> Outcome {
        let kind = match self.kind {
            OutcomeKind::Terminal(error) => OutcomeKind::Terminal(error.map_texts(change)),
            OutcomeKind::FailedContinue(error) => OutcomeKind::FailedContinue(error.map_texts(change)),
            OutcomeKind::Suspended(names) => OutcomeKind::Suspended(names.iter().map(|name| change(name)).collect()),
            OutcomeKind::Jump(target) => OutcomeKind::Jump(change(&target)),
            kind => kind,
        };
        Outcome { kind, outputs: map_of_texts(self.outputs, change), context: map_of_texts(self.context, change) }
    }

    /// The pieces.
    pub(crate) fn into_parts(self) -> OutcomeParts {
        OutcomeParts { kind: self.kind, outputs: self.outputs, context: self.context }
    }

    /// Puts `outputs` below those it has: a name it has already keeps its value.
    pub(crate) fn outputs_below(mut self, mut outputs: Map) -> Outcome {
        outputs.append(&mut self.outputs);
        self.outputs = outputs;
        self
    }
}

/// Whether outputs can have this name: `[A-Za-z0-9_][A-Za-z0-9_-]{0,63}`.
pub(super) fn is_output_name(name: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&name.len()) && !name.starts_with('-') && name.bytes().all(rest)
}

/// Why a task could not do its work, and whether trying again makes sense.
///
/// ```
/// # use stabilize::TaskError;
/// use std::time::Duration;
/// let pause = Duration::from_millis(20);
/// let error = TaskError::transient("rate limited").retry_after(pause).context_update("processed", 10);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TaskError {
    code: ErrorCode,
    class: ErrorClass,
    message: String,
    causes: Vec<String>,
    retry_after: Option<Duration>,
    context_update: Map,
    outputs: Map,
}

/// The pieces of an error.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TaskErrorParts {
    /// What goes into the event.
    pub(crate) failure: Failure,
    /// How long to wait before the next attempt; wins over the policy's formula.
    pub(crate) retry_after: Option<Duration>,
    /// Entries for the stage's own context, seen by the next attempt.
    pub(crate) context_update: Map,
    /// What the failed attempt left behind: kept in its event, and counting if the failure is mapped to go on.
    pub(crate) outputs: Map,
}

impl TaskError {
    fn of(class: ErrorClass, code: ErrorCode, message: impl Into<String>) -> TaskError {
        TaskError {
            code,
            class,
            message: message.into(),
            causes: Vec::new(),
            retry_after: None,
            context_update: Map::new(),
            outputs: Map::new(),
        }
    }

    /// It may pass by itself; the task's `retry` says how often to try. Code USER_CODE_ERROR.
    pub fn transient(message: impl Into<String>) -> TaskError {
        TaskError::of(ErrorClass::Transient, ErrorCode::USER_CODE_ERROR, message)
    }

    /// Trying again gives the same; it is never retried. Code USER_CODE_ERROR.
    pub fn permanent(message: impl Into<String>) -> TaskError {
        TaskError::of(ErrorClass::Permanent, ErrorCode::USER_CODE_ERROR, message)
    }

    /// A program ended with an exit code that was not expected.
    pub(crate) fn exit(message: impl Into<String>) -> TaskError {
        TaskError::of(ErrorClass::Exit, ErrorCode::USER_CODE_ERROR, message)
    }

    /// The attempt took longer than `timeout` and was stopped.
    pub(crate) fn timeout(timeout: Duration) -> TaskError {
        let message = format!("the attempt took longer than its timeout of {timeout} and was stopped");
        TaskError::of(ErrorClass::Timeout, ErrorCode::TASK_TIMEOUT, message)
    }

    /// Whether it may pass by itself.
    #[cfg(feature = "http")]
    pub(super) fn is_transient(&self) -> bool {
        self.class == ErrorClass::Transient
    }

    /// The same error, never to be retried.
    #[cfg(feature = "http")]
    pub(super) fn permanently(mut self) -> TaskError {
        self.class = ErrorClass::Permanent;
        self
    }

    /// The same error with another message.
    pub(super) fn saying(mut self, message: String) -> TaskError {
        self.message = message;
        self
    }

    /// The attempt was asked to stop and did.
    pub(crate) fn canceled() -> TaskError {
        TaskError::permanent("the attempt was asked to stop")
    }

    /// Wait this long before the next attempt, whatever the policy's formula says.
    #[must_use]
    pub fn retry_after(mut self, length: impl Into<Duration>) -> TaskError {
        self.retry_after = Some(length.into());
        self
    }

    /// Adds an entry to the stage's own context: how far the work came, for the next attempt to go on from.
    #[must_use]
    pub fn context_update(mut self, key: impl Into<String>, value: impl Into<Value>) -> TaskError {
        self.context_update.insert(key.into(), value.into());
        self
    }

    /// Names the reason for programs to branch on.
    #[must_use]
    pub fn code(mut self, code: ErrorCode) -> TaskError {
        self.code = code;
        self
    }

    /// Adds what caused it, and what caused that; their texts are kept.
    #[must_use]
    pub fn source(mut self, source: impl Error) -> TaskError {
        self.causes.push(source.to_string());
        self.causes.extend(causes_of(&source));
        self
    }

    /// Adds one cause as text.
    pub(crate) fn cause(mut self, cause: impl Into<String>) -> TaskError {
        self.causes.push(cause.into());
        self
    }

    /// Adds what the failed attempt left behind; a name that is there already keeps its value.
    pub(crate) fn outputs_below(mut self, mut outputs: Map) -> TaskError {
        outputs.append(&mut self.outputs);
        self.outputs = outputs;
        self
    }

    /// The same error without outputs.
    pub(super) fn without_outputs(mut self) -> TaskError {
        self.outputs = Map::new();
        self
    }

    /// This error as what the attempt ended with after its timeout had passed: class timeout, this one as its cause.
    pub(super) fn timed_out(self, timeout: Duration) -> TaskError {
        if self.class == ErrorClass::Timeout {
            return self;
        }
        let mut causes = self.causes;
        causes.insert(0, self.message);
        TaskError { causes, context_update: self.context_update, outputs: self.outputs, ..TaskError::timeout(timeout) }
    }

    /// Outputs and entries for the context.
    pub(super) fn data(&self) -> (&Map, &Map) {
        (&self.outputs, &self.context_update)
    }

    /// The same error with other texts; a code that would be another is none of ours.
    pub(super) fn map_texts(self, change: &dyn Fn(&str) -> String) -> TaskError {
        let is_kept = change(self.code.as_str()) == self.code.as_str();
        TaskError {
            code: if is_kept { self.code } else { ErrorCode::UNKNOWN },
            message: change(&self.message),
            causes: self.causes.iter().map(|cause| change(cause)).collect(),
            context_update: map_of_texts(self.context_update, change),
            outputs: map_of_texts(self.outputs, change),
            ..self
        }
    }

    /// The pieces.
    pub(crate) fn into_parts(self) -> TaskErrorParts {
        let failure = Failure::new(self.code, self.class, self.message);
        TaskErrorParts {
            failure: self.causes.into_iter().fold(failure, Failure::caused_by),
            retry_after: self.retry_after,
            context_update: self.context_update,
            outputs: self.outputs,
        }
    }
}

/// The texts of what lies below `error`, nearest first.
fn causes_of(error: &dyn Error) -> impl Iterator<Item = String> {
    std::iter::successors(error.source(), |cause| (*cause).source())
        // A chain that is longer is a loop; the failure keeps no more of it anyway.
        .take(crate::limits::CAUSES_MAX)
        .map(ToString::to_string)
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The causes are kept as texts: an error crosses threads, events and restarts.
impl Error for TaskError {}

/// A permanent error.
impl From<&str> for TaskError {
    fn from(message: &str) -> TaskError {
        TaskError::permanent(message)
    }
}

/// A permanent error.
impl From<String> for TaskError {
    fn from(message: String) -> TaskError {
        TaskError::permanent(message)
    }
}

/// A permanent error with code VALIDATION_FAILED: the data will not change by trying again.
impl From<ValueError> for TaskError {
    fn from(error: ValueError) -> TaskError {
        TaskError::permanent(error.to_string()).code(ErrorCode::VALIDATION_FAILED)
    }
}

/// By its kind: what a network or a busy machine may do is transient, all else permanent.
impl From<io::Error> for TaskError {
    fn from(error: io::Error) -> TaskError {
        let (class, code) = classified(error.kind());
        let mut result = TaskError::of(class, code, error.to_string());
        result.causes.extend(causes_of(&error));
        result
    }
}

fn classified(kind: io::ErrorKind) -> (ErrorClass, ErrorCode) {
    use io::ErrorKind as Kind;
    match kind {
        Kind::TimedOut
        | Kind::ConnectionRefused
        | Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::HostUnreachable
        | Kind::NetworkUnreachable => (ErrorClass::Transient, ErrorCode::NETWORK_ERROR),
        Kind::Interrupted | Kind::WouldBlock => (ErrorClass::Transient, ErrorCode::SYSTEM_ERROR),
        Kind::OutOfMemory
        | Kind::StorageFull
        | Kind::QuotaExceeded
        | Kind::FileTooLarge
        | Kind::ArgumentListTooLong => (ErrorClass::Permanent, ErrorCode::RESOURCE_EXHAUSTED),
        _ => (ErrorClass::Permanent, ErrorCode::SYSTEM_ERROR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_io_error_is_classified_by_its_kind() {
        use io::ErrorKind as Kind;
        for (kind, class, code) in [
            (Kind::TimedOut, ErrorClass::Transient, ErrorCode::NETWORK_ERROR),
            (Kind::ConnectionRefused, ErrorClass::Transient, ErrorCode::NETWORK_ERROR),
            (Kind::ConnectionReset, ErrorClass::Transient, ErrorCode::NETWORK_ERROR),
            (Kind::ConnectionAborted, ErrorClass::Transient, ErrorCode::NETWORK_ERROR),
            (Kind::HostUnreachable, ErrorClass::Transient, ErrorCode::NETWORK_ERROR),
            (Kind::NetworkUnreachable, ErrorClass::Transient, ErrorCode::NETWORK_ERROR),
            (Kind::Interrupted, ErrorClass::Transient, ErrorCode::SYSTEM_ERROR),
            (Kind::WouldBlock, ErrorClass::Transient, ErrorCode::SYSTEM_ERROR),
            (Kind::NotFound, ErrorClass::Permanent, ErrorCode::SYSTEM_ERROR),
            (Kind::PermissionDenied, ErrorClass::Permanent, ErrorCode::SYSTEM_ERROR),
            (Kind::StorageFull, ErrorClass::Permanent, ErrorCode::RESOURCE_EXHAUSTED),
        ] {
            let parts = TaskError::from(io::Error::from(kind)).into_parts();
            assert_eq!((parts.failure.class(), parts.failure.code()), (class, &code), "{kind:?}");
        }
    }

    #[test]
    fn the_causes_of_an_error_are_kept_nearest_first() {
        let root = "seven".parse::<u32>().unwrap_err();
        let middle = Wrapped { source: root };
        let parts = TaskError::permanent("top").source(middle).into_parts();
        assert_eq!(parts.failure.causes(), ["middle".to_string(), "invalid digit found in string".to_string()]);
    }

    #[derive(Debug, thiserror::Error)]
    #[error("middle")]
    struct Wrapped {
        source: std::num::ParseIntError,
    }

    #[test]
    fn outputs_given_later_replace_and_those_put_below_do_not() {
        let outcome = Outcome::success()
            .output("a", 1)
            .outputs([("a", 2), ("b", 3)])
            .outputs_below(Map::from([("a".into(), 9.into()), ("c".into(), 4.into())]));
        assert_eq!(Value::Map(outcome.into_parts().outputs).to_json(), r#"{"a":2,"b":3,"c":4}"#);
    }

    #[test]
    fn only_a_running_outcome_has_a_delay() {
        let later = std::time::Duration::from_secs(5);
        let after = |seconds| OutcomeKind::Running(Poll::After(Duration::from_seconds(seconds)));
        for (outcome, kind) in [
            (Outcome::running(), OutcomeKind::Running(Poll::Unsaid)),
            (Outcome::running().after(later), after(5)),
            (Outcome::success().after(later), OutcomeKind::Success),
        ] {
            assert_eq!(outcome.into_parts().kind, kind);
        }
    }
}
