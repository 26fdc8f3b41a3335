//! The status algebra: what people are told a workflow, a stage or a task is doing, and which changes are legal.
//!
//! One table for the three of them. A status is derived for people; the machine branches on the marking only.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a workflow, a stage or a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Nothing has happened yet.
    NotStarted,
    /// Work is under way.
    Running,
    /// Held by a person; nothing new begins.
    Paused,
    /// Waits for a signal.
    Suspended,
    /// Waits for a place in a limited group.
    Buffered,
    /// Has sent control elsewhere and will be entered again.
    Redirect,
    /// Ended well.
    Succeeded,
    /// Failed, and what follows goes on all the same.
    FailedContinue,
    /// Passed by.
    Skipped,
    /// Failed, and what surrounds it with it.
    Terminal,
    /// Ended by a request.
    Canceled,
    /// Ended its branch; other branches go on.
    Stopped,
}

/// A change of status that the table does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{entity} {id} can not go from {from} to {to}")]
pub struct InvalidTransition {
    /// The status it has.
    pub from: Status,
    /// The status it should not get.
    pub to: Status,
    /// What it is: `workflow`, `stage` or `task`.
    pub entity: String,
    /// Which one it is.
    pub id: String,
}

impl Status {
    /// All statuses, in the order of the type.
    pub const ALL: [Status; 12] = [
        Status::NotStarted,
        Status::Running,
        Status::Paused,
        Status::Suspended,
        Status::Buffered,
        Status::Redirect,
        Status::Succeeded,
        Status::FailedContinue,
        Status::Skipped,
        Status::Terminal,
        Status::Canceled,
        Status::Stopped,
    ];

