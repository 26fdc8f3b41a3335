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

/// What a join wants to know of what may still come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Question {
    /// May a token come to an unseen arc? Whoever could as well reach a seen arc is not waited for.
    #[default]
    More,
    /// May tokens come to so many unseen arcs, from wherever?
    Enough(usize),
    /// The same of a stage that makes a milestone: who waits for that brings nothing.
    Start(usize),
}

/// What may still come to a join.
#[derive(Clone, Debug, Default)]
pub(super) struct Outlook {
    question: Question,
    /// Unseen arcs that can get a token.
    open: Vec<ArcIndex>,
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
    /// What may still come to the `unseen` arcs of a join that has `seen` the others. Nothing comes through the join
    /// itself.
    pub(super) fn of(
        state: &State,
        waiting: Waiting,
        question: Question,
        (seen, unseen): (&[ArcIndex], &[ArcIndex]),
    ) -> Outlook {
        let look = Look { state, graph: state.definition.graph(), waiting, question };
        let cone = look.cone(seen.iter().chain(unseen));
        let mut outlook = Outlook { question, fireable: look.fireable(&cone), ..Outlook::default() };
        if question != Question::More {
            let is_open = |arc: &&ArcIndex| look.can_carry(**arc, &outlook.fireable);
            outlook.open = unseen.iter().filter(is_open).copied().collect();
        }
        let mut to_unseen = BTreeSet::new();
        for arc in unseen {
            look.back(*arc, &outlook.fireable, &mut to_unseen, |stage, arc| {
                outlook.ways.entry(stage).or_insert(arc);
            });
        }
        for arc in seen.iter().filter(|_| question == Question::More) {
            look.back(*arc, &outlook.fireable, &mut outlook.to_seen, |_, _| ());
        }
        let blocks = |place: &Place| !outlook.to_seen.contains(place) && look.is_taken(*place);
        outlook.blockers = to_unseen.into_iter().filter(blocks).collect();
        outlook
    }

    /// Is anything left that the join has to wait for?
    pub(super) fn is_open(&self) -> bool {
        match self.question {
            Question::More => !self.blockers.is_empty(),
            Question::Enough(missing) | Question::Start(missing) => self.open.len() >= missing,
        }
    }

    /// The unseen arcs that can get a token, where it was asked for how many there are.
    pub(super) fn open_arcs(&self) -> &[ArcIndex] {
        &self.open
    }

    /// The stages through which a token may come to an unseen arc.
    pub(super) fn leads_through(&self, stage: StageIndex) -> bool {
        self.ways.contains_key(&stage)
    }

    /// Could the stage start yet, by what was found?
    pub(super) fn counts_on(&self, stage: StageIndex) -> bool {
        self.fireable.contains(&stage)
    }

    /// A token has come to this arc of the join since the look.
    pub(super) fn see(&mut self, arc: ArcIndex) {
        self.fresh.push(arc);
    }

    /// The place at which the join looks; nothing changes for it as long as this is taken.
    pub(super) fn watched(&self) -> Option<Place> {
        self.blockers.last().copied()
    }

    /// What stood at the place at which the join looks stands here now.
    pub(super) fn watch(&mut self, place: Place) {
        if let Some(watched) = self.blockers.last_mut() {
            *watched = place;
        }
    }

    /// Follows what was found to where it is now. False says that nothing of it is left, and that a new look is needed.
    fn follow(&mut self, state: &State, waiting: Waiting) -> bool {
        let look = Look { state, graph: state.definition.graph(), waiting, question: self.question };
        if !self.is_open() {
            return false;
        }
        for arc in std::mem::take(&mut self.fresh).into_iter().filter(|_| self.question == Question::More) {
            look.back(arc, &self.fireable, &mut self.to_seen, |_, _| ());
        }
        while let Some(place) = self.blockers.pop() {
            #[cfg(test)]
            super::tests::count_work(1);
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
    question: Question,
}

impl Look<'_> {
    /// The stages from which these arcs can be reached without passing the join.
    fn cone<'a>(&self, arcs: impl Iterator<Item = &'a ArcIndex>) -> BTreeSet<StageIndex> {
        let mut cone = BTreeSet::new();
        let mut ahead: Vec<ArcIndex> = arcs.copied().collect();
        // Nothing comes from before all that lives and lies there. To find where that is costs as much as there is.
        let n_taken = self.state.core.live.len() + self.state.core.marking.n_marked();
        let mut floor = None;
        while let Some(arc) = ahead.pop() {
            let from = self.graph.arc(arc).from.filter(|from| *from != self.waiting.join);
            let may_come = |from: &StageIndex| floor.is_none_or(|floor| self.graph.rank(*from) >= floor);
            if let Some(from) = from.filter(may_come).filter(|from| cone.insert(*from)) {
                #[cfg(test)]
                super::tests::count_work(1);
                ahead.extend(self.ways_to(from));
                if floor.is_none() && cone.len() > n_taken {
                    floor = Some(self.floor());
                }
            }
        }
        cone
    }

