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
