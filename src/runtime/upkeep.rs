//! Work beside the writer, such as the next segment: a thread's wait and call; nobody waits for it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::store::Upkeep;

/// What the store wants done beside the writer.
pub(super) struct UpkeepWork {
    state: Mutex<State>,
    wanted: Condvar,
}

struct State {
    upkeep: Option<Upkeep>,
    over: bool,
}

impl UpkeepWork {
    /// Nothing is ever due without an upkeep.
    pub(super) fn new(upkeep: Option<Upkeep>) -> UpkeepWork {
        UpkeepWork { state: Mutex::new(State { upkeep, over: false }), wanted: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called after a write. Costs next to nothing, and nothing at all while upkeep is under way.
    pub(super) fn look(&self) {
        let due = match self.state.try_lock() {
            Ok(state) => state.upkeep.as_ref().is_some_and(Upkeep::is_due),
            Err(_) => false,
        };
        if due {
            self.wanted.notify_one();
        }
    }

    /// The life of the thread: does what is due until it is told that all is over.
    pub(super) fn run(&self) {
        let mut state = self.lock();
        while !state.over {
            match &mut state.upkeep {
                Some(upkeep) if upkeep.is_due() => {
                    if let Err(error) = upkeep.perform() {
                        // Nobody needs it to go on; trying again at once would only keep the disk busy.
                        tracing::warn!(%error, "work beside the writer failed");
                        state = self.wanted.wait(state).unwrap_or_else(PoisonError::into_inner);
                    }
                }
                Some(_) | None => state = self.wanted.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
        state.upkeep = None;
    }

    /// The thread ends.
    pub(super) fn finish(&self) {
        self.lock().over = true;
        self.wanted.notify_all();
    }
}
