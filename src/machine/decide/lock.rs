//! Locks: the last gate of a stage. The oldest that waits for what is free takes all it needs at once, and starts.
//!
//! Taking all at once, nobody holds one activation's lock while waiting for another; only a critical section does, and
//! its definition keeps the order.

use crate::event::{Event, HeldBy};
use crate::ids::{ActivationId, ScopeId};
use crate::machine::locks::{Holder, LockPlace};

use super::Decision;

impl Decision<'_> {
    /// The gate of locks of a ready activation: the gates before it are passed, and its
    /// milestone still holds. It starts with what it needs, or waits.
    pub(super) fn reach_locks(&mut self, id: ActivationId) {
        if self.comes_too_late(id) {
            return self.pass_by(id);
        }
        if !self.state.meets_its_milestone(id) {
            return self.wait_for_milestone(id);
        }
        if self.state.locked_out(id).is_none() {
            self.take_locks(id);
            return self.start_in_its_time(id);
        }
        self.push(Event::StageWaiting { activation: id, gate: HeldBy::Lock });
        self.set_expiry(id);
    }

    /// An activation that waits for its locks is looked at; true if it went on.
    pub(super) fn try_locks(&mut self, id: ActivationId) -> bool {
        if self.state.locked_out(id).is_none() {
            self.reach_locks(id);
            return true;
        }
        // Whoever waits behind it may need less, or belong to the section that holds it.
        let live = &self.state.core.live[&id];
        let own = (live.born, id);
        for place in self.state.lock_places(id, live.scope) {
            let Some(locks) = &self.state.core.locks else { continue };
            if !matches!(locks.held.get(&place), Some(Holder::Activation(_))) {
                let next = locks.next_waiter(place, Some(own));
                self.state.candidates.ready.extend(next);
            }
        }
        false
    }

    fn take_locks(&mut self, id: ActivationId) {
        let scope = self.state.core.live[&id].scope;
        for place in self.state.lock_places(id, scope) {
            if self.state.held(place).is_none() {
                self.push(Event::LockTaken { lock: place.lock, activation: id });
            }
        }
    }

    /// Gives back the first lock that nobody needs any more who had it.
    pub(super) fn release_a_lock(&mut self) -> bool {
        while let Some(place) = self.state.candidates.locks.pop_first() {
            if self.state.is_unused(place) {
                self.release(place);
                return true;
            }
        }
        false
    }

    /// A scope is over: sections in it whose tokens are left give back what they hold.
    pub(super) fn release_left(&mut self, scope: ScopeId) {
        let Some(locks) = &self.state.core.locks else { return };
        let is_left = |holder: &Holder| matches!(holder, Holder::Section { scope: of, .. } if *of == scope);
        let left: Vec<LockPlace> =
            locks.held.iter().filter(|(_, holder)| is_left(holder)).map(|(place, _)| *place).collect();
        left.into_iter().for_each(|place| self.release(place));
    }

    fn release(&mut self, place: LockPlace) {
        self.push(Event::LockReleased { lock: place.lock, scope: place.scope });
    }
}
