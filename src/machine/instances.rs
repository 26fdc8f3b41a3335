//! The instances of one activation: which have begun, which have ended, and what they gave (R13).
//!
//! An instance itself is an activation like any other; here stands what only all of them together show. A set lives
//! from the start of its activation until its last instance has ended, which may be after the activation itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::definition::{Completion, Instances};
use crate::failure::Failure;
use crate::ids::{ActivationId, ScopeId};
use crate::status::Status;
use crate::value::{Map, Value};

use super::data::outputs_of;
use super::items::Items;
use super::past::{Ended, Past, Remembered};
use super::state::{Activation, State};
use super::threads::Thread;
use super::trail::Trail;

/// The instances of one activation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct InstanceSet {
    pub(super) scope: ScopeId,
    /// Place of the activation in the order of birth.
    pub(super) born: u64,
    /// Depth of the activation, which is that of its instances.
    pub(super) depth: u32,
    /// What lies behind the activation, and so what its instances see.
    pub(super) past: Past,
    /// The thread of the activation; where each instance emits, each is one of those it splits into.
    pub(super) thread: Thread,
    /// What a rewind needs to know of the way behind the activation.
    pub(super) trail: Option<Arc<Trail>>,
    /// Does the activation still live?
    pub(super) has_owner: bool,
    /// How many there are to be, those that were added included; `None` until they are counted.
    pub(super) total: Option<u32>,
    /// How many have begun.
    pub(super) started: u32,
    /// How many of those live.
    pub(super) live: u32,
    /// How many are done: SUCCEEDED, FAILED_CONTINUE, SKIPPED.
    pub(super) done: u32,
    /// How many have failed: TERMINAL, STOPPED.
    pub(super) failed: u32,
    /// How many were canceled; they leave the count.
    pub(super) canceled: u32,
    /// Has one of those that are done failed, and gone on?
    pub(super) has_failures: bool,
    /// The first that failed.
    pub(super) first_failed: Option<u32>,
    /// May no more be added?
    pub(super) closed: bool,
    /// How the activation ends when those that live are canceled; nothing begins any more.
    pub(super) ending: Option<(Status, Option<Failure>)>,
    /// What those that were added are given.
    pub(super) added: Vec<String>,
    /// What those that have ended gave, as long as the activation lives.
    pub(super) gathered: Arc<Gathered>,
    /// What the others are given, once somebody asked.
    #[serde(skip)]
    pub(super) items: Remembered<Arc<Items>>,
}

/// What instances gave that have ended, the canceled ones left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Gathered {
    /// Bit i of the words is set where instance i has ended.
    ended: Vec<u64>,
    /// What there is to tell of an instance; one that simply succeeded has no entry.
    told: BTreeMap<u32, Arc<Ended>>,
    /// The outputs of all of them, once somebody asked.
    #[serde(skip)]
    merged: Remembered<Map>,
}

impl InstanceSet {
    /// The set of an activation that starts.
    pub(super) fn of(owner: &Activation) -> InstanceSet {
        InstanceSet {
            scope: owner.scope,
            born: owner.born,
            depth: owner.depth,
            past: owner.past.clone(),
            thread: owner.thread.clone(),
            trail: owner.trail.clone(),
            has_owner: true,
            total: None,
            started: 0,
            live: 0,
            done: 0,
            failed: 0,
            canceled: 0,
            has_failures: false,
            first_failed: None,
            closed: false,
            ending: None,
            added: Vec::new(),
            gathered: Arc::default(),
            items: Remembered::default(),
        }
    }

    /// How many are to begin.
    pub(super) fn left(&self) -> u32 {
        if self.ending.is_some() { 0 } else { self.total.unwrap_or(0).saturating_sub(self.started) }
    }

    /// Could the next one begin now?
    pub(super) fn may_start(&self, spec: &Instances) -> bool {
        let is_next = !spec.sequential || self.live == 0;
        let uncounted = self.total.is_none() && self.ending.is_none() && self.has_owner;
        uncounted || (is_next && self.left() > 0)
    }

    /// Has everything ended that could?
    pub(super) fn is_over(&self) -> bool {
        !self.has_owner && self.live == 0 && self.left() == 0
    }

    /// May more be added?
    pub(super) fn can_grow(&self, spec: &Instances) -> bool {
        let is_open = self.has_owner && !self.closed && self.ending.is_none();
        is_open && spec.growth.is_some() && self.total.is_none_or(|total| total < spec.max)
    }

    /// Are more waited for, though none is left?
    pub(super) fn waits_for_more(&self, spec: &Instances) -> bool {
        let is_told = spec.growth.as_ref().is_some_and(|growth| growth.close_on.is_some());
        self.can_grow(spec) && (is_told || self.total.unwrap_or(0) < spec.min)
    }

    /// The signals for which the activation waits, ascending: those that close it only as long as it is open.
    pub(super) fn signals(&self, spec: &Instances) -> Vec<String> {
        if !self.has_owner || self.ending.is_some() {
            return Vec::new();
        }
        let closes = |name: &String| spec.on_signal(name) == Some(None);
        spec.signals().into_iter().filter(|name| !self.closed || !closes(name)).collect()
    }

