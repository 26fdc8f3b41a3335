//! The engine: its face, and what its parts share.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::definition::Definition;
use crate::event::{Actor, LeaseLoss};
use crate::ids::{AttemptId, StreamId, WorkflowId};
use crate::machine::Request;
use crate::replay::{At, History, WorkflowView, has_ended};
use crate::store::EventStore;
use crate::task::{Cancel, Place, Registry, Stop};
use crate::time::Timestamp;

use super::clock::Clock;
use super::closings::Closings;
use super::commit::{Outgoing, Outlet, Release, Slot};
use super::config::{Config, Drive, Threads as Mover};
use super::control::{Door, Listener};
use super::dispatch::{Conclusion, conclude, not_begun, prepare};
use super::error::{Error, describe};
use super::inbox::{Answer, Ask, Entry, Inbox, LAZY, Taken, Urgency};
use super::open;
use super::owner::Owner;
use super::promise::{Waited, promise};
use super::start::{By, Start};
use super::upkeep::UpkeepWork;
use super::workers::{self, Threads};
use super::worklist::{Released, StartRecord, Worklist};

/// Tasks that one step of a manual engine runs at most.
const STEP_TASKS: usize = 64;

/// Batches an owner writes itself at most; more of them are worth a committer's own write.
const BATON_BATCHES: usize = 8;

/// A timer far away is looked at again after this long, in case the clock has jumped.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Entries after which the owner offers what it has while the committer may be idle.
const OFFER_EVERY: usize = 64;

/// A workflow engine: takes definitions and commands, runs tasks, keeps the log.
///
/// Clones are the same engine. It closes in order when [`Engine::close`] is called or the last clone is dropped: what
/// runs is stopped and will be dispatched again, under the same idempotency key, by the next engine that opens the log.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    /// `None` once the engine is closed, and for an engine that its caller moves.
    threads: Mutex<Option<Threads>>,
    mover: Mover,
}

/// What the parts of an engine share.
pub(super) struct Shared {
    pub(super) store: Arc<dyn EventStore>,
    /// Shares the definitions it has read with all who ask for it.
    history: History,
    registry: Registry,
    pub(super) clock: Arc<dyn Clock>,
    place: Place,
    /// Removed when the engine closes: where files of attempts stand if the log is in memory.
    scratch: Option<PathBuf>,
    pub(super) inbox: Inbox,
    slot: Slot,
    pub(super) worklist: Worklist,
    closings: Closings,
    pub(super) upkeep: UpkeepWork,
    owner: Mutex<Owner>,
    pub(super) poisoned: OnceLock<String>,
    pub(super) mover: Mover,
    pub(super) actor: String,
}

/// Did a turn let attempts out?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempts {
    Some,
    None,
}

impl Attempts {
    fn or(self, out: &[Outgoing]) -> Attempts {
        let any = self == Attempts::Some || out.iter().any(|out| !out.release.attempts.is_empty());
        if any { Attempts::Some } else { Attempts::None }
    }
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
        let mut owner = Owner::new(Arc::clone(&opened.store), config.drive.clone());
        let mut outgoing = Vec::new();
        owner.recover(config.clock.now(), &mut outgoing)?;
        let upkeep = UpkeepWork::new(opened.writer.upkeep());
        let shared = Arc::new(Shared {
            history: History::of(Arc::clone(&opened.store)),
            store: opened.store,
            registry: tasks,
            clock: Arc::clone(&config.clock),
            place: opened.place,
            scratch: opened.scratch,
            inbox: Inbox::default(),
            slot: Slot::new(opened.writer),
            worklist: Worklist::default(),
            closings: Closings::default(),
            upkeep,
            owner: Mutex::new(owner),
            poisoned: OnceLock::new(),
            mover: config.threads,
            actor: config.actor.clone(),
        });
        if !outgoing.is_empty() {
            shared.slot.write_now(outgoing, &*shared)?;
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
    /// If the inputs do not fit the definition, or the engine has stopped.
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
        let waiting = shared.closings.wait_for(workflow);
        if shared.store.last(StreamId::workflow(workflow))?.is_none() {
            return Err(Error::NotFound { workflow });
        }
        if shared.has_ended(workflow)? {
            return Ok(self.history().state(workflow, At::Latest)?);
        }
        shared.check_poison()?;
        match waiting.wait_until(Instant::now().checked_add(limit)) {
            Waited::TimedOut => Err(Error::TimedOut { workflow }),
            Waited::Dropped => Err(shared.check_poison().err().unwrap_or(Error::Closed)),
            Waited::Answer(()) => Ok(self.history().state(workflow, At::Latest)?),
        }
    }

    /// Asks for the end of a workflow: what runs is canceled, nothing new begins.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if it has ended or is being canceled already; if there is no such workflow.
    pub fn cancel(&self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        self.inner.shared.cancel(workflow, by)
    }

