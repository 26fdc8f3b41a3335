//! Frames: the bytes of one record on disk, their checksum and what each of their fields may hold.
//!
//! Knows one frame at a time; what frames owe each other stands in `walk`. Bytes that come from a disk never panic
//! here, they are a `RecordError`. Only user of `crc32c`. The layout is drawn in `docs/FORMAT.md`.

use crate::ids::{Position, Sequence, StreamId};
use crate::limits::RECORD_BYTES_MAX;
use crate::time::Timestamp;

use super::segment::Offset;

/// Bytes in front of the payload.
pub(super) const HEADER_BYTES: usize = 56;

/// Frames begin at multiples of this, so that looking for one behind damage has few places to try.
pub(super) const ALIGNMENT: usize = 8;

/// No log reaches this position and no stream this sequence; whoever counts from one that was read has room above it.
pub(super) const COUNT_MAX: u64 = 1 << 62;

/// The kinds of control frames.
pub(super) const WITNESS: u16 = 1;
pub(super) const CLOSE: u16 = 2;
pub(super) const ORIGIN: u16 = 3;

/// Why bytes are not the frame that should stand at their place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum RecordError {
    /// No frame is this long; 0 is what a file holds where nothing was written.
    #[error("a payload of {length} bytes is none")]
    Length {
        /// What stands where the length should.
        length: u32,
    },
    /// The frame would reach beyond the bytes there are.
    #[error("the frame reaches beyond the end of its segment")]
    Overrun,
    /// The bytes are not those that were written at this place.
    #[error("the checksum is {found:08x}, the bytes give {computed:08x}")]
    Checksum {
        /// What the frame says.
        found: u32,
        /// What its bytes, its place and its segment give.
        computed: u32,
    },
    /// The bytes that fill the frame up to its alignment are not zero.
    #[error("the bytes behind the payload are not zero")]
    Padding,
    /// Flags that mean nothing, or not together.
    #[error("the flags {flags:#04x} mean nothing")]
    Flags {
        /// All of them.
        flags: u8,
    },
    /// A control frame of no known kind, or with a payload its kind does not have.
    #[error("control frame of kind {kind} is not one this version writes there")]
    Control {
        /// The kind.
        kind: u16,
    },
    /// The witness would lie before the first position, or the position beyond any.
    #[error("no event has position {position} and lies {behind} behind its witness")]
    Witness {
        /// Position of the frame.
        position: u64,
        /// Distance it claims.
        behind: u32,
    },
    /// Another position was due.
    #[error("position {expected} was due, {found} stands there")]
    Position {
        /// What was due.
        expected: u64,
        /// What stands there.
        found: u64,
    },
    /// Another place in its stream was due.
    #[error("sequence {expected} of stream {stream} was due, {found} stands there")]
    Sequence {
        /// The stream.
        stream: StreamId,
        /// What was due.
        expected: u64,
        /// What stands there.
        found: u64,
    },
    /// A group begins inside a group, goes on in another stream or at another time, or goes on without a beginning.
    #[error("the frame does not belong to the group it stands in")]
    Group,
    /// The segment ends inside a group.
    #[error("the group has no end")]
    GroupOpen,
    /// Time runs backwards.
    #[error("recorded at {found}, the frame before it at {before}")]
    RecordedAt {
        /// The frame before.
        before: Timestamp,
        /// This one.
        found: Timestamp,
    },
    /// An event of no stream, or a control frame of one.
    #[error("the frame names a stream it cannot be of")]
    Stream,
}

impl RecordError {
    /// Whether the bytes are what somebody wrote there on purpose: no torn write leaves a frame whose checksum holds,
    /// so that a frame refused all the same is never taken for a tear.
    pub(super) fn is_contradiction(&self) -> bool {
        match self {
            RecordError::Length { .. }
            | RecordError::Overrun
            | RecordError::Checksum { .. }
            | RecordError::Padding
            | RecordError::GroupOpen => false,
            RecordError::Flags { .. }
            | RecordError::Control { .. }
            | RecordError::Witness { .. }
            | RecordError::Position { .. }
            | RecordError::Sequence { .. }
            | RecordError::Group
            | RecordError::RecordedAt { .. }
            | RecordError::Stream => true,
        }
    }
}

/// The marks of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags(u8);

impl Flags {
    pub(super) const FIRST: Flags = Flags(1);
    pub(super) const LAST: Flags = Flags(2);
    pub(super) const CONTROL: Flags = Flags(7);
    const BETWEEN: Flags = Flags(0);

