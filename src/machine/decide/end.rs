//! Ends of scopes and of the workflow: proper end, STOPPED, DEADLOCK (R12).

use std::collections::BTreeSet;

use crate::definition::{Graph, LeftoverTokens, OnFailure, Termination};
use crate::event::{Actor, EndReason, Event, Json, LeftTokens, WaitingJoin};
use crate::failure::Failure;
use crate::ids::{ActivationId, ArcIndex, ScopeId, StageIndex};
use crate::limits::LISTED_MAX;
use crate::machine::data::Surroundings;
use crate::machine::state::{Scope, ScopeFailure};
use crate::status::Status;

use super::{Decision, join};

impl Decision<'_> {
    /// Ends the workflow if nothing in it can move any more.
    pub(super) fn end_if_over(&mut self) -> bool {
        if self.state.core.ending.is_some() {
            return self.go_on_ending();
        }
        let scope = &self.state.core.scopes[&ScopeId::ROOT];
        let waits_to_start = !self.state.has_started() && self.state.core.cancel.is_none();
        let is_held = self.state.holds_instances(ScopeId::ROOT);
        if scope.live > 0 || is_held || waits_to_start || self.waits_for_threads(scope) {
            return false;
        }
        let is_starved = self.state.moves(ScopeId::ROOT) && self.starved(ScopeId::ROOT, scope).is_some();
        if is_starved && self.force_an_or_join(ScopeId::ROOT) {
            return true;
        }
        let (status, reason) = self.verdict(&self.state.core.scopes[&ScopeId::ROOT]);
        self.list_tokens_left(ScopeId::ROOT);
        let outputs = if status == Status::Succeeded { self.workflow_outputs() } else { Ok(None) };
        match outputs {
            Ok(outputs) => self.end_workflow(status, reason, outputs),
            Err(error) => self.end_workflow(Status::Terminal, Some(EndReason::OutputsFailed { error }), None),
        }
        true
    }

    /// Nothing lives, and a signal may still begin a thread that goes on: one for which the workflow is to wait, or any
    /// that might bring what a join lacks, so that nothing is called stuck that a signal could release.
    fn waits_for_threads(&self, scope: &Scope) -> bool {
        let moves = self.state.moves(ScopeId::ROOT);
        let is_open = moves && self.state.open_starts().next().is_some();
        let is_meant = self.state.definition.header().leftover_tokens == LeftoverTokens::Ignore;
        is_open && (self.state.awaits_threads() || (!is_meant && self.starved(ScopeId::ROOT, scope).is_some()))
    }

    /// What lies on arcs of a scope that is over is consumed by nobody: it is listed, so that no token is without an
    /// end (P6).
    pub(super) fn list_tokens_left(&mut self, scope: ScopeId) {
        // Where something lives nothing is left yet; events that never were can ask for it all the same.
        if self.state.core.scopes.get(&scope).is_none_or(|scope| scope.live > 0) {
            return;
        }
        self.release_left(scope);
        let left: Vec<LeftTokens> = self.state.core.marking.left(scope).collect();
        for left in left.chunks(LISTED_MAX) {
            self.push(Event::TokensLeft { scope, left: left.to_vec() });
        }
    }

    /// Does an OR-join start in a scope in which nothing else can move, though tokens are left that might lead to it?
    pub(super) fn force_inside(&mut self, id: ScopeId) -> bool {
        let is_starved = self.state.moves(id) && self.starved(id, &self.state.core.scopes[&id]).is_some();
        is_starved && self.force_an_or_join(id)
    }

    /// The same for what lies inside an activation that ends.
    pub(super) fn list_tokens_inside(&mut self, id: ActivationId) {
        let inside = self.state.core.live.get(&id).and_then(|live| live.inside.as_ref());
        if let Some(scope) = inside.and_then(|inside| inside.scope) {
            self.list_tokens_left(scope);
        }
    }

    /// The workflow was not started in time. Signals may have come for it while it waited.
    pub(super) fn end_expired(&mut self) {
        self.list_signals_left();
        let reason = Some(EndReason::StartTimeExpired);
        self.push(Event::WorkflowEnded { status: Status::Canceled, reason, outputs: None });
    }

    fn verdict(&self, scope: &Scope) -> (Status, Option<EndReason>) {
        // A scope does not fail any more once its end was asked for: of the two, the failure came first.
        match &scope.failed {
            Some(ScopeFailure::Activation(activation, error)) => {
                let (activation, error) = (*activation, error.clone());
                return (Status::Terminal, Some(EndReason::StageFailed { activation, error }));
            }
            Some(ScopeFailure::Deadline) => {
                let deadline = self.state.definition.header().times.deadline.unwrap_or_default();
                return (Status::Terminal, Some(EndReason::DeadlineExceeded { deadline }));
            }
            Some(ScopeFailure::CanceledBy(activation)) => {
                return (Status::Canceled, Some(EndReason::CanceledBy { activation: *activation }));
            }
            Some(ScopeFailure::EndedBy(_)) => return (Status::Succeeded, None),
            Some(ScopeFailure::Forced { by, reason }) => {
                return (Status::Canceled, Some(forced(by, reason.as_deref())));
            }
            None => (),
        }
        if let Some(cancel) = &self.state.core.cancel {
            let (by, reason) = (cancel.by.clone(), cancel.reason.clone());
            return (Status::Canceled, Some(EndReason::CancelRequested { by, reason }));
        }
        self.verdict_of_threads(ScopeId::ROOT, scope)
    }

    /// How a scope inside an activation ends.
    pub(super) fn verdict_inside(&self, id: ScopeId) -> (Status, Option<EndReason>) {
        let scope = &self.state.core.scopes[&id];
        if let Some(ScopeFailure::Activation(activation, error)) = &scope.failed {
            let (activation, error) = (*activation, error.clone());
            return (Status::Terminal, Some(EndReason::StageFailed { activation, error }));
        }
        if let Some(ScopeFailure::Forced { by, reason }) = &scope.failed {
            return (Status::Canceled, Some(forced(by, reason.as_deref())));
        }
        self.verdict_of_threads(id, scope)
    }

    /// How a scope ends of which nothing failed: by what is left in it, and what was stopped.
    fn verdict_of_threads(&self, id: ScopeId, scope: &Scope) -> (Status, Option<EndReason>) {
        if let Some(waiting) = self.starved(id, scope) {
            if let Some(stages) = self.or_join_circle(id) {
                return (Status::Terminal, Some(EndReason::OrJoinCycle { stages }));
            }
            if self.state.definition.header().leftover_tokens == LeftoverTokens::Fail {
                return (Status::Terminal, Some(EndReason::Deadlock { waiting }));
            }
        }
        match self.stopped_with_failure(scope) {
            Some(activation) => (Status::Terminal, Some(EndReason::BranchStopped { activation })),
            None if id == ScopeId::ROOT && self.state.definition.graph().termination == Termination::Explicit => {
                // A branch that was stopped might have reached an end; without one nothing was left out.
                let reason = match scope.stopped.first() {
                    Some((activation, _)) => EndReason::BranchStopped { activation: *activation },
                    None => EndReason::Deadlock { waiting: Vec::new() },
                };
                (Status::Terminal, Some(reason))
            }
            None => (Status::Succeeded, None),
        }
    }

    /// Tokens are left, and not because a stopped branch would have served the joins that wait.
    fn starved(&self, id: ScopeId, scope: &Scope) -> Option<Vec<WaitingJoin>> {
        if self.state.core.marking.is_empty(id) {
            return None;
        }
        let graph = self.state.definition.graph();
        let unserved = unserved(graph, scope);
        let mut waiting = Vec::new();
        let mut excused = true;
        let mut listed = 0;
        for stage in self.state.core.marking.marked_stages(id) {
            let missing = join::missing(self.state, id, stage);
            excused &= missing.iter().any(|arc| unserved.contains(arc));
            // The list names the first joins and arcs of a large deadlock: an event is bounded.
            let missing: Vec<ArcIndex> = missing.into_iter().take(LISTED_MAX - listed).collect();
            listed += missing.len();
            if !missing.is_empty() {
                waiting.push(WaitingJoin { stage, missing });
            }
        }
        (!excused).then_some(waiting)
    }

    /// An activation that was stopped and asked for failure when the other branches are done. What its stage says holds
    /// where the stage made STOPPED of a failure; of a task that was STOPPED itself it is what the task says.
    fn stopped_with_failure(&self, scope: &Scope) -> Option<ActivationId> {
        let graph = self.state.definition.graph();
        scope.stopped.iter().find_map(|(activation, task)| {
            let on_failure = match task {
                Some(task) => graph.task(activation.stage, *task).on_failure,
                None => graph.stage(activation.stage).on_failure,
            };
            (on_failure == OnFailure::FailAtEnd).then_some(*activation)
        })
    }

    fn workflow_outputs(&self) -> Result<Option<Json>, Failure> {
        let outputs = &self.state.definition.graph().outputs;
        if outputs.is_empty() {
            return Ok(None);
        }
        let ended = Surroundings::of_ended(self.state).expect("a live workflow has begun");
        self.render_outputs(outputs, &ended).map(Some)
    }
}

/// Why something is over that somebody ended.
fn forced(by: &Actor, reason: Option<&str>) -> EndReason {
    EndReason::CancelRequested { by: by.clone(), reason: reason.map(str::to_owned) }
}

/// Every arc that a stopped activation of the scope might have served.
pub(super) fn unserved(graph: &Graph, scope: &Scope) -> BTreeSet<ArcIndex> {
    let stopped = scope.stopped.iter().map(|(activation, _)| activation.stage);
    reachable(graph, stopped.chain(scope.jumped.iter().copied()))
}

/// Every arc that a token from one of these stages could have reached.
fn reachable(graph: &Graph, from: impl Iterator<Item = StageIndex>) -> BTreeSet<ArcIndex> {
    let mut reached = BTreeSet::new();
    let mut pending: Vec<StageIndex> = from.collect();
    while let Some(stage) = pending.pop() {
        let stage = graph.stage(stage);
        for arc in stage.outgoing.iter().chain(&stage.cancellation.path).chain(&stage.jumps) {
            if reached.insert(*arc) {
                pending.push(graph.arc(*arc).to);
            }
        }
    }
    reached
}
