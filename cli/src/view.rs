//! What machines are told: serialisable views of what the library shows, keys and their order fixed for good.
//!
//! Absent values are null; moments are RFC 3339 in UTC with microseconds; `activations` and `attempts` are counts.

use serde::Serialize;
use stabilize::{
    Envelope, Failure, InstancesView, LogFinding, LogFrame, LogKind, LogReport, LogSalvage, LogStats, PausedDetails,
    StageView, TaskView, TriggerView, Value,
};
use stabilize::{Timestamp, Wait, WorkflowSummary, WorkflowView};

fn text(value: impl ToString) -> String {
    value.to_string()
}

fn moment(moment: Option<Timestamp>) -> Option<String> {
    moment.map(text)
}

/// `show --json`.
#[derive(Serialize)]
pub(crate) struct Workflow<'a> {
    id: String,
    name: &'a str,
    application: &'a str,
    #[serde(rename = "type")]
    workflow_type: &'a str,
    status: &'static str,
    trigger: Trigger<'a>,
    definition: String,
    context: &'a Value,
    start_time: Option<String>,
    end_time: Option<String>,
    canceled_by: Option<&'a str>,
    cancellation_reason: Option<&'a str>,
    /// The newest pause.
    paused: Option<Paused<'a>>,
    outputs: Option<&'a Value>,
    stages: Vec<Stage<'a>>,
}

#[derive(Serialize)]
struct Paused<'a> {
    paused_by: &'a str,
    reason: Option<&'a str>,
    pause_time: String,
    resumed_by: Option<&'a str>,
    resume_time: Option<String>,
    paused_ms: Option<u64>,
}

impl<'a> From<&'a PausedDetails> for Paused<'a> {
    fn from(paused: &'a PausedDetails) -> Paused<'a> {
        Paused {
            paused_by: paused.paused_by(),
            reason: paused.reason(),
            pause_time: text(paused.pause_time()),
            resumed_by: paused.resumed_by(),
            resume_time: moment(paused.resume_time()),
            paused_ms: paused.paused().map(|length| length.microseconds() / 1_000),
        }
    }
}

#[derive(Serialize)]
struct Trigger<'a> {
    #[serde(rename = "type")]
    trigger_type: &'a str,
    user: &'a str,
    parameters: &'a Value,
    artifacts: &'a Value,
    payload: &'a Value,
}

#[derive(Serialize)]
struct Stage<'a> {
    ref_id: &'a str,
    name: &'a str,
    #[serde(rename = "type")]
    stage_type: &'a str,
    status: &'static str,
    activations: u32,
    start_time: Option<String>,
    end_time: Option<String>,
    outputs: &'a Value,
    error: Option<Error<'a>>,
    /// Of a stage that has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<Instances>,
    tasks: Vec<Task<'a>>,
}

#[derive(Serialize)]
struct Instances {
    total: u32,
    live: u32,
    done: u32,
    failed: u32,
    canceled: u32,
    open: bool,
}

impl From<InstancesView> for Instances {
    fn from(instances: InstancesView) -> Instances {
        Instances {
            total: instances.total(),
            live: instances.live(),
            done: instances.done(),
            failed: instances.failed(),
            canceled: instances.canceled(),
            open: !instances.is_closed(),
        }
    }
}

#[derive(Serialize)]
struct Task<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    task_type: &'a str,
    status: &'static str,
    attempts: u32,
    error: Option<Error<'a>>,
}

/// A failure, whole.
#[derive(Serialize)]
pub(crate) struct Error<'a> {
    class: &'static str,
    code: &'a str,
    message: &'a str,
    causes: &'a [String],
}

