//! What callers ask of the instances of a stage: more of them, no more, or to go on without the rest.

use crate::ids::WorkflowId;
use crate::machine::{InstancesAsk, Sent};
use crate::value::Value;

use super::completion::address;
use super::engine::Engine;
use super::error::Error;
use super::inbox::Answer;
use super::shared::Shared;
use super::start::By;

impl Engine {
    /// Adds an instance for each of these items to a stage that allows it (`allow_dynamic: true`), as long as it waits
    /// for its instances; the item is `item` there. The stage is `STAGE`, the oldest of its activations that lives, or
    /// `STAGE#N`.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if none can be added (`MI_CLOSED`), or not so many (`MI_FULL`), or the workflow has ended;
    /// [`Error::Unfit`] if this names no stage; if there is no such workflow.
    pub fn add_instances<V: Into<Value>>(
        &self,
        workflow: WorkflowId,
        stage: &str,
        items: impl IntoIterator<Item = V>,
        by: By,
    ) -> Result<Answer, Error> {
        let items = items.into_iter().map(|item| item.into().to_json()).collect();
        self.inner.shared.ask_instances(workflow, stage, InstancesAsk::Add(items), by)
    }

    /// Lets nobody add an instance to a stage any more: it goes on when those it has are over.
    ///
    /// # Errors
    ///
    /// As [`Engine::add_instances`]; `NOT_LIVE` if the stage does not wait for instances.
    pub fn close_instances(&self, workflow: WorkflowId, stage: &str, by: By) -> Result<Answer, Error> {
        self.inner.shared.ask_instances(workflow, stage, InstancesAsk::Close, by)
    }

    /// Lets control go on from a stage without those of its instances that have not ended, which are canceled.
    ///
    /// # Errors
    ///
    /// As [`Engine::close_instances`].
    pub fn complete_instances(&self, workflow: WorkflowId, stage: &str, by: By) -> Result<Answer, Error> {
        self.inner.shared.ask_instances(workflow, stage, InstancesAsk::Complete, by)
    }
}

impl Shared {
    /// Asks something of the instances of a stage.
    pub(super) fn ask_instances(
        &self,
        workflow: WorkflowId,
        stage: &str,
        ask: InstancesAsk,
        by: By,
    ) -> Result<Answer, Error> {
        self.send(workflow, Sent::Instances { of: address(stage)?, ask, reason: by.reason.clone() }, by)
    }
}
