//! Tokens: how they come to lie on arcs, and who takes them.

use std::sync::Arc;

use crate::definition::{ArcKind, Graph, GraphArc, Join, Split};
use crate::event::{Consumed, Emitted, LeftTokens};
use crate::ids::{ActivationId, ArcIndex, ScopeId, StageIndex};
use crate::machine::marking::{Marking, Token};
use crate::machine::outlook::{Place, Waiting};
use crate::machine::past::Past;
use crate::machine::state::{Brought, Leaving, State};
use crate::machine::threads::Thread;
use crate::machine::trail::{Behind, Taken, Trail};

use super::{Fit, regions};

/// Tokens that are left stay where they are.
pub(super) fn left(state: &State, scope: ScopeId, left: &[LeftTokens]) -> Fit<()> {
    if state.core.scopes.get(&scope).is_none_or(|scope| scope.live > 0) {
        return Err("an activation lives, or the scope is not open");
    }
    let lies = |left: &LeftTokens| state.core.marking.lying(scope, left.arc) == left.tokens as usize;
    if left.iter().all(lies) { Ok(()) } else { Err("so many tokens do not lie there") }
}

/// An activation that has ended emits, on each arc as many tokens as its split says.
pub(super) fn emit(state: &mut State, id: ActivationId, scope: ScopeId, emitted: &Emitted, behind: Behind) -> Fit<()> {
    let stage = state.definition.graph().stages.get(id.stage.index()).ok_or("the definition has no such stage")?;
    let threads = match stage.split {
        Split::Thread { count } => (0..count).map(|index| behind.thread.split(id, index)).collect(),
        Split::And | Split::Xor { .. } | Split::Or { .. } | Split::Deferred => vec![behind.thread.clone()],
    };
    emit_threads(state, id, scope, emitted, (behind, &threads), None)
}

/// An activation that was canceled emits one token on each arc.
pub(super) fn emit_one_each(
    state: &mut State,
    id: ActivationId,
    scope: ScopeId,
    emitted: &Emitted,
    behind: Behind,
) -> Fit<()> {
    let thread = behind.thread.clone();
    emit_threads(state, id, scope, emitted, (behind, &[thread]), None)
}

/// An activation that jumps emits one token, which takes this along.
pub(super) fn emit_jump(
    state: &mut State,
    id: ActivationId,
    scope: ScopeId,
    emitted: &Emitted,
    behind: Behind,
    leaving: Leaving,
) -> Fit<()> {
    let behind = leaving.back.unwrap_or(behind);
    let thread = behind.thread.clone();
    emit_threads(state, id, scope, emitted, (behind, &[thread]), Some(leaving.brought))
}

/// Is this what an activation may emit that leaves by a jump? If its end came to be without the jump, as no history
/// that was decided has it, it emits like any other.
pub(super) fn may_jump(graph: &Graph, emitted: &Emitted) -> bool {
    let is_jump = |arc: &ArcIndex| graph.arcs.get(arc.index()).is_some_and(|way| way.kind == ArcKind::Jump);
    match emitted {
        Emitted::Nothing => true,
        Emitted::Arcs(arcs) => arcs.iter().any(is_jump),
        Emitted::All => false,
    }
}

fn emit_threads(
    state: &mut State,
    id: ActivationId,
    scope: ScopeId,
    emitted: &Emitted,
    (behind, threads): (Behind, &[Thread]),
    jump: Option<Arc<Brought>>,
) -> Fit<()> {
    let definition = state.definition.clone();
    let graph = definition.graph();
    let stage = graph.stages.get(id.stage.index()).ok_or("the definition has no such stage")?;
    let arcs: &[ArcIndex] = match emitted {
        Emitted::All => &stage.outgoing,
        Emitted::Arcs(arcs) => arcs,
        Emitted::Nothing => &[],
    };
    move_on(state, id, scope, arcs, threads.len());
    if arcs.is_empty() {
        state.end_thread(scope, &behind.past, behind.trail.as_ref());
        return Ok(());
    }
    if !arcs.is_sorted_by(|one, next| one < next) {
        return Err("the arcs it emitted to are not in their order");
    }
    for arc in arcs {
        let way = match graph.arcs.get(arc.index()) {
            Some(way) if way.from == Some(id.stage) || graph.may_jump(id.stage, *way) => way,
            Some(_) | None => return Err("the emitted token lies on no arc from the stage"),
        };
        if (way.kind == ArcKind::Jump) != jump.is_some() {
            return Err("a token lies on the arc of a jump if it jumps");
        }
        count_iteration(state, scope, *arc, way)?;
        for thread in threads {
            let token = Token::new(behind.depth, behind.past.clone(), thread.clone(), state.core.now);
            put(state, scope, *arc, Token { jump: jump.clone(), trail: behind.trail.clone(), ..token });
        }
        regions::arrive(state, scope, way.to);
    }
    Ok(())
}

