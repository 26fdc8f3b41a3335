//! The slot and the writer: batches go in with what they let out; whoever takes the writer out of the slot writes them,
//! syncs them, and lets it out.
//!
//! There is one writer value and one write under way. Batches and writer are taken in one critical section, and what is
//! let out is let out before the writer goes back, so the order of the log is the order of the releases.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ids::{ActivationId, AttemptId, WorkflowId};
use crate::limits::{WRITE_BYTES_MAX, WRITE_GROUPS_MAX};
use crate::store::{Append, Appended, StoreWriter};

use super::error::Error;
use super::inbox::Reply;
use super::promise::Promise;
use super::worklist::{Notice, Released};

/// How long nothing is written before the log says so itself.
const IDLE: Duration = Duration::from_millis(200);

/// A batch on its way to the log, or only something to let out.
pub(super) struct Outgoing {
    /// Number of the batch this rests on: its own, or the last of its workflow.
    pub(super) batch: u64,
    /// The events, if there are any.
    pub(super) append: Option<Append>,
    pub(super) release: Release,
}

/// What is let out once everything before it is durable.
#[derive(Default)]
pub(super) struct Release {
    /// The workflow that begins.
    pub(super) opened: Option<WorkflowId>,
    pub(super) attempts: Vec<Released>,
    pub(super) withdrawn: Vec<(WorkflowId, ActivationId, Notice)>,
    /// Attempts that are to stop, and to tell when they have.
    pub(super) stopping: Vec<(WorkflowId, AttemptId)>,
    /// A workflow in which nothing begins from now on.
    pub(super) withheld: Option<WorkflowId>,
    pub(super) ended: Vec<WorkflowId>,
    pub(super) answers: Vec<(Promise<Reply>, Reply)>,
}

/// Takes what a write has let out.
pub(super) trait Outlet {
    fn let_out(&self, releases: Vec<Release>);

    /// A write has failed. Called before what it would have let out is dropped, so that whoever waits for that finds
    /// the cause.
    fn failed(&self, error: &Error);

    /// Something was written; the next write may begin.
    fn wrote(&self);
}

struct Waiting {
    outgoing: Vec<Outgoing>,
    bytes: usize,
    writer: Option<Box<dyn StoreWriter>>,
    /// The log has said that nothing is written.
    idle: bool,
    /// A write failed, or the engine has stopped: nothing is written any more.
    failed: bool,
    finishing: bool,
    /// Something was written since the committer went to sleep.
    written: bool,
    sleep: Sleep,
}

/// How the committer sleeps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sleep {
    Awake,
    /// Until something comes, or the log has been idle for long enough.
    UntilIdle,
    /// Until something comes.
    UntilWoken,
}

/// Batches that were taken out of the slot together with the writer.
pub(super) struct Write {
    writer: Box<dyn StoreWriter>,
    outgoing: Vec<Outgoing>,
}

/// Where batches wait for the writer.
pub(super) struct Slot {
    waiting: Mutex<Waiting>,
    committer: Condvar,
    owner: Condvar,
    released: AtomicU64,
    flushes: AtomicU64,
}

/// What the committer does next.
enum Turn {
    Stop,
    Write(Write),
    Idle(Box<dyn StoreWriter>),
    Close(Box<dyn StoreWriter>),
}

impl Slot {
    pub(super) fn new(writer: Box<dyn StoreWriter>) -> Slot {
        let waiting = Waiting {
            outgoing: Vec::new(),
            bytes: 0,
            writer: Some(writer),
            idle: false,
            failed: false,
            finishing: false,
            written: false,
            sleep: Sleep::Awake,
        };
        Slot {
            waiting: Mutex::new(waiting),
            committer: Condvar::new(),
            owner: Condvar::new(),
            released: AtomicU64::new(0),
            flushes: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of the last batch whose release has begun: everything up to it is durable.
    pub(super) fn released(&self) -> u64 {
        self.released.load(Ordering::Acquire)
    }

    /// How many writes with events were made durable.
    pub(super) fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Relaxed)
    }

