//! Which events somebody wants to be told of.

use crate::event::{Envelope, Event};
use crate::ids::WorkflowId;

/// Which events are wanted: those that fit everything that is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    types: Vec<String>,
    workflows: Vec<WorkflowId>,
    stages: Vec<String>,
}

impl EventFilter {
    /// All events, those of definitions among them.
    pub fn all() -> EventFilter {
        EventFilter::default()
    }

    /// Those with one of these names: `task.completed`, .. Asked several times, the names add up.
    pub fn types<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> EventFilter {
        self.types.extend(names.into_iter().map(Into::into));
        self
    }

    /// Those of this workflow; asked several times, those of one of them.
    pub fn workflow(mut self, workflow: WorkflowId) -> EventFilter {
        self.workflows.push(workflow);
        self
    }

    /// Those about the stage with this ref id, its tasks included; asked several times, those about one of them.
    pub fn stage(mut self, ref_id: impl Into<String>) -> EventFilter {
        self.stages.push(ref_id.into());
        self
    }

    /// Whether the event fits.
    pub fn matches(&self, event: &Envelope) -> bool {
        (self.types.is_empty() || self.types.iter().any(|name| name == event.name()))
            && (self.workflows.is_empty() || event.workflow().is_some_and(|of| self.workflows.contains(&of)))
            && (self.stages.is_empty() || event.stage().is_some_and(|of| self.stages.iter().any(|stage| stage == of)))
    }

    /// A name that is asked for and that no event has.
    pub(crate) fn unknown_type(&self) -> Option<&str> {
        self.types.iter().map(String::as_str).find(|name| !Event::NAMES.contains(name))
    }
}
