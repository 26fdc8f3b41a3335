//! What it changes that a signal comes, is kept, taken or lost, and that somebody waits for one.

use std::sync::Arc;

use crate::event::{Actor, CancelCause, Event, HeldBy, Report, SignalMessage, SignalRecipient, SignalTarget};
use crate::ids::{ActivationId, ScopeId, Sequence, StageIndex, TaskId};
use crate::machine::marking::Token;
use crate::machine::past::Past;
use crate::machine::signals::{GivenSignal, KeptSignal, SignalWait};
use crate::machine::state::{AttemptState, Gate, Progress, State};

use super::scopes::doom;
use super::{Fit, activation, instances, open_task, tasks::leave_updates};

/// What an event about signals and triggers changes.
#[expect(clippy::wildcard_enum_match_arm, reason = "whoever calls this has named the others")]
pub(super) fn apply(state: &mut State, event: &Event) -> Fit<()> {
    match event {
        Event::SignalReceived(stamp, message) => receive(state, message, &stamp.actor),
        Event::TriggerClosed(_, closing) => close(state, closing.stage),
        Event::SignalDelivered { signal, to } => deliver(state, *signal, *to),
        Event::SignalBuffered { signal } => buffer(state, *signal),
        Event::SignalDiscarded { signal } => discard(state, *signal),
        Event::StageWaiting { activation, gate } => wait_at(state, *activation, *gate),
        Event::TaskSuspended { task } => suspend(state, *task),
        Event::SignalsLeft { signals } => left(state, signals),
        _ => Err("it is not about a signal"),
    }
}

/// A signal has come. Until what becomes of it is said it is kept.
fn receive(state: &mut State, message: &SignalMessage, actor: &Actor) -> Fit<()> {
    let sequence = Sequence::new(state.core.events + 1).expect("sequences begin at 1");
    let most = state.definition.limits().signals.remembered;
    let signals = state.signals_mut();
    if let Some(id) = &message.id {
        signals.remember(id, sequence, most);
    }
    signals.kept.insert(sequence, KeptSignal::of(message, actor));
    Ok(())
}

/// It stays with those that are kept.
fn buffer(state: &State, signal: Sequence) -> Fit<()> {
    let is_kept = state.core.signals.as_ref().is_some_and(|signals| signals.kept.contains_key(&signal));
    if is_kept { Ok(()) } else { Err("no such signal is kept") }
}

/// It is kept no more.
fn discard(state: &mut State, signal: Sequence) -> Fit<()> {
    take(state, signal)?;
    state.trim_signals();
    Ok(())
}

fn take(state: &mut State, signal: Sequence) -> Fit<Arc<GivenSignal>> {
    let signals = state.core.signals.as_mut().ok_or("no signal is kept")?;
    signals.kept.remove(&signal).map(|kept| kept.given).ok_or("no such signal is kept")
}

/// The signals that are left when the workflow ends: they go with it.
fn left(state: &State, left: &[Sequence]) -> Fit<()> {
    if !state.core.live.is_empty() {
        return Err("an activation lives");
    }
    left.iter().try_for_each(|signal| buffer(state, *signal))
}

/// Somebody takes a signal.
fn deliver(state: &mut State, signal: Sequence, to: SignalRecipient) -> Fit<()> {
    let target = state.core.signals.as_ref().and_then(|signals| signals.kept.get(&signal)).map(|kept| kept.target);
    let given = take(state, signal)?;
    match to {
        SignalRecipient::Boundary(id) => end_by(state, id, target)?,
        SignalRecipient::Trigger(id) => pass_trigger(state, id, given)?,
        SignalRecipient::Task(task) => wake(state, task, given)?,
        SignalRecipient::Start(stage) => start(state, stage, given)?,
        SignalRecipient::Instances(id) => instances::take_signal(state, id)?,
    }
    state.trim_signals();
    Ok(())
}

