//! Jumps that undo what has come from where they go back to (R14).

use crate::definition::Definition;
use crate::machine::{Work, outstanding, surroundings};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{Happening, complete, jump};
use crate::value::Value;

/// `test` and `lint` side by side, `deploy` behind both, from which jumps go back to `test`.
fn delivery() -> Definition {
    yaml(
        "{ name: x, stages: { test: , lint: , deploy: { needs: [test, lint], jump_targets: [test], jump_mode: rewind } } }",
    )
}

fn played<const N: usize>(definition: &Definition, happenings: [Happening; N]) -> Course {
    let mut course = Course::begun::<&str, i64>(definition, []);
    happenings.iter().for_each(|happening| {
        course.happen(happening);
    });
    course
}

fn runs<const N: usize>(course: &Course, stages: [&str; N]) -> [usize; N] {
    stages.map(|stage| course.activations(stage))
}

/// What the one open attempt sees for this key.
fn seen(course: &Course, key: &str) -> Option<Value> {
    let attempt = outstanding(course.state()).find_map(|work| {
        let Work::RunTask { attempt, .. } = work else { return None };
        Some(attempt)
    });
    let (seen, _) = surroundings(course.state(), attempt.expect("an attempt is open")).unwrap();
    seen.lookup(key).unwrap()
}

/// Does all that is asked for until nothing is left.
fn finish(course: &mut Course) {
    while let Some(next) = course.open().first().cloned() {
        course.happen(&complete(&next));
    }
}

#[test]
fn a_jump_rewinds_unless_its_stage_says_otherwise() {
    let definition = |mode: &str| {
        yaml(&format!(
            "{{ name: x, stages: {{ a: , b: {{ needs: [a] }}, c: {{ needs: [a], jump_targets: [a]{mode} }} }} }}"
        ))
    };
    given(&definition(""))
        .after([complete("a")])
        .when(jump("c", "a"))
        .then_among(["jump.executed c to a undoing a, ends b"])
        .open(["a#2"]);
    let moved = given(&definition(", jump_mode: move")).after([complete("a")]).when(jump("c", "a"));
    moved.then_among(["jump.executed c to a"]).open(["a#2", "b"]);
}

#[test]
fn what_does_not_come_from_the_target_is_not_done_again() {
    let then = given(&delivery())
        .after([complete("test"), complete("lint")])
        .when(jump("deploy", "test"))
        .then([
            "task.reported deploy REDIRECT",
            "task.completed deploy",
            "jump.executed deploy to test undoing test, puts back lint to deploy",
            "stage.completed deploy to test",
            "stage.started test#2 by jump from deploy",
            "task.queued test#2",
        ])
        .when(complete("test"))
        .then_among(["stage.started deploy#2"])
        .after([complete("deploy")])
        .status(Status::Succeeded);
    assert_eq!(runs(then.course(), ["test", "lint", "deploy"]), [2, 1, 2]);
}

#[test]
fn a_rewind_may_go_the_same_way_more_than_once() {
    let rounds = [complete("test"), complete("lint"), jump("deploy", "test"), complete("test")];
    let mut course = played(&delivery(), rounds);
    for _ in 0..3 {
        course.happen(&jump("deploy", "test"));
        course.happen(&complete("test"));
    }
    course.happen(&complete("deploy"));
    assert_eq!((runs(&course, ["test", "lint", "deploy"]), course.status()), ([5, 1, 5], Status::Succeeded));
}

