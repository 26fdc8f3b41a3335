//! The index of a sealed segment, `.idx`: which streams have events there, and where. A cache; the segment is the
//! truth.
//!
//! Blocks of 4096 bytes, each with its own checksum: facts about the segment, a bloom filter, a directory sorted by
//! stream, and the place of each event. The layout is drawn in `docs/FORMAT.md`. Whatever does not hold or does not
//! match the segment is no index, and who reads it builds another from the segment.

use std::cmp::Ordering;

use crate::ids::{Position, Sequence, StreamId};
use crate::time::Timestamp;

use super::directory::{Home, LogFile, index_name};
use super::extent::{Extent, Span};
use super::record::{checksum, take};
use super::segment::{LogId, Offset, SegmentNumber};
use super::storage::Access;

const MAGIC: [u8; 8] = *b"STABIDX1";

/// Bytes of a block, its checksum included.
const BLOCK_BYTES: usize = 4096;

/// Bytes of a block in front of its checksum.
const BODY_BYTES: usize = BLOCK_BYTES - 4;

/// Bits of one block of the bloom filter.
const BLOOM_BITS: u64 = BODY_BYTES as u64 * 8;

/// Bits per stream: with as many probes as below, one absent stream in a hundred looks present.
const BLOOM_BITS_PER_STREAM: u64 = 10;

/// Bits that are set for a stream.
const BLOOM_PROBES: u64 = 7;

/// Bytes of one entry of the directory: stream 16, last sequence 8, first place 4, count 4.
const ENTRY_BYTES: usize = 32;

/// Entries in one block of the directory.
const ENTRIES: u64 = (BODY_BYTES / ENTRY_BYTES) as u64;

/// Places in one block.
const PLACES: u64 = (BODY_BYTES / 4) as u64;

/// What the headers of a segment and of its successor say about it, and its index must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) log_id: LogId,
    pub(super) number: SegmentNumber,
    pub(super) salt: u64,
    /// Position of the first event.
    pub(super) base: Position,
    /// Position behind the last event.
    pub(super) next: Position,
    /// Behind the last accepted frame.
    pub(super) end: Offset,
    /// Checksum of that frame; 0 if there is none.
    pub(super) crc: u32,
}

/// Why an index serves no more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum Fault {
    /// The file cannot be opened or read.
    #[error(transparent)]
    Unreadable(super::error::Error),
    /// The checksum of a block does not hold, or a block is missing.
    #[error("block {block} is not what was written")]
    Block {
        /// Which one, from 0.
        block: u64,
    },
    /// It is of another segment, or of another state of it.
    #[error("it is not about this segment")]
    Mismatch,
    /// What it says contradicts itself.
    #[error("it contradicts itself")]
    Contradiction,
}

/// The bytes of the index of a segment with these facts.
pub(super) fn encode(facts: &Facts, extent: &Extent) -> Vec<u8> {
    let mut streams: Vec<(StreamId, Span)> = extent.streams().collect();
    streams.sort_unstable_by_key(|(stream, _)| *stream);
    let n_streams = streams.len() as u64;
    let bloom_blocks = (n_streams * BLOOM_BITS_PER_STREAM).div_ceil(BLOOM_BITS).max(1);
    let directory = 1 + bloom_blocks;
    let offsets = directory + n_streams.div_ceil(ENTRIES);
    let blocks = offsets + (facts.next.get() - facts.base.get()).div_ceil(PLACES);
    let mut bytes = Vec::with_capacity(blocks as usize * BLOCK_BYTES);
    let zero = Timestamp::from_microseconds(0);
    let (first, last) = extent.times().unwrap_or((zero, zero));
    let head: [&[u8]; 15] = [
        &MAGIC,
        &facts.log_id.to_bytes(),
        &facts.number.get().to_le_bytes(),
        &facts.salt.to_le_bytes(),
        &facts.base.get().to_le_bytes(),
        &(facts.next.get() - facts.base.get()).to_le_bytes(),
        &facts.end.get().to_le_bytes(),
        &first.microseconds().to_le_bytes(),
        &last.microseconds().to_le_bytes(),
        &n_streams.to_le_bytes(),
        &1_u32.to_le_bytes(),
        &block_number(directory),
        &block_number(offsets),
        &block_number(blocks),
        &facts.crc.to_le_bytes(),
    ];
    seal(&mut bytes, &head.concat());
    let mut bloom = vec![0; bloom_blocks as usize * BODY_BYTES];
    for (stream, _) in &streams {
        for bit in bloom_bits(*stream, bloom_blocks * BLOOM_BITS) {
            if let Some(byte) = bloom.get_mut((bit / 8) as usize) {
                *byte |= 1 << (bit % 8);
            }
        }
    }
    bloom.chunks(BODY_BYTES).for_each(|body| seal(&mut bytes, body));
    let mut entries = Vec::with_capacity(streams.len() * ENTRY_BYTES);
    let mut places = Vec::new();
    for (stream, span) in &streams {
        let start = u32::try_from(places.len() / 4).expect("a segment has below 2^32 events");
        let count = u32::try_from(span.count()).expect("a segment has below 2^32 events");
        entries.extend_from_slice(&stream.to_bytes());
        entries.extend_from_slice(&span.last.get().to_le_bytes());
        entries.extend_from_slice(&start.to_le_bytes());
        entries.extend_from_slice(&count.to_le_bytes());
        for units in extent.places(*stream, span.first, usize::MAX) {
            places.extend_from_slice(&units.to_le_bytes());
        }
    }
    entries.chunks(ENTRIES as usize * ENTRY_BYTES).for_each(|body| seal(&mut bytes, body));
    places.chunks(PLACES as usize * 4).for_each(|body| seal(&mut bytes, body));
    bytes
}