    /// What has happened, as far as it is durable.
    pub fn history(&self) -> History {
        self.inner.shared.history.clone()
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
    pub(super) fn store(&self) -> Arc<dyn EventStore> {
        Arc::clone(&self.inner.shared.store)
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

impl Shared {
    fn has_ended(&self, workflow: WorkflowId) -> Result<bool, Error> {
        Ok(has_ended(&self.store, workflow)?)
    }

    fn owner(&self) -> MutexGuard<'_, Owner> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The owner's life.
    pub(super) fn run_owner(&self) {
        let mut owner = self.owner();
        let mut released = Attempts::None;
        loop {
            let timer = owner.next_timer().map(|due| self.instant(due));
            // Starts of attempts that were just let out will come and wait for company; sleeping no longer than they
            // may wait spares them from waking anybody.
            let starts = (released == Attempts::Some).then(|| Instant::now() + LAZY);
            let deadline = timer.into_iter().chain(starts).min();
            match self.inbox.take(deadline) {
                Taken::Finished => return,
                Taken::Entries(entries) => match self.take_in(&mut owner, entries) {
                    Ok(attempts) => released = attempts,
                    Err(error) => {
                        self.poison(&describe(&error));
                        return;
                    }
                },
            }
            owner.forget_ended(self.slot.released());
        }
    }

    /// The instant at which the clock will show `due`.
    fn instant(&self, due: Timestamp) -> Instant {
        let length = Duration::from(due.since(self.clock.now()));
        Instant::now() + length.min(LOOK_AGAIN)
    }

    fn take_in(&self, owner: &mut Owner, entries: Vec<Entry>) -> Result<Attempts, Error> {
        let now = self.clock.now();
        let mut out = Vec::new();
        let mut released = Attempts::None;
        owner.fire_timers(now, &mut out)?;
        for (entry, place) in entries.into_iter().zip(1_usize..) {
            owner.take_in(entry, now, &mut out)?;
            if place % OFFER_EVERY == 0 {
                released = released.or(&out);
                self.hand_on(&mut out);
            }
        }
        released = released.or(&out);
        // The baton: with nothing else to do, writing here is sooner than waking the committer.
        if out.len() <= BATON_BATCHES && !out.is_empty() && !self.inbox.has_urgent() {
            self.let_out_at_once(&mut out);
            if out.is_empty() {
                return Ok(released);
            }
            if let Some(refused) = self.slot.write_now(out, self)? {
                self.slot.offer(refused);
            }
            return Ok(released);
        }
        self.hand_on(&mut out);
        Ok(released)
    }

    fn hand_on(&self, out: &mut Vec<Outgoing>) {
        self.let_out_at_once(out);
        if !out.is_empty() {
            self.slot.offer(std::mem::take(out));
        }
    }

    /// What has no bytes and rests on nothing that is under way need not pass the slot.
    fn let_out_at_once(&self, out: &mut Vec<Outgoing>) {
        let released = self.slot.released();
        if out.iter().all(|out| out.append.is_none() && out.batch <= released) {
            self.let_out(std::mem::take(out).into_iter().map(|out| out.release).collect());
        }
    }

    /// The committer's life.
    pub(super) fn run_committer(&self) {
        if let Err(error) = self.slot.commit(self) {
            self.poison(&describe(&error));
        }
    }

    /// Makes one attempt, on the calling thread.
    pub(super) fn run_attempt(&self, item: Released, cancel: Cancel) {
        let (workflow, attempt) = (item.workflow, item.attempt);
        if !self.record_start(&item) {
            self.worklist.finished(workflow, attempt);
            return;
        }
        let now = self.clock.now();
        let prepared = prepare(&item, &self.registry, &self.place, cancel.clone(), now);
        let conclusion = match prepared {
            Err(failure) => Conclusion::Report(not_begun(attempt, failure)),
            Ok((task, dispatch)) => {
                let report = crate::task::run(&*task, &dispatch);
                conclude(attempt, report, self.clock.now())
            }
        };
        if let Conclusion::CallAgain(due) = conclusion {
            let again = Released { due: Some(due), start: StartRecord::Done, ..item };
            if self.worklist.rest(again, &cancel) == Some(Stop::Closing) {
                self.give_back(workflow, attempt);
            }
            return;
        }
        self.worklist.finished(workflow, attempt);
        match conclusion {
            Conclusion::Report(report) => self.tell(workflow, Request::ReportTask(report), Urgency::Now),
            Conclusion::GivenBack => self.give_back(workflow, attempt),
            Conclusion::Withdrawn | Conclusion::CallAgain(_) => (),
        }
    }

    fn give_back(&self, workflow: WorkflowId, attempt: AttemptId) {
        self.tell(workflow, Request::LoseLease(LeaseLoss { attempt, orderly: true }), Urgency::Now);
    }

    /// Records that the attempt begins; false if the state asks for it no more.
    fn record_start(&self, item: &Released) -> bool {
        let request = Request::StartTask(item.attempt);
        match item.start {
            StartRecord::Done => true,
            StartRecord::Lazy => {
                self.tell(item.workflow, request, Urgency::Lazy);
                true
            }
            StartRecord::First => {
                let (given, awaited) = promise();
                let mut entry = engine_entry(item.workflow, request);
                entry.answer = Some(given);
                self.inbox.push(entry, Urgency::Now);
                if self.mover == Mover::Caller && self.turn(self.clock.now()).is_err() {
                    return false;
                }
                awaited.wait().is_some_and(|reply| reply.is_ok())
            }
        }
    }

    fn tell(&self, workflow: WorkflowId, request: Request, urgency: Urgency) {
        self.inbox.push(engine_entry(workflow, request), urgency);
    }

    /// Takes in what waits, fires what is due, writes and lets out, on the calling thread.
    pub(super) fn turn(&self, now: Timestamp) -> Result<bool, Error> {
        self.check_poison()?;
        let turned = self.turn_or_fail(now);
        if let Err(error) = &turned {
            self.poison(&describe(error));
        }
        turned
    }

    fn turn_or_fail(&self, now: Timestamp) -> Result<bool, Error> {
        let mut out = Vec::new();
        {
            let mut owner = self.owner();
            owner.fire_timers(now, &mut out)?;
            for entry in self.inbox.take_now() {
                owner.take_in(entry, now, &mut out)?;
            }
            owner.forget_ended(self.slot.released());
        }
        if !out.is_empty() {
            self.slot.offer(out);
        }
        self.slot.write_waiting(self)
    }

    fn step(&self, now: Timestamp) -> Result<Progress, Error> {
        let mut wrote = self.turn(now)?;
        let mut tasks = 0;
        while tasks < STEP_TASKS {
            let Some((item, cancel)) = self.worklist.pull_at(now) else { break };
            let (workflow, attempt) = (item.workflow, item.attempt);
            self.run_attempt(item, cancel);
            self.worklist.finished(workflow, attempt);
            tasks += 1;
        }
        if tasks > 0 {
            wrote |= self.turn(now)?;
        }
        let timer = self.owner().next_timer();
        let later = self.worklist.next_due();
        let next_due = timer.into_iter().chain(later).min();
        Ok(Progress { tasks, wrote, next_due })
    }

    /// Closing goes with the flow: callers, workers, owner, committer, log.
    fn close_with(&self, mut threads: Threads) {
        let staying = threads.join_control();
        self.inbox.refuse_callers();
        for (workflow, attempt) in self.worklist.close() {
            self.give_back(workflow, attempt);
        }
        threads.join_workers();
        self.inbox.shut();
        threads.join_owner();
        self.slot.finish();
        threads.join_committer();
        self.upkeep.finish();
        threads.join_upkeep();
        self.closings.drop_all();
        self.remove_scratch();
        // Only now: who waits for the engine to end wants the log.
        drop(staying);
    }

    fn close_alone(&self) {
        self.inbox.refuse_callers();
        for (workflow, attempt) in self.worklist.close() {
            self.give_back(workflow, attempt);
        }
        if self.poisoned.get().is_none() {
            self.turn(self.clock.now()).ok();
        }
        self.inbox.shut();
        if let Some(writer) = self.slot.take_writer()
            && let Err(error) = writer.close()
        {
            self.poison(&error.to_string());
        }
        self.closings.drop_all();
        self.remove_scratch();
    }

    fn remove_scratch(&self) {
        if let Some(scratch) = &self.scratch {
            open::remove_scratch(scratch);
        }
    }

    /// The engine stops: the first cause stays, and everybody who waits is told.
    pub(super) fn poison(&self, cause: &str) {
        let first = self.poisoned.get_or_init(|| cause.to_owned()).clone();
        tracing::error!(cause = %first, "the engine has stopped");
        self.worklist.close();
        self.inbox.shut();
        for answer in self.inbox.take_now().into_iter().filter_map(|entry| entry.answer) {
            answer.give(Err(Error::Poisoned { cause: first.clone() }));
        }
        self.slot.abandon();
        self.closings.drop_all();
    }

    pub(super) fn check_poison(&self) -> Result<(), Error> {
        match self.poisoned.get() {
            Some(cause) => Err(Error::Poisoned { cause: cause.clone() }),
            None => Ok(()),
        }
    }
}

impl Outlet for Shared {
    fn failed(&self, error: &Error) {
        self.poison(&describe(error));
    }

    fn let_out(&self, releases: Vec<Release>) {
        for release in releases {
            for (workflow, activation) in release.withdrawn {
                self.worklist.withdraw(workflow, activation);
            }
            self.worklist.release(release.attempts);
            for (answer, reply) in release.answers {
                answer.give(reply);
            }
            for workflow in release.ended {
                self.closings.closed(workflow);
            }
        }
    }

    fn wrote(&self) {
        self.upkeep.look();
    }
}

fn engine_entry(workflow: WorkflowId, request: Request) -> Entry {
    Entry { workflow, definition: None, id: None, actor: Actor::Engine, ask: Ask::Decide(request), answer: None }
}
