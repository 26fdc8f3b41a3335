//! Events in, events out: streams with optimistic concurrency, over any backend.
//!
//! A store knows events, streams and their order, and no workflow. Whoever has the one writer of a store writes;
//! everybody reads, and sees durable events only. Writing and syncing are two calls, so that a simulator can decide
//! between them.

mod append;
mod codec;
mod error;
mod horizon;
mod live;
mod local;
mod log_files;
mod log_rescue;
mod log_stats;
mod memory;
mod scan;
mod table;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::event::Recorded;
use crate::ids::{Position, Sequence, StreamId};

pub use crate::log::LogHolder;
pub(crate) use crate::log::Options;
pub use append::{Append, Appended, Encoded, Expected};
#[cfg(test)]
pub(crate) use codec::from_bytes;
pub(crate) use codec::to_bytes;
pub use codec::{CodecError, PayloadError};
pub use error::{Error, LogError, RecordPlace};
pub use local::Upkeep;
pub(crate) use local::{LocalReader, LocalStore};
pub use log_files::{LogFiles, LogFinding, LogFrame, LogReport};
pub use log_rescue::LogSalvage;
pub use log_stats::{LogKind, LogStats};
pub(crate) use memory::MemoryStore;
pub(crate) use scan::{scan, scan_all};

/// Streams of events, as those see them who read: durable events only, in order, without gaps.
///
/// The events of the whole store have positions from 1, those of each stream have sequences from 1; by position,
/// `recorded_at` never falls. Who writes a store of their own holds it to `stabilize::testing::conformance`.
pub trait EventStore: Send + Sync {
    /// The one value that writes to this store. Dropping it instead of closing it is what a killed process does.
    ///
    /// # Errors
    ///
    /// `WriterTaken` if it was taken before, `ReadOnly` if there is none.
    fn writer(&self) -> Result<Box<dyn StoreWriter>, Error>;

    /// Events of `stream` from sequence `from` on: none if there is none, else at least one and at most `limit`. Fewer
    /// than `limit` do not mean that the stream ends there.
    ///
    /// # Errors
    ///
    /// Damage, an event that this version does not know, or a backend that fails. Never fewer events instead.
    fn read(&self, stream: StreamId, from: Sequence, limit: usize) -> Result<Vec<Recorded>, Error>;

    /// Events of all streams from position `from` on, as `read` gives those of one.
    ///
    /// # Errors
    ///
    /// As `read`.
    fn read_all(&self, from: Position, limit: usize) -> Result<Vec<Recorded>, Error>;

    /// The sequence of the last event of `stream`, if it has events.
    ///
    /// # Errors
    ///
    /// A backend that fails.
    fn last(&self, stream: StreamId) -> Result<Option<Sequence>, Error>;

    /// Every stream that has events, with the sequence of its last one, in no order.
    ///
    /// # Errors
    ///
    /// A backend that fails.
    fn streams(&self) -> Result<Vec<(StreamId, Sequence)>, Error>;

    /// Streams of workflows, every one that may go on among them, in no order. Without an index all of them may.
    ///
    /// # Errors
    ///
    /// A backend that fails.
    fn live_streams(&self) -> Result<Vec<StreamId>, Error> {
        let streams = self.streams()?.into_iter().map(|(stream, _)| stream);
        Ok(streams.filter(|stream| stream.as_workflow().is_some()).collect())
    }

    /// The position behind the last durable event, as far as it is known here: every event before it can be read.
    fn durable(&self) -> Position;

    /// Waits until the event at `position` is durable or `timeout` is over; gives `durable` as it is then, which lies
    /// behind `position` exactly if the event is there.
    ///
    /// # Errors
    ///
    /// A backend that fails.
    fn wait_durable(&self, position: Position, timeout: Duration) -> Result<Position, Error>;
}

/// The one value that writes to a store. One write is in flight at a time, and nobody may learn of it before it is
/// synced, not even of its conflicts.
pub trait StoreWriter: Send {
    /// Writes those appends, in order, whose expectation holds; one answer for each. What was written is not durable,
    /// and nobody sees it, before `sync`.
    ///
    /// # Errors
    ///
    /// If there is no room (`is_no_space`): nothing was written, and the call may be repeated. Any other error leaves
    /// unknown what was written, and nothing is written after it (`is_poisoned`).
    ///
    /// # Panics
    ///
    /// If an earlier write was not synced.
    fn write(&mut self, appends: Vec<Append>) -> Result<Vec<Appended>, Error>;

    /// Makes what was written durable, lets readers see it, and gives the position behind it. Without a write in flight
    /// it does nothing else.
    ///
    /// # Errors
    ///
    /// Whether the write is durable is not known then, and nothing is written any more.
    fn sync(&mut self) -> Result<Position, Error>;

    /// To be called when nothing has been written for a while: the store may note that all before is durable.
    ///
    /// # Errors
    ///
    /// As `sync`.
    ///
    /// # Panics
    ///
    /// If a write was not synced.
    fn idle(&mut self) -> Result<(), Error>;

    /// Work for a thread beside the writer, in a store that has some. One is enough.
    fn upkeep(&mut self) -> Option<Upkeep> {
        None
    }

    /// Ends writing in order; what was written is synced first.
    ///
    /// # Errors
    ///
    /// As `sync`. The store can be opened again all the same.
    fn close(self: Box<Self>) -> Result<(), Error>;
}
