//! What an event says, as a value for people and programs.
//!
//! The names are those of the seed's events where it has one. Stages stand as ref ids, tasks as names, arcs as `from`
//! and `to`, moments as RFC 3339. Indices that the definition does not know, as damaged logs may hold, are left out.

mod ending;
mod instances;
mod jump;
mod scopes;

use crate::definition::{BlockId, Graph, GraphStage, GraphTask};
use crate::failure::Failure;
use crate::ids::{ActivationId, ArcIndex, LockIndex, RegionIndex, ScopeId, StageIndex, TaskId};
use crate::status::Status;
use crate::time::Timestamp;
use crate::value::{Map, Value};

use super::cause::{failure, named, told_error};
use super::{
    CancelCause, Consumed, Creation, Emitted, Envelope, Event, Json, LeaseLoss, LeftTokens, Registration, Report,
    SignalMessage, SignalRecipient, SignalTarget, Stamp, StreamFile, TaskReport, TimerId, TimerOwner, TimerPurpose,
    TriggerRecord,
};

impl Envelope {
    /// What the event says, as a map. A report that caused it lends it outputs and error, so that `task.completed` and
    /// `task.failed` can be read alone.
    pub fn data(&self) -> Value {
        let mut data = Fields::new(self.speaks_of().graph());
        data.stamp(self.event().stamp());
        self.describe(&mut data);
        Value::Map(data.fields)
    }

    fn describe_request(&self, data: &mut Fields<'_>, at: String) {
        let reason = match self.event() {
            Event::WorkflowCancelRequested(_, request) | Event::WorkflowCancelForced(_, request) => {
                data.put("canceled_by", self.actor());
                request.reason.as_deref()
            }
            Event::WorkflowPaused(_, request) => {
                data.put("paused_by", self.actor());
                data.put("pause_time", at);
                request.reason.as_deref()
            }
            Event::WorkflowResumed(_, resumption) => {
                data.put("resumed_by", self.actor());
                data.put("resume_time", at);
                data.put("paused_ms", resumption.paused.microseconds() / 1_000);
                resumption.reason.as_deref()
            }
            _ => None,
        };
        data.put_some("reason", reason);
    }

    fn describe(&self, data: &mut Fields<'_>) {
        let at = self.at().to_string();
        match self.event() {
            Event::DefinitionRegistered(_, registration) => data.registration(registration),
            Event::LogAccepted(_, acceptance) => data.put("reason", acceptance.reason.as_str()),
            Event::WorkflowCreated(_, creation) => data.creation(creation),
            Event::WorkflowCancelRequested(..)
            | Event::WorkflowCancelForced(..)
            | Event::WorkflowPaused(..)
            | Event::WorkflowResumed(..) => {
                self.describe_request(data, at);
            }
            Event::TaskStarted(_, attempt) => data.start(attempt.task, at),
            Event::TaskReported(_, report) | Event::TaskResultDiscarded(_, report) | Event::TaskAnswered(report) => {
                data.report(report)
            }
            Event::TaskLeaseLost(_, loss) => data.loss(loss),
            Event::TimerFired(_, timer) => data.put("timer", timer.0),
            Event::WorkflowStarted => {
                data.put("start_time", at);
                data.put("initial_stage_ids", scopes::initial_stages(data.graph, BlockId::ROOT));
            }
            Event::WorkflowEnded { status, reason, outputs } => {
                data.end(*status, at);
                data.put_some("outputs", outputs.as_ref().map(json));
                data.end_reason(reason.as_ref());
            }
            Event::StageReady { activation, scope, consumed } => data.entry(*activation, *scope, consumed),
            Event::StageStarted { activation, scope, consumed } => {
                data.entry(*activation, *scope, consumed);
                data.put("start_time", at);
                data.put_some("task_count", data.graph_stage(*activation).map(|stage| stage.tasks.len()));
            }
            Event::StageEnded { .. } => data.end_of_stage(self.event(), at),
            Event::TaskQueued { attempt, due } => {
                data.task(attempt.task);
                data.put_some("due", due.map(|due| due.to_string()));
            }
            Event::TaskRetried { attempt, failures } => {
                data.task(attempt.task);
                data.put("attempt", attempt.dispatch);
                data.put("failures", *failures);
                data.put_some("last_error", self.told_of(attempt.task).and_then(told_error));
            }
            Event::TaskEnded { task, status, error } => {
                data.task(*task);
                data.end(*status, at);
                data.result(*status, error.as_ref(), self.told_of(*task));
            }
            event @ (Event::StageCanceled { .. }
            | Event::CancelsMarked { .. }
            | Event::RegionCanceled { .. }
            | Event::TokensRemoved { .. }) => data.cancellation(event, at),
            Event::InstancesStarted { .. }
            | Event::InstancesAdded { .. }
            | Event::InstancesAddRequested(..)
            | Event::InstancesCloseRequested(..)
            | Event::InstancesClosed { .. }
            | Event::InstancesCompleteRequested(..)
            | Event::InstancesWithdrawn { .. } => {
                data.of_instances(self.event());
            }
            event => {
                data.joins(event);
                data.ending(event, &at);
                self.describe_signal(data);
                self.describe_scope(data, &at);
                describe_rest(event, data, at);
            }
        }
    }