    /// The marks of frame `index` of a group of `count` frames.
    pub(super) fn of(index: usize, count: usize) -> Flags {
        let first = if index == 0 { Flags::FIRST } else { Flags::BETWEEN };
        let last = if index + 1 == count { Flags::LAST } else { Flags::BETWEEN };
        Flags(first.0 | last.0)
    }

    /// Whether this is the first frame of its group.
    pub(super) fn is_first(self) -> bool {
        self.0 & Flags::FIRST.0 != 0
    }

    /// Whether this is the last frame of its group.
    pub(super) fn is_last(self) -> bool {
        self.0 & Flags::LAST.0 != 0
    }

    /// Whether the frame is the log's own and holds no event.
    pub(super) fn is_control(self) -> bool {
        self == Flags::CONTROL
    }
}

/// The fields of a frame other than its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// How far the position lies behind the first one that was not known to be durable when the frame was written.
    pub(super) behind: u32,
    pub(super) flags: Flags,
    pub(super) codec: u8,
    pub(super) kind: u16,
    /// Position of the event; of a control frame that of the next event.
    pub(super) position: Position,
    pub(super) stream: StreamId,
    /// Sequence in the stream; none for control frames.
    pub(super) sequence: Option<Sequence>,
    pub(super) recorded_at: Timestamp,
}

impl Head {
    /// Every event before this position was durable when the frame was written.
    pub(super) fn witness(&self) -> Position {
        let witness = self.position.get() - u64::from(self.behind);
        Position::new(witness).expect("a frame with a witness before the first position is not decoded")
    }
}

/// One frame as it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) head: Head,
    pub(super) offset: Offset,
    /// Behind the padding.
    pub(super) end: Offset,
    pub(super) crc: u32,
    pub(super) payload: &'a [u8],
}

/// CRC-32C of the parts, one behind the other.
pub(super) fn checksum(parts: &[&[u8]]) -> u32 {
    parts.iter().fold(0, |crc, part| crc32c::crc32c_append(crc, part))
}

/// The `N` bytes at `at`, if there are so many.
pub(super) fn take<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// Bytes of a frame with a payload of `length` bytes, padding included.
pub(super) fn frame_bytes(length: usize) -> usize {
    (HEADER_BYTES + length).next_multiple_of(ALIGNMENT)
}

/// The checksum of a frame: a frame is valid in its segment, at its place and with its length only.
fn frame_checksum(salt: u64, offset: Offset, length: [u8; 4], body: &[u8]) -> u32 {
    checksum(&[&salt.to_le_bytes(), &offset.get().to_le_bytes(), &length, body])
}

/// Puts the frame at the end of `buffer`; it is to stand at `offset` of the segment with this salt. Returns its
/// checksum.
///
/// # Panics
///
/// If the payload is empty or longer than a record may be: both would be read back as damage.
pub(super) fn encode(buffer: &mut Vec<u8>, salt: u64, offset: Offset, head: &Head, payload: &[u8]) -> u32 {
    assert!(!payload.is_empty(), "an empty payload would be read as the end of the data");
    assert!(payload.len() <= RECORD_BYTES_MAX, "a longer payload would be read as damage");
    let length = u32::try_from(payload.len()).expect("a record's bytes are counted in 32 bits").to_le_bytes();
    let start = buffer.len();
    buffer.extend_from_slice(&length);
    buffer.extend_from_slice(&[0; 4]);
    buffer.extend_from_slice(&head.behind.to_le_bytes());
    buffer.extend_from_slice(&[head.flags.0, head.codec]);
    buffer.extend_from_slice(&head.kind.to_le_bytes());
    buffer.extend_from_slice(&head.position.get().to_le_bytes());
    buffer.extend_from_slice(&head.stream.to_bytes());
    buffer.extend_from_slice(&head.sequence.map_or(0, Sequence::get).to_le_bytes());
    buffer.extend_from_slice(&head.recorded_at.microseconds().to_le_bytes());
    buffer.extend_from_slice(payload);
    let crc = frame_checksum(salt, offset, length, buffer.get(start + 8..).unwrap_or_default());
    if let Some(place) = buffer.get_mut(start + 4..start + 8) {
        place.copy_from_slice(&crc.to_le_bytes());
    }
    buffer.resize(start + frame_bytes(payload.len()), 0);
    crc
}

