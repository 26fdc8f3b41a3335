//! Requests to a workflow, and the reasons for refusing them.
//!
//! A command and the input event it becomes hold the same facts (R1): each can be made from the other.

use crate::event::{
    Actor, CancelRequest, ChildEnd, ChildRefusal, Creation, Event, InstancesAddition, InstancesRequest, LeaseLoss,
    PauseRequest, Resumption, SignalMessage, Stamp, StartRequest, TaskReport, TimerId, TriggerClosing,
};
use crate::ids::{AttemptId, CommandId, DefinitionHash, Sequence, WorkflowId};
use crate::status::Status;
use crate::time::{Duration, Timestamp};

/// A request to a workflow; it may be refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The clock when the command was taken in; deciding uses it or the workflow's last moment, whichever is later.
    pub now: Timestamp,
    /// Recognises a repeated command. The engine's own commands have none: what they are about recognises them.
    pub id: Option<CommandId>,
    /// Who sends it, as claimed.
    pub actor: Actor,
    /// What is asked.
    pub request: Request,
}

/// What a command asks.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Request {
    /// Begin the workflow.
    Create(Creation),
    /// End the workflow; what runs is canceled.
    Cancel(CancelRequest),
    /// A worker has begun an attempt.
    StartTask(AttemptId),
    /// An attempt has ended.
    ReportTask(TaskReport),
    /// The worker of an attempt is gone.
    LoseLease(LeaseLoss),
    /// An outcome came too late; keep it for the audit.
    DiscardResult(TaskReport),
    /// A timer is due.
    FireTimer(TimerId),
    /// Settling goes on where a batch was cut.
    ContinueSettling,
    /// Nothing new begins from now on.
    Pause(PauseRequest),
    /// The workflow goes on.
    Resume(ResumeRequest),
    /// A signal has come.
    Signal(SignalMessage),
    /// Signals start a stage no more.
    CloseTrigger(TriggerClosing),
    /// A workflow that this one waits for has closed.
    EndChild(ChildEnd),
    /// A workflow that this one asked for cannot be created.
    RefuseChild(ChildRefusal),
    /// An alternative of a deferred choice is taken.
    StartStage(StartRequest),
    /// More instances of an activation.
    AddInstances(InstancesAddition),
    /// No more instances of this activation can be added.
    CloseInstances(InstancesRequest),
    /// Control goes on from this activation without its instances that have not ended.
    CompleteInstances(InstancesRequest),
    /// The worker of a canceled attempt has stopped.
    StopTask(AttemptId),
    /// The end of the workflow; where it is ending, the end of what is done before that.
    ForceCancel(CancelRequest),
}

/// A request that a paused workflow goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeRequest {
    /// Why, in words.
    pub reason: Option<String>,
}

