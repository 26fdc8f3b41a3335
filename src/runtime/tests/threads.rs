//! An engine with its own threads, over a real directory.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::ids::WorkflowId;
use crate::runtime::{By, Completion, Config, Drive, Engine, Start};
use crate::status::Status;
use crate::task::{Outcome, Registry, TaskError};

use super::{StandingClock, definition};

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
fn what_a_stage_cancels_is_stopped_and_the_others_go_on() {
    let (told, heard) = mpsc::channel();
    let told = Mutex::new(told);
    let mut tasks = Registry::with_builtins();
    let blocks = move |task: &crate::task::TaskContext<'_>| {
        told.lock().unwrap().send("begun").unwrap();
        let slept = task.sleep(Duration::from_secs(3_600));
        told.lock().unwrap().send(if slept.is_err() { "stopped" } else { "done" }).unwrap();
        slept.map(|()| Outcome::success())
    };
    tasks.register_fn("blocks", blocks).unwrap();
    let engine = Engine::open(Config::memory(), tasks).unwrap();
    for cancels in ["stage: b", "region: r"] {
        let text = format!(
            "
name: x
stages:
  b: {{ uses: blocks, cancel_region: r }}
  k: {{ cancels: [{{ {cancels} }}], uses: manual }}
"
        );
        let workflow = engine.submit(&definition(&text), Start::new()).unwrap();
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("begun"));
        engine.complete(workflow, "k", Completion::done(), By::user("alice")).unwrap();
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("stopped"));
        let ended = engine.wait(workflow, PATIENCE).unwrap();
        assert_eq!(ended.status(), Status::Succeeded);
        assert_eq!(ended.stage("b").unwrap().status(), Status::Canceled);
    }
}

#[test]
fn a_passed_deadline_stops_what_runs() {
    let (told, heard) = mpsc::channel();
    let told = Mutex::new(told);
    let mut tasks = Registry::with_builtins();
    let blocks = move |task: &crate::task::TaskContext<'_>| {
        told.lock().unwrap().send("begun").unwrap();
        let slept = task.sleep(Duration::from_secs(3_600));
        told.lock().unwrap().send(if slept.is_err() { "stopped" } else { "done" }).unwrap();
        slept.map(|()| Outcome::success())
    };
    tasks.register_fn("blocks", blocks).unwrap();
    let engine = Engine::open(Config::memory(), tasks).unwrap();
    for (keys, code) in
        [("{ uses: blocks, deadline: 20ms }", "STAGE_FAILED"), ("{ uses: blocks }", "DEADLINE_EXCEEDED")]
    {
        let limit = if code == "DEADLINE_EXCEEDED" { "deadline: 20ms" } else { "x-none: 1" };
        let text = format!("name: x\n{limit}\nstages: {{ a: {keys} }}");
        let workflow = engine.submit(&definition(&text), Start::new()).unwrap();
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("begun"));
        assert_eq!(heard.recv_timeout(PATIENCE), Ok("stopped"));
        let ended = engine.wait(workflow, PATIENCE).unwrap();
        assert_eq!((ended.status(), ended.end_reason()), (Status::Terminal, Some(code)));
        assert_eq!(ended.error().unwrap().code().as_str(), "DEADLINE_EXCEEDED");
        assert_eq!(ended.stage("a").unwrap().tasks()[0].status(), Status::Canceled);
    }
}

#[test]
fn what_was_to_be_done_by_a_moment_that_passed_without_an_engine_is_not_begun() {
    let directory = tempfile::tempdir().unwrap();
    let clock = StandingClock::new();
    let (tasks, heard) = blocking();
    let engine = Engine::open(Config::at(directory.path()).clock(clock.clone()), tasks).unwrap();
    let text = "name: x\nstages: { a: { uses: blocks, deadline: 10m, on_failure: continue }, b: { needs: [a] } }";
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    heard.recv_timeout(PATIENCE).unwrap();
    engine.close().unwrap();
    clock.advance(crate::time::Duration::from_seconds(600));
    let (tasks, heard) = blocking();
    let engine = Engine::open(Config::at(directory.path()).clock(clock), tasks).unwrap();
    let ended = engine.wait(workflow, PATIENCE).unwrap();
    assert_eq!((ended.status(), ended.stage("a").unwrap().status()), (Status::Succeeded, Status::FailedContinue));
    engine.close().unwrap();
    assert!(heard.try_recv().is_err());
}

#[test]
fn a_passed_deadline_kills_the_program_and_what_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let clock = StandingClock::new();
    let config = Config::at(directory.path().join("log")).clock(clock.clone());
    let engine = Engine::open(config, Registry::with_builtins()).unwrap();
    let run = format!("(echo begun; sleep 300; echo late) > {} & wait", pipe.display());
    let text = format!("name: x\nstages:\n  a: {{ run: \"{run}\", deadline: 10ms }}\n");
    let workflow = engine.submit(&definition(&text), Start::new()).unwrap();
    let mut pipe = BufReader::new(File::open(&pipe).unwrap());
    let mut said = String::new();
    pipe.read_line(&mut said).unwrap();
    clock.advance(crate::time::Duration::from_milliseconds(10));
    assert_eq!(engine.wait(workflow, PATIENCE).unwrap().status(), Status::Terminal);
    // To its end, which comes when nobody holds the other one any more.
    pipe.read_to_string(&mut said).unwrap();
    assert_eq!(said, "begun\n");
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
