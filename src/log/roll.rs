//! New segments: zero-filled files made ahead of need, and how one becomes the newest segment of the log.
//!
//! A file is in the log from the moment it has its name; what fails before that leaves a file of no use, what fails
//! after it leaves the caller not knowing. Has no thread: who has one calls `Preparer::prepare`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::directory::{Home, LogFile, segment_name, temporary_name};
use super::error::Error;
use super::seed::Seed;
use super::segment::{Header, Offset};
use super::storage::Folder;

/// Bytes written at once while a file is filled with zeros.
const FILL_BYTES: usize = 1024 * 1024;

/// A file that is filled with zeros and synced, and has no place in the log yet.
pub(super) struct Prepared {
    home: Home,
    name: String,
    file: LogFile,
    pub(super) capacity: u64,
}

impl Prepared {
    /// Makes a file of `capacity` bytes that begins with `start` and goes on with zeros, all of it durable unless the
    /// caller says `Syncing::Later`.
    ///
    /// # Errors
    ///
    /// `NoSpace`, `Io`; no file is left behind.
    fn make(home: &Home, seed: &mut Seed, start: &[u8], capacity: u64, sync: Syncing) -> Result<Prepared, Error> {
        let name = temporary_name(seed.number());
        let file = home.create_new(&name).map_err(|error| or_no_space(error, capacity))?;
        let prepared = Prepared { home: home.clone(), name, file, capacity };
        let filled = fill(&prepared.file, start, capacity).and_then(|()| match sync {
            Syncing::Now => prepared.file.sync_all(),
            Syncing::Later => Ok(()),
        });
        match filled {
            Ok(()) => Ok(prepared),
            Err(error) => {
                prepared.discard();
                Err(or_no_space(error, capacity))
            }
        }
    }

    /// Makes a file for a later roll (R1).
    ///
    /// # Errors
    ///
    /// `NoSpace`, `Io`; no file is left behind.
    pub(super) fn zeros(home: &Home, seed: &mut Seed, capacity: u64) -> Result<Prepared, Error> {
        Prepared::make(home, seed, &[], capacity, Syncing::Now)
    }

    /// Makes the file of a log's first segment, header and all; it is synced when it is installed.
    ///
    /// # Errors
    ///
    /// `NoSpace`, `Io`; no file is left behind.
    pub(super) fn first(home: &Home, seed: &mut Seed, header: &Header) -> Result<Prepared, Error> {
        Prepared::make(home, seed, &header.encode(), header.capacity, Syncing::Later)
    }

    /// Writes both copies of the header (R2).
    ///
    /// # Errors
    ///
    /// `NoSpace`, `Io`; no file is left behind.
    pub(super) fn with_header(self, header: &Header) -> Result<Prepared, Error> {
        match self.file.write_all(&header.encode(), Offset::new(0)) {
            Ok(()) => Ok(self),
            Err(error) => {
                let capacity = self.capacity;
                self.discard();
                Err(or_no_space(error, capacity))
            }
        }
    }

    /// Makes the file the segment that its header says it is, durably (R3 to R5).
    ///
    /// # Errors
    ///
    /// `Io`: whether the segment is in the log is not known.
    pub(super) fn install(self, header: &Header) -> Result<LogFile, Error> {
        self.file.sync_all()?;
        let file = self.home.rename(self.file, &self.name, &segment_name(header.number))?;
        self.home.sync_directory(Folder::Log)?;
        Ok(file)
    }

    fn discard(self) {
        self.home.discard(&self.name);
    }
}

/// When a new file is synced.
#[derive(Clone, Copy)]
enum Syncing {
    Now,
    Later,
}

fn fill(file: &LogFile, start: &[u8], capacity: u64) -> Result<(), Error> {
    let size = |left: u64| usize::try_from(left).unwrap_or(usize::MAX).min(FILL_BYTES);
    let mut piece = vec![0; size(capacity).max(start.len())];
    if let Some(place) = piece.get_mut(..start.len()) {
        place.copy_from_slice(start);
    }
    file.write_all(&piece, Offset::new(0))?;
    let mut at = piece.len() as u64;
    if let Some(place) = piece.get_mut(..start.len()) {
        place.fill(0);
    }
    while at < capacity {
        piece.truncate(size(capacity - at));
        file.write_all(&piece, Offset::new(at))?;
        at += piece.len() as u64;
    }
    Ok(())
}

