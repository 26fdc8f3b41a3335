//! Whether each arc of a join gets exactly one token whenever its split has emitted on all arcs: choices and parallel
//! branches in between close again.

use std::collections::{BTreeMap, BTreeSet};

use super::between::{Between, Flaw};
use crate::definition::generations::Rest;
use crate::definition::graph::{ArcKind, Join, Split, Target};
use crate::ids::{ArcIndex, StageIndex};

/// Choices within each other that are followed.
const CHOICES_MAX: usize = 64;

/// Under which choices of exclusive splits arcs get exactly one token.
pub(super) struct Balance<'c> {
    between: &'c Between<'c>,
    /// The choices under which each stage of the region runs, exactly once.
    certain: BTreeMap<usize, Choices>,
}

/// Which arc each exclusive split on the way takes, outermost first.
type Choices = Vec<(usize, ArcIndex)>;

impl Balance<'_> {
    /// Does each branch bring one token, always?
    ///
    /// # Errors
    ///
    /// One that may bring another number.
    pub(super) fn check(between: &Between<'_>) -> Result<(), Flaw> {
        let mut balance = Balance { between, certain: BTreeMap::new() };
        let connected = between.connected;
        for stage in connected.order.iter().copied().filter(|stage| between.stages.contains(stage)) {
            let choices = balance.met(stage)?;
            balance.certain.insert(stage, choices);
        }
        for arc in &connected.stages[between.join].incoming {
            if !balance.on(*arc)?.is_empty() {
                let from = connected.arcs[arc.index()].from.map_or(between.join, StageIndex::index);
                return Err(format!("the branch by `{}` is not always taken", between.name(from)));
            }
        }
        Ok(())
    }

    /// The choices under which `arc` gets its token.
    fn on(&self, arc: ArcIndex) -> Result<Choices, Flaw> {
        let way = &self.between.connected.arcs[arc.index()];
        if way.kind != ArcKind::Forward {
            return Err(format!("not every way to `{}` goes forward", self.between.name(way.to.index())));
        }
        let from = way.from.map(StageIndex::index);
        let Some(from) = from.filter(|from| Some(*from) != self.between.pair) else { return Ok(Choices::new()) };
        let mut choices = self.certain.get(&from).cloned().unwrap_or_default();
        let stage = &self.between.connected.stages[from];
        match &stage.split {
            Split::And => {}
            Split::Xor { branches, default } => {
                let targets = branches.iter().map(|branch| &branch.target).chain(default);
                if targets.clone().any(|target| *target == Target::End) {
                    return Err(format!("the branch by `{}` may end there", stage.ref_id));
                }
                if stage.outgoing.len() > 1 {
                    choices.push((from, arc));
                }
                if choices.len() > CHOICES_MAX {
                    return Err("its branches choose too often to be followed".to_owned());
                }
            }
            _ => return Err(format!("the split of `{}` may bring more than one token", stage.ref_id)),
        }
        Ok(choices)
    }

    /// The choices under which a stage between the split and the join runs.
    fn met(&self, stage: usize) -> Result<Choices, Flaw> {
        let spec = &self.between.connected.stages[stage];
        let on: Vec<Choices> = spec.incoming.iter().map(|arc| self.on(*arc)).collect::<Result<_, _>>()?;
        let (first, others) = on.split_first().ok_or_else(String::new)?;
        if others.is_empty() {
            return Ok(first.clone());
        }
        let name = &spec.ref_id;
        match spec.join {
            Join::And | Join::Discriminator | Join::NOfM => {
                let together = others.iter().all(|other| other == first);
                let withdraws =
                    spec.generations.as_ref().is_some_and(|join| matches!(join.rest, Rest::Withdrawn { .. }));
                if together && !withdraws {
                    return Ok(first.clone());
                }
                Err(format!("`{name}` joins what is not always taken together, or withdraws a part of it"))
            }
            Join::Xor => {
                let Some(((split, _), outer)) = first.split_last() else {
                    return Err(format!("`{name}` starts more than once"));
                };
                let taken: BTreeSet<ArcIndex> = on
                    .iter()
                    .filter_map(|choices| choices.split_last())
                    .filter(|((other, _), rest)| other == split && *rest == outer)
                    .map(|((_, arc), _)| *arc)
                    .collect();
                let complete =
                    taken.len() == on.len() && taken.len() == self.between.connected.stages[*split].outgoing.len();
                if complete { Ok(outer.to_vec()) } else { Err(format!("`{name}` may start more than once, or never")) }
            }
            _ => Err(format!("`{name}` may start more than once")),
        }
    }
}
