//! What is true of every state between two micro-steps; used by tests, the simulator and replay.

use std::collections::BTreeMap;

use crate::definition::{Join, MilestonePolicy, Reentry};
use crate::event::{TimerOwner, TimerPurpose};
use crate::ids::{ActivationId, ArcIndex, RegionIndex, ScopeId, TaskId};

use super::outlook::Waiting;
use super::state::{Activation, AttemptState, Gate, Phase, Progress, State, TimerOf};

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invariant broken: {what}")]
pub struct Broken {
    /// What should be true.
    pub what: &'static str,
}

impl State {
    /// Checks the invariants of a state between two batches.
    ///
    /// # Errors
    ///
    /// The first invariant that does not hold.
    pub fn check(&self) -> Result<(), Broken> {
        let graph = self.definition.graph();
        ensure(self.core.marking.is_consistent(graph), "marked arcs are counted")?;
        self.check_numbers()?;
        self.check_scopes()?;
        self.check_timers()?;
        self.check_owners()?;
        self.check_regions()?;
        self.check_signals()?;
        self.check_locks()?;
        self.check_joins()?;
        self.check_ways()?;
        self.check_choices()?;
        self.check_milestones()?;
        self.check_instances()?;
        match &self.core.phase {
            Phase::New => ensure(self.core.events == 0, "a workflow without a beginning has no events"),
            Phase::Live => self.check_or_joins().and(ensure(
                self.core.unsettled
                    || self.core.events < 2
                    || !self.core.live.is_empty()
                    || self.holds_instances(ScopeId::ROOT)
                    || self.waits_to_start()
                    || (self.core.ending.is_some() && self.is_paused())
                    || self.open_starts().next().is_some(),
                "a settled live workflow has a live activation, or waits for its start or for a signal that starts one",
            )),
            Phase::Ended { status, .. } => {
                ensure(status.is_complete(), "a workflow ends with an end status")?;
                ensure(self.core.live.is_empty(), "an ended workflow has no live activation")?;
                ensure(self.core.timers.is_empty(), "an ended workflow has no timer")
            }
        }
    }

    fn check_numbers(&self) -> Result<(), Broken> {
        for (id, activation) in &self.core.live {
            let numbers = self.core.numbers.get(&id.stage).copied().unwrap_or(0);
            ensure((1..=numbers).contains(&id.number), "a live activation has a number of its stage")?;
            ensure(activation.born <= self.core.born, "a live activation was born")?;
            ensure(activation.depth > 0, "an activation is deeper than the start")?;
        }
        Ok(())
    }

    fn check_scopes(&self) -> Result<(), Broken> {
        let mut live: BTreeMap<ScopeId, u32> = BTreeMap::new();
        for activation in self.core.live.values() {
            *live.entry(activation.scope).or_default() += 1;
        }
        for (id, scope) in &self.core.scopes {
            ensure(live.remove(id).unwrap_or(0) == scope.live, "the live activations of a scope are counted")?;
        }
        ensure(live.is_empty(), "a live activation lies in an open scope")?;
        for (scope, _, _) in self.core.marking.iter() {
            ensure(self.core.scopes.contains_key(&scope), "a token lies in an open scope")?;
        }
        let inner = self.core.live.iter().filter(|(_, live)| live.scope != ScopeId::ROOT);
        let inner = inner.map(|(id, live)| (live.scope, *id)).collect();
        ensure(self.candidates.inner == inner, "what lives inside activations is known by its scope")?;
        let mut owned = 0;
        for (id, scope) in &self.core.scopes {
            let Some(owner) = scope.owner else {
                let is_done = self.doing().is_some_and(|doing| doing.scope == *id);
                ensure(*id == ScopeId::ROOT || is_done, "a scope inside nothing is the root, or done at the end")?;
                let waits = *id == ScopeId::ROOT || scope.live > 0 || self.core.unsettled || self.is_paused();
                ensure(waits, "what is done at the end has a live activation once it is settled")?;
                continue;
            };
            owned += 1;
            let owner = self.core.live.get(&owner);
            ensure(owner.is_some_and(|owner| owner.scope_inside() == Some(*id)), "an open scope is that of its owner")?;
            let around = owner.map_or(0, |owner| self.depth_of(owner.scope));
            ensure(scope.depth == around + 1, "a scope lies one deeper than its owner")?;
            let waits = scope.live > 0 || self.core.unsettled;
            ensure(waits, "a settled scope inside an activation has a live activation")?;
        }
        let known = self.core.live.values().filter(|live| live.scope_inside().is_some()).count();
        ensure(known == owned, "an activation knows the scope inside it")
    }

