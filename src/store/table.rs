//! A table of bytes on disk that may be lost at any time: only user of `sled`.
//!
//! A batch is in the table whole or not at all, and after a kill the table is what some earlier batch left. Nothing
//! here is flushed on purpose. `sled` may panic; what it does is said as an error.

use std::fs::{File, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

/// Bytes of pages that are held in memory, about.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// The file in the directory that `sled` locks.
const LOCKED: &str = "db";

/// How often, and at which distance, a lock that should be free is looked at again: 5 s in all.
const LOOKS_MAX: u32 = 5_000;
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Why the table serves no more: what `sled` said.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub(super) struct Broken {
    cause: String,
}

/// Keys and what stands under them, sorted by key.
pub(super) struct Table {
    db: sled::Db,
}

/// Changes that are made together.
#[derive(Default)]
pub(super) struct Batch {
    changes: sled::Batch,
}

impl Batch {
    /// Puts `value` under `key`.
    pub(super) fn put(&mut self, key: &[u8], value: &[u8]) {
        self.changes.insert(key, value);
    }

    /// Nothing stands under `key` any more.
    pub(super) fn remove(&mut self, key: &[u8]) {
        self.changes.remove(key);
    }
}

fn guarded<T>(work: impl FnOnce() -> sled::Result<T>) -> Result<T, Broken> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Broken { cause: error.to_string() }),
        Err(_) => Err(Broken { cause: "it panicked".to_owned() }),
    }
}

/// Waits until nobody has the table of this directory locked any more, for 5 s at most.
///
/// A child process that some thread is just starting has all open files until it executes its program, and with the
/// file the lock: also the one of a table that was closed in the meantime. It takes a moment.
fn wait_for_lock(directory: &Path) {
    let Ok(file) = File::open(directory.join(LOCKED)) else { return };
    for _ in 0..LOOKS_MAX {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK_EVERY),
            // What another error means, `sled` says when it opens the file. Unlocked here and not by closing it, for
            // the same reason.
            Err(TryLockError::Error(_)) => return,
            Ok(()) => return drop(file.unlock()),
        }
    }
}

impl Table {
    /// Opens the table in this directory, or makes one. The caller knows that no other process uses it.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, somebody else has it, or it is damaged.
    pub(super) fn open(directory: &Path) -> Result<Table, Broken> {
        let config = sled::Config::new().path(directory).cache_capacity(CACHE_BYTES).flush_every_ms(None);
        wait_for_lock(directory);
        guarded(|| config.open()).map(|db| Table { db })
    }

    /// What stands under `key`.
    ///
    /// # Errors
    ///
    /// If the table serves no more.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Broken> {
        guarded(|| self.db.get(key)).map(|value| value.map(|value| value.to_vec()))
    }

    /// Makes all changes of the batch.
    ///
    /// # Errors
    ///
    /// If the table serves no more.
    pub(super) fn apply(&self, batch: Batch) -> Result<(), Broken> {
        guarded(|| self.db.apply_batch(batch.changes))
    }

    /// Calls `each` with every key and what stands under it.
    ///
    /// # Errors
    ///
    /// If the table serves no more; `each` may have been called.
    pub(super) fn for_each(&self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), Broken> {
        guarded(|| {
            for entry in self.db.iter() {
                let (key, value) = entry?;
                each(&key, &value);
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_a_starting_child_still_has_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index");
        drop(Table::open(&path).unwrap());
        let held = File::open(path.join(LOCKED)).unwrap();
        held.lock().unwrap();
        std::thread::scope(|scope| {
            let opened = scope.spawn(|| Table::open(&path).map(drop));
            scope.spawn(|| held.unlock().unwrap());
            opened.join().unwrap().unwrap();
        });
    }

    #[test]
    fn what_is_put_is_there_until_it_is_removed_also_when_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index");
        let put = |table: &Table, changes: &[(&[u8], Option<&[u8]>)]| {
            let mut batch = Batch::default();
            for (key, value) in changes {
                match value {
                    Some(value) => batch.put(key, value),
                    None => batch.remove(key),
                }
            }
            table.apply(batch).unwrap();
        };
        let table = Table::open(&path).unwrap();
        put(&table, &[(b"a", Some(b"1")), (b"b", Some(b"2"))]);
        put(&table, &[(b"a", None)]);
        assert!(Table::open(&path).is_err(), "it has one owner");
        drop(table);
        let table = Table::open(&path).unwrap();
        assert_eq!((table.get(b"a").unwrap(), table.get(b"b").unwrap()), (None, Some(b"2".to_vec())));
        let mut seen = Vec::new();
        table.for_each(&mut |key, value| seen.push((key.to_vec(), value.to_vec()))).unwrap();
        assert_eq!(seen, [(b"b".to_vec(), b"2".to_vec())]);
    }

    #[test]
    fn test_40_a_table_that_panics_is_broken_like_one_that_fails() {
        let broken = guarded::<()>(|| panic!("as a damaged page does")).unwrap_err();
        assert_eq!(broken.to_string(), "it panicked");
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("index"), b"no table").unwrap();
        assert!(Table::open(&directory.path().join("index")).is_err());
    }
}
