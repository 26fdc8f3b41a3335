//! Splits into all branches whose conditions hold (WCP 6).

use crate::definition::Definition;
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{complete, create};

/// `a`, then by what is in `take` any of `b`, `c`, `e`, each followed by another stage, or what `rest` says.
fn choice(rest: &str) -> Definition {
    yaml(&format!(
        "
name: choice
inputs: {{ take: {{ type: list, default: [] }} }}
stages:
  a: {{ split_type: OR, split_conditions: {{ b: \"'b' in inputs.take\", c: \"'c' in inputs.take\" }}{rest} }}
  b: {{ needs: [a] }}
  b2: {{ needs: [b] }}
  c: {{ needs: [a] }}
  c2: {{ needs: [c] }}
  e: {{ needs: [a] }}
"
    ))
}

/// What is open after `a` took these branches.
fn taken(definition: &Definition, take: &[&str]) -> Vec<String> {
    let mut course = Course::begun(definition, [("take", crate::value::Value::list(take.iter().copied()))]);
    course.complete(["a"]);
    course.open()
}

#[test]
fn every_branch_whose_condition_holds_is_taken_and_one_without_condition_always_is() {
    for (take, expected) in [
        (["b", "c"].as_slice(), ["b", "c", "e"].as_slice()),
        (&["b"], &["b", "e"]),
        (&["c"], &["c", "e"]),
        (&[], &["e"]),
    ] {
        assert_eq!(taken(&choice(""), take), expected, "{take:?}");
    }
}

#[test]
fn the_default_is_taken_only_if_no_condition_holds() {
    for (take, expected) in [(["b", "c"].as_slice(), ["b", "c"].as_slice()), (&["c"], &["c"]), (&[], &["e"])] {
        assert_eq!(taken(&choice(", split_default: e"), take), expected, "{take:?}");
    }
}

#[test]
fn branches_that_are_not_taken_never_run_at_any_length() {
    let take = [("take", crate::value::Value::list(["c"]))];
    let mut course = Course::begun(&choice(", split_default: e"), take);
    course.complete(["a", "c", "c2"]);
    assert_eq!(course.status(), Status::Succeeded);
    assert_eq!(["b", "b2", "c", "c2", "e"].map(|stage| course.activations(stage)), [0, 0, 1, 1, 0]);
}

#[test]
fn a_split_of_which_no_branch_can_be_taken_fails_its_stage() {
    let definition = yaml(
        "{ name: x, stages: { a: { split_type: OR, split_conditions: { b: 'false', c: 'false' } }, b: { needs: [a] }, c: { needs: [a] } } }",
    );
    given(&definition)
        .when(complete("a"))
        .then_among(["stage.failed a TERMINAL NO_BRANCH", "workflow.failed STAGE_FAILED a NO_BRANCH"])
        .activations("b", 0)
        .activations("c", 0);
}

#[test]
fn all_conditions_are_examined_so_that_an_error_in_any_of_them_counts() {
    let with = |rest: &str| {
        yaml(&format!(
            "{{ name: x, stages: {{ a: {{ split_type: OR, split_conditions: {{ b: 'true', c: \"1 < 'x'\" }}{rest} }}, b: {{ needs: [a] }}, c: {{ needs: [a] }} }} }}"
        ))
    };
    given(&with("")).when(complete("a")).then_among(["stage.failed a TERMINAL CONDITION_FAILED"]);
    given(&with(", on_condition_error: 'false'")).when(complete("a")).then_among(["stage.completed a to b"]);
}

#[test]
fn the_end_is_a_branch_like_others() {
    let with = |end: &str, b: &str| {
        yaml(&format!(
            "{{ name: x, stages: {{ a: {{ split_type: OR, split_conditions: {{ $end: '{end}', b: '{b}' }} }}, b: {{ needs: [a] }} }} }}"
        ))
    };
    given(&with("true", "true")).when(complete("a")).then_among(["stage.completed a to b"]).open(["b"]);
    given(&with("true", "false")).when(complete("a")).then_among(["stage.completed a", "workflow.completed"]);
}

#[test]
fn a_stage_that_is_passed_by_goes_everywhere_if_it_could_go_nowhere() {
    let with = |conditions: &str| {
        yaml(&format!(
            "{{ name: x, stages: {{ a: {{ if: 'false', split_type: OR, split_conditions: {{ {conditions} }} }}, b: {{ needs: [a] }}, c: {{ needs: [a] }} }} }}"
        ))
    };
    given(&with("b: 'false', c: \"1 < 'x'\"")).when(create()).then_among(["stage.skipped a to b, c"]).open(["b", "c"]);
    given(&with("b: 'true', c: \"1 < 'x'\"")).when(create()).then_among(["stage.skipped a to b"]).open(["b"]);
    // What is always taken is a way already.
    given(&with("b: 'false'")).when(create()).then_among(["stage.skipped a to c"]).open(["c"]);
}