/// Bytes of the frame that begins with `header`, padding included, from its length field alone.
///
/// # Errors
///
/// A length no frame has.
pub(super) fn total_bytes(header: &[u8]) -> Result<usize, RecordError> {
    let length = u32::from_le_bytes(take(header, 0).ok_or(RecordError::Overrun)?);
    match usize::try_from(length) {
        Ok(bytes @ 1..=RECORD_BYTES_MAX) => Ok(frame_bytes(bytes)),
        Ok(_) | Err(_) => Err(RecordError::Length { length }),
    }
}

/// The frame at the beginning of `bytes`, which stand at `offset` of the segment with this salt.
///
/// # Errors
///
/// What is wrong with the bytes; that the checksum holds is decided before anything else is looked at but the length.
pub(super) fn decode(bytes: &[u8], salt: u64, offset: Offset) -> Result<Frame<'_>, RecordError> {
    let total = total_bytes(bytes)?;
    let bytes = bytes.get(..total).ok_or(RecordError::Overrun)?;
    let length: [u8; 4] = take(bytes, 0).ok_or(RecordError::Overrun)?;
    let end_of_payload = HEADER_BYTES + u32::from_le_bytes(length) as usize;
    let body = bytes.get(8..end_of_payload).ok_or(RecordError::Overrun)?;
    let crc = u32::from_le_bytes(take(bytes, 4).ok_or(RecordError::Overrun)?);
    let computed = frame_checksum(salt, offset, length, body);
    if crc != computed {
        return Err(RecordError::Checksum { found: crc, computed });
    }
    if bytes.get(end_of_payload..).unwrap_or_default().iter().any(|byte| *byte != 0) {
        return Err(RecordError::Padding);
    }
    let payload = bytes.get(HEADER_BYTES..end_of_payload).ok_or(RecordError::Overrun)?;
    let head = decode_head(bytes, payload)?;
    Ok(Frame { head, offset, end: offset.plus(total as u64), crc, payload })
}

fn decode_head(bytes: &[u8], payload: &[u8]) -> Result<Head, RecordError> {
    let fields = || {
        Some((
            u32::from_le_bytes(take(bytes, 8)?),
            take::<2>(bytes, 12)?,
            u16::from_le_bytes(take(bytes, 14)?),
            u64::from_le_bytes(take(bytes, 16)?),
            StreamId::from_bytes(take(bytes, 24)?),
            u64::from_le_bytes(take(bytes, 40)?),
            Timestamp::from_microseconds(i64::from_le_bytes(take(bytes, 48)?)),
        ))
    };
    let (behind, [flags, codec], kind, position, stream, sequence, recorded_at) =
        fields().ok_or(RecordError::Overrun)?;
    if flags > Flags::CONTROL.0 || (flags & 4 != 0 && flags != Flags::CONTROL.0) {
        return Err(RecordError::Flags { flags });
    }
    if u64::from(behind) >= position || position > COUNT_MAX {
        return Err(RecordError::Witness { position, behind });
    }
    let position = Position::new(position).ok_or(RecordError::Witness { position, behind })?;
    let head = Head {
        behind,
        flags: Flags(flags),
        codec,
        kind,
        position,
        stream,
        sequence: Sequence::new(sequence),
        recorded_at,
    };
    match (head.flags.is_control(), stream == StreamId::NONE, head.sequence) {
        (false, false, Some(_)) if sequence <= COUNT_MAX => Ok(head),
        (false, false, _) => Err(RecordError::Sequence { stream, expected: 1, found: sequence }),
        (true, true, None) => check_control(head, payload),
        (true, _, _) | (false, true, _) => Err(RecordError::Stream),
    }
}

fn check_control(head: Head, payload: &[u8]) -> Result<Head, RecordError> {
    let known = match head.kind {
        WITNESS | CLOSE => payload == head.witness().get().to_le_bytes(),
        ORIGIN => payload.len() == 24,
        _ => false,
    };
    if known { Ok(head) } else { Err(RecordError::Control { kind: head.kind }) }
}

/// Reads `bytes` as a frame with the checksum they should have; the bytes read, and those it would be written as.
///
/// # Errors
///
/// As [`decode`], the checksum aside.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn resealed(bytes: &[u8]) -> Result<(Vec<u8>, Vec<u8>), RecordError> {
    let (salt, offset) = (77, Offset::new(8192));
    let total = total_bytes(bytes)?;
    let mut bytes = bytes.get(..total).ok_or(RecordError::Overrun)?.to_vec();
    if let Err(RecordError::Checksum { computed, .. }) = decode(&bytes, salt, offset)
        && let Some(place) = bytes.get_mut(4..8)
    {
        place.copy_from_slice(&computed.to_le_bytes());
    }
    let frame = decode(&bytes, salt, offset)?;
    let mut written = Vec::new();
    encode(&mut written, salt, offset, &frame.head, frame.payload);
    Ok((bytes, written))
}

