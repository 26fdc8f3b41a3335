//! `why --json`: what a workflow waits for, in the form that programs read.

use serde::Serialize;
use stabilize::{Actor, CancelCause, LockHolder, MissingArc, StagePhase, Wait, WaitReason, WorkflowView};

use crate::view::{Error, last_failure};

/// The one line of `why --json`.
#[derive(Serialize)]
pub(crate) struct Why<'a> {
    workflow: String,
    name: &'a str,
    status: &'static str,
    /// Who holds the log; `null` if nobody does.
    holder: Option<Holder>,
    on_hold: bool,
    waits: Vec<Waiting<'a>>,
}

/// The process that holds the log.
#[derive(Serialize)]
pub(crate) struct Holder {
    pub(crate) pid: Option<u32>,
    /// Whether it drives this workflow; `null` if it cannot be asked.
    pub(crate) drives: Option<bool>,
}

#[derive(Serialize)]
struct Waiting<'a> {
    reason: &'static str,
    stage: Option<&'a str>,
    activation: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<u32>,
    task: Option<&'a str>,
    attempt: Option<u32>,
    since: String,
    due: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<String>,
    /// What is offered beside it; one of all is chosen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alternatives: Vec<Server<'a>>,
    /// Of what is tried again: why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error<'a>>,
    #[serde(flatten)]
    more: More<'a>,
}

/// What only some reasons have.
#[derive(Default, Serialize)]
struct More<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arcs: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<Vec<Missing<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_by: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_deadline: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signals: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlate: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iteration: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heading_for: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undone: Option<Server<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<Lock<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    milestone: Option<Milestone<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<Counts>,
}

/// What another stage has to be.
#[derive(Serialize)]
struct Milestone<'a> {
    of: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<&'a str>,
}

/// A lock that others hold.
#[derive(Serialize)]
struct Lock<'a> {
    kind: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    section: Option<&'a str>,
}

/// How many instances there are and have ended.
#[derive(Serialize)]
struct Counts {
    total: u32,
    live: u32,
    done: u32,
    failed: u32,
    open: bool,
}

#[derive(Serialize)]
struct Missing<'a> {
    from: Option<&'a str>,
    may_be_served_by: Vec<Server<'a>>,
    more: bool,
}

#[derive(Serialize)]
struct Server<'a> {
    stage: &'a str,
    activation: Option<u32>,
}

impl<'a> Why<'a> {
    pub(crate) fn new(view: &'a WorkflowView, waits: &'a [Wait], holder: Option<Holder>, on_hold: bool) -> Why<'a> {
        Why {
            workflow: view.id().to_string(),
            name: view.name(),
            status: view.status().name(),
            holder,
            on_hold,
            waits: waits.iter().map(|wait| Waiting::of(wait, view)).collect(),
        }
    }
}

impl<'a> Waiting<'a> {
    fn of(wait: &'a Wait, view: &'a WorkflowView) -> Waiting<'a> {
        let is_tried_again = matches!(wait.reason(), WaitReason::RetryAt { .. });
        Waiting {
            reason: wait.reason().code(),
            stage: wait.stage(),
            activation: wait.activation(),
            instance: wait.instance(),
            task: wait.task(),
            attempt: wait.attempt(),
            since: wait.since().to_string(),
            due: wait.reason().due().map(|due| due.to_string()),
            deadline: wait.deadline().map(|deadline| deadline.to_string()),
            alternatives: wait
                .alternatives()
                .map(|other| Server { stage: other.stage(), activation: other.activation() })
                .collect(),
            error: last_failure(view, wait).filter(|_| is_tried_again).map(Error::from),
            more: More::from(wait.reason()),
        }
    }
}

fn missing_arcs(missing: &[MissingArc]) -> Option<Vec<Missing<'_>>> {
    Some(missing.iter().map(Missing::from).collect())
}

