//! Sequence, parallel and exclusive splits, joins, and the end when nothing is left to do (WCP 1 to 5, 11).

use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::{exclusive, fan_out, parallel, sequence, starved_join, yaml};
use crate::testing::given::given;
use crate::testing::happening::{complete, create, pass, stopped, terminal};

const NOTHING: [(&str, i32); 0] = [];

#[test]
fn a_workflow_begins_with_the_stages_that_need_nothing() {
    let two_beginnings = yaml("{ name: x, stages: { a: , b: , c: { needs: [b] } } }");
    given(&two_beginnings)
        .when(create())
        .then([
            "workflow.created",
            "workflow.started",
            "stage.started a",
            "task.queued a",
            "stage.started b",
            "task.queued b",
        ])
        .open(["a", "b"]);
}

#[test]
fn in_a_sequence_each_stage_starts_when_the_one_before_has_ended() {
    given(&sequence())
        .when(complete("a"))
        .then([
            "task.reported a SUCCEEDED",
            "task.completed a",
            "stage.completed a to b",
            "stage.started b",
            "task.queued b",
        ])
        .open(["b"])
        .activations("c", 0)
        .when(complete("b"))
        .then([
            "task.reported b SUCCEEDED",
            "task.completed b",
            "stage.completed b to c",
            "stage.started c",
            "task.queued c",
        ])
        .when(complete("c"))
        .then(["task.reported c SUCCEEDED", "task.completed c", "stage.completed c", "workflow.completed"])
        .status(Status::Succeeded)
        .open([]);
}

#[test]
fn a_stage_before_its_turn_cannot_be_completed() {
    given(&sequence())
        .when(complete("b"))
        .refused("NOT_AWAITED")
        .open(["a"])
        .when(complete("c"))
        .refused("NOT_AWAITED");
}

#[test]
fn after_a_failure_nothing_of_the_sequence_starts() {
    given(&sequence())
        .when(terminal("a"))
        .then([
            "task.reported a TERMINAL",
            "task.failed a TERMINAL",
            "stage.failed a TERMINAL",
            "workflow.failed STAGE_FAILED a TOLD",
        ])
        .status(Status::Terminal)
        .activations("b", 0);
}

#[test]
fn after_a_split_all_branches_live_at_the_same_time() {
    given(&parallel())
        .when(complete("a"))
        .then_among(["stage.completed a to d", "stage.started b"].into_iter().skip(1))
        .open(["b", "c", "e"]);
}

#[test]
fn a_branch_does_not_wait_for_its_sisters() {
    let branches = yaml("{ name: x, stages: { a: , b: { needs: [a] }, c: { needs: [a] }, c2: { needs: [c] } } }");
    let then = given(&branches).done(["a"]).when(complete("c")).then_among(["stage.started c2"]);
    then.when(complete("c2"))
        .then(["task.reported c2 SUCCEEDED", "task.completed c2", "stage.completed c2"])
        .open(["b"]);
}

#[test]
fn a_join_waits_for_all_its_branches_in_whatever_order_they_end() {
    for order in [["b", "c", "e"], ["b", "e", "c"], ["c", "b", "e"], ["c", "e", "b"], ["e", "b", "c"], ["e", "c", "b"]]
    {
        let mut course = Course::begun(&parallel(), NOTHING);
        course.complete(["a", order[0], order[1]]);
        assert_eq!((course.live("d"), course.open()), (0, vec![order[2].to_owned()]));
        course.complete([order[2]]);
        assert_eq!((course.live("d"), course.activations("d")), (1, 1));
        course.complete(["d"]);
        assert_eq!(course.status(), Status::Succeeded);
        for branch in order {
            assert!(course.precedes("a", branch) && course.precedes(branch, "d"));
        }
    }
}

#[test]
fn an_exclusive_split_takes_the_first_branch_whose_condition_holds() {
    for (x, taken, others) in [
        (1, ["b", "b2"].as_slice(), ["c", "c2", "e"].as_slice()),
        (5, &["c", "c2"], &["b", "b2", "e"]),
        (-1, &["e"], &["b", "b2", "c", "c2"]),
    ] {
        let mut course = Course::begun(&exclusive(), [("x", x)]);
        course.complete(["a"]).complete(taken.iter().copied());
        assert_eq!(course.open(), ["m"], "{x}");
        course.complete(["m"]);
        assert_eq!(course.status(), Status::Succeeded);
        assert!(taken.iter().all(|stage| course.activations(stage) == 1), "{}", course.story());
        assert!(others.iter().all(|stage| course.activations(stage) == 0), "{}", course.story());
        assert_eq!(course.activations("m"), 1);
    }
}

