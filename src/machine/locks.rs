//! Who holds which lock, and who waits for one. The last gate of a stage: what is held is kept until the holder has
//! ended, whatever happens to it in between.
//!
//! Most definitions know no lock; their state holds none of this.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::definition::LockKind;
use crate::ids::{ActivationId, LockIndex, ScopeId, SectionIndex};
use crate::time::Timestamp;

use super::state::State;

/// A lock, where it excludes: a mutex key in the whole workflow, an interleaved group in one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct LockPlace {
    pub(super) lock: LockIndex,
    /// The root scope if it excludes in the whole workflow.
    pub(super) scope: ScopeId,
}

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Holder {
    /// One activation, until it has ended.
    Activation(ActivationId),
    /// A critical section, until no activation of its stages lives and no token lies between them.
    Section { section: SectionIndex, scope: ScopeId },
}

/// By place in the order of birth: who waits, and since when.
type Waiters = BTreeMap<(u64, ActivationId), Timestamp>;

/// The locks of a workflow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Locks {
    /// Those that somebody holds.
    pub(super) held: BTreeMap<LockPlace, Holder>,
    /// Who waits for which, whoever holds it; a lock for which nobody waits has no entry.
    waiting: BTreeMap<LockPlace, Waiters>,
    /// How many activations of the stages of each section live; one without has no entry.
    members: BTreeMap<(ScopeId, SectionIndex), u32>,
}

impl Locks {
    /// The activation that has waited longest for a lock; behind `other`, if one is given.
    pub(super) fn next_waiter(
        &self,
        place: LockPlace,
        other: Option<(u64, ActivationId)>,
    ) -> Option<(u64, ActivationId)> {
        let waiting = self.waiting.get(&place)?;
        match other {
            None => waiting.keys().next().copied(),
            Some(other) => {
                use std::ops::Bound::{Excluded, Unbounded};
                waiting.range((Excluded(other), Unbounded)).next().map(|(waiter, _)| *waiter)
            }
        }
    }

    /// Is this whole as if there were no locks?
    fn is_nothing(&self) -> bool {
        self.held.is_empty() && self.waiting.is_empty() && self.members.is_empty()
    }
}

impl State {
    /// The locks that an activation needs, where they exclude.
    pub(super) fn lock_places(&self, id: ActivationId, scope: ScopeId) -> Vec<LockPlace> {
        let graph = self.definition.graph();
        let place = |lock: &LockIndex| {
            let kind = graph.locks.get(lock.index()).map(|lock| lock.kind);
            LockPlace { lock: *lock, scope: if kind == Some(LockKind::Interleave) { scope } else { ScopeId::ROOT } }
        };
        graph.stage(id.stage).locks().iter().map(place).collect()
    }

    /// As whom an activation holds this lock: for its section, or for itself.
    pub(super) fn holder_of(&self, place: LockPlace, id: ActivationId, scope: ScopeId) -> Holder {
        let graph = self.definition.graph();
        let section = graph.stage(id.stage).section();
        match section.filter(|section| graph.sections[section.index()].lock == place.lock) {
            Some(section) => Holder::Section { section, scope },
            None => Holder::Activation(id),
        }
    }

    /// Who holds this lock.
    pub(super) fn held(&self, place: LockPlace) -> Option<Holder> {
        self.core.locks.as_ref()?.held.get(&place).copied()
    }

    /// The first lock an activation needs that others hold, and who does.
    pub(super) fn locked_out(&self, id: ActivationId) -> Option<(LockPlace, Holder)> {
        let scope = self.core.live.get(&id)?.scope;
        let mut needed = self.lock_places(id, scope).into_iter();
        needed.find_map(|place| {
            let holder = self.held(place)?;
            (holder != self.holder_of(place, id, scope)).then_some((place, holder))
        })
    }

    /// Is this lock held by nobody who still needs it?
    pub(super) fn is_unused(&self, place: LockPlace) -> bool {
        match self.held(place) {
            None => false,
            Some(Holder::Activation(id)) => !self.core.live.contains_key(&id),
            Some(Holder::Section { section, scope }) => {
                self.members(scope, section) == 0 && !self.has_tokens_between(scope, section)
            }
        }
    }

    /// How many activations of the stages of a section live.
    fn members(&self, scope: ScopeId, section: SectionIndex) -> u32 {
        self.core.locks.as_ref().and_then(|locks| locks.members.get(&(scope, section)).copied()).unwrap_or(0)
    }

    /// Lies a token on an arc from one stage of the section to another?
    fn has_tokens_between(&self, scope: ScopeId, section: SectionIndex) -> bool {
        let graph = self.definition.graph();
        let marking = &self.core.marking;
        graph.sections[section.index()].members.iter().any(|member| {
            let inside = |from| graph.stage(from).section() == Some(section);
            marking.marked(scope, *member) > 0
                && graph
                    .stage(*member)
                    .incoming
                    .iter()
                    .any(|arc| graph.arc(*arc).from.is_some_and(inside) && marking.is_marked(scope, *arc))
        })
    }

