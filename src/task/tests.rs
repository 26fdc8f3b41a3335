//! What an attempt reports, whatever its task does.

use std::collections::BTreeMap;

use super::*;
use crate::failure::ErrorClass;
use crate::ids::{ActivationId, AttemptId, StageIndex, TaskId, TaskIndex, WorkflowId};
use crate::time::{Duration, Timestamp};
use crate::value::Value;

/// A dispatch of the task `work` of stage `build`, with nothing in it and an hour of time.
pub(super) fn dispatch() -> Dispatch {
    let activation = ActivationId::new(StageIndex::new(0), 1);
    let task = TaskId { activation, task: TaskIndex::new(0) };
    let root = std::env::temp_dir();
    Dispatch {
        workflow: WorkflowId::from_parts(Timestamp::from_microseconds(1), 1),
        stage: "build".into(),
        task: "work".into(),
        attempt: AttemptId { task, dispatch: 1 },
        idempotency_key: "key".into(),
        with: Map::new(),
        env: BTreeMap::new(),
        workdir: root.clone(),
        cwd: None,
        shell: None,
        timeout: Duration::from_seconds(3_600),
        trigger: Value::Null,
        signal: None,
        began: Timestamp::from_microseconds(0),
        now: Timestamp::from_microseconds(0),
        context: Box::new(Map::new()),
        secrets: GivenSecrets::of(std::sync::Arc::new(EnvironmentSecrets)),
        cancel: Cancel::new(),
        place: Place::new(root),
    }
}

/// The map a JSON text stands for.
pub(super) fn map(json: &str) -> Map {
    Value::from_json(json).unwrap().as_map().unwrap().clone()
}

