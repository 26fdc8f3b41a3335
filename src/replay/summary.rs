//! One line of a list of workflows, and what is looked for in such a list.

use crate::event::{Envelope, Event, Recorded};
use crate::ids::{DefinitionHash, Position, Sequence, WorkflowId};
use crate::status::Status;
use crate::time::Timestamp;

/// A workflow in a list: what can be told of it without its stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowSummary {
    id: WorkflowId,
    name: String,
    application: String,
    origin: String,
    definition: DefinitionHash,
    status: Status,
    is_paused: bool,
    created_at: Timestamp,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    created: Position,
    version: Sequence,
}

impl WorkflowSummary {
    /// The workflow that this event creates, if it creates one.
    pub fn begin(envelope: &Envelope) -> Option<WorkflowSummary> {
        WorkflowSummary::created_by(envelope.recorded())
    }

    fn pause(&mut self, event: &Event) {
        self.is_paused = matches!(event, Event::WorkflowPaused(..));
    }

    /// Takes in a later event of the workflow; events of others change nothing.
    pub fn apply(&mut self, envelope: &Envelope) {
        if envelope.workflow() == Some(self.id) {
            self.change(envelope.recorded());
        }
    }

    pub(super) fn created_by(recorded: &Recorded) -> Option<WorkflowSummary> {
        let Event::WorkflowCreated(_, creation) = &recorded.event else { return None };
        Some(WorkflowSummary {
            id: recorded.stream.as_workflow()?,
            name: creation.name.clone(),
            application: creation.application.clone(),
            origin: creation.origin.clone(),
            definition: creation.definition,
            status: Status::NotStarted,
            is_paused: false,
            created_at: recorded.recorded_at,
            start_time: None,
            end_time: None,
            created: recorded.position,
            version: recorded.sequence,
        })
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "what is no workflow.* changes nothing here but the place")]
    pub(super) fn change(&mut self, recorded: &Recorded) {
        self.version = recorded.sequence;
        match &recorded.event {
            Event::WorkflowStarted => {
                self.status = Status::Running;
                self.start_time = Some(recorded.recorded_at);
            }
            event @ (Event::WorkflowPaused(..) | Event::WorkflowResumed(..)) => self.pause(event),
            Event::WorkflowEnded { status, .. } => {
                self.status = *status;
                self.end_time = Some(recorded.recorded_at);
            }
            _ => (),
        }
    }

    /// Its id.
    pub fn id(&self) -> WorkflowId {
        self.id
    }

    /// Its name, as computed at the start.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What groups workflows; may be empty.
    pub fn application(&self) -> &str {
        &self.application
    }

    /// Where the request came from: `cli`, `library`, ..
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Hash of the definition it follows.
    pub fn definition(&self) -> DefinitionHash {
        self.definition
    }

    /// What it is doing, or how it ended.
    pub fn status(&self) -> Status {
        if self.is_paused && !self.status.is_complete() { Status::Paused } else { self.status }
    }

    /// When it was asked for.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it began to move.
    pub fn start_time(&self) -> Option<Timestamp> {
        self.start_time
    }

    /// When it ended.
    pub fn end_time(&self) -> Option<Timestamp> {
        self.end_time
    }

    /// Position of the event that created it: newer workflows have greater ones.
    pub fn created(&self) -> Position {
        self.created
    }

    /// Sequence of its newest event.
    pub fn version(&self) -> Sequence {
        self.version
    }
}

/// Which workflows are listed: those that fit everything that is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    statuses: Vec<Status>,
    application: Option<String>,
    name: Option<String>,
}

impl Filter {
    /// All workflows.
    pub fn new() -> Filter {
        Filter::default()
    }

    /// Those of this status; asked several times, those of one of them.
    pub fn status(mut self, status: Status) -> Filter {
        self.statuses.push(status);
        self
    }

    /// Those of this application.
    pub fn application(mut self, application: impl Into<String>) -> Filter {
        self.application = Some(application.into());
        self
    }

    /// Those of this name.
    pub fn name(mut self, name: impl Into<String>) -> Filter {
        self.name = Some(name.into());
        self
    }

    /// Whether the workflow fits.
    pub fn matches(&self, workflow: &WorkflowSummary) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&workflow.status()))
            && self.application.as_ref().is_none_or(|application| *application == workflow.application)
            && self.name.as_ref().is_none_or(|name| *name == workflow.name)
    }
}
