//! The one match over events that makes a view: what each fact changes for people.
//!
//! Of each stage the newest activation counts; what happens to an older one that still lives changes nothing here.

use std::collections::BTreeMap;

use crate::definition::Definition;
use crate::event::{Creation, EndReason, Event, Json, Recorded, SignalRecipient, TaskReport, TimerOwner, counts};
use crate::failure::Failure;
use crate::ids::{ActivationId, AttemptId, Sequence, StageIndex, TaskId, TaskIndex, WorkflowId};
use crate::machine::{State, Surroundings};
use crate::replay::error::Error;
use crate::status::{InvalidTransition, Status};
use crate::time::Timestamp;
use crate::value::{Map, Value};

use super::instances::{InstancesRecord, concerned};
use super::jumps::JumpsRecord;
use super::record::{StageRecord, TaskRecord, change, stage_id, task_id};
use super::{Cancellation, PausedDetails, StageView, TaskView, TriggerView, WorkflowView};

/// A view under way.
#[derive(Clone, Debug)]
pub(crate) struct ViewFold {
    workflow: WorkflowId,
    definition: Definition,
    creation: Creation,
    created_at: Timestamp,
    status: Status,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    cancellation: Option<Cancellation>,
    paused: Option<PausedDetails>,
    is_ending: bool,
    end_reason: Option<EndReason>,
    outputs: Option<Json>,
    version: Sequence,
    stages: Vec<StageRecord>,
    /// Workflows that were called and have not ended, with the attempts whose work they are.
    called: BTreeMap<WorkflowId, AttemptId>,
    /// What jumps take along.
    jumps: JumpsRecord,
}

impl ViewFold {
    /// The view of a workflow before anything else than its creation.
    ///
    /// # Errors
    ///
    /// If the event does not create a workflow.
    pub(crate) fn begin(workflow: WorkflowId, definition: Definition, first: &Recorded) -> Result<ViewFold, Error> {
        let Event::WorkflowCreated(_, creation) = &first.event else {
            return Err(Error::NoBeginning { stream: first.stream, expected: "workflow.created" });
        };
        Ok(ViewFold {
            workflow,
            stages: vec![StageRecord::NONE; definition.graph().stages.len()],
            called: BTreeMap::new(),
            jumps: JumpsRecord::default(),
            definition,
            creation: creation.clone(),
            created_at: first.recorded_at,
            status: Status::NotStarted,
            start_time: None,
            end_time: None,
            cancellation: None,
            paused: None,
            is_ending: false,
            end_reason: None,
            outputs: None,
            version: first.sequence,
        })
    }

    /// What it is doing, as people are told.
    pub(crate) fn status(&self) -> Status {
        let is_paused = self.paused.as_ref().is_some_and(PausedDetails::is_paused);
        if is_paused && !self.status.is_complete() { Status::Paused } else { self.status }
    }

