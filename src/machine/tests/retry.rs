//! Retries and lost workers (R15).

use crate::failure::ErrorClass;
use crate::status::Status;
use crate::testing::definitions::stage;
use crate::testing::given::given;
use crate::testing::happening::{complete, fail, lose, pass, running, start, stop_orderly};

const POLICY: &str = "retry: { max_attempts: 3, initial: 1s, factor: 2, max: 60s, jitter: 0 }";

#[test]
fn a_failed_attempt_is_followed_by_another_after_a_growing_delay() {
    given(&stage(POLICY))
        .when(fail("a", ErrorClass::Transient))
        .then(["task.reported a FAILED", "task.retried a failure 1", "task.queued a@2 due 1s"])
        .open(["a@2 due 1s"])
        .after([pass("1s")])
        .when(fail("a", ErrorClass::Transient))
        .then(["task.reported a@2 FAILED", "task.retried a@2 failure 2", "task.queued a@3 due 3s"])
        .after([pass("2s")])
        .when(fail("a", ErrorClass::Transient))
        .then([
            "task.reported a@3 FAILED",
            "task.failed a TERMINAL",
            "stage.failed a TERMINAL",
            "workflow.failed STAGE_FAILED a TOLD",
        ]);
}

#[test]
fn an_attempt_cannot_start_before_it_is_due() {
    given(&stage(POLICY))
        .after([fail("a", ErrorClass::Transient), pass("999ms")])
        .when(start("a"))
        .refused("EARLY")
        .after([pass("1ms")])
        .when(start("a"))
        .then(["task.started a@2"])
        .when(start("a"))
        .refused("ALREADY_STARTED")
        .when(complete("a"))
        .then_among(["task.reported a@2 SUCCEEDED", "workflow.completed"]);
}

#[test]
fn the_outcome_of_an_attempt_before_the_newest_is_not_awaited() {
    given(&stage(POLICY)).after([fail("a", ErrorClass::Transient)]).when(complete("a@1")).refused("NOT_AWAITED");
}

#[test]
fn a_delay_that_the_task_asks_for_wins_over_the_policy() {
    given(&stage(POLICY))
        .when(fail("a", ErrorClass::Transient).retry_after("5m"))
        .then_among(["task.retried a failure 1", "task.queued a@2 due 5m"])
        .when(fail("a@2", ErrorClass::Transient).retry_after("0s"))
        .then_among(["task.retried a@2 failure 2", "task.queued a@3 due 0s"]);
}

#[test]
fn the_policy_says_which_classes_are_tried_again() {
    use ErrorClass::{Exit, Permanent, Timeout, Transient};
    for (keys, retried) in [
        ("", vec![Transient]),
        ("retry: { max_attempts: 2 }", vec![Transient, Timeout, Exit]),
        ("retry: { max_attempts: 2, on: [exit] }", vec![Exit]),
        ("retry: { max_attempts: 2, on: [transient, timeout] }", vec![Transient, Timeout]),
        ("retry: { max_attempts: 1 }", vec![]),
    ] {
        for class in [Transient, Permanent, Exit, Timeout] {
            let line = if retried.contains(&class) { "task.retried a failure 1" } else { "task.failed a TERMINAL" };
            given(&stage(keys)).when(fail("a", class)).then_among([line]);
        }
    }
}

#[test]
fn the_policy_names_codes_of_errors_and_exit_codes_of_programs() {
    use ErrorClass::{Exit, Permanent, Transient};
    let policy = stage("retry: { max_attempts: 2, on: [TOLD, 75] }");
    for class in [Permanent, Exit, Transient] {
        given(&policy).when(fail("a", class)).then_among(["task.retried a failure 1"]);
    }
    let policy = stage("retry: { max_attempts: 3, on: [OTHER, 0, 75] }");
    for (class, exit_code, line) in [
        (Exit, 75, "task.retried a failure 1"),
        (Exit, 0, "task.retried a failure 1"),
        (Exit, 1, "task.failed a TERMINAL"),
        // Only of a program the code says why it failed.
        (Permanent, 75, "task.failed a TERMINAL"),
    ] {
        given(&policy).when(fail("a", class).output("exit_code", exit_code)).then_among([line]);
    }
}

