//! What of a state decides everything that can still happen, as bytes: for the checker of definitions (R21).
//!
//! Numbers of activations, tokens and timers, moments, data and what is remembered of commands are left out, so that
//! states which differ only in them have one key. Every field of what is stored is named here, kept or left out on
//! purpose: a new one does not compile until somebody has thought about it.

use crate::status::Status;
use std::collections::{BTreeMap, BTreeSet};

use crate::definition::Reached;
use crate::event::TimerPurpose;
use crate::ids::{ActivationId, ArcIndex, ScopeId, StageIndex};

use super::ending::{Doing, Ending, Undo};
use super::generations::JoinRecord;
use super::instances::InstanceSet;
use super::locks::Holder;
use super::past::Past;
use super::state::{
    Absorbing, Activation, AttemptState, Core, Gate, Inside, OpenTask, Phase, Phases, Progress, Scope, ScopeFailure,
    State, Timer, TimerOf,
};

impl State {
    /// The key of this state; counts of tokens are taken as at most `cap`.
    pub(crate) fn key(&self, cap: u32) -> Vec<u8> {
        let Core {
            phase,
            unsettled,
            cancel,
            paused,
            marking: _,
            joins: _,
            scopes: _,
            live: _,
            instances: _,
            timers,
            events: _,
            now: _,
            start: _,
            commands: _,
            numbers: _,
            born: _,
            timers_set: _,
            sweeps,
            scopes_opened: _,
            fenced: _,
            instant_turns: _,
            paused_before: _,
            started,
            // What is kept could come later just as well: the checker's signals are never kept.
            signals: _,
            // A called workflow is one task for the checker.
            children: _,
            is_closing: _,
            locks: _,
            // How often it may jump depends on data.
            jumps: _,
            undo,
            ending,
        } = &self.core;
        let mut key = Vec::new();
        if let Phase::Ended { status, reason, outputs: _ } = phase {
            key.push(1);
            key.extend(status.name().as_bytes());
            key.extend(reason.as_ref().map_or("", |reason| reason.code()).as_bytes());
            return key;
        }
        key.extend([
            0,
            u8::from(*unsettled),
            u8::from(cancel.is_some()),
            u8::from(paused.is_some()),
            u8::from(*started),
        ]);
        for stage in self.definition.graph().started_by_signals() {
            key.extend([u8::from(self.is_open_start(*stage)), u8::from(self.has_begun_a_thread(*stage))]);
        }
        let mut of_workflow: Vec<u8> = timers.values().filter_map(of_workflow).collect();
        of_workflow.sort_unstable();
        text(&mut key, &of_workflow);
        number(&mut key, sweeps.len());
        self.key_of_locks(cap, &mut key);
        self.key_of_scope(ScopeId::ROOT, cap, &mut key);
        self.key_of_the_end((undo, ending.as_deref()), cap, &mut key);
        key
    }

    /// What is to be undone, and what is done. In which order it is undone makes no difference: one at a time, and
    /// nothing lives beside it.
    fn key_of_the_end(&self, (undo, ending): (&[Undo], Option<&Ending>), cap: u32, key: &mut Vec<u8>) {
        let mut stages: BTreeMap<StageIndex, u32> = BTreeMap::new();
        undo.iter().for_each(|undo| *stages.entry(undo.around.owner.stage).or_default() += 1);
        number(key, stages.len());
        for (stage, count) in stages {
            key.extend(stage.get().to_le_bytes());
            key.extend(count.min(cap).to_le_bytes());
        }
        let Some(Ending { status, reason: _, outputs: _, since: _, doing, has_begun_last }) = ending else { return };
        key.extend(status.name().as_bytes());
        key.push(u8::from(*has_begun_last));
        if let Some(Doing { scope, undone }) = doing {
            key.extend(undone.map_or(u32::MAX, |undone| undone.stage.get()).to_le_bytes());
            self.key_of_scope(*scope, cap, key);
        }
    }

    /// In which order those would take their locks that are ready. What an activation holds follows from how far it is.
    fn key_of_locks(&self, cap: u32, key: &mut Vec<u8>) {
        if self.definition.graph().locks.is_empty() {
            return;
        }
        let needs = |id: &ActivationId| !self.definition.graph().stage(id.stage).locks().is_empty();
        let ready = self.core.live.iter().filter(|(id, live)| matches!(live.progress, Progress::Ready(_)) && needs(id));
        let mut ready: Vec<(u64, ActivationId)> = ready.map(|(id, live)| (live.born, *id)).collect();
        ready.sort_unstable();
        number(key, ready.len());
        ready.iter().for_each(|(_, id)| text(key, &self.key_of(*id, cap)));
    }

