//! Why a workflow has not moved on: one entry for everything in it that waits (R20).
//!
//! A function of state, like `outstanding`: what is told is what the engine itself goes by. Every live activation,
//! every token on an arc, a request for the end and a batch that was cut give at least one entry.

use crate::definition::StagePhase;
use crate::definition::{Approval, ByHand, GraphTask, Join, prompt};
use crate::event::{TimerId, TimerPurpose};
use crate::ids::{ActivationId, ArcIndex, AttemptId, ScopeId, StageIndex, TaskId};

use super::data::Surroundings;
use super::decide::{fires, holds_back, missing};
use super::locks::Holder;
use super::servers::Servers;
use super::state::{Activation, AttemptState, Gate, OpenTask, Phase, Progress, ScopeFailure, State, Timer, TimerOf};
use super::wait::{CancelLimit, LockHolder, MissingArc, Server, Undone, Wait, WaitReason, Waiter};

/// Everything `state` waits for: what concerns the whole workflow, then live activations, then joins, each in the order
/// of the definition. Empty exactly if the workflow is closed, or nothing has happened to it yet.
pub fn waits(state: &State) -> Vec<Wait> {
    if state.core.phase != Phase::Live {
        // It has ended; what it called is on its way there.
        let left = state.left_children().map(|child| WaitReason::Child { child });
        return left.map(|reason| wait(state, Waiter::Workflow, reason)).collect();
    }
    let mut found = of_the_workflow(state);
    found.extend(state.core.live.iter().map(|(id, activation)| of_activation(state, *id, activation)));
    found.extend(of_starts(state));
    for scope in state.core.scopes.keys() {
        found.extend(of_joins(state, *scope));
    }
    found
}

fn wait(state: &State, waiter: Waiter, reason: WaitReason) -> Wait {
    Wait {
        definition: state.definition.clone(),
        waiter,
        since: state.core.now,
        reason,
        deadline: None,
        others: Vec::new(),
    }
}

fn of_the_workflow(state: &State) -> Vec<Wait> {
    let mut found = Vec::new();
    let is_ending = state.core.ending.is_some();
    if let Some(cancel) = state.core.cancel.as_ref().filter(|_| !is_ending) {
        let reason = WaitReason::Canceling { by: cancel.by.clone(), reason: cancel.reason.clone() };
        found.push(Wait { since: cancel.since, ..wait(state, Waiter::Workflow, reason) });
    }
    found.extend(finishing(state));
    found.extend(paused(state, Waiter::Workflow));
    if !state.has_started() && !state.core.unsettled {
        let timers = state.core.timers.keys().copied();
        found.extend(scheduled(state, Waiter::Workflow, timers));
    }
    if state.core.unsettled {
        found.push(wait(state, Waiter::Workflow, WaitReason::Settling));
    }
    found
}

/// What is done before the workflow ends, or that somebody has ended it by force. Where it has failed, those inside say
/// what it waits for; between two parts, whoever has paused it.
fn finishing(state: &State) -> Option<Wait> {
    let (ending, doing) = (state.core.ending.as_ref()?, state.doing()?);
    let reason = match &state.core.scopes.get(&doing.scope)?.failed {
        None => {
            let stage = |id: ActivationId| state.definition.graph().stage(id.stage).ref_id.to_string();
            let undone = doing.undone.map(|id| Undone { stage: stage(id), activation: id.number });
            WaitReason::Finishing { status: ending.status, undone }
        }
        Some(ScopeFailure::Forced { by, reason }) => WaitReason::Canceling { by: by.clone(), reason: reason.clone() },
        Some(_) => return None,
    };
    Some(Wait { since: ending.since, ..wait(state, Waiter::Workflow, reason) })
}

