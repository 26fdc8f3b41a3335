//! How a running attempt learns that it should stop: asked, out of time, or the engine closes.
//!
//! A shared flag that can be waited for and that wakes who cannot wait for it. It asks; what runs has to obey.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Why an attempt should stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The state no longer asks for this work.
    Canceled,
    /// The attempt has taken longer than its timeout.
    TimedOut,
    /// The engine closes in order; the work will be dispatched again.
    Closing,
}

/// The request to stop one attempt; clones are the same request.
#[derive(Clone, Default)]
pub(crate) struct Cancel {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

type Wake = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct State {
    stop: Option<Stop>,
    deadline: Option<Instant>,
    wakes: BTreeMap<u64, Wake>,
    next_wake: u64,
}

impl State {
    fn stop(&self) -> Option<Stop> {
        let late = || self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        self.stop.or_else(|| late().then_some(Stop::TimedOut))
    }
}

impl Cancel {
    /// Nobody has asked yet and there is no deadline.
    pub(crate) fn new() -> Cancel {
        Cancel::default()
    }

    /// Asks the attempt to stop. The first reason stays.
    pub(crate) fn cancel(&self, stop: Stop) {
        let mut state = self.state();
        if state.stop.is_some() {
            return;
        }
        state.stop = Some(stop);
        let wakes: Vec<Wake> = state.wakes.values().cloned().collect();
        drop(state);
        self.shared.changed.notify_all();
        for wake in wakes {
            wake();
        }
    }

    /// From `deadline` on the attempt should stop as timed out; none takes the limit away. Replaces an earlier one.
    pub(crate) fn limit(&self, deadline: Option<Instant>) {
        self.state().deadline = deadline;
        self.shared.changed.notify_all();
    }

    /// What was asked so far is over, and what comes now has until `deadline`; a later request counts again.
    pub(super) fn renew(&self, deadline: Option<Instant>) {
        let mut state = self.state();
        state.stop = None;
        state.deadline = deadline;
    }

    /// The deadline, if there is one.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.state().deadline
    }

    /// Why the attempt should stop, if it should.
    pub(crate) fn stop(&self) -> Option<Stop> {
        self.state().stop()
    }

    /// Waits until the attempt should stop, at most for `length`; none if it may go on.
    pub(crate) fn wait(&self, length: Duration) -> Option<Stop> {
        let until = Instant::now().checked_add(length);
        let mut state = self.state();
        loop {
            if let Some(stop) = state.stop() {
                return Some(stop);
            }
            let now = Instant::now();
            if until.is_some_and(|until| until <= now) {
                return None;
            }
            let next = [until, state.deadline].into_iter().flatten().min();
            let changed = &self.shared.changed;
            state = match next {
                Some(next) => {
                    let left = next.saturating_duration_since(now);
                    changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Calls `wake` once when [`cancel`](Cancel::cancel) is called, until the result is dropped. A deadline calls none.
    ///
    /// If it was called before, `wake` is called at once. It must not block, and may be called shortly after the drop.
    #[must_use = "dropping it takes the registration back"]
    pub(crate) fn on_cancel(&self, wake: impl Fn() + Send + Sync + 'static) -> Registration {
        let wake: Wake = Arc::new(wake);
        let mut state = self.state();
        let number = state.next_wake;
        state.next_wake += 1;
        state.wakes.insert(number, Arc::clone(&wake));
        let asked = state.stop.is_some();
        drop(state);
        if asked {
            wake();
        }
        Registration { cancel: self.clone(), number }
    }

    /// No code that can panic runs under this lock, so what a poisoned one holds is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancel").field(&self.stop()).finish()
    }
}

/// Somebody to wake at a cancellation; dropping it takes the wish back.
pub(crate) struct Registration {
    cancel: Cancel,
    number: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.cancel.state().wakes.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_wait_ends_when_another_thread_cancels() {
        let cancel = Cancel::new();
        let other = cancel.clone();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| cancel.wait(LONG));
            other.cancel(Stop::Closing);
            other.cancel(Stop::Canceled);
            assert_eq!(waiting.join().unwrap(), Some(Stop::Closing));
        });
    }

    #[test]
    fn a_passed_deadline_stops_and_a_reason_given_wins_over_it() {
        let cancel = Cancel::new();
        assert_eq!(cancel.wait(Duration::ZERO), None);
        cancel.limit(Some(Instant::now() + Duration::from_millis(1)));
        assert_eq!(cancel.wait(LONG), Some(Stop::TimedOut));
        assert_eq!(cancel.stop(), Some(Stop::TimedOut));
        cancel.cancel(Stop::Canceled);
        assert_eq!(cancel.stop(), Some(Stop::Canceled));
    }

    #[test]
    fn a_registration_is_woken_once_and_not_after_its_drop() {
        let woken = Arc::new(AtomicU32::new(0));
        let count = || {
            let woken = Arc::clone(&woken);
            move || {
                woken.fetch_add(1, Ordering::SeqCst);
            }
        };
        let cancel = Cancel::new();
        let kept = cancel.on_cancel(count());
        drop(cancel.on_cancel(count()));
        cancel.cancel(Stop::Canceled);
        cancel.cancel(Stop::Canceled);
        assert_eq!(woken.load(Ordering::SeqCst), 1);
        let late = cancel.on_cancel(count());
        assert_eq!(woken.load(Ordering::SeqCst), 2);
        drop((kept, late));
    }
}
