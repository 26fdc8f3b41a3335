//! What a workflow keeps of signals: those that nobody has taken, those who wait, and the ids it has seen.
//!
//! Changed by `evolve` only. Most workflows know no signal; their state holds none of this.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::definition::{Durability, SignalTrigger, TriggerRole};
use crate::event::{Actor, SignalDurability, SignalMessage, SignalTarget};
use crate::ids::{ActivationId, ScopeId, Sequence, StageIndex};
use crate::time::Timestamp;

use super::state::{Gate, Phase, Progress, State};

/// The signals of a workflow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Signals {
    /// Those that nobody has taken, in the order in which they came; the newest may be about to be decided on.
    pub(super) kept: BTreeMap<Sequence, KeptSignal>,
    /// The newest ids that senders chose, oldest first, with the places of their events.
    remembered: VecDeque<(String, Sequence)>,
    /// Who waits, by the name they wait for (`None`: any), the longest waiting first.
    waiting: BTreeMap<Option<String>, BTreeSet<(u64, ActivationId)>>,
    /// The stages that signals start no more.
    pub(super) closed: BTreeSet<StageIndex>,
}

/// A signal that nobody has taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptSignal {
    pub(super) given: Arc<GivenSignal>,
    pub(super) target: SignalTarget,
    pub(super) durability: SignalDurability,
}

/// A signal as whoever takes it sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GivenSignal {
    pub(crate) name: String,
    /// Canonical JSON.
    pub(crate) data: String,
    pub(crate) actor: Actor,
}

/// An activation waits for a signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SignalWait {
    /// Its place in the order of those who wait: that of the event which made it wait.
    pub(super) order: u64,
    pub(super) since: Timestamp,
    /// The names it waits for, ascending; none is any.
    pub(super) names: Vec<String>,
}

impl KeptSignal {
    pub(super) fn of(message: &SignalMessage, actor: &Actor) -> KeptSignal {
        let given = GivenSignal { name: message.name.clone(), data: message.data.clone(), actor: actor.clone() };
        KeptSignal { given: Arc::new(given), target: message.target, durability: message.durability }
    }

    /// Is it for whoever waits in this activation?
    pub(super) fn is_for(&self, id: ActivationId) -> bool {
        match self.target {
            SignalTarget::Workflow => true,
            SignalTarget::Stage(stage) => stage == id.stage,
            SignalTarget::Activation(target) => target == id,
        }
    }

    /// Is it for a stage as a whole?
    pub(super) fn is_for_stage(&self, stage: StageIndex) -> bool {
        match self.target {
            SignalTarget::Workflow => true,
            SignalTarget::Stage(target) => target == stage,
            SignalTarget::Activation(_) => false,
        }
    }
}

/// Is a signal of this durability kept for somebody of that?
pub(super) fn keeps(durability: Durability, sent: SignalDurability) -> bool {
    match durability {
        Durability::Transient => false,
        Durability::Persistent => true,
        Durability::Sender => sent == SignalDurability::Persistent,
    }
}

impl Signals {
    /// The place of the signal that came under this id before.
    pub(super) fn recall(&self, id: &str) -> Option<Sequence> {
        self.remembered.iter().rev().find(|(known, _)| known == id).map(|(_, sequence)| *sequence)
    }

    /// A signal came under this id; at most `most` are remembered.
    pub(super) fn remember(&mut self, id: &str, sequence: Sequence, most: u64) {
        self.remembered.push_back((id.to_owned(), sequence));
        if self.remembered.len() as u64 > most {
            self.remembered.pop_front();
        }
    }

    /// The activation waits from now on.
    pub(super) fn add_waiting(&mut self, id: ActivationId, wait: &SignalWait) {
        for name in names(wait) {
            self.waiting.entry(name).or_default().insert((wait.order, id));
        }
    }

    /// It waits no more.
    pub(super) fn remove_waiting(&mut self, id: ActivationId, wait: &SignalWait) {
        for name in names(wait) {
            if let Some(waiting) = self.waiting.get_mut(&name) {
                waiting.remove(&(wait.order, id));
                if waiting.is_empty() {
                    self.waiting.remove(&name);
                }
            }
        }
    }

