//! Which streams are live, kept in a table beside the log so that a start need not ask every stream (`index/`, O12).
//!
//! A cache and nothing else: what it says was read from durable events, and the log can always be asked instead. Any
//! doubt about it, at any time, and it is moved aside and made again, or done without.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::event::{Lasting, lasting};
use crate::ids::{Position, Sequence, StreamId};
use crate::log::{FileStorage, Log};

use super::error::Error;
use super::table::{Batch, Broken, Table};

/// The table's directory below that of the log.
const NAME: &str = "index";

/// The key of the entry that says what the table is about; every other key is a stream.
const KEY: &[u8] = b"about";

/// The number of what stands in the table. It rises with every change of it.
const STATE_FORMAT: u32 = 1;

/// Sealed segments from which on there is a table: reading less is as fast as opening one, and a short run leaves
/// little.
const SEALED_MIN: usize = 2;

/// Events after which the table is brought up to date beside the writer. Workflows that begin and end within them never
/// touch it.
const BEHIND_MAX: u64 = 65_536;

/// Events read at once.
const PIECE_EVENTS: usize = 4_096;

/// The live streams of one log.
pub(super) struct Live {
    log: Log,
    /// Where the table is; none for a log that is not on this machine's disk.
    place: Option<Place>,
    state: Mutex<State>,
    /// How many events the table has taken in.
    applied: AtomicU64,
}

struct Place {
    storage: FileStorage,
    directory: PathBuf,
    /// The start of this machine; what an earlier one left was never synced. None where it cannot be told.
    boot: Option<String>,
}

enum State {
    /// Nobody has needed it.
    Unopened,
    Open(Table),
    /// It failed; the log answers alone.
    GivenUp,
}

impl Live {
    /// The live streams of this log, with a table in `directory` if one is given.
    pub(super) fn new(log: Log, directory: Option<&Path>) -> Live {
        let place = directory.map(|directory| Place {
            storage: FileStorage::new(directory),
            directory: directory.join(NAME),
            boot: FileStorage::boot_id(),
        });
        Live { log, place, state: Mutex::new(State::Unopened), applied: AtomicU64::new(0) }
    }

    /// Looks what a table that is there knows: it is evidence of events that were durable.
    ///
    /// # Errors
    ///
    /// `is_damage` if it has seen events that the log has not.
    pub(super) fn check(&self) -> Result<(), Error> {
        let Some(place) = self.place.as_ref().filter(|place| place.directory.is_dir()) else { return Ok(()) };
        let table = match Table::open(&place.directory) {
            Ok(table) => table,
            Err(error) => {
                self.move_aside(place, &error.to_string());
                return Ok(());
            }
        };
        let about = table.get(KEY).ok().flatten().and_then(|bytes| About::decode(&bytes));
        let Some(about) = about.filter(|about| about.log_id == self.log.log_id()) else {
            drop(table);
            self.move_aside(place, "it is about another log, or about nothing");
            return Ok(());
        };
        if about.applied >= self.log.durable().get() {
            let proven = Position::new(about.applied.saturating_add(1)).unwrap_or(self.log.durable());
            return Err(self.log.missing(proven).into());
        }
        if Some(&about) == self.about(place, about.applied).as_ref() {
            self.applied.store(about.applied, Ordering::Release);
            *self.lock() = State::Open(table);
        } else {
            drop(table);
            self.move_aside(place, "it is of another start of this machine, another version or another log");
        }
        Ok(())
    }

    /// What must stand in a table that has taken in the events up to this position; 0: none.
    fn about(&self, place: &Place, applied: u64) -> Option<About> {
        let crc = match Position::new(applied) {
            Some(last) => self.log.read_all(last, 1).ok()?.first()?.crc,
            None => 0,
        };
        let boot = place.boot.clone()?;
        Some(About { log_id: self.log.log_id(), applied, crc, format: STATE_FORMAT, boot })
    }

