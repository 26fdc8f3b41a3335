//! Other workflows as the work of an attempt: when they are asked for, and what their end means (R9, R12).

use crate::event::{Event, TaskReport};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{AttemptId, TaskId, WorkflowId};
use crate::machine::child::child_id;
use crate::machine::command::Rejection;
use crate::machine::state::{AttemptState, Phase, Progress, State};

use super::Decision;
use super::stage::failure_status;

/// Somebody has to wait for a workflow whose end is told.
pub(super) fn refuse(state: &State, child: WorkflowId) -> Result<(), Rejection> {
    if state.core.children.contains_key(&child) { Ok(()) } else { Err(Rejection::NoSuchChild { child }) }
}

impl Decision<'_> {
    /// Why the stage of this task may not call another workflow, if it is one that does.
    pub(super) fn too_deep(&self, task: TaskId) -> Option<Failure> {
        let stage = self.state.definition.graph().stage(task.activation.stage);
        let most = stage.sub_workflow.as_ref()?.max_depth;
        let depth = self.state.depth();
        (depth >= most).then(|| {
            let message = format!("{depth} workflows called each other, and stage {} allows no more", stage.ref_id);
            Failure::new(ErrorCode::RECURSION_LIMIT, ErrorClass::Permanent, message)
        })
    }

    /// The workflow goes on: what was not called while it was paused is called now.
    pub(super) fn call_those_held_back(&mut self) {
        let queued = self.state.core.live.iter().filter_map(|(activation, live)| {
            let Progress::Open(open) = &live.progress else { return None };
            let waits = matches!(open.attempt, AttemptState::Queued { due: None }) && live.doomed.is_none();
            let task = TaskId { activation: *activation, task: open.task };
            waits.then_some(AttemptId { task, dispatch: open.dispatch })
        });
        let queued: Vec<AttemptId> = queued.collect();
        queued.into_iter().for_each(|attempt| self.call(attempt));
    }

    /// Asks for the workflow that is the work of this attempt, if it is one and the caller is not paused.
    pub(super) fn call(&mut self, attempt: AttemptId) {
        if self.state.is_paused() {
            return;
        }
        let stage = self.state.definition.graph().stage(attempt.task.activation.stage);
        let Some(on_parent_cancel) = stage.sub_workflow.as_ref().map(|sub_workflow| sub_workflow.on_parent_cancel)
        else {
            return;
        };
        let child = child_id(self.state.workflow, attempt, self.state.core.now);
        self.push(Event::ChildStarted { attempt, child, on_parent_cancel });
    }

    /// What follows when a called workflow has closed, or cannot be created, for the attempt whose work it was.
    pub(super) fn child_over(&mut self, awaited: Option<AttemptId>) {
        let Some(open) = awaited.and_then(|attempt| self.state.open_task(attempt.task)) else { return };
        if let AttemptState::Reported(report) = &open.attempt {
            let report = TaskReport::clone(report);
            self.conclude(&report);
        }
    }

    /// Says that the ended workflow waits for others, or that it does not any more.
    pub(super) fn close(&mut self) {
        if !matches!(self.state.core.phase, Phase::Ended { .. }) {
            return;
        }
        let children = u32::try_from(self.state.core.children.len()).unwrap_or(u32::MAX);
        match (self.state.core.is_closing, children) {
            (false, 1..) => self.push(Event::WorkflowClosing { children }),
            (true, 0) => self.push(Event::WorkflowClosed),
            (false, 0) | (true, 1..) => (),
        }
    }

    /// The task cannot begin: its failure.
    pub(super) fn refuse_task(&mut self, task: TaskId, error: Failure) {
        let on_failure = self.state.definition.graph().task(task.activation.stage, task.task).on_failure;
        self.push(Event::TaskEnded { task, status: failure_status(on_failure), error: Some(error) });
    }
}
