//! Due moments in order. A timer that its workflow no longer knows is refused by the workflow, so none is ever removed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::event::TimerId;
use crate::ids::WorkflowId;
use crate::time::Timestamp;

/// A moment, whose it is, and which timer.
type Due = (Timestamp, WorkflowId, TimerId);

/// The timers of all driven workflows.
#[derive(Default)]
pub(super) struct Timers {
    due: BinaryHeap<Reverse<Due>>,
}

impl Timers {
    pub(super) fn set(&mut self, workflow: WorkflowId, timer: TimerId, due: Timestamp) {
        self.due.push(Reverse((due, workflow, timer)));
    }

    /// The earliest moment.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.peek().map(|Reverse((due, _, _))| *due)
    }

    /// The next timer that is due at `now`: same moments in the order of workflow and timer (R5).
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<(WorkflowId, TimerId)> {
        match self.due.peek() {
            Some(Reverse((due, _, _))) if *due <= now => {
                self.due.pop().map(|Reverse((_, workflow, timer))| (workflow, timer))
            }
            Some(_) | None => None,
        }
    }

    /// Every timer, in no order.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (WorkflowId, TimerId)> {
        self.due.iter().map(|Reverse((_, workflow, timer))| (*workflow, *timer))
    }
}
