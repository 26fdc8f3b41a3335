//! From a command to events: the one match over requests.
//!
//! All refusals come before the first event, so a refused command has changed nothing. From then on every event goes
//! through one door, which moves the state by it and keeps it: deciding never holds a second opinion of the state.

mod answers;
mod by_hand;
mod cancel;
mod child;
mod choice;
mod end;
mod ending;
mod generations;
mod instances;
mod join;
mod jump;
mod lock;
mod loops;
mod milestone;
mod or_join;
mod phases;
mod rewind;
mod sender;
mod settle;
mod signal;
mod split;
mod stage;
mod start;
mod stopping;
mod task;
mod threads;
mod timer;

pub(crate) use answers::Correlated;
pub use answers::{Answers, Site};
pub(crate) use by_hand::{Answerer, Deed, Said, Verdict};
pub(crate) use choice::Claim;
pub(crate) use sender::{InstancesAsk, Sent, SentSignal};

use crate::definition::{Join, Withdrawal};
use crate::event::{ChildEnd, ChildRefusal, Consumed, EndReason, Event, Rewound};
use crate::failure::Failure;
use crate::ids::{ActivationId, ArcIndex, CommandId, ScopeId, StageIndex};
use crate::time::Timestamp;

use super::command::{Command, Rejection, Request};
use super::evolve::evolve;
use super::outlook::Waiting;
use super::pause;
use super::repeats::Memory;
use super::state::{Phase, State};

/// Number of the rules by which this library decides; raised with every intended change of a decision (R18).
pub const RULES: u32 = 3;

/// What one accepted command produced: its input event, then every consequence until the state had settled.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    events: Vec<Event>,
}

impl Batch {
    /// The input first, then the derived events; never empty.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The events themselves.
    pub fn into_events(self) -> Vec<Event> {
        self.events
    }
}

/// Accepts `command` and moves `state`, or refuses it and changes nothing.
///
/// Equal states and equal commands give equal batches. Folding the events of the batch into the state before gives the
/// state after.
///
/// # Errors
///
/// The reason why the command is refused.
pub fn decide(state: &mut State, command: &Command, answers: &mut Answers) -> Result<Batch, Rejection> {
    refuse_repeated(state, command.id)?;
    let now = command.now.max(state.core.now);
    refuse_unfit(state, &command.request, now)?;
    let mut fate = None;
    if let Request::Signal(message) = &command.request {
        fate = Some(signal::fate(state, answers, message, &command.actor)?);
    }
    let mut fired = None;
    if let Request::FireTimer(timer) = &command.request {
        fired = state.core.timers.get(timer).map(|timer| timer.of);
    }
    let mut awaited = None;
    if let Request::EndChild(ChildEnd { child, .. }) | Request::RefuseChild(ChildRefusal { child, .. }) =
        &command.request
    {
        awaited = state.awaits(*child);
    }
    let mut decision = Decision { state, answers, events: Vec::new(), bytes: 0, concluded: None };
    let paused = decision.state.paused_until(now);
    decision.push(command.to_input(now, RULES, paused));
    match &command.request {
        Request::Create(_) => decision.start(),
        Request::ReportTask(report) => decision.conclude(report),
        Request::LoseLease(loss) => decision.replace_lost(*loss),
        Request::EndChild(_) | Request::RefuseChild(_) => decision.child_over(awaited),
        Request::FireTimer(_) => fired.into_iter().for_each(|of| decision.come(of)),
        Request::StartStage(request) => decision.choose(request.activation),
        Request::Signal(_) => fate.into_iter().for_each(|fate| decision.receive(fate)),
        Request::AddInstances(addition) => decision.add_instances(addition),
        Request::CloseInstances(request) => decision.close_instances(request.activation),
        Request::CompleteInstances(request) => decision.withdraw_instances(request.activation, Withdrawal::Complete),
        Request::Cancel(_)
        | Request::StartTask(_)
        | Request::StopTask(_)
        | Request::DiscardResult(_)
        | Request::ContinueSettling
        | Request::Pause(_)
        | Request::CloseTrigger(_)
        | Request::ForceCancel(_) => (),
        Request::Resume(_) => decision.call_those_held_back(),
    }
    decision.settle();
    decision.close();
    decision.state.candidates.last_union.forget();
    Ok(Batch { events: decision.events })
}

