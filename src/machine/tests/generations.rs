//! Joins that count arrivals: discriminators and partial joins, structured, blocking and cancelling (WCP 9, 28 to 32).

use crate::definition::Definition;
use crate::event::Event;
use crate::machine::{State, WaitReason, evolve, waits};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{complete, go_on, late, stopped, terminal};

const NOTHING: [(&str, i32); 0] = [];

/// `a`, then `b`, `c` and `e` at once; `d` starts with the first of them, then `f`.
fn discriminator() -> Definition {
    yaml(
        "
name: x
stages:
  a:
  b: { needs: [a] }
  c: { needs: [a] }
  e: { needs: [a] }
  d: { needs: [b, c, e], join_type: DISCRIMINATOR, join_mode: structured, join_pair: a }
  f: { needs: [d] }
",
    )
}

/// `a`, then five reviewers `r0` to `r4`; `p` starts with so many of them, and `z` follows.
fn quorum(threshold: u32, more: &str) -> Definition {
    let reviewers: String = (0..5).map(|place| format!("  r{place}: {{ needs: [a] }}\n")).collect();
    yaml(&format!(
        "name: x\nstages:\n  a:\n{reviewers}  p: {{ needs: [r0, r1, r2, r3, r4], join_type: N_OF_M, \
         join_threshold: {threshold}, {more} }}\n  z: {{ needs: [p] }}\n"
    ))
}

/// Sources `p`, `q` and `r`, each of which starts once for each of its three beginnings; `d` counts them.
fn sources(names: &[&str], join: &str) -> Definition {
    let mut text = "name: x\nstages:\n".to_owned();
    for name in names {
        text += &format!("  {name}1:\n  {name}2:\n  {name}3:\n");
        text += &format!("  {name}: {{ needs: [{name}1, {name}2, {name}3], join_type: MULTI_MERGE }}\n");
    }
    yaml(&(text + &format!("  d: {{ needs: [{}], {join} }}\n", names.join(", "))))
}

/// The source sends one more token.
fn send(course: &mut Course, source: &str) {
    let number = course.activations(source) + 1;
    let beginning = format!("{source}{number}");
    course.complete([beginning.as_str(), source]);
}

fn count(course: &Course, line: &str) -> usize {
    course.story().lines().filter(|found| *found == line).count()
}

#[test]
fn the_first_branch_starts_the_stage_and_the_last_one_resets_its_join() {
    given(&discriminator())
        .done(["a"])
        .when(complete("c"))
        .then([
            "task.reported c SUCCEEDED",
            "task.completed c",
            "stage.completed c to d",
            "join.arrived d from c",
            "stage.started d",
            "task.queued d",
        ])
        .open(["b", "e", "d"])
        .when(complete("d"))
        .then_among(["stage.started f"])
        .when(complete("f"))
        .then_among(["stage.completed f"])
        .status(Status::Running)
        .when(complete("b"))
        .then(["task.reported b SUCCEEDED", "task.completed b", "stage.completed b to d", "join.arrived d from b late"])
        .open(["e"])
        .when(complete("e"))
        .then([
            "task.reported e SUCCEEDED",
            "task.completed e",
            "stage.completed e to d",
            "join.arrived d from e late",
            "join.reset d 0 complete",
            "workflow.completed",
        ])
        .status(Status::Succeeded)
        .activations("d", 1);
}

#[test]
fn in_each_order_of_five_reviewers_the_third_one_is_enough() {
    let orders = [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [1, 4, 0, 3, 2], [3, 1, 4, 2, 0]];
    for order in orders {
        let mut course = Course::begun(&quorum(3, "join_mode: structured"), NOTHING);
        course.complete(["a"]);
        for (place, reviewer) in order.into_iter().enumerate() {
            assert_eq!(course.activations("p"), usize::from(place >= 3), "\n{}", course.story());
            course.complete([format!("r{reviewer}").as_str()]);
        }
        assert_eq!(count(&course, "join.reset p 0 complete"), 1);
        assert_eq!(course.status(), Status::Running);
        course.complete(["p", "z"]);
        assert_eq!((course.status(), course.activations("p")), (Status::Succeeded, 1));
    }
}