/// A signal ends an activation, and with it whatever else lives of its stage there, unless it is for one of them.
fn end_by(state: &mut State, id: ActivationId, target: Option<SignalTarget>) -> Fit<()> {
    let scope = state.core.live.get(&id).ok_or("the activation is not live")?.scope;
    let ended: Vec<ActivationId> = match target {
        Some(SignalTarget::Activation(_)) => vec![id],
        Some(SignalTarget::Workflow | SignalTarget::Stage(_)) | None => {
            state.live_of(scope, id.stage).filter(|id| id.instance.is_none()).collect()
        }
    };
    ended.into_iter().for_each(|id| doom(state, id, CancelCause::Signal));
    Ok(())
}

/// The trigger of a ready activation has come, whether it waited there or just arrived at it.
fn pass_trigger(state: &mut State, id: ActivationId, given: Arc<GivenSignal>) -> Fit<()> {
    stop_waiting(state, id);
    let activation = activation(state, id)?;
    match activation.progress {
        Progress::Ready(Gate::Condition | Gate::Passed | Gate::Trigger | Gate::Milestone) => (),
        Progress::Ready(_)
        | Progress::Between { .. }
        | Progress::Open(_)
        | Progress::Turning
        | Progress::Inside
        | Progress::CoreEnded
        | Progress::Overdue
        | Progress::Canceling(_)
        | Progress::Instances => return Err("the activation waits for no trigger"),
    }
    activation.progress = Progress::Ready(Gate::Triggered);
    activation.signal = Some(given);
    let place = (activation.born, id);
    state.candidates.ready.insert(place);
    Ok(())
}

/// The signal has come for which a task was suspended; its next attempt follows.
fn wake(state: &mut State, task: TaskId, given: Arc<GivenSignal>) -> Fit<()> {
    stop_waiting(state, task.activation);
    let open = open_task(state, task)?;
    if open.attempt != AttemptState::Suspended {
        return Err("the task is not suspended");
    }
    open.attempt = AttemptState::Woken;
    let live = activation(state, task.activation)?;
    live.signal = Some(given);
    let scope = live.scope;
    state.moved_on(task.activation, scope);
    Ok(())
}

/// A thread begins: a token lies before the stage.
fn start(state: &mut State, stage: StageIndex, given: Arc<GivenSignal>) -> Fit<()> {
    let definition = state.definition.clone();
    let graph = definition.graph();
    if stage.index() >= graph.stages.len() || !state.is_open_start(stage) {
        return Err("no signal starts the stage");
    }
    let arc = *graph.stage(stage).incoming.first().ok_or("no arc leads to the stage")?;
    let mut token = Token::new(0, Past::empty(), crate::machine::threads::Thread::default(), state.core.now);
    token.signal = Some(given);
    super::tokens::put(state, ScopeId::ROOT, arc, token);
    Ok(())
}

/// Signals start the stage no more.
fn close(state: &mut State, stage: StageIndex) -> Fit<()> {
    if stage.index() >= state.definition.graph().stages.len() || !state.is_open_start(stage) {
        return Err("no signal starts the stage");
    }
    state.signals_mut().closed.insert(stage);
    // What counts arrivals may have waited for another one from there.
    state.candidates.outlooks.forget(ScopeId::ROOT);
    state.candidates.starts.remove(&stage);
    state.look_at_all_milestones(ScopeId::ROOT);
    Ok(())
}

