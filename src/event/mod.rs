//! What happened: facts, their envelope and their history of versions.
//!
//! An event is either an *input*, a command that was accepted, with every fact that was not in the state; or *derived*,
//! a consequence that the machine drew from it. A batch is one input and the derived events that follow it (R1). Inputs
//! carry a [`Stamp`]; derived events store only their payload. Kind numbers name a (type, version) pair and never move.

mod cause;
mod checked;
mod choice;
mod data;
mod envelope;
mod joins;
mod json;
mod jump;
mod name;
mod payload;
mod signal;
mod subject;

pub use checked::{CheckOutcome, CheckRecord};
pub use choice::StartRequest;
pub(crate) use data::counts;
pub use envelope::{Envelope, Recorded};
pub use joins::{Arrival, ResetCause};
pub use json::Json;
pub use jump::{Firing, ForgottenArrivals, PutBack, RemovedToken, Rewound};
pub(crate) use name::{Lasting, lasting, name_of_kind};
pub use payload::{
    Acceptance, Actor, CancelCause, CancelRequest, ChildEnd, ChildRefusal, Consumed, Creation, Emitted, EndReason,
    InstancesAddition, InstancesRequest, LeaseLoss, LeftTokens, Parent, PauseRequest, Registration, Report, Resumption,
    Stamp, StreamFile, TaskReport, TimerClock, TimerId, TimerOwner, TimerPurpose, TriggerRecord, WaitingJoin,
};
pub use signal::{HeldBy, SignalDurability, SignalMessage, SignalRecipient, SignalTarget, TriggerClosing};

use crate::definition::StagePhase;
use serde::{Deserialize, Serialize};

use crate::definition::OnParentCancel;
use crate::failure::Failure;
use crate::ids::{
    ActivationId, ArcIndex, AttemptId, LockIndex, RegionIndex, ScopeId, Sequence, StageIndex, TaskId, WorkflowId,
};
use crate::status::Status;
use crate::time::Timestamp;

