//! The seam below the log: files in one directory tree, as the log needs them, and the file-system one.
//!
//! The second implementation is a simulated disk that tears writes, forgets what was not synced and fails. Only user
//! of the file system in this layer. Knows no formats. Linux and macOS.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// The directories of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Folder {
    /// The directory that holds the log's own. It is synced, never read.
    Parent,
    /// The log's directory.
    Home,
    /// The segments.
    Log,
    /// Bytes that recovery did not accept.
    SetAside,
}

impl Folder {
    /// The directory's name below the log's own, if it lies there.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Folder::Parent => None,
            Folder::Home => Some(""),
            Folder::Log => Some("log"),
            Folder::SetAside => Some("set-aside"),
        }
    }
}

/// What an opened file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading only; works on a read-only copy.
    Read,
    /// Reading and writing.
    ReadWrite,
}

/// Files below one directory. Names are relative to it, like `log/0000000001.seg`.
///
/// An `Ok` of a sync means what POSIX says: the bytes are durable. After an error nothing is known, and the system may
/// have forgotten that anything was to be written.
pub(crate) trait Storage: Send + Sync {
    /// Makes the directory; the log's own with all that lead to it.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if it is there; anything the system says.
    fn create_directory(&self, folder: Folder) -> io::Result<()>;

    /// Makes every name made, renamed or removed in the directory so far durable.
    ///
    /// # Errors
    ///
    /// Anything the system says.
    fn sync_directory(&self, folder: Folder) -> io::Result<()>;

    /// Names of the files and directories in the directory, sorted.
    ///
    /// # Errors
    ///
    /// `NotFound` if the directory is missing; anything the system says.
    fn list(&self, folder: Folder) -> io::Result<Vec<String>>;

    /// Makes an empty file and opens it for reading and writing.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if there is one; anything the system says.
    fn create_new(&self, name: &str) -> io::Result<Arc<dyn StorageFile>>;

    /// Opens a file.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none; anything the system says.
    fn open(&self, name: &str, access: Access) -> io::Result<Arc<dyn StorageFile>>;

    /// Gives the file another name, at once or not at all.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the name is taken; anything the system says.
    fn rename_no_replace(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes the file's name.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is none; anything the system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Takes the exclusive lock that this file stands for, making the file if it is missing. None if another holds it.
    /// The lock ends when the value is dropped or the process ends; children do not inherit it.
    ///
    /// # Errors
    ///
    /// Anything the system says, but for "somebody holds it".
    fn try_lock(&self, name: &str) -> io::Result<Option<Box<dyn StorageLock>>>;

    /// Whether somebody holds the lock that this file stands for. Nobody, if there is no such file.
    ///
    /// # Errors
    ///
    /// Anything the system says.
    fn is_locked(&self, name: &str) -> io::Result<bool>;

    /// The name as people know it, for messages.
    fn locate(&self, name: &str) -> PathBuf;
}

/// One opened file. Several threads may use it at once; none has a place in it of its own.
pub(crate) trait StorageFile: Send + Sync {
    /// Reads up to as many bytes as `buffer` takes; 0 at the end of the file.
    ///
    /// # Errors
    ///
    /// Anything the system says.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes some of the bytes, from the first on, and says how many.
    ///
    /// # Errors
    ///
    /// Anything the system says.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Bytes of the file.
    ///
    /// # Errors
    ///
    /// Anything the system says.
    fn length(&self) -> io::Result<u64>;

    /// Gives the file this length: what lies behind it is gone, what is missing up to it is zero.
    ///
    /// # Errors
    ///
    /// Anything the system says.
    fn set_length(&self, bytes: u64) -> io::Result<()>;

    /// Makes bytes and length durable.
    ///
    /// # Errors
    ///
    /// Anything the system says.
    fn sync_data(&self) -> io::Result<()>;

    /// Makes bytes, length and all else the system keeps about the file durable.
    ///
    /// # Errors
    ///
    /// Anything the system says.
    fn sync_all(&self) -> io::Result<()>;
}

/// An exclusive lock that is held as long as this value lives.
pub(crate) trait StorageLock: Send + Sync {
    /// Whether the locked file is still the one that its name leads to. If not, another process may hold a lock on
    /// the file that is there now.
    ///
    /// # Errors
    ///
    /// Anything the system says, but for a file that is gone.
    fn is_current(&self) -> io::Result<bool>;
}

/// Storage in a directory of the file system.
#[derive(Clone, Debug)]
pub(crate) struct FileStorage {
    root: PathBuf,
}

impl FileStorage {
    /// Storage below `root`, which need not exist yet.
    pub(crate) fn new(root: impl Into<PathBuf>) -> FileStorage {
        FileStorage { root: root.into() }
    }

    /// The start of this machine, where it can be told: what was not synced before an earlier one may be gone.
    pub(crate) fn boot_id() -> Option<String> {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(text.trim().to_owned())
    }

