//! One thing a workflow waits for, as people and programs are told of it: who, since when, and what would release it.
//!
//! Frozen values with names in the place of indices. Found by `waits`.

use crate::definition::StagePhase;
use crate::definition::{Definition, GraphTask, LockKind, MilestoneStatus, OnDeadline};
use crate::event::{Actor, CancelCause, TimerId};
use crate::ids::{ActivationId, ArcIndex, AttemptId, StageIndex, WorkflowId};
use crate::status::Status;
use crate::time::{Duration, Timestamp};

/// One thing a workflow waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    pub(super) definition: Definition,
    pub(super) waiter: Waiter,
    pub(super) since: Timestamp,
    pub(super) reason: WaitReason,
    pub(super) deadline: Option<Timestamp>,
    /// What is offered beside it, of which one is chosen.
    pub(super) others: Vec<Server>,
}

/// Who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiter {
    Workflow,
    /// The join of a stage that has no activation for these tokens yet.
    Join(StageIndex),
    Activation(ActivationId),
    Attempt(AttemptId),
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WaitReason {
    /// A worker has begun the attempt. Released by its outcome.
    Running {
        /// How long the attempt may take, from the moment the worker really began it.
        timeout: Duration,
    },
    /// The attempt may be begun. Released by a worker that begins it.
    Queued,
    /// The task failed and is tried again. Released by the moment, then by a worker that begins the attempt.
    RetryAt {
        /// The attempt is not begun before this moment.
        due: Timestamp,
        /// Failures that the retry policy has counted.
        failures: u32,
        /// Tries there are in all: the last failure is final.
        max_attempts: u32,
    },
    /// The task asked to be called again. Released by the moment.
    Timer {
        /// The timer.
        timer: TimerId,
        /// When it is due.
        due: Timestamp,
    },
    /// Its scheduled time is still to come. Released by the moment, at which it starts.
    Scheduled {
        /// The timer.
        timer: TimerId,
        /// When it is due.
        due: Timestamp,
        /// If it has not started by this moment, it never does: the stage is passed by, the workflow ends.
        expiry: Option<Timestamp>,
    },
    /// The join of the stage has tokens on some of its arcs and needs one on each. Released by the missing ones.
    Join {
        /// The arcs that lack a token, in the order of `needs`.
        missing: Vec<MissingArc>,
        /// How many arcs the join has.
        arcs: usize,
    },
    /// Something outside ends the activation as the next thing that happens to it. Released by the engine alone.
    Ending {
        /// What ends it.
        cause: CancelCause,
    },
    /// The end of the workflow was asked for, and what lives is being ended. Released by the engine alone.
    Canceling {
        /// Who asked.
        by: Actor,
        /// Why, as they said.
        reason: Option<String>,
    },
    /// The workflow is on its way to its end, and something is done before that. Released by the end of it, or by
    /// somebody who cancels it by force.
    Finishing {
        /// How the workflow is to end.
        status: Status,
        /// The activation whose work is undone; `None` is `finally` of the workflow.
        undone: Option<Undone>,
    },
    /// The last batch was cut for its size, and the engine goes on with it. Released by the engine alone.
    Settling,
    /// The stage has the tokens it needs and starts again only when this activation of it has ended. Released by that
    /// end.
    Serialized {
        /// The number of the activation, from 1.
        activation: u32,
    },
    /// People do the task. Released by one of them who says how it ended.
    ByHand {
        /// What they are told.
        prompt: Option<String>,
    },
    /// An approval is asked for. Released by somebody who approves or rejects, or by the deadline of the stage.
    Approval {
        /// What they are told.
        prompt: Option<String>,
        /// As one of whom somebody has to speak; empty if anybody may.
        roles: Vec<String>,
        /// What becomes of it when the deadline of the stage passes.
        on_deadline: OnDeadline,
    },
    /// The workflow is paused, and nothing new begins in it. Released by whoever has it go on.
    Paused {
        /// Who paused it, as they claim.
        by: Actor,
        /// Why, as they said.
        reason: Option<String>,
    },
    /// It waits for a signal: at the trigger of the stage, or because the task asked to be called again then. Released
    /// by a signal of one of these names, or of any if there are none.
    Signal {
        /// The names, ascending.
        names: Vec<String>,
        /// Which of them is taken; all of them if nothing is written.
        correlate: Option<String>,
    },
    /// It waits for the timer that is the trigger of the stage. Released by the moment.
    TriggerTimer {
        /// The timer.
        timer: TimerId,
        /// When it is due.
        due: Timestamp,
    },
    /// Each signal of this name starts the stage, and until somebody closes the trigger more may come. Released by
    /// closing it.
    OpenTrigger {
        /// The name of the signal.
        signal: String,
    },
    /// Another workflow does the work. Released by its end.
    Child {
        /// That workflow.
        child: WorkflowId,
    },
    /// The block of the stage is open. Released by the end of what is inside.
    Inside {
        /// The number of the turn of its loop that is under way, from 0.
        iteration: u32,
    },
    /// What is done before or behind the own work of the stage is under way. Released by the end of what is inside.
    Phase {
        /// Which part that is.
        phase: StagePhase,
    },
    /// The stage needs a lock that others hold. Released when they need it no more.
    Lock {
        /// What the lock comes from.
        kind: LockKind,
        /// The mutex key, or the name of the group.
        name: String,
        /// Who holds it.
        holder: LockHolder,
    },
    /// The join of the stage counts arrivals and has too few. Released by the missing ones.
    Arrivals {
        /// How many arcs have brought their token in this generation.
        seen: usize,
        /// How many have to.
        threshold: usize,
        /// The arcs that have not, in the order of `needs`.
        missing: Vec<MissingArc>,
    },
    /// The join of the stage has fired, and what came again waits until it starts over. Released by the missing ones.
    Blocked {
        /// How often the join has started over.
        generation: u32,
        /// The arcs that have not brought their token in this generation, in the order of `needs`.
        missing: Vec<MissingArc>,
    },
    /// The stage merges threads, and there are too few of one split. Released by more of them.
    Threads {
        /// The most there are of one split.
        most: usize,
        /// How many it takes.
        merge_count: usize,
        /// The arc they come over.
        missing: Vec<MissingArc>,
    },
    /// It is an alternative of a deferred choice and has no trigger. Released by somebody who claims it; it ends when
    /// another alternative is chosen.
    Claim,
    /// Its milestone does not hold. Released when it does, or when it can come no more.
    Milestone {
        /// The ref id of the stage that it is about.
        of: String,
        /// What that stage has to be.
        status: MilestoneStatus,
        /// The stage that ends it by starting.
        until: Option<String>,
    },
    /// The activation has several instances, which have not ended. Each that lives waits for itself, too. Released by
    /// their ends, and by a request for going on without them.
    Instances {
        /// How many there are, those that were added included and those that were canceled not.
        total: u32,
        /// How many of them live.
        live: u32,
        /// How many are done.
        done: u32,
        /// How many have failed.
        failed: u32,
        /// Whether more can be added.
        is_open: bool,
        /// The signals that cancel or complete it, or close it to more.
        signals: Vec<String>,
    },
    /// The attempt is canceled, and its activation ends when the worker has stopped. Released by that, or by the
    /// moment.
    Stopping {
        /// What ends it.
        cause: CancelCause,
        /// When it ends though the worker has not stopped.
        limit: Option<CancelLimit>,
    },
}