#[test]
fn all_of_all_is_a_join_of_all() {
    let mut course = Course::begun(&quorum(5, "join_mode: structured"), NOTHING);
    course.complete(["a", "r0", "r1", "r2", "r3"]);
    assert_eq!(course.activations("p"), 0);
    course.complete(["r4", "p", "z"]);
    assert_eq!((course.status(), count(&course, "join.reset p 0 complete")), (Status::Succeeded, 1));
}

#[test]
fn what_comes_twice_waits_at_a_blocking_join_and_counts_for_the_next_generation() {
    let mut course =
        Course::begun(&sources(&["p", "q"], "join_type: DISCRIMINATOR, join_mode: blocking, reset_on: all"), NOTHING);
    send(&mut course, "p");
    assert_eq!(course.activations("d"), 1);
    send(&mut course, "p");
    send(&mut course, "p");
    assert_eq!((course.activations("d"), course.state().tokens().count()), (1, 2));
    // The first of q only completes the generation; then the first waiting p fires the next one at once.
    send(&mut course, "q");
    assert_eq!(course.activations("d"), 2);
    assert_eq!(count(&course, "join.reset d 0 complete"), 1);
    send(&mut course, "q");
    assert_eq!(course.activations("d"), 3);
    send(&mut course, "q");
    assert_eq!(course.activations("d"), 3);
    assert_eq!(count(&course, "join.reset d 2 complete"), 1);
    course.complete(["d", "d", "d"]);
    assert_eq!(course.status(), Status::Succeeded);
    assert_eq!(count(&course, "join.arrived d from p") + count(&course, "join.arrived d from p late"), 3);
    assert_eq!(count(&course, "join.arrived d from q") + count(&course, "join.arrived d from q late"), 3);
}

#[test]
fn a_blocking_partial_join_counts_a_branch_once_a_generation() {
    let join = "join_type: N_OF_M, join_threshold: 2, join_mode: blocking, reset_on: all";
    let mut course = Course::begun(&sources(&["p", "q", "r"], join), NOTHING);
    send(&mut course, "p");
    send(&mut course, "p");
    assert_eq!(course.activations("d"), 0, "the same branch counts once");
    send(&mut course, "q");
    assert_eq!(course.activations("d"), 1);
    // r is too late for this generation, which is over with it: the second p counts for the next.
    send(&mut course, "r");
    assert_eq!(course.activations("d"), 1);
    assert_eq!(count(&course, "join.reset d 0 complete"), 1);
    send(&mut course, "r");
    assert_eq!(course.activations("d"), 2);
    assert_eq!(count(&course, "join.reset d 1 complete"), 0, "q has not brought its token yet");
}

/// `a`, then the branches `b b2`, `c c2` and `e e2`; the first of them starts `d`.
fn race(more: &str) -> Definition {
    yaml(&format!(
        "
name: x
stages:
  a:
  b: {{ needs: [a] }}
  b2: {{ needs: [b] }}
  c: {{ needs: [a] }}
  c2: {{ needs: [c] }}
  e: {{ needs: [a] }}
  e2: {{ needs: [e] }}
  d: {{ needs: [b2, c2, e2], join_type: DISCRIMINATOR, join_mode: cancelling, {more} }}
"
    ))
}

#[test]
fn a_cancelling_discriminator_ends_the_other_branches_and_starts_over_at_once() {
    given(&race("join_pair: a"))
        .done(["a", "b", "e"])
        .when(complete("b2"))
        .then([
            "task.reported b2 SUCCEEDED",
            "task.completed b2",
            "stage.completed b2 to d",
            "join.arrived d from b2",
            "stage.started d",
            "task.queued d",
            "join.reset d 0 cancelling",
            "stage.canceled c by discriminator",
            "stage.canceled e2 by discriminator",
        ])
        .open(["d"])
        .activations("c2", 0)
        .when(complete("c@1"))
        .refused("NOT_AWAITED")
        .when(late("c@1"))
        .then(["task.result_discarded c SUCCEEDED"])
        .when(complete("d"))
        .then_among(["workflow.completed"])
        .status(Status::Succeeded)
        .activations("d", 1);
}