/// An error for want of room says how much was wanted.
fn or_no_space(error: Error, bytes: u64) -> Error {
    match error {
        Error::Io { source, .. }
            if matches!(source.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) =>
        {
            Error::NoSpace { bytes, source }
        }
        other => other,
    }
}

/// How far the next segment's file is.
enum Stage {
    /// Nobody has asked for one.
    Idle,
    /// One of this many bytes is asked for.
    Wanted { capacity: u64 },
    /// It is being made.
    Working,
    /// It is there.
    Ready(Prepared),
    /// It could not be made; the roll will try itself.
    Failed,
    /// Nobody will ask again.
    Closed,
}

struct State {
    stage: Stage,
    /// Rises whenever the writer stops waiting for what is being made.
    turn: u64,
}

/// Where the writer asks for the next segment's file and finds it.
#[derive(Clone)]
pub(super) struct Slot(Arc<Mutex<State>>);

impl Slot {
    pub(super) fn new() -> Slot {
        Slot(Arc::new(Mutex::new(State { stage: Stage::Idle, turn: 0 })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here is half done when a thread panics, and a file that is lost to us is removed at the next open.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a file, unless that was done since the last roll.
    pub(super) fn want(&self, capacity: u64) {
        let mut state = self.state();
        if matches!(state.stage, Stage::Idle) {
            state.stage = Stage::Wanted { capacity };
        }
    }

    /// The file, if it is there and has at least `needed` bytes; from now on the next one may be asked for.
    pub(super) fn take(&self, needed: u64) -> Option<Prepared> {
        let stage = self.replace(Stage::Idle);
        match stage {
            Stage::Ready(prepared) if prepared.capacity >= needed => Some(prepared),
            Stage::Ready(prepared) => {
                prepared.discard();
                None
            }
            Stage::Idle | Stage::Wanted { .. } | Stage::Working | Stage::Failed | Stage::Closed => None,
        }
    }

    /// Ends it: what is there is removed, what is being made will be.
    pub(super) fn close(&self) {
        if let Stage::Ready(prepared) = self.replace(Stage::Closed) {
            prepared.discard();
        }
    }

    fn replace(&self, stage: Stage) -> Stage {
        let mut state = self.state();
        state.turn += 1;
        std::mem::replace(&mut state.stage, stage)
    }
}

/// Makes the file of the next segment before it is needed, beside the writer, on a thread of whoever calls it.
pub(crate) struct Preparer {
    home: Home,
    seed: Seed,
    slot: Slot,
}

impl Preparer {
    pub(super) fn new(home: Home, seed: Seed, slot: Slot) -> Preparer {
        Preparer { home, seed, slot }
    }

    /// Whether the writer has asked for a file that nobody is making.
    pub(crate) fn is_wanted(&self) -> bool {
        matches!(self.slot.state().stage, Stage::Wanted { .. })
    }

    /// Makes the file that is asked for, if one is; this writes and syncs up to the longest segment's bytes. An error
    /// harms nothing: the writer makes the file itself when it needs it.
    ///
    /// # Errors
    ///
    /// `NoSpace`, `Io`.
    pub(crate) fn prepare(&mut self) -> Result<(), Error> {
        let (capacity, turn) = {
            let mut state = self.slot.state();
            let Stage::Wanted { capacity } = state.stage else { return Ok(()) };
            state.stage = Stage::Working;
            (capacity, state.turn)
        };
        let made = Prepared::zeros(&self.home, &mut self.seed, capacity);
        let mut state = self.slot.state();
        if state.turn != turn {
            drop(state);
            if let Ok(prepared) = made {
                prepared.discard();
            }
            return Ok(());
        }
        match made {
            Ok(prepared) => {
                state.stage = Stage::Ready(prepared);
                Ok(())
            }
            Err(error) => {
                state.stage = Stage::Failed;
                Err(error)
            }
        }
    }
}
