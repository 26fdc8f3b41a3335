//! An engine without threads: each step is seen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration as Length;

use crate::ids::WorkflowId;
use crate::machine::{AttemptStage, State, Work, outstanding};
use crate::runtime::{By, Config, Drive, Engine, Error, Start};
use crate::status::Status;
use crate::task::{Outcome, Registry, TaskError};
use crate::time::Duration;

use super::super::clock::Clock;
use super::super::config::Threads;
use super::{StandingClock, definition};

/// A manual engine, its clock, and a task that fails a few times and one that polls.
fn engine() -> (Engine, StandingClock) {
    let clock = StandingClock::new();
    let mut tasks = Registry::with_builtins();
    tasks
        .register_fn("flaky", |task| match task.get::<u64>("tried")?.unwrap_or(0) {
            2 => Ok(Outcome::success().output("tries", 3)),
            tried => Err(TaskError::transient("not yet").context_update("tried", tried + 1)),
        })
        .unwrap();
    tasks
        .register_fn("polls", |task| match task.get::<u64>("polled")?.unwrap_or(0) {
            3 => Ok(Outcome::success()),
            polled => Ok(Outcome::running().after(Length::from_secs(5)).context("polled", polled + 1)),
        })
        .unwrap();
    let engine = Engine::open(Config::manual().clock(clock.clone()), tasks).unwrap();
    (engine, clock)
}

/// Steps until nothing happens any more at this moment.
fn settle(engine: &Engine, clock: &StandingClock) {
    while !engine.step(clock.now()).unwrap().is_idle() {}
}

fn status(engine: &Engine, workflow: WorkflowId) -> Status {
    engine.history().state(workflow, crate::replay::At::Latest).unwrap().status()
}

#[test]
fn nothing_moves_before_it_is_stepped() {
    let (engine, clock) = engine();
    let workflow =
        engine.submit(&definition("name: x\nstages:\n  a: {}\n  b: { needs: [a] }\n"), Start::new()).unwrap();
    assert!(matches!(engine.wait(workflow, Length::ZERO), Err(Error::TimedOut { .. })));
    settle(&engine, &clock);
    assert_eq!(engine.wait(workflow, Length::ZERO).unwrap().status(), Status::Succeeded);
}

#[test]
fn a_wait_holds_no_worker_and_ends_when_its_moment_has_come() {
    let (engine, clock) = engine();
    let text = "name: x\nstages:\n  a: { uses: wait, with: { duration: 90s } }\n";
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    settle(&engine, &clock);
    let due = engine.step(clock.now()).unwrap().next_due.unwrap();
    assert_eq!(due.since(clock.now()), Duration::from_seconds(90));
    clock.advance(Duration::from_seconds(89));
    settle(&engine, &clock);
    assert_eq!(status(&engine, workflow), Status::Running);
    clock.advance(Duration::from_seconds(1));
    settle(&engine, &clock);
    assert_eq!(status(&engine, workflow), Status::Succeeded);
}

#[test]
fn an_engine_says_why_a_workflow_does_not_move() {
    let (engine, clock) = engine();
    let text = "name: x\nstages:\n  a: { uses: wait, with: { duration: 90s } }\n  b: {}\n  c: { needs: [a, b] }\n";
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    let waiting = || -> Vec<(String, &'static str)> {
        let waits = engine.why(workflow).unwrap();
        waits.iter().map(|wait| (wait.stage().unwrap().to_owned(), wait.reason().code())).collect()
    };
    assert_eq!(waiting(), [("a".to_owned(), "QUEUED"), ("b".to_owned(), "QUEUED")]);
    settle(&engine, &clock);
    assert_eq!(waiting(), [("a".to_owned(), "TIMER"), ("c".to_owned(), "JOIN")]);
    let due = engine.why(workflow).unwrap()[0].reason().due().unwrap();
    assert_eq!(due.since(clock.now()), Duration::from_seconds(90));
    clock.advance(Duration::from_seconds(90));
    settle(&engine, &clock);
    assert_eq!(waiting(), []);
    assert!(matches!(engine.why(WorkflowId::from_parts(clock.now(), 7)), Err(Error::NotFound { .. })));
}

