//! `scheduled_time` and `start_time_expiry`: what starts later, and what never starts.

use crate::status::Status;
use crate::testing::definitions::{stage, yaml};
use crate::testing::given::given;
use crate::testing::happening::{cancel, complete, create, fire, pass};

// A course begins at 2026-01-01T00:00:00Z.

#[test]
fn a_workflow_starts_at_its_scheduled_time() {
    let definition = yaml("{ name: x, scheduled_time: 2026-01-01T00:01:00Z, deadline: 1h, stages: { a: } }");
    given(&definition)
        .when(create())
        .then(["workflow.created", "timer.set 1 scheduled_time due 1m"])
        .status(Status::NotStarted)
        .open(["timer 1 due 1m"])
        .after([pass("59s")])
        .when(fire(1))
        .refused("EARLY")
        .after([pass("1s")])
        .when(fire(1))
        .then([
            "timer.fired 1",
            "workflow.started",
            "timer.set 2 deadline due 1h1m",
            "stage.started a",
            "task.queued a",
        ])
        .status(Status::Running)
        .open(["a", "timer 2 due 1h1m"])
        .when(fire(1))
        .refused("NO_SUCH_TIMER");
}

#[test]
fn a_moment_that_has_come_holds_nothing_back() {
    for moment in ["2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z"] {
        let keys = format!("scheduled_time: {moment}");
        given(&yaml(&format!("{{ name: x, {keys}, stages: {{ a: {{ {keys} }} }} }}"))).when(create()).then([
            "workflow.created",
            "workflow.started",
            "stage.ready a",
            "stage.started a",
            "task.queued a",
        ]);
    }
}

#[test]
fn a_workflow_that_waits_for_its_start_can_be_canceled() {
    let definition = yaml("{ name: x, scheduled_time: 2026-01-01T00:01:00Z, stages: { a: } }");
    given(&definition)
        .when(cancel())
        .then(["workflow.cancel_requested", "workflow.canceled CANCEL_REQUESTED by engine"])
        .open([])
        .after([pass("1m")])
        .when(fire(1))
        .refused("ENDED");
}

#[test]
fn a_workflow_that_was_not_started_in_time_is_canceled() {
    let times = |scheduled: &str, expiry: &str| {
        yaml(&format!(
            "{{ name: x, scheduled_time: 2026-01-01T{scheduled}Z, start_time_expiry: 2026-01-01T{expiry}Z, stages: {{ a: }} }}"
        ))
    };
    given(&times("00:02:00", "00:01:00"))
        .when(create())
        .then(["workflow.created", "timer.set 1 scheduled_time due 2m", "timer.set 2 start_time_expiry due 1m"])
        .after([pass("1m")])
        .when(fire(2))
        .then(["timer.fired 2", "workflow.canceled START_TIME_EXPIRED"])
        .open([]);
    // No engine was there in time.
    given(&times("00:01:00", "00:02:00"))
        .after([pass("2m1s")])
        .when(fire(1))
        .then(["timer.fired 1", "workflow.canceled START_TIME_EXPIRED"]);
    // The last moment at which it starts is that of its expiry.
    given(&times("00:01:00", "00:01:00"))
        .after([pass("1m")])
        .when(fire(1))
        .then_among(["timer.fired 1", "workflow.started"])
        .open(["a"])
        .when(fire(2))
        .refused("NO_SUCH_TIMER");
}

#[test]
fn a_stage_is_ready_until_its_scheduled_time() {
    let definition =
        yaml("{ name: x, stages: { a: , b: { needs: [a], scheduled_time: 2026-01-01T00:01:00Z, deadline: 10s } } }");
    given(&definition)
        .when(complete("a"))
        .then_among(["stage.ready b", "timer.set 1 b scheduled_time due 1m"])
        .status(Status::Running)
        .activations("b", 0)
        .open(["timer 1 due 1m"])
        .when(fire(1))
        .refused("EARLY")
        .after([pass("1m")])
        .when(fire(1))
        .then(["timer.fired 1", "stage.started b", "timer.set 2 b deadline due 1m10s", "task.queued b"])
        .open(["b", "timer 2 due 1m10s"]);
}

#[test]
fn a_stage_that_is_passed_by_does_not_wait_for_its_time() {
    given(&stage("scheduled_time: 2026-01-01T00:01:00Z, if: 'false'")).when(create()).then([
        "workflow.created",
        "workflow.started",
        "stage.ready a",
        "stage.skipped a",
        "workflow.completed",
    ]);
}

#[test]
fn a_stage_that_was_not_started_in_time_is_skipped_and_what_follows_runs() {
    let times = |keys: &str| {
        yaml(&format!("{{ name: x, stages: {{ a: , b: {{ needs: [a], {keys} }}, c: {{ needs: [b] }} }} }}"))
    };
    let expiry = "start_time_expiry: 2026-01-01T00:01:00Z";
    // Its join fires in time, and too late.
    given(&times(expiry)).after([pass("1m")]).when(complete("a")).then_among(["stage.ready b", "stage.started b"]);
    given(&times(expiry)).after([pass("1m1s")]).when(complete("a")).then_among([
        "stage.ready b",
        "stage.skipped b to c",
        "stage.started c",
    ]);
    // It is ready, and its time does not come before.
    let both = format!("{expiry}, scheduled_time: 2026-01-01T00:02:00Z");
    given(&times(&both))
        .when(complete("a"))
        .then_among(["stage.ready b", "timer.set 1 b scheduled_time due 2m", "timer.set 2 b start_time_expiry due 1m"])
        .after([pass("1m")])
        .when(fire(2))
        .then(["timer.fired 2", "stage.skipped b to c", "stage.started c", "task.queued c"])
        .when(fire(1))
        .refused("NO_SUCH_TIMER");
    // No engine was there in time.
    let both = format!("{expiry}, scheduled_time: 2026-01-01T00:00:30Z");
    given(&times(&both)).after([complete("a"), pass("1m1s")]).when(fire(1)).then([
        "timer.fired 1",
        "stage.skipped b to c",
        "stage.started c",
        "task.queued c",
    ]);
    // It comes too late for its time, and for its expiry as well.
    given(&times(&both))
        .after([pass("1m1s")])
        .when(complete("a"))
        .then_among(["stage.ready b", "stage.skipped b to c"])
        .open(["c"]);
}

#[test]
fn a_stage_that_waits_for_its_time_ends_with_its_workflow() {
    let stages = "a: , b: { scheduled_time: 2026-01-01T00:01:00Z, start_time_expiry: 2026-01-01T00:02:00Z }";
    given(&yaml(&format!("{{ name: x, stages: {{ {stages} }} }}")))
        .when(cancel())
        .then([
            "workflow.cancel_requested",
            "stage.canceled a by workflow",
            "stage.canceled b by workflow",
            "workflow.canceled CANCEL_REQUESTED by engine",
        ])
        .open([]);
    given(&yaml(&format!("{{ name: x, deadline: 10s, stages: {{ {stages} }} }}")))
        .after([complete("a"), pass("10s")])
        .when(fire(1))
        .then(["timer.fired 1", "stage.canceled b by deadline", "workflow.failed DEADLINE_EXCEEDED 10s"]);
}
