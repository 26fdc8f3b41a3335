//! What it changes that a timer is set, fires, or ends with what it was set for.

#![allow(clippy::wildcard_enum_match_arm, reason = "one match leads here, with these events")]

use crate::event::{CancelCause, Event, TimerId, TimerOwner, TimerPurpose};
use crate::ids::{ActivationId, ScopeId, TaskId};
use crate::machine::state::{AttemptState, Gate, Progress, ScopeFailure, State, Timer, TimerOf};
use crate::time::Timestamp;

use super::scopes::{doom, doom_all};
use super::{Fit, activation, give_up, open_task, signals, stopping, tasks};

/// What concerns timers.
pub(super) fn apply(state: &mut State, event: &Event) -> Fit<()> {
    match event {
        Event::TimerFired(_, timer) => fire(state, *timer),
        Event::TimerSet { timer, due, task } => set(state, *timer, *due, *task),
        Event::TimerSetFor { timer, due, owner, purpose } => set_for(state, *timer, *due, *owner, *purpose),
        _ => Err("it is about no timer"),
    }
}

/// A task asked to be called again.
fn set(state: &mut State, timer: TimerId, due: Timestamp, task: TaskId) -> Fit<()> {
    is_next(state, timer)?;
    if !matches!(open_task(state, task)?.attempt, AttemptState::Reported(_)) {
        return Err("the task did not ask for a timer");
    }
    tasks::leave_updates(state, task)?;
    let now = state.core.now;
    let open = open_task(state, task)?;
    open.attempt = AttemptState::Waiting { timer };
    open.changed = now;
    keep(state, timer, due, TimerOf::Task(task));
    Ok(())
}

/// A timer is set for the workflow or an activation.
fn set_for(state: &mut State, timer: TimerId, due: Timestamp, owner: TimerOwner, purpose: TimerPurpose) -> Fit<()> {
    is_next(state, timer)?;
    let of = TimerOf::Owner(owner, purpose);
    match owner {
        TimerOwner::Workflow => {
            let is_its_own =
                matches!(purpose, TimerPurpose::ScheduledTime | TimerPurpose::StartTimeExpiry | TimerPurpose::Deadline);
            if !is_its_own || state.has_started() != (purpose == TimerPurpose::Deadline) {
                return Err("the workflow does not stand where such a timer is set");
            }
            if state.core.timers.values().any(|set| set.of == of) {
                return Err("the workflow has such a timer");
            }
        }
        TimerOwner::Activation(id) => guard(state, id, timer, purpose)?,
    }
    keep(state, timer, due, of);
    Ok(())
}

/// The activation has one more timer, where such a one is set.
fn guard(state: &mut State, id: ActivationId, timer: TimerId, purpose: TimerPurpose) -> Fit<()> {
    let known = &state.core.live.get(&id).ok_or("the activation is not live")?.timers;
    let of = TimerOf::Owner(TimerOwner::Activation(id), purpose);
    if known.iter().any(|known| state.core.timers.get(known).is_some_and(|set| set.of == of)) {
        return Err("the activation has such a timer");
    }
    let activation = activation(state, id)?;
    match (purpose, &activation.progress) {
        (TimerPurpose::ScheduledTime, Progress::Ready(Gate::Condition)) => {
            activation.progress = Progress::Ready(Gate::Scheduled);
            activation.timers.push(timer);
            let place = (activation.born, id);
            state.candidates.ready.remove(&place);
        }
        (
            TimerPurpose::StartTimeExpiry,
            Progress::Ready(Gate::Scheduled | Gate::Trigger | Gate::Lock | Gate::Milestone | Gate::MilestoneAgain),
        )
        | (TimerPurpose::Deadline, Progress::Between { .. } | Progress::Turning | Progress::Instances)
        | (
            TimerPurpose::CancelOn,
            Progress::Ready(Gate::Condition) | Progress::Between { .. } | Progress::Turning | Progress::Instances,
        )
        | (TimerPurpose::CancelInstances | TimerPurpose::CompleteInstances, Progress::Instances)
        | (TimerPurpose::CancelTimeout, Progress::Canceling(Some(_))) => {
            activation.timers.push(timer);
        }
        (TimerPurpose::Trigger, Progress::Ready(Gate::Condition | Gate::Passed | Gate::Milestone)) => {
            activation.progress = Progress::Ready(Gate::Trigger);
            activation.timers.push(timer);
            let place = (activation.born, id);
            state.candidates.ready.remove(&place);
        }
        (
            TimerPurpose::ScheduledTime
            | TimerPurpose::StartTimeExpiry
            | TimerPurpose::Deadline
            | TimerPurpose::CancelOn
            | TimerPurpose::Trigger
            | TimerPurpose::CancelInstances
            | TimerPurpose::CompleteInstances
            | TimerPurpose::CancelTimeout,
            _,
        ) => return Err("the activation does not stand where such a timer is set"),
    }
    Ok(())
}

