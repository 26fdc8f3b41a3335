//! What it changes that the block of an activation is opened and closed, that a loop is asked, and that what lives in a
//! scope is ended with it.

#![allow(clippy::wildcard_enum_match_arm, reason = "one match leads here, with these events")]

use std::cmp::Reverse;
use std::sync::Arc;

use crate::definition::{BlockId, Body, StagePhase};
use crate::event::{CancelCause, EndReason, Event};
use crate::ids::{ActivationId, ScopeId, StageIndex};
use crate::machine::around::Around;
use crate::machine::candidates::Nested;
use crate::machine::marking::Token;
use crate::machine::past::Past;
use crate::machine::state::{Activation, Inside, Progress, Scope, SoFar, State};
use crate::machine::threads::Thread;
use crate::status::Status;

use super::{Fit, activation, ends, generations, instances, stopping, tokens};

/// What concerns the blocks of activations.
pub(super) fn apply(state: &mut State, event: &Event) -> Fit<()> {
    match event {
        Event::ScopeOpened { scope, owner } => open(state, *scope, *owner),
        Event::ScopeClosed { scope, owner, status, reason } => close(state, *scope, *owner, *status, reason.as_ref()),
        Event::LoopTested { activation, iteration, value } => test(state, *activation, *iteration, *value),
        Event::PhaseStarted { scope, owner, phase, status, error } => {
            let so_far = status.map(|status| SoFar { status, error: error.clone() });
            start_phase(state, *scope, *owner, *phase, so_far)
        }
        _ => Err("it is about no block"),
    }
}

/// Where an activation of this stage stands when it has started.
pub(super) fn started(state: &State, id: ActivationId) -> Progress {
    let stage = state.definition.graph().stage(id.stage);
    if stage.instances.is_some() { Progress::Instances } else { own_work(&stage.body) }
}

/// Where an activation stands whose own work is next.
fn own_work(body: &Body) -> Progress {
    match body {
        Body::Tasks => Progress::Between { next: crate::ids::TaskIndex::new(0) },
        Body::Loop(_) => Progress::Turning,
    }
}

/// The activation has a block, which is to be opened if it is to be opened at all.
pub(super) fn begin_inside(state: &mut State, id: ActivationId) -> Fit<()> {
    let phases = state.definition.graph().has_phases(id.stage).then(Box::default);
    let activation = activation(state, id)?;
    if activation.progress == Progress::Turning {
        activation.inside = Some(Box::new(Inside { phases, ..Inside::default() }));
        look_inside(state, id);
        return Ok(());
    }
    if phases.is_some() {
        activation.inside = Some(Box::new(Inside { phases, ..Inside::default() }));
    }
    if activation.progress == Progress::Instances { instances::open(state, id) } else { Ok(()) }
}

/// The block of the activation may be done or have another turn.
fn look_inside(state: &mut State, id: ActivationId) {
    if let Some(live) = state.core.live.get(&id) {
        let place = state.nested(id, live);
        state.candidates.inside.insert(place);
    }
}

/// A loop was asked.
fn test(state: &mut State, id: ActivationId, iteration: u32, value: bool) -> Fit<()> {
    let definition = state.definition.clone();
    let stage = definition.graph().stages.get(id.stage.index()).ok_or("the definition has no such stage")?;
    let turns = stage.body.as_loop().ok_or("the stage is no loop")?;
    let activation = activation(state, id)?;
    if !is_turning(activation) || activation.inside.as_ref().is_none_or(|inside| inside.begun != iteration) {
        return Err("this turn of the loop is not in question");
    }
    if !turns.condition.goes_on(value) {
        activation.progress = Progress::CoreEnded;
        let place = (activation.born, id);
        state.candidates.core_ended.insert(place);
    }
    Ok(())
}

fn is_turning(activation: &Activation) -> bool {
    activation.progress == Progress::Turning && activation.doomed.is_none()
}

/// The block of an activation is opened.
fn open(state: &mut State, id: ScopeId, owner: ActivationId) -> Fit<()> {
    if state.core.scopes_opened.checked_add(1) != Some(id.get()) {
        return Err("the scope is not the next of its workflow");
    }
    let around = state.around_next(owner).ok_or("the activation is not live")?;
    let activation = activation(state, owner)?;
    if !is_turning(activation) {
        return Err("the activation does not open its block now");
    }
    let inside = activation.inside.as_mut().ok_or("the activation has no block")?;
    inside.scope = Some(id);
    inside.begun = inside.begun.checked_add(1).ok_or("a loop has no more turns")?;
    let is_turn = inside.begun > 1;
    activation.progress = Progress::Inside;
    state.core.instant_turns += u64::from(is_turn);
    begin_scope(state, id, owner, (StagePhase::Body, around))
}

