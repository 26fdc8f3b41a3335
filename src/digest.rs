//! SHA-256 of bytes. Pure; only user of `sha2`.

use sha2::Digest as _;

/// A SHA-256 under way: bytes go in piece by piece.
#[derive(Clone, Default)]
pub(crate) struct Sha256(sha2::Sha256);

impl Sha256 {
    /// The hash of nothing yet.
    pub(crate) fn new() -> Sha256 {
        Sha256::default()
    }

    /// Adds `bytes` behind what was added before.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of everything added.
    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// The SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(bytes);
    hasher.finish()
}
