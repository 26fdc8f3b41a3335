//! Events as bytes and back: bincode of the whole event, fixed-width little-endian integers, `u32` variant tags.
//!
//! The wire format is our specification, frozen by the files in `tests/golden/events`; the codec's number stands in
//! every frame, so that another one can stand beside it. Only user of `bincode`. Knows nothing of streams and places.

use bincode::Options;

use crate::event::Event;
use crate::limits::RECORD_BYTES_MAX;

/// The number of this codec, as it stands in a frame.
pub(super) const CODEC: u8 = 1;

/// The largest kind number there is; a test holds it to the variants of `Event`.
pub(super) const KIND_LAST: u16 = 69;

/// Why bytes are not an event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The bytes were encoded in a way this version does not know.
    #[error("codec {codec} is not known to this version")]
    UnknownCodec {
        /// The number of the codec.
        codec: u8,
    },
    /// The event is of a type, or a version of a type, that this version does not know.
    #[error("event kind {kind} is not known to this version")]
    UnknownKind {
        /// The kind number.
        kind: u16,
    },
    /// The bytes are those of another event than was announced.
    #[error("an event of kind {kind} was announced, the bytes hold one of kind {found}")]
    KindMismatch {
        /// The kind that was announced.
        kind: u16,
        /// The kind of the event in the bytes.
        found: u16,
    },
    /// The bytes are no event.
    #[error("{length} bytes are no event of kind {kind}")]
    Malformed {
        /// The kind that was announced.
        kind: u16,
        /// How many bytes there are.
        length: usize,
        /// What is wrong with them.
        #[source]
        cause: PayloadError,
    },
}

impl CodecError {
    /// Whether a newer version wrote the bytes, so that they are probably sound.
    pub fn is_unknown(&self) -> bool {
        match self {
            CodecError::UnknownCodec { .. } | CodecError::UnknownKind { .. } => true,
            CodecError::KindMismatch { .. } | CodecError::Malformed { .. } => false,
        }
    }
}

/// What is wrong with bytes that should be a value.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct PayloadError(bincode::Error);

/// The format: integers of fixed width, little-endian, nothing behind the value.
fn format() -> impl Options {
    bincode::DefaultOptions::new().with_fixint_encoding().with_little_endian().reject_trailing_bytes()
}

/// Appends the bytes of `event` to `buffer`.
pub(crate) fn encode(event: &Event, buffer: &mut Vec<u8>) {
    format().serialize_into(buffer, event).expect("an event holds nothing that has no bytes, and a buffer takes all");
}

/// The event of this kind that these bytes hold. Memory is bounded by their length, lists by one mebibyte on top.
///
/// # Errors
///
/// An unknown codec or kind, bytes that are no event, and an event of another kind. Nothing is guessed.
pub(crate) fn decode(kind: u16, codec: u8, payload: &[u8]) -> Result<Event, CodecError> {
    if codec != CODEC {
        return Err(CodecError::UnknownCodec { codec });
    }
    if !(1..=KIND_LAST).contains(&kind) {
        return Err(CodecError::UnknownKind { kind });
    }
    let event: Event = format()
        .with_limit(RECORD_BYTES_MAX as u64)
        .deserialize(payload)
        .map_err(|cause| CodecError::Malformed { kind, length: payload.len(), cause: PayloadError(cause) })?;
    let found = event.kind();
    if found == kind { Ok(event) } else { Err(CodecError::KindMismatch { kind, found }) }
}

/// The bytes of any value in the format of the events: how a state will be kept, once snapshots are (P4).
///
/// # Panics
///
/// If the value holds something that has no length before it is walked; none of ours does.
pub(crate) fn to_bytes<T: serde::Serialize>(value: &T) -> Vec<u8> {
    format().serialize(value).expect("a value of ours holds nothing that has no bytes")
}

/// The value that these bytes hold, and nothing behind it.
///
/// # Errors
///
/// If they are not the bytes of such a value.
#[cfg(test)]
pub(crate) fn from_bytes<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, PayloadError> {
    format().with_limit(bytes.len() as u64).deserialize(bytes).map_err(PayloadError)
}