/// The gates of a ready activation are passed as far as this one.
fn wait_at(state: &mut State, id: ActivationId, gate: HeldBy) -> Fit<()> {
    let definition = state.definition.clone();
    let stage = definition.graph().stages.get(id.stage.index()).ok_or("the definition has no such stage")?;
    let now = state.core.now;
    let activation = activation(state, id)?;
    let before = match (gate, &activation.progress) {
        (HeldBy::Trigger, Progress::Ready(Gate::Condition | Gate::Passed | Gate::Milestone)) => {
            stage.signal_trigger().is_some()
        }
        (HeldBy::Milestone, Progress::Ready(gate)) if gate.opens() => stage.milestone.is_some(),
        (HeldBy::Lock, Progress::Ready(Gate::Lock)) => false,
        (HeldBy::Lock, Progress::Ready(gate)) if gate.opens() => !stage.locks().is_empty(),
        (HeldBy::Choice, Progress::Ready(Gate::Condition | Gate::Passed)) => activation.choice.is_some(),
        (HeldBy::Trigger | HeldBy::Lock | HeldBy::Choice | HeldBy::Milestone, _) => false,
    };
    if !before {
        return Err("the activation does not stand before the gate");
    }
    let (place, scope) = ((activation.born, id), activation.scope);
    activation.held_since = (gate == HeldBy::Milestone).then_some(now);
    let was = std::mem::replace(&mut activation.progress, Progress::Ready(Gate::Condition));
    activation.progress = match (gate, &was) {
        (HeldBy::Trigger, _) => Progress::Ready(Gate::Trigger),
        (HeldBy::Lock, _) => Progress::Ready(Gate::Lock),
        (HeldBy::Choice, _) => Progress::Ready(Gate::Choice),
        (HeldBy::Milestone, Progress::Ready(Gate::Condition | Gate::Passed)) => Progress::Ready(Gate::Milestone),
        (HeldBy::Milestone, _) => Progress::Ready(Gate::MilestoneAgain),
    };
    state.candidates.ready.remove(&place);
    if was == Progress::Ready(Gate::Lock) {
        state.stop_waiting_for_locks(id, scope, place.0);
    }
    match (gate, stage.signal_trigger()) {
        (HeldBy::Trigger, Some(trigger)) => begin_to_wait(state, id, vec![trigger.signal.clone()]),
        (HeldBy::Trigger, None) => Err("the stage has no such gate"),
        (HeldBy::Lock, _) => {
            state.wait_for_locks(id);
            Ok(())
        }
        (HeldBy::Choice, _) => Ok(()),
        (HeldBy::Milestone, _) => {
            state.candidates.outlooks.held(scope);
            state.look_at_all_milestones(scope);
            Ok(())
        }
    }
}

/// A task is suspended until one of the signals comes that its report names.
fn suspend(state: &mut State, task: TaskId) -> Fit<()> {
    let told = if let AttemptState::Reported(told) = &open_task(state, task)?.attempt { Some(told) } else { None };
    let asked =
        told.and_then(|told| if let Report::Suspended { signals } = &told.report { Some(signals) } else { None });
    let names = asked.ok_or("the task did not ask for a signal")?.clone();
    leave_updates(state, task)?;
    let now = state.core.now;
    let open = open_task(state, task)?;
    open.attempt = AttemptState::Suspended;
    open.changed = now;
    let scope = activation(state, task.activation)?.scope;
    state.moved_on(task.activation, scope);
    begin_to_wait(state, task.activation, names)
}

/// The activation waits for these signals, and no others; it keeps its place among those who wait.
pub(super) fn wait_for(state: &mut State, id: ActivationId, names: Vec<String>) -> Fit<()> {
    let place = state.wait_of(id).map(|wait| (wait.order, wait.since));
    stop_waiting(state, id);
    if names.is_empty() {
        return Ok(());
    }
    let (order, since) = place.unwrap_or((state.core.events + 1, state.core.now));
    let wait = SignalWait { order, since, names };
    state.signals_mut().add_waiting(id, &wait);
    activation(state, id)?.waiting = Some(Box::new(wait));
    Ok(())
}

fn begin_to_wait(state: &mut State, id: ActivationId, names: Vec<String>) -> Fit<()> {
    let wait = SignalWait { order: state.core.events + 1, since: state.core.now, names };
    state.signals_mut().add_waiting(id, &wait);
    activation(state, id)?.waiting = Some(Box::new(wait));
    Ok(())
}

/// The activation waits for no signal any more, if it did.
pub(super) fn stop_waiting(state: &mut State, id: ActivationId) {
    let wait = state.core.live.get_mut(&id).and_then(|activation| activation.waiting.take());
    forget_waiting(state, id, wait.as_deref());
}

/// The same for one that is live no more.
pub(super) fn forget_waiting(state: &mut State, id: ActivationId, wait: Option<&SignalWait>) {
    if let (Some(wait), Some(signals)) = (wait, state.core.signals.as_mut()) {
        signals.remove_waiting(id, wait);
        state.trim_signals();
    }
}