    /// Moves the directory of this name to `set-aside/`, in place of the one that was moved there before.
    ///
    /// # Errors
    ///
    /// Anything the system says.
    pub(crate) fn move_aside(&self, name: &str) -> io::Result<()> {
        let aside = self.directory(Folder::SetAside);
        match fs::create_dir(&aside) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        match fs::remove_dir_all(aside.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        fs::rename(self.root.join(name), aside.join(name))
    }

    /// Copies the directory of this name and all files below it to the same name in `to`, durably; says how many. What
    /// is neither file nor directory is left out.
    ///
    /// # Errors
    ///
    /// Anything the system says.
    pub(crate) fn copy_tree(&self, to: &FileStorage, name: &str) -> io::Result<u64> {
        let (from, to) = (self.root.join(name), to.root.join(name));
        if from.is_dir() { copy_directory(&from, &to) } else { Ok(0) }
    }

    fn directory(&self, folder: Folder) -> PathBuf {
        match folder.name() {
            Some("") => self.root.clone(),
            Some(name) => self.root.join(name),
            None => parent(&self.root).to_path_buf(),
        }
    }
}

fn copy_directory(from: &Path, to: &Path) -> io::Result<u64> {
    fs::create_dir(to)?;
    let mut files = 0;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target, kind) = (entry.path(), to.join(entry.file_name()), entry.file_type()?);
        if kind.is_dir() {
            files += copy_directory(&source, &target)?;
        } else if kind.is_file() {
            fs::copy(&source, &target)?;
            File::open(&target)?.sync_all()?;
            files += 1;
        }
    }
    File::open(to)?.sync_all()?;
    Ok(files)
}

/// The directory a path lies in; of a bare name the current one.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

impl Storage for FileStorage {
    fn create_directory(&self, folder: Folder) -> io::Result<()> {
        let path = self.directory(folder);
        let above = parent(&path);
        if folder == Folder::Home && !above.try_exists()? {
            create_with_parents(above)?;
        }
        fs::create_dir(path)
    }

    fn sync_directory(&self, folder: Folder) -> io::Result<()> {
        File::open(self.directory(folder))?.sync_all()
    }

    fn list(&self, folder: Folder) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(self.directory(folder))?;
        let mut names: Vec<String> = entries
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<_>>()?;
        names.sort();
        Ok(names)
    }

    fn create_new(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(self.locate(name))?;
        Ok(Arc::new(file))
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Arc<dyn StorageFile>> {
        let file = match access {
            Access::Read => File::open(self.locate(name))?,
            Access::ReadWrite => OpenOptions::new().read(true).write(true).open(self.locate(name))?,
        };
        Ok(Arc::new(file))
    }

    fn rename_no_replace(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.locate(from), self.locate(to));
        match renameat_with(CWD, &from, CWD, &to, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(()),
            // Not every file system can do it in one call. Nobody else makes names here while LOCK is held, so that
            // looking first is as good.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                if to.try_exists()? {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                fs::rename(from, to)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.locate(name))
    }

    fn try_lock(&self, name: &str) -> io::Result<Option<Box<dyn StorageLock>>> {
        let path = self.locate(name);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        if !lock_exclusively(&file)? {
            return Ok(None);
        }
        let lock = FileLock { path, file };
        // Between opening and locking the file may have been replaced: then the lock is on a file nobody finds.
        Ok(if lock.is_current()? { Some(Box::new(lock)) } else { None })
    }

    fn is_locked(&self, name: &str) -> io::Result<bool> {
        match File::open(self.locate(name)) {
            Ok(file) => Ok(!lock_shared(&file)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn locate(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

/// How often a lock is tried while those who only look at it are in the way; each is there for a moment.
const LOOKERS_MAX: usize = 10_000;

/// Takes the exclusive lock, unless somebody holds it. Who merely looks whether it is held is waited for.
fn lock_exclusively(file: &File) -> io::Result<bool> {
    for _ in 0..LOOKERS_MAX {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if !lock_shared(file)? => return Ok(false),
            // Somebody looked, and may have gone by now.
            Err(TryLockError::WouldBlock) => (),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}

/// Takes the lock together with others who look, and gives it back at once. Whether that could be done: not while
/// somebody holds it.
fn lock_shared(file: &File) -> io::Result<bool> {
    match file.try_lock_shared() {
        Ok(()) => file.unlock().map(|()| true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Makes the directory and all that lead to it; each is durable in the one above it.
fn create_with_parents(path: &Path) -> io::Result<()> {
    let above = parent(path);
    if !above.try_exists()? {
        create_with_parents(above)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => File::open(above)?.sync_all(),
    }
}

impl StorageFile for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn length(&self) -> io::Result<u64> {
        self.metadata().map(|metadata| metadata.len())
    }

    fn set_length(&self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn sync_all(&self) -> io::Result<()> {
        File::sync_all(self)
    }
}

struct FileLock {
    path: PathBuf,
    file: File,
}

/// Closing the file alone is not enough: a child that another thread is just starting holds it until it executes.
impl Drop for FileLock {
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(path = %self.path.display(), %error, "could not unlock");
        }
    }
}

impl StorageLock for FileLock {
    fn is_current(&self) -> io::Result<bool> {
        let locked = self.file.metadata()?;
        match fs::metadata(&self.path) {
            Ok(named) => Ok(named.dev() == locked.dev() && named.ino() == locked.ino()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}
