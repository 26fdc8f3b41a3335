//! An event with its metadata: where it stands, when it was recorded, who and what caused it.

use crate::definition::Definition;
use crate::ids::{Position, Sequence, StreamId, WorkflowId};
use crate::time::Timestamp;

use super::{Actor, Event};

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

/// An event of a workflow with everything a reader may ask of it.
#[derive(Clone, Debug)]
pub struct Envelope {
    pub(crate) recorded: Recorded,
    /// Position of the input of its batch.
    pub(crate) causation: Position,
    /// Actor of that input.
    pub(crate) actor: Actor,
    /// The definition its indices speak of.
    pub(crate) definition: Definition,
}

impl Envelope {
    /// Place in the whole log, from 1, without gaps.
    pub fn position(&self) -> Position {
        self.recorded.position
    }

    /// Place in the history of the workflow, from 1, without gaps.
    pub fn sequence(&self) -> Sequence {
        self.recorded.sequence
    }

    /// The workflow.
    pub fn workflow(&self) -> Option<WorkflowId> {
        self.recorded.stream.as_workflow()
    }

    /// `entity.verb`: `task.completed`.
    pub fn name(&self) -> &'static str {
        self.recorded.event.name()
    }

    /// When it was recorded.
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

    /// Who sent the command that caused it, as claimed.
    pub fn actor(&self) -> String {
        self.actor.to_string()
    }

    /// Position of the input of its batch: its own, for an input.
    pub fn causation(&self) -> Position {
        self.causation
    }

    /// The fact itself.
    pub fn event(&self) -> &Event {
        &self.recorded.event
    }
}