/// How long a canceled activation waits for its work to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelLimit {
    /// The timer.
    pub timer: TimerId,
    /// When it is due.
    pub due: Timestamp,
}

/// An activation whose work is undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// The ref id of its stage.
    pub stage: String,
    /// Its number, from 1.
    pub activation: u32,
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockHolder {
    /// An activation, until it has ended.
    Activation {
        /// The ref id of its stage.
        stage: String,
        /// Its number, from 1.
        activation: u32,
    },
    /// A critical section, until no activation of its stages lives and no token lies between them.
    Section {
        /// Its name.
        section: String,
    },
}

impl WaitReason {
    /// Name for programs: `RUNNING`, `QUEUED`, ...
    pub fn code(&self) -> &'static str {
        match self {
            WaitReason::Running { .. } => "RUNNING",
            WaitReason::Queued => "QUEUED",
            WaitReason::RetryAt { .. } => "RETRY_AT",
            WaitReason::Timer { .. } => "TIMER",
            WaitReason::Scheduled { .. } => "SCHEDULED",
            WaitReason::Join { .. } => "JOIN",
            WaitReason::Ending { .. } => "ENDING",
            WaitReason::Canceling { .. } => "CANCELING",
            WaitReason::Finishing { .. } => "FINISHING",
            WaitReason::Settling => "SETTLING",
            WaitReason::Signal { .. } => "SIGNAL",
            WaitReason::TriggerTimer { .. } => "TRIGGER_TIMER",
            WaitReason::OpenTrigger { .. } => "OPEN_TRIGGER",
            WaitReason::Serialized { .. } => "SERIALIZED",
            WaitReason::ByHand { .. } => "BY_HAND",
            WaitReason::Approval { .. } => "APPROVAL",
            WaitReason::Instances { .. } => "INSTANCES",
            WaitReason::Paused { .. } => "PAUSED",
            WaitReason::Child { .. } => "CHILD",
            WaitReason::Inside { .. } => "INSIDE",
            WaitReason::Phase { .. } => "PHASE",
            WaitReason::Lock { .. } => "LOCK",
            WaitReason::Arrivals { .. } => "ARRIVALS",
            WaitReason::Blocked { .. } => "BLOCKED",
            WaitReason::Threads { .. } => "THREADS",
            WaitReason::Claim => "CLAIM",
            WaitReason::Milestone { .. } => "MILESTONE",
            WaitReason::Stopping { .. } => "STOPPING",
        }
    }

    /// The moment that releases it, where one does.
    pub fn due(&self) -> Option<Timestamp> {
        match self {
            WaitReason::RetryAt { due, .. }
            | WaitReason::Timer { due, .. }
            | WaitReason::Scheduled { due, .. }
            | WaitReason::TriggerTimer { due, .. } => Some(*due),
            WaitReason::Stopping { limit, .. } => limit.map(|limit| limit.due),
            WaitReason::Running { .. }
            | WaitReason::Queued
            | WaitReason::Join { .. }
            | WaitReason::Ending { .. }
            | WaitReason::Canceling { .. }
            | WaitReason::Finishing { .. }
            | WaitReason::Settling
            | WaitReason::Serialized { .. }
            | WaitReason::ByHand { .. }
            | WaitReason::Approval { .. }
            | WaitReason::Paused { .. }
            | WaitReason::Arrivals { .. }
            | WaitReason::Blocked { .. }
            | WaitReason::Threads { .. }
            | WaitReason::Signal { .. }
            | WaitReason::OpenTrigger { .. }
            | WaitReason::Child { .. }
            | WaitReason::Inside { .. }
            | WaitReason::Phase { .. }
            | WaitReason::Lock { .. }
            | WaitReason::Claim
            | WaitReason::Milestone { .. }
            | WaitReason::Instances { .. } => None,
        }
    }
}