    /// The part of it about signals and triggers; there is none about settling.
    fn describe_signal(&self, data: &mut Fields<'_>) {
        match self.event() {
            Event::SignalReceived(_, message) => data.signal(message),
            Event::TriggerClosed(_, closing) => {
                data.stage(ActivationId::new(closing.stage, 0));
                data.put_some("reason", closing.reason.as_deref());
            }
            Event::SignalDelivered { signal, to } => {
                data.put("signal", signal.get());
                data.recipient(*to);
            }
            Event::SignalBuffered { signal } | Event::SignalDiscarded { signal } => data.put("signal", signal.get()),
            Event::StageWaiting { activation, gate } => {
                data.stage(*activation);
                data.put("gate", gate.name());
            }
            Event::TaskSuspended { task } => data.task(*task),
            Event::SignalsLeft { signals } => {
                data.put("signals", Value::list(signals.iter().map(|signal| Value::from(signal.get()))));
            }
            _ => (),
        }
    }

    /// The report that this event is a consequence of, if it is one of the same task.
    fn told_of(&self, task: TaskId) -> Option<&TaskReport> {
        match self.input() {
            Event::TaskReported(_, told) if told.attempt.task == task => Some(told),
            _ => None,
        }
    }
}

/// What concerns workflows that were called, timers that are set for something, and work that has to stop.
fn describe_rest(event: &Event, data: &mut Fields<'_>, at: String) {
    match event {
        Event::TaskStopped(_, attempt) => {
            data.task(attempt.task);
            data.put("attempt", attempt.dispatch);
        }
        Event::StageCanceling { activation, cause } => {
            data.stage(*activation);
            data.cause(*cause);
        }
        Event::TimerSetFor { timer, due, owner, purpose } => {
            data.owner(*owner);
            data.timer_for(*timer, *due, *purpose);
        }
        Event::ChildStarted { attempt, child, on_parent_cancel } => {
            data.task(attempt.task);
            data.put("child", child.to_string());
            data.put("on_parent_cancel", on_parent_cancel.name());
        }
        Event::ChildEnded(_, end) => {
            data.put("child", end.child.to_string());
            data.put("status", end.status.name());
            data.put("outputs", json(&end.outputs));
            data.put_some("error", end.error.as_ref().map(failure));
        }
        Event::ChildRefused(_, refusal) => {
            data.put("child", refusal.child.to_string());
            data.put("error", failure(&refusal.error));
        }
        Event::LockTaken { lock, activation } => {
            data.stage(*activation);
            data.lock(*lock);
            let section = data.graph.stages.get(activation.stage.index()).and_then(GraphStage::section);
            let section = section.and_then(|section| data.graph.sections.get(section.index()));
            let section = section.filter(|section| section.lock == *lock).map(|section| section.name.name.as_str());
            data.put_some("section", section);
        }
        Event::LockReleased { lock, .. } => data.lock(*lock),
        Event::WorkflowClosing { children } => data.put("children", *children),
        Event::WorkflowClosed => data.put("end_time", at),
        Event::StageStartRequested(_, request) => {
            data.stage(request.activation);
            data.put_some("reason", request.reason.as_deref());
        }
        Event::ChoiceMade { winner, split, withdrawn } => data.choice(*winner, *split, withdrawn),
        _ => (),
    }
}

/// Do the outputs of a task that ended so reach others? Not where the event itself says why the task failed: then the
/// report was too much.
pub(crate) fn counts(status: Status, error: Option<&Failure>) -> bool {
    matches!(status, Status::Succeeded | Status::FailedContinue | Status::Redirect) && error.is_none()
}

