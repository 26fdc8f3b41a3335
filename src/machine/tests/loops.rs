//! Loops: turns, what they see and give, and how they end.

use crate::definition::Definition;
use crate::event::Event;
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::{with_limits, yaml};
use crate::testing::given::given;
use crate::testing::happening::{cancel, complete, create, fire, go_on, pass, pause, resume, stopped, terminal};
use crate::testing::snapshots::stored_size;
use crate::value::{Map, Value};

use super::seen::seen;

/// `l`, whose turns are `x`, then `y`, and `z` behind it.
fn counting(keys: &str) -> Definition {
    yaml(&format!(
        "{{ name: x, inputs: {{ n: {{ type: any, default: 0 }} }}, stages: {{
            l: {{ loop: {{ {keys}, stages: {{ x: , y: {{ needs: [x] }} }} }} }}, z: {{ needs: [l] }} }} }}"
    ))
}

/// Does all that is asked for: `y` gives `n` one more than it was.
fn count(definition: &Definition, n: i32) -> Course {
    let mut course = Course::begun(definition, [("n", n)]);
    let mut n = n;
    while !course.state().is_closed() {
        let open = course.open();
        let next = open.first().unwrap_or_else(|| panic!("{}", course.story())).clone();
        let mut done = complete(&next);
        if next.starts_with('y') {
            n += 1;
            done = done.output("n", n);
        }
        course.happen(&done);
    }
    course
}

fn runs(course: &Course, stages: &[&str]) -> Vec<usize> {
    stages.iter().map(|stage| course.activations(stage)).collect()
}

#[test]
fn a_turn_is_done_while_the_condition_holds() {
    let course = count(&counting("while: n < 3"), 0);
    assert_eq!((runs(&course, &["x", "y", "z"]), course.status()), (vec![3, 3, 1], Status::Succeeded));
    let course = count(&counting("while: n < 3"), 5);
    assert_eq!((runs(&course, &["x", "y", "z"]), course.status()), (vec![0, 0, 1], Status::Succeeded));
}

#[test]
fn a_loop_that_asks_afterwards_has_one_turn_at_least() {
    let course = count(&counting("test: post, until: n >= 1"), 5);
    assert_eq!((runs(&course, &["x", "y", "z"]), course.status()), (vec![1, 1, 1], Status::Succeeded));
    let course = count(&counting("test: post, while: n < 3"), 0);
    assert_eq!(runs(&course, &["x", "z"]), [3, 1]);
    let course = count(&counting("until: n >= 2"), 0);
    assert_eq!(runs(&course, &["x", "z"]), [2, 1]);
}

#[test]
fn every_test_and_every_turn_is_recorded() {
    given(&counting("while: loop.index < 1"))
        .after([complete("x")])
        .when(complete("y"))
        .then([
            "task.reported y SUCCEEDED",
            "task.completed y",
            "stage.completed y",
            "scope.closed 1 l SUCCEEDED",
            "loop.tested l 1 false",
            "stage.completed l to z",
            "stage.started z",
            "task.queued z",
        ])
        .after([complete("z")])
        .status(Status::Succeeded);
}

#[test]
fn a_loop_in_a_loop_has_its_turns_in_each_turn() {
    let definition = yaml(
        "{ name: x, stages: { outer: { loop: { while: loop.index < 2, stages: {
            inner: { loop: { while: loop.index < 3, stages: { x: } } }, y: { needs: [inner] } } } }, z: { needs: [outer] } } }",
    );
    let course = count(&definition, 0);
    assert_eq!(runs(&course, &["outer", "inner", "x", "y", "z"]), [1, 2, 6, 2, 1]);
}

#[test]
fn a_turn_that_fails_fails_the_loop() {
    let definition = counting("while: 'true'");
    given(&definition)
        .after([complete("x"), complete("y"), complete("x")])
        .when(terminal("y"))
        .then([
            "task.reported y#2 TERMINAL",
            "task.failed y#2 TERMINAL",
            "stage.failed y#2 TERMINAL",
            "scope.closed 2 l TERMINAL STAGE_FAILED y#2 TOLD",
            "stage.failed l TERMINAL TOLD",
            "workflow.failed STAGE_FAILED l TOLD",
        ])
        .activations("x", 2);
}