    fn key_of_scope(&self, id: ScopeId, cap: u32, key: &mut Vec<u8>) {
        let Some(scope) = self.core.scopes.get(&id).map(|scope| &**scope) else { return };
        let Scope {
            // The key of an activation holds that of its scope.
            owner: _,
            depth: _,
            around: _,
            live: _,
            failed,
            stopped,
            ended: _,
            iterations,
            jumped,
            absorbing,
            withdrawn,
            reached,
            trail: _,
            withdrawals: _,
        } = scope;
        key.push(match failed {
            None => 0,
            Some(ScopeFailure::Activation(..)) => 1,
            Some(ScopeFailure::Deadline) => 2,
            Some(ScopeFailure::CanceledBy(_)) => 3,
            Some(ScopeFailure::EndedBy(_)) => 4,
            Some(ScopeFailure::Forced { .. }) => 5,
        });
        number(key, reached.len());
        let most = i64::from(cap) + 1;
        for (Reached { stage, until }, balance) in reached {
            key.extend(stage.get().to_le_bytes());
            key.extend(until.map_or(u32::MAX, |until| until.get()).to_le_bytes());
            // What nothing ends holds for ever.
            let most = if until.is_some() { most } else { 1 };
            key.extend((*balance).clamp(-most, most).to_le_bytes());
        }
        number(key, withdrawn.len());
        withdrawn.iter().for_each(|region| key.extend(region.get().to_le_bytes()));
        let mut halted: Vec<(u32, u32)> = stopped
            .iter()
            .map(|(activation, task)| (activation.stage.get(), task.map_or(u32::MAX, |task| task.get())))
            .collect();
        halted.sort_unstable();
        halted.dedup();
        number(key, halted.len());
        halted.iter().for_each(|(stage, task)| key.extend(stage.to_le_bytes().into_iter().chain(task.to_le_bytes())));
        let left: Vec<_> = self.core.marking.left(id).collect();
        number(key, left.len());
        for left in left {
            key.extend(left.arc.get().to_le_bytes());
            key.extend(left.tokens.min(cap.saturating_add(1)).to_le_bytes());
        }
        of_iterations(iterations, cap, key);
        let held = self.core.locks.iter().flat_map(|locks| locks.held.values());
        let held = held.filter_map(|holder| match holder {
            Holder::Section { section, scope } if *scope == id => Some(section.get()),
            Holder::Section { .. } | Holder::Activation(_) => None,
        });
        let held: Vec<u32> = held.collect();
        number(key, held.len());
        held.iter().for_each(|section| key.extend(section.to_le_bytes()));
        self.key_of_jumps(id, (jumped, absorbing), key);
        // Instances belong to their sets: they differ in nothing but those.
        let inside = self.core.live.iter().filter(|(of, live)| of.instance.is_none() && live.scope == id);
        let mut live: Vec<Vec<u8>> = inside.map(|(id, _)| self.key_of(*id, cap)).collect();
        let sets = self.core.instances.iter().filter(|(_, set)| set.scope == id);
        live.extend(sets.map(|(owner, set)| self.key_of_set((*owner, set), cap)));
        live.sort_unstable();
        number(key, live.len());
        live.iter().for_each(|live| text(key, live));
        self.key_of_joins(id, key);
        self.key_of_threads(id, key);
        self.key_of_rewinds(id, key);
    }

    /// Where control has jumped away, and what comes too late behind a jump.
    fn key_of_jumps(
        &self,
        id: ScopeId,
        (jumped, absorbing): (&BTreeSet<StageIndex>, &BTreeMap<StageIndex, Absorbing>),
        key: &mut Vec<u8>,
    ) {
        number(key, jumped.len());
        jumped.iter().for_each(|stage| key.extend(stage.get().to_le_bytes()));
        number(key, absorbing.len());
        for (stage, Absorbing { to, arcs, past: _ }) in absorbing {
            key.extend(stage.get().to_le_bytes());
            number(key, arcs.len());
            arcs.iter().for_each(|arc| key.extend(arc.get().to_le_bytes()));
            // Which tokens know of the jump decides which come too late.
            let tokens = self.core.marking.of_scope(id);
            key.extend(tokens.map(|token| knows(&token.past, *to)));
        }
    }

    /// What joins have counted, how often aside.
    fn key_of_joins(&self, id: ScopeId, key: &mut Vec<u8>) {
        let of_scope = self.core.joins.iter().filter(|((scope, _), record)| *scope == id && !record.is_fresh());
        let records: Vec<_> = of_scope.collect();
        number(key, records.len());
        for ((_, stage), JoinRecord { seen, fired, generation: _, arrived: _, held: _ }) in records {
            key.extend(stage.get().to_le_bytes());
            key.push(u8::from(fired.is_some()));
            number(key, seen.len());
            seen.iter().for_each(|arc| key.extend(arc.get().to_le_bytes()));
        }
    }