fn is_next(state: &State, timer: TimerId) -> Fit<()> {
    let next = state.core.timers_set.checked_add(1) == Some(timer.0);
    if next { Ok(()) } else { Err("the timer is not the next of its workflow") }
}

fn keep(state: &mut State, timer: TimerId, due: Timestamp, of: TimerOf) {
    state.core.timers_set = timer.0;
    state.core.timers.insert(timer, Timer { due, of, since: state.core.now });
}

/// The moment of a timer has come.
fn fire(state: &mut State, timer: TimerId) -> Fit<()> {
    let fired = state.core.timers.remove(&timer).ok_or("no such timer is set")?;
    match fired.of {
        TimerOf::Task(task) => {
            let open = open_task(state, task)?;
            if open.attempt != (AttemptState::Waiting { timer }) {
                return Err("nobody waits for the timer");
            }
            open.attempt = AttemptState::Woken;
            Ok(())
        }
        TimerOf::Owner(TimerOwner::Workflow, TimerPurpose::ScheduledTime | TimerPurpose::StartTimeExpiry) => Ok(()),
        TimerOf::Owner(TimerOwner::Workflow, TimerPurpose::Deadline) => {
            // What is on its way to its end comes to it for the reason it has.
            if state.core.cancel.is_none() && !state.has_failed() {
                let root = state.core.scopes.get_mut(&ScopeId::ROOT).ok_or("the scope is not open")?;
                root.failed = Some(ScopeFailure::Deadline);
                doom_all(state, ScopeId::ROOT, CancelCause::Deadline);
            }
            Ok(())
        }
        TimerOf::Owner(
            TimerOwner::Workflow,
            TimerPurpose::CancelOn
            | TimerPurpose::Trigger
            | TimerPurpose::CancelInstances
            | TimerPurpose::CompleteInstances
            | TimerPurpose::CancelTimeout,
        ) => Err("nobody waits for the timer"),
        TimerOf::Owner(TimerOwner::Activation(id), purpose) => fire_of(state, id, timer, purpose),
    }
}

/// Does the definition answer in people's place, once the deadline of this activation has passed?
fn is_answered(state: &State, id: ActivationId) -> bool {
    match state.core.live.get(&id).map(|live| (&live.progress, live.scope)) {
        Some((Progress::Open(_), _)) => is_answered_itself(state, id),
        // All of its instances, or none: half of them would neither be in time nor an answer.
        Some((Progress::Instances, scope)) => {
            let mut instances = instances_of(state, id, scope).peekable();
            instances.peek().is_some() && instances.all(|instance| is_answered_itself(state, instance))
        }
        Some(_) | None => false,
    }
}

fn is_answered_itself(state: &State, id: ActivationId) -> bool {
    let Some(Progress::Open(open)) = state.core.live.get(&id).map(|live| &live.progress) else { return false };
    let is_open = matches!(open.attempt, AttemptState::Queued { .. });
    is_open && state.answers_at_deadline(TaskId { activation: id, task: open.task })
}

/// The instances of an activation that live.
fn instances_of(state: &State, owner: ActivationId, scope: ScopeId) -> impl Iterator<Item = ActivationId> + '_ {
    state.live_of(scope, owner.stage).filter(move |id| id.instance.is_some() && id.owner() == owner)
}

/// An instance has work that waits: is it answered, as the deadline of its stage has passed?
pub(super) fn examine_answer(state: &mut State, id: ActivationId) {
    if state.is_to_be_answered(id)
        && let Some(born) = state.core.live.get(&id).map(|live| live.born)
    {
        state.candidates.core_ended.insert((born, id));
    }
}