#[test]
fn without_a_policy_a_transient_failure_is_tried_ten_times_in_all() {
    let mut then = given(&stage("")).when(fail("a", ErrorClass::Transient)).then_among(["task.retried a failure 1"]);
    for failures in 2..10 {
        let line = format!("task.retried a@{failures} failure {failures}");
        then = then.when(fail("a", ErrorClass::Transient)).then_among([line.as_str()]);
    }
    then.when(fail("a", ErrorClass::Transient)).then_among(["task.failed a TERMINAL"]).status(Status::Terminal);
}

#[test]
fn polls_and_lost_workers_do_not_count_as_tries() {
    given(&stage(POLICY))
        .after([
            fail("a", ErrorClass::Transient),
            running("a", "0s"),
            crate::testing::happening::fire(1),
            pass("1s"),
            start("a"),
            lose("a"),
        ])
        .when(fail("a", ErrorClass::Transient))
        .then(["task.reported a@4 FAILED", "task.retried a@4 failure 2", "task.queued a@5 due 3s"]);
}

#[test]
fn a_failed_attempt_leaves_its_context_to_the_next() {
    let keys = format!("{POLICY}, tasks: [{{ name: t, uses: noop }}, {{ name: u, uses: noop, if: done == 10 }}]");
    given(&stage(&keys))
        .after([fail("a.t", ErrorClass::Transient).context("done", 10)])
        .when(complete("a.t"))
        .then_among(["task.queued a.u"]);
}

#[test]
fn a_lost_worker_is_replaced_at_once() {
    given(&stage(""))
        .after([start("a")])
        .when(lose("a"))
        .then(["task.lease_lost a", "task.queued a@2"])
        .open(["a@2"])
        .when(complete("a@1"))
        .refused("NOT_AWAITED");
}

#[test]
fn only_an_attempt_that_has_started_can_lose_its_worker() {
    given(&stage(""))
        .when(lose("a"))
        .refused("NOT_AWAITED")
        .after([start("a"), lose("a")])
        .when(lose("a"))
        .refused("NOT_AWAITED");
}

#[test]
fn five_lost_workers_in_a_row_end_the_task() {
    for (on_failure, line, status) in [
        ("fail", "stage.failed a TERMINAL", Status::Terminal),
        ("continue", "stage.failed a FAILED_CONTINUE", Status::Succeeded),
        ("stop", "stage.failed a STOPPED", Status::Succeeded),
    ] {
        let lost = [1, 2, 3, 4].iter().flat_map(|_| [start("a"), lose("a")]);
        let expected = match on_failure {
            "fail" => "task.failed a TERMINAL WORKER_LOST",
            "continue" => "task.failed a FAILED_CONTINUE WORKER_LOST",
            _ => "task.failed a STOPPED WORKER_LOST",
        };
        given(&stage(&format!("on_failure: {on_failure}")))
            .after(lost)
            .after([start("a")])
            .when(lose("a"))
            .then_among(["task.lease_lost a@5", expected, line])
            .status(status);
    }
}

#[test]
fn workers_that_an_orderly_close_stops_do_not_count() {
    let closed = (0..10).flat_map(|_| [start("a"), stop_orderly("a")]);
    given(&stage(""))
        .after(closed)
        .after([start("a")])
        .when(stop_orderly("a"))
        .then(["task.lease_lost a@11 orderly", "task.queued a@12"]);
}

#[test]
fn an_orderly_close_between_losses_does_not_forgive_them() {
    let lost = (0..4).flat_map(|_| [start("a"), lose("a")]);
    given(&stage(""))
        .after(lost)
        .after([start("a"), stop_orderly("a"), start("a")])
        .when(lose("a"))
        .then_among(["task.failed a TERMINAL WORKER_LOST"]);
}

#[test]
fn a_report_forgives_the_workers_lost_before_it() {
    let lost = || (0..4).flat_map(|_| [start("a"), lose("a")]);
    given(&stage(POLICY))
        .after(lost())
        .after([fail("a", ErrorClass::Transient), pass("1s")])
        .after(lost())
        .when(start("a"))
        .then(["task.started a@10"])
        .when(lose("a"))
        .then_among(["task.failed a TERMINAL WORKER_LOST"]);
}
