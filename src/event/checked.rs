//! What checking a definition had found when it was registered. Who checks it, and how, is not known here.

use serde::{Deserialize, Serialize};

use crate::definition::Soundness;

/// The answer of a check in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CheckOutcome {
    /// Every course can end, with nothing left behind.
    Sound,
    /// Some course cannot, or does not end as it should.
    Unsound,
    /// Nothing wrong was found, and not everything was looked at.
    Unknown,
}

impl CheckOutcome {
    /// The word for it: `SOUND`, `UNSOUND`, `UNKNOWN`.
    pub fn name(self) -> &'static str {
        match self {
            CheckOutcome::Sound => "SOUND",
            CheckOutcome::Unsound => "UNSOUND",
            CheckOutcome::Unknown => "UNKNOWN",
        }
    }
}

/// What checking a definition had found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRecord {
    /// How strictly the definition wants the answer to be taken.
    pub policy: Soundness,
    /// The answer.
    pub outcome: CheckOutcome,
    /// States that were looked at.
    pub states: u64,
    /// Tokens on an arc, or activations of a stage at a time, that were told apart.
    pub bound: u32,
}
