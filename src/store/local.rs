//! Stores over the log on this machine's disk: one that writes, and one that reads beside whoever writes.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use crate::event::Recorded;
use crate::ids::{Position, Sequence, StreamId};
use crate::log::{
    self, Aftercare, FileStorage, Frame, Group, Log, Options, Preparer, Reader, Record, Storage, Writer, Written,
};

use super::append::{Append, Appended, Expected};
use super::codec::decode;
use super::error::{Error, RecordPlace};
use super::horizon::Horizon;
use super::live::{Live, has_seen_events};
use super::{EventStore, StoreWriter};

/// How often a reader without the lock looks for more.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// The store of the process that has the lock.
pub(crate) struct LocalStore {
    log: Log,
    horizon: Arc<Horizon>,
    live: Arc<Live>,
    /// Until somebody takes it.
    writer: Mutex<Option<Writer>>,
}

impl LocalStore {
    /// Opens the log in this directory for writing, makes it if there is none, and recovers what a crash left.
    ///
    /// # Errors
    ///
    /// `is_locked`, `is_damage` or `is_unsupported` with nothing changed; `is_no_space`; a disk that fails.
    pub(crate) fn open(directory: &Path, options: &Options) -> Result<LocalStore, Error> {
        let storage: Arc<dyn Storage> = Arc::new(FileStorage::new(directory));
        // A log may be gone and the index of it still there.
        if let Some(damage) = log::missing_log(Arc::clone(&storage))?
            && has_seen_events(directory)
        {
            return Err(damage.into());
        }
        let store = LocalStore::open_with(storage, options, Some(directory))?;
        store.live.check()?;
        Ok(store)
    }

    /// Opens the log in any storage.
    ///
    /// # Errors
    ///
    /// As `open`.
    pub(crate) fn open_in(storage: Arc<dyn Storage>, options: &Options) -> Result<LocalStore, Error> {
        LocalStore::open_with(storage, options, None)
    }

    fn open_with(storage: Arc<dyn Storage>, options: &Options, directory: Option<&Path>) -> Result<LocalStore, Error> {
        let (log, writer) = Log::open(storage, options)?;
        let horizon = Arc::new(Horizon::new(log.durable()));
        let live = Arc::new(Live::new(log.clone(), directory));
        Ok(LocalStore { log, horizon, live, writer: Mutex::new(Some(writer)) })
    }

    /// Whether the log was on hold when it was opened: then nothing may be dispatched.
    pub(crate) fn hold(&self) -> bool {
        self.log.hold()
    }
}

impl EventStore for LocalStore {
    fn writer(&self) -> Result<Box<dyn StoreWriter>, Error> {
        let taken = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let writer = taken.ok_or(Error::WriterTaken)?;
        Ok(Box::new(LocalWriter { writer, horizon: Arc::clone(&self.horizon), live: Arc::clone(&self.live) }))
    }

    fn read(&self, stream: StreamId, from: Sequence, limit: usize) -> Result<Vec<Recorded>, Error> {
        recorded(&self.log.read_stream(stream, from, limit)?)
    }

    fn read_all(&self, from: Position, limit: usize) -> Result<Vec<Recorded>, Error> {
        recorded(&self.log.read_all(from, limit)?)
    }

    fn last(&self, stream: StreamId) -> Result<Option<Sequence>, Error> {
        Ok(self.log.head(stream)?)
    }

    fn streams(&self) -> Result<Vec<(StreamId, Sequence)>, Error> {
        Ok(self.log.heads()?)
    }

    fn live_streams(&self) -> Result<Vec<StreamId>, Error> {
        match self.live.streams() {
            Some(streams) => Ok(streams.into_iter().map(|(stream, _)| stream).collect()),
            None => {
                let streams = self.streams()?.into_iter().map(|(stream, _)| stream);
                Ok(streams.filter(|stream| stream.as_workflow().is_some()).collect())
            }
        }
    }