/// Why a command produced no events. A plain value; nothing of it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The workflow exists already.
    #[error("the workflow exists already")]
    AlreadyCreated,
    /// The workflow does not exist.
    #[error("the workflow does not exist")]
    NotCreated,
    /// The workflow was to be created after another definition than the one that is at hand.
    #[error("the workflow is to follow definition {asked}, which this is not")]
    OtherDefinition {
        /// The definition it is to follow.
        asked: DefinitionHash,
    },
    /// Data that came with the command is no map. Only a command made from a damaged or foreign event can be so.
    #[error("the data of the command is no map")]
    Malformed,
    /// The workflow has ended.
    #[error("the workflow has ended {status}")]
    Ended {
        /// How.
        status: Status,
    },
    /// The end of the workflow was asked for before.
    #[error("the workflow is being canceled already")]
    AlreadyCanceling,
    /// The workflow is ending, and something is done before that.
    #[error("the workflow is ending already; what is done before that ends with a forced cancel only")]
    AlreadyEnding,
    /// The workflow is ending, and nothing is done now that could be ended by force.
    #[error("the workflow is ending, and nothing is done now that could be ended by force")]
    NothingToForce,
    /// The same command was accepted before.
    #[error("the same command was accepted before, as event {first}")]
    Repeated {
        /// The place of its event.
        first: Sequence,
    },
    /// The command is older than what the workflow remembers, so it may have been accepted before.
    #[error("the command is too old to tell whether it was accepted before; send it under a new id")]
    CommandTooOld,
    /// The attempt is not the one that is awaited.
    #[error("attempt {} of this task is not awaited", attempt.dispatch)]
    NotAwaited {
        /// The attempt.
        attempt: AttemptId,
    },
    /// The start of the attempt was recorded before.
    #[error("attempt {} of this task was started before", attempt.dispatch)]
    AlreadyStarted {
        /// The attempt.
        attempt: AttemptId,
    },
    /// The attempt or timer is not due yet.
    #[error("not due before {due}")]
    Early {
        /// When it is.
        due: Timestamp,
    },
    /// No such timer is set.
    #[error("no timer {} is set", timer.0)]
    NoSuchTimer {
        /// The timer.
        timer: TimerId,
    },
    /// The last batch was cut; the workflow takes nothing but the continuation and a cancel.
    #[error("the workflow is still settling")]
    Unsettled,
    /// There is nothing to continue.
    #[error("the workflow is settled")]
    Settled,
    /// The workflow does not wait for this one.
    #[error("the workflow does not wait for {child}")]
    NoSuchChild {
        /// The other workflow.
        child: WorkflowId,
    },
    /// The definition has no such stage.
    #[error("the definition has no stage {stage}")]
    NoSuchStage {
        /// Its ref id, as it was given.
        stage: String,
    },
    /// People do the task, and no worker begins it.
    #[error("the task of attempt {} is done by hand, by no worker", attempt.dispatch)]
    DoneByHand {
        /// The attempt.
        attempt: AttemptId,
    },
    /// Nothing that people do is open there.
    #[error("{work} has no open task that is done by hand")]
    NothingByHand {
        /// The stage or activation, as it was given.
        work: String,
    },
    /// What is open there waits for an approval.
    #[error("{work} waits for an approval: approve or reject it")]
    ApprovalAwaited {
        /// The stage or activation, as it was given.
        work: String,
    },
    /// What is open there waits for no approval.
    #[error("{work} waits for no approval: it is completed")]
    NoApprovalAwaited {
        /// The stage or activation, as it was given.
        work: String,
    },
    /// Somebody spoke as none of those who are asked.
    #[error("{work} asks for an answer as one of {}", roles.join(", "))]
    RoleNotAsked {
        /// The stage or activation, as it was given.
        work: String,
        /// Those who are asked.
        roles: Vec<String>,
    },
    /// It is paused already.
    #[error("the workflow is paused already")]
    AlreadyPaused,
    /// It is not paused.
    #[error("the workflow is not paused")]
    NotPaused,
    /// The timer stands still as long as the workflow is paused.
    #[error("timer {} stands still, as the workflow is paused", timer.0)]
    Standing {
        /// The timer.
        timer: TimerId,
    },
    /// This is no signal that could be taken.
    #[error("this is no signal: {what}")]
    BadSignal {
        /// What is wrong with it.
        what: &'static str,
    },
    /// Nobody waits for the signal, and there is no room to keep it.
    #[error("nobody waits for the signal, and {most} are kept already")]
    SignalsFull {
        /// How many are kept at most.
        most: u64,
    },
    /// The stage has no trigger that starts threads, or it is closed.
    #[error("no signal starts the stage")]
    TriggerNotOpen,
    /// Nothing that is offered can be claimed there.
    #[error("{work} is no alternative of an open choice")]
    NothingToClaim {
        /// The stage or activation, as it was given.
        work: String,
    },
    /// The alternative waits for its trigger, and nobody claims it.
    #[error("{work} is chosen by its trigger, and not by anybody who claims it")]
    TriggerAwaited {
        /// The stage or activation, as it was given.
        work: String,
    },
    /// No more instances of the stage can be added.
    #[error("no instances of {stage} can be added any more")]
    InstancesClosed {
        /// Its ref id.
        stage: String,
    },
    /// The stage has as many instances as it may have, or too much was added at once.
    #[error("{stage} has at most {most} instances, of which so many can not be added at once")]
    InstancesFull {
        /// Its ref id.
        stage: String,
        /// How many it may have.
        most: u32,
    },
    /// The stage has no activation that waits for its instances.
    #[error("no activation of {stage} waits for its instances")]
    NotLive {
        /// Its ref id.
        stage: String,
    },
}

