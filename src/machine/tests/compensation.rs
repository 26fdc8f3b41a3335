//! The end of a workflow before which something is done (R22): `compensate` of stages, and `finally`.

use crate::definition::Definition;
use crate::failure::ErrorClass;
use crate::machine::waits;
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{
    cancel, complete, create, fail, fire, force_cancel, jump, pass, pause, resume, start, stopped, terminal,
};
use crate::value::{Map, Value};

use super::seen::seen;

/// `a`, `b` and `c` in a row, where the work of the first two can be undone; with these keys of the workflow.
fn row(keys: &str) -> Definition {
    yaml(&format!(
        "{{ name: x, {keys} stages: {{ a: {{ compensate: {{ stages: {{ ua: }} }} }}, \
         b: {{ needs: [a], compensate: {{ stages: {{ ub: , ub2: {{ needs: [ub] }} }} }} }}, c: {{ needs: [b] }} }} }}"
    ))
}

/// One stage, and what is done last.
fn last(keys: &str) -> Definition {
    yaml(&format!("{{ name: x, {keys} stages: {{ a: }}, finally: {{ f: , g: {{ needs: [f] }} }} }}"))
}

#[test]
fn what_has_succeeded_is_undone_newest_first_and_one_at_a_time() {
    given(&row(""))
        .done(["a", "b"])
        .when(terminal("c"))
        .then([
            "task.reported c TERMINAL",
            "task.failed c TERMINAL",
            "stage.failed c TERMINAL",
            "workflow.ending TERMINAL STAGE_FAILED c TOLD",
            "compensation.started 1 b",
            "stage.started ub",
            "task.queued ub",
        ])
        .status(Status::Running)
        .open(["ub"])
        .after([complete("ub")])
        .when(complete("ub2"))
        .then([
            "task.reported ub2 SUCCEEDED",
            "task.completed ub2",
            "stage.completed ub2",
            "compensation.completed 1 b",
            "compensation.started 2 a",
            "stage.started ua",
            "task.queued ua",
        ])
        .when(complete("ua"))
        .then([
            "task.reported ua SUCCEEDED",
            "task.completed ua",
            "stage.completed ua",
            "compensation.completed 2 a",
            "workflow.failed STAGE_FAILED c TOLD",
        ]);
}

#[test]
fn a_workflow_that_succeeds_undoes_nothing_and_does_what_is_last() {
    given(&row("")).done(["a", "b"]).when(complete("c")).then_among(["workflow.completed"]);
    given(&last("outputs: { k: '${{ stages.a.outputs.k }}' },"))
        .when(complete("a").output("k", 1))
        .then([
            "task.reported a SUCCEEDED",
            "task.completed a",
            "stage.completed a",
            "workflow.ending SUCCEEDED {\"k\":1}",
            "finally.started 1",
            "stage.started f",
            "task.queued f",
        ])
        .status(Status::Running)
        .after([complete("f")])
        .when(complete("g"))
        .then_among(["finally.completed 1", "workflow.completed {\"k\":1}"]);
}

#[test]
fn finally_comes_behind_the_compensations_and_after_a_cancel() {
    let definition =
        yaml("{ name: x, stages: { a: { compensate: { stages: { ua: } } }, b: { needs: [a] } }, finally: { f: } }");
    for (end, status) in [(terminal("b"), Status::Terminal), (cancel(), Status::Canceled)] {
        given(&definition)
            .done(["a"])
            .after([end])
            .when(complete("ua"))
            .then_among(["compensation.completed 1 a", "finally.started 2"])
            .open(["f"])
            .after([complete("f")])
            .status(status);
    }
}

#[test]
fn a_compensation_that_fails_keeps_no_other_from_being_done() {
    given(&row(""))
        .done(["a", "b"])
        .after([terminal("c")])
        .when(fail("ub", ErrorClass::Permanent))
        .then_among(["compensation.failed 1 b STAGE_FAILED ub TOLD", "compensation.started 2 a", "stage.started ua"])
        .when(complete("ua"))
        .then_among(["workflow.failed STAGE_FAILED c TOLD"]);
}

#[test]
fn a_finally_that_fails_fails_the_workflow_that_would_have_succeeded() {
    given(&last("outputs: { k: 1 },"))
        .done(["a"])
        .when(terminal("f"))
        .then_among(["finally.failed 1 STAGE_FAILED f TOLD", "workflow.failed STAGE_FAILED f TOLD"]);
    given(&last(""))
        .after([terminal("a")])
        .when(terminal("f"))
        .then_among(["finally.failed 1 STAGE_FAILED f TOLD", "workflow.failed STAGE_FAILED a TOLD"]);
}

