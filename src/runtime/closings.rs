//! Who waits for which workflow to close.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ids::WorkflowId;

use super::promise::{Awaited, Promise, promise};

#[derive(Default)]
struct Waiting {
    by_workflow: HashMap<WorkflowId, Vec<Promise<()>>>,
    /// The engine has ended: nobody will be told any more.
    over: bool,
}

/// Those who wait for workflows to close.
#[derive(Default)]
pub(super) struct Closings {
    waiting: Mutex<Waiting>,
}

impl Closings {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Will be told when `workflow` closes. Whoever asks looks afterwards whether it has closed already.
    pub(super) fn wait_for(&self, workflow: WorkflowId) -> Awaited<()> {
        let (given, awaited) = promise();
        let mut waiting = self.lock();
        if !waiting.over {
            let others = waiting.by_workflow.entry(workflow).or_default();
            // Those who gave up waiting leave nothing behind.
            others.retain(Promise::is_awaited);
            others.push(given);
        }
        awaited
    }

    /// `workflow` has closed, durably.
    pub(super) fn closed(&self, workflow: WorkflowId) {
        let told = self.lock().by_workflow.remove(&workflow);
        for promise in told.into_iter().flatten() {
            promise.give(());
        }
    }

    /// The engine has ended: whoever waits is told that no answer will come.
    pub(super) fn drop_all(&self) {
        let mut waiting = self.lock();
        waiting.over = true;
        let dropped = std::mem::take(&mut waiting.by_workflow);
        drop(waiting);
        drop(dropped);
    }
}