#[test]
fn a_cancelling_partial_join_ends_what_is_left_when_it_fires() {
    let mut course = Course::begun(&quorum(3, "join_mode: cancelling"), NOTHING);
    course.complete(["a", "r4", "r1"]);
    assert_eq!(course.activations("p"), 0);
    course.complete(["r2"]);
    for line in
        ["join.reset p 0 cancelling", "stage.canceled r0 by discriminator", "stage.canceled r3 by discriminator"]
    {
        assert_eq!(count(&course, line), 1, "{line}\n{}", course.story());
    }
    assert!(course.attempt(&complete("r0@1")).is_err());
    course.complete(["p", "z"]);
    assert_eq!((course.status(), course.activations("p")), (Status::Succeeded, 1));
}

#[test]
fn tokens_that_wait_in_the_branches_are_removed_with_what_inner_joins_have_counted() {
    // c and g meet before d; of them only c has come when b fires d.
    let inner = |join: &str| {
        yaml(&format!(
            "
name: x
stages:
  a:
  b: {{ needs: [a] }}
  c: {{ needs: [a] }}
  g: {{ needs: [a] }}
  m: {{ needs: [c, g], {join} }}
  d: {{ needs: [b, m], join_type: DISCRIMINATOR, join_mode: cancelling }}
"
        ))
    };
    given(&inner("")).done(["a", "c"]).when(complete("b")).then_among([
        "stage.started d",
        "tokens.removed c to m by discriminator",
        "join.reset d 0 cancelling",
        "stage.canceled g by discriminator",
    ]);
    given(&inner("join_type: N_OF_M, join_threshold: 2"))
        .done(["a", "c"])
        .when(complete("b"))
        .then_among([
            "stage.started d",
            "tokens.removed c to m by discriminator",
            "join.reset d 0 cancelling",
            "stage.canceled g by discriminator",
        ])
        .when(complete("d"))
        .then_among(["workflow.completed"]);
    // An inner join that has fired would swallow the first arrival of the next round.
    given(&inner("join_type: DISCRIMINATOR")).done(["a", "c"]).when(complete("b")).then_among([
        "stage.started d",
        "join.reset m 0 withdrawn",
        "join.reset d 0 cancelling",
        "stage.canceled g by discriminator",
        "stage.canceled m by discriminator",
    ]);
}

#[test]
fn what_lies_in_a_region_is_withdrawn_and_vanishes_whatever_is_said_of_the_region() {
    for rules in ["{}", "{ effect: remove, future: allow }", "{ effect: bypass, future: withdraw }"] {
        let race = yaml(&format!(
            "
name: x
regions: {{ r: {rules} }}
stages:
  a:
  b: {{ needs: [a] }}
  c: {{ needs: [a], cancel_region: r }}
  g: {{ needs: [a], cancel_region: r }}
  m: {{ needs: [c, g], cancel_region: r }}
  o: {{ needs: [a] }}
  d: {{ needs: [b, m], join_type: DISCRIMINATOR, join_mode: cancelling, join_cancel_scope: {{ region: r }} }}
"
        ));
        given(&race)
            .done(["a", "c"])
            .when(complete("b"))
            .then([
                "task.reported b SUCCEEDED",
                "task.completed b",
                "stage.completed b to d",
                "join.arrived d from b",
                "stage.started d",
                "task.queued d",
                "tokens.removed c to m by discriminator",
                "join.reset d 0 cancelling",
                "stage.canceled g by discriminator",
            ])
            .open(["o", "d"])
            .activations("m", 0)
            .when(complete("o"))
            .then_among(["stage.completed o"])
            .when(complete("d"))
            .then_among(["workflow.completed"])
            .status(Status::Succeeded);
    }
}

