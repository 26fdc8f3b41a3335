//! What may still come: which tokens and activations could bring one more token to a join that waits.
//!
//! Paths only, no data: after Voelzer, "A new semantics for the inclusive converging gateway in safe processes", 2010,
//! restricted to stages that can still start. A look costs the arcs before the join; what it found is kept beside the
//! state, as candidates are, and holds until something happens that could change it.

use std::collections::{BTreeMap, BTreeSet};

use crate::definition::{Graph, Join};
use crate::ids::{ArcIndex, ScopeId, StageIndex};

use super::state::State;

/// Where a token can be on its way: on an arc, or in a live activation of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Arc(ArcIndex),
    Stage(StageIndex),
}

/// A join, in an open scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Waiting {
    pub(super) scope: ScopeId,
    pub(super) join: StageIndex,
}

/// What may still come to a join.
#[derive(Clone, Debug, Default)]
pub(super) struct Outlook {
    /// Stages before the join that might still start, or are live.
    fireable: BTreeSet<StageIndex>,
    /// From each stage that leads to an unseen arc the next arc on a way there.
    ways: BTreeMap<StageIndex, ArcIndex>,
    /// Places from which a seen arc can be reached.
    to_seen: BTreeSet<Place>,
    /// Places that are taken, lead to an unseen arc and to no seen one; ascending.
    blockers: Vec<Place>,
    /// Seen arcs since the look.
    fresh: Vec<ArcIndex>,
}

impl Outlook {
    /// May a token still come to one of the `unseen` arcs of a join that has `seen` the others? Tokens do not come
    /// through the join itself; whoever could as well reach a seen arc is not waited for.
    pub(super) fn of(state: &State, waiting: Waiting, seen: &[ArcIndex], unseen: &[ArcIndex]) -> Outlook {
        let look = Look { state, graph: state.definition.graph(), waiting };
        let cone = look.cone(seen.iter().chain(unseen));
        let mut outlook = Outlook { fireable: look.fireable(&cone), ..Outlook::default() };
        let mut to_unseen = BTreeSet::new();
        for arc in unseen {
            look.back(*arc, &outlook.fireable, &mut to_unseen, |stage, arc| {
                outlook.ways.entry(stage).or_insert(arc);
            });
        }
        for arc in seen {
            look.back(*arc, &outlook.fireable, &mut outlook.to_seen, |_, _| ());
        }
        let blocks = |place: &Place| !outlook.to_seen.contains(place) && look.is_taken(*place);
        outlook.blockers = to_unseen.into_iter().filter(blocks).collect();
        outlook
    }

    /// Is anything left that the join has to wait for?
    pub(super) fn is_open(&self) -> bool {
        !self.blockers.is_empty()
    }

    /// The stages through which a token may come to an unseen arc.
    pub(super) fn leads_through(&self, stage: StageIndex) -> bool {
        self.ways.contains_key(&stage)
    }

    /// The place at which the join looks; nothing changes for it as long as this is taken.
    pub(super) fn watched(&self) -> Option<Place> {
        self.blockers.last().copied()
    }

    /// Follows what was found to where it is now. False says that nothing of it is left, and that a new look is needed.
    fn follow(&mut self, state: &State, waiting: Waiting) -> bool {
        let look = Look { state, graph: state.definition.graph(), waiting };
        for arc in std::mem::take(&mut self.fresh) {
            look.back(arc, &self.fireable, &mut self.to_seen, |_, _| ());
        }
        while let Some(place) = self.blockers.pop() {
            let now =
                std::iter::successors(Some(place), |place| self.next(&look, *place)).find(|at| look.is_taken(*at));
            if let Some(now) = now.filter(|now| !self.to_seen.contains(now)) {
                self.blockers.push(now);
                return true;
            }
        }
        false
    }

    /// The next place on the way to an unseen arc, which is no place to wait at itself.
    fn next(&self, look: &Look<'_>, place: Place) -> Option<Place> {
        match place {
            Place::Stage(stage) => {
                let arc = *self.ways.get(&stage)?;
                (look.graph.arc(arc).to != look.waiting.join).then_some(Place::Arc(arc))
            }
            Place::Arc(arc) => {
                let to = look.graph.arc(arc).to;
                self.ways.contains_key(&to).then_some(Place::Stage(to))
            }
        }
    }
}

