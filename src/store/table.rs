//! A table of bytes on disk that may be lost at any time: only user of `sled`.
//!
//! A batch is in the table whole or not at all, and after a kill the table is what some earlier batch left. Nothing
//! here is flushed on purpose. `sled` may panic; what it does is said as an error.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Bytes of pages that are held in memory, about.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

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

impl Table {
    /// Opens the table in this directory, or makes one.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, somebody else has it, or it is damaged.
    pub(super) fn open(directory: &Path) -> Result<Table, Broken> {
        let config = sled::Config::new().path(directory).cache_capacity(CACHE_BYTES).flush_every_ms(None);
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
