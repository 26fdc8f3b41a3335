//! The end that somebody asks for, in every phase of a workflow (WCP 20), and the workflow that comes too late.

use crate::failure::ErrorClass;
use crate::status::Status;
use crate::testing::course::{Course, ORIGIN};
use crate::testing::definitions::{parallel, sequence, stage, with_limits, yaml};
use crate::testing::given::given;
use crate::testing::happening::{
    cancel, cancel_because, complete, create, fail, fire, go_on, late, lose, pass, running, start, terminal,
};
use crate::time::Duration;

#[test]
fn canceling_ends_all_that_lives_and_then_the_workflow() {
    given(&parallel())
        .done(["a", "c"])
        .when(cancel_because("enough").by("alice"))
        .then([
            "workflow.cancel_requested",
            "stage.canceled b by workflow",
            "stage.canceled e by workflow",
            "tokens.left c to d",
            "workflow.canceled CANCEL_REQUESTED by alice: enough",
        ])
        .status(Status::Canceled)
        .open([]);
}

#[test]
fn nothing_happens_to_a_canceled_workflow_any_more() {
    let mut then = given(&sequence())
        .after([start("a")])
        .when(cancel())
        .then_among(["workflow.canceled CANCEL_REQUESTED by engine"]);
    for happening in [complete("a"), start("a"), lose("a"), cancel(), fire(1), go_on(), terminal("b")] {
        then = then.when(happening).refused("ENDED");
    }
    then.when(create()).refused("ALREADY_CREATED");
}

#[test]
fn a_workflow_that_does_not_exist_cannot_be_canceled() {
    let refused = Course::new(&sequence()).attempt(&cancel()).unwrap_err();
    assert_eq!(refused.code(), "NOT_CREATED");
}

#[test]
fn what_waits_is_canceled_like_what_runs() {
    let waiting = [
        vec![],
        vec![start("a")],
        vec![fail("a", ErrorClass::Transient)],
        vec![running("a", "1h")],
        vec![start("a"), lose("a")],
    ];
    for happenings in waiting {
        given(&stage(""))
            .after(happenings)
            .when(cancel())
            .then([
                "workflow.cancel_requested",
                "stage.canceled a by workflow",
                "workflow.canceled CANCEL_REQUESTED by engine",
            ])
            .open([]);
    }
}

#[test]
fn an_ended_workflow_cannot_be_canceled() {
    given(&stage("")).done(["a"]).when(cancel()).refused("ENDED").status(Status::Succeeded);
    given(&stage("")).after([terminal("a")]).when(cancel()).refused("ENDED").status(Status::Terminal);
}

#[test]
fn the_late_outcome_of_canceled_work_is_kept_once() {
    for begun in [vec![start("a")], vec![]] {
        given(&stage(""))
            .after(begun)
            .after([cancel()])
            .when(late("a@1"))
            .then(["task.result_discarded a SUCCEEDED"])
            .status(Status::Canceled)
            .when(late("a@1"))
            .refused("NOT_AWAITED");
    }
}

#[test]
fn the_late_outcome_of_a_lost_attempt_is_kept_once() {
    given(&stage(""))
        .after([start("a"), lose("a")])
        .when(late("a@1"))
        .then(["task.result_discarded a SUCCEEDED"])
        .open(["a@2"])
        .when(late("a@1"))
        .refused("NOT_AWAITED")
        .when(late("a@2"))
        .refused("NOT_AWAITED")
        .when(complete("a"))
        .then_among(["workflow.completed"]);
}

#[test]
fn an_attempt_that_cannot_have_begun_has_no_late_outcome() {
    given(&stage(""))
        .after([fail("a", ErrorClass::Transient), cancel()])
        .when(late("a@2"))
        .refused("NOT_AWAITED")
        .when(late("a@1"))
        .refused("NOT_AWAITED");
    given(&yaml("{ name: x, stages: { a: , b: { needs: [a] } } }"))
        .after([cancel()])
        .when(late("b@1"))
        .refused("NOT_AWAITED");
}

#[test]
fn a_failure_that_came_first_is_not_undone_by_a_cancel() {
    // The batch is cut between the failure and the cancels it causes.
    let definition = with_limits(&parallel(), &[("chunk_events_max", 3)]);
    let settled = || (0..4).map(|_| go_on());
    given(&definition)
        .after([go_on(), complete("a")])
        .after(settled())
        .when(terminal("b"))
        .then(["task.reported b TERMINAL", "task.failed b TERMINAL", "stage.failed b TERMINAL", "settle.deferred"])
        .when(cancel())
        .then(["workflow.cancel_requested"])
        .when(go_on())
        .then_among(["stage.canceled c by failure", "stage.canceled e by failure"])
        .when(go_on())
        .then(["settle.continued", "workflow.failed STAGE_FAILED b TOLD"]);
}

#[test]
fn a_workflow_that_starts_too_late_never_starts() {
    let too_late = "workflow.canceled START_TIME_EXPIRED";
    for (waited, line) in [("0s", "workflow.started"), ("10s", "workflow.started"), ("10s1us", too_late)] {
        let mut course = Course::new(&sequence());
        course.creation_mut().start_time_expiry = Some(ORIGIN.saturating_add(Duration::from_seconds(10)));
        course.happen(&pass(waited));
        let lines = course.happen(&create());
        assert_eq!(lines[1], line, "{waited}");
        assert_eq!(course.status() == Status::Canceled, line == too_late);
    }
}
