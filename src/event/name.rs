//! What events are called: names for people, kind numbers for frames, and what a kind says without its payload.

use crate::status::Status;

use super::Event;

impl Event {
    /// Every name that events have, in byte order.
    pub const NAMES: [&str; 79] = [
        "cancels.marked",
        "child.ended",
        "child.refused",
        "child.started",
        "choice.made",
        "compensation.canceled",
        "compensation.completed",
        "compensation.failed",
        "compensation.started",
        "definition.registered",
        "finally.canceled",
        "finally.completed",
        "finally.failed",
        "finally.started",
        "instances.add_requested",
        "instances.added",
        "instances.close_requested",
        "instances.closed",
        "instances.complete_requested",
        "instances.started",
        "instances.withdrawn",
        "join.arrived",
        "join.forced",
        "join.reset",
        "jump.executed",
        "lock.released",
        "lock.taken",
        "log.accepted",
        "loop.tested",
        "phase.started",
        "region.canceled",
        "scope.closed",
        "scope.opened",
        "settle.continued",
        "settle.deferred",
        "signal.buffered",
        "signal.delivered",
        "signal.discarded",
        "signal.received",
        "signals.left",
        "stage.canceled",
        "stage.canceling",
        "stage.completed",
        "stage.failed",
        "stage.ready",
        "stage.skipped",
        "stage.start_requested",
        "stage.started",
        "stage.waiting",
        "task.answered",
        "task.canceled",
        "task.completed",
        "task.failed",
        "task.lease_lost",
        "task.queued",
        "task.reported",
        "task.result_discarded",
        "task.retried",
        "task.skipped",
        "task.started",
        "task.stopped",
        "task.suspended",
        "timer.fired",
        "timer.set",
        "tokens.left",
        "tokens.removed",
        "trigger.closed",
        "workflow.cancel_forced",
        "workflow.cancel_requested",
        "workflow.canceled",
        "workflow.closed",
        "workflow.closing",
        "workflow.completed",
        "workflow.created",
        "workflow.ending",
        "workflow.failed",
        "workflow.paused",
        "workflow.resumed",
        "workflow.started",
    ];

    /// The kind number of the event's type and version, as it stands in a frame.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest is named behind it")]
    pub fn kind(&self) -> u16 {
        match self {
            Event::DefinitionRegistered(..) => 1,
            Event::WorkflowCreated(..) => 2,
            Event::WorkflowCancelRequested(..) => 3,
            Event::TaskStarted(..) => 4,
            Event::TaskReported(..) => 5,
            Event::TaskLeaseLost(..) => 6,
            Event::TaskResultDiscarded(..) => 7,
            Event::TimerFired(..) => 8,
            Event::SettleContinued(..) => 9,
            Event::WorkflowStarted => 10,
            Event::WorkflowEnded { .. } => 11,
            Event::StageReady { .. } => 12,
            Event::StageStarted { .. } => 13,
            Event::StageEnded { .. } => 14,
            Event::StageCanceled { .. } => 15,
            Event::TaskQueued { .. } => 16,
            Event::TaskRetried { .. } => 17,
            Event::TaskEnded { .. } => 18,
            Event::TimerSet { .. } => 19,
            Event::SettleDeferred => 20,
            Event::TimerSetFor { .. } => 21,
            Event::TokensLeft { .. } => 22,
            Event::LogAccepted(..) => 23,
            Event::CancelsMarked { .. } => 24,
            Event::WorkflowPaused(..) => 25,
            Event::WorkflowResumed(..) => 26,
            Event::RegionCanceled { .. } => 27,
            Event::TokensRemoved { .. } => 28,
            Event::JoinForced { .. } => 29,
            Event::SignalReceived(..) => 30,
            Event::TriggerClosed(..) => 31,
            Event::SignalDelivered { .. } => 32,
            Event::SignalBuffered { .. } => 33,
            Event::SignalDiscarded { .. } => 34,
            Event::StageWaiting { .. } => 35,
            Event::TaskSuspended { .. } => 36,
            Event::SignalsLeft { .. } => 37,
            Event::ChildStarted { .. } => 38,
            Event::ChildEnded(..) => 39,
            Event::ChildRefused(..) => 40,
            Event::WorkflowClosing { .. } => 41,
            Event::WorkflowClosed => 42,
            Event::TaskAnswered(..) => 43,
            Event::ScopeOpened { .. } => 44,
            Event::ScopeClosed { .. } => 45,
            Event::LoopTested { .. } => 46,
            Event::LockTaken { .. } => 47,
            Event::LockReleased { .. } => 48,
            Event::JoinArrived { .. } => 49,
            Event::JoinReset { .. } => 50,
            Event::StageStartRequested(..) => 51,
            Event::ChoiceMade { .. } => 52,
            Event::InstancesStarted { .. } => 53,
            Event::InstancesAddRequested(..) => 54,
            Event::InstancesAdded { .. } => 55,
            Event::InstancesCloseRequested(..) => 56,
            Event::InstancesClosed { .. } => 57,
            Event::InstancesCompleteRequested(..) => 58,
            Event::InstancesWithdrawn { .. } => 59,
            Event::JumpExecuted { .. } => 60,
            Event::TaskStopped(..) => 61,
            Event::StageCanceling { .. } => 62,
            Event::PhaseStarted { .. } => 63,
            at_the_end => at_the_end.kind_at_the_end(),
        }
    }

