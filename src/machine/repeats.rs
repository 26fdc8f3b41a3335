//! Which commands a workflow has accepted before, so that one that comes again acts once (R8).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::ids::{CommandId, Sequence};

/// The newest commands a workflow has accepted (R8).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    newest: VecDeque<(CommandId, Sequence)>,
    forgotten: Option<CommandId>,
}

/// What a workflow knows of a command id.
pub(super) enum Memory {
    Unknown,
    Accepted(Sequence),
    TooOld,
}

impl Remembered {
    /// Has this command been accepted?
    pub(super) fn recall(&self, id: CommandId) -> Memory {
        if let Some((_, sequence)) = self.newest.iter().find(|(known, _)| *known == id) {
            return Memory::Accepted(*sequence);
        }
        match self.forgotten {
            Some(forgotten) if id <= forgotten => Memory::TooOld,
            Some(_) | None => Memory::Unknown,
        }
    }

    /// The command was accepted; its input is the event at `sequence`. At most `most` commands are remembered.
    pub(super) fn remember(&mut self, id: CommandId, sequence: Sequence, most: u64) {
        self.newest.push_back((id, sequence));
        if self.newest.len() as u64 > most
            && let Some((oldest, _)) = self.newest.pop_front()
        {
            self.forgotten = self.forgotten.max(Some(oldest));
        }
    }
}
