//! Signals and triggers: who takes a signal, which one is taken, and what becomes of it otherwise.
//!
//! What comes first is taken first, by who has waited longest. A signal is taken once: by one activation, task or new
//! thread; and only by who waits for its name, is meant by its sender, and whose `correlate` holds for it.

use crate::definition::{Durability, Trigger};
use crate::event::{
    Actor, Event, HeldBy, SignalDurability, SignalMessage, SignalRecipient, SignalTarget, TimerOwner, TimerPurpose,
    TriggerClosing,
};
use crate::ids::{ActivationId, Sequence, StageIndex, TaskId};
use crate::limits::{LISTED_MAX, SIGNAL_ID_BYTES_MAX};
use crate::machine::command::Rejection;
use crate::machine::data::Surroundings;
use crate::machine::signals::{GivenSignal, KeptSignal, keeps};
use crate::machine::state::{Gate, Phase, Progress, State};
use crate::value::Value;

use super::{Answers, Decision, Site};

/// What becomes of a signal that has just come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Delivered(SignalRecipient),
    Buffered,
    Lost,
}

/// A signal is one that can be taken, is known by no id from before, and finds room.
pub(super) fn refuse(state: &State, message: &SignalMessage) -> Result<(), Rejection> {
    if let Some(first) = message.id.as_ref().and_then(|id| state.core.signals.as_ref()?.recall(id)) {
        return Err(Rejection::Repeated { first });
    }
    let graph = state.definition.graph();
    let stage = match message.target {
        SignalTarget::Workflow => None,
        SignalTarget::Stage(stage) => Some(stage),
        SignalTarget::Activation(activation) => Some(activation.stage),
    };
    let bad = |what| Err(Rejection::BadSignal { what });
    if stage.is_some_and(|stage| stage.index() >= graph.stages.len()) {
        return bad("it is for a stage that the definition does not have");
    }
    if !is_name(&message.name) {
        return bad("its name is not one of 1 to 64 letters, digits, `_` and `-`");
    }
    if message.id.as_ref().is_some_and(|id| id.is_empty() || id.len() > SIGNAL_ID_BYTES_MAX) {
        return bad("its id is empty or longer than 256 bytes");
    }
    // That there is none is always allowed.
    if message.data != "null" && message.data.len() as u64 > state.definition.limits().payload_bytes_max {
        return bad("its data is larger than an event takes");
    }
    if Value::from_json(&message.data).is_err() {
        return bad("its data is no JSON");
    }
    Ok(())
}

fn is_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 64 && text.bytes().next().is_some_and(letter) && text.bytes().all(|byte| letter(byte) || byte == b'-')
}

/// A trigger is closed once, while it is open.
pub(super) fn refuse_closing(state: &State, closing: &TriggerClosing) -> Result<(), Rejection> {
    let is_known = closing.stage.index() < state.definition.graph().stages.len();
    if is_known && state.is_open_start(closing.stage) { Ok(()) } else { Err(Rejection::TriggerNotOpen) }
}

/// What is to become of a signal that comes now.
///
/// # Errors
///
/// If it would have to be kept, and there is no room.
pub(super) fn fate(
    state: &State,
    answers: &mut Answers,
    message: &SignalMessage,
    actor: &Actor,
) -> Result<Fate, Rejection> {
    let signal = KeptSignal::of(message, actor);
    if let Some(to) = recipient(state, answers, &signal) {
        let starts = matches!(to, SignalRecipient::Start(_));
        let most = state.definition.limits().tokens_max;
        if starts && state.core.marking.count() + state.core.live.len() as u64 >= most {
            return Err(Rejection::SignalsFull { most });
        }
        return Ok(Fate::Delivered(to));
    }
    if !is_kept(state, &signal) {
        return Ok(Fate::Lost);
    }
    find_room(state, &signal).map(|()| Fate::Buffered)
}

