//! What the events hold: facts as they were when they happened.
//!
//! Serialised by position, so a released type never changes: a new meaning is a new event version with its own payload.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::definition::Definition;
use crate::failure::Failure;
use crate::ids::{ActivationId, ArcIndex, AttemptId, CommandId, DefinitionHash, RegionIndex, StageIndex, WorkflowId};
use crate::status::Status;
use crate::time::{Duration, Timestamp};

use super::{CheckRecord, Json};

/// What every input carries (R5, R6, R18).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The moment deciding saw: never before that of an earlier input of the stream.
    pub now: Timestamp,
    /// The command's id; inputs of the engine itself are recognised by what they are about and have none.
    pub command: Option<CommandId>,
    /// Who sent it, as claimed.
    pub actor: Actor,
    /// Number of the rules that decided it.
    pub rules: u32,
}

/// Who sent a command. A claim: the engine does not check it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Actor {
    /// The engine itself: workers, timers, recovery.
    Engine,
    /// A person or program by this name.
    Named(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Engine => f.write_str("engine"),
            Actor::Named(name) => f.write_str(name),
        }
    }
}

/// A definition as it is stored, once, in its own stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Its content hash, the name of the stream.
    pub hash: DefinitionHash,
    /// Its normal form as canonical JSON; the hash is of these bytes.
    pub normal: String,
    /// What its author wrote, where it came from a text.
    pub source: Option<String>,
    /// What checking it had found; `None` where its policy is not to check it.
    pub check: Option<CheckRecord>,
}

/// A log that lost events goes on all the same; who says so stands in the stamp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// Why.
    pub reason: String,
}

/// What a workflow begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Creation {
    /// The definition it follows.
    pub definition: DefinitionHash,
    /// Its name, as computed at the start.
    pub name: String,
    /// Key for grouping workflows.
    pub application: String,
    /// `PIPELINE` or `ORCHESTRATION`.
    pub workflow_type: String,
    /// Version of the definition, as its author wrote it.
    pub version: String,
    /// Where the request came from: `cli`, `library`.
    pub origin: String,
    /// Inputs with their defaults, checked against their types.
    pub inputs: Json,
    /// `context:` of the workflow, as computed at the start.
    pub context: Json,
    /// Who or what asked for it.
    pub trigger: TriggerRecord,
    /// Directory that relative directories of tasks start from.
    pub workdir: String,
    /// 0 to 9, larger first.
    pub priority: u8,
    /// If it has not started by this moment it never does.
    pub start_time_expiry: Option<Timestamp>,
    /// The workflow that called it; `None` if nobody did.
    pub parent: Option<Box<Parent>>,
}

/// Who called a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The workflow that waits for it.
    pub workflow: WorkflowId,
    /// The attempt there whose work it is.
    pub attempt: AttemptId,
    /// How many calls lie above it, at least 1.
    pub depth: u32,
}

/// The end of a workflow that another one called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildEnd {
    /// The called workflow.
    pub child: WorkflowId,
    /// How it ended.
    pub status: Status,
    /// What the stage that called it makes of its outputs.
    pub outputs: Json,
    /// Why it did not succeed, or why its outputs could not be computed.
    pub error: Option<Failure>,
}

/// A workflow that was called cannot be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildRefusal {
    /// The id it would have had.
    pub child: WorkflowId,
    /// Why not.
    pub error: Failure,
}

impl Creation {
    /// What a workflow of `definition` begins with where nobody says anything and nothing is computed.
    pub(crate) fn bare(definition: &Definition) -> Creation {
        let header = definition.header();
        Creation {
            definition: definition.hash(),
            name: definition.name(),
            application: header.application.clone(),
            workflow_type: header.workflow_type.name().to_owned(),
            version: header.version.clone().unwrap_or_default(),
            origin: String::new(),
            inputs: Json::empty(),
            context: Json::empty(),
            trigger: TriggerRecord {
                trigger_type: "manual".to_owned(),
                user: "anonymous".to_owned(),
                parameters: Json::empty(),
                artifacts: "[]".to_owned(),
                payload: Json::empty(),
            },
            workdir: "/".to_owned(),
            priority: header.priority,
            start_time_expiry: header.times.start_time_expiry,
            parent: None,
        }
    }
}

