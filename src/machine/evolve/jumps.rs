//! What jumps change: who leaves, what the target begins with, and what comes too late for it.

use std::sync::Arc;

use crate::event::{Consumed, Report, Rewound, TaskReport};
use crate::ids::{ActivationId, ArcIndex, ScopeId, StageIndex};
use crate::machine::past::{Past, TaskResult};
use crate::machine::state::{Absorbing, Activation, Brought, State};
use crate::status::Status;

use super::{Fit, activation, generations, rewind};

/// A task of `source` has sent control over `arc`, and its activation ends.
pub(super) fn leave(state: &mut State, source: ActivationId, arc: ArcIndex, rewound: Option<&Rewound>) -> Fit<()> {
    let way = state.definition.graph().arcs.get(arc.index()).copied().ok_or("the definition has no such arc")?;
    let may_jump = state.definition.graph().may_jump(source.stage, way);
    let activation = activation(state, source)?;
    if !may_jump || activation.doomed.is_some() {
        return Err("the activation does not jump there");
    }
    if activation.leaving.is_none() {
        return Err("no task of the activation has jumped");
    }
    let scope = activation.scope;
    state.core.jumps = state.core.jumps.saturating_add(1);
    let scope_state = state.core.scopes.get_mut(&scope).ok_or("the scope is not open")?;
    scope_state.jumped.insert(source.stage);
    if way.comes_from_anywhere() {
        // Nobody has counted on it.
        state.candidates.outlooks.forget(scope);
    }
    let Some(rewound) = rewound else { return Ok(()) };
    if rewound.to.stage != way.to {
        return Err("it goes back to another stage");
    }
    let back = rewind::rewind(state, source, scope, rewound)?;
    let leaving = super::activation(state, source)?.leaving.as_mut().ok_or("no task of the activation has jumped")?;
    leaving.back = Some(back);
    Ok(())
}

/// What the jump of this report, if it is one, takes along.
pub(super) fn brought(report: &TaskReport) -> Fit<Option<Arc<Brought>>> {
    let Report::Jump { .. } = report.report else { return Ok(None) };
    let context = report.context.to_map().map_err(|_| "the context is no map")?;
    Ok(Some(Arc::new(Brought { context, outputs: report.outputs.clone() })))
}

/// What a jump brought is the first part of the activation that it begins.
pub(super) fn arrive(activation: &mut Activation, brought: &Brought) {
    activation.updates = Arc::new(brought.context.clone());
    if !brought.outputs.is_empty() {
        let outputs = brought.outputs.clone();
        let result = TaskResult { task: None, status: Status::Succeeded, outputs, error: None, dispatch: 0, turn: 1 };
        activation.results = Arc::new(vec![result]);
    }
}

/// An activation begins: what came too late for the one before it does so no longer, and something may for this one.
pub(super) fn begin(state: &mut State, scope: ScopeId, id: ActivationId, consumed: &Consumed, past: &Past) -> Fit<()> {
    match consumed {
        Consumed::Jump { absorbed, .. } => {
            generations::start_over(state, scope, id.stage)?;
            state.candidates.outlooks.forget(scope);
            absorb_behind(state, scope, id, absorbed, Some(past))
        }
        Consumed::OnePerArc | Consumed::Arcs(_) | Consumed::Ready | Consumed::Held | Consumed::Threads(_) => {
            absorb_behind(state, scope, id, &[], None)
        }
    }
}

/// The stage starts anew: on these arcs something may come too late, if a jump has started it.
fn absorb_behind(
    state: &mut State,
    scope: ScopeId,
    to: ActivationId,
    arcs: &[ArcIndex],
    past: Option<&Past>,
) -> Fit<()> {
    let past = past.filter(|_| state.rewinds()).cloned().unwrap_or_default();
    let scope = state.core.scopes.get_mut(&scope).ok_or("the scope is not open")?;
    if arcs.is_empty() {
        scope.absorbing.remove(&to.stage);
    } else {
        scope.absorbing.insert(to.stage, Absorbing { to, arcs: arcs.iter().copied().collect(), past });
    }
    Ok(())
}

/// A token that came too late on this arc has been taken away.
pub(super) fn absorbed(state: &mut State, id: ScopeId, stage: StageIndex, arc: ArcIndex) -> Fit<()> {
    let scope = state.core.scopes.get_mut(&id).ok_or("the scope is not open")?;
    let absorbing = scope.absorbing.get_mut(&stage).ok_or("no jump has come to the stage")?;
    if !absorbing.arcs.remove(&arc) {
        return Err("nothing comes too late on the arc");
    }
    if absorbing.arcs.is_empty() {
        scope.absorbing.remove(&stage);
    }
    state.examine_arrival(id, stage);
    Ok(())
}
