//! When a workflow or stage starts, and how long it may take, as its author wrote it. Plain data.

use crate::time::{Duration, Timestamp};

/// The times of a workflow or stage; what is not written does not limit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// It does not start before this moment.
    pub(crate) scheduled_time: Option<Timestamp>,
    /// If it has not started by this moment it never does.
    pub(crate) start_time_expiry: Option<Timestamp>,
    /// Limit from its start to its end, pauses excluded; never zero.
    pub(crate) deadline: Option<Duration>,
}

impl Times {
    /// Nothing is written.
    pub(crate) const NONE: Times = Times { scheduled_time: None, start_time_expiry: None, deadline: None };

    /// Can they hold back or end a start?
    pub(crate) fn guard_the_start(&self) -> bool {
        self.scheduled_time.is_some() || self.start_time_expiry.is_some()
    }
}
