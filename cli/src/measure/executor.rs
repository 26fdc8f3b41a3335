//! The smallest executor that keeps a number of futures going on one thread.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::error::Error;

/// Futures that can go on.
#[derive(Default)]
struct Ready {
    numbers: Mutex<Vec<usize>>,
    some: Condvar,
}

/// Tells that one of them can.
struct One {
    number: usize,
    ready: Arc<Ready>,
}

impl Wake for One {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut numbers = self.ready.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.push(self.number);
        // Only a sleeper is woken.
        if numbers.len() == 1 {
            self.ready.some.notify_one();
        }
    }
}

/// Runs `total` futures to their end, `at_once` of them at a time, on the calling thread.
///
/// # Errors
///
/// The first error of one of them; the others are dropped.
pub(super) fn keep_going<F>(at_once: u64, total: u64, mut make: impl FnMut() -> F) -> Result<(), Error>
where
    F: Future<Output = Result<(), Error>>,
{
    let ready = Arc::new(Ready::default());
    let mut going: Vec<(Pin<Box<F>>, Waker)> = (0..at_once.min(total) as usize)
        .map(|number| (Box::pin(make()), Waker::from(Arc::new(One { number, ready: Arc::clone(&ready) }))))
        .collect();
    let (mut begun, mut ended) = (going.len() as u64, 0);
    let mut numbers: Vec<usize> = (0..going.len()).collect();
    while ended < total {
        for number in numbers.drain(..) {
            let (future, waker) = &mut going[number];
            while let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(waker)) {
                result?;
                ended += 1;
                if begun == total {
                    break;
                }
                begun += 1;
                future.set(make());
            }
        }
        let mut waiting = ready.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        while waiting.is_empty() && ended < total {
            waiting = ready.some.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut numbers, &mut waiting);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn all_futures_end_and_no_more_are_open_than_were_asked_for() {
        for (at_once, total) in [(1, 5), (3, 10), (8, 2), (4, 0)] {
            let (open, most, ended) = (Cell::new(0), Cell::new(0), Cell::new(0));
            let done = keep_going(at_once, total, || {
                let (mut polls, open, most, ended) = (0, &open, &most, &ended);
                std::future::poll_fn(move |context| {
                    polls += 1;
                    if polls == 1 {
                        open.set(open.get() + 1);
                        most.set(most.get().max(open.get()));
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    open.set(open.get() - 1);
                    ended.set(ended.get() + 1);
                    Poll::Ready(Ok(()))
                })
            });
            assert!(done.is_ok());
            assert_eq!((ended.get(), most.get()), (total, at_once.min(total)), "{at_once} of {total}");
        }
    }

    #[test]
    fn the_first_error_ends_all() {
        let mut made = 0;
        let done = keep_going(2, 10, || {
            made += 1;
            let number = made;
            async move { if number == 3 { Err(Error::Stopped) } else { Ok(()) } }
        });
        assert!(matches!(done, Err(Error::Stopped)));
        assert!(made < 10, "{made}");
    }
}
