//! What might have its next micro-step: found by `evolve`, tested by `decide`, part of no state's meaning (R2).

use std::cmp::Reverse;
use std::collections::BTreeSet;

#[cfg(test)]
use crate::definition::Join;
use crate::ids::{ActivationId, ArcIndex, ScopeId, StageIndex};

use super::locks::LockPlace;
#[cfg(test)]
use super::outlook::Waiting;
use super::outlooks::Outlooks;
use super::past::LastUnion;
#[cfg(test)]
use super::state::{Gate, Progress, State};

/// Whatever might have its next micro-step; a superset.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidates {
    /// Activations that something outside ends, what is inside before what is around it, then oldest first.
    pub(super) doomed: BTreeSet<Nested>,
    /// Activations whose tasks are over, and instances that the definition answers, oldest first.
    pub(super) core_ended: BTreeSet<(u64, ActivationId)>,
    /// Activations with a gate to examine, oldest first.
    pub(super) ready: BTreeSet<(u64, ActivationId)>,
    /// Activations that may have instances to begin, whether they live or not, oldest first.
    pub(super) starting: BTreeSet<(u64, ActivationId)>,
    /// OR-joins that may fire, and what the others wait for.
    pub(super) outlooks: Outlooks,
    /// Stages that signals start for which one may be kept.
    pub(super) starts: BTreeSet<StageIndex>,
    /// Stages whose join may fire, in the deepest and then the oldest scope first.
    pub(super) joins: BTreeSet<(Reverse<u32>, ScopeId, StageIndex)>,
    /// Activations whose block may be done or may have another turn, deepest first, then oldest.
    pub(super) inside: BTreeSet<Nested>,
    /// Scopes inside activations in which nothing may live any more, deepest first, then oldest.
    pub(super) over: BTreeSet<(Reverse<u32>, ScopeId)>,
    /// Locks that nobody may need any more.
    pub(super) locks: BTreeSet<LockPlace>,
    /// Arcs with news for the join that counts what arrives there.
    pub(super) arrivals: BTreeSet<(ScopeId, StageIndex, ArcIndex)>,
    /// Groups of threads that lie before a merge, each with the activation that split into them.
    pub(super) merges: BTreeSet<(ScopeId, StageIndex, Option<ActivationId>)>,
    /// No candidate; it stands here as it is no part of a state's meaning, either.
    pub(super) last_union: LastUnion,
    /// No candidate, either: what lives in scopes inside activations, by its scope.
    pub(super) inner: BTreeSet<(ScopeId, ActivationId)>,
}

/// An activation behind all that are nested deeper, then behind those born before it: depth of its scope, place in the
/// order of birth.
pub(super) type Nested = (Reverse<u32>, u64, ActivationId);

#[cfg(test)]
impl State {
    /// Makes everything a candidate that could possibly be one.
    pub(crate) fn refill_candidates(&mut self) {
        self.candidates.outlooks.clear();
        for (id, activation) in &self.core.live {
            let place = (activation.born, *id);
            let nested = self.nested(*id, activation);
            if activation.doomed.is_some() {
                self.candidates.doomed.insert(nested);
            }
            if self.is_to_be_answered(*id) {
                self.candidates.core_ended.insert(place);
            }
            match activation.progress {
                Progress::Ready(gate) if gate.opens() || gate == Gate::Expired => self.candidates.ready.insert(place),
                Progress::CoreEnded | Progress::Overdue => self.candidates.core_ended.insert(place),
                Progress::Turning | Progress::Inside | Progress::Instances => self.candidates.inside.insert(nested),
                Progress::Ready(_) | Progress::Between { .. } | Progress::Open(_) | Progress::Canceling(_) => false,
            };
        }
        let inner = self.core.live.iter().filter(|(_, live)| live.scope != ScopeId::ROOT);
        self.candidates.inner = inner.map(|(id, live)| (live.scope, *id)).collect();
        self.candidates.starting.extend(self.core.instances.iter().map(|(id, set)| (set.born, *id)));
        for (id, scope) in &self.core.scopes {
            let stages = self.core.marking.marked_stages(*id);
            self.candidates.joins.extend(stages.map(|stage| (Reverse(scope.depth), *id, stage)));
            for stage in self.core.marking.marked_stages(*id) {
                if self.definition.graph().stage(stage).join == Join::Or {
                    self.candidates.outlooks.insert(Waiting { scope: *id, join: stage });
                }
            }
            if scope.owner.is_some() && scope.live == 0 {
                self.candidates.over.insert((Reverse(scope.depth), *id));
            }
        }
        let starts: Vec<StageIndex> = self.open_starts().map(|(stage, _)| stage).collect();
        self.candidates.starts.extend(starts);
        self.candidates.locks.extend(self.core.locks.iter().flat_map(|locks| locks.held.keys().copied()));
        let counting = self.core.joins.keys().map(|(scope, stage)| (Reverse(self.depth_of(*scope)), *scope, *stage));
        let counting: Vec<_> = counting.collect();
        self.candidates.joins.extend(counting);
        let scopes: Vec<ScopeId> = self.core.scopes.keys().copied().collect();
        for scope in scopes {
            self.reconsider_all(scope);
            self.look_at_all_milestones(scope);
        }
        let graph = self.definition.graph();
        for (scope, arc, token) in self.core.marking.iter().filter(|(_, _, token)| token.jump.is_none()) {
            let to = graph.arc(arc).to;
            if graph.stage(to).generations.is_some() {
                self.candidates.arrivals.insert((scope, to, arc));
            }
            if graph.stage(to).merge_count.is_some() {
                self.candidates.merges.insert((scope, to, token.thread.group()));
            }
        }
    }
}