impl Rejection {
    /// The code of every kind of rejection, with what it means and what to do about it.
    pub const EXPLAINED: &'static [(&'static str, &'static str, &'static str)] = &[
        ("ALREADY_CREATED", "The workflow exists already.", "take a new id for a new workflow"),
        ("NOT_CREATED", "The workflow does not exist.", "check the id; `stabilize ls` lists those there are"),
        (
            "OTHER_DEFINITION",
            "The workflow was to be created after another definition than the one that came with it.",
            "send the definition that the command names",
        ),
        ("MALFORMED", "The data of the command is no map.", "verify the log the command was read from"),
        ("ENDED", "The workflow has ended.", "begin another one"),
        ("ALREADY_CANCELING", "The end of the workflow was asked for before.", "wait for it"),
        (
            "ALREADY_ENDING",
            "The workflow is ending, and undoes its work or does what its `finally` says before that.",
            "wait for it; `stabilize cancel --force` ends what it does now",
        ),
        (
            "NOTHING_TO_FORCE",
            "The workflow is ending, and nothing is done now that could be ended by force.",
            "nothing: it goes on by itself, or when it is resumed",
        ),
        ("REPEATED", "The same command was accepted before.", "nothing: it has had its effect"),
        (
            "COMMAND_TOO_OLD",
            "The command is older than what the workflow remembers, so it may have been accepted before.",
            "look whether it was; if not, send it under a new id",
        ),
        ("NOT_AWAITED", "The attempt is not the one that is awaited.", "nothing: another attempt has taken its place"),
        ("ALREADY_STARTED", "The start of the attempt was recorded before.", "nothing: it runs elsewhere"),
        ("EARLY", "The attempt or timer is not due yet.", "wait until it is"),
        ("NO_SUCH_TIMER", "No such timer is set.", "nothing: what it was for is over"),
        ("UNSETTLED", "The last batch was cut, and settling goes on.", "send the command again"),
        ("SETTLED", "There is nothing to continue.", "nothing: settling is done"),
        (
            "NO_SUCH_STAGE",
            "The definition of the workflow has no such stage.",
            "look at its stages: `stabilize show ID`",
        ),
        (
            "DONE_BY_HAND",
            "People do the task: it is open until one of them says how it ended, and no worker begins it.",
            "say how it ended: `stabilize complete ID STAGE`",
        ),
        (
            "NOTHING_BY_HAND",
            "No task that people do is open in this stage or activation.",
            "look at what waits for whom: `stabilize why ID`",
        ),
        (
            "APPROVAL_AWAITED",
            "The open task of this stage or activation is an approval.",
            "`stabilize approve ID STAGE` or `stabilize reject ID STAGE`",
        ),
        (
            "NO_APPROVAL_AWAITED",
            "The open task of this stage or activation is manual work, no approval.",
            "`stabilize complete ID STAGE`",
        ),
        (
            "ROLE_NOT_ASKED",
            "The approval names roles, and whoever answered spoke as none of them.",
            "say as whom you speak: `--as ROLE/USER`",
        ),
        ("ALREADY_PAUSED", "The workflow is paused already.", "nothing, or have it go on: `stabilize resume ID`"),
        ("NOT_PAUSED", "The workflow is not paused.", "nothing: it goes on"),
        (
            "STANDING",
            "The timer measures time in which the workflow is not paused, and it is paused.",
            "have the workflow go on: `stabilize resume ID`",
        ),
        (
            "BAD_SIGNAL",
            "The name, id, target or data of a signal is not what it can be.",
            "write a name of letters, digits, `_` and `-`, and data as JSON of at most 1 MiB",
        ),
        (
            "SIGNALS_FULL",
            "Nobody waits for the signal, and as many as the workflow or the stage keeps are kept already.",
            "send it again later, or raise max_buffered of the stage",
        ),
        (
            "TRIGGER_NOT_OPEN",
            "The stage has no trigger that starts threads, the trigger is closed, or the workflow has not started.",
            "look at what waits: `stabilize why ID`",
        ),
        (
            "NOTHING_TO_CLAIM",
            "No activation of this stage is an alternative of a deferred choice that waits to be claimed.",
            "look at what is offered: `stabilize why ID`",
        ),
        (
            "TRIGGER_AWAITED",
            "The alternative has a trigger, and is chosen when that comes.",
            "send its signal: `stabilize signal ID NAME`; `stabilize why ID` names it",
        ),
        ("NO_SUCH_CHILD", "The workflow does not wait for this one.", "nothing: its caller has gone on"),
        (
            "MI_CLOSED",
            "No more instances of the stage can be added: it was closed, control has gone on, or its definition allows none.",
            "nothing: it goes on with those it has; `allow_dynamic: true` allows more while it runs",
        ),
        (
            "MI_FULL",
            "The stage would have more instances than it may have, or too much was added at once.",
            "add fewer, or raise max_instances",
        ),
        (
            "NOT_LIVE",
            "No activation of the stage waits for its instances: it has not begun, or control has gone on.",
            "nothing: what it was about is over; `stabilize show ID` shows where the workflow stands",
        ),
    ];

    /// Name for programs: `ENDED`, `REPEATED`, ...
    pub fn code(&self) -> &'static str {
        match self {
            Rejection::AlreadyCreated => "ALREADY_CREATED",
            Rejection::NotCreated => "NOT_CREATED",
            Rejection::OtherDefinition { .. } => "OTHER_DEFINITION",
            Rejection::Malformed => "MALFORMED",
            Rejection::Ended { .. } => "ENDED",
            Rejection::AlreadyCanceling => "ALREADY_CANCELING",
            Rejection::AlreadyEnding => "ALREADY_ENDING",
            Rejection::NothingToForce => "NOTHING_TO_FORCE",
            Rejection::Repeated { .. } => "REPEATED",
            Rejection::CommandTooOld => "COMMAND_TOO_OLD",
            Rejection::NotAwaited { .. } => "NOT_AWAITED",
            Rejection::AlreadyStarted { .. } => "ALREADY_STARTED",
            Rejection::Early { .. } => "EARLY",
            Rejection::NoSuchTimer { .. } => "NO_SUCH_TIMER",
            Rejection::Unsettled => "UNSETTLED",
            Rejection::Settled => "SETTLED",
            Rejection::NoSuchChild { .. } => "NO_SUCH_CHILD",
            Rejection::NoSuchStage { .. } => "NO_SUCH_STAGE",
            Rejection::DoneByHand { .. } => "DONE_BY_HAND",
            Rejection::NothingByHand { .. } => "NOTHING_BY_HAND",
            Rejection::ApprovalAwaited { .. } => "APPROVAL_AWAITED",
            Rejection::NoApprovalAwaited { .. } => "NO_APPROVAL_AWAITED",
            Rejection::RoleNotAsked { .. } => "ROLE_NOT_ASKED",
            Rejection::AlreadyPaused => "ALREADY_PAUSED",
            Rejection::NotPaused => "NOT_PAUSED",
            Rejection::Standing { .. } => "STANDING",
            Rejection::BadSignal { .. } => "BAD_SIGNAL",
            Rejection::SignalsFull { .. } => "SIGNALS_FULL",
            Rejection::TriggerNotOpen => "TRIGGER_NOT_OPEN",
            Rejection::NothingToClaim { .. } => "NOTHING_TO_CLAIM",
            Rejection::TriggerAwaited { .. } => "TRIGGER_AWAITED",
            Rejection::InstancesClosed { .. } => "MI_CLOSED",
            Rejection::InstancesFull { .. } => "MI_FULL",
            Rejection::NotLive { .. } => "NOT_LIVE",
        }
    }
}

