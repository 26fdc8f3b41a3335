//! Cancelling a workflow: what runs is marked by the input itself, and settling ends it.

use crate::machine::command::Rejection;
use crate::machine::state::State;

/// A second request for the end has nothing left to do.
pub(super) fn refuse(state: &State) -> Result<(), Rejection> {
    if state.core.cancel.is_some() { Err(Rejection::AlreadyCanceling) } else { Ok(()) }
}