#[test]
fn what_a_failed_turn_means_is_said_by_the_loop() {
    let definition = yaml(
        "{ name: x, stages: { l: { on_failure: continue, loop: { while: 'true', stages: { x: , y: { needs: [x] } } } }, z: { needs: [l] } } }",
    );
    let then = given(&definition)
        .after([complete("x").output("k", 7)])
        .when(terminal("y"))
        .then_among(["stage.failed l FAILED_CONTINUE TOLD to z", "stage.started z"]);
    assert_eq!(seen(then.course(), "z", "k"), Value::from(7));
}

#[test]
fn a_failed_stage_ends_what_runs_beside_it_in_the_turn_and_nothing_else() {
    let definition = yaml(
        "{ name: x, stages: { l: { on_failure: stop, loop: { while: 'true', stages: { x: , y: , w: { needs: [x, y] } } } }, z: } }",
    );
    given(&definition)
        .when(terminal("x"))
        .then([
            "task.reported x TERMINAL",
            "task.failed x TERMINAL",
            "stage.failed x TERMINAL",
            "stage.canceled y by failure",
            "scope.closed 1 l TERMINAL STAGE_FAILED x TOLD",
            "stage.failed l STOPPED TOLD",
        ])
        .open(["z"]);
}

#[test]
fn a_condition_that_cannot_be_computed_fails_the_loop() {
    given(&counting("while: n < 'x'"))
        .when(create())
        .then_among(["stage.failed l TERMINAL CONDITION_FAILED"])
        .status(Status::Terminal);
    let lenient = yaml(
        "{ name: x, stages: { l: { on_condition_error: 'false', loop: { while: 1 < 'x', stages: { x: } } }, z: { needs: [l] } } }",
    );
    given(&lenient).when(create()).then_among(["loop.tested l 0 false", "stage.started z"]);
}

#[test]
fn a_loop_does_not_go_beyond_its_iterations() {
    given(&counting("while: 'true', max_iterations: 2"))
        .after([complete("x"), complete("y"), complete("x")])
        .when(complete("y"))
        .then_among([
            "loop.tested l 2 true",
            "stage.failed l TERMINAL LOOP_LIMIT",
            "workflow.failed STAGE_FAILED l LOOP_LIMIT",
        ]);
}

#[test]
fn turns_that_cost_nothing_outside_are_bounded() {
    let text = "{ name: x, stages: { l: { loop: { while: 'true', stages: { x: { if: 'false' } } } } } }";
    let limits = [("instant_turns_max", 3), ("chunk_events_max", 4)];
    let mut then = given(&with_limits(&yaml(text), &limits)).when(create()).then_among(["scope.opened 1 l"]);
    for _ in 0..9 {
        if !then.course().state().is_unsettled() {
            break;
        }
        then = then.after([go_on()]);
    }
    let then = then.status(Status::Terminal);
    let turns = then.course().events().iter().filter(|event| matches!(event, Event::ScopeOpened { .. })).count();
    assert_eq!(turns, 4);
}

#[test]
fn tokens_left_in_a_turn_are_a_deadlock_of_the_loop() {
    let definition = yaml(
        "{ name: x, stages: { l: { loop: { while: 'true', stages: {
            a: { split_type: XOR, split_conditions: { b: 'true' }, split_default: c },
            b: { needs: [a] }, c: { needs: [a] },
            d: { needs: [b, c] } } } } } }",
    );
    given(&definition).after([complete("a")]).when(complete("b")).then_among([
        "stage.completed b to d",
        "tokens.left b to d",
        "scope.closed 1 l TERMINAL DEADLOCK d lacks c",
        "stage.failed l TERMINAL DEADLOCK",
        "workflow.failed STAGE_FAILED l DEADLOCK",
    ]);
}