/// Who or what asked for a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerRecord {
    /// `manual`, `webhook`, `cron`, ..: a free word.
    pub trigger_type: String,
    /// Who, as claimed.
    pub user: String,
    /// Named values.
    pub parameters: Json,
    /// Artifacts as canonical JSON of a list.
    pub artifacts: String,
    /// Whatever came with the request.
    pub payload: Json,
}

/// A request for the end of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequest {
    /// Why, in words.
    pub reason: Option<String>,
}

/// A request that nothing new begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseRequest {
    /// Why, in words.
    pub reason: Option<String>,
}

/// The end of a pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumption {
    /// Why, in words.
    pub reason: Option<String>,
    /// For how long the workflow has been paused in all, this pause included: what its active clock is behind by.
    pub paused: Duration,
}

/// How an attempt ended, as the worker gave it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskReport {
    /// The attempt.
    pub attempt: AttemptId,
    /// How it ended.
    pub report: Report,
    /// Values for everything downstream.
    pub outputs: Json,
    /// Values for later attempts and tasks of the same activation.
    pub context: Json,
    /// Whole streams that were captured into files.
    pub streams: Vec<StreamFile>,
}

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Report {
    /// The work is done.
    Succeeded,
    /// The work goes on; call the task again at this moment.
    Running {
        /// When.
        until: Timestamp,
    },
    /// The work failed for good, whatever the retry policy says.
    Terminal {
        /// Why.
        error: Failure,
    },
    /// The work failed, and the task itself wants to go on.
    FailedContinue {
        /// Why.
        error: Failure,
    },
    /// There was nothing to do.
    Skipped,
    /// The task ended itself as canceled.
    Canceled,
    /// The task ends its branch.
    Stopped,
    /// The attempt failed; the retry policy decides.
    Failed {
        /// Why.
        error: Failure,
        /// Delay the task asks for, instead of the policy's.
        retry_after: Option<Duration>,
    },
    /// The work goes on when a signal comes: one of these names, or any if there are none.
    Suspended {
        /// The names, ascending.
        signals: Vec<String>,
    },
    /// The work is done, and control goes to this stage, with the outputs and the context of the report.
    Jump {
        /// The ref id of the stage, as the task named it.
        target: String,
    },
    /// The work is done, and the tasks of the activation go on with the first of the loop in which this one stands.
    Redirect,
}

/// A captured stream of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamFile {
    /// `stdout` or `stderr`.
    pub name: String,
    /// Bytes kept in the file.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
}

/// The end of a worker without an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseLoss {
    /// The attempt it had begun.
    pub attempt: AttemptId,
    /// The engine stopped it when it closed; such a loss does not count against the task.
    pub orderly: bool,
}

/// More instances of an activation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstancesAddition {
    /// The activation that is to have them.
    pub activation: ActivationId,
    /// What each of them is given, as canonical JSON.
    pub items: Vec<String>,
    /// Why, in words.
    pub reason: Option<String>,
}

/// What somebody asks for that concerns the instances of an activation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstancesRequest {
    /// The activation.
    pub activation: ActivationId,
    /// Why, in words.
    pub reason: Option<String>,
}

/// A timer by its number in its workflow, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimerId(pub u32);

/// Whose a timer is, apart from those of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TimerOwner {
    /// The workflow.
    Workflow,
    /// This activation.
    Activation(ActivationId),
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TimerPurpose {
    /// Its owner starts when it fires.
    ScheduledTime,
    /// If its owner has not started when it fires, it never does.
    StartTimeExpiry,
    /// If its owner has not ended when it fires, it fails.
    Deadline,
    /// If its owner has not ended when it fires, it is canceled.
    CancelOn,
    /// It is the trigger of its owner, which goes on when it fires.
    Trigger,
    /// If the instances of its owner have not ended when it fires, they are canceled, and it with them.
    CancelInstances,
    /// If the instances of its owner have not ended when it fires, control goes on without them.
    CompleteInstances,
    /// If the work under way in its owner, which is canceled, has not stopped when it fires, nobody waits for that.
    CancelTimeout,
}