fn block_number(block: u64) -> [u8; 4] {
    u32::try_from(block).expect("an index has far below 2^32 blocks").to_le_bytes()
}

/// Puts a block with this body behind the others.
fn seal(bytes: &mut Vec<u8>, body: &[u8]) {
    let start = bytes.len();
    bytes.extend_from_slice(body);
    bytes.resize(start + BODY_BYTES, 0);
    let crc = checksum(&[bytes.get(start..).unwrap_or_default()]);
    bytes.extend_from_slice(&crc.to_le_bytes());
}

/// The bits that stand for a stream among so many.
fn bloom_bits(stream: StreamId, bits: u64) -> impl Iterator<Item = u64> {
    let bytes = stream.to_bytes();
    let half = |at| u64::from_le_bytes(take(&bytes, at).expect("a stream has sixteen bytes"));
    let first = mix(half(0) ^ mix(half(8)));
    let step = mix(first) | 1;
    (0..BLOOM_PROBES).map(move |probe| first.wrapping_add(step.wrapping_mul(probe)) % bits)
}

/// The finaliser of SplitMix64: every bit of the result depends on every bit of the number.
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Where the blocks are.
enum Blocks {
    /// In the index file of this segment. It is opened for each question: a log may have more segments than a process
    /// may have files.
    File(Home, SegmentNumber),
    /// In memory, built from the segment.
    Memory(Vec<u8>),
}

/// An index that matches its segment. Facts and bloom filter are held, the rest is read when asked for.
pub(super) struct Index {
    blocks: Blocks,
    /// First block of the directory, and of the places.
    directory: u64,
    offsets: u64,
    n_streams: u64,
    n_events: u64,
    times: Option<(Timestamp, Timestamp)>,
    bloom: Vec<u8>,
}

/// What the directory says about a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) span: Span,
    /// Number of its first place.
    start: u64,
}

impl Index {
    /// The index file of this segment; None if there is none.
    ///
    /// # Errors
    ///
    /// If there is one that is no index of this segment.
    pub(super) fn load(home: &Home, facts: &Facts) -> Result<Option<Index>, Fault> {
        let name = index_name(facts.number);
        let Some(file) = home.open_if_there(&name, Access::Read).map_err(Fault::Unreadable)? else { return Ok(None) };
        let length = file.length().map_err(Fault::Unreadable)?;
        let blocks = Blocks::File(home.clone(), facts.number);
        Index::open(blocks, &mut Reading::File(file), length, facts).map(Some)
    }

    /// The index with these bytes.
    ///
    /// # Errors
    ///
    /// If they are no index of this segment.
    pub(super) fn of(bytes: Vec<u8>, facts: &Facts) -> Result<Index, Fault> {
        let length = bytes.len() as u64;
        let mut index = Index::open(Blocks::Memory(Vec::new()), &mut Reading::Memory(&bytes), length, facts)?;
        index.blocks = Blocks::Memory(bytes);
        Ok(index)
    }

