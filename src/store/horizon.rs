//! How far a store is durable, for threads that wait for more.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ids::Position;

/// The position behind the last durable event; it only rises.
pub(super) struct Horizon {
    position: Mutex<Position>,
    risen: Condvar,
}

impl Horizon {
    pub(super) fn new(position: Position) -> Horizon {
        Horizon { position: Mutex::new(position), risen: Condvar::new() }
    }

    fn position(&self) -> MutexGuard<'_, Position> {
        // One number: it is whole whatever a thread did that panicked.
        self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self) -> Position {
        *self.position()
    }

    /// Every event before `position` is durable now: wakes who waits for one of them.
    pub(super) fn raise(&self, position: Position) {
        let mut known = self.position();
        *known = position.max(*known);
        drop(known);
        self.risen.notify_all();
    }

    /// Waits until the event at `position` is durable or the time is over; gives how far the store is durable then.
    pub(super) fn wait(&self, position: Position, timeout: Duration) -> Position {
        let waited = self.risen.wait_timeout_while(self.position(), timeout, |known| *known <= position);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
