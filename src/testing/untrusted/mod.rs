//! What holds for bytes from anywhere: no panic, a typed error, and whatever is accepted is accepted again.
//!
//! Each function takes bytes and panics on a finding. The fuzz targets in `fuzz/` call nothing else, and the tests here
//! run the same on a toolchain without a fuzzer. Knows no file but those it makes itself.

mod commands;
mod control;
mod definitions;
mod events;
mod expressions;
mod logs;

pub use commands::machine_commands;
pub use control::control_request;
pub use definitions::definition_parse;
#[cfg(test)]
pub(crate) use events::no_map;
pub use events::record_decode;
pub use expressions::expression_evaluate;
pub use logs::log_recover;

/// Bytes that decide something, taken from the front. When they are used up, every further one is zero.
struct Draws<'b> {
    bytes: &'b [u8],
}

impl<'b> Draws<'b> {
    fn new(bytes: &'b [u8]) -> Draws<'b> {
        Draws { bytes }
    }

    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    fn short(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// One of `n` things.
    fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n.max(1)
    }

    /// Up to `length` of the bytes that are left.
    fn take(&mut self, length: usize) -> &'b [u8] {
        let (taken, rest) = self.bytes.split_at(length.min(self.bytes.len()));
        self.bytes = rest;
        taken
    }

    /// All that are left.
    fn rest(&mut self) -> &'b [u8] {
        self.take(self.bytes.len())
    }
}

/// Finds a planted bug: who fuzzes this and finds nothing finds nothing elsewhere either.
///
/// # Panics
///
/// If `bytes` begin with a certain word.
pub fn canary(bytes: &[u8]) {
    // One comparison a byte, so that a fuzzer sees that it comes closer.
    let n_right = b"tweet".iter().zip(bytes).take_while(|(wanted, found)| wanted == found).count();
    assert!(n_right < 5, "the canary sings");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canary_is_found_by_its_word_only() {
        for quiet in [&b""[..], b"twee", b"tweed", b"no"] {
            canary(quiet);
        }
        assert!(std::panic::catch_unwind(|| canary(b"tweet!")).is_err());
    }

    #[test]
    fn draws_go_on_with_zeros() {
        let mut draws = Draws::new(&[1, 2, 3]);
        assert_eq!((draws.byte(), draws.short(), draws.byte(), draws.below(0)), (1, 0x302, 0, 0));
        assert!(draws.is_empty());
        assert_eq!(Draws::new(b"abc").take(9), b"abc");
    }
}