#[test]
fn a_region_that_a_join_withdraws_runs_again_in_the_next_round() {
    let text = "
name: x
stages:
  a: { join_type: XOR, back_from: [d] }
  b: { needs: [a] }
  c: { needs: [a], cancel_region: r }
  d:
    needs: [b, c]
    join_type: DISCRIMINATOR
    join_mode: cancelling
    join_cancel_scope: { region: r }
    split_type: XOR
    split_conditions: { a: stages.a.activations < 2, z: 'true' }
  z: { needs: [d] }
";
    let mut course = Course::begun(&yaml(text), NOTHING);
    course.complete(["a", "b"]);
    assert_eq!(course.open(), ["d"]);
    course.complete(["d", "a"]);
    // The second round is won by what was withdrawn in the first; only the region is withdrawn.
    course.complete(["c"]);
    assert_eq!((course.open(), course.activations("c")), (vec!["b#2".to_owned(), "d#2".to_owned()], 2));
    assert_eq!(count(&course, "stage.canceled c by discriminator"), 1);
}

#[test]
fn only_the_named_stages_are_withdrawn() {
    let mut course = Course::begun(&race("join_cancel_scope: { stages: [c] }"), NOTHING);
    course.complete(["a", "b", "e", "b2"]);
    assert_eq!(count(&course, "stage.canceled c by discriminator"), 1);
    assert_eq!(course.open(), ["e2", "d"]);
    // What was not withdrawn is the first arrival of the next generation.
    course.complete(["e2", "d", "d"]);
    assert_eq!((course.activations("d"), course.status()), (2, Status::Succeeded));
}

#[test]
fn a_branch_that_stops_does_not_arrive_and_one_that_goes_on_after_a_failure_does() {
    let branches = |on_failure: &str| {
        yaml(&format!(
            "
name: x
stages:
  a:
  b: {{ needs: [a], on_failure: {on_failure} }}
  c: {{ needs: [a], on_failure: {on_failure} }}
  e: {{ needs: [a], on_failure: {on_failure} }}
  d: {{ needs: [b, c, e], join_type: N_OF_M, join_threshold: 2, join_mode: structured }}
"
        ))
    };
    let mut course = Course::begun(&branches("stop"), NOTHING);
    course.complete(["a", "b"]);
    course.happen(&terminal("c"));
    assert_eq!(course.activations("d"), 0);
    course.complete(["e", "d"]);
    assert_eq!((course.status(), course.activations("d")), (Status::Succeeded, 1));
    let mut course = Course::begun(&branches("continue"), NOTHING);
    course.complete(["a", "b"]);
    course.happen(&terminal("c"));
    assert_eq!(course.activations("d"), 1);
    let mut course = Course::begun(&branches("fail"), NOTHING);
    course.complete(["a", "b"]);
    course.happen(&terminal("c"));
    assert_eq!(course.status(), Status::Terminal);
}

#[test]
fn a_threshold_that_only_stopped_branches_made_unreachable_leaves_its_tokens() {
    let mut course = Course::begun(&quorum(4, "join_mode: structured"), NOTHING);
    course.complete(["a", "r0", "r1"]);
    course.happen(&stopped("r2"));
    course.happen(&stopped("r3"));
    course.complete(["r4"]);
    assert_eq!((course.status(), course.activations("p")), (Status::Succeeded, 0));
    assert_eq!(count(&course, "tokens.left r0 to p, r1 to p, r4 to p"), 1, "\n{}", course.story());
}