#[test]
fn the_conditions_behind_the_first_that_holds_are_not_looked_at() {
    let definition = yaml(
        "
name: x
stages:
  a: { split_type: XOR, split_conditions: { b: 'true', c: \"1 < 'x'\" } }
  b: { needs: [a] }
  c: { needs: [a] }
",
    );
    given(&definition).when(complete("a")).then_among(["stage.completed a to b"]).open(["b"]);
}

#[test]
fn split_order_says_which_condition_is_tried_first() {
    let definition = yaml(
        "
name: x
stages:
  a: { split_type: XOR, split_conditions: { b: 'true', c: 'true' }, split_order: [c, b] }
  b: { needs: [a] }
  c: { needs: [a] }
",
    );
    given(&definition).when(complete("a")).then_among(["stage.completed a to c"]).open(["c"]);
}

#[test]
fn a_split_without_a_branch_that_holds_fails_its_stage() {
    for (on_failure, line, status) in [
        ("fail", "stage.failed a TERMINAL NO_BRANCH", Status::Terminal),
        ("continue", "stage.failed a TERMINAL NO_BRANCH", Status::Terminal),
        ("stop", "stage.failed a STOPPED NO_BRANCH", Status::Succeeded),
        ("fail_at_end", "stage.failed a STOPPED NO_BRANCH", Status::Terminal),
    ] {
        let definition = yaml(&format!(
            "
name: x
stages:
  a: {{ on_failure: {on_failure}, split_type: XOR, split_conditions: {{ b: 'false' }} }}
  b: {{ needs: [a] }}
"
        ));
        given(&definition)
            .when(complete("a"))
            .then_among(["task.completed a", line])
            .status(status)
            .activations("b", 0);
    }
}

#[test]
fn a_branch_to_the_end_ends_its_thread_and_no_other() {
    let definition = yaml(
        "
name: x
stages:
  a: { split_type: XOR, split_conditions: { $end: 'true' }, split_default: b }
  b: { needs: [a] }
  c:
",
    );
    given(&definition)
        .when(complete("a"))
        .then(["task.reported a SUCCEEDED", "task.completed a", "stage.completed a"])
        .open(["c"])
        .when(complete("c"))
        .then_among(["stage.completed c", "workflow.completed"])
        .activations("b", 0);
}

#[test]
fn an_exclusive_join_passes_on_each_token_at_once() {
    let definition = yaml(
        "{ name: x, stages: { a: , b: { needs: [a] }, c: { needs: [a] }, m: { needs: [b, c], join_type: XOR } } }",
    );
    given(&definition)
        .done(["a"])
        .when(complete("c"))
        .then_among(["stage.completed c to m", "stage.started m from c"])
        .open(["b", "m"])
        .when(complete("b"))
        .then_among(["stage.started m#2 from b", "task.queued m#2"])
        .open(["m", "m#2"])
        .when(complete("m#2"))
        .then(["task.reported m#2 SUCCEEDED", "task.completed m#2", "stage.completed m#2"])
        .status(Status::Running)
        .when(complete("m"))
        .then_among(["workflow.completed"]);
}

#[test]
fn joins_that_can_fire_at_the_same_time_fire_in_the_order_of_the_definition() {
    let definition = yaml(
        "
name: x
stages:
  z: { needs: [a] }
  a:
  y: { needs: [a] }
",
    );
    given(&definition).when(complete("a")).then_among([
        "stage.started z",
        "task.queued z",
        "stage.started y",
        "task.queued y",
    ]);
}

#[test]
fn a_workflow_waits_for_its_last_leaf_however_long_and_then_ends_at_once() {
    let definition = yaml("{ name: x, stages: { a: , b: { needs: [a] }, c: { needs: [a] }, e: { needs: [c] } } }");
    given(&definition)
        .done(["a", "c", "e"])
        .after([pass("30d")])
        .when(complete("b"))
        .then(["task.reported b SUCCEEDED", "task.completed b", "stage.completed b", "workflow.completed"])
        .status(Status::Succeeded);
}

#[test]
fn a_join_that_can_never_fire_is_a_deadlock_at_once() {
    given(&starved_join())
        .done(["a"])
        .when(complete("b"))
        .then([
            "task.reported b SUCCEEDED",
            "task.completed b",
            "stage.completed b to d",
            "tokens.left b to d",
            "workflow.failed DEADLOCK d lacks c",
        ])
        .status(Status::Terminal);
}

#[test]
fn a_deadlock_tells_every_waiting_join_with_the_arcs_it_lacks() {
    let definition = yaml(
        "
name: x
stages:
  a: { split_type: XOR, split_conditions: { b: 'true' }, split_default: c }
  b: { needs: [a] }
  c: { needs: [a] }
  f: { needs: [c] }
  d: { needs: [c, b, f] }
  e: { needs: [b, f] }
",
    );
    given(&definition).done(["a"]).when(complete("b")).then_among(["workflow.failed DEADLOCK d lacks c, f; e lacks f"]);
}

#[test]
fn a_branch_that_was_stopped_excuses_the_join_that_waits_for_it() {
    let definition = yaml(
        "
name: x
stages:
  a:
  b: { needs: [a] }
  b2: { needs: [b] }
  c: { needs: [a] }
  d: { needs: [b2, c] }
",
    );
    given(&definition)
        .done(["a", "c"])
        .when(stopped("b"))
        .then([
            "task.reported b STOPPED",
            "task.failed b STOPPED",
            "stage.failed b STOPPED",
            "tokens.left c to d",
            "workflow.completed",
        ])
        .status(Status::Succeeded)
        .activations("d", 0);
}

#[test]
fn a_join_that_no_stopped_branch_would_have_served_is_a_deadlock_all_the_same() {
    let definition = yaml(
        "
name: x
stages:
  a: { split_type: XOR, split_conditions: { b: 'true' }, split_default: c }
  b: { needs: [a] }
  c: { needs: [a] }
  d: { needs: [b, c] }
  s:
  t: { needs: [s, a2] }
  a2:
",
    );
    given(&definition)
        .done(["a", "b", "a2"])
        .when(stopped("s"))
        .then_among(["workflow.failed DEADLOCK d lacks c; t lacks s"])
        .status(Status::Terminal);
}

#[test]
fn a_wide_join_consumes_one_token_of_every_arc() {
    let mut course = Course::begun(&fan_out(300), NOTHING);
    course.complete(["a"]);
    let names: Vec<String> = (0..300).map(|index| format!("s{index}")).collect();
    course.complete(names.iter().map(String::as_str));
    assert_eq!(course.open(), ["z"]);
    assert_eq!(course.state().token_turnover(), (601, 601));
    course.complete(["z"]);
    assert_eq!(course.status(), Status::Succeeded);
}
