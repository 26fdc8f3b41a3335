//! The engine's own stores for tests, and the short way to write to one.

use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::log::Options;
use crate::store::{Append, Appended, Error, EventStore, LocalReader, LocalStore, MemoryStore, StoreWriter};
use crate::time::Timestamp;

/// Opens a place where a store is, again and again; the one before was dropped.
pub type Opener = Box<dyn FnMut() -> Box<dyn EventStore>>;

/// A store in memory, without events.
pub fn memory() -> Box<dyn EventStore> {
    Box::new(MemoryStore::new())
}

/// A store in memory that can be opened again: with what was durable when it was opened the time before, and after.
pub fn reopening_memory() -> Opener {
    let mut store = MemoryStore::new();
    Box::new(move || {
        store = store.reopen();
        Box::new(store.clone())
    })
}

/// The store over the log in this directory, which is made if there is none. Its segments are short, so that a test
/// reaches several.
///
/// # Errors
///
/// As opening an engine there.
pub fn local(directory: &Path) -> Result<Box<dyn EventStore>, Error> {
    Ok(Box::new(LocalStore::open(directory, &options())?))
}

/// The log in this directory, as a process reads it that has not its lock.
///
/// # Errors
///
/// As opening a history there.
pub fn local_reader(directory: &Path) -> Result<Box<dyn EventStore>, Error> {
    Ok(Box::new(LocalReader::open(directory)?))
}

/// Options of which no two are the same, with short segments and a clock that stands still.
pub(crate) fn options() -> Options {
    static OPENED: AtomicU64 = AtomicU64::new(0);
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&OPENED.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    seed[8..12].copy_from_slice(&process::id().to_le_bytes());
    let now = Timestamp::from_microseconds(1_777_636_800_000_000);
    Options { segment_bytes_first: 32 * 1024, ..Options::new(seed, now, process::id()) }
}

/// Writes and syncs: what became of `append` is durable.
///
/// # Errors
///
/// As writing and syncing.
///
/// # Panics
///
/// If the store gives no answer.
pub fn append(writer: &mut dyn StoreWriter, append: Append) -> Result<Appended, Error> {
    let answers = writer.write(vec![append])?;
    writer.sync()?;
    Ok(*answers.first().expect("one answer for each append"))
}
