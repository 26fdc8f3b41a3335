//! Regions: stages that need not be connected and are canceled together (WCP 25).

use crate::definition::Definition;
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::{with_limits, yaml};
use crate::testing::given::given;
use crate::testing::happening::{complete, create, go_on, late, start, terminal};

/// `a`, then `b` with `b2`, `c` with `c2`, and `k`, which cancels the region of `b`, `b2` and `c2`; then `z`.
fn region(rules: &str, join: &str) -> Definition {
    yaml(&format!(
        "
name: region
regions: {{ r: {rules} }}
stages:
  a:
  b: {{ needs: [a], cancel_region: r }}
  b2: {{ needs: [b], cancel_region: [r] }}
  c: {{ needs: [a] }}
  c2: {{ needs: [c], cancel_region: [r] }}
  k: {{ needs: [a], cancels: [{{ region: r }}] }}
  z: {{ needs: [b2, c2, k], join_type: {join} }}
"
    ))
}

#[test]
fn what_runs_and_what_comes_later_is_bypassed() {
    given(&region("{}", "AND"))
        .done(["a"])
        .after([start("b")])
        .when(complete("k"))
        .then([
            "task.reported k SUCCEEDED",
            "task.completed k",
            "region.canceled r by k",
            "stage.canceled b by region r to b2",
            "stage.completed k to z",
            "stage.ready b2",
            "stage.canceled b2 by region r to z",
        ])
        .open(["c"])
        .when(late("b@1"))
        .then(["task.result_discarded b SUCCEEDED"])
        .when(complete("b"))
        .refused("NOT_AWAITED")
        .when(complete("c"))
        .then([
            "task.reported c SUCCEEDED",
            "task.completed c",
            "stage.completed c to c2",
            "stage.ready c2",
            "stage.canceled c2 by region r to z",
            "stage.started z",
            "task.queued z",
        ])
        .after([complete("z")])
        .status(Status::Succeeded)
        .activations("b2", 0)
        .activations("c2", 0);
}

#[test]
fn what_comes_later_runs_where_it_is_allowed() {
    given(&region("{ future: allow }", "AND"))
        .done(["a"])
        .when(complete("k"))
        .then_among(["region.canceled r by k", "stage.canceled b by region r to b2", "stage.completed k to z"])
        .open(["b2", "c"])
        .after([complete("b2"), complete("c"), complete("c2"), complete("z")])
        .status(Status::Succeeded);
}

#[test]
fn what_is_removed_emits_nothing_and_what_arrives_later_vanishes() {
    given(&region("{ effect: remove }", "MULTI_MERGE"))
        .done(["a"])
        .when(complete("k"))
        .then([
            "task.reported k SUCCEEDED",
            "task.completed k",
            "region.canceled r by k",
            "stage.canceled b by region r",
            "stage.completed k to z",
            "stage.started z from k",
            "task.queued z",
        ])
        .when(complete("c"))
        .then([
            "task.reported c SUCCEEDED",
            "task.completed c",
            "stage.completed c to c2",
            "tokens.removed c to c2 by region r",
        ])
        .after([complete("z")])
        .status(Status::Succeeded)
        .activations("z", 1)
        .activations("c2", 0);
}

#[test]
fn what_is_removed_starves_a_join_that_waits_for_it() {
    given(&region("{ effect: remove }", "AND")).done(["a", "k"]).when(complete("c")).then_among([
        "tokens.removed c to c2 by region r",
        "tokens.left k to z",
        "workflow.failed DEADLOCK z lacks b2, c2",
    ]);
}

#[test]
fn tokens_that_wait_in_a_region_are_removed_and_those_that_come_later_stay_where_they_are_allowed() {
    let waiting = yaml(
        "
name: waiting tokens
regions: { r: { effect: remove, future: allow } }
stages:
  a:
  x: { needs: [a] }
  y: { needs: [a] }
  j: { needs: [x, y], cancel_region: r }
  k: { needs: [a], cancels: [{ region: r }] }
",
    );
    given(&waiting)
        .done(["a", "x"])
        .when(complete("k"))
        .then_among(["region.canceled r by k", "tokens.removed x to j by region r", "stage.completed k"])
        .when(complete("y"))
        .then_among(["stage.completed y to j", "tokens.left y to j", "workflow.failed DEADLOCK j lacks x"]);
}