/// Who takes a signal that comes now: of those who wait, the one that has waited longest; if there is none, the first
/// stage that signals start. A stage would else take all that others wait for, since it always waits.
fn recipient(state: &State, answers: &mut Answers, signal: &KeptSignal) -> Option<SignalRecipient> {
    let name = &signal.given.name;
    let waiting: Vec<ActivationId> = match (&state.core.signals, signal.target) {
        (None, _) => Vec::new(),
        (Some(_), SignalTarget::Activation(id)) => {
            let awaits = |names: &[String]| names.is_empty() || names.contains(name);
            Vec::from_iter(state.wait_of(id).filter(|wait| awaits(&wait.names)).map(|_| id))
        }
        (Some(signals), SignalTarget::Workflow | SignalTarget::Stage(_)) => signals.waiting_for(name).collect(),
    };
    for id in waiting {
        let is_doomed = state.core.live.get(&id).is_none_or(|live| live.doomed.is_some());
        if !is_doomed
            && signal.is_for(id)
            && let Some(to) = state.waiter(id)
            && fits(state, answers, to, &signal.given)
        {
            return Some(to);
        }
    }
    if let Some(id) = ended(state, signal) {
        return Some(SignalRecipient::Boundary(id));
    }
    let starts: Vec<StageIndex> =
        state.open_starts().filter(|(_, trigger)| trigger.signal == *name).map(|(stage, _)| stage).collect();
    let mut starts = starts.into_iter().filter(|stage| signal.is_for_stage(*stage)).map(SignalRecipient::Start);
    starts.find(|to| fits(state, answers, *to, &signal.given))
}

/// The oldest activation that a signal ends, of the first stage that it can end.
fn ended(state: &State, signal: &KeptSignal) -> Option<ActivationId> {
    let lives = |id: &ActivationId| state.core.live.get(id).is_some_and(|live| live.doomed.is_none());
    let of_stage = |stage: &StageIndex| {
        let first = ActivationId { stage: *stage, number: 0, instance: None };
        let of_stage = state.core.live.range(first..).map(|(id, _)| *id).take_while(|id| id.stage == first.stage);
        let mut meant = of_stage.filter(|id| id.instance.is_none() && signal.is_for(*id) && lives(id));
        meant.next()
    };
    state.definition.graph().ended_by(&signal.given.name).iter().find_map(of_stage)
}

/// Does `correlate` hold for who waits? A signal for which it has no value is none of theirs: what others send fails
/// nobody, and the sender is told what became of it.
fn fits(state: &State, answers: &mut Answers, to: SignalRecipient, given: &std::sync::Arc<GivenSignal>) -> bool {
    let (stage, seen) = match to {
        SignalRecipient::Task(_) | SignalRecipient::Instances(_) | SignalRecipient::Boundary(_) => return true,
        SignalRecipient::Trigger(id) => (id.stage, Surroundings::of_activation(state, id)),
        SignalRecipient::Start(stage) => (stage, Surroundings::of_the_start(state)),
    };
    let definition = state.definition.clone();
    let trigger = definition.graph().stage(stage).signal_trigger();
    let Some(condition) = trigger.and_then(|trigger| trigger.correlate.as_ref()) else { return true };
    let Some(mut seen) = seen else { return false };
    seen.see_signal(given);
    answers.holds(Site::Correlate(to), condition, &seen).unwrap_or(false)
}

/// Is a signal kept that nobody takes now? What triggers of its name say counts, and what its sender says where there
/// is none or they leave it to the sender.
fn is_kept(state: &State, signal: &KeptSignal) -> bool {
    let graph = state.definition.graph();
    if let SignalTarget::Activation(id) = signal.target {
        let number = state.core.numbers.get(&id.stage).copied().unwrap_or(0);
        let is_over = id.number == 0 || (id.number <= number && !state.core.live.contains_key(&id));
        let awaits = graph.stage(id.stage).signal_trigger().filter(|trigger| trigger.signal == signal.given.name);
        let is_ahead = id.number > number || state.is_before_its_trigger(id);
        let durability = awaits.filter(|_| is_ahead).map_or(Durability::Sender, |trigger| trigger.durability);
        return !is_over && keeps(durability, signal.durability);
    }
    let named = graph.triggered_by(&signal.given.name).iter().filter(|stage| signal.is_for_stage(**stage));
    let mut is_awaited = false;
    for stage in named {
        is_awaited = true;
        let durability = graph.stage(*stage).signal_trigger().map(|trigger| trigger.durability);
        let is_closed =
            state.has_started() && graph.stage(*stage).is_started_by_signals() && !state.is_open_start(*stage);
        if !is_closed && durability.is_some_and(|durability| keeps(durability, signal.durability)) {
            return true;
        }
    }
    !is_awaited && keeps(Durability::Sender, signal.durability)
}

