//! Bytes in order, durably: segments on disk, one writer, any number of readers.
//!
//! Knows streams, positions and groups of frames, but no events: a payload is bytes. `docs/FORMAT.md` says what stands
//! on disk and what recovery does with it. Has no thread and no clock.

#![deny(clippy::indexing_slicing)]

mod aftercare;
mod commit;
mod recover;
mod roll;

mod inventory;
mod reader;
mod salvage;
mod verify;

mod catalog;
mod chain;
mod extent;
mod fetch;
mod index;
mod sealed;
mod walk;

mod directory;
mod error;
mod record;
mod seed;
mod segment;
mod storage;
mod watermark;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock, RwLockReadGuard};

use crate::ids::{Position, Sequence, StreamId};
use crate::limits::{SEGMENT_BYTES_FIRST, SEGMENT_BYTES_MAX};
use crate::time::Timestamp;

use aftercare::Untended;
use catalog::Catalog;
use chain::Seen;
use directory::{Home, LogFile};
use error::{Damage, Evidence};
use fetch::Source;
use sealed::Sealed;
use segment::{Header, Ladder};

pub(crate) use aftercare::Aftercare;
pub(crate) use commit::{Expected, Frame, Group, Writer, Written};
pub use directory::LogHolder;
pub(crate) use error::{Error, Finding};
pub(crate) use inventory::inventory;
pub(crate) use reader::Reader;
#[cfg(any(test, feature = "testing"))]
pub(crate) use record::resealed;
pub(crate) use roll::Preparer;
pub(crate) use salvage::salvage;
pub(crate) use segment::{FORMAT, LogId, Offset, SegmentNumber};
pub(crate) use storage::{FileStorage, Storage};
pub(crate) use verify::{Dumped, dump, verify};

// Named by the simulated disk and the tests only; everybody else meets them as values.
#[cfg(test)]
pub(crate) use storage::{Access, Folder, StorageFile, StorageLock};

/// What opening a log for writing needs from the edge.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Randomness for the identity of a new log, salts and names. Two openings never share it.
    pub(crate) seed: [u8; 32],
    /// The time of day.
    pub(crate) now: Timestamp,
    /// The process that opens the log, for those who find it held.
    pub(crate) pid: u32,
    /// Bytes of the first segment of a new log.
    pub(crate) segment_bytes_first: u64,
    /// Bytes up to which segments grow.
    pub(crate) segment_bytes_max: u64,
}

impl Options {
    /// Options with segments of the usual lengths.
    pub(crate) fn new(seed: [u8; 32], now: Timestamp, pid: u32) -> Options {
        Options { seed, now, pid, segment_bytes_first: SEGMENT_BYTES_FIRST, segment_bytes_max: SEGMENT_BYTES_MAX }
    }

    fn ladder(&self) -> Ladder {
        Ladder::new(self.segment_bytes_first, self.segment_bytes_max)
    }
}

/// One event as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Place in the whole log.
    pub(crate) position: Position,
    /// Place in its stream.
    pub(crate) sequence: Sequence,
    /// The stream.
    pub(crate) stream: StreamId,
    /// When it was recorded.
    pub(crate) recorded_at: Timestamp,
    /// Type of the event, as whoever encoded it numbers types.
    pub(crate) kind: u16,
    /// How the payload is encoded.
    pub(crate) codec: u8,
    /// The encoded event.
    pub(crate) payload: Vec<u8>,
    /// Whether it is the first event of its group.
    pub(crate) first: bool,
    /// Whether it is the last event of its group.
    pub(crate) last: bool,
    /// The segment it stands in.
    pub(crate) segment: SegmentNumber,
    /// Where in the segment.
    pub(crate) offset: Offset,
    /// Checksum of its frame.
    pub(crate) crc: u32,
}

/// What writer and readers of one process share.
struct Shared {
    home: Home,
    log_id: LogId,
    is_on_hold: bool,
    durable: AtomicU64,
    /// Holds durable events only.
    catalog: RwLock<Catalog>,
    untended: Mutex<Untended>,
}

impl Shared {
    fn catalog(&self) -> Result<RwLockReadGuard<'_, Catalog>, Error> {
        self.catalog.read().map_err(|_| catalog_lost())
    }

    /// Adds what has become durable; readers see it from here on.
    fn publish(&self, seen: &[Seen], next: Position) -> Result<(), Error> {
        let mut catalog = self.catalog.write().map_err(|_| catalog_lost())?;
        for frame in seen {
            if let Some(sequence) = frame.head.sequence {
                let (head, at) = (&frame.head, (frame.offset, frame.end));
                catalog.add(head.stream, (head.position, sequence), at, head.recorded_at);
            }
        }
        self.durable.store(next.get(), Ordering::Release);
        Ok(())
    }

    fn begin_segment(&self, before: &Header, header: &Header, file: &LogFile) -> Result<(), Error> {
        let sealed = Sealed::new(&self.home, (before, before.capacity), header);
        let source = Source { number: header.number, salt: header.salt, file: file.clone() };
        let mut catalog = self.catalog.write().map_err(|_| catalog_lost())?;
        catalog.seal(sealed);
        catalog.begin(source, header.base);
        drop(catalog);
        self.untended().add(before.number);
        Ok(())
    }

    fn durable(&self) -> Position {
        Position::new(self.durable.load(Ordering::Acquire)).expect("positions begin at 1 and only rise")
    }
}

