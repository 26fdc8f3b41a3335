//! Timers of workflow and stages: when they are set, and what follows when they fire.
//!
//! A timer that fires records that its moment has come; what an activation makes of that is found by settling.

use crate::definition::Withdrawal;
use crate::event::{Event, TimerClock, TimerId, TimerOwner, TimerPurpose};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::ActivationId;
use crate::machine::command::Rejection;
use crate::machine::state::{State, TimerOf};
use crate::time::{Duration, Timestamp};

use super::Decision;

/// A timer fires once, and never early.
pub(super) fn refuse(state: &State, timer: TimerId, now: Timestamp) -> Result<(), Rejection> {
    let set = state.core.timers.get(&timer).ok_or(Rejection::NoSuchTimer { timer })?;
    match state.due(*set) {
        None => Err(Rejection::Standing { timer }),
        Some(due) if now < due => Err(Rejection::Early { due }),
        Some(_) => Ok(()),
    }
}

impl Decision<'_> {
    /// What follows at once when a timer has fired.
    pub(super) fn come(&mut self, of: TimerOf) {
        match of {
            TimerOf::Task(task) => self.wake(task),
            TimerOf::Owner(TimerOwner::Workflow, TimerPurpose::ScheduledTime) => self.start_in_time(),
            TimerOf::Owner(TimerOwner::Workflow, TimerPurpose::StartTimeExpiry) => self.end_expired(),
            TimerOf::Owner(TimerOwner::Activation(_), TimerPurpose::Deadline) => self.answer_at_deadline(of),
            TimerOf::Owner(TimerOwner::Activation(id), TimerPurpose::Trigger) => self.choose(id),
            TimerOf::Owner(TimerOwner::Activation(id), TimerPurpose::CancelInstances) => {
                self.withdraw_instances(id, Withdrawal::Cancel);
            }
            TimerOf::Owner(TimerOwner::Activation(id), TimerPurpose::CompleteInstances) => {
                self.withdraw_instances(id, Withdrawal::Complete);
            }
            // These have changed the state, and settling draws the consequences.
            TimerOf::Owner(
                TimerOwner::Workflow,
                TimerPurpose::Deadline
                | TimerPurpose::CancelOn
                | TimerPurpose::Trigger
                | TimerPurpose::CancelInstances
                | TimerPurpose::CompleteInstances
                | TimerPurpose::CancelTimeout,
            )
            | TimerOf::Owner(TimerOwner::Activation(_), _) => (),
        }
    }

    /// Sets a timer for this time of day.
    pub(super) fn set_moment(&mut self, owner: TimerOwner, purpose: TimerPurpose, due: Timestamp) {
        let timer = TimerId(self.state.core.timers_set + 1);
        self.push(Event::TimerSetFor { timer, due, owner, purpose });
    }

    /// From now on an activation that has just begun to live has as long as its `cancel_on` says.
    pub(super) fn set_boundary(&mut self, id: ActivationId) {
        let timer = self.state.definition.graph().stage(id.stage).cancellation.boundary.timer;
        if let Some(timer) = timer {
            let due = self.state.clock(TimerClock::Calendar).saturating_add(timer);
            self.set_moment(TimerOwner::Activation(id), TimerPurpose::CancelOn, due);
        }
    }

    /// From now on its owner has this long.
    pub(super) fn set_deadline(&mut self, owner: TimerOwner, deadline: Option<Duration>) {
        if let Some(deadline) = deadline {
            let due = self.state.clock(TimerClock::Active).saturating_add(deadline);
            self.set_moment(owner, TimerPurpose::Deadline, due);
        }
    }

    /// Why an activation fails whose deadline has passed.
    pub(super) fn overdue(&self, id: ActivationId) -> Failure {
        let stage = self.state.definition.graph().stage(id.stage);
        let deadline = stage.times.deadline.unwrap_or_default();
        let message = format!("stage {} had not ended {deadline} after its start", stage.ref_id);
        Failure::new(ErrorCode::DEADLINE_EXCEEDED, ErrorClass::Permanent, message)
    }
}
