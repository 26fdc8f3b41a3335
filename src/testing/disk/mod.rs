//! A disk that exists in memory and behaves as badly as a real one may: page cache and platter are two things.
//!
//! Un-synced sectors of 512 bytes reach the platter in any subset, in any of the versions they had, or as garbage where
//! they were changed; of the un-synced names of a directory any prefix does; a failed sync forgets what was to be
//! written. Processes are killed and power is cut at any operation. Bytes of a sector that a write does not change are
//! never harmed. One seed decides everything.

mod inode;
mod names;
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::log::{Folder, Storage};
use crate::testing::dice::Dice;

use inode::Inode;
use names::{Change, Names, folder_of};
use process::Process;

pub(crate) use inode::{Fate, SECTOR_BYTES};

/// What a process asks a disk for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    CreateDirectory,
    SyncDirectory,
    List,
    CreateNew,
    Open,
    Rename,
    Remove,
    Lock,
    Read,
    Write,
    Length,
    Cut,
    Sync,
}

/// One operation under way.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// How many there were before, since the disk was made.
    pub(crate) number: u64,
    pub(crate) operation: Operation,
    /// File or directory.
    pub(crate) name: String,
}

/// What goes wrong with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process is killed before anything happens.
    Kill,
    /// The process is killed when part of a write, or all of anything else, has happened.
    KillAfter,
    /// Nothing happens, and the system says so.
    Fail(ErrorKind),
    /// Only the first half of a write happens, which is no error.
    Short,
    /// A sync fails: some of what was to be written is, the rest is forgotten.
    Forget,
    /// A sync reports success and does nothing.
    Lie,
}

type Plan = Box<dyn FnMut(&Request) -> Option<Fault> + Send>;

struct State {
    dice: Dice,
    inodes: BTreeMap<u64, Inode>,
    cached: Names,
    durable: Names,
    /// Changes of names since their directory was synced, oldest first.
    pending: Vec<(Folder, Change)>,
    /// Rises with every killed process.
    epoch: u64,
    locks: BTreeSet<u64>,
    inodes_made: u64,
    space: Option<u64>,
    requests: u64,
    syncs: u64,
    plan: Option<Plan>,
}

impl State {
    fn make_inode(&mut self, name: &str) -> u64 {
        self.inodes_made += 1;
        self.inodes.insert(self.inodes_made, Inode::default());
        self.change(folder_of(name), Change::Name(name.to_owned(), self.inodes_made));
        self.inodes_made
    }

    fn change(&mut self, folder: Folder, change: Change) {
        self.cached.apply(&change);
        self.pending.push((folder, change));
    }

    fn sync_folder(&mut self, folder: Folder) {
        let State { pending, durable, .. } = self;
        pending.retain(|(of, change)| {
            if *of == folder {
                durable.apply(change);
            }
            *of != folder
        });
    }

    fn kill(&mut self) {
        self.epoch += 1;
        self.locks.clear();
    }

    fn inode(&mut self, inode: u64) -> &mut Inode {
        self.inodes.get_mut(&inode).expect("a file that is open or named has an inode")
    }
}

/// The disk of one machine. Clones are the same disk.
#[derive(Clone)]
pub(crate) struct Disk(Arc<Mutex<State>>);