    /// The lowest rank of the stages that live, have a token before them, or may begin by themselves.
    fn floor(&self) -> u32 {
        let scope = self.waiting.scope;
        let live = self.state.core.live.iter().filter(|(_, live)| live.scope == scope).map(|(id, _)| id.stage);
        let marked = self.state.core.marking.marked_stages(scope);
        let begin = self.graph.started_by_signals().iter().copied();
        live.chain(marked).chain(begin).map(|stage| self.graph.rank(stage)).min().unwrap_or(u32::MAX)
    }

    /// Those of `cone` that live, or may start yet: with a token that lies before them, or comes from one of them.
    fn fireable(&self, cone: &BTreeSet<StageIndex>) -> BTreeSet<StageIndex> {
        let scope = self.waiting.scope;
        let marking = &self.state.core.marking;
        // How many more of its arcs have to be able to carry a token.
        let mut missing: BTreeMap<StageIndex, usize> = BTreeMap::new();
        let mut ahead = Vec::new();
        for stage in cone {
            let needed = tokens_needed(self.state, scope, *stage).saturating_sub(marking.marked(scope, *stage));
            let lives = self.is_taken(Place::Stage(*stage));
            missing.insert(*stage, if lives { 0 } else { needed });
            ahead.extend((lives || needed == 0).then_some(*stage));
        }
        let mut fireable: BTreeSet<StageIndex> = ahead.iter().copied().collect();
        while let Some(stage) = ahead.pop() {
            let spec = self.graph.stage(stage);
            // A jump starts its target whatever else that needs.
            for to in spec.jumps.iter().map(|arc| self.graph.arc(*arc).to).filter(|to| cone.contains(to)) {
                if fireable.insert(to) {
                    missing.insert(to, 0);
                    ahead.push(to);
                }
            }
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
            #[cfg(test)]
            super::tests::count_work(1);
            let Some(from) = self.graph.arc(arc).from.filter(|from| fireable.contains(from)) else { continue };
            if found.insert(Place::Stage(from)) {
                meets(from, arc);
                ahead.extend(self.ways_to(from));
            }
        }
    }

    /// Can a token lie on the arc, now or later?
    fn can_carry(&self, arc: ArcIndex, fireable: &BTreeSet<StageIndex>) -> bool {
        let from = self.graph.arc(arc).from;
        self.is_taken(Place::Arc(arc)) || from.is_some_and(|from| fireable.contains(&from))
    }

    /// The arcs over which control comes to a stage, jumps among them.
    fn ways_to(&self, stage: StageIndex) -> impl Iterator<Item = ArcIndex> {
        let jumps = foreseen_jumps(self.state, Waiting { join: stage, ..self.waiting });
        self.graph.stage(stage).incoming.iter().copied().chain(jumps)
    }

    fn is_taken(&self, place: Place) -> bool {
        let scope = self.waiting.scope;
        match place {
            Place::Arc(arc) => self.state.core.marking.is_marked(scope, arc),
            Place::Stage(stage) => {
                let mut live = self.state.live_of(scope, stage).filter(|id| self.state.passes_on(*id));
                // Who waits for what comes there brings nothing before.
                let lives = match self.graph.stage(stage).milestone.as_deref() {
                    Some(milestone) if self.is_for_a_milestone() && milestone.of() == self.waiting.join => {
                        live.any(|id| !self.state.waits_for_its_milestone(id))
                    }
                    Some(_) | None => live.next().is_some(),
                };
                lives || self.may_begin(stage)
            }
        }
    }

    /// May a signal begin a thread at the stage? An OR-join does not wait for that, as it is nothing of what has begun;
    /// to a join that counts it is a branch like others, from which a token may come in this generation.
    fn may_begin(&self, stage: StageIndex) -> bool {
        let counts = self.is_for_a_milestone() || self.graph.stage(self.waiting.join).generations.is_some();
        counts && self.waiting.scope == ScopeId::ROOT && self.state.is_open_start(stage)
    }

