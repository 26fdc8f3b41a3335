//! What properties are held against: definitions, commands and whole histories, drawn at random.
//!
//! Values, events and expressions have their strategies beside this; documents of definitions stand in `documents`, and
//! how a number becomes a command in `moves`.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::definition::Definition;
use crate::time::Timestamp;
use crate::value::Map;

use super::course::{Course, ORIGIN};
use super::definitions::with_limits;
use super::documents::documents;
use super::moves::Move;

pub use super::events::events;

/// A definition, with inputs for a workflow of it.
#[derive(Clone, Debug)]
pub struct Example {
    /// The definition.
    pub definition: Definition,
    /// The document it was read from.
    pub text: String,
    /// Inputs with their defaults.
    pub inputs: Map,
    /// Limits under which it was registered, where they are not the usual ones.
    pub limits: Vec<(&'static str, u64)>,
}

/// A workflow and what is tried on it, one after the other. Not all of it is accepted.
#[derive(Clone, Debug)]
pub struct History {
    /// What the workflow follows.
    pub example: Example,
    /// The workflow is to start before this moment, whatever its definition says.
    pub start_time_expiry: Option<Timestamp>,
    /// What is tried once it is created.
    pub moves: Vec<Move>,
}

impl Example {
    /// A workflow of it to which nothing has happened yet.
    pub fn course(&self) -> Course {
        Course::with_inputs(&self.definition, &self.inputs)
    }
}

/// Any definition, read from its document, under the usual limits.
///
/// # Panics
///
/// When it is drawn from, if a document has problems, which a test holds it never has.
pub fn definitions() -> BoxedStrategy<Example> {
    documents()
        .prop_map(|drawn| {
            let definition = Definition::from_yaml(&drawn.text).unwrap_or_else(|problems| panic!("{problems}"));
            let inputs = definition.bind_inputs(drawn.given).unwrap_or_else(|errors| panic!("{errors}"));
            Example { definition, text: drawn.text, inputs, limits: Vec::new() }
        })
        .boxed()
}

/// Any definition, half of them under limits that are reached soon.
pub fn examples() -> BoxedStrategy<Example> {
    let limit = |name: &'static str, range: std::ops::Range<u64>| range.prop_map(move |limit| (name, limit));
    let limits = prop_oneof![
        6 => limit("chunk_events_max", 1..8),
        2 => limit("chunk_bytes_max", 100..600),
        5 => limit("tokens_max", 0..4),
        3 => limit("payload_bytes_max", 0..40),
        3 => limit("commands_remembered", 0..4),
        6 => limit("workers_lost_max", 1..3),
        9 => limit("instant_turns_max", 0..3),
        1 => limit("expression_fuel", 0..8),
        5 => limit("signals_buffered_max", 0..2),
        1 => limit("signals_buffered_bytes_max", 0..20),
        1 => limit("signals_remembered", 1..3),
    ];
    (definitions(), weighted(0.5, vec(limits, 1..3)), 0..3_u64)
        .prop_map(|(example, limits, turns)| {
            let mut limits = limits.unwrap_or_default();
            // Loops that cost nothing are cut short: with the usual limit one of them is a batch of thousands.
            if example.text.contains("loop") {
                limits.push(("instant_turns_max", turns));
            }
            if limits.is_empty() {
                return example;
            }
            Example { definition: with_limits(&example.definition, &limits), limits, ..example }
        })
        .boxed()
}

/// The example that a seed stands for: always the same for the same seed and version of this library.
///
/// # Panics
///
/// If none can be drawn, which happens with a strategy that is wrong.
pub fn example_of(seed: u64) -> Example {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    examples().new_tree(&mut runner).expect("every draw is an example").current()
}

/// One thing that is tried on a workflow.
pub fn moves() -> impl Strategy<Value = Move> {
    any::<u64>().prop_map(Move::new)
}

/// Any workflow with things tried on it, up to 40.
pub fn histories() -> BoxedStrategy<History> {
    let expiry =
        weighted(0.04, (-1_i64..1).prop_map(|late| Timestamp::from_microseconds(ORIGIN.microseconds() + late)));
    (examples(), expiry, vec(moves(), 0..48))
        .prop_map(|(example, start_time_expiry, moves)| History { example, start_time_expiry, moves })
        .boxed()
}

impl History {
    /// The workflow before all this.
    pub fn beginning(&self) -> Course {
        let mut course = self.example.course();
        let creation = course.creation_mut();
        creation.start_time_expiry = self.start_time_expiry.or(creation.start_time_expiry);
        course
    }

