//! The writer: groups of frames into the newest segment, one write and one sync at a time.
//!
//! Whoever holds the one `Writer` of a log writes. Writing and syncing are two calls, so that a simulator can decide
//! between them. After an error nobody knows what is on disk: the writer is poisoned and never writes again. Has no
//! thread, no queue and no clock; answers are held back by whoever calls.

use std::collections::HashMap;
use std::sync::Arc;

use crate::ids::{Position, Sequence, StreamId};
use crate::limits::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, RECORD_BYTES_MAX, WRITE_BYTES_MAX};
use crate::time::Timestamp;

use super::Shared;
use super::aftercare::Aftercare;
use super::catalog::Catalog;
use super::chain::{Last, Seen};
use super::directory::{Holder, Home, LogFile};
use super::error::Error;
use super::record::{self, CLOSE, Flags, Head, ORIGIN, WITNESS, frame_bytes};
use super::roll::{Prepared, Preparer, Slot};
use super::seed::Seed;
use super::segment::{CONTROL_RESERVE, FRAMES_START, Growth, Header, Ladder, LogId, Offset, Previous, needed};
use super::watermark::Watermark;

/// Memory that is kept for the next write: the largest groups are rare.
const BUFFER_BYTES_KEPT: usize = 2 * WRITE_BYTES_MAX;

/// The bytes of one event, to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Type of the event, as whoever encoded it numbers types.
    pub(crate) kind: u16,
    /// How the payload is encoded.
    pub(crate) codec: u8,
    /// The encoded event, 1 to `RECORD_BYTES_MAX` bytes.
    pub(crate) payload: Vec<u8>,
}

/// What the writer of a group believes about the end of its stream; the group is refused when it is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Nothing: the group goes behind whatever is there.
    Any,
    /// The stream has no events.
    Empty,
    /// The stream's last event has this sequence.
    Last(Sequence),
}

/// Events of one stream that are recorded together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    stream: StreamId,
    expected: Expected,
    now: Timestamp,
    frames: Vec<Frame>,
    bytes: u64,
}

impl Group {
    /// A group that a log takes: 1 to `BATCH_EVENTS_MAX` frames of at most `BATCH_BYTES_MAX` bytes with their headers.
    /// `now` becomes the time at which they are recorded, or that of the frame before if it is later.
    ///
    /// # Errors
    ///
    /// `GroupLimit` if it has no frames, too many, or too many bytes.
    ///
    /// # Panics
    ///
    /// If the stream is the one of control frames.
    pub(crate) fn new(
        stream: StreamId,
        expected: Expected,
        now: Timestamp,
        frames: Vec<Frame>,
    ) -> Result<Group, Error> {
        assert!(stream != StreamId::NONE, "control frames are the log's own");
        let within = |what, amount, max| {
            if (1..=max).contains(&amount) { Ok(amount) } else { Err(Error::GroupLimit { what, amount, max }) }
        };
        within("events", frames.len(), BATCH_EVENTS_MAX)?;
        let mut bytes = 0;
        for frame in &frames {
            bytes += frame_bytes(within("payload bytes in one event", frame.payload.len(), RECORD_BYTES_MAX)?);
        }
        let bytes = within("bytes", bytes, BATCH_BYTES_MAX)? as u64;
        Ok(Group { stream, expected, now, frames, bytes })
    }

    /// When it is to be recorded.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// Bytes the group takes in the log.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// What became of a group. It may be told to others only when the sync behind the write has succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It was written.
    Accepted {
        /// Position of its first event.
        position: Position,
        /// Sequence of its first event.
        sequence: Sequence,
        /// When all of it was recorded.
        recorded_at: Timestamp,
    },
    /// The stream ends elsewhere than was expected; nothing of the group was written.
    Conflict {
        /// Where it ends, the groups before this one in the same write included.
        actual: Option<Sequence>,
    },
}

/// The segment that is written to.
pub(super) struct Active {
    pub(super) header: Header,
    pub(super) file: LogFile,
    /// Behind the last frame.
    pub(super) end: Offset,
    /// Checksum of the last frame here; 0 if there is none.
    pub(super) crc: u32,
}

impl Active {
    /// A segment without frames.
    pub(super) fn empty(header: Header, file: LogFile) -> Active {
        Active { header, file, end: FRAMES_START, crc: 0 }
    }
}