/// R8: a command that was accepted before is answered with the place of the first.
fn refuse_repeated(state: &State, id: Option<CommandId>) -> Result<(), Rejection> {
    let Some(id) = id else { return Ok(()) };
    match state.core.commands.recall(id) {
        Memory::Unknown => Ok(()),
        Memory::Accepted(first) => Err(Rejection::Repeated { first }),
        Memory::TooOld => Err(Rejection::CommandTooOld),
    }
}

fn refuse_unfit(state: &State, request: &Request, now: Timestamp) -> Result<(), Rejection> {
    match (&state.core.phase, request) {
        (Phase::New, Request::Create(creation)) => return start::refuse(state, creation),
        (Phase::New, _) => return Err(Rejection::NotCreated),
        (Phase::Live | Phase::Ended { .. }, Request::Create(_)) => return Err(Rejection::AlreadyCreated),
        (Phase::Ended { .. }, Request::DiscardResult(_) | Request::EndChild(_) | Request::RefuseChild(_))
        | (Phase::Live, _) => (),
        (Phase::Ended { status, .. }, _) => return Err(Rejection::Ended { status: *status }),
    }
    match request {
        Request::ContinueSettling if state.core.unsettled => Ok(()),
        Request::ContinueSettling => Err(Rejection::Settled),
        Request::Cancel(_) => cancel::refuse(state),
        Request::ForceCancel(_) => ending::refuse_force(state),
        _ if state.core.unsettled => Err(Rejection::Unsettled),
        Request::StartTask(attempt) => task::refuse_start(state, *attempt, now),
        Request::ReportTask(report) => task::refuse_report(state, report),
        Request::LoseLease(loss) => task::refuse_loss(state, loss.attempt),
        Request::FireTimer(timer) => timer::refuse(state, *timer, now),
        Request::DiscardResult(report) => task::refuse_discard(state, report.attempt),
        Request::Pause(_) => pause::refuse_pause(state),
        Request::Resume(_) => pause::refuse_resume(state),
        Request::Signal(message) => signal::refuse(state, message),
        Request::CloseTrigger(closing) => signal::refuse_closing(state, closing),
        Request::StartStage(request) => choice::refuse(state, request),
        Request::EndChild(ChildEnd { child, .. }) | Request::RefuseChild(ChildRefusal { child, .. }) => {
            child::refuse(state, *child)
        }
        Request::AddInstances(addition) => instances::refuse_addition(state, addition),
        Request::CloseInstances(request) => instances::refuse_close(state, request.activation),
        Request::CompleteInstances(request) => instances::refuse_end(state, request.activation),
        Request::StopTask(attempt) => stopping::refuse(state, *attempt),
        Request::Create(_) => Err(Rejection::AlreadyCreated),
    }
}

/// Would the join of `stage` fire now, or count what has arrived?
pub(super) fn fires(state: &State, scope: ScopeId, stage: StageIndex) -> bool {
    let spec = state.definition.graph().stage(stage);
    let fires = || match (spec.join, &spec.generations) {
        _ if jump::enabled(state, scope, stage).is_some() => true,
        (Join::Or, _) => or_join::fires(state, Waiting { scope, join: stage }),
        (_, Some(counting)) => generations::moves(state, scope, stage, counting),
        (_, None) => join::enabled(state, scope, stage).is_some(),
    };
    state.moves(scope) && fires()
}

/// The arcs on which the join of `stage` lacks a token.
pub(super) fn missing(state: &State, scope: ScopeId, stage: StageIndex) -> Vec<ArcIndex> {
    join::missing(state, scope, stage)
}

/// The live activation whose end the join of `stage` waits for, though it has its tokens.
pub(super) fn holds_back(state: &State, scope: ScopeId, stage: StageIndex) -> Option<ActivationId> {
    join::holds_back(state, scope, stage)
}

