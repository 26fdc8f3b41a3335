//! Attempts that were released and wait for a worker, and those that workers have.
//!
//! A projection of `outstanding` that is kept as batches are released: what can be lost with the process, and is
//! rebuilt by fold. Urgent first, then oldest; what is not due yet waits beside.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ids::{ActivationId, AttemptId, WorkflowId};
use crate::machine::Surroundings;
use crate::task::{Cancel, Stop};
use crate::time::Timestamp;

use super::clock::Clock;

/// An attempt that may run.
#[derive(Clone, Debug)]
pub(super) struct Released {
    pub(super) workflow: WorkflowId,
    pub(super) attempt: AttemptId,
    /// Not before this moment.
    pub(super) due: Option<Timestamp>,
    /// 0 to 9, larger first.
    pub(super) priority: u8,
    pub(super) surroundings: Surroundings,
    /// When the first attempt of this piece of work was queued.
    pub(super) since: Timestamp,
    pub(super) start: StartRecord,
}

/// What has become of the record of an attempt's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartRecord {
    /// To be written with whatever is written next.
    Lazy,
    /// To be durable before the attempt begins: another engine may have begun it already (R15).
    First,
    /// Written: the task is only called again.
    Done,
}

/// Smaller first: urgent, then by order of release.
type Rank = (u8, u64);

/// An attempt that a worker has.
struct Running {
    cancel: Cancel,
    wanted: Wanted,
}

/// What the state wants of an attempt that a worker has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Its outcome, or nothing any more, as it was told.
    Outcome,
    /// That it stops, and to be told when it has.
    Stop,
    /// Nothing, and it is not told.
    Nothing,
}

/// Is the worker told that the state asks for its attempt no more?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    Given,
    /// `cancel_mode: abandon`.
    Spared,
}

/// Does somebody wait for an attempt that is over to have stopped?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Over {
    Awaited,
    Unawaited,
}

#[derive(Default)]
struct Items {
    ready: BTreeMap<Rank, Released>,
    later: BTreeMap<(Timestamp, u64), Released>,
    running: HashMap<(WorkflowId, AttemptId), Running>,
    next: u64,
    closed: bool,
}

/// Attempts that were released.
#[derive(Default)]
pub(super) struct Worklist {
    items: Mutex<Items>,
    workers: Condvar,
}

/// What a worker finds.
pub(super) enum Pulled {
    Attempt(Box<Released>, Cancel),
    Closed,
}

impl Worklist {
    fn lock(&self) -> MutexGuard<'_, Items> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what a batch has released; wakes one worker, which wakes the next.
    pub(super) fn release(&self, released: impl IntoIterator<Item = Released>) {
        let mut items = self.lock();
        if items.closed {
            return;
        }
        let before = items.next;
        for item in released {
            // What a pause has found already begun goes on as it was.
            if !items.running.contains_key(&(item.workflow, item.attempt)) {
                items.put(item);
            }
        }
        let any = items.next > before;
        drop(items);
        if any {
            self.workers.notify_one();
        }
    }

    /// An attempt that was called rests until it is called again; not if it was to stop meanwhile, and then it is still
    /// to be finished.
    pub(super) fn rest(&self, item: Released, cancel: &Cancel) -> Option<Stop> {
        let mut items = self.lock();
        let key = (item.workflow, item.attempt);
        // Whoever withdraws or closes does it under the same lock as long as the attempt counts as running.
        let is_wanted = items.running.get(&key).is_some_and(|running| running.wanted == Wanted::Outcome);
        let stop = match cancel.stop() {
            _ if items.closed => Some(Stop::Closing),
            None if !is_wanted => Some(Stop::Canceled),
            stop => stop,
        };
        if stop.is_none() {
            items.running.remove(&key);
            items.put(item);
            drop(items);
            self.workers.notify_one();
        }
        stop
    }

