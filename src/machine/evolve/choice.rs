//! What it changes that a deferred choice is made: one alternative goes on, and the others are marked or taken away.

use crate::event::{CancelCause, StartRequest};
use crate::ids::{ActivationId, ArcIndex};
use crate::machine::state::{Gate, Progress, State};

use super::scopes::doom;
use super::{Fit, activation, generations};

/// Somebody chooses an alternative; that it is chosen is the next event.
pub(super) fn request(state: &State, request: &StartRequest) -> Fit<()> {
    let live = state.core.live.get(&request.activation).ok_or("the activation is not live")?;
    if live.progress == Progress::Ready(Gate::Choice) { Ok(()) } else { Err("the activation is not offered") }
}

/// An alternative is chosen.
pub(super) fn make(
    state: &mut State,
    winner: ActivationId,
    split: Option<ActivationId>,
    withdrawn: &[ArcIndex],
) -> Fit<()> {
    let others = state.offered_with(winner);
    let chosen = activation(state, winner)?;
    if chosen.choice.as_ref().is_none_or(|offer| offer.split != split) || chosen.doomed.is_some() {
        return Err("the activation is no alternative of this choice");
    }
    if !matches!(chosen.progress, Progress::Ready(Gate::Triggered | Gate::Choice)) {
        return Err("nothing has come for the activation");
    }
    chosen.choice = None;
    chosen.progress = Progress::Ready(Gate::Triggered);
    let (place, scope) = ((chosen.born, winner), chosen.scope);
    state.candidates.ready.insert(place);
    others.into_iter().for_each(|other| doom(state, other, CancelCause::Withdrawn { winner }));
    let definition = state.definition.clone();
    let graph = definition.graph();
    for arc in withdrawn {
        let way = graph.arcs.get(arc.index()).ok_or("the definition has no such arc")?;
        let at = state.token_of_choice(scope, *arc, split).ok_or("no token of the choice waits there")?;
        let token = state.core.marking.take(graph, scope, *arc, at).ok_or("the arc holds no token")?;
        state.end_thread_of(scope, &token);
        // The first is the one that a join has counted, if it has; the next may be an arrival then.
        if at == 0 && graph.stage(way.to).generations.is_some() {
            generations::forget(state, scope, *arc);
            state.candidates.arrivals.insert((scope, way.to, *arc));
            state.examine_join(scope, way.to);
        }
        state.candidates.outlooks.forget(scope);
        state.look_at_section(way.to);
        if state.core.marking.marked(scope, way.to) == 0 {
            state.core.sweeps.remove(&(scope, way.to));
        }
    }
    Ok(())
}
