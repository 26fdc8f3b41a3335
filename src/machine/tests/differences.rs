//! What a well-known engine of the same words does wrong, one test each: what it does there, what must happen here.
//!
//! The numbers are those of the list of findings; most of what stands here is tested at length elsewhere, too.

use crate::definition::Definition;
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{add_instances, cancel, claim, complete, pass_by, signal, terminal};
use crate::testing::world::World;
use crate::time::Duration;
use crate::value::Map;

const NOTHING: [(&str, i32); 0] = [];

/// `a`, which opens the branches whose conditions hold, `b1` with `b2` and `c1` with `c2`, and `z` behind both.
fn branches(join: &str) -> Definition {
    yaml(&format!(
        "
name: x
stages:
  a: {{ split_type: OR, split_conditions: {{ b1: b == 1, c1: c == 1 }} }}
  b1: {{ needs: [a] }}
  b2: {{ needs: [b1] }}
  c1: {{ needs: [a] }}
  c2: {{ needs: [c1] }}
  z: {{ needs: [b2, c2], {join} }}
"
    ))
}

fn runs(course: &Course, stages: &[&str]) -> Vec<usize> {
    stages.iter().map(|stage| course.activations(stage)).collect()
}

/// There the second stage of a branch that was not chosen runs, as if its first had been skipped.
#[test]
fn a_1_a_branch_that_was_not_chosen_runs_in_none_of_its_stages() {
    let joins = ["join_type: OR", "join_type: OR, or_scope: acyclic", "join_type: XOR", "join_type: MULTI_MERGE"];
    for join in joins {
        let mut course = Course::begun(&branches(join), NOTHING);
        course.happen(&complete("a").output("c", 1).output("b", 0));
        course.complete(["c1", "c2", "z"]);
        assert_eq!(runs(&course, &["b1", "b2", "c1", "c2", "z"]), [0, 0, 1, 1, 1], "{join}");
        assert_eq!(course.status(), Status::Succeeded, "{join}");
    }
}

/// There the first stage behind the split runs, whatever its condition says.
#[test]
fn a_2_a_split_of_which_no_condition_holds_fails_and_activates_nothing() {
    given(&branches("join_type: OR"))
        .when(complete("a").output("c", 0).output("b", 0))
        .then_among(["workflow.failed STAGE_FAILED a NO_BRANCH"])
        .activations("b1", 0)
        .activations("c1", 0)
        .status(Status::Terminal);
}

/// There the second branch is not seen: the merge runs once.
#[test]
fn a_3_a_multi_merge_runs_once_for_each_branch() {
    let mut course = Course::begun(&branches("join_type: MULTI_MERGE"), NOTHING);
    course.happen(&complete("a").output("c", 1).output("b", 1));
    course.complete(["b1", "b2", "c1", "c2"]);
    assert_eq!((course.live("z"), course.activations("z")), (2, 2));
    course.complete(["z#1", "z#2"]);
    assert_eq!(course.status(), Status::Succeeded);
}

/// There a branch that was not chosen is counted as one that has arrived.
#[test]
fn a_4_a_branch_that_was_not_chosen_is_no_arrival_at_any_join() {
    for join in ["join_type: DISCRIMINATOR", "join_type: N_OF_M, join_threshold: 1", "join_type: MULTI_MERGE"] {
        let mut course = Course::begun(&branches(join), NOTHING);
        course.happen(&complete("a").output("c", 1).output("b", 0));
        assert_eq!(course.activations("z"), 0, "{join}: nobody has arrived");
        course.complete(["c1"]);
        assert_eq!(course.activations("z"), 0, "{join}: nobody has arrived");
        course.complete(["c2", "z"]);
        assert_eq!((course.activations("z"), course.status()), (1, Status::Succeeded), "{join}");
    }
}