/// The value of recorded JSON; damaged text stands as it is.
fn json(json: &Json) -> Value {
    text_of_json(json.text())
}

fn text_of_json(text: &str) -> Value {
    Value::from_json(text).unwrap_or_else(|_| Value::from(text))
}

fn trigger(trigger: &TriggerRecord) -> Value {
    Value::map([
        ("type", Value::from(trigger.trigger_type.as_str())),
        ("user", Value::from(trigger.user.as_str())),
        ("parameters", json(&trigger.parameters)),
        ("artifacts", text_of_json(&trigger.artifacts)),
        ("payload", json(&trigger.payload)),
    ])
}

fn stream_file(stream: &StreamFile) -> Value {
    let sha256: String = stream.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    Value::map([
        ("name", Value::from(stream.name.as_str())),
        ("bytes", Value::from(stream.bytes)),
        ("sha256", Value::from(sha256)),
    ])
}

/// The map under way, and the graph its indices speak of.
pub(super) struct Fields<'a> {
    pub(super) graph: &'a Graph,
    fields: Map,
}

impl<'a> Fields<'a> {
    fn new(graph: &'a Graph) -> Fields<'a> {
        Fields { graph, fields: Map::new() }
    }

    pub(super) fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    pub(super) fn put_some(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    fn graph_stage(&self, activation: ActivationId) -> Option<&'a GraphStage> {
        self.graph.stages.get(activation.stage.index())
    }

    fn graph_task(&self, task: TaskId) -> Option<&'a GraphTask> {
        self.graph_stage(task.activation)?.tasks.get(task.task.index())
    }

