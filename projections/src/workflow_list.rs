//! All workflows of a log with their status: what a list of them shows.

use std::collections::{BTreeMap, HashMap};

use stabilize::{Envelope, Filter, Position, WorkflowId, WorkflowSummary};

use crate::projection::Projection;

/// All workflows, in the order in which they were created.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkflowList {
    workflows: BTreeMap<Position, WorkflowSummary>,
    created: HashMap<WorkflowId, Position>,
}

impl WorkflowList {
    /// No workflows yet.
    pub fn new() -> WorkflowList {
        WorkflowList::default()
    }

    /// The workflows that fit, newest first.
    pub fn newest_first<'a>(&'a self, filter: &'a Filter) -> impl Iterator<Item = &'a WorkflowSummary> {
        self.workflows.values().rev().filter(|workflow| filter.matches(workflow))
    }

    /// The workflow with this id.
    pub fn get(&self, workflow: WorkflowId) -> Option<&WorkflowSummary> {
        self.workflows.get(self.created.get(&workflow)?)
    }

    /// How many workflows there are.
    pub fn len(&self) -> usize {
        self.workflows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.workflows.is_empty()
    }
}

impl Projection for WorkflowList {
    fn name(&self) -> &str {
        "workflow_list"
    }

    fn apply(&mut self, envelope: &Envelope) {
        // What belongs to no workflow, as the registration of a definition, is in no list.
        let Some(workflow) = envelope.workflow() else { return };
        if let Some(summary) = self.created.get(&workflow).and_then(|created| self.workflows.get_mut(created)) {
            summary.apply(envelope);
        } else if let Some(summary) = WorkflowSummary::begin(envelope) {
            self.created.insert(workflow, envelope.position());
            self.workflows.insert(envelope.position(), summary);
        }
    }

    fn reset(&mut self) {
        *self = WorkflowList::default();
    }
}