/// What an activation makes of its timer.
fn fire_of(state: &mut State, id: ActivationId, timer: TimerId, purpose: TimerPurpose) -> Fit<()> {
    let is_answered = purpose == TimerPurpose::Deadline && is_answered(state, id);
    let is_decided = state.core.instances.get(&id).is_some_and(|set| set.ending.is_some());
    let activation = activation(state, id)?;
    activation.timers.retain(|known| *known != timer);
    let place = (activation.born, id);
    match (purpose, &activation.progress) {
        // What the definition answers in people's place follows.
        (TimerPurpose::Deadline, Progress::Open(_)) if is_answered => Ok(()),
        // Its instances are withdrawn: how it ends is decided, and it waits for no more than that they stop.
        (TimerPurpose::Deadline, Progress::Instances) if is_decided => Ok(()),
        (TimerPurpose::Deadline, Progress::Instances) if is_answered => {
            let scope = activation.scope;
            let instances: Vec<ActivationId> = instances_of(state, id, scope).collect();
            instances.into_iter().for_each(|instance| examine_answer(state, instance));
            Ok(())
        }
        (TimerPurpose::ScheduledTime, Progress::Ready(Gate::Scheduled)) => {
            activation.progress = Progress::Ready(Gate::Passed);
            state.candidates.ready.insert(place);
            Ok(())
        }
        (TimerPurpose::StartTimeExpiry, Progress::Ready(_)) => {
            let scope = activation.scope;
            if activation.progress == Progress::Ready(Gate::Lock) {
                state.stop_waiting_for_locks(id, scope, place.0);
            }
            super::activation(state, id)?.progress = Progress::Ready(Gate::Expired);
            state.candidates.ready.insert(place);
            signals::stop_waiting(state, id);
            Ok(())
        }
        (TimerPurpose::Trigger, Progress::Ready(Gate::Trigger)) => {
            activation.progress = Progress::Ready(Gate::Triggered);
            state.candidates.ready.insert(place);
            Ok(())
        }
        // It was passed by already, or is at its end.
        (TimerPurpose::ScheduledTime | TimerPurpose::Trigger, Progress::Ready(_))
        | (TimerPurpose::Deadline, Progress::CoreEnded) => Ok(()),
        (
            TimerPurpose::Deadline,
            Progress::Between { .. } | Progress::Open(_) | Progress::Turning | Progress::Inside | Progress::Instances,
        ) => {
            let progress = std::mem::replace(&mut activation.progress, Progress::Overdue);
            if let Some(scope) = activation.inside.as_ref().and_then(|inside| inside.scope) {
                doom_all(state, scope, CancelCause::Deadline);
            }
            if let Progress::Open(open) = progress {
                give_up(state, id, &open);
            }
            state.candidates.core_ended.insert(place);
            signals::stop_waiting(state, id);
            Ok(())
        }
        (TimerPurpose::CancelTimeout, _) => stopping::give_up_waiting(state, id),
        // What follows is said behind; nothing, where they have to stop only.
        (TimerPurpose::CancelInstances | TimerPurpose::CompleteInstances, Progress::Instances | Progress::Overdue) => {
            Ok(())
        }
        (TimerPurpose::CancelOn, _) => {
            doom(state, id, CancelCause::Timer);
            Ok(())
        }
        (
            TimerPurpose::ScheduledTime
            | TimerPurpose::StartTimeExpiry
            | TimerPurpose::Deadline
            | TimerPurpose::Trigger
            | TimerPurpose::CancelInstances
            | TimerPurpose::CompleteInstances,
            _,
        ) => Err("nobody waits for the timer"),
    }
}

/// The activation starts: what it waited for at its gates is over. What ends it whenever it comes stays.
pub(super) fn pass_gates(state: &mut State, id: ActivationId) -> Fit<()> {
    let timers = &mut state.core.timers;
    let live = state.core.live.get_mut(&id).ok_or("the activation is not live")?;
    live.timers.retain(|timer| {
        let stays = timers.get(timer).is_some_and(|set| matches!(set.of, TimerOf::Owner(_, TimerPurpose::CancelOn)));
        if !stays {
            timers.remove(timer);
        }
        stays
    });
    Ok(())
}

/// These timers end with what they were set for.
pub(super) fn drop_all(state: &mut State, timers: &[TimerId]) {
    for timer in timers {
        state.core.timers.remove(timer);
    }
}
