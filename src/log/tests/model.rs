//! What a log must hold, kept beside one that is written, crashed and opened again.
//!
//! `Model` knows what was acknowledged and what was on its way; `Session` drives a writer and keeps the model.

use crate::ids::{Position, Sequence, StreamId};
use crate::log::{Aftercare, Error, Expected, Frame, Group, Log, Options, Preparer, Reader, Record, Writer, Written};
use crate::testing::dice::Dice;
use crate::testing::disk::Disk;
use crate::time::Timestamp;

/// The shortest segment there is: one page of frames.
pub(super) const SEGMENT: u64 = 16 * 1024;

/// How many times longer than usual the tests run.
pub(super) fn long() -> u64 {
    std::env::var("STABILIZE_LONG").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// One event, without what the log adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) stream: StreamId,
    pub(super) sequence: u64,
    pub(super) kind: u16,
    pub(super) payload: Vec<u8>,
    pub(super) first: bool,
    pub(super) last: bool,
}

impl Entry {
    pub(super) fn of(record: &Record) -> Entry {
        Entry {
            stream: record.stream,
            sequence: record.sequence.get(),
            kind: record.kind,
            payload: record.payload.clone(),
            first: record.first,
            last: record.last,
        }
    }
}

/// A stream by its number.
pub(super) fn stream(number: u64) -> StreamId {
    let mut bytes = [0x11; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    StreamId::from_bytes(bytes)
}

/// Frames with payloads of these lengths, filled from `dice`.
pub(super) fn frames(dice: &mut Dice, lengths: &[usize]) -> Vec<Frame> {
    let mut frame = |length: usize| {
        let fill = if dice.once_in(4) { 0 } else { dice.roll() };
        let payload = (0..length).map(|index| (fill >> (index % 8)) as u8).collect();
        Frame { kind: dice.below(50) as u16, codec: 1, payload }
    };
    lengths.iter().map(|length| frame(*length)).collect()
}

/// A group of a few frames for one of a few streams.
pub(super) fn any_group(dice: &mut Dice, now: i64) -> Group {
    let lengths: Vec<usize> = (0..1 + dice.below(4)).map(|_| 1 + dice.below(300) as usize).collect();
    let stream = stream(dice.below(5));
    Group::new(stream, Expected::Any, Timestamp::from_microseconds(now), frames(dice, &lengths)).unwrap()
}

/// What must be in a log.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    /// Events that were acknowledged.
    pub(super) confirmed: Vec<Entry>,
    /// Groups that were written and may be there or not.
    pub(super) in_doubt: Vec<Vec<Entry>>,
    pub(super) opened: u64,
}

impl Model {
    fn head(&self, stream: StreamId) -> u64 {
        let pending = self.in_doubt.iter().flatten();
        self.confirmed.iter().chain(pending).filter(|entry| entry.stream == stream).count() as u64
    }

    /// Foresees what writing these groups does.
    pub(super) fn expect(&mut self, groups: &[(StreamId, Expected, Vec<Frame>)]) -> Vec<bool> {
        let mut accepted = Vec::new();
        for (stream, expected, frames) in groups {
            let head = self.head(*stream);
            let holds = match expected {
                Expected::Any => true,
                Expected::Empty => head == 0,
                Expected::Last(sequence) => head == sequence.get(),
            };
            accepted.push(holds);
            if holds {
                let count = frames.len();
                let entry = |(index, frame): (usize, &Frame)| Entry {
                    stream: *stream,
                    sequence: head + 1 + index as u64,
                    kind: frame.kind,
                    payload: frame.payload.clone(),
                    first: index == 0,
                    last: index + 1 == count,
                };
                self.in_doubt.push(frames.iter().enumerate().map(entry).collect());
            }
        }
        accepted
    }

    pub(super) fn confirm(&mut self) {
        self.confirmed.extend(self.in_doubt.drain(..).flatten());
    }

    /// Checks what recovery found: all that was acknowledged, then whole groups of what was on its way, in order.
    pub(super) fn check(&self, found: &[Entry]) -> Result<(), String> {
        let known = self.confirmed.len();
        if found.len() < known {
            return Err(format!("{known} events were acknowledged, {} are there", found.len()));
        }
        if let Some(position) = found.iter().zip(&self.confirmed).position(|(found, known)| found != known) {
            return Err(format!("event {} is not the one that was acknowledged", position + 1));
        }
        let mut rest = &found[known..];
        for group in &self.in_doubt {
            if rest.is_empty() {
                return Ok(());
            }
            if !rest.starts_with(group) {
                return Err(format!("{} events behind the acknowledged ones are not a whole group", rest.len()));
            }
            rest = &rest[group.len()..];
        }
        if rest.is_empty() { Ok(()) } else { Err(format!("{} events were never written", rest.len())) }
    }

    /// What was found is part of the log from here on.
    pub(super) fn settle(&mut self, found: Vec<Entry>) {
        self.confirmed = found;
        self.in_doubt.clear();
    }
}

