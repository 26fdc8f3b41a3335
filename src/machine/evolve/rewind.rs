//! What a jump back changes that rewinds: what has come from its target is gone, and what others had brought lies again
//! where it lay.

use crate::event::{CancelCause, Firing, ForgottenArrivals, RemovedToken, Rewound};
use crate::ids::{ActivationId, ArcIndex, ScopeId};
use crate::machine::marking::Token;
use crate::machine::outlook::Waiting;
use crate::machine::past::Past;
use crate::machine::state::State;
use crate::machine::trail::Behind;

use super::{Fit, generations, instances, scopes, tokens};

/// Undoes what has come from `rewound.to`; what lies behind the token of the jump.
pub(super) fn rewind(state: &mut State, source: ActivationId, scope: ScopeId, rewound: &Rewound) -> Fit<Behind> {
    let behind = state.behind(source, rewound.to).ok_or("nothing is known of where it goes back to")?;
    let again = put_back(state, scope, rewound)?;
    for token in &rewound.removed {
        remove(state, scope, *token)?;
    }
    for join in &rewound.joins {
        forget(state, scope, join)?;
    }
    for id in &rewound.canceled {
        let cause = CancelCause::Rewound { by: source };
        if let Some(live) = state.core.live.get_mut(id) {
            match &mut live.doomed {
                // It is canceled already, and control does not go on behind it any more.
                Some(doomed) => *doomed = cause,
                None => scopes::doom(state, *id, cause),
            }
        } else {
            instances::cancel_rest(state, *id, cause)?;
        }
    }
    // The first of an arc is put there last.
    for (arc, token) in again.into_iter().rev() {
        tokens::put_first(state, scope, arc, token);
    }
    forget_ended(state, scope, rewound.to)?;
    state.core.undo.retain(|undo| !undo.comes_from(rewound.to));
    state.candidates.outlooks.forget(scope);
    Ok(behind)
}

/// The tokens that lie again where they lay.
fn put_back(state: &State, scope: ScopeId, rewound: &Rewound) -> Fit<Vec<(ArcIndex, Token)>> {
    if rewound.put_back.is_empty() {
        return Ok(Vec::new());
    }
    let gathered = state.gathered(scope, |_| true);
    let mut again = Vec::with_capacity(rewound.put_back.len());
    for put in &rewound.put_back {
        let taken = gathered.get(&put.by).and_then(|taken| taken.get(put.place as usize));
        let taken = taken.filter(|taken| taken.arc == put.arc).ok_or("nothing was consumed there")?;
        again.push((taken.arc, Token { since: state.core.now, ..taken.token.clone() }));
    }
    Ok(again)
}

fn remove(state: &mut State, scope: ScopeId, removed: RemovedToken) -> Fit<()> {
    let definition = state.definition.clone();
    let graph = definition.graph();
    let RemovedToken { arc, number } = removed;
    let to = graph.arcs.get(arc.index()).ok_or("the definition has no such arc")?.to;
    let at = state.core.marking.position(scope, arc, |token| token.number == number).ok_or("it does not lie there")?;
    state.core.marking.take(graph, scope, arc, at).ok_or("the arc holds no token")?;
    state.look_at_section(to);
    if state.core.marking.marked(scope, to) == 0 {
        state.core.sweeps.remove(&(scope, to));
    }
    Ok(())
}

fn forget(state: &mut State, scope: ScopeId, join: &ForgottenArrivals) -> Fit<()> {
    let ForgottenArrivals { stage, forgotten, firing } = join;
    let record = state.core.joins.get_mut(&(scope, *stage)).ok_or("nothing has arrived")?;
    for arc in forgotten {
        if !record.seen.remove(arc) {
            return Err("nothing has arrived over the arc");
        }
    }
    match firing {
        Firing::Kept => record.arrived.retain(|taken| !forgotten.contains(&taken.arc)),
        Firing::Undone if record.fired.is_none() => return Err("the join has not fired"),
        Firing::Undone => {
            record.fired = None;
            record.arrived.clear();
        }
    }
    generations::look_again(state, scope, *stage);
    let waiting = Waiting { scope, join: *stage };
    state.candidates.outlooks.changed(waiting);
    state.reconsider(waiting);
    Ok(())
}

/// What the scope keeps of what was undone.
fn forget_ended(state: &mut State, scope: ScopeId, to: ActivationId) -> Fit<()> {
    let scope = state.core.scopes.get_mut(&scope).ok_or("the scope is not open")?;
    let undone = |id: ActivationId, past: &Past| id == to || past.descends_from(to);
    let origins = &scope.trail.origins;
    let ended = scope.ended.filtered(|ended| {
        let id = ended.activation.owner();
        let origin = origins.get(id.stage).filter(|origin| origin.activation == id);
        origin.is_none_or(|origin| !undone(id, &origin.past))
    });
    scope.ended = ended;
    let gathered = scope.trail.gathered.filtered(|gathering| {
        gathering.activation != to && !gathering.taken.iter().any(|taken| taken.token.past.descends_from(to))
    });
    scope.trail.gathered = gathered;
    scope.trail.origins = scope.trail.origins.filtered(|origin| !undone(origin.activation, &origin.past));
    scope.absorbing.retain(|_, absorbing| !undone(absorbing.to, &absorbing.past));
    let regions = scope.withdrawals.extract_if(.., |_, (by, past)| undone(*by, past));
    let regions: Vec<_> = regions.map(|(region, _)| region).collect();
    for region in regions {
        scope.withdrawn.remove(&region);
    }
    Ok(())
}
