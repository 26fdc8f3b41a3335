//! What is done before and behind the own work of a stage: when each part begins, and what it changes about the end.
//!
//! A part begins at most once in an activation. `before` comes first; whatever has failed, `on_failure` is done next;
//! whoever goes on does `after`, and how that ends counts, too.

use crate::definition::{BlockId, OnFailure, StagePhase};
use crate::event::Event;
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, ScopeId};
use crate::machine::past::TaskResult;
use crate::machine::state::{Activation, SoFar};
use crate::status::Status;

use super::Decision;

impl Decision<'_> {
    /// What an activation that has just begun does first, if it is not its own work.
    pub(super) fn first_phase(&self, id: ActivationId) -> Option<StagePhase> {
        let live = self.state.core.live.get(&id)?;
        let is_begun = live.inside.as_ref()?.phases.as_ref()?.begun.contains(&StagePhase::Before);
        let has_it = self.state.definition.graph().has_phase(id.stage, StagePhase::Before);
        (has_it && !is_begun).then_some(StagePhase::Before)
    }

    /// What is done before an activation ends that comes to this status.
    pub(super) fn phase_behind(&self, id: ActivationId, status: Status, error: Option<&Failure>) -> Option<StagePhase> {
        let live = self.state.core.live.get(&id)?;
        let begun = &live.inside.as_ref()?.phases.as_ref()?.begun;
        if live.doomed.is_some() || live.leaving.is_some() || id.instance.is_some() {
            return None;
        }
        let graph = self.state.definition.graph();
        let is_next = |phase: StagePhase| graph.has_phase(id.stage, phase) && !begun.contains(&phase);
        if is_next(StagePhase::OnFailure) && has_failed(live, status, error, graph.stage(id.stage).on_failure) {
            return Some(StagePhase::OnFailure);
        }
        (is_next(StagePhase::After) && status.is_continuable()).then_some(StagePhase::After)
    }

    /// A part of the work of an activation begins. Where there is no room for it, the activation fails.
    pub(super) fn start_phase(
        &mut self,
        id: ActivationId,
        phase: StagePhase,
        status: Option<Status>,
        error: Option<Failure>,
    ) {
        let graph = self.state.definition.graph();
        let starts = graph.block(BlockId::of(id.stage, phase)).starts.len() as u64;
        let most = self.state.definition.limits().tokens_max;
        if self.state.core.marking.count() + starts > most {
            let message = format!("a workflow holds at most {most} tokens");
            let failure = Failure::new(ErrorCode::LIMIT_TOKENS, ErrorClass::Permanent, message);
            return self.fail_at_split(id, failure);
        }
        let scope = ScopeId::new(self.state.core.scopes_opened + 1);
        self.push(Event::PhaseStarted { scope, owner: id, phase, status, error });
    }

    /// How the work of an activation has ended so far, if something behind it has been done.
    pub(super) fn so_far(&self, id: ActivationId) -> Option<(Status, Option<Failure>)> {
        let phases = self.state.core.live.get(&id)?.inside.as_ref()?.phases.as_ref()?;
        let SoFar { status, error } = phases.so_far.as_ref()?;
        Some((*status, error.clone()))
    }

    /// The status of a stage whose own work has this: what went on after a failure before it counts, too.
    pub(super) fn after_before(&self, id: ActivationId, status: Status) -> Status {
        let inside = self.state.core.live.get(&id).and_then(|live| live.inside.as_ref());
        let before = inside.and_then(|inside| inside.phases.as_ref()).map(|phases| &phases.before);
        let has_failed = before.is_some_and(|before| before.iter().any(|ended| ended.status == Status::FailedContinue));
        if status == Status::Succeeded && has_failed { Status::FailedContinue } else { status }
    }
}

/// Is this an end by which `on_failure` of the stage is asked? What stopped or went on of its own accord has not
/// failed.
fn has_failed(live: &Activation, status: Status, error: Option<&Failure>, on_failure: OnFailure) -> bool {
    let of_task = |result: &TaskResult| result.status == status && result.error.is_some();
    let by_failure = || error.is_some() || live.results.iter().any(of_task);
    match status {
        Status::Terminal => true,
        Status::Stopped => by_failure(),
        Status::FailedContinue => on_failure == OnFailure::Continue && by_failure(),
        Status::NotStarted
        | Status::Running
        | Status::Paused
        | Status::Suspended
        | Status::Buffered
        | Status::Redirect
        | Status::Succeeded
        | Status::Skipped
        | Status::Canceled => false,
    }
}
