//! From a command to events: the one match over requests.
//!
//! All refusals come before the first event, so a refused command has changed nothing. From then on every event goes
//! through one door, which moves the state by it and keeps it: deciding never holds a second opinion of the state.

mod answers;
mod cancel;
mod end;
mod join;
mod settle;
mod split;
mod stage;
mod task;

pub use answers::{Answers, Site};

use crate::event::{Creation, Event};
use crate::time::Timestamp;

use super::command::{Command, Rejection, Request};
use super::evolve::evolve;
use super::state::{Memory, Phase, State};

/// Number of the rules by which this library decides; raised with every intended change of a decision (R18).
pub const RULES: u32 = 1;

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
    refuse_repeated(state, command)?;
    let now = command.now.max(state.core.now);
    refuse_unfit(state, &command.request, now)?;
    let woken = match &command.request {
        Request::FireTimer(timer) => state.core.timers.get(timer).map(|timer| timer.task),
        _ => None,
    };
    let mut decision = Decision { state, answers, events: Vec::new(), bytes: 0 };
    decision.push(command.to_input(now, RULES));
    match &command.request {
        Request::Create(creation) => decision.start(creation, now),
        Request::ReportTask(report) => decision.conclude(report),
        Request::LoseLease(loss) => decision.replace_lost(*loss),
        Request::FireTimer(_) => woken.into_iter().for_each(|task| decision.wake(task)),
        Request::Cancel(_) | Request::StartTask(_) | Request::DiscardResult(_) | Request::ContinueSettling => (),
    }
    decision.settle();
    Ok(Batch { events: decision.events })
}

/// R8: a command that was accepted before is answered with the place of the first.
fn refuse_repeated(state: &State, command: &Command) -> Result<(), Rejection> {
    let Some(id) = command.id else { return Ok(()) };
    match state.core.commands.recall(id) {
        Memory::Unknown => Ok(()),
        Memory::Accepted(first) => Err(Rejection::Repeated { first }),
        Memory::TooOld => Err(Rejection::CommandTooOld),
    }
}

fn refuse_unfit(state: &State, request: &Request, now: Timestamp) -> Result<(), Rejection> {
    match (&state.core.phase, request) {
        (Phase::New, Request::Create(_)) => return Ok(()),
        (Phase::New, _) => return Err(Rejection::NotCreated),
        (Phase::Live | Phase::Ended { .. }, Request::Create(_)) => return Err(Rejection::AlreadyCreated),
        (_, Request::DiscardResult(report)) => return task::refuse_discard(state, report.attempt),
        (Phase::Ended { status, .. }, _) => return Err(Rejection::Ended { status: *status }),
        (Phase::Live, _) => (),
    }
    match request {
        Request::ContinueSettling => {
            return if state.core.unsettled { Ok(()) } else { Err(Rejection::Settled) };
        }
        Request::Cancel(_) => return cancel::refuse(state),
        _ if state.core.unsettled => return Err(Rejection::Unsettled),
        _ => (),
    }
    match request {
        Request::StartTask(attempt) => task::refuse_start(state, *attempt, now),
        Request::ReportTask(report) => task::refuse_report(state, report.attempt),
        Request::LoseLease(loss) => task::refuse_loss(state, loss.attempt),
        Request::FireTimer(timer) => task::refuse_timer(state, *timer, now),
        Request::Create(_) | Request::Cancel(_) | Request::DiscardResult(_) | Request::ContinueSettling => Ok(()),
    }
}

/// A batch under way.
struct Decision<'a> {
    state: &'a mut State,
    answers: &'a mut Answers,
    events: Vec<Event>,
    /// Size of the events so far, about.
    bytes: usize,
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

    fn start(&mut self, creation: &Creation, now: Timestamp) {
        if creation.start_time_expiry.is_some_and(|expiry| now > expiry) {
            self.end_expired();
        } else {
            self.push(Event::WorkflowStarted);
        }
    }
}

/// Size of an event, about: what varies without bound is counted, the rest is taken as a fixed amount.
fn weight(event: &Event) -> usize {
    let fixed = 96;
    match event {
        Event::WorkflowCreated(_, creation) => fixed + creation.inputs.text().len() + creation.context.text().len(),
        Event::TaskReported(_, report) => fixed + report.outputs.text().len() + report.context.text().len(),
        Event::StageEnded { outputs, .. } | Event::WorkflowEnded { outputs, .. } => {
            fixed + outputs.as_ref().map_or(0, |outputs| outputs.text().len())
        }
        _ => fixed,
    }
}
