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
            Event::DefinitionRegistered(..)
            | Event::LogAccepted(..)
            | Event::WorkflowPaused(..)
            | Event::WorkflowResumed(..)
            | Event::WorkflowCreated(..)
            | Event::WorkflowCancelRequested(..)
            | Event::TimerFired(..)
            | Event::SettleContinued(..)
            | Event::WorkflowStarted
            | Event::WorkflowEnded { .. }
            | Event::StageReady { .. }
            | Event::StageStarted { .. }
            | Event::StageEnded { .. }
            | Event::StageCanceled { .. }
            | Event::TaskEnded { .. }
            | Event::TimerSet { .. }
            | Event::SettleDeferred
            | Event::TimerSetFor { .. }
            | Event::CancelsMarked { .. }
            | Event::RegionCanceled { .. }
            | Event::TokensLeft { .. }
            | Event::JoinArrived { .. }
            | Event::JoinReset { .. }
            | Event::TokensRemoved { .. }
            | Event::JoinForced { .. }
            | Event::SignalReceived(..)
            | Event::TriggerClosed(..)
            | Event::SignalDelivered { .. }
            | Event::SignalBuffered { .. }
            | Event::SignalDiscarded { .. }
            | Event::StageWaiting { .. }
            | Event::TaskSuspended { .. }
            | Event::SignalsLeft { .. }
            | Event::ChildEnded(..)
            | Event::ChildRefused(..)
            | Event::WorkflowClosing { .. }
            | Event::WorkflowClosed
            | Event::ScopeOpened { .. }
            | Event::PhaseStarted { .. }
            | Event::ScopeClosed { .. }
            | Event::LoopTested { .. }
            | Event::LockTaken { .. }
            | Event::LockReleased { .. }
            | Event::StageStartRequested(..)
            | Event::ChoiceMade { .. }
            | Event::InstancesStarted { .. }
            | Event::InstancesAdded { .. }
            | Event::InstancesClosed { .. }
            | Event::InstancesWithdrawn { .. }
            | Event::InstancesAddRequested(..)
            | Event::InstancesCloseRequested(..)
            | Event::InstancesCompleteRequested(..)
            | Event::JumpExecuted { .. }
            | Event::StageCanceling { .. } => None,
        }
    }
}