/// There the words that make a join blocking or cancelling are named in a text and read nowhere.
#[test]
fn a_5_the_mode_of_a_join_is_obeyed() {
    let of_three = |mode: &str| {
        let text = format!(
            "
name: x
stages:
  a:
  b: {{ needs: [a] }}
  c: {{ needs: [a] }}
  z: {{ needs: [b, c], join_type: DISCRIMINATOR, join_mode: {mode} }}
"
        );
        let mut course = Course::begun(&yaml(&text), NOTHING);
        course.complete(["a", "b"]);
        course
    };
    assert_eq!(of_three("blocking").open(), ["c", "z"]);
    assert_eq!(of_three("cancelling").open(), ["z"]);
}

/// There whichever stage is looked at first has won before any signal exists, and the workflow ends canceled.
#[test]
fn a_6_the_environment_makes_a_deferred_choice_and_the_workflow_succeeds() {
    let text = "
name: x
stages:
  a:
  b: { needs: [a], deferred_choice_group: g, trigger: { signal: pick } }
  c: { needs: [a], deferred_choice_group: g, trigger: { signal: escalate } }
";
    for (came, taken, withdrawn) in [("pick", "b", "c"), ("escalate", "c", "b")] {
        let mut course = Course::begun(&yaml(text), NOTHING);
        course.complete(["a"]);
        assert_eq!(runs(&course, &["b", "c"]), [0, 0]);
        course.happen(&signal(came));
        assert_eq!(runs(&course, &[taken, withdrawn]), [1, 0]);
        course.complete([taken]);
        assert_eq!(course.status(), Status::Succeeded);
    }
    let mut course = Course::begun(&yaml(text), NOTHING);
    course.complete(["a"]);
    assert!(course.attempt(&claim("b")).is_err(), "what waits for a signal is nobody's to claim");
}

/// There a stage whose milestone was not reached yet starts at once.
#[test]
fn a_7_a_stage_waits_for_a_milestone_that_was_not_reached() {
    let text = "
name: x
stages:
  s:
  p: { needs: [s] }
  x: { needs: [s], milestone_ref_id: p, milestone_status: SUCCEEDED }
";
    let mut course = Course::begun(&yaml(text), NOTHING);
    course.complete(["s"]);
    assert_eq!((course.activations("x"), course.open()), (0, vec!["p".to_owned()]));
    course.complete(["p"]);
    assert_eq!(course.activations("x"), 1);
}

/// There a loop names tasks that do not exist, and the workflow fails at once.
#[test]
fn a_8_a_loop_takes_its_turns() {
    let text = "
name: x
inputs: { n: { type: integer } }
stages:
  l: { loop: { while: n < 2, stages: { x: } } }
";
    let mut course = Course::begun(&yaml(text), [("n", 0)]);
    for n in [1, 2] {
        course.happen(&complete("x").output("n", n));
    }
    assert_eq!((course.activations("x"), course.status()), (2, Status::Succeeded));
}

/// There instances have no tasks, those left are never canceled, and what may grow forgets that it may.
#[test]
fn a_9_instances_work_are_canceled_when_enough_are_done_and_may_be_added() {
    let several = |config: &str| {
        let text = format!("{{ name: x, stages: {{ m: {{ mi_config: {{ {config} }} }}, z: {{ needs: [m] }} }} }}");
        Course::begun(&yaml(&text), NOTHING)
    };
    let mut course = several("count: 3");
    assert_eq!(course.open(), ["m#1[0]", "m#1[1]", "m#1[2]"]);
    course.complete(["m[0]", "m[1]", "m[2]", "z"]);
    assert_eq!(course.status(), Status::Succeeded);

    let mut course = several("count: 3, join_threshold: 2, cancel_remaining: true");
    course.complete(["m[0]", "m[2]"]);
    assert_eq!(course.open(), ["z"]);

    let mut course = several("count: 2, allow_dynamic: true");
    course.complete(["m[0]"]);
    course.happen(&add_instances("m", [7]));
    course.complete(["m[1]"]);
    assert_eq!(course.activations("z"), 0);
    course.complete(["m[2]", "z"]);
    assert_eq!(course.status(), Status::Succeeded);
}