impl Command {
    /// The input event this command becomes when it is accepted at `now` under these rules, by a workflow that was
    /// paused for so long in all.
    pub(super) fn to_input(&self, now: Timestamp, rules: u32, paused: Duration) -> Event {
        let stamp = Stamp { now, command: self.id, actor: self.actor.clone(), rules };
        match &self.request {
            Request::Create(creation) => Event::WorkflowCreated(stamp, creation.clone()),
            Request::Cancel(cancel) => Event::WorkflowCancelRequested(stamp, cancel.clone()),
            Request::StartTask(attempt) => Event::TaskStarted(stamp, *attempt),
            Request::ReportTask(report) => Event::TaskReported(stamp, report.clone()),
            Request::LoseLease(loss) => Event::TaskLeaseLost(stamp, *loss),
            Request::DiscardResult(report) => Event::TaskResultDiscarded(stamp, report.clone()),
            Request::FireTimer(timer) => Event::TimerFired(stamp, *timer),
            Request::ContinueSettling => Event::SettleContinued(stamp),
            Request::Pause(pause) => Event::WorkflowPaused(stamp, pause.clone()),
            Request::Resume(ResumeRequest { reason }) => {
                Event::WorkflowResumed(stamp, Resumption { reason: reason.clone(), paused })
            }
            Request::Signal(message) => Event::SignalReceived(stamp, message.clone()),
            Request::CloseTrigger(closing) => Event::TriggerClosed(stamp, closing.clone()),
            Request::EndChild(end) => Event::ChildEnded(stamp, end.clone()),
            Request::RefuseChild(refusal) => Event::ChildRefused(stamp, refusal.clone()),
            Request::StartStage(request) => Event::StageStartRequested(stamp, request.clone()),
            Request::AddInstances(addition) => Event::InstancesAddRequested(stamp, addition.clone()),
            Request::CloseInstances(request) => Event::InstancesCloseRequested(stamp, request.clone()),
            Request::CompleteInstances(request) => Event::InstancesCompleteRequested(stamp, request.clone()),
            Request::StopTask(attempt) => Event::TaskStopped(stamp, *attempt),
            Request::ForceCancel(cancel) => Event::WorkflowCancelForced(stamp, cancel.clone()),
        }
    }

