//! The one match over events: what each fact changes.
//!
//! Records and never thinks: chosen branches, due times and verdicts are in the events, and of the definition it reads
//! sizes and indices only. An event that cannot have happened to this state is a typed error, since it may come from
//! a damaged or foreign log.

mod cancel;
mod child;
mod choice;
mod ending;
mod generations;
mod instances;
mod jumps;
mod locks;
mod pause;
mod regions;
mod rewind;
mod scopes;
mod signals;
mod stopping;
mod tasks;
mod timers;
mod tokens;

use std::sync::Arc;

use crate::definition::{BlockId, Join, Reentry, StagePhase};
use crate::event::{CancelCause, Consumed, Creation, Emitted, EndReason, Event, Json, Stamp};
use crate::failure::Failure;
use crate::ids::{ActivationId, ArcIndex, AttemptId, ScopeId, StageIndex, TaskId};
use crate::status::Status;
use crate::value::Map;

use super::around::Around;
use super::choice::Offer;
use super::ending::Undo;
use super::marking::Token;
use super::outlook::{Place, Waiting};
use super::past::{Ended, Past, Remembered};
use super::state::{Activation, AttemptState, Gate, OpenTask, Phase, Progress, ScopeFailure, StartData, State};
use super::trail::Behind;

/// An event that cannot have happened to the state it was folded into.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event} cannot follow here: {reason}")]
pub struct EvolveError {
    /// Name of the event.
    pub event: &'static str,
    /// What does not fit.
    pub reason: &'static str,
}

/// What does not fit; the caller adds the event's name.
type Fit<T> = Result<T, &'static str>;

/// Moves `state` by one event.
///
/// # Errors
///
/// If the event cannot have happened to this state; the state is then of no further use.
pub fn evolve(state: &mut State, event: &Event) -> Result<(), EvolveError> {
    apply(state, event).map_err(|reason| EvolveError { event: event.name(), reason })?;
    state.core.events += 1;
    Ok(())
}

/// The event may come now; an input is remembered.
fn admit(state: &mut State, event: &Event) -> Fit<()> {
    fits_phase(state, event)?;
    if let Some(stamp) = event.stamp() {
        stamp_input(state, stamp)?;
        state.candidates.last_union.forget();
        // What goes on is what began before.
        if !matches!(event, Event::SettleContinued(_)) {
            state.core.instant_turns = 0;
        }
    }
    Ok(())
}