/// One fact. The order of the variants is the wire format: new ones go to the end, none is ever changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Event {
    /// Input: a definition was stored, before the first workflow that names it.
    DefinitionRegistered(Stamp, Registration),
    /// Input: a workflow was asked for.
    WorkflowCreated(Stamp, Creation),
    /// Input: somebody asked for the end of the workflow.
    WorkflowCancelRequested(Stamp, CancelRequest),
    /// Input: a worker has begun an attempt.
    TaskStarted(Stamp, AttemptId),
    /// Input: a worker told how an attempt ended.
    TaskReported(Stamp, TaskReport),
    /// Input: the worker of an attempt is gone, or was stopped when the engine closed.
    TaskLeaseLost(Stamp, LeaseLoss),
    /// Input: an outcome came too late and changes nothing.
    TaskResultDiscarded(Stamp, TaskReport),
    /// Input: a timer is due.
    TimerFired(Stamp, TimerId),
    /// Input: settling goes on where the batch before was cut.
    SettleContinued(Stamp),
    /// The root scope was opened: a token lies on every arc from the start.
    WorkflowStarted,
    /// The workflow has ended.
    WorkflowEnded {
        /// SUCCEEDED, TERMINAL or CANCELED.
        status: Status,
        /// Why, where it did not succeed.
        reason: Option<EndReason>,
        /// What `outputs:` of the definition gave; `None` where it has none.
        outputs: Option<Json>,
    },
    /// A join fired, and a gate is examined before the stage starts.
    StageReady {
        /// The new activation.
        activation: ActivationId,
        /// The scope it belongs to.
        scope: ScopeId,
        /// The tokens it consumed.
        consumed: Consumed,
    },
    /// An activation has begun its work.
    StageStarted {
        /// The activation.
        activation: ActivationId,
        /// The scope it belongs to.
        scope: ScopeId,
        /// The tokens it consumed.
        consumed: Consumed,
    },
    /// An activation has ended by itself.
    StageEnded {
        /// The activation.
        activation: ActivationId,
        /// SUCCEEDED, FAILED_CONTINUE, SKIPPED, TERMINAL, STOPPED or CANCELED.
        status: Status,
        /// The arcs that received a token.
        emitted: Emitted,
        /// What `outputs:` of the stage gave; `None` where it has none.
        outputs: Option<Json>,
        /// Why it failed, where no task's report says so.
        error: Option<Failure>,
    },
    /// An activation was ended from outside.
    StageCanceled {
        /// The activation.
        activation: ActivationId,
        /// By what.
        cause: CancelCause,
        /// The arcs that received a token: that of `on_cancelled`, or those of the split if it was passed by.
        emitted: Emitted,
    },
    /// An attempt may be dispatched.
    TaskQueued {
        /// The attempt.
        attempt: AttemptId,
        /// Not before this moment: when a retry's delay is over.
        due: Option<Timestamp>,
    },
    /// A failed attempt will be followed by another.
    TaskRetried {
        /// The attempt that failed.
        attempt: AttemptId,
        /// How many failures of this task the retry policy has counted so far.
        failures: u32,
    },
    /// A task has ended.
    TaskEnded {
        /// The task.
        task: TaskId,
        /// SUCCEEDED, FAILED_CONTINUE, SKIPPED, TERMINAL, STOPPED or CANCELED.
        status: Status,
        /// Why it failed, where its report does not say so.
        error: Option<Failure>,
    },
    /// A task asked to be called again later.
    TimerSet {
        /// The timer.
        timer: TimerId,
        /// When it is due.
        due: Timestamp,
        /// The task that waits for it.
        task: TaskId,
    },
    /// The batch was cut for its size; `settle.continued` follows.
    SettleDeferred,
    /// The workflow or an activation waits for a moment, or has until then. The timer ends with what it was set for.
    TimerSetFor {
        /// The timer.
        timer: TimerId,
        /// When it is due, by the clock of its purpose.
        due: Timestamp,
        /// Whose it is.
        owner: TimerOwner,
        /// What it is for.
        purpose: TimerPurpose,
    },
    /// The scope is over and these tokens of it stay where they are. Stands right before the event of the end, as often
    /// as the list needs.
    TokensLeft {
        /// The scope.
        scope: ScopeId,
        /// The arcs that hold tokens, ascending.
        left: Vec<LeftTokens>,
    },
    /// Input: somebody accepted a log that was salvaged from a damaged one, with what it has lost. It belongs to the
    /// log as a whole.
    LogAccepted(Stamp, Acceptance),
    /// The work of an activation has succeeded, and what its stage cancels is marked: that ends first, then it.
    CancelsMarked {
        /// The activation.
        by: ActivationId,
    },
    /// Input: somebody asked that nothing new begins.
    WorkflowPaused(Stamp, PauseRequest),
    /// Input: somebody asked that it goes on.
    WorkflowResumed(Stamp, Resumption),
    /// A region was canceled: what lives in it is marked.
    RegionCanceled {
        /// The region.
        region: RegionIndex,
        /// The scope in which it is canceled.
        scope: ScopeId,
        /// The activation that canceled it; `None` if somebody asked for it.
        by: Option<ActivationId>,
    },
    /// All tokens on these arcs are taken away.
    TokensRemoved {
        /// The scope.
        scope: ScopeId,
        /// The arcs, and how many tokens lay there.
        removed: Vec<LeftTokens>,
        /// By what.
        cause: CancelCause,
    },
    /// Nothing else can move: an OR-join starts with what has come, though tokens are left that might have led to it.
    JoinForced {
        /// The scope it waits in.
        scope: ScopeId,
        /// Its stage.
        stage: StageIndex,
    },
    /// Input: somebody sent a signal. What becomes of it stands in the next event.
    SignalReceived(Stamp, SignalMessage),
    /// Input: somebody closed the trigger of a stage that signals start.
    TriggerClosed(Stamp, TriggerClosing),
    /// A signal was taken: the one that came just now, or one that was kept.
    SignalDelivered {
        /// The signal, by the place of the event with which it came.
        signal: Sequence,
        /// Who takes it.
        to: SignalRecipient,
    },
    /// Nobody waits for the signal that came just now, and it is kept.
    SignalBuffered {
        /// The signal, by the place of its event.
        signal: Sequence,
    },
    /// Nobody waits for the signal that came just now, and it is lost.
    SignalDiscarded {
        /// The signal, by the place of its event.
        signal: Sequence,
    },
    /// The gates of a ready activation are passed as far as this one, which holds it.
    StageWaiting {
        /// The activation.
        activation: ActivationId,
        /// What holds it.
        gate: HeldBy,
    },
    /// A task is suspended until a signal comes; which ones stands in its report.
    TaskSuspended {
        /// The task.
        task: TaskId,
    },
    /// The workflow ends, and nobody has taken these signals. Stands right before the event of the end.
    SignalsLeft {
        /// The signals, by the places of their events, ascending.
        signals: Vec<Sequence>,
    },
    /// Another workflow is asked for: it is the work of this attempt.
    ChildStarted {
        /// The attempt.
        attempt: AttemptId,
        /// The workflow that does its work.
        child: WorkflowId,
        /// What becomes of it when the attempt is given up.
        on_parent_cancel: OnParentCancel,
    },
    /// Input: a workflow that this one waits for has closed.
    ChildEnded(Stamp, ChildEnd),
    /// Input: a workflow that this one asked for cannot be created.
    ChildRefused(Stamp, ChildRefusal),
    /// The workflow has ended, and waits for workflows that it called to close, too.
    WorkflowClosing {
        /// How many.
        children: u32,
    },
    /// Nothing of the ended workflow is outstanding any more.
    WorkflowClosed,
    /// What the definition says in the place of people who have not answered by their deadline.
    TaskAnswered(TaskReport),
    /// The block of a stage was opened, once more or for the first time: a token lies on every arc from its start.
    ScopeOpened {
        /// The new scope.
        scope: ScopeId,
        /// The activation whose block it is.
        owner: ActivationId,
    },
    /// A scope inside an activation is over; what it gave belongs to the activation.
    ScopeClosed {
        /// The scope.
        scope: ScopeId,
        /// The activation it lay inside.
        owner: ActivationId,
        /// SUCCEEDED or TERMINAL.
        status: Status,
        /// Why, where it did not succeed.
        reason: Option<EndReason>,
    },
    /// A loop asked whether there is another turn.
    LoopTested {
        /// The activation of the loop.
        activation: ActivationId,
        /// The number of the turn in question, from 0; so many turns are done.
        iteration: u32,
        /// The value of its condition.
        value: bool,
    },
    /// An activation that is about to start takes a lock, for itself or for the critical section of its stage.
    LockTaken {
        /// The lock.
        lock: LockIndex,
        /// The activation.
        activation: ActivationId,
    },
    /// Nobody needs a lock any more who had it.
    LockReleased {
        /// The lock.
        lock: LockIndex,
        /// The scope it excludes in: of a mutex key the root, which is the whole workflow.
        scope: ScopeId,
    },
    /// A token has arrived at a join that counts arrivals: the oldest on its arc.
    JoinArrived {
        /// The scope.
        scope: ScopeId,
        /// The arc.
        arc: ArcIndex,
        /// What it means to the join.
        arrival: Arrival,
    },
    /// A join that counts arrivals starts over.
    JoinReset {
        /// The scope.
        scope: ScopeId,
        /// The stage whose join it is.
        stage: StageIndex,
        /// The generation that is over, from 0.
        generation: u32,
        /// Why.
        cause: ResetCause,
    },
    /// Input: somebody chose an alternative of a deferred choice.
    StageStartRequested(Stamp, StartRequest),
    /// Of the alternatives of a deferred choice this one is chosen: its signal or moment came first, or somebody. The
    /// others are marked, and end before it starts.
    ChoiceMade {
        /// The alternative.
        winner: ActivationId,
        /// The activation that offered the choice; `None` is the start of the scope.
        split: Option<ActivationId>,
        /// The arcs to alternatives that had not all their tokens yet, ascending: that of the choice is taken away.
        withdrawn: Vec<ArcIndex>,
    },
    /// Instances of an activation have begun, and the first task of each is queued, unless that is decided
    /// for each: where it has a condition, or is another workflow.
    InstancesStarted {
        /// The activation that has them.
        activation: ActivationId,
        /// The number of the first of them.
        from: u32,
        /// The number behind that of the last; the same as `from` where they are only counted.
        to: u32,
        /// How many the activation has in all, those included that were added so far.
        total: u32,
    },
    /// Input: somebody asked for more instances.
    InstancesAddRequested(Stamp, InstancesAddition),
    /// More instances are to begin.
    InstancesAdded {
        /// The activation that has them.
        activation: ActivationId,
        /// The number of the first of them.
        from: u32,
        /// The number behind that of the last: from now on so many there are in all.
        to: u32,
    },
    /// Input: somebody asked that no more instances are added.
    InstancesCloseRequested(Stamp, InstancesRequest),
    /// No more instances can be added.
    InstancesClosed {
        /// The activation.
        activation: ActivationId,
    },
    /// Input: somebody asked that control goes on without the instances that have not ended.
    InstancesCompleteRequested(Stamp, InstancesRequest),
    /// The instances that live are canceled and no more begin; then the activation ends.
    InstancesWithdrawn {
        /// The activation.
        activation: ActivationId,
        /// How it ends.
        status: Status,
        /// Why it fails, if it does.
        error: Option<Failure>,
    },
    /// A task of an activation has sent control elsewhere; the activation ends right behind this.
    JumpExecuted {
        /// The activation.
        source: ActivationId,
        /// The arc of the jump.
        arc: ArcIndex,
        /// What was undone for it, if it goes back and rewinds.
        rewound: Option<Box<Rewound>>,
    },
    /// The worker of an attempt that nobody waits for any more has stopped, and its activation can end; input.
    TaskStopped(Stamp, AttemptId),
    /// An activation is canceled, and ends when the work under way in it has stopped.
    StageCanceling {
        /// The activation.
        activation: ActivationId,
        /// What ends it.
        cause: CancelCause,
    },
    /// A part of the work of an activation begins that is done beside its own: a token lies on each arc from its start.
    PhaseStarted {
        /// The new scope.
        scope: ScopeId,
        /// The activation whose work it is.
        owner: ActivationId,
        /// Which part.
        phase: StagePhase,
        /// How its work has ended so far; `None` before that.
        status: Option<Status>,
        /// Why it failed, where no task of it did.
        error: Option<Failure>,
    },
    /// The workflow is on its way to its end, and something is done before that; nothing else begins any more.
    WorkflowEnding {
        /// SUCCEEDED, TERMINAL or CANCELED: how it is to end.
        status: Status,
        /// Why, where it does not succeed.
        reason: Option<EndReason>,
        /// What `outputs:` of the definition gave; `None` where it has none.
        outputs: Option<Json>,
    },
    /// The work of an activation that had succeeded is undone: a token lies on each arc from the start of `compensate`.
    CompensationStarted {
        /// The new scope.
        scope: ScopeId,
        /// The activation, which has ended.
        activation: ActivationId,
    },
    /// What undoes the work of an activation is over.
    CompensationEnded {
        /// The scope.
        scope: ScopeId,
        /// The activation.
        activation: ActivationId,
        /// SUCCEEDED, TERMINAL, or CANCELED where somebody forced that.
        status: Status,
        /// Why, where it did not succeed.
        reason: Option<EndReason>,
    },
    /// What the workflow does last begins: a token lies on each arc from the start of `finally`.
    FinallyStarted {
        /// The new scope.
        scope: ScopeId,
    },
    /// What the workflow does last is over.
    FinallyEnded {
        /// The scope.
        scope: ScopeId,
        /// SUCCEEDED, TERMINAL, or CANCELED where somebody forced that.
        status: Status,
        /// Why, where it did not succeed.
        reason: Option<EndReason>,
    },
    /// Input: somebody asked for the end of the workflow, and of what is done at its end if it is ending.
    WorkflowCancelForced(Stamp, CancelRequest),
}

