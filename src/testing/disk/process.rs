//! The disk as one process sees it: the storage that a log is given.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, MutexGuard};

use crate::log::{Access, Folder, Storage, StorageFile, StorageLock};

use super::names::{Change, folder_of};
use super::{Disk, Fault, Operation, Request, State};

pub(super) struct Process {
    pub(super) disk: Disk,
    pub(super) epoch: u64,
}

fn killed() -> io::Error {
    io::Error::other("the process is dead")
}

/// What an operation does besides its work.
struct Turn<'a> {
    state: MutexGuard<'a, State>,
    fault: Option<Fault>,
}

impl Turn<'_> {
    /// The result of an operation whose work is done.
    fn done<T>(mut self, result: T) -> io::Result<T> {
        if self.fault == Some(Fault::KillAfter) {
            self.state.kill();
            return Err(killed());
        }
        Ok(result)
    }
}

fn begin<'a>(disk: &'a Disk, epoch: u64, operation: Operation, name: &str) -> io::Result<Turn<'a>> {
    let mut state = disk.state();
    if state.epoch != epoch {
        return Err(killed());
    }
    let request = Request { number: state.requests, operation, name: name.to_owned() };
    state.requests += 1;
    if matches!(operation, Operation::Sync | Operation::SyncDirectory) {
        state.syncs += 1;
    }
    let fault = state.plan.as_mut().and_then(|plan| plan(&request));
    match fault {
        Some(Fault::Kill) => {
            state.kill();
            Err(killed())
        }
        Some(Fault::Fail(kind)) => Err(kind.into()),
        Some(Fault::KillAfter | Fault::Short | Fault::Forget | Fault::Lie) | None => Ok(Turn { state, fault }),
    }
}

impl Process {
    fn begin(&self, operation: Operation, name: &str) -> io::Result<Turn<'_>> {
        begin(&self.disk, self.epoch, operation, name)
    }

    fn file(&self, name: &str, inode: u64) -> Arc<dyn StorageFile> {
        Arc::new(DiskFile { disk: self.disk.clone(), epoch: self.epoch, name: name.to_owned(), inode })
    }
}

impl Storage for Process {
    fn create_directory(&self, folder: Folder) -> io::Result<()> {
        let mut turn = self.begin(Operation::CreateDirectory, folder.name().unwrap_or(".."))?;
        if turn.state.cached.directories.contains(&folder) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let parent = if folder == Folder::Home { Folder::Parent } else { Folder::Home };
        turn.state.change(parent, Change::Directory(folder));
        turn.done(())
    }

    fn sync_directory(&self, folder: Folder) -> io::Result<()> {
        let mut turn = self.begin(Operation::SyncDirectory, folder.name().unwrap_or(".."))?;
        match turn.fault {
            Some(Fault::Lie) => {}
            Some(Fault::Forget) => return Err(io::Error::from_raw_os_error(5)),
            _ => turn.state.sync_folder(folder),
        }
        turn.done(())
    }

