//! The signal that woke a task, as the task sees it.

use serde::de::DeserializeOwned;

use crate::value::{Value, ValueError};

/// A signal that was sent to the work at which a task is.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedSignal {
    pub(crate) name: String,
    pub(crate) data: Value,
    pub(crate) actor: String,
}

impl ReceivedSignal {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What came with it; null if nothing did.
    pub fn value(&self) -> &Value {
        &self.data
    }

    /// What came with it, as a value of this type.
    ///
    /// # Errors
    ///
    /// Data that is not of this type.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, ValueError> {
        self.data.deserialize()
    }

    /// Who sent it, as claimed.
    pub fn actor(&self) -> &str {
        &self.actor
    }
}