    /// Every OR-join that waits knows for what, or is to be looked at.
    fn check_or_joins(&self) -> Result<(), Broken> {
        for scope in self.core.scopes.keys().filter(|scope| !self.core.unsettled && self.moves(**scope)) {
            for join in self.core.marking.marked_stages(*scope) {
                let stage = self.definition.graph().stage(join);
                let waits = stage.join == Join::Or && stage.reentry == Reentry::Parallel;
                let is_known = self.candidates.outlooks.knows(Waiting { scope: *scope, join });
                ensure(!waits || is_known, "an OR-join that waits knows for what")?;
            }
        }
        Ok(())
    }

    /// Joins that count arrivals.
    fn check_joins(&self) -> Result<(), Broken> {
        let graph = self.definition.graph();
        for ((scope, join), record) in &self.core.joins {
            let stage = graph.stages.get(join.index()).filter(|stage| stage.generations.is_some());
            let Some(stage) = stage else { return ensure(false, "only joins that count arrivals have a record") };
            ensure(self.core.scopes.contains_key(scope), "a join counts in an open scope")?;
            let lies = |arc| record.fired.is_some() || self.core.marking.is_marked(*scope, arc);
            let fits = record.seen.iter().all(|arc| stage.incoming.contains(arc) && lies(*arc));
            ensure(fits, "what a join has counted lies on its arcs until it fires")?;
            let is_over = record.fired.is_some() && record.seen.len() == stage.incoming.len();
            let waiting = Waiting { scope: *scope, join: *join };
            let is_settled = !self.core.unsettled && self.core.phase == Phase::Live && self.moves(*scope);
            ensure(!is_settled || !is_over, "a generation that is complete is over")?;
            let is_known = self.question(waiting).is_none() || self.candidates.outlooks.knows(waiting);
            ensure(!is_settled || is_known, "a join that counts arrivals and waits knows for what")?;
        }
        Ok(())
    }

    /// What a rewind needs is known of every way, where jumps rewind, and nothing where none does.
    fn check_ways(&self) -> Result<(), Broken> {
        let rewinds = self.rewinds();
        for (id, live) in self.core.live.iter().filter(|(id, _)| id.instance.is_none()) {
            let origin = live.trail.as_ref().and_then(|trail| trail.origins.get(id.stage));
            let is_known = origin.is_some_and(|origin| origin.activation == *id && origin.past == live.past);
            ensure(is_known == rewinds, "where an activation comes from is known if jumps rewind")?;
        }
        let of_tokens = self.core.marking.iter().filter_map(|(_, _, token)| token.trail.as_ref());
        let of_live = self.core.live.values().filter_map(|live| live.trail.as_ref());
        for trail in of_tokens.chain(of_live) {
            let mut taken = trail.gathered.iter().flat_map(|gathering| &gathering.taken);
            let is_bounded =
                taken.all(|taken| taken.token.trail.as_ref().is_none_or(|trail| trail.gathered.is_empty()));
            ensure(rewinds && is_bounded, "what was consumed does not hold what others consumed")?;
        }
        for record in self.core.joins.values() {
            let mut arrived: Vec<ArcIndex> = record.arrived.iter().map(|taken| taken.arc).collect();
            arrived.sort_unstable();
            let is_kept = rewinds && record.fired.is_some();
            let fits = if is_kept { record.seen.iter().eq(&arrived) } else { arrived.is_empty() };
            ensure(fits, "a join that has fired knows what has arrived, if jumps rewind")?;
        }
        Ok(())
    }

    /// Is it to start at a moment for which a timer is set?
    fn waits_to_start(&self) -> bool {
        let scheduled = TimerOf::Owner(TimerOwner::Workflow, TimerPurpose::ScheduledTime);
        !self.has_started() && self.core.timers.values().any(|timer| timer.of == scheduled)
    }

