//! Signals to a workflow over a control socket, and triggers that are closed over it.

use serde::Deserialize;

use crate::event::SignalDurability;
use crate::ids::WorkflowId;
use crate::runtime::error::Error;
use crate::runtime::inbox::Answer;
use crate::runtime::signal::{Signal, Target};
use crate::runtime::start::By;
use crate::value::{Map, Value};

use super::caller::Control;
use super::request::{ControlRequest, RequestError, body, id, map};

/// A signal, as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Signaling {
    /// To which workflow.
    pub(super) workflow: WorkflowId,
    /// For whom in it.
    pub(super) target: Target,
    /// The signal.
    pub(super) signal: Signal,
    /// Who sends it, why, and under which id.
    pub(super) by: By,
}

/// A trigger that is to be closed, as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Closing {
    /// Of which workflow.
    pub(super) workflow: WorkflowId,
    /// Of which stage.
    pub(super) stage: String,
    /// Who asks, why, and under which id.
    pub(super) by: By,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignalFields {
    workflow: String,
    command: String,
    actor: String,
    reason: Option<String>,
    stage: Option<String>,
    name: String,
    data: Option<Value>,
    id: Option<String>,
    durability: Durability,
}

/// What becomes of a signal for which nobody waits.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Durability {
    Persistent,
    Transient,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CloseFields {
    workflow: String,
    command: String,
    actor: String,
    reason: Option<String>,
    stage: String,
}

impl Signaling {
    /// The request with these fields.
    pub(super) fn read(verb: &str, fields: &Value) -> Result<ControlRequest, RequestError> {
        let SignalFields { workflow, command, actor, reason, stage, name, data, id: key, durability } =
            body(verb, fields)?;
        let by = By { actor, reason, id: Some(id(verb, &command)?) };
        let target = stage.map_or(Target::Workflow, Target::Stage);
        let durability = match durability {
            Durability::Persistent => SignalDurability::Persistent,
            Durability::Transient => SignalDurability::Transient,
        };
        let signal = Signal { name, data: data.unwrap_or(Value::Null), id: key, durability };
        Ok(ControlRequest::Signal(Box::new(Signaling { workflow: id(verb, &workflow)?, target, signal, by })))
    }

    /// The fields of the request.
    pub(super) fn fields(&self) -> Map {
        let Signal { name, data, id, durability } = &self.signal;
        let stage = match &self.target {
            Target::Workflow => None,
            Target::Stage(stage) => Some(stage.as_str()),
        };
        let durability = match durability {
            SignalDurability::Persistent => "persistent",
            SignalDurability::Transient => "transient",
        };
        map([
            ("workflow", self.workflow.to_string().into()),
            ("command", self.by.id.map(|id| id.to_string()).into()),
            ("actor", self.by.actor.as_str().into()),
            ("reason", self.by.reason.clone().into()),
            ("stage", stage.into()),
            ("name", name.as_str().into()),
            ("data", data.clone()),
            ("id", id.clone().into()),
            ("durability", durability.into()),
        ])
    }
}

impl Closing {
    /// The request with these fields.
    pub(super) fn read(verb: &str, fields: &Value) -> Result<ControlRequest, RequestError> {
        let CloseFields { workflow, command, actor, reason, stage } = body(verb, fields)?;
        let by = By { actor, reason, id: Some(id(verb, &command)?) };
        Ok(ControlRequest::CloseTrigger(Box::new(Closing { workflow: id(verb, &workflow)?, stage, by })))
    }

    /// The fields of the request.
    pub(super) fn fields(&self) -> Map {
        map([
            ("workflow", self.workflow.to_string().into()),
            ("command", self.by.id.map(|id| id.to_string()).into()),
            ("actor", self.by.actor.as_str().into()),
            ("reason", self.by.reason.clone().into()),
            ("stage", self.stage.as_str().into()),
        ])
    }
}

impl Control {
    /// Sends a signal to a workflow, as [`Engine::signal`](crate::Engine::signal).
    ///
    /// # Errors
    ///
    /// As [`Control::submit`].
    pub fn signal(&mut self, workflow: WorkflowId, target: Target, signal: Signal, by: By) -> Result<Answer, Error> {
        self.accepted(&ControlRequest::Signal(Box::new(Signaling { workflow, target, signal, by: by.with_id() })))
    }

    /// Closes the trigger of a stage that signals start, as [`Engine::close_trigger`](crate::Engine::close_trigger).
    ///
    /// # Errors
    ///
    /// As [`Control::submit`].
    pub fn close_trigger(&mut self, workflow: WorkflowId, stage: &str, by: By) -> Result<Answer, Error> {
        let stage = stage.to_owned();
        self.accepted(&ControlRequest::CloseTrigger(Box::new(Closing { workflow, stage, by: by.with_id() })))
    }
}