/// An activation has ended: where somebody waits for what comes from it, that is on its way now, or will not come.
fn move_on(state: &mut State, id: ActivationId, scope: ScopeId, arcs: &[ArcIndex], n_threads: usize) {
    let stage = state.definition.graph().stage(id.stage);
    let has_other_ways = stage.cancellation.path.is_some() || !stage.jumps.is_empty() || stage.jumps_anywhere;
    let outlooks = &mut state.candidates.outlooks;
    match arcs {
        [only] if stage.outgoing.len() == 1 && !has_other_ways && n_threads == 1 && id.instance.is_none() => {
            let to = state.definition.graph().arc(*only).to;
            outlooks.moved(scope, Place::Stage(id.stage), Place::Arc(*only), Some(to));
        }
        _ => outlooks.left(scope, Place::Stage(id.stage)),
    }
    // Not every arc that might have received a token has: that of a cancellation and those of jumps are among them.
    if arcs.len() < stage.outgoing.len() || has_other_ways {
        outlooks.chosen(scope, id.stage);
    }
}

/// A token comes over an arc, which may lead back or have a limit.
fn count_iteration(state: &mut State, scope: ScopeId, arc: ArcIndex, way: &GraphArc) -> Fit<()> {
    match way.kind {
        // Each jump is told from outside.
        ArcKind::Forward | ArcKind::Cancelled | ArcKind::Jump => (),
        ArcKind::Back => state.core.instant_turns += 1,
    }
    if way.max_iterations.is_some() {
        let scope = state.core.scopes.get_mut(&scope).ok_or("the scope is not open")?;
        *scope.iterations.entry(arc).or_default() += 1;
    }
    Ok(())
}

/// A new token comes to lie on `arc`, whose stage may have news by it.
pub(super) fn put(state: &mut State, scope: ScopeId, arc: ArcIndex, token: Token) {
    lay(state, scope, arc, token, Marking::produce);
}

/// A token that was consumed comes to lie on `arc` again, before all that lie there, as a new one.
pub(super) fn put_first(state: &mut State, scope: ScopeId, arc: ArcIndex, token: Token) {
    let to = state.definition.graph().arc(arc).to;
    lay(state, scope, arc, token, Marking::produce_first);
    regions::arrive(state, scope, to);
}

fn lay(
    state: &mut State,
    scope: ScopeId,
    arc: ArcIndex,
    token: Token,
    produce: fn(&mut Marking, &Graph, ScopeId, ArcIndex, Token),
) {
    let definition = state.definition.clone();
    let graph = definition.graph();
    let to = graph.arc(arc).to;
    let jumps = token.jump.is_some();
    if jumps || state.core.scopes.get(&scope).is_some_and(|scope| scope.absorbing.contains_key(&to)) {
        state.examine_arrival(scope, to);
    }
    if jumps {
        return produce(&mut state.core.marking, graph, scope, arc, token);
    }
    if graph.stage(to).generations.is_some() {
        state.candidates.arrivals.insert((scope, to, arc));
    }
    if graph.stage(to).merge_count.is_some() {
        state.candidates.merges.insert((scope, to, token.thread.group()));
    }
    produce(&mut state.core.marking, graph, scope, arc, token);
    if graph.stage(to).join == Join::Or && state.core.marking.lying(scope, arc) == 1 {
        state.candidates.outlooks.seen(Waiting { scope, join: to }, arc);
    } else {
        state.examine_join(scope, to);
    }
}

/// An activation has taken its tokens. Where they came from several arcs, it may not start as often as hoped; where it
/// has an OR-join, what is left before that is looked at anew.
fn gathered(state: &mut State, scope: ScopeId, stage: StageIndex, n_arcs: usize) {
    if n_arcs > 1 {
        state.candidates.outlooks.gathered(scope, stage);
    }
    if state.definition.graph().stage(stage).join == Join::Or {
        state.candidates.outlooks.changed(Waiting { scope, join: stage });
    }
}