    /// Every timer has an owner that stands where such a timer is set.
    fn check_owners(&self) -> Result<(), Broken> {
        let mut of_activations = 0;
        for (id, timer) in &self.core.timers {
            let TimerOf::Owner(owner, purpose) = timer.of else { continue };
            let deadline = purpose == TimerPurpose::Deadline;
            let of_started =
                deadline || matches!(purpose, TimerPurpose::CancelInstances | TimerPurpose::CompleteInstances);
            match owner {
                TimerOwner::Workflow => {
                    ensure(self.has_started() == deadline, "a timer to start ends with the start, a deadline begins")?;
                }
                TimerOwner::Activation(owner) if purpose == TimerPurpose::CancelOn => {
                    of_activations += 1;
                    let owner = self.core.live.get(&owner);
                    ensure(
                        owner.is_some_and(|owner| owner.timers.contains(id)),
                        "a timer that ends an activation is its",
                    )?;
                }
                TimerOwner::Activation(owner) if purpose == TimerPurpose::CancelTimeout => {
                    of_activations += 1;
                    let is_its = self.core.live.get(&owner).is_some_and(|owner| owner.timers.contains(id));
                    ensure(is_its && self.stopping(owner).is_some(), "what says how long a stop may take has one")?;
                }
                TimerOwner::Activation(owner) => {
                    of_activations += 1;
                    let owner = self.core.live.get(&owner).filter(|owner| owner.timers.contains(id));
                    // Behind a gate it may have passed it is still there, until it starts.
                    let ready = owner.map(|owner| matches!(owner.progress, Progress::Ready(_)));
                    ensure(ready == Some(!of_started), "a timer of an activation fits how far that is")?;
                }
            }
        }
        let known: usize = self.core.live.values().map(|live| live.timers.len()).sum();
        ensure(known == of_activations, "an activation knows its timers")
    }

    /// What a region takes with it is gone when the state has settled.
    fn check_regions(&self) -> Result<(), Broken> {
        let graph = self.definition.graph();
        let known = |region: &RegionIndex| region.index() < graph.regions.len();
        let withdrawn = self.core.scopes.values().all(|scope| scope.withdrawn.iter().all(known));
        ensure(withdrawn, "a withdrawn region is one of the definition")?;
        ensure(self.core.unsettled || self.core.sweeps.is_empty(), "a settled state has no tokens to take away")?;
        for (id, live) in self.core.live.iter().filter(|(_, live)| live.doomed.is_some()) {
            ensure(self.core.unsettled || self.is_canceling(*id), "nothing in a settled state is about to end")?;
            ensure(self.core.unsettled || self.stops_first(*id), "what is canceled waits for something to stop")?;
            ensure(!self.is_canceling(*id) || live.waiting.is_none(), "what is canceled waits for no signal")?;
        }
        let canceling = self.core.live.iter().filter(|(id, _)| self.is_canceling(**id));
        let known = canceling.into_iter().all(|(_, live)| live.doomed.is_some());
        ensure(known, "what waits for its work to stop is canceled")
    }

    /// Who waits for a signal is found by its name, and nobody else is; what is kept, somebody may still take.
    fn check_signals(&self) -> Result<(), Broken> {
        let mut waiting = 0;
        for (id, activation) in &self.core.live {
            let by_signal = self.definition.graph().stage(id.stage).signal_trigger().is_some();
            let waits = match &activation.progress {
                Progress::Ready(Gate::Trigger) => by_signal,
                Progress::Open(open) => open.attempt == AttemptState::Suspended,
                // Its instances are over, and the batch was cut before its end: until then it knows them still.
                Progress::CoreEnded if self.core.unsettled && self.core.instances.contains_key(id) => {
                    activation.waiting.is_some()
                }
                Progress::Ready(_)
                | Progress::Between { .. }
                | Progress::Turning
                | Progress::Inside
                | Progress::CoreEnded
                | Progress::Overdue
                | Progress::Canceling(_) => false,
                Progress::Instances => {
                    let spec = self.definition.graph().stage(id.stage).instances.as_ref();
                    let set = self.core.instances.get(id);
                    let names = spec.zip(set).map(|(spec, set)| set.signals(spec)).unwrap_or_default();
                    let known = activation.waiting.as_ref().map_or(&[][..], |wait| &wait.names);
                    let is_doomed = activation.doomed.is_some();
                    ensure(is_doomed || known == names, "who has instances waits for the signals that concern them")?;
                    !known.is_empty()
                }
            };
            ensure(activation.waiting.is_some() == waits, "who waits for a signal knows for which")?;
            waiting += activation.waiting.as_ref().map_or(0, |wait| wait.names.len().max(1));
        }
        let Some(signals) = &self.core.signals else {
            return ensure(waiting == 0, "who waits for a signal is known");
        };
        ensure(signals.is_consistent(waiting, |id| self.wait_of(id)), "who waits for a signal is known")?;
        let most = self.definition.limits().signals.buffered_max;
        ensure(signals.kept.len() as u64 <= most, "no more signals are kept than there is room for")?;
        ensure(matches!(self.core.phase, Phase::Live), "an ended workflow keeps no signal")
    }