impl Wait {
    /// The ref id of the stage that waits; `None` if it is the workflow as a whole.
    pub fn stage(&self) -> Option<&str> {
        let stage = match self.waiter {
            Waiter::Workflow => return None,
            Waiter::Join(stage) => stage,
            Waiter::Activation(activation) => activation.stage,
            Waiter::Attempt(attempt) => attempt.task.activation.stage,
        };
        Some(ref_id(&self.definition, stage))
    }

    /// The number of the activation that waits, from 1. A join has none yet.
    pub fn activation(&self) -> Option<u32> {
        match self.waiter {
            Waiter::Workflow | Waiter::Join(_) => None,
            Waiter::Activation(activation) => Some(activation.number),
            Waiter::Attempt(attempt) => Some(attempt.task.activation.number),
        }
    }

    /// The number of the instance of that activation that waits, from 0; `None` if it is no instance.
    pub fn instance(&self) -> Option<u32> {
        match self.waiter {
            Waiter::Workflow | Waiter::Join(_) => None,
            Waiter::Activation(activation) => activation.instance(),
            Waiter::Attempt(attempt) => attempt.task.activation.instance(),
        }
    }

    /// The name of the task that waits.
    pub fn task(&self) -> Option<&str> {
        self.spec().map(|task| task.name.as_str())
    }