    /// The name as it stands in events and machine-readable output: `FAILED_CONTINUE`.
    pub fn name(self) -> &'static str {
        match self {
            Status::NotStarted => "NOT_STARTED",
            Status::Running => "RUNNING",
            Status::Paused => "PAUSED",
            Status::Suspended => "SUSPENDED",
            Status::Buffered => "BUFFERED",
            Status::Redirect => "REDIRECT",
            Status::Succeeded => "SUCCEEDED",
            Status::FailedContinue => "FAILED_CONTINUE",
            Status::Skipped => "SKIPPED",
            Status::Terminal => "TERMINAL",
            Status::Canceled => "CANCELED",
            Status::Stopped => "STOPPED",
        }
    }

    /// Work is over, whatever way.
    pub fn is_complete(self) -> bool {
        match self {
            Status::Succeeded
            | Status::FailedContinue
            | Status::Skipped
            | Status::Terminal
            | Status::Canceled
            | Status::Stopped => true,
            Status::NotStarted
            | Status::Running
            | Status::Paused
            | Status::Suspended
            | Status::Buffered
            | Status::Redirect => false,
        }
    }

    /// Over, and nothing downstream runs because of it.
    pub fn is_halt(self) -> bool {
        matches!(self, Status::Terminal | Status::Canceled | Status::Stopped)
    }

    /// Over, and well.
    pub fn is_successful(self) -> bool {
        matches!(self, Status::Succeeded | Status::Skipped)
    }

    /// Over by a failure. Being canceled is not a failure.
    pub fn is_failure(self) -> bool {
        matches!(self, Status::FailedContinue | Status::Terminal | Status::Stopped)
    }

    /// Passed by.
    pub fn is_skipped(self) -> bool {
        self == Status::Skipped
    }

    /// Control may go on to what follows.
    pub fn is_continuable(self) -> bool {
        matches!(self, Status::Redirect | Status::Succeeded | Status::Skipped | Status::FailedContinue)
    }

    /// Not over, and neither waiting for a place in a group nor sent elsewhere.
    pub fn is_active(self) -> bool {
        matches!(self, Status::NotStarted | Status::Running | Status::Paused | Status::Suspended)
    }

    /// In the middle of work.
    pub fn is_dirty(self) -> bool {
        matches!(self, Status::Running | Status::Redirect)
    }

    /// May a thing of this status get the status `to`? Staying the same is always legal.
    pub fn can_transition(self, to: Status) -> bool {
        self == to || self.successors().contains(&to)
    }

    /// Checks a change of status.
    ///
    /// # Errors
    ///
    /// If the table does not allow it; the error names `entity` and `id`.
    pub fn validate_transition(self, to: Status, entity: &str, id: &str) -> Result<(), InvalidTransition> {
        if self.can_transition(to) {
            return Ok(());
        }
        Err(InvalidTransition { from: self, to, entity: entity.to_owned(), id: id.to_owned() })
    }

    /// The row of the table: what may come next, itself left out.
    fn successors(self) -> &'static [Status] {
        match self {
            Status::NotStarted => {
                &[Status::Running, Status::Canceled, Status::Skipped, Status::Buffered, Status::Terminal]
            }
            Status::Buffered => &[Status::NotStarted, Status::Running, Status::Canceled, Status::Skipped],
            Status::Running => &[
                Status::Succeeded,
                Status::FailedContinue,
                Status::Terminal,
                Status::Canceled,
                Status::Paused,
                Status::Stopped,
                Status::Suspended,
                Status::Redirect,
                Status::Skipped,
            ],
            Status::Paused | Status::Suspended => &[Status::Running, Status::Canceled, Status::Stopped],
            Status::Redirect => &[Status::Running, Status::Succeeded, Status::Canceled],
            Status::Succeeded
            | Status::FailedContinue
            | Status::Skipped
            | Status::Terminal
            | Status::Canceled
            | Status::Stopped => &[],
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that is no status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a status")]
pub struct InvalidStatus {
    text: String,
}

/// Reads the name in any case.
impl FromStr for Status {
    type Err = InvalidStatus;

    fn from_str(text: &str) -> Result<Status, InvalidStatus> {
        Status::ALL
            .into_iter()
            .find(|status| status.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| InvalidStatus { text: text.chars().take(64).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::Status::*;
    use super::*;

    /// The flags as documented for people: complete, halt, successful, failure, continuable, active, dirty.
    const FLAGS: [(Status, [u8; 7]); 12] = [
        (NotStarted, [0, 0, 0, 0, 0, 1, 0]),
        (Running, [0, 0, 0, 0, 0, 1, 1]),
        (Paused, [0, 0, 0, 0, 0, 1, 0]),
        (Suspended, [0, 0, 0, 0, 0, 1, 0]),
        (Buffered, [0, 0, 0, 0, 0, 0, 0]),
        (Redirect, [0, 0, 0, 0, 1, 0, 1]),
        (Succeeded, [1, 0, 1, 0, 1, 0, 0]),
        (Skipped, [1, 0, 1, 0, 1, 0, 0]),
        (FailedContinue, [1, 0, 0, 1, 1, 0, 0]),
        (Terminal, [1, 1, 0, 1, 0, 0, 0]),
        (Stopped, [1, 1, 0, 1, 0, 0, 0]),
        (Canceled, [1, 1, 0, 0, 0, 0, 0]),
    ];

    #[test]
    fn every_status_has_the_flags_of_its_row() {
        for (status, row) in FLAGS {
            let flags = [
                status.is_complete(),
                status.is_halt(),
                status.is_successful(),
                status.is_failure(),
                status.is_continuable(),
                status.is_active(),
                status.is_dirty(),
            ];
            assert_eq!(flags.map(u8::from), row, "{status}");
            assert_eq!(status.is_skipped(), status == Skipped);
        }
    }

    /// The legal changes, one row a status.
    const LEGAL: [(Status, &[Status]); 12] = [
        (NotStarted, &[Running, Canceled, Skipped, Buffered, Terminal]),
        (Buffered, &[NotStarted, Running, Canceled, Skipped]),
        (Running, &[Succeeded, FailedContinue, Terminal, Canceled, Paused, Stopped, Suspended, Redirect, Skipped]),
        (Paused, &[Running, Canceled, Stopped]),
        (Suspended, &[Running, Canceled, Stopped]),
        (Redirect, &[Running, Succeeded, Canceled]),
        (Succeeded, &[]),
        (FailedContinue, &[]),
        (Terminal, &[]),
        (Canceled, &[]),
        (Stopped, &[]),
        (Skipped, &[]),
    ];

    #[test]
    fn every_change_is_legal_exactly_where_its_row_says_so() {
        for (from, row) in LEGAL {
            for to in Status::ALL {
                let legal = from == to || row.contains(&to);
                assert_eq!(from.can_transition(to), legal, "{from} to {to}");
                assert_eq!(from.validate_transition(to, "stage", "a#1").is_ok(), legal);
            }
        }
    }

    #[test]
    fn an_illegal_change_names_what_should_not_change() {
        let refused = Succeeded.validate_transition(Running, "stage", "build#1").unwrap_err();
        assert_eq!(refused.to_string(), "stage build#1 can not go from SUCCEEDED to RUNNING");
    }

    #[test]
    fn names_are_read_in_any_case() {
        for status in Status::ALL {
            assert_eq!(status.name().to_ascii_lowercase().parse(), Ok(status));
        }
        assert!("DONE".parse::<Status>().is_err());
    }
}
