//! Nets of any size, of each shape on whose size a transition could come to depend, and a way through them that costs
//! no more than the machine does: for benches, and for tests that count.

use std::collections::VecDeque;

use crate::definition::Definition;
use crate::event::{Actor, Event, Json, Report, TaskReport};
use crate::ids::{ActivationId, AttemptId, InstanceIndex, TaskId, TaskIndex, WorkflowId};
use crate::machine::{Answers, Command, Request, State, decide};
use crate::value::Map;

use super::course::{ORIGIN, creation_of};

/// Branches of a split, and stages of a layer: the degree, the same at every size.
const WIDE: usize = 4;

/// Of what a net is made: so many stages in all, or so many turns or instances of one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Stages one after another.
    Chain,
    /// One stage, all others at once, one stage.
    Fan,
    /// Layers of stages, each of which waits for every stage of the layer before.
    Layers,
    /// Exclusive choices one after another, each with its merge.
    Choices,
    /// OR-splits one after another, each with its OR-join.
    Merges,
    /// OR-splits side by side, each with its OR-join: all of these wait at once.
    MergesAtOnce,
    /// OR-joins that all wait for the same long chain, each with one branch of its own that has come.
    MergesBehindOne,
    /// One OR-join behind many branches, each of some stages.
    WideMerge,
    /// A stage and another, from which control comes back.
    Circle,
    /// A loop around one stage.
    Loop,
    /// A stage with many instances.
    Instances,
    /// A stage with many instances, each a loop around an OR-split with its OR-join.
    Loops,
}

impl Shape {
    /// Is its size not that of the net, but how often one stage comes in it?
    pub fn is_of_one_stage(self) -> bool {
        matches!(self, Shape::Circle | Shape::Loop | Shape::Instances | Shape::Loops)
    }

    /// The net of this shape.
    ///
    /// # Panics
    ///
    /// If it has more stages or arcs than a definition may have.
    pub fn net(self, size: usize) -> Definition {
        let stages = match self {
            Shape::Chain => chain("s", size, ""),
            Shape::Fan => fan(size),
            Shape::Layers => layers(size),
            Shape::Choices => in_series(size, "XOR"),
            Shape::Merges => in_series(size, "OR"),
            Shape::MergesAtOnce => side_by_side(size),
            Shape::MergesBehindOne => behind_one(size),
            Shape::WideMerge => wide_merge(size),
            Shape::Circle => circle(size),
            Shape::Loop => format!("  l: {{ loop: {{ while: loop.index < {size}, stages: {{ a: }} }} }}\n"),
            Shape::Instances => format!("  m: {{ mi_config: {{ count: {size} }} }}\n"),
            Shape::Loops => loops(size),
        };
        Definition::from_yaml(&format!("name: net\nstages:\n{stages}")).unwrap_or_else(|problems| panic!("{problems}"))
    }
}

/// Stages one after another, the first of them behind `before`.
fn chain(name: &str, size: usize, before: &str) -> String {
    let needs = |place: usize| if place == 0 { before.to_owned() } else { format!("{name}{}", place - 1) };
    (0..size).map(|place| format!("  {name}{place}: {{ needs: [{}] }}\n", needs(place))).collect()
}

fn named(name: &str, size: usize) -> Vec<String> {
    (0..size).map(|place| format!("{name}{place}")).collect()
}

fn fan(size: usize) -> String {
    let branches = named("b", size.saturating_sub(2).max(1));
    let between: String = branches.iter().map(|branch| format!("  {branch}: {{ needs: [first] }}\n")).collect();
    format!("  first:\n{between}  last: {{ needs: [{}] }}\n", branches.join(", "))
}

fn layers(size: usize) -> String {
    let layer = |layer: usize| named(&format!("s{layer}-"), WIDE);
    let stages = (0..size.div_ceil(WIDE)).flat_map(|at| {
        let needs = if at == 0 { String::new() } else { layer(at - 1).join(", ") };
        layer(at).into_iter().map(move |stage| format!("  {stage}: {{ needs: [{needs}] }}\n"))
    });
    stages.collect()
}

/// A split, its branches and their join. Half of the branches are taken, of an exclusive choice one.
fn diamond(at: usize, before: &str, kind: &str) -> String {
    let branches = named(&format!("b{at}-"), WIDE);
    let conditions = branches.iter().enumerate().map(|(place, branch)| format!("{branch}: '{}'", place % 2 == 0));
    let conditions: Vec<String> = conditions.collect();
    let split = format!("split_type: {kind}, split_conditions: {{ {} }}", conditions.join(", "));
    let between: String = branches.iter().map(|branch| format!("  {branch}: {{ needs: [a{at}] }}\n")).collect();
    let join = format!("  j{at}: {{ needs: [{}], join_type: {kind} }}\n", branches.join(", "));
    format!("  a{at}: {{ needs: [{before}], {split} }}\n{between}{join}")
}

fn diamonds(size: usize) -> usize {
    (size / (WIDE + 2)).max(1)
}