/// What a rewind needs to know of an activation that begins with these tokens; a generation that it began remembers
/// them, too.
pub(super) fn trail(
    state: &mut State,
    (id, scope): (ActivationId, ScopeId),
    consumed: &Consumed,
    (depth, past, thread): (u32, &Past, &Thread),
    tokens: &[Token],
) -> Option<Arc<Trail>> {
    if !state.rewinds() {
        return None;
    }
    let graph = state.definition.graph();
    let incoming = graph.stages.get(id.stage.index()).map_or(&[][..], |stage| &stage.incoming);
    let record = state.core.joins.get(&(scope, id.stage));
    let arcs: Vec<ArcIndex> = match consumed {
        Consumed::OnePerArc => incoming.to_vec(),
        Consumed::Arcs(arcs) => arcs.clone(),
        Consumed::Jump { jump, arcs, .. } => arcs.iter().copied().chain([*jump]).collect(),
        Consumed::Held => record.map(|record| record.seen.iter().copied().collect()).unwrap_or_default(),
        Consumed::Threads(_) => incoming.iter().copied().cycle().take(tokens.len()).collect(),
        Consumed::Ready => Vec::new(),
    };
    // Of the target of a jump everything: the token of the jump stands for it.
    let is_remembered = tokens.len() > 1 || graph.rewound_to().contains(&id.stage);
    let consumed_tokens = arcs.into_iter().zip(tokens).filter(|_| is_remembered);
    let taken: Vec<Taken> = consumed_tokens.flat_map(|(arc, token)| Taken::all_of(arc, token, id.stage)).collect();
    if let (Consumed::Held, Some(record)) = (consumed, state.core.joins.get_mut(&(scope, id.stage))) {
        record.arrived = record.seen.iter().zip(tokens).map(|(arc, token)| Taken::of(*arc, token)).collect();
        record.held = u32::try_from(record.arrived.len()).unwrap_or(u32::MAX);
    }
    Some(Arc::new(Trail::begun((id, depth, thread), past, taken, tokens)))
}

/// The thread of what consumed these tokens.
pub(super) fn thread_of(tokens: &[Token], consumed: &Consumed, join: Join) -> Thread {
    let thread = |token: Option<&Token>| token.map(|token| token.thread.clone()).unwrap_or_default();
    let first = thread(tokens.first());
    match consumed {
        Consumed::Threads(_) => first.merged(),
        // What waits there may be of any thread; the token of the jump is the last.
        Consumed::Jump { .. } if join == Join::ThreadMerge => thread(tokens.last()),
        Consumed::OnePerArc | Consumed::Arcs(_) | Consumed::Ready | Consumed::Held | Consumed::Jump { .. } => {
            tokens.iter().skip(1).fold(first, |common, token| common.common(&token.thread))
        }
    }
}

/// The tokens that an activation takes from these arcs, the oldest of each.
pub(super) fn take(state: &mut State, id: ActivationId, scope: ScopeId, arcs: &[ArcIndex]) -> Fit<Vec<Token>> {
    if arcs.is_empty() || !arcs.is_sorted_by(|one, next| one < next) {
        return Err("the arcs it consumed from are not in their order");
    }
    let definition = state.definition.clone();
    let graph = definition.graph();
    let mut tokens = Vec::with_capacity(arcs.len());
    for arc in arcs {
        if graph.arcs.get(arc.index()).is_none_or(|arc| arc.to != id.stage) {
            return Err("the consumed token lies on no arc to the stage");
        }
        tokens.push(state.core.marking.consume(graph, scope, *arc).ok_or("the arc holds no token")?);
        let place = Place::Arc(*arc);
        if arcs.len() == 1 && graph.stage(id.stage).generations.is_none() {
            state.candidates.outlooks.moved(scope, place, Place::Stage(id.stage), None);
        } else {
            state.candidates.outlooks.left(scope, place);
        }
    }
    gathered(state, scope, id.stage, arcs.len());
    Ok(tokens)
}

/// The threads that become one.
pub(super) fn merge(
    state: &mut State,
    stage: StageIndex,
    scope: ScopeId,
    group: Option<ActivationId>,
) -> Fit<Vec<Token>> {
    let definition = state.definition.clone();
    let graph = definition.graph();
    let spec = graph.stages.get(stage.index()).ok_or("the definition has no such stage")?;
    state.candidates.outlooks.forget(scope);
    let (Some(count), [arc]) = (spec.merge_count, spec.incoming.as_slice()) else {
        return Err("the join merges no threads");
    };
    // What is left of the group may be enough for another.
    state.candidates.merges.insert((scope, stage, group));
    state.examine_join(scope, stage);
    state.core.marking.consume_threads(graph, (scope, *arc), group, count).ok_or("there are too few threads")
}