fn apply(state: &mut State, event: &Event) -> Fit<()> {
    admit(state, event)?;
    match event {
        Event::DefinitionRegistered(..) | Event::LogAccepted(..) => Err("it belongs to another stream"),
        Event::WorkflowCancelRequested(stamp, cancel) => cancel::request(state, stamp, cancel),
        Event::WorkflowCreated(stamp, creation) => create_workflow(state, stamp, creation),
        Event::WorkflowPaused(stamp, request) => pause::pause(state, stamp, request),
        Event::WorkflowResumed(_, resumption) => pause::resume(state, resumption),
        Event::TaskStarted(..)
        | Event::TaskReported(..)
        | Event::TaskAnswered(_)
        | Event::TaskLeaseLost(..)
        | Event::TaskResultDiscarded(..)
        | Event::TaskQueued { .. }
        | Event::TaskRetried { .. }
        | Event::TaskEnded { .. } => tasks::apply(state, event),
        Event::TimerFired(..) | Event::TimerSet { .. } | Event::TimerSetFor { .. } => timers::apply(state, event),
        Event::SettleContinued(_) => go_on(state),
        Event::WorkflowStarted => start_workflow(state),
        Event::WorkflowEnded { status, reason, outputs } => {
            end_workflow(state, *status, reason.clone(), outputs.clone())
        }
        Event::StageReady { activation, scope, consumed } => ready(state, *activation, *scope, consumed),
        Event::StageStarted { activation, scope, consumed } => start_stage(state, *activation, *scope, consumed),
        Event::StageEnded { activation, status, emitted, outputs, error } => {
            end_activation(state, *activation, *status, emitted, outputs.clone(), error.clone())
        }
        Event::StageCanceled { activation, cause, emitted } => cancel::end(state, *activation, *cause, emitted),
        Event::CancelsMarked { by } => cancel::mark(state, *by),
        Event::RegionCanceled { .. } | Event::TokensRemoved { .. } => regions::apply(state, event),
        Event::JumpExecuted { source, arc, rewound } => jumps::leave(state, *source, *arc, rewound.as_deref()),
        Event::SettleDeferred => defer(state),
        Event::TokensLeft { scope, left } => tokens::left(state, *scope, left),
        Event::JoinArrived { .. } | Event::JoinReset { .. } => generations::apply(state, event),
        Event::StageStartRequested(_, request) => choice::request(state, request),
        Event::ChoiceMade { winner, split, withdrawn } => choice::make(state, *winner, *split, withdrawn),
        Event::JoinForced { scope, stage } => force_join(state, *scope, *stage),
        Event::SignalReceived(..)
        | Event::TriggerClosed(..)
        | Event::SignalDelivered { .. }
        | Event::SignalBuffered { .. }
        | Event::SignalDiscarded { .. }
        | Event::StageWaiting { .. }
        | Event::TaskSuspended { .. }
        | Event::SignalsLeft { .. } => signals::apply(state, event),
        Event::ChildStarted { .. }
        | Event::ChildEnded(..)
        | Event::ChildRefused(..)
        | Event::WorkflowClosing { .. }
        | Event::WorkflowClosed => child::apply(state, event),
        Event::ScopeOpened { .. }
        | Event::ScopeClosed { .. }
        | Event::LoopTested { .. }
        | Event::PhaseStarted { .. } => scopes::apply(state, event),
        Event::LockTaken { .. } | Event::LockReleased { .. } => locks::apply(state, event),
        Event::InstancesStarted { .. }
        | Event::InstancesAdded { .. }
        | Event::InstancesAddRequested(..)
        | Event::InstancesCloseRequested(..)
        | Event::InstancesClosed { .. }
        | Event::InstancesCompleteRequested(..)
        | Event::InstancesWithdrawn { .. } => instances::apply(state, event),
        Event::TaskStopped(..) | Event::StageCanceling { .. } => stopping::apply(state, event),
        Event::WorkflowEnding { .. }
        | Event::CompensationStarted { .. }
        | Event::CompensationEnded { .. }
        | Event::FinallyStarted { .. }
        | Event::FinallyEnded { .. }
        | Event::WorkflowCancelForced(..) => ending::apply(state, event),
    }
}

fn create_workflow(state: &mut State, stamp: &Stamp, creation: &Creation) -> Fit<()> {
    if creation.definition != state.definition.hash() {
        return Err("the workflow follows another definition");
    }
    let inputs = creation.inputs.to_map().map_err(|_| "the inputs are no map")?;
    let context = creation.context.to_map().map_err(|_| "the context is no map")?;
    let start = StartData { creation: creation.clone(), at: stamp.now, inputs, context };
    state.core.start = Some(Arc::new(start));
    state.core.phase = Phase::Live;
    Ok(())
}

fn end_workflow(state: &mut State, status: Status, reason: Option<EndReason>, outputs: Option<Json>) -> Fit<()> {
    if !state.core.live.is_empty() {
        return Err("an activation lives");
    }
    let status = ends(status)?;
    if state.doing().is_some() {
        return Err("something is done before the end");
    }
    state.core.timers.clear();
    (state.core.ending, state.core.undo) = (None, Vec::new());
    (state.core.signals, state.core.locks) = (None, None);
    state.core.phase = Phase::Ended { status, reason, outputs };
    state.candidates = super::candidates::Candidates::default();
    Ok(())
}

/// An OR-join is about to start, though something it waits for has not come; what it starts with is told by its start.
fn force_join(state: &State, scope: ScopeId, stage: StageIndex) -> Fit<()> {
    let spec = state.definition.graph().stages.get(stage.index()).ok_or("the definition has no such stage")?;
    let waits = spec.join == Join::Or && state.core.marking.marked(scope, stage) > 0 && state.moves(scope);
    if waits { Ok(()) } else { Err("no OR-join waits there") }
}