#[test]
fn while_it_is_ending_only_a_forced_cancel_is_taken_and_ends_what_is_done_now() {
    let then = given(&row("")).done(["a", "b"]).after([terminal("c"), start("ub")]).when(force_cancel()).then([
        "workflow.cancel_forced",
        "stage.canceled ub by workflow",
        "compensation.canceled 1 b CANCEL_REQUESTED by engine",
        "compensation.started 2 a",
        "stage.started ua",
        "task.queued ua",
    ]);
    then.after([complete("ua")]).status(Status::Terminal);
    let mut course = Course::begun(&row(""), [("unused", 0)]);
    course.complete(["a"]);
    course.happen(&terminal("b"));
    assert_eq!(course.attempt(&cancel()).unwrap_err().code(), "ALREADY_ENDING");
    course.complete(["ua"]);
    for late in [cancel(), force_cancel()] {
        assert_eq!(course.attempt(&late).unwrap_err().code(), "ENDED");
    }
}

#[test]
fn a_finally_that_is_ended_by_force_cancels_what_would_have_succeeded() {
    given(&last(""))
        .done(["a"])
        .when(force_cancel().by("alice"))
        .then_among(["finally.canceled 1 CANCEL_REQUESTED by alice", "workflow.canceled CANCEL_REQUESTED by alice"]);
    given(&last("")).after([terminal("a")]).when(force_cancel()).then_among(["workflow.failed STAGE_FAILED a TOLD"]);
}

#[test]
fn before_it_is_ending_a_forced_cancel_is_a_cancel() {
    given(&row(""))
        .done(["a"])
        .when(force_cancel())
        .then_among([
            "stage.canceled b by workflow",
            "workflow.ending CANCELED CANCEL_REQUESTED by engine",
            "compensation.started 1 a",
        ])
        .after([complete("ua")])
        .status(Status::Canceled);
}

#[test]
fn a_pause_holds_back_what_is_done_at_the_end() {
    given(&last(""))
        .after([start("a"), pause()])
        .when(complete("a"))
        .then_among(["workflow.ending SUCCEEDED"])
        .open([])
        .status(Status::Paused)
        .when(resume())
        .then_among(["finally.started 1", "stage.started f"])
        .after([complete("f"), pause()])
        .open([])
        .after([resume(), complete("g")])
        .status(Status::Succeeded);
    let mut course = Course::begun(&last(""), [("unused", 0)]);
    for happening in [start("a"), pause(), complete("a")] {
        course.happen(&happening);
    }
    assert_eq!(course.attempt(&force_cancel()).unwrap_err().code(), "NOTHING_TO_FORCE");
}