impl<'a> From<&'a WaitReason> for More<'a> {
    fn from(reason: &'a WaitReason) -> More<'a> {
        let none = More::default();
        match reason {
            WaitReason::Running { timeout } => More { timeout: Some(timeout.to_string()), ..none },
            WaitReason::RetryAt { failures, max_attempts, .. } => {
                More { failures: Some(*failures), max_attempts: Some(*max_attempts), ..none }
            }
            WaitReason::Scheduled { expiry, .. } => More { expiry: expiry.map(|expiry| expiry.to_string()), ..none },
            WaitReason::Join { missing, arcs } => More { arcs: Some(*arcs), missing: missing_arcs(missing), ..none },
            WaitReason::ByHand { prompt } => More { prompt: prompt.as_deref(), ..none },
            WaitReason::Approval { prompt, roles, on_deadline } => {
                More { prompt: prompt.as_deref(), roles: Some(roles), on_deadline: Some(on_deadline.name()), ..none }
            }
            WaitReason::Canceling { by, reason } | WaitReason::Paused { by, reason } => {
                let by = if let Actor::Named(name) = by { name } else { "engine" };
                More { by: Some(by), because: reason.as_deref(), ..none }
            }
            WaitReason::Arrivals { seen, threshold, missing } => {
                More { seen: Some(*seen), threshold: Some(*threshold), missing: missing_arcs(missing), ..none }
            }
            WaitReason::Blocked { generation, missing } => {
                More { generation: Some(*generation), missing: missing_arcs(missing), ..none }
            }
            WaitReason::Threads { most, merge_count, missing } => {
                More { seen: Some(*most), threshold: Some(*merge_count), missing: missing_arcs(missing), ..none }
            }
            WaitReason::Serialized { activation } => More { held_by: Some(*activation), ..none },
            WaitReason::Signal { names, correlate } => {
                More { signals: Some(names), correlate: correlate.as_deref(), ..none }
            }
            WaitReason::OpenTrigger { signal } => More { signals: Some(std::slice::from_ref(signal)), ..none },
            WaitReason::Finishing { status, undone } => {
                let phase = if undone.is_some() { StagePhase::Compensate } else { StagePhase::Finally };
                let undone = undone.as_ref();
                let undone = undone.map(|of| Server { stage: &of.stage, activation: Some(of.activation) });
                More { heading_for: Some(status.name()), phase: Some(phase.name()), undone, ..none }
            }
            WaitReason::Phase { phase } => More { phase: Some(phase.name()), ..none },
            WaitReason::Inside { iteration } => More { iteration: Some(*iteration), ..none },
            WaitReason::Milestone { of, status, until } => {
                let milestone = Milestone { of, status: status.name(), until: until.as_deref() };
                More { milestone: Some(milestone), ..none }
            }
            WaitReason::Lock { kind, name, holder } => {
                let (stage, activation, section) = match holder {
                    LockHolder::Activation { stage, activation } => (Some(stage.as_str()), Some(*activation), None),
                    LockHolder::Section { section } => (None, None, Some(section.as_str())),
                    _ => (None, None, None),
                };
                More { lock: Some(Lock { kind: kind.name(), name, stage, activation, section }), ..none }
            }
            WaitReason::Instances { total, live, done, failed, is_open, signals } => {
                let counts = Counts { total: *total, live: *live, done: *done, failed: *failed, open: *is_open };
                More { instances: Some(counts), signals: (!signals.is_empty()).then_some(signals), ..none }
            }
            WaitReason::Ending { cause } | WaitReason::Stopping { cause, .. } => {
                More { because: Some(cause_name(*cause)), ..none }
            }
            _ => none,
        }
    }
}

fn cause_name(cause: CancelCause) -> &'static str {
    match cause {
        CancelCause::Workflow => "workflow",
        CancelCause::ScopeFailed => "failure",
        CancelCause::Deadline => "deadline",
        CancelCause::Stage { .. } => "stage",
        CancelCause::Timer => "timer",
        CancelCause::ExplicitEnd => "explicit_end",
        CancelCause::Region { .. } => "region",
        CancelCause::Discriminator => "discriminator",
        CancelCause::Withdrawn { .. } => "withdrawn",
        CancelCause::Instances => "mi",
        CancelCause::Signal => "signal",
        CancelCause::Jump { .. } => "jump",
        CancelCause::Rewound { .. } => "rewind",
        _ => "other",
    }
}

impl<'a> From<&'a MissingArc> for Missing<'a> {
    fn from(arc: &'a MissingArc) -> Missing<'a> {
        let server =
            |server: stabilize::ServerName<'a>| Server { stage: server.stage(), activation: server.activation() };
        Missing {
            from: arc.from(),
            may_be_served_by: arc.may_be_served_by().map(server).collect(),
            more: arc.has_more_servers(),
        }
    }
}