/// What can happen at all to a workflow that is so far.
fn fits_phase(state: &State, event: &Event) -> Fit<()> {
    match (&state.core.phase, event) {
        (Phase::New, Event::WorkflowCreated(..)) => Ok(()),
        (Phase::New, _) => Err("the workflow does not exist"),
        (Phase::Live | Phase::Ended { .. }, Event::WorkflowCreated(..)) => Err("the workflow exists already"),
        (
            Phase::Ended { .. },
            Event::TaskResultDiscarded(..)
            | Event::ChildEnded(..)
            | Event::ChildRefused(..)
            | Event::WorkflowClosing { .. }
            | Event::WorkflowClosed,
        ) => Ok(()),
        (Phase::Ended { .. }, _) => Err("the workflow has ended"),
        (Phase::Live, Event::WorkflowCancelRequested(..) | Event::WorkflowCancelForced(..)) => Ok(()),
        (Phase::Live, Event::SettleContinued(_)) if state.core.unsettled => Ok(()),
        (Phase::Live, Event::SettleContinued(_)) => Err("there is nothing to continue"),
        (Phase::Live, _) if state.core.unsettled => Err("settling was put off"),
        (Phase::Live, _) => Ok(()),
    }
}

/// A status that ends something.
fn ends(status: Status) -> Fit<Status> {
    if status.is_complete() { Ok(status) } else { Err("its status is no end") }
}

fn stamp_input(state: &mut State, stamp: &Stamp) -> Fit<()> {
    if stamp.now < state.core.now {
        return Err("its moment lies before that of an earlier input");
    }
    state.core.now = stamp.now;
    if let Some(id) = stamp.command {
        let place = crate::ids::Sequence::new(state.core.events + 1).expect("sequences begin at 1");
        let most = state.definition.limits().commands_remembered;
        state.core.commands.remember(id, place, most);
    }
    Ok(())
}

fn start_workflow(state: &mut State) -> Fit<()> {
    if state.core.started {
        return Err("the workflow has started already");
    }
    state.core.started = true;
    // They were there to begin it.
    state.core.timers.clear();
    state.candidates.starts.extend(state.definition.graph().started_by_signals());
    scopes::put_on_starts(state, ScopeId::ROOT, BlockId::ROOT);
    Ok(())
}

/// An activation begins what its stage does.
fn start_stage(state: &mut State, id: ActivationId, scope: ScopeId, consumed: &Consumed) -> Fit<()> {
    if id.stage.index() >= state.definition.graph().stages.len() {
        return Err("the definition has no such stage");
    }
    let progress = scopes::started(state, id);
    begin(state, id, scope, consumed, progress)?;
    scopes::begin_inside(state, id)
}

fn defer(state: &mut State) -> Fit<()> {
    state.core.unsettled = true;
    Ok(())
}

fn go_on(state: &mut State) -> Fit<()> {
    state.core.unsettled = false;
    Ok(())
}

fn ready(state: &mut State, id: ActivationId, scope: ScopeId, consumed: &Consumed) -> Fit<()> {
    begin(state, id, scope, consumed, Progress::Ready(Gate::Condition))
}