/// The next scope of the workflow, inside a live activation.
fn begin_scope(state: &mut State, id: ScopeId, owner: ActivationId, (phase, around): (StagePhase, Around)) -> Fit<()> {
    let depth = state.depth_of(activation_scope(state, owner)?) + 1;
    state.core.scopes_opened = id.get();
    let scope = Scope { owner: Some(owner), depth, around: Some(Arc::new(around)), ..Scope::default() };
    state.core.scopes.insert(id, Box::new(scope));
    // Where nothing in it can start, it is over at once.
    state.candidates.over.insert((Reverse(depth), id));
    put_on_starts(state, id, BlockId::of(owner.stage, phase));
    Ok(())
}

/// A part of the work of an activation begins that is done beside its own.
fn start_phase(
    state: &mut State,
    id: ScopeId,
    owner: ActivationId,
    phase: StagePhase,
    so_far: Option<SoFar>,
) -> Fit<()> {
    if state.core.scopes_opened.checked_add(1) != Some(id.get()) || owner.instance.is_some() {
        return Err("the scope is not the next of its workflow, or an instance would have it");
    }
    if owner.stage.index() >= state.definition.graph().stages.len()
        || !state.definition.graph().has_phase(owner.stage, phase)
    {
        return Err("the stage has no such part");
    }
    let around = state.around_phase(owner, so_far.as_ref()).ok_or("the activation is not live")?;
    let live = activation(state, owner)?;
    let fits = match (phase, &live.progress) {
        (StagePhase::Before, Progress::Between { next }) => next.index() == 0 && so_far.is_none(),
        (StagePhase::Before, Progress::Turning) => so_far.is_none(),
        (StagePhase::After | StagePhase::OnFailure, Progress::CoreEnded | Progress::Overdue | Progress::Turning) => {
            so_far.is_some()
        }
        _ => false,
    };
    if !fits || live.doomed.is_some() || live.leaving.is_some() {
        return Err("the activation does not begin that part of its work now");
    }
    let inside = live.inside.as_mut().ok_or("the activation has no parts")?;
    let earlier = inside.scope.replace(id);
    let phases = inside.phases.as_mut().ok_or("the activation has no parts")?;
    if phases.begun.contains(&phase) || (phase == StagePhase::Before && inside.begun > 0) {
        return Err("that part has begun already");
    }
    phases.begun.push(phase);
    phases.so_far = so_far;
    inside.failure = None;
    live.progress = Progress::Inside;
    forget_over(state, earlier)?;
    begin_scope(state, id, owner, (phase, around))
}

fn activation_scope(state: &State, id: ActivationId) -> Fit<ScopeId> {
    Ok(state.core.live.get(&id).ok_or("the activation is not live")?.scope)
}

/// A token lies on every arc from the start of a block.
pub(super) fn put_on_starts(state: &mut State, scope: ScopeId, block: BlockId) {
    put_behind(state, scope, block, &Past::empty());
}

/// The same where something lies behind that.
pub(super) fn put_behind(state: &mut State, scope: ScopeId, block: BlockId, past: &Past) {
    let definition = state.definition.clone();
    let graph = definition.graph();
    let depth = past.iter().map(|ended| ended.depth).max().unwrap_or(0);
    for arc in &graph.block(block).starts {
        let token = Token::new(depth, past.clone(), Thread::default(), state.core.now);
        tokens::put(state, scope, *arc, token);
    }
}

/// A scope inside an activation is over.
fn close(state: &mut State, id: ScopeId, owner: ActivationId, status: Status, reason: Option<&EndReason>) -> Fit<()> {
    let scope = state.core.scopes.get(&id).ok_or("the scope is not open")?;
    if scope.live > 0 || scope.owner != Some(owner) {
        return Err("the scope is not over, or not inside the activation");
    }
    let mut last = scope.ended.clone();
    state.core.marking.of_scope(id).for_each(|token| last.union(&token.past));
    let failure = reason.and_then(|reason| reason.failure(state.definition.graph()));
    let activation = activation(state, owner)?;
    let inside = activation.inside.as_mut().filter(|inside| inside.scope == Some(id));
    let inside = inside.ok_or("the activation has another block open")?;
    if activation.progress != Progress::Inside || activation.doomed.is_some() {
        return Err("the activation ends for another reason");
    }
    inside.scope = None;
    let phase = keep_given(inside, last);
    let is_over = match (phase, ends(status)? == Status::Succeeded) {
        (StagePhase::Before | StagePhase::Body, true) => false,
        (_, _) => true,
    };
    // Why the stage has failed, nothing that is done about it changes.
    inside.failure = failure.filter(|_| phase != StagePhase::OnFailure);
    if is_over {
        activation.progress = Progress::CoreEnded;
        let place = (activation.born, owner);
        state.candidates.core_ended.insert(place);
    } else {
        let next = own_work(&state.definition.graph().stage(owner.stage).body);
        self::activation(state, owner)?.progress = next;
        look_inside(state, owner);
    }
    forget(state, id);
    Ok(())
}