    /// Nobody waits for a milestone that holds, and nobody who is to be passed by for one that can come no more.
    fn check_milestones(&self) -> Result<(), Broken> {
        if self.core.phase != Phase::Live || self.core.unsettled || self.is_paused() {
            return Ok(());
        }
        for (id, live) in self.core.live.iter().filter(|(id, _)| self.waits_for_its_milestone(**id)) {
            if !self.moves(live.scope) {
                continue;
            }
            ensure(!self.meets_its_milestone(*id), "nobody waits for a milestone that holds")?;
            let milestone = self.definition.graph().stage(id.stage).milestone.as_deref();
            let waits_on = milestone.is_some_and(|milestone| milestone.policy == MilestonePolicy::Wait);
            ensure(
                waits_on || self.milestone_may_come_anew(*id),
                "nobody waits for a milestone that can come no more",
            )?;
        }
        Ok(())
    }

    /// What runs holds its locks, what is held somebody needs, and nobody waits for what is free.
    fn check_locks(&self) -> Result<(), Broken> {
        let is_settled = self.core.phase == Phase::Live && !self.core.unsettled;
        let waiting = |progress: &Progress| *progress == Progress::Ready(Gate::Lock);
        let at_lock = self.core.live.iter().filter(|(_, live)| waiting(&live.progress)).map(|(id, _)| *id);
        ensure(self.has_consistent_locks(at_lock.clone()), "who waits for a lock is known")?;
        for (id, live) in self.core.live.iter().filter(|(id, _)| id.instance.is_none()) {
            let needed = self.lock_places(*id, live.scope);
            let is_holder =
                needed.iter().all(|place| self.held(*place) == Some(self.holder_of(*place, *id, live.scope)));
            ensure(matches!(live.progress, Progress::Ready(_)) || is_holder, "what runs holds its locks")?;
            let may_go = is_settled && waiting(&live.progress) && !self.is_paused() && self.moves(live.scope);
            ensure(!may_go || self.locked_out(*id).is_some(), "nobody waits for a lock that is free")?;
        }
        let mut held = self.core.locks.iter().flat_map(|locks| locks.held.keys());
        ensure(!is_settled || !held.any(|place| self.is_unused(*place)), "a lock that is held is needed")
    }

    /// What is offered waits, and for something that can choose it.
    fn check_choices(&self) -> Result<(), Broken> {
        for live in self.core.live.values() {
            let known = live.choice.as_ref().map(|offer| self.definition.graph().choice_of(offer.arc).is_some());
            ensure(known != Some(false), "what is offered came over an arc of a choice")?;
            let claimable = live.progress == Progress::Ready(Gate::Choice);
            ensure(!claimable || known.is_some(), "who waits to be chosen is offered")?;
            let waits = matches!(live.progress, Progress::Ready(Gate::Condition | Gate::Trigger | Gate::Choice));
            let excused = self.core.unsettled || known.is_none();
            ensure(waits || excused, "what is offered waits before its work")?;
        }
        Ok(())
    }

