//! How often an engine asks the disk to make things durable: a store that counts.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::event::Recorded;
use crate::ids::{Position, Sequence, StreamId};
use crate::runtime::{Config, Error as EngineError};
use crate::store::{self, Append, Appended, EventStore, StoreWriter, Upkeep};

/// Flushes so far; clones count together.
#[derive(Clone, Debug, Default)]
pub struct Flushes(Arc<AtomicU64>);

impl Flushes {
    /// How many writes were made durable.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// An engine's setup with its log in `directory`, and the count of its flushes.
///
/// # Errors
///
/// As [`crate::Engine::open`].
pub fn counted(directory: &Path) -> Result<(Config, Flushes), EngineError> {
    let flushes = Flushes::default();
    let config = Config::at(directory).with_local_store(|local| {
        let count = flushes.clone();
        Arc::new(Counting { inner: local, flushes: count })
    })?;
    Ok((config, flushes))
}

struct Counting {
    inner: Arc<dyn EventStore>,
    flushes: Flushes,
}

impl EventStore for Counting {
    fn writer(&self) -> Result<Box<dyn StoreWriter>, store::Error> {
        let inner = self.inner.writer()?;
        Ok(Box::new(CountingWriter { inner, flushes: self.flushes.clone() }))
    }

    fn read(&self, stream: StreamId, from: Sequence, limit: usize) -> Result<Vec<Recorded>, store::Error> {
        self.inner.read(stream, from, limit)
    }

    fn read_all(&self, from: Position, limit: usize) -> Result<Vec<Recorded>, store::Error> {
        self.inner.read_all(from, limit)
    }

    fn last(&self, stream: StreamId) -> Result<Option<Sequence>, store::Error> {
        self.inner.last(stream)
    }

    fn streams(&self) -> Result<Vec<(StreamId, Sequence)>, store::Error> {
        self.inner.streams()
    }

    fn durable(&self) -> Position {
        self.inner.durable()
    }

    fn wait_durable(&self, position: Position, timeout: Duration) -> Result<Position, store::Error> {
        self.inner.wait_durable(position, timeout)
    }
}

struct CountingWriter {
    inner: Box<dyn StoreWriter>,
    flushes: Flushes,
}

impl StoreWriter for CountingWriter {
    fn write(&mut self, appends: Vec<Append>) -> Result<Vec<Appended>, store::Error> {
        self.inner.write(appends)
    }

    fn sync(&mut self) -> Result<Position, store::Error> {
        self.flushes.0.fetch_add(1, Ordering::Relaxed);
        self.inner.sync()
    }

    fn idle(&mut self) -> Result<(), store::Error> {
        self.inner.idle()
    }

    fn upkeep(&mut self) -> Option<Upkeep> {
        self.inner.upkeep()
    }

    fn close(self: Box<Self>) -> Result<(), store::Error> {
        self.inner.close()
    }
}