/// A batch under way.
struct Decision<'a> {
    state: &'a mut State,
    answers: &'a mut Answers,
    events: Vec<Event>,
    /// Size of the events so far, about.
    bytes: usize,
    /// What was found for an activation that ends once those it cancels have ended.
    concluded: Option<(ActivationId, stage::Conclusion)>,
}

impl Decision<'_> {
    /// Moves the state by `event` and keeps it.
    fn push(&mut self, event: Event) {
        evolve(self.state, &event).expect("what is decided from a state can happen to it");
        self.bytes += weight(&event);
        self.events.push(event);
    }

    /// Has the batch reached the size at which it goes on in another (R4)?
    fn is_full(&self) -> bool {
        let limits = self.state.definition.limits();
        self.events.len() as u64 >= limits.chunk_events_max || self.bytes as u64 >= limits.chunk_bytes_max
    }
}

fn weight_consumed(consumed: &Consumed) -> usize {
    match consumed {
        Consumed::Arcs(arcs) => 4 * arcs.len(),
        Consumed::Jump { arcs, absorbed, .. } => 4 * (arcs.len() + absorbed.len()),
        Consumed::OnePerArc | Consumed::Ready | Consumed::Held | Consumed::Threads(_) => 0,
    }
}

fn weight_undone(rewound: &Rewound) -> usize {
    let arrivals: usize = rewound.joins.iter().map(|join| 16 + 4 * join.forgotten.len()).sum();
    12 * (rewound.canceled.len() + rewound.removed.len()) + 20 * rewound.put_back.len() + arrivals
}

/// Size of an event, about: what varies without bound is counted, the rest is taken as a fixed amount.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are of a fixed size")]
fn weight(event: &Event) -> usize {
    let fixed = 96;
    let varying = match event {
        Event::WorkflowCreated(_, creation) => creation.inputs.text().len() + creation.context.text().len(),
        Event::TaskReported(_, report) | Event::TaskResultDiscarded(_, report) | Event::TaskAnswered(report) => {
            report.outputs.text().len() + report.context.text().len() + report.report.error().map_or(0, Failure::bytes)
        }
        Event::StageEnded { outputs, error, .. } => {
            outputs.as_ref().map_or(0, |outputs| outputs.text().len()) + error.as_ref().map_or(0, Failure::bytes)
        }
        Event::WorkflowEnded { outputs, .. } | Event::WorkflowEnding { outputs, .. } => {
            outputs.as_ref().map_or(0, |outputs| outputs.text().len())
        }
        Event::TaskEnded { error, .. } => error.as_ref().map_or(0, Failure::bytes),
        Event::StageReady { consumed, .. } | Event::StageStarted { consumed, .. } => weight_consumed(consumed),
        Event::TokensLeft { left, .. } | Event::TokensRemoved { removed: left, .. } => 8 * left.len(),
        Event::SignalReceived(_, message) => message.data.len(),
        Event::SignalsLeft { signals } => 8 * signals.len(),
        Event::ChildEnded(_, end) => end.outputs.text().len() + end.error.as_ref().map_or(0, Failure::bytes),
        Event::ChildRefused(_, refusal) => refusal.error.bytes(),
        Event::ScopeClosed { reason, .. }
        | Event::CompensationEnded { reason, .. }
        | Event::FinallyEnded { reason, .. } => match reason {
            Some(EndReason::StageFailed { error, .. }) => error.as_ref().map_or(0, Failure::bytes),
            Some(_) | None => 0,
        },
        Event::ChoiceMade { withdrawn, .. } => 4 * withdrawn.len(),
        Event::JumpExecuted { rewound, .. } => rewound.as_deref().map_or(0, weight_undone),
        Event::InstancesAddRequested(_, addition) => addition.items.iter().map(String::len).sum(),
        Event::InstancesWithdrawn { error, .. } | Event::PhaseStarted { error, .. } => {
            error.as_ref().map_or(0, Failure::bytes)
        }
        _ => 0,
    };
    fixed + varying
}
