//! The log's directory: names of its files, LOCK, WATERMARK, HOLD and CONTROL, and errors that say where they happened.
//!
//! Puts the place to every error of the storage below; decides nothing about the log's contents.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;

use super::error::Error;
use super::segment::{Offset, SegmentNumber};
use super::storage::{Access, Folder, Storage, StorageFile, StorageLock};
use super::watermark::{self, Watermark};

/// Exclusive lock of the writer; empty, never deleted.
const LOCK: &str = "LOCK";

/// How far the log was durable.
const WATERMARK: &str = "WATERMARK";

/// While it is there, nothing is dispatched.
const HOLD: &str = "HOLD";

/// Who holds LOCK.
const CONTROL: &str = "CONTROL";

/// The longest CONTROL file anybody reads.
const CONTROL_BYTES_MAX: usize = 4096;

/// Name of a segment's file.
pub(super) fn segment_name(number: SegmentNumber) -> String {
    format!("log/{:010}.seg", number.get())
}

/// Name of the index of a segment.
pub(super) fn index_name(number: SegmentNumber) -> String {
    format!("log/{:010}.idx", number.get())
}

/// Name of a file in preparation.
pub(super) fn temporary_name(distinct: u64) -> String {
    format!("log/{distinct:016x}.tmp")
}

/// The segment that a file in `log/` is, going by its name.
fn segment_of(file: &str) -> Option<SegmentNumber> {
    numbered(file, ".seg", segment_name)
}

/// The segment that a file in `log/` is the index of, going by its name.
fn index_of(file: &str) -> Option<SegmentNumber> {
    numbered(file, ".idx", index_name)
}

fn numbered(file: &str, suffix: &str, name: fn(SegmentNumber) -> String) -> Option<SegmentNumber> {
    let number = file.strip_suffix(suffix)?.parse().ok().and_then(SegmentNumber::new)?;
    // Signs, missing and surplus zeros are not names we give.
    (name(number) == format!("log/{file}")).then_some(number)
}

/// What is in `log/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// Numbers of the segments, ascending.
    pub(super) segments: Vec<SegmentNumber>,
    /// Names of files in preparation, below the log's directory.
    pub(super) temporary: Vec<String>,
    /// Numbers of the segments that have an index, whatever has become of the segment.
    pub(super) indexes: Vec<SegmentNumber>,
}

impl Listing {
    /// Whether there is an index of a segment, whatever has become of the segment.
    pub(super) fn has_index(&self) -> bool {
        !self.indexes.is_empty()
    }
}

/// Who holds a log, and so is the only one to write to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogHolder {
    /// Nobody: the next engine may open it.
    Nobody,
    /// An engine.
    Process {
        /// Its process, where it could say so.
        pid: Option<u32>,
    },
}

/// The directory of a log.
#[derive(Clone)]
pub(super) struct Home {
    storage: Arc<dyn Storage>,
}

impl Home {
    pub(super) fn new(storage: Arc<dyn Storage>) -> Home {
        Home { storage }
    }

    /// The name as people know it.
    pub(super) fn locate(&self, name: &str) -> PathBuf {
        self.storage.locate(name)
    }

    fn located<T>(&self, operation: &'static str, name: &str, result: io::Result<T>) -> Result<T, Error> {
        result.map_err(|source| Error::Io { operation, path: self.locate(name), source })
    }

    /// Makes the directory if it is missing.
    pub(super) fn create_directory(&self, folder: Folder) -> Result<(), Error> {
        match self.storage.create_directory(folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            result => self.located("create directory", folder.name().unwrap_or(".."), result),
        }
    }

    /// Makes the log's own directory, which must not be there.
    pub(super) fn create_home(&self) -> Result<(), Error> {
        self.located("create directory", "", self.storage.create_directory(Folder::Home))
    }

    /// Nothing may be dispatched from now on.
    pub(super) fn put_on_hold(&self) -> Result<(), Error> {
        self.create_new(HOLD)?.sync_all()?;
        self.sync_directory(Folder::Home)
    }

