//! What the engine does to work under way when its stage is canceled: `cancel_mode`, with workers and real programs.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::event::Event;
use crate::ids::WorkflowId;
use crate::runtime::{By, Completion, Config, Engine, Start};
use crate::status::Status;
use crate::task::{Outcome, Registry, TaskContext};

use super::{StandingClock, definition};

const PATIENCE: Duration = Duration::from_secs(60);

/// `b` holds a lock that `c` wants, and `k`, done by hand, cancels it; `said` is what `b` says, `c` what that does.
fn net(said: &str, c: &str) -> crate::definition::Definition {
    definition(&format!(
        "
name: x
stages:
  b: {{ mutex_key: bench, {said} }}
  k: {{ cancels: [{{ stage: b }}], uses: manual }}
  c: {{ needs: [k], mutex_key: bench, {c} }}
"
    ))
}

/// A task `stays` that runs until it is let go, whatever it is told, and then says whether it was told to stop; and a
/// task `notes` that says that it has begun.
struct Bench {
    tasks: Registry,
    heard: mpsc::Receiver<String>,
    let_go: mpsc::Sender<()>,
}

fn bench() -> Bench {
    let (told, heard) = mpsc::channel();
    let (let_go, go) = mpsc::channel();
    let (told, go) = (Arc::new(Mutex::new(told)), Mutex::new(go));
    let mut tasks = Registry::with_builtins();
    let tell = Arc::clone(&told);
    let stays = move |task: &TaskContext<'_>| {
        tell.lock().unwrap().send("b begun".to_owned()).unwrap();
        go.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        let told = if task.is_canceled() { "b was told" } else { "b was not told" };
        tell.lock().unwrap().send(told.to_owned()).unwrap();
        Ok(Outcome::success())
    };
    tasks.register_fn("stays", stays).unwrap();
    let notes = move |_: &TaskContext<'_>| {
        told.lock().unwrap().send("c begun".to_owned()).unwrap();
        Ok(Outcome::success())
    };
    tasks.register_fn("notes", notes).unwrap();
    Bench { tasks, heard, let_go }
}

/// The names of the events so far.
fn names(engine: &Engine, workflow: WorkflowId) -> Vec<&'static str> {
    let events = engine.history().events(workflow, ..).unwrap();
    events.map(|envelope| envelope.unwrap().event().name()).collect()
}

fn place(names: &[&str], name: &str) -> usize {
    names.iter().position(|known| *known == name).unwrap_or_else(|| panic!("no {name} among {names:?}"))
}

fn reasons(engine: &Engine, workflow: WorkflowId) -> Vec<&'static str> {
    engine.why(workflow).unwrap().iter().map(|wait| wait.reason().code()).collect()
}

#[test]
fn who_waits_keeps_its_lock_until_its_worker_has_stopped() {
    let Bench { tasks, heard, let_go } = bench();
    let engine = Engine::open(Config::memory(), tasks).unwrap();
    let workflow = engine.submit(&net("cancel_mode: wait, uses: stays", "uses: notes"), Start::new()).unwrap();
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "b begun");
    engine.complete(workflow, "k", Completion::done(), By::user("alice")).unwrap();
    assert_eq!(reasons(&engine, workflow), ["STOPPING", "LOCK"]);
    let_go.send(()).unwrap();
    // It was told before anything could wait for it, or sees it now: what counts is that `c` begins behind it.
    assert!(heard.recv_timeout(PATIENCE).unwrap().starts_with("b was"));
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "c begun");
    assert_eq!(engine.wait(workflow, PATIENCE).unwrap().status(), Status::Succeeded);
    let names = names(&engine, workflow);
    let order = ["stage.canceling", "task.result_discarded", "task.stopped", "stage.canceled", "lock.released"];
    assert!(order.map(|name| place(&names, name)).is_sorted(), "{names:?}");
    engine.close().unwrap();
}

