//! Is a definition sound: can every course of it end, with nothing left behind?
//!
//! Explores what [`decide`](crate::decide) makes of every answer that data could give and every outcome that work could
//! have (R21), on a definition without data, after blocks that are sound by their shape have become one stage. Pure; it
//! never runs a workflow. Terms: van der Aalst et al., "Soundness of workflow nets", 2011.

mod abstraction;
mod explore;
mod finding;
mod monitor;
mod reduction;
#[cfg(test)]
mod tests;
mod verdict;

pub use finding::{Finding, FindingCode};
pub use monitor::{Property, PropertyError};
pub use verdict::{Verdict, Witness};

use crate::definition::Definition;
use crate::limits::{CHECK_BOUND, CHECK_START_STATES_MAX, CHECK_STATES_MAX, CHECK_WITNESS_STATES_MAX};

use abstraction::abstracted;
use explore::explore;
use reduction::reduced;

/// How a definition is checked.
#[derive(Clone, Debug)]
#[must_use]
pub struct CheckOptions {
    pub(crate) states_max: u64,
    pub(crate) bound: u32,
    pub(crate) reduction: Reduction,
    pub(crate) properties: Vec<Property>,
}

/// Are blocks that are sound by their shape taken as one stage?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reduction {
    Blocks,
    None,
}

impl Default for CheckOptions {
    fn default() -> CheckOptions {
        CheckOptions {
            states_max: CHECK_STATES_MAX,
            bound: CHECK_BOUND,
            reduction: Reduction::Blocks,
            properties: Vec::new(),
        }
    }
}

impl CheckOptions {
    /// Up to 200,000 states, four tokens on an arc, no properties besides soundness.
    pub fn new() -> CheckOptions {
        CheckOptions::default()
    }

    /// The same with so few states that the answer comes in about a second: what is asked before a workflow begins.
    pub fn at_start() -> CheckOptions {
        CheckOptions::new().states_max(CHECK_START_STATES_MAX)
    }

    /// How many states are looked at before the answer is that nobody knows.
    pub fn states_max(self, states: u64) -> CheckOptions {
        CheckOptions { states_max: states, ..self }
    }

    /// How many tokens on one arc, or activations of one stage at a time, are told apart.
    pub fn bound(self, bound: u32) -> CheckOptions {
        CheckOptions { bound: bound.max(1), ..self }
    }

    /// Something that has to hold in every course.
    pub fn property(mut self, property: Property) -> CheckOptions {
        self.properties.push(property);
        self
    }

    /// The same, and no property is looked for.
    pub fn without_properties(self) -> CheckOptions {
        CheckOptions { properties: Vec::new(), ..self }
    }

    /// Explores every stage, also those whose block is sound by its shape.
    pub fn without_reduction(self) -> CheckOptions {
        CheckOptions { reduction: Reduction::None, ..self }
    }
}

impl Definition {
    /// Explores every course that workflows of this definition could take.
    pub fn check(&self, options: &CheckOptions) -> Verdict {
        let whole = abstracted(self);
        // A block that is taken as one stage hides what its conditions have answered.
        let is_correlated = whole.graph().stages.iter().any(|stage| stage.split_correlation.is_some());
        if options.properties.is_empty() && options.reduction == Reduction::Blocks && !is_correlated {
            let small = reduced(&whole);
            if small.graph().stages.len() < whole.graph().stages.len() {
                let verdict = explore(&small, options).verdict(self);
                // What is wrong is shown on the definition itself, if that can be explored, too.
                if verdict.findings().is_empty() {
                    return verdict;
                }
                let states_max = options.states_max.min(CHECK_WITNESS_STATES_MAX);
                let exploration = explore(&whole, &options.clone().states_max(states_max));
                return if exploration.has_findings() { exploration.verdict(self) } else { verdict };
            }
        }
        explore(&whole, options).verdict(self)
    }
}
