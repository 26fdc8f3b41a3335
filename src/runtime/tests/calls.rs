//! Workflows that call each other in an engine: to the end, deep, canceled, and taken up by another engine (R9).

use crate::definition::Definition;
use crate::runtime::{By, Completion, Config, Drive, Engine, Start};
use crate::status::Status;
use crate::task::{Outcome, Registry};
use crate::testing::definitions::yaml;
use crate::value::Value;

use super::StandingClock;

/// Calls itself until n is 0 and gives the sum of all n.
fn recursive() -> Definition {
    yaml(
        "
name: sum
inputs: { n: { type: integer } }
stages:
  a: { uses: less, split_type: XOR, split_conditions: { e: inputs.n == 0 }, split_default: r }
  r:
    needs: [a]
    sub_workflow: { definition: $self, input: { n: '${{ less }}' }, output: { below: '${{ child.outputs.sum }}' } }
  e: { needs: [a, r], join_type: XOR, uses: add }
outputs: { sum: '${{ sum }}' }
",
    )
}

fn tasks() -> Registry {
    let mut tasks = Registry::with_builtins();
    tasks
        .register_fn("less", |task| Ok(Outcome::success().output("less", task.require::<i64>("n")? - 1)))
        .and_then(|()| {
            tasks.register_fn("add", |task| {
                let below = task.get::<i64>("below")?.unwrap_or(0);
                Ok(Outcome::success().output("sum", task.require::<i64>("n")? + below))
            })
        })
        .unwrap();
    tasks
}

#[test]
fn recursion_ends_and_gives_its_outputs_also_a_hundred_deep() {
    for (n, sum) in [(0, 0), (3, 6), (100, 5_050)] {
        let engine = Engine::open(Config::memory(), tasks()).unwrap();
        let id = engine.submit(&recursive(), Start::new().input("n", n)).unwrap();
        let view = engine.wait(id, std::time::Duration::from_secs(60)).unwrap();
        assert_eq!(
            (view.status(), view.outputs().get("sum").cloned()),
            (Status::Succeeded, Some(Value::from(sum))),
            "{n}"
        );
        assert_eq!(engine.history().workflows(&crate::replay::Filter::default()).unwrap().len(), n as usize + 1);
        engine.close().unwrap();
    }
}

#[test]
fn a_call_that_goes_too_deep_fails_all_the_way_up() {
    let engine = Engine::open(Config::memory(), tasks()).unwrap();
    let id = engine.submit(&recursive(), Start::new().input("n", -1)).unwrap();
    let view = engine.wait(id, std::time::Duration::from_secs(60)).unwrap();
    assert_eq!(view.status(), Status::Terminal);
    engine.close().unwrap();
}

const CALLER: &str = "
name: caller
definitions: { called: { name: called, stages: { work: { uses: manual } } } }
stages: { call: { sub_workflow: { definition: called } }, after: { needs: [call], uses: manual } }
";

/// The workflow that `call` waits for.
fn child_of(engine: &Engine) -> crate::ids::WorkflowId {
    let all = engine.history().workflows(&crate::replay::Filter::default()).unwrap();
    all.into_iter().find(|workflow| workflow.name() == "called").unwrap().id()
}

#[test]
fn canceling_a_caller_cancels_what_it_called_and_is_over_when_that_is() {
    let engine = Engine::open(Config::memory(), Registry::with_builtins()).unwrap();
    let id = engine.submit(&yaml(CALLER), Start::new()).unwrap();
    let child = child_of(&engine);
    engine.cancel(id, By::user("alice")).unwrap();
    let limit = std::time::Duration::from_secs(60);
    assert_eq!(engine.wait(id, limit).unwrap().status(), Status::Canceled);
    assert_eq!(engine.wait(child, limit).unwrap().status(), Status::Canceled);
    engine.close().unwrap();
}

#[test]
fn another_engine_goes_on_with_both_whoever_it_is_told_to_drive() {
    for only in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let clock = StandingClock::at(crate::testing::course::ORIGIN);
        let config = || Config::at(directory.path()).clock(clock.clone());
        let engine = Engine::open(config(), Registry::with_builtins()).unwrap();
        let id = engine.submit(&yaml(CALLER), Start::new()).unwrap();
        let child = child_of(&engine);
        engine.close().unwrap();
        let drive = if only { Drive::Only([id].into()) } else { Drive::All };
        let engine = Engine::open(config().drive(drive), Registry::with_builtins()).unwrap();
        engine.complete(child, "work", Completion::done(), By::user("alice")).unwrap();
        engine.complete(id, "after", Completion::done(), By::user("alice")).unwrap();
        let limit = std::time::Duration::from_secs(60);
        assert_eq!(engine.wait(id, limit).unwrap().status(), Status::Succeeded);
        engine.close().unwrap();
    }
}