#[test]
fn who_abandons_does_not_wait_and_tells_nobody() {
    let Bench { tasks, heard, let_go } = bench();
    let engine = Engine::open(Config::memory(), tasks).unwrap();
    let text = net("cancel_mode: abandon, uses: stays", "uses: notes");
    let workflow = engine.submit(&text, Start::new()).unwrap();
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "b begun");
    engine.complete(workflow, "k", Completion::done(), By::user("alice")).unwrap();
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "c begun");
    assert_eq!(engine.wait(workflow, PATIENCE).unwrap().status(), Status::Succeeded);
    let_go.send(()).unwrap();
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "b was not told");
    engine.close().unwrap();
    assert!(!names(&engine, workflow).contains(&"stage.canceling"));
}

#[test]
fn nobody_waits_longer_than_cancel_timeout_says() {
    let Bench { tasks, heard, let_go } = bench();
    let engine = Engine::open(Config::memory(), tasks).unwrap();
    let text = net("cancel_mode: wait, cancel_timeout: 5ms, uses: stays", "uses: notes");
    let workflow = engine.submit(&text, Start::new()).unwrap();
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "b begun");
    engine.complete(workflow, "k", Completion::done(), By::user("alice")).unwrap();
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "c begun");
    assert_eq!(engine.wait(workflow, PATIENCE).unwrap().status(), Status::Succeeded);
    let_go.send(()).unwrap();
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "b was told");
    engine.close().unwrap();
    assert!(!names(&engine, workflow).contains(&"task.stopped"));
}

#[test]
fn the_late_outcome_is_recorded_once_whatever_the_mode_is() {
    for said in ["cancel_mode: try", "cancel_mode: wait", "cancel_mode: abandon"] {
        let Bench { tasks, heard, let_go } = bench();
        let engine = Engine::open(Config::memory(), tasks).unwrap();
        // Something else keeps the workflow alive.
        let text = net(&format!("{said}, uses: stays"), "uses: manual");
        let workflow = engine.submit(&text, Start::new()).unwrap();
        assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "b begun");
        engine.complete(workflow, "k", Completion::done(), By::user("alice")).unwrap();
        let_go.send(()).unwrap();
        heard.recv_timeout(PATIENCE).unwrap();
        // Whoever closes waits for the workers.
        engine.close().unwrap();
        let names = names(&engine, workflow);
        let told = names.iter().filter(|name| **name == "task.result_discarded").count();
        assert_eq!(told, 1, "{said}: {names:?}");
    }
}

#[test]
fn what_rests_between_two_calls_has_stopped_at_once() {
    let mut tasks = Registry::with_builtins();
    let polls = |_: &TaskContext<'_>| Ok(Outcome::running());
    tasks.register_fn("polls", polls).unwrap();
    for mode in ["wait", "abandon"] {
        let clock = StandingClock::new();
        let engine = Engine::open(Config::manual().clock(clock.clone()), tasks.clone()).unwrap();
        let text = net(&format!("cancel_mode: {mode}, uses: polls"), "uses: manual");
        let workflow = engine.submit(&text, Start::new()).unwrap();
        engine.step(crate::runtime::clock::Clock::now(&clock)).unwrap();
        engine.complete(workflow, "k", Completion::done(), By::user("alice")).unwrap();
        engine.step(crate::runtime::clock::Clock::now(&clock)).unwrap();
        assert_eq!(reasons(&engine, workflow), ["BY_HAND"], "{mode}");
        assert!(engine.tracked().is_empty(), "{mode}: {:?}", engine.tracked());
    }
}

