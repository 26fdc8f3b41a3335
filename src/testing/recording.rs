//! Workflows moved by hand and recorded in a store: histories for tests of whatever reads them.
//!
//! No thread, no clock, no task: the real machine decides, a test says what the world would answer, and what comes out
//! is durable at once. Whatever a workflow would refuse is a panic.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::definition::Definition;
use crate::event::{Actor, CancelRequest, Creation, Event, Json, LeaseLoss, Registration, Report, Stamp, TaskReport};
use crate::ids::{AttemptId, CommandId, StreamId, WorkflowId};
use crate::machine::{Answers, AttemptStage, Command, RULES, Request, State, Work, decide, outstanding};
use crate::replay::History;
use crate::store::{Append, Encoded, EventStore, Expected, LocalStore, MemoryStore, StoreWriter};
use crate::time::{Duration, Timestamp};
use crate::value::Map;

use super::course::creation_of;
use super::stores;

/// Workflows and the store they are recorded in.
pub struct Recording {
    store: Arc<dyn EventStore>,
    writer: Box<dyn StoreWriter>,
    states: BTreeMap<WorkflowId, State>,
    now: Timestamp,
    sent: u128,
}

impl Recording {
    /// An empty recording in memory. Its clock stands at noon of May 1, 2026, and goes on by a millisecond with
    /// every command.
    pub fn in_memory() -> Recording {
        Recording::in_store(Arc::new(MemoryStore::new()))
    }

    /// An empty recording in a new log in this directory, which it holds until it is dropped.
    ///
    /// # Panics
    ///
    /// If there can be no log.
    pub fn at(directory: &Path) -> Recording {
        let store = LocalStore::open(directory, &stores::options());
        Recording::in_store(Arc::new(store.expect("the directory takes a log")))
    }

    fn in_store(store: Arc<dyn EventStore>) -> Recording {
        let writer = store.writer().expect("nobody has the writer of a new store");
        let now = Timestamp::from_microseconds(1_777_636_800_000_000);
        Recording { store, writer, states: BTreeMap::new(), now, sent: 0 }
    }

    /// What has been recorded.
    pub fn history(&self) -> History {
        History::of(Arc::clone(&self.store))
    }

    /// The clock goes on by this much.
    pub fn advance(&mut self, length: Duration) {
        self.now = self.now.saturating_add(length);
    }

    /// Begins a workflow with these inputs; the definition is recorded before the first of its workflows.
    ///
    /// # Panics
    ///
    /// If the inputs do not fit.
    pub fn begin(&mut self, definition: &Definition, inputs: Map) -> WorkflowId {
        let inputs = definition.bind_inputs(inputs).expect("the inputs fit");
        self.begin_with(definition, |creation| creation.inputs = Json::of(&inputs))
    }

    /// Begins a workflow whose beginning is changed by `change` first.
    ///
    /// # Panics
    ///
    /// If the store fails.
    pub fn begin_with(&mut self, definition: &Definition, change: impl FnOnce(&mut Creation)) -> WorkflowId {
        self.register(definition);
        self.sent += 1;
        let workflow = WorkflowId::from_parts(self.now, self.sent);
        let mut creation = creation_of(definition, &Map::new());
        change(&mut creation);
        self.states.insert(workflow, State::new(workflow, definition.clone()));
        self.send(workflow, Actor::Named("alice".to_owned()), Request::Create(creation));
        workflow
    }

