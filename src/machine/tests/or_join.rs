//! OR-joins: they wait for what may still come, and for nothing else (WCP 7, 37, 38).

use proptest::prelude::*;

use super::looks;
use crate::definition::Definition;
use crate::machine::{WaitReason, waits};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{cancel, complete, create};
use crate::value::Value;

/// A definition of these stages, whose conditions may ask what is in the list `take`.
fn net(stages: &str) -> Definition {
    yaml(&format!("name: net\ninputs: {{ take: {{ type: list, default: [] }} }}\nstages:\n{stages}"))
}

fn begun(definition: &Definition, take: &[&str]) -> Course {
    Course::begun(definition, [("take", Value::list(take.iter().copied()))])
}

/// How often each of these stages has started.
fn counts<const N: usize>(course: &Course, stages: [&str; N]) -> [usize; N] {
    stages.map(|stage| course.activations(stage))
}

const CHOICE: &str = "
  a:
    split_type: OR
    split_conditions: { b: \"'b' in inputs.take\", c: \"'c' in inputs.take\", e: \"'e' in inputs.take\" }
  b: { needs: [a] }
  b2: { needs: [b] }
  c: { needs: [a] }
  c2: { needs: [c] }
  e: { needs: [a] }
  e2: { needs: [e] }
  m: { needs: [b2, c2, e2], join_type: OR }
";

/// All orders of these.
fn orders(of: &[&'static str]) -> Vec<Vec<&'static str>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let with = |at: usize| {
        let rest: Vec<&str> = of.iter().enumerate().filter(|(place, _)| *place != at).map(|(_, name)| *name).collect();
        orders(&rest).into_iter().map(move |order| [vec![of[at]], order].concat())
    };
    (0..of.len()).flat_map(with).collect()
}

#[test]
fn a_synchronizing_merge_starts_once_with_the_last_branch_that_was_taken() {
    let definition = net(CHOICE);
    for taken in 1..8_usize {
        let branches: Vec<&str> = ["b", "c", "e"]
            .into_iter()
            .enumerate()
            .filter(|(place, _)| taken >> place & 1 == 1)
            .map(|(_, b)| b)
            .collect();
        for order in orders(&branches) {
            let mut course = begun(&definition, &branches);
            course.complete(["a"]);
            for (place, branch) in order.iter().enumerate() {
                assert_eq!(course.activations("m"), 0, "{}", course.story());
                course.complete([*branch, format!("{branch}2").as_str()]);
                assert_eq!(course.activations("m"), usize::from(place + 1 == order.len()), "{}", course.story());
            }
            course.complete(["m"]);
            let expected = ["b", "c", "e"].map(|branch| usize::from(branches.contains(&branch)));
            assert_eq!((course.status(), counts(&course, ["b2", "c2", "e2"])), (Status::Succeeded, expected));
        }
    }
}

#[test]
fn it_takes_one_token_of_every_arc_that_holds_one() {
    let mut course = begun(&net(CHOICE), &["b", "e"]);
    course.complete(["a", "b", "e", "e2"]);
    let lines = course.happen(&complete("b2"));
    assert_eq!(lines[2..4], ["stage.completed b2 to m", "stage.started m from b2, e2"]);
}

#[test]
fn it_waits_for_a_branch_that_may_still_leave_and_starts_when_it_has_left() {
    // Pattern 37: of two branches one has a way out.
    let definition = net("
  a: { split_type: OR, split_conditions: { b: \"'b' in inputs.take\", c: \"'c' in inputs.take\" } }
  b: { needs: [a], split_type: XOR, split_conditions: { out: \"'out' in inputs.take\" }, split_default: b1 }
  b1: { needs: [b] }
  out: { needs: [b] }
  c: { needs: [a] }
  j: { needs: [b1, c], join_type: OR }
");
    let mut course = begun(&definition, &["b", "c", "out"]);
    course.complete(["a", "c"]);
    assert_eq!(course.activations("j"), 0);
    course.complete(["b"]);
    assert_eq!((course.activations("j"), course.live("out")), (1, 1));
    course.complete(["j", "out"]);
    assert_eq!(course.status(), Status::Succeeded);
    let mut course = begun(&definition, &["b", "c"]);
    course.complete(["a", "c", "b"]);
    assert_eq!(course.activations("j"), 0);
    course.complete(["b1", "j"]);
    assert_eq!((course.status(), course.activations("j")), (Status::Succeeded, 1));
    let mut course = begun(&definition, &["b", "out"]);
    course.complete(["a", "b", "out"]);
    assert_eq!((course.status(), course.activations("j")), (Status::Succeeded, 0));
}

#[test]
fn with_a_loop_in_a_branch_it_waits_until_the_loop_is_left() {
    let definition = net("
  a: { split_type: OR, split_conditions: { b: \"'b' in inputs.take\", c: \"'c' in inputs.take\" } }
  b: { needs: [a], join_type: XOR, back_from: [f] }
  f: { needs: [b], split_type: XOR, split_conditions: { b: 'stages.b.activations < 2' }, split_default: j }
  c: { needs: [a] }
  j: { needs: [f, c], join_type: OR }
");
    let mut course = begun(&definition, &["b", "c"]);
    course.complete(["a", "c", "b"]);
    assert_eq!(course.activations("j"), 0);
    course.complete(["f", "b#2"]);
    assert_eq!(course.activations("j"), 0);
    course.complete(["f#2", "j"]);
    assert_eq!((course.status(), counts(&course, ["b", "f", "j"])), (Status::Succeeded, [2, 2, 1]));
    let mut course = begun(&definition, &["c"]);
    course.complete(["a", "c", "j"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn in_a_loop_it_does_not_wait_for_what_can_only_come_through_itself() {
    let definition = net("
  s:
  x:
    needs: [s]
    join_type: XOR
    back_from: [y]
    split_type: OR
    split_conditions: { b: 'stages.y.activations is None or stages.y.activations < 2', c: 'stages.y.activations != 1' }
  b: { needs: [x] }
  c: { needs: [x] }
  j: { needs: [b, c], join_type: OR }
  y: { needs: [j], split_type: XOR, split_conditions: { x: 'stages.j.activations < 3' }, split_default: end }
  end: { needs: [y] }
");
    let mut course = begun(&definition, &[]);
    // Both branches, then b, then c.
    course.complete(["s", "x", "b"]);
    assert_eq!(course.activations("j"), 0);
    course.complete(["c", "j", "y", "x#2", "b#2"]);
    assert_eq!(course.activations("j"), 2, "{}", course.story());
    course.complete(["j#2", "y#2", "x#3", "c#2", "j#3", "y#3", "end"]);
    assert_eq!((course.status(), course.activations("j")), (Status::Succeeded, 3));
}

#[test]
fn it_starts_in_the_step_in_which_the_other_branch_leaves_or_ends() {
    let definition = net("
  a:
  p:
    needs: [a]
    split_type: XOR
    split_conditions: { out: \"'out' in inputs.take\" }
    split_default: j
    cancel_on: [{ completed: k }]
  q: { needs: [a] }
  k:
  out: { needs: [p] }
  j: { needs: [p, q], join_type: OR }
");
    let mut course = begun(&definition, &["out"]);
    course.complete(["a", "q"]);
    assert_eq!(course.activations("j"), 0);
    assert!(course.happen(&complete("p")).contains(&"stage.started j from q".to_owned()));
    let mut course = begun(&definition, &[]);
    course.complete(["a", "q"]);
    assert_eq!(course.activations("j"), 0);
    assert!(course.happen(&complete("k")).contains(&"stage.started j from q".to_owned()), "{}", course.story());
}

#[test]
fn of_two_that_could_serve_each_other_the_one_that_must_not_wait_goes_first() {
    let definition = net("
  s:
  p: { needs: [s], join_type: XOR, back_from: [k] }
  q: { needs: [s] }
  j1: { needs: [p], back_from: [x], join_type: OR }
  e: { needs: [j1] }
  j2: { needs: [q, e], join_type: OR }
  k: { needs: [j2], split_type: XOR, split_conditions: { p: 'false', x: 'false' }, split_default: end }
  x: { needs: [k] }
  end: { needs: [k] }
");
    let mut course = begun(&definition, &[]);
    course.complete(["s", "p", "q"]);
    assert_eq!(counts(&course, ["j1", "j2"]), [1, 0]);
    course.complete(["j1", "e"]);
    assert_eq!(counts(&course, ["j1", "j2"]), [1, 1]);
    course.complete(["j2", "k", "end"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn it_waits_for_a_branch_that_comes_only_if_a_stage_is_canceled() {
    let definition = net("
  a:
  p: { needs: [a], cancel_on: [{ completed: k }], on_cancelled: c }
  q: { needs: [a] }
  k:
  c: { join_type: XOR }
  j: { needs: [q, c], join_type: OR }
");
    let mut course = begun(&definition, &[]);
    course.complete(["a", "q"]);
    assert_eq!(course.activations("j"), 0, "{}", course.story());
    assert!(course.happen(&complete("p")).contains(&"stage.started j from q".to_owned()), "{}", course.story());
    let mut course = begun(&definition, &[]);
    course.complete(["a", "q", "k"]);
    assert_eq!((course.activations("j"), course.activations("c")), (0, 1), "{}", course.story());
    course.complete(["c", "j"]);
    assert_eq!(course.status(), Status::Succeeded);
}

const SYMMETRIC: &str = "
  s:
  p: { needs: [s] }
  q: { needs: [s] }
  j1: { needs: [p], back_from: [f2], join_type: OR }
  f1: { needs: [j1] }
  e1: { needs: [f1] }
  j2: { needs: [q, f1], join_type: OR }
  f2: { needs: [j2] }
  e2: { needs: [f2] }
";

#[test]
fn two_that_wait_for_each_other_end_the_workflow_at_once() {
    given(&net(SYMMETRIC))
        .done(["s", "p"])
        .when(complete("q"))
        .then_among(["tokens.left p to j1, q to j2", "workflow.failed OR_JOIN_CYCLE j1, j2"])
        .status(Status::Terminal);
}

#[test]
fn a_token_that_can_not_move_any_more_is_not_waited_for() {
    let definition = net("
  s:
  u: { needs: [s] }
  w: { needs: [s], split_type: XOR, split_conditions: { g: 'false' }, split_default: o }
  v: { needs: [s] }
  g: { needs: [u, w] }
  o: { needs: [w] }
  j: { needs: [g, v], join_type: OR }
");
    let mut course = begun(&definition, &[]);
    course.complete(["s", "u", "v"]);
    assert_eq!(course.activations("j"), 0);
    assert!(course.happen(&complete("w")).contains(&"stage.started j from v".to_owned()));
    course.complete(["j", "o"]);
    assert_eq!(course.state().end_reason().map(|reason| reason.code()), Some("DEADLOCK"));
}

#[test]
fn why_names_the_arcs_that_may_still_be_taken_and_who_may_serve_them() {
    let mut course = begun(&net(CHOICE), &["b", "e"]);
    course.complete(["a", "b", "b2"]);
    let found = waits(course.state());
    let waiting = found.iter().find(|wait| wait.stage() == Some("m")).unwrap();
    let WaitReason::Join { missing, arcs } = waiting.reason() else { panic!("{waiting:?}") };
    let missing: Vec<(Option<&str>, Vec<&str>)> =
        missing.iter().map(|arc| (arc.from(), arc.may_be_served_by().map(|server| server.stage()).collect())).collect();
    assert_eq!((missing, *arcs), (vec![(Some("e2"), vec!["e"])], 3));
}

#[test]
fn what_waits_is_left_when_the_workflow_is_canceled() {
    given(&net(CHOICE))
        .input("take", Value::list(["b", "e"]))
        .done(["a", "b", "b2"])
        .when(cancel())
        .then_among(["tokens.left b2 to m"])
        .status(Status::Canceled);
}

#[test]
fn a_structured_merge_starts_once_a_round_whatever_its_split_took() {
    let definition = net("
  s: { join_type: XOR, back_from: [y] }
  a: { needs: [s], split_type: OR, split_conditions: { b: b, c: c, e: e } }
  b: { needs: [a] }
  c: { needs: [a] }
  e: { needs: [a] }
  m: { needs: [b, c, e], join_type: OR, or_scope: structured, join_pair: a }
  y: { needs: [m], split_type: XOR, split_conditions: { s: again }, split_default: z }
  z: { needs: [y] }
");
    let mut course = begun(&definition, &[]);
    let rounds: [&[&str]; 3] = [&["b"], &["c", "b"], &["e"]];
    for (round, taken) in rounds.into_iter().enumerate() {
        course.complete(["s"]);
        let chosen = ["b", "c", "e"].into_iter().fold(complete("a"), |a, name| a.output(name, taken.contains(&name)));
        course.happen(&chosen);
        for (place, name) in taken.iter().enumerate() {
            assert_eq!(counts(&course, ["m"]), [round], "only {place} of {taken:?} have come");
            course.complete([*name]);
        }
        assert_eq!(counts(&course, ["m"]), [round + 1]);
        course.complete(["m"]);
        course.happen(&complete("y").output("again", round < 2));
    }
    course.complete(["z"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn a_structured_merge_of_which_all_branches_are_taken_away_neither_starts_nor_waits() {
    let definition = yaml(
        "
name: x
regions: { r: { effect: remove } }
stages:
  a: { split_type: OR, split_conditions: { b: 'true', c: 'true' }, split_default: e }
  b: { needs: [a], cancel_region: [r] }
  c: { needs: [a], cancel_region: [r] }
  e: { needs: [a], cancel_region: [r] }
  m: { needs: [b, c, e], join_type: OR, or_scope: structured, join_pair: a }
  k: { cancels: [{ region: r }] }
",
    );
    let mut course = begun(&definition, &[]);
    course.complete(["a"]);
    assert_eq!(course.open(), ["b", "c", "k"]);
    course.complete(["k"]);
    assert_eq!((course.status(), counts(&course, ["m"])), (Status::Succeeded, [0]), "\n{}", course.story());
}

/// `a`, then `width` branches of which the first `live` are taken, before an OR-join, then a chain of `width` stages.
fn wide(width: usize, live: usize) -> Definition {
    let names: Vec<String> = (0..width).map(|index| format!("s{index}")).collect();
    let conditions = names.iter().enumerate().map(|(place, name)| format!("{name}: '{}'", place < live));
    let conditions: Vec<String> = conditions.collect();
    let mut text = format!("  a: {{ split_type: OR, split_conditions: {{ {} }} }}\n", conditions.join(", "));
    names.iter().for_each(|name| text += &format!("  {name}: {{ needs: [a] }}\n"));
    text += &format!("  j: {{ needs: [{}], join_type: OR }}\n", names.join(", "));
    text += "  beside:\n";
    (0..width).for_each(|at| {
        text +=
            &format!("  t{at}: {{ needs: [{}] }}\n", if at == 0 { "beside".to_owned() } else { format!("t{}", at - 1) })
    });
    net(&text)
}

#[test]
fn looks_do_not_grow_with_the_net_nor_with_what_moves_beside_the_join() {
    for width in [10, 100, 1_000] {
        let mut course = begun(&wide(width, width), &[]);
        let before = looks();
        course.complete(["a", "s0"]);
        let first = looks() - before;
        course.complete(["beside", "t0", "t1", "t2", "t3"]);
        assert_eq!(looks() - before, first, "what happens elsewhere is none of its business");
        for at in 1..9 {
            course.complete([format!("s{at}").as_str()]);
        }
        assert!(looks() - before <= first + 1, "{width}: {} looks", looks() - before);
        assert_eq!(course.activations("j"), 0);
    }
}

#[test]
fn a_stage_without_or_joins_ahead_costs_no_look() {
    let before = looks();
    given(&crate::testing::definitions::exclusive()).input("x", 1).done(["a", "b", "b2", "m"]);
    given(&crate::testing::definitions::fan_out(50)).when(create());
    assert_eq!(looks(), before);
}

/// An acyclic net of `n` stages, each of which needs some of those before it; splits and joins by these numbers.
fn acyclic(draws: &[(u64, u8, u8)]) -> String {
    let n = draws.len();
    let needs: Vec<Vec<usize>> = draws
        .iter()
        .enumerate()
        .map(|(at, (bits, _, _))| (0..at).filter(|from| at - from <= 4 && bits >> (at - from) & 1 == 1).collect())
        .collect();
    let needs: Vec<Vec<usize>> = needs
        .into_iter()
        .enumerate()
        .map(|(at, needs)| if needs.is_empty() && at > 0 { vec![at - 1] } else { needs })
        .collect();
    let mut text = String::new();
    for (at, (bits, split, _)) in draws.iter().enumerate() {
        let followers: Vec<usize> = (0..n).filter(|other| needs[*other].contains(&at)).collect();
        let needs: Vec<String> = needs[at].iter().map(|from| format!("s{from}")).collect();
        text += &format!("  s{at}: {{ needs: [{}]", needs.join(", "));
        if needs.len() > 1 {
            text += ", join_type: OR";
        }
        if followers.len() > 1 && split % 3 > 0 {
            let taken = |place: usize| bits >> (10 + place) & 1 == 1 || place == 0;
            let conditions: Vec<String> =
                followers.iter().enumerate().map(|(place, to)| format!("s{to}: '{}'", taken(place))).collect();
            let kind = if split % 3 == 1 { "XOR" } else { "OR" };
            text += &format!(", split_type: {kind}, split_conditions: {{ {} }}", conditions.join(", "));
        }
        text += " }\n";
    }
    text
}

/// How often each stage starts by dead path elimination: once if a token reaches it, as every join is an OR-join.
fn by_dead_paths(definition: &Definition) -> Vec<usize> {
    let graph = definition.graph();
    let mut taken = vec![false; graph.arcs.len()];
    let mut starts = vec![0; graph.stages.len()];
    for (at, stage) in graph.stages.iter().enumerate() {
        let reached = stage.incoming.iter().any(|arc| graph.arc(*arc).from.is_none() || taken[arc.index()]);
        if !reached {
            continue;
        }
        starts[at] = 1;
        let holds = |branch: &&crate::definition::Branch| branch.condition.text() == "true";
        let target = |target: &crate::definition::Target| match target {
            crate::definition::Target::Arc(arc) => Some(arc.index()),
            crate::definition::Target::End => None,
        };
        let chosen: Vec<usize> = match &stage.split {
            crate::definition::Split::And
            | crate::definition::Split::Deferred
            | crate::definition::Split::Thread { .. } => stage.outgoing.iter().map(|arc| arc.index()).collect(),
            crate::definition::Split::Xor { branches, .. } => {
                branches.iter().find(holds).and_then(|branch| target(&branch.target)).into_iter().collect()
            }
            crate::definition::Split::Or { branches, .. } => {
                branches.iter().filter(holds).filter_map(|branch| target(&branch.target)).collect()
            }
        };
        chosen.into_iter().for_each(|arc| taken[arc] = true);
    }
    starts
}

proptest! {
    #[test]
    fn in_acyclic_nets_every_stage_starts_as_dead_path_elimination_says(
        draws in prop::collection::vec((any::<u64>(), any::<u8>(), any::<u8>()), 2..14),
        order in prop::collection::vec(any::<prop::sample::Index>(), 20),
    ) {
        let definition = net(&acyclic(&draws));
        let mut course = begun(&definition, &[]);
        for draw in &order {
            let open = course.open();
            if open.is_empty() {
                break;
            }
            let chosen = draw.get(&open).clone();
            course.complete([chosen.as_str()]);
        }
        prop_assert_eq!(course.status(), Status::Succeeded, "\n{}\n{}", acyclic(&draws), course.story());
        let starts: Vec<usize> =
            definition.graph().stages.iter().map(|stage| course.activations(&stage.ref_id)).collect();
        prop_assert_eq!(starts, by_dead_paths(&definition));
    }
}