    fn is_for_a_milestone(&self) -> bool {
        matches!(self.question, Question::Start(_))
    }
}

/// The arcs over which jumps come to a stage; what may come from anywhere is not foreseen before it lies there.
fn foreseen_jumps(state: &State, to: Waiting) -> impl Iterator<Item = ArcIndex> {
    let graph = state.definition.graph();
    let lies = move |arc: ArcIndex| state.core.marking.is_marked(to.scope, arc);
    let jumps = graph.jumps_to(to.join).iter().copied();
    jumps.filter(move |arc| !graph.arc(*arc).comes_from_anywhere() || lies(*arc))
}

/// What leads to a stage that makes a milestone: a jump is enough to start it.
fn toward(state: &State, waiting: Waiting) -> Outlook {
    let graph = state.definition.graph();
    let jumps: Vec<ArcIndex> = foreseen_jumps(state, waiting).collect();
    if !jumps.is_empty() {
        let by_jump = Outlook::of(state, waiting, Question::Start(1), (&[], &jumps));
        if by_jump.is_open() {
            return by_jump;
        }
    }
    let incoming = &graph.stage(waiting.join).incoming;
    let question = Question::Start(tokens_needed(state, waiting.scope, waiting.join));
    Outlook::of(state, waiting, question, (&[], incoming))
}

/// May the stage start once more, by what lives and lies before it? What is found is kept.
pub(super) fn may_come(state: &mut State, waiting: Waiting) -> bool {
    if waiting.scope == ScopeId::ROOT && state.is_open_start(waiting.join) {
        return true;
    }
    if let Some(mut known) = state.candidates.outlooks.stages().take(waiting)
        && known.follow(state, waiting)
    {
        state.candidates.outlooks.stages().keep(waiting, known);
        return true;
    }
    let outlook = toward(state, waiting);
    let may_come = outlook.is_open();
    state.candidates.outlooks.stages().keep(waiting, outlook);
    may_come
}

/// The same, without what was found before.
pub(super) fn would_come(state: &State, waiting: Waiting) -> bool {
    (waiting.scope == ScopeId::ROOT && state.is_open_start(waiting.join)) || toward(state, waiting).is_open()
}

/// On how many of its arcs a stage needs a token to start; of an OR-join it is hoped that one is enough.
fn tokens_needed(state: &State, scope: ScopeId, stage: StageIndex) -> usize {
    let spec = state.definition.graph().stage(stage);
    match spec.join {
        Join::And | Join::GeneralizedAnd => spec.incoming.len(),
        Join::Xor | Join::MultiMerge | Join::Or | Join::Discriminator | Join::ThreadMerge => 1,
        // One that has fired starts over when what is left has come.
        Join::NOfM if state.core.joins.get(&(scope, stage)).is_some_and(|record| record.fired.is_some()) => 1,
        Join::NOfM => spec.generations.as_ref().map_or(1, |join| join.threshold as usize),
    }
}

/// The incoming arcs on which the join has got its token, and the others: of one that counts arrivals those of this
/// generation, of any other those that are marked.
pub(super) fn arcs(state: &State, waiting: Waiting) -> (Vec<ArcIndex>, Vec<ArcIndex>) {
    let stage = state.definition.graph().stage(waiting.join);
    let incoming = stage.incoming.iter().copied();
    if stage.generations.is_none() {
        return incoming.partition(|arc| state.core.marking.is_marked(waiting.scope, *arc));
    }
    let record = state.core.joins.get(&(waiting.scope, waiting.join));
    incoming.partition(|arc| record.is_some_and(|record| record.seen.contains(arc)))
}

/// May what the join asks for still come, where it has not got a token on each arc? What was found before is followed,
/// if it is known, and what is found is kept.
pub(super) fn is_open(state: &mut State, waiting: Waiting, question: Question) -> bool {
    if let Some(mut known) = state.candidates.outlooks.take(waiting)
        && known.follow(state, waiting)
    {
        state.candidates.outlooks.keep(waiting, known);
        return true;
    }
    let (seen, unseen) = arcs(state, waiting);
    #[cfg(test)]
    super::tests::count_look();
    let outlook = Outlook::of(state, waiting, question, (&seen, &unseen));
    let is_open = outlook.is_open();
    state.candidates.outlooks.keep(waiting, outlook);
    is_open
}