fn in_series(size: usize, kind: &str) -> String {
    let before = |at: usize| if at == 0 { String::new() } else { format!("j{}", at - 1) };
    (0..diamonds(size)).map(|at| diamond(at, &before(at), kind)).collect()
}

fn side_by_side(size: usize) -> String {
    let all: String = (0..diamonds(size)).map(|at| diamond(at, "first", "OR")).collect();
    format!("  first:\n{all}")
}

fn behind_one(size: usize) -> String {
    let (n_joins, length) = ((size / 4).max(1), (size / 2).max(1));
    let last = format!("c{}", length - 1);
    let joins = (0..n_joins)
        .map(|at| format!("  b{at}: {{ needs: [first] }}\n  j{at}: {{ needs: [b{at}, {last}], join_type: OR }}\n"));
    let joins: String = joins.collect();
    format!("  first:\n{joins}{}", chain("c", length, "first"))
}

fn wide_merge(size: usize) -> String {
    let n_branches = (size / 10).max(1);
    let conditions: Vec<String> = (0..n_branches).map(|at| format!("b{at}-0: '{}'", at % 10 != 9)).collect();
    let branches: String = (0..n_branches).map(|at| chain(&format!("b{at}-"), 10, "first")).collect();
    let lasts: Vec<String> = (0..n_branches).map(|at| format!("b{at}-9")).collect();
    let split = format!("split_type: OR, split_conditions: {{ {} }}", conditions.join(", "));
    format!("  first: {{ {split} }}\n{branches}  last: {{ needs: [{}], join_type: OR }}\n", lasts.join(", "))
}

fn circle(size: usize) -> String {
    let ways = format!("split_conditions: {{ a: stages.a.activations < {size} }}, split_default: $end");
    format!("  a: {{ join_type: XOR, back_from: [b] }}\n  b: {{ needs: [a], split_type: XOR, {ways} }}\n")
}

fn loops(size: usize) -> String {
    let body = "a: { split_type: OR, split_conditions: { b: 'true', c: 'true', d: 'false' } }, b: { needs: [a] }, \
                c: { needs: [a] }, d: { needs: [a] }, j: { needs: [b, c, d], join_type: OR }";
    format!("  m: {{ mi_config: {{ count: {size} }}, loop: {{ while: loop.index < 1, stages: {{ {body} }} }} }}\n")
}

/// Which of the tasks that are open ends next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The one that was asked for first.
    First,
    /// The one that was asked for last.
    Last,
}

/// A workflow on its way: whatever it asks for succeeds.
#[derive(Clone, Debug)]
pub struct Passage {
    state: State,
    order: Order,
    asked: VecDeque<AttemptId>,
    events: u64,
}

impl Passage {
    /// A workflow that has just been created.
    ///
    /// # Panics
    ///
    /// If it cannot be, without inputs.
    pub fn begin(definition: &Definition, order: Order) -> Passage {
        let state = State::new(WorkflowId::from_parts(ORIGIN, 1), definition.clone());
        let mut passage = Passage { state, order, asked: VecDeque::new(), events: 0 };
        passage.tell(Request::Create(creation_of(definition, &Map::new())));
        passage
    }

    /// The next thing it asks for is done; false if there is none.
    ///
    /// # Panics
    ///
    /// If the workflow refuses that.
    pub fn step(&mut self) -> bool {
        if self.state.is_unsettled() {
            self.tell(Request::ContinueSettling);
            return true;
        }
        let next = match self.order {
            Order::First => self.asked.pop_front(),
            Order::Last => self.asked.pop_back(),
        };
        let Some(attempt) = next else { return false };
        let (outputs, context, streams) = (Json::empty(), Json::empty(), Vec::new());
        self.tell(Request::ReportTask(TaskReport { attempt, report: Report::Succeeded, outputs, context, streams }));
        true
    }

    /// The workflow as it is.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// How much has happened to it.
    pub fn events(&self) -> u64 {
        self.events
    }

    fn tell(&mut self, request: Request) {
        let command = Command { now: ORIGIN, id: None, actor: Actor::Engine, request };
        let batch = decide(&mut self.state, &command, &mut Answers::computed()).expect("what it asks for can be told");
        self.events += batch.events().len() as u64;
        for event in batch.events() {
            if let Event::TaskQueued { attempt, .. } = event {
                self.asked.push_back(*attempt);
            }
            if let Event::InstancesStarted { activation, from, to, .. } = event
                && self.state.definition().graph().stage(activation.stage).begins_at_once()
            {
                let of = |index| ActivationId { instance: InstanceIndex::new(index), ..*activation };
                let first = |activation| TaskId { activation, task: TaskIndex::new(0) };
                self.asked.extend((*from..*to).map(|index| AttemptId { task: first(of(index)), dispatch: 1 }));
            }
        }
    }
}

/// How many events it takes a workflow of this definition to come to its end.
///
/// # Panics
///
/// If it does not.
pub fn pass(definition: &Definition, order: Order) -> u64 {
    let mut passage = Passage::begin(definition, order);
    while passage.step() {}
    assert!(passage.state.is_closed(), "it asks for nothing, and has not ended");
    passage.events
}
