//! What a task answers and what that means, in an engine: each kind of outcome and of error once.

use crate::ids::WorkflowId;
use crate::machine::WaitReason;
use crate::replay::{At, WorkflowView};
use crate::runtime::{By, Config, Engine, Signal, Start, Target};
use crate::status::Status;
use crate::task::{Outcome, Registry, TaskError};
use crate::time::Duration;

use super::super::clock::Clock;
use super::{StandingClock, definition};

fn tasks() -> Registry {
    let second = Duration::from_seconds;
    let mut tasks = Registry::with_builtins();
    tasks.register_fn("success", |_| Ok(Outcome::success().output("n", 1))).unwrap();
    tasks.register_fn("terminal", |_| Ok(Outcome::terminal("broken").output("n", 1))).unwrap();
    tasks.register_fn("failed_continue", |_| Ok(Outcome::failed_continue("broken").output("n", 1))).unwrap();
    tasks.register_fn("skipped", |_| Ok(Outcome::skipped())).unwrap();
    tasks.register_fn("canceled", |_| Ok(Outcome::canceled())).unwrap();
    tasks.register_fn("stopped", |_| Ok(Outcome::stopped())).unwrap();
    tasks.register_fn("permanent", |_| Err(TaskError::permanent("broken"))).unwrap();
    tasks.register_fn("transient", |_| Err(TaskError::transient("busy"))).unwrap();
    tasks
        .register_fn("later", move |task| match task.attempt() {
            1 => Err(TaskError::transient("busy").retry_after(second(45))),
            _ => Ok(Outcome::success()),
        })
        .unwrap();
    tasks
        .register_fn("polls", move |task| match task.get::<u64>("polled")?.unwrap_or(0) {
            2 => Ok(Outcome::success().output("polled", 2)),
            polled => Ok(Outcome::running().after(second(7)).context("polled", polled + 1)),
        })
        .unwrap();
    tasks
        .register_fn("asks", |task| match task.signal() {
            None => Ok(Outcome::suspend().until_signal("go").until_signal("stay")),
            Some(signal) => Ok(Outcome::success().output("came", signal.name())),
        })
        .unwrap();
    tasks
        .register_fn("asks_any", |task| match task.signal() {
            None => Ok(Outcome::suspend()),
            Some(signal) => Ok(Outcome::success().output("came", signal.name())),
        })
        .unwrap();
    tasks.register_fn("jumps", |_| Ok(Outcome::jump_to("c").context("from", "a"))).unwrap();
    tasks
        .register_fn("goes_back", |task| {
            let looks = task.get::<u64>("looks")?.unwrap_or(0) + 1;
            let outcome = if looks < 3 { Outcome::redirect() } else { Outcome::success() };
            Ok(outcome.output("looks", looks))
        })
        .unwrap();
    tasks
}

struct Bench {
    engine: Engine,
    clock: StandingClock,
    workflow: WorkflowId,
}

impl Bench {
    /// A workflow of this text, as far as it comes at once.
    fn begin(text: &str) -> Bench {
        let clock = StandingClock::new();
        let engine = Engine::open(Config::manual().clock(clock.clone()), tasks()).unwrap();
        let workflow = engine.submit(&definition(text), Start::new()).unwrap();
        let bench = Bench { engine, clock, workflow };
        bench.settle();
        bench
    }

    fn settle(&self) {
        while !self.engine.step(self.clock.now()).unwrap().is_idle() {}
    }

    fn view(&self) -> WorkflowView {
        self.engine.history().state(self.workflow, At::Latest).unwrap()
    }

    /// Lets time pass up to the next moment for which the workflow waits, and says how long that was.
    fn wait(&self) -> Duration {
        let due = self.engine.step(self.clock.now()).unwrap().next_due.unwrap();
        let length = due.since(self.clock.now());
        self.clock.advance(length);
        self.settle();
        length
    }

    fn send(&self, name: &str) {
        let by = By::user("alice");
        self.engine.signal(self.workflow, Target::stage("a"), Signal::named(name), by).unwrap();
        self.settle();
    }
}