#[test]
fn a_branch_that_is_stopped_ends_and_the_turn_is_done() {
    let definition = yaml(
        "{ name: x, stages: { l: { loop: { while: loop.index < 2, stages: { x: , y: , w: { needs: [x, y] } } } } } }",
    );
    given(&definition).after([complete("x")]).when(stopped("y")).then_among([
        "stage.failed y STOPPED",
        "tokens.left x to w",
        "scope.closed 1 l SUCCEEDED",
        "loop.tested l 1 true",
        "scope.opened 2 l",
    ]);
    let failing =
        yaml("{ name: x, stages: { l: { loop: { while: 'true', stages: { x: { on_failure: fail_at_end }, y: } } } } }");
    given(&failing)
        .after([terminal("x")])
        .when(complete("y"))
        .then_among(["scope.closed 1 l TERMINAL BRANCH_STOPPED x", "stage.failed l TERMINAL BRANCH_STOPPED"]);
}

#[test]
fn a_cancel_ends_what_is_inside_before_what_is_around_it() {
    let definition = yaml(
        "{ name: x, stages: { outer: { loop: { while: 'true', stages: {
            inner: { loop: { while: 'true', stages: { x: , y: , w: { needs: [x, y] } } } } } } }, z: } }",
    );
    given(&definition).after([complete("x")]).when(cancel()).then([
        "workflow.cancel_requested",
        "stage.canceled y by workflow",
        "tokens.left x to w",
        "stage.canceled inner by workflow",
        "stage.canceled outer by workflow",
        "stage.canceled z by workflow",
        "workflow.canceled CANCEL_REQUESTED by engine",
    ]);
}

#[test]
fn a_deadline_of_a_loop_ends_what_is_inside() {
    let definition = yaml(
        "{ name: x, stages: { l: { deadline: 1m, on_failure: continue, loop: { while: 'true', stages: { x: , y: { needs: [x] } } } }, z: { needs: [l] } } }",
    );
    given(&definition).after([complete("x").output("k", 1), pass("1m")]).when(fire(1)).then([
        "timer.fired 1",
        "stage.canceled y by deadline",
        "stage.failed l FAILED_CONTINUE DEADLINE_EXCEEDED to z",
        "stage.started z",
        "task.queued z",
    ]);
}

#[test]
fn a_turn_sees_its_number_what_the_turn_before_gave_and_all_around_it() {
    let definition = yaml(
        "{ name: x, inputs: { i: { type: integer, default: 1 } }, stages: { a: , l: { needs: [a], context: { c: '${{ a }}', o: 1 }, loop: {
            while: loop.index < 3, stages: { x: , y: { needs: [x] } } } }, z: { needs: [l] } } }",
    );
    let mut course = Course::begun(&definition, [("i", 4)]);
    course.happen(&complete("a").output("a", 5).output("l", Value::list([1])));
    for (expression, expected) in [
        ("loop.index", Value::from(0)),
        ("loop.previous", Value::Map(Map::new())),
        ("c", Value::from(5)),
        ("o", Value::from(1)),
        ("i", Value::from(4)),
        ("stages.a.outputs.a", Value::from(5)),
        ("stages.x", Value::Null),
    ] {
        assert_eq!(seen(&course, "x", expression), expected, "{expression}");
    }
    course.happen(&complete("x").output("o", 2).output("p", 3).output("l", Value::list([2])).output("stdout", "text"));
    assert_eq!(seen(&course, "y", "o"), Value::from(2));
    assert_eq!(seen(&course, "y", "l"), Value::list([1, 2]));
    course.happen(&complete("y").output("q", 4));
    for (expression, expected) in [
        ("loop.index", Value::from(1)),
        ("loop.previous.p", Value::from(3)),
        ("loop.previous.stdout", Value::Null),
        ("o", Value::from(2)),
        ("q", Value::from(4)),
        ("l", Value::list([1, 2])),
        ("stages.y", Value::Null),
    ] {
        assert_eq!(seen(&course, "x", expression), expected, "{expression}");
    }
    course.complete(["x", "y"]);
    // A turn that gives nothing new leaves nothing of the one before it.
    assert_eq!((seen(&course, "x", "o"), seen(&course, "x", "q")), (Value::from(1), Value::Null));
    course.happen(&complete("x").output("last", 9));
    course.complete(["y"]);
    assert_eq!((seen(&course, "z", "last"), seen(&course, "z", "p")), (Value::from(9), Value::Null));
    assert_eq!(seen(&course, "z", "stages.l.outputs"), Value::map([("last", 9)]));
}

