//! Nets that are sound because they are composed of blocks that are, and the same with something changed.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::definition::Definition;

use super::course::Course;
use super::happening::{complete, stopped};

/// What stands at the beginning and at the end of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    And,
    Xor,
    Or,
}

impl Gate {
    fn name(self) -> &'static str {
        match self {
            Gate::And => "AND",
            Gate::Xor => "XOR",
            Gate::Or => "OR",
        }
    }
}

/// A block with one way in and one way out, sound in itself.
#[derive(Clone, Debug)]
pub(crate) enum Block {
    Stage,
    Series(Vec<Block>),
    /// Branches between a split and a join, of which the second is of its kind or an OR-join.
    Branches(Gate, Gate, Vec<Block>),
    /// What is gone through again and again; the gate is where one comes back.
    Turns(Gate, Test, Box<Block>),
}

/// Where it shows whether there is another turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// Before each turn: whoever comes back may leave.
    Pre,
    /// Behind each turn.
    Post,
}

/// Any block.
pub(crate) fn blocks() -> impl Strategy<Value = Block> {
    let ends = prop_oneof![
        3 => Just((Gate::And, Gate::And)),
        2 => Just((Gate::And, Gate::Or)),
        3 => Just((Gate::Xor, Gate::Xor)),
        2 => Just((Gate::Xor, Gate::Or)),
        4 => Just((Gate::Or, Gate::Or)),
    ];
    Just(Block::Stage).prop_recursive(3, 9, 3, move |inner| {
        let branches = (ends.clone(), prop::collection::vec(inner.clone(), 2..4));
        let back = prop_oneof![3 => Just(Gate::Xor), 1 => Just(Gate::Or)];
        let turns = (back, prop_oneof![Just(Test::Pre), Just(Test::Post)], inner.clone());
        prop_oneof![
            3 => prop::collection::vec(inner, 1..4).prop_map(Block::Series),
            6 => branches.prop_map(|((split, join), branches)| Block::Branches(split, join, branches)),
            3 => turns.prop_map(|(gate, test, body)| Block::Turns(gate, test, Box::new(body))),
        ]
    })
}

/// A block with these changes.
pub(crate) fn drafted(block: &Block, changes: &[Change]) -> Draft {
    let mut draft = Draft::of(block);
    changes.iter().for_each(|change| draft.change(change));
    draft
}

/// Goes through a net, of which `draws` say what ends next, which ways are taken, and what is stopped, if anything.
pub(crate) fn wandered(definition: &Definition, draws: &[u8], stops: Stops) -> Course {
    let mut course = Course::begun(definition, [("unused", 0)]);
    for draws in draws.chunks_exact(3) {
        let [next, ways, outcome] = [0, 1, 2].map(|at| usize::from(draws[at]));
        let open = course.open();
        let Some(work) = open.get(next % open.len().max(1)) else { break };
        if stops == Stops::Some && outcome % 8 == 0 {
            course.happen(&stopped(work));
            continue;
        }
        let graph = definition.graph();
        let name = work.split('#').next().unwrap_or(work);
        let stage = graph.stage(graph.stage_index(name).expect("it is open"));
        let after: Vec<usize> = stage.outgoing.iter().map(|arc| graph.arc(*arc).to.index()).collect();
        // Some way is always taken.
        let sure = after.get(ways % after.len().max(1)).copied();
        let mut done = complete(work);
        for at in 0..graph.stages.len() {
            done = done.output(&format!("c{at}"), Some(at) == sure || (ways >> (at % 8)) & 1 == 1);
        }
        course.happen(&done);
    }
    course
}

/// Does anything stop on a way through a net?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stops {
    None,
    Some,
}

/// A net of which anything can still be changed. No stage needs one that stands behind it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    stages: Vec<DraftStage>,
}

#[derive(Clone, Debug)]
struct DraftStage {
    needs: Vec<usize>,
    back_from: Vec<usize>,
    join: Gate,
    split: Gate,
}

/// Something that is changed, whatever comes of it.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Join(Index, Gate),
    Split(Index, Gate),
    Arc(Index, Index),
    BackArc(Index, Index),
}

/// Another join or split.
pub(crate) fn gate_changes() -> impl Strategy<Value = Change> {
    let gate = || prop_oneof![Just(Gate::And), Just(Gate::Xor), Just(Gate::Or)];
    prop_oneof![
        (any::<Index>(), gate()).prop_map(|(stage, gate)| Change::Join(stage, gate)),
        (any::<Index>(), gate()).prop_map(|(stage, gate)| Change::Split(stage, gate)),
    ]
}

/// Any change.
pub(crate) fn changes() -> impl Strategy<Value = Change> {
    let gate = || prop_oneof![1 => Just(Gate::And), 1 => Just(Gate::Xor), 3 => Just(Gate::Or)];
    let stage = any::<Index>;
    prop_oneof![
        3 => (stage(), gate()).prop_map(|(stage, gate)| Change::Join(stage, gate)),
        2 => (stage(), gate()).prop_map(|(stage, gate)| Change::Split(stage, gate)),
        3 => (stage(), stage()).prop_map(|(from, to)| Change::Arc(from, to)),
        2 => (stage(), stage()).prop_map(|(from, to)| Change::BackArc(from, to)),
    ]
}