impl<'a> From<&'a WorkflowView> for Workflow<'a> {
    fn from(workflow: &'a WorkflowView) -> Workflow<'a> {
        Workflow {
            id: text(workflow.id()),
            name: workflow.name(),
            application: workflow.application(),
            workflow_type: workflow.workflow_type(),
            status: workflow.status().name(),
            trigger: workflow.trigger().into(),
            definition: text(workflow.definition()),
            context: workflow.own_context(),
            start_time: moment(workflow.start_time()),
            end_time: moment(workflow.end_time()),
            canceled_by: workflow.canceled_by(),
            cancellation_reason: workflow.cancellation_reason(),
            paused: workflow.paused().map(Paused::from),
            outputs: outputs(workflow),
            stages: workflow.stages().iter().map(Stage::from).collect(),
        }
    }
}

/// The outputs of a workflow that has any: until its end there are none, which is not the same as an empty map.
fn outputs(workflow: &WorkflowView) -> Option<&Value> {
    workflow.end_time().is_some().then(|| workflow.outputs())
}

impl<'a> From<&'a TriggerView> for Trigger<'a> {
    fn from(trigger: &'a TriggerView) -> Trigger<'a> {
        Trigger {
            trigger_type: trigger.trigger_type(),
            user: trigger.user(),
            parameters: trigger.parameters(),
            artifacts: trigger.artifacts(),
            payload: trigger.payload(),
        }
    }
}

impl<'a> From<&'a StageView> for Stage<'a> {
    fn from(stage: &'a StageView) -> Stage<'a> {
        Stage {
            ref_id: stage.ref_id(),
            name: stage.name(),
            stage_type: stage.stage_type(),
            status: stage.status().name(),
            activations: stage.activations(),
            start_time: moment(stage.start_time()),
            end_time: moment(stage.end_time()),
            outputs: stage.outputs(),
            error: stage.error().map(Error::from),
            instances: stage.instances().map(Instances::from),
            tasks: stage.tasks().iter().map(Task::from).collect(),
        }
    }
}

impl<'a> From<&'a TaskView> for Task<'a> {
    fn from(task: &'a TaskView) -> Task<'a> {
        Task {
            name: task.name(),
            task_type: task.task_type(),
            status: task.status().name(),
            attempts: task.attempts(),
            error: task.error().map(Error::from),
        }
    }
}

impl<'a> From<&'a Failure> for Error<'a> {
    fn from(failure: &'a Failure) -> Error<'a> {
        Error {
            class: failure.class().name(),
            code: failure.code().as_str(),
            message: failure.message(),
            causes: failure.causes(),
        }
    }
}

/// Why the last attempt failed at work that is tried again; only of the newest activation of a stage, as a whole, is it
/// known.
pub(crate) fn last_failure<'a>(view: &'a WorkflowView, wait: &Wait) -> Option<&'a Failure> {
    let stage = view.stage(wait.stage()?)?;
    let is_newest = wait.instance().is_none() && Some(stage.activations()) == wait.activation();
    stage.task(wait.task()?).filter(|_| is_newest)?.error()
}

/// `events --json` and `run --json`: one envelope.
#[derive(Serialize)]
pub(crate) struct Event<'a> {
    position: u64,
    sequence: u64,
    #[serde(rename = "type")]
    event_type: &'static str,
    stage: Option<&'a str>,
    activation: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<u32>,
    task: Option<&'a str>,
    attempt: Option<u32>,
    at: String,
    actor: &'a str,
    causation: u64,
    data: Value,
}

impl<'a> From<&'a Envelope> for Event<'a> {
    fn from(envelope: &'a Envelope) -> Event<'a> {
        Event {
            position: envelope.position().get(),
            sequence: envelope.sequence().get(),
            event_type: envelope.name(),
            stage: envelope.stage(),
            activation: envelope.activation(),
            instance: envelope.instance(),
            task: envelope.task(),
            attempt: envelope.attempt(),
            at: text(envelope.at()),
            actor: envelope.actor(),
            causation: envelope.causation().get(),
            data: envelope.data(),
        }
    }
}

/// `worker --json`: one envelope of any workflow.
#[derive(Serialize)]
pub(crate) struct WorkflowEvent<'a> {
    workflow: String,
    #[serde(flatten)]
    event: Event<'a>,
}