/// Consumes the tokens of a new activation, or takes up one that was ready.
fn begin(state: &mut State, id: ActivationId, scope: ScopeId, consumed: &Consumed, progress: Progress) -> Fit<()> {
    if id.instance.is_some() {
        return Err("an instance consumes no tokens");
    }
    let definition = state.definition.clone();
    let graph = definition.graph();
    let stage = graph.stages.get(id.stage.index()).ok_or("the definition has no such stage")?;
    // What a join that counts has held until now.
    let held = if *consumed == Consumed::Held { generations::fire(state, scope, id)? } else { Vec::new() };
    let tokens = match consumed {
        Consumed::OnePerArc => tokens::take(state, id, scope, &stage.incoming)?,
        Consumed::Arcs(arcs) => tokens::take(state, id, scope, arcs)?,
        Consumed::Ready => return open_gate(state, id, scope, progress),
        Consumed::Held => tokens::take(state, id, scope, &held)?,
        Consumed::Threads(group) => tokens::merge(state, id.stage, scope, *group)?,
        Consumed::Jump { jump, arcs, .. } => tokens::take(state, id, scope, &[arcs.as_slice(), &[*jump]].concat())?,
    };
    let number = state.core.numbers.entry(id.stage).or_default();
    *number += 1;
    if *number != id.number {
        return Err("the activation is not the next of its stage");
    }
    let past = state.candidates.last_union.of(tokens.iter().map(|token| &token.past));
    let depth = tokens.iter().map(|token| token.depth).max().unwrap_or(0);
    let signal = tokens.iter().rev().find_map(|token| token.signal.clone());
    let brought = tokens.iter().rev().find_map(|token| token.jump.clone());
    let thread = tokens::thread_of(&tokens, consumed, stage.join);
    let trail = tokens::trail(state, (id, scope), consumed, (depth, &past, &thread), &tokens);
    let choice = offer(state, id.stage, consumed, &held, &tokens);
    if choice.is_some() && !matches!(progress, Progress::Ready(_)) {
        return Err("what is offered does not start before it is chosen");
    }
    jumps::begin(state, scope, id, consumed, &past)?;
    state.core.scopes.get_mut(&scope).ok_or("the scope is not open")?.live += 1;
    state.core.born += 1;
    let born = state.core.born;
    if let Progress::Ready(_) = progress {
        state.candidates.ready.insert((born, id));
    }
    let depth = depth + 1;
    let mut activation = Activation {
        scope,
        born,
        depth,
        past,
        thread,
        progress,
        doomed: None,
        results: Arc::default(),
        updates: Arc::default(),
        timers: Vec::new(),
        waiting: None,
        held_since: None,
        signal,
        inside: None,
        choice: choice.map(Box::new),
        leaving: None,
        trail,
    };
    if let Some(brought) = brought {
        jumps::arrive(&mut activation, &brought);
    }
    state.begin_to_live(id, activation);
    state.join_section(id, scope);
    state.began(id, scope);
    cancel::withdraw(state, id, scope)
}

/// The choice among whose alternatives an activation is that took these tokens; `held` are the arcs of those that a
/// join had counted.
fn offer(state: &State, stage: StageIndex, consumed: &Consumed, held: &[ArcIndex], tokens: &[Token]) -> Option<Offer> {
    let arcs: &[ArcIndex] = match consumed {
        Consumed::OnePerArc => &state.definition.graph().stage(stage).incoming,
        Consumed::Arcs(arcs) | Consumed::Jump { arcs, .. } => arcs,
        Consumed::Held => held,
        Consumed::Ready | Consumed::Threads(_) => &[],
    };
    arcs.iter().zip(tokens).find_map(|(arc, token)| state.offer_of(*arc, token))
}

/// The gate of a ready activation opens.
fn open_gate(state: &mut State, id: ActivationId, scope: ScopeId, progress: Progress) -> Fit<()> {
    let activation = activation(state, id)?;
    let opens = matches!(&activation.progress, Progress::Ready(gate) if gate.opens());
    if !opens || matches!(progress, Progress::Ready(_)) || activation.scope != scope {
        return Err("the activation does not stand at a gate");
    }
    activation.progress = progress;
    let place = (activation.born, id);
    state.candidates.ready.remove(&place);
    locks::start(state, id, scope, place.0)?;
    state.left_its_gates(id, scope);
    state.moved_on(id, scope);
    timers::pass_gates(state, id)
}

