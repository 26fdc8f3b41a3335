//! Subscribers: who is told of events once they are durable, each on a thread of its own and at its own pace.
//!
//! Nothing is kept for a subscriber but its place in the log, so however slow it is, nobody waits for it and nothing
//! grows. One that panics ends alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::event::Envelope;
use crate::replay::{EventFilter, Follow};

use super::config::Threads as Mover;
use super::engine::Engine;
use super::error::Error;
use super::workers::{Thread, join_unless_own, spawn};

/// Somebody who is told of events, until [`Subscription::cancel`] or the end of the engine. Dropping this changes
/// nothing.
#[derive(Clone)]
pub struct Subscription {
    subscriber: Arc<Subscriber>,
}

/// What a subscriber calls with each event.
type Callback = Box<dyn FnMut(&Envelope) + Send>;

/// What becomes of a subscriber.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// It is told of what comes.
    Events,
    /// It is told of what is durable now, and that was all.
    Rest,
    /// It is told of nothing more.
    Nothing,
}

struct Subscriber {
    name: String,
    standing: Mutex<Standing>,
    /// Wakes its thread.
    woken: Condvar,
}

/// How it stands with a subscriber.
struct Standing {
    wanted: Wanted,
    /// Its place and its callback; not there while they are at work.
    delivery: Option<Delivery>,
    /// It is told of nothing any more.
    over: bool,
    /// Its thread has nothing to do, until somebody says otherwise here.
    asleep: bool,
    /// Waited for once.
    thread: Option<Thread>,
}

struct Delivery {
    follow: Follow,
    filter: EventFilter,
    callback: Callback,
}

/// The subscribers of an engine.
#[derive(Default)]
pub(super) struct Subscribers {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    subscribers: Vec<Arc<Subscriber>>,
    /// The engine has ended.
    closed: bool,
}

impl Engine {
    /// Tells `callback` of every event that fits and becomes durable from now on, each once, in the order of the log.
    ///
    /// It is called on a thread of its own; one that is slow is told later, one that panics is told no more, and
    /// neither harms the engine. [`Engine::wait`] may return before the callback has heard of the end, but
    /// [`Engine::close`] waits until each subscriber has been told of everything. An engine that its caller moves calls
    /// it at the end of `step`. `name` stands in traces.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownEvent`] for a type that no event has; if the engine is closed, or the system gives no thread.
    pub fn subscribe(
        &self,
        name: impl Into<String>,
        filter: EventFilter,
        callback: impl FnMut(&Envelope) + Send + 'static,
    ) -> Result<Subscription, Error> {
        if let Some(name) = filter.unknown_type() {
            return Err(Error::UnknownEvent { name: name.to_owned() });
        }
        let shared = &self.inner.shared;
        let follow = shared.history.follow(shared.store.durable());
        let delivery = Delivery { follow, filter, callback: Box::new(callback) };
        shared.subscribers.add(name.into(), delivery, shared.mover)
    }
}

impl Subscription {
    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.subscriber.name
    }

    /// Is it still told of events? Not once it was canceled, has panicked, the log could not be read, or the engine has
    /// closed and it has been told of everything.
    pub fn is_active(&self) -> bool {
        let standing = self.subscriber.standing();
        standing.wanted != Wanted::Nothing && !standing.over
    }

    /// Ends it. When this returns the callback is not at work and is never called again, unless this was called by the
    /// callback itself. Canceling twice does nothing.
    pub fn cancel(&self) {
        self.subscriber.end(Wanted::Nothing);
    }
}

impl Subscriber {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        // Callbacks run without this lock, so whatever panics leaves it whole.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of its thread.
    fn run(&self) {
        loop {
            let wanted = {
                let mut standing = self.standing();
                while standing.asleep {
                    standing = self.woken.wait(standing).unwrap_or_else(PoisonError::into_inner);
                }
                // From here on, what becomes durable wakes it again.
                standing.asleep = true;
                standing.wanted
            };
            self.deliver();
            if wanted != Wanted::Events || self.standing().over {
                break;
            }
        }
        self.leave();
    }

