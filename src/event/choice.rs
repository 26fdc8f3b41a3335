//! What is recorded of choices that are made from outside.

use serde::{Deserialize, Serialize};

use crate::ids::ActivationId;

/// A request that an alternative of a deferred choice starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRequest {
    /// The alternative.
    pub activation: ActivationId,
    /// Why, in words.
    pub reason: Option<String>,
}
