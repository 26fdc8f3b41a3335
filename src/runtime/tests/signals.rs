//! Signals that an engine is sent.

use crate::replay::At;
use crate::runtime::{By, Config, Engine, Error, Signal, Start, Target};
use crate::status::Status;
use crate::task::{Outcome, Registry};

use super::super::clock::Clock;
use super::{StandingClock, definition};

/// A manual engine with a task that waits for the signal `go` and hands on what came with it.
fn engine() -> (Engine, StandingClock) {
    let clock = StandingClock::new();
    let mut tasks = Registry::with_builtins();
    tasks
        .register_fn("asks", |task| match task.signal() {
            None => Ok(Outcome::suspend().until_signal("go")),
            Some(signal) => Ok(Outcome::success().output("heard", signal.data.clone())),
        })
        .unwrap();
    (Engine::open(Config::manual().clock(clock.clone()), tasks).unwrap(), clock)
}

fn settle(engine: &Engine, clock: &StandingClock) {
    while !engine.step(clock.now()).unwrap().is_idle() {}
}

#[test]
fn a_signal_wakes_the_stage_it_is_for() {
    let (engine, clock) = engine();
    let text = "name: x\nstages:\n  a: { trigger: { signal: go } }\n  b: { trigger: { signal: go } }\n";
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    settle(&engine, &clock);
    engine.signal(workflow, Target::stage("b"), Signal::named("go").id("one"), By::user("alice")).unwrap();
    engine.signal(workflow, Target::Workflow, Signal::named("go").id("one"), By::user("alice")).unwrap();
    settle(&engine, &clock);
    let waits = engine.why(workflow).unwrap();
    let waiting: Vec<_> = waits.iter().map(|wait| (wait.stage().unwrap(), wait.reason().code())).collect();
    assert_eq!(waiting, [("a", "SIGNAL")]);
    engine.signal(workflow, Target::activation("a#1"), Signal::named("go"), By::user("alice")).unwrap();
    settle(&engine, &clock);
    assert_eq!(engine.history().state(workflow, At::Latest).unwrap().status(), Status::Succeeded);
}

#[test]
fn a_task_that_was_suspended_runs_again_with_its_signal() {
    let (engine, clock) = engine();
    let text = "name: x\nstages:\n  a: { uses: asks }\n";
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    settle(&engine, &clock);
    engine.signal(workflow, Target::Workflow, Signal::named("go").data(12), By::user("alice")).unwrap();
    settle(&engine, &clock);
    assert_eq!(engine.history().state(workflow, At::Latest).unwrap().status(), Status::Succeeded);
}

#[test]
fn a_closed_trigger_keeps_no_workflow_open() {
    let (engine, clock) = engine();
    let text = "name: x\nstages:\n  a: {}\n  s: { trigger: { signal: go, start: true } }\n";
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    engine.signal(workflow, Target::Workflow, Signal::named("go"), By::user("alice")).unwrap();
    settle(&engine, &clock);
    assert_eq!(engine.history().state(workflow, At::Latest).unwrap().status(), Status::Running);
    engine.close_trigger(workflow, "s", By::user("alice")).unwrap();
    settle(&engine, &clock);
    assert_eq!(engine.history().state(workflow, At::Latest).unwrap().status(), Status::Succeeded);
    let late = engine.signal(workflow, Target::Workflow, Signal::named("go"), By::user("alice"));
    assert!(late.unwrap_err().is_rejection());
}

#[test]
fn what_is_no_signal_or_is_for_nobody_is_refused() {
    let (engine, clock) = engine();
    let text = "name: x\nstages:\n  a: { trigger: { signal: go } }\n";
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    settle(&engine, &clock);
    let send = |to, signal| engine.signal(workflow, to, signal, By::user("alice"));
    assert!(send(Target::Workflow, Signal::named("no name")).unwrap_err().is_rejection());
    assert!(send(Target::stage("nobody"), Signal::named("go")).is_err());
    assert!(engine.close_trigger(workflow, "a", By::user("alice")).unwrap_err().is_rejection());
    let nobody = crate::ids::WorkflowId::generate();
    let lost = engine.signal(nobody, Target::Workflow, Signal::named("go"), By::user("alice"));
    assert!(matches!(lost, Err(Error::NotFound { .. })));
}
