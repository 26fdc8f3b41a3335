//! Segment files: their header, its two copies, and how long a segment is.
//!
//! Bytes and numbers only; files are opened elsewhere. The layout is drawn in `docs/FORMAT.md`.

use std::fmt;

use crate::ids::Position;
use crate::time::Timestamp;

use super::record::{COUNT_MAX, checksum, take};

/// The version of the format that this code writes and reads.
pub(crate) const FORMAT: u16 = 1;

/// Bytes of one copy of the header.
pub(super) const HEADER_BYTES: usize = 4096;

/// Where the first frame begins: behind both copies of the header.
pub(super) const FRAMES_START: Offset = Offset(2 * HEADER_BYTES as u64);

/// The last bytes of a segment take control frames only, so that an orderly end needs no space that may not be there.
pub(super) const CONTROL_RESERVE: u64 = 4096;

/// Lengths of segments are multiples of this.
const CAPACITY_STEP: u64 = 4096;

/// The shortest segment: both headers, one page of frames, the reserve.
const CAPACITY_MIN: u64 = 16 * 1024;

/// The longest segment anybody may configure: offsets in memory are kept in 32 bits, in units of eight bytes.
const CAPACITY_MAX: u64 = 8 * 1024 * 1024 * 1024;

const MAGIC: [u8; 8] = *b"STABLOG\n";

/// From here to the checksum a header is zero.
const ZERO_FROM: usize = 92;

/// Bytes from the start of a segment file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Offset(u64);

impl Offset {
    /// The place this many bytes from the start.
    pub(crate) fn new(bytes: u64) -> Offset {
        Offset(bytes)
    }

    /// Bytes from the start of the file.
    pub(crate) fn get(self) -> u64 {
        self.0
    }

    /// The place `bytes` further on.
    pub(crate) fn plus(self, bytes: u64) -> Offset {
        Offset(self.0.checked_add(bytes).expect("files end far below 2^64 bytes"))
    }

    /// Bytes from `earlier` to here; none if `earlier` lies behind.
    pub(crate) fn since(self, earlier: Offset) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which segment of the log it is, from 1, without gaps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SegmentNumber(u64);

impl SegmentNumber {
    /// The first segment of a log.
    pub(crate) const FIRST: SegmentNumber = SegmentNumber(1);

    /// The segment with this number, if there is one: numbers begin at 1.
    pub(crate) fn new(number: u64) -> Option<SegmentNumber> {
        (number > 0).then_some(SegmentNumber(number))
    }

    /// The number, from 1.
    pub(crate) fn get(self) -> u64 {
        self.0
    }

    /// The segment that follows this one.
    pub(crate) fn next(self) -> SegmentNumber {
        SegmentNumber(self.0.checked_add(1).expect("a log has far below 2^64 segments"))
    }
}

impl fmt::Display for SegmentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for SegmentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Identity of a log: the same in all its segments, different in every other log.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct LogId([u8; 16]);

impl LogId {
    /// The id made of these bytes.
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> LogId {
        LogId(bytes)
    }

    /// The bytes of the id as they stand in every header.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why bytes are not a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum HeaderError {
    /// It does not begin like a segment.
    #[error("not a segment")]
    Magic,
    /// The bytes are not those that were written.
    #[error("the checksum does not hold")]
    Checksum,
    /// A format this code does not know.
    #[error("format {format} is not known")]
    Format {
        /// The number of the format.
        format: u16,
    },
    /// The segment needs something this code does not know.
    #[error("features {features:#x} are not known")]
    Features {
        /// The bits that are set.
        features: u32,
    },
    /// A field holds what it cannot.
    #[error("the field {field} holds what it cannot")]
    Field {
        /// The field's name in `docs/FORMAT.md`.
        field: &'static str,
    },
}

/// How a segment follows the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Previous {
    /// Salt of the segment before.
    pub(super) salt: u64,
    /// Behind its last accepted frame: this is where it ends.
    pub(super) end: Offset,
    /// Checksum of that frame; 0 if it has none.
    pub(super) crc: u32,
}

/// What stands at the start of a segment, twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) log_id: LogId,
    pub(super) number: SegmentNumber,
    /// Mixed into every checksum, so that frames of another segment are never valid here.
    pub(super) salt: u64,
    /// Position of the first event here.
    pub(super) base: Position,
    /// File length until sealed.
    pub(super) capacity: u64,
    pub(super) created_at: Timestamp,
    /// None in the first segment.
    pub(super) previous: Option<Previous>,
}

