//! Numbers nobody guesses, drawn one after the other from a seed that was minted at the edge.

use crate::digest::Sha256;

use super::segment::LogId;

/// A source of numbers; equal seeds give equal numbers.
pub(super) struct Seed {
    bytes: [u8; 32],
    drawn: u64,
}

impl Seed {
    pub(super) fn new(bytes: [u8; 32]) -> Seed {
        Seed { bytes, drawn: 0 }
    }

    fn draw(&mut self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(&self.bytes);
        hasher.update(&self.drawn.to_le_bytes());
        self.drawn += 1;
        hasher.finish()
    }

    fn draw_first<const N: usize>(&mut self) -> [u8; N] {
        *self.draw().first_chunk().expect("a digest has 32 bytes")
    }

    /// A salt, or the distinct part of a name.
    pub(super) fn number(&mut self) -> u64 {
        u64::from_le_bytes(self.draw_first())
    }

    /// The identity of a new log.
    pub(super) fn log_id(&mut self) -> LogId {
        LogId::from_bytes(self.draw_first())
    }

    /// Another source, whose numbers differ from this one's and do not change them.
    pub(super) fn aside(&self) -> Seed {
        let mut hasher = Sha256::new();
        hasher.update(&self.bytes);
        hasher.update(b"aside");
        Seed::new(hasher.finish())
    }

    /// Another source, whose numbers differ from this one's.
    pub(super) fn branch(&mut self) -> Seed {
        Seed::new(self.draw())
    }
}
