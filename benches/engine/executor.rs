//! The smallest executor that keeps a number of futures going on one thread.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Wake, Waker};

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
        let mut numbers = self.ready.numbers.lock().expect("no waker panics");
        numbers.push(self.number);
        // Only a sleeper is woken.
        if numbers.len() == 1 {
            self.ready.some.notify_one();
        }
    }
}

/// Runs `total` futures to their end, `at_once` of them at a time, on the calling thread.
pub(crate) fn run<F: Future>(at_once: usize, total: usize, mut make: impl FnMut() -> F) {
    let ready = Arc::new(Ready::default());
    let mut running: Vec<(Pin<Box<F>>, Waker)> = (0..at_once.min(total))
        .map(|number| (Box::pin(make()), Waker::from(Arc::new(One { number, ready: Arc::clone(&ready) }))))
        .collect();
    let (mut begun, mut ended) = (running.len(), 0);
    let mut numbers: Vec<usize> = (0..running.len()).collect();
    while ended < total {
        for number in numbers.drain(..) {
            let (future, waker) = &mut running[number];
            while future.as_mut().poll(&mut Context::from_waker(waker)).is_ready() {
                ended += 1;
                if begun == total {
                    break;
                }
                begun += 1;
                future.set(make());
            }
        }
        let mut waiting = ready.numbers.lock().expect("no waker panics");
        while waiting.is_empty() && ended < total {
            waiting = ready.some.wait(waiting).expect("no waker panics");
        }
        std::mem::swap(&mut numbers, &mut waiting);
    }
}
