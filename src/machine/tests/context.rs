//! What an activation sees: the effective context, key by key (R11).

use crate::definition::Definition;
use crate::machine::data::Surroundings;
use crate::machine::{State, Work, outstanding, surroundings};
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::happening::{Happening, complete, failed_continue, fire, running, skipped, stopped, terminal};
use crate::value::{Map, Value};

/// What the open attempt of `stage` sees.
fn seen_by(state: &State, stage: &str) -> Surroundings {
    let of_stage = |work| match work {
        Work::RunTask { attempt, .. } => {
            let name = &state.definition().graph().stage(attempt.task.activation.stage).ref_id;
            (name == stage).then_some(attempt)
        }
        Work::WaitUntil { .. }
        | Work::Continue
        | Work::AwaitChild { .. }
        | Work::CancelChild { .. }
        | Work::ByHand { .. }
        | Work::AwaitSignal { .. }
        | Work::AwaitThread { .. }
        | Work::AwaitClaim { .. }
        | Work::MoreInstances { .. }
        | Work::StopTask { .. } => None,
    };
    let attempt = outstanding(state).find_map(of_stage).unwrap_or_else(|| panic!("{stage} is not open"));
    surroundings(state, attempt).unwrap().0
}

/// What `stage` sees after all this: as the whole, which every key alone has to agree with.
fn context(definition: &Definition, inputs: &[(&str, Value)], happenings: Vec<Happening>, stage: &str) -> Map {
    let inputs = inputs.iter().map(|(key, value)| (*key, value.clone()));
    let mut course = Course::begun(definition, inputs);
    for happening in happenings {
        course.happen(&happening);
    }
    let seen = seen_by(course.state(), stage);
    let all = seen.all().unwrap();
    for (key, value) in &all {
        assert_eq!(seen.lookup(key).unwrap().as_ref(), Some(value), "{key}");
    }
    assert_eq!(seen.lookup("no-such-key"), Ok(None));
    all
}

fn json(map: &Map) -> String {
    Value::Map(map.clone()).to_json()
}

/// After all this, `d` sees exactly that.
fn sees(stages: &str, input: Option<Value>, happenings: Vec<Happening>, expected: &str) {
    let text = format!("{{ name: x, inputs: {{ k: {{ type: any, default: null }} }}, stages: {{ {stages} }} }}");
    let inputs: Vec<(&str, Value)> = input.map(|value| ("k", value)).into_iter().collect();
    let found = context(&yaml(&text), &inputs, happenings, "d");
    assert_eq!(json(&found), expected, "{stages}");
}

const DIAMOND: &str = "a: , b: { needs: [a] }, c: { needs: [a] }, d: { needs: [b, c] }";