fn of_activation(state: &State, id: ActivationId, activation: &Activation) -> Wait {
    if let (Some(cause), Progress::Canceling(Some(stopping))) = (activation.doomed, &activation.progress) {
        let set = timer_for(state, activation.timers.iter().copied(), TimerPurpose::CancelTimeout);
        let limit = set.and_then(|(timer, set)| Some(CancelLimit { timer, due: state.due(set)? }));
        let reason = WaitReason::Stopping { cause, limit };
        return Wait { since: stopping.since, ..wait(state, Waiter::Attempt(stopping.attempt), reason) };
    }
    if let Some(cause) = activation.doomed {
        return wait(state, Waiter::Activation(id), WaitReason::Ending { cause });
    }
    match &activation.progress {
        Progress::Open(open) => {
            let deadline = timer_for(state, activation.timers.iter().copied(), TimerPurpose::Deadline);
            Wait { deadline: deadline.and_then(|(_, set)| state.due(set)), ..of_task(state, id, open) }
        }
        Progress::Ready(Gate::Scheduled) => {
            let waiter = Waiter::Activation(id);
            let scheduled = scheduled(state, waiter, activation.timers.iter().copied());
            scheduled.unwrap_or_else(|| wait(state, waiter, WaitReason::Settling))
        }
        Progress::Ready(Gate::Lock) => at_locks(state, id),
        Progress::Ready(Gate::Trigger) => Wait { others: others(state, id), ..at_trigger(state, id, activation) },
        Progress::Ready(Gate::Choice) => {
            Wait { others: others(state, id), ..wait(state, Waiter::Activation(id), WaitReason::Claim) }
        }
        Progress::Ready(Gate::Milestone | Gate::MilestoneAgain) => at_milestone(state, id),
        Progress::Ready(_) | Progress::Turning if state.is_paused() && !state.core.unsettled => {
            let waiter = Waiter::Activation(id);
            paused(state, waiter).unwrap_or_else(|| wait(state, waiter, WaitReason::Settling))
        }
        Progress::Inside => {
            let inside = activation.inside.as_deref();
            let reason = match inside.map_or(StagePhase::Body, |inside| inside.phase()) {
                StagePhase::Body => {
                    WaitReason::Inside { iteration: inside.map_or(0, |inside| inside.begun.saturating_sub(1)) }
                }
                phase @ (StagePhase::Before
                | StagePhase::After
                | StagePhase::OnFailure
                | StagePhase::Compensate
                | StagePhase::Finally) => WaitReason::Phase { phase },
            };
            let deadline = timer_for(state, activation.timers.iter().copied(), TimerPurpose::Deadline);
            let deadline = deadline.and_then(|(_, set)| state.due(set));
            let since = inside
                .and_then(|inside| state.core.scopes.get(&inside.scope?))
                .and_then(|scope| Some(scope.around.as_ref()?.since));
            Wait { deadline, since: since.unwrap_or(state.core.now), ..wait(state, Waiter::Activation(id), reason) }
        }
        Progress::Instances => {
            let deadline = timer_for(state, activation.timers.iter().copied(), TimerPurpose::Deadline);
            let waiter = Waiter::Activation(id);
            let waits = match of_instances(state, id) {
                Some(reason) => wait(state, waiter, reason),
                None => paused(state, waiter).unwrap_or_else(|| wait(state, waiter, WaitReason::Settling)),
            };
            Wait { deadline: deadline.and_then(|(_, set)| state.due(set)), ..waits }
        }
        Progress::Ready(_)
        | Progress::Between { .. }
        | Progress::Turning
        | Progress::CoreEnded
        | Progress::Overdue
        | Progress::Canceling(_) => wait(state, Waiter::Activation(id), WaitReason::Settling),
    }
}

/// What is offered beside an alternative of a choice.
fn others(state: &State, id: ActivationId) -> Vec<Server> {
    let live = state.offered_with(id).into_iter();
    let live = live.map(|other| Server { stage: other.stage, activation: Some(other.number) });
    let waiting = state.waiting_with(id).into_iter().map(|arc| state.definition.graph().arc(arc).to);
    live.chain(waiting.map(|stage| Server { stage, activation: None })).collect()
}

/// It begins when the workflow goes on.
fn paused(state: &State, waiter: Waiter) -> Option<Wait> {
    let pause = state.core.paused.as_ref()?;
    let reason = WaitReason::Paused { by: pause.by.clone(), reason: pause.reason.clone() };
    Some(Wait { since: pause.since, ..wait(state, waiter, reason) })
}