    /// The workflow after all this.
    ///
    /// # Panics
    ///
    /// If an invariant of its state breaks.
    pub fn course(&self) -> Course {
        let mut course = self.beginning();
        course.create_and_try(&self.moves);
        course
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::event::{Arrival, CancelCause, Consumed, Emitted, Event, SignalRecipient, TimerOwner};
    use crate::machine::Rejection;
    use crate::status::Status;

    /// What has to happen in histories: events by name, with what tells variants apart, ends and refusals by code.
    const HAPPENINGS: [&str; 130] = [
        "phase.started",
        "stage.canceling",
        "task.stopped",
        "stage cancel_timeout set",
        "stage cancel_timeout fired",
        "lock.taken",
        "lock.released",
        "stage.start_requested",
        "choice.made",
        "chosen by a signal or moment",
        "canceled for another",
        "canceled by signal",
        "delivered to an end",
        "NOTHING_TO_CLAIM",
        "signal.received",
        "signal.delivered",
        "signal.buffered",
        "signal.discarded",
        "signals.left",
        "trigger.closed",
        "stage.waiting",
        "task.suspended",
        "report SUSPENDED",
        "stage trigger set",
        "stage trigger fired",
        "delivered to a trigger",
        "delivered to a task",
        "delivered to a start",
        "BAD_SIGNAL",
        "TRIGGER_NOT_OPEN",
        "instances.started",
        "instances.close_requested",
        "instances.closed",
        "instances.complete_requested",
        "instances.withdrawn",
        "canceled by mi",
        "MI_CLOSED",
        "workflow.created",
        "workflow.cancel_requested",
        "workflow.started",
        "workflow.completed",
        "workflow.failed",
        "workflow.canceled",
        "task.started",
        "task.reported",
        "task.lease_lost",
        "task.result_discarded",
        "timer.fired",
        "settle.continued",
        "stage.ready",
        "stage.started",
        "stage.completed",
        "stage.skipped",
        "stage.failed",
        "stage.canceled",
        "task.queued",
        "task.retried",
        "task.completed",
        "task.skipped",
        "task.failed",
        "task.canceled",
        "timer.set",
        "settle.deferred",
        "tokens.left",
        "scope.opened",
        "scope.closed",
        "loop.tested",
        "code LOOP_LIMIT",
        "code INSTANT_LOOP",
        "end STAGE_FAILED",
        "end DEADLOCK",
        "end BRANCH_STOPPED",
        "end OUTPUTS_FAILED",
        "end CANCEL_REQUESTED",
        "end START_TIME_EXPIRED",
        "end DEADLINE_EXCEEDED",
        "report SUCCEEDED",
        "report RUNNING",
        "report TERMINAL",
        "report FAILED_CONTINUE",
        "report SKIPPED",
        "report CANCELED",
        "report STOPPED",
        "report FAILED",
        "code NO_BRANCH",
        "code CONDITION_FAILED",
        "code LIMIT_TOKENS",
        "code LIMIT_PAYLOAD",
        "code WORKER_LOST",
        "code DEADLINE_EXCEEDED",
        "canceled by deadline",
        "workflow scheduled_time set",
        "workflow scheduled_time fired",
        "workflow start_time_expiry fired",
        "stage scheduled_time set",
        "stage scheduled_time fired",
        "stage start_time_expiry fired",
        "stage deadline fired",
        "workflow deadline fired",
        "consumed arcs",
        "consumed one per arc",
        "consumed held",
        "consumed threads",
        "jump into a join that counts arrivals",
        "join.arrived",
        "join.arrived late",
        "join.reset complete",
        "join.reset cancelling",
        "join.reset active",
        "tokens.removed",
        "canceled by discriminator",
        "emitted arcs",
        "emitted nothing",
        "second activation",
        "ALREADY_CREATED",
        "ENDED",
        "ALREADY_CANCELING",
        "REPEATED",
        "COMMAND_TOO_OLD",
        "NOT_AWAITED",
        "ALREADY_STARTED",
        "EARLY",
        "NO_SUCH_TIMER",
        "UNSETTLED",
        "SETTLED",
        "DONE_BY_HAND",
        "workflow.paused",
        "workflow.resumed",
        "ALREADY_PAUSED",
        "NOT_PAUSED",
    ];

    fn happened(event: &Event, found: &mut BTreeSet<String>) {
        found.insert(event.name().to_owned());
        let code = match event {
            Event::StageEnded { error, .. } | Event::TaskEnded { error, .. } => error.as_ref(),
            _ => None,
        };
        found.extend(code.map(|error| format!("code {}", error.code())));
        match event {
            Event::WorkflowEnded { reason: Some(reason), .. } => {
                found.insert(format!("end {}", reason.code()));
            }
            Event::TaskReported(_, report) => {
                found.insert(format!("report {}", report.report.name()));
            }
            Event::StageStarted { consumed, activation, .. } => {
                found.extend(match consumed {
                    Consumed::Arcs(_) => Some("consumed arcs".to_owned()),
                    Consumed::OnePerArc => Some("consumed one per arc".to_owned()),
                    Consumed::Held => Some("consumed held".to_owned()),
                    Consumed::Threads(_) => Some("consumed threads".to_owned()),
                    Consumed::Jump { arcs, .. } if arcs.is_empty() => Some("consumed jump".to_owned()),
                    Consumed::Jump { .. } => Some("consumed jump and more".to_owned()),
                    Consumed::Ready => None,
                });
                found.extend((activation.number > 1).then(|| "second activation".to_owned()));
            }
            Event::StageEnded { emitted, .. } => {
                found.extend(match emitted {
                    Emitted::Arcs(_) => Some("emitted arcs".to_owned()),
                    Emitted::Nothing => Some("emitted nothing".to_owned()),
                    Emitted::All => None,
                });
            }
            Event::SignalDelivered { to, .. } => {
                let to = match to {
                    SignalRecipient::Trigger(_) => "a trigger",
                    SignalRecipient::Task(_) => "a task",
                    SignalRecipient::Start(_) => "a start",
                    SignalRecipient::Instances(_) => "instances",
                    SignalRecipient::Boundary(_) => "an end",
                };
                found.insert(format!("delivered to {to}"));
            }
            Event::StageCanceled { cause: CancelCause::Deadline, .. } => {
                found.insert("canceled by deadline".to_owned());
            }
            Event::StageCanceled { cause: CancelCause::Discriminator, .. } => {
                found.insert("canceled by discriminator".to_owned());
            }
            Event::JoinArrived { arrival: Arrival::Late, .. } => {
                found.insert("join.arrived late".to_owned());
            }
            Event::JoinReset { cause, .. } => {
                found.insert(format!("join.reset {}", cause.name()));
            }
            Event::StageCanceled { cause: CancelCause::Signal, .. } => {
                found.insert("canceled by signal".to_owned());
            }
            Event::StageCanceled { cause: CancelCause::Withdrawn { .. }, .. } => {
                found.insert("canceled for another".to_owned());
            }
            Event::StageCanceled { cause: CancelCause::Instances, .. } => {
                found.insert("canceled by mi".to_owned());
            }
            _ => {}
        }
    }

    /// Has a jump led to a join with more to remember than its tokens?
    fn jumped(course: &Course, found: &mut BTreeSet<String>) {
        let graph = course.state().definition().graph();
        for event in course.events() {
            let Event::StageStarted { activation, consumed: Consumed::Jump { .. }, .. } = event else { continue };
            if graph.stage(activation.stage).generations.is_some() {
                found.insert("jump into a join that counts arrivals".to_owned());
            }
        }
    }

    /// The timers of workflow and stages that were set, those that fired, and the choices that followed from one.
    fn timed(events: &[Event], found: &mut BTreeSet<String>) {
        let mut names = BTreeMap::new();
        let mut is_of_a_trigger = false;
        for event in events {
            match event {
                Event::TimerSetFor { timer, owner, purpose, .. } => {
                    let owner = if *owner == TimerOwner::Workflow { "workflow" } else { "stage" };
                    let name = format!("{owner} {}", purpose.name());
                    is_of_a_trigger = false;
                    found.insert(format!("{name} set"));
                    names.insert(*timer, name);
                }
                Event::SignalDelivered { to: SignalRecipient::Trigger(_), .. } => is_of_a_trigger = true,
                Event::ChoiceMade { .. } if is_of_a_trigger => {
                    found.insert("chosen by a signal or moment".to_owned());
                }
                Event::TimerFired(_, timer) => {
                    is_of_a_trigger = names.get(timer).is_some_and(|name| name == "stage trigger");
                    found.extend(names.get(timer).map(|name| format!("{name} fired")));
                }
                _ => is_of_a_trigger = false,
            }
        }
    }

    #[test]
    fn everything_that_can_happen_does_at_least_once_in_three_hundred_histories() {
        let mut runner = TestRunner::deterministic();
        let mut counts: BTreeMap<String, u32> = HAPPENINGS.map(|name| (name.to_owned(), 0)).into();
        let mut ends: BTreeMap<Status, u32> = BTreeMap::new();
        let histories = histories();
        for _ in 0..3_000 {
            let history = histories.new_tree(&mut runner).unwrap().current();
            let mut course = history.beginning();
            let mut found = BTreeSet::new();
            course.create_and_try(&[]);
            for tried in &history.moves {
                let refused = course.decide(course.command(*tried)).map(|_| ());
                found.extend(refused.err().as_ref().map(Rejection::code).map(str::to_owned));
            }
            course.events().iter().for_each(|event| happened(event, &mut found));
            timed(course.events(), &mut found);
            jumped(&course, &mut found);
            for name in found {
                if let Some(count) = counts.get_mut(&name) {
                    *count += 1;
                }
            }
            *ends.entry(course.status()).or_default() += 1;
        }
        let rare: Vec<_> = counts.iter().filter(|(_, count)| **count < 10).collect();
        assert!(rare.is_empty(), "{rare:?}, ended {ends:?}");
    }
}
