//! Jumps to any stage of a block, which nobody foresees (R14).

use crate::definition::{Definition, Stage};
use crate::machine::{WaitReason, waits};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{Happening, complete, jump, stopped};

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

/// Does all that is asked for until nothing is left.
fn finish(course: &mut Course) {
    while let Some(next) = course.open().first().cloned() {
        course.happen(&complete(&next));
    }
}

/// A chain of four, from whose second stage control may go anywhere.
fn chain(mode: &str) -> Definition {
    yaml(&format!(
        "{{ name: x, stages: {{ a: , b: {{ needs: [a], jump_targets: any, jump_mode: {mode} }}, c: {{ needs: [b] }}, \
         d: {{ needs: [c] }} }} }}"
    ))
}

#[test]
fn control_may_go_back_forward_and_to_the_stage_itself() {
    for mode in ["move", "rewind"] {
        for (target, expected) in [("a", [2, 2, 1, 1]), ("b", [1, 2, 1, 1]), ("c", [1, 1, 1, 1]), ("d", [1, 1, 0, 1])] {
            let mut course = played(&chain(mode), [complete("a"), jump("b", target)]);
            finish(&mut course);
            let seen = (runs(&course, ["a", "b", "c", "d"]), course.status());
            assert_eq!(seen, (expected, Status::Succeeded), "{mode} {target}");
        }
    }
}

#[test]
fn the_jump_tells_where_it_comes_from() {
    given(&chain("move")).after([complete("a")]).when(jump("b", "d")).then([
        "task.reported b REDIRECT",
        "task.completed b",
        "jump.executed b to d",
        "stage.completed b to d",
        "stage.started d by jump",
        "task.queued d",
    ]);
}

#[test]
fn any_stage_is_one_of_its_block() {
    let definition = yaml(
        "{ name: x, stages: { a: { jump_targets: any }, l: { needs: [a], loop: { while: loop.index < 1, \
         stages: { y: { jump_targets: any }, z: { needs: [y] } } } } } }",
    );
    for (target, code) in [("y", "JUMP_OUT_OF_SCOPE"), ("nowhere", "UNDECLARED_JUMP")] {
        let line = format!("task.failed a TERMINAL {code}");
        given(&definition).when(jump("a", target)).then_among([line.as_str()]).status(Status::Terminal);
    }
    given(&definition)
        .after([complete("a")])
        .when(jump("y", "a"))
        .then_among(["task.failed y TERMINAL JUMP_OUT_OF_SCOPE"]);
    given(&definition)
        .after([complete("a"), jump("y", "z")])
        .when(complete("z"))
        .then_among(["workflow.completed"])
        .status(Status::Succeeded)
        .activations("z", 1);
}

#[test]
fn only_who_may_jump_anywhere_does() {
    given(&chain("move"))
        .after([complete("a"), complete("b")])
        .when(jump("c", "a"))
        .then_among(["task.failed c TERMINAL UNDECLARED_JUMP"]);
}

#[test]
fn it_counts_as_a_jump_of_the_workflow() {
    let definition = yaml("{ name: x, max_jumps: 2, stages: { a: { jump_targets: any } } }");
    given(&definition)
        .after([jump("a", "a"), jump("a", "a")])
        .when(jump("a", "a"))
        .then_among(["task.failed a#3 TERMINAL LOOP_LIMIT"]);
}

#[test]
fn no_or_join_waits_for_it_before_it_is_made() {
    let definition = || {
        yaml(
            "{ name: x, stages: { a: { split_type: OR, split_conditions: { p: missing == 1 } }, b: { needs: [a] }, \
             c: { needs: [a], jump_targets: any }, p: { needs: [a] }, j: { needs: [b, p], join_type: OR } } }",
        )
    };
    given(&definition())
        .after([complete("a")])
        .when(complete("b"))
        .then_among(["stage.started j from b"])
        .open(["c", "j"]);
    // What is on its way is waited for.
    let then = given(&definition())
        .after([complete("a")])
        .when(jump("c", "p"))
        .then_among(["stage.started p by jump"])
        .after([complete("b")])
        .open(["p"])
        .when(complete("p"))
        .then_among(["stage.started j"]);
    let mut course = then.course().clone();
    finish(&mut course);
    assert_eq!((course.activations("j"), course.status()), (1, Status::Succeeded));
}

#[test]
fn no_milestone_is_hoped_for_because_of_it() {
    let definition = yaml(
        "{ name: x, stages: { a: , m: { needs: [a] }, b: { jump_targets: any }, \
         g: { milestone_ref_id: m, milestone_status: SUCCEEDED, milestone_policy: wait_skip } } }",
    );
    let mut course = played(&definition, []);
    course.happen(&stopped("a"));
    assert!(course.story().contains("stage.skipped g\n"), "{}", course.story());
}