    fn open(blocks: Blocks, reading: &mut Reading<'_>, length: u64, facts: &Facts) -> Result<Index, Fault> {
        let body = reading.block(0)?;
        let fields = Fields(&body);
        let known = fields.at(0)? == MAGIC
            && LogId::from_bytes(fields.at(8)?) == facts.log_id
            && fields.number(24)? == facts.number.get()
            && fields.number(32)? == facts.salt
            && fields.number(40)? == facts.base.get()
            && fields.number(48)? == facts.next.get() - facts.base.get()
            && fields.number(56)? == facts.end.get()
            && fields.small(104)? == u64::from(facts.crc);
        if !known {
            return Err(Fault::Mismatch);
        }
        let time = |at| fields.at(at).map(|bytes| Timestamp::from_microseconds(i64::from_le_bytes(bytes)));
        let (n_streams, n_events) = (fields.number(80)?, fields.number(48)?);
        let (directory, offsets, end) = (fields.small(92)?, fields.small(96)?, fields.small(100)?);
        let fits = fields.small(88)? == 1
            && directory > 1
            && n_streams <= n_events
            && offsets.checked_sub(directory) == Some(n_streams.div_ceil(ENTRIES))
            && end.checked_sub(offsets) == Some(n_events.div_ceil(PLACES))
            && length == end * BLOCK_BYTES as u64;
        if !fits {
            return Err(Fault::Contradiction);
        }
        let times = if n_events > 0 { Some((time(64)?, time(72)?)) } else { None };
        let mut bloom = Vec::new();
        for block in 1..directory {
            bloom.extend_from_slice(&reading.block(block)?);
        }
        Ok(Index { blocks, directory, offsets, n_streams, n_events, times, bloom })
    }

