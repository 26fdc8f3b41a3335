//! What people say of work that is done by hand, and whether they approve, on its way to the workflow.

use crate::event::{Actor, Json, Report};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{CommandId, WorkflowId};
use crate::machine::{Answerer, Deed, Said, StageAddress, Verdict};
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
        Ok(Deed { work: address(work)?, said: Said::Ended(report, Json::of(&self.outputs)) })
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

/// Who answers an approval, and what they say to it. All of it is claimed: the engine checks neither who they are nor
/// what they may; [`Config::authorize`](crate::Config::authorize) can.
///
/// ```
/// # use stabilize::Approver;
/// let approver = Approver::new("alice").role("ops").comment("not before Monday");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Approver {
    pub(super) by: By,
    pub(super) role: Option<String>,
    pub(super) comment: Option<String>,
}

impl Approver {
    /// A person or program by this name, as claimed.
    pub fn new(name: impl Into<String>) -> Approver {
        Approver { by: By::user(name), role: None, comment: None }
    }

    /// As what they speak, as claimed. An approval that names roles takes no answer but as one of them.
    pub fn role(mut self, role: impl Into<String>) -> Approver {
        self.role = Some(role.into());
        self
    }

    /// What they say to it; an output, and part of the error of a rejection.
    pub fn comment(mut self, comment: impl Into<String>) -> Approver {
        self.comment = Some(comment.into());
        self
    }

    /// Under this id, as with [`By::command`].
    pub fn command(mut self, id: CommandId) -> Approver {
        self.by = self.by.command(id);
        self
    }
}

/// What somebody claims who answers an approval, for [`Config::authorize`](crate::Config::authorize).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Claim<'c> {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The work as they name it: `STAGE`, `STAGE#N`, `STAGE#N[I]`.
    pub work: &'c str,
    /// Who they say they are.
    pub by: &'c str,
    /// As what they speak.
    pub role: Option<&'c str>,
    /// Whether they approve.
    pub approved: bool,
}

impl Engine {
    /// Approves what waits for it: a task that `uses: approval`. `work` is as with [`Engine::complete`].
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if no approval is open there, or it asks for other roles; [`Error::Unauthorized`] if
    /// [`Config::authorize`](crate::Config::authorize) says no; as [`Engine::complete`].
    pub fn approve(&self, workflow: WorkflowId, work: &str, approver: Approver) -> Result<Answer, Error> {
        self.inner.shared.answer(workflow, work, Verdict::Approved, approver)
    }

    /// Rejects what waits for an approval: the task fails with `APPROVAL_REJECTED`, or what follows goes on, as its
    /// `on_reject` says.
    ///
    /// # Errors
    ///
    /// As [`Engine::approve`].
    pub fn reject(&self, workflow: WorkflowId, work: &str, approver: Approver) -> Result<Answer, Error> {
        self.inner.shared.answer(workflow, work, Verdict::Rejected, approver)
    }

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
        self.say(workflow, how.deed(work)?, by)
    }

    /// Answers an approval.
    pub(super) fn answer(
        &self,
        workflow: WorkflowId,
        work: &str,
        verdict: Verdict,
        approver: Approver,
    ) -> Result<Answer, Error> {
        let Approver { by, role, comment } = approver;
        let address = address(work)?;
        let approved = verdict == Verdict::Approved;
        let claim = Claim { workflow, work, by: &by.actor, role: role.as_deref(), approved };
        if let Some(authorize) = &self.authorize {
            authorize(claim).map_err(|message| Error::Unauthorized { message })?;
        }
        let answerer = Answerer { by: by.actor.clone(), role, comment };
        self.say(workflow, Deed { work: address, said: Said::Answered(verdict, answerer) }, by)
    }

    fn say(&self, workflow: WorkflowId, deed: Deed, by: By) -> Result<Answer, Error> {
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
