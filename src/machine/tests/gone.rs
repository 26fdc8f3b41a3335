//! Joins that count arrivals where branches bring nothing any more: they start over, give up, or leave what lies there.

use crate::definition::Definition;
use crate::machine::{WaitReason, waits};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::happening::{close_trigger, complete, signal, stopped};

const NOTHING: [(&str, i32); 0] = [];

/// `a`, then those of `r0` to `r4` that are taken; `p` counts them, and `z` follows.
fn taking(taken: &[usize], join: &str) -> Definition {
    let mut text = "name: x\nstages:\n  a: { split_type: OR, split_conditions: {".to_owned();
    for place in 0..5 {
        text += &format!("r{place}: '{}', ", taken.contains(&place));
    }
    text += "} }\n";
    (0..5).for_each(|place| text += &format!("  r{place}: {{ needs: [a] }}\n"));
    yaml(&(text + &format!("  p: {{ needs: [r0, r1, r2, r3, r4], {join} }}\n  z: {{ needs: [p] }}\n")))
}

fn count(course: &Course, line: &str) -> usize {
    course.story().lines().filter(|found| *found == line).count()
}

#[test]
fn a_blocking_join_starts_over_when_nothing_more_can_come() {
    let mut course = Course::begun(&taking(&[1, 3], "join_type: DISCRIMINATOR, join_mode: blocking"), NOTHING);
    course.complete(["a", "r1"]);
    assert_eq!((course.activations("p"), count(&course, "join.reset p 0 active")), (1, 0));
    course.complete(["r3"]);
    assert_eq!(count(&course, "join.reset p 0 active"), 1, "\n{}", course.story());
    course.complete(["p", "z"]);
    assert_eq!((course.status(), course.activations("p")), (Status::Succeeded, 1));
}

#[test]
fn a_blocking_join_of_all_does_not_start_over_without_all() {
    let join = "join_type: DISCRIMINATOR, join_mode: blocking, reset_on: all";
    let mut course = Course::begun(&taking(&[1, 3], join), NOTHING);
    course.complete(["a", "r1", "r3", "p", "z"]);
    assert_eq!(course.status(), Status::Succeeded);
    assert!(!course.story().contains("join.reset"));
}

#[test]
fn a_join_that_blocks_in_a_loop_is_fresh_in_each_round() {
    let mut course = Course::begun(
        &yaml(
            "
name: x
stages:
  a: { join_type: XOR, back_from: [f], split_type: XOR, split_conditions: { b: to == 'b' }, split_default: c }
  b: { needs: [a] }
  c: { needs: [a] }
  d: { needs: [b, c], join_type: DISCRIMINATOR, join_mode: blocking }
  f: { needs: [d], split_type: XOR, split_conditions: { a: again }, split_default: z }
  z: { needs: [f] }
",
        ),
        NOTHING,
    );
    // The branch of the first round is not that of the others.
    for (to, again) in [("b", true), ("c", true), ("c", false)] {
        course.happen(&complete("a").output("to", to));
        course.complete([to, "d"]);
        course.happen(&complete("f").output("again", again));
    }
    course.complete(["z"]);
    assert_eq!((course.status(), course.activations("d")), (Status::Succeeded, 3));
    for generation in 0..3 {
        assert_eq!(count(&course, &format!("join.reset d {generation} active")), 1, "\n{}", course.story());
    }
}

#[test]
fn a_threshold_that_cannot_be_reached_fails_as_soon_as_that_is_known() {
    for join in ["join_mode: blocking", "join_mode: cancelling, join_cancel_scope: { stages: [r4] }"] {
        let join = format!("join_type: N_OF_M, join_threshold: 3, {join}");
        let mut course = Course::begun(&taking(&[1, 3], &join), NOTHING);
        course.complete(["a"]);
        assert_eq!(course.status(), Status::Running);
        course.complete(["r1"]);
        let story = course.story();
        assert!(story.contains("stage.failed p TERMINAL THRESHOLD_UNREACHABLE"), "{story}");
        assert_eq!((course.status(), course.activations("z")), (Status::Terminal, 0));
    }
}