/// All events of a log, as one who reads it sees them.
pub(super) fn read_everything(
    mut read: impl FnMut(Position, usize) -> Result<Vec<Record>, Error>,
) -> Result<Vec<Record>, Error> {
    let mut records: Vec<Record> = Vec::new();
    loop {
        let from = Position::FIRST.plus(records.len() as u64);
        let more = read(from, 7)?;
        if more.is_empty() {
            return Ok(records);
        }
        for (index, record) in more.iter().enumerate() {
            assert_eq!(record.position, from.plus(index as u64), "positions have no gaps");
        }
        records.extend(more);
    }
}

/// Events in order up to the first that cannot be read, and why it cannot.
pub(super) fn read_until_damage(
    mut read: impl FnMut(Position, usize) -> Result<Vec<Record>, Error>,
) -> (Vec<Record>, Option<Error>) {
    let mut records: Vec<Record> = Vec::new();
    loop {
        match read(Position::FIRST.plus(records.len() as u64), 7) {
            Ok(more) if more.is_empty() => return (records, None),
            Ok(more) => records.extend(more),
            Err(error) => return (records, Some(error)),
        }
    }
}

/// All events of an open log.
pub(super) fn events(log: &Log) -> Result<Vec<Entry>, Error> {
    Ok(read_everything(|from, limit| log.read_all(from, limit))?.iter().map(Entry::of).collect())
}

/// All events below the horizon of a reader.
pub(super) fn visible(reader: &Reader) -> Vec<Entry> {
    let records = read_everything(|from, limit| reader.read_all(from, limit)).unwrap();
    assert_eq!(records.len() as u64 + 1, reader.horizon().get(), "all below the horizon is delivered");
    records.iter().map(Entry::of).collect()
}

pub(super) fn options(opened: u64) -> Options {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&opened.to_le_bytes());
    Options {
        segment_bytes_first: SEGMENT,
        segment_bytes_max: SEGMENT,
        ..Options::new(seed, Timestamp::from_microseconds(1_000_000), 4242)
    }
}

/// An open log and what must be in it.
pub(super) struct Session<'a> {
    pub(super) log: Log,
    pub(super) writer: Writer,
    pub(super) preparer: Preparer,
    pub(super) aftercare: Aftercare,
    pub(super) model: &'a mut Model,
}

impl<'a> Session<'a> {
    /// Opens the log and checks what recovery made of it.
    pub(super) fn open(disk: &Disk, model: &'a mut Model) -> Result<Session<'a>, Error> {
        model.opened += 1;
        let (log, mut writer) = Log::open(disk.process(), &options(model.opened))?;
        let found = events(&log)?;
        model.check(&found).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(log.durable().get(), found.len() as u64 + 1);
        model.settle(found);
        let (preparer, aftercare) = (writer.preparer(), writer.aftercare());
        Ok(Session { log, writer, preparer, aftercare, model })
    }

    pub(super) fn write(&mut self, groups: Vec<(StreamId, Expected, Vec<Frame>)>) -> Result<Vec<Written>, Error> {
        let now = Timestamp::from_microseconds(1_000_000 + self.model.confirmed.len() as i64);
        let expected = self.model.expect(&groups);
        let groups =
            groups.into_iter().map(|(stream, expected, frames)| Group::new(stream, expected, now, frames).unwrap());
        let written = self.writer.write(groups.collect());
        match &written {
            Ok(written) => {
                let accepted: Vec<bool> =
                    written.iter().map(|answer| matches!(answer, Written::Accepted { .. })).collect();
                assert_eq!(accepted, expected);
            }
            Err(_) if !self.writer.is_poisoned() => self.model.in_doubt.clear(),
            Err(_) => {}
        }
        written
    }

    pub(super) fn sync(&mut self) -> Result<(), Error> {
        let durable = self.writer.sync()?;
        self.model.confirm();
        assert_eq!(durable.get(), self.model.confirmed.len() as u64 + 1);
        assert_eq!(self.log.durable(), durable);
        Ok(())
    }

    /// Writes a few groups for a few streams.
    pub(super) fn write_some(&mut self, dice: &mut Dice) -> Result<(), Error> {
        let mut groups = Vec::new();
        for _ in 0..1 + dice.below(3) {
            let lengths: Vec<usize> = (0..1 + dice.below(4)).map(|_| 1 + dice.below(300) as usize).collect();
            let expected = match dice.below(12) {
                0 => Expected::Empty,
                1 => Expected::Last(Sequence::FIRST),
                _ => Expected::Any,
            };
            groups.push((stream(dice.below(5)), expected, frames(dice, &lengths)));
        }
        self.write(groups).map(drop)
    }

    /// Writes and syncs a few times, with what else an engine does in between.
    pub(super) fn work(&mut self, dice: &mut Dice, writes: u64) -> Result<(), Error> {
        for _ in 0..writes {
            self.write_some(dice)?;
            self.sync()?;
            if dice.once_in(3) && self.preparer.is_wanted() {
                self.preparer.prepare()?;
            }
            if dice.once_in(5) {
                self.writer.idle()?;
            }
        }
        Ok(())
    }

    /// Looks after every sealed segment that waits for it.
    pub(super) fn tend(&mut self) -> Result<(), Error> {
        while self.aftercare.is_wanted() {
            self.aftercare.perform()?;
        }
        Ok(())
    }

    pub(super) fn close(self) -> Result<(), Error> {
        self.writer.close()
    }
}
