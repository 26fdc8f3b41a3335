//! The engine: its face, and what its parts share.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::definition::Definition;
use crate::ids::WorkflowId;
use crate::replay::{At, History, WorkflowView};
use crate::task::Registry;
use crate::time::Timestamp;

use super::admission::Admissions;
use super::closings::{Closings, Known};
use super::commit::Slot;
use super::config::{Config, Drive, Threads as Mover};
use super::control::{Door, Listener};
use super::error::Error;
use super::inbox::{Answer, Inbox};
use super::open;
use super::owner::Owner;
use super::promise::Waited;
use super::shared::Shared;
use super::start::{By, Start};
use super::subscription::Subscribers;
use super::upkeep::UpkeepWork;
use super::workers::{self, Threads};
use super::worklist::Worklist;

/// A workflow engine: takes definitions and commands, runs tasks, keeps the log.
///
/// Clones are the same engine. It closes in order when [`Engine::close`] is called or the last clone is dropped: what
/// runs is stopped and will be dispatched again, under the same idempotency key, by the next engine that opens the log.
#[derive(Clone)]
pub struct Engine {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    /// `None` once the engine is closed, and for an engine that its caller moves.
    threads: Mutex<Option<Threads>>,
    mover: Mover,
}

/// What one step of a manual engine has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Attempts that ran.
    pub tasks: usize,
    /// Something was written.
    pub wrote: bool,
    /// The next moment at which something is due.
    pub next_due: Option<Timestamp>,
}

impl Progress {
    /// Did nothing happen?
    pub fn is_idle(&self) -> bool {
        self.tasks == 0 && !self.wrote
    }
}

impl Engine {
    /// Opens the log and goes on with every workflow it drives.
    ///
    /// Programs that a killed engine left running are ended before anything is dispatched.
    ///
    /// # Errors
    ///
    /// If another process holds the log, the log is damaged, or the directory cannot be used.
    pub fn open(config: Config, tasks: Registry) -> Result<Engine, Error> {
        let mut opened = open::open(&config)?;
        let admissions = Arc::new(Admissions::default());
        let mut owner = Owner::new(Arc::clone(&opened.store), Arc::clone(&admissions), config.drive.clone());
        let mut outgoing = Vec::new();
        owner.recover(config.clock.now(), &mut outgoing)?;
        let upkeep = UpkeepWork::new(opened.writer.upkeep());
        let shared = Arc::new(Shared {
            history: History::of(Arc::clone(&opened.store)),
            store: opened.store,
            registry: tasks,
            secrets: Arc::clone(&config.secrets),
            clock: Arc::clone(&config.clock),
            place: opened.place,
            scratch: opened.scratch,
            admissions,
            inbox: Inbox::default(),
            slot: Slot::new(opened.writer),
            worklist: Worklist::default(),
            closings: Closings::default(),
            subscribers: Subscribers::default(),
            upkeep,
            owner: Mutex::new(owner),
            poisoned: OnceLock::new(),
            bell: OnceLock::new(),
            mover: config.threads,
            actor: config.actor.clone(),
            authorize: config.authorize.clone(),
        });
        if !outgoing.is_empty() {
            shared.slot.offer(outgoing);
            shared.slot.write_waiting(&*shared)?;
        }
        let threads = match config.threads {
            Mover::Caller => None,
            Mover::Own => {
                let mut threads = start_threads(&shared, config.workers)?;
                if let Some(door) = opened.door.take() {
                    listen(&shared, &mut threads, door, &config.drive);
                }
                Some(threads)
            }
        };
        Ok(Engine { inner: Arc::new(Inner { shared, threads: Mutex::new(threads), mover: config.threads }) })
    }

    /// Begins a workflow; returns once its beginning is durable.
    ///
    /// # Errors
    ///
    /// If the inputs do not fit the definition; [`Error::Unsound`] if its policy refuses what checking it finds, which
    /// is done once for each definition; if the engine has stopped.
    pub fn submit(&self, definition: &Definition, start: Start) -> Result<WorkflowId, Error> {
        let shared = &self.inner.shared;
        let workflow = start.id.unwrap_or_else(|| WorkflowId::generate_at(shared.clock.now()));
        shared.submit(definition, start, workflow).map(|_| workflow)
    }

    /// Drives this workflow, too, from now on: one that is open goes on, one that begins under this id later is driven
    /// from its beginning. An engine that drives all does so anyway.
    ///
    /// # Errors
    ///
    /// If the engine has stopped.
    pub fn drive(&self, workflow: WorkflowId) -> Result<(), Error> {
        self.inner.shared.drive(workflow)
    }

    /// Waits until the workflow has closed.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if it has not by then; the workflow goes on. If there is no such workflow, or the engine
    /// has stopped.
    pub fn wait(&self, workflow: WorkflowId, limit: Duration) -> Result<WorkflowView, Error> {
        let shared = &self.inner.shared;
        let leave = Leave { shared, workflow };
        let (waiting, known) = shared.closings.wait_for(workflow);
        if known == Known::Nothing && shared.is_over(workflow)? {
            drop((waiting, leave));
            return Ok(shared.history.state(workflow, At::Latest)?);
        }
        match waiting.wait_until(Instant::now().checked_add(limit)) {
            Waited::TimedOut => Err(Error::TimedOut { workflow }),
            Waited::Dropped => Err(shared.stopped()),
            Waited::Answer(()) => Ok(shared.history.state(workflow, At::Latest)?),
        }
    }