#[test]
fn the_deadline_of_the_workflow_has_stopped_by_then() {
    let mut course = Course::begun(&last("deadline: 1m,"), [("unused", 0)]);
    course.complete(["a"]);
    course.happen(&pass("1h"));
    assert_eq!(course.attempt(&fire(1)).unwrap_err().code(), "NO_SUCH_TIMER");
    course.complete(["f", "g"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn a_compensation_sees_what_its_stage_has_done_and_what_it_saw() {
    let definition = yaml(
        "{ name: x, stages: { a: , b: { needs: [a], before: { bb: }, context: { own: 7 }, \
         compensate: { stages: { u: , v: { needs: [u] } } } }, c: { needs: [b] } } }",
    );
    let mut course = Course::begun(&definition, [("unused", 0)]);
    course.happen(&complete("a").output("from_a", 1));
    course.happen(&complete("bb").output("from_bb", 2));
    course.happen(&complete("b").output("from_b", 3));
    course.happen(&terminal("c"));
    assert_eq!(seen(&course, "u", "[from_a, from_bb, from_b]"), Value::list([1, 2, 3]));
    assert_eq!(seen(&course, "u", "stages.b.outputs.from_b"), Value::from(3));
    assert_eq!(seen(&course, "u", "stages.b.status"), Value::from("SUCCEEDED"));
    assert_eq!(seen(&course, "u", "[workflow.status, workflow.error.code]"), Value::list(["TERMINAL", "TOLD"]));
    course.happen(&complete("u").output("from_u", 4));
    assert_eq!(seen(&course, "v", "[from_b, from_u]"), Value::list([3, 4]));
}

#[test]
fn what_is_done_last_sees_all_that_was_done_and_where_the_workflow_is_heading() {
    let definition = yaml("{ name: x, stages: { a: , b: { needs: [a] } }, finally: { f: } }");
    let mut course = Course::begun(&definition, [("unused", 0)]);
    course.happen(&complete("a").output("from_a", 1));
    course.happen(&terminal("b"));
    assert_eq!(seen(&course, "f", "from_a"), Value::from(1));
    assert_eq!(seen(&course, "f", "[stages.a.status, stages.b.status]"), Value::list(["SUCCEEDED", "TERMINAL"]));
    assert_eq!(seen(&course, "f", "[workflow.status, workflow.error.code]"), Value::list(["TERMINAL", "TOLD"]));
    let mut course = Course::begun(&definition, [("unused", 0)]);
    course.complete(["a"]);
    course.happen(&complete("b").output("from_b", 2));
    assert_eq!(seen(&course, "f", "from_b"), Value::from(2));
    assert_eq!(seen(&course, "f", "workflow.status"), Value::from("SUCCEEDED"));
    assert_eq!(seen(&course, "f", "workflow.error"), Value::Null);
}

#[test]
fn every_turn_of_a_loop_is_undone() {
    let definition = yaml(
        "{ name: x, stages: { l: { loop: { while: loop.index < 2, stages: { t: { compensate: { stages: { u: } } } } } }, \
         c: { needs: [l] } } }",
    );
    let mut course = Course::begun(&definition, [("unused", 0)]);
    course.happen(&complete("t").output("k", 1));
    course.happen(&complete("t").output("k", 2));
    course.happen(&terminal("c"));
    assert_eq!(seen(&course, "u", "k"), Value::from(2));
    course.happen(&complete("u"));
    assert_eq!(seen(&course, "u", "k"), Value::from(1));
    course.happen(&complete("u"));
    assert_eq!((course.status(), course.activations("u")), (Status::Terminal, 2));
}

#[test]
fn only_what_has_succeeded_is_undone() {
    let definition = yaml(
        "{ name: x, stages: { a: { on_failure: continue, compensate: { stages: { ua: } } }, \
         b: { if: 'false', compensate: { stages: { ub: } } }, \
         s: { compensate: { stages: { us: } } }, d: { join_type: MULTI_MERGE, needs: [a, b] } } }",
    );
    given(&definition)
        .after([terminal("a"), stopped("s")])
        .when(terminal("d"))
        .then_among(["workflow.failed STAGE_FAILED d TOLD"]);
}

#[test]
fn what_a_jump_has_taken_back_is_not_undone_again() {
    let definition = yaml(
        "{ name: x, stages: { r: , a: { needs: [r], compensate: { stages: { ua: } } }, \
         j: { needs: [a], jump_targets: [r] }, z: { needs: [j] } } }",
    );
    let mut course = Course::begun(&definition, [("unused", 0)]);
    course.complete(["r", "a"]);
    course.happen(&jump("j", "r"));
    course.complete(["r#2", "a#2", "j#2"]);
    course.happen(&terminal("z"));
    course.complete(["ua"]);
    assert_eq!((course.status(), course.activations("ua")), (Status::Terminal, 1));
}

#[test]
fn a_workflow_that_never_began_has_nothing_to_do_at_its_end() {
    let definition = yaml("{ name: x, scheduled_time: '2999-01-01T00:00:00Z', stages: { a: }, finally: { f: } }");
    let mut course = Course::with_inputs(&definition, &Map::new());
    course.happen(&create());
    course.happen(&cancel());
    assert_eq!((course.status(), course.activations("f")), (Status::Canceled, 0));
}

#[test]
fn an_explicit_end_comes_with_what_is_done_last() {
    let definition =
        yaml("{ name: x, stages: { a: { end: terminate }, b: { compensate: { stages: { u: } } } }, finally: { f: } }");
    given(&definition)
        .done(["b"])
        .when(complete("a"))
        .then_among(["workflow.ending SUCCEEDED", "finally.started 1"])
        .after([complete("f")])
        .status(Status::Succeeded);
}

#[test]
fn it_says_what_it_does_at_its_end() {
    let mut course = Course::begun(&row(""), [("unused", 0)]);
    course.complete(["a"]);
    course.happen(&terminal("b"));
    let codes: Vec<&str> = waits(course.state()).iter().map(|wait| wait.reason().code()).collect();
    assert_eq!(codes, ["FINISHING", "QUEUED"]);
}

#[test]
fn a_crash_at_any_event_ends_in_the_same_state() {
    let definition = yaml(
        "{ name: x, stages: { a: { compensate: { stages: { ua: } } }, b: { needs: [a], compensate: { stages: { ub: } } }, \
         c: { needs: [b] } }, finally: { f: } }",
    );
    for last in [complete("c"), terminal("c"), cancel()] {
        let mut whole = Course::with_inputs(&definition, &Map::new());
        whole.happen(&create());
        for happening in [complete("a"), complete("b"), last] {
            whole.happen(&happening);
            assert_eq!(&whole.fold(), whole.state());
        }
        while let Some(next) = whole.open().first().cloned() {
            whole.happen(&complete(&next));
            assert_eq!(&whole.fold(), whole.state());
        }
        assert!(whole.status().is_complete());
    }
}