    /// The locks of the workflow, to be changed.
    pub(super) fn locks_mut(&mut self) -> &mut Locks {
        self.core.locks.get_or_insert_default()
    }

    /// An activation begins to live: its section counts it.
    pub(super) fn join_section(&mut self, id: ActivationId, scope: ScopeId) {
        if let Some(section) = self.definition.graph().stage(id.stage).section() {
            *self.locks_mut().members.entry((scope, section)).or_default() += 1;
        }
    }

    /// An activation lives no more: what it held may not be needed any more.
    pub(super) fn leave_section(&mut self, id: ActivationId, scope: ScopeId) {
        let definition = self.definition.clone();
        let stage = definition.graph().stage(id.stage);
        if stage.locks().is_empty() || id.instance.is_some() {
            return;
        }
        if let (Some(section), Some(locks)) = (stage.section(), self.core.locks.as_deref_mut())
            && let Some(members) = locks.members.get_mut(&(scope, section))
        {
            *members -= 1;
            if *members == 0 {
                locks.members.remove(&(scope, section));
            }
        }
        let places = self.lock_places(id, scope);
        self.candidates.locks.extend(places);
        self.trim_locks();
    }

    /// A token has come to the stage, or is gone from before it, without an activation of it.
    pub(super) fn look_at_section(&mut self, stage: crate::ids::StageIndex) {
        let graph = self.definition.graph();
        let Some(section) = graph.stage(stage).section() else { return };
        let lock = graph.sections[section.index()].lock;
        self.candidates.locks.insert(LockPlace { lock, scope: ScopeId::ROOT });
    }

    /// An activation waits for its locks from now on.
    pub(super) fn wait_for_locks(&mut self, id: ActivationId) {
        let Some((scope, born)) = self.core.live.get(&id).map(|live| (live.scope, live.born)) else { return };
        let (places, now) = (self.lock_places(id, scope), self.core.now);
        let locks = self.locks_mut();
        for place in places {
            locks.waiting.entry(place).or_default().insert((born, id), now);
        }
    }

    /// It waits no more; whoever waits behind it is looked at in its place.
    pub(super) fn stop_waiting_for_locks(&mut self, id: ActivationId, scope: ScopeId, born: u64) {
        let places = self.lock_places(id, scope);
        let Some(locks) = self.core.locks.as_deref_mut() else { return };
        for place in places {
            let Some(waiting) = locks.waiting.get_mut(&place) else { continue };
            if waiting.remove(&(born, id)).is_none() {
                continue;
            }
            match waiting.keys().next() {
                Some(next) => drop(self.candidates.ready.insert(*next)),
                None => drop(locks.waiting.remove(&place)),
            }
        }
        self.trim_locks();
    }

    /// Since when an activation waits for its locks.
    pub(super) fn waits_for_locks_since(&self, id: ActivationId) -> Option<Timestamp> {
        let live = self.core.live.get(&id)?;
        let place = *self.lock_places(id, live.scope).first()?;
        self.core.locks.as_ref()?.waiting.get(&place)?.get(&(live.born, id)).copied()
    }

    /// Gives back the room of locks where there is nothing to keep.
    pub(super) fn trim_locks(&mut self) {
        if self.core.locks.as_ref().is_some_and(|locks| locks.is_nothing()) {
            self.core.locks = None;
        }
    }

    /// Everybody who is told to wait for a lock, and how many live in each section: the index as it should be.
    pub(super) fn has_consistent_locks(&self, waiting: impl Iterator<Item = ActivationId>) -> bool {
        let mut expected = Locks::default();
        for id in waiting {
            let live = &self.core.live[&id];
            for place in self.lock_places(id, live.scope) {
                expected
                    .waiting
                    .entry(place)
                    .or_default()
                    .insert((live.born, id), live_since(self, place, live.born, id));
            }
        }
        for (id, live) in self.core.live.iter().filter(|(id, _)| id.instance.is_none()) {
            if let Some(section) = self.definition.graph().stage(id.stage).section() {
                *expected.members.entry((live.scope, section)).or_default() += 1;
            }
        }
        match &self.core.locks {
            Some(locks) => {
                locks.waiting == expected.waiting && locks.members == expected.members && !locks.is_nothing()
            }
            None => expected.is_nothing(),
        }
    }
}

fn live_since(state: &State, place: LockPlace, born: u64, id: ActivationId) -> Timestamp {
    let waiting = state.core.locks.as_ref().and_then(|locks| locks.waiting.get(&place));
    waiting.and_then(|waiting| waiting.get(&(born, id)).copied()).unwrap_or(state.core.now)
}
