//! What lies between a split and the join that brings its branches together, as far as the arcs show it: for joins that
//! count arrivals and for OR-joins alike. What a join makes of it is said elsewhere.

use std::cell::Cell;
use std::collections::BTreeSet;

use super::arcs::Connected;
use super::dominators::Dominators;
use crate::definition::cancellation::{Boundary, CancelTarget};
use crate::definition::code::ProblemCode;
use crate::definition::graph::{ArcKind, Target};
use crate::definition::instances::{Outside, Withdrawal};
use crate::definition::problem::Problem;
use crate::definition::reading::Named;

/// Stages that are looked at for all joins of a definition together: a larger one is made by a program, which can say
/// what it means.
const LOOKED_AT_MAX: usize = 1_000_000;

/// What keeps branches from being what a join wants them to be.
pub(super) type Flaw = String;

/// The splits that belong to the joins of a definition.
pub(super) struct Splits {
    dominators: Dominators,
    /// Stages that may still be looked at.
    left: Cell<usize>,
}

impl Splits {
    /// `None` where the graph has circles of forward arcs.
    pub(super) fn of(connected: &Connected) -> Option<Splits> {
        (connected.order.len() == connected.stages.len()).then(|| Splits {
            dominators: Dominators::of(&connected.predecessors, &connected.order),
            left: Cell::new(LOOKED_AT_MAX),
        })
    }

    /// The split of the join of `stage`: the last stage that all ways to it have in common; `None` is the start.
    pub(super) fn pair(&self, stage: usize) -> Option<usize> {
        self.dominators.parent(stage)
    }

    /// Is `named` the split of the join of `stage`? That it is not goes to `problems`.
    pub(super) fn is_pair(
        &self,
        connected: &Connected,
        (stage, named): (usize, Named<'_>),
        (code, help): (ProblemCode, &str),
        problems: &mut Vec<Problem>,
    ) -> bool {
        let (names, pair) = (&connected.names, self.pair(stage));
        let Some(written) = names.find(named.text) else {
            problems.push(names.unknown(named.text, named.span));
            return false;
        };
        if Some(written) == pair {
            return true;
        }
        let split = pair.map_or_else(|| "the start".to_owned(), |pair| format!("`{}`", names.name(pair)));
        let message = format!(
            "`{}` is not the split of `{}`: the last stage before all of its branches is {split}",
            named.text,
            names.name(stage)
        );
        problems.push(Problem::error(code, named.span, message).with_help(help));
        false
    }

    /// What lies between the join of `stage` and its split.
    ///
    /// # Errors
    ///
    /// Too much lies there.
    pub(super) fn between<'c>(&self, connected: &'c Connected, stage: usize) -> Result<Between<'c>, Flaw> {
        let pair = self.pair(stage);
        let mut stages = BTreeSet::new();
        let mut ahead = vec![stage];
        while let Some(at) = ahead.pop() {
            let Some(left) = self.left.get().checked_sub(connected.predecessors[at].len()) else {
                return Err(format!("too much lies before `{}` to be looked at", connected.names.name(stage)));
            };
            self.left.set(left);
            let before = connected.predecessors[at].iter().copied().filter(|from| Some(*from) != pair);
            ahead.extend(before.filter(|from| stages.insert(*from)));
        }
        Ok(Between { connected, pair, join: stage, stages })
    }
}

/// What lies between a split and a join.
pub(super) struct Between<'c> {
    pub(super) connected: &'c Connected,
    /// `None` is the start.
    pub(super) pair: Option<usize>,
    pub(super) join: usize,
    /// Without the two.
    pub(super) stages: BTreeSet<usize>,
}

