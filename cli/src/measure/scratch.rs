//! Where measurements write: a directory of their own, removed with everything in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::Error;

/// A directory that is removed when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// An empty directory inside of this one.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn inside(parent: &Path) -> Result<Scratch, Error> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!(".stabilize-bench-{}-{number}", process::id()));
        let made = fs::create_dir(&path);
        made.map_err(|source| Error::Io { operation: "make the directory", path: path.clone(), source })?;
        Ok(Scratch { path })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever looks into the directory.
        fs::remove_dir_all(&self.path).ok();
    }
}

/// Bytes of all files below a directory.
///
/// # Errors
///
/// If it cannot be read.
pub(super) fn bytes_below(directory: &Path) -> Result<u64, Error> {
    let failed = |source| Error::Io { operation: "read the directory", path: directory.to_owned(), source };
    let mut bytes = 0;
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let about = entry.metadata().map_err(failed)?;
        bytes += if about.is_dir() { bytes_below(&entry.path())? } else { about.len() };
    }
    Ok(bytes)
}
