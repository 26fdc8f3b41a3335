//! What an event is about: an activation, a task of it, an attempt of that.

use crate::ids::{ActivationId, AttemptId, TaskId};

use super::{Event, InstancesAddition, InstancesRequest, SignalRecipient, TimerOwner};

impl Event {
    /// The activation the event is about.
    pub fn activation(&self) -> Option<ActivationId> {
        match self {
            Event::StageReady { activation, .. }
            | Event::StageStarted { activation, .. }
            | Event::StageEnded { activation, .. }
            | Event::StageCanceled { activation, .. }
            | Event::StageCanceling { activation, .. }
            | Event::CancelsMarked { by: activation }
            | Event::TimerSetFor { owner: TimerOwner::Activation(activation), .. }
            | Event::StageWaiting { activation, .. }
            | Event::LockTaken { activation, .. }
            | Event::SignalDelivered { to: SignalRecipient::Trigger(activation), .. }
            | Event::SignalDelivered { to: SignalRecipient::Boundary(activation), .. }
            | Event::ScopeOpened { owner: activation, .. }
            | Event::PhaseStarted { owner: activation, .. }
            | Event::CompensationStarted { activation, .. }
            | Event::CompensationEnded { activation, .. }
            | Event::ScopeClosed { owner: activation, .. }
            | Event::LoopTested { activation, .. }
            | Event::InstancesStarted { activation, .. }
            | Event::InstancesAddRequested(_, InstancesAddition { activation, .. })
            | Event::InstancesAdded { activation, .. }
            | Event::InstancesCloseRequested(_, InstancesRequest { activation, .. })
            | Event::InstancesClosed { activation }
            | Event::InstancesCompleteRequested(_, InstancesRequest { activation, .. })
            | Event::InstancesWithdrawn { activation, .. }
            | Event::ChoiceMade { winner: activation, .. }
            | Event::JumpExecuted { source: activation, .. } => Some(*activation),
            Event::StageStartRequested(_, request) => Some(request.activation),
            other => other.task().map(|task| task.activation),
        }
    }

    /// The task the event is about.
    pub fn task(&self) -> Option<TaskId> {
        match self {
            Event::TaskEnded { task, .. }
            | Event::TimerSet { task, .. }
            | Event::TaskSuspended { task }
            | Event::SignalDelivered { to: SignalRecipient::Task(task), .. } => Some(*task),
            other => other.attempt().map(|attempt| attempt.task),
        }
    }

    /// The attempt the event is about.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is about an attempt is about nothing else")]
    pub fn attempt(&self) -> Option<AttemptId> {
        match self {
            Event::TaskStarted(_, attempt)
            | Event::TaskStopped(_, attempt)
            | Event::TaskQueued { attempt, .. }
            | Event::TaskRetried { attempt, .. }
            | Event::ChildStarted { attempt, .. } => Some(*attempt),
            Event::TaskReported(_, report) | Event::TaskResultDiscarded(_, report) | Event::TaskAnswered(report) => {
                Some(report.attempt)
            }
            Event::TaskLeaseLost(_, loss) => Some(loss.attempt),
            // An event about an attempt names it.
            _ => None,
        }
    }
}