    /// Changes the view by one event that the machine's state has taken.
    ///
    /// # Errors
    ///
    /// If a status changes in a way that is not legal.
    pub(crate) fn apply(&mut self, recorded: &Recorded) -> Result<(), Error> {
        self.version = recorded.sequence;
        self.jumps.follow(&recorded.event);
        let (workflow, sequence) = (self.workflow, recorded.sequence);
        self.change(recorded).map_err(|source| Error::Transition { workflow, sequence, source })
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the others are named where they are touched")]
    fn change(&mut self, recorded: &Recorded) -> Result<(), InvalidTransition> {
        let (at, sequence) = (recorded.recorded_at, recorded.sequence);
        if let Some(id) = concerned(&recorded.event) {
            return self.change_instances(id, recorded);
        }
        match &recorded.event {
            Event::WorkflowCancelRequested(..)
            | Event::WorkflowCancelForced(..)
            | Event::WorkflowEnding { .. }
            | Event::WorkflowPaused(..)
            | Event::WorkflowResumed(..)
            | Event::WorkflowStarted
            | Event::WorkflowEnded { .. } => self.change_workflow(&recorded.event, at),
            Event::StageReady { activation, .. }
            | Event::StageStarted { activation, .. }
            | Event::StageEnded { activation, .. }
            | Event::StageCanceled { activation, .. } => self.change_stage(*activation, recorded),
            Event::TaskQueued { attempt, due } => self.queue(*attempt, *due, recorded),
            Event::TaskStarted(_, attempt) => self.begin_task(*attempt, at, sequence),
            Event::TaskReported(_, told) | Event::TaskAnswered(told) => self.report(told, at, sequence),
            Event::ChildStarted { .. } | Event::ChildEnded(..) | Event::ChildRefused(..) => self.call(recorded),
            Event::TaskEnded { task, status, error } => self.end_task(*task, *status, error.as_ref(), recorded),
            Event::TimerSet { due, task, .. } => self.wait_until(*task, *due, sequence),
            Event::TaskRetried { attempt, .. } => self.retry(attempt.task),
            Event::TaskSuspended { task } => self.suspended(*task, Status::Suspended, sequence),
            Event::SignalDelivered { to: SignalRecipient::Task(task), .. } => {
                self.suspended(*task, Status::Running, sequence)
            }
            event => {
                self.touch(event, sequence);
                Ok(())
            }
        }
    }

    /// The event changes nothing that people are told, the place of the newest one about its activation aside.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others are about no activation, or looked at by who calls this"
    )]
    fn touch(&mut self, event: &Event, sequence: Sequence) {
        match event {
            Event::TimerSetFor { owner: TimerOwner::Activation(activation), .. }
            | Event::StageWaiting { activation, .. }
            | Event::StageCanceling { activation, .. }
            | Event::LockTaken { activation, .. }
            | Event::ChoiceMade { winner: activation, .. }
            | Event::SignalDelivered { to: SignalRecipient::Trigger(activation), .. }
            | Event::ScopeOpened { owner: activation, .. }
            | Event::PhaseStarted { owner: activation, .. }
            | Event::CompensationStarted { activation, .. }
            | Event::CompensationEnded { activation, .. }
            | Event::ScopeClosed { owner: activation, .. }
            | Event::LoopTested { activation, .. }
            | Event::JumpExecuted { source: activation, .. } => {
                self.newest(*activation, sequence);
            }
            _ => (),
        }
    }

    /// What an event about the workflow as a whole changes.
    #[expect(clippy::wildcard_enum_match_arm, reason = "whoever calls this has named the others")]
    fn change_workflow(&mut self, event: &Event, at: Timestamp) -> Result<(), InvalidTransition> {
        match event {
            // What is done at the end may be ended, and the workflow still come to the end it was heading for.
            Event::WorkflowCancelForced(..) if self.is_ending => Ok(()),
            Event::WorkflowCancelRequested(stamp, request) | Event::WorkflowCancelForced(stamp, request) => {
                self.cancellation = Some(Cancellation { by: stamp.actor.to_string(), reason: request.reason.clone() });
                Ok(())
            }
            Event::WorkflowStarted => self.start(at),
            Event::WorkflowEnding { .. } => {
                self.is_ending = true;
                Ok(())
            }
            Event::WorkflowEnded { status, reason, outputs } => {
                self.outputs.clone_from(outputs);
                self.end(*status, reason.as_ref(), at)
            }
            _ => {
                PausedDetails::follow(&mut self.paused, event, at);
                Ok(())
            }
        }
    }

    /// The next attempt sees what this one has left.
    fn retry(&mut self, task: TaskId) -> Result<(), InvalidTransition> {
        self.leave_context(task);
        Ok(())
    }

    fn start(&mut self, at: Timestamp) -> Result<(), InvalidTransition> {
        self.start_time = Some(at);
        change(&mut self.status, Status::Running, "workflow", || self.workflow.to_string())
    }

    /// What an event about an activation as a whole changes.
    fn change_stage(&mut self, activation: ActivationId, recorded: &Recorded) -> Result<(), InvalidTransition> {
        let (at, sequence) = (recorded.recorded_at, recorded.sequence);
        match &recorded.event {
            Event::StageReady { consumed, .. } => {
                let brought = self.jumps.arrive(consumed);
                self.activate(activation, sequence).bring(brought);
                Ok(())
            }
            Event::StageStarted { consumed, .. } => {
                let has_instances = self.definition.graph().stage(activation.stage).instances.is_some();
                let brought = self.jumps.arrive(consumed);
                let stage = self.activate(activation, sequence);
                stage.bring(brought);
                stage.start_time = Some(at);
                stage.instances = has_instances.then(InstancesRecord::default);
                change(&mut stage.status, Status::Running, "stage", || stage_id(activation))
            }
            Event::StageEnded { status, outputs, error, .. } => {
                let Some(stage) = self.newest(activation, sequence) else { return Ok(()) };
                stage.outputs.clone_from(outputs);
                let of_task = || stage.tasks.iter().rev().find_map(|task| task.error.clone());
                stage.error = error.clone().or_else(|| of_task().filter(|_| status.is_failure()));
                stage.end(activation, *status, at)
            }
            Event::StageCanceled { .. } => {
                let Some(stage) = self.newest(activation, sequence) else { return Ok(()) };
                stage.end(activation, Status::Canceled, at)
            }
            _ => Ok(()),
        }
    }

    /// Task and stage are suspended until a signal comes, or it has come.
    fn suspended(&mut self, id: TaskId, status: Status, sequence: Sequence) -> Result<(), InvalidTransition> {
        self.leave_context(id);
        let Some(task) = self.task(id, sequence) else { return Ok(()) };
        change(&mut task.status, status, "task", || task_id(id))?;
        let Some(stage) = self.newest(id.activation, sequence) else { return Ok(()) };
        change(&mut stage.status, status, "stage", || stage_id(id.activation))
    }

    fn wait_until(&mut self, id: TaskId, due: Timestamp, sequence: Sequence) -> Result<(), InvalidTransition> {
        self.task(id, sequence).into_iter().for_each(|task| task.due = Some(due));
        self.leave_context(id);
        Ok(())
    }

    fn begin_task(&mut self, attempt: AttemptId, at: Timestamp, sequence: Sequence) -> Result<(), InvalidTransition> {
        let Some(task) = self.task(attempt.task, sequence) else { return Ok(()) };
        task.begin(attempt, at)
    }

    /// What happens to a workflow that does the work of a task.
    fn call(&mut self, recorded: &Recorded) -> Result<(), InvalidTransition> {
        let (at, sequence) = (recorded.recorded_at, recorded.sequence);
        match &recorded.event {
            Event::ChildStarted { attempt, child, .. } => {
                self.called.insert(*child, *attempt);
                self.begin_task(*attempt, at, sequence)
            }
            Event::ChildEnded(_, end) => {
                let Some(attempt) = self.called.remove(&end.child) else { return Ok(()) };
                let Some(task) = self.task(attempt.task, sequence) else { return Ok(()) };
                (task.reported, task.error) = (end.outputs.clone(), end.error.clone());
                Ok(())
            }
            Event::ChildRefused(_, refusal) => {
                let Some(attempt) = self.called.remove(&refusal.child) else { return Ok(()) };
                let Some(task) = self.task(attempt.task, sequence) else { return Ok(()) };
                task.error = Some(refusal.error.clone());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn end(&mut self, status: Status, reason: Option<&EndReason>, at: Timestamp) -> Result<(), InvalidTransition> {
        self.end_time = Some(at);
        self.end_reason = reason.cloned();
        if reason == Some(&EndReason::StartTimeExpired) {
            let reason = Some("it was not started in time".to_owned());
            self.cancellation = Some(Cancellation { by: "engine".to_owned(), reason });
        }
        if let (Some(EndReason::CancelRequested { by, reason }), None) = (reason, &self.cancellation) {
            // It would have succeeded, had somebody not ended by force what it does last.
            self.cancellation = Some(Cancellation { by: by.to_string(), reason: reason.clone() });
        }
        if let Some(EndReason::CanceledBy { activation }) = reason {
            let stage = &self.definition.graph().stage(activation.stage).ref_id;
            let reason = Some(format!("stage {stage} has succeeded, which cancels the workflow"));
            self.cancellation = Some(Cancellation { by: stage.clone(), reason });
        }
        change(&mut self.status, status, "workflow", || self.workflow.to_string())
    }

    /// Something has happened to an instance of an activation, or to all of them.
    fn change_instances(&mut self, id: ActivationId, recorded: &Recorded) -> Result<(), InvalidTransition> {
        let Some(stage) = self.newest(id.owner(), recorded.sequence) else { return Ok(()) };
        let instances = stage.instances.get_or_insert_default();
        match id.instance() {
            Some(index) => instances.change_one(index, &recorded.event),
            None => instances.change(&recorded.event),
        }
        Ok(())
    }

    /// The activation's record, a fresh one if it is new.
    fn activate(&mut self, id: ActivationId, sequence: Sequence) -> &mut StageRecord {
        let n_tasks = self.definition.graph().stage(id.stage).tasks.len();
        let stage = &mut self.stages[id.stage.index()];
        if stage.number < id.number {
            *stage = StageRecord { number: id.number, tasks: vec![TaskRecord::new(); n_tasks], ..StageRecord::NONE };
        }
        stage.version = Some(sequence);
        stage
    }

    /// The activation's record, if it is the newest of its stage.
    fn newest(&mut self, id: ActivationId, sequence: Sequence) -> Option<&mut StageRecord> {
        let stage = self.stages.get_mut(id.stage.index())?;
        if stage.number != id.number {
            return None;
        }
        stage.version = Some(sequence);
        Some(stage)
    }

    fn task(&mut self, id: TaskId, sequence: Sequence) -> Option<&mut TaskRecord> {
        let task = self.newest(id.activation, sequence)?.tasks.get_mut(id.task.index())?;
        task.version = Some(sequence);
        Some(task)
    }

    fn queue(
        &mut self,
        attempt: AttemptId,
        due: Option<Timestamp>,
        recorded: &Recorded,
    ) -> Result<(), InvalidTransition> {
        let spec = self.definition.graph().task(attempt.task.activation.stage, attempt.task.task);
        let is_by_hand = spec.by_hand().is_some();
        let Some(task) = self.task(attempt.task, recorded.sequence) else { return Ok(()) };
        (task.newest_attempt, task.due) = (Some(attempt.dispatch), due);
        // Nobody tells when people begin: from now on it is theirs.
        if is_by_hand { task.begin(attempt, recorded.recorded_at) } else { Ok(()) }
    }

    fn report(&mut self, told: &TaskReport, at: Timestamp, sequence: Sequence) -> Result<(), InvalidTransition> {
        self.jumps.report(told);
        let Some(task) = self.task(told.attempt.task, sequence) else { return Ok(()) };
        task.begin(told.attempt, at)?;
        (task.reported, task.left) = (told.outputs.clone(), told.context.clone());
        task.error = told.report.error().cloned();
        Ok(())
    }

    fn end_task(
        &mut self,
        id: TaskId,
        status: Status,
        error: Option<&Failure>,
        recorded: &Recorded,
    ) -> Result<(), InvalidTransition> {
        // What a jump takes along is not what its source gives.
        let jumps = self.jumps.ends(error);
        let Some(task) = self.task(id, recorded.sequence) else { return Ok(()) };
        let reported = std::mem::take(&mut task.reported);
        task.outputs = if counts(status, error) && !jumps { reported } else { Json::empty() };
        task.error = error.cloned().or_else(|| task.error.take());
        task.end(id, status, recorded.recorded_at)?;
        // What was too much leaves nothing.
        if error.is_none() && !jumps {
            self.leave_context(id);
        }
        if status == Status::Redirect {
            self.go_back(id);
        }
        Ok(())
    }

    /// The tasks of a loop are to be done again.
    fn go_back(&mut self, id: TaskId) {
        let first = self.definition.graph().stage(id.activation.stage).loop_around(id.task);
        let stage = &mut self.stages[id.activation.stage.index()];
        if let Some(first) = first.filter(|_| stage.number == id.activation.number) {
            let again = stage.tasks.get_mut(first.index()..=id.task.index());
            again.unwrap_or_default().iter_mut().for_each(TaskRecord::again);
        }
    }

    /// Context that the reported attempt of a task leaves is there for what follows in its activation.
    fn leave_context(&mut self, id: TaskId) {
        let stage = &mut self.stages[id.activation.stage.index()];
        if stage.number != id.activation.number {
            return;
        }
        if let Some(task) = stage.tasks.get_mut(id.task.index()) {
            let left = std::mem::take(&mut task.left);
            stage.updates.extend(Some(left).filter(|left| !left.is_empty()));
        }
    }

    /// The view. `state` has been folded from the same events.
    ///
    /// # Errors
    ///
    /// If data in the events cannot be read.
    pub(crate) fn view(&self, state: &State) -> Result<WorkflowView, Error> {
        let inside = state.given_inside();
        let inside = inside.map_err(|failure| Error::Outputs { workflow: self.workflow, failure })?;
        let stages: Vec<StageView> = (0..)
            .map(StageIndex::new)
            .zip(&self.stages)
            .map(|(index, record)| self.stage(index, record, inside.get(&ActivationId::new(index, record.number))))
            .collect::<Result<_, _>>()?;
        let error = self.end_reason.as_ref().and_then(|reason| match reason {
            EndReason::StageFailed { activation, error: None } => stages[activation.stage.index()].error.clone(),
            _ => None,
        });
        let graph = self.definition.graph();
        let error = error.or_else(|| self.end_reason.as_ref().and_then(|reason| reason.failure(graph)));
        let trigger = &self.creation.trigger;
        let trigger = TriggerView {
            trigger_type: trigger.trigger_type.clone(),
            user: trigger.user.clone(),
            parameters: self.map(&trigger.parameters, Sequence::FIRST)?,
            artifacts: self.read(Value::from_json(&trigger.artifacts), Sequence::FIRST)?,
            payload: self.map(&trigger.payload, Sequence::FIRST)?,
        };
        Ok(WorkflowView {
            id: self.workflow,
            definition: self.definition.clone(),
            status: self.status(),
            created_at: self.created_at,
            start_time: self.start_time,
            end_time: self.end_time,
            cancellation: self.cancellation.clone(),
            paused: self.paused.clone(),
            end_reason: self.end_reason.clone(),
            error,
            inputs: self.map(&self.creation.inputs, Sequence::FIRST)?,
            context: self.map(&self.creation.context, Sequence::FIRST)?,
            trigger,
            outputs: self.outputs(state)?,
            stages,
            version: self.version,
            creation: self.creation.clone(),
        })
    }

    fn outputs(&self, state: &State) -> Result<Value, Error> {
        if let Some(outputs) = &self.outputs {
            return self.map(outputs, self.version);
        }
        let merged = match Surroundings::of_ended(state) {
            Some(ended) if self.status.is_complete() && self.definition.graph().outputs.is_empty() => {
                ended.merged_outputs()
            }
            Some(_) | None => Ok(Map::new()),
        };
        merged.map(Value::Map).map_err(|failure| Error::Outputs { workflow: self.workflow, failure })
    }

    fn stage(&self, index: StageIndex, record: &StageRecord, inside: Option<&Map>) -> Result<StageView, Error> {
        let spec = self.definition.graph().stage(index);
        let at = record.version.unwrap_or(self.version);
        let mut outputs = inside.cloned().unwrap_or_default();
        if let Some(instances) = &record.instances {
            outputs.extend(self.read(instances.outputs(), at)?);
        }
        if let Some(brought) = &record.brought {
            outputs.extend(self.entries(brought, at)?);
        }
        for task in record.in_order() {
            outputs.extend(self.entries(&task.outputs, at)?);
        }
        if let Some(own) = &record.outputs {
            outputs.extend(self.entries(own, at)?);
        }
        let constants = spec.context.iter().filter_map(|(key, template)| Some((key, template.constant()?)));
        let mut context: Map = constants.map(|(key, value)| (key.clone(), value.clone())).collect();
        for update in &record.updates {
            context.extend(self.entries(update, at)?);
        }
        let mut tasks = Vec::with_capacity(spec.tasks.len());
        for task in (0..).map(TaskIndex::new).take(spec.tasks.len()) {
            tasks.push(self.task_view(index, task, record.tasks.get(task.index()))?);
        }
        let not_taken = record.number == 0 && self.status == Status::Succeeded;
        Ok(StageView {
            definition: self.definition.clone(),
            index,
            status: if not_taken { Status::Skipped } else { record.status },
            activations: record.number,
            start_time: record.start_time,
            end_time: record.end_time,
            context: Value::Map(context),
            outputs: Value::Map(outputs),
            error: record.error.clone(),
            instances: record.instances.as_ref().map(InstancesRecord::view),
            tasks,
            version: record.version,
        })
    }

    fn task_view(&self, stage: StageIndex, index: TaskIndex, record: Option<&TaskRecord>) -> Result<TaskView, Error> {
        let none = TaskRecord::new();
        let record = record.unwrap_or(&none);
        Ok(TaskView {
            definition: self.definition.clone(),
            stage,
            index,
            status: record.status,
            attempts: record.attempts,
            newest_attempt: record.newest_attempt,
            due: record.due,
            start_time: record.start_time,
            end_time: record.end_time,
            outputs: self.map(&record.outputs, record.version.unwrap_or(self.version))?,
            error: record.error.clone(),
            version: record.version,
        })
    }

    fn map(&self, json: &Json, sequence: Sequence) -> Result<Value, Error> {
        self.entries(json, sequence).map(Value::Map)
    }

    fn entries(&self, json: &Json, sequence: Sequence) -> Result<Map, Error> {
        if json.is_empty() { Ok(Map::new()) } else { self.read(json.to_map(), sequence) }
    }

    fn read<T>(&self, read: Result<T, crate::value::ValueError>, sequence: Sequence) -> Result<T, Error> {
        read.map_err(|source| Error::Data { workflow: self.workflow, sequence, source })
    }
}
