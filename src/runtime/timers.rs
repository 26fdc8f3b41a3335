//! Due moments in order. A timer goes when what it was set for is over, so that deadlines that never pass cost nothing.

use std::collections::{BTreeMap, HashMap};

use crate::event::{TimerId, TimerOwner};
use crate::ids::WorkflowId;
use crate::time::Timestamp;

/// The timers of all driven workflows.
#[derive(Default)]
pub(super) struct Timers {
    /// Same moments in the order of workflow and timer (R5).
    due: BTreeMap<(Timestamp, WorkflowId, TimerId), TimerOwner>,
    by_workflow: HashMap<WorkflowId, BTreeMap<(TimerOwner, TimerId), Timestamp>>,
}

impl Timers {
    pub(super) fn set(&mut self, workflow: WorkflowId, timer: TimerId, (due, owner): (Timestamp, TimerOwner)) {
        if self.by_workflow.entry(workflow).or_default().insert((owner, timer), due).is_none() {
            self.due.insert((due, workflow, timer), owner);
        }
    }

    /// The earliest moment.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.first_key_value().map(|((due, _, _), _)| *due)
    }

    /// The next timer that is due at `now`.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<(WorkflowId, TimerId)> {
        let first = self.due.first_entry().filter(|first| first.key().0 <= now)?;
        let ((_, workflow, timer), owner) = first.remove_entry();
        if let Some(timers) = self.by_workflow.get_mut(&workflow) {
            timers.remove(&(owner, timer));
            if timers.is_empty() {
                self.by_workflow.remove(&workflow);
            }
        }
        Some((workflow, timer))
    }

    /// What this owner waited for is over.
    pub(super) fn drop_of(&mut self, workflow: WorkflowId, owner: TimerOwner) {
        let Some(timers) = self.by_workflow.get_mut(&workflow) else { return };
        let of_owner = (owner, TimerId(0))..=(owner, TimerId(u32::MAX));
        let gone: Vec<(TimerId, Timestamp)> = timers.range(of_owner).map(|((_, timer), due)| (*timer, *due)).collect();
        for (timer, due) in gone {
            timers.remove(&(owner, timer));
            self.due.remove(&(due, workflow, timer));
        }
        if timers.is_empty() {
            self.by_workflow.remove(&workflow);
        }
    }

    /// The workflow has ended.
    pub(super) fn drop_all(&mut self, workflow: WorkflowId) {
        for ((_, timer), due) in self.by_workflow.remove(&workflow).into_iter().flatten() {
            self.due.remove(&(due, workflow, timer));
        }
    }

    /// Every timer, in the order in which they are due.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (WorkflowId, TimerId)> {
        self.due.keys().map(|(_, workflow, timer)| (*workflow, *timer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ActivationId, StageIndex};

    fn moment(microseconds: i64) -> Timestamp {
        Timestamp::from_microseconds(microseconds)
    }

    fn workflow(number: u128) -> WorkflowId {
        WorkflowId::from_parts(moment(0), number)
    }

    fn activation(number: u32) -> TimerOwner {
        TimerOwner::Activation(ActivationId::new(StageIndex::new(0), number))
    }

    #[test]
    fn timers_fire_by_moment_then_workflow_then_number() {
        let mut timers = Timers::default();
        let all = [(2, 1, 1), (1, 2, 1), (1, 1, 7), (1, 1, 3), (9, 1, 2)];
        for (due, of, timer) in all {
            timers.set(workflow(of), TimerId(timer), (moment(due), TimerOwner::Workflow));
        }
        assert_eq!(timers.next(), Some(moment(1)));
        let fired: Vec<_> = std::iter::from_fn(|| timers.pop_due(moment(8))).collect();
        let expected = [(1, 3), (1, 7), (2, 1), (1, 1)];
        assert_eq!(fired, expected.map(|(of, timer)| (workflow(of), TimerId(timer))));
        assert_eq!(timers.next(), Some(moment(9)));
    }

    #[test]
    fn what_an_owner_waited_for_goes_with_it() {
        let mut timers = Timers::default();
        let (one, two) = (workflow(1), workflow(2));
        for of in [one, two] {
            timers.set(of, TimerId(1), (moment(1), TimerOwner::Workflow));
            timers.set(of, TimerId(2), (moment(2), activation(1)));
            timers.set(of, TimerId(3), (moment(3), activation(1)));
            timers.set(of, TimerId(4), (moment(4), activation(2)));
        }
        timers.drop_of(one, activation(1));
        timers.drop_of(one, TimerOwner::Workflow);
        timers.drop_all(two);
        assert_eq!(timers.iter().collect::<Vec<_>>(), [(one, TimerId(4))]);
        assert_eq!(timers.pop_due(moment(4)), Some((one, TimerId(4))));
        assert!(timers.due.is_empty() && timers.by_workflow.is_empty());
    }
}
