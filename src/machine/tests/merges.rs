//! Merges and joins before which many tokens may lie, and stages that start one activation after the other (WCP 8, 33).

use crate::definition::Definition;
use crate::machine::{WaitReason, waits};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{cancel, complete};

const NOTHING: [(&str, i32); 0] = [];

/// `a`, then `b`, `c` and `e`, each of which starts `m`, then `n`.
fn merge(reentry: &str) -> Definition {
    yaml(&format!(
        "
name: merge
stages:
  a:
  b: {{ needs: [a] }}
  c: {{ needs: [a] }}
  e: {{ needs: [a] }}
  m: {{ needs: [b, c, e], join_type: MULTI_MERGE, reentry: {reentry} }}
  n: {{ needs: [m], join_type: MULTI_MERGE }}
"
    ))
}

#[test]
fn every_token_that_comes_to_a_multi_merge_starts_the_stage_once() {
    let mut course = Course::begun(&merge("parallel"), NOTHING);
    course.complete(["a", "b", "c"]);
    assert_eq!((course.live("m"), course.activations("m")), (2, 2));
    course.complete(["e", "m#3", "m#1", "m#2", "n#2", "n#1"]);
    assert_eq!((course.status(), course.open()), (Status::Running, vec!["n#3".to_owned()]));
    course.complete(["n#3"]);
    assert_eq!((course.status(), course.activations("n")), (Status::Succeeded, 3));
}

#[test]
fn a_serialized_stage_starts_again_when_its_activation_has_ended_and_loses_no_token() {
    let mut course = Course::begun(&merge("serialize"), NOTHING);
    course.complete(["a", "b", "c", "e"]);
    for round in 1..=3 {
        assert_eq!((course.live("m"), course.activations("m")), (1, round));
        let waiting = waits(course.state()).into_iter().find(|wait| wait.activation().is_none());
        match waiting.as_ref().map(|wait| (wait.stage(), wait.reason())) {
            Some((Some("m"), WaitReason::Serialized { activation })) => assert_eq!(*activation as usize, round),
            other => assert!(other.is_none() && round == 3, "{other:?}"),
        }
        let name = if round == 1 { "m".to_owned() } else { format!("m#{round}") };
        course.complete([name.as_str()]);
    }
    course.complete(["n", "n#2", "n#3"]);
    assert_eq!((course.status(), course.activations("n")), (Status::Succeeded, 3));
}

#[test]
fn tokens_that_wait_before_a_serialized_stage_are_left_when_the_workflow_is_canceled() {
    given(&merge("serialize"))
        .done(["a", "b", "c"])
        .when(cancel())
        .then_among(["stage.canceled m by workflow", "tokens.left c to m"])
        .status(Status::Canceled);
}

/// `p` three times and `q` as often as `q` says, before `d`, which takes one of each.
fn pairs(q: &str, rest: &str) -> Definition {
    yaml(&format!(
        "
name: pairs
{rest}
stages:
  p1:
  p2:
  p3:
  q1:
{q}
  p: {{ needs: [p1, p2, p3], join_type: MULTI_MERGE }}
  q: {{ needs: [q1{}], join_type: MULTI_MERGE }}
  d: {{ needs: [p, q], join_type: GENERALIZED_AND }}
",
        if q.is_empty() { "" } else { ", q2, q3" }
    ))
}

#[test]
fn a_generalized_and_join_takes_one_token_of_each_arc_and_keeps_the_rest() {
    let mut course = Course::begun(&pairs("  q2:\n  q3:", ""), NOTHING);
    course.complete(["p1", "p2", "p3", "q1", "q2", "q3", "p", "p#2", "p#3", "q"]);
    assert_eq!(course.activations("d"), 1);
    course.complete(["q#2", "q#3"]);
    assert_eq!((course.activations("d"), course.live("d")), (3, 3));
    course.complete(["d", "d#2", "d#3"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn tokens_left_before_a_join_are_a_deadlock_unless_the_workflow_says_they_are_not() {
    for (rest, status) in [
        ("", Status::Terminal),
        ("leftover_tokens: fail", Status::Terminal),
        ("leftover_tokens: ignore", Status::Succeeded),
    ] {
        given(&pairs("", rest))
            .done(["p1", "p2", "p3", "q1", "p", "p#2", "p#3", "q"])
            .when(complete("d"))
            .then_among(["stage.completed d", "tokens.left p to d 2 times"])
            .status(status)
            .activations("d", 1);
    }
}