/// The trigger of a ready activation is still to come.
fn at_trigger(state: &State, id: ActivationId, activation: &Activation) -> Wait {
    let waiter = Waiter::Activation(id);
    if let Some(awaited) = &activation.waiting {
        let trigger = state.definition.graph().stage(id.stage).signal_trigger();
        let correlate = trigger.and_then(|trigger| trigger.correlate.as_ref()).map(|when| when.text().to_owned());
        let reason = WaitReason::Signal { names: awaited.names.clone(), correlate };
        return Wait { since: awaited.since, ..wait(state, waiter, reason) };
    }
    let set = timer_for(state, activation.timers.iter().copied(), TimerPurpose::Trigger);
    match set.and_then(|(timer, set)| Some((timer, set.since, state.due(set)?))) {
        Some((timer, since, due)) => Wait { since, ..wait(state, waiter, WaitReason::TriggerTimer { timer, due }) },
        None => wait(state, waiter, WaitReason::Settling),
    }
}

/// The milestone of a ready activation does not hold.
fn at_milestone(state: &State, id: ActivationId) -> Wait {
    let waiter = Waiter::Activation(id);
    let graph = state.definition.graph();
    match graph.stage(id.stage).milestone.as_deref() {
        Some(milestone) if !state.meets_its_milestone(id) && !state.core.unsettled => {
            let name = |stage: StageIndex| graph.stage(stage).ref_id.clone();
            let (of, until) = (name(milestone.of()), milestone.until().map(name));
            let since = state.core.live.get(&id).and_then(|live| live.held_since).unwrap_or(state.core.now);
            let reason = WaitReason::Milestone { of, status: milestone.status(), until };
            Wait { since, ..wait(state, waiter, reason) }
        }
        // It goes on as soon as the workflow does.
        Some(_) | None => paused(state, waiter).unwrap_or_else(|| wait(state, waiter, WaitReason::Settling)),
    }
}

/// Others hold a lock that a ready activation needs.
fn at_locks(state: &State, id: ActivationId) -> Wait {
    let waiter = Waiter::Activation(id);
    let graph = state.definition.graph();
    let since = state.waits_for_locks_since(id).unwrap_or(state.core.now);
    let Some((place, holder)) = state.locked_out(id) else {
        // It takes them as soon as the workflow goes on.
        return paused(state, waiter).unwrap_or_else(|| wait(state, waiter, WaitReason::Settling));
    };
    let holder = match holder {
        Holder::Activation(id) => {
            LockHolder::Activation { stage: graph.stage(id.stage).ref_id.clone(), activation: id.number }
        }
        Holder::Section { section, .. } => {
            LockHolder::Section { section: graph.sections[section.index()].name.name.clone() }
        }
    };
    let lock = &graph.locks[place.lock.index()];
    Wait { since, ..wait(state, waiter, WaitReason::Lock { kind: lock.kind, name: lock.name.clone(), holder }) }
}

/// The stages that signals start, until somebody closes their triggers.
fn of_starts(state: &State) -> impl Iterator<Item = Wait> + '_ {
    let since = state.core.start.as_ref().map_or(state.core.now, |start| start.at);
    let moves = state.moves(ScopeId::ROOT);
    let open = state.open_starts().filter(move |_| moves);
    open.map(move |(stage, trigger)| {
        let reason = WaitReason::OpenTrigger { signal: trigger.signal.clone() };
        Wait { since, ..wait(state, Waiter::Join(stage), reason) }
    })
}

/// The instances of a live activation, once they are counted and as long as nobody withdraws them.
fn of_instances(state: &State, id: ActivationId) -> Option<WaitReason> {
    let set = state.core.instances.get(&id).filter(|set| set.ending.is_none())?;
    let spec = state.definition.graph().stage(id.stage).instances.as_ref()?;
    let (live, done, failed, is_open) = (set.live, set.done, set.failed, set.can_grow(spec));
    let signals = set.signals(spec);
    Some(WaitReason::Instances { total: set.total? - set.canceled, live, done, failed, is_open, signals })
}

