//! What is asked over a control socket: one JSON object a line, with the version and a verb.
//!
//! Values and text only; knows no socket and no engine. A further verb is an arm of [`ControlRequest`].

use std::path::PathBuf;

use serde::Deserialize;

use crate::definition::Definition;
use crate::ids::{InvalidId, WorkflowId};
use crate::runtime::error::describe;
use crate::runtime::start::{Start, Trigger};
use crate::value::{Map, Value, ValueError};

use super::claim::Claiming;
use super::instances::Counting;
use super::people::{Answering, Asking, Completing};
use super::signal::{Closing, Signaling};

/// The only version of the protocol there is.
pub(super) const VERSION: u32 = 1;

/// What another process asks of the engine that holds the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ControlRequest {
    /// Who it is.
    Ping,
    /// To keep this connection open until the engine ends. Nothing more is said on it.
    Stay,
    /// To drive this workflow from now on.
    Drive(WorkflowId),
    /// Whether it drives this workflow.
    Drives(WorkflowId),
    /// To begin a workflow; its id is in the start.
    Start(Box<Beginning>),
    /// To end a workflow.
    Cancel(Asking),
    /// To end it, and what it does at its end.
    ForceCancel(Asking),
    /// To end work that is done by hand.
    Complete(Box<Completing>),
    /// To approve something.
    Approve(Box<Answering>),
    /// To reject something.
    Reject(Box<Answering>),
    /// That nothing new begins in a workflow.
    Pause(Asking),
    /// That it goes on.
    Resume(Asking),
    /// To take a signal.
    Signal(Box<Signaling>),
    /// To close a trigger.
    CloseTrigger(Box<Closing>),
    /// To choose an alternative.
    Claim(Box<Claiming>),
    /// Something of the instances of a stage.
    Instances(Box<Counting>),
}

/// What a workflow begins with, as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Beginning {
    /// Under which id; sent again, it has no second effect.
    pub(super) workflow: WorkflowId,
    /// What it follows.
    pub(super) definition: DefinitionText,
    /// The rest. Its working directory is absolute.
    pub(super) start: Start,
}

/// A definition on its way to another process.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DefinitionText {
    format: DefinitionFormat,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DefinitionFormat {
    Yaml,
    Json,
    /// The normal form, of a definition that nobody wrote as text.
    Normal,
}

/// Why a line is no request.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    #[error("the request is not UTF-8 from byte {valid} on")]
    NotText { valid: usize },
    #[error("the request is no JSON")]
    NotJson {
        #[source]
        source: ValueError,
    },
    #[error("the request is {found}, not a JSON object")]
    NoObject { found: &'static str },
    #[error("this engine speaks version {VERSION} of the control protocol, not {found}")]
    OtherVersion { found: String },
    #[error("this engine knows no verb {verb:?}")]
    UnknownVerb { verb: String },
    #[error("the request {verb:?} does not have the fields it must have")]
    Unfit {
        verb: String,
        #[source]
        source: ValueError,
    },
    #[error("the request {verb:?} is not complete")]
    InvalidId {
        verb: String,
        #[source]
        source: InvalidId,
    },
    #[error("the working directory of a request is absolute, not {workdir:?}")]
    RelativeWorkdir { workdir: String },
}

