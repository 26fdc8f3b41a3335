//! Successes whose outputs are looked at: what does not pass has failed, and is tried again as its verification says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ids::WorkflowId;
use crate::machine::WaitReason;
use crate::replay::{At, StageView};
use crate::runtime::{Config, Engine, Error, Start};
use crate::status::Status;
use crate::task::{Outcome, Registry, TaskError};
use crate::time::Duration;
use crate::value::Value;

use super::super::clock::Clock;
use super::super::config::Threads;
use super::{StandingClock, definition};

/// A task whose output `n` is how often its stage has been told `seen`, and a verifier that wants 2 and tells it.
fn tasks(asked: &Arc<AtomicU64>) -> Registry {
    let mut tasks = Registry::with_builtins();
    tasks
        .register_fn("counts", |task| Ok(Outcome::success().output("n", task.get::<u64>("seen")?.unwrap_or(0))))
        .unwrap();
    let count = Arc::clone(asked);
    tasks
        .verifier("two", move |_, outputs| {
            count.fetch_add(1, Ordering::SeqCst);
            match outputs.get("n") {
                Some(Value::Integer(2)) => Ok(()),
                Some(Value::Integer(n)) => Err(TaskError::transient("too few").context_update("seen", n + 1)),
                _ => panic!("no {}", "n"),
            }
        })
        .unwrap();
    tasks
}

fn settle(engine: &Engine, clock: &StandingClock) {
    while !engine.step(clock.now()).unwrap().is_idle() {}
}

/// How stage `a` of this text ends, when nobody has to wait.
fn ended(text: &str) -> StageView {
    let clock = StandingClock::new();
    let engine = Engine::open(Config::manual().clock(clock.clone()), tasks(&Arc::default())).unwrap();
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    settle(&engine, &clock);
    assert!(engine.history().verify(workflow).unwrap().divergences().is_empty());
    engine.history().state(workflow, At::Latest).unwrap().stage("a").unwrap().clone()
}

#[test]
fn outputs_that_are_missing_or_of_another_type_are_a_failure_that_keeps_them() {
    let text =
        "name: x\nstages:\n  a: { uses: counts, verification: { required_keys: [n, sha], types: { n: string } } }\n";
    let stage = ended(text);
    assert_eq!(stage.status(), Status::Terminal);
    let error = stage.error().unwrap();
    assert_eq!(error.to_string(), "VERIFICATION_FAILED: output sha is missing; output n is 0, not a string");
    assert_eq!(stage.first_task().unwrap().attempts(), 1, "nothing says that it is tried again");
    assert_eq!(stage.outputs().to_json(), "{}");
    let passed =
        ended("name: x\nstages:\n  a: { uses: counts, verification: { types: { n: integer, sha: string } } }\n");
    assert_eq!(passed.status(), Status::Succeeded);
}

#[test]
fn only_a_success_is_looked_at() {
    let text = "name: x\nstages:\n  a: { uses: fail, with: { outcome: failed_continue }, verification: { required_keys: [n] } }\n";
    assert_eq!(ended(text).status(), Status::FailedContinue);
}

#[test]
fn the_retry_of_a_verification_is_its_own() {
    let counted = |retry: &str| {
        let text = format!(
            "name: x\nstages:\n  a:\n    uses: counts\n    retry: {{ max_attempts: 1 }}\n    verification: \
             {{ required_keys: [never]{retry} }}\n"
        );
        ended(&text).first_task().unwrap().attempts()
    };
    assert_eq!(counted(""), 1);
    assert_eq!(counted(", retry: { max_attempts: 3, initial: 0s }"), 3);
}

#[test]
fn a_verifier_that_panics_has_refused() {
    let text = "name: x\nstages:\n  a: { uses: noop, verification: { verifier: two } }\n";
    let stage = ended(text);
    assert_eq!(stage.error().unwrap().to_string(), "VERIFICATION_FAILED: the verifier panicked: no n");
}

#[test]
fn what_a_verifier_says_survives_restarts_and_is_not_asked_again_by_replaying() {
    let directory = tempfile::tempdir().unwrap();
    let clock = StandingClock::new();
    let asked = Arc::new(AtomicU64::new(0));
    let open = |tasks: Registry| {
        let mut config = Config::at(directory.path()).clock(clock.clone());
        config.threads = Threads::Caller;
        Engine::open(config, tasks).unwrap()
    };
    let text = "name: x\nstages:\n  a:\n    uses: counts\n    verification:\n      verifier: two\n      retry: { \
                max_attempts: 4, initial: 10s, jitter: 0, factor: 1 }\n";
    let engine = open(tasks(&asked));
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    settle(&engine, &clock);
    let waits = engine.why(workflow).unwrap();
    assert!(matches!(waits[0].reason(), WaitReason::RetryAt { failures: 1, max_attempts: 4, .. }), "{waits:?}");
    engine.close().unwrap();
    let view = |engine: &Engine, workflow: WorkflowId| engine.history().state(workflow, At::Latest).unwrap();
    for (round, status) in [(2, Status::Running), (3, Status::Succeeded)] {
        let engine = open(tasks(&asked));
        settle(&engine, &clock);
        assert_eq!(asked.load(Ordering::SeqCst), round - 1, "it is not due yet");
        clock.advance(Duration::from_seconds(10));
        settle(&engine, &clock);
        assert_eq!(asked.load(Ordering::SeqCst), round);
        assert_eq!(view(&engine, workflow).status(), status);
        engine.close().unwrap();
    }
    let engine = open(tasks(&asked));
    assert!(engine.history().verify(workflow).unwrap().divergences().is_empty());
    assert_eq!(view(&engine, workflow).stage("a").unwrap().outputs().to_json(), r#"{"n":2}"#);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    engine.close().unwrap();
}

#[test]
fn a_definition_with_an_unknown_verifier_is_refused_and_an_engine_without_it_fails_the_task() {
    let directory = tempfile::tempdir().unwrap();
    let clock = StandingClock::new();
    let open = |tasks: Registry| {
        let mut config = Config::at(directory.path()).clock(clock.clone());
        config.threads = Threads::Caller;
        Engine::open(config, tasks).unwrap()
    };
    let text = "name: x\nstages:\n  a: { uses: noop, verification: { verifier: two } }\n";
    let calls = format!(
        "name: y\ndefinitions:\n  other: {{ {} }}\nstages:\n  b: {{ sub_workflow: {{ definition: other }} }}\n",
        "name: x, stages: { a: { uses: noop, verification: { verifier: two } } }"
    );
    let engine = open(Registry::with_builtins());
    for text in [text, &calls] {
        let refused = engine.submit(&definition(text), Start::new()).unwrap_err();
        assert!(matches!(&refused, Error::UnknownVerifier { verifier, .. } if verifier == "two"));
        assert_eq!(
            refused.to_string(),
            "task noop of stage a is to be verified by two, and no verifier is registered as that"
        );
    }
    engine.close().unwrap();
    let engine = open(tasks(&Arc::default()));
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    engine.close().unwrap();
    let engine = open(Registry::with_builtins());
    settle(&engine, &clock);
    let view = engine.history().state(workflow, At::Latest).unwrap();
    let error = view.stage("a").unwrap().error().unwrap().to_string();
    assert_eq!(error, "CONFIGURATION_INVALID: no verifier is registered as two");
    engine.close().unwrap();
}