fn remove(state: &mut State, id: ActivationId) -> Fit<Activation> {
    let activation = state.core.live.remove(&id).ok_or("the activation is not live")?;
    let place = (activation.born, id);
    let nested = state.nested(id, &activation);
    state.candidates.inner.remove(&(activation.scope, id));
    state.candidates.doomed.remove(&nested);
    state.candidates.inside.remove(&nested);
    state.candidates.core_ended.remove(&place);
    state.candidates.ready.remove(&place);
    scopes::one_less(state, activation.scope)?;
    scopes::forget_inside(state, activation.inside.as_deref())?;
    timers::drop_all(state, &activation.timers);
    if state.definition.graph().stage(id.stage).reentry == Reentry::Serialize
        && state.core.marking.marked(activation.scope, id.stage) > 0
    {
        state.examine_join(activation.scope, id.stage);
        state.examine_arrival(activation.scope, id.stage);
    }
    if id.instance.is_some() {
        state.candidates.outlooks.left(activation.scope, Place::Stage(id.stage));
    }
    if state.definition.graph().stage(id.stage).join == Join::Or {
        state.candidates.outlooks.changed(Waiting { scope: activation.scope, join: id.stage });
    }
    signals::forget_waiting(state, id, activation.waiting.as_deref());
    if activation.progress == Progress::Ready(Gate::Lock) {
        state.stop_waiting_for_locks(id, activation.scope, activation.born);
    }
    state.leave_section(id, activation.scope);
    if let Progress::Ready(_) = activation.progress {
        state.left_its_gates(id, activation.scope);
    }
    state.moved_on(id, activation.scope);
    Ok(*activation)
}

fn has_phases(activation: &Activation) -> bool {
    activation.inside.as_ref().is_some_and(|inside| inside.phases.is_some())
}

/// May an activation that stands there end so? What it still does is given up.
fn come_to_its_end(state: &mut State, id: ActivationId, activation: &Activation, status: Status) -> Fit<()> {
    match activation.progress {
        Progress::Ready(
            Gate::Condition
            | Gate::Passed
            | Gate::Expired
            | Gate::Triggered
            | Gate::Lock
            | Gate::Milestone
            | Gate::MilestoneAgain,
        )
        | Progress::Turning
        | Progress::CoreEnded
        | Progress::Overdue
        | Progress::Instances
            if activation.doomed.is_none() => {}
        Progress::Between { .. } if activation.leaving.is_some() => {}
        // There was no room for what is done before its tasks.
        Progress::Between { next } if next.index() == 0 && status.is_halt() && has_phases(activation) => {}
        // Control cannot go on behind it, though its region says that it does.
        ref progress if matches!(activation.doomed, Some(CancelCause::Region { .. })) && status.is_halt() => {
            if let Progress::Open(open) = progress {
                give_up(state, id, open);
            }
        }
        Progress::Ready(_)
        | Progress::Turning
        | Progress::CoreEnded
        | Progress::Overdue
        | Progress::Between { .. }
        | Progress::Open(_)
        | Progress::Inside
        | Progress::Canceling(_)
        | Progress::Instances => return Err("the activation is not at its end"),
    }
    Ok(())
}

fn end_activation(
    state: &mut State,
    id: ActivationId,
    status: Status,
    emitted: &Emitted,
    outputs: Option<Json>,
    error: Option<Failure>,
) -> Fit<()> {
    let activation = remove(state, id)?;
    come_to_its_end(state, id, &activation, status)?;
    let (scope, depth, status) = (activation.scope, activation.depth, ends(status)?);
    if id.instance.is_some() {
        let stopped = instances::stopped_on_its_way(state, id, &activation, status);
        let given = instances::Given { status, outputs, error };
        let way = instances::end_one(state, id, activation, given)?;
        if let Some(task) = stopped {
            state.core.scopes.get_mut(&scope).ok_or("the scope is not open")?.stopped.push((id, task));
            state.reconsider_all(scope);
        }
        return match way {
            Some(behind) => tokens::emit(state, id, scope, emitted, behind),
            None if *emitted == Emitted::Nothing => Ok(()),
            None => Err("the instance emits no tokens"),
        };
    }
    let taken = instances::end_owner(state, id, activation.doomed);
    state.completed(id, scope, status);
    let tasks = Arc::unwrap_or_clone(activation.results);
    let of_task = tasks.iter().find(|result| result.status == Status::Stopped).and_then(|result| result.task);
    let stopped = of_task.or(taken.as_ref().and_then(|taken| taken.stopped));
    let (keys, instances) = (Remembered::default(), taken.map(|taken| taken.gathered));
    let line = state.line_of(id, &activation.past);
    let (error, inside, behind) = match activation.inside {
        Some(inside) => (error.or(inside.failure.clone()), inside.given(), inside.given_behind()),
        None => (error, Past::empty(), Past::empty()),
    };
    let ended = Ended { activation: id, depth, status, tasks, inside, behind, outputs, error, instances, line, keys };
    let ended = Arc::new(ended);
    let mut past = activation.past;
    past.insert(Arc::clone(&ended));
    let goes_back = activation.leaving.as_ref().is_some_and(|leaving| leaving.back.is_some());
    if status == Status::Succeeded && !goes_back {
        remember_to_undo(state, (id, scope), &past, &activation.updates);
    }
    let leaving = activation.leaving.filter(|_| tokens::may_jump(state.definition.graph(), emitted));
    let jumps = leaving.is_some();
    let behind = Behind { depth, past, thread: activation.thread, trail: activation.trail };
    match leaving {
        Some(leaving) => tokens::emit_jump(state, id, scope, emitted, behind, *leaving)?,
        None => tokens::emit(state, id, scope, emitted, behind)?,
    }
    let scope_state = state.core.scopes.get_mut(&scope).ok_or("the scope is not open")?;
    if status == Status::Stopped {
        scope_state.stopped.push((id, stopped));
        state.reconsider_all(scope);
    }
    let scope_state = state.core.scopes.get_mut(&scope).ok_or("the scope is not open")?;
    if status == Status::Terminal {
        if scope_state.failed.is_none() {
            scope_state.failed = Some(ScopeFailure::Activation(id, ended.failure().cloned()));
        }
        scopes::doom_all(state, scope, CancelCause::ScopeFailed);
    }
    // Who jumps leaves the rest of its work, and does not end anything else.
    if status == Status::Succeeded && !jumps {
        cancel::close(state, id, scope);
    }
    Ok(())
}

