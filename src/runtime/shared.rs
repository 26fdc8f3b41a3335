//! What the parts of an engine share: the way in, the way out, and the end.

use std::any::Any;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use crate::event::Actor;
use crate::ids::{StreamId, WorkflowId};
use crate::machine::Request;
use crate::replay::{History, has_ended};
use crate::store::EventStore;
use crate::task::{Place, Registry, Secrets};
use crate::time::Timestamp;

use super::admission::Admissions;
use super::clock::Clock;
use super::closings::Closings;
use super::commit::{Outlet, Release, Slot};
use super::config::{Authorize, Threads as Mover};
use super::control::Bell;
use super::engine::Progress;
use super::error::{Error, describe};
use super::inbox::{Ask, Entry, Inbox, Turn, Urgency};
use super::open;
use super::owner::Owner;
use super::subscription::Subscribers;
use super::upkeep::UpkeepWork;
use super::workers::Threads;
use super::worklist::Worklist;

/// Tasks that one step of a manual engine runs at most.
const STEP_TASKS: usize = 64;

/// What the parts of an engine share.
pub(super) struct Shared {
    pub(super) store: Arc<dyn EventStore>,
    /// Shares the definitions it has read with all who ask for it.
    pub(super) history: History,
    pub(super) registry: Registry,
    pub(super) secrets: Arc<dyn Secrets>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) place: Place,
    /// Removed when the engine closes: where files of attempts stand if the log is in memory.
    pub(super) scratch: Option<PathBuf>,
    /// Shared with the owner, which records what was found.
    pub(super) admissions: Arc<Admissions>,
    pub(super) inbox: Inbox,
    pub(super) slot: Slot,
    pub(super) worklist: Worklist,
    pub(super) closings: Closings,
    pub(super) subscribers: Subscribers,
    pub(super) upkeep: UpkeepWork,
    pub(super) owner: Mutex<Owner>,
    pub(super) poisoned: OnceLock<String>,
    /// Rung when the engine stops, for those who wait at the control socket.
    pub(super) bell: OnceLock<Bell>,
    pub(super) mover: Mover,
    pub(super) actor: String,
    pub(super) authorize: Option<Authorize>,
}

impl Shared {
    /// Has the workflow closed? Looked up in the log.
    ///
    /// # Errors
    ///
    /// If there is no such workflow, or the engine has stopped before it closed.
    pub(super) fn is_over(&self, workflow: WorkflowId) -> Result<bool, Error> {
        if self.store.last(StreamId::workflow(workflow))?.is_none() {
            return Err(Error::NotFound { workflow });
        }
        if has_ended(&self.store, workflow)? {
            return Ok(true);
        }
        self.check_poison()?;
        Ok(false)
    }

    /// Why nobody will be told any more.
    pub(super) fn stopped(&self) -> Error {
        self.check_poison().err().unwrap_or(Error::Closed)
    }

    pub(super) fn tell(&self, workflow: WorkflowId, request: Request, urgency: Urgency) {
        if self.inbox.push(engine_entry(workflow, request), urgency) == Turn::Yours {
            self.help();
        }
    }

    pub(super) fn step(&self, now: Timestamp) -> Result<Progress, Error> {
        let mut wrote = self.turn(now)?;
        let mut tasks = 0;
        while tasks < STEP_TASKS {
            let Some((item, cancel)) = self.worklist.pull_at(now) else { break };
            let (workflow, attempt) = (item.workflow, item.attempt);
            self.run_attempt(item, cancel);
            self.leave(workflow, attempt);
            tasks += 1;
        }
        if tasks > 0 {
            wrote |= self.turn(now)?;
        }
        // What was let out may have come back at once.
        while self.inbox.has_urgent() {
            wrote |= self.turn(now)?;
        }
        self.subscribers.deliver();
        let timer = self.owner().next_timer();
        let later = self.worklist.next_due();
        let next_due = timer.into_iter().chain(later).min();
        Ok(Progress { tasks, wrote, next_due })
    }

    /// Closing goes with the flow: callers, workers, owner, committer, log.
    pub(super) fn close_with(&self, mut threads: Threads) {
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
        self.subscribers.finish(self.mover);
        self.remove_scratch();
        // Only now: who waits for the engine to end wants the log.
        drop(staying);
    }

    pub(super) fn close_alone(&self) {
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
        self.subscribers.finish(self.mover);
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
        for answer in self.inbox.take().into_iter().filter_map(|entry| entry.answer) {
            answer.give(Err(Error::Poisoned { cause: first.clone() }));
        }
        self.slot.abandon();
        self.closings.drop_all();
        if let Some(bell) = self.bell.get() {
            bell.stop();
        }
    }

    /// The engine stops because a part of it panicked.
    pub(super) fn poison_by_panic(&self, panic: &(dyn Any + Send)) {
        let message = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        self.poison(&format!("the engine panicked: {}", message.unwrap_or("without a message")));
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
            for (workflow, activation, notice) in release.withdrawn {
                self.worklist.withdraw(workflow, activation, notice);
            }
            for (workflow, attempt) in release.stopping {
                if self.worklist.stop(workflow, attempt).is_some() {
                    // Whoever lets out may hold the writer, and does not make the owner's turn.
                    self.inbox.hand_in(engine_entry(workflow, Request::StopTask(attempt)));
                }
            }
            if let Some(workflow) = release.withheld {
                self.worklist.withhold(workflow);
            }
            self.worklist.release(release.attempts);
            if let Some(workflow) = release.opened {
                self.closings.opened(workflow);
            }
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
        self.subscribers.wake();
    }
}

pub(super) fn engine_entry(workflow: WorkflowId, request: Request) -> Entry {
    Entry { workflow, definition: None, id: None, actor: Actor::Engine, ask: Ask::Decide(request), answer: None }
}