#[test]
fn what_runs_when_an_engine_closes_has_stopped_when_the_next_one_begins() {
    let directory = tempfile::tempdir().unwrap();
    let mut tasks = Registry::with_builtins();
    let (told, heard) = mpsc::channel();
    let told = Mutex::new(told);
    let blocks = move |task: &TaskContext<'_>| {
        told.lock().unwrap().send(()).unwrap();
        task.sleep(Duration::from_secs(3_600))?;
        Ok(Outcome::success())
    };
    tasks.register_fn("blocks", blocks).unwrap();
    let engine = Engine::open(Config::at(directory.path()), tasks.clone()).unwrap();
    let text = net("cancel_mode: wait, uses: blocks", "uses: manual");
    let workflow = engine.submit(&text, Start::new()).unwrap();
    heard.recv_timeout(PATIENCE).unwrap();
    engine.complete(workflow, "k", Completion::done(), By::user("alice")).unwrap();
    engine.close().unwrap();
    let engine = Engine::open(Config::at(directory.path()), tasks).unwrap();
    engine.complete(workflow, "c", Completion::done(), By::user("alice")).unwrap();
    assert_eq!(engine.wait(workflow, PATIENCE).unwrap().status(), Status::Succeeded);
    let stops = engine.history().events(workflow, ..).unwrap();
    let stops = stops.filter(|envelope| matches!(envelope.as_ref().unwrap().event(), Event::TaskStopped(..)));
    assert_eq!(stops.count(), 1);
    engine.close().unwrap();
}

/// A program that ignores TERM, tells that it runs, goes on when it is told to, and tells that it ends.
#[cfg(feature = "shell")]
const IGNORES: &str = "trap '' TERM; echo begun > said; read line < go; : > over; echo over > said";

/// A directory with the pipes of that program.
#[cfg(feature = "shell")]
fn with_pipes() -> tempfile::TempDir {
    let work = tempfile::tempdir().unwrap();
    for name in ["said", "go"] {
        assert!(std::process::Command::new("mkfifo").arg(work.path().join(name)).status().unwrap().success());
    }
    work
}

/// Built-in tasks; a program has as long as it likes after TERM.
#[cfg(feature = "shell")]
fn patient() -> Registry {
    let mut tasks = Registry::with_builtins();
    tasks.replace("shell", crate::task::patient_shell());
    tasks
}

/// What the program says next; waits for it.
#[cfg(feature = "shell")]
fn said(work: &tempfile::TempDir) -> String {
    std::fs::read_to_string(work.path().join("said")).unwrap()
}

#[cfg(feature = "shell")]
#[test]
fn a_program_that_ignores_the_signal_keeps_the_lock_until_it_is_gone() {
    let (log, work) = (tempfile::tempdir().unwrap(), with_pipes());
    let engine = Engine::open(Config::at(log.path()), patient()).unwrap();
    let text = net(&format!("cancel_mode: wait, run: \"{IGNORES}\""), "run: 'test -e over'");
    let workflow = engine.submit(&text, Start::new().workdir(work.path())).unwrap();
    assert_eq!(said(&work), "begun\n");
    engine.complete(workflow, "k", Completion::done(), By::user("alice")).unwrap();
    assert_eq!(reasons(&engine, workflow), ["STOPPING", "LOCK"]);
    std::fs::write(work.path().join("go"), "on\n").unwrap();
    assert_eq!(said(&work), "over\n");
    // `c` succeeds only if the program was over when it began.
    assert_eq!(engine.wait(workflow, PATIENCE).unwrap().status(), Status::Succeeded);
    engine.close().unwrap();
}

#[cfg(feature = "shell")]
#[test]
fn an_abandoned_program_runs_on_beside_the_next() {
    let (log, work) = (tempfile::tempdir().unwrap(), with_pipes());
    let engine = Engine::open(Config::at(log.path()), patient()).unwrap();
    let text = net(&format!("cancel_mode: abandon, run: \"{IGNORES}\""), "run: 'test ! -e over && echo on > go'");
    let workflow = engine.submit(&text, Start::new().workdir(work.path())).unwrap();
    assert_eq!(said(&work), "begun\n");
    engine.complete(workflow, "k", Completion::done(), By::user("alice")).unwrap();
    assert_eq!(engine.wait(workflow, PATIENCE).unwrap().status(), Status::Succeeded);
    // It was not told and ends as it likes.
    assert_eq!(said(&work), "over\n");
    engine.close().unwrap();
}