    /// The next attempt, waiting for one.
    pub(super) fn pull(&self, clock: &dyn Clock) -> Pulled {
        let mut items = self.lock();
        loop {
            if items.closed {
                return Pulled::Closed;
            }
            let now = clock.now();
            if let Some((item, cancel)) = items.next_due(now) {
                let more = !items.ready.is_empty();
                drop(items);
                if more {
                    self.workers.notify_one();
                }
                return Pulled::Attempt(Box::new(item), cancel);
            }
            let until = items.later.first_key_value().map(|((due, _), _)| due.since(now));
            items = match until {
                None => self.workers.wait(items).unwrap_or_else(PoisonError::into_inner),
                Some(length) => {
                    let length = Duration::from(length).max(Duration::from_micros(50));
                    self.workers.wait_timeout(items, length).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// The next attempt that is due at `now`, without waiting.
    pub(super) fn pull_at(&self, now: Timestamp) -> Option<(Released, Cancel)> {
        self.lock().next_due(now)
    }

    /// An attempt is over.
    pub(super) fn finished(&self, workflow: WorkflowId, attempt: AttemptId) -> Over {
        match self.lock().running.remove(&(workflow, attempt)) {
            Some(Running { wanted: Wanted::Stop, .. }) => Over::Awaited,
            Some(_) | None => Over::Unawaited,
        }
    }

    /// An attempt is to stop, and somebody waits for that. If no worker has it, it has stopped.
    pub(super) fn stop(&self, workflow: WorkflowId, attempt: AttemptId) -> Option<Over> {
        let mut items = self.lock();
        let gone = |item: &Released| item.workflow == workflow && item.attempt == attempt;
        items.ready.retain(|_, item| !gone(item));
        items.later.retain(|_, item| !gone(item));
        let Some(running) = items.running.get_mut(&(workflow, attempt)) else { return Some(Over::Awaited) };
        running.wanted = Wanted::Stop;
        running.cancel.cancel(Stop::Canceled);
        None
    }

    /// The state asks for nothing of this activation any more.
    pub(super) fn withdraw(&self, workflow: WorkflowId, activation: ActivationId, notice: Notice) {
        let mut items = self.lock();
        let gone = |item: &Released| item.workflow == workflow && item.attempt.task.activation == activation;
        items.ready.retain(|_, item| !gone(item));
        items.later.retain(|_, item| !gone(item));
        let running = items.running.iter_mut();
        let left = running.filter(|((of, attempt), _)| *of == workflow && attempt.task.activation == activation);
        for (_, running) in left {
            match notice {
                Notice::Given => running.cancel.cancel(Stop::Canceled),
                Notice::Spared => running.wanted = Wanted::Nothing,
            }
        }
    }

    /// Nothing of this workflow begins until it is released again; what has begun and only rests goes on.
    pub(super) fn withhold(&self, workflow: WorkflowId) {
        let mut items = self.lock();
        let stays = |item: &Released| item.workflow != workflow || item.start == StartRecord::Done;
        items.ready.retain(|_, item| stays(item));
        items.later.retain(|_, item| stays(item));
    }

    /// Nothing is handed out any more and what runs is stopped. What had been begun and only rests is given back.
    pub(super) fn close(&self) -> Vec<(WorkflowId, AttemptId)> {
        let mut items = self.lock();
        items.closed = true;
        let ready = std::mem::take(&mut items.ready).into_values();
        let later = std::mem::take(&mut items.later).into_values();
        let begun = ready.chain(later).filter(|item| item.start == StartRecord::Done);
        let resting = begun.map(|item| (item.workflow, item.attempt)).collect();
        for running in items.running.values() {
            running.cancel.cancel(Stop::Closing);
        }
        drop(items);
        self.workers.notify_all();
        resting
    }

    /// The earliest moment at which something that is not due yet will be.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.lock().later.first_key_value().map(|((due, _), _)| *due)
    }

    /// Every attempt that waits or runs.
    #[cfg(test)]
    pub(super) fn attempts(&self) -> std::collections::BTreeSet<(WorkflowId, AttemptId)> {
        let items = self.lock();
        let waiting = items.ready.values().chain(items.later.values()).map(|item| (item.workflow, item.attempt));
        waiting.chain(items.running.keys().copied()).collect()
    }
}

impl Items {
    fn put(&mut self, item: Released) {
        self.next += 1;
        match item.due {
            Some(due) => self.later.insert((due, self.next), item),
            None => self.ready.insert((9 - item.priority.min(9), self.next), item),
        };
    }

    fn next_due(&mut self, now: Timestamp) -> Option<(Released, Cancel)> {
        while let Some(entry) = self.later.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let ((_, order), item) = entry.remove_entry();
            self.ready.insert((9 - item.priority.min(9), order), item);
        }
        let (_, item) = self.ready.pop_first()?;
        let cancel = Cancel::new();
        let running = Running { cancel: cancel.clone(), wanted: Wanted::Outcome };
        self.running.insert((item.workflow, item.attempt), running);
        Some((item, cancel))
    }
}