/// The scheduled time of workflow or activation, which has these timers, is still to come.
fn scheduled(state: &State, waiter: Waiter, timers: impl Iterator<Item = TimerId> + Clone) -> Option<Wait> {
    let (timer, set) = timer_for(state, timers.clone(), TimerPurpose::ScheduledTime)?;
    let expiry = timer_for(state, timers, TimerPurpose::StartTimeExpiry).and_then(|(_, expiry)| state.due(expiry));
    let reason = WaitReason::Scheduled { timer, due: state.due(set)?, expiry };
    Some(Wait { since: set.since, ..wait(state, waiter, reason) })
}

/// The timer for this among those of an owner.
fn timer_for(state: &State, timers: impl Iterator<Item = TimerId>, purpose: TimerPurpose) -> Option<(TimerId, Timer)> {
    let mut known = timers.filter_map(|timer| Some((timer, *state.core.timers.get(&timer)?)));
    known.find(|(_, set)| matches!(set.of, TimerOf::Owner(_, of) if of == purpose))
}

fn of_task(state: &State, id: ActivationId, open: &OpenTask) -> Wait {
    let spec = state.definition.graph().task(id.stage, open.task);
    let reason = match open.attempt {
        AttemptState::Queued { .. } if spec.by_hand().is_some() => by_hand(state, id, spec),
        AttemptState::Queued { .. } if state.is_paused() => {
            let waiter = Waiter::Attempt(AttemptId {
                task: TaskId { activation: id, task: open.task },
                dispatch: open.dispatch,
            });
            return paused(state, waiter).unwrap_or_else(|| wait(state, waiter, WaitReason::Settling));
        }
        AttemptState::Queued { due: None } => WaitReason::Queued,
        AttemptState::Queued { due: Some(due) } => {
            let policy = open.failed.as_ref().map_or(&spec.retry, |code| spec.retry_after(code));
            WaitReason::RetryAt { due, failures: open.failures, max_attempts: policy.max_attempts }
        }
        AttemptState::Started => WaitReason::Running { timeout: spec.timeout },
        AttemptState::Waiting { timer } => match state.core.timers.get(&timer) {
            Some(set) => WaitReason::Timer { timer, due: set.due },
            None => WaitReason::Settling,
        },
        AttemptState::Suspended => {
            let names = state.wait_of(id).map(|awaited| awaited.names.clone()).unwrap_or_default();
            WaitReason::Signal { names, correlate: None }
        }
        AttemptState::Calling { child } => WaitReason::Child { child },
        AttemptState::Reported(_) | AttemptState::Lost | AttemptState::Woken => WaitReason::Settling,
    };
    let attempt = AttemptId { task: TaskId { activation: id, task: open.task }, dispatch: open.dispatch };
    Wait { since: open.changed, ..wait(state, Waiter::Attempt(attempt), reason) }
}

/// The joins of `scope` on whose arcs tokens lie.
fn of_joins(state: &State, scope: ScopeId) -> Vec<Wait> {
    if state.core.marking.is_empty(scope) {
        return Vec::new();
    }
    let mut servers = Servers::of(state, scope);
    let stages = state.core.marking.marked_stages(scope);
    stages.map(|stage| of_join(state, scope, stage, &mut servers)).collect()
}

fn of_join(state: &State, scope: ScopeId, stage: StageIndex, servers: &mut Servers<'_>) -> Wait {
    let graph = state.definition.graph();
    let incoming = &graph.stage(stage).incoming;
    let since = incoming
        .iter()
        .chain(graph.jumps_to(stage))
        .filter_map(|arc| state.core.marking.marked_since(scope, *arc))
        .min();
    // Where tokens do not move any more, only the end of the scope is waited for, and that is the engine's.
    let reason = if fires(state, scope, stage) || !state.moves(scope) {
        WaitReason::Settling
    } else if let (Some(live), true) = (holds_back(state, scope, stage), has_its_tokens(state, scope, stage)) {
        WaitReason::Serialized { activation: live.number }
    } else {
        match state.definition.graph().stage(stage).join {
            Join::And | Join::GeneralizedAnd => {
                WaitReason::Join { missing: missing_arcs(state, scope, stage, servers), arcs: incoming.len() }
            }
            // What nobody can bring is not waited for.
            Join::Or => {
                let missing = missing_arcs(state, scope, stage, servers).into_iter();
                WaitReason::Join {
                    missing: missing.filter(|arc| !arc.servers.is_empty()).collect(),
                    arcs: incoming.len(),
                }
            }
            Join::Discriminator | Join::NOfM => of_counting(state, scope, stage, servers),
            Join::ThreadMerge => WaitReason::Threads {
                most: most_threads(state, scope, incoming) as usize,
                merge_count: state.definition.graph().stage(stage).merge_count.unwrap_or(0) as usize,
                missing: missing_arcs(state, scope, stage, servers),
            },
            // A token on any arc is enough.
            Join::Xor | Join::MultiMerge => WaitReason::Settling,
        }
    };
    Wait { since: since.unwrap_or(state.core.now), ..wait(state, Waiter::Join(stage), reason) }
}