impl Header {
    /// The header's bytes, both copies one behind the other.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut copy = Vec::with_capacity(2 * HEADER_BYTES);
        copy.extend_from_slice(&MAGIC);
        copy.extend_from_slice(&FORMAT.to_le_bytes());
        copy.extend_from_slice(&(HEADER_BYTES as u16).to_le_bytes());
        copy.extend_from_slice(&0_u32.to_le_bytes());
        copy.extend_from_slice(&self.log_id.to_bytes());
        copy.extend_from_slice(&self.number.get().to_le_bytes());
        copy.extend_from_slice(&self.salt.to_le_bytes());
        copy.extend_from_slice(&self.base.get().to_le_bytes());
        copy.extend_from_slice(&self.capacity.to_le_bytes());
        copy.extend_from_slice(&self.created_at.microseconds().to_le_bytes());
        let previous = self.previous.unwrap_or(Previous { salt: 0, end: Offset(0), crc: 0 });
        copy.extend_from_slice(&previous.salt.to_le_bytes());
        copy.extend_from_slice(&previous.end.get().to_le_bytes());
        copy.extend_from_slice(&previous.crc.to_le_bytes());
        copy.resize(HEADER_BYTES - 4, 0);
        let crc = checksum(&[&copy]);
        copy.extend_from_slice(&crc.to_le_bytes());
        copy.extend_from_within(..);
        copy
    }

    /// Reads one copy.
    ///
    /// # Errors
    ///
    /// What is wrong with it. A copy whose checksum holds is refused for an unknown format or feature before any
    /// other field is looked at.
    pub(super) fn decode(bytes: &[u8]) -> Result<Header, HeaderError> {
        let copy: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(HeaderError::Magic)?;
        if !copy.starts_with(&MAGIC) {
            return Err(HeaderError::Magic);
        }
        let (body, crc) = copy.split_last_chunk::<4>().ok_or(HeaderError::Magic)?;
        let fields = Fields(body);
        let format = u16::from_le_bytes(fields.at(8, "format")?);
        if checksum(&[body]) != u32::from_le_bytes(*crc) {
            // Another format may keep its checksum elsewhere; whoever sees both copies decides what this is.
            return Err(if format == FORMAT { HeaderError::Checksum } else { HeaderError::Format { format } });
        }
        if format != FORMAT {
            return Err(HeaderError::Format { format });
        }
        let features = u32::from_le_bytes(fields.at(12, "required features")?);
        if features != 0 {
            return Err(HeaderError::Features { features });
        }
        Header::decode_fields(&fields)
    }

    fn decode_fields(fields: &Fields<'_>) -> Result<Header, HeaderError> {
        let refuse = |field| HeaderError::Field { field };
        if u16::from_le_bytes(fields.at(10, "header length")?) as usize != HEADER_BYTES {
            return Err(refuse("header length"));
        }
        if fields.0.get(ZERO_FROM..) != Some(&[0; HEADER_BYTES - 4 - ZERO_FROM]) {
            return Err(refuse("zero"));
        }
        let number = SegmentNumber::new(fields.u64(32, "number")?).ok_or(refuse("number"))?;
        let base = fields.u64(48, "base")?;
        let base = Position::new(base).filter(|_| base <= COUNT_MAX).ok_or(refuse("base"))?;
        let capacity = fields.u64(56, "capacity")?;
        if !(CAPACITY_MIN..=CAPACITY_MAX).contains(&capacity) || !capacity.is_multiple_of(CAPACITY_STEP) {
            return Err(refuse("capacity"));
        }
        let previous = Previous {
            salt: fields.u64(72, "previous_salt")?,
            end: Offset(fields.u64(80, "previous_end")?),
            crc: u32::from_le_bytes(fields.at(88, "previous_crc")?),
        };
        let previous = match (number, previous) {
            (SegmentNumber::FIRST, Previous { salt: 0, end: Offset(0), crc: 0 }) if base == Position::FIRST => None,
            (SegmentNumber::FIRST, _) => return Err(refuse("previous")),
            (_, previous) if previous.end < FRAMES_START => return Err(refuse("previous_end")),
            (_, previous) => Some(previous),
        };
        Ok(Header {
            log_id: LogId(fields.at(16, "log_id")?),
            number,
            salt: fields.u64(40, "salt")?,
            base,
            capacity,
            created_at: Timestamp::from_microseconds(i64::from_le_bytes(fields.at(64, "created_at")?)),
            previous,
        })
    }
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn at<const N: usize>(&self, at: usize, field: &'static str) -> Result<[u8; N], HeaderError> {
        take(self.0, at).ok_or(HeaderError::Field { field })
    }

    fn u64(&self, at: usize, field: &'static str) -> Result<u64, HeaderError> {
        self.at(at, field).map(u64::from_le_bytes)
    }
}