/// The clock by which a timer is due (R16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerClock {
    /// The time of day.
    Calendar,
    /// The time of day less all the time for which the workflow was paused.
    Active,
}

impl TimerPurpose {
    /// The word people and programs see: the key of the definition that asks for the timer.
    pub fn name(self) -> &'static str {
        match self {
            TimerPurpose::ScheduledTime => "scheduled_time",
            TimerPurpose::StartTimeExpiry => "start_time_expiry",
            TimerPurpose::Deadline => "deadline",
            TimerPurpose::CancelOn => "cancel_on",
            TimerPurpose::Trigger => "trigger",
            TimerPurpose::CancelInstances => "cancel_mi_on",
            TimerPurpose::CompleteInstances => "complete_mi_on",
            TimerPurpose::CancelTimeout => "cancel_timeout",
        }
    }

    /// The clock by which its timers are due.
    pub fn clock(self) -> TimerClock {
        match self {
            TimerPurpose::ScheduledTime
            | TimerPurpose::StartTimeExpiry
            | TimerPurpose::CancelOn
            | TimerPurpose::Trigger
            | TimerPurpose::CancelInstances
            | TimerPurpose::CompleteInstances
            | TimerPurpose::CancelTimeout => TimerClock::Calendar,
            TimerPurpose::Deadline => TimerClock::Active,
        }
    }
}

/// The tokens an activation consumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Consumed {
    /// The oldest token of every incoming arc.
    OnePerArc,
    /// The oldest token of each of these arcs.
    Arcs(Vec<ArcIndex>),
    /// None any more: they were consumed when the activation became ready.
    Ready,
    /// What has arrived in this generation of its join: the oldest token of each arc that has brought one.
    Held,
    /// As many threads as its join merges: the oldest tokens of the threads that this activation split into; without
    /// one, of those that no split has made.
    Threads(Option<ActivationId>),
    /// That of a jump, and with it the oldest token of each of the other arcs that hold one.
    Jump {
        /// The arc of the jump.
        jump: ArcIndex,
        /// The other arcs.
        arcs: Vec<ArcIndex>,
        /// Arcs on which a token that comes later is too late: it is taken away, one on each.
        absorbed: Vec<ArcIndex>,
    },
}

/// The arcs that received a token when an activation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Emitted {
    /// Every outgoing arc.
    All,
    /// These arcs.
    Arcs(Vec<ArcIndex>),
    /// None.
    Nothing,
}

/// What ended an activation from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CancelCause {
    /// The workflow was asked to end.
    Workflow,
    /// Another activation of its scope failed.
    ScopeFailed,
    /// The deadline of the workflow, or of an activation around it, has passed.
    Deadline,
    /// An activation of a stage that cancels this one has succeeded.
    Stage {
        /// The activation.
        by: ActivationId,
    },
    /// A timer of its `cancel_on` has fired.
    Timer,
    /// A stage that ends the workflow has succeeded.
    ExplicitEnd,
    /// A region was canceled in which it lies.
    Region {
        /// The region.
        region: RegionIndex,
    },
    /// A cancelling join has fired without it.
    Discriminator,
    /// It was an alternative of a deferred choice, and another one was chosen.
    Withdrawn {
        /// The one that was chosen.
        winner: ActivationId,
    },
    /// It is an instance, and control goes on without it, or its activation has ended.
    Instances,
    /// A signal of its `cancel_on` has come.
    Signal,
    /// A jump to this activation has come before it.
    Jump {
        /// The activation.
        to: ActivationId,
    },
    /// A jump has gone back behind where it came from.
    Rewound {
        /// The activation that has jumped.
        by: ActivationId,
    },
}