/// A thread panicked while it added events to the catalog: what stands there may be half of them.
fn catalog_lost() -> Error {
    Error::Poisoned { cause: "a thread panicked while it published events".to_owned() }
}

/// Whether the log in this storage is on hold: then nothing may be dispatched. A log that is not there is not.
///
/// # Errors
///
/// `Io`.
pub(crate) fn is_on_hold(storage: Arc<dyn Storage>) -> Result<bool, Error> {
    Home::new(storage).is_on_hold()
}

/// Who holds the log.
///
/// # Errors
///
/// `Io`.
pub(crate) fn holder(storage: Arc<dyn Storage>) -> Result<LogHolder, Error> {
    Home::new(storage).holder()
}

/// The damage of a directory that has no segments and had events once; None if it has segments.
///
/// # Errors
///
/// `Io`.
pub(crate) fn missing_log(storage: Arc<dyn Storage>) -> Result<Option<Error>, Error> {
    let home = Home::new(storage);
    let has_segments = !home.list()?.segments.is_empty();
    Ok(if has_segments { None } else { chain::Chain::new(home).missing_log(true) })
}

/// Lets a log be worked on again that was on hold.
///
/// # Errors
///
/// `Io`.
pub(crate) fn release_hold(storage: Arc<dyn Storage>) -> Result<(), Error> {
    Home::new(storage).release_hold()
}

/// An open log as those see it who read: durable events only.
#[derive(Clone)]
pub(crate) struct Log {
    shared: Arc<Shared>,
}

impl Log {
    /// Opens the log in this storage for writing, making it if there is none, and recovers what a crash left: whole
    /// groups are kept, a torn end is left behind, damage to acknowledged events is refused.
    ///
    /// # Errors
    ///
    /// `Locked`, `Damaged` or `Unsupported` with nothing changed; `NoSpace`; `Io`.
    pub(crate) fn open(storage: Arc<dyn Storage>, options: &Options) -> Result<(Log, Writer), Error> {
        recover::open(storage, options)
    }

    /// Position of the next event that becomes durable: every event before it is.
    pub(crate) fn durable(&self) -> Position {
        self.shared.durable()
    }

    /// Whether the log was on hold when it was opened: then nothing may be dispatched.
    pub(crate) fn hold(&self) -> bool {
        self.shared.is_on_hold
    }

    /// Identity of the log, as it stands in every segment.
    pub(crate) fn log_id(&self) -> [u8; 16] {
        self.shared.log_id.to_bytes()
    }

    /// How many segments have a successor.
    pub(crate) fn sealed(&self) -> usize {
        self.shared.catalog().map_or(0, |catalog| catalog.sealed().len())
    }

    /// The damage that this log is, if the events before `proven` were durable once.
    pub(crate) fn missing(&self, proven: Position) -> Error {
        let number = self.shared.catalog().map_or(SegmentNumber::FIRST, |catalog| catalog.newest());
        Error::Damaged {
            segment: number,
            path: self.shared.home.locate(&directory::segment_name(number)),
            offset: segment::FRAMES_START,
            missing: self.durable(),
            proven,
            cause: Damage::EventsMissing { evidence: Evidence::Index },
        }
    }

    /// The last sequence of the stream, if it has events.
    ///
    /// # Errors
    ///
    /// `Damaged` if a segment is that may hold it; `Io`; `Poisoned` if the catalog is lost.
    pub(crate) fn head(&self, stream: StreamId) -> Result<Option<Sequence>, Error> {
        let head = self.shared.catalog()?.head(stream);
        head.ask().whole()
    }

    /// Every stream with its last sequence, in no order.
    ///
    /// # Errors
    ///
    /// `Damaged` if a segment is that may hold more; `Io`; `Poisoned` if the catalog is lost.
    pub(crate) fn heads(&self) -> Result<Vec<(StreamId, Sequence)>, Error> {
        let heads = self.shared.catalog()?.heads();
        heads.ask().whole()
    }

    /// Events of the stream from sequence `from` on: at least one if there is one, at most `limit`, and no more than
    /// `READ_BYTES_MAX` bytes or one event.
    ///
    /// # Errors
    ///
    /// `Damaged` if one is not there any more; `Io`; `Poisoned` if the catalog is lost.
    pub(crate) fn read_stream(&self, stream: StreamId, from: Sequence, limit: usize) -> Result<Vec<Record>, Error> {
        let question = self.shared.catalog()?.find_in_stream(stream, from, limit);
        question.ask(self.durable()).whole()
    }

    /// Events of all streams from position `from` on: at least one if there is one, at most `limit`, and no more than
    /// `READ_BYTES_MAX` bytes or one event.
    ///
    /// # Errors
    ///
    /// As `read_stream`.
    pub(crate) fn read_all(&self, from: Position, limit: usize) -> Result<Vec<Record>, Error> {
        let question = self.shared.catalog()?.find(from);
        question.ask(limit, self.durable())
    }
}
