//! What a workflow begins with: as a caller says it, and as it is recorded.

use std::path::PathBuf;

use crate::definition::Definition;
use crate::event::{Creation, Json, TriggerRecord};
use crate::ids::{CommandId, WorkflowId};
use crate::machine::{BeginError, Beginning, begin};
use crate::time::Timestamp;
use crate::value::{Map, Value};

use super::error::{Error, describe};

/// What a workflow begins with. Everything has a default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Start {
    pub(super) id: Option<WorkflowId>,
    pub(super) inputs: Map,
    pub(super) trigger: Trigger,
    pub(super) origin: Option<String>,
    pub(super) actor: Option<String>,
    pub(super) priority: Option<u8>,
    pub(super) workdir: Option<PathBuf>,
}

impl Start {
    /// No inputs, a manual trigger, a new id.
    pub fn new() -> Start {
        Start::default()
    }

    /// Under this id. Submitted twice, the second changes nothing and gets the answer of the first.
    pub fn id(mut self, id: WorkflowId) -> Start {
        self.id = Some(id);
        self
    }

    /// With this input.
    pub fn input(mut self, name: impl Into<String>, value: impl Into<Value>) -> Start {
        self.inputs.insert(name.into(), value.into());
        self
    }

    /// With these inputs.
    pub fn inputs<K: Into<String>, V: Into<Value>>(mut self, inputs: impl IntoIterator<Item = (K, V)>) -> Start {
        self.inputs.extend(inputs.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Because of this.
    pub fn trigger(mut self, trigger: Trigger) -> Start {
        self.trigger = trigger;
        self
    }

    /// Where the request comes from, as a free word; `library` if nothing is said.
    pub fn origin(mut self, origin: impl Into<String>) -> Start {
        self.origin = Some(origin.into());
        self
    }

    /// Who sends it, as claimed; the engine's actor if nothing is said.
    pub fn actor(mut self, name: impl Into<String>) -> Start {
        self.actor = Some(name.into());
        self
    }

    /// 0 to 9, larger first; larger numbers count as 9. The definition's if nothing is said.
    pub fn priority(mut self, priority: u8) -> Start {
        self.priority = Some(priority.min(9));
        self
    }

    /// Directory that relative directories of tasks start from; the current one if nothing is said.
    pub fn workdir(mut self, path: impl Into<PathBuf>) -> Start {
        self.workdir = Some(path.into());
        self
    }
}

/// Who or what asked for a workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    pub(super) trigger_type: String,
    pub(super) user: String,
    pub(super) parameters: Map,
    pub(super) artifacts: Vec<Value>,
    pub(super) payload: Map,
}

impl Default for Trigger {
    fn default() -> Trigger {
        Trigger {
            trigger_type: "manual".to_owned(),
            user: "anonymous".to_owned(),
            parameters: Map::new(),
            artifacts: Vec::new(),
            payload: Map::new(),
        }
    }
}

impl Trigger {
    /// A manual trigger by nobody in particular.
    pub fn new() -> Trigger {
        Trigger::default()
    }

    /// The kind of trigger, a free word; `manual` if nothing is said.
    pub fn of_type(mut self, trigger_type: impl Into<String>) -> Trigger {
        self.trigger_type = trigger_type.into();
        self
    }

    /// Who, as claimed; `anonymous` if nothing is said.
    pub fn user(mut self, user: impl Into<String>) -> Trigger {
        self.user = user.into();
        self
    }

    /// With this parameter.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<Value>) -> Trigger {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// With this artifact.
    pub fn artifact(mut self, artifact: impl Into<Value>) -> Trigger {
        self.artifacts.push(artifact.into());
        self
    }

    /// With this payload.
    pub fn payload(mut self, payload: Map) -> Trigger {
        self.payload = payload;
        self
    }

    pub(super) fn record(&self) -> TriggerRecord {
        TriggerRecord {
            trigger_type: self.trigger_type.clone(),
            user: self.user.clone(),
            parameters: Json::of(&self.parameters),
            artifacts: Value::List(self.artifacts.clone()).to_json(),
            payload: Json::of(&self.payload),
        }
    }

    /// The trigger as expressions see it.
    pub(super) fn value(&self) -> Value {
        Value::map([
            ("type", Value::from(self.trigger_type.as_str())),
            ("user", Value::from(self.user.as_str())),
            ("parameters", Value::Map(self.parameters.clone())),
            ("artifacts", Value::List(self.artifacts.clone())),
            ("payload", Value::Map(self.payload.clone())),
        ])
    }
}

/// Who sends a command, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    pub(super) actor: String,
    pub(super) reason: Option<String>,
    pub(super) id: Option<CommandId>,
}

impl By {
    /// A person or program by this name, as claimed.
    pub fn user(name: impl Into<String>) -> By {
        By { actor: name.into(), reason: None, id: None }
    }

    /// Why, in words.
    pub fn because(mut self, reason: impl Into<String>) -> By {
        self.reason = Some(reason.into());
        self
    }

    /// Under this id; a new one if nothing is said. A command sent twice under one id acts once, and the second time
    /// gets the answer [`Repeated`](crate::Answer::Repeated).
    pub fn command(mut self, id: CommandId) -> By {
        self.id = Some(id);
        self
    }

    /// The same with an id in any case.
    pub(super) fn with_id(self) -> By {
        By { id: Some(self.id.unwrap_or_else(CommandId::generate)), ..self }
    }
}

/// What a workflow begins with, computed before anything is recorded.
///
/// # Errors
///
/// If the inputs do not fit, or what is computed at the start has no value or is too large.
pub(super) fn creation(
    definition: &Definition,
    start: &Start,
    workflow: WorkflowId,
    now: Timestamp,
) -> Result<Creation, Error> {
    let beginning = Beginning {
        inputs: start.inputs.clone(),
        trigger: start.trigger.record(),
        trigger_value: start.trigger.value(),
        origin: start.origin.clone().unwrap_or_else(|| "library".to_owned()),
        workdir: workdir(start)?,
        priority: start.priority,
        parent: None,
    };
    begin(definition, workflow, now, beginning).map_err(|error| match error {
        BeginError::Inputs { source } => Error::Inputs(source),
        BeginError::Template { what, source } => Error::Start { message: format!("{what}: {}", describe(&source)) },
        error @ BeginError::TooLarge { .. } => Error::Start { message: error.to_string() },
    })
}

/// The directory that relative directories of tasks start from, absolute.
///
/// # Errors
///
/// If it is relative and nobody knows to what, or its name is not UTF-8.
pub(super) fn workdir(start: &Start) -> Result<String, Error> {
    let given = start.workdir.clone().unwrap_or_else(|| PathBuf::from("."));
    let io = |source| Error::Io { operation: "find the working directory", path: given.clone(), source };
    let absolute = std::path::absolute(&given).map_err(io)?;
    absolute
        .to_str()
        .map(str::to_owned)
        .ok_or_else(|| io(std::io::Error::new(std::io::ErrorKind::InvalidData, "its name is not UTF-8")))
}
