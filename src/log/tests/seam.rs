//! Storage with somebody in between, who looks on, acts meanwhile or is a defect.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::log::{Access, Folder, Storage, StorageFile, StorageLock};
use crate::testing::disk::Disk;

/// What becomes of an operation.
pub(super) enum Verdict {
    /// It happens.
    Pass,
    /// It does not happen and is said to have.
    Swallow,
    /// Other bytes are written.
    Replace(Vec<u8>),
}

/// Whoever stands between a log and its disk.
pub(super) trait Between: Send {
    /// Half of a read has happened.
    fn while_reading(&mut self, _name: &str) {}

    /// Bytes were read.
    fn read(&mut self, _name: &str, _bytes: &mut [u8], _offset: u64) {}

    /// Bytes are about to be written.
    fn write(&mut self, _name: &str, _bytes: &[u8], _offset: u64) -> Verdict {
        Verdict::Pass
    }

    /// Bytes were written.
    fn written(&mut self, _name: &str) {}

    /// A file is about to be synced.
    fn sync(&mut self, _name: &str, _file: &Arc<dyn StorageFile>) -> Verdict {
        Verdict::Pass
    }

    /// A directory is about to be synced.
    fn sync_directory(&mut self, _folder: Folder) -> Verdict {
        Verdict::Pass
    }
}

struct Seam {
    inner: Arc<dyn Storage>,
    between: Arc<Mutex<dyn Between>>,
}

/// The disk as a process sees it behind `between`.
pub(super) fn seam(disk: &Disk, between: impl Between + 'static) -> Arc<dyn Storage> {
    Arc::new(Seam { inner: disk.process(), between: Arc::new(Mutex::new(between)) })
}

impl Seam {
    fn file(&self, name: &str, inner: Arc<dyn StorageFile>) -> Arc<dyn StorageFile> {
        Arc::new(SeamFile { inner, name: name.to_owned(), between: Arc::clone(&self.between) })
    }
}

impl Storage for Seam {
    fn create_directory(&self, folder: Folder) -> io::Result<()> {
        self.inner.create_directory(folder)
    }

    fn sync_directory(&self, folder: Folder) -> io::Result<()> {
        match self.between.lock().unwrap().sync_directory(folder) {
            Verdict::Swallow => Ok(()),
            Verdict::Pass | Verdict::Replace(_) => self.inner.sync_directory(folder),
        }
    }

    fn list(&self, folder: Folder) -> io::Result<Vec<String>> {
        let names = self.inner.list(folder);
        self.between.lock().unwrap().while_reading("log");
        names
    }

    fn create_new(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        Ok(self.file(name, self.inner.create_new(name)?))
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Arc<dyn StorageFile>> {
        Ok(self.file(name, self.inner.open(name, access)?))
    }

    fn rename_no_replace(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename_no_replace(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }

    fn try_lock(&self, name: &str) -> io::Result<Option<Box<dyn StorageLock>>> {
        self.inner.try_lock(name)
    }

    fn is_locked(&self, name: &str) -> io::Result<bool> {
        self.inner.is_locked(name)
    }

    fn locate(&self, name: &str) -> PathBuf {
        self.inner.locate(name)
    }
}

struct SeamFile {
    inner: Arc<dyn StorageFile>,
    name: String,
    between: Arc<Mutex<dyn Between>>,
}

impl StorageFile for SeamFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let half = buffer.len().div_ceil(2);
        let mut count = self.inner.read_at(&mut buffer[..half], offset)?;
        self.between.lock().unwrap().while_reading(&self.name);
        if count == half {
            count += self.inner.read_at(&mut buffer[half..], offset + half as u64)?;
        }
        self.between.lock().unwrap().read(&self.name, &mut buffer[..count], offset);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let verdict = self.between.lock().unwrap().write(&self.name, bytes, offset);
        let written = match verdict {
            Verdict::Pass => self.inner.write_at(bytes, offset),
            Verdict::Swallow => Ok(bytes.len()),
            Verdict::Replace(other) => self.inner.write_at(&other, offset),
        };
        self.between.lock().unwrap().written(&self.name);
        written
    }

    fn length(&self) -> io::Result<u64> {
        self.inner.length()
    }

    fn set_length(&self, bytes: u64) -> io::Result<()> {
        self.inner.set_length(bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        let verdict = self.between.lock().unwrap().sync(&self.name, &self.inner);
        match verdict {
            Verdict::Swallow => Ok(()),
            Verdict::Pass | Verdict::Replace(_) => self.inner.sync_data(),
        }
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }
}
