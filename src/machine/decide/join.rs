//! Joins: may this stage start, now that tokens lie on its incoming arcs?
//!
//! Pure: reads the state and returns which tokens a firing consumes. Terms: van der Aalst et al., "Workflow Patterns",
//! 2003.

use crate::definition::{Join, Reentry};
use crate::event::Consumed;
use crate::ids::{ActivationId, ArcIndex, ScopeId, StageIndex};
use crate::machine::state::State;

use super::{generations, jump, threads};

/// What a firing of the stage's join would consume now; `None` if it has to wait.
pub(super) fn enabled(state: &State, scope: ScopeId, stage: StageIndex) -> Option<Consumed> {
    if let Some(jump) = jump::enabled(state, scope, stage) {
        return Some(jump);
    }
    let spec = state.definition.graph().stage(stage);
    let marking = &state.core.marking;
    let consumed = match spec.join {
        // It needs a look at the whole marking, and comes after the others.
        Join::Or => None,
        Join::And | Join::GeneralizedAnd => {
            (marking.marked(scope, stage) == spec.incoming.len()).then_some(Consumed::OnePerArc)
        }
        Join::Xor | Join::MultiMerge => {
            marking.first_marked(scope, &spec.incoming).map(|arc| Consumed::Arcs(vec![arc]))
        }
        // They count what arrives before they fire.
        Join::Discriminator | Join::NOfM => None,
        Join::ThreadMerge => threads::mergeable(state, scope, stage).map(Consumed::Threads),
    };
    consumed.filter(|_| holds_back(state, scope, stage).is_none())
}

/// The live activation whose end the stage waits for before it starts again.
pub(super) fn holds_back(state: &State, scope: ScopeId, stage: StageIndex) -> Option<ActivationId> {
    match state.definition.graph().stage(stage).reentry {
        Reentry::Parallel => None,
        Reentry::Serialize => state.live_of(scope, stage).next(),
    }
}

/// The arcs a waiting join still lacks a token on.
pub(super) fn missing(state: &State, scope: ScopeId, stage: StageIndex) -> Vec<ArcIndex> {
    let spec = state.definition.graph().stage(stage);
    match spec.join {
        Join::Discriminator | Join::NOfM => return generations::unseen(state, scope, stage),
        // What it waits for comes over the arc on which the others lie.
        Join::ThreadMerge => return spec.incoming.clone(),
        Join::And | Join::GeneralizedAnd | Join::Xor | Join::MultiMerge | Join::Or => {}
    }
    spec.incoming.iter().copied().filter(|arc| !state.core.marking.is_marked(scope, *arc)).collect()
}
