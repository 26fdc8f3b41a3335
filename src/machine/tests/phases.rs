//! Stages inside stages: what is done before the own work of a stage, behind it, and when it has failed.

use crate::definition::Definition;
use crate::failure::ErrorClass;
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{
    cancel, complete, create, fail, failed_continue, fire, jump, pass, pause, resume, start, stopped, terminal,
};
use crate::value::{Map, Value};

use super::seen::seen;

/// `s` with these keys, and `z` behind it.
fn with(keys: &str) -> Definition {
    yaml(&format!("{{ name: x, stages: {{ s: {{ {keys} }}, z: {{ needs: [s] }} }} }}"))
}

#[test]
fn what_stands_before_is_done_first_and_what_stands_after_last() {
    let definition = with("before: { b: , c: { needs: [b] } }, after: { a: }");
    given(&definition)
        .when(create())
        .then_among(["stage.started s", "phase.started 1 s before", "stage.started b"])
        .open(["b"])
        .after([complete("b")])
        .when(complete("c"))
        .then([
            "task.reported c SUCCEEDED",
            "task.completed c",
            "stage.completed c",
            "scope.closed 1 s SUCCEEDED",
            "task.queued s",
        ])
        .when(complete("s"))
        .then([
            "task.reported s SUCCEEDED",
            "task.completed s",
            "phase.started 2 s after SUCCEEDED",
            "stage.started a",
            "task.queued a",
        ])
        .when(complete("a"))
        .then([
            "task.reported a SUCCEEDED",
            "task.completed a",
            "stage.completed a",
            "scope.closed 2 s SUCCEEDED",
            "stage.completed s to z",
            "stage.started z",
            "task.queued z",
        ])
        .after([complete("z")])
        .status(Status::Succeeded);
}

#[test]
fn each_part_sees_what_came_before_it_and_what_follows_sees_all() {
    let definition = with("before: { b: }, after: { a: }, context: { own: 7 }");
    let mut course = Course::begun(&definition, [("unused", 0)]);
    assert_eq!(seen(&course, "b", "own"), Value::from(7));
    course.happen(&complete("b").output("from_b", 1).output("k", "b"));
    assert_eq!(seen(&course, "s", "[from_b, own]"), Value::list([1, 7]));
    assert_eq!(seen(&course, "s", "stages.b.outputs.k"), Value::from("b"));
    course.happen(&complete("s").output("from_s", 2).output("k", "s"));
    assert_eq!(seen(&course, "a", "[from_b, from_s, own]"), Value::list([1, 2, 7]));
    assert_eq!(seen(&course, "a", "k"), Value::from("s"));
    assert_eq!(seen(&course, "a", "stages.s.status"), Value::from("SUCCEEDED"));
    assert_eq!(seen(&course, "a", "stages.b.outputs.from_b"), Value::from(1));
    course.happen(&complete("a").output("from_a", 3).output("k", "a"));
    assert_eq!(seen(&course, "z", "[from_b, from_s, from_a]"), Value::list([1, 2, 3]));
    // The later over the earlier.
    assert_eq!(seen(&course, "z", "k"), Value::from("a"));
    assert_eq!(seen(&course, "z", "stages.s.outputs.k"), Value::from("a"));
}

#[test]
fn outputs_of_a_stage_are_computed_from_all_its_parts() {
    let definition = with("before: { b: }, after: { a: }, outputs: { all: '${{ [x, y, w] }}' }");
    let mut course = Course::begun(&definition, [("unused", 0)]);
    course.happen(&complete("b").output("x", 1));
    course.happen(&complete("s").output("y", 2));
    course.happen(&complete("a").output("w", 4));
    assert_eq!(seen(&course, "z", "all"), Value::list([1, 2, 4]));
}

#[test]
fn what_fails_before_fails_the_stage_and_its_work_never_begins() {
    given(&with("before: { b: , c: }")).when(terminal("b")).then([
        "task.reported b TERMINAL",
        "task.failed b TERMINAL",
        "stage.failed b TERMINAL",
        "stage.canceled c by failure",
        "scope.closed 1 s TERMINAL STAGE_FAILED b TOLD",
        "stage.failed s TERMINAL TOLD",
        "workflow.failed STAGE_FAILED s TOLD",
    ]);
    // What it means is said by the stage.
    given(&with("before: { b: }, on_failure: continue"))
        .when(terminal("b"))
        .then_among(["stage.failed s FAILED_CONTINUE TOLD to z"])
        .open(["z"]);
}

#[test]
fn what_goes_on_after_a_failure_before_its_work_is_told_by_the_stage_and_behind_it_is_not() {
    let before = with("before: { b: { on_failure: continue } }");
    given(&before).after([terminal("b")]).when(complete("s")).then_among(["stage.failed s FAILED_CONTINUE to z"]);
    let after = with("after: { a: { on_failure: continue } }");
    given(&after).after([complete("s")]).when(terminal("a")).then_among(["stage.completed s to z"]);
}

