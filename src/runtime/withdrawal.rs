//! What an event takes back of the attempts that were let out: which are to stop, and who is told.

use crate::definition::CancelMode;
use crate::event::Event;
use crate::ids::ActivationId;
use crate::machine::State;

use super::commit::Release;
use super::worklist::Notice;

impl Release {
    /// What `event` takes back, which follows from `input` and has led to `state`, with others.
    pub(super) fn take_back(&mut self, state: &State, event: &Event, input: Option<&Event>) {
        let workflow = state.workflow();
        if let Event::StageEnded { activation, error, .. } = event {
            // Of the ends that an activation comes to by itself, a deadline leaves an attempt that runs on. One that
            // was canceled with its region, and behind which control cannot go on, ends with an error.
            let by_timer = matches!(input, Some(Event::TimerFired(..)));
            if by_timer || error.is_some() {
                self.withdrawn.push((workflow, *activation, Notice::Given));
            }
        }
        if let Event::StageCanceled { activation, .. } = event {
            self.withdrawn.push((workflow, *activation, notice(state, *activation)));
        }
        if let Event::StageCanceling { activation, .. } = event {
            self.stopping.extend(state.stopping_attempt(*activation).map(|attempt| (workflow, attempt)));
        }
    }
}

/// Is the worker of a canceled activation told?
fn notice(state: &State, activation: ActivationId) -> Notice {
    match state.definition().graph().stage(activation.stage).cancellation.mode {
        CancelMode::Abandon => Notice::Spared,
        CancelMode::Try | CancelMode::Wait { .. } => Notice::Given,
    }
}
