//! Circles: control that comes back, from several sides and to several places (WCP 10), and where it has to end.

use crate::definition::Definition;
use crate::machine::{WaitReason, waits};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::{with_limits, yaml};
use crate::testing::given::given;
use crate::testing::happening::{complete, create};
use crate::value::Value;

/// `s`, then `p` or `q`; `p` leads to `q`, `q` to `r`, and `r` back to `p`, or to `t` or `u`: two ways in, two out.
/// `first` is where control goes from `s`, `ways` where it goes from `r` at each of its activations.
fn two_ways_in(rest: &str) -> Definition {
    yaml(&format!(
        "
name: two_ways_in
inputs: {{ first: {{ type: string }}, ways: {{ type: list }} }}
stages:
  s: {{ split_type: XOR, split_conditions: {{ p: \"inputs.first == 'p'\" }}, split_default: q }}
  p: {{ needs: [s], back_from: [r], join_type: XOR }}
  q: {{ needs: [s, p], join_type: XOR }}
  r:
    needs: [q]
    split_type: XOR
    split_conditions: {{ p: \"stages.p.activations is None and 'p' in inputs.ways\", t: \"'t' in inputs.ways\" }}
    split_default: u
  t: {{ needs: [r] }}
  u: {{ needs: [r] }}
{rest}"
    ))
}

fn begun(definition: &Definition, first: &str, ways: &[&str]) -> Course {
    Course::begun(definition, [("first", Value::from(first)), ("ways", Value::list(ways.iter().copied()))])
}

fn counts(course: &Course) -> [usize; 5] {
    ["p", "q", "r", "t", "u"].map(|stage| course.activations(stage))
}

#[test]
fn a_circle_can_be_entered_and_left_at_several_places() {
    let mut course = begun(&two_ways_in(""), "q", &["p", "t"]);
    course.complete(["s", "q", "r", "p", "q#2", "r#2", "t"]);
    assert_eq!((course.status(), counts(&course)), (Status::Succeeded, [1, 2, 2, 1, 0]));
    let mut course = begun(&two_ways_in(""), "p", &[]);
    course.complete(["s", "p", "q", "r", "u"]);
    assert_eq!((course.status(), counts(&course)), (Status::Succeeded, [1, 1, 1, 0, 1]));
}

#[test]
fn what_runs_beside_a_circle_is_not_touched_by_its_turns() {
    let mut course = begun(&two_ways_in("  z:\n"), "q", &["p", "t"]);
    course.complete(["s", "q", "r", "p"]);
    assert_eq!((course.live("z"), course.activations("z")), (1, 1));
    course.complete(["q#2", "r#2", "t", "z"]);
    assert_eq!((course.status(), course.activations("z")), (Status::Succeeded, 1));
}

/// `a` again and again, then `b`.
fn again(keys: &str) -> Definition {
    yaml(&format!(
        "
name: again
inputs: {{ turns: {{ type: integer, default: 1000000 }} }}
stages:
  a:
    join_type: XOR
    back_from: [{{ stage: a, max_iterations: 3 }}]
    split_type: XOR
    split_conditions: {{ a: 'true' }}
    split_default: b
    {keys}
  b: {{ needs: [a] }}
"
    ))
}

#[test]
fn an_arc_that_leads_back_is_taken_as_often_as_it_may_be() {
    let definition = again("");
    given(&definition)
        .done(["a", "a#2", "a#3"])
        .when(complete("a#4"))
        .then_among(["stage.failed a#4 TERMINAL LOOP_LIMIT", "workflow.failed STAGE_FAILED a#4 LOOP_LIMIT"])
        .status(Status::Terminal)
        .activations("b", 0);
    given(&again("on_failure: stop"))
        .done(["a", "a#2", "a#3"])
        .when(complete("a#4"))
        .then_among(["stage.failed a#4 STOPPED LOOP_LIMIT", "workflow.completed"]);
}

#[test]
fn a_circle_in_which_nothing_is_waited_for_fails_after_so_many_turns() {
    let definition = yaml(
        "{ name: x, stages: { a: { if: 'false', join_type: XOR, back_from: [b] }, b: { needs: [a], if: 'false' } } }",
    );
    let course = given(&definition).when(create()).then_among(["stage.failed b#1001 TERMINAL INSTANT_LOOP"]);
    assert_eq!(course.course().status(), Status::Terminal);
    // What comes from outside begins a new count; going on with what was cut does not.
    let few = with_limits(&definition, &[("instant_turns_max", 2), ("chunk_events_max", 3)]);
    let mut course = Course::begun(&few, [("x", 0); 0]);
    while course.state().is_unsettled() {
        course.happen(&crate::testing::happening::go_on());
    }
    assert!(course.story().contains("stage.failed b#3 TERMINAL INSTANT_LOOP"), "{}", course.story());
    let worked = with_limits(&again(""), &[("instant_turns_max", 1)]);
    given(&worked).done(["a", "a#2"]).when(complete("a#3")).then_among(["stage.completed a#3 to a"]);
}

#[test]
fn a_stage_reads_what_came_before_it_in_an_earlier_turn() {
    let definition = yaml(
        "
name: x
stages:
  a:
    join_type: XOR
    back_from: [b]
    outputs: { seen: \"${{ stages.b.activations }}\" }
  b: { needs: [a], split_type: XOR, split_conditions: { a: 'stages.a.outputs.seen is None' }, split_default: $end }
",
    );
    given(&definition)
        .done(["a"])
        .when(complete("b"))
        .then_among(["stage.completed b to a"])
        .when(complete("a#2"))
        .then_among(["stage.completed a#2 to b {\"seen\":1}"])
        .when(complete("b#2"))
        .then_among(["stage.completed b#2", "workflow.completed"]);
}

#[test]
fn a_join_in_a_circle_names_who_may_serve_it_and_not_itself() {
    let definition = yaml(
        "
name: x
stages:
  s:
  p: { needs: [s] }
  q: { needs: [s], join_type: XOR, back_from: [k] }
  j: { needs: [p, q] }
  k: { needs: [j] }
",
    );
    let mut course = Course::begun(&definition, [("x", 0); 0]);
    course.complete(["s", "q"]);
    let found = waits(course.state());
    let missing = found
        .iter()
        .find_map(|wait| if let WaitReason::Join { missing, .. } = wait.reason() { Some(missing) } else { None });
    let servers: Vec<&str> = missing.unwrap()[0].may_be_served_by().map(|server| server.stage()).collect();
    assert_eq!(servers, ["p"]);
    course.complete(["p", "j", "k", "q#2"]);
    // Behind the join nobody is left who could bring another token from p.
    let found = course.state().end_reason().map(|reason| reason.code());
    assert_eq!(found, Some("DEADLOCK"));
}

#[test]
fn a_loop_of_many_turns_keeps_what_it_needs_and_no_more() {
    let definition = yaml(
        "{ name: x, stages: { a: { join_type: XOR, back_from: [b] }, b: { needs: [a], split_type: XOR, split_conditions: { a: 'true' }, split_default: $end } } }",
    );
    let mut course = Course::begun(&definition, [("x", 0); 0]);
    let size = |course: &Course| format!("{:?}", course.state().core()).len();
    let turn = |course: &mut Course, turn: usize| {
        let name = |stage: &str| if turn == 1 { stage.to_owned() } else { format!("{stage}#{turn}") };
        course.complete([name("a").as_str(), name("b").as_str()]);
    };
    (1..=10).for_each(|number| turn(&mut course, number));
    let before = size(&course);
    (11..=99).for_each(|number| turn(&mut course, number));
    assert!(size(&course) < before + 200, "{before} bytes have become {}", size(&course));
}