/// There is room for one more.
fn find_room(state: &State, signal: &KeptSignal) -> Result<(), Rejection> {
    let limits = state.definition.limits().signals;
    let full = |most| Err(Rejection::SignalsFull { most });
    let (kept, bytes) =
        state.core.signals.as_ref().map_or((0, 0), |signals| (signals.kept.len(), signals.kept_bytes()));
    if kept as u64 >= limits.buffered_max || bytes + signal.given.data.len() as u64 > limits.buffered_bytes_max {
        return full(limits.buffered_max);
    }
    let Some(signals) = &state.core.signals else { return Ok(()) };
    let graph = state.definition.graph();
    let stage_of = |target| if let SignalTarget::Activation(id) = target { Some(id.stage) } else { None };
    let is_for = |kept: &KeptSignal, stage| kept.is_for_stage(stage) || stage_of(kept.target) == Some(stage);
    for stage in graph.triggered_by(&signal.given.name).iter().filter(|stage| is_for(signal, **stage)) {
        let Some(most) = graph.stage(*stage).signal_trigger().and_then(|trigger| trigger.max_buffered) else {
            continue;
        };
        let of_its = |kept: &&KeptSignal| kept.given.name == signal.given.name && is_for(kept, *stage);
        if signals.kept.values().filter(of_its).count() as u64 >= u64::from(most) {
            return full(most.into());
        }
    }
    Ok(())
}

impl State {
    /// What waits in this activation for a signal.
    fn waiter(&self, id: ActivationId) -> Option<SignalRecipient> {
        match &self.core.live.get(&id)?.progress {
            Progress::Ready(Gate::Trigger) => Some(SignalRecipient::Trigger(id)),
            Progress::Open(open) => Some(SignalRecipient::Task(TaskId { activation: id, task: open.task })),
            Progress::Instances => Some(SignalRecipient::Instances(id)),
            Progress::Ready(_)
            | Progress::Between { .. }
            | Progress::Turning
            | Progress::Inside
            | Progress::CoreEnded
            | Progress::Overdue
            | Progress::Canceling(_) => None,
        }
    }
}

