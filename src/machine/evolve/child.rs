//! What facts about called workflows change.

#![allow(clippy::wildcard_enum_match_arm, reason = "one match leads here, with these events")]

use crate::definition::OnParentCancel;
use crate::event::{ChildEnd, ChildRefusal, Event, Json, Report, TaskReport};
use crate::failure::Failure;
use crate::ids::{AttemptId, WorkflowId};
use crate::machine::state::{AttemptState, Called, Phase, State};
use crate::status::Status;

use super::{Fit, awaited};

/// What concerns workflows that this one called.
pub(super) fn apply(state: &mut State, event: &Event) -> Fit<()> {
    match event {
        Event::ChildStarted { attempt, child, on_parent_cancel } => start(state, *attempt, *child, *on_parent_cancel),
        Event::ChildEnded(_, ended) => end(state, ended),
        Event::ChildRefused(_, refusal) => refuse(state, refusal),
        Event::WorkflowClosing { children } => closing(state, *children),
        Event::WorkflowClosed => closed(state),
        _ => Err("it is about no called workflow"),
    }
}

/// A queued attempt becomes the work of another workflow.
fn start(state: &mut State, attempt: AttemptId, child: WorkflowId, on_cancel: OnParentCancel) -> Fit<()> {
    let open = awaited(state, attempt)?;
    if !matches!(open.attempt, AttemptState::Queued { due: None }) {
        return Err("the attempt is not to begin");
    }
    open.attempt = AttemptState::Calling { child };
    match state.core.children.insert(child, Called { attempt, on_cancel, is_left: false }) {
        None => Ok(()),
        Some(_) => Err("the other workflow was called before"),
    }
}

/// A called workflow has closed.
fn end(state: &mut State, end: &ChildEnd) -> Fit<()> {
    let error = end.error.clone();
    let report = match (end.status, error) {
        (Status::Succeeded, None) => Report::Succeeded,
        (Status::Canceled, _) => Report::Canceled,
        (_, error) => Report::Terminal { error: error.ok_or("its failure is not told")? },
    };
    over(state, end.child, report, end.outputs.clone())
}

/// A workflow that was to be called cannot be created.
fn refuse(state: &mut State, refusal: &ChildRefusal) -> Fit<()> {
    let error: Failure = refusal.error.clone();
    over(state, refusal.child, Report::Terminal { error }, Json::empty())
}

fn over(state: &mut State, child: WorkflowId, report: Report, outputs: Json) -> Fit<()> {
    let called = state.core.children.remove(&child).ok_or("nobody waits for that workflow")?;
    if called.is_left {
        return Ok(());
    }
    let attempt = called.attempt;
    let open = awaited(state, attempt)?;
    if open.attempt != (AttemptState::Calling { child }) {
        return Err("the attempt does not wait for that workflow");
    }
    let (context, streams) = (Json::empty(), Vec::new());
    open.attempt = AttemptState::Reported(Box::new(TaskReport { attempt, report, outputs, context, streams }));
    Ok(())
}

/// Nobody waits for the work of a called workflow any more.
pub(super) fn leave(state: &mut State, child: WorkflowId) {
    match state.core.children.get_mut(&child) {
        Some(called) if called.on_cancel == OnParentCancel::Cancel => called.is_left = true,
        Some(_) => {
            state.core.children.remove(&child);
        }
        None => (),
    }
}

/// The ended workflow waits for others.
fn closing(state: &mut State, children: u32) -> Fit<()> {
    let ended = matches!(state.core.phase, Phase::Ended { .. });
    if !ended || state.core.is_closing || state.core.children.len() != children as usize {
        return Err("it does not wait for so many");
    }
    state.core.is_closing = true;
    Ok(())
}

/// The ended workflow waits for nobody any more.
fn closed(state: &mut State) -> Fit<()> {
    if !state.core.is_closing || !state.core.children.is_empty() {
        return Err("it still waits");
    }
    state.core.is_closing = false;
    Ok(())
}