    /// Everything may be dispatched again.
    pub(super) fn release_hold(&self) -> Result<(), Error> {
        match self.storage.remove(HOLD) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => self.located("remove", HOLD, result),
        }?;
        self.sync_directory(Folder::Home)
    }

    pub(super) fn sync_directory(&self, folder: Folder) -> Result<(), Error> {
        self.located("sync directory", folder.name().unwrap_or(".."), self.storage.sync_directory(folder))
    }

    /// What is in `log/`; nothing, if there is no such directory.
    pub(super) fn list(&self) -> Result<Listing, Error> {
        let names = match self.storage.list(Folder::Log) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            result => self.located("list", "log", result)?,
        };
        let mut segments: Vec<SegmentNumber> = names.iter().filter_map(|name| segment_of(name)).collect();
        segments.sort();
        let temporary = names.iter().filter(|name| name.ends_with(".tmp")).map(|name| format!("log/{name}")).collect();
        let mut indexes: Vec<SegmentNumber> = names.iter().filter_map(|name| index_of(name)).collect();
        indexes.sort();
        Ok(Listing { segments, temporary, indexes })
    }

    pub(super) fn create_new(&self, name: &str) -> Result<LogFile, Error> {
        let file = self.located("create", name, self.storage.create_new(name))?;
        Ok(LogFile { path: self.locate(name), file })
    }

    pub(super) fn open(&self, name: &str, access: Access) -> Result<LogFile, Error> {
        let file = self.located("open", name, self.storage.open(name, access))?;
        Ok(LogFile { path: self.locate(name), file })
    }

    /// Opens the file if there is one.
    pub(super) fn open_if_there(&self, name: &str, access: Access) -> Result<Option<LogFile>, Error> {
        match self.storage.open(name, access) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            result => {
                let file = self.located("open", name, result)?;
                Ok(Some(LogFile { path: self.locate(name), file }))
            }
        }
    }

    pub(super) fn rename(&self, file: LogFile, from: &str, to: &str) -> Result<LogFile, Error> {
        self.located("rename", from, self.storage.rename_no_replace(from, to))?;
        Ok(LogFile { path: self.locate(to), file: file.file })
    }

    /// Removes a file that is in nobody's way; that it could not be is traced.
    pub(super) fn discard(&self, name: &str) {
        if let Err(error) = self.storage.remove(name)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::debug!(%error, path = %self.locate(name).display(), "could not remove a file of no use");
        }
    }

    /// Takes LOCK.
    ///
    /// # Errors
    ///
    /// `Locked` with what CONTROL says about the holder.
    pub(super) fn lock(&self) -> Result<Holder, Error> {
        match self.located("lock", LOCK, self.storage.try_lock(LOCK))? {
            Some(lock) => Ok(Holder { home: self.clone(), lock, is_announced: false }),
            None => Err(Error::Locked { pid: self.read_control() }),
        }
    }

    /// Who holds LOCK, with what CONTROL says of them.
    pub(super) fn holder(&self) -> Result<LogHolder, Error> {
        let is_locked = self.located("look at", LOCK, self.storage.is_locked(LOCK))?;
        Ok(if is_locked { LogHolder::Process { pid: self.read_control() } } else { LogHolder::Nobody })
    }

    fn read_control(&self) -> Option<u32> {
        let mut text = vec![0; CONTROL_BYTES_MAX];
        let length = self.storage.open(CONTROL, Access::Read).ok()?.read_at(&mut text, 0).ok()?;
        text.truncate(length);
        let text = String::from_utf8(text).ok()?;
        let (_, behind) = text.split_once("\"pid\":")?;
        let digits: String = behind.trim_start().chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    }

    /// What WATERMARK says, if that is worth anything. Looked at again if it does not hold: it may be written now.
    pub(super) fn read_watermark(&self) -> Result<Option<Watermark>, Error> {
        let Some(file) = self.open_if_there(WATERMARK, Access::Read)? else { return Ok(None) };
        let mut bytes = [0; watermark::BYTES];
        for _ in 0..3 {
            let length = file.read_some(&mut bytes, Offset::new(0))?;
            if let Some(watermark) = Watermark::decode(bytes.get(..length).unwrap_or_default()) {
                return Ok(Some(watermark));
            }
        }
        Ok(None)
    }

    /// Opens WATERMARK for writing, making it if it is missing. None if that cannot be: it is evidence, no event
    /// hangs on it.
    pub(super) fn open_watermark(&self) -> Option<LogFile> {
        let opened = match self.open_if_there(WATERMARK, Access::ReadWrite) {
            Ok(Some(file)) => Ok(file),
            Ok(None) => self.create_new(WATERMARK).and_then(|file| {
                self.sync_directory(Folder::Home)?;
                Ok(file)
            }),
            Err(error) => Err(error),
        };
        opened.inspect_err(|error| tracing::warn!(%error, "the log goes on without WATERMARK")).ok()
    }

    /// Makes an empty WATERMARK if there is none, so that its name becomes durable with those of the directories.
    pub(super) fn create_watermark(&self) {
        match self.storage.create_new(WATERMARK) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                tracing::warn!(%error, "the log goes on without WATERMARK");
            }
            Ok(_) | Err(_) => {}
        }
    }

    /// Whether HOLD is there.
    pub(super) fn is_on_hold(&self) -> Result<bool, Error> {
        Ok(self.open_if_there(HOLD, Access::Read)?.is_some())
    }
}