/// Why a workflow did not succeed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EndReason {
    /// This activation failed.
    StageFailed {
        /// The activation.
        activation: ActivationId,
        /// Why.
        error: Option<Failure>,
    },
    /// Tokens are left that no join can ever consume.
    Deadlock {
        /// Joins that wait, and for what.
        waiting: Vec<WaitingJoin>,
    },
    /// A branch was stopped, and asked for failure when the others are done.
    BranchStopped {
        /// The activation that was stopped.
        activation: ActivationId,
    },
    /// `outputs:` of the workflow could not be computed.
    OutputsFailed {
        /// Why.
        error: Failure,
    },
    /// Somebody asked for the end.
    CancelRequested {
        /// Who.
        by: Actor,
        /// Why, in words.
        reason: Option<String>,
    },
    /// It was not started in time.
    StartTimeExpired,
    /// It had not ended by its deadline.
    DeadlineExceeded {
        /// The deadline its definition gives it.
        deadline: Duration,
    },
    /// A stage that cancels the workflow has succeeded.
    CanceledBy {
        /// The activation.
        activation: ActivationId,
    },
    /// OR-joins are left that wait for each other.
    OrJoinCycle {
        /// Their stages, in definition order.
        stages: Vec<StageIndex>,
    },
}

/// A join that waits for tokens which can never come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingJoin {
    /// The stage.
    pub stage: StageIndex,
    /// Its arcs without a token.
    pub missing: Vec<ArcIndex>,
}

/// Tokens that lie on an arc where nothing moves any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftTokens {
    /// The arc.
    pub arc: ArcIndex,
    /// How many, at least 1.
    pub tokens: u32,
}

/// Ends that a status describes, for views that need one word.
impl EndReason {
    /// The word people and programs see: `DEADLOCK`, `STAGE_FAILED`, ...
    pub fn code(&self) -> &'static str {
        match self {
            EndReason::StageFailed { .. } => "STAGE_FAILED",
            EndReason::Deadlock { .. } => "DEADLOCK",
            EndReason::OrJoinCycle { .. } => "OR_JOIN_CYCLE",
            EndReason::BranchStopped { .. } => "BRANCH_STOPPED",
            EndReason::OutputsFailed { .. } => "OUTPUTS_FAILED",
            EndReason::CancelRequested { .. } => "CANCEL_REQUESTED",
            EndReason::StartTimeExpired => "START_TIME_EXPIRED",
            EndReason::DeadlineExceeded { .. } => "DEADLINE_EXCEEDED",
            EndReason::CanceledBy { .. } => "CANCELED_BY",
        }
    }
}

impl Report {
    /// The word people and programs see: `SUCCEEDED`, `FAILED`, ...
    pub fn name(&self) -> &'static str {
        match self {
            Report::Succeeded => Status::Succeeded.name(),
            Report::Running { .. } => Status::Running.name(),
            Report::Terminal { .. } => Status::Terminal.name(),
            Report::FailedContinue { .. } => Status::FailedContinue.name(),
            Report::Skipped => Status::Skipped.name(),
            Report::Canceled => Status::Canceled.name(),
            Report::Stopped => Status::Stopped.name(),
            Report::Failed { .. } => "FAILED",
            Report::Suspended { .. } => Status::Suspended.name(),
            Report::Jump { .. } | Report::Redirect => Status::Redirect.name(),
        }
    }

    /// Why it failed, if it did.
    pub fn error(&self) -> Option<&Failure> {
        match self {
            Report::Terminal { error } | Report::FailedContinue { error } | Report::Failed { error, .. } => Some(error),
            Report::Succeeded
            | Report::Running { .. }
            | Report::Skipped
            | Report::Canceled
            | Report::Stopped
            | Report::Suspended { .. }
            | Report::Jump { .. }
            | Report::Redirect => None,
        }
    }
}
