//! What it changes that instances of an activation begin, end, are added or withdrawn.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::definition::{Body, Emission};
use crate::event::{CancelCause, Event, InstancesAddition, Json};
use crate::failure::Failure;
use crate::ids::{ActivationId, InstanceIndex, ScopeId, TaskIndex};
use crate::limits::INSTANCES_PER_EVENT_MAX;
use crate::machine::instances::{Gathered, InstanceSet};
use crate::machine::past::{Ended, Past, Remembered};
use crate::machine::state::{Activation, AttemptState, OpenTask, Progress, State};
use crate::machine::trail::Behind;
use crate::status::Status;

use super::{Fit, ends, scopes, signals, stopping, timers};

/// The activation has begun, and its instances are to be counted.
pub(super) fn open(state: &mut State, id: ActivationId) -> Fit<()> {
    let owner = state.core.live.get(&id).ok_or("the activation is not live")?;
    let set = InstanceSet::of(owner);
    state.candidates.starting.insert((owner.born, id));
    state.core.instances.insert(id, Box::new(set));
    wait_for_signals(state, id)
}

/// The activation waits for the signals that still do something to its instances.
fn wait_for_signals(state: &mut State, owner: ActivationId) -> Fit<()> {
    let definition = state.definition.clone();
    let spec = definition.graph().stages.get(owner.stage.index()).and_then(|stage| stage.instances.as_ref());
    let set = state.core.instances.get(&owner);
    let names = spec.zip(set).map(|(spec, set)| set.signals(spec)).unwrap_or_default();
    signals::wait_for(state, owner, names)
}

/// A signal has come that does something to the instances of this activation; what follows.
pub(super) fn take_signal(state: &mut State, owner: ActivationId) -> Fit<()> {
    open_set(state, owner).map(|_| ())
}

/// The activation may end with its instances.
fn look(state: &mut State, owner: ActivationId) {
    if let Some(set) = state.core.instances.get(&owner) {
        state.candidates.inside.insert((Reverse(state.depth_of(set.scope)), set.born, owner));
    }
}

/// It ends no more.
fn look_away(state: &mut State, owner: ActivationId) {
    if let Some(set) = state.core.instances.get(&owner) {
        let place = (Reverse(state.depth_of(set.scope)), set.born, owner);
        state.candidates.inside.remove(&place);
    }
}

/// What an event about the instances of an activation changes.
#[expect(clippy::wildcard_enum_match_arm, reason = "whoever calls has looked which events these are")]
pub(super) fn apply(state: &mut State, event: &Event) -> Fit<()> {
    match event {
        Event::InstancesStarted { activation, from, to, total } => start(state, *activation, (*from, *to), *total),
        Event::InstancesAddRequested(_, addition) => ask_for_more(state, addition),
        Event::InstancesAdded { activation, from, to } => add(state, *activation, *from, *to),
        Event::InstancesCloseRequested(_, request) | Event::InstancesCompleteRequested(_, request) => {
            asked_for(state, request.activation)
        }
        Event::InstancesClosed { activation } => close(state, *activation),
        Event::InstancesWithdrawn { activation, status, error } => withdraw(state, *activation, *status, error.clone()),
        _ => Err("it is not about instances"),
    }
}

fn set(state: &mut State, owner: ActivationId) -> Fit<&mut InstanceSet> {
    state.core.instances.get_mut(&owner).map(Box::as_mut).ok_or("the activation has no instances")
}

/// The set of an activation that lives and goes on with them.
fn open_set(state: &mut State, owner: ActivationId) -> Fit<&mut InstanceSet> {
    let set = set(state, owner)?;
    if set.has_owner && set.ending.is_none() { Ok(set) } else { Err("the instances of the activation are over") }
}