    fn list(&self, folder: Folder) -> io::Result<Vec<String>> {
        let turn = self.begin(Operation::List, folder.name().unwrap_or(".."))?;
        if !turn.state.cached.directories.contains(&folder) {
            return Err(ErrorKind::NotFound.into());
        }
        let files = turn.state.cached.files.keys().filter(|name| folder_of(name) == folder);
        let names = files.map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()).collect();
        turn.done(names)
    }

    fn create_new(&self, name: &str) -> io::Result<Arc<dyn StorageFile>> {
        let mut turn = self.begin(Operation::CreateNew, name)?;
        if turn.state.cached.files.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        if !turn.state.cached.directories.contains(&folder_of(name)) {
            return Err(ErrorKind::NotFound.into());
        }
        let inode = turn.state.make_inode(name);
        turn.done(self.file(name, inode))
    }

    fn open(&self, name: &str, _access: Access) -> io::Result<Arc<dyn StorageFile>> {
        let turn = self.begin(Operation::Open, name)?;
        let inode = turn.state.cached.files.get(name).copied().ok_or(ErrorKind::NotFound)?;
        turn.done(self.file(name, inode))
    }

    fn rename_no_replace(&self, from: &str, to: &str) -> io::Result<()> {
        let mut turn = self.begin(Operation::Rename, to)?;
        if turn.state.cached.files.contains_key(to) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        if !turn.state.cached.files.contains_key(from) {
            return Err(ErrorKind::NotFound.into());
        }
        turn.state.change(folder_of(to), Change::Rename(from.to_owned(), to.to_owned()));
        turn.done(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut turn = self.begin(Operation::Remove, name)?;
        if !turn.state.cached.files.contains_key(name) {
            return Err(ErrorKind::NotFound.into());
        }
        turn.state.change(folder_of(name), Change::Remove(name.to_owned()));
        turn.done(())
    }

    fn try_lock(&self, name: &str) -> io::Result<Option<Box<dyn StorageLock>>> {
        let mut turn = self.begin(Operation::Lock, name)?;
        let known = turn.state.cached.files.get(name).copied();
        let inode = known.unwrap_or_else(|| turn.state.make_inode(name));
        if !turn.state.locks.insert(inode) {
            return Ok(None);
        }
        let lock = DiskLock { disk: self.disk.clone(), epoch: self.epoch, name: name.to_owned(), inode };
        match turn.done(()) {
            Ok(()) => Ok(Some(Box::new(lock))),
            Err(error) => Err(error),
        }
    }

    fn is_locked(&self, name: &str) -> io::Result<bool> {
        let turn = self.begin(Operation::Lock, name)?;
        let inode = turn.state.cached.files.get(name);
        let is_locked = inode.is_some_and(|inode| turn.state.locks.contains(inode));
        turn.done(is_locked)
    }

    fn locate(&self, name: &str) -> PathBuf {
        PathBuf::from("/disk").join(name)
    }
}

struct DiskLock {
    disk: Disk,
    epoch: u64,
    name: String,
    inode: u64,
}

impl StorageLock for DiskLock {
    fn is_current(&self) -> io::Result<bool> {
        let state = self.disk.state();
        if state.epoch != self.epoch {
            return Err(killed());
        }
        Ok(state.cached.files.get(&self.name) == Some(&self.inode))
    }
}

impl Drop for DiskLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.epoch == self.epoch {
            state.locks.remove(&self.inode);
        }
    }
}

struct DiskFile {
    disk: Disk,
    epoch: u64,
    name: String,
    inode: u64,
}

impl DiskFile {
    fn begin(&self, operation: Operation) -> io::Result<Turn<'_>> {
        // The file may have another name by now than when it was opened.
        let name = self.disk.name_of(self.inode).unwrap_or_else(|| self.name.clone());
        begin(&self.disk, self.epoch, operation, &name)
    }
}

impl StorageFile for DiskFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut turn = self.begin(Operation::Read)?;
        let cache = &turn.state.inode(self.inode).cache;
        let rest = cache.get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        turn.done(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut turn = self.begin(Operation::Write)?;
        let length = match turn.fault {
            Some(Fault::Short) => bytes.len().div_ceil(2),
            Some(Fault::KillAfter) => turn.state.dice.below(bytes.len() as u64 + 1) as usize,
            _ => bytes.len(),
        };
        let offset = offset as usize;
        let growth = (offset + length).saturating_sub(turn.state.inode(self.inode).cache.len()) as u64;
        match turn.state.space {
            Some(space) if growth > space => return Err(ErrorKind::StorageFull.into()),
            Some(space) => turn.state.space = Some(space - growth),
            None => {}
        }
        turn.state.inode(self.inode).write(&bytes[..length], offset);
        turn.done(length)
    }

    fn length(&self) -> io::Result<u64> {
        let mut turn = self.begin(Operation::Length)?;
        let length = turn.state.inode(self.inode).cache.len() as u64;
        turn.done(length)
    }

    fn set_length(&self, bytes: u64) -> io::Result<()> {
        let mut turn = self.begin(Operation::Cut)?;
        turn.state.inode(self.inode).set_length(bytes as usize);
        turn.done(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut turn = self.begin(Operation::Sync)?;
        match turn.fault {
            Some(Fault::Lie) => {}
            Some(Fault::Forget) => {
                let State { inodes, dice, .. } = &mut *turn.state;
                inodes.get_mut(&self.inode).expect("an open file has an inode").forget(dice);
                return Err(io::Error::from_raw_os_error(5));
            }
            _ => turn.state.inode(self.inode).sync(),
        }
        turn.done(())
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }
}