/// A look back from a join.
struct Look<'s> {
    state: &'s State,
    graph: &'s Graph,
    waiting: Waiting,
}

impl Look<'_> {
    /// The stages from which these arcs can be reached without passing the join.
    fn cone<'a>(&self, arcs: impl Iterator<Item = &'a ArcIndex>) -> BTreeSet<StageIndex> {
        let mut cone = BTreeSet::new();
        let mut ahead: Vec<ArcIndex> = arcs.copied().collect();
        while let Some(arc) = ahead.pop() {
            let from = self.graph.arc(arc).from.filter(|from| *from != self.waiting.join);
            if let Some(from) = from.filter(|from| cone.insert(*from)) {
                ahead.extend(&self.graph.stage(from).incoming);
            }
        }
        cone
    }

    /// Those of `cone` that live, or may start yet: with a token that lies before them, or comes from one of them.
    fn fireable(&self, cone: &BTreeSet<StageIndex>) -> BTreeSet<StageIndex> {
        let scope = self.waiting.scope;
        let marking = &self.state.core.marking;
        // How many more of its arcs have to be able to carry a token.
        let mut missing: BTreeMap<StageIndex, usize> = BTreeMap::new();
        let mut ahead = Vec::new();
        for stage in cone {
            let needed = tokens_needed(self.graph, *stage).saturating_sub(marking.marked(scope, *stage));
            let lives = self.is_taken(Place::Stage(*stage));
            missing.insert(*stage, if lives { 0 } else { needed });
            ahead.extend((lives || needed == 0).then_some(*stage));
        }
        let mut fireable: BTreeSet<StageIndex> = ahead.iter().copied().collect();
        while let Some(stage) = ahead.pop() {
            let spec = self.graph.stage(stage);
            for arc in spec.outgoing.iter().chain(&spec.cancellation.path) {
                let to = self.graph.arc(*arc).to;
                let Some(missing) = missing.get_mut(&to).filter(|missing| **missing > 0) else { continue };
                if !marking.is_marked(scope, *arc) {
                    *missing -= 1;
                    if *missing == 0 && fireable.insert(to) {
                        ahead.push(to);
                    }
                }
            }
        }
        fireable
    }

    /// Adds to `found` every place from which `arc` can be reached through stages that may still start.
    fn back(
        &self,
        arc: ArcIndex,
        fireable: &BTreeSet<StageIndex>,
        found: &mut BTreeSet<Place>,
        mut meets: impl FnMut(StageIndex, ArcIndex),
    ) {
        let mut ahead = vec![arc];
        while let Some(arc) = ahead.pop() {
            if !found.insert(Place::Arc(arc)) {
                continue;
            }
            let Some(from) = self.graph.arc(arc).from.filter(|from| fireable.contains(from)) else { continue };
            if found.insert(Place::Stage(from)) {
                meets(from, arc);
                ahead.extend(&self.graph.stage(from).incoming);
            }
        }
    }

    fn is_taken(&self, place: Place) -> bool {
        match place {
            Place::Arc(arc) => self.state.core.marking.is_marked(self.waiting.scope, arc),
            Place::Stage(stage) => self.state.live_of(self.waiting.scope, stage).next().is_some(),
        }
    }
}

/// On how many of its arcs a stage needs a token to start; of an OR-join it is hoped that one is enough.
fn tokens_needed(graph: &Graph, stage: StageIndex) -> usize {
    let stage = graph.stage(stage);
    match stage.join {
        Join::And | Join::GeneralizedAnd => stage.incoming.len(),
        Join::Xor | Join::MultiMerge | Join::Or => 1,
    }
}

/// The outlooks of the OR-joins that wait, kept as long as nothing happens that could change them (R3).
#[derive(Clone, Debug, Default)]
pub(super) struct Outlooks {
    /// OR-joins to look at.
    due: BTreeSet<Waiting>,
    kept: BTreeMap<Waiting, Outlook>,
    /// Who looks at which place.
    watchers: BTreeMap<(ScopeId, Place), BTreeSet<StageIndex>>,
}

impl Outlooks {
    /// The join has to be looked at.
    pub(super) fn insert(&mut self, waiting: Waiting) {
        self.due.insert(waiting);
    }

