//! What a stage waits for besides its join: a signal or a length of time, as its author wrote it. Plain data.

use crate::expression::Expression;
use crate::time::Duration;

/// What has to come before a stage starts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Trigger {
    /// A signal from outside.
    Signal(SignalTrigger),
    /// So much time, counted from the moment at which the gate before it is passed; never none.
    Timer(Duration),
}

/// The signal that a stage waits for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SignalTrigger {
    /// Its name.
    pub(crate) signal: String,
    /// Whether one that comes before the stage waits for it is kept.
    pub(crate) durability: Durability,
    /// `correlate:`; only a signal for which it holds is taken.
    pub(crate) correlate: Option<Expression>,
    /// What it does.
    pub(crate) role: TriggerRole,
    /// So many signals that the stage could take are kept at most; the workflow's limit if not written.
    pub(crate) max_buffered: Option<u32>,
}

/// What a signal does at a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TriggerRole {
    /// It lets an activation go on that waits for it.
    Gate,
    /// Each one begins a thread of its own: the stage needs no other.
    Start {
        /// Does the workflow go on until the trigger is closed?
        required: bool,
    },
}

/// What becomes of a signal that nobody waits for when it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// What its sender says.
    Sender,
    /// It is lost, whatever its sender says.
    Transient,
    /// It is kept, whatever its sender says.
    Persistent,
}

impl Durability {
    /// Every durability there is.
    pub(super) const ALL: [Durability; 3] = [Durability::Sender, Durability::Transient, Durability::Persistent];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            Durability::Sender => "sender",
            Durability::Transient => "transient",
            Durability::Persistent => "persistent",
        }
    }
}

impl Trigger {
    /// The signal it waits for, if it is one.
    pub(crate) fn signal(&self) -> Option<&SignalTrigger> {
        match self {
            Trigger::Signal(signal) => Some(signal),
            Trigger::Timer(_) => None,
        }
    }

    /// Does each signal begin a thread of its own?
    pub(crate) fn starts(&self) -> bool {
        self.signal().is_some_and(|signal| signal.role != TriggerRole::Gate)
    }
}
