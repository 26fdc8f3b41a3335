//! Work that has to stop before its activation ends: `cancel_mode: wait`.

use crate::event::{CancelCause, Event, TimerOwner, TimerPurpose};
use crate::ids::{ActivationId, AttemptId};
use crate::machine::command::Rejection;
use crate::machine::state::State;

use super::Decision;

/// Only an attempt stops that somebody waits for to stop.
pub(super) fn refuse(state: &State, attempt: AttemptId) -> Result<(), Rejection> {
    let stops = state.stopping(attempt.task.activation).is_some_and(|stopping| stopping.attempt == attempt);
    if stops { Ok(()) } else { Err(Rejection::NotAwaited { attempt }) }
}

impl Decision<'_> {
    /// A marked activation waits for what is under way in it to stop; how long at most its stage says.
    pub(super) fn stop_first(&mut self, id: ActivationId, cause: CancelCause) {
        self.push(Event::StageCanceling { activation: id, cause });
        let timeout = self.state.definition.graph().stage(id.stage).cancellation.mode.timeout();
        if let Some(timeout) = timeout.filter(|_| self.state.stopping(id).is_some()) {
            let due = self.state.core.now.saturating_add(timeout);
            self.set_moment(TimerOwner::Activation(id), TimerPurpose::CancelTimeout, due);
        }
    }
}
