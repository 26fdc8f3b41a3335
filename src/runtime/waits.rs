//! Asking an engine why a workflow has not moved on.

use crate::ids::WorkflowId;
use crate::machine::Wait;
use crate::replay;

use super::engine::Engine;
use super::error::Error;

impl Engine {
    /// Why a workflow has not moved on, as far as is durable: everything in it that waits. Empty exactly if it has
    /// closed.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such workflow; if the log cannot be read.
    pub fn why(&self, workflow: WorkflowId) -> Result<Vec<Wait>, Error> {
        self.history().why(workflow).map_err(|error| match error {
            replay::Error::NotFound { workflow } => Error::NotFound { workflow },
            other => Error::Replay(other),
        })
    }
}
