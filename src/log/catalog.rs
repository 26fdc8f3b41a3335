//! Where the events are: per segment the offset of each, per stream its positions. In memory, built when a log is
//! opened.
//!
//! Holds places, never payloads; four bytes an event, sixteen a group that does not follow its stream's last one at
//! once. Reading an event from its place checks it again: the disk may have changed since.

use std::collections::HashMap;
use std::sync::Arc;

use crate::ids::{Position, Sequence, StreamId};
use crate::limits::READ_BYTES_MAX;

use super::Record;
use super::directory::LogFile;
use super::error::{Damage, Error};
use super::record::{ALIGNMENT, Frame, RecordError};
use super::segment::{FRAMES_START, Offset, SegmentNumber};
use super::walk::Frames;

/// A segment that is read from.
pub(super) struct Source {
    pub(super) number: SegmentNumber,
    pub(super) salt: u64,
    pub(super) file: LogFile,
}

/// The events of one segment.
struct Extent {
    source: Arc<Source>,
    base: Position,
    /// Places of the events in units of `ALIGNMENT`, the one at position `base` first.
    places: Vec<u32>,
    /// Behind the last event.
    end: Offset,
}

impl Extent {
    /// Position behind the last event here.
    fn next(&self) -> Position {
        self.base.plus(self.places.len() as u64)
    }

    /// Place of the event at `position`, or the end if that is behind the last one.
    fn place(&self, position: Position) -> Offset {
        let index = position.get().saturating_sub(self.base.get());
        let place = usize::try_from(index).ok().and_then(|index| self.places.get(index));
        place.map_or(self.end, |units| Offset::new(u64::from(*units) * ALIGNMENT as u64))
    }
}

/// Events of a stream that follow each other in the whole log.
#[derive(Clone, Copy)]
struct Stretch {
    position: Position,
    sequence: Sequence,
}

/// The events of one stream.
struct Stream {
    last: Sequence,
    stretches: Vec<Stretch>,
}

/// Events that stand one behind the other in one segment, other frames between them.
pub(super) struct Piece {
    source: Arc<Source>,
    from: Offset,
    until: Offset,
    position: Position,
    count: usize,
}

/// Where the events of a log are, up to some position.
#[derive(Default)]
pub(super) struct Catalog {
    extents: Vec<Extent>,
    streams: HashMap<StreamId, Stream>,
}

impl Catalog {
    /// Begins a segment; what is added next stands there.
    pub(super) fn begin_segment(&mut self, source: Source, base: Position) {
        self.extents.push(Extent { source: Arc::new(source), base, places: Vec::new(), end: FRAMES_START });
    }

    /// Adds the event that follows the last one.
    ///
    /// # Panics
    ///
    /// If it does not follow the last one of the log and of its stream: the caller has checked that.
    pub(super) fn add(&mut self, stream: StreamId, (position, sequence): (Position, Sequence), at: (Offset, Offset)) {
        let extent = self.extents.last_mut().expect("an event stands in a segment");
        assert_eq!(extent.next(), position, "positions have no gaps");
        let units = at.0.get() / ALIGNMENT as u64;
        extent.places.push(u32::try_from(units).expect("a segment ends below 2^35 bytes"));
        extent.end = at.1;
        let stretch = Stretch { position, sequence };
        let Some(known) = self.streams.get_mut(&stream) else {
            assert_eq!(sequence, Sequence::FIRST, "a stream begins with its first event");
            self.streams.insert(stream, Stream { last: sequence, stretches: vec![stretch] });
            return;
        };
        assert_eq!(known.last.next(), sequence, "sequences have no gaps");
        known.last = sequence;
        let follows = known
            .stretches
            .last()
            .is_some_and(|last| position.get() - last.position.get() == sequence.get() - last.sequence.get());
        if !follows {
            known.stretches.push(stretch);
        }
    }

    /// The last sequence of the stream, if it has events.
    pub(super) fn head(&self, stream: StreamId) -> Option<Sequence> {
        self.streams.get(&stream).map(|stream| stream.last)
    }

