//! Splits into threads, and their merges (WCP 41, 42).

use crate::definition::Definition;
use crate::machine::{WaitReason, waits};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::complete;

const NOTHING: [(&str, i32); 0] = [];

/// `a` splits into so many threads through `b`; `m` merges so many of them, then `z`.
fn threads(split: u32, merge: u32) -> Definition {
    yaml(&format!(
        "
name: x
stages:
  a: {{ split_type: THREAD, thread_count: {split} }}
  b: {{ needs: [a] }}
  m: {{ needs: [b], join_type: THREAD_MERGE, merge_count: {merge} }}
  z: {{ needs: [m] }}
"
    ))
}

#[test]
fn a_split_begins_threads_that_do_not_wait_for_each_other() {
    let definition = yaml(
        "{ name: x, stages: { a: { split_type: THREAD, thread_count: 3 }, b: { needs: [a] }, c: { needs: [b] } } }",
    );
    let then = given(&definition).when(complete("a")).then([
        "task.reported a SUCCEEDED",
        "task.completed a",
        "stage.completed a to b",
        "stage.started b",
        "task.queued b",
        "stage.started b#2",
        "task.queued b#2",
        "stage.started b#3",
        "task.queued b#3",
    ]);
    drop(then);
    let definition = yaml(
        "
name: x
stages:
  a: { split_type: THREAD, thread_count: 3 }
  b: { needs: [a], join_type: MULTI_MERGE }
  c: { needs: [b], join_type: MULTI_MERGE }
",
    );
    let mut course = Course::begun(&definition, NOTHING);
    course.complete(["a"]);
    assert_eq!(course.live("b"), 3);
    course.complete(["b#2"]);
    assert_eq!((course.live("c"), course.live("b")), (1, 2));
    course.complete(["b", "b#3", "c", "c", "c"]);
    assert_eq!((course.activations("b"), course.activations("c")), (3, 3));
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn each_thread_has_its_index() {
    let mut course = Course::begun(&threads(3, 3), NOTHING);
    course.complete(["a"]);
    let state = course.state();
    let mut indices: Vec<u32> = state.live().filter_map(|id| state.thread_indices(id).last().copied()).collect();
    indices.sort_unstable();
    assert_eq!(indices, [0, 1, 2]);
    course.complete(["b", "b", "b"]);
    let state = course.state();
    assert!(state.live().all(|id| state.thread_indices(id).is_empty()), "the merged thread has no tag of them");
}

#[test]
fn as_many_threads_as_are_nominated_become_one() {
    let mut course = Course::begun(&threads(6, 3), NOTHING);
    course.complete(["a", "b", "b"]);
    assert_eq!((course.activations("b"), course.activations("m")), (6, 0));
    course.complete(["b"]);
    assert_eq!(course.activations("m"), 1);
    course.complete(["b", "b"]);
    assert_eq!(course.activations("m"), 1);
    course.complete(["b"]);
    assert_eq!(course.activations("m"), 2);
    course.complete(["m", "m", "z", "z"]);
    assert_eq!((course.activations("z"), course.status()), (2, Status::Succeeded));
}

#[test]
fn a_thread_that_is_left_over_is_a_deadlock() {
    let mut course = Course::begun(&threads(4, 3), NOTHING);
    course.complete(["a", "b", "b", "b", "b", "m", "z"]);
    assert_eq!(course.status(), Status::Terminal);
    let story = course.story();
    assert!(story.contains("tokens.left b to m\nworkflow.failed DEADLOCK m lacks b"), "{story}");
}

#[test]
fn threads_of_different_splits_never_merge() {
    // s splits into two, each of which splits into two at a; the merge takes two of one and the same a.
    let definition = yaml(
        "
name: x
stages:
  s: { split_type: THREAD, thread_count: 2 }
  a: { needs: [s], split_type: THREAD, thread_count: 2 }
  b: { needs: [a] }
  m: { needs: [b], join_type: THREAD_MERGE, merge_count: 2 }
  n: { needs: [m], join_type: THREAD_MERGE, merge_count: 2 }
",
    );
    let mut course = Course::begun(&definition, NOTHING);
    course.complete(["s", "a", "a#2"]);
    assert_eq!(course.live("b"), 4);
    // The first of each pair.
    course.complete(["b", "b#3"]);
    assert_eq!(course.activations("m"), 0, "they are of different splits");
    course.complete(["b#4"]);
    assert_eq!(course.activations("m"), 1);
    assert!(course.story().contains("stage.started m from threads of a#2\n"), "{}", course.story());
    course.complete(["b#2"]);
    assert_eq!(course.activations("m"), 2);
    // What the merges give are the two threads of s.
    course.complete(["m"]);
    assert_eq!(course.activations("n"), 0);
    course.complete(["m"]);
    assert!(course.story().contains("stage.started n from threads of s\n"), "{}", course.story());
    course.complete(["n"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn what_no_split_has_made_merges_with_its_like() {
    let definition = yaml(
        "
name: x
stages:
  a:
  b:
  c: { needs: [a, b], join_type: MULTI_MERGE }
  m: { needs: [c], join_type: THREAD_MERGE, merge_count: 2 }
",
    );
    let mut course = Course::begun(&definition, NOTHING);
    course.complete(["a", "b", "c", "c"]);
    assert!(course.story().contains("stage.started m from threads\n"), "{}", course.story());
    course.complete(["m"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn branches_within_a_thread_are_still_of_it() {
    let definition = yaml(
        "
name: x
stages:
  a: { split_type: THREAD, thread_count: 2 }
  b: { needs: [a], reentry: serialize }
  c: { needs: [b] }
  e: { needs: [b] }
  j: { needs: [c, e] }
  m: { needs: [j], join_type: THREAD_MERGE, merge_count: 2 }
",
    );
    let mut course = Course::begun(&definition, NOTHING);
    course.complete(["a", "b", "c", "e", "j", "b", "c", "e", "j", "m"]);
    assert_eq!((course.status(), course.activations("m")), (Status::Succeeded, 1));
}

#[test]
fn a_merge_tells_how_many_threads_it_lacks() {
    let mut course = Course::begun(&threads(3, 3), NOTHING);
    course.complete(["a", "b", "b"]);
    let found = waits(course.state());
    let wait = found.iter().find(|wait| wait.stage() == Some("m")).unwrap();
    let WaitReason::Threads { most: 2, merge_count: 3, missing } = wait.reason() else { panic!("{wait:?}") };
    let servers: Vec<u32> = missing[0].may_be_served_by().filter_map(|server| server.activation()).collect();
    assert_eq!((missing[0].from(), servers), (Some("b"), vec![3]));
}