    fn durable(&self) -> Position {
        self.log.durable()
    }

    fn wait_durable(&self, position: Position, timeout: Duration) -> Result<Position, Error> {
        Ok(self.horizon.wait(position, timeout))
    }
}

fn recorded(records: &[Record]) -> Result<Vec<Recorded>, Error> {
    records.iter().map(event_of).collect()
}

fn event_of(record: &Record) -> Result<Recorded, Error> {
    let (position, stream, sequence) = (record.position, record.stream, record.sequence);
    let event = decode(record.kind, record.codec, &record.payload).map_err(|cause| {
        let place = Some(RecordPlace { segment: record.segment.get(), offset: record.offset.get() });
        Error::Undecodable { position, stream, sequence, place, cause }
    })?;
    Ok(Recorded { position, stream, sequence, recorded_at: record.recorded_at, event })
}

/// The log's writer, in the words of a store.
struct LocalWriter {
    writer: Writer,
    horizon: Arc<Horizon>,
    live: Arc<Live>,
}

fn group_of(append: Append) -> Result<Group, log::Error> {
    let expected = match append.expected() {
        Expected::Any => log::Expected::Any,
        Expected::Empty => log::Expected::Empty,
        Expected::Last(sequence) => log::Expected::Last(sequence),
    };
    let (stream, now) = (append.stream(), append.now());
    let frames = append.into_events().into_iter();
    let frames = frames.map(|event| Frame { kind: event.kind, codec: event.codec, payload: event.payload });
    Group::new(stream, expected, now, frames.collect())
}

fn answer_of(written: Written) -> Appended {
    match written {
        Written::Accepted { position, sequence, recorded_at } => Appended::Accepted { position, sequence, recorded_at },
        Written::Conflict { actual } => Appended::Conflict { actual },
    }
}

impl StoreWriter for LocalWriter {
    fn write(&mut self, appends: Vec<Append>) -> Result<Vec<Appended>, Error> {
        let groups = appends.into_iter().map(group_of).collect::<Result<_, _>>()?;
        Ok(self.writer.write(groups)?.into_iter().map(answer_of).collect())
    }

    fn sync(&mut self) -> Result<Position, Error> {
        let durable = self.writer.sync()?;
        self.horizon.raise(durable);
        Ok(durable)
    }

    fn idle(&mut self) -> Result<(), Error> {
        Ok(self.writer.idle()?)
    }

    fn upkeep(&mut self) -> Option<Upkeep> {
        let (preparer, aftercare) = (self.writer.preparer(), self.writer.aftercare());
        Some(Upkeep { preparer, aftercare, live: Arc::clone(&self.live) })
    }

    fn close(mut self: Box<Self>) -> Result<(), Error> {
        self.sync()?;
        Ok(self.writer.close()?)
    }
}

/// Work for a thread beside the writer: making room before it is needed, and looking after what is full.
pub struct Upkeep {
    preparer: Preparer,
    aftercare: Aftercare,
    live: Arc<Live>,
}

impl Upkeep {
    /// Whether there is something to do; to be asked after a write.
    pub fn is_due(&self) -> bool {
        self.preparer.is_wanted() || self.aftercare.is_wanted() || self.live.is_due()
    }

    /// Does something of what is due, the most urgent first. It takes as long as writing and syncing a segment does.
    ///
    /// # Errors
    ///
    /// `is_no_space`, `is_damage`, or a disk that fails. It harms nothing: the writer makes room itself when it must,
    /// and nobody needs the rest.
    pub fn perform(&mut self) -> Result<(), Error> {
        if self.preparer.is_wanted() {
            return Ok(self.preparer.prepare()?);
        }
        if self.aftercare.is_wanted() {
            return Ok(self.aftercare.perform()?);
        }
        self.live.perform();
        Ok(())
    }
}