#[test]
fn each_outcome_ends_its_task_its_stage_and_its_workflow_as_it_says() {
    use Status::{Canceled, FailedContinue, NotStarted, Skipped, Stopped, Succeeded, Terminal};
    for (uses, [task, stage, next, workflow], outputs) in [
        ("success", [Succeeded, Succeeded, Succeeded, Succeeded], r#"{"n":1}"#),
        ("terminal", [Terminal, Terminal, NotStarted, Terminal], "{}"),
        ("failed_continue", [FailedContinue, FailedContinue, Succeeded, Succeeded], r#"{"n":1}"#),
        ("skipped", [Skipped, Succeeded, Succeeded, Succeeded], "{}"),
        // What is canceled by itself changes nothing about the workflow.
        ("canceled", [Canceled, Canceled, Skipped, Succeeded], "{}"),
        ("stopped", [Stopped, Stopped, Skipped, Succeeded], "{}"),
        ("permanent", [Terminal, Terminal, NotStarted, Terminal], "{}"),
    ] {
        let bench = Bench::begin(&format!("name: x\nstages:\n  a: {{ uses: {uses} }}\n  b: {{ needs: [a] }}\n"));
        let view = bench.view();
        let (a, b) = (view.stage("a").unwrap(), view.stage("b").unwrap());
        let found = [a.first_task().unwrap().status(), a.status(), b.status(), view.status()];
        assert_eq!(found, [task, stage, next, workflow], "{uses}");
        assert_eq!(a.outputs().to_json(), outputs, "{uses}");
        assert_eq!(a.first_task().unwrap().attempts(), 1, "{uses}");
    }
}

#[test]
fn a_transient_error_is_tried_again_as_the_policy_says_or_after_what_it_asks_for() {
    let bench = Bench::begin(
        "name: x\nstages:\n  a: { uses: transient, retry: { max_attempts: 3, initial: 10s, jitter: 0, factor: 2 } }\n",
    );
    assert_eq!([bench.wait(), bench.wait()], [10, 20].map(Duration::from_seconds));
    let view = bench.view();
    assert_eq!((view.status(), view.stage("a").unwrap().first_task().unwrap().attempts()), (Status::Terminal, 3));

    let bench = Bench::begin("name: x\nstages:\n  a: { uses: later, retry: { initial: 10s } }\n");
    let waits = bench.engine.why(bench.workflow).unwrap();
    assert!(matches!(waits[0].reason(), WaitReason::RetryAt { failures: 1, max_attempts: 10, .. }), "{waits:?}");
    assert_eq!(bench.wait(), Duration::from_seconds(45));
    assert_eq!(bench.view().status(), Status::Succeeded);
}

#[test]
fn a_task_that_is_running_is_called_again_after_its_delay_and_that_is_no_failure() {
    let bench = Bench::begin("name: x\nstages:\n  a: { uses: polls, retry: { max_attempts: 1 } }\n");
    assert_eq!(bench.view().stage("a").unwrap().status(), Status::Running);
    assert_eq!([bench.wait(), bench.wait()], [7, 7].map(Duration::from_seconds));
    let view = bench.view();
    assert_eq!(view.status(), Status::Succeeded);
    assert_eq!(view.stage("a").unwrap().outputs().to_json(), r#"{"polled":2}"#);
}

#[test]
fn a_suspended_task_goes_on_with_a_signal_it_named_or_with_any_if_it_named_none() {
    for (uses, sent) in [("asks", &["other", "stay"][..]), ("asks_any", &["other"])] {
        let bench = Bench::begin(&format!("name: x\nstages:\n  a: {{ uses: {uses} }}\n"));
        for name in sent {
            assert_eq!(bench.view().stage("a").unwrap().status(), Status::Suspended, "{uses} before {name}");
            bench.send(name);
        }
        let view = bench.view();
        assert_eq!(view.status(), Status::Succeeded, "{uses}");
        let came = format!(r#"{{"came":"{}"}}"#, sent.last().unwrap());
        assert_eq!(view.stage("a").unwrap().outputs().to_json(), came);
    }
}

#[test]
fn a_jump_goes_where_it_says_and_a_redirect_back_to_where_the_loop_begins() {
    let bench = Bench::begin(
        "name: x\nstages:\n  a: { uses: jumps, jump_targets: [c] }\n  b: { needs: [a] }\n  c: { needs: [b], uses: noop, \
         outputs: { from: \"${{ context.from }}\" } }\n",
    );
    let view = bench.view();
    let status = |stage| view.stage(stage).unwrap().status();
    assert_eq!((view.status(), status("c")), (Status::Succeeded, Status::Succeeded));
    assert!(matches!(status("b"), Status::NotStarted | Status::Skipped), "{:?}", status("b"));
    assert_eq!(view.stage("c").unwrap().outputs().to_json(), r#"{"from":"a"}"#);

    let bench = Bench::begin(
        "name: x\nstages:\n  a: { tasks: [{ uses: noop }, { uses: goes_back, loop_start: true }, { uses: noop }] }\n",
    );
    let view = bench.view();
    assert_eq!(view.status(), Status::Succeeded);
    assert_eq!(view.stage("a").unwrap().outputs().to_json(), r#"{"looks":3}"#);
}
