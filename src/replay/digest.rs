//! One number for a whole state: equal for equal states, whoever folded them.

use std::fmt;

use crate::digest::sha256;
use crate::machine::State;
use crate::store::to_bytes;

/// SHA-256 of a state as it would be stored. Equal for equal states of one version of this library.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `state`.
    pub(crate) fn of(state: &State) -> Digest {
        Digest(sha256(&to_bytes(state.core())))
    }

    /// The 32 bytes.
    pub fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

/// 64 hexadecimal digits.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
