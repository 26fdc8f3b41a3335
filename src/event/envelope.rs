//! An event with its metadata: where it stands, when it was recorded, who and what caused it.
//!
//! What the event says, as a value, is in `data`. Nothing here reads a log: envelopes are made by whoever reads one.

use std::sync::Arc;

use crate::definition::Definition;
use crate::ids::{CommandId, DefinitionHash, Position, Sequence, StreamId, WorkflowId};
use crate::time::Timestamp;

use super::{Actor, Event, Stamp};

/// An event and its place in the log, as a store gives it back.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Place in the whole log.
    pub position: Position,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Place in its stream.
    pub sequence: Sequence,
    /// When its batch was recorded; never before that of an earlier position.
    pub recorded_at: Timestamp,
    /// The fact.
    pub event: Event,
}

/// An event with everything a reader may ask of it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Envelope {
    recorded: Arc<Recorded>,
    /// The input of its batch; the event itself, if it is one.
    input: Arc<Recorded>,
    definition: Definition,
}

impl Envelope {
    /// The event `recorded` of the batch that began with `input`; its indices speak of `definition`.
    pub(crate) fn new(recorded: Arc<Recorded>, input: Arc<Recorded>, definition: Definition) -> Envelope {
        Envelope { recorded, input, definition }
    }

    /// Place in the whole log, from 1, without gaps.
    pub fn position(&self) -> Position {
        self.recorded.position
    }

    /// Place in its stream, from 1, without gaps.
    pub fn sequence(&self) -> Sequence {
        self.recorded.sequence
    }

    /// The stream it belongs to.
    pub fn stream(&self) -> StreamId {
        self.recorded.stream
    }

    /// The workflow; `None` for an event of another kind of stream.
    pub fn workflow(&self) -> Option<WorkflowId> {
        self.recorded.stream.as_workflow()
    }

    /// `entity.verb`: `task.completed`.
    pub fn name(&self) -> &'static str {
        self.recorded.event.name()
    }

    /// When it was recorded. Never before an event of an earlier position.
    pub fn at(&self) -> Timestamp {
        self.recorded.recorded_at
    }

    /// The ref id of the stage it is about.
    pub fn stage(&self) -> Option<&str> {
        let activation = self.recorded.event.activation()?;
        self.definition.graph().stages.get(activation.stage.index()).map(|stage| stage.ref_id.as_str())
    }

    /// The number of the activation it is about, from 1.
    pub fn activation(&self) -> Option<u32> {
        self.recorded.event.activation().map(|activation| activation.number)
    }

    /// The number of the instance of that activation it is about, from 0; `None` if it is about no instance.
    pub fn instance(&self) -> Option<u32> {
        self.recorded.event.activation()?.instance()
    }

    /// The name of the task it is about.
    pub fn task(&self) -> Option<&str> {
        let task = self.recorded.event.task()?;
        let stage = self.definition.graph().stages.get(task.activation.stage.index())?;
        stage.tasks.get(task.task.index()).map(|task| task.name.as_str())
    }

    /// The number of the attempt it is about, from 1.
    pub fn attempt(&self) -> Option<u32> {
        self.recorded.event.attempt().map(|attempt| attempt.dispatch)
    }

    /// Who sent the command that caused it, as claimed; `engine` is the engine itself.
    pub fn actor(&self) -> &str {
        match self.stamp().map(|stamp| &stamp.actor) {
            Some(Actor::Named(name)) => name,
            Some(Actor::Engine) | None => "engine",
        }
    }

    /// Position of the input of its batch: its own, for an input.
    pub fn causation(&self) -> Position {
        self.input.position
    }

    /// Id of the command that caused it; the engine's own commands have none.
    pub fn command(&self) -> Option<CommandId> {
        self.stamp()?.command
    }

    /// Number of the rules by which it was decided.
    pub fn rules(&self) -> Option<u32> {
        self.stamp().map(|stamp| stamp.rules)
    }

    /// Hash of the definition that the workflow follows; for an event of a definition's own stream, of that definition.
    pub fn definition(&self) -> DefinitionHash {
        self.definition.hash()
    }

    /// The fact itself.
    pub fn event(&self) -> &Event {
        &self.recorded.event
    }

    /// The event as it stands in the log.
    pub(crate) fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    /// The definition that the indices in the event speak of.
    pub(crate) fn speaks_of(&self) -> &Definition {
        &self.definition
    }

    /// The input of its batch.
    pub(crate) fn input(&self) -> &Event {
        &self.input.event
    }

    fn stamp(&self) -> Option<&Stamp> {
        self.input.event.stamp()
    }
}