#[test]
fn what_fails_behind_its_work_fails_the_stage() {
    given(&with("after: { a: }"))
        .after([complete("s")])
        .when(terminal("a"))
        .then_among(["scope.closed 1 s TERMINAL STAGE_FAILED a TOLD", "stage.failed s TERMINAL TOLD"])
        .status(Status::Terminal);
    given(&with("after: { a: }, on_failure: stop"))
        .after([complete("s")])
        .when(terminal("a"))
        .then_among(["stage.failed s STOPPED TOLD"])
        .status(Status::Succeeded);
}

#[test]
fn after_stages_are_done_when_work_went_on_after_a_failure_and_not_when_it_failed() {
    given(&with("after: { a: }")).when(failed_continue("s")).then_among(["phase.started 1 s after FAILED_CONTINUE"]);
    let failed = given(&with("after: { a: }")).when(terminal("s")).then_among(["stage.failed s TERMINAL"]);
    assert_eq!(failed.course().activations("a"), 0);
    assert_eq!(failed.course().status(), Status::Terminal);
}

#[test]
fn when_a_stage_has_failed_its_on_failure_stages_are_done_and_change_nothing_about_that() {
    let definition = with("on_failure: { stages: { f: , g: { needs: [f] } } }, after: { a: }");
    let then = given(&definition).when(terminal("s")).then([
        "task.reported s TERMINAL",
        "task.failed s TERMINAL",
        "phase.started 1 s on_failure TERMINAL",
        "stage.started f",
        "task.queued f",
    ]);
    assert_eq!(seen(then.course(), "f", "stages.s.error.code"), Value::from("TOLD"));
    then.after([complete("f")]).when(complete("g")).then_among([
        "scope.closed 1 s SUCCEEDED",
        "stage.failed s TERMINAL",
        "workflow.failed STAGE_FAILED s TOLD",
    ]);
    // Nor does a failure of theirs.
    given(&definition)
        .after([terminal("s")])
        .when(fail("f", ErrorClass::Permanent))
        .then_among(["scope.closed 1 s TERMINAL STAGE_FAILED f TOLD", "stage.failed s TERMINAL"]);
    let succeeded = given(&definition).when(complete("s")).then_among(["phase.started 1 s after SUCCEEDED"]);
    assert_eq!(succeeded.course().activations("f"), 0);
}

#[test]
fn what_a_failure_means_behind_its_on_failure_stages_is_said_beside_them() {
    given(&with("on_failure: { stages: { f: }, then: continue }, after: { a: }"))
        .after([terminal("s")])
        .when(complete("f").output("k", 1))
        .then_among(["scope.closed 1 s SUCCEEDED", "phase.started 2 s after FAILED_CONTINUE", "stage.started a"])
        .when(complete("a"))
        .then_among(["stage.failed s FAILED_CONTINUE to z", "stage.started z"]);
    given(&with("on_failure: { stages: { f: }, then: stop }"))
        .after([terminal("s")])
        .when(complete("f"))
        .then_among(["stage.failed s STOPPED"])
        .status(Status::Succeeded);
}

#[test]
fn whatever_part_has_failed_is_answered_once() {
    let definition = with("before: { b: }, after: { a: }, on_failure: { stages: { f: } }");
    given(&definition).when(terminal("b")).then_among(["phase.started 2 s on_failure TERMINAL TOLD"]).open(["f"]);
    let then = given(&definition)
        .after([complete("b"), complete("s")])
        .when(terminal("a"))
        .then_among(["phase.started 3 s on_failure TERMINAL TOLD", "stage.started f"]);
    assert_eq!(seen(then.course(), "f", "[stages.s.status, stages.s.error.code]"), Value::list(["TERMINAL", "TOLD"]));
    then.when(complete("f")).then_among(["stage.failed s TERMINAL TOLD"]).activations("f", 1);
}

#[test]
fn what_is_stopped_of_its_own_accord_has_not_failed() {
    let then = given(&with("on_failure: { stages: { f: } }")).when(stopped("s")).then_among(["stage.failed s STOPPED"]);
    assert_eq!(then.course().activations("f"), 0);
}

#[test]
fn a_loop_has_its_parts_around_all_its_turns() {
    let definition = with("before: { b: }, loop: { while: loop.index < 2, stages: { t: } }, after: { a: }");
    let mut course = Course::begun(&definition, [("unused", 0)]);
    course.happen(&complete("b").output("k", 1).output("once", 9));
    assert_eq!(seen(&course, "t", "k"), Value::from(1));
    course.happen(&complete("t").output("k", 2));
    assert_eq!(seen(&course, "t", "loop.previous.k"), Value::from(2));
    assert_eq!(seen(&course, "t", "once"), Value::from(9));
    course.happen(&complete("t").output("k", 3));
    assert_eq!(seen(&course, "a", "[k, once]"), Value::list([3, 9]));
    course.happen(&complete("a"));
    assert_eq!(seen(&course, "z", "[k, once]"), Value::list([3, 9]));
    assert_eq!((course.activations("b"), course.activations("t"), course.activations("a")), (1, 2, 1));
}

