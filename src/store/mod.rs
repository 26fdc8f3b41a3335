//! Events in, events out: streams with optimistic concurrency, over any backend.

mod codec;
#[cfg(test)]
mod tests;

pub use codec::{CodecError, PayloadError};
#[cfg(test)]
pub(crate) use codec::{from_bytes, to_bytes};