#[test]
fn what_is_missing_is_told_with_those_who_may_bring_it() {
    let mut course = Course::begun(&quorum(3, "join_mode: structured"), NOTHING);
    course.complete(["a", "r0", "r3"]);
    let found = waits(course.state());
    let wait = found.iter().find(|wait| wait.stage() == Some("p")).unwrap();
    let WaitReason::Arrivals { seen, threshold, missing } = wait.reason() else { panic!("{wait:?}") };
    assert_eq!((*seen, *threshold), (2, 3));
    let told: Vec<(Option<&str>, Vec<&str>)> =
        missing.iter().map(|arc| (arc.from(), arc.may_be_served_by().map(|server| server.stage()).collect())).collect();
    assert_eq!(told, [(Some("r1"), vec!["r1"]), (Some("r2"), vec!["r2"]), (Some("r4"), vec!["r4"])]);
    let join = "join_type: DISCRIMINATOR, join_mode: blocking, reset_on: all";
    let mut course = Course::begun(&sources(&["p", "q"], join), NOTHING);
    send(&mut course, "p");
    send(&mut course, "p");
    let found = waits(course.state());
    let wait = found.iter().find(|wait| wait.stage() == Some("d") && wait.activation().is_none()).unwrap();
    let WaitReason::Blocked { generation: 0, missing } = wait.reason() else { panic!("{wait:?}") };
    assert_eq!(missing.iter().map(|arc| arc.from()).collect::<Vec<_>>(), [Some("q")]);
}

#[test]
fn a_second_token_between_two_resets_of_a_structured_join_fails_typed() {
    // The definition is checked, so only a normal form that was made by other hands says structured here.
    let blocking = sources(&["p", "q"], "join_type: DISCRIMINATOR, join_mode: blocking, reset_on: all");
    let normal = blocking.to_json().replace(r#""join_mode":"blocking""#, r#""join_mode":"structured""#);
    let structured = Definition::from_normal(&normal).unwrap();
    let mut course = Course::begun(&structured, NOTHING);
    send(&mut course, "p");
    send(&mut course, "p");
    assert_eq!(course.status(), Status::Terminal);
    let story = course.story();
    assert!(story.contains("stage.failed d#2 TERMINAL STRUCTURE_VIOLATION"), "{story}");
    assert!(story.contains("workflow.failed STAGE_FAILED d#2 STRUCTURE_VIOLATION"), "{story}");
    assert_eq!(course.activations("d"), 1);
}

#[test]
fn a_serialized_stage_counts_while_it_runs_and_starts_again_when_it_has_ended() {
    let join = "join_type: DISCRIMINATOR, join_mode: blocking, reset_on: all, reentry: serialize";
    let mut course = Course::begun(&sources(&["p", "q"], join), NOTHING);
    for source in ["p", "p", "q"] {
        send(&mut course, source);
    }
    assert_eq!((course.live("d"), course.activations("d")), (1, 1));
    course.complete(["d"]);
    assert_eq!((course.live("d"), course.activations("d")), (1, 2));
}

#[test]
fn a_join_of_thousands_of_arcs_looks_at_each_of_them_once() {
    const WIDTH: usize = 2_000;
    let mut text = "name: x\nstages:\n  a:\n".to_owned();
    let names: Vec<String> = (0..WIDTH).map(|place| format!("s{place}")).collect();
    for name in &names {
        text += &format!("  {name}: {{ needs: [a], if: 'false' }}\n");
    }
    text += &format!(
        "  p: {{ needs: [{}], join_type: N_OF_M, join_threshold: {WIDTH}, join_mode: structured }}\n",
        names.join(", ")
    );
    let mut course = Course::begun(&yaml(&text), NOTHING);
    course.complete(["a"]);
    while course.state().is_unsettled() {
        course.happen(&go_on());
    }
    course.complete(["p"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn events_of_joins_that_cannot_have_happened_are_refused() {
    let mut course = Course::begun(&discriminator(), NOTHING);
    course.complete(["a", "c"]);
    let events: Vec<Event> = course.events().to_vec();
    let arrived = events.iter().position(|event| matches!(event, Event::JoinArrived { .. })).unwrap();
    let mut state = State::new(course.state().workflow(), course.state().definition().clone());
    for event in &events[..=arrived] {
        evolve(&mut state, event).unwrap();
    }
    assert!(evolve(&mut state.clone(), &events[arrived]).is_err(), "an arc counts once");
    for event in &events[arrived + 1..] {
        evolve(&mut state, event).unwrap();
    }
    assert!(evolve(&mut state.clone(), &events[arrived + 1]).is_err(), "a generation fires once");
}
