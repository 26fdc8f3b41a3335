//! What it changes that a workflow is ending: parts of its own begin and end, one at a time (R22).

#![allow(clippy::wildcard_enum_match_arm, reason = "one match leads here, with these events")]

use std::sync::Arc;

use crate::definition::{BlockId, StagePhase};
use crate::event::{CancelCause, CancelRequest, EndReason, Event, Json, Stamp};
use crate::ids::{ActivationId, ScopeId};
use crate::machine::ending::{Doing, Ending, NextPart};
use crate::machine::past::Past;
use crate::machine::state::{Scope, ScopeFailure, State};
use crate::status::Status;

use super::{Fit, cancel, ends, scopes};

/// What concerns the end of the workflow, the last event aside.
pub(super) fn apply(state: &mut State, event: &Event) -> Fit<()> {
    match event {
        Event::WorkflowEnding { status, reason, outputs } => begin(state, *status, reason.clone(), outputs.clone()),
        Event::CompensationStarted { scope, activation } => compensate(state, *scope, *activation),
        Event::FinallyStarted { scope } => do_last(state, *scope),
        Event::CompensationEnded { scope, activation, status, .. } => {
            ends(*status)?;
            close(state, *scope, Some(*activation))
        }
        Event::FinallyEnded { scope, status, reason } => {
            let status = ends(*status)?;
            close(state, *scope, None)?;
            let ending = ending(state)?;
            if ending.status == Status::Succeeded && status != Status::Succeeded {
                (ending.status, ending.reason, ending.outputs) = (status, reason.clone(), None);
            }
            Ok(())
        }
        Event::WorkflowCancelForced(stamp, request) => force(state, stamp, request),
        _ => Err("it is not about the end"),
    }
}

/// Nothing of the root scope moves any more; what lies there was listed.
fn begin(state: &mut State, status: Status, reason: Option<EndReason>, outputs: Option<Json>) -> Fit<()> {
    if !state.core.live.is_empty() || state.core.ending.is_some() {
        return Err("an activation lives, or the workflow is ending already");
    }
    let status = ends(status)?;
    state.core.timers.clear();
    let tokens: Vec<Past> = state.core.marking.of_scope(ScopeId::ROOT).map(|token| token.past.clone()).collect();
    let root = state.core.scopes.get_mut(&ScopeId::ROOT).ok_or("the scope is not open")?;
    tokens.iter().for_each(|past| root.ended.union(past));
    scopes::clear(state, ScopeId::ROOT);
    if status == Status::Succeeded {
        state.core.undo.clear();
    }
    let since = state.core.now;
    state.core.ending = Some(Box::new(Ending { status, reason, outputs, since, doing: None, has_begun_last: false }));
    Ok(())
}

fn ending(state: &mut State) -> Fit<&mut Ending> {
    state.core.ending.as_deref_mut().ok_or("the workflow is not ending")
}

fn compensate(state: &mut State, id: ScopeId, activation: ActivationId) -> Fit<()> {
    check_next(state, id, NextPart::Compensation(activation))?;
    let undo = state.core.undo.pop().ok_or("nothing is to be undone")?;
    let mut around = undo.around;
    around.since = state.core.now;
    let scope = Scope { depth: 1, around: Some(Arc::new(around)), ..Scope::default() };
    open(state, id, scope)?.doing = Some(Doing { scope: id, undone: Some(activation) });
    scopes::put_on_starts(state, id, BlockId::of(activation.stage, StagePhase::Compensate));
    Ok(())
}

/// What is done last has behind it all that the workflow has done.
fn do_last(state: &mut State, id: ScopeId) -> Fit<()> {
    check_next(state, id, NextPart::Finally)?;
    let past = state.core.scopes.get(&ScopeId::ROOT).ok_or("the scope is not open")?.ended.clone();
    let ending = open(state, id, Scope { depth: 1, ..Scope::default() })?;
    ending.doing = Some(Doing { scope: id, undone: None });
    ending.has_begun_last = true;
    scopes::put_behind(state, id, BlockId::FINALLY, &past);
    Ok(())
}

fn check_next(state: &State, id: ScopeId, part: NextPart) -> Fit<()> {
    let ending = state.core.ending.as_deref().ok_or("the workflow is not ending")?;
    if state.core.scopes_opened.checked_add(1) != Some(id.get()) {
        return Err("the scope is not the next of its workflow");
    }
    if ending.doing.is_some() || !state.core.live.is_empty() || state.next_part(ending) != Some(part) {
        return Err("that is not what is to be done next");
    }
    Ok(())
}

/// The next scope of the workflow, inside nothing.
fn open(state: &mut State, id: ScopeId, scope: Scope) -> Fit<&mut Ending> {
    state.core.scopes_opened = id.get();
    state.core.scopes.insert(id, Box::new(scope));
    ending(state)
}

fn close(state: &mut State, id: ScopeId, undone: Option<ActivationId>) -> Fit<()> {
    if state.core.scopes.get(&id).is_none_or(|scope| scope.live > 0) {
        return Err("an activation lives, or the scope is not open");
    }
    let ending = ending(state)?;
    if ending.doing != Some(Doing { scope: id, undone }) {
        return Err("that is not what is done");
    }
    ending.doing = None;
    scopes::forget(state, id);
    Ok(())
}

/// Somebody ends what is done, or the workflow, where it is not ending.
fn force(state: &mut State, stamp: &Stamp, request: &CancelRequest) -> Fit<()> {
    if state.core.ending.is_none() {
        return cancel::request(state, stamp, request);
    }
    let id = state.doing().ok_or("nothing is done at the end")?.scope;
    let scope = state.core.scopes.get_mut(&id).ok_or("the scope is not open")?;
    if scope.failed.is_some() {
        return Err("it is ending already");
    }
    scope.failed = Some(ScopeFailure::Forced { by: stamp.actor.clone(), reason: request.reason.clone() });
    scopes::doom_all(state, id, CancelCause::Workflow);
    Ok(())
}