#[test]
fn the_outputs_of_a_loop_may_be_written_and_its_split_sees_the_last_turn() {
    let definition = yaml(
        "{ name: x, stages: { l: { outputs: { k: 'of ${{ n }}' }, split_type: XOR, split_conditions: { z: n == 2 }, split_default: $end,
            loop: { while: loop.index < 2, stages: { y: } } }, z: { needs: [l] } } }",
    );
    let course = count(&definition, 0);
    assert_eq!(runs(&course, &["y", "z"]), [2, 1]);
    assert!(course.story().contains(r#"stage.completed l to z {"k":"of 2"}"#), "{}", course.story());
}

#[test]
fn a_loop_of_any_length_needs_the_memory_of_one_turn() {
    let mut sizes = Vec::new();
    let mut course = Course::begun(&counting("while: 'true'"), [("n", 0)]);
    let turn = |course: &mut Course| {
        course.happen(&complete("x"));
        course.happen(&complete("y").output("n", 1));
    };
    for turns in [10, 500, 2_000] {
        (0..turns).for_each(|_| turn(&mut course));
        sizes.push(stored_size(course.state()));
    }
    assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
    let events_a_turn = course.events().len() / course.activations("x");
    assert!(events_a_turn <= 15, "{events_a_turn}");
}

#[test]
fn while_a_workflow_is_paused_a_turn_ends_and_none_begins() {
    let then = given(&counting("while: loop.index < 2")).after([complete("x"), pause()]).when(complete("y")).then([
        "task.reported y SUCCEEDED",
        "task.completed y",
        "stage.completed y",
        "scope.closed 1 l SUCCEEDED",
    ]);
    then.when(resume()).then([
        "workflow.resumed after 0s",
        "loop.tested l 1 true",
        "scope.opened 2 l",
        "stage.started x#2",
        "task.queued x#2",
    ]);
}

#[test]
fn a_stage_inside_a_loop_may_cancel_the_whole_workflow() {
    let definition = yaml(
        "{ name: x, stages: { z: , l: { loop: { while: 'true', stages: { x: { cancels: workflow }, y: , w: { needs: [x, y] } } } } } }",
    );
    given(&definition).when(complete("x")).then([
        "task.reported x SUCCEEDED",
        "task.completed x",
        "cancels.marked x",
        "stage.canceled y by workflow",
        "stage.canceled z by workflow",
        "stage.completed x to w",
        "tokens.left x to w",
        "stage.canceled l by workflow",
        "workflow.canceled CANCELED_BY x",
    ]);
}

/// An OR-join does not start where the turn that its tokens lie in has failed.
#[test]
fn a_turn_that_has_failed_starts_no_or_join() {
    let definition = yaml(
        "name: x
stages:
  l:
    loop:
      while: loop.index < 2
      stages:
        x:
        f: { needs: [x], if: missing > 1 }
        j: { needs: [x], join_type: OR }
  z: { needs: [l] }",
    );
    given(&definition).after([]).when(complete("x")).then([
        "task.reported x SUCCEEDED",
        "task.completed x",
        "stage.completed x to f, j",
        "stage.ready f",
        "stage.failed f TERMINAL CONDITION_FAILED",
        "tokens.left x to j",
        "scope.closed 1 l TERMINAL STAGE_FAILED f CONDITION_FAILED",
        "stage.failed l TERMINAL CONDITION_FAILED",
        "workflow.failed STAGE_FAILED l CONDITION_FAILED",
    ]);
}