/// Instances begin: their first task is queued, unless something has to be decided first.
fn start(state: &mut State, owner: ActivationId, (from, to): (u32, u32), total: u32) -> Fit<()> {
    let definition = state.definition.clone();
    let stage = definition.graph().stages.get(owner.stage.index()).ok_or("the definition has no such stage")?;
    let spec = stage.instances.as_ref().ok_or("the stage has no instances")?;
    let now = state.core.now;
    let mut born = state.core.born;
    let signal = state.core.live.get(&owner).and_then(|live| live.signal.clone());
    let set = set(state, owner)?;
    let fits = set.ending.is_none() && set.total.is_none_or(|known| known == total) && total <= spec.max;
    if !fits || from != set.started || to < from || to > total || to - from > INSTANCES_PER_EVENT_MAX {
        return Err("these instances are not the next");
    }
    if to == from && set.total.is_some() {
        return Err("nothing begins");
    }
    set.total = Some(total);
    set.started = to;
    set.live += to - from;
    let (scope, depth, thread, count) = (set.scope, set.depth, set.thread.clone(), to - from);
    let place = (set.born, owner);
    let goes_on = set.may_start(spec);
    let begins_at_once = stage.begins_at_once();
    let layer = Reverse(state.depth_of(scope));
    for index in from..to {
        let task = TaskIndex::new(0);
        let attempt = AttemptState::Queued { due: None };
        let open =
            OpenTask { task, dispatch: 1, attempt, failures: 0, failed: None, lost: 0, since: now, changed: now };
        let progress = match &stage.body {
            Body::Loop(_) => Progress::Turning,
            Body::Tasks if begins_at_once => Progress::Open(open),
            Body::Tasks => Progress::Between { next: task },
        };
        let inside = if progress == Progress::Turning { Some(Box::default()) } else { None };
        born += 1;
        let instance = Activation {
            scope,
            born,
            depth,
            past: Past::empty(),
            progress,
            doomed: None,
            results: Arc::default(),
            updates: Arc::default(),
            timers: Vec::new(),
            waiting: None,
            signal: signal.clone(),
            inside,
            thread: thread.clone(),
            choice: None,
            held_since: None,
            leaving: None,
            trail: None,
        };
        let id = ActivationId { instance: InstanceIndex::new(index), ..owner };
        if instance.progress == Progress::Turning {
            state.candidates.inside.insert((layer, born, id));
        }
        state.begin_to_live(id, instance);
        timers::examine_answer(state, id);
    }
    state.core.born = born;
    state.core.scopes.get_mut(&scope).ok_or("the scope is not open")?.live += count;
    if !goes_on {
        state.candidates.starting.remove(&place);
    }
    look(state, owner);
    Ok(())
}

/// Somebody asked for more: what they are given is known from here on.
fn ask_for_more(state: &mut State, addition: &InstancesAddition) -> Fit<()> {
    let set = open_set(state, addition.activation)?;
    set.added.extend(addition.items.iter().cloned());
    Ok(())
}

fn add(state: &mut State, owner: ActivationId, from: u32, to: u32) -> Fit<()> {
    let set = open_set(state, owner)?;
    let asked = u32::try_from(set.added.len()).map_err(|_| "so many were not asked for")?;
    if set.closed || set.total != Some(from) || to <= from || to - from > asked {
        return Err("these instances were not asked for");
    }
    set.total = Some(to);
    let place = (set.born, owner);
    state.candidates.starting.insert(place);
    look(state, owner);
    Ok(())
}

/// Somebody asked for something that concerns the instances of this activation.
fn asked_for(state: &mut State, owner: ActivationId) -> Fit<()> {
    open_set(state, owner).map(|_| ())
}

fn close(state: &mut State, owner: ActivationId) -> Fit<()> {
    let set = open_set(state, owner)?;
    if set.closed {
        return Err("they are closed already");
    }
    set.closed = true;
    look(state, owner);
    wait_for_signals(state, owner)
}

