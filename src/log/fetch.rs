//! Reading events from their places, each checked again: the disk may have changed since the place was noted.
//!
//! An answer has at least one event if there is one, at most as many as were asked for, and no more than
//! `READ_BYTES_MAX` bytes or one event.

use crate::ids::{Position, Sequence, StreamId};
use crate::limits::READ_BYTES_MAX;

use super::Record;
use super::directory::LogFile;
use super::error::{Damage, Error};
use super::extent::offset;
use super::record::{Frame, RecordError};
use super::segment::{Offset, SegmentNumber};
use super::walk::Frames;

/// Bytes read at once where events of other streams stand in between.
const SCATTERED_BYTES: usize = 8 * 1024;

/// A segment that is read from.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) number: SegmentNumber,
    pub(super) salt: u64,
    pub(super) file: LogFile,
}

/// Events that stand one behind the other, control frames between them.
#[derive(Clone, Copy)]
pub(super) struct InOrder {
    pub(super) from: Offset,
    pub(super) until: Offset,
    /// Position of the first.
    pub(super) position: Position,
    /// Position behind the last.
    pub(super) behind: Position,
}

/// Events of one stream, in order, anywhere in a segment.
pub(super) struct InStream {
    /// Their places in units of `ALIGNMENT`.
    pub(super) places: Vec<u32>,
    pub(super) stream: StreamId,
    /// Sequence of the first.
    pub(super) first: Sequence,
    /// Where the segment ends.
    pub(super) until: Offset,
}

/// An answer in the making.
pub(super) struct Fetch {
    records: Vec<Record>,
    bytes: usize,
    limit: usize,
    /// Events before this position were acknowledged.
    durable: Position,
    /// Events there were when the last source was begun.
    begun: usize,
}

impl Fetch {
    /// An empty answer that takes at most `limit` events.
    pub(super) fn new(limit: usize, durable: Position) -> Fetch {
        Fetch { records: Vec::new(), bytes: 0, limit, durable, begun: 0 }
    }

    /// How many events it still takes; none once it has bytes enough.
    pub(super) fn left(&self) -> usize {
        let is_full = self.bytes >= READ_BYTES_MAX && !self.records.is_empty();
        if is_full { 0 } else { self.limit - self.records.len() }
    }

    /// Whether nothing was read yet.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Events before this position were acknowledged.
    pub(super) fn durable(&self) -> Position {
        self.durable
    }

    /// The events.
    pub(super) fn into_records(self) -> Vec<Record> {
        self.records
    }

    /// What is read from here on comes from another source.
    pub(super) fn begin(&mut self) {
        self.begun = self.records.len();
    }

    /// Forgets what the last source gave.
    pub(super) fn restart(&mut self) {
        self.records.truncate(self.begun);
    }

    /// Position behind the last event.
    pub(super) fn next(&self) -> Option<Position> {
        self.records.last().map(|record| record.position.next())
    }

    fn damaged(&self, source: &Source, offset: Offset, missing: Position, cause: RecordError) -> Error {
        Error::Damaged {
            segment: source.number,
            path: source.file.path(),
            offset,
            missing,
            proven: self.durable,
            cause: Damage::Record(cause),
        }
    }

    /// Reads events in order, from position `from` on; those between the piece's first and `from` are passed by. `mark`
    /// is told the place of the event that would come next.
    ///
    /// # Errors
    ///
    /// `Damaged` if one is not there any more; `Io`.
    pub(super) fn in_order(
        &mut self,
        source: &Source,
        piece: &InOrder,
        from: Position,
        mark: &mut dyn FnMut(Position, Offset),
    ) -> Result<(), Error> {
        let mut frames = Frames::new(&source.file, source.salt, piece.from, piece.until);
        let mut due = piece.position;
        while due < piece.behind && self.left() > 0 {
            let at = frames.offset();
            let frame = frames.next()?.unwrap_or(Err(RecordError::Overrun));
            let frame = frame.map_err(|cause| self.damaged(source, at, due, cause))?;
            if frame.head.flags.is_control() {
                continue;
            }
            if frame.head.position != due {
                let (expected, found) = (due.get(), frame.head.position.get());
                return Err(self.damaged(source, at, due, RecordError::Position { expected, found }));
            }
            due = due.next();
            let end = frame.end;
            if frame.head.position >= from {
                self.take(&frame, source.number);
            }
            mark(due, end);
        }
        Ok(())
    }

    /// Reads events of a stream whose positions lie between these two.
    ///
    /// # Errors
    ///
    /// `Damaged` if one is not there any more; `Io`.
    pub(super) fn in_stream(
        &mut self,
        source: &Source,
        piece: &InStream,
        (base, next): (Position, Position),
    ) -> Result<(), Error> {
        let Some(first) = piece.places.first() else { return Ok(()) };
        let mut frames = Frames::new(&source.file, source.salt, offset(*first), piece.until).by(SCATTERED_BYTES);
        let mut sequence = piece.first;
        let mut missing = base;
        for place in &piece.places {
            if self.left() == 0 {
                break;
            }
            let at = offset(*place);
            frames.go_to(at);
            let frame = frames.next()?.unwrap_or(Err(RecordError::Overrun));
            let frame = frame.map_err(|cause| self.damaged(source, at, missing, cause))?;
            let head = &frame.head;
            if head.stream != piece.stream || head.sequence != Some(sequence) {
                let found = head.sequence.map_or(0, Sequence::get);
                let cause = RecordError::Sequence { stream: piece.stream, expected: sequence.get(), found };
                return Err(self.damaged(source, at, missing, cause));
            }
            if head.position < base || head.position >= next {
                let cause = RecordError::Position { expected: missing.get(), found: head.position.get() };
                return Err(self.damaged(source, at, missing, cause));
            }
            missing = head.position.next();
            sequence = sequence.next();
            self.take(&frame, source.number);
        }
        Ok(())
    }

    fn take(&mut self, frame: &Frame<'_>, segment: SegmentNumber) {
        self.bytes += frame.end.since(frame.offset) as usize;
        self.records.extend(record_of(frame, segment));
    }
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
        crc: frame.crc,
    })
}