#[test]
fn a_branch_that_still_runs_runs_on() {
    let definition = yaml(
        "{ name: x, stages: { test: , review: { needs: [test], jump_targets: [test], jump_mode: rewind }, lint: , \
         deploy: { needs: [review, lint] } } }",
    );
    let then = given(&definition)
        .after([complete("test")])
        .when(jump("review", "test"))
        .then_among(["jump.executed review to test undoing test", "stage.started test#2 by jump from review"]);
    let mut course = then.course().clone();
    assert_eq!(course.open(), ["test#2", "lint"]);
    finish(&mut course);
    assert_eq!(runs(&course, ["test", "review", "lint", "deploy"]), [2, 2, 1, 1]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn a_parallel_branch_that_comes_from_the_target_is_taken_back() {
    // `c` and what it leads to come from `a`, to which `b` goes back: one lives, one waits before the join.
    let definition = |more: &str| {
        yaml(&format!(
            "{{ name: x, stages: {{ a: , b: {{ needs: [a], jump_targets: [a], jump_mode: rewind }}, c: {{ needs: [a] }}, \
             d: {{ needs: [b, c] }}{more} }} }}"
        ))
    };
    given(&definition("")).after([complete("a")]).when(jump("b", "a")).then([
        "task.reported b REDIRECT",
        "task.completed b",
        "jump.executed b to a undoing a, ends c",
        "stage.completed b to a",
        "stage.canceled c by the jump of b",
        "stage.started a#2 by jump from b",
        "task.queued a#2",
    ]);
    let then = given(&definition(""))
        .after([complete("a"), complete("c")])
        .when(jump("b", "a"))
        .then_among(["jump.executed b to a undoing a, removes c to d", "stage.started a#2 by jump from b"]);
    let mut course = then.course().clone();
    finish(&mut course);
    assert_eq!((runs(&course, ["a", "b", "c", "d"]), course.status()), ([2, 2, 2, 1], Status::Succeeded));
}

#[test]
fn a_fan_in_that_has_fired_waits_again_for_what_is_done_again() {
    let definition = yaml(
        "{ name: x, stages: { s: , a: { needs: [s] }, b: { needs: [s] }, c: { needs: [s] }, j: { needs: [a, b, c] }, \
         e: { needs: [j], jump_targets: [a, s], jump_mode: rewind } } }",
    );
    let all = [complete("s"), complete("a"), complete("b"), complete("c"), complete("j")];
    let mut course = played(&definition, all.clone());
    let events = course.happen(&jump("e", "a"));
    assert!(
        events.iter().any(|event| event == "jump.executed e to a undoing a, puts back b to j, c to j"),
        "{events:?}"
    );
    finish(&mut course);
    assert_eq!(
        (runs(&course, ["s", "a", "b", "c", "j", "e"]), course.status()),
        ([1, 2, 1, 1, 2, 2], Status::Succeeded)
    );
    // To before the split everything is done again.
    let mut course = played(&definition, all);
    course.happen(&jump("e", "s"));
    finish(&mut course);
    assert_eq!(
        (runs(&course, ["s", "a", "b", "c", "j", "e"]), course.status()),
        ([2, 2, 2, 2, 2, 2], Status::Succeeded)
    );
}

#[test]
fn after_a_rewind_another_may_go_back_further() {
    let definition = yaml(
        "{ name: x, stages: { a: , b: { needs: [a] }, w: , c: { needs: [b, w] }, \
         d: { needs: [c], jump_targets: [a, c], jump_mode: rewind } } }",
    );
    let mut course = played(&definition, [complete("a"), complete("b"), complete("w"), complete("c"), jump("d", "c")]);
    course.happen(&complete("c"));
    let events = course.happen(&jump("d", "a"));
    // The one before has not forgotten what its target had consumed.
    assert!(events.iter().any(|event| event == "jump.executed d#2 to a undoing a, puts back w to c"), "{events:?}");
    finish(&mut course);
    assert_eq!((runs(&course, ["a", "b", "w", "c", "d"]), course.status()), ([2, 2, 1, 3, 3], Status::Succeeded));
}

#[test]
fn a_jump_to_the_same_stage_does_its_work_again_with_what_it_had() {
    let definition = yaml(
        "{ name: x, stages: { a: { outputs: { k: 1 } }, b: , j: { needs: [a, b], jump_targets: [j], jump_mode: rewind } } }",
    );
    let mut course = played(&definition, [complete("a"), complete("b"), jump("j", "j").output("n", 2)]);
    assert_eq!((seen(&course, "k"), seen(&course, "n")), (Some(Value::from(1)), Some(Value::from(2))));
    finish(&mut course);
    assert_eq!((runs(&course, ["a", "b", "j"]), course.status()), ([1, 1, 2], Status::Succeeded));
}

#[test]
fn what_was_undone_is_not_seen_any_more() {
    let stages = |mode: &str| {
        yaml(&format!(
            "{{ name: x, stages: {{ a: , b: {{ needs: [a], outputs: {{ k: 1 }} }}, \
             c: {{ needs: [b], jump_targets: [a], jump_mode: {mode} }} }} }}"
        ))
    };
    for (mode, expected) in [("move", Some(Value::from(1))), ("rewind", None)] {
        let course = played(&stages(mode), [complete("a"), complete("b"), jump("c", "a")]);
        assert_eq!(seen(&course, "k"), expected, "{mode}");
    }
}

#[test]
fn a_jump_to_where_control_has_not_been_undoes_nothing() {
    let definition = yaml(
        "{ name: x, stages: { a: { jump_targets: [c], jump_mode: rewind }, b: { needs: [a] }, c: { needs: [b] } } }",
    );
    given(&definition)
        .when(jump("a", "c"))
        .then_among(["jump.executed a to c", "stage.started c by jump from a"])
        .after([complete("c")])
        .status(Status::Succeeded);
}

#[test]
fn a_discriminator_that_has_fired_is_open_again() {
    let definition = yaml(
        "{ name: x, stages: { s: , a: { needs: [s] }, b: { needs: [s] }, d: { needs: [a, b], join_type: DISCRIMINATOR }, \
         e: { needs: [d], jump_targets: [a], jump_mode: rewind } } }",
    );
    // What came late for it counts in the generation that is open again.
    let then = given(&definition)
        .after([complete("s"), complete("a"), complete("d")])
        .when(jump("e", "a"))
        .then_among(["jump.executed e to a undoing a, forgets a to d, reopens d", "stage.started a#2 by jump from e"])
        .when(complete("b"))
        .then_among(["join.arrived d from b", "stage.started d#2"]);
    let mut course = then.course().clone();
    finish(&mut course);
    assert_eq!((runs(&course, ["a", "b", "d"]), course.status()), ([2, 1, 2], Status::Succeeded));
}

#[test]
fn an_arrival_that_is_undone_is_forgotten_and_the_firing_stands() {
    let definition = yaml(
        "{ name: x, stages: { s: , a: { needs: [s] }, b: { needs: [s] }, c: { needs: [b] }, q: { needs: [s] }, \
         z: { needs: [c], jump_targets: [b], jump_mode: rewind }, \
         d: { needs: [a, c, q], join_type: DISCRIMINATOR, join_mode: blocking } } }",
    );
    let then = given(&definition)
        .after([complete("s"), complete("a"), complete("b"), complete("c")])
        .when(jump("z", "b"))
        .then_among(["jump.executed z to b undoing b, forgets c to d"])
        .after([complete("b")])
        .when(complete("c"))
        .then_among(["join.arrived d from c late"]);
    let mut course = then.course().clone();
    finish(&mut course);
    assert_eq!((course.activations("d"), course.status()), (1, Status::Succeeded));
}

#[test]
fn instances_of_what_is_undone_end_with_it() {
    let definition = |more: &str| {
        yaml(&format!(
            "{{ name: x, stages: {{ a: , m: {{ needs: [a], mi_config: {{ count: 2{more} }} }}, \
             b: {{ needs: [a], jump_targets: [a], jump_mode: rewind }}, e: {{ needs: [m] }} }} }}"
        ))
    };
    for more in ["", ", join_threshold: 1", ", sync_on_complete: false"] {
        let mut course = played(&definition(more), [complete("a"), complete("m#1[0]"), jump("b", "a")]);
        assert_eq!(course.open(), ["a#2"], "{more}");
        finish(&mut course);
        let [a, m, b, e] = runs(&course, ["a", "m", "b", "e"]);
        assert_eq!((a, m, b, course.status()), (2, 2, 2, Status::Succeeded), "{more}");
        assert!(e <= 2, "{more}");
    }
    // Over one that has ended.
    let definition = yaml(
        "{ name: x, stages: { a: , m: { needs: [a], mi_config: { count: 2 } }, \
         e: { needs: [m], jump_targets: [a], jump_mode: rewind } } }",
    );
    let mut course =
        played(&definition, [complete("a"), complete("m#1[0]"), complete("m#1[1]"), jump("e", "a"), complete("a")]);
    assert_eq!(course.open(), ["m#2[0]", "m#2[1]"]);
    finish(&mut course);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn a_loop_that_is_undone_ends_with_its_turn() {
    let definition = yaml(
        "{ name: x, stages: { a: , l: { needs: [a], loop: { while: missing is none, stages: { y: } } }, \
         b: { needs: [a], jump_targets: [a], jump_mode: rewind } } }",
    );
    let course = played(&definition, [complete("a"), complete("y"), jump("b", "a"), complete("a")]);
    assert_eq!(course.open(), ["y#3", "b#2"]);
}

#[test]
fn a_rewind_into_a_join_takes_along_what_waits_there_and_absorbs_what_comes_late() {
    // `d` has fired without knowing that `c` goes twice.
    let definition = yaml(
        "{ name: x, stages: { s: , a: { needs: [s] }, b: { needs: [s] }, d: { needs: [a, b] }, \
         e: { needs: [d], jump_targets: [d], jump_mode: rewind } } }",
    );
    let mut course = played(&definition, [complete("s"), complete("a"), complete("b"), complete("d")]);
    let events = course.happen(&jump("e", "d"));
    assert!(events.iter().any(|event| event == "stage.started d#2 by jump from e"), "{events:?}");
    finish(&mut course);
    assert_eq!((runs(&course, ["s", "a", "b", "d", "e"]), course.status()), ([1, 1, 1, 2, 2], Status::Succeeded));
}

#[test]
fn a_region_that_was_canceled_by_what_is_undone_is_withdrawn_no_more() {
    let definition = yaml(
        "{ name: x, stages: { a: , k: { needs: [a], cancels: [{ region: r }] }, b: { needs: [k], jump_targets: [a], jump_mode: rewind }, \
         z: { needs: [a], cancel_region: r } } }",
    );
    let mut course = played(&definition, [complete("a"), complete("k"), jump("b", "a"), complete("a")]);
    assert_eq!(course.open(), ["k#2", "z#2"]);
    course.happen(&complete("z"));
    finish(&mut course);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn the_loop_of_retries_of_the_seed() {
    // flaky fails over to a repair, which goes back to it, until it is done.
    let definition = yaml(
        "{ name: x, stages: { prepare: , flaky: { needs: [prepare] }, \
         verify: { needs: [flaky], jump_targets: [{ stage: flaky, max_iterations: 3 }], jump_mode: rewind }, \
         publish: { needs: [verify] } } }",
    );
    let mut course = played(&definition, [complete("prepare"), complete("flaky")]);
    for _ in 0..3 {
        course.happen(&jump("verify", "flaky"));
        course.happen(&complete("flaky"));
    }
    finish(&mut course);
    assert_eq!(runs(&course, ["prepare", "flaky", "verify", "publish"]), [1, 4, 4, 1]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn memory_does_not_grow_with_the_rounds() {
    let definition = yaml(
        "{ name: x, max_jumps: 100, stages: { test: , lint: , \
         deploy: { needs: [test, lint], jump_targets: [test], jump_mode: rewind } } }",
    );
    let mut course = played(&definition, [complete("test"), complete("lint")]);
    let mut sizes = Vec::new();
    for round in 0..40 {
        course.happen(&jump("deploy", "test"));
        course.happen(&complete("test"));
        if [9, 39].contains(&round) {
            sizes.push(format!("{:?}", course.state()).len());
        }
    }
    let [early, late] = sizes[..] else { panic!("two sizes") };
    assert!(late < early + 200, "{early} {late}");
}