#[test]
fn nothing_is_canceled_where_nothing_is_and_the_future_is_allowed() {
    given(&region("{ future: allow }", "AND"))
        .done(["a", "b", "b2"])
        .when(complete("k"))
        .then(["task.reported k SUCCEEDED", "task.completed k", "stage.completed k to z"])
        .after([complete("c")])
        .open(["c2"]);
}

#[test]
fn the_canceller_in_its_own_region_is_done_and_goes_on() {
    let inside = yaml(
        "
name: inside
stages:
  a:
  b: { needs: [a], cancel_region: r }
  k: { needs: [a], cancels: [{ region: r }], cancel_region: r }
  z: { needs: [b, k] }
",
    );
    given(&inside)
        .done(["a"])
        .when(complete("k"))
        .then([
            "task.reported k SUCCEEDED",
            "task.completed k",
            "region.canceled r by k",
            "stage.canceled b by region r to z",
            "stage.completed k to z",
            "stage.started z",
            "task.queued z",
        ])
        .after([complete("z")])
        .status(Status::Succeeded);
}

#[test]
fn a_withdrawn_region_is_open_again_when_its_canceller_is_activated_again() {
    let twice = yaml(
        "
name: twice
stages:
  a:
  x: { needs: [a] }
  k: { needs: [a, x], join_type: XOR, cancels: [{ region: r }] }
  y: { needs: [k] }
  b: { needs: [k], cancel_region: r }
",
    );
    // The first round withdraws b; the second activation of k opens the region until it succeeds, too.
    given(&twice)
        .done(["a"])
        .when(complete("k"))
        .then_among([
            "region.canceled r by k",
            "stage.completed k to y, b",
            "stage.ready b",
            "stage.canceled b by region r",
        ])
        .after([complete("x")])
        .when(terminal("k"))
        .then_among(["workflow.failed STAGE_FAILED k#2 TOLD"]);
    let reopened = yaml(
        "
name: reopened
stages:
  a:
  x: { needs: [a] }
  w: { needs: [x] }
  k: { needs: [a, x], join_type: XOR, cancels: [{ region: r }] }
  b: { needs: [w], cancel_region: r }
",
    );
    given(&reopened)
        .done(["a", "k", "x", "w"])
        .when(complete("b"))
        .then_among(["stage.completed b"])
        .activations("b", 1);
}

#[test]
fn a_bypass_without_a_branch_fails() {
    let choice = yaml(
        "
name: choice
stages:
  a:
  b: { needs: [a], cancel_region: r, split_type: XOR, split_conditions: { c: 'false' } }
  c: { needs: [b] }
  k: { needs: [a], cancels: [{ region: r }] }
",
    );
    given(&choice)
        .done(["a"])
        .when(complete("k"))
        .then_among([
            "region.canceled r by k",
            "stage.failed b TERMINAL NO_BRANCH",
            "workflow.failed STAGE_FAILED b NO_BRANCH",
        ])
        .open([]);
}

#[test]
fn cuts_change_nothing() {
    for rules in ["{}", "{ effect: remove }", "{ effect: remove, future: allow }"] {
        let told = |most: Option<u64>| {
            let whole = region(rules, "MULTI_MERGE");
            let definition = most.map_or(whole.clone(), |most| with_limits(&whole, &[("chunk_events_max", most)]));
            let mut course = Course::new(&definition);
            course.happen(&create());
            for work in ["", "a", "b", "k", "c"] {
                while course.state().is_unsettled() {
                    course.happen(&go_on());
                }
                if !work.is_empty() {
                    course.happen(&complete(work));
                }
            }
            while course.state().is_unsettled() {
                course.happen(&go_on());
            }
            let story = course.story();
            let told = story.lines().filter(|line| !line.starts_with("settle.")).map(str::to_owned);
            told.collect::<Vec<String>>()
        };
        assert_eq!(told(Some(1)), told(None), "{rules}");
    }
}