    fn reading(&self) -> Result<Reading<'_>, Fault> {
        match &self.blocks {
            Blocks::File(home, number) => {
                home.open(&index_name(*number), Access::Read).map(Reading::File).map_err(Fault::Unreadable)
            }
            Blocks::Memory(bytes) => Ok(Reading::Memory(bytes)),
        }
    }

    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// If a block is not what was written.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.for_each(&mut |_, _| ())?;
        self.places_from(0, self.n_events).map(drop)
    }

    /// Whether it stands in memory, for want of a file.
    pub(super) fn is_in_memory(&self) -> bool {
        matches!(self.blocks, Blocks::Memory(_))
    }

    /// Streams in the segment.
    pub(super) fn n_streams(&self) -> u64 {
        self.n_streams
    }

    /// When the first and the last event were recorded; None without events.
    pub(super) fn times(&self) -> Option<(Timestamp, Timestamp)> {
        self.times
    }

    /// What the segment holds of the stream; None if nothing.
    ///
    /// # Errors
    ///
    /// If the index serves no more.
    pub(super) fn find(&self, stream: StreamId) -> Result<Option<Entry>, Fault> {
        if self.n_streams == 0 || !self.may_have(stream) {
            return Ok(None);
        }
        let mut reading = self.reading()?;
        let (mut low, mut high) = (self.directory, self.offsets);
        // The block whose first stream is the last one not behind the one that is looked for.
        while low < high {
            let middle = low + (high - low) / 2;
            let entries = self.entries(&mut reading, middle)?;
            match entries.binary_search_by(|(found, _)| found.cmp(&stream)) {
                Ok(at) => return Ok(entries.get(at).map(|(_, entry)| *entry)),
                Err(0) => high = middle,
                Err(at) if at == entries.len() => low = middle + 1,
                Err(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    fn may_have(&self, stream: StreamId) -> bool {
        let bits = self.bloom.len() as u64 * 8;
        bloom_bits(stream, bits).all(|bit| {
            let byte = self.bloom.get((bit / 8) as usize).copied().unwrap_or_default();
            byte & (1 << (bit % 8)) != 0
        })
    }

    /// The entries of one block of the directory.
    fn entries(&self, reading: &mut Reading<'_>, block: u64) -> Result<Vec<(StreamId, Entry)>, Fault> {
        let body = reading.block(block)?;
        let before = (block - self.directory) * ENTRIES;
        let count = (self.n_streams - before).min(ENTRIES) as usize;
        let mut entries = Vec::with_capacity(count);
        for bytes in body.chunks_exact(ENTRY_BYTES).take(count) {
            let fields = Fields(bytes);
            let stream = StreamId::from_bytes(fields.at(0)?);
            let (last, start, count) = (fields.number(16)?, fields.small(24)?, fields.small(28)?);
            let first = last.checked_add(1).and_then(|behind| behind.checked_sub(count)).and_then(Sequence::new);
            let span = first.zip(Sequence::new(last)).map(|(first, last)| Span { first, last });
            let span = span.filter(|_| count > 0 && start + count <= self.n_events).ok_or(Fault::Contradiction)?;
            entries.push((stream, Entry { span, start }));
        }
        if entries.is_sorted_by(|one, other| one.0.cmp(&other.0) == Ordering::Less) {
            Ok(entries)
        } else {
            Err(Fault::Contradiction)
        }
    }

    /// Calls `each` with every stream of the segment in order.
    ///
    /// # Errors
    ///
    /// If the index serves no more; `each` may have been called.
    pub(super) fn for_each(&self, each: &mut dyn FnMut(StreamId, Span)) -> Result<(), Fault> {
        let mut reading = self.reading()?;
        for block in self.directory..self.offsets {
            self.entries(&mut reading, block)?.iter().for_each(|(stream, entry)| each(*stream, entry.span));
        }
        Ok(())
    }

    /// Places of at most `limit` events of this entry from sequence `from` on, in units of `ALIGNMENT`.
    ///
    /// # Errors
    ///
    /// If the index serves no more.
    pub(super) fn places(&self, entry: &Entry, from: Sequence, limit: usize) -> Result<Vec<u32>, Fault> {
        let skipped = from.get().saturating_sub(entry.span.first.get());
        let count = entry.span.count().saturating_sub(skipped).min(limit as u64);
        if count == 0 { Ok(Vec::new()) } else { self.places_from(entry.start + skipped, count) }
    }

    fn places_from(&self, start: u64, count: u64) -> Result<Vec<u32>, Fault> {
        let mut places = Vec::with_capacity(count as usize);
        let mut reading = self.reading()?;
        let (mut at, end) = (start, start + count);
        while at < end {
            let body = reading.block(self.offsets + at / PLACES)?;
            let within = (at % PLACES) as usize;
            let here = (PLACES - at % PLACES).min(end - at) as usize;
            let chosen = body.get(within * 4..(within + here) * 4).unwrap_or_default();
            places.extend(
                chosen.chunks_exact(4).filter_map(|bytes| bytes.first_chunk().copied().map(u32::from_le_bytes)),
            );
            at += here as u64;
        }
        Ok(places)
    }
}

/// The blocks of an index as they are read.
enum Reading<'a> {
    File(LogFile),
    Memory(&'a [u8]),
}

impl Reading<'_> {
    /// The body of a block whose checksum holds.
    fn block(&mut self, block: u64) -> Result<Vec<u8>, Fault> {
        let at = block * BLOCK_BYTES as u64;
        let mut bytes = vec![0; BLOCK_BYTES];
        match self {
            Reading::File(file) => {
                let count = file.read_some(&mut bytes, Offset::new(at)).map_err(Fault::Unreadable)?;
                bytes.truncate(count);
            }
            Reading::Memory(all) => {
                let whole = all.get(at as usize..at as usize + BLOCK_BYTES).ok_or(Fault::Block { block })?;
                bytes.copy_from_slice(whole);
            }
        }
        let crc = take(&bytes, BODY_BYTES).map(u32::from_le_bytes);
        bytes.truncate(BODY_BYTES);
        if crc == Some(checksum(&[&bytes])) { Ok(bytes) } else { Err(Fault::Block { block }) }
    }
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn at<const N: usize>(&self, at: usize) -> Result<[u8; N], Fault> {
        take(self.0, at).ok_or(Fault::Contradiction)
    }

    fn number(&self, at: usize) -> Result<u64, Fault> {
        self.at(at).map(u64::from_le_bytes)
    }

    fn small(&self, at: usize) -> Result<u64, Fault> {
        self.at(at).map(|bytes| u64::from(u32::from_le_bytes(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn facts(events: u64) -> Facts {
        Facts {
            log_id: LogId::from_bytes([4; 16]),
            number: SegmentNumber::new(3).unwrap(),
            salt: 77,
            base: Position::new(11).unwrap(),
            next: Position::new(11 + events).unwrap(),
            end: Offset::new(8192 + events * 64),
            crc: 5,
        }
    }

    fn stream(number: u64) -> StreamId {
        let mut bytes = [9; 16];
        bytes[8..].copy_from_slice(&mix(number).to_be_bytes());
        StreamId::from_bytes(bytes)
    }

    /// An extent whose events belong to these streams, each stream beginning at its number.
    fn extent(streams: &[u64]) -> (Extent, BTreeMap<u64, Vec<u32>>) {
        let mut extent = Extent::new(Position::new(11).unwrap());
        let mut places: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for (index, number) in streams.iter().enumerate() {
            let at = Offset::new(8192 + 64 * index as u64);
            let known = places.entry(*number).or_default();
            let sequence = Sequence::new(number + 1 + known.len() as u64).unwrap();
            known.push((at.get() / 8) as u32);
            let time = Timestamp::from_microseconds(index as i64 + 5);
            extent.add(stream(*number), (extent.next(), sequence), (at, at.plus(64)), time);
        }
        (extent, places)
    }

    fn check(streams: &[u64]) {
        let (extent, places) = extent(streams);
        let facts = facts(streams.len() as u64);
        let bytes = encode(&facts, &extent);
        let index = Index::of(bytes, &facts).unwrap();
        assert_eq!(index.n_streams(), places.len() as u64);
        assert_eq!(index.times(), extent.times());
        for (number, places) in &places {
            let entry = index.find(stream(*number)).unwrap().unwrap();
            assert_eq!(Some(entry.span), extent.span(stream(*number)));
            assert_eq!(index.places(&entry, entry.span.first, usize::MAX).unwrap(), *places);
            let second = entry.span.first.next();
            assert_eq!(
                index.places(&entry, second, 2).unwrap(),
                places.iter().skip(1).take(2).copied().collect::<Vec<_>>()
            );
        }
        for number in 1_000_000..1_000_200 {
            assert_eq!(index.find(stream(number)).unwrap(), None);
        }
        let mut seen = Vec::new();
        index.for_each(&mut |stream, span| seen.push((stream, span))).unwrap();
        assert!(seen.is_sorted_by_key(|(stream, _)| *stream));
        assert_eq!(seen.len(), places.len());
    }

    #[test]
    fn an_index_finds_what_it_was_made_of_in_one_block_or_many() {
        check(&[]);
        check(&[5]);
        check(&(0..128).collect::<Vec<_>>());
        check(&(0..9_000).map(|number| number % 4_000).collect::<Vec<_>>());
    }

    #[test]
    fn any_flipped_bit_of_a_block_is_noticed_when_the_block_is_read() {
        let (extent, places) = extent(&(0..600).map(|number| number % 200).collect::<Vec<_>>());
        let facts = facts(600);
        let bytes = encode(&facts, &extent);
        for bit in (0..bytes.len() * 8).step_by(997) {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let Ok(index) = Index::of(flipped, &facts) else { continue };
            let found = places.keys().try_fold(0, |count, number| match index.find(stream(*number)) {
                Ok(Some(entry)) => {
                    index.places(&entry, entry.span.first, usize::MAX).map(|places| count + places.len())
                }
                Ok(None) => panic!("a stream is absent that is there"),
                Err(fault) => Err(fault),
            });
            assert!(found.is_err(), "bit {bit}");
        }
    }

    #[test]
    fn the_index_of_another_segment_is_none_of_this_one() {
        let (extent, _) = extent(&[1, 2, 1]);
        let own = facts(3);
        let bytes = encode(&own, &extent);
        for other in [
            Facts { log_id: LogId::from_bytes([5; 16]), ..own },
            Facts { number: SegmentNumber::FIRST, ..own },
            Facts { salt: 78, ..own },
            Facts { base: Position::new(10).unwrap(), next: Position::new(13).unwrap(), ..own },
            Facts { next: Position::new(15).unwrap(), ..own },
            Facts { end: Offset::new(9_000), ..own },
            Facts { crc: 6, ..own },
        ] {
            assert!(matches!(Index::of(bytes.clone(), &other), Err(Fault::Mismatch)), "{other:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn arbitrary_bytes_never_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            place in 0_usize..12_000,
        ) {
            let (extent, places) = extent(&[1, 2, 1, 3]);
            let facts = facts(4);
            let mut all = encode(&facts, &extent);
            let place = place.min(all.len());
            let end = (place + bytes.len()).min(all.len());
            all[place..end].copy_from_slice(&bytes[..end - place]);
            // Checksums that hold let everything behind them be reached.
            for block in all.chunks_mut(BLOCK_BYTES) {
                let (body, crc) = block.split_at_mut(BODY_BYTES);
                crc.copy_from_slice(&checksum(&[body]).to_le_bytes());
            }
            if let Ok(index) = Index::of(all, &facts) {
                for number in places.keys() {
                    if let Ok(Some(entry)) = index.find(stream(*number)) {
                        let _ = index.places(&entry, entry.span.first, 9);
                    }
                }
                let _ = index.for_each(&mut |_, _| ());
            }
        }
    }
}
