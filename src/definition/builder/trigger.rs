//! What a stage waits for, from code: only what goes together can be written.

use super::fields::Fields;
use crate::definition::document::Node;
use crate::definition::trigger::Durability;
use crate::time::Duration;

/// What a stage waits for besides its join: a signal or a length of time.
///
/// ```
/// use stabilize::{Definition, Durability, Stage, StageTrigger};
///
/// let definition = Definition::builder("claim")
///     .stage(Stage::new("ask"))
///     .stage(
///         Stage::new("reply")
///             .needs(["ask"])
///             .trigger(StageTrigger::signal("reply").durability(Durability::Persistent)),
///     )
///     .stage(Stage::new("note").trigger(StageTrigger::start("note").optional()))
///     .build()?;
/// # Ok::<(), stabilize::Problems>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct StageTrigger {
    fields: Fields,
    max_buffered: Option<u32>,
}

/// A signal that lets an activation go on which waits for it.
#[derive(Clone, Debug)]
#[must_use]
pub struct SignalTrigger(StageTrigger);

/// A signal of which each one begins a thread of its own.
#[derive(Clone, Debug)]
#[must_use]
pub struct StartTrigger(StageTrigger);

impl StageTrigger {
    /// A signal of this name: it lets an activation go on that waits for it.
    pub fn signal(name: impl Into<String>) -> SignalTrigger {
        SignalTrigger(StageTrigger { fields: Fields::new().with("signal", name.into()), max_buffered: None })
    }

    /// So much time, from the moment at which the join has fired and the gates before are passed.
    pub fn timer(length: impl Into<Duration>) -> StageTrigger {
        StageTrigger { fields: Fields::new().with("timer", length.into().to_string()), max_buffered: None }
    }

    /// Signals of this name: each begins a thread at a stage that needs no other. The workflow goes on until the
    /// trigger is closed, unless it is [`optional`](StartTrigger::optional).
    pub fn start(name: impl Into<String>) -> StartTrigger {
        let fields = Fields::new().with("signal", name.into()).with("start", true);
        StartTrigger(StageTrigger { fields, max_buffered: None })
    }

    /// What stands under `trigger`, and under `max_buffered`.
    pub(super) fn into_parts(self) -> (Node, Option<u32>) {
        (self.fields.into_node(), self.max_buffered)
    }
}

macro_rules! by_signal {
    ($name:ident) => {
        impl $name {
            fn set(mut self, key: &str, value: impl Into<crate::value::Value>) -> $name {
                self.0.fields.set(key, value);
                self
            }

            /// What becomes of a signal that nobody waits for when it comes; [`Durability::Sender`] unless said
            /// otherwise.
            pub fn durability(self, durability: Durability) -> $name {
                self.set("durability", durability.name())
            }

            /// Only a signal for which this expression holds is taken; it sees `signal.name`, `.data` and `.actor`.
            pub fn correlate(self, condition: impl Into<String>) -> $name {
                self.set("correlate", condition.into())
            }

            /// So many signals that the stage could take are kept at most; more are refused to their senders.
            pub fn max_buffered(mut self, most: u32) -> $name {
                self.0.max_buffered = Some(most);
                self
            }
        }

        impl From<$name> for StageTrigger {
            fn from(trigger: $name) -> StageTrigger {
                trigger.0
            }
        }
    };
}

by_signal!(SignalTrigger);
by_signal!(StartTrigger);

impl StartTrigger {
    /// The workflow may end while the trigger is open.
    pub fn optional(self) -> StartTrigger {
        self.set("required", false)
    }
}
