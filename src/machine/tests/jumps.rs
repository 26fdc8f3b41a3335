//! Jumps: a task sends control elsewhere (R14).

use crate::definition::Definition;
use crate::machine::{Work, outstanding, surroundings};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{Happening, complete, jump};
use crate::value::Value;

/// `a`, then `b` and `c` side by side, then `d` behind both, then `e`; with more for some of them.
fn diamond(more: &[(&str, &str)]) -> Definition {
    let stage = |stage: &str, needs: &str| {
        let more: String = more.iter().filter(|(of, _)| *of == stage).map(|(_, keys)| format!(", {keys}")).collect();
        format!("{stage}: {{ needs: [{needs}]{more} }}")
    };
    let stages = [stage("a", ""), stage("b", "a"), stage("c", "a"), stage("d", "b, c"), stage("e", "d")];
    yaml(&format!("{{ name: x, stages: {{ {} }} }}", stages.join(", ")))
}

fn played<const N: usize>(definition: &Definition, happenings: [Happening; N]) -> Course {
    let mut course = Course::begun::<&str, i64>(definition, []);
    happenings.iter().for_each(|happening| {
        course.happen(happening);
    });
    course
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

fn runs(course: &Course) -> Vec<usize> {
    ["a", "b", "c", "d", "e"].iter().map(|stage| course.activations(stage)).collect()
}

#[test]
fn a_jump_back_goes_the_way_again() {
    let definition = yaml(
        "{ name: x, stages: { a: , b: { needs: [a] }, c: { needs: [b], jump_targets: [a], jump_mode: move }, d: { needs: [c] } } }",
    );
    let then = given(&definition)
        .after([complete("a"), complete("b")])
        .when(jump("c", "a"))
        .then([
            "task.reported c REDIRECT",
            "task.completed c",
            "jump.executed c to a",
            "stage.completed c to a",
            "stage.started a#2 by jump from c",
            "task.queued a#2",
        ])
        .after([complete("a"), complete("b"), complete("c"), complete("d")])
        .status(Status::Succeeded);
    let course = then.course();
    assert_eq!(runs(course), [2, 2, 2, 1, 0]);
}

#[test]
fn a_stage_may_jump_to_itself() {
    let definition = yaml("{ name: x, stages: { a: { jump_targets: [a], jump_mode: move }, b: { needs: [a] } } }");
    given(&definition)
        .after([jump("a", "a"), jump("a", "a"), complete("a")])
        .when(complete("b"))
        .then_among(["workflow.completed"])
        .status(Status::Succeeded)
        .activations("a", 3)
        .activations("b", 1);
}

#[test]
fn a_jump_forward_passes_over_what_lies_between() {
    let then = given(&diamond(&[("a", "jump_targets: [e], jump_mode: move")]))
        .when(jump("a", "e"))
        .then_among(["stage.started e by jump from a"])
        .after([complete("e")])
        .status(Status::Succeeded);
    let course = then.course();
    assert_eq!(runs(course), [1, 0, 0, 0, 1]);
}

#[test]
fn a_jump_out_of_a_branch_into_its_join_does_not_wait_and_what_comes_late_is_absorbed() {
    let then = given(&diamond(&[("b", "jump_targets: [d], jump_mode: move")]))
        .after([complete("a")])
        .when(jump("b", "d"))
        .then_among(["stage.started d by jump from b"])
        .when(complete("c"))
        .then([
            "task.reported c SUCCEEDED",
            "task.completed c",
            "stage.completed c to d",
            "tokens.removed c to d by a jump to d",
        ])
        .after([complete("d"), complete("e")])
        .status(Status::Succeeded);
    let course = then.course();
    assert_eq!(runs(course), [1, 1, 1, 1, 1]);
}

#[test]
fn a_jump_into_a_join_takes_along_what_has_come() {
    let then = given(&diamond(&[("b", "jump_targets: [d], jump_mode: move")]))
        .after([complete("a"), complete("c")])
        .when(jump("b", "d"))
        .then_among(["stage.started d by jump from b, and from c"])
        .after([complete("d"), complete("e")])
        .status(Status::Succeeded);
    let course = then.course();
    assert_eq!(runs(course), [1, 1, 1, 1, 1]);
}

#[test]
fn what_comes_after_a_jump_into_the_join_and_knows_of_it_is_not_absorbed() {
    let definition =
        diamond(&[("b", "jump_targets: [d], jump_mode: move"), ("e", "jump_targets: [a], jump_mode: move")]);
    // `c` has lived since before the first jump; the second round brings its own tokens.
    let mut course = played(
        &definition,
        [complete("a"), jump("b", "d"), complete("d"), jump("e", "a"), complete("a"), complete("b#2"), complete("c#2")],
    );
    assert_eq!(course.activations("d"), 2);
    finish(&mut course);
    assert_eq!((runs(&course), course.status()), (vec![2, 2, 2, 2, 2], Status::Succeeded));
}

#[test]
fn a_jump_over_a_join_leaves_what_waits_there_and_the_workflow_succeeds() {
    let then = given(&diamond(&[("b", "jump_targets: [e], jump_mode: move")]))
        .after([complete("a"), jump("b", "e"), complete("e")])
        .when(complete("c"))
        .then_among(["tokens.left c to d", "workflow.completed"]);
    let course = then.course();
    assert_eq!((runs(course), course.status()), (vec![1, 1, 1, 0, 1], Status::Succeeded));
}

#[test]
fn a_jump_moves_its_own_thread_only() {
    let then = given(&diamond(&[("b", "jump_targets: [a], jump_mode: move")]))
        .after([complete("a")])
        .when(jump("b", "a"))
        .then_among(["stage.started a#2 by jump from b"])
        .activations("c", 1);
    let course = then.course();
    assert_eq!(course.open(), ["a#2", "c"]);
}

#[test]
fn whoever_jumps_where_it_may_not_has_failed() {
    let definition = |keys: &str| {
        yaml(&format!(
            "{{ name: x, stages: {{ a: {{ jump_targets: [b]{keys} }}, b: {{ needs: [a] }}, \
             l: {{ needs: [a], loop: {{ while: 'false', stages: {{ y: }} }} }} }} }}"
        ))
    };
    for (target, code) in
        [("l", "UNDECLARED_JUMP"), ("nowhere", "UNDECLARED_JUMP"), ("a", "UNDECLARED_JUMP"), ("y", "JUMP_OUT_OF_SCOPE")]
    {
        let line = format!("task.failed a TERMINAL {code}");
        given(&definition("")).when(jump("a", target)).then_among([line.as_str()]).status(Status::Terminal);
    }
    given(&definition(", on_failure: continue"))
        .when(jump("a", "nowhere"))
        .then_among(["task.failed a FAILED_CONTINUE UNDECLARED_JUMP", "stage.started b"]);
}

#[test]
fn an_instance_cannot_jump_out_of_its_activation() {
    let definition = yaml("{ name: x, stages: { a: , b: { needs: [a], mi_config: { count: 2 } } } }");
    given(&definition)
        .after([complete("a")])
        .when(jump("b[1]", "a"))
        .then_among(["task.failed b#1[1] TERMINAL JUMP_OUT_OF_SCOPE"]);
}

#[test]
fn a_jump_may_be_limited() {
    let definition = yaml(
        "{ name: x, stages: { a: , b: { needs: [a], jump_targets: [{ stage: a, max_iterations: 2 }], jump_mode: move } } }",
    );
    given(&definition)
        .after([complete("a"), jump("b", "a"), complete("a"), jump("b", "a"), complete("a")])
        .when(jump("b", "a"))
        .then_among(["task.failed b#3 TERMINAL LOOP_LIMIT"])
        .status(Status::Terminal);
}

#[test]
fn a_workflow_jumps_ten_times_unless_it_says_otherwise() {
    let definition =
        |most: &str| yaml(&format!("{{ name: x{most}, stages: {{ a: {{ jump_targets: [a], jump_mode: move }} }} }}"));
    for (most, jumps) in [("", 10), (", max_jumps: 0", 0), (", max_jumps: 2", 2), (", max_jumps: 40", 40)] {
        let mut course = played(&definition(most), []);
        for _ in 0..jumps {
            course.happen(&jump("a", "a"));
        }
        assert_eq!((course.activations("a"), course.status()), (jumps + 1, Status::Running), "{most}");
        let events = course.happen(&jump("a", "a"));
        let last = format!(
            "task.failed a{} TERMINAL LOOP_LIMIT",
            if jumps == 0 { String::new() } else { format!("#{}", jumps + 1) }
        );
        assert!(events.contains(&last), "{events:?}");
    }
}

#[test]
fn what_a_jump_brings_is_the_first_of_its_target() {
    let definition = yaml(
        "{ name: x, stages: { a: { outputs: { k: 1 } }, b: { needs: [a], jump_targets: [a], jump_mode: move }, c: { needs: [b] } } }",
    );
    let mut course = played(&definition, [complete("a"), jump("b", "a").output("given", 5).context("why", "again")]);
    assert_eq!(seen(&course, "why"), Some(Value::from("again")));
    assert_eq!(seen(&course, "given"), Some(Value::from(5)));
    assert_eq!(seen(&course, "k"), Some(Value::from(1)), "what lies behind the jump is kept");
    course.happen(&complete("a"));
    assert_eq!((seen(&course, "why"), seen(&course, "given")), (None, Some(Value::from(5))));
}

#[test]
fn later_tasks_of_who_jumps_do_not_follow() {
    let definition = yaml(
        "{ name: x, stages: { a: { tasks: [{ name: t, run: x }, { name: u, run: x }], jump_targets: [c], jump_mode: move }, b: { needs: [a] }, \
         c: { needs: [b] } } }",
    );
    given(&definition).when(jump("a.t", "c")).then([
        "task.reported a.t REDIRECT",
        "task.completed a.t",
        "jump.executed a to c",
        "stage.completed a to c",
        "stage.started c by jump from a",
        "task.queued c",
    ]);
}

#[test]
fn a_jump_waits_for_a_target_that_is_not_to_overlap() {
    let definition =
        yaml("{ name: x, stages: { a: { reentry: serialize }, b: { jump_targets: [a], jump_mode: move } } }");
    given(&definition)
        .when(jump("b", "a"))
        .then(["task.reported b REDIRECT", "task.completed b", "jump.executed b to a", "stage.completed b to a"])
        .when(complete("a"))
        .then_among(["stage.started a#2 by jump from b"])
        .after([complete("a")])
        .status(Status::Succeeded);
}

#[test]
fn a_gate_of_the_target_holds_a_jump_too() {
    let definition = yaml(
        "{ name: x, stages: { a: { jump_targets: [c], jump_mode: move }, b: { needs: [a] }, c: { needs: [b], if: missing == 1 } } }",
    );
    given(&definition).when(jump("a", "c")).then_among([
        "stage.ready c by jump from a",
        "stage.skipped c",
        "workflow.completed",
    ]);
}

#[test]
fn an_or_join_waits_for_who_may_jump_before_it() {
    let definition = || {
        yaml(
            "{ name: x, stages: { a: { split_type: OR, split_conditions: { p: missing == 1 } }, b: { needs: [a] }, \
             c: { needs: [a], jump_targets: [p], jump_mode: move }, p: { needs: [a] }, j: { needs: [b, p], join_type: OR } } }",
        )
    };
    given(&definition())
        .after([complete("a"), complete("b")])
        .when(complete("c"))
        .then_among(["stage.started j from b"]);
    given(&definition())
        .after([complete("a"), complete("b"), jump("c", "p")])
        .when(complete("p"))
        .then_among(["stage.started j"]);
}

#[test]
fn jumps_stay_in_the_turn_of_a_loop() {
    let definition = yaml(
        "{ name: x, stages: { l: { loop: { while: loop.index < 2, stages: { a: , b: { needs: [a], jump_targets: [a], jump_mode: move } } } } } }",
    );
    let mut course = played(&definition, [complete("a"), jump("b", "a"), complete("a"), complete("b")]);
    finish(&mut course);
    assert_eq!(runs(&course)[..2], [3, 3]);
    assert_eq!(course.status(), Status::Succeeded);
}
