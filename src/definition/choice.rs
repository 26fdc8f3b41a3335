//! Choices that the world makes and not the data: which arcs lead to the alternatives of one choice. Follows from
//! splits and groups; what comes of a choice is the machine's.

use std::collections::BTreeMap;

use crate::ids::{ArcIndex, StageIndex};

use super::flow::{ArcKind, Split};
use super::graph::{GraphArc, GraphStage};

/// The deferred choices of a graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    all: Vec<DeferredChoice>,
    /// By the arc that leads to an alternative, the place of the choice.
    by_arc: BTreeMap<ArcIndex, usize>,
}

/// A choice: the tokens that one activation of a stage emits to these arcs are offered together, and one is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeferredChoice {
    /// The stage whose activations offer it; `None` is the start.
    pub(crate) split: Option<StageIndex>,
    /// The arcs to the alternatives, ascending.
    pub(crate) arcs: Vec<ArcIndex>,
}

impl Choices {
    /// What follows from these stages: each DEFERRED split, and each group whose stages follow the same.
    pub(super) fn of(stages: &[GraphStage], arcs: &[GraphArc]) -> Choices {
        let mut choices = Choices::default();
        let mut groups: BTreeMap<&str, Vec<&GraphStage>> = BTreeMap::new();
        for (stage, place) in stages.iter().zip(0..) {
            if stage.split == Split::Deferred {
                choices.add(Some(StageIndex::new(place)), stage.outgoing.clone());
            }
            if let Some(group) = &stage.choice_group {
                groups.entry(group).or_default().push(stage);
            }
        }
        for members in groups.values() {
            if let Some((split, of_members)) = common_source(members, (stages, arcs)) {
                choices.add(split, of_members);
            }
        }
        choices
    }

    fn add(&mut self, split: Option<StageIndex>, mut arcs: Vec<ArcIndex>) {
        arcs.sort_unstable();
        for arc in &arcs {
            // A definition in which an arc belongs to two choices is refused; a foreign normal form may hold one.
            self.by_arc.entry(*arc).or_insert(self.all.len());
        }
        self.all.push(DeferredChoice { split, arcs });
    }

    /// The choice to one of whose alternatives this arc leads.
    pub(crate) fn of_arc(&self, arc: ArcIndex) -> Option<&DeferredChoice> {
        self.all.get(*self.by_arc.get(&arc)?)
    }

    /// All of them: of splits in definition order, then of groups in the order of their names.
    pub(crate) fn all(&self) -> &[DeferredChoice] {
        &self.all
    }
}

/// The first of the sources that all members of a group have, with the arc from there to each; the order is that of
/// `needs` of the first member. One that cannot offer them together only counts where there is no other.
pub(super) fn common_source(
    members: &[&GraphStage],
    (stages, arcs): (&[GraphStage], &[GraphArc]),
) -> Option<(Option<StageIndex>, Vec<ArcIndex>)> {
    let forward = |stage: &GraphStage| {
        let forward = stage.incoming.iter().copied().filter(|arc| arcs[arc.index()].kind == ArcKind::Forward);
        forward.collect::<Vec<ArcIndex>>()
    };
    let from = |arc: &ArcIndex| arcs[arc.index()].from;
    // The start of one block is not that of another.
    let block = members.first()?.block();
    if members.iter().any(|member| member.block() != block) {
        return None;
    }
    let sources: Vec<Vec<ArcIndex>> = members.iter().map(|member| forward(member)).collect();
    let common = sources.first()?.iter().map(from).filter_map(|source| {
        let arcs = sources.iter().map(|of_member| of_member.iter().copied().find(|arc| from(arc) == source));
        Some((source, arcs.collect::<Option<Vec<ArcIndex>>>()?))
    });
    let offers = |source: Option<StageIndex>| match source.map(|source| &stages[source.index()].split) {
        Some(Split::And | Split::Or { .. } | Split::Thread { .. }) | None => true,
        Some(Split::Xor { .. } | Split::Deferred) => false,
    };
    common.clone().find(|(source, _)| offers(*source)).or_else(|| common.clone().next())
}