    /// Which tokens and activations are of which threads. Which thread of its group one is makes no difference to a
    /// merge; groups are told apart by their age.
    fn key_of_threads(&self, id: ScopeId, key: &mut Vec<u8>) {
        let tokens = self.core.marking.iter().filter(|(scope, _, _)| *scope == id);
        let tokens = tokens.map(|(_, arc, token)| ([0, arc.get()], token.thread.groups()));
        let inside = self.core.live.iter().filter(|(_, live)| live.scope == id);
        let live = inside.map(|(id, live)| ([1, id.stage.get()], live.thread.groups()));
        let threads: Vec<([u32; 2], Vec<ActivationId>)> =
            tokens.chain(live).filter(|(_, groups)| !groups.is_empty()).collect();
        let groups: BTreeSet<ActivationId> = threads.iter().flat_map(|(_, groups)| groups.iter().copied()).collect();
        let ages: BTreeMap<ActivationId, usize> = groups.into_iter().zip(0..).collect();
        let mut named: Vec<([u32; 2], Vec<usize>)> = threads
            .into_iter()
            .map(|(place, groups)| (place, groups.iter().filter_map(|group| ages.get(group).copied()).collect()))
            .collect();
        named.sort_unstable();
        number(key, named.len());
        for (place, groups) in named {
            place.iter().for_each(|part| key.extend(part.to_le_bytes()));
            number(key, groups.len());
            groups.into_iter().for_each(|group| number(key, group));
        }
    }

    /// The part of the key that the instances of one activation are.
    fn key_of_set(&self, (owner, set): (ActivationId, &InstanceSet), cap: u32) -> Vec<u8> {
        let InstanceSet {
            scope,
            born: _,
            depth: _,
            past,
            thread: _,
            trail,
            has_owner,
            total,
            started,
            live: _,
            done,
            failed,
            canceled,
            has_failures: _,
            first_failed: _,
            closed,
            ending,
            added: _,
            gathered: _,
            items: _,
        } = set;
        let mut key = owner.stage.get().to_le_bytes().to_vec();
        if let Some(kinship) = self.kinship(*scope) {
            kinship.tell_way(past, trail.as_ref(), &mut key);
        }
        key.push(2 + u8::from(*has_owner));
        key.extend([u8::from(*closed), u8::from(total.is_some())]);
        for count in [total.unwrap_or(0), *started, *done, *failed, *canceled] {
            key.extend(count.to_le_bytes());
        }
        key.extend(ending.as_ref().map_or("", |(status, _)| status.name()).as_bytes());
        let of_set = |id: &&ActivationId| id.instance.is_some() && id.owner() == owner;
        let mut live: Vec<Vec<u8>> = self.core.live.keys().filter(of_set).map(|id| self.key_of(*id, cap)).collect();
        live.sort_unstable();
        live.iter().for_each(|live| text(&mut key, live));
        key
    }

    /// The part of the key that one live activation is, with what is inside it.
    pub(super) fn key_of(&self, id: ActivationId, cap: u32) -> Vec<u8> {
        let mut key = id.stage.get().to_le_bytes().to_vec();
        key.push(u8::from(id.instance.is_some()));
        let Some(live) = self.core.live.get(&id) else { return key };
        let Activation {
            scope,
            born: _,
            depth: _,
            past,
            thread: _,
            progress,
            doomed,
            results: _,
            updates: _,
            timers,
            waiting: _,
            held_since: _,
            signal: _,
            inside,
            choice,
            // The activation ends with the event behind it.
            leaving: _,
            trail,
        } = &**live;
        if let Some(kinship) = self.kinship(*scope).filter(|_| id.instance.is_none()) {
            kinship.tell_way(past, trail.as_ref(), &mut key);
        }
        if let Some(scope) = self.core.scopes.get(scope) {
            key.extend(scope.absorbing.values().map(|absorbing| knows(past, absorbing.to)));
        }
        // Who ends it makes no difference to what follows.
        text(&mut key, doomed.map_or("", |cause| cause.name()).as_bytes());
        of_progress(progress, &mut key);
        let mut purposes: Vec<u8> =
            timers.iter().filter_map(|timer| self.core.timers.get(timer)).map(of_owner).collect();
        purposes.sort_unstable();
        text(&mut key, &purposes);
        if let Some(inside) = inside {
            let Inside { scope, begun, last: _, failure, phases } = &**inside;
            // A loop that is tested afterwards is not asked before its first turn; how many came after makes no
            // difference without data.
            key.extend([u8::from(*begun > 0), u8::from(failure.is_some())]);
            of_phases(phases.as_deref(), &mut key);
            if let Some(scope) = scope {
                let mut of_scope = Vec::new();
                self.key_of_scope(*scope, cap, &mut of_scope);
                text(&mut key, &of_scope);
            }
        }
        key.push(u8::from(choice.is_some()));
        // Whom it withdraws if it is chosen.
        let mut others: Vec<u32> = self.offered_with(id).into_iter().map(|other| other.stage.get()).collect();
        others.sort_unstable();
        let waiting = self.waiting_with(id).into_iter().map(|arc| arc.get());
        for names in [others, waiting.collect()] {
            number(&mut key, names.len());
            names.iter().for_each(|name| key.extend(name.to_le_bytes()));
        }
        key
    }
}

