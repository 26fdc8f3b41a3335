//! Tasks that ask to be called again: timer set, refused early, fired, next attempt.

use crate::failure::ErrorClass;
use crate::testing::definitions::{stage, yaml};
use crate::testing::given::given;
use crate::testing::happening::{complete, fire, pass, running, start};

#[test]
fn a_task_that_is_still_running_is_called_again_when_its_timer_fires() {
    given(&stage(""))
        .after([start("a")])
        .when(running("a", "90s"))
        .then(["task.reported a RUNNING", "timer.set 1 a due 1m30s"])
        .open(["timer 1 due 1m30s"])
        .when(fire(1))
        .refused("EARLY")
        .after([pass("89s")])
        .when(fire(1))
        .refused("EARLY")
        .after([pass("1s")])
        .when(fire(1))
        .then(["timer.fired 1", "task.queued a@2"])
        .open(["a@2"])
        .when(fire(1))
        .refused("NO_SUCH_TIMER")
        .when(complete("a"))
        .then_among(["task.reported a@2 SUCCEEDED", "workflow.completed"]);
}

#[test]
fn nobody_reports_for_a_task_that_waits_for_its_timer() {
    given(&stage(""))
        .after([running("a", "1s")])
        .when(complete("a"))
        .refused("NOT_AWAITED")
        .when(start("a"))
        .refused("NOT_AWAITED");
}

#[test]
fn timers_are_numbered_over_the_workflow() {
    let definition = yaml("{ name: x, stages: { a: , b: } }");
    given(&definition)
        .after([running("b", "1s")])
        .when(running("a", "0s"))
        .then_among(["timer.set 2 a due 0s"])
        .open(["timer 2 due 0s", "timer 1 due 1s"])
        .when(fire(2))
        .then_among(["task.queued a@2"])
        .when(running("a", "1s"))
        .then_among(["timer.set 3 a due 1s"]);
}

#[test]
fn a_poll_leaves_its_context_to_the_next() {
    let keys = "tasks: [{ name: t, uses: noop }, { name: u, uses: noop, if: done == 20 }]";
    given(&stage(keys))
        .after([running("a.t", "0s").context("done", 10), fire(1), running("a.t", "0s").context("done", 20), fire(2)])
        .when(complete("a.t"))
        .then_among(["task.queued a.u"]);
}

#[test]
fn a_poll_does_not_forget_the_failures_before_it() {
    use crate::testing::happening::fail;
    given(&stage("retry: { max_attempts: 2, jitter: 0 }"))
        .after([fail("a", ErrorClass::Transient), pass("1s"), running("a", "1s"), pass("1s"), fire(1)])
        .when(fail("a", ErrorClass::Transient))
        .then_among(["task.failed a TERMINAL"]);
}