impl Draft {
    /// A stage, then this block.
    pub(crate) fn of(block: &Block) -> Draft {
        let mut draft = Draft::default();
        let first = draft.add(&[], Gate::And);
        draft.block(block, first);
        draft
    }

    fn add(&mut self, needs: &[usize], join: Gate) -> usize {
        self.stages.push(DraftStage { needs: needs.to_vec(), back_from: Vec::new(), join, split: Gate::And });
        self.stages.len() - 1
    }

    /// Writes a block behind `before`; its last stage.
    fn block(&mut self, block: &Block, before: usize) -> usize {
        match block {
            Block::Stage => self.add(&[before], Gate::And),
            Block::Series(blocks) => blocks.iter().fold(before, |before, block| self.block(block, before)),
            Block::Branches(split, join, branches) => {
                let begin = self.add(&[before], Gate::And);
                self.stages[begin].split = *split;
                let ends: Vec<usize> = branches.iter().map(|branch| self.block(branch, begin)).collect();
                self.add(&ends, *join)
            }
            Block::Turns(gate, Test::Pre, body) => {
                let begin = self.add(&[before], *gate);
                self.stages[begin].split = Gate::Xor;
                let last = self.block(body, begin);
                self.stages[begin].back_from.push(last);
                self.add(&[begin], Gate::And)
            }
            Block::Turns(gate, Test::Post, body) => {
                let begin = self.add(&[before], *gate);
                let last = self.block(body, begin);
                let end = self.add(&[last], Gate::And);
                self.stages[end].split = Gate::Xor;
                self.stages[begin].back_from.push(end);
                self.add(&[end], Gate::And)
            }
        }
    }

    /// Changes something; nothing, where it is so already.
    pub(crate) fn change(&mut self, change: &Change) {
        let n_stages = self.stages.len();
        match change {
            Change::Join(stage, gate) => {
                let joins: Vec<usize> = (0..n_stages).filter(|stage| self.n_arcs_to(*stage) > 1).collect();
                if !joins.is_empty() {
                    self.stages[*stage.get(&joins)].join = *gate;
                }
            }
            Change::Split(stage, gate) => {
                let splits: Vec<usize> = (0..n_stages).filter(|stage| self.after(*stage).len() > 1).collect();
                if !splits.is_empty() {
                    self.stages[*stage.get(&splits)].split = *gate;
                }
            }
            Change::Arc(from, to) => {
                let (one, other) = (from.index(n_stages), to.index(n_stages));
                let (from, to) = (one.min(other), one.max(other));
                if from < to && !self.stages[to].needs.contains(&from) {
                    self.stages[to].needs.push(from);
                }
            }
            Change::BackArc(from, to) => {
                let (one, other) = (from.index(n_stages), to.index(n_stages));
                let (from, to) = (one.max(other), one.min(other));
                if !self.stages[to].back_from.contains(&from) {
                    self.stages[to].back_from.push(from);
                }
            }
        }
    }

    fn n_arcs_to(&self, stage: usize) -> usize {
        self.stages[stage].needs.len().max(1) + self.stages[stage].back_from.len()
    }

    /// The stages to which arcs lead from `stage`.
    fn after(&self, stage: usize) -> Vec<usize> {
        let leads = |to: &DraftStage| to.needs.contains(&stage) || to.back_from.contains(&stage);
        (0..self.stages.len()).filter(|to| leads(&self.stages[*to])).collect()
    }

    /// The document of this net.
    pub(crate) fn text(&self) -> String {
        let names = |stages: &[usize]| stages.iter().map(|stage| format!("s{stage}")).collect::<Vec<_>>().join(", ");
        let stages = self.stages.iter().enumerate().map(|(at, stage)| {
            let mut keys = vec![format!("needs: [{}]", names(&stage.needs))];
            if !stage.back_from.is_empty() {
                keys.push(format!("back_from: [{}]", names(&stage.back_from)));
            }
            if self.n_arcs_to(at) > 1 && stage.join != Gate::And {
                keys.push(format!("join_type: {}", stage.join.name()));
            }
            let after = self.after(at);
            if after.len() > 1 && stage.split != Gate::And {
                let ways: Vec<String> = after.iter().map(|to| format!("s{to}: c{to}")).collect();
                let split = stage.split.name();
                keys.push(format!("split_type: {split}, split_conditions: {{ {} }}", ways.join(", ")));
            }
            format!("  s{at}: {{ {} }}\n", keys.join(", "))
        });
        format!("name: net\nstages:\n{}", stages.collect::<String>())
    }

    /// The definition of this net, if it is one: not everything that can be written fits together.
    pub(crate) fn definition(&self) -> Option<Definition> {
        Definition::from_yaml(&self.text()).ok()
    }
}