/// Both copies of a header as they stand on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Copies {
    /// The copy at the start of the file.
    pub(super) a: Result<Header, HeaderError>,
    /// The copy behind it.
    pub(super) b: Result<Header, HeaderError>,
}

impl Copies {
    /// Reads both copies from the first bytes of a segment; bytes that are missing are a copy that is none.
    pub(super) fn decode(bytes: &[u8]) -> Copies {
        Copies { a: Header::decode(bytes), b: Header::decode(bytes.get(HEADER_BYTES..).unwrap_or_default()) }
    }
}

/// How the length of a new segment follows from that of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// Four times as long, up to the limit: the segment before is full.
    Ladder,
    /// The same again: the segment before was left because its end is torn.
    Same,
}

/// The lengths segments of one log are given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ladder {
    first: u64,
    max: u64,
}

impl Ladder {
    /// Lengths from `first` to `max` bytes; what no segment may have is moved to the nearest it may.
    pub(super) fn new(first: u64, max: u64) -> Ladder {
        let possible = |bytes: u64| bytes.clamp(CAPACITY_MIN, CAPACITY_MAX).next_multiple_of(CAPACITY_STEP);
        Ladder { first: possible(first), max: possible(max.max(first)) }
    }

    /// Length of the first segment.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Length of the segment behind one of `capacity` bytes, with room for `waiting` bytes of frames.
    pub(super) fn next(&self, capacity: u64, growth: Growth, waiting: u64) -> u64 {
        let next = match growth {
            Growth::Ladder => capacity.saturating_mul(4).min(self.max),
            Growth::Same => capacity,
        };
        next.max(needed(waiting))
    }
}

/// The shortest segment that takes `waiting` bytes of frames.
pub(super) fn needed(waiting: u64) -> u64 {
    (FRAMES_START.get() + waiting + CONTROL_RESERVE).next_multiple_of(CAPACITY_STEP)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            log_id: LogId([7; 16]),
            number: SegmentNumber(3),
            salt: 99,
            base: Position::new(12).unwrap(),
            capacity: 262_144,
            created_at: Timestamp::from_microseconds(5),
            previous: Some(Previous { salt: 98, end: Offset(9000), crc: 4 }),
        }
    }

    #[test]
    fn both_copies_are_read_back() {
        let first = Header { number: SegmentNumber::FIRST, base: Position::FIRST, previous: None, ..header() };
        for header in [header(), first] {
            let bytes = header.encode();
            assert_eq!(bytes.len(), 8192);
            assert_eq!(Copies::decode(&bytes), Copies { a: Ok(header), b: Ok(header) });
        }
    }

    #[test]
    fn any_flipped_bit_of_a_copy_is_noticed() {
        let bytes = header().encode();
        for bit in 0..HEADER_BYTES * 8 {
            let mut flipped = bytes[..HEADER_BYTES].to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn an_unknown_format_or_feature_is_said_by_name() {
        let with = |at: usize, byte: u8| {
            let mut bytes = header().encode();
            bytes[at] = byte;
            let crc = checksum(&[&bytes[..HEADER_BYTES - 4]]);
            bytes[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&crc.to_le_bytes());
            Header::decode(&bytes)
        };
        assert_eq!(with(8, 2), Err(HeaderError::Format { format: 2 }));
        assert_eq!(with(12, 4), Err(HeaderError::Features { features: 4 }));
        assert_eq!(with(100, 1), Err(HeaderError::Field { field: "zero" }));
        assert_eq!(with(56, 1), Err(HeaderError::Field { field: "capacity" }));
    }

    #[test]
    fn lengths_grow_by_four_up_to_the_limit() {
        let ladder = Ladder::new(262_144, 67_108_864);
        let mut capacity = ladder.first();
        let mut lengths = vec![capacity];
        for _ in 0..5 {
            capacity = ladder.next(capacity, Growth::Ladder, 100);
            lengths.push(capacity);
        }
        assert_eq!(lengths, [262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864, 67_108_864]);
        assert_eq!(ladder.next(262_144, Growth::Same, 100), 262_144);
        assert_eq!(ladder.next(262_144, Growth::Ladder, 33_554_432), 33_566_720);
    }
}
