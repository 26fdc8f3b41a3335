//! What it changes that a canceled activation waits for its work to stop, and that this has stopped.

#![allow(clippy::wildcard_enum_match_arm, reason = "one match leads here, with these events")]

use crate::definition::Join;
use crate::event::{CancelCause, Event};
use crate::ids::{ActivationId, AttemptId, TaskId};
use crate::machine::outlook::{Place, Waiting};
use crate::machine::state::{Progress, State};
use crate::machine::stopping::Stopping;

use super::{Fit, activation, give_up, instances, signals, timers};

/// What concerns work that has to stop.
pub(super) fn apply(state: &mut State, event: &Event) -> Fit<()> {
    match event {
        Event::TaskStopped(_, attempt) => stop(state, *attempt),
        Event::StageCanceling { activation, cause } => begin(state, *activation, *cause),
        _ => Err("it is about nothing that has to stop"),
    }
}

/// A marked activation is canceled, and something in it has to stop before it ends.
fn begin(state: &mut State, id: ActivationId, cause: CancelCause) -> Fit<()> {
    if state.core.live.get(&id).is_none_or(|live| live.doomed != Some(cause)) {
        return Err("nothing like this ends the activation");
    }
    if state.is_canceling(id) || !state.stops_first(id) {
        return Err("nothing in it has to stop");
    }
    let now = state.core.now;
    let live = activation(state, id)?;
    let scope = live.scope;
    let set = std::mem::take(&mut live.timers);
    let progress = std::mem::replace(&mut live.progress, Progress::Canceling(None));
    timers::drop_all(state, &set);
    if let Progress::Open(open) = &progress {
        if state.is_begun(id, open) {
            let attempt = AttemptId { task: TaskId { activation: id, task: open.task }, dispatch: open.dispatch };
            activation(state, id)?.progress = Progress::Canceling(Some(Stopping { attempt, since: now }));
        }
        give_up(state, id, open);
    }
    signals::stop_waiting(state, id);
    instances::stop(state, id, cause);
    // From here on it is live for its end only, unless control goes on behind it.
    if !state.passes_on(id) {
        state.candidates.outlooks.left(scope, Place::Stage(id.stage));
        // Nor will what has been counted on to come from it.
        state.candidates.outlooks.chosen(scope, id.stage);
        if state.definition.graph().stage(id.stage).join == Join::Or {
            state.candidates.outlooks.changed(Waiting { scope, join: id.stage });
        }
    }
    state.moved_on(id, scope);
    Ok(())
}

/// The worker of the attempt has stopped.
fn stop(state: &mut State, attempt: AttemptId) -> Fit<()> {
    let id = attempt.task.activation;
    if state.stopping(id).is_none_or(|stopping| stopping.attempt != attempt) {
        return Err("nobody waits for this attempt to stop");
    }
    let set = std::mem::take(&mut activation(state, id)?.timers);
    timers::drop_all(state, &set);
    over(state, id)
}

/// It has not stopped in time, and nobody waits for it any more.
pub(super) fn give_up_waiting(state: &mut State, id: ActivationId) -> Fit<()> {
    if state.stopping(id).is_none() {
        return Err("nobody waits for the timer");
    }
    over(state, id)
}

fn over(state: &mut State, id: ActivationId) -> Fit<()> {
    activation(state, id)?.progress = Progress::Canceling(None);
    look(state, id);
    Ok(())
}

/// A marked activation may be able to end now: something in it has ended.
pub(super) fn look(state: &mut State, id: ActivationId) {
    let Some(live) = state.core.live.get(&id) else { return };
    let nested = state.nested(id, live);
    let overdue = (live.progress == Progress::Overdue).then_some((live.born, id));
    if live.doomed.is_some() {
        state.candidates.doomed.insert(nested);
    }
    state.candidates.core_ended.extend(overdue);
}