/// The report of a function that ran as a task.
fn report(
    dispatch: &Dispatch,
    function: impl Fn(&TaskContext<'_>) -> Result<Outcome, TaskError> + Send + Sync + 'static,
) -> Ended {
    let mut registry = Registry::new();
    registry.register_fn("it", function).unwrap();
    run(&*registry.task("it").unwrap(), dispatch).ended
}

/// What an attempt at a built-in task ended with.
fn builtin(name: &str, dispatch: &Dispatch) -> Ended {
    run(&*Registry::with_builtins().task(name).unwrap(), dispatch).ended
}

fn failed(ended: Ended) -> TaskErrorParts {
    match ended {
        Ended::Failed(error) => error.into_parts(),
        other => panic!("not failed: {other:?}"),
    }
}

fn outcome(ended: Ended) -> OutcomeParts {
    match ended {
        Ended::Outcome(outcome) => outcome.into_parts(),
        other => panic!("no outcome: {other:?}"),
    }
}

#[test]
fn a_task_reads_its_context_by_key() {
    let mut dispatch = dispatch();
    dispatch.context = Box::new(map(r#"{"processed":10,"nothing":null,"name":"x"}"#));
    let ended = report(&dispatch, |task| {
        assert_eq!(task.get::<u64>("processed")?, Some(10));
        assert_eq!(task.get::<u64>("nothing")?, None);
        assert_eq!(task.get::<u64>("missing")?, None);
        assert_eq!(task.context().len(), 3);
        let missing = task.require::<String>("missing").unwrap_err().into_parts().failure;
        assert_eq!(missing.code(), &ErrorCode::VALUE_MISSING);
        Ok(Outcome::success().output("n", task.get::<u64>("name")?.unwrap_or(0)))
    });
    let failure = failed(ended).failure;
    assert_eq!(failure.class(), ErrorClass::Permanent);
    assert_eq!(failure.code(), &ErrorCode::VALIDATION_FAILED);
}

#[test]
fn a_panic_is_a_permanent_error_with_its_text() {
    let parts = failed(report(&dispatch(), |_| panic!("out of {}", "ink")));
    assert_eq!(parts.failure.message(), "the task panicked: out of ink");
    assert_eq!(parts.failure.class(), ErrorClass::Permanent);
}

#[test]
fn what_an_event_cannot_hold_is_an_error() {
    for (value, code) in [
        (Value::from("x".repeat(PAYLOAD_BYTES_MAX)), ErrorCode::RESOURCE_EXHAUSTED),
        ((0..200).fold(Value::Null, |value, _| Value::List(vec![value])), ErrorCode::VALIDATION_FAILED),
    ] {
        for build in [
            |value: Value| Ok(Outcome::success().output("large", value)),
            |value: Value| Ok(Outcome::success().context("large", value)),
            |value: Value| Err(TaskError::transient("no").context_update("large", value)),
        ] {
            let value = value.clone();
            let parts = failed(report(&dispatch(), move |_| build(value.clone())));
            assert_eq!(parts.failure.code(), &code);
            assert_eq!(parts.failure.class(), ErrorClass::Permanent);
        }
    }
    let parts = failed(report(&dispatch(), |_| Ok(Outcome::success().output("two words", 1))));
    assert_eq!(parts.failure.code(), &ErrorCode::VALIDATION_FAILED);
}

#[test]
fn an_error_with_outputs_too_large_is_kept_without_them() {
    let parts = failed(report(&dispatch(), |_| {
        let outputs = Map::from([("large".into(), "x".repeat(PAYLOAD_BYTES_MAX).into())]);
        Err(TaskError::transient("no").outputs_below(outputs))
    }));
    assert_eq!(parts.failure.message(), "no");
    assert_eq!(parts.outputs, Map::new());
}

#[test]
fn what_a_stopped_attempt_answers_counts_unless_it_is_an_error() {
    for stop in [Stop::Canceled, Stop::Closing] {
        let dispatch = dispatch();
        let cancel = dispatch.cancel.clone();
        let ended = report(&dispatch, move |task| {
            cancel.cancel(stop);
            task.check_canceled()?;
            Ok(Outcome::success())
        });
        assert_eq!(ended, Ended::Stopped(stop));
        let ended = report(&dispatch, |_| Ok(Outcome::success()));
        assert_eq!(outcome(ended).kind, OutcomeKind::Success);
    }
}

#[test]
fn a_timed_out_attempt_is_over_whatever_it_answers() {
    let mut dispatch = dispatch();
    dispatch.timeout = Duration::from_milliseconds(1);
    let error = failed(report(&dispatch, |task| {
        task.sleep(std::time::Duration::from_secs(3_600))?;
        Ok(Outcome::success())
    }));
    let success = failed(report(&dispatch, |task| {
        let slept = task.sleep(std::time::Duration::from_secs(3_600));
        assert!(slept.is_err() && task.is_canceled());
        Ok(Outcome::success().output("n", 1))
    }));
    for parts in [&error, &success] {
        assert_eq!(parts.failure.class(), ErrorClass::Timeout);
        assert_eq!(parts.failure.code(), &ErrorCode::TASK_TIMEOUT);
    }
    assert_eq!(error.failure.causes(), ["the attempt was asked to stop"]);
    assert_eq!(success.outputs, map(r#"{"n":1}"#));
}

/// A task that answers as its functions say; the attempt itself ends as soon as it is asked to stop.
struct Hooked {
    timeout: Option<Duration>,
    late: fn(&TaskContext<'_>) -> Option<Result<Outcome, TaskError>>,
    canceled: fn(&TaskContext<'_>) -> Option<Result<Outcome, TaskError>>,
}

impl Default for Hooked {
    fn default() -> Hooked {
        let never: fn(&TaskContext<'_>) -> _ = |_| panic!("called for nothing");
        Hooked { timeout: Some(Duration::from_milliseconds(1)), late: never, canceled: never }
    }
}

impl Task for Hooked {
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        task.sleep(Duration::from_seconds(3_600))?;
        Ok(Outcome::success())
    }

    fn on_timeout(&self, task: &TaskContext<'_>) -> Option<Result<Outcome, TaskError>> {
        (self.late)(task)
    }

    fn on_cancel(&self, task: &TaskContext<'_>) -> Option<Result<Outcome, TaskError>> {
        (self.canceled)(task)
    }

    fn timeout(&self) -> Option<Duration> {
        self.timeout
    }
}

#[test]
fn on_timeout_answers_for_an_attempt_that_was_stopped() {
    let ended = |late| run(&Hooked { late, ..Hooked::default() }, &dispatch()).ended;
    assert_eq!(
        ended(|task| {
            assert!(!task.is_canceled(), "it has time of its own");
            assert!(task.deadline() >= Timestamp::from_microseconds(30_000_000));
            Some(Ok(Outcome::success().output("complete", false)))
        }),
        Ended::Outcome(Outcome::success().output("complete", false))
    );
    assert_eq!(failed(ended(|_| None)).failure.class(), ErrorClass::Timeout);
    let again = failed(ended(|_| Some(Err(TaskError::transient("busy").context_update("n", 1)))));
    assert_eq!((again.failure.class(), again.failure.message()), (ErrorClass::Transient, "busy"));
    assert_eq!(again.context_update, map(r#"{"n":1}"#));
    let panicked = failed(ended(|_| panic!("out of {}", "ink"))).failure;
    assert_eq!(panicked.message(), "on_timeout of the task panicked: out of ink");
    assert_eq!(panicked.class(), ErrorClass::Permanent);
    let refused = failed(ended(|_| Some(Ok(Outcome::success().output("two words", 1))))).failure;
    assert_eq!(refused.code(), &ErrorCode::VALIDATION_FAILED);
}

#[test]
fn a_hook_that_is_late_has_answered_for_nothing() {
    let late: fn(&TaskContext<'_>) -> _ = |task| {
        // As if its time had passed.
        task.dispatch().cancel.limit(Some(std::time::Instant::now()));
        assert!(task.is_canceled());
        Some(Ok(Outcome::success()))
    };
    let failure = failed(run(&Hooked { late, ..Hooked::default() }, &dispatch()).ended).failure;
    assert_eq!(failure.message(), "on_timeout took longer than its 30s");
    assert_eq!(failure.class(), ErrorClass::Timeout);
}

#[test]
fn on_cancel_leaves_data_and_changes_nothing_else() {
    let ended = |canceled| {
        let dispatch = dispatch();
        dispatch.cancel.cancel(Stop::Canceled);
        run(&Hooked { canceled, timeout: None, ..Hooked::default() }, &dispatch).ended
    };
    assert_eq!(ended(|_| None), Ended::Stopped(Stop::Canceled));
    assert_eq!(
        ended(|task| {
            assert!(!task.is_canceled(), "it has time of its own");
            Some(Ok(Outcome::success().output("undone", 2).context("at", "b")))
        }),
        Ended::Outcome(Outcome::canceled().output("undone", 2).context("at", "b"))
    );
    let panicked = failed(ended(|_| panic!("no {}", "undo"))).failure;
    assert_eq!(panicked.message(), "on_cancel of the task panicked: no undo");
    let dispatch = dispatch();
    dispatch.cancel.cancel(Stop::Closing);
    let closed = run(&Hooked { timeout: None, ..Hooked::default() }, &dispatch).ended;
    assert_eq!(closed, Ended::Stopped(Stop::Closing), "the work will be dispatched again");
}

#[test]
fn the_shorter_timeout_counts_and_is_the_deadline() {
    let second = Duration::from_seconds;
    for (own, limit) in [(None, 3_600), (Some(second(5)), 5), (Some(second(7_200)), 3_600)] {
        struct Asks(Option<Duration>);
        impl Task for Asks {
            fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
                Ok(Outcome::success().output("until", task.deadline().to_string()))
            }
            fn timeout(&self) -> Option<Duration> {
                self.0
            }
        }
        let until = Timestamp::from_microseconds(0).saturating_add(second(limit)).to_string();
        let ended = run(&Asks(own), &dispatch()).ended;
        assert_eq!(ended, Ended::Outcome(Outcome::success().output("until", until)), "{own:?}");
    }
}

#[test]
fn a_task_that_goes_on_rests_as_long_as_it_says_in_general_or_in_its_answer() {
    struct Polls(fn() -> Outcome);
    impl Task for Polls {
        fn run(&self, _task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
            Ok((self.0)())
        }
        fn poll_after(&self, elapsed: Duration) -> Duration {
            elapsed.saturating_add(Duration::from_seconds(5))
        }
    }
    let mut dispatch = dispatch();
    dispatch.now = Timestamp::from_microseconds(2_000_000);
    let kind = |answer| outcome(run(&Polls(answer), &dispatch).ended).kind;
    let after = |seconds| OutcomeKind::Running(Poll::After(Duration::from_seconds(seconds)));
    assert_eq!(kind(Outcome::running), after(7));
    assert_eq!(kind(|| Outcome::running().after(Duration::from_seconds(1))), after(1));
    let plain = report(&dispatch, |_| Ok(Outcome::running()));
    assert_eq!(outcome(plain).kind, after(1));
}

#[test]
fn a_sleep_ends_at_once_when_the_attempt_is_canceled() {
    let dispatch = dispatch();
    std::thread::scope(|scope| {
        let ended = scope.spawn(|| {
            report(&dispatch, |task| {
                task.sleep(Duration::from_seconds(3_600))?;
                Ok(Outcome::success())
            })
        });
        dispatch.cancel.cancel(Stop::Canceled);
        assert_eq!(ended.join().unwrap(), Ended::Stopped(Stop::Canceled));
    });
}

#[test]
fn noop_leaves_nothing_and_takes_nothing() {
    let mut dispatch = dispatch();
    assert_eq!(builtin("noop", &dispatch), Ended::Outcome(Outcome::success()));
    dispatch.with = map(r#"{"a":1}"#);
    let failure = failed(builtin("noop", &dispatch)).failure;
    assert_eq!(failure.message(), "noop: with.a: it takes no settings");
    assert_eq!(failure.code(), &ErrorCode::CONFIGURATION_INVALID);
}

#[test]
fn wait_asks_for_its_moment_and_then_tells_how_long_it_was() {
    let second = |seconds: i64| Timestamp::from_microseconds(seconds * 1_000_000);
    for (with, until) in [
        (r#"{"duration":"90s"}"#, 100),
        (r#"{"until":"1970-01-01T00:02:00Z"}"#, 120),
        (r#"{"waitTime":5}"#, 15),
        (r#"{"waitTime":2.0,"duration":null}"#, 12),
    ] {
        let mut dispatch = dispatch();
        dispatch.with = map(with);
        dispatch.began = second(10);
        dispatch.now = second(10);
        assert_eq!(builtin("wait", &dispatch), Ended::Outcome(Outcome::resume_at(second(until))), "{with}");
        dispatch.now = Timestamp::from_microseconds(second(until).microseconds() + 500_000);
        let outputs = Value::Map(outcome(builtin("wait", &dispatch)).outputs).to_json();
        assert_eq!(outputs, format!(r#"{{"waited_seconds":{}.5}}"#, until - 10), "{with}");
    }
}

#[test]
fn wait_refuses_what_is_no_length_and_no_moment() {
    for (with, place) in [
        ("{}", "with.duration"),
        (r#"{"duration":90}"#, "with.duration"),
        (r#"{"duration":"90"}"#, "with.duration"),
        (r#"{"until":"tomorrow"}"#, "with.until"),
        (r#"{"waitTime":-1}"#, "with.waitTime"),
        (r#"{"duration":"1s","waitTime":1}"#, "with.waitTime"),
        (r#"{"duration":"1s","until":"1970-01-01T00:02:00Z"}"#, "with.until"),
        (r#"{"seconds":1}"#, "with.seconds"),
    ] {
        let mut dispatch = dispatch();
        dispatch.with = map(with);
        let failure = failed(builtin("wait", &dispatch)).failure;
        assert!(failure.message().contains(place), "{with}: {failure}");
        assert_eq!(failure.code(), &ErrorCode::CONFIGURATION_INVALID);
    }
}

#[test]
fn fail_ends_as_it_is_told() {
    let ended = |with: &str| {
        let mut dispatch = dispatch();
        dispatch.with = map(with);
        builtin("fail", &dispatch)
    };
    let error = || TaskError::permanent("the task was told to fail");
    assert_eq!(ended("{}"), Ended::Outcome(Outcome::terminal(error())));
    for (name, expected) in [
        ("terminal", Ended::Outcome(Outcome::terminal(error()))),
        ("failed_continue", Ended::Outcome(Outcome::failed_continue(error()))),
        ("stopped", Ended::Outcome(Outcome::stopped())),
        ("canceled", Ended::Outcome(Outcome::canceled())),
    ] {
        assert_eq!(ended(&format!(r#"{{"outcome":"{name}"}}"#)), expected);
    }
    let parts = failed(ended(r#"{"outcome":"transient","message":"later","code":"BUSY"}"#));
    assert_eq!(parts.failure.to_string(), "BUSY: later");
    assert_eq!(parts.failure.class(), ErrorClass::Transient);
    for wrong in [r#"{"outcome":"happy"}"#, r#"{"code":"busy"}"#, r#"{"message":3}"#] {
        assert_eq!(failed(ended(wrong)).failure.code(), &ErrorCode::CONFIGURATION_INVALID, "{wrong}");
    }
}
