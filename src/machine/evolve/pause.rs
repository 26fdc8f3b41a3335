//! What it changes that a workflow is paused, and that it goes on.

use crate::event::{PauseRequest, Resumption, Stamp};
use crate::machine::pause::Pause;
use crate::machine::state::State;

use super::Fit;

pub(super) fn pause(state: &mut State, stamp: &Stamp, request: &PauseRequest) -> Fit<()> {
    if state.is_paused() {
        return Err("it is paused already");
    }
    let pause = Pause { by: stamp.actor.clone(), reason: request.reason.clone(), since: stamp.now };
    state.core.paused = Some(Box::new(pause));
    Ok(())
}

/// What waited to begin is a candidate still.
pub(super) fn resume(state: &mut State, resumption: &Resumption) -> Fit<()> {
    if state.core.paused.take().is_none() {
        return Err("it is not paused");
    }
    if resumption.paused < state.core.paused_before {
        return Err("it cannot have been paused for less time than before");
    }
    state.core.paused_before = resumption.paused;
    Ok(())
}