fn withdraw(state: &mut State, owner: ActivationId, status: Status, error: Option<Failure>) -> Fit<()> {
    let is_canceled = status == Status::Canceled;
    let status = if is_canceled { status } else { ends(status)? };
    let set = open_set(state, owner)?;
    set.ending = Some((status, error));
    let place = (set.born, owner);
    state.candidates.starting.remove(&place);
    wait_for_signals(state, owner)?;
    if is_canceled {
        // Its instances end with it.
        scopes::doom(state, owner, CancelCause::Instances);
    } else {
        look(state, owner);
        doom_instances(state, owner, CancelCause::Instances);
    }
    Ok(())
}

/// The instances of this activation end as the next thing that happens to them.
fn doom_instances(state: &mut State, owner: ActivationId, cause: CancelCause) {
    let last = ActivationId { instance: InstanceIndex::new(u32::MAX - 1), ..owner };
    let live = state.core.live.range(owner..=last).filter(|(id, _)| id.instance.is_some());
    let live: Vec<ActivationId> = live.map(|(id, _)| *id).collect();
    live.into_iter().for_each(|id| scopes::doom(state, id, cause));
}

/// What an instance has given; its activation may have ended before.
pub(super) struct Given {
    pub(super) status: Status,
    pub(super) outputs: Option<Json>,
    pub(super) error: Option<Failure>,
}

/// An instance has ended by itself. What lies behind it from now on and its thread, where control
/// goes on from it.
pub(super) fn end_one(
    state: &mut State,
    id: ActivationId,
    activation: Activation,
    given: Given,
) -> Fit<Option<Behind>> {
    let index = id.instance().ok_or("it is no instance")?;
    let Given { status, outputs, error } = given;
    let definition = state.definition.clone();
    let several = definition.graph().stages.get(id.stage.index()).and_then(|stage| stage.instances.as_ref());
    let goes_on = status.is_continuable() && several.is_some_and(|spec| spec.emission == Emission::PerInstance);
    let line = state.core.instances.get(&id.owner()).map(|set| state.line_of(id, &set.past)).unwrap_or_default();
    let set = set(state, id.owner())?;
    let mut way = goes_on.then(|| {
        let (past, thread) = (set.past.clone(), set.thread.split(id.owner(), index));
        Behind { depth: activation.depth, past, thread, trail: set.trail.clone() }
    });
    if status == Status::Canceled {
        set.canceled += 1;
    } else {
        let (depth, keys) = (activation.depth, Remembered::default());
        let tasks = Arc::unwrap_or_clone(activation.results);
        let (error, inside) = match activation.inside {
            Some(inside) => (error.or(inside.failure), inside.last),
            None => (error, Past::empty()),
        };
        let (instances, line, behind) = (None, line, Past::empty());
        let ended =
            Ended { activation: id, depth, status, tasks, inside, behind, outputs, error, instances, line, keys };
        if let Some(way) = &mut way {
            way.past.insert(Arc::new(ended.clone()));
        }
        set.record(index, ended);
    }
    leave(state, id.owner())?;
    Ok(way)
}

/// The task that stopped an instance which would have let control go on by itself: a branch of the scope ends there.
/// `None` where none does.
pub(super) fn stopped_on_its_way(
    state: &State,
    id: ActivationId,
    activation: &Activation,
    status: Status,
) -> Option<Option<TaskIndex>> {
    let stage = state.definition.graph().stages.get(id.stage.index())?;
    let is_branch = stage.instances.as_ref()?.emission == Emission::PerInstance;
    let is_stopped = matches!(status, Status::Stopped | Status::Terminal);
    let mut tasks = activation.results.iter();
    (is_branch && is_stopped).then(|| tasks.find(|task| task.status == Status::Stopped).and_then(|task| task.task))
}

/// An instance was ended from outside.
pub(super) fn cancel_one(state: &mut State, id: ActivationId) -> Fit<()> {
    set(state, id.owner())?.canceled += 1;
    leave(state, id.owner())
}