/// Who holds LOCK. Dropping it gives LOCK back and removes CONTROL.
pub(super) struct Holder {
    home: Home,
    lock: Box<dyn StorageLock>,
    is_announced: bool,
}

impl Holder {
    /// Says in CONTROL who holds the log. A log whose holder cannot be named works as well.
    pub(super) fn announce(&mut self, pid: u32) {
        // The last holder may have been killed before it could remove its own.
        self.home.discard(CONTROL);
        let text = format!("{{\"version\":1,\"pid\":{pid},\"path\":null}}\n");
        let written = self.home.create_new(CONTROL).and_then(|file| file.write_all(text.as_bytes(), Offset::new(0)));
        if let Err(error) = written {
            tracing::warn!(%error, "others cannot be told who holds the log");
        }
        self.is_announced = true;
    }

    /// Checks that LOCK is still the file that was locked.
    ///
    /// # Errors
    ///
    /// `Io` if it is not: another process may write to the log by now.
    pub(super) fn check(&self) -> Result<(), Error> {
        let current = self.lock.is_current().and_then(|is_current| {
            if is_current { Ok(()) } else { Err(io::Error::new(ErrorKind::NotFound, "the locked file was replaced")) }
        });
        self.home.located("hold", LOCK, current)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        if self.is_announced && self.check().is_ok() {
            self.home.discard(CONTROL);
        }
    }
}

/// An opened file that knows its name.
#[derive(Clone)]
pub(super) struct LogFile {
    path: PathBuf,
    file: Arc<dyn StorageFile>,
}

impl LogFile {
    /// The file's name as people know it.
    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    fn located<T>(&self, operation: &'static str, result: io::Result<T>) -> Result<T, Error> {
        result.map_err(|source| Error::Io { operation, path: self.path.clone(), source })
    }

    pub(super) fn length(&self) -> Result<u64, Error> {
        self.located("measure", self.file.length())
    }

    /// Reads until `buffer` is full or the file ends; says how much.
    pub(super) fn read_some(&self, buffer: &mut [u8], offset: Offset) -> Result<usize, Error> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset.plus(filled as u64).get()) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.located("read", Err(error)),
            }
        }
        Ok(filled)
    }

    /// Reads until `buffer` is full.
    pub(super) fn read_exact(&self, buffer: &mut [u8], offset: Offset) -> Result<(), Error> {
        if self.read_some(buffer, offset)? == buffer.len() {
            return Ok(());
        }
        self.located("read", Err(ErrorKind::UnexpectedEof.into()))
    }

    /// Writes all bytes, going on behind a short write.
    pub(super) fn write_all(&self, bytes: &[u8], offset: Offset) -> Result<(), Error> {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match self.file.write_at(rest, offset.plus(written as u64).get()) {
                Ok(0) => return self.located("write", Err(ErrorKind::WriteZero.into())),
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.located("write", Err(error)),
            }
        }
        Ok(())
    }

    /// Gives the file this length.
    pub(super) fn set_length(&self, bytes: u64) -> Result<(), Error> {
        self.located("cut", self.file.set_length(bytes))
    }

    pub(super) fn sync_data(&self) -> Result<(), Error> {
        self.located("sync", self.file.sync_data())
    }

    pub(super) fn sync_all(&self) -> Result<(), Error> {
        self.located("sync", self.file.sync_all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_we_give_are_segments() {
        let number = SegmentNumber::new(12).unwrap();
        assert_eq!(segment_name(number), "log/0000000012.seg");
        assert_eq!(segment_of("0000000012.seg"), Some(number));
        for other in ["12.seg", "+000000012.seg", "0000000000.seg", "00000000012.seg", "0000000012.idx", "x.tmp"] {
            assert_eq!(segment_of(other), None, "{other}");
        }
        assert_eq!(index_of("0000000012.idx"), Some(number));
        assert_eq!(index_of("0000000012.seg"), None);
    }
}
