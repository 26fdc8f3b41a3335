//! Merges of threads: a nominated number of the threads of one split becomes one (WCP 41).

use crate::event::Consumed;
use crate::ids::{ActivationId, ArcIndex, ScopeId, StageIndex};
use crate::machine::state::State;

use super::{Decision, join};

/// How many threads a stage merges, and the arc on which they lie.
fn merge(state: &State, stage: StageIndex) -> Option<(u32, ArcIndex)> {
    let spec = state.definition.graph().stage(stage);
    Some((spec.merge_count?, *spec.incoming.first()?))
}

/// A group of threads of which enough lie before the merge; all that lie there are looked at.
pub(super) fn mergeable(state: &State, scope: ScopeId, stage: StageIndex) -> Option<Option<ActivationId>> {
    let (count, arc) = merge(state, stage)?;
    state.core.marking.largest_group(scope, arc).filter(|(_, lying)| *lying >= count).map(|(group, _)| group)
}

impl Decision<'_> {
    /// What a merge of threads would consume now; only groups with news are looked at.
    pub(super) fn merge_threads(&mut self, scope: ScopeId, stage: StageIndex) -> Option<Consumed> {
        let (count, arc) = merge(self.state, stage)?;
        if join::holds_back(self.state, scope, stage).is_some() {
            return None;
        }
        loop {
            let candidate = *self.state.candidates.merges.range((scope, stage, None)..).next()?;
            if (candidate.0, candidate.1) != (scope, stage) {
                return None;
            }
            if self.state.core.marking.threads(scope, arc, candidate.2) >= count {
                return Some(Consumed::Threads(candidate.2));
            }
            self.state.candidates.merges.remove(&candidate);
        }
    }
}
