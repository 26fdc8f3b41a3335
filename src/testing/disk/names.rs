//! The names of files and directories, and how they change.

use std::collections::{BTreeMap, BTreeSet};

use crate::log::Folder;

#[derive(Clone, Debug)]
pub(super) enum Change {
    Directory(Folder),
    Name(String, u64),
    Rename(String, String),
    Remove(String),
}

#[derive(Clone, Default)]
pub(super) struct Names {
    pub(super) directories: BTreeSet<Folder>,
    pub(super) files: BTreeMap<String, u64>,
}

impl Names {
    pub(super) fn apply(&mut self, change: &Change) {
        match change {
            Change::Directory(folder) => {
                self.directories.insert(*folder);
            }
            Change::Name(name, inode) => {
                self.files.insert(name.clone(), *inode);
            }
            Change::Rename(from, to) => {
                if let Some(inode) = self.files.remove(from) {
                    self.files.insert(to.clone(), inode);
                }
            }
            Change::Remove(name) => {
                self.files.remove(name);
            }
        }
    }

    /// Drops what lies in directories that are not there.
    pub(super) fn prune(&mut self) {
        if !self.directories.contains(&Folder::Home) {
            self.directories.clear();
        }
        let directories = self.directories.clone();
        self.files.retain(|name, _| directories.contains(&folder_of(name)));
    }
}

pub(super) fn folder_of(name: &str) -> Folder {
    match name.split_once('/') {
        None => Folder::Home,
        Some(("log", _)) => Folder::Log,
        Some(_) => Folder::SetAside,
    }
}