/// What a part of the work of an activation has given stays with it, by what that part was.
fn keep_given(inside: &mut Inside, last: Past) -> StagePhase {
    let phase = inside.phase();
    match (phase, inside.phases.as_mut()) {
        (StagePhase::Before, Some(phases)) => phases.before = last,
        (StagePhase::After | StagePhase::OnFailure, Some(phases)) => phases.behind.union(&last),
        (_, _) => inside.last = last,
    }
    phase
}

/// The scope and what lies in it are gone.
pub(super) fn forget(state: &mut State, id: ScopeId) {
    if let Some(scope) = state.core.scopes.remove(&id) {
        state.candidates.over.remove(&(Reverse(scope.depth), id));
    }
    clear(state, id);
}

/// What lies in the scope is gone.
pub(super) fn clear(state: &mut State, id: ScopeId) {
    state.core.marking.drop_scope(id);
    generations::drop_scope(state, id);
    state.candidates.outlooks.forget(id);
    let sweeps = (id, StageIndex::new(0))..=(id, StageIndex::new(u32::MAX));
    state.core.sweeps.extract_if(sweeps, |_, _| true).for_each(drop);
}

/// An activation ends, and with it the scope inside it.
pub(super) fn forget_inside(state: &mut State, inside: Option<&Inside>) -> Fit<()> {
    forget_over(state, inside.and_then(|inside| inside.scope))
}

fn forget_over(state: &mut State, scope: Option<ScopeId>) -> Fit<()> {
    let Some(id) = scope else { return Ok(()) };
    if state.core.scopes.get(&id).is_some_and(|scope| scope.live > 0) {
        return Err("an activation inside it lives");
    }
    forget(state, id);
    Ok(())
}

/// One activation of the scope lives no more.
pub(super) fn one_less(state: &mut State, id: ScopeId) -> Fit<()> {
    let scope = state.core.scopes.get_mut(&id).ok_or("the scope is not open")?;
    scope.live = scope.live.checked_sub(1).ok_or("the scope has no live activation")?;
    if scope.live == 0
        && let Some(owner) = scope.owner
    {
        state.candidates.over.insert((Reverse(scope.depth), id));
        look_inside(state, owner);
        stopping::look(state, owner);
    }
    Ok(())
}

/// The activation and all that lives inside it end as the next thing that happens to them, unless something else ends
/// them already.
pub(super) fn doom(state: &mut State, id: ActivationId, cause: CancelCause) {
    let Some(live) = state.core.live.get(&id) else { return };
    let inside = live.inside.as_ref().and_then(|inside| inside.scope);
    let place = state.nested(id, live);
    mark(state, vec![place], cause);
    if let Some(inside) = inside {
        doom_all(state, inside, cause);
    }
}

/// What lives in these stages of the scope, which are in their order, ends as the next thing that happens to it.
pub(super) fn doom_stages(state: &mut State, scope: ScopeId, stages: &[StageIndex], cause: CancelCause) {
    let doomed: Vec<ActivationId> = stages.iter().flat_map(|stage| state.live_of(scope, *stage)).collect();
    doomed.into_iter().for_each(|id| doom(state, id, cause));
}

/// Everything live in the scope, and in the scopes inside it, ends as the next thing that happens to it.
pub(super) fn doom_all(state: &mut State, scope: ScopeId, cause: CancelCause) {
    let inside = state.live_inside(scope).into_iter();
    let doomed = inside.filter_map(|id| Some(state.nested(id, state.core.live.get(&id)?))).collect();
    mark(state, doomed, cause);
    instances::end_all(state, scope);
}

fn mark(state: &mut State, places: Vec<Nested>, cause: CancelCause) {
    for place in places {
        if let Some(activation) = state.core.live.get_mut(&place.2)
            && activation.doomed.is_none()
        {
            activation.doomed = Some(cause);
            state.candidates.doomed.insert(place);
        }
    }
}
