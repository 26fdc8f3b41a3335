//! An answer that one thread gives and another waits for. Only user of `crossbeam`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crossbeam::sync::{Parker, Unparker};

/// The giving end. Dropped without an answer, it tells the waiting end that none will come.
pub(super) struct Promise<T> {
    shared: Arc<Mutex<Slot<T>>>,
}

/// The waiting end.
pub(super) struct Awaited<T> {
    shared: Arc<Mutex<Slot<T>>>,
    parker: Parker,
}

/// What became of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited<T> {
    /// The answer.
    Answer(T),
    /// No answer will come.
    Dropped,
    /// None has come by the deadline.
    TimedOut,
}

struct Slot<T> {
    answer: Option<T>,
    dropped: bool,
    waiter: Unparker,
}

/// A promise and the end that waits for it.
pub(super) fn promise<T>() -> (Promise<T>, Awaited<T>) {
    let parker = Parker::new();
    let slot = Slot { answer: None, dropped: false, waiter: parker.unparker().clone() };
    let shared = Arc::new(Mutex::new(slot));
    (Promise { shared: Arc::clone(&shared) }, Awaited { shared, parker })
}

impl<T> Promise<T> {
    /// Gives the answer and wakes who waits for it.
    pub(super) fn give(self, answer: T) {
        locked(&self.shared).answer = Some(answer);
        // Dropping wakes.
    }

    /// Does anybody still wait?
    pub(super) fn is_awaited(&self) -> bool {
        Arc::strong_count(&self.shared) > 1
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        let mut slot = locked(&self.shared);
        slot.dropped = true;
        slot.waiter.unpark();
    }
}

impl<T> Awaited<T> {
    /// Waits for the answer; `None` if none will come.
    pub(super) fn wait(self) -> Option<T> {
        match self.wait_until(None) {
            Waited::Answer(answer) => Some(answer),
            Waited::Dropped | Waited::TimedOut => None,
        }
    }

    /// Waits for the answer, but not beyond `deadline`.
    pub(super) fn wait_until(self, deadline: Option<Instant>) -> Waited<T> {
        loop {
            {
                let mut slot = locked(&self.shared);
                if let Some(answer) = slot.answer.take() {
                    return Waited::Answer(answer);
                }
                if slot.dropped {
                    return Waited::Dropped;
                }
            }
            match deadline {
                None => self.parker.park(),
                Some(deadline) if Instant::now() >= deadline => return Waited::TimedOut,
                Some(deadline) => self.parker.park_deadline(deadline),
            }
        }
    }
}

fn locked<T>(shared: &Mutex<Slot<T>>) -> MutexGuard<'_, Slot<T>> {
    // A slot is only ever replaced whole, so a panic elsewhere cannot have left it half done.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_reaches_another_thread() {
        let (promise, awaited) = promise();
        std::thread::scope(|scope| {
            scope.spawn(|| promise.give(7));
            assert_eq!(awaited.wait(), Some(7));
        });
    }

    #[test]
    fn a_dropped_promise_ends_the_waiting() {
        let (promise, awaited) = promise::<u8>();
        drop(promise);
        assert_eq!(awaited.wait(), None);
    }

    #[test]
    fn a_passed_deadline_ends_the_waiting() {
        let (promise, awaited) = promise::<u8>();
        assert_eq!(awaited.wait_until(Some(Instant::now())), Waited::TimedOut);
        assert!(!promise.is_awaited());
    }
}