    /// The next join to look at.
    pub(super) fn pop(&mut self) -> Option<Waiting> {
        self.due.pop_first()
    }

    /// Is it known what the join waits for, or is it to be looked at?
    pub(super) fn knows(&self, waiting: Waiting) -> bool {
        self.due.contains(&waiting) || self.kept.contains_key(&waiting)
    }

    /// A token has come to an arc of the join, which held none before.
    pub(super) fn seen(&mut self, waiting: Waiting, arc: ArcIndex) {
        if let Some(outlook) = self.kept.get_mut(&waiting) {
            outlook.fresh.push(arc);
        }
        self.due.insert(waiting);
    }

    /// A token has left the place, or an activation has ended there.
    pub(super) fn left(&mut self, scope: ScopeId, place: Place) {
        if self.watchers.is_empty() {
            return;
        }
        for join in self.watchers.get(&(scope, place)).into_iter().flatten() {
            self.due.insert(Waiting { scope, join: *join });
        }
    }

    /// The stage has taken tokens from several arcs: whoever counted on it to start once more looks anew.
    pub(super) fn gathered(&mut self, scope: ScopeId, stage: StageIndex) {
        self.forget_those(scope, |_, outlook| outlook.leads_through(stage));
    }

    /// An activation of the join itself has ended: what it emits may come back.
    pub(super) fn ended(&mut self, waiting: Waiting) {
        self.forget_those(waiting.scope, |join, _| join == waiting.join);
        self.due.insert(waiting);
    }

    /// Something was taken away, or not emitted: all joins of the scope look anew.
    pub(super) fn forget(&mut self, scope: ScopeId) {
        self.forget_those(scope, |_, _| true);
    }

    /// Everything is to be looked at anew.
    #[cfg(test)]
    pub(super) fn clear(&mut self) {
        *self = Outlooks::default();
    }

    fn forget_those(&mut self, scope: ScopeId, is_one: impl Fn(StageIndex, &Outlook) -> bool) {
        if self.kept.is_empty() {
            return;
        }
        let in_scope = self.kept.iter().filter(|(waiting, _)| waiting.scope == scope);
        let gone = in_scope.filter(|(waiting, outlook)| is_one(waiting.join, outlook)).map(|(waiting, _)| *waiting);
        for waiting in gone.collect::<Vec<Waiting>>() {
            self.take(waiting);
            self.due.insert(waiting);
        }
    }

    fn take(&mut self, waiting: Waiting) -> Option<Outlook> {
        let outlook = self.kept.remove(&waiting)?;
        if let Some(place) = outlook.watched()
            && let Some(watchers) = self.watchers.get_mut(&(waiting.scope, place))
        {
            watchers.remove(&waiting.join);
            if watchers.is_empty() {
                self.watchers.remove(&(waiting.scope, place));
            }
        }
        Some(outlook)
    }

    fn keep(&mut self, waiting: Waiting, outlook: Outlook) {
        let Some(place) = outlook.watched() else { return };
        self.watchers.entry((waiting.scope, place)).or_default().insert(waiting.join);
        self.kept.insert(waiting, outlook);
    }
}

/// The incoming arcs of the join with a token, and those without.
pub(super) fn arcs(state: &State, waiting: Waiting) -> (Vec<ArcIndex>, Vec<ArcIndex>) {
    let incoming = state.definition.graph().stage(waiting.join).incoming.iter().copied();
    incoming.partition(|arc| state.core.marking.is_marked(waiting.scope, *arc))
}

/// Has an OR-join, of which not all arcs hold a token, to wait for another? What was found before is followed, if it
/// is known, and what is found is kept.
pub(super) fn is_open(state: &mut State, waiting: Waiting) -> bool {
    if let Some(mut known) = state.candidates.outlooks.take(waiting)
        && known.follow(state, waiting)
    {
        state.candidates.outlooks.keep(waiting, known);
        return true;
    }
    let (seen, unseen) = arcs(state, waiting);
    #[cfg(test)]
    super::tests::count_look();
    let outlook = Outlook::of(state, waiting, &seen, &unseen);
    let is_open = outlook.is_open();
    state.candidates.outlooks.keep(waiting, outlook);
    is_open
}