    pub(super) fn ref_id(&self, stage: StageIndex) -> Option<&'a str> {
        self.graph.stages.get(stage.index()).map(|stage| stage.ref_id.as_str())
    }

    /// What every input carries; its actor is the envelope's.
    fn stamp(&mut self, stamp: Option<&Stamp>) {
        if let Some(stamp) = stamp {
            self.put("now", stamp.now.to_string());
            self.put("rules", stamp.rules);
            self.put_some("command", stamp.command.map(|command| command.to_string()));
        }
    }

    fn registration(&mut self, registration: &Registration) {
        self.put("definition", registration.hash.to_string());
        self.put("normal", text_of_json(&registration.normal));
        self.put_some("source", registration.source.as_deref());
        if let Some(check) = &registration.check {
            self.put("policy", check.policy.name());
            self.put("verdict", check.outcome.name());
            self.put("states", check.states);
            self.put("bound", check.bound);
        }
    }

    fn creation(&mut self, creation: &Creation) {
        self.put("application", creation.application.as_str());
        self.put("name", creation.name.as_str());
        self.put("type", creation.workflow_type.as_str());
        self.put("trigger_type", creation.trigger.trigger_type.as_str());
        self.put("stage_count", self.graph.stages.len());
        let n_initial = self.graph.block(BlockId::ROOT).starts.len();
        self.put("initial_stage_count", n_initial);
        self.put("definition", creation.definition.to_string());
        self.put("version", creation.version.as_str());
        self.put("origin", creation.origin.as_str());
        self.put("inputs", json(&creation.inputs));
        self.put("context", json(&creation.context));
        self.put("trigger", trigger(&creation.trigger));
        self.put("workdir", creation.workdir.as_str());
        self.put("priority", creation.priority);
        self.put_some("start_time_expiry", creation.start_time_expiry.map(|expiry| expiry.to_string()));
        self.put_some("parent", creation.parent.as_ref().map(|parent| parent.workflow.to_string()));
        self.put_some("depth", creation.parent.as_ref().map(|parent| parent.depth));
    }

    fn end(&mut self, status: Status, at: String) {
        self.put("status", status.name());
        self.put("end_time", at);
    }

    /// What was canceled, or is to be.
    fn cancellation(&mut self, event: &Event, at: String) {
        match event {
            Event::StageCanceled { activation, cause, emitted } => self.canceled(*activation, *cause, emitted, at),
            Event::CancelsMarked { by } => self.stage(*by),
            Event::RegionCanceled { region, by, .. } => self.region(*region, *by),
            Event::TokensRemoved { removed, cause, .. } => {
                let removed = self.left(removed);
                self.put("removed", removed);
                self.cause(*cause);
            }
            _ => (),
        }
    }

    fn choice(&mut self, winner: ActivationId, split: Option<ActivationId>, withdrawn: &[ArcIndex]) {
        self.stage(winner);
        if let Some(split) = split {
            self.put_some("offered_by", self.ref_id(split.stage));
            self.put("offered_by_activation", split.number);
        }
        let graph = self.graph;
        let to = withdrawn.iter().filter_map(|arc| graph.stages.get(graph.arcs.get(arc.index())?.to.index()));
        self.put("withdrawn_before", Value::list(to.map(|stage| Value::from(stage.ref_id.as_str()))));
    }

    fn cause(&mut self, cause: CancelCause) {
        self.put("cause", cause.name());
        self.put_some("canceled_by", cause.by().and_then(|by| self.ref_id(by.stage)));
        if let CancelCause::Region { region } = cause {
            self.put_some("region", self.region_name(region));
        }
    }

    fn lock(&mut self, lock: LockIndex) {
        let lock = self.graph.locks.get(lock.index());
        self.put_some("lock", lock.map(|lock| lock.name.as_str()));
        self.put_some("kind", lock.map(|lock| lock.kind.name()));
    }

    fn region_name(&self, region: RegionIndex) -> Option<&'a str> {
        self.graph.regions.get(region.index()).map(|region| region.name.as_str())
    }

    fn region(&mut self, region: RegionIndex, by: Option<ActivationId>) {
        self.put_some("region", self.region_name(region));
        self.put_some("canceled_by", by.and_then(|by| self.ref_id(by.stage)));
    }

    fn canceled(&mut self, activation: ActivationId, cause: CancelCause, emitted: &Emitted, at: String) {
        self.stage(activation);
        self.end(Status::Canceled, at);
        self.cause(cause);
        if *emitted != Emitted::Nothing {
            self.emitted(activation, emitted);
        }
    }

    /// What a task gave, or why it failed.
    fn result(&mut self, status: Status, error: Option<&Failure>, told: Option<&TaskReport>) {
        let counted = told.filter(|_| counts(status, error));
        self.put_some("outputs", counted.map(|told| json(&told.outputs)));
        self.put_some("error", error.map(failure).or_else(|| told.and_then(told_error)));
    }

    fn entry(&mut self, activation: ActivationId, scope: ScopeId, consumed: &Consumed) {
        self.stage(activation);
        self.put("scope", scope.get());
        self.consumed(activation, consumed);
    }

    fn start(&mut self, task: TaskId, at: String) {
        self.task(task);
        self.put_some("stage_id", self.ref_id(task.activation.stage));
        self.put("start_time", at);
    }

    fn timer_for(&mut self, timer: TimerId, due: Timestamp, purpose: TimerPurpose) {
        self.timer(timer, due);
        self.put("purpose", purpose.name());
    }

    fn timer(&mut self, timer: TimerId, due: Timestamp) {
        self.put("timer", timer.0);
        self.put("due", due.to_string());
    }

    fn signal(&mut self, message: &SignalMessage) {
        self.put("name", message.name.as_str());
        match message.target {
            SignalTarget::Workflow => (),
            SignalTarget::Stage(stage) => self.put_some("ref_id", self.ref_id(stage)),
            SignalTarget::Activation(activation) => {
                let stage = self.ref_id(activation.stage);
                self.put_some("ref_id", stage);
                self.put_some("activation", stage.map(|stage| format!("{stage}{}", activation.suffix())));
            }
        }
        self.put("data", text_of_json(&message.data));
        self.put_some("id", message.id.as_deref());
        self.put("durability", message.durability.name());
        self.put_some("reason", message.reason.as_deref());
    }

    fn recipient(&mut self, to: SignalRecipient) {
        match to {
            SignalRecipient::Trigger(activation)
            | SignalRecipient::Instances(activation)
            | SignalRecipient::Boundary(activation) => self.stage(activation),
            SignalRecipient::Task(task) => {
                self.task(task);
                self.put_some("ref_id", self.ref_id(task.activation.stage));
            }
            SignalRecipient::Start(stage) => self.stage(ActivationId::new(stage, 0)),
        }
    }

    fn owner(&mut self, owner: TimerOwner) {
        if let TimerOwner::Activation(activation) = owner {
            self.stage(activation);
        }
    }

    fn loss(&mut self, loss: &LeaseLoss) {
        self.task(loss.attempt.task);
        self.put("orderly", loss.orderly);
    }

    /// How an activation ended by itself.
    fn end_of_stage(&mut self, event: &Event, at: String) {
        let Event::StageEnded { activation, status, emitted, outputs, error } = event else { return };
        self.stage(*activation);
        self.end(*status, at);
        self.emitted(*activation, emitted);
        self.put_some("outputs", outputs.as_ref().map(json));
        self.put_some("error", error.as_ref().map(failure));
    }

    fn stage(&mut self, activation: ActivationId) {
        if let Some(stage) = self.graph_stage(activation) {
            self.put("ref_id", stage.ref_id.as_str());
            self.put("type", stage.stage_type.as_str());
            self.put("name", stage.name.as_str());
        }
        self.put_some("instance", activation.instance());
    }

    fn task(&mut self, task: TaskId) {
        if let Some(task) = self.graph_task(task) {
            self.put("name", task.name.as_str());
            self.put("implementing_class", task.uses.as_str());
        }
        self.put_some("instance", task.activation.instance());
    }

    fn report(&mut self, told: &TaskReport) {
        self.task(told.attempt.task);
        self.put("outcome", told.report.name());
        self.put("outputs", json(&told.outputs));
        self.put("context", json(&told.context));
        self.put("streams", Value::list(told.streams.iter().map(stream_file)));
        self.put_some("error", told.report.error().map(failure));
        match &told.report {
            Report::Running { until } => self.put("until", until.to_string()),
            Report::Failed { retry_after, .. } => {
                self.put_some("retry_after", retry_after.map(|delay| delay.to_string()));
            }
            Report::Succeeded
            | Report::Terminal { .. }
            | Report::FailedContinue { .. }
            | Report::Skipped
            | Report::Canceled
            | Report::Stopped
            | Report::Redirect => (),
            Report::Jump { target } => self.put("target", target.as_str()),
            Report::Suspended { signals } => self.put("signals", Value::list(signals.iter().map(String::as_str))),
        }
    }

    fn consumed(&mut self, activation: ActivationId, consumed: &Consumed) {
        let arcs = match consumed {
            Consumed::OnePerArc => self.graph_stage(activation).map(|stage| stage.incoming.as_slice()),
            Consumed::Arcs(arcs) => Some(arcs.as_slice()),
            Consumed::Jump { jump, arcs, absorbed } => {
                let ends = self.ends_of(*jump);
                self.put_some("jump", ends.map(Value::map));
                self.put("absorbed", self.arcs(absorbed));
                Some(arcs.as_slice())
            }
            // They stand in `stage.ready`, or in the arrivals before.
            Consumed::Ready | Consumed::Held => None,
            Consumed::Threads(group) => {
                self.put_some("threads_of", group.and_then(|group| self.ref_id(group.stage)));
                self.graph_stage(activation).map(|stage| stage.incoming.as_slice())
            }
        };
        self.put_some("consumed", arcs.map(|arcs| self.arcs(arcs)));
    }

    fn emitted(&mut self, activation: ActivationId, emitted: &Emitted) {
        let arcs = match emitted {
            Emitted::All => self.graph_stage(activation).map(|stage| stage.outgoing.as_slice()),
            Emitted::Arcs(arcs) => Some(arcs.as_slice()),
            Emitted::Nothing => Some([].as_slice()),
        };
        self.put_some("emitted", arcs.map(|arcs| self.arcs(arcs)));
    }

    /// Arcs by the stages they lead from and to; one from the start has no `from`.
    fn arcs(&self, arcs: &[ArcIndex]) -> Value {
        Value::list(arcs.iter().filter_map(|arc| self.ends_of(*arc)).map(Value::map))
    }

    pub(super) fn ends_of(&self, arc: ArcIndex) -> Option<[(&'static str, Value); 2]> {
        let arc = self.graph.arcs.get(arc.index())?;
        let from = arc.from.map_or(Value::Null, |from| Value::from(named(self.graph, from)));
        Some([("from", from), ("to", Value::from(named(self.graph, arc.to)))])
    }

    fn left(&self, left: &[LeftTokens]) -> Value {
        let told = |left: &LeftTokens| {
            let [from, to] = self.ends_of(left.arc)?;
            Some(Value::map([from, to, ("tokens", Value::from(left.tokens))]))
        };
        Value::list(left.iter().filter_map(told))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::definition::Definition;
    use crate::event::{Actor, Recorded};
    use crate::ids::{Position, Sequence, StreamId, WorkflowId};
    use crate::testing::{events, examples};

    const GOLDEN: &str = include_str!("../../tests/golden/event-data.jsonl");

    /// Nine stages in a row; the fourth has two tasks, so that every index of the examples is known.
    fn definition() -> Definition {
        let mut yaml = "name: release\nstages:\n  s0: { }\n".to_owned();
        for stage in 1..9 {
            let tasks =
                if stage == 3 { "tasks: [{ name: unit, run: 'true' }, { name: report, run: 'true' }]" } else { "" };
            yaml.push_str(&format!("  s{stage}: {{ needs: [s{}], {tasks} }}\n", stage - 1));
        }
        Definition::from_yaml(&yaml).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn envelope(event: Event, input: Event) -> Envelope {
        let stream = StreamId::workflow(WorkflowId::from_parts(Timestamp::from_microseconds(0), 1));
        let recorded_at = Timestamp::from_microseconds(1_777_636_800_654_321);
        let recorded = |position, event| {
            let (position, sequence) = (Position::new(position).unwrap(), Sequence::new(position).unwrap());
            Arc::new(Recorded { position, stream, sequence, recorded_at, event })
        };
        Envelope::new(recorded(2, event), recorded(1, input), definition())
    }

    /// An input that nothing follows from.
    fn of_nothing() -> Event {
        let now = Timestamp::from_microseconds(0);
        Event::SettleContinued(Stamp { now, command: None, actor: Actor::Engine, rules: 1 })
    }

    #[test]
    fn every_event_says_what_it_has_always_said() {
        let lines = examples::events().into_iter().map(|event| {
            let envelope = envelope(event, of_nothing());
            Value::map([("type", Value::from(envelope.name())), ("data", envelope.data())]).to_json()
        });
        let lines: Vec<String> = lines.collect();
        if std::env::var_os("STABILIZE_BLESS").is_some_and(|value| value == "1") {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/event-data.jsonl");
            std::fs::write(path, lines.join("\n") + "\n").unwrap();
            return;
        }
        let golden: Vec<&str> = GOLDEN.lines().collect();
        for (line, golden) in lines.iter().zip(&golden) {
            assert_eq!(line, golden);
        }
        assert_eq!(lines.len(), golden.len(), "{}", lines.join("\n"));
    }

    #[test]
    fn a_report_lends_its_consequences_outputs_and_error() {
        let told = examples::events().into_iter().filter_map(|event| match &event {
            Event::TaskReported(_, told) => Some((event.clone(), told.clone())),
            _ => None,
        });
        for (input, told) in told {
            let task = told.attempt.task;
            let ended = Event::TaskEnded { task, status: Status::Succeeded, error: None };
            let data = envelope(ended, input.clone()).data();
            assert_eq!(data.get("outputs"), Some(&json(&told.outputs)));
            assert_eq!(data.get("error"), told.report.error().map(failure).as_ref());
            let failed = Event::TaskEnded { task, status: Status::Terminal, error: None };
            assert_eq!(envelope(failed, input.clone()).data().get("outputs"), None);
            let retried = Event::TaskRetried { attempt: told.attempt, failures: 1 };
            assert_eq!(
                envelope(retried, input.clone()).data().get("last_error"),
                told.report.error().map(failure).as_ref()
            );
            let other = TaskId { task: crate::ids::TaskIndex::new(0), ..task };
            let ended = Event::TaskEnded { task: other, status: Status::Succeeded, error: None };
            assert_eq!(envelope(ended, input).data().get("outputs"), None);
        }
    }

    #[test]
    fn every_event_has_one_of_the_names_there_are() {
        assert!(Event::NAMES.is_sorted());
        let mut names: Vec<&str> = examples::events().iter().map(Event::name).collect();
        names.extend(Status::ALL.map(|status| Event::WorkflowEnded { status, reason: None, outputs: None }.name()));
        let task = TaskId { activation: ActivationId::new(StageIndex::new(0), 1), task: crate::ids::TaskIndex::new(0) };
        names.extend(Status::ALL.map(|status| Event::TaskEnded { task, status, error: None }.name()));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names, Event::NAMES);
    }

    proptest! {
        #[test]
        fn any_event_says_something_that_can_be_read_back(event in events::events(), input in events::inputs()) {
            let data = envelope(event, input).data();
            prop_assert!(data.as_map().is_some());
            prop_assert_eq!(Value::from_json(&data.to_json()), Ok(data));
        }
    }
}
