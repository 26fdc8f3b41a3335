//! An answer that one thread gives and another waits for, parked or as a future. Only user of `crossbeam`.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use crossbeam::sync::{Parker, Unparker};

/// The giving end. Dropped without an answer, it tells the waiting end that none will come.
pub(super) struct Promise<T> {
    shared: Arc<Mutex<Slot<T>>>,
}

/// The waiting end. As a future it gives `None` if no answer will come.
pub(super) struct Awaited<T> {
    shared: Arc<Mutex<Slot<T>>>,
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
    waiter: Option<Waker>,
}

/// Wakes a parked thread.
struct Unpark(Unparker);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    /// What this thread parks on. Made once a thread; a late wake only lets it look once more.
    static PARKING: (Parker, Waker) = {
        let parker = Parker::new();
        let waker = Waker::from(Arc::new(Unpark(parker.unparker().clone())));
        (parker, waker)
    };
}

/// A promise and the end that waits for it.
pub(super) fn promise<T>() -> (Promise<T>, Awaited<T>) {
    let shared = Arc::new(Mutex::new(Slot { answer: None, dropped: false, waiter: None }));
    (Promise { shared: Arc::clone(&shared) }, Awaited { shared })
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
        let waiter = {
            let mut slot = locked(&self.shared);
            slot.dropped = true;
            slot.waiter.take()
        };
        // Without the lock, which the one that wakes wants at once.
        if let Some(waiter) = waiter {
            waiter.wake();
        }
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
        PARKING.with(|(parker, waker)| {
            loop {
                match self.look(waker) {
                    Poll::Ready(Some(answer)) => return Waited::Answer(answer),
                    Poll::Ready(None) => return Waited::Dropped,
                    Poll::Pending => (),
                }
                match deadline {
                    None => parker.park(),
                    Some(deadline) if Instant::now() >= deadline => return Waited::TimedOut,
                    Some(deadline) => parker.park_deadline(deadline),
                }
            }
        })
    }

    /// The answer, or `None` if none will come; else `waker` will be woken.
    fn look(&self, waker: &Waker) -> Poll<Option<T>> {
        let mut slot = locked(&self.shared);
        if slot.answer.is_some() || slot.dropped {
            return Poll::Ready(slot.answer.take());
        }
        match &mut slot.waiter {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        Poll::Pending
    }
}

impl<T> Future for Awaited<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.look(context.waker())
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

    #[test]
    fn as_a_future_it_wakes_the_last_who_asked() {
        struct Count(std::sync::atomic::AtomicUsize);
        impl Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
        let counts = [(); 2].map(|()| Arc::new(Count(std::sync::atomic::AtomicUsize::new(0))));
        let (promise, mut awaited) = promise();
        for count in &counts {
            let waker = Waker::from(Arc::clone(count));
            assert_eq!(Pin::new(&mut awaited).poll(&mut Context::from_waker(&waker)), Poll::Pending);
        }
        promise.give(7);
        assert_eq!(counts.each_ref().map(|count| count.0.load(std::sync::atomic::Ordering::Relaxed)), [0, 1]);
        let again = Pin::new(&mut awaited).poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(again, Poll::Ready(Some(7)));
    }
}