impl Decision<'_> {
    /// A signal has come, and this becomes of it.
    pub(super) fn receive(&mut self, fate: Fate) {
        let signal = self.state.sequence().expect("a signal comes with an event");
        match fate {
            Fate::Delivered(to) => self.deliver(signal, to),
            Fate::Buffered => self.push(Event::SignalBuffered { signal }),
            Fate::Lost => self.push(Event::SignalDiscarded { signal }),
        }
    }

    pub(super) fn deliver(&mut self, signal: Sequence, to: SignalRecipient) {
        let kept = self.state.core.signals.as_ref().and_then(|signals| signals.kept.get(&signal));
        let given = kept.map(|kept| kept.given.clone());
        self.push(Event::SignalDelivered { signal, to });
        match (to, given) {
            (SignalRecipient::Task(task), _) => self.wake(task),
            (SignalRecipient::Trigger(id), _) => self.choose(id),
            (SignalRecipient::Instances(id), Some(given)) => self.signal_instances(id, &given.name),
            // Settling ends what a boundary ends.
            (SignalRecipient::Boundary(_) | SignalRecipient::Start(_) | SignalRecipient::Instances(_), _) => (),
        }
    }

    /// A task wants to go on when a signal comes; one that is kept has come already.
    pub(super) fn suspend(&mut self, task: TaskId) {
        self.push(Event::TaskSuspended { task });
        let names = self.state.wait_of(task.activation).map(|wait| wait.names.clone()).unwrap_or_default();
        if let Some(signal) = self.kept_for(SignalRecipient::Task(task), &names) {
            self.deliver(signal, SignalRecipient::Task(task));
        }
    }

    /// The gate `trigger:` of a ready activation: the gates before it are passed.
    pub(super) fn reach_trigger(&mut self, id: ActivationId) {
        let definition = self.state.definition.clone();
        match definition.graph().stage(id.stage).trigger.as_deref() {
            Some(Trigger::Signal(_)) if !definition.graph().stage(id.stage).is_started_by_signals() => {
                let kept = self.kept_for_trigger(id);
                match kept.filter(|signal| !self.is_forestalled(id, *signal)) {
                    Some(signal) => return self.deliver(signal, SignalRecipient::Trigger(id)),
                    None => self.push(Event::StageWaiting { activation: id, gate: HeldBy::Trigger }),
                }
                self.set_expiry(id);
            }
            Some(Trigger::Timer(length)) => {
                let due = self.state.core.now.saturating_add(*length);
                self.set_moment(TimerOwner::Activation(id), TimerPurpose::Trigger, due);
                self.set_expiry(id);
            }
            Some(Trigger::Signal(_)) | None => self.reach_choice(id),
        }
    }

    /// The oldest signal that is kept for the trigger of this activation.
    pub(super) fn kept_for_trigger(&mut self, id: ActivationId) -> Option<Sequence> {
        let definition = self.state.definition.clone();
        let trigger = definition.graph().stage(id.stage).signal_trigger()?;
        self.kept_for(SignalRecipient::Trigger(id), std::slice::from_ref(&trigger.signal))
    }

    /// The oldest signal that is kept for who waits for one of these names, or for any if there are none.
    pub(super) fn kept_for(&mut self, to: SignalRecipient, names: &[String]) -> Option<Sequence> {
        let signals = self.state.core.signals.as_ref()?;
        let is_meant = |kept: &KeptSignal| match to {
            SignalRecipient::Trigger(id)
            | SignalRecipient::Task(TaskId { activation: id, .. })
            | SignalRecipient::Instances(id) => kept.is_for(id) && self.state.keeps_for(id, kept.durability),
            SignalRecipient::Start(stage) => kept.is_for_stage(stage) && self.keeps_for_start(stage, kept.durability),
            // What came before it lived is not remembered for it.
            SignalRecipient::Boundary(_) => false,
        };
        let is_named = |kept: &KeptSignal| names.is_empty() || names.contains(&kept.given.name);
        let kept: Vec<(Sequence, std::sync::Arc<GivenSignal>)> = signals
            .kept
            .iter()
            .filter(|(_, kept)| is_named(kept) && is_meant(kept))
            .map(|(sequence, kept)| (*sequence, kept.given.clone()))
            .collect();
        let mut kept = kept.into_iter();
        kept.find(|(_, given)| fits(self.state, self.answers, to, given)).map(|(sequence, _)| sequence)
    }

    fn keeps_for_start(&self, stage: StageIndex, sent: SignalDurability) -> bool {
        let trigger = self.state.definition.graph().stage(stage).signal_trigger();
        trigger.is_some_and(|trigger| keeps(trigger.durability, sent))
    }

    /// Begins a thread with a signal that came before the workflow started; true if there was one.
    pub(super) fn begin_a_thread(&mut self) -> bool {
        while let Some(&stage) = self.state.candidates.starts.first() {
            let trigger = self.state.definition.graph().stage(stage).signal_trigger();
            let name = trigger.filter(|_| self.state.is_open_start(stage)).map(|trigger| trigger.signal.clone());
            let to = SignalRecipient::Start(stage);
            if let Some(signal) = name.and_then(|name| self.kept_for(to, &[name])) {
                self.deliver(signal, to);
                return true;
            }
            self.state.candidates.starts.remove(&stage);
        }
        false
    }

    /// What is kept now nobody takes any more: it is listed, so that no signal is without an end.
    pub(super) fn list_signals_left(&mut self) {
        let kept = self.state.core.signals.as_ref().filter(|_| self.state.core.phase == Phase::Live);
        let left: Vec<Sequence> = kept.map(|signals| signals.kept.keys().copied().collect()).unwrap_or_default();
        for signals in left.chunks(LISTED_MAX) {
            self.push(Event::SignalsLeft { signals: signals.to_vec() });
        }
    }
}
