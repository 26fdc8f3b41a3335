//! What it changes that something outside ends activations: first they are marked, then each comes to its end.

use std::sync::Arc;

use crate::definition::Withdrawal;
use crate::event::{CancelCause, CancelRequest, Emitted, Stamp};
use crate::ids::{ActivationId, ScopeId};
use crate::machine::past::{Ended, Past, Remembered};
use crate::machine::state::{Canceling, Progress, ScopeFailure, State};
use crate::machine::trail::Behind;
use crate::status::Status;

use super::scopes::{doom, doom_all};
use super::{Fit, give_up, instances, regions, remove, tokens};

/// Somebody asks for the end of the workflow.
pub(super) fn request(state: &mut State, stamp: &Stamp, asked: &CancelRequest) -> Fit<()> {
    if state.core.cancel.is_some() || state.core.ending.is_some() {
        return Err("the end was asked for before, or comes");
    }
    let (by, reason, since) = (stamp.actor.clone(), asked.reason.clone(), stamp.now);
    state.core.cancel = Some(Canceling { by, reason, since });
    doom_all(state, ScopeId::ROOT, CancelCause::Workflow);
    Ok(())
}

/// The work of an activation has succeeded, and what its stage cancels is marked.
pub(super) fn mark(state: &mut State, by: ActivationId) -> Fit<()> {
    let definition = state.definition.clone();
    let stage = definition.graph().stages.get(by.stage.index()).ok_or("the definition has no such stage")?;
    let activation = state.core.live.get(&by).ok_or("the activation is not live")?;
    let is_at_its_end = matches!(activation.progress, Progress::CoreEnded | Progress::Instances);
    if !is_at_its_end || activation.doomed.is_some() || by.instance.is_some() {
        return Err("the activation is not at its end");
    }
    let (place, scope) = ((activation.born, by), activation.scope);
    let cancellation = &stage.cancellation;
    let whole = if cancellation.cancels_workflow() { CancelCause::Workflow } else { CancelCause::ExplicitEnd };
    let victims: Vec<(ActivationId, CancelCause)> = if cancellation.ends_all() {
        // What surrounds it ends behind it.
        let others = state.core.live.keys().filter(|id| **id != by && !state.surrounds(**id, scope));
        others.map(|id| (*id, whole)).collect()
    } else {
        let victims = cancellation.victims.iter().flat_map(|victim| state.live_of(scope, *victim));
        let victims = victims.filter(|id| *id != by).map(|id| (id, CancelCause::Stage { by }));
        let withdrawn = cancellation.withdraws.iter().filter(|(_, withdrawal)| *withdrawal == Withdrawal::Cancel);
        let withdrawn = withdrawn.flat_map(|(of, _)| state.live_of(scope, *of)).filter(|id| id.instance.is_none());
        victims.chain(withdrawn.map(|id| (id, CancelCause::Instances))).collect()
    };
    victims.into_iter().for_each(|(id, cause)| doom(state, id, cause));
    conclude(state, by)?;
    // It goes on when they have ended.
    state.candidates.core_ended.insert(place);
    Ok(())
}

/// What an activation with instances cancels ends first; that control goes on from it is decided.
pub(super) fn conclude(state: &mut State, by: ActivationId) -> Fit<()> {
    let activation = super::activation(state, by)?;
    if activation.progress == Progress::Instances {
        activation.progress = Progress::CoreEnded;
    }
    Ok(())
}

/// A marked activation comes to its end.
pub(super) fn end(state: &mut State, id: ActivationId, cause: CancelCause, emitted: &Emitted) -> Fit<()> {
    let activation = remove(state, id)?;
    if activation.doomed != Some(cause) {
        return Err("nothing like this ends the activation");
    }
    if let Progress::Canceling(Some(_)) = &activation.progress {
        return Err("the work under way in it has not stopped");
    }
    if let Progress::Open(open) = &activation.progress {
        give_up(state, id, open);
    }
    if id.instance.is_some() {
        return if *emitted == Emitted::Nothing {
            instances::cancel_one(state, id)
        } else {
            Err("an instance emits no tokens")
        };
    }
    // Those that have ended stand where only the others are withdrawn.
    let instances = instances::cancel_owner(state, id, cause).filter(|_| cause == CancelCause::Instances);
    let (scope, depth, mut past) = (activation.scope, activation.depth, activation.past);
    if *emitted != Emitted::Nothing {
        // Who comes behind it sees that it was canceled, and nothing of what it gave.
        let (tasks, outputs, error, keys) = (Vec::new(), None, None, Remembered::default());
        let (status, line) = (Status::Canceled, state.line_of(id, &past));
        let (inside, behind) = (Past::empty(), Past::empty());
        let ended =
            Ended { activation: id, depth, status, tasks, inside, behind, outputs, error, instances, line, keys };
        past.insert(Arc::new(ended));
    }
    if let CancelCause::Rewound { .. } = cause {
        // Nothing of it stays.
        return if *emitted == Emitted::Nothing { Ok(()) } else { Err("what is undone emits no tokens") };
    }
    let behind = Behind { depth, past, thread: activation.thread, trail: activation.trail };
    tokens::emit_one_each(state, id, scope, emitted, behind)
}

/// A new activation: does the region in which its stage lies end it before it starts? It then stands at a gate.
pub(super) fn withdraw(state: &mut State, id: ActivationId, scope: ScopeId) -> Fit<()> {
    regions::reopen(state, scope, id.stage);
    let Some(region) = state.withdrawn_by(scope, id.stage) else { return Ok(()) };
    if !state.core.live.get(&id).is_some_and(|live| matches!(live.progress, Progress::Ready(_))) {
        return Err("what is withdrawn does not start");
    }
    doom(state, id, CancelCause::Region { region });
    Ok(())
}

/// An activation has succeeded: does that end the workflow? What came to its end before has its reason.
pub(super) fn close(state: &mut State, id: ActivationId, scope: ScopeId) {
    let definition = state.definition.clone();
    let cancellation = &definition.graph().stage(id.stage).cancellation;
    if !cancellation.ends_all() || state.core.cancel.is_some() {
        return;
    }
    let how = if cancellation.cancels_workflow() { ScopeFailure::CanceledBy } else { ScopeFailure::EndedBy };
    let scope = if cancellation.cancels_workflow() { ScopeId::ROOT } else { scope };
    if let Some(scope) = state.core.scopes.get_mut(&scope) {
        scope.failed.get_or_insert(how(id));
    }
    if cancellation.cancels_workflow() {
        doom_all(state, ScopeId::ROOT, CancelCause::Workflow);
    }
}