impl Disk {
    /// An empty disk.
    pub(crate) fn new(seed: u64) -> Disk {
        Disk(Arc::new(Mutex::new(State {
            dice: Dice::new(seed),
            inodes: BTreeMap::new(),
            cached: Names::default(),
            durable: Names::default(),
            pending: Vec::new(),
            epoch: 0,
            locks: BTreeSet::new(),
            inodes_made: 0,
            space: None,
            requests: 0,
            syncs: 0,
            plan: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The name that a file has now.
    fn name_of(&self, inode: u64) -> Option<String> {
        let state = self.state();
        state.cached.files.iter().find(|(_, named)| **named == inode).map(|(name, _)| name.clone())
    }

    /// A disk with the same contents, from here on independent of this one, and without processes.
    pub(crate) fn fork(&self, seed: u64) -> Disk {
        let state = self.state();
        let fork = Disk::new(seed);
        {
            let mut other = fork.state();
            other.inodes = state.inodes.clone();
            other.cached = state.cached.clone();
            other.durable = state.durable.clone();
            other.pending = state.pending.clone();
            other.inodes_made = state.inodes_made;
        }
        fork
    }

    /// The disk as a new process sees it. Processes of one epoch live beside each other.
    pub(crate) fn process(&self) -> Arc<dyn Storage> {
        Arc::new(Process { disk: self.clone(), epoch: self.state().epoch })
    }

    /// Decides from now on what goes wrong.
    pub(crate) fn inject(&self, plan: impl FnMut(&Request) -> Option<Fault> + Send + 'static) {
        self.state().plan = Some(Box::new(plan));
    }

    /// Nothing goes wrong from now on.
    pub(crate) fn behave(&self) {
        self.state().plan = None;
    }

    /// Operations so far.
    pub(crate) fn requests(&self) -> u64 {
        self.state().requests
    }

    /// Syncs of files and directories so far.
    pub(crate) fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// Bytes by which files may still grow; None: any.
    pub(crate) fn set_space(&self, bytes: Option<u64>) {
        self.state().space = bytes;
    }

    /// Kills all processes; the page cache stays.
    pub(crate) fn kill(&self) {
        self.state().kill();
    }

    /// Cuts the power: of what was not synced, any part is lost.
    pub(crate) fn cut_power(&self) {
        let mut state = self.state();
        // Extremes are worth more than their share among all subsets.
        let style = state.dice.below(6);
        let mut dice = Dice::new(state.dice.roll());
        drop(state);
        self.cut_power_with(move |_, _, _| match style {
            0 => Fate::Old,
            1 => Fate::New,
            2 if dice.once_in(8) => Fate::Old,
            2 => Fate::New,
            3 if dice.once_in(8) => Fate::New,
            3 => Fate::Old,
            _ => Fate::Any,
        });
    }

    /// Cuts the power; `fate` says for a file what becomes of the n-th of how many dirty sectors.
    pub(crate) fn cut_power_with(&self, mut fate: impl FnMut(&str, usize, usize) -> Fate) {
        let mut state = self.state();
        state.kill();
        let mut dice = state.dice.clone();
        dice.roll();
        let mut cut_off = BTreeSet::new();
        for (folder, change) in std::mem::take(&mut state.pending) {
            let lost = match fate("", 0, 1) {
                Fate::Old => true,
                Fate::New => false,
                Fate::Any => dice.once_in(3),
            };
            // Of each directory a prefix of its changes is durable.
            if lost {
                cut_off.insert(folder);
            }
            if !cut_off.contains(&folder) {
                state.durable.apply(&change);
            }
        }
        state.durable.prune();
        let names = state.durable.clone();
        state.inodes.retain(|inode, _| names.files.values().any(|named| named == inode));
        for (name, inode) in &names.files {
            state.inode(*inode).cut(&mut dice, &mut |index, count| fate(name, index, count));
        }
        state.cached = names;
        state.dice = dice;
    }

    /// Every file with its bytes, as a process sees them.
    pub(crate) fn tree(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        state.cached.files.iter().map(|(name, inode)| (name.clone(), state.inodes[inode].cache.clone())).collect()
    }

    /// Changes the bytes of a file, durably and behind everybody's back.
    pub(crate) fn edit(&self, name: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let inode = state.cached.files[name];
        let inode = state.inode(inode);
        edit(&mut inode.cache);
        inode.platter = inode.cache.clone();
        inode.dirty.clear();
        inode.lengths.clear();
    }

    /// Puts a file there, durably and behind everybody's back.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state();
        for folder in [Folder::Home, folder_of(name)] {
            state.cached.directories.insert(folder);
            state.durable.directories.insert(folder);
        }
        state.inodes_made += 1;
        let inode = state.inodes_made;
        state.inodes.insert(inode, Inode { cache: bytes.to_vec(), platter: bytes.to_vec(), ..Inode::default() });
        state.cached.files.insert(name.to_owned(), inode);
        state.durable.files.insert(name.to_owned(), inode);
    }

    /// Removes a file, durably and behind everybody's back.
    pub(crate) fn take_away(&self, name: &str) {
        let mut state = self.state();
        state.cached.files.remove(name);
        state.durable.files.remove(name);
    }
}