/// One instance less lives.
fn leave(state: &mut State, owner: ActivationId) -> Fit<()> {
    let definition = state.definition.clone();
    let stage = definition.graph().stages.get(owner.stage.index()).ok_or("the definition has no such stage")?;
    let spec = stage.instances.as_ref().ok_or("the stage has no instances")?;
    let set = set(state, owner)?;
    set.live = set.live.checked_sub(1).ok_or("the activation has no live instance")?;
    let place = (set.born, owner);
    let (is_over, goes_on) = (set.is_over(), set.may_start(spec));
    if is_over {
        state.core.instances.remove(&owner);
        return Ok(());
    }
    let is_empty = set.live == 0;
    if goes_on {
        state.candidates.starting.insert(place);
    }
    look(state, owner);
    if is_empty {
        stopping::look(state, owner);
    }
    Ok(())
}

/// The activation is canceled and waits for its instances, which end, too.
pub(super) fn stop(state: &mut State, owner: ActivationId, cause: CancelCause) {
    if owner.instance.is_some() {
        return;
    }
    look_away(state, owner);
    let Some(set) = state.core.instances.get_mut(&owner) else { return };
    set.closed = true;
    set.ending.get_or_insert((Status::Canceled, None));
    let place = (set.born, owner);
    state.candidates.starting.remove(&place);
    doom_instances(state, owner, cause);
}

/// What an activation has of its instances when it ends.
pub(super) struct Taken {
    pub(super) gathered: Arc<Gathered>,
    /// The task that was STOPPED, of the instance that failed first.
    pub(super) stopped: Option<TaskIndex>,
}

/// The activation itself has ended by itself: what its instances gave until now is what it gives.
pub(super) fn end_owner(state: &mut State, owner: ActivationId, doomed: Option<CancelCause>) -> Option<Taken> {
    look_away(state, owner);
    let set = state.core.instances.get_mut(&owner)?;
    let failing = set.failing();
    let stopped = failing.and_then(|ended| ended.tasks.iter().find(|task| task.status == Status::Stopped));
    let stopped = stopped.and_then(|task| task.task);
    set.has_owner = false;
    set.closed = true;
    if doomed.is_some() {
        set.ending.get_or_insert((Status::Canceled, None));
    }
    let place = (set.born, owner);
    let gathered = std::mem::take(&mut set.gathered);
    if set.is_over() {
        state.candidates.starting.remove(&place);
        state.core.instances.remove(&owner);
    }
    Some(Taken { gathered, stopped })
}

/// The activation itself was ended from outside, and so are its instances. What those gave that have ended.
pub(super) fn cancel_owner(state: &mut State, owner: ActivationId, cause: CancelCause) -> Option<Arc<Gathered>> {
    look_away(state, owner);
    let set = state.core.instances.get_mut(&owner)?;
    set.has_owner = false;
    set.closed = true;
    let gathered = std::mem::take(&mut set.gathered);
    set.ending.get_or_insert((Status::Canceled, None));
    let (place, is_over) = ((set.born, owner), set.is_over());
    state.candidates.starting.remove(&place);
    if is_over {
        state.core.instances.remove(&owner);
    } else {
        doom_instances(state, owner, cause);
    }
    Some(gathered)
}

/// The activation itself has ended, and is undone: what lives of its instances ends.
pub(super) fn cancel_rest(state: &mut State, owner: ActivationId, cause: CancelCause) -> Fit<()> {
    let set = state.core.instances.get(&owner).ok_or("the activation is not live, nor any of its instances")?;
    if set.has_owner {
        return Err("the activation lives");
    }
    cancel_owner(state, owner, cause);
    Ok(())
}

/// Nothing begins any more in this scope and in those inside it; of what nothing lives any more, nothing is kept.
pub(super) fn end_all(state: &mut State, scope: ScopeId) {
    let sets = state.core.instances.iter().filter(|(_, set)| state.lies_in(set.scope, scope));
    let owners: Vec<ActivationId> = sets.map(|(owner, _)| *owner).collect();
    for owner in owners {
        let Some(set) = state.core.instances.get_mut(&owner) else { continue };
        set.ending.get_or_insert((Status::Canceled, None));
        if set.is_over() {
            state.core.instances.remove(&owner);
        }
    }
}
