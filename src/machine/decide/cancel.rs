//! Cancelling: of a workflow by request, of others by a stage that has succeeded. What runs is marked, and settling
//! ends it.

use crate::event::{CancelCause, Emitted, Event};
use crate::ids::ActivationId;
use crate::machine::command::Rejection;
use crate::machine::state::State;

use super::Decision;

/// A second request for the end has nothing left to do.
pub(super) fn refuse(state: &State) -> Result<(), Rejection> {
    if state.core.cancel.is_some() { Err(Rejection::AlreadyCanceling) } else { Ok(()) }
}

/// What became of the cancels of a stage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancels {
    /// What they cancel was marked, and ends first.
    Marked,
    /// There is nothing to end any more.
    Done,
}

impl Decision<'_> {
    /// Marks what the stage of an activation cancels whose work has succeeded. Where nothing lives nothing is marked,
    /// and nothing is remembered.
    pub(super) fn cancel_others(&mut self, by: ActivationId) -> Cancels {
        if !self.has_victims(by) {
            return Cancels::Done;
        }
        self.push(Event::CancelsMarked { by });
        Cancels::Marked
    }

    fn has_victims(&self, by: ActivationId) -> bool {
        let cancellation = &self.state.definition.graph().stage(by.stage).cancellation;
        let lives_on =
            |id: &ActivationId| *id != by && self.state.core.live.get(id).is_some_and(|live| live.doomed.is_none());
        if cancellation.ends_all() {
            return self.state.core.live.keys().any(lives_on);
        }
        let scope = self.state.core.live[&by].scope;
        cancellation.victims.iter().any(|victim| self.state.live_of(scope, *victim).any(|id| lives_on(&id)))
    }

    /// A marked activation comes to its end.
    pub(super) fn cancel_activation(&mut self, id: ActivationId, cause: CancelCause) {
        let path = self.state.definition.graph().stage(id.stage).cancellation.path;
        let emitted = match (cause, path) {
            (CancelCause::Stage { .. } | CancelCause::Timer, Some(path)) => Emitted::Arcs(vec![path]),
            (CancelCause::Stage { .. } | CancelCause::Timer, None)
            | (
                CancelCause::Workflow | CancelCause::ScopeFailed | CancelCause::Deadline | CancelCause::ExplicitEnd,
                _,
            ) => Emitted::Nothing,
        };
        self.push(Event::StageCanceled { activation: id, cause, emitted });
    }
}