    /// There may be something to do.
    fn wake(&self) {
        if std::mem::take(&mut self.standing().asleep) {
            self.woken.notify_one();
        }
    }

    /// Tells of everything that is durable now.
    fn deliver(&self) {
        let Some(mut delivery) = self.standing().delivery.take() else { return };
        let told = delivery.all(self);
        let mut standing = self.standing();
        if told.is_ok() && standing.wanted != Wanted::Nothing {
            standing.delivery = Some(delivery);
        } else {
            standing.over = true;
        }
    }

    /// It is told of nothing any more, and lets go of what it has.
    fn leave(&self) {
        let mut standing = self.standing();
        standing.over = true;
        let delivery = standing.delivery.take();
        drop(standing);
        drop(delivery);
    }

    /// Ends it, and waits until it has ended.
    fn end(&self, wanted: Wanted) {
        let mut standing = self.standing();
        if standing.wanted != Wanted::Nothing {
            standing.wanted = wanted;
        }
        let thread = standing.thread.take();
        drop(standing);
        match thread {
            Some(thread) => {
                self.wake();
                // Where the callback itself has called this, its thread ends when it returns.
                join_unless_own(thread);
            }
            None if wanted == Wanted::Nothing => self.leave(),
            None => (),
        }
    }
}

/// Why nothing more can be told; it has been traced.
struct Failed;

impl Delivery {
    /// Calls back with everything that is durable and fits.
    fn all(&mut self, subscriber: &Subscriber) -> Result<(), Failed> {
        loop {
            if subscriber.standing().wanted == Wanted::Nothing {
                return Ok(());
            }
            let event = match self.follow.next_timeout(Duration::ZERO) {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(()),
                Err(error) => {
                    tracing::warn!(subscriber = %subscriber.name, %error, "the log could not be read for a subscriber");
                    return Err(Failed);
                }
            };
            if self.filter.matches(&event) && catch_unwind(AssertUnwindSafe(|| (self.callback)(&event))).is_err() {
                let position = event.position().get();
                tracing::warn!(subscriber = %subscriber.name, position, "a subscriber has panicked and is told no more");
                return Err(Failed);
            }
        }
    }
}

impl Subscribers {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, name: String, delivery: Delivery, mover: Mover) -> Result<Subscription, Error> {
        let mut known = self.known();
        if known.closed {
            return Err(Error::Closed);
        }
        known.subscribers.retain(|subscriber| !subscriber.standing().over);
        let standing =
            Standing { wanted: Wanted::Events, delivery: Some(delivery), over: false, asleep: false, thread: None };
        let subscriber = Arc::new(Subscriber { name, standing: Mutex::new(standing), woken: Condvar::new() });
        if mover == Mover::Own {
            let of_thread = Arc::clone(&subscriber);
            let thread = spawn("stabilize-subscriber", move || of_thread.run());
            let thread = thread.map_err(|source| Error::Thread { source })?;
            subscriber.standing().thread = Some(thread);
        }
        known.subscribers.push(Arc::clone(&subscriber));
        Ok(Subscription { subscriber })
    }

    /// More is durable. Costs next to nothing where nobody listens, and never waits for anybody who does.
    pub(super) fn wake(&self) {
        self.known().subscribers.iter().for_each(|subscriber| subscriber.wake());
    }

    /// Tells those who have no thread, on the caller's; forgets those who are told of nothing any more.
    pub(super) fn deliver(&self) {
        let subscribers = self.known().subscribers.clone();
        subscribers.iter().for_each(|subscriber| subscriber.deliver());
        self.known().subscribers.retain(|subscriber| !subscriber.standing().over);
    }

    /// Nothing becomes durable any more: everybody is told of the rest, and then it is over.
    pub(super) fn finish(&self, mover: Mover) {
        let mut known = self.known();
        known.closed = true;
        let subscribers = std::mem::take(&mut known.subscribers);
        drop(known);
        for subscriber in subscribers {
            if mover == Mover::Caller {
                subscriber.deliver();
                subscriber.leave();
            }
            subscriber.end(Wanted::Rest);
        }
    }

    /// How many are known.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.known().subscribers.len()
    }
}