/// An activation has succeeded: if its stage says how its work is undone, it may have to be.
fn remember_to_undo(state: &mut State, (id, scope): (ActivationId, ScopeId), past: &Past, updates: &Arc<Map>) {
    if !state.definition.graph().has_phase(id.stage, StagePhase::Compensate) {
        return;
    }
    let around = Around {
        owner: id,
        since: state.core.now,
        past: past.clone(),
        results: Arc::default(),
        updates: Arc::clone(updates),
        turn: None,
        outer: state.core.scopes.get(&scope).and_then(|scope| scope.around.clone()),
    };
    state.core.undo.push(Undo { around });
}

/// Nobody waits for the open task of an activation any more.
fn give_up(state: &mut State, id: ActivationId, open: &OpenTask) {
    let attempt = AttemptId { task: TaskId { activation: id, task: open.task }, dispatch: open.dispatch };
    match open.attempt {
        // A worker may have begun an attempt whose start is not recorded, unless it is not due yet.
        AttemptState::Queued { due: Some(due) } if due > state.core.now => (),
        AttemptState::Queued { .. } if state.is_by_hand(attempt.task) => (),
        AttemptState::Queued { .. } | AttemptState::Started => {
            state.core.fenced.insert(attempt);
        }
        AttemptState::Waiting { timer } => {
            state.core.timers.remove(&timer);
        }
        AttemptState::Calling { child } => child::leave(state, child),
        AttemptState::Reported(_) | AttemptState::Lost | AttemptState::Woken | AttemptState::Suspended => (),
    }
}

fn activation(state: &mut State, id: ActivationId) -> Fit<&mut Activation> {
    let live = state.core.live.get_mut(&id).ok_or("the activation is not live")?;
    Ok(live)
}

fn open_task(state: &mut State, task: TaskId) -> Fit<&mut OpenTask> {
    match &mut activation(state, task.activation)?.progress {
        Progress::Open(open) if open.task == task.task => Ok(open),
        Progress::Open(_)
        | Progress::Ready(_)
        | Progress::Between { .. }
        | Progress::Turning
        | Progress::Inside
        | Progress::CoreEnded
        | Progress::Overdue
        | Progress::Canceling(_)
        | Progress::Instances => Err("the task is not open"),
    }
}

/// The open task whose newest attempt is this one.
fn awaited(state: &mut State, attempt: AttemptId) -> Fit<&mut OpenTask> {
    let open = open_task(state, attempt.task)?;
    if open.dispatch == attempt.dispatch { Ok(open) } else { Err("the attempt is not awaited") }
}
