//! People who choose an alternative of a deferred choice.

use crate::ids::WorkflowId;
use crate::machine::{Claim, Sent};

use super::completion::address;
use super::engine::Engine;
use super::error::Error;
use super::inbox::Answer;
use super::shared::Shared;
use super::start::By;

impl Engine {
    /// Chooses an alternative of a deferred choice that has no trigger: it starts, and the others are withdrawn. `work`
    /// is a stage, `b`, or an activation of it, `b#2`; of several the oldest that is offered.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if nothing is offered there that can be claimed, or the workflow has ended; [`Error::Unfit`]
    /// if `work` names nothing; if there is no such workflow.
    pub fn claim(&self, workflow: WorkflowId, work: &str, by: By) -> Result<Answer, Error> {
        self.inner.shared.claim(workflow, work, by)
    }
}

impl Shared {
    /// Chooses an alternative of a deferred choice.
    pub(super) fn claim(&self, workflow: WorkflowId, work: &str, by: By) -> Result<Answer, Error> {
        let claim = Claim { work: address(work)?, reason: by.reason.clone() };
        self.send(workflow, Sent::Claim(claim), by)
    }
}