#[test]
fn a_loop_that_fails_is_answered_too() {
    let definition = with("loop: { while: 'true', stages: { t: } }, on_failure: { stages: { f: } }");
    given(&definition)
        .when(terminal("t"))
        .then_among(["scope.closed 1 s TERMINAL STAGE_FAILED t TOLD", "phase.started 2 s on_failure TERMINAL TOLD"])
        .when(complete("f"))
        .then_among(["stage.failed s TERMINAL TOLD"]);
    let endless = with("loop: { while: 'true', max_iterations: 1, stages: { t: } }, on_failure: { stages: { f: } }");
    given(&endless).when(complete("t")).then_among(["phase.started 2 s on_failure TERMINAL LOOP_LIMIT"]);
}

#[test]
fn a_deadline_counts_all_parts_and_is_answered() {
    let definition = with("deadline: 1m, before: { b: , c: }, on_failure: { stages: { f: } }");
    given(&definition)
        .after([complete("b"), pass("1m")])
        .when(fire(1))
        .then([
            "timer.fired 1",
            "stage.canceled c by deadline",
            "phase.started 2 s on_failure TERMINAL DEADLINE_EXCEEDED",
            "stage.started f",
            "task.queued f",
        ])
        .when(complete("f"))
        .then_among(["stage.failed s TERMINAL DEADLINE_EXCEEDED"]);
    given(&with("deadline: 1m, after: { a: }"))
        .after([complete("s"), pass("1m")])
        .when(fire(1))
        .then_among(["stage.canceled a by deadline", "stage.failed s TERMINAL DEADLINE_EXCEEDED"]);
}

#[test]
fn a_cancel_ends_what_is_inside_and_asks_nobody() {
    let definition = with("before: { b: }, after: { a: }, on_failure: { stages: { f: } }");
    for done in [&[][..], &["b", "s"]] {
        let then =
            given(&definition).done(done.iter().copied()).when(cancel()).then_among(["stage.canceled s by workflow"]);
        assert_eq!((then.course().status(), then.course().activations("f")), (Status::Canceled, 0));
    }
}

#[test]
fn a_stage_that_is_passed_by_does_none_of_its_parts() {
    let then =
        given(&with("if: 'false', before: { b: }, after: { a: }")).when(create()).then_among(["stage.skipped s to z"]);
    assert_eq!(then.course().activations("b") + then.course().activations("a"), 0);
}

#[test]
fn a_jump_out_of_a_part_is_refused_and_one_of_the_stage_leaves_its_after_stages() {
    let inside = with("before: { b: { jump_targets: any } }");
    given(&inside).when(jump("b", "z")).then_among(["task.failed b TERMINAL JUMP_OUT_OF_SCOPE"]);
    let definition = yaml(
        "{ name: x, stages: { r: , s: { needs: [r], before: { b: }, after: { a: }, jump_targets: [r] }, z: { needs: [s] } } }",
    );
    let mut course = Course::begun(&definition, [("unused", 0)]);
    course.complete(["r", "b"]);
    course.happen(&jump("s", "r"));
    assert_eq!((course.open(), course.activations("a")), (vec!["r#2".to_owned()], 0));
    // What came before is done again.
    course.complete(["r#2"]);
    assert_eq!(course.open(), ["b#2"]);
    course.complete(["b#2", "s#2", "a", "z"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn parts_lie_in_parts() {
    let definition = with("before: { b: { before: { bb: }, after: { ba: } } }, after: { a: { before: { ab: } } }");
    let mut course = Course::begun(&definition, [("unused", 0)]);
    for stage in ["bb", "b", "ba", "s", "ab", "a", "z"] {
        assert_eq!(course.open(), [stage], "{}", course.story());
        course.complete([stage]);
    }
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn in_a_pause_no_part_does_its_work() {
    let definition = with("before: { b: }");
    given(&definition)
        .after([start("b"), pause(), complete("b")])
        .when(resume())
        .then(["workflow.resumed after 0s"])
        .after([complete("s"), complete("z")])
        .status(Status::Succeeded);
}

#[test]
fn a_crash_at_any_event_ends_in_the_same_state() {
    let definition =
        with("before: { b: , c: { needs: [b] } }, after: { a: }, on_failure: { stages: { f: }, then: continue }");
    for last in [complete("s"), terminal("s")] {
        let mut whole = Course::with_inputs(&definition, &Map::new());
        whole.happen(&create());
        for happening in [complete("b"), complete("c"), last] {
            whole.happen(&happening);
            assert_eq!(&whole.fold(), whole.state());
        }
        while let Some(next) = whole.open().first().cloned() {
            whole.happen(&complete(&next));
            assert_eq!(&whole.fold(), whole.state());
        }
        assert_eq!(whole.status(), Status::Succeeded);
    }
}