    /// Every instance is counted, and no set is left without a reason.
    fn check_instances(&self) -> Result<(), Broken> {
        let mut live: BTreeMap<ActivationId, u32> = BTreeMap::new();
        for id in self.core.live.keys().filter(|id| id.instance.is_some()) {
            *live.entry(id.owner()).or_default() += 1;
        }
        for (set_of, set) in &self.core.instances {
            ensure(live.remove(set_of).unwrap_or(0) == set.live, "the live instances of an activation are counted")?;
            let ended = set.done + set.failed + set.canceled;
            ensure(set.live + ended == set.started, "every instance that has begun lives or has ended")?;
            ensure(set.started <= set.total.unwrap_or(0), "no more instances begin than there are")?;
            let spec = self.definition.graph().stage(set_of.stage).instances.as_ref();
            let most = spec.map_or(0, |spec| spec.max);
            ensure(set.total.unwrap_or(0) <= most, "there are no more instances than there may be")?;
            let owner = self.core.live.get(set_of);
            ensure(owner.is_some() == set.has_owner, "the set knows whether its activation lives")?;
            let gathered = set.done + set.failed;
            ensure(!set.has_owner || set.gathered.count() == gathered, "what ended instances gave is kept")?;
            let stops = self.core.live.keys().any(|id| id.owner() == *set_of && self.is_canceling(*id));
            ensure(self.core.unsettled || set.ending.is_none() || stops, "what is withdrawn ends in the same batch")?;
            ensure(self.core.unsettled || !set.is_over(), "what is over is forgotten")?;
        }
        let with = self.core.live.iter().filter(|(_, live)| matches!(live.progress, Progress::Instances));
        let known = with.into_iter().all(|(id, _)| self.core.instances.contains_key(id));
        ensure(known && live.is_empty(), "an instance belongs to a set, and so does an activation that has some")
    }

    fn check_timers(&self) -> Result<(), Broken> {
        let (mut waiting, mut calling) = (0, 0);
        for (id, activation) in &self.core.live {
            let n_tasks = self.definition.graph().stage(id.stage).tasks.len();
            let Progress::Open(open) = &activation.progress else {
                // Between two batches no activation stands between two tasks.
                let unfinished = !matches!(
                    activation.progress,
                    Progress::Ready(
                        Gate::Scheduled
                            | Gate::Trigger
                            | Gate::Lock
                            | Gate::Choice
                            | Gate::Milestone
                            | Gate::MilestoneAgain
                    ) | Progress::Inside
                        | Progress::Canceling(_)
                        | Progress::Instances
                );
                // What was inside it has to stop.
                let stops = self.lives_inside(activation) || self.has_live_instances(*id);
                let unfinished = unfinished && !(stops && activation.progress == Progress::Overdue);
                let held = self.is_paused() && matches!(activation.progress, Progress::Ready(_) | Progress::Turning);
                let excused = self.core.unsettled || held;
                ensure(!unfinished || excused, "a settled activation has an open task or waits at a gate")?;
                continue;
            };
            ensure(open.task.index() < n_tasks, "an open task is one of its stage")?;
            ensure(open.dispatch > 0, "an open task has been queued")?;
            match open.attempt {
                AttemptState::Waiting { timer } => {
                    waiting += 1;
                    let set = self.core.timers.get(&timer);
                    let of = TimerOf::Task(TaskId { activation: *id, task: open.task });
                    ensure(set.is_some_and(|set| set.of == of), "a waiting task has its timer")?;
                }
                AttemptState::Queued { .. } | AttemptState::Started | AttemptState::Suspended => (),
                AttemptState::Calling { child } => {
                    calling += 1;
                    let awaits = self.awaits(child).is_some_and(|attempt| attempt.task.activation == *id);
                    ensure(awaits, "an attempt that called a workflow waits for it")?;
                }
                AttemptState::Reported(_) | AttemptState::Lost | AttemptState::Woken => {
                    return Err(Broken { what: "every outcome has its consequence in the same batch" });
                }
            }
        }
        let of_tasks = self.core.timers.values().filter(|timer| matches!(timer.of, TimerOf::Task(_)));
        ensure(waiting == of_tasks.count(), "every timer of a task has a waiting task")?;
        let awaited = self.core.children.values().filter(|called| !called.is_left);
        ensure(calling == awaited.count(), "every called workflow that is wanted has an attempt that waits for it")
    }
}

impl Activation {
    /// The scope that is open inside it.
    pub(super) fn scope_inside(&self) -> Option<ScopeId> {
        self.inside.as_ref()?.scope
    }
}

fn ensure(holds: bool, what: &'static str) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken { what }) }
}