fn of_iterations(iterations: &BTreeMap<ArcIndex, u32>, cap: u32, key: &mut Vec<u8>) {
    number(key, iterations.len());
    for (arc, turns) in iterations {
        key.extend(arc.get().to_le_bytes());
        key.extend(turns.min(&cap.saturating_add(1)).to_le_bytes());
    }
}

fn of_progress(progress: &Progress, key: &mut Vec<u8>) {
    match progress {
        Progress::Ready(Gate::Condition) => key.push(0),
        Progress::Ready(Gate::Scheduled) => key.push(1),
        Progress::Ready(Gate::Passed) => key.push(2),
        Progress::Ready(Gate::Expired) => key.push(3),
        Progress::Ready(Gate::Trigger) => key.push(8),
        Progress::Ready(Gate::Triggered) => key.push(9),
        Progress::Ready(Gate::Lock) => key.push(10),
        Progress::Ready(Gate::Choice) => key.push(11),
        Progress::Ready(Gate::Milestone) => key.push(12),
        Progress::Ready(Gate::MilestoneAgain) => key.push(13),
        Progress::Between { next } => {
            key.push(4);
            key.extend(next.get().to_le_bytes());
        }
        Progress::Open(open) => {
            let OpenTask { task, attempt, dispatch: _, failures: _, failed: _, lost: _, since: _, changed: _ } = open;
            key.push(5);
            key.extend(task.get().to_le_bytes());
            key.push(match attempt {
                // Whether a worker has begun makes no difference to what can happen.
                AttemptState::Queued { .. } | AttemptState::Started => 0,
                AttemptState::Reported(_) => 1,
                AttemptState::Lost => 2,
                AttemptState::Waiting { .. } => 3,
                AttemptState::Woken => 4,
                AttemptState::Suspended => 5,
                AttemptState::Calling { .. } => 6,
            });
        }
        Progress::CoreEnded => key.push(6),
        Progress::Overdue => key.push(7),
        Progress::Turning => key.push(10),
        Progress::Inside => key.push(11),
        Progress::Instances => key.push(8),
        Progress::Canceling(stopping) => key.extend([14, u8::from(stopping.is_some())]),
    }
}

fn of_workflow(timer: &Timer) -> Option<u8> {
    match timer.of {
        TimerOf::Owner(crate::event::TimerOwner::Workflow, purpose) => Some(of_purpose(purpose)),
        TimerOf::Owner(crate::event::TimerOwner::Activation(_), _) | TimerOf::Task(_) => None,
    }
}

fn of_owner(timer: &Timer) -> u8 {
    match timer.of {
        TimerOf::Task(_) => 0,
        TimerOf::Owner(_, purpose) => 1 + of_purpose(purpose),
    }
}

fn of_purpose(purpose: TimerPurpose) -> u8 {
    match purpose {
        TimerPurpose::ScheduledTime => 0,
        TimerPurpose::StartTimeExpiry => 1,
        TimerPurpose::Deadline => 2,
        TimerPurpose::CancelOn => 3,
        TimerPurpose::Trigger => 4,
        TimerPurpose::CancelInstances => 5,
        TimerPurpose::CompleteInstances => 6,
        TimerPurpose::CancelTimeout => 7,
    }
}

/// Does what lies behind know of this activation, or of a later one of its stage?
fn knows(past: &Past, to: ActivationId) -> u8 {
    u8::from(past.get(to.stage).is_some_and(|known| known.activation.number >= to.number))
}

fn number(key: &mut Vec<u8>, number: usize) {
    key.extend(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

/// A part whose end can be told.
fn text(key: &mut Vec<u8>, part: &[u8]) {
    number(key, part.len());
    key.extend(part);
}

/// What is done beside the own work of an activation: what has begun, how it has ended so far, and whether something
/// before it has gone on after a failure.
fn of_phases(phases: Option<&Phases>, key: &mut Vec<u8>) {
    let Some(Phases { begun, before, behind: _, so_far }) = phases else { return };
    text(key, &begun.iter().map(|phase| phase.name().as_bytes()[0]).collect::<Vec<u8>>());
    key.push(u8::from(before.iter().any(|ended| ended.status == Status::FailedContinue)));
    text(key, so_far.as_ref().map_or("", |so_far| so_far.status.name()).as_bytes());
    key.push(u8::from(so_far.as_ref().is_some_and(|so_far| so_far.error.is_some())));
}
