//! A store that lasts as long as its process: for `Config::memory()` and tests.
//!
//! It holds bytes, not events, so that whatever runs on it has been through the codec. Writing and syncing are as far
//! apart as on a disk: what was not synced is gone when it is opened again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::event::Recorded;
use crate::ids::{Position, Sequence, StreamId};
use crate::time::Timestamp;

use super::append::{Append, Appended, Encoded};
use super::error::Error;
use super::horizon::Horizon;
use super::{EventStore, StoreWriter};

/// One event as it is kept.
struct Entry {
    position: Position,
    stream: StreamId,
    sequence: Sequence,
    recorded_at: Timestamp,
    encoded: Encoded,
}

impl Entry {
    fn recorded(&self) -> Result<Recorded, Error> {
        let event = self.encoded.decode().map_err(|cause| Error::Undecodable {
            position: self.position,
            stream: self.stream,
            sequence: self.sequence,
            place: None,
            cause,
        })?;
        Ok(Recorded {
            position: self.position,
            stream: self.stream,
            sequence: self.sequence,
            recorded_at: self.recorded_at,
            event,
        })
    }
}

/// The durable events.
#[derive(Clone, Default)]
struct Entries {
    all: Vec<Arc<Entry>>,
    streams: BTreeMap<StreamId, Vec<Arc<Entry>>>,
}

impl Entries {
    fn last(&self, stream: StreamId) -> Option<Sequence> {
        self.streams.get(&stream)?.last().map(|entry| entry.sequence)
    }

    fn add(&mut self, entry: Entry) {
        let entry = Arc::new(entry);
        self.streams.entry(entry.stream).or_default().push(Arc::clone(&entry));
        self.all.push(entry);
    }
}

/// At most `limit` events, the one with this number first. Numbers begin at 1.
fn cut(entries: &[Arc<Entry>], number: u64, limit: usize) -> Vec<Arc<Entry>> {
    let start = usize::try_from(number - 1).unwrap_or(usize::MAX);
    entries.iter().skip(start).take(limit).cloned().collect()
}

fn read(entries: &[Arc<Entry>]) -> Result<Vec<Recorded>, Error> {
    entries.iter().map(|entry| entry.recorded()).collect()
}

struct Shared {
    entries: Mutex<Entries>,
    horizon: Horizon,
    is_taken: Mutex<bool>,
}

impl Shared {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        // Adding an event does not panic, so that no thread leaves half of it behind.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Streams of events in memory. Clones are the same store.
#[derive(Clone)]
pub(crate) struct MemoryStore {
    shared: Arc<Shared>,
}

impl MemoryStore {
    /// A store without events.
    pub(crate) fn new() -> MemoryStore {
        MemoryStore::with(Entries::default())
    }

    /// A store with the durable events of this one: what is found after the process that wrote them was killed. From
    /// here on the two go their own ways.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn reopen(&self) -> MemoryStore {
        let entries = self.shared.entries().clone();
        MemoryStore::with(entries)
    }

    fn with(entries: Entries) -> MemoryStore {
        let horizon = Horizon::new(Position::FIRST.plus(entries.all.len() as u64));
        MemoryStore { shared: Arc::new(Shared { entries: Mutex::new(entries), horizon, is_taken: Mutex::new(false) }) }
    }
}

impl EventStore for MemoryStore {
    fn writer(&self) -> Result<Box<dyn StoreWriter>, Error> {
        let mut is_taken = self.shared.is_taken.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *is_taken, true) {
            return Err(Error::WriterTaken);
        }
        let last = self.shared.entries().all.last().cloned();
        Ok(Box::new(MemoryWriter {
            next: self.durable(),
            recorded_at: last.map_or(Timestamp::from_microseconds(i64::MIN), |last| last.recorded_at),
            shared: Arc::clone(&self.shared),
            written: Vec::new(),
            heads: BTreeMap::new(),
        }))
    }

    fn read(&self, stream: StreamId, from: Sequence, limit: usize) -> Result<Vec<Recorded>, Error> {
        let found = match self.shared.entries().streams.get(&stream) {
            Some(entries) => cut(entries, from.get(), limit),
            None => Vec::new(),
        };
        read(&found)
    }

    fn read_all(&self, from: Position, limit: usize) -> Result<Vec<Recorded>, Error> {
        let found = cut(&self.shared.entries().all, from.get(), limit);
        read(&found)
    }

    fn last(&self, stream: StreamId) -> Result<Option<Sequence>, Error> {
        Ok(self.shared.entries().last(stream))
    }

    fn streams(&self) -> Result<Vec<(StreamId, Sequence)>, Error> {
        let entries = self.shared.entries();
        let ends = entries.streams.iter().filter_map(|(stream, entries)| Some((*stream, entries.last()?.sequence)));
        Ok(ends.collect())
    }

    fn durable(&self) -> Position {
        self.shared.horizon.get()
    }

    fn wait_durable(&self, position: Position, timeout: Duration) -> Result<Position, Error> {
        Ok(self.shared.horizon.wait(position, timeout))
    }
}

/// The one value that writes to a store in memory.
struct MemoryWriter {
    shared: Arc<Shared>,
    next: Position,
    recorded_at: Timestamp,
    /// Written and not synced.
    written: Vec<Entry>,
    /// Last sequences of the streams that have events in `written`.
    heads: BTreeMap<StreamId, Sequence>,
}

impl MemoryWriter {
    fn append(&mut self, append: Append) -> Appended {
        let stream = append.stream();
        let actual = self.heads.get(&stream).copied().or_else(|| self.shared.entries().last(stream));
        if !append.expected().holds(actual) {
            return Appended::Conflict { actual };
        }
        self.recorded_at = self.recorded_at.max(append.now());
        let (position, recorded_at) = (self.next, self.recorded_at);
        let sequence = actual.map_or(Sequence::FIRST, Sequence::next);
        let mut due = sequence;
        for encoded in append.into_events() {
            self.written.push(Entry { position: self.next, stream, sequence: due, recorded_at, encoded });
            self.heads.insert(stream, due);
            self.next = self.next.next();
            due = due.next();
        }
        Appended::Accepted { position, sequence, recorded_at }
    }
}

impl StoreWriter for MemoryWriter {
    fn write(&mut self, appends: Vec<Append>) -> Result<Vec<Appended>, Error> {
        assert!(self.written.is_empty(), "one write is in flight at a time");
        Ok(appends.into_iter().map(|append| self.append(append)).collect())
    }

    fn sync(&mut self) -> Result<Position, Error> {
        self.heads.clear();
        let written = std::mem::take(&mut self.written);
        let mut entries = self.shared.entries();
        written.into_iter().for_each(|entry| entries.add(entry));
        drop(entries);
        self.shared.horizon.raise(self.next);
        Ok(self.next)
    }

    fn idle(&mut self) -> Result<(), Error> {
        assert!(self.written.is_empty(), "nothing is idle while a write is in flight");
        Ok(())
    }

    fn close(mut self: Box<Self>) -> Result<(), Error> {
        self.sync().map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::conformance::{conformance, conformance_of_reopening};
    use crate::testing::stores;

    #[test]
    fn it_passes_the_suite() {
        conformance(&mut stores::memory);
        conformance_of_reopening(&mut stores::reopening_memory);
    }
}