    fn move_aside(&self, place: &Place, why: &str) {
        *self.lock() = State::Unopened;
        self.applied.store(0, Ordering::Release);
        tracing::warn!(path = %place.directory.display(), why, "the index of live streams is moved aside and made again");
        if let Err(error) = place.storage.move_aside(NAME) {
            tracing::warn!(%error, "the index of live streams is in the way; the log answers alone");
            *self.lock() = State::GivenUp;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the table should be brought up to date beside the writer.
    pub(super) fn is_due(&self) -> bool {
        self.place.is_some()
            && self.behind() >= BEHIND_MAX
            && self.state.try_lock().is_ok_and(|state| match &*state {
                State::Unopened => self.log.sealed() >= SEALED_MIN,
                State::Open(_) => true,
                State::GivenUp => false,
            })
    }

    fn behind(&self) -> u64 {
        self.log.durable().get() - 1 - self.applied.load(Ordering::Acquire)
    }

    /// Takes in some events that are durable. What fails is traced: nobody needs the table.
    pub(super) fn perform(&self) {
        let mut state = self.lock();
        if let Some(place) = self.place.as_ref() {
            self.take_in(place, &mut state, BEHIND_MAX);
        }
    }

    /// The streams that may be live, every one that is among them; None if only the log can tell.
    pub(super) fn streams(&self) -> Option<Vec<(StreamId, Sequence)>> {
        let place = self.place.as_ref()?;
        let mut state = self.lock();
        if matches!(*state, State::Unopened) && self.log.sealed() < SEALED_MIN {
            return None;
        }
        self.take_in(place, &mut state, u64::MAX);
        let State::Open(table) = &*state else { return None };
        let mut streams = Vec::new();
        let read = table.for_each(&mut |key, value| {
            let stream = key.first_chunk().copied().map(StreamId::from_bytes).filter(|_| key.len() == 16);
            let last = value.first_chunk().copied().map(u64::from_le_bytes).and_then(Sequence::new);
            streams.extend(stream.zip(last));
        });
        match read {
            Ok(()) => Some(streams),
            Err(error) => {
                give_up(&mut state, &error);
                None
            }
        }
    }

    /// Brings the table up to `limit` events closer to what is durable.
    fn take_in(&self, place: &Place, state: &mut State, limit: u64) {
        if matches!(state, State::Unopened) {
            match Table::open(&place.directory) {
                Ok(table) => *state = State::Open(table),
                Err(error) => give_up(state, &error),
            }
        }
        let mut left = limit.min(self.behind());
        while left > 0 {
            let State::Open(table) = &*state else { return };
            match self.take_piece(place, table, left.min(BEHIND_MAX)) {
                Ok(taken) => left = left.saturating_sub(taken.max(1)),
                Err(Failed::Table(error)) => return give_up(state, &error),
                Err(Failed::Log(error)) => {
                    tracing::warn!(%error, "the index of live streams stays behind: the log cannot be read");
                    *state = State::GivenUp;
                    return;
                }
            }
        }
    }

    /// Takes in at most so many events as one batch; says how many.
    fn take_piece(&self, place: &Place, table: &Table, limit: u64) -> Result<u64, Failed> {
        let applied = self.applied.load(Ordering::Acquire);
        let mut next = Position::FIRST.plus(applied);
        let end = next.plus(limit).min(self.log.durable());
        let mut changes: HashMap<StreamId, Option<Sequence>> = HashMap::new();
        let mut crc = 0;
        while next < end {
            let count = usize::try_from(end.get() - next.get()).unwrap_or(PIECE_EVENTS).min(PIECE_EVENTS);
            for record in self.log.read_all(next, count).map_err(|error| Failed::Log(error.into()))? {
                next = record.position.next();
                crc = record.crc;
                if record.stream.as_workflow().is_none() {
                    continue;
                }
                match lasting(record.kind) {
                    Lasting::Live => drop(changes.insert(record.stream, Some(record.sequence))),
                    Lasting::Ended => drop(changes.insert(record.stream, None)),
                    Lasting::Unchanged => {
                        let known = match changes.get(&record.stream) {
                            Some(change) => change.is_some(),
                            None => table.get(&record.stream.to_bytes()).map_err(Failed::Table)?.is_some(),
                        };
                        if known {
                            changes.insert(record.stream, Some(record.sequence));
                        }
                    }
                }
            }
        }
        let mut batch = Batch::default();
        for (stream, last) in changes {
            match last {
                Some(last) => batch.put(&stream.to_bytes(), &last.get().to_le_bytes()),
                None => batch.remove(&stream.to_bytes()),
            }
        }
        let taken = next.get() - 1 - applied;
        let boot = place.boot.clone().unwrap_or_default();
        let about = About { log_id: self.log.log_id(), applied: applied + taken, crc, format: STATE_FORMAT, boot };
        batch.put(KEY, &about.encode());
        table.apply(batch).map_err(Failed::Table)?;
        self.applied.store(applied + taken, Ordering::Release);
        Ok(taken)
    }
}

enum Failed {
    Table(Broken),
    Log(Error),
}

fn give_up(state: &mut State, error: &Broken) {
    tracing::warn!(%error, "the index of live streams serves no more; the log answers alone");
    *state = State::GivenUp;
}

/// What a table is about; it stands in every batch.
#[derive(Clone, Debug, PartialEq, Eq)]
struct About {
    log_id: [u8; 16],
    /// Position of the last event that was taken in.
    applied: u64,
    /// Checksum of its frame.
    crc: u32,
    format: u32,
    /// The start of this machine.
    boot: String,
}

impl About {
    fn encode(&self) -> Vec<u8> {
        let version = env!("CARGO_PKG_VERSION");
        let mut bytes = self.log_id.to_vec();
        bytes.extend_from_slice(&self.applied.to_le_bytes());
        bytes.extend_from_slice(&self.crc.to_le_bytes());
        bytes.extend_from_slice(&self.format.to_le_bytes());
        bytes.extend_from_slice(format!("{}\n{version}", self.boot).as_bytes());
        bytes
    }

    /// None for what another version wrote, too.
    fn decode(bytes: &[u8]) -> Option<About> {
        let at = |at: usize| bytes.get(at..);
        let text = std::str::from_utf8(at(32)?).ok()?;
        let (boot, version) = text.split_once('\n')?;
        let about = About {
            log_id: *at(0)?.first_chunk()?,
            applied: u64::from_le_bytes(*at(16)?.first_chunk()?),
            crc: u32::from_le_bytes(*at(24)?.first_chunk()?),
            format: u32::from_le_bytes(*at(28)?.first_chunk()?),
            boot: boot.to_owned(),
        };
        (version == env!("CARGO_PKG_VERSION")).then_some(about)
    }
}

/// Whether a directory without segments had events once, going by the table in it.
pub(super) fn has_seen_events(directory: &Path) -> bool {
    let path = directory.join(NAME);
    let read = || Table::open(&path).ok()?.get(KEY).ok()?.and_then(|bytes| About::decode(&bytes));
    path.is_dir() && read().is_some_and(|about| about.applied > 0)
}

/// Makes the table that of an earlier start of this machine.
#[cfg(test)]
pub(super) fn forge_boot(path: &Path) {
    let table = Table::open(path).expect("there is a table");
    let bytes = table.get(KEY).expect("it can be read").expect("it is about something");
    let about = About { boot: "another".to_owned(), ..About::decode(&bytes).expect("this version wrote it") };
    let mut batch = Batch::default();
    batch.put(KEY, &about.encode());
    table.apply(batch).expect("it can be written");
}
