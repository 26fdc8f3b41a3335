//! Instances that an engine runs, and what it is asked of them from outside.

use crate::replay::At;
use crate::runtime::{Answer, By, Config, Engine, Signal, Start, Target};
use crate::status::Status;
use crate::task::{Outcome, Registry};
use crate::value::Map;

use super::super::clock::Clock;
use super::{StandingClock, definition};

/// A manual engine with a task that hands on what its instance is given, once the signal `go` has come.
fn engine() -> (Engine, StandingClock) {
    let clock = StandingClock::new();
    let mut tasks = Registry::with_builtins();
    tasks
        .register_fn("asks", |task| match task.signal() {
            None => Ok(Outcome::suspend().until_signal("go")),
            Some(_) => Ok(Outcome::success().output("given", task.with::<Map>().unwrap()["item"].clone())),
        })
        .unwrap();
    (Engine::open(Config::manual().clock(clock.clone()), tasks).unwrap(), clock)
}

fn settle(engine: &Engine, clock: &StandingClock) {
    while !engine.step(clock.now()).unwrap().is_idle() {}
}

fn status(engine: &Engine, workflow: crate::ids::WorkflowId) -> Status {
    engine.history().state(workflow, At::Latest).unwrap().status()
}

const GROWS: &str = "
name: x
stages:
  m: { uses: asks, with: { item: '${{ item }}' }, mi_config: { count: 1, allow_dynamic: true, max_instances: 3 } }
outputs: { given: '${{ stages.m.outputs.given }}' }
";

#[test]
fn instances_are_added_while_others_run_and_run_like_them() {
    let (engine, clock) = engine();
    let workflow = engine.submit(&definition(GROWS), Start::new()).unwrap();
    settle(&engine, &clock);
    engine.add_instances(workflow, "m", ["x", "y"], By::user("alice").because("two more")).unwrap();
    settle(&engine, &clock);
    let full = engine.add_instances(workflow, "m#1", ["z"], By::user("alice"));
    assert!(full.unwrap_err().is_rejection());
    for index in 0..3 {
        let target = Target::activation(format!("m#1[{index}]"));
        engine.signal(workflow, target, Signal::named("go"), By::user("alice")).unwrap();
    }
    settle(&engine, &clock);
    let view = engine.history().state(workflow, At::Latest).unwrap();
    assert_eq!(view.status(), Status::Succeeded);
    assert_eq!(view.outputs().get("given").unwrap().to_json(), r#"[null,"x","y"]"#);
    let late = engine.add_instances(workflow, "m", ["z"], By::user("alice"));
    assert!(late.unwrap_err().is_rejection());
}

#[test]
fn what_is_asked_twice_under_one_id_is_done_once() {
    let (engine, clock) = engine();
    let workflow = engine.submit(&definition(GROWS), Start::new()).unwrap();
    settle(&engine, &clock);
    let by = By::user("alice").command(crate::ids::CommandId::generate());
    let first = engine.add_instances(workflow, "m", ["x"], by.clone()).unwrap();
    let second = engine.add_instances(workflow, "m", ["x"], by).unwrap();
    assert!(matches!((first, second), (Answer::Applied(_), Answer::Repeated(_))));
    settle(&engine, &clock);
    let waiting = engine.why(workflow).unwrap().iter().filter(|wait| wait.instance().is_some()).count();
    assert_eq!(waiting, 2);
}

#[test]
fn a_stage_is_closed_and_control_goes_on_without_the_rest() {
    let (engine, clock) = engine();
    let workflow = engine.submit(&definition(GROWS), Start::new()).unwrap();
    settle(&engine, &clock);
    engine.close_instances(workflow, "m", By::user("alice")).unwrap();
    assert!(engine.close_instances(workflow, "m", By::user("alice")).unwrap_err().is_rejection());
    assert!(engine.add_instances(workflow, "m", ["x"], By::user("alice")).unwrap_err().is_rejection());
    assert_eq!(status(&engine, workflow), Status::Running);
    engine.complete_instances(workflow, "m", By::user("alice")).unwrap();
    settle(&engine, &clock);
    assert_eq!(status(&engine, workflow), Status::Succeeded);
}

#[test]
fn what_names_no_stage_with_instances_is_refused() {
    let (engine, clock) = engine();
    let text = "name: x\nstages:\n  a: { uses: manual }\n";
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    settle(&engine, &clock);
    assert!(engine.add_instances(workflow, "a", [1], By::user("alice")).unwrap_err().is_rejection());
    assert!(engine.complete_instances(workflow, "nowhere", By::user("alice")).is_err());
    assert!(engine.close_instances(workflow, "a#0", By::user("alice")).is_err());
}
