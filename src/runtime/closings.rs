//! Who waits for which workflow to close.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ids::WorkflowId;

use super::promise::{Awaited, Promise, promise};

#[derive(Default)]
struct Waiting {
    /// Every workflow that is known to be open, and those that somebody asked for who did not know.
    by_workflow: HashMap<WorkflowId, Interest>,
    /// Those who wait for the end of the engine itself.
    for_end: Vec<Promise<()>>,
    /// The engine has ended: nobody will be told any more.
    over: bool,
}

#[derive(Default)]
struct Interest {
    is_open: bool,
    waiters: Vec<Promise<()>>,
}

/// Those who wait for workflows to close.
#[derive(Default)]
pub(super) struct Closings {
    waiting: Mutex<Waiting>,
}

/// What is known of a workflow that somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It is there and has not closed.
    Open,
    /// Nothing: whoever asks has to look whether it is there, or has closed already.
    Nothing,
}

impl Closings {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `workflow` is there, durably.
    pub(super) fn opened(&self, workflow: WorkflowId) {
        self.lock().by_workflow.entry(workflow).or_default().is_open = true;
    }

    /// Will be told when `workflow` closes.
    pub(super) fn wait_for(&self, workflow: WorkflowId) -> (Awaited<()>, Known) {
        let (given, awaited) = promise();
        let mut waiting = self.lock();
        if waiting.over {
            return (awaited, Known::Nothing);
        }
        let interest = waiting.by_workflow.entry(workflow).or_default();
        interest.waiters.push(given);
        (awaited, if interest.is_open { Known::Open } else { Known::Nothing })
    }

    /// Nobody need be told of `workflow` who has stopped waiting.
    pub(super) fn forget(&self, workflow: WorkflowId) {
        let mut waiting = self.lock();
        if let Some(interest) = waiting.by_workflow.get_mut(&workflow) {
            interest.waiters.retain(Promise::is_awaited);
            if interest.waiters.is_empty() && !interest.is_open {
                waiting.by_workflow.remove(&workflow);
            }
        }
    }

    /// Will be told, by a promise that is dropped, when the engine has ended.
    pub(super) fn wait_for_end(&self) -> Awaited<()> {
        let (given, awaited) = promise();
        let mut waiting = self.lock();
        if !waiting.over {
            waiting.for_end.retain(Promise::is_awaited);
            waiting.for_end.push(given);
        }
        awaited
    }

    /// `workflow` has closed, durably.
    pub(super) fn closed(&self, workflow: WorkflowId) {
        let told = self.lock().by_workflow.remove(&workflow);
        for promise in told.into_iter().flat_map(|interest| interest.waiters) {
            promise.give(());
        }
    }

    /// The engine has ended: whoever waits is told that no answer will come.
    pub(super) fn drop_all(&self) {
        let mut waiting = self.lock();
        waiting.over = true;
        let dropped = (std::mem::take(&mut waiting.by_workflow), std::mem::take(&mut waiting.for_end));
        drop(waiting);
        drop(dropped);
    }

    /// How many wait for `workflow`.
    #[cfg(test)]
    pub(super) fn awaited(&self, workflow: WorkflowId) -> usize {
        self.lock().by_workflow.get(&workflow).map_or(0, |interest| interest.waiters.len())
    }
}