impl<'a> WorkflowEvent<'a> {
    /// The event, if it is one of a workflow.
    pub(crate) fn of(envelope: &'a Envelope) -> Option<WorkflowEvent<'a>> {
        Some(WorkflowEvent { workflow: text(envelope.workflow()?), event: envelope.into() })
    }
}

/// `start --json`.
#[derive(Serialize)]
pub(crate) struct Started {
    pub(crate) workflow: String,
    /// The process that drives it; null if nobody does yet.
    pub(crate) driven_by: Option<u32>,
}

/// `cancel --json`, `complete --json`, `pause --json` and the like: what a workflow was told is recorded.
#[derive(Serialize)]
pub(crate) struct Taken {
    pub(crate) workflow: String,
    /// The event of it.
    pub(crate) sequence: u64,
    pub(crate) status: &'static str,
}

/// The last line of `run --json`.
#[derive(Serialize)]
pub(crate) struct Ending<'a> {
    workflow: String,
    status: &'static str,
    outputs: Option<&'a Value>,
}

impl<'a> From<&'a WorkflowView> for Ending<'a> {
    fn from(workflow: &'a WorkflowView) -> Ending<'a> {
        Ending { workflow: text(workflow.id()), status: workflow.status().name(), outputs: outputs(workflow) }
    }
}

/// `ls --json`: one workflow.
#[derive(Serialize)]
pub(crate) struct Summary<'a> {
    id: String,
    name: &'a str,
    application: &'a str,
    status: &'static str,
    start_time: Option<String>,
    end_time: Option<String>,
}

impl<'a> From<&'a WorkflowSummary> for Summary<'a> {
    fn from(workflow: &'a WorkflowSummary) -> Summary<'a> {
        Summary {
            id: text(workflow.id()),
            name: workflow.name(),
            application: workflow.application(),
            status: workflow.status().name(),
            start_time: moment(workflow.start_time()),
            end_time: moment(workflow.end_time()),
        }
    }
}

/// The last line of `log verify --json`.
#[derive(Serialize)]
pub(crate) struct Verdict {
    events: u64,
    ok: bool,
}

impl From<&LogReport> for Verdict {
    fn from(report: &LogReport) -> Verdict {
        Verdict { events: report.events, ok: report.is_ok() }
    }
}

/// `log stats --json`.
#[derive(Serialize)]
pub(crate) struct Stats {
    events: u64,
    streams: u64,
    segments: u64,
    segment_bytes: u64,
    event_bytes: u64,
    bytes_per_event: Option<u64>,
    first_recorded_at: Option<String>,
    last_recorded_at: Option<String>,
    sealed: u64,
    indexes: u64,
    index_bytes: u64,
    kinds: Vec<Kind>,
}

#[derive(Serialize)]
struct Kind {
    kind: u16,
    #[serde(rename = "type")]
    name: Option<&'static str>,
    events: u64,
    bytes: u64,
}

impl From<&LogStats> for Stats {
    fn from(stats: &LogStats) -> Stats {
        let kind = |kind: &LogKind| Kind { kind: kind.kind, name: kind.name, events: kind.events, bytes: kind.bytes };
        Stats {
            events: stats.events,
            streams: stats.streams,
            segments: stats.segments,
            segment_bytes: stats.segment_bytes,
            event_bytes: stats.event_bytes,
            bytes_per_event: stats.bytes_per_event(),
            first_recorded_at: moment(stats.span.map(|(first, _)| first)),
            last_recorded_at: moment(stats.span.map(|(_, last)| last)),
            sealed: stats.sealed(),
            indexes: stats.indexes,
            index_bytes: stats.index_bytes,
            kinds: stats.kinds.iter().map(kind).collect(),
        }
    }
}