    /// How many have to be done before control goes on; `None` where a condition says it, or nobody waits.
    pub(super) fn needed(&self, spec: &Instances) -> Option<u32> {
        match spec.completion {
            Completion::All => Some(self.total.unwrap_or(0) - self.canceled),
            Completion::Threshold(threshold) => Some(threshold),
            Completion::Condition(_) | Completion::Started => None,
        }
    }

    /// How many could be done in the end if nothing else failed and none were added.
    pub(super) fn reach(&self) -> u32 {
        self.done + self.live + self.left()
    }

    /// Records the end of an instance that was not canceled.
    pub(super) fn record(&mut self, index: u32, ended: Ended) {
        match ended.status {
            Status::Terminal | Status::Stopped => {
                self.failed += 1;
                self.first_failed.get_or_insert(index);
            }
            Status::FailedContinue => {
                self.done += 1;
                self.has_failures = true;
            }
            Status::NotStarted
            | Status::Running
            | Status::Paused
            | Status::Suspended
            | Status::Buffered
            | Status::Redirect
            | Status::Succeeded
            | Status::Skipped
            | Status::Canceled => self.done += 1,
        }
        if self.has_owner {
            Arc::make_mut(&mut self.gathered).record(index, ended);
        }
    }

    /// The instance that failed first, as long as the activation lives.
    pub(super) fn failing(&self) -> Option<&Arc<Ended>> {
        self.gathered.told.get(&self.first_failed?)
    }

    /// Names of the counts, for conditions.
    pub(super) fn counts(&self) -> [(&'static str, u32); 4] {
        let total = self.total.unwrap_or(0) - self.canceled;
        [("total", total), ("done", self.done), ("failed", self.failed), ("live", self.live)]
    }
}

impl State {
    /// Are instances to begin in this scope that nobody waits for any more, as soon as the workflow goes on?
    pub(super) fn holds_instances(&self, scope: ScopeId) -> bool {
        let is_held = |set: &InstanceSet| set.scope == scope && !set.has_owner && set.left() > 0;
        self.is_paused() && self.core.instances.values().any(|set| is_held(set))
    }

    /// May a token come from this live activation? Of an instance only where each emits its own.
    pub(super) fn passes_on(&self, id: ActivationId) -> bool {
        if let Some((true, cause)) = self.core.live.get(&id).map(|live| (self.is_canceling(id), live.doomed)) {
            return cause.is_some_and(|cause| self.goes_on_canceled(id, cause));
        }
        id.instance.is_none() || self.definition.graph().stage(id.stage).emits_per_instance()
    }
}

impl Gathered {
    fn record(&mut self, index: u32, ended: Ended) {
        let (word, bit) = (index as usize / 64, index % 64);
        if self.ended.len() <= word {
            self.ended.resize(word + 1, 0);
        }
        self.ended[word] |= 1 << bit;
        let is_plain = ended.status == Status::Succeeded && ended.outputs.is_none() && ended.error.is_none();
        if !(is_plain && ended.tasks.iter().all(|task| task.outputs.is_empty() && task.error.is_none())) {
            self.told.insert(index, Arc::new(ended));
        }
        self.merged = Remembered::default();
    }

    /// How many have ended.
    pub(crate) fn count(&self) -> u32 {
        self.ended.iter().map(|word| word.count_ones()).sum()
    }

    /// Those of which there is something to tell.
    pub(crate) fn told(&self) -> impl Iterator<Item = &Arc<Ended>> {
        self.told.values()
    }

    /// Numbers of those that have ended, ascending.
    fn indices(&self) -> impl Iterator<Item = u32> {
        (0_u32..).zip(&self.ended).flat_map(|(place, word)| {
            (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| place * 64 + bit)
        })
    }

    /// The outputs of all of them: `instances`, and for each output the list of its values, by number.
    ///
    /// # Errors
    ///
    /// If recorded data is damaged.
    pub(crate) fn outputs(&self) -> Result<&Map, Failure> {
        self.merged.get_or_try(|| {
            let each = self.indices().map(|index| match self.told.get(&index) {
                Some(ended) => Ok((index, ended.status, outputs_of(ended)?)),
                None => Ok((index, Status::Succeeded, Map::new())),
            });
            Ok(outputs_of_instances(each.collect::<Result<Vec<_>, Failure>>()?))
        })
    }
}

/// The outputs of a stage with these instances, given in the order of their numbers: `instances`, a list of index,
/// status and outputs, and for each output the list of its values.
pub(crate) fn outputs_of_instances(instances: impl IntoIterator<Item = (u32, Status, Map)>) -> Map {
    let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut listed = Vec::new();
    for (index, status, outputs) in instances {
        for (key, value) in &outputs {
            lists.entry(key.clone()).or_default().push(value.clone());
        }
        listed.push(Value::map([
            ("index", Value::from(index)),
            ("status", Value::from(status.name())),
            ("outputs", Value::Map(outputs)),
        ]));
    }
    let mut merged: Map = lists.into_iter().map(|(key, values)| (key, Value::List(values))).collect();
    merged.insert("instances".to_owned(), Value::List(listed));
    merged
}
