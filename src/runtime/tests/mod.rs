//! Behaviour of the engine, moved by hand and by its own threads.

use std::time::Duration;

use crate::definition::Definition;
use crate::status::Status;
use crate::task::{Outcome, Registry, TaskError};
use crate::time::Timestamp;

use super::clock::{Clock, SystemClock};
use super::{Config, Engine, Start};

fn definition(text: &str) -> Definition {
    Definition::from_yaml(text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_manual_engine_moves_only_when_it_is_stepped() {
    let engine = Engine::open(Config::manual(), Registry::with_builtins()).unwrap();
    let workflow =
        engine.submit(&definition("name: x\nstages:\n  a: {}\n  b: { needs: [a] }\n"), Start::new()).unwrap();
    assert!(engine.wait(workflow, Duration::ZERO).is_err());
    while !engine.step(SystemClock.now()).unwrap().is_idle() {}
    assert_eq!(engine.wait(workflow, Duration::ZERO).unwrap().status(), Status::Succeeded);
}

#[test]
fn an_engine_with_threads_runs_programs_and_closures_to_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let mut tasks = Registry::with_builtins();
    tasks
        .register_fn("flaky", |task| match task.get::<u64>("tried")?.unwrap_or(0) {
            2 => Ok(Outcome::success().output("total", 2)),
            tried => Err(TaskError::transient("not yet")
                .retry_after(Duration::from_millis(1))
                .context_update("tried", tried + 1)),
        })
        .unwrap();
    let text = "
name: x
stages:
  a: { uses: flaky }
  b: { needs: [a], run: 'test ${{ total }} = 2' }
  c: { needs: [a], uses: wait, with: { duration: 10ms } }
  d: { needs: [b, c], run: 'echo \"sum=$(( 1 + 1 ))\" >> \"$STABILIZE_OUTPUT\"' }
";
    let engine = Engine::open(Config::at(directory.path()), tasks).unwrap();
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    assert_eq!(engine.wait(workflow, Duration::from_secs(30)).unwrap().status(), Status::Succeeded);
    engine.close().unwrap();
    assert!(engine.submit(&definition(text), Start::new()).is_err());
    let _ = Timestamp::from_microseconds(0);
}