impl Event {
    /// The stamp of an input; `None` for a derived event.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the inputs are those that hold a stamp")]
    pub fn stamp(&self) -> Option<&Stamp> {
        match self {
            Event::DefinitionRegistered(stamp, _)
            | Event::WorkflowCreated(stamp, _)
            | Event::WorkflowCancelRequested(stamp, _)
            | Event::TaskStarted(stamp, _)
            | Event::TaskReported(stamp, _)
            | Event::TaskLeaseLost(stamp, _)
            | Event::TaskResultDiscarded(stamp, _)
            | Event::TimerFired(stamp, _)
            | Event::SettleContinued(stamp)
            | Event::LogAccepted(stamp, _)
            | Event::WorkflowPaused(stamp, _)
            | Event::WorkflowResumed(stamp, _)
            | Event::SignalReceived(stamp, _)
            | Event::TriggerClosed(stamp, _)
            | Event::ChildEnded(stamp, _)
            | Event::ChildRefused(stamp, _)
            | Event::StageStartRequested(stamp, _)
            | Event::InstancesAddRequested(stamp, _)
            | Event::InstancesCloseRequested(stamp, _)
            | Event::InstancesCompleteRequested(stamp, _)
            | Event::TaskStopped(stamp, _)
            | Event::WorkflowCancelForced(stamp, _) => Some(stamp),
            // A consequence has none to give.
            _ => None,
        }
    }

    /// Is this a command that was accepted, the first event of its batch?
    pub fn is_input(&self) -> bool {
        self.stamp().is_some()
    }

    /// Can its workflow have closed by it?
    pub(crate) fn is_end(&self) -> bool {
        matches!(self, Event::WorkflowEnded { .. } | Event::WorkflowClosed)
    }
}
