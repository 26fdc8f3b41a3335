//! Several instances of a stage: how many, when each begins, when control goes on (WCP 12 to 15, 26, 27, 34 to 36).
//!
//! An instance runs as any activation does; here stands what follows for the activation that has it.

use crate::definition::{Completion, Instances, OnConditionError, Remaining, Source, Withdrawal};
use crate::event::{Event, InstancesAddition, SignalRecipient, TimerClock, TimerOwner, TimerPurpose};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, InstanceIndex, ScopeId, StageIndex};
use crate::limits::{INSTANCES_MAX, INSTANCES_PER_EVENT_MAX, LISTED_MAX};
use crate::machine::command::Rejection;
use crate::machine::data::Surroundings;
use crate::machine::instances::InstanceSet;
use crate::machine::items::Items;
use crate::machine::state::{Progress, State};
use crate::status::Status;
use crate::value::Value;
use std::sync::Arc;

use super::stage::failure_status;
use super::{Decision, Site};

/// More instances: only while the activation lives, and nobody has closed it.
pub(super) fn refuse_addition(state: &State, addition: &InstancesAddition) -> Result<(), Rejection> {
    let id = addition.activation;
    let closed = || Rejection::InstancesClosed { stage: ref_id(state, id) };
    let set = open_set(state, id).ok_or_else(closed)?;
    let Some(spec) = spec(state, id).filter(|spec| spec.growth.is_some() && !set.closed) else {
        return Err(closed());
    };
    if addition.items.is_empty() || addition.items.iter().any(|item| Value::from_json(item).is_err()) {
        return Err(Rejection::Malformed);
    }
    let more = u32::try_from(addition.items.len()).unwrap_or(u32::MAX);
    let bytes: usize = addition.items.iter().map(String::len).sum();
    let known = set.total.or_else(|| to_be_counted(state, id, spec)).unwrap_or(0);
    let too_many = known.saturating_add(more) > spec.max || more as usize > LISTED_MAX;
    if too_many || bytes as u64 > state.definition.limits().payload_bytes_max {
        return Err(Rejection::InstancesFull { stage: ref_id(state, id), most: spec.max });
    }
    Ok(())
}

/// How many there are to be behind which what is added comes, where a pause has kept them from being counted. What
/// cannot be counted fails the stage, and is no reason to refuse anything.
fn to_be_counted(state: &State, id: ActivationId, spec: &Instances) -> Option<u32> {
    let seen = Surroundings::of_activation(state, id)?;
    let items = state.core.instances.get(&id)?.items.get_or_try(|| Items::of(&spec.source, &seen).map(Arc::new));
    u32::try_from(items.ok()?.count()).ok()
}

/// Closing and completing: only while the activation lives and goes on with its instances.
pub(super) fn refuse_end(state: &State, id: ActivationId) -> Result<(), Rejection> {
    match open_set(state, id) {
        Some(_) => Ok(()),
        None => Err(Rejection::NotLive { stage: ref_id(state, id) }),
    }
}

/// As [`refuse_end`], and what is closed cannot be closed again.
pub(super) fn refuse_close(state: &State, id: ActivationId) -> Result<(), Rejection> {
    refuse_end(state, id)?;
    match open_set(state, id).filter(|set| !set.closed) {
        Some(_) => Ok(()),
        None => Err(Rejection::InstancesClosed { stage: ref_id(state, id) }),
    }
}

fn ref_id(state: &State, id: ActivationId) -> String {
    let stage = state.definition.graph().stages.get(id.stage.index());
    stage.map_or_else(String::new, |stage| stage.ref_id.clone())
}

fn spec(state: &State, id: ActivationId) -> Option<&Instances> {
    state.definition.graph().stages.get(id.stage.index())?.instances.as_deref()
}

/// The instances of a live activation that goes on with them.
fn open_set(state: &State, id: ActivationId) -> Option<&InstanceSet> {
    let is_doomed = state.core.live.get(&id).is_none_or(|live| live.doomed.is_some());
    let set = state.core.instances.get(&id)?;
    let counted = matches!(state.core.live.get(&id)?.progress, Progress::Instances);
    (!is_doomed && counted && set.has_owner && set.ending.is_none()).then_some(set)
}