    /// Every stream with its last sequence, in no order.
    pub(super) fn heads(&self) -> Vec<(StreamId, Sequence)> {
        self.streams.iter().map(|(stream, known)| (*stream, known.last)).collect()
    }

    /// Places of at most `limit` events from `from` on.
    pub(super) fn find(&self, from: Position, limit: usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut left = limit;
        let mut position = from;
        let start = self.extents.partition_point(|extent| extent.next() <= from);
        for extent in self.extents.iter().skip(start) {
            let count = left.min((extent.next().get() - position.get()) as usize);
            if count > 0 {
                pieces.push(piece(extent, position, count));
            }
            left -= count;
            position = position.plus(count as u64);
            if left == 0 {
                break;
            }
        }
        pieces
    }

    /// Places of at most `limit` events of the stream from sequence `from` on.
    pub(super) fn find_in_stream(&self, stream: StreamId, from: Sequence, limit: usize) -> Vec<Piece> {
        let Some(known) = self.streams.get(&stream) else { return Vec::new() };
        let mut pieces = Vec::new();
        let mut left = limit;
        let start = known.stretches.partition_point(|stretch| stretch.sequence <= from).saturating_sub(1);
        let stretches = known.stretches.get(start..).unwrap_or_default();
        for (index, stretch) in stretches.iter().enumerate() {
            let behind = stretches.get(index + 1).map_or(known.last.get() + 1, |next| next.sequence.get());
            let skipped = from.get().saturating_sub(stretch.sequence.get());
            let length = (behind - stretch.sequence.get()).saturating_sub(skipped);
            let count = left.min(usize::try_from(length).unwrap_or(usize::MAX));
            pieces.extend(self.find(stretch.position.plus(skipped), count));
            left -= count;
            if left == 0 {
                break;
            }
        }
        pieces
    }
}

fn piece(extent: &Extent, position: Position, count: usize) -> Piece {
    let behind = position.plus(count as u64);
    Piece {
        source: Arc::clone(&extent.source),
        from: extent.place(position),
        until: extent.place(behind),
        position,
        count,
    }
}

/// Reads the events at these places, at least one and no more than `READ_BYTES_MAX` bytes of them at once. Events
/// before `durable` were acknowledged.
///
/// # Errors
///
/// `Io`, or `Damaged` if one of them is not there any more.
pub(super) fn fetch(pieces: &[Piece], durable: Position) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    let mut bytes = 0;
    for piece in pieces {
        let source = &piece.source;
        let mut frames = Frames::new(&source.file, source.salt, piece.from, piece.until);
        let mut due = piece.position;
        let behind = due.plus(piece.count as u64);
        while due < behind && (bytes < READ_BYTES_MAX || records.is_empty()) {
            let offset = frames.offset();
            let damaged = |cause| Error::Damaged {
                segment: source.number,
                path: source.file.path(),
                offset,
                missing: due,
                proven: durable,
                cause: Damage::Record(cause),
            };
            let frame = frames.next()?.unwrap_or(Err(RecordError::Overrun)).map_err(damaged)?;
            if frame.head.flags.is_control() {
                continue;
            }
            if frame.head.position != due {
                let (expected, found) = (due.get(), frame.head.position.get());
                return Err(damaged(RecordError::Position { expected, found }));
            }
            bytes += frame.end.since(frame.offset) as usize;
            records.extend(record_of(&frame, source.number));
            due = due.next();
        }
        if due < behind {
            break;
        }
    }
    Ok(records)
}

fn record_of(frame: &Frame<'_>, segment: SegmentNumber) -> Option<Record> {
    let head = &frame.head;
    Some(Record {
        position: head.position,
        sequence: head.sequence?,
        stream: head.stream,
        recorded_at: head.recorded_at,
        kind: head.kind,
        codec: head.codec,
        payload: frame.payload.to_vec(),
        first: head.flags.is_first(),
        last: head.flags.is_last(),
        segment,
        offset: frame.offset,
    })
}