    /// A worker begins the open attempt of this stage.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn start(&mut self, workflow: WorkflowId, stage: &str) {
        let attempt = self.attempt(workflow, stage);
        self.send(workflow, Actor::Engine, Request::StartTask(attempt));
    }

    /// The open attempt of this stage ends so, and gives these outputs.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn report(&mut self, workflow: WorkflowId, stage: &str, report: Report, outputs: Map) {
        self.report_with(workflow, stage, report, outputs, Map::new());
    }

    /// The same, and leaves this context to later attempts and tasks of its activation.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn report_with(&mut self, workflow: WorkflowId, stage: &str, report: Report, outputs: Map, context: Map) {
        let attempt = self.attempt(workflow, stage);
        let (outputs, context) = (Json::of(&outputs), Json::of(&context));
        let told = TaskReport { attempt, report, outputs, context, streams: Vec::new() };
        self.send(workflow, Actor::Engine, Request::ReportTask(told));
    }

    /// A worker begins the open attempt of this stage and succeeds with these outputs.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn complete(&mut self, workflow: WorkflowId, stage: &str, outputs: Map) {
        self.start(workflow, stage);
        self.report(workflow, stage, Report::Succeeded, outputs);
    }

    /// The worker of the open attempt of this stage is lost.
    ///
    /// # Panics
    ///
    /// If there is none that has begun.
    pub fn lose(&mut self, workflow: WorkflowId, stage: &str) {
        let loss = LeaseLoss { attempt: self.attempt(workflow, stage), orderly: false };
        self.send(workflow, Actor::Engine, Request::LoseLease(loss));
    }

    /// The clock goes on to the next timer of the workflow, which fires.
    ///
    /// # Panics
    ///
    /// If it waits for none.
    pub fn fire(&mut self, workflow: WorkflowId) {
        let timers = outstanding(&self.states[&workflow]).filter_map(|work| match work {
            Work::WaitUntil { timer, due } => Some((due, timer)),
            Work::RunTask { .. }
            | Work::Continue
            | Work::ByHand { .. }
            | Work::AwaitSignal { .. }
            | Work::AwaitThread { .. }
            | Work::AwaitChild { .. }
            | Work::CancelChild { .. }
            | Work::AwaitClaim { .. }
            | Work::MoreInstances { .. }
            | Work::StopTask { .. } => None,
        });
        let (due, timer) = timers.min().expect("the workflow waits for a timer");
        self.now = self.now.max(due);
        self.send(workflow, Actor::Engine, Request::FireTimer(timer));
    }

    /// Somebody asks for the end of the workflow.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn cancel(&mut self, workflow: WorkflowId, by: &str, reason: &str) {
        let request = Request::Cancel(CancelRequest { reason: Some(reason.to_owned()) });
        self.send(workflow, Actor::Named(by.to_owned()), request);
    }

    /// Ref ids of the stages with an attempt that may be run, in the order of activations.
    pub fn open(&self, workflow: WorkflowId) -> Vec<String> {
        let state = &self.states[&workflow];
        let ref_id =
            |attempt: AttemptId| state.definition().graph().stage(attempt.task.activation.stage).ref_id.clone();
        attempts(state).map(|(attempt, _)| ref_id(attempt)).collect()
    }

    /// The clock.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Whether a worker has begun the open attempt of this stage.
    pub fn is_started(&self, workflow: WorkflowId, stage: &str) -> bool {
        let state = &self.states[&workflow];
        let graph = state.definition().graph();
        outstanding(state).any(|work| match work {
            Work::RunTask { attempt, stage: AttemptStage::Started, .. } => {
                graph.stage(attempt.task.activation.stage).ref_id == stage
            }
            Work::RunTask { .. }
            | Work::WaitUntil { .. }
            | Work::Continue
            | Work::ByHand { .. }
            | Work::AwaitSignal { .. }
            | Work::AwaitThread { .. }
            | Work::AwaitChild { .. }
            | Work::CancelChild { .. }
            | Work::AwaitClaim { .. }
            | Work::MoreInstances { .. }
            | Work::StopTask { .. } => false,
        })
    }

    /// Whether the workflow waits for a timer.
    pub fn is_waiting(&self, workflow: WorkflowId) -> bool {
        outstanding(&self.states[&workflow]).any(|work| matches!(work, Work::WaitUntil { .. }))
    }

    /// The state that deciding has left.
    pub fn state(&self, workflow: WorkflowId) -> &State {
        &self.states[&workflow]
    }

    fn attempt(&mut self, workflow: WorkflowId, stage: &str) -> AttemptId {
        let state = &self.states[&workflow];
        let graph = state.definition().graph();
        let is_meant = |attempt: &AttemptId| graph.stage(attempt.task.activation.stage).ref_id == stage;
        let found = attempts(state).find(|(attempt, _)| is_meant(attempt));
        let (attempt, due) = found.unwrap_or_else(|| panic!("{stage} has no open attempt"));
        self.now = self.now.max(due.unwrap_or(self.now));
        attempt
    }

    fn register(&mut self, definition: &Definition) {
        let stream = StreamId::definition(definition.hash());
        if self.store.last(stream).expect("the store can be read").is_some() {
            return;
        }
        let actor = Actor::Named("alice".to_owned());
        let stamp = Stamp { now: self.now, command: None, actor, rules: RULES };
        let source = Some(definition.source().to_owned()).filter(|source| !source.is_empty());
        let registration = Registration { hash: definition.hash(), normal: definition.to_json(), source, check: None };
        self.append(stream, self.now, &[Event::DefinitionRegistered(stamp, registration)]);
    }

    /// Sends a command, and goes on until the workflow has settled.
    ///
    /// # Panics
    ///
    /// If the command is refused.
    pub fn send(&mut self, workflow: WorkflowId, actor: Actor, request: Request) {
        self.now = self.now.saturating_add(Duration::from_milliseconds(1));
        self.sent += 1;
        let id = matches!(actor, Actor::Named(_)).then(|| CommandId::from_parts(self.now, self.sent));
        let mut command = Command { now: self.now, id, actor, request };
        loop {
            let state = self.states.get_mut(&workflow).expect("the workflow was begun here");
            let batch = decide(state, &command, &mut Answers::computed());
            let batch = batch.unwrap_or_else(|rejection| panic!("{:?}: {rejection}", command.request));
            let is_unsettled = state.is_unsettled();
            self.append(StreamId::workflow(workflow), self.now, batch.events());
            if !is_unsettled {
                return;
            }
            let request = Request::ContinueSettling;
            command = Command { now: self.now, id: None, actor: Actor::Engine, request };
        }
    }

    fn append(&mut self, stream: StreamId, now: Timestamp, events: &[Event]) {
        let events = events.iter().map(Encoded::of).collect();
        let append = Append::new(stream, Expected::Any, now, events).expect("a batch is within the limits");
        stores::append(&mut *self.writer, append).expect("the store takes a batch");
    }
}

/// Attempts that may be run or are done by hand, with the moment before which each may not.
fn attempts(state: &State) -> impl Iterator<Item = (AttemptId, Option<Timestamp>)> {
    outstanding(state).filter_map(|work| match work {
        Work::RunTask { attempt, due, .. } => Some((attempt, due)),
        Work::ByHand { attempt } => Some((attempt, None)),
        Work::WaitUntil { .. }
        | Work::Continue
        | Work::AwaitSignal { .. }
        | Work::AwaitThread { .. }
        | Work::AwaitChild { .. }
        | Work::CancelChild { .. }
        | Work::AwaitClaim { .. }
        | Work::MoreInstances { .. }
        | Work::StopTask { .. } => None,
    })
}