impl Decision<'_> {
    /// The next instances of an activation begin; before the first, they are counted.
    pub(super) fn start_instances(&mut self, owner: ActivationId) {
        let definition = self.state.definition.clone();
        let stage = definition.graph().stage(owner.stage);
        let Some(spec) = &stage.instances else { return };
        let is_counted = self.state.core.instances[&owner].total.is_some();
        if !is_counted {
            match self.count_instances(owner, spec) {
                Ok(0) if !self.expects_some(owner, spec) => return self.pass_by(owner),
                Ok(total) => {
                    let to = if spec.sequential { total.min(1) } else { total };
                    return self.begin_instances(owner, (0, to), total);
                }
                Err(error) => {
                    let status = failure_status(stage.on_failure);
                    return self.end_stage(owner, status, Some(error));
                }
            }
        }
        let set = &self.state.core.instances[&owner];
        let (from, total) = (set.started, set.total.unwrap_or(0));
        let to = if spec.sequential { total.min(from + 1) } else { total };
        self.begin_instances(owner, (from, to), total);
    }

    /// Instances `from` up to `to` begin, as many of them as stand in one event.
    fn begin_instances(&mut self, owner: ActivationId, (from, to): (u32, u32), total: u32) {
        let definition = self.state.definition.clone();
        let begins_at_once = definition.graph().stage(owner.stage).begins_at_once();
        // Otherwise what each does first is decided, too, and a batch is cut between two of them.
        let most = if begins_at_once { INSTANCES_PER_EVENT_MAX } else { 1 };
        let to = to.min(from.saturating_add(most));
        self.push(Event::InstancesStarted { activation: owner, from, to, total });
        for index in (from..to).filter(|_| !begins_at_once) {
            self.next_task(ActivationId { instance: InstanceIndex::new(index), ..owner });
        }
    }

    /// Does an activation without any instance wait for the first?
    fn expects_some(&self, owner: ActivationId, spec: &Instances) -> bool {
        let is_told = spec.growth.as_ref().map(|growth| growth.close_on.is_some());
        !self.state.core.instances[&owner].closed && is_told.is_some_and(|is_told| is_told || spec.min > 0)
    }

    /// How many instances there are to be.
    fn count_instances(&mut self, owner: ActivationId, spec: &Instances) -> Result<u32, Failure> {
        let seen = self.surroundings(owner);
        let set = &self.state.core.instances[&owner];
        let counted = self.answers.count(Site::Instances(owner), &options(spec), || {
            let items = set.items.get_or_try(|| Items::of(&spec.source, &seen).map(Arc::new))?;
            Ok(items.count())
        })?;
        let can_grow = spec.growth.is_some();
        let failed = |code, message: String| Err(Failure::new(code, ErrorClass::Permanent, message));
        let Ok(count) = u32::try_from(counted)
            .map_err(|_| ())
            .and_then(|count| if count <= INSTANCES_MAX { Ok(count) } else { Err(()) })
        else {
            return failed(ErrorCode::LIMIT_INSTANCES, format!("{counted} instances, more than {INSTANCES_MAX}"));
        };
        if count > spec.max || (!can_grow && count > 0 && count < spec.min) {
            let message = format!("{count} instances, not {} to {}", spec.min, spec.max);
            return failed(ErrorCode::INSTANCES_OUT_OF_BOUNDS, message);
        }
        if let Completion::Threshold(threshold) = spec.completion
            && !can_grow
            && count > 0
            && threshold > count
        {
            let message = format!("join_threshold is {threshold}, and there are {count} instances");
            return failed(ErrorCode::THRESHOLD_GT_COUNT, message);
        }
        Ok(count)
    }

    /// More instances were asked for.
    pub(super) fn add_instances(&mut self, addition: &InstancesAddition) {
        let owner = addition.activation;
        if self.state.core.instances[&owner].total.is_none() {
            // Whoever holds it back has not let it count yet; what is added comes behind those.
            let definition = self.state.definition.clone();
            let Some(spec) = &definition.graph().stage(owner.stage).instances else { return };
            match self.count_instances(owner, spec) {
                Ok(total) => self.push(Event::InstancesStarted { activation: owner, from: 0, to: 0, total }),
                Err(error) => {
                    let status = failure_status(definition.graph().stage(owner.stage).on_failure);
                    return self.end_stage(owner, status, Some(error));
                }
            }
        }
        let from = self.state.core.instances[&owner].total.unwrap_or(0);
        let to = from + u32::try_from(addition.items.len()).unwrap_or(0);
        self.push(Event::InstancesAdded { activation: owner, from, to });
        self.close_if_told(owner);
    }

    /// No more instances can be added.
    pub(super) fn close_instances(&mut self, owner: ActivationId) {
        self.push(Event::InstancesClosed { activation: owner });
    }

    /// An activation that has just begun to have instances: timers and signals may end them from outside.
    pub(super) fn heed_outside(&mut self, owner: ActivationId) {
        let definition = self.state.definition.clone();
        let Some(spec) = definition.graph().stage(owner.stage).instances.as_ref() else { return };
        let purposes = [TimerPurpose::CancelInstances, TimerPurpose::CompleteInstances];
        for (withdrawal, purpose) in Withdrawal::ALL.into_iter().zip(purposes) {
            if let Some(timer) = spec.outside(withdrawal).timer {
                let due = self.state.clock(TimerClock::Calendar).saturating_add(timer);
                self.set_moment(TimerOwner::Activation(owner), purpose, due);
            }
        }
        // What is kept came before it waited.
        let to = SignalRecipient::Instances(owner);
        while let Some(names) = self.state.wait_of(owner).map(|wait| wait.names.clone()) {
            let Some(signal) = self.kept_for(to, &names) else { return };
            self.deliver(signal, to);
        }
    }

    /// A signal of this name has come for the instances of an activation.
    pub(super) fn signal_instances(&mut self, owner: ActivationId, name: &str) {
        match spec(self.state, owner).and_then(|spec| spec.on_signal(name)) {
            Some(Some(withdrawal)) => self.withdraw_instances(owner, withdrawal),
            Some(None) => self.close_instances(owner),
            None => (),
        }
    }

    /// The instances of an activation end from outside, if it still goes on with them.
    pub(super) fn withdraw_instances(&mut self, owner: ActivationId, withdrawal: Withdrawal) {
        let Some(set) = open_set(self.state, owner) else { return };
        let status = match withdrawal {
            Withdrawal::Cancel => Status::Canceled,
            Withdrawal::Complete => succeeded(set),
        };
        self.push(Event::InstancesWithdrawn { activation: owner, status, error: None });
    }

    /// Those activations of a stage that go on with their instances.
    pub(super) fn with_open_instances(&self, scope: ScopeId, stage: StageIndex) -> Vec<ActivationId> {
        let live = self.state.live_of(scope, stage).filter(|id| id.instance.is_none());
        live.filter(|id| open_set(self.state, *id).is_some()).collect()
    }

    /// Are the instances of the activation on their way to their end, and it with them?
    pub(super) fn is_withdrawn(&self, owner: ActivationId) -> bool {
        self.state.core.instances.get(&owner).is_some_and(|set| set.ending.is_some())
    }

    /// The deadline of an activation has passed that has instances.
    pub(super) fn withdraw_overdue(&mut self, owner: ActivationId) {
        let status = failure_status(self.state.definition.graph().stage(owner.stage).on_failure);
        let error = Some(self.overdue(owner));
        self.push(Event::InstancesWithdrawn { activation: owner, status, error });
    }

    /// An instance has ended by itself: conditions that ask for it are examined, once each.
    pub(super) fn after_instance(&mut self, instance: ActivationId, status: Status) {
        let owner = instance.owner();
        if status == Status::Canceled || !self.waits_for_instances(owner) {
            return;
        }
        self.close_if_told(owner);
        let definition = self.state.definition.clone();
        let stage = definition.graph().stage(owner.stage);
        let Some(Completion::Condition(condition)) = stage.instances.as_ref().map(|spec| &spec.completion) else {
            return;
        };
        match self.ask_instances(owner, Site::Completion(owner), condition) {
            Ok(true) => self.go_on(owner),
            Err(error) if stage.on_condition_error == OnConditionError::Fail => {
                let status = failure_status(stage.on_failure);
                self.push(Event::InstancesWithdrawn { activation: owner, status, error: Some(error) });
            }
            Ok(false) | Err(_) => (),
        }
    }

    /// `close_when`: an error in it closes nothing.
    fn close_if_told(&mut self, owner: ActivationId) {
        let definition = self.state.definition.clone();
        let spec = definition.graph().stage(owner.stage).instances.as_ref();
        let condition = spec.and_then(|spec| spec.growth.as_ref()?.close_when.as_ref());
        let is_open = !self.state.core.instances.get(&owner).is_none_or(|set| set.closed);
        if let Some(condition) = condition.filter(|_| is_open)
            && self.ask_instances(owner, Site::Closing(owner), condition) == Ok(true)
        {
            self.close_instances(owner);
        }
    }

    fn ask_instances(
        &mut self,
        owner: ActivationId,
        site: Site,
        condition: &crate::expression::Expression,
    ) -> Result<bool, Failure> {
        let seen: Surroundings = self.surroundings(owner).with_counts(&self.state.core.instances[&owner]);
        self.answers.holds(site, condition, &seen)
    }

    fn waits_for_instances(&self, owner: ActivationId) -> bool {
        open_set(self.state, owner).is_some()
    }

    /// Control goes on from the instances: those that have not ended run on or are withdrawn.
    fn go_on(&mut self, owner: ActivationId) {
        let set = &self.state.core.instances[&owner];
        let status = succeeded(set);
        let rest = set.live + set.left();
        let is_canceled = spec(self.state, owner).is_some_and(|spec| spec.rest == Remaining::Canceled);
        if rest > 0 && is_canceled {
            self.push(Event::InstancesWithdrawn { activation: owner, status, error: None });
        } else {
            self.end_stage(owner, status, None);
        }
    }

    /// Ends an activation whose inside is over, or from which control goes on; says whether anything has happened.
    pub(super) fn judge_instances(&mut self, owner: ActivationId) -> bool {
        let definition = self.state.definition.clone();
        let Some(spec) = &definition.graph().stage(owner.stage).instances else { return false };
        let Some(set) = self.state.core.instances.get(&owner).filter(|set| set.has_owner) else { return false };
        // What its stage cancels ends first; that control goes on is decided.
        let is_decided = |progress: &Progress| matches!(progress, Progress::CoreEnded | Progress::Canceling(_));
        if self.state.core.live.get(&owner).is_none_or(|live| is_decided(&live.progress)) {
            return false;
        }
        if let Some((status, error)) = &set.ending {
            let (status, error, is_over) = (*status, error.clone(), set.live == 0);
            if is_over {
                self.end_stage(owner, status, error);
            }
            return is_over;
        }
        if set.total.is_none() {
            return false;
        }
        match judgement(set, spec) {
            Judgement::Waits => return false,
            Judgement::GoesOn => self.go_on(owner),
            Judgement::Fails => {
                let (status, error) = self.unreachable(owner, spec);
                self.push(Event::InstancesWithdrawn { activation: owner, status, error: Some(error) });
            }
        }
        true
    }

    /// Why an activation fails of which too many instances have: as the one that failed first, and if a number had to
    /// be reached, because it cannot be any more.
    fn unreachable(&self, owner: ActivationId, spec: &Instances) -> (Status, Failure) {
        let set = &self.state.core.instances[&owner];
        let stage = self.state.definition.graph().stage(owner.stage);
        let failing = set.failing();
        let status = failing.map_or_else(|| failure_status(stage.on_failure), |ended| ended.status);
        let first = failing.and_then(|ended| ended.failure()).cloned();
        let Completion::Threshold(threshold) = spec.completion else {
            let unknown = || {
                let message = format!("instance {} failed", set.first_failed.unwrap_or(0));
                Failure::new(ErrorCode::UNKNOWN, ErrorClass::Permanent, message)
            };
            return (status, first.unwrap_or_else(unknown));
        };
        let message = format!("{threshold} instances have to be done, and at most {} can be", set.reach());
        let error = Failure::new(ErrorCode::THRESHOLD_UNREACHABLE, ErrorClass::Permanent, message);
        (status, first.map_or(error.clone(), |first| error.caused_by(first.message().to_owned())))
    }
}

