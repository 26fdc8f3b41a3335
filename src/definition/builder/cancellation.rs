//! Cancellation from code.

use crate::time::Duration;
use crate::value::Value;

/// What a stage cancels when it has succeeded.
#[derive(Clone, Debug)]
#[must_use]
pub struct Cancel(Value);

impl Cancel {
    /// Whatever lives of this stage.
    pub fn stage(ref_id: impl Into<String>) -> Cancel {
        Cancel(Value::map([("stage", ref_id.into())]))
    }

    /// What there is of this region.
    pub fn region(name: impl Into<String>) -> Cancel {
        Cancel(Value::map([("region", name.into())]))
    }

    /// The instances of this stage that have not ended, and the stage with them.
    pub fn instances(ref_id: impl Into<String>) -> Cancel {
        Cancel(Value::map([("mi", ref_id.into())]))
    }

    /// The instances of this stage that have not ended: control goes on from it without them.
    pub fn completing(ref_id: impl Into<String>) -> Cancel {
        Cancel(Value::map([("complete_mi", ref_id.into())]))
    }

    /// The workflow.
    pub fn workflow() -> Cancel {
        Cancel(Value::map([("workflow", true)]))
    }

    pub(super) fn into_value(self) -> Value {
        self.0
    }
}

/// What ends a stage from outside while it lives.
#[derive(Clone, Debug)]
#[must_use]
pub struct CancelOn(Value);

impl CancelOn {
    /// It has lived this long.
    pub fn timer(length: impl Into<Duration>) -> CancelOn {
        CancelOn(Value::map([("timer", length.into().to_string())]))
    }

    /// This stage has succeeded.
    pub fn completed(ref_id: impl Into<String>) -> CancelOn {
        CancelOn(Value::map([("completed", ref_id.into())]))
    }

    /// A signal of this name has come. It ends all that lives of the stage in its scope, unless it is for one
    /// activation of it; one that comes while nothing lives is not remembered.
    pub fn signal(name: impl Into<String>) -> CancelOn {
        CancelOn(Value::map([("signal", name.into())]))
    }

    pub(super) fn into_value(self) -> Value {
        self.0
    }
}