    /// The registered type of the task that waits.
    pub fn task_type(&self) -> Option<&str> {
        self.spec().map(|task| task.uses.as_str())
    }

    /// The number of the attempt that waits, from 1; of one that asked to be called again, its own.
    pub fn attempt(&self) -> Option<u32> {
        match self.waiter {
            Waiter::Attempt(attempt) => Some(attempt.dispatch),
            Waiter::Workflow | Waiter::Join(_) | Waiter::Activation(_) => None,
        }
    }

    /// Since when: the moment, in the workflow's own time, of what made it wait.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// When the deadline of the activation passes: then what waits is given up, and the stage fails.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// What is offered together with the activation that waits: one of them all is chosen by what comes first, and
    /// these are withdrawn if it is this one. Empty unless it is an alternative of a deferred choice; one without a
    /// number still waits for other tokens at its join.
    pub fn alternatives(&self) -> impl Iterator<Item = ServerName<'_>> {
        let name = |server: &Server| ServerName {
            stage: ref_id(&self.definition, server.stage),
            activation: server.activation,
        };
        self.others.iter().map(name)
    }

    /// What it waits for.
    pub fn reason(&self) -> &WaitReason {
        &self.reason
    }

    /// The attempt that waits.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn attempt_id(&self) -> Option<AttemptId> {
        if let Waiter::Attempt(attempt) = self.waiter { Some(attempt) } else { None }
    }

    /// The activation that waits, or whose attempt does.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn activation_id(&self) -> Option<ActivationId> {
        match self.waiter {
            Waiter::Activation(activation) => Some(activation),
            Waiter::Attempt(attempt) => Some(attempt.task.activation),
            Waiter::Workflow | Waiter::Join(_) => None,
        }
    }

    /// The stage before which something waits that is no activation yet.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn join_stage(&self) -> Option<StageIndex> {
        if let Waiter::Join(stage) = self.waiter { Some(stage) } else { None }
    }

    fn spec(&self) -> Option<&GraphTask> {
        let Waiter::Attempt(attempt) = self.waiter else { return None };
        Some(self.definition.graph().task(attempt.task.activation.stage, attempt.task.task))
    }
}

/// An arc on which a join lacks a token, and who may still bring one.
#[derive(Clone, Debug, PartialEq)]
pub struct MissingArc {
    pub(super) definition: Definition,
    pub(super) arc: ArcIndex,
    pub(super) servers: Vec<Server>,
    pub(super) completeness: Completeness,
}

/// Does a list name all there are?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completeness {
    All,
    Some,
}

impl MissingArc {
    /// The ref id of the stage the arc comes from; `None` for the start of the workflow.
    pub fn from(&self) -> Option<&str> {
        self.definition.graph().arc(self.arc).from.map(|stage| ref_id(&self.definition, stage))
    }

    /// Who may still bring the token: of each path to the arc the nearest that lives. Nobody, if no token can come any
    /// more. That they may does not say that they will: a split may choose another way, a stage may fail.
    pub fn may_be_served_by(&self) -> impl Iterator<Item = ServerName<'_>> {
        self.servers
            .iter()
            .map(|server| ServerName { stage: ref_id(&self.definition, server.stage), activation: server.activation })
    }

    /// Whether more than those that are named may bring it.
    pub fn has_more_servers(&self) -> bool {
        self.completeness == Completeness::Some
    }
}

/// Who may bring a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Server {
    pub(super) stage: StageIndex,
    /// `None`: its join is about to fire.
    pub(super) activation: Option<u32>,
}

/// Who may bring a token, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerName<'a> {
    stage: &'a str,
    activation: Option<u32>,
}

impl<'a> ServerName<'a> {
    /// The ref id of its stage.
    pub fn stage(self) -> &'a str {
        self.stage
    }

    /// The number of the activation, from 1; `None` if the join of the stage is about to fire.
    pub fn activation(self) -> Option<u32> {
        self.activation
    }
}

fn ref_id(definition: &Definition, stage: StageIndex) -> &str {
    &definition.graph().stage(stage).ref_id
}