/// `log salvage --json`. Lost are the positions from `first_lost` up to, but without `proven`.
#[derive(Serialize)]
pub(crate) struct Salvage<'a> {
    origin: &'a str,
    log_id: &'a str,
    events: u64,
    first_lost: Option<u64>,
    proven: u64,
    damage: Option<Finding<'a>>,
    behind: Vec<Behind>,
    outputs: u64,
}

#[derive(Serialize)]
struct Behind {
    stream: String,
    events: u64,
}

impl<'a> From<&'a LogSalvage> for Salvage<'a> {
    fn from(salvaged: &'a LogSalvage) -> Salvage<'a> {
        let behind = salvaged.behind.iter().map(|(stream, events)| Behind { stream: text(stream), events: *events });
        Salvage {
            origin: &salvaged.origin,
            log_id: &salvaged.log_id,
            events: salvaged.events,
            first_lost: (salvaged.proven > salvaged.next).then(|| salvaged.next.get()),
            proven: salvaged.proven.get(),
            damage: salvaged.damage.as_ref().map(Finding::from),
            behind: behind.collect(),
            outputs: salvaged.outputs,
        }
    }
}

/// `log accept --json`.
#[derive(Serialize)]
pub(crate) struct Accepted<'a> {
    pub(crate) actor: &'a str,
    pub(crate) reason: &'a str,
}

/// A line of `log verify --json` before the last: what is wrong, and where.
#[derive(Serialize)]
pub(crate) struct Finding<'a> {
    segment: u64,
    offset: u64,
    position: u64,
    path: String,
    cause: &'a str,
}

impl<'a> From<&'a LogFinding> for Finding<'a> {
    fn from(finding: &'a LogFinding) -> Finding<'a> {
        Finding {
            segment: finding.place.segment,
            offset: finding.place.offset,
            position: finding.position.get(),
            path: finding.path.display().to_string(),
            cause: &finding.cause,
        }
    }
}

/// The human line of `log verify`.
impl std::fmt::Display for Finding<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Finding { segment, offset, position, path, cause } = self;
        write!(f, "{path}: segment {segment} at byte {offset}, position {position}: {cause}")
    }
}

/// `log dump --json`: one frame, its header fields by the names of the format.
#[derive(Serialize)]
pub(crate) struct Frame {
    segment: u64,
    offset: u64,
    len: u64,
    crc: String,
    behind: u64,
    flags: String,
    codec: u8,
    kind: u16,
    position: u64,
    stream: Option<String>,
    sequence: Option<u64>,
    recorded_at: String,
}

impl From<&LogFrame> for Frame {
    fn from(frame: &LogFrame) -> Frame {
        let flags = [("FIRST", frame.is_first), ("LAST", frame.is_last), ("CONTROL", frame.is_control)];
        let set: Vec<&str> = flags.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect();
        Frame {
            segment: frame.place.segment,
            offset: frame.place.offset,
            len: frame.length,
            crc: format!("{:08x}", frame.crc),
            behind: frame.behind,
            flags: set.join("|"),
            codec: frame.codec,
            kind: frame.kind,
            position: frame.position.get(),
            stream: frame.stream.map(text),
            sequence: frame.sequence.map(stabilize::Sequence::get),
            recorded_at: text(frame.recorded_at),
        }
    }
}

/// `name=value` for each field, in their order: the human line of `log dump`.
impl std::fmt::Display for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Frame { segment, offset, len, crc, behind, codec, kind, position, recorded_at, .. } = self;
        let flags = if self.flags.is_empty() { "-" } else { &self.flags };
        let stream = self.stream.as_deref().unwrap_or("-");
        let sequence = self.sequence.map_or_else(|| "-".to_owned(), |sequence| sequence.to_string());
        write!(f, "segment={segment:010} offset={offset} len={len} crc={crc} behind={behind} flags={flags} ")?;
        write!(f, "codec={codec} kind={kind} position={position} stream={stream} sequence={sequence} ")?;
        write!(f, "recorded_at={recorded_at}")
    }
}