impl RequestError {
    /// Can what follows on the connection still be read as requests?
    pub(super) fn is_in_step(&self) -> bool {
        !matches!(self, RequestError::NotText { .. } | RequestError::NotJson { .. } | RequestError::NoObject { .. })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkflowFields {
    workflow: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StartFields {
    workflow: String,
    definition: DefinitionFields,
    #[serde(default)]
    inputs: Map,
    trigger: Option<TriggerFields>,
    origin: Option<String>,
    actor: Option<String>,
    priority: Option<u8>,
    workdir: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DefinitionFields {
    format: DefinitionFormat,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TriggerFields {
    #[serde(rename = "type")]
    trigger_type: String,
    user: String,
    #[serde(default)]
    parameters: Map,
    #[serde(default)]
    artifacts: Vec<Value>,
    #[serde(default)]
    payload: Map,
}

impl ControlRequest {
    /// The request that a line, without its end, stands for.
    ///
    /// # Errors
    ///
    /// What keeps it from being one.
    pub(super) fn read(line: &[u8]) -> Result<ControlRequest, RequestError> {
        let text = std::str::from_utf8(line).map_err(|error| RequestError::NotText { valid: error.valid_up_to() })?;
        let value = Value::from_json(text).map_err(|source| RequestError::NotJson { source })?;
        let found = value.kind();
        let Value::Map(mut fields) = value else { return Err(RequestError::NoObject { found }) };
        let version = fields.remove("version").unwrap_or(Value::Null);
        if version != Value::from(VERSION) {
            return Err(RequestError::OtherVersion { found: shortened(&version) });
        }
        let verb = fields.remove("verb").unwrap_or(Value::Null);
        ControlRequest::of_verb(verb.as_str().unwrap_or_default(), &Value::Map(fields))
            .unwrap_or_else(|| Err(RequestError::UnknownVerb { verb: shortened(&verb) }))
    }

    /// A line that is a request is one that its own line stands for, too.
    ///
    /// # Panics
    ///
    /// If that is another one.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn check_line(line: &[u8]) {
        let Ok(request) = ControlRequest::read(line) else { return };
        let again = request.line();
        let again = ControlRequest::read(again.trim_end_matches('\n').as_bytes());
        assert_eq!(again.ok(), Some(request), "a request is not what it is written as");
    }

    /// `None` if there is no such verb.
    fn of_verb(verb: &str, fields: &Value) -> Option<Result<ControlRequest, RequestError>> {
        Some(match verb {
            "ping" => body(verb, fields).map(|NoFields {}| ControlRequest::Ping),
            "stay" => body(verb, fields).map(|NoFields {}| ControlRequest::Stay),
            "drive" => of_workflow(verb, fields).map(ControlRequest::Drive),
            "drives" => of_workflow(verb, fields).map(ControlRequest::Drives),
            "start" => body(verb, fields).and_then(|fields: StartFields| fields.request(verb)),
            "cancel" => Asking::read(verb, fields).map(ControlRequest::Cancel),
            "force_cancel" => Asking::read(verb, fields).map(ControlRequest::ForceCancel),
            "approve" => Answering::read(verb, fields).map(ControlRequest::Approve),
            "reject" => Answering::read(verb, fields).map(ControlRequest::Reject),
            "pause" => Asking::read(verb, fields).map(ControlRequest::Pause),
            "resume" => Asking::read(verb, fields).map(ControlRequest::Resume),
            "complete" => Completing::read(verb, fields),
            "signal" => Signaling::read(verb, fields),
            "close_trigger" => Closing::read(verb, fields),
            "claim" => Claiming::read(verb, fields),
            "add_instances" | "close_instances" | "complete_instances" => Counting::read(verb, fields),
            _ => return None,
        })
    }

    /// The line that stands for the request, with its end.
    pub(super) fn line(&self) -> String {
        let (verb, fields) = match self {
            ControlRequest::Ping => ("ping", Map::new()),
            ControlRequest::Stay => ("stay", Map::new()),
            ControlRequest::Drive(workflow) => ("drive", map([("workflow", workflow.to_string().into())])),
            ControlRequest::Drives(workflow) => ("drives", map([("workflow", workflow.to_string().into())])),
            ControlRequest::Start(beginning) => ("start", beginning.fields()),
            ControlRequest::Cancel(asking) => ("cancel", asking.fields()),
            ControlRequest::ForceCancel(asking) => ("force_cancel", asking.fields()),
            ControlRequest::Complete(completing) => ("complete", completing.fields()),
            ControlRequest::Approve(answering) => ("approve", answering.fields()),
            ControlRequest::Reject(answering) => ("reject", answering.fields()),
            ControlRequest::Pause(asking) => ("pause", asking.fields()),
            ControlRequest::Resume(asking) => ("resume", asking.fields()),
            ControlRequest::Signal(signaling) => ("signal", signaling.fields()),
            ControlRequest::CloseTrigger(closing) => ("close_trigger", closing.fields()),
            ControlRequest::Claim(claiming) => ("claim", claiming.fields()),
            ControlRequest::Instances(counting) => (counting.verb(), counting.fields()),
        };
        line([("verb", verb.into())], fields)
    }
}

pub(super) fn body<'f, T: Deserialize<'f>>(verb: &str, fields: &'f Value) -> Result<T, RequestError> {
    fields.deserialize().map_err(|source| RequestError::Unfit { verb: verb.to_owned(), source })
}

/// The workflow that a request is about, and nothing else.
fn of_workflow(verb: &str, fields: &Value) -> Result<WorkflowId, RequestError> {
    let WorkflowFields { workflow } = body(verb, fields)?;
    id(verb, &workflow)
}

pub(super) fn id<T: std::str::FromStr<Err = InvalidId>>(verb: &str, text: &str) -> Result<T, RequestError> {
    text.parse().map_err(|source| RequestError::InvalidId { verb: verb.to_owned(), source })
}

/// A value that somebody sent, as far as it is worth repeating.
fn shortened(value: &Value) -> String {
    const SHOWN: usize = 64;
    value.as_str().map_or_else(|| value.to_json(), str::to_owned).chars().take(SHOWN).collect()
}

pub(super) fn map<const N: usize>(fields: [(&str, Value); N]) -> Map {
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}

/// A line with the version, these fields, and more of them.
pub(super) fn line<const N: usize>(first: [(&str, Value); N], fields: Map) -> String {
    let mut whole = map(first);
    whole.extend(fields);
    whole.insert("version".to_owned(), VERSION.into());
    // Canonical JSON has no line ends.
    format!("{}\n", Value::Map(whole).to_json())
}

impl StartFields {
    fn request(self, verb: &str) -> Result<ControlRequest, RequestError> {
        let workflow = id(verb, &self.workflow)?;
        // Relative to what would be this process's business, and the one that asks is another.
        let workdir = PathBuf::from(&self.workdir);
        if !workdir.is_absolute() {
            return Err(RequestError::RelativeWorkdir { workdir: self.workdir.chars().take(64).collect() });
        }
        let trigger = self.trigger.map_or_else(Trigger::new, |fields| Trigger {
            trigger_type: fields.trigger_type,
            user: fields.user,
            parameters: fields.parameters,
            artifacts: fields.artifacts,
            payload: fields.payload,
        });
        let start = Start {
            id: Some(workflow),
            inputs: self.inputs,
            trigger,
            origin: self.origin,
            actor: self.actor,
            priority: self.priority,
            workdir: Some(workdir),
        };
        let definition = DefinitionText { format: self.definition.format, text: self.definition.text };
        Ok(ControlRequest::Start(Box::new(Beginning { workflow, definition, start })))
    }
}

impl Beginning {
    fn fields(&self) -> Map {
        let Start { inputs, trigger, origin, actor, priority, workdir, .. } = &self.start;
        let format = match self.definition.format {
            DefinitionFormat::Yaml => "yaml",
            DefinitionFormat::Json => "json",
            DefinitionFormat::Normal => "normal",
        };
        let definition = [("format", format.into()), ("text", self.definition.text.as_str().into())];
        let trigger = [
            ("type", trigger.trigger_type.as_str().into()),
            ("user", trigger.user.as_str().into()),
            ("parameters", Value::Map(trigger.parameters.clone())),
            ("artifacts", Value::List(trigger.artifacts.clone())),
            ("payload", Value::Map(trigger.payload.clone())),
        ];
        map([
            ("workflow", self.workflow.to_string().into()),
            ("definition", Value::Map(map(definition))),
            ("inputs", Value::Map(inputs.clone())),
            ("trigger", Value::Map(map(trigger))),
            ("origin", origin.clone().into()),
            ("actor", actor.clone().into()),
            ("priority", priority.map(u32::from).into()),
            ("workdir", workdir.as_ref().and_then(|path| path.to_str()).into()),
        ])
    }
}

impl DefinitionText {
    /// The text by which another process has the same definition.
    pub(super) fn of(definition: &Definition) -> DefinitionText {
        let source = definition.source();
        let is_same = |read: &Definition| read.hash() == definition.hash();
        // All JSON looks like YAML; only trying tells which of the two was meant.
        let begins_as_json = source.trim_start().starts_with('{');
        let format = if source.is_empty() {
            return DefinitionText { format: DefinitionFormat::Normal, text: definition.to_json() };
        } else if begins_as_json && Definition::from_json(source).as_ref().is_ok_and(is_same) {
            DefinitionFormat::Json
        } else {
            DefinitionFormat::Yaml
        };
        DefinitionText { format, text: source.to_owned() }
    }

    /// The definition, checked as if it came from a file.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, in words.
    pub(super) fn definition(&self) -> Result<Definition, String> {
        match self.format {
            DefinitionFormat::Yaml => Definition::from_yaml(&self.text).map_err(|problems| problems.to_string()),
            DefinitionFormat::Json => Definition::from_json(&self.text).map_err(|problems| problems.to_string()),
            DefinitionFormat::Normal => Definition::from_normal(&self.text).map_err(|error| describe(&error)),
        }
    }
}
