//! What properties are held against: definitions, commands and whole histories, drawn at random.
//!
//! Values, events and expressions have their strategies beside this; documents of definitions stand in `documents`, and
//! how a number becomes a command in `moves`.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use crate::definition::Definition;
use crate::value::Map;

use super::course::Course;
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
        2 => limit("tokens_max", 0..4),
        2 => limit("payload_bytes_max", 0..40),
        3 => limit("commands_remembered", 0..4),
        3 => limit("workers_lost_max", 1..3),
        1 => limit("expression_fuel", 0..8),
    ];
    (definitions(), weighted(0.5, vec(limits, 1..3)))
        .prop_map(|(example, limits)| match limits {
            None => example,
            Some(limits) => Example { definition: with_limits(&example.definition, &limits), limits, ..example },
        })
        .boxed()
}

/// One thing that is tried on a workflow.
pub fn moves() -> impl Strategy<Value = Move> {
    any::<u64>().prop_map(Move::new)
}

/// Any workflow with things tried on it, up to 40.
pub fn histories() -> BoxedStrategy<History> {
    (examples(), vec(moves(), 0..40)).prop_map(|(example, moves)| History { example, moves }).boxed()
}

impl History {
    /// The workflow after all this.
    ///
    /// # Panics
    ///
    /// If an invariant of its state breaks.
    pub fn course(&self) -> Course {
        let mut course = self.example.course();
        course.create_and_try(&self.moves);
        course
    }
}
