//! The beginning of a workflow: whether it can be, when it is, and whether it is still in time.

use crate::event::{Creation, Event, TimerOwner, TimerPurpose};
use crate::machine::command::Rejection;
use crate::machine::state::State;
use crate::time::Timestamp;

use super::Decision;

/// A workflow follows the definition it was made for, and its data can be read.
pub(super) fn refuse(state: &State, creation: &Creation) -> Result<(), Rejection> {
    if creation.definition != state.definition.hash() {
        return Err(Rejection::OtherDefinition { asked: creation.definition });
    }
    if creation.inputs.to_map().is_err() || creation.context.to_map().is_err() {
        return Err(Rejection::Malformed);
    }
    Ok(())
}

impl Decision<'_> {
    /// The root scope opens, at its scheduled time if that is still to come, unless the workflow comes too late.
    pub(super) fn start(&mut self) {
        let scheduled = self.state.definition.header().times.scheduled_time;
        match scheduled.filter(|scheduled| self.state.core.now < *scheduled) {
            Some(scheduled) if !self.is_expired() => {
                self.set_moment(TimerOwner::Workflow, TimerPurpose::ScheduledTime, scheduled);
                if let Some(expiry) = self.start_time_expiry() {
                    self.set_moment(TimerOwner::Workflow, TimerPurpose::StartTimeExpiry, expiry);
                }
            }
            Some(_) | None => self.start_in_time(),
        }
    }

    /// The root scope opens, unless it is too late now.
    pub(super) fn start_in_time(&mut self) {
        if self.is_expired() {
            return self.end_expired();
        }
        self.push(Event::WorkflowStarted);
        self.set_deadline(TimerOwner::Workflow, self.state.definition.header().times.deadline);
    }

    fn is_expired(&self) -> bool {
        self.start_time_expiry().is_some_and(|expiry| self.state.core.now > expiry)
    }

    /// What the workflow was created with, not what its definition says now or said then.
    fn start_time_expiry(&self) -> Option<Timestamp> {
        self.state.core.start.as_ref()?.creation.start_time_expiry
    }
}