#[test]
fn what_a_join_lacks_is_not_told_to_come_by_it() {
    let definition =
        yaml("{ name: x, stages: { a: , b: , w: { jump_targets: any }, j: { needs: [a, b], join_type: AND } } }");
    let course = played(&definition, [complete("a")]);
    let found = waits(course.state());
    let wait = found.iter().find(|wait| wait.stage() == Some("j")).unwrap();
    let WaitReason::Join { missing, arcs: 2 } = wait.reason() else { panic!("{wait:?}") };
    let told: Vec<(Option<&str>, Vec<&str>)> =
        missing.iter().map(|arc| (arc.from(), arc.may_be_served_by().map(|server| server.stage()).collect())).collect();
    assert_eq!(told, [(Some("b"), vec!["b"])]);
}

#[test]
fn those_who_wait_at_one_target_come_one_after_the_other() {
    let definition =
        yaml("{ name: x, stages: { a: { reentry: serialize }, b: { jump_targets: any }, c: { jump_targets: any } } }");
    let mut course =
        played(&definition, [jump("b", "a").context("from", "b"), jump("c", "a").context("from", "c"), complete("a")]);
    assert_eq!((course.open(), course.state().tokens().count()), (vec!["a#2".to_owned()], 1));
    finish(&mut course);
    assert_eq!((course.activations("a"), course.status()), (3, Status::Succeeded));
}

#[test]
fn a_rewind_knows_the_way_behind_every_stage() {
    // The loop of a delivery: what does not come from the target is put back.
    let definition = yaml(
        "{ name: x, stages: { s: , test: { needs: [s] }, lint: { needs: [s] }, \
         deploy: { needs: [test, lint], jump_targets: any, jump_mode: rewind } } }",
    );
    let all = [complete("s"), complete("test"), complete("lint")];
    given(&definition)
        .after(all.clone())
        .when(jump("deploy", "lint"))
        .then_among(["jump.executed deploy to lint undoing lint, puts back test to deploy"])
        .when(complete("lint"))
        .then_among(["stage.started deploy#2"])
        .when(jump("deploy", "test"))
        .then_among(["jump.executed deploy#2 to test undoing test, puts back lint to deploy"])
        .when(complete("test"))
        .then_among(["stage.started deploy#3"])
        .when(jump("deploy", "s"))
        .then_among(["jump.executed deploy#3 to s undoing s"])
        .after([complete("s"), complete("test"), complete("lint"), complete("deploy")])
        .status(Status::Succeeded);
}

#[test]
fn a_jump_into_a_join_from_anywhere_is_like_any_other() {
    let definition = yaml(
        "{ name: x, stages: { a: , b: { needs: [a], jump_targets: any }, c: { needs: [a] }, e: { needs: [a] }, \
         d: { needs: [b, c, e], join_type: N_OF_M, join_threshold: 2 } } }",
    );
    given(&definition)
        .after([complete("a"), complete("c")])
        .when(jump("b", "d"))
        .then_among(["stage.started d by jump, and from c"])
        .when(complete("e"))
        .then_among(["tokens.removed e to d by a jump to d"])
        .after([complete("d")])
        .status(Status::Succeeded);
}

#[test]
fn all_who_may_jump_anywhere_share_an_arc_for_each_target() {
    const STAGES: usize = 50;
    let stages: Vec<String> = (0..STAGES).map(|place| format!("s{place}: {{ jump_targets: any }}")).collect();
    let definition = yaml(&format!("{{ name: x, stages: {{ {} }} }}", stages.join(", ")));
    // One from the start to each, and one more.
    assert_eq!(definition.graph().arcs.len(), 2 * STAGES);
}

#[test]
fn it_stands_in_the_normal_form_as_it_is_written() {
    let written = chain("rewind");
    assert!(written.to_json().contains(r#""jump_mode":"rewind","jump_targets":"any""#), "{}", written.to_json());
    let read = Definition::from_normal(&written.to_json()).unwrap();
    assert_eq!((read.hash(), read.graph()), (written.hash(), written.graph()));
    let stage = |name: &str, before: &str| Stage::new(name).needs([before]);
    let built = Definition::builder("x").stage(Stage::new("a")).stage(stage("b", "a").jump_targets_any());
    let built = built.stage(stage("c", "b")).stage(stage("d", "c"));
    assert_eq!(built.build().unwrap().hash(), written.hash());
    assert!(written.stages().map(|stage| stage.jumps_anywhere()).eq([false, true, false, false]));
}
