//! What people say of work that is done by hand, on its way to the workflow.

use crate::event::{Actor, Json, Report};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{CommandId, WorkflowId};
use crate::machine::{Deed, StageAddress};
use crate::task::checked_outputs;
use crate::value::{Map, Value};

use super::engine::Engine;
use super::error::{Error, describe};
use super::inbox::{Answer, Ask, Entry};
use super::shared::Shared;
use super::start::By;

/// How work that is done by hand has ended.
///
/// ```
/// # use stabilize::Completion;
/// let done = Completion::done().output("inspected", 12);
/// let failed = Completion::failed("two of them are broken");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Completion {
    pub(super) outputs: Map,
    /// Why it failed, if it has.
    pub(super) failure: Option<String>,
}

impl Completion {
    /// It is done: SUCCEEDED.
    pub fn done() -> Completion {
        Completion { outputs: Map::new(), failure: None }
    }

    /// It has failed for good, with these words: TERMINAL, mapped by the author's `on_failure`, with the code
    /// `FAILED_BY_HAND`. It is not tried again.
    pub fn failed(message: impl Into<String>) -> Completion {
        Completion { outputs: Map::new(), failure: Some(message.into()) }
    }

    /// Adds an output, visible to all that descends from this work. The name is `[A-Za-z0-9_][A-Za-z0-9_-]{0,63}`;
    /// with another one it is not taken. Outputs of work that has failed count where its failure is mapped to go on.
    pub fn output(mut self, name: impl Into<String>, value: impl Into<Value>) -> Completion {
        self.outputs.insert(name.into(), value.into());
        self
    }

    /// What it says about this work.
    ///
    /// # Errors
    ///
    /// If the address names no work, or no event can hold the outputs.
    pub(super) fn deed(self, work: &str) -> Result<Deed, Error> {
        checked_outputs(&self.outputs).map_err(|error| unfit(&error))?;
        let report = match self.failure {
            None => Report::Succeeded,
            Some(message) => {
                let error = Failure::new(ErrorCode::FAILED_BY_HAND, ErrorClass::Permanent, message);
                Report::Terminal { error }
            }
        };
        Ok(Deed { work: address(work)?, report, outputs: Json::of(&self.outputs) })
    }
}

/// The work that is meant.
///
/// # Errors
///
/// If the text names none.
pub(super) fn address(work: &str) -> Result<StageAddress, Error> {
    work.parse().map_err(|error| unfit(&error))
}

fn unfit(error: &dyn std::error::Error) -> Error {
    Error::Unfit { message: describe(error) }
}

impl Engine {
    /// Says how work has ended that is done by hand: a task that `uses: manual`. `work` is a stage, `STAGE#N` its N-th
    /// activation, `STAGE#N[I]` an instance of that; without a number it is the oldest that is open. Who says it is
    /// recorded as they claim to be.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if no such work is open there, or the workflow has ended; [`Error::Unfit`] if `work` names
    /// none or an output has no good name; if there is no such workflow.
    pub fn complete(&self, workflow: WorkflowId, work: &str, how: Completion, by: By) -> Result<Answer, Error> {
        self.inner.shared.complete(workflow, work, how, by)
    }
}

impl Shared {
    /// Says how work has ended that is done by hand.
    pub(super) fn complete(&self, workflow: WorkflowId, work: &str, how: Completion, by: By) -> Result<Answer, Error> {
        let deed = how.deed(work)?;
        self.call(Entry {
            workflow,
            definition: None,
            id: Some(by.id.unwrap_or_else(|| CommandId::generate_at(self.clock.now()))),
            actor: Actor::Named(by.actor),
            ask: Ask::ByHand(Box::new(deed)),
            answer: None,
        })
    }
}
