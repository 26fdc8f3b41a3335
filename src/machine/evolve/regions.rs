//! What it changes that regions are canceled: what is in them is marked, and withdrawn as long as the region is.

#![allow(clippy::wildcard_enum_match_arm, reason = "one match leads here, with these events")]

use crate::definition::{RegionEffect, RegionFuture};
use crate::event::{CancelCause, Event, LeftTokens};
use crate::ids::{ActivationId, RegionIndex, ScopeId, StageIndex};
use crate::machine::state::State;

use super::scopes::doom;
use super::{Fit, generations, jumps};

/// What concerns regions, and tokens that are taken away.
pub(super) fn apply(state: &mut State, event: &Event) -> Fit<()> {
    match event {
        Event::RegionCanceled { region, scope, by } => cancel(state, *region, *scope, *by),
        Event::TokensRemoved { scope, removed, cause } => remove_tokens(state, *scope, removed, *cause),
        _ => Err("it is about no region"),
    }
}

/// A region is canceled: what lives in it ends, and its tokens are taken away where it is to vanish.
fn cancel(state: &mut State, region: RegionIndex, scope: ScopeId, by: Option<ActivationId>) -> Fit<()> {
    let definition = state.definition.clone();
    let spec = definition.graph().regions.get(region.index()).ok_or("the definition has no such region")?;
    let found = state.core.scopes.get_mut(&scope).ok_or("the scope is not open")?;
    if spec.future == RegionFuture::Withdraw {
        found.withdrawn.insert(region);
        found.withdrawals.remove(&region);
        state.remember_withdrawal(region, scope, by);
    }
    for member in &spec.members {
        let live: Vec<ActivationId> = state.live_of(scope, *member).filter(|id| Some(*id) != by).collect();
        live.into_iter().for_each(|id| doom(state, id, CancelCause::Region { region }));
        if spec.effect == RegionEffect::Remove && state.core.marking.marked(scope, *member) > 0 {
            state.core.sweeps.insert((scope, *member), region);
        }
    }
    if let Some(by) = by {
        // It goes on when they have ended.
        let born = state.core.live.get(&by).ok_or("the activation is not live")?.born;
        super::cancel::conclude(state, by)?;
        state.candidates.core_ended.insert((born, by));
    }
    Ok(())
}

/// A token has come to lie on an arc to `stage`: it goes where the region does.
pub(super) fn arrive(state: &mut State, scope: ScopeId, stage: StageIndex) {
    let graph = state.definition.graph();
    let Some(cancellation) = graph.stages.get(stage.index()).map(|stage| &stage.cancellation) else { return };
    let Some(scope_state) = state.core.scopes.get(&scope).filter(|_| !cancellation.regions.is_empty()) else { return };
    let vanishes = |region: &&RegionIndex| {
        scope_state.withdrawn.contains(region) && graph.regions[region.index()].effect == RegionEffect::Remove
    };
    if let Some(region) = cancellation.regions.iter().find(vanishes) {
        state.core.sweeps.insert((scope, stage), *region);
    }
}

/// A stage is activated that cancels regions: what comes to them runs again.
pub(super) fn reopen(state: &mut State, scope: ScopeId, stage: StageIndex) {
    let graph = state.definition.graph();
    let canceled = graph.stage(stage).cancellation.canceled_regions();
    if let Some(scope) = state.core.scopes.get_mut(&scope).filter(|scope| !scope.withdrawn.is_empty()) {
        canceled.for_each(|region| {
            scope.withdrawn.remove(&region);
        });
    }
}

/// Tokens are taken away.
fn remove_tokens(state: &mut State, scope: ScopeId, removed: &[LeftTokens], cause: CancelCause) -> Fit<()> {
    let definition = state.definition.clone();
    let graph = definition.graph();
    for LeftTokens { arc, tokens } in removed {
        let lying = state.core.marking.lying(scope, *arc);
        let is_late = matches!(cause, CancelCause::Jump { .. });
        let fits = if is_late { *tokens == 1 && lying > 0 } else { lying == *tokens as usize };
        if *tokens == 0 || !fits {
            return Err("so many tokens do not lie there");
        }
        for _ in 0..*tokens {
            let token = state.core.marking.consume(graph, scope, *arc).ok_or("the arc holds no token")?;
            state.end_thread_of(scope, &token);
        }
        generations::forget(state, scope, *arc);
        let to = graph.arc(*arc).to;
        if is_late {
            jumps::absorbed(state, scope, to, *arc)?;
        }
        state.candidates.outlooks.forget(scope);
        state.look_at_section(to);
        if state.core.marking.marked(scope, to) == 0 {
            state.core.sweeps.remove(&(scope, to));
        }
    }
    Ok(())
}