/// Whether `bytes` might begin a frame whose position is `from` or up to 2^32 further: a cheap test for places where
/// a frame is looked for, before its checksum is computed.
pub(super) fn may_begin(bytes: &[u8], from: Position) -> bool {
    let position = take(bytes, 16).map(u64::from_le_bytes);
    total_bytes(bytes).is_ok()
        && position.and_then(|found| found.checked_sub(from.get())).is_some_and(|ahead| ahead < 1 << 32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head() -> Head {
        Head {
            behind: 3,
            flags: Flags::of(0, 1),
            codec: 1,
            kind: 7,
            position: Position::new(9).unwrap(),
            stream: StreamId::from_bytes([0x11; 16]),
            sequence: Sequence::new(2),
            recorded_at: Timestamp::from_microseconds(1_700_000_000_000_000),
        }
    }

    fn encoded(head: &Head, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(&mut bytes, 77, Offset::new(8192), head, payload);
        bytes
    }

    #[test]
    fn a_frame_is_read_back_as_it_was_written() {
        let bytes = encoded(&head(), b"payload of 19 bytes");
        assert_eq!(bytes.len(), 80);
        let frame = decode(&bytes, 77, Offset::new(8192)).unwrap();
        assert_eq!(frame.head, head());
        assert_eq!(frame.payload, b"payload of 19 bytes");
        assert_eq!(frame.end, Offset::new(8192 + 80));
        assert_eq!(frame.head.witness().get(), 6);
    }

    #[test]
    fn a_frame_is_valid_at_its_place_and_in_its_segment_only() {
        let bytes = encoded(&head(), b"x");
        let wrong = |result: Result<Frame<'_>, RecordError>| matches!(result, Err(RecordError::Checksum { .. }));
        assert!(wrong(decode(&bytes, 78, Offset::new(8192))));
        assert!(wrong(decode(&bytes, 77, Offset::new(8200))));
    }

    #[test]
    fn any_flipped_bit_is_noticed() {
        let bytes = encoded(&head(), b"five!");
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&flipped, 77, Offset::new(8192)).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn control_frames_carry_their_witness_and_no_stream() {
        let control = Head { behind: 0, flags: Flags::CONTROL, codec: 0, kind: CLOSE, sequence: None, ..head() };
        let cases = [
            (Head { stream: StreamId::NONE, ..control }, 9_u64.to_le_bytes().to_vec(), None),
            (Head { stream: StreamId::NONE, ..control }, vec![9], Some(RecordError::Control { kind: CLOSE })),
            (Head { stream: StreamId::NONE, kind: ORIGIN, ..control }, vec![1; 24], None),
            (Head { stream: StreamId::NONE, kind: 9, ..control }, vec![9], Some(RecordError::Control { kind: 9 })),
            (control, 9_u64.to_le_bytes().to_vec(), Some(RecordError::Stream)),
            (Head { stream: StreamId::NONE, ..head() }, vec![9], Some(RecordError::Stream)),
        ];
        for (head, payload, expected) in cases {
            let bytes = encoded(&head, &payload);
            assert_eq!(decode(&bytes, 77, Offset::new(8192)).err(), expected, "{head:?}");
        }
    }

    #[test]
    fn fields_that_cannot_be_are_refused_though_their_checksum_holds() {
        let cases = [
            (Head { behind: 9, ..head() }, RecordError::Witness { position: 9, behind: 9 }),
            (Head { flags: Flags(8), ..head() }, RecordError::Flags { flags: 8 }),
            (Head { flags: Flags(5), ..head() }, RecordError::Flags { flags: 5 }),
        ];
        for (head, expected) in cases {
            assert_eq!(decode(&encoded(&head, b"x"), 77, Offset::new(8192)).unwrap_err(), expected);
            assert!(expected.is_contradiction());
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), salt: u64) {
            let _ = decode(&bytes, salt, Offset::new(8192));
            may_begin(&bytes, Position::FIRST);
        }

        #[test]
        fn every_frame_is_read_back(payload in proptest::collection::vec(any::<u8>(), 1..100), behind in 0_u32..9) {
            let head = Head { behind, ..head() };
            let bytes = encoded(&head, &payload);
            let frame = decode(&bytes, 77, Offset::new(8192)).unwrap();
            prop_assert_eq!(frame.head, head);
            prop_assert_eq!(frame.payload, &payload[..]);
            prop_assert!(may_begin(&bytes, Position::FIRST));
        }
    }
}
