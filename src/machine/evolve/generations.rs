//! Joins that count arrivals: what an arrival, a firing and a new beginning change.

#![allow(clippy::wildcard_enum_match_arm, reason = "one match leads here, with these events")]

use crate::definition::{ArcKind, Generations, Rest};
use crate::event::{Arrival, CancelCause, Event, ResetCause};
use crate::ids::{ActivationId, ArcIndex, ScopeId, StageIndex};
use crate::machine::generations::JoinRecord;
use crate::machine::outlook::Waiting;
use crate::machine::state::State;
use crate::machine::trail::Taken;

use super::Fit;

/// What happens at a join that counts arrivals.
pub(super) fn apply(state: &mut State, event: &Event) -> Fit<()> {
    match event {
        Event::JoinArrived { scope, arc, arrival } => arrive(state, *scope, *arc, *arrival),
        Event::JoinReset { scope, stage, generation, cause } => reset(state, *scope, *stage, *generation, *cause),
        _ => Err("it is about no join that counts arrivals"),
    }
}

/// The join that counts what comes over `arc`.
fn counting(state: &State, arc: ArcIndex) -> Fit<StageIndex> {
    let graph = state.definition.graph();
    let way = graph.arcs.get(arc.index()).ok_or("the definition has no such arc")?;
    let counts = graph.stage(way.to).generations.is_some() && way.kind != ArcKind::Jump;
    if counts { Ok(way.to) } else { Err("the join counts no arrivals") }
}

fn spec(state: &State, stage: StageIndex) -> Fit<&Generations> {
    let stage = state.definition.graph().stages.get(stage.index()).ok_or("the definition has no such stage")?;
    stage.generations.as_ref().ok_or("the join counts no arrivals")
}

/// The first token on `arc` has arrived in this generation: it stays there, or is swallowed if the join has fired.
fn arrive(state: &mut State, scope: ScopeId, arc: ArcIndex, arrival: Arrival) -> Fit<()> {
    let stage = counting(state, arc)?;
    let lying = state.core.marking.lying(scope, arc);
    if lying == 0 || !state.core.scopes.contains_key(&scope) {
        return Err("no token has arrived");
    }
    let record = state.core.joins.entry((scope, stage)).or_default();
    let expected = if record.fired.is_none() { Arrival::Counted } else { Arrival::Late };
    if arrival != expected || !record.seen.insert(arc) {
        return Err("the arc has brought its token before, or the join does not count it so");
    }
    if arrival == Arrival::Late {
        let definition = state.definition.clone();
        let token = state.core.marking.consume(definition.graph(), scope, arc).ok_or("the arc holds no token")?;
        state.end_thread_of(scope, &token);
        if state.rewinds()
            && let Some(record) = state.core.joins.get_mut(&(scope, stage))
        {
            record.arrived.push(Taken::of(arc, &token));
        }
        state.look_at_section(stage);
        state.candidates.outlooks.forget(scope);
    }
    state.candidates.outlooks.heard(Waiting { scope, join: stage }, arc);
    state.reconsider(Waiting { scope, join: stage });
    if lying > 1 {
        // What lies behind it breaks the rules of a structured join, and waits at any other.
        state.candidates.arrivals.insert((scope, stage, arc));
    }
    state.examine_join(scope, stage);
    Ok(())
}

/// The arcs whose tokens a firing consumes, which is recorded.
pub(super) fn fire(state: &mut State, scope: ScopeId, id: ActivationId) -> Fit<Vec<ArcIndex>> {
    spec(state, id.stage)?;
    let record = state.core.joins.get_mut(&(scope, id.stage)).ok_or("nothing has arrived")?;
    if record.fired.is_some() {
        return Err("the join has fired in this generation");
    }
    record.fired = Some(id.number);
    let seen = record.seen.iter().copied().collect();
    state.examine_join(scope, id.stage);
    state.candidates.outlooks.changed(Waiting { scope, join: id.stage });
    Ok(seen)
}

/// The join starts over.
fn reset(state: &mut State, scope: ScopeId, stage: StageIndex, generation: u32, cause: ResetCause) -> Fit<()> {
    let n_arcs = state.definition.graph().stages.get(stage.index()).map_or(0, |stage| stage.incoming.len());
    let withdrawn = match &spec(state, stage)?.rest {
        Rest::Withdrawn { stages } => Some(stages.clone()),
        Rest::Swallowed { .. } | Rest::Blocked { .. } => None,
    };
    let record = state.core.joins.get_mut(&(scope, stage)).ok_or("nothing has arrived")?;
    let fits = match cause {
        ResetCause::Complete => record.fired.is_some() && record.seen.len() == n_arcs,
        ResetCause::Active => record.fired.is_some(),
        ResetCause::Cancelling => record.fired.is_some() && withdrawn.is_some(),
        ResetCause::Withdrawn => !record.is_fresh(),
    };
    if !fits || record.generation != generation {
        return Err("the join does not start over now");
    }
    let next = generation.checked_add(1).ok_or("there are no more generations")?;
    *record = JoinRecord { generation: next, ..JoinRecord::default() };
    look_again(state, scope, stage);
    state.candidates.outlooks.forget(scope);
    if let (ResetCause::Cancelling, Some(stages)) = (cause, withdrawn) {
        super::scopes::doom_stages(state, scope, &stages, CancelCause::Discriminator);
    }
    Ok(())
}

/// A jump has started the stage: what had been counted is over, and what comes from now on is of the next generation.
pub(super) fn start_over(state: &mut State, scope: ScopeId, stage: StageIndex) -> Fit<()> {
    let Some(record) = state.core.joins.get_mut(&(scope, stage)).filter(|record| !record.is_fresh()) else {
        return Ok(());
    };
    let next = record.generation.checked_add(1).ok_or("there are no more generations")?;
    *record = JoinRecord { generation: next, ..JoinRecord::default() };
    look_again(state, scope, stage);
    Ok(())
}

/// Every token that waits at the join may be an arrival now.
pub(super) fn look_again(state: &mut State, scope: ScopeId, stage: StageIndex) {
    let definition = state.definition.clone();
    let incoming = &definition.graph().stage(stage).incoming;
    let marked = state.core.marking.marked_among(scope, incoming);
    state.candidates.arrivals.extend(marked.into_iter().map(|arc| (scope, stage, arc)));
    state.examine_join(scope, stage);
}

/// The scope is gone, and what joins have counted in it.
pub(super) fn drop_scope(state: &mut State, scope: ScopeId) {
    let (first, last) = (StageIndex::new(0), StageIndex::new(u32::MAX));
    let arcs = (scope, first, ArcIndex::new(0))..=(scope, last, ArcIndex::new(u32::MAX));
    state.core.joins.extract_if((scope, first)..=(scope, last), |_, _| true).for_each(drop);
    state.candidates.arrivals.extract_if(arcs, |_| true).for_each(drop);
    let merges = state.candidates.merges.range((scope, first, None)..).copied();
    for merge in merges.take_while(|(of, _, _)| *of == scope).collect::<Vec<_>>() {
        state.candidates.merges.remove(&merge);
    }
}

/// The tokens on an arc are gone: what had arrived with them has not, unless it has fired the join.
pub(super) fn forget(state: &mut State, scope: ScopeId, arc: ArcIndex) {
    let to = state.definition.graph().arc(arc).to;
    if let Some(record) = state.core.joins.get_mut(&(scope, to))
        && record.fired.is_none()
    {
        record.seen.remove(&arc);
        state.candidates.outlooks.changed(Waiting { scope, join: to });
    }
}