/// The arcs that lack a token, with those who may bring it.
fn missing_arcs(state: &State, scope: ScopeId, stage: StageIndex, servers: &mut Servers<'_>) -> Vec<MissingArc> {
    let missing = missing(state, scope, stage).into_iter().map(|arc| {
        let (servers, completeness) = servers.of_arc(arc);
        MissingArc { definition: state.definition.clone(), arc, servers, completeness }
    });
    missing.collect()
}

/// What a join waits for that counts arrivals.
fn of_counting(state: &State, scope: ScopeId, stage: StageIndex, servers: &mut Servers<'_>) -> WaitReason {
    let missing = missing_arcs(state, scope, stage, servers);
    match state.core.joins.get(&(scope, stage)) {
        Some(record) if record.fired.is_some() => WaitReason::Blocked { generation: record.generation, missing },
        record => WaitReason::Arrivals {
            seen: record.map_or(0, |record| record.seen.len()),
            threshold: state
                .definition
                .graph()
                .stage(stage)
                .generations
                .as_ref()
                .map_or(0, |join| join.threshold as usize),
            missing,
        },
    }
}

/// Would its join fire if the stage could start again?
fn has_its_tokens(state: &State, scope: ScopeId, stage: StageIndex) -> bool {
    let graph = state.definition.graph();
    if graph.jumps_to(stage).iter().any(|arc| state.core.marking.is_marked(scope, *arc)) {
        return true;
    }
    match graph.stage(stage).join {
        Join::And | Join::GeneralizedAnd => missing(state, scope, stage).is_empty(),
        Join::Xor | Join::MultiMerge | Join::Or => true,
        Join::Discriminator | Join::NOfM => {
            let needed = state.definition.graph().stage(stage).generations.as_ref().map_or(0, |join| join.threshold);
            let record = state.core.joins.get(&(scope, stage)).filter(|record| record.fired.is_none());
            record.is_some_and(|record| record.seen.len() >= needed as usize)
        }
        Join::ThreadMerge => {
            let spec = state.definition.graph().stage(stage);
            spec.merge_count.is_some_and(|count| most_threads(state, scope, &spec.incoming) >= count)
        }
    }
}

/// What people are asked for.
fn by_hand(state: &State, id: ActivationId, spec: &GraphTask) -> WaitReason {
    let prompt = prompt(&spec.with).and_then(|prompt| {
        let seen = Surroundings::of_activation(state, id)?;
        let scope = seen.scope(&prompt.references()).ok()?;
        // One that cannot be computed keeps nobody from doing it.
        let text = prompt.render(&scope).ok()?;
        Some(text.as_str().map_or_else(|| text.to_json(), str::to_owned))
    });
    match spec.by_hand() {
        Some(ByHand::Approval) => {
            let Approval { roles, on_deadline, .. } = Approval::of(&spec.with);
            WaitReason::Approval { prompt, roles, on_deadline }
        }
        Some(ByHand::Manual) | None => WaitReason::ByHand { prompt },
    }
}

/// The most threads of one split that lie before a merge.
fn most_threads(state: &State, scope: ScopeId, incoming: &[ArcIndex]) -> u32 {
    let largest = incoming.iter().filter_map(|arc| state.core.marking.largest_group(scope, *arc));
    largest.map(|(_, lying)| lying).max().unwrap_or(0)
}
