//! Who or what asked for a workflow, as people are told of it.

use crate::value::Value;

/// Who or what asked for a workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct TriggerView {
    pub(super) trigger_type: String,
    pub(super) user: String,
    pub(super) parameters: Value,
    pub(super) artifacts: Value,
    pub(super) payload: Value,
}

impl TriggerView {
    /// `manual`, `webhook`, `cron`, ..: a free word.
    pub fn trigger_type(&self) -> &str {
        &self.trigger_type
    }

    /// Who, as claimed.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Named values. A map.
    pub fn parameters(&self) -> &Value {
        &self.parameters
    }

    /// Artifacts. A list.
    pub fn artifacts(&self) -> &Value {
        &self.artifacts
    }

    /// Whatever came with the request. A map.
    pub fn payload(&self) -> &Value {
        &self.payload
    }
}
