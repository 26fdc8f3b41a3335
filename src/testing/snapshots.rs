//! A state through its stored form and back.

use crate::machine::{Core, State};
use crate::store::{from_bytes, to_bytes};

/// The state as it comes back from the bytes of its stored form.
pub(crate) fn restored(state: &State) -> State {
    let core: Core = from_bytes(&to_bytes(state.core())).expect("what was encoded is decoded");
    State::from_core(state.workflow(), state.definition().clone(), core)
}

/// Bytes of the stored form of the state.
pub(crate) fn stored_size(state: &State) -> usize {
    to_bytes(state.core()).len()
}