#[test]
fn a_threshold_that_cannot_be_reached_is_passed_by_where_that_is_asked_for() {
    let join = "join_type: N_OF_M, join_threshold: 3, join_mode: blocking, on_unreachable: skip";
    let mut course = Course::begun(&taking(&[1, 3], join), NOTHING);
    course.complete(["a", "r1"]);
    assert_eq!((count(&course, "stage.skipped p to z"), course.open()), (1, vec!["r3".to_owned(), "z".to_owned()]));
    course.complete(["r3"]);
    assert_eq!(count(&course, "join.arrived p from r3 late"), 1, "it is swallowed");
    assert_eq!(count(&course, "join.reset p 0 active"), 1);
    course.complete(["z"]);
    assert_eq!((course.status(), course.activations("p")), (Status::Succeeded, 0));
}

#[test]
fn a_threshold_is_unreachable_when_what_could_reach_it_is_canceled() {
    let mut course = Course::begun(
        &yaml(
            "
name: x
stages:
  a:
  b: { needs: [a] }
  c: { needs: [a] }
  k: { needs: [a], cancels: [{ stage: c }] }
  d: { needs: [b, c], join_type: N_OF_M, join_threshold: 2, join_mode: blocking, on_failure: continue }
  z: { needs: [d] }
",
        ),
        NOTHING,
    );
    course.complete(["a", "b"]);
    assert_eq!(course.open(), ["c", "k"]);
    course.complete(["k"]);
    let story = course.story();
    assert!(story.contains("stage.failed d FAILED_CONTINUE THRESHOLD_UNREACHABLE"), "{story}");
    course.complete(["z"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn a_branch_that_was_stopped_counts_for_a_new_beginning_but_not_for_the_threshold() {
    let join = "join_type: DISCRIMINATOR, join_mode";
    for (mode, resets) in [("structured", 1), ("blocking, reset_on: all", 1), ("blocking, reset_on: active", 1)] {
        let text = format!(
            "name: x\nstages:\n  a:\n  b: {{ needs: [a] }}\n  c: {{ needs: [a] }}\n  e: {{ needs: [a] }}\n  \
             d: {{ needs: [b, c, e], {join}: {mode} }}\n"
        );
        let mut course = Course::begun(&yaml(&text), NOTHING);
        course.complete(["a", "b"]);
        course.happen(&stopped("c"));
        assert_eq!(count(&course, "join.reset d 0 active"), 0, "e may come yet");
        course.complete(["e", "d"]);
        assert_eq!((count(&course, "join.reset d 0 active"), course.status()), (resets, Status::Succeeded), "{mode}");
    }
}

#[test]
fn a_structured_join_starts_over_when_all_its_branches_are_taken_away() {
    let mut course = Course::begun(
        &yaml(
            "
name: x
regions: { r: { effect: remove, future: allow } }
stages:
  s:
  a: { needs: [s], join_type: XOR, back_from: [k] }
  b: { needs: [a], cancel_region: [r] }
  c: { needs: [a], cancel_region: [r] }
  d: { needs: [b, c], join_type: DISCRIMINATOR, join_mode: structured }
  t: { needs: [s] }
  k: { needs: [t], cancels: [{ region: r }] }
",
        ),
        NOTHING,
    );
    course.complete(["s", "a", "b", "t", "k"]);
    assert_eq!(count(&course, "join.reset d 0 active"), 1, "\n{}", course.story());
    course.complete(["a", "b", "c", "d", "d"]);
    assert_eq!((course.status(), course.activations("d")), (Status::Succeeded, 2), "\n{}", course.story());
}

/// Sources whose every signal is a token, before a join that blocks.
fn triggered(names: &[&str], join: &str) -> Definition {
    let mut text = "name: x\nstages:\n".to_owned();
    for name in names {
        text += &format!("  {name}: {{ trigger: {{ signal: {name}, start: true }} }}\n");
    }
    yaml(&(text + &format!("  d: {{ needs: [{}], {join} }}\n", names.join(", "))))
}

/// The source gets a signal, and its work is done.
fn send(course: &mut Course, source: &str) {
    course.happen(&signal(source));
    course.complete([source]);
}

#[test]
fn signals_that_may_come_keep_a_generation_open_until_their_trigger_is_closed() {
    let mut course = Course::begun(&triggered(&["p", "q"], "join_type: DISCRIMINATOR, join_mode: blocking"), NOTHING);
    let runs = |course: &Course| course.activations("d");
    send(&mut course, "p");
    assert_eq!(runs(&course), 1);
    send(&mut course, "p");
    send(&mut course, "p");
    assert_eq!((runs(&course), course.state().tokens().count()), (1, 2));
    let found = waits(course.state());
    let told = found.iter().any(|wait| matches!(wait.reason(), WaitReason::Blocked { generation: 0, .. }));
    assert!(told, "{found:?}");
    send(&mut course, "q");
    assert_eq!((runs(&course), count(&course, "join.reset d 0 complete")), (2, 1));
    course.happen(&close_trigger("q"));
    assert_eq!((runs(&course), count(&course, "join.reset d 1 active")), (3, 1), "\n{}", course.story());
    course.happen(&close_trigger("p"));
    course.complete(["d", "d", "d"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn a_partial_join_of_sources_fails_when_too_few_of_them_are_left() {
    let join = "join_type: N_OF_M, join_threshold: 2, join_mode: blocking";
    let mut course = Course::begun(&triggered(&["p", "q", "r"], join), NOTHING);
    send(&mut course, "p");
    course.happen(&close_trigger("q"));
    assert_eq!(course.status(), Status::Running);
    course.happen(&close_trigger("r"));
    assert!(course.story().contains("THRESHOLD_UNREACHABLE"), "\n{}", course.story());
    assert!(course.attempt(&complete("d@1")).is_err());
}

#[test]
fn a_block_in_which_nothing_can_start_is_over_at_once() {
    let mut course = Course::begun(
        &yaml(
            "
name: x
stages:
  a: { loop: { test: post, until: 'true', stages: { m: { join_type: THREAD_MERGE, merge_count: 2 } } } }
",
        ),
        NOTHING,
    );
    assert_eq!(course.status(), Status::Terminal);
    assert!(course.story().contains("DEADLOCK"), "\n{}", course.story());
    assert!(course.attempt(&complete("m")).is_err());
}

#[test]
fn what_a_join_has_counted_in_one_turn_of_a_loop_is_not_there_in_the_next() {
    let mut course = Course::begun(
        &yaml(
            "
name: x
stages:
  a:
    loop:
      while: 'loop.index < 3'
      stages:
        s: { split_type: OR, split_conditions: { b: 'true', c: 'loop.index == 1' } }
        b: { needs: [s] }
        c: { needs: [s] }
        e: { needs: [s] }
        d: { needs: [b, c], join_type: N_OF_M, join_threshold: 2, join_mode: blocking, on_unreachable: skip }
  z: { needs: [a] }
",
        ),
        NOTHING,
    );
    for turn in 0..3 {
        course.complete(["s", "b"]);
        assert_eq!(count(&course, "join.arrived d from b"), turn + 1, "\n{}", course.story());
        if turn == 1 {
            course.complete(["c", "d"]);
        }
        course.complete(["e"]);
    }
    course.complete(["z"]);
    assert_eq!((course.status(), course.activations("d")), (Status::Succeeded, 1));
    assert_eq!(count(&course, "stage.skipped d") + count(&course, "stage.skipped d#3"), 2, "\n{}", course.story());
}