#[test]
fn of_scalars_the_later_wins() {
    let one = || Some(Value::from(1));
    sees("d: ", one(), vec![], r#"{"k":1}"#);
    // Outputs beat inputs, the own context beats outputs.
    sees("a: , d: { needs: [a] }", one(), vec![complete("a").output("k", 2)], r#"{"k":2}"#);
    sees("a: , d: { needs: [a], context: { k: 3 } }", one(), vec![complete("a").output("k", 2)], r#"{"k":3}"#);
    // A deeper stage beats those it builds on, wherever it stands.
    let upside_down = "b: { needs: [a] }, a: , d: { needs: [a, b] }";
    let both = vec![complete("a").output("k", 1), complete("b").output("k", 2)];
    sees(upside_down, None, both, r#"{"k":2}"#);
    // At one depth the order of the definition decides, not that of the ends.
    let race = vec![complete("a"), complete("c").output("k", "c"), complete("b").output("k", "b")];
    sees(DIAMOND, None, race, r#"{"k":"c"}"#);
}

#[test]
fn lists_grow_by_what_is_not_there_yet() {
    let list = |items: &[i32]| Value::list(items.iter().copied());
    let happenings = vec![
        complete("a").output("k", list(&[1, 2])),
        complete("c").output("k", list(&[5, 1])),
        complete("b").output("k", list(&[3, 0])),
    ];
    sees(DIAMOND, Some(list(&[0])), happenings, r#"{"k":[0,1,2,3,5]}"#);
    // A scalar between lists starts the list anew.
    let chain = "a: , b: { needs: [a] }, c: { needs: [b] }, d: { needs: [c] }";
    let happenings = vec![
        complete("a").output("k", 7),
        complete("b").output("k", list(&[1])),
        complete("c").output("k", list(&[2])),
    ];
    sees(chain, Some(list(&[0])), happenings, r#"{"k":[1,2]}"#);
    // What has the same canonical text is there already.
    let own = "a: , d: { needs: [a], context: { k: [1.0, '1', { b: 1, a: 2 }] } }";
    let given = Value::from_json(r#"[1, {"a":2,"b":1}]"#).unwrap();
    sees(own, None, vec![complete("a").output("k", given)], r#"{"k":[1,{"a":2,"b":1},"1"]}"#);
}

#[test]
fn outputs_count_of_success_and_of_failures_that_go_on() {
    let sequence = "a: , d: { needs: [a] }";
    sees(sequence, None, vec![complete("a").output("k", 1)], r#"{"k":1}"#);
    sees(sequence, None, vec![failed_continue("a").output("k", 1)], r#"{"k":1}"#);
    let continued = "a: { on_failure: continue }, d: { needs: [a] }";
    sees(continued, None, vec![terminal("a").output("k", 1)], r#"{"k":1}"#);
    sees(sequence, None, vec![skipped("a").output("k", 1)], "{}");
    sees("a: { if: 'false', context: { k: 1 } }, d: { needs: [a] }", None, vec![], "{}");
    // Outputs that the stage computes beat those of its tasks; context stays in its activation.
    let computed = "a: { outputs: { k: '${{ k }}!' } }, d: { needs: [a] }";
    sees(computed, None, vec![complete("a").output("k", "x").output("l", 1)], r#"{"k":"x!","l":1}"#);
    sees(sequence, None, vec![complete("a").context("k", 1)], "{}");
}

#[test]
fn within_a_stage_later_tasks_see_what_earlier_ones_gave_and_left() {
    let keys =
        "tasks: [{ name: t, uses: noop }, { name: u, uses: noop }, { name: v, uses: noop }], context: { k: 0, own: 1 }";
    let definition = yaml(&format!("{{ name: x, stages: {{ a: {{ {keys} }} }} }}"));
    let first = complete("a.t").output("k", 1).output("list", Value::list([1])).context("left", "t");
    let second = complete("a.u").output("k", 2).output("list", Value::list([2])).context("left", "u");
    for (happenings, expected) in [
        (vec![], r#"{"k":0,"own":1}"#),
        (vec![first.clone()], r#"{"k":1,"left":"t","list":[1],"own":1}"#),
        (vec![first.clone(), second.clone()], r#"{"k":2,"left":"u","list":[1,2],"own":1}"#),
        (
            vec![first, running("a.u", "0s").context("left", "poll"), fire(1)],
            r#"{"k":1,"left":"poll","list":[1],"own":1}"#,
        ),
    ] {
        assert_eq!(json(&context(&definition, &[], happenings, "a")), expected);
    }
}

#[test]
fn parallel_branches_do_not_see_each_other() {
    let definition = yaml(
        "{ name: x, stages: { a: , b: { needs: [a] }, c: { needs: [a] }, b2: { needs: [b] }, d: { needs: [b2, c] } } }",
    );
    let happenings = vec![complete("a").output("a", 1), complete("c").output("k", "c"), complete("b").output("j", "b")];
    assert_eq!(json(&context(&definition, &[], happenings.clone(), "b2")), r#"{"a":1,"j":"b"}"#);
    let all = [happenings, vec![complete("b2")]].concat();
    assert_eq!(json(&context(&definition, &[], all, "d")), r#"{"a":1,"j":"b","k":"c"}"#);
}

#[test]
fn behind_an_exclusive_join_only_the_branch_that_came_is_seen() {
    let definition = yaml(
        "{ name: x, stages: { a: , b: { needs: [a] }, c: { needs: [a] }, m: { needs: [b, c], join_type: XOR } } }",
    );
    let happenings = vec![complete("a"), complete("c").output("k", "c")];
    assert_eq!(json(&context(&definition, &[], happenings, "m")), r#"{"k":"c"}"#);
}

#[test]
fn the_own_context_is_computed_from_what_the_stage_inherits() {
    let definition = yaml(
        "{ name: x, stages: { a: , d: { needs: [a], context: { k: '${{ k }}+', other: '${{ k }}', list: ['${{ stages.a.outputs.k }}'] } } } }",
    );
    let happenings = vec![complete("a").output("k", "v").output("list", Value::list(["w"]))];
    assert_eq!(json(&context(&definition, &[], happenings, "d")), r#"{"k":"v+","list":["w","v"],"other":"v"}"#);
}

#[test]
fn the_context_of_the_workflow_lies_under_its_inputs() {
    let definition = yaml("{ name: x, inputs: { k: { type: any } }, stages: { a: } }");
    let mut course = Course::new(&definition);
    let created = course.creation_mut();
    created.context = crate::event::Json::of(&Map::from([("k".to_owned(), 1.into()), ("w".to_owned(), 2.into())]));
    created.inputs = crate::event::Json::of(&Map::from([("k".to_owned(), 3.into())]));
    course.happen(&crate::testing::happening::create());
    assert_eq!(json(&seen_by(course.state(), "a").all().unwrap()), r#"{"k":3,"w":2}"#);
}

#[test]
fn the_outputs_of_a_workflow_see_every_thread_that_has_ended() {
    let definition = yaml(
        "
name: x
outputs: { a: '${{ stages.a.outputs.k }}', c: '${{ stages.c.outputs.k }}', k: '${{ k }}', b: '${{ stages.b.status }}' }
stages:
  a:
  b: { needs: [a] }
  c: { needs: [a] }
  d: { needs: [b, c] }
",
    );
    let mut course = Course::begun(&definition, [("", 0); 0]);
    for happening in [complete("a").output("k", 1), complete("c").output("k", 2)] {
        course.happen(&happening);
    }
    // The branch of `c` waits at the join for ever: it has ended too.
    let lines = course.happen(&stopped("b"));
    assert_eq!(lines.last().unwrap(), r#"workflow.completed {"a":1,"b":"STOPPED","c":2,"k":2}"#);
}

#[test]
fn without_outputs_of_its_own_a_workflow_gives_what_its_stages_gave() {
    let definition = yaml("{ name: x, stages: { a: , b: { needs: [a] }, c: } }");
    let mut course = Course::begun(&definition, [("", 0); 0]);
    for happening in [
        complete("a").output("k", 1).output("stdout", "text").output("exit_code", 0),
        complete("b").output("k", 2),
        complete("c").output("l", 3),
    ] {
        course.happen(&happening);
    }
    let outputs = Surroundings::of_ended(course.state()).unwrap().merged_outputs().unwrap();
    assert_eq!(json(&outputs), r#"{"k":2,"l":3}"#);
}
