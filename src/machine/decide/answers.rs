//! The only source of data decisions: whether a condition holds.
//!
//! The engine computes the answer from the data the activation sees. Deciding asks here and nowhere else, so that an
//! explorer of all possible courses can answer in the data's place.

use crate::expression::Expression;
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, ArcIndex, TaskIndex};
use crate::machine::data::Surroundings;

/// Where an answer is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Site {
    /// `if:` of a stage.
    Gate(ActivationId),
    /// `if:` of a task.
    Task(ActivationId, TaskIndex),
    /// The condition of a branch; `None` is the end.
    Branch(ActivationId, Option<ArcIndex>),
}

/// Answers from the data of the workflow.
#[derive(Debug, Default)]
pub struct Answers {
    asked: u64,
}

impl Answers {
    /// Answers that are computed.
    pub fn computed() -> Answers {
        Answers::default()
    }

    /// Questions answered so far.
    pub fn asked(&self) -> u64 {
        self.asked
    }

    /// Does `condition` hold at `site`, given what is `seen` there?
    pub(super) fn holds(&mut self, _site: Site, condition: &Expression, seen: &Surroundings) -> Result<bool, Failure> {
        self.asked += 1;
        let failed = |error: &dyn std::fmt::Display| {
            let message = format!("condition `{}`: {error}", condition.text());
            Failure::new(ErrorCode::CONDITION_FAILED, ErrorClass::Permanent, message)
        };
        let scope = seen.scope(&condition.references()).map_err(|error| failed(&error.message()))?;
        condition.evaluate(&scope).map(|value| value.is_truthy()).map_err(|error| failed(&error))
    }
}