/// There the join behind a canceled region waits for ever, and the stages of the region may be shown as succeeded.
#[test]
fn a_10_behind_a_canceled_region_the_workflow_goes_on_and_ends() {
    let text = "
name: x
regions: { r: {} }
stages:
  a:
  b: { needs: [a], cancel_region: r }
  k: { needs: [a], cancels: [{ region: r }] }
  z: { needs: [b, k] }
";
    let mut course = Course::begun(&yaml(text), NOTHING);
    course.complete(["a", "k", "z"]);
    assert!(course.told("stage.canceled b by region r to z"), "{}", course.story());
    assert_eq!(course.status(), Status::Succeeded);
}

/// There a stage that waits longer than an hour after the others are done fails the workflow.
#[test]
fn a_11_a_workflow_waits_as_long_as_one_of_its_stages_does() {
    let mut course = Course::begun(&yaml("{ name: x, stages: { a: , b: { trigger: { signal: go } } } }"), NOTHING);
    course.complete(["a"]);
    course.happen(&pass_by(Duration::from_seconds(400 * 24 * 3_600)));
    assert_eq!(course.status(), Status::Running);
    course.happen(&signal("go"));
    course.complete(["b"]);
    assert_eq!(course.status(), Status::Succeeded);
}

/// There a failed or canceled stage before a join ends the workflow by a detour that skips the join.
#[test]
fn a_12_a_failure_before_a_join_ends_the_workflow_as_failed_and_cancels_what_runs() {
    let text = "{ name: x, stages: { a: , b: , z: { needs: [a, b] } } }";
    given(&yaml(text))
        .when(terminal("a"))
        .then_among(["stage.canceled b by failure", "workflow.failed STAGE_FAILED a TOLD"])
        .activations("z", 0)
        .status(Status::Terminal);
}

/// There the workflow that a stage has called goes on when its caller is canceled.
#[test]
fn a_13_a_cancel_reaches_the_workflow_that_a_stage_has_called() {
    let text = "
name: x
definitions:
  inner: { name: inner, stages: { x: } }
stages:
  w: { sub_workflow: { definition: inner } }
";
    let mut world = World::begun(&yaml(text), &Map::new());
    let (outer, inner) = (world.root(), *world.workflows().last().unwrap());
    assert_ne!(outer, inner);
    world.happen(outer, &cancel()).unwrap();
    assert_eq!([world.status(outer), world.status(inner)], [Status::Canceled; 2]);
}

/// There the tests of locks, discriminators and quorums count how often something ran, and never when.
#[test]
fn a_14_exclusion_and_order_are_what_is_tested() {
    let mut course = Course::begun(&yaml("{ name: x, stages: { a: { mutex_key: k }, b: { mutex_key: k } } }"), NOTHING);
    assert_eq!((course.live("a"), course.activations("b")), (1, 0));
    course.complete(["a", "b"]);
    assert!(course.precedes("a", "b"), "{}", course.story());

    let text = "
name: x
stages:
  b:
  c:
  d:
  z: { needs: [b, c, d], join_type: N_OF_M, join_threshold: 2 }
";
    let mut course = Course::begun(&yaml(text), NOTHING);
    course.complete(["d"]);
    assert_eq!(course.activations("z"), 0);
    course.complete(["b"]);
    assert_eq!((course.activations("z"), course.live("c")), (1, 1));
    course.complete(["z", "c"]);
    assert_eq!((course.activations("z"), course.status()), (1, Status::Succeeded));
}

/// There "skipped, and passed on" and "never chosen" are one status.
#[test]
fn a_15_a_skipped_stage_passes_its_token_on_and_a_stage_that_was_not_chosen_has_none() {
    let text = "
name: x
stages:
  a: { split_type: XOR, split_conditions: { b: 'false', c: 'true' } }
  b: { needs: [a] }
  c: { needs: [a], if: 'false' }
  d: { needs: [b, c], join_type: XOR }
";
    let mut course = Course::begun(&yaml(text), NOTHING);
    course.complete(["a"]);
    assert!(course.told("stage.skipped c to d"), "{}", course.story());
    assert_eq!(runs(&course, &["b", "c", "d"]), [0, 0, 1]);
    course.complete(["d"]);
    assert_eq!(course.status(), Status::Succeeded);
}
