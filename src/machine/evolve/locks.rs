//! What it changes that somebody takes a lock, waits for one, or gives it back.

#![allow(clippy::wildcard_enum_match_arm, reason = "one match leads here, with these events")]

use crate::event::Event;
use crate::ids::{ActivationId, LockIndex, ScopeId};
use crate::machine::locks::{Holder, LockPlace};
use crate::machine::state::{Progress, State};

use super::Fit;

/// What concerns locks.
pub(super) fn apply(state: &mut State, event: &Event) -> Fit<()> {
    match event {
        Event::LockTaken { lock, activation } => take(state, *activation, *lock),
        Event::LockReleased { lock, scope } => release(state, *lock, *scope),
        _ => Err("it is about no lock"),
    }
}

/// An activation that is about to start takes a lock.
fn take(state: &mut State, id: ActivationId, lock: LockIndex) -> Fit<()> {
    let live = state.core.live.get(&id).ok_or("the activation is not live")?;
    let scope = live.scope;
    if !matches!(live.progress, Progress::Ready(gate) if gate.opens()) {
        return Err("the activation does not stand at a gate");
    }
    let needed = state.lock_places(id, scope);
    let place = *needed.iter().find(|place| place.lock == lock).ok_or("the stage needs no such lock")?;
    if state.held(place).is_some() {
        return Err("somebody holds the lock");
    }
    let holder = state.holder_of(place, id, scope);
    let locks = state.locks_mut();
    locks.held.insert(place, holder);
    if let Holder::Section { .. } = holder {
        // Others of the section may wait for it.
        let next = locks.next_waiter(place, None);
        state.candidates.ready.extend(next);
    }
    Ok(())
}

/// Nobody needs a lock any more who had it.
fn release(state: &mut State, lock: LockIndex, scope: ScopeId) -> Fit<()> {
    let place = LockPlace { lock, scope };
    match state.held(place).ok_or("nobody holds the lock")? {
        Holder::Activation(id) if state.core.live.contains_key(&id) => return Err("its holder lives"),
        Holder::Activation(_) | Holder::Section { .. } => (),
    }
    let locks = state.locks_mut();
    locks.held.remove(&place);
    let next = locks.next_waiter(place, None);
    state.candidates.ready.extend(next);
    state.trim_locks();
    Ok(())
}

/// An activation starts: it has what it needs.
pub(super) fn start(state: &mut State, id: ActivationId, scope: ScopeId, born: u64) -> Fit<()> {
    let has = |place: &LockPlace| state.held(*place) == Some(state.holder_of(*place, id, scope));
    if !state.lock_places(id, scope).iter().all(has) {
        return Err("it starts without its locks");
    }
    state.stop_waiting_for_locks(id, scope, born);
    Ok(())
}