/// The store of a process that has not the lock: it reads beside a writer, or on a copy nobody may write to.
pub(crate) struct LocalReader {
    /// Held while it reads the disk: looking again moves the end that reading goes to, and who waits for one of the two
    /// waits for the disk anyway.
    reader: RwLock<Reader>,
}

impl LocalReader {
    /// Opens the log in this directory for reading, without its lock. A damaged log is opened too, as far as it is
    /// whole; `damage` tells.
    ///
    /// # Errors
    ///
    /// `is_missing` if there is none, `is_damage` if nothing of it can be read, `is_unsupported`, or a disk that fails.
    pub(crate) fn open(directory: &Path) -> Result<LocalReader, Error> {
        LocalReader::open_in(Arc::new(FileStorage::new(directory)))
    }

    /// Opens the log in any storage.
    ///
    /// # Errors
    ///
    /// As `open`.
    pub(crate) fn open_in(storage: Arc<dyn Storage>) -> Result<LocalReader, Error> {
        Ok(LocalReader { reader: RwLock::new(Reader::open(storage)?) })
    }

    /// What is wrong with the log, if something is: acknowledged events from `durable` on cannot be read.
    pub(crate) fn damage(&self) -> Option<Error> {
        self.last_look().damage().map(Error::from)
    }

    /// How many events stand behind `durable` of which nobody knows yet whether they will stay.
    pub(crate) fn unconfirmed(&self) -> u64 {
        self.last_look().unconfirmed()
    }

    /// Whether the log is on hold.
    ///
    /// # Errors
    ///
    /// A disk that fails.
    #[cfg(test)]
    pub(crate) fn hold(&self) -> Result<bool, Error> {
        Ok(self.reader()?.hold()?)
    }

    /// The log as it was found, for questions that a half done look cannot spoil.
    fn last_look(&self) -> RwLockReadGuard<'_, Reader> {
        self.reader.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> Result<RwLockReadGuard<'_, Reader>, log::Error> {
        self.reader.read().map_err(|_| look_lost())
    }

    /// Looks at the disk; gives how far the store is durable.
    fn look(&self) -> Result<Position, log::Error> {
        let mut reader = self.reader.write().map_err(|_| look_lost())?;
        reader.refresh()?;
        Ok(reader.horizon())
    }
}

/// A thread panicked while it looked at the disk: what is known may be half of it.
fn look_lost() -> log::Error {
    log::Error::Poisoned { cause: "a thread panicked while it read the log".to_owned() }
}

impl EventStore for LocalReader {
    fn writer(&self) -> Result<Box<dyn StoreWriter>, Error> {
        Err(Error::ReadOnly)
    }

    fn read(&self, stream: StreamId, from: Sequence, limit: usize) -> Result<Vec<Recorded>, Error> {
        recorded(&self.reader()?.read_stream(stream, from, limit)?)
    }

    fn read_all(&self, from: Position, limit: usize) -> Result<Vec<Recorded>, Error> {
        recorded(&self.reader()?.read_all(from, limit)?)
    }

    fn last(&self, stream: StreamId) -> Result<Option<Sequence>, Error> {
        Ok(self.reader()?.head(stream)?)
    }

    fn streams(&self) -> Result<Vec<(StreamId, Sequence)>, Error> {
        Ok(self.reader()?.heads()?)
    }

    /// As it was when the disk was looked at last: by `open` or by `wait_durable`.
    fn durable(&self) -> Position {
        self.last_look().horizon()
    }

    /// Looks at the disk at once, and again every 50 ms while the time lasts.
    fn wait_durable(&self, position: Position, timeout: Duration) -> Result<Position, Error> {
        let mut left = timeout;
        loop {
            let durable = self.look()?;
            if durable > position || left.is_zero() {
                return Ok(durable);
            }
            let pause = left.min(LOOK_INTERVAL);
            std::thread::sleep(pause);
            left -= pause;
        }
    }
}