#[test]
fn a_failed_attempt_is_made_again_when_its_delay_is_over() {
    let (engine, clock) = engine();
    let text = "name: x\nstages:\n  a: { uses: flaky, retry: { initial: 10s, jitter: 0, factor: 2 } }\n";
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    for delay in [10, 20] {
        settle(&engine, &clock);
        let due = engine.step(clock.now()).unwrap().next_due.unwrap();
        assert_eq!(due.since(clock.now()), Duration::from_seconds(delay));
        clock.advance(Duration::from_seconds(delay));
    }
    settle(&engine, &clock);
    assert_eq!(status(&engine, workflow), Status::Succeeded);
}

#[test]
fn deadlines_and_scheduled_times_hold_across_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let clock = StandingClock::new();
    let open = || {
        let mut config = Config::at(directory.path()).clock(clock.clone());
        config.threads = Threads::Caller;
        Engine::open(config, Registry::with_builtins()).unwrap()
    };
    let at = |length: u64| clock.now().saturating_add(Duration::from_seconds(length));
    let text = format!(
        "
name: x
scheduled_time: {}
deadline: 1h
stages:
  a: {{ uses: wait, with: {{ duration: 1d }}, deadline: 10m, on_failure: continue }}
  b: {{ needs: [a], scheduled_time: {}, uses: wait, with: {{ duration: 1d }} }}
",
        at(60),
        at(1_800)
    );
    let engine = open();
    let workflow = engine.submit(&definition(&text), Start::new()).unwrap();
    let mut seen = Vec::new();
    for minute in 0..62 {
        let engine = if minute == 0 { engine.clone() } else { open() };
        settle(&engine, &clock);
        assert_eq!(engine.tracked(), asked(&engine, &[workflow]), "minute {minute}");
        let view = engine.history().state(workflow, crate::replay::At::Latest).unwrap();
        let status = |stage| view.stage(stage).unwrap().status().name();
        let now = (view.status().name(), status("a"), status("b"));
        if seen.last().is_none_or(|(_, known)| *known != now) {
            seen.push((minute, now));
        }
        engine.close().unwrap();
        clock.advance(Duration::from_seconds(60));
    }
    let expected = [
        (0, ("NOT_STARTED", "NOT_STARTED", "NOT_STARTED")),
        (1, ("RUNNING", "RUNNING", "NOT_STARTED")),
        (11, ("RUNNING", "FAILED_CONTINUE", "NOT_STARTED")),
        (30, ("RUNNING", "FAILED_CONTINUE", "RUNNING")),
        (61, ("TERMINAL", "FAILED_CONTINUE", "CANCELED")),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_workflow_that_is_driven_from_some_moment_on_has_all_it_asks_for() {
    let directory = tempfile::tempdir().unwrap();
    let clock = StandingClock::new();
    let open = |drive: Drive| {
        let mut config = Config::at(directory.path()).clock(clock.clone()).drive(drive);
        config.threads = Threads::Caller;
        Engine::open(config, Registry::with_builtins()).unwrap()
    };
    let text = definition("name: x\nstages:\n  a: { uses: wait, with: { duration: 1m } }\n  b: {}\n");
    let engine = open(Drive::All);
    let begun = engine.submit(&text, Start::new()).unwrap();
    settle(&engine, &clock);
    engine.close().unwrap();
    let engine = open(Drive::Only(BTreeSet::new()));
    let recorded = engine.submit(&text, Start::new()).unwrap();
    settle(&engine, &clock);
    assert_eq!(engine.tracked(), BTreeSet::new(), "nothing is driven yet");
    for driven in [&[begun][..], &[begun, recorded], &[begun, recorded]] {
        engine.drive(*driven.last().unwrap()).unwrap();
        assert_eq!(engine.tracked(), asked(&engine, driven));
    }
    settle(&engine, &clock);
    clock.advance(Duration::from_seconds(60));
    settle(&engine, &clock);
    for workflow in [begun, recorded] {
        assert_eq!(status(&engine, workflow), Status::Succeeded);
    }
}

#[test]
fn a_canceled_workflow_runs_nothing_any_more() {
    let (engine, clock) = engine();
    let text = "name: x\nstages:\n  a: { uses: polls }\n  b: { needs: [a] }\n";
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    settle(&engine, &clock);
    engine.cancel(workflow, By::user("alice").because("enough")).unwrap();
    clock.advance(Duration::from_seconds(60));
    settle(&engine, &clock);
    assert_eq!(status(&engine, workflow), Status::Canceled);
    assert!(engine.cancel(workflow, By::user("alice")).unwrap_err().is_rejection());
}

#[test]
fn an_unknown_workflow_is_not_found() {
    let (engine, _clock) = engine();
    let nobody = WorkflowId::generate();
    assert!(matches!(engine.cancel(nobody, By::user("alice")), Err(Error::NotFound { .. })));
    assert!(matches!(engine.wait(nobody, Length::ZERO), Err(Error::NotFound { .. })));
}

#[test]
fn the_same_id_twice_is_one_workflow() {
    let (engine, clock) = engine();
    let (id, once) = (WorkflowId::generate(), definition("name: x\nstages: { a: {} }"));
    assert_eq!(engine.submit(&once, Start::new().id(id)).unwrap(), id);
    settle(&engine, &clock);
    assert_eq!(engine.submit(&once, Start::new().id(id)).unwrap(), id);
    assert_eq!(status(&engine, id), Status::Succeeded);
}

#[test]
fn a_task_nobody_registered_fails_its_stage() {
    let (engine, clock) = engine();
    let workflow = engine.submit(&definition("name: x\nstages: { a: { uses: nobody } }"), Start::new()).unwrap();
    settle(&engine, &clock);
    assert_eq!(status(&engine, workflow), Status::Terminal);
}

/// P9: what the runtime keeps as batches are let out is what the fold of the durable events asks for.
#[test]
fn the_worklist_is_what_the_fold_asks_for_after_every_step() {
    let (engine, clock) = engine();
    let text = "
name: x
stages:
  a: { uses: flaky, retry: { initial: 3s } }
  b: { uses: polls }
  c: { uses: wait, with: { duration: 7s } }
  d: { needs: [a, b, c], uses: flaky }
  e: { needs: [b], uses: fail }
  f: { needs: [c], uses: polls, on_failure: continue }
";
    let workflows: Vec<_> = (0..3).map(|_| engine.submit(&definition(text), Start::new()).unwrap()).collect();
    for _ in 0..60 {
        engine.step(clock.now()).unwrap();
        assert_eq!(engine.tracked(), asked(&engine, &workflows));
        clock.advance(Duration::from_milliseconds(500));
    }
}

/// The attempts and timers that the durable events of these workflows ask for.
pub(super) fn asked(engine: &Engine, workflows: &[WorkflowId]) -> BTreeSet<String> {
    let definitions = crate::replay::Definitions::new(engine.store());
    let mut asked = BTreeSet::new();
    let all = engine.history().workflows(&crate::replay::Filter::default()).unwrap();
    assert!(workflows.iter().all(|workflow| all.iter().any(|known| known.id() == *workflow)));
    // Those that were called, too, also by one that has left them.
    let states = all.iter().map(|known| definitions.fold(known.id()).unwrap().unwrap());
    let states: BTreeMap<WorkflowId, State> = states.map(|state| (state.workflow(), state)).collect();
    let outermost = |mut workflow: WorkflowId| {
        while let Some(parent) = states[&workflow].parent() {
            workflow = parent.workflow;
        }
        workflow
    };
    for (workflow, state) in states.iter().filter(|(workflow, _)| workflows.contains(&outermost(**workflow))) {
        for work in outstanding(state) {
            match work {
                // A task that rests between two calls of one attempt has been started.
                Work::RunTask { attempt, stage: AttemptStage::Queued | AttemptStage::Started, .. } => {
                    asked.insert(format!("{workflow} {attempt:?}"));
                }
                Work::WaitUntil { timer, .. } => {
                    asked.insert(format!("{workflow} {timer:?}"));
                }
                Work::ByHand { .. }
                | Work::AwaitSignal { .. }
                | Work::AwaitThread { .. }
                | Work::AwaitChild { .. }
                | Work::CancelChild { .. }
                | Work::AwaitClaim { .. }
                | Work::MoreInstances { .. }
                | Work::StopTask { .. } => (),
                Work::Continue => panic!("a written batch leaves nothing unsettled here"),
            }
        }
    }
    asked
}

#[test]
fn everything_of_a_closed_engine_is_refused() {
    let (engine, _clock) = engine();
    engine.close().unwrap();
    engine.close().unwrap();
    let refused = engine.submit(&definition("name: x\nstages: { a: {} }"), Start::new());
    assert!(matches!(refused, Err(Error::Closed)));
}