    /// Puts batches into the slot; waits while it is full. The committer takes them.
    pub(super) fn offer(&self, outgoing: Vec<Outgoing>) {
        let mut waiting = self.lock();
        while waiting.bytes >= WRITE_BYTES_MAX && !waiting.failed {
            waiting = self.owner.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        if waiting.failed {
            return;
        }
        waiting.put(outgoing);
        // While somebody writes, the committer is woken when the writer comes back.
        let wake = waiting.sleep != Sleep::Awake && waiting.writer.is_some();
        if wake {
            waiting.sleep = Sleep::Awake;
        }
        drop(waiting);
        if wake {
            self.committer.notify_one();
        }
    }

    /// The batches with the writer, for the calling thread to write them, if nobody else writes and nothing waits; else
    /// gives them back.
    ///
    /// # Errors
    ///
    /// The batches.
    pub(super) fn take_over(&self, outgoing: Vec<Outgoing>) -> Result<Write, Vec<Outgoing>> {
        let mut waiting = self.lock();
        if !waiting.outgoing.is_empty() {
            return Err(outgoing);
        }
        match waiting.writer.take() {
            Some(writer) => {
                waiting.idle = false;
                Ok(Write { writer, outgoing })
            }
            None => Err(outgoing),
        }
    }

    /// Writes what waits, without sleeping; true if there was anything.
    ///
    /// # Errors
    ///
    /// If the write or the sync failed.
    pub(super) fn write_waiting(&self, outlet: &dyn Outlet) -> Result<bool, Error> {
        let taken = {
            let mut waiting = self.lock();
            if waiting.outgoing.is_empty() {
                None
            } else {
                waiting.writer.take().map(|writer| Write { writer, outgoing: waiting.take() })
            }
        };
        match taken {
            Some(write) => self.write(write, outlet).map(|()| true),
            None => Ok(false),
        }
    }

    /// The committer's life: writes what waits until the slot is finished and empty.
    ///
    /// # Errors
    ///
    /// If a write or a sync failed, or the orderly end did.
    pub(super) fn commit(&self, outlet: &dyn Outlet) -> Result<(), Error> {
        loop {
            match self.next_turn() {
                Turn::Write(write) => self.write(write, outlet)?,
                Turn::Idle(mut writer) => {
                    writer.idle()?;
                    self.put_back(writer, outlet);
                }
                Turn::Close(writer) => return Ok(writer.close()?),
                Turn::Stop => return Ok(()),
            }
        }
    }

    fn next_turn(&self) -> Turn {
        let mut waiting = self.lock();
        loop {
            if waiting.failed {
                return Turn::Stop;
            }
            let something = !waiting.outgoing.is_empty();
            if something && let Some(writer) = waiting.writer.take() {
                let outgoing = waiting.take();
                waiting.idle = false;
                drop(waiting);
                self.owner.notify_all();
                return Turn::Write(Write { writer, outgoing });
            }
            if !something
                && waiting.finishing
                && let Some(writer) = waiting.writer.take()
            {
                return Turn::Close(writer);
            }
            if waiting.idle || waiting.writer.is_none() {
                waiting.sleep = Sleep::UntilWoken;
                waiting = self.committer.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                waiting.sleep = Sleep::Awake;
                continue;
            }
            waiting.sleep = Sleep::UntilIdle;
            waiting.written = false;
            let (woken, slept) = self.committer.wait_timeout(waiting, IDLE).unwrap_or_else(PoisonError::into_inner);
            waiting = woken;
            waiting.sleep = Sleep::Awake;
            let quiet = slept.timed_out() && !waiting.written && waiting.outgoing.is_empty();
            if quiet && let Some(writer) = waiting.writer.take() {
                waiting.idle = true;
                return Turn::Idle(writer);
            }
        }
    }

    /// One write, one sync, then what they let out, then the writer goes back. A failure keeps the writer: nothing is
    /// written any more.
    ///
    /// # Errors
    ///
    /// If the write or the sync failed.
    pub(super) fn write(&self, write: Write, outlet: &dyn Outlet) -> Result<(), Error> {
        let Write { mut writer, outgoing } = write;
        let mut rest = outgoing.into_iter().peekable();
        while rest.peek().is_some() {
            let mut appends = Vec::new();
            let mut releases = Vec::new();
            let mut bytes = 0;
            let mut last = 0;
            while let Some(next) = rest.next_if(|next| {
                let more = next.append.as_ref().map_or(0, Append::bytes);
                appends.is_empty() || appends.len() < WRITE_GROUPS_MAX && bytes + more <= WRITE_BYTES_MAX
            }) {
                bytes += next.append.as_ref().map_or(0, Append::bytes);
                last = last.max(next.batch);
                appends.extend(next.append);
                releases.push(next.release);
            }
            let writes = u64::from(!appends.is_empty());
            if let Err(error) = put(&mut *writer, appends) {
                outlet.failed(&error);
                return Err(error);
            }
            self.flushes.fetch_add(writes, Ordering::Relaxed);
            self.released.fetch_max(last, Ordering::Release);
            outlet.let_out(releases);
        }
        self.put_back(writer, outlet);
        Ok(())
    }

    fn put_back(&self, writer: Box<dyn StoreWriter>, outlet: &dyn Outlet) {
        outlet.wrote();
        let mut waiting = self.lock();
        if waiting.failed {
            return;
        }
        waiting.writer = Some(writer);
        waiting.written = true;
        // The owner wrote while the committer slept: it hears of it when it wakes to look whether the log is idle.
        let wake =
            waiting.sleep == Sleep::UntilWoken || waiting.sleep == Sleep::UntilIdle && !waiting.outgoing.is_empty();
        if wake {
            waiting.sleep = Sleep::Awake;
        }
        drop(waiting);
        if wake {
            self.committer.notify_one();
        }
    }

    /// Nothing more will be offered: the committer ends when the slot is empty.
    pub(super) fn finish(&self) {
        self.lock().finishing = true;
        self.committer.notify_all();
    }

    /// Nothing is written any more. What waits is dropped, and those who wait for it learn that it is in doubt; the
    /// writer is dropped as a killed process drops it.
    pub(super) fn abandon(&self) {
        let mut waiting = self.lock();
        waiting.failed = true;
        let outgoing = waiting.take();
        let writer = waiting.writer.take();
        drop(waiting);
        drop((outgoing, writer));
        self.owner.notify_all();
        self.committer.notify_all();
    }

    /// The writer, for an orderly end without a committer.
    pub(super) fn take_writer(&self) -> Option<Box<dyn StoreWriter>> {
        self.lock().writer.take()
    }
}

impl Waiting {
    fn put(&mut self, outgoing: Vec<Outgoing>) {
        self.bytes += outgoing.iter().filter_map(|out| out.append.as_ref()).map(Append::bytes).sum::<usize>();
        if self.outgoing.is_empty() {
            self.outgoing = outgoing;
        } else {
            self.outgoing.extend(outgoing);
        }
    }

    fn take(&mut self) -> Vec<Outgoing> {
        self.bytes = 0;
        std::mem::take(&mut self.outgoing)
    }
}

/// Writes the appends and makes them durable.
fn put(writer: &mut dyn StoreWriter, appends: Vec<Append>) -> Result<(), Error> {
    if appends.is_empty() {
        return Ok(());
    }
    for appended in writer.write(appends)? {
        if let Appended::Conflict { .. } = appended {
            return Err(Error::Poisoned { cause: "somebody else has written to the log".to_owned() });
        }
    }
    writer.sync()?;
    Ok(())
}