    /// Who waits for a signal of this name, the longest waiting first.
    pub(super) fn waiting_for(&self, name: &str) -> impl Iterator<Item = ActivationId> + '_ {
        let waiting = |name| self.waiting.get(&name).into_iter().flatten().copied();
        let mut waiting: Vec<(u64, ActivationId)> = waiting(Some(name.to_owned())).chain(waiting(None)).collect();
        waiting.sort_unstable();
        waiting.into_iter().map(|(_, id)| id)
    }

    /// Are the `count` entries of the index those of who waits?
    pub(super) fn is_consistent<'s>(
        &self,
        count: usize,
        wait_of: impl Fn(ActivationId) -> Option<&'s SignalWait>,
    ) -> bool {
        let entries = || self.waiting.iter().flat_map(|(name, waiting)| waiting.iter().map(move |entry| (name, entry)));
        let is_known = |(name, (order, id)): (&Option<String>, &(u64, ActivationId))| {
            wait_of(*id).is_some_and(|wait| wait.order == *order && names(wait).any(|known| known == *name))
        };
        entries().count() == count && entries().all(is_known)
    }

    /// Bytes of data that are kept.
    pub(super) fn kept_bytes(&self) -> u64 {
        self.kept.values().map(|kept| kept.given.data.len() as u64).sum()
    }

    /// Is this whole as if nothing had ever come?
    fn is_nothing(&self) -> bool {
        *self == Signals::default()
    }
}

/// The entries of the index for this.
fn names(wait: &SignalWait) -> impl Iterator<Item = Option<String>> + '_ {
    let any = wait.names.is_empty().then_some(None);
    any.into_iter().chain(wait.names.iter().map(|name| Some(name.clone())))
}

impl State {
    /// The signals of the workflow, to be changed.
    pub(super) fn signals_mut(&mut self) -> &mut Signals {
        self.core.signals.get_or_insert_default()
    }

    /// Gives back the room of signals where there is nothing to keep.
    pub(super) fn trim_signals(&mut self) {
        if self.core.signals.as_ref().is_some_and(|signals| signals.is_nothing()) {
            self.core.signals = None;
        }
    }

    /// What waits in this activation for a signal: the names, if somebody waits at all.
    pub(super) fn wait_of(&self, id: ActivationId) -> Option<&SignalWait> {
        self.core.live.get(&id)?.waiting.as_deref()
    }

    /// Whether a signal that was sent so and came before somebody in this activation waited is for them, too.
    pub(super) fn keeps_for(&self, id: ActivationId, sent: SignalDurability) -> bool {
        let trigger = self.definition.graph().stage(id.stage).signal_trigger();
        let is_ready = self.core.live.get(&id).is_some_and(|live| matches!(live.progress, Progress::Ready(_)));
        match trigger.filter(|_| is_ready) {
            Some(trigger) => keeps(trigger.durability, sent),
            None => keeps(Durability::Sender, sent),
        }
    }

    /// Does each signal for this stage begin a thread now?
    pub(super) fn is_open_start(&self, stage: StageIndex) -> bool {
        let closed = self.core.signals.as_ref().is_some_and(|signals| signals.closed.contains(&stage));
        self.core.phase == Phase::Live
            && self.has_started()
            && !closed
            && self.definition.graph().stage(stage).is_started_by_signals()
    }

    /// The stages that signals start now, in definition order.
    pub(super) fn open_starts(&self) -> impl Iterator<Item = (StageIndex, &SignalTrigger)> + '_ {
        let graph = self.definition.graph();
        let open = graph.started_by_signals().iter().copied().filter(|stage| self.is_open_start(*stage));
        open.filter_map(|stage| Some((stage, graph.stage(stage).signal_trigger()?)))
    }

    /// Has a signal begun a thread at this stage?
    pub(super) fn has_begun_a_thread(&self, stage: StageIndex) -> bool {
        let lies = |scope| self.core.marking.marked(scope, stage) > 0;
        self.core.numbers.contains_key(&stage) || lies(ScopeId::ROOT)
    }

    /// Does the workflow go on although nothing lives in it, until a trigger is closed?
    pub(super) fn awaits_threads(&self) -> bool {
        self.open_starts().any(|(_, trigger)| trigger.role == TriggerRole::Start { required: true })
    }

    /// Is the activation at a gate that a signal may open, now or as soon as those before it are passed?
    pub(super) fn is_before_its_trigger(&self, id: ActivationId) -> bool {
        let progress = self.core.live.get(&id).map(|live| &live.progress);
        matches!(
            progress,
            Some(Progress::Ready(Gate::Condition | Gate::Scheduled | Gate::Passed | Gate::Trigger | Gate::Milestone))
        )
    }
}