/// Where the log ends, for whoever goes on behind it.
pub(super) struct End {
    /// Position of the next event.
    pub(super) next: Position,
    /// When the last frame was recorded.
    pub(super) recorded_at: Timestamp,
    pub(super) last: Last,
}

/// The one value that writes to a log.
pub(crate) struct Writer {
    home: Home,
    shared: Arc<Shared>,
    active: Active,
    end: End,
    /// Frames that were written and not synced.
    in_flight: Vec<Seen>,
    /// Last sequences of the streams that have frames in flight.
    heads: HashMap<StreamId, Sequence>,
    buffer: Vec<u8>,
    watermark: Option<LogFile>,
    poison: Option<String>,
    ladder: Ladder,
    seed: Seed,
    slot: Slot,
    /// Last, so that LOCK is given back when all else is done.
    holder: Holder,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        holder: Holder,
        active: Active,
        end: End,
        (ladder, seed): (Ladder, Seed),
    ) -> Writer {
        let home = shared.home.clone();
        Writer {
            home,
            shared,
            active,
            end,
            in_flight: Vec::new(),
            heads: HashMap::new(),
            buffer: Vec::new(),
            watermark: None,
            poison: None,
            ladder,
            seed,
            slot: Slot::new(),
            holder,
        }
    }

    /// Writes the groups whose expectation holds, in order, in one write; rolls to a new segment first if they do not
    /// fit. One answer for each group; no answer may leave before `sync` has succeeded, conflicts included.
    ///
    /// # Errors
    ///
    /// `NoSpace` or `Io` from making a new segment, `Io` or `Damaged` from looking up where a stream ends: nothing was
    /// assigned, the call may be repeated. Any other error poisons the writer, as `is_poisoned` tells.
    ///
    /// # Panics
    ///
    /// If an earlier write was not synced: there is one write in flight.
    pub(crate) fn write(&mut self, groups: Vec<Group>) -> Result<Vec<Written>, Error> {
        self.check_poison()?;
        assert!(self.in_flight.is_empty(), "one write is in flight at a time");
        let Some(first) = groups.first() else { return Ok(Vec::new()) };
        let waiting = groups.iter().map(Group::bytes).sum();
        if self.active.end.plus(waiting + CONTROL_RESERVE).get() > self.active.header.capacity {
            self.roll(Growth::Ladder, waiting, first.now)?;
        }
        let answers = self.seal(&groups)?;
        if !self.in_flight.is_empty() {
            let offset = self.in_flight.first().map_or(self.active.end, |seen| seen.offset);
            let written = self.holder.check().and_then(|()| self.active.file.write_all(&self.buffer, offset));
            self.or_poison(written)?;
        }
        if self.active.end.get() > self.active.header.capacity / 2 {
            self.slot.want(self.ladder.next(self.active.header.capacity, Growth::Ladder, 0));
        }
        Ok(answers)
    }

    /// Assigns positions, sequences and times, and encodes what is accepted into the buffer.
    fn seal(&mut self, groups: &[Group]) -> Result<Vec<Written>, Error> {
        self.buffer.clear();
        self.heads.clear();
        let witness = self.end.next;
        let shared = Arc::clone(&self.shared);
        let catalog = shared.catalog()?;
        // All that can fail comes first: an error leaves nothing assigned.
        let earlier = earlier_heads(&catalog, groups)?;
        let mut answers = Vec::with_capacity(groups.len());
        for group in groups {
            let actual = match self.heads.get(&group.stream) {
                Some(last) => Some(*last),
                None => {
                    let newest = catalog.newest_span(group.stream).map(|span| span.last);
                    newest.or_else(|| earlier.get(&group.stream).copied())
                }
            };
            let holds = match group.expected {
                Expected::Any => true,
                Expected::Empty => actual.is_none(),
                Expected::Last(sequence) => actual == Some(sequence),
            };
            if !holds {
                answers.push(Written::Conflict { actual });
                continue;
            }
            let position = self.end.next;
            let sequence = actual.map_or(Sequence::FIRST, Sequence::next);
            let recorded_at = self.end.recorded_at.max(group.now);
            for (index, frame) in group.frames.iter().enumerate() {
                let head = Head {
                    behind: behind(self.end.next, witness),
                    flags: Flags::of(index, group.frames.len()),
                    codec: frame.codec,
                    kind: frame.kind,
                    position: self.end.next,
                    stream: group.stream,
                    sequence: Some(sequence.plus(index as u64)),
                    recorded_at,
                };
                self.append(head, &frame.payload);
                self.end.next = self.end.next.next();
            }
            self.heads.insert(group.stream, sequence.plus(group.frames.len() as u64 - 1));
            answers.push(Written::Accepted { position, sequence, recorded_at });
        }
        Ok(answers)
    }

    /// Encodes one frame behind what is in the buffer.
    fn append(&mut self, head: Head, payload: &[u8]) {
        let offset = self.active.end;
        let crc = record::encode(&mut self.buffer, self.active.header.salt, offset, &head, payload);
        let end = offset.plus(frame_bytes(payload.len()) as u64);
        assert!(end.get() <= self.active.header.capacity, "a write was given a segment that it fits into");
        self.in_flight.push(Seen { head, offset, end, crc });
        self.active.end = end;
        self.active.crc = crc;
        self.end.recorded_at = head.recorded_at;
        self.end.last = Last::of(&head);
    }

    /// Makes what was written durable, tells readers, and gives the position of the next event: every event before it
    /// is durable. Without a write in flight nothing happens.
    ///
    /// # Errors
    ///
    /// `Io`: whether the write is durable is not known, and the writer is poisoned. `Poisoned`.
    pub(crate) fn sync(&mut self) -> Result<Position, Error> {
        self.check_poison()?;
        if self.in_flight.is_empty() {
            return Ok(self.end.next);
        }
        let synced = self.active.file.sync_data();
        self.or_poison(synced)?;
        self.write_watermark();
        let published = self.shared.publish(&self.in_flight, self.end.next);
        self.in_flight.clear();
        if self.buffer.capacity() > BUFFER_BYTES_KEPT {
            self.buffer = Vec::new();
        }
        self.or_poison(published)?;
        Ok(self.end.next)
    }

    /// Says in the log that all before is durable, if the last frame is an event; to be called when nothing has been
    /// written for a while. Without it damage to the last write could be taken for a tear.
    ///
    /// # Errors
    ///
    /// As `sync`.
    ///
    /// # Panics
    ///
    /// If a write was not synced.
    pub(crate) fn idle(&mut self) -> Result<(), Error> {
        self.check_poison()?;
        if self.end.last == Last::Event {
            self.write_control(WITNESS, &self.end.next.get().to_le_bytes())?;
        }
        Ok(())
    }

    /// Ends the log in order: what was written is synced, CLOSE says that all is durable, LOCK is given back. Dropping
    /// the writer instead is what a killed process does.
    ///
    /// # Errors
    ///
    /// As `sync`. LOCK is given back all the same.
    pub(crate) fn close(mut self) -> Result<(), Error> {
        self.sync()?;
        match self.end.last {
            Last::Nothing | Last::Control(CLOSE) => Ok(()),
            Last::Event | Last::Control(_) => self.write_control(CLOSE, &self.end.next.get().to_le_bytes()),
        }
    }

    /// Whether an earlier call failed in a way that leaves unknown what is on disk.
    #[cfg(test)]
    pub(crate) fn is_poisoned(&self) -> bool {
        self.poison.is_some()
    }

    /// Makes the next segment's file beside this writer. One is enough.
    pub(crate) fn preparer(&mut self) -> Preparer {
        Preparer::new(self.home.clone(), self.seed.branch(), self.slot.clone())
    }

    /// Looks after sealed segments beside this writer. One is enough.
    pub(crate) fn aftercare(&self) -> Aftercare {
        Aftercare::new(Arc::clone(&self.shared), self.seed.aside())
    }

    /// Identity of the log.
    pub(super) fn log_id(&self) -> LogId {
        self.shared.log_id
    }

    /// Says in a new log which one it was copied from, how far that one went, and when its first event was recorded.
    ///
    /// # Errors
    ///
    /// As `sync`.
    ///
    /// # Panics
    ///
    /// If the log is not new.
    pub(super) fn begin_copy(&mut self, origin: LogId, last: u64, recorded_at: Timestamp) -> Result<(), Error> {
        assert!(self.end.last == Last::Nothing, "the origin is the first frame");
        self.end.recorded_at = recorded_at;
        let payload = [&origin.to_bytes()[..], &last.to_le_bytes()].concat();
        self.write_control(ORIGIN, &payload)
    }

    fn write_control(&mut self, kind: u16, payload: &[u8]) -> Result<(), Error> {
        assert!(self.in_flight.is_empty(), "a control frame says that all before it is durable");
        let next = self.end.next;
        if self.active.end.plus(frame_bytes(payload.len()) as u64).get() > self.active.header.capacity {
            // No log we wrote is so full. The frame is evidence, no event hangs on it.
            tracing::warn!(path = %self.active.file.path().display(), "no room for a control frame");
            return Ok(());
        }
        let head = Head {
            behind: 0,
            flags: Flags::CONTROL,
            codec: 0,
            kind,
            position: next,
            stream: StreamId::NONE,
            sequence: None,
            recorded_at: self.end.recorded_at,
        };
        let offset = self.active.end;
        self.buffer.clear();
        self.append(head, payload);
        self.in_flight.clear();
        let written = self
            .holder
            .check()
            .and_then(|()| self.active.file.write_all(&self.buffer, offset))
            .and_then(|()| self.active.file.sync_data());
        self.or_poison(written)?;
        self.write_watermark();
        if let Some(Err(error)) = self.watermark.as_ref().map(LogFile::sync_data) {
            tracing::warn!(%error, "WATERMARK may be behind after a power cut");
        }
        Ok(())
    }

    /// Tells readers how far the log is durable. An error is traced only: a stale value is as true.
    pub(super) fn write_watermark(&mut self) {
        if self.watermark.is_none() {
            self.watermark = self.home.open_watermark();
        }
        let Some(file) = &self.watermark else { return };
        let watermark = Watermark {
            log_id: self.shared.log_id,
            position: self.end.next,
            number: self.active.header.number,
            end: self.active.end,
        };
        if let Err(error) = file.write_all(&watermark.encode(), Offset::new(0)) {
            tracing::warn!(%error, "other processes see this log as it was before");
        }
    }

    /// Goes on in a new segment that takes `waiting` bytes of frames.
    pub(super) fn roll(&mut self, growth: Growth, waiting: u64, now: Timestamp) -> Result<(), Error> {
        let before = &self.active.header;
        let capacity = self.ladder.next(before.capacity, growth, waiting);
        let prepared = match self.slot.take(needed(waiting)) {
            Some(prepared) => prepared,
            None => Prepared::zeros(&self.home, &mut self.seed, capacity)?,
        };
        let header = Header {
            log_id: before.log_id,
            number: before.number.next(),
            salt: self.seed.number(),
            base: self.end.next,
            capacity: prepared.capacity,
            created_at: now,
            previous: Some(Previous { salt: before.salt, end: self.active.end, crc: self.active.crc }),
        };
        let prepared = prepared.with_header(&header)?;
        let installed = self.holder.check().and_then(|()| prepared.install(&header));
        let file = self.or_poison(installed)?;
        let begun = self.shared.begin_segment(&self.active.header, &header, &file);
        self.or_poison(begun)?;
        self.active = Active::empty(header, file);
        Ok(())
    }

    fn check_poison(&self) -> Result<(), Error> {
        match &self.poison {
            Some(cause) => Err(Error::Poisoned { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    fn or_poison<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &result
            && self.poison.is_none()
        {
            let source = std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"));
            self.poison = Some(format!("{error}{source}"));
            tracing::error!(%error, "the log is poisoned, nothing more is written");
        }
        result
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.slot.close();
    }
}

/// Last sequences of the streams that go on in these groups and are not in the newest segment.
fn earlier_heads(catalog: &Catalog, groups: &[Group]) -> Result<HashMap<StreamId, Sequence>, Error> {
    let mut heads = HashMap::new();
    for group in groups {
        if catalog.newest_span(group.stream).is_none()
            && !heads.contains_key(&group.stream)
            && let Some(last) = catalog.head(group.stream).ask().whole()?
        {
            heads.insert(group.stream, last);
        }
    }
    Ok(heads)
}

fn behind(position: Position, witness: Position) -> u32 {
    u32::try_from(position.get() - witness.get()).expect("one write holds far below 2^32 events")
}
