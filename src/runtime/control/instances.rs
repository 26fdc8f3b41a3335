//! What is asked of the instances of a stage over a control socket.

use serde::Deserialize;

use crate::ids::WorkflowId;
use crate::machine::InstancesAsk;
use crate::runtime::error::Error;
use crate::runtime::inbox::Answer;
use crate::runtime::start::By;
use crate::value::{Map, Value};

use super::caller::Control;
use super::request::{ControlRequest, RequestError, body, id, map};

/// What is asked, as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Counting {
    /// Of which workflow.
    pub(super) workflow: WorkflowId,
    /// Of which stage, or activation of it.
    pub(super) stage: String,
    /// What.
    pub(super) ask: InstancesAsk,
    /// Who asks, why, and under which id.
    pub(super) by: By,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountFields {
    workflow: String,
    command: String,
    actor: String,
    reason: Option<String>,
    stage: String,
    items: Option<Vec<Value>>,
}

impl Counting {
    /// The request with these fields; each verb has its own `ask`.
    pub(super) fn read(verb: &str, fields: &Value) -> Result<ControlRequest, RequestError> {
        let CountFields { workflow, command, actor, reason, stage, items } = body(verb, fields)?;
        let by = By { actor, reason, id: Some(id(verb, &command)?) };
        let ask = match verb {
            "close_instances" => InstancesAsk::Close,
            "complete_instances" => InstancesAsk::Complete,
            _ => InstancesAsk::Add(items.unwrap_or_default().iter().map(Value::to_json).collect()),
        };
        Ok(ControlRequest::Instances(Box::new(Counting { workflow: id(verb, &workflow)?, stage, ask, by })))
    }

    /// The verb of the request.
    pub(super) fn verb(&self) -> &'static str {
        match self.ask {
            InstancesAsk::Add(_) => "add_instances",
            InstancesAsk::Close => "close_instances",
            InstancesAsk::Complete => "complete_instances",
        }
    }

    /// The fields of the request.
    pub(super) fn fields(&self) -> Map {
        let items = match &self.ask {
            InstancesAsk::Add(items) => {
                Value::list(items.iter().map(|item| Value::from_json(item).unwrap_or(Value::Null)))
            }
            InstancesAsk::Close | InstancesAsk::Complete => Value::Null,
        };
        map([
            ("workflow", self.workflow.to_string().into()),
            ("command", self.by.id.map(|id| id.to_string()).into()),
            ("actor", self.by.actor.as_str().into()),
            ("reason", self.by.reason.clone().into()),
            ("stage", self.stage.as_str().into()),
            ("items", items),
        ])
    }
}

impl Control {
    /// Adds instances to a stage, as [`Engine::add_instances`](crate::Engine::add_instances).
    ///
    /// # Errors
    ///
    /// As [`Control::submit`].
    pub fn add_instances<V: Into<Value>>(
        &mut self,
        workflow: WorkflowId,
        stage: &str,
        items: impl IntoIterator<Item = V>,
        by: By,
    ) -> Result<Answer, Error> {
        let items = items.into_iter().map(|item| item.into().to_json()).collect();
        self.ask_instances(workflow, stage, InstancesAsk::Add(items), by)
    }

    /// Lets nobody add an instance any more, as [`Engine::close_instances`](crate::Engine::close_instances).
    ///
    /// # Errors
    ///
    /// As [`Control::submit`].
    pub fn close_instances(&mut self, workflow: WorkflowId, stage: &str, by: By) -> Result<Answer, Error> {
        self.ask_instances(workflow, stage, InstancesAsk::Close, by)
    }

    /// Lets control go on without the rest, as [`Engine::complete_instances`](crate::Engine::complete_instances).
    ///
    /// # Errors
    ///
    /// As [`Control::submit`].
    pub fn complete_instances(&mut self, workflow: WorkflowId, stage: &str, by: By) -> Result<Answer, Error> {
        self.ask_instances(workflow, stage, InstancesAsk::Complete, by)
    }

    fn ask_instances(&mut self, workflow: WorkflowId, stage: &str, ask: InstancesAsk, by: By) -> Result<Answer, Error> {
        let (stage, by) = (stage.to_owned(), by.with_id());
        self.accepted(&ControlRequest::Instances(Box::new(Counting { workflow, stage, ask, by })))
    }
}
