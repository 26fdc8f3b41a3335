//! An engine with its own threads, over a real directory.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::ids::WorkflowId;
use crate::runtime::{By, Config, Drive, Engine, Start};
use crate::status::Status;
use crate::task::{Outcome, Registry, TaskError};

use super::definition;

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn programs_closures_and_waits_run_to_the_end() {
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
  b: { needs: [a], uses: wait, with: { duration: 10ms } }
  c: { needs: [b], uses: flaky, with: {} }
";
    let engine = Engine::open(Config::at(directory.path()), tasks).unwrap();
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    assert_eq!(engine.wait(workflow, PATIENCE).unwrap().status(), Status::Succeeded);
    engine.close().unwrap();
}

/// A registry whose task `blocks` tells when it runs and ends when it is told to stop.
fn blocking() -> (Registry, mpsc::Receiver<String>) {
    let (told, heard) = mpsc::channel();
    let told = Mutex::new(told);
    let mut tasks = Registry::with_builtins();
    tasks
        .register_fn("blocks", move |task| {
            told.lock().unwrap().send(format!("{} {}", task.idempotency_key(), task.attempt())).unwrap();
            task.sleep(Duration::from_secs(3_600))?;
            Ok(Outcome::success())
        })
        .unwrap();
    (tasks, heard)
}

#[test]
fn an_orderly_close_gives_back_what_runs_under_the_same_key() {
    let directory = tempfile::tempdir().unwrap();
    let workflow = WorkflowId::generate();
    let blocks = definition("name: x\nstages: { a: { uses: blocks } }");
    // More often than a task may lose its worker: orderly ends do not count.
    for attempt in 1..=7 {
        let (tasks, heard) = blocking();
        let engine = Engine::open(Config::at(directory.path()), tasks).unwrap();
        if attempt == 1 {
            engine.submit(&blocks, Start::new().id(workflow)).unwrap();
        }
        assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), format!("{workflow}/a#1/blocks {attempt}"));
        engine.close().unwrap();
    }
}

#[test]
fn a_cancel_stops_what_runs() {
    let directory = tempfile::tempdir().unwrap();
    let (tasks, heard) = blocking();
    let engine = Engine::open(Config::at(directory.path()), tasks).unwrap();
    let workflow = engine.submit(&definition("name: x\nstages: { a: { uses: blocks } }"), Start::new()).unwrap();
    heard.recv_timeout(PATIENCE).unwrap();
    engine.cancel(workflow, By::user("alice").because("enough")).unwrap();
    assert_eq!(engine.wait(workflow, PATIENCE).unwrap().status(), Status::Canceled);
    engine.close().unwrap();
}

#[test]
fn an_engine_drives_only_what_it_is_told_to() {
    let directory = tempfile::tempdir().unwrap();
    let (mine, other) = (WorkflowId::generate(), WorkflowId::generate());
    let ran = Arc::new(Mutex::new(BTreeSet::new()));
    let mut tasks = Registry::with_builtins();
    let seen = Arc::clone(&ran);
    tasks
        .register_fn("seen", move |task| {
            seen.lock().unwrap().insert(task.workflow());
            Ok(Outcome::success())
        })
        .unwrap();
    let config = Config::at(directory.path()).drive(Drive::Only(BTreeSet::from([mine])));
    let engine = Engine::open(config, tasks).unwrap();
    let text = definition("name: x\nstages: { a: { uses: seen } }");
    engine.submit(&text, Start::new().id(other)).unwrap();
    engine.submit(&text, Start::new().id(mine)).unwrap();
    assert_eq!(engine.wait(mine, PATIENCE).unwrap().status(), Status::Succeeded);
    assert!(engine.wait(other, Duration::ZERO).is_err());
    engine.close().unwrap();
    assert_eq!(*ran.lock().unwrap(), BTreeSet::from([mine]));
}

#[test]
fn a_second_engine_is_refused_while_the_first_lives() {
    let directory = tempfile::tempdir().unwrap();
    let first = Engine::open(Config::at(directory.path()), Registry::with_builtins()).unwrap();
    let second = Engine::open(Config::at(directory.path()), Registry::with_builtins());
    assert!(second.err().is_some_and(|error| error.is_locked()));
    first.close().unwrap();
    Engine::open(Config::at(directory.path()), Registry::with_builtins()).unwrap();
}

#[test]
fn a_panic_in_a_task_fails_its_stage_and_nothing_else() {
    let mut tasks = Registry::with_builtins();
    tasks.register_fn("panics", |_| panic!("oh")).unwrap();
    let engine = Engine::open(Config::memory(), tasks).unwrap();
    let text = definition("name: x\nstages: { a: { uses: panics } }");
    let workflow = engine.submit(&text, Start::new()).unwrap();
    assert_eq!(engine.wait(workflow, PATIENCE).unwrap().status(), Status::Terminal);
    let fine = engine.submit(&definition("name: y\nstages: { a: {} }"), Start::new()).unwrap();
    assert_eq!(engine.wait(fine, PATIENCE).unwrap().status(), Status::Succeeded);
}

#[test]
fn a_wide_fan_out_runs_every_stage_once() {
    let mut text = "name: x\nstages:\n  start: {}\n".to_owned();
    let names: Vec<String> = (0..300).map(|number| format!("s{number}")).collect();
    for name in &names {
        text.push_str(&format!("  {name}: {{ needs: [start] }}\n"));
    }
    text.push_str(&format!("  end: {{ needs: [{}] }}\n", names.join(", ")));
    let engine = Engine::open(Config::memory(), Registry::with_builtins()).unwrap();
    let workflow = engine.submit(&definition(&text), Start::new()).unwrap();
    assert_eq!(engine.wait(workflow, PATIENCE).unwrap().status(), Status::Succeeded);
}

#[test]
fn a_directory_without_a_value_is_an_error_and_no_directory_named_null() {
    let engine = Engine::open(Config::memory(), Registry::with_builtins()).unwrap();
    for (empty, code) in [("null", "VALUE_MISSING"), ("[1]", "CONFIGURATION_INVALID")] {
        let stages = "stages: { a: { uses: noop, cwd: '${{ empty }}' } }";
        let text = format!("name: x\ncontext: {{ empty: {empty} }}\n{stages}");
        let workflow = engine.submit(&definition(&text), Start::new()).unwrap();
        let view = engine.wait(workflow, PATIENCE).unwrap();
        assert_eq!(view.stage("a").unwrap().error().unwrap().code().to_string(), code);
    }
}