    /// Asks for the end of a workflow: what runs is canceled, nothing new begins.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if it has ended, is being canceled already, or is ending; if there is no such workflow.
    pub fn cancel(&self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        self.inner.shared.cancel(workflow, by)
    }

    /// Asks for the end of a workflow like [`Engine::cancel`]; of one that is ending, what runs of its compensations or
    /// of its `finally` is canceled. What is still to be done after that is done: ask again to cancel that too.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if it has ended, is being canceled already, or is ending and does nothing now; if there is
    /// no such workflow.
    pub fn force_cancel(&self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        self.inner.shared.force_cancel(workflow, by)
    }

    /// Lets nothing new begin in a workflow: what has begun goes on and is recorded, and so are timers of the time of
    /// day; deadlines stand still.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if it is paused already or has ended; if there is no such workflow.
    pub fn pause(&self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        self.inner.shared.pause(workflow, by)
    }

    /// Has a paused workflow go on.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if it is not paused or has ended; if there is no such workflow.
    pub fn resume(&self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        self.inner.shared.resume(workflow, by)
    }

    /// Waits until the engine is closed.
    ///
    /// # Errors
    ///
    /// If it has stopped after a failure instead, with the first cause.
    pub fn wait_for_end(&self) -> Result<(), Error> {
        self.inner.shared.closings.wait_for_end().wait();
        self.inner.shared.check_poison()
    }

    /// What has happened, as far as it is durable.
    pub fn history(&self) -> History {
        self.inner.shared.history.clone()
    }

    /// How often events were made durable since the engine was opened: each time is one write and one sync, of one
    /// batch or of thousands that came meanwhile.
    pub fn flushes(&self) -> u64 {
        self.inner.shared.slot.flushes()
    }

    /// Moves an engine without threads: takes in what waits, fires what is due, writes, and runs up to 64 tasks.
    ///
    /// # Errors
    ///
    /// If the engine has stopped.
    ///
    /// # Panics
    ///
    /// If the engine has threads of its own.
    pub fn step(&self, now: Timestamp) -> Result<Progress, Error> {
        assert!(self.inner.mover == Mover::Caller, "an engine with threads moves by itself");
        self.inner.shared.step(now)
    }

    #[cfg(test)]
    pub(super) fn store(&self) -> Arc<dyn crate::store::EventStore> {
        Arc::clone(&self.inner.shared.store)
    }

    /// How many subscribers are known.
    #[cfg(test)]
    pub(super) fn subscribers(&self) -> usize {
        self.inner.shared.subscribers.count()
    }

    /// How many wait for the workflow to close.
    #[cfg(test)]
    pub(super) fn awaited(&self, workflow: WorkflowId) -> usize {
        self.inner.shared.closings.awaited(workflow)
    }

    /// Everything the runtime keeps of what states ask for: attempts and timers of open workflows.
    #[cfg(test)]
    pub(super) fn tracked(&self) -> std::collections::BTreeSet<String> {
        let shared = &self.inner.shared;
        let attempts = shared.worklist.attempts().into_iter().map(|(of, attempt)| format!("{of} {attempt:?}"));
        attempts.chain(shared.owner().timers_set().map(|(of, timer)| format!("{of} {timer:?}"))).collect()
    }

    /// Closes the engine in order: callers are refused, what runs is stopped and given back, what was decided is
    /// written, and the log is closed. Closing twice does nothing.
    ///
    /// # Errors
    ///
    /// If the engine had stopped before, with the first cause.
    pub fn close(&self) -> Result<(), Error> {
        self.inner.close();
        self.inner.shared.check_poison()
    }
}

impl Inner {
    fn close(&self) {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        match threads {
            Some(threads) => self.shared.close_with(threads),
            None if self.mover == Mover::Caller => self.shared.close_alone(),
            None => (),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// Who stops waiting for a workflow leaves nothing behind. Dropped after what it waited for.
pub(super) struct Leave<'a> {
    pub(super) shared: &'a Shared,
    pub(super) workflow: WorkflowId,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.shared.closings.forget(self.workflow);
    }
}

/// Lets other processes in. An engine that cannot works all the same.
fn listen(shared: &Arc<Shared>, threads: &mut Threads, door: Door, drive: &Drive) {
    match Listener::start(shared, door, drive, open::own_pid()) {
        Ok(listener) => threads.listen(listener),
        Err(error) => tracing::warn!(%error, "other processes cannot reach this engine"),
    }
}

/// Threads that could not all be started are stopped again.
fn start_threads(shared: &Arc<Shared>, n_workers: usize) -> Result<Threads, Error> {
    workers::start(shared, n_workers).map_err(|source| {
        shared.poison("the system gave no thread");
        Error::Thread { source }
    })
}