    /// The command that an input event of a workflow was; `None` for other events.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a test holds every input of a workflow to its command")]
    pub fn from_input(event: &Event) -> Option<Command> {
        let request = match event {
            Event::WorkflowCreated(_, creation) => Request::Create(creation.clone()),
            Event::WorkflowCancelRequested(_, cancel) => Request::Cancel(cancel.clone()),
            Event::TaskStarted(_, attempt) => Request::StartTask(*attempt),
            Event::TaskReported(_, report) => Request::ReportTask(report.clone()),
            Event::TaskLeaseLost(_, loss) => Request::LoseLease(*loss),
            Event::TaskResultDiscarded(_, report) => Request::DiscardResult(report.clone()),
            Event::TimerFired(_, timer) => Request::FireTimer(*timer),
            Event::SettleContinued(_) => Request::ContinueSettling,
            Event::WorkflowPaused(_, pause) => Request::Pause(pause.clone()),
            Event::WorkflowResumed(_, Resumption { reason, .. }) => {
                Request::Resume(ResumeRequest { reason: reason.clone() })
            }
            Event::SignalReceived(_, message) => Request::Signal(message.clone()),
            Event::TriggerClosed(_, closing) => Request::CloseTrigger(closing.clone()),
            Event::ChildEnded(_, end) => Request::EndChild(end.clone()),
            Event::ChildRefused(_, refusal) => Request::RefuseChild(refusal.clone()),
            Event::StageStartRequested(_, request) => Request::StartStage(request.clone()),
            Event::InstancesAddRequested(_, addition) => Request::AddInstances(addition.clone()),
            Event::InstancesCloseRequested(_, request) => Request::CloseInstances(request.clone()),
            Event::InstancesCompleteRequested(_, request) => Request::CompleteInstances(request.clone()),
            Event::TaskStopped(_, attempt) => Request::StopTask(*attempt),
            Event::WorkflowCancelForced(_, cancel) => Request::ForceCancel(cancel.clone()),
            // Of another stream, or a consequence.
            _ => return None,
        };
        let stamp = event.stamp()?;
        Some(Command { now: stamp.now, id: stamp.command, actor: stamp.actor.clone(), request })
    }
}