/// The numbers of instances that make a difference where the number depends on data.
fn options(spec: &Instances) -> Vec<u64> {
    match (&spec.source, &spec.completion) {
        (Source::Fixed(_), _) => Vec::new(),
        (_, Completion::Threshold(threshold)) => vec![0, u64::from(*threshold), u64::from(*threshold) + 1],
        (_, Completion::All | Completion::Condition(_) | Completion::Started) => vec![0, 1, 2],
    }
}

/// What follows from the counts alone.
enum Judgement {
    Waits,
    GoesOn,
    Fails,
}

fn judgement(set: &InstanceSet, spec: &Instances) -> Judgement {
    let has_more = set.live > 0 || set.left() > 0 || set.waits_for_more(spec);
    match (&spec.completion, set.needed(spec)) {
        (Completion::Started, _) if set.left() == 0 => Judgement::GoesOn,
        (Completion::Started, _) => Judgement::Waits,
        // Whoever adds one could still make up for those that failed, but only as long as others run.
        (Completion::Threshold(_), Some(needed)) if set.done < needed => {
            let may_grow = set.can_grow(spec) && has_more;
            if set.reach() >= needed && has_more || may_grow { Judgement::Waits } else { Judgement::Fails }
        }
        (Completion::Threshold(_), _) => Judgement::GoesOn,
        (_, Some(_)) if set.failed > 0 => Judgement::Fails,
        (_, _) if has_more => Judgement::Waits,
        (_, _) => Judgement::GoesOn,
    }
}

/// The status of an activation from whose instances control goes on.
pub(super) fn succeeded(set: &InstanceSet) -> Status {
    if set.done == 0 && set.failed == 0 && set.canceled > 0 && set.live == 0 {
        return Status::Skipped;
    }
    if set.has_failures { Status::FailedContinue } else { Status::Succeeded }
}