impl Between<'_> {
    pub(super) fn name(&self, stage: usize) -> &str {
        self.connected.names.name(stage)
    }

    fn is_inside(&self, stage: usize) -> bool {
        stage == self.join || self.stages.contains(&stage)
    }

    /// Where control goes from a stage, also when it is canceled.
    fn successors(&self, stage: usize) -> impl Iterator<Item = usize> + '_ {
        let spec = &self.connected.stages[stage];
        let arcs = spec.outgoing.iter().chain(&spec.cancellation.path);
        arcs.map(|arc| self.connected.arcs[arc.index()].to.index())
    }

    /// An arc that leads back into it, or from it to itself.
    pub(super) fn circle(&self) -> Option<Flaw> {
        let inside = self.stages.iter().chain([&self.join]);
        let incoming = inside.flat_map(|stage| &self.connected.stages[*stage].incoming);
        let mut back = incoming.map(|arc| &self.connected.arcs[arc.index()]).filter(|arc| arc.kind == ArcKind::Back);
        let arc = back.next()?;
        let (from, to) = (arc.from.map_or(self.join, |from| from.index()), arc.to.index());
        Some(format!(
            "`{}` leads back to `{}`, so that a branch of `{}` may bring more than one token",
            self.name(from),
            self.name(to),
            self.name(self.join)
        ))
    }

    /// A way into it that does not come from the split, or one out of it that does not lead to the join.
    pub(super) fn opening(&self) -> Option<Flaw> {
        let enters = |to: usize| {
            let from = self.connected.back_from[to].iter().find(|from| !self.is_inside(**from));
            from.map(|from| (*from, to))
        };
        if let Some((from, to)) = self.stages.iter().find_map(|stage| enters(*stage)) {
            return Some(format!("`{}` leads back to `{}`, into its branches", self.name(from), self.name(to)));
        }
        let leaves = |from: usize| self.successors(from).find(|to| !self.is_inside(*to)).map(|to| (from, to));
        let (from, to) = self.stages.iter().find_map(|stage| leaves(*stage))?;
        let (from, to, join) = (self.name(from), self.name(to), self.name(self.join));
        Some(format!("`{from}` leads to `{to}`, out of the branches of `{join}`"))
    }

    /// A branch of the split that does not come to the join.
    pub(super) fn missed(&self) -> Option<Flaw> {
        let starts = || self.connected.arcs.iter().filter(|arc| arc.from.is_none()).map(|arc| arc.to.index());
        let beside = |to: &usize| self.connected.names.share_a_block(*to, self.join);
        let to = match self.pair {
            Some(pair) => self.successors(pair).find(|to| !self.is_inside(*to)),
            None => starts().filter(beside).find(|to| !self.is_inside(*to)),
        }?;
        let from = self.pair.map_or_else(|| "the start".to_owned(), |pair| format!("`{}`", self.name(pair)));
        Some(format!("{from} leads to `{}`, past `{}`", self.name(to), self.name(self.join)))
    }

    /// A stage from which control may go nowhere.
    pub(super) fn end(&self) -> Option<Flaw> {
        let ends = |stage: &&usize| {
            let split = &self.connected.stages[**stage].split;
            let targets = split.branches().iter().map(|branch| branch.target).chain(split.default_target());
            targets.into_iter().any(|target| target == Target::End)
        };
        let stage = self.stages.iter().chain(&self.pair).find(ends)?;
        Some(format!("a branch from `{}` leads to the end", self.name(*stage)))
    }

    /// A stage within it that begins with every signal.
    pub(super) fn beginning(&self) -> Option<Flaw> {
        let each = self.stages.iter().find(|stage| self.connected.stages[**stage].emits_per_instance());
        if let Some(stage) = each {
            return Some(format!("control goes on from each instance of `{}`", self.name(*stage)));
        }
        let stage = self.stages.iter().find(|stage| self.connected.stages[**stage].is_started_by_signals())?;
        Some(format!("`{}` begins with every signal, and so more than once", self.name(*stage)))
    }

    /// A stage within it that can be canceled while others go on.
    pub(super) fn part_canceled(&self) -> Option<Flaw> {
        let stages = &self.connected.stages;
        let covers = |region| self.stages.iter().all(|other| stages[*other].cancellation.regions.contains(region));
        let by_itself = |stage: &&usize| {
            let cancellation = &stages[**stage].cancellation;
            let withdrawn = stages[**stage].instances.as_ref().map(|several| &several.cancel_on);
            cancellation.boundary != Boundary::default()
                || withdrawn.is_some_and(|outside| *outside != Outside::default())
                || !cancellation.regions.iter().all(covers)
        };
        let cancels = stages.iter().flat_map(|stage| &stage.cancellation.cancels);
        let mut hit = cancels.filter_map(|target| match target {
            CancelTarget::Stage(stage) | CancelTarget::Instances(stage, Withdrawal::Cancel) => {
                Some(stage.index()).filter(|stage| self.stages.contains(stage))
            }
            CancelTarget::Region(_) | CancelTarget::Workflow | CancelTarget::Instances(..) => None,
        });
        let only = || hit.find(|_| self.stages.len() > 1);
        let stage = self.stages.iter().find(by_itself).copied().or_else(only)?;
        Some(format!("`{}` can be canceled while other branches go on", self.name(stage)))
    }
}
