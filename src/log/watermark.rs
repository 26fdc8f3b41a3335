//! The file WATERMARK: how far the log was durable, as evidence for recovery and as the horizon of readers.
//!
//! Every value ever written was true, so that a stale one is a lower bound and a damaged one is no evidence.

use crate::ids::Position;

use super::record::{checksum, take};
use super::segment::{LogId, Offset, SegmentNumber};

/// Bytes of the file.
pub(super) const BYTES: usize = 64;

const MAGIC: [u8; 8] = *b"STABWMK1";

/// All events before `position` were durable, the last of them ending before `end` in segment `number`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Watermark {
    pub(super) log_id: LogId,
    pub(super) position: Position,
    pub(super) number: SegmentNumber,
    pub(super) end: Offset,
}

impl Watermark {
    /// The file's bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.log_id.to_bytes());
        bytes.extend_from_slice(&self.position.get().to_le_bytes());
        bytes.extend_from_slice(&self.number.get().to_le_bytes());
        bytes.extend_from_slice(&self.end.get().to_le_bytes());
        bytes.extend_from_slice(&[0; 12]);
        let crc = checksum(&[&bytes]);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// What the file says, unless it is short or damaged.
    pub(super) fn decode(bytes: &[u8]) -> Option<Watermark> {
        let bytes: &[u8; BYTES] = bytes.first_chunk()?;
        let (body, crc) = bytes.split_last_chunk::<4>()?;
        if !body.starts_with(&MAGIC) || checksum(&[body]) != u32::from_le_bytes(*crc) {
            return None;
        }
        if body.get(48..)?.iter().any(|byte| *byte != 0) {
            return None;
        }
        Some(Watermark {
            log_id: LogId::from_bytes(take(body, 8)?),
            position: Position::new(u64::from_le_bytes(take(body, 24)?))?,
            number: SegmentNumber::new(u64::from_le_bytes(take(body, 32)?))?,
            end: Offset::new(u64::from_le_bytes(take(body, 40)?)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_and_any_flipped_bit_is_no_evidence() {
        let watermark = Watermark {
            log_id: LogId::from_bytes([3; 16]),
            position: Position::new(17).unwrap(),
            number: SegmentNumber::FIRST,
            end: Offset::new(8264),
        };
        let bytes = watermark.encode();
        assert_eq!(bytes.len(), BYTES);
        assert_eq!(Watermark::decode(&bytes), Some(watermark));
        assert_eq!(Watermark::decode(&bytes[..63]), None);
        for bit in 0..BYTES * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Watermark::decode(&flipped), None, "bit {bit}");
        }
    }
}