    /// The same of what is done before the end of a workflow. A test holds every event to its kind.
    #[expect(clippy::wildcard_enum_match_arm, reason = "whoever calls this has named the others")]
    fn kind_at_the_end(&self) -> u16 {
        match self {
            Event::WorkflowEnding { .. } => 64,
            Event::CompensationStarted { .. } => 65,
            Event::CompensationEnded { .. } => 66,
            Event::FinallyStarted { .. } => 67,
            Event::FinallyEnded { .. } => 68,
            Event::WorkflowCancelForced(..) => 69,
            _ => 0,
        }
    }

    /// The name people see: `entity.verb`, a function of type and status.
    pub fn name(&self) -> &'static str {
        match self {
            Event::WorkflowEnded { status, .. } => match ended_as(*status) {
                EndedAs::Completed | EndedAs::Skipped => "workflow.completed",
                EndedAs::Failed => "workflow.failed",
                EndedAs::Canceled => "workflow.canceled",
            },
            Event::StageEnded { status, .. } => {
                ended_as(*status).of(["stage.completed", "stage.skipped", "stage.failed", "stage.canceled"])
            }
            Event::TaskEnded { status, .. } => {
                ended_as(*status).of(["task.completed", "task.skipped", "task.failed", "task.canceled"])
            }
            Event::CompensationEnded { status, .. } => {
                let [completed, failed, canceled] =
                    ["compensation.completed", "compensation.failed", "compensation.canceled"];
                ended_as(*status).of([completed, completed, failed, canceled])
            }
            Event::FinallyEnded { status, .. } => {
                let [completed, failed, canceled] = ["finally.completed", "finally.failed", "finally.canceled"];
                ended_as(*status).of([completed, completed, failed, canceled])
            }
            Event::TimerSetFor { .. } => "timer.set",
            // A test holds the table to all kinds.
            other => name_of_kind(other.kind()).unwrap_or_default(),
        }
    }
}

/// The types of events by their kind numbers, from 1.
const NAMES_OF_KINDS: [&str; 69] = [
    "definition.registered",
    "workflow.created",
    "workflow.cancel_requested",
    "task.started",
    "task.reported",
    "task.lease_lost",
    "task.result_discarded",
    "timer.fired",
    "settle.continued",
    "workflow.started",
    "workflow.ended",
    "stage.ready",
    "stage.started",
    "stage.ended",
    "stage.canceled",
    "task.queued",
    "task.retried",
    "task.ended",
    "timer.set",
    "settle.deferred",
    "timer.set_for",
    "tokens.left",
    "log.accepted",
    "cancels.marked",
    "workflow.paused",
    "workflow.resumed",
    "region.canceled",
    "tokens.removed",
    "join.forced",
    "signal.received",
    "trigger.closed",
    "signal.delivered",
    "signal.buffered",
    "signal.discarded",
    "stage.waiting",
    "task.suspended",
    "signals.left",
    "child.started",
    "child.ended",
    "child.refused",
    "workflow.closing",
    "workflow.closed",
    "task.answered",
    "scope.opened",
    "scope.closed",
    "loop.tested",
    "lock.taken",
    "lock.released",
    "join.arrived",
    "join.reset",
    "stage.start_requested",
    "choice.made",
    "instances.started",
    "instances.add_requested",
    "instances.added",
    "instances.close_requested",
    "instances.closed",
    "instances.complete_requested",
    "instances.withdrawn",
    "jump.executed",
    "task.stopped",
    "stage.canceling",
    "phase.started",
    "workflow.ending",
    "compensation.started",
    "compensation.ended",
    "finally.started",
    "finally.ended",
    "workflow.cancel_forced",
];

/// The name of a type of events, by its kind number: where the name of an event depends on a status, the type ends.
pub(crate) fn name_of_kind(kind: u16) -> Option<&'static str> {
    NAMES_OF_KINDS.get(usize::from(kind.checked_sub(1)?)).copied()
}

/// What an event says about whether its workflow will go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// It may: somebody has to look.
    Live,
    /// It has ended.
    Ended,
    /// Nothing that was not said before.
    Unchanged,
}

/// What events of the type with this kind number say about whether their workflow will go on; one that is not known may
/// mean anything.
pub(crate) fn lasting(kind: u16) -> Lasting {
    match name_of_kind(kind) {
        Some("workflow.ended" | "workflow.closed") => Lasting::Ended,
        // It comes too late to change anything, behind the end, too.
        Some("task.result_discarded") => Lasting::Unchanged,
        Some(_) | None => Lasting::Live,
    }
}

/// The verb of an end.
enum EndedAs {
    Completed,
    Skipped,
    Failed,
    Canceled,
}

impl EndedAs {
    /// Which of the names of an end it is: completed, skipped, failed, canceled.
    fn of(self, [completed, skipped, failed, canceled]: [&'static str; 4]) -> &'static str {
        match self {
            EndedAs::Completed => completed,
            EndedAs::Skipped => skipped,
            EndedAs::Failed => failed,
            EndedAs::Canceled => canceled,
        }
    }
}

fn ended_as(status: Status) -> EndedAs {
    match status {
        Status::Skipped => EndedAs::Skipped,
        Status::Canceled => EndedAs::Canceled,
        Status::FailedContinue | Status::Terminal | Status::Stopped => EndedAs::Failed,
        Status::NotStarted
        | Status::Running
        | Status::Paused
        | Status::Suspended
        | Status::Buffered
        | Status::Redirect
        | Status::Succeeded => EndedAs::Completed,
    }
}
