//! Stages: gates, the order of their tasks, and their ends.

use crate::definition::{Emission, Ending, GraphStage, OnConditionError, OnFailure, Template, Times};
use crate::event::{Consumed, Emitted, Event, Json, TimerOwner, TimerPurpose};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, AttemptId, ScopeId, StageIndex, TaskId};
use crate::machine::data::Surroundings;
use crate::machine::past::TaskResult;
use crate::machine::state::{Gate, Progress, TimerOf};
use crate::status::Status;

use super::cancel::Cancels;
use super::split::Passage;
use super::{Decision, Site};

/// The outputs of an activation, and the arcs that receive a token.
pub(super) type Conclusion = (Option<Json>, Emitted);

impl Decision<'_> {
    /// A join fires: a stage with a gate becomes ready, any other starts.
    pub(super) fn fire(&mut self, scope: ScopeId, stage: StageIndex, consumed: Consumed) {
        let number = self.state.core.numbers.get(&stage).copied().unwrap_or(0) + 1;
        let activation = ActivationId::new(stage, number);
        let spec = self.state.definition.graph().stage(stage);
        let is_held = spec.condition.is_some() || spec.times.guard_the_start() || spec.is_held_by_a_gate();
        if self.state.withdrawn_by(scope, stage).is_some() {
            self.push(Event::StageReady { activation, scope, consumed });
        } else if is_held || self.state.is_to_be_offered(scope, stage, &consumed) {
            self.push(Event::StageReady { activation, scope, consumed });
            self.set_boundary(activation);
        } else {
            self.start_stage(activation, scope, consumed);
        }
    }

    /// An activation begins its work.
    fn start_stage(&mut self, id: ActivationId, scope: ScopeId, consumed: Consumed) {
        let is_new = consumed != Consumed::Ready;
        self.push(Event::StageStarted { activation: id, scope, consumed });
        if is_new {
            self.set_boundary(id);
        }
        let deadline = self.state.definition.graph().stage(id.stage).times.deadline;
        self.set_deadline(TimerOwner::Activation(id), deadline);
        self.heed_outside(id);
        match self.first_phase(id) {
            Some(phase) => self.start_phase(id, phase, None, None),
            None => self.next_task(id),
        }
    }

    /// The next gate of a ready activation; false if it is closed.
    pub(super) fn examine_gate(&mut self, id: ActivationId, gate: Gate) -> bool {
        match gate {
            Gate::Condition => self.examine_condition(id),
            Gate::Scheduled | Gate::Trigger | Gate::Choice => return false,
            Gate::Passed => self.pass_its_time(id),
            Gate::Triggered => self.reach_locks(id),
            Gate::Expired => self.pass_by(id),
            Gate::Lock => return self.try_locks(id),
            Gate::Milestone if self.state.meets_its_milestone(id) => self.reach_trigger(id),
            Gate::MilestoneAgain if self.state.meets_its_milestone(id) => self.reach_locks(id),
            Gate::Milestone | Gate::MilestoneAgain => return false,
        }
        true
    }

    /// The gate `if:` of a ready activation.
    fn examine_condition(&mut self, id: ActivationId) {
        let definition = self.state.definition.clone();
        let stage = definition.graph().stage(id.stage);
        let holds = match &stage.condition {
            None => Ok(true),
            Some(condition) => {
                let seen = self.surroundings(id);
                self.answers.holds(Site::Gate(id), condition, &seen)
            }
        };
        match holds {
            Ok(true) => self.schedule(id),
            Ok(false) => self.pass_by(id),
            Err(_) if stage.on_condition_error == OnConditionError::False => self.pass_by(id),
            Err(error) => {
                let status = failure_status(stage.on_failure);
                self.end_stage(id, status, Some(error));
            }
        }
    }

    /// The gate `scheduled_time:` of a ready activation.
    fn schedule(&mut self, id: ActivationId) {
        let times = self.state.definition.graph().stage(id.stage).times;
        match times.scheduled_time.filter(|scheduled| self.state.core.now < *scheduled) {
            Some(scheduled) if !self.is_too_late(times) => {
                let owner = TimerOwner::Activation(id);
                self.set_moment(owner, TimerPurpose::ScheduledTime, scheduled);
                self.set_expiry(id);
            }
            Some(_) | None => self.pass_its_time(id),
        }
    }

    /// The scheduled time of a ready activation has come: what is behind that gate is next, unless it is too late now.
    fn pass_its_time(&mut self, id: ActivationId) {
        if self.is_too_late(self.state.definition.graph().stage(id.stage).times) {
            return self.pass_by(id);
        }
        self.reach_milestone(id);
    }

    /// A ready activation that waits is given up at the moment of its expiry, for which one timer is enough.
    pub(super) fn set_expiry(&mut self, id: ActivationId) {
        let Some(expiry) = self.state.definition.graph().stage(id.stage).times.start_time_expiry else { return };
        let timers = &self.state.core.live[&id].timers;
        let of = TimerOf::Owner(TimerOwner::Activation(id), TimerPurpose::StartTimeExpiry);
        let is_set = timers.iter().any(|timer| self.state.core.timers.get(timer).is_some_and(|set| set.of == of));
        if !is_set {
            self.set_moment(TimerOwner::Activation(id), TimerPurpose::StartTimeExpiry, expiry);
        }
    }

    /// All gates of a ready activation are passed: it starts, unless it is too late now.
    pub(super) fn start_in_its_time(&mut self, id: ActivationId) {
        if self.is_too_late(self.state.definition.graph().stage(id.stage).times) {
            return self.pass_by(id);
        }
        let scope = self.state.core.live[&id].scope;
        self.start_stage(id, scope, Consumed::Ready);
    }

    /// Is it too late now for a ready activation to start?
    pub(super) fn comes_too_late(&self, id: ActivationId) -> bool {
        self.is_too_late(self.state.definition.graph().stage(id.stage).times)
    }

    fn is_too_late(&self, times: Times) -> bool {
        times.start_time_expiry.is_some_and(|expiry| self.state.core.now > expiry)
    }

    /// The activation is SKIPPED and what follows runs.
    pub(super) fn pass_by(&mut self, id: ActivationId) {
        let seen = self.surroundings(id);
        match self.split(id, Passage::PassedBy, &seen) {
            Ok(emitted) => {
                let status = Status::Skipped;
                self.push(Event::StageEnded { activation: id, status, emitted, outputs: None, error: None });
            }
            Err(error) => self.fail_at_split(id, error),
        }
    }

    /// Begins the next task of an activation whose last one is over, passing by those whose `if:` is false.
    pub(super) fn next_task(&mut self, id: ActivationId) {
        let definition = self.state.definition.clone();
        let stage = definition.graph().stage(id.stage);
        while let Some(&Progress::Between { next }) = self.state.core.live.get(&id).map(|live| &live.progress) {
            let task = TaskId { activation: id, task: next };
            let spec = definition.graph().task(id.stage, next);
            let holds = match &spec.condition {
                None => Ok(true),
                Some(condition) => {
                    let seen = self.surroundings(id);
                    self.answers.holds(Site::Task(id, next), condition, &seen)
                }
            };
            match holds {
                Ok(true) => match self.too_deep(task) {
                    Some(error) => self.refuse_task(task, error),
                    None => {
                        let attempt = AttemptId { task, dispatch: self.first_dispatch(task) };
                        self.push(Event::TaskQueued { attempt, due: None });
                        self.call(attempt);
                    }
                },
                Err(error) if stage.on_condition_error == OnConditionError::Fail => {
                    let status = failure_status(spec.on_failure);
                    self.push(Event::TaskEnded { task, status, error: Some(error) });
                }
                Ok(false) | Err(_) => {
                    self.push(Event::TaskEnded { task, status: Status::Skipped, error: None });
                }
            }
        }
    }

    fn first_dispatch(&self, task: TaskId) -> u32 {
        TaskResult::first_dispatch(&self.state.core.live[&task.activation].results, task.task)
    }

    /// The tasks of the activation are over: outputs, split, end.
    pub(super) fn end_core(&mut self, id: ActivationId) {
        let definition = self.state.definition.clone();
        let stage = definition.graph().stage(id.stage);
        let live = &self.state.core.live[&id];
        let failure = live.inside.as_ref().and_then(|inside| inside.failure.clone());
        let so_far = self.so_far(id);
        let (status, failure) = match (self.state.core.instances.get(&id), failure, so_far) {
            // What it cancels has ended.
            (Some(set), failure, _) => (super::instances::succeeded(set), failure),
            (None, Some(failure), _) => (failure_status(stage.on_failure), Some(failure)),
            (None, None, Some((status, error))) => (status, error),
            (None, None, None) => (self.after_before(id, core_status(stage, &live.results)), None),
        };
        self.end_stage(id, status, failure);
        if id.instance.is_some() {
            self.after_instance(id, status);
        }
    }

    /// The deadline of the activation has passed.
    pub(super) fn end_overdue(&mut self, id: ActivationId) {
        if self.state.core.instances.contains_key(&id) {
            return self.withdraw_overdue(id);
        }
        let status = failure_status(self.state.definition.graph().stage(id.stage).on_failure);
        let error = self.overdue(id);
        self.end_stage(id, status, Some(error));
    }

    pub(super) fn end_stage(&mut self, id: ActivationId, status: Status, error: Option<Failure>) {
        self.list_tokens_inside(id);
        if let Some(phase) = self.phase_behind(id, status, error.as_ref()) {
            return self.start_phase(id, phase, Some(status), error);
        }
        if !status.is_continuable() {
            let emitted = Emitted::Nothing;
            self.push(Event::StageEnded { activation: id, status, emitted, outputs: None, error });
            return;
        }
        let (outputs, emitted) = match self.conclusion(id, status) {
            Ok(conclusion) => conclusion,
            Err(failure) => return self.fail_at_split(id, failure),
        };
        let is_whole = id.instance.is_none();
        if is_whole && status == Status::Succeeded && self.cancel_others(id) == Cancels::Marked {
            self.concluded = Some((id, (outputs, emitted)));
            return;
        }
        self.push(Event::StageEnded { activation: id, status, emitted, outputs, error });
    }

    /// What an activation gives, and where control goes from it. Found once, also where others end before it does.
    fn conclusion(&mut self, id: ActivationId, status: Status) -> Result<Conclusion, Failure> {
        if let Some((_, conclusion)) = self.concluded.take_if(|(of, _)| *of == id) {
            return Ok(conclusion);
        }
        let definition = self.state.definition.clone();
        let stage = definition.graph().stage(id.stage);
        let mut seen = self.surroundings(id);
        // What `outputs:` computes is the instance's, where there are several.
        let is_of_instances = stage.instances.is_some() && id.instance.is_none();
        let outputs = match stage.outputs.as_slice() {
            [] => None,
            _ if is_of_instances => None,
            outputs => Some(self.render_outputs(outputs, &seen)?),
        };
        let emission = stage.instances.as_ref().map(|several| several.emission);
        if emission.is_some_and(|emission| (emission == Emission::PerInstance) != id.instance.is_some()) {
            return Ok((outputs, Emitted::Nothing));
        }
        seen.add_outputs(outputs.as_ref());
        if status == Status::Succeeded && stage.cancellation.ending == Ending::Terminate {
            return Ok((outputs, Emitted::Nothing));
        }
        Ok((outputs, self.split(id, Passage::Done, &seen)?))
    }

    /// `outputs:` of a stage or of the workflow, if an event can hold them.
    pub(super) fn render_outputs(&self, outputs: &[(String, Template)], seen: &Surroundings) -> Result<Json, Failure> {
        let rendered = Json::of(&seen.render(outputs)?);
        let (bytes, most) = (rendered.text().len() as u64, self.state.definition.limits().payload_bytes_max);
        if bytes > most {
            let message = format!("outputs: {bytes} bytes, more than {most}");
            return Err(Failure::new(ErrorCode::LIMIT_PAYLOAD, ErrorClass::Permanent, message));
        }
        Ok(rendered)
    }

    /// Outputs or split could not be computed: control cannot go on from here, whatever `on_failure: continue` says.
    pub(super) fn fail_at_split(&mut self, id: ActivationId, error: Failure) {
        let status = match self.state.definition.graph().stage(id.stage).on_failure {
            OnFailure::Fail | OnFailure::Continue => Status::Terminal,
            OnFailure::Stop | OnFailure::FailAtEnd => Status::Stopped,
        };
        let (emitted, error) = (Emitted::Nothing, Some(error));
        self.push(Event::StageEnded { activation: id, status, emitted, outputs: None, error });
    }

    /// What conditions and outputs of a live activation can see.
    pub(super) fn surroundings(&self, id: ActivationId) -> Surroundings {
        let seen = Surroundings::of_activation(self.state, id).expect("an activation that is decided on lives");
        match self.state.core.live[&id].inside.as_ref() {
            Some(inside) => Surroundings { inside: inside.given(), behind: inside.given_behind(), ..seen },
            None => seen,
        }
    }
}

/// What a failure becomes.
pub(super) fn failure_status(on_failure: OnFailure) -> Status {
    match on_failure {
        OnFailure::Fail => Status::Terminal,
        OnFailure::Continue => Status::FailedContinue,
        OnFailure::Stop | OnFailure::FailAtEnd => Status::Stopped,
    }
}

/// The status of a stage from those of its tasks: a halt of a task is the stage's, a failure goes through `on_failure`.
fn core_status(stage: &GraphStage, results: &[TaskResult]) -> Status {
    if let Some(halt) = results.iter().map(|result| result.status).find(|status| status.is_halt()) {
        return if halt == Status::Terminal { failure_status(stage.on_failure) } else { halt };
    }
    if results.iter().any(|result| result.status == Status::FailedContinue) {
        return Status::FailedContinue;
    }
    Status::Succeeded
}
