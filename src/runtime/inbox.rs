//! What waits for the owner of the states: commands in the order in which they came.
//!
//! A swapped `Vec` behind a mutex: the owner takes all at once. Callers wait for room, workers and timers never do
//! (they are bounded by what runs). A *lazy* entry wakes an owner only if it would sleep longer than the entry may.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::definition::Definition;
use crate::event::Actor;
use crate::ids::{CommandId, Sequence, WorkflowId};
use crate::limits::INBOX_COMMANDS_MAX;
use crate::machine::Request;

use super::error::Error;
use super::promise::Promise;

/// How long a lazy entry may wait for others to be written with.
pub(super) const LAZY: Duration = Duration::from_millis(20);

/// A command on its way to the owner.
pub(super) struct Entry {
    pub(super) workflow: WorkflowId,
    /// The definition, where the command creates a workflow.
    pub(super) definition: Option<Definition>,
    pub(super) id: Option<CommandId>,
    pub(super) actor: Actor,
    pub(super) ask: Ask,
    /// Who waits for the answer.
    pub(super) answer: Option<Promise<Reply>>,
}

/// What an entry asks for.
#[expect(clippy::large_enum_variant, reason = "nearly all decide; a box would be an allocation a command")]
pub(super) enum Ask {
    /// That the workflow takes this in, or refuses it.
    Decide(Request),
    /// That the engine drives the workflow from now on; whoever waits is told when it does.
    Drive(Promise<()>),
}

/// What a caller is told: the place of the input, or why there is none.
pub(super) type Reply = Result<Answer, Error>;

/// A command that has its effect, and the place of its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was accepted now.
    Applied(Sequence),
    /// It had been accepted before; this changed nothing.
    Repeated(Sequence),
}

/// When an entry wants to be looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    Now,
    Lazy,
}

#[derive(Default)]
struct Waiting {
    entries: Vec<Entry>,
    /// Moment at which the first lazy entry has waited long enough; `None` if an urgent entry waits or none at all.
    lazy_until: Option<Instant>,
    urgent: bool,
    /// The owner sleeps until then; `None`: it works.
    sleeps_until: Option<Option<Instant>>,
    gate: Gate,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Gate {
    /// Everybody may come in.
    #[default]
    Open,
    /// Callers are refused; workers still report.
    Closing,
    /// Nobody comes in any more; what waits is still taken.
    Shut,
}

/// What the owner takes out.
pub(super) enum Taken {
    /// Entries, or none because a moment has come.
    Entries(Vec<Entry>),
    /// Nothing waits and nothing will come any more.
    Finished,
}

/// The inbox of the owner.
#[derive(Default)]
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    owner: Condvar,
    room: Condvar,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An entry of a caller; waits for room.
    pub(super) fn call(&self, entry: Entry) -> Result<(), Error> {
        let mut waiting = self.lock();
        while waiting.gate == Gate::Open && waiting.entries.len() >= INBOX_COMMANDS_MAX {
            waiting = self.room.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        if waiting.gate != Gate::Open {
            return Err(Error::Closed);
        }
        self.put(waiting, entry, Urgency::Now);
        Ok(())
    }

    /// An entry of a worker; never waits. Dropped once nobody reads it any more.
    pub(super) fn push(&self, entry: Entry, urgency: Urgency) {
        let waiting = self.lock();
        if waiting.gate != Gate::Shut {
            self.put(waiting, entry, urgency);
        }
    }

    fn put(&self, mut waiting: MutexGuard<'_, Waiting>, entry: Entry, urgency: Urgency) {
        waiting.entries.push(entry);
        let wanted = match urgency {
            Urgency::Now => {
                waiting.urgent = true;
                None
            }
            Urgency::Lazy => {
                let until = Instant::now() + LAZY;
                waiting.lazy_until.get_or_insert(until);
                Some(until)
            }
        };
        // Only a sleeper is woken, and only one that would sleep past the moment the entry wants.
        let wake = match (waiting.sleeps_until, wanted) {
            (None, _) => false,
            (Some(_), None) | (Some(None), Some(_)) => true,
            (Some(Some(sleeps)), Some(wanted)) => sleeps > wanted,
        };
        if wake {
            waiting.sleeps_until = None;
            drop(waiting);
            self.owner.notify_one();
        }
    }

    /// Everything that waits; sleeps until there is something urgent, or until `deadline`.
    pub(super) fn take(&self, deadline: Option<Instant>) -> Taken {
        let mut waiting = self.lock();
        loop {
            if waiting.urgent || waiting.gate == Gate::Shut && !waiting.entries.is_empty() {
                return Taken::Entries(self.swap(waiting));
            }
            if waiting.gate == Gate::Shut {
                return Taken::Finished;
            }
            let until = match (deadline, waiting.lazy_until) {
                (Some(deadline), Some(lazy)) => Some(deadline.min(lazy)),
                (deadline, lazy) => deadline.or(lazy),
            };
            let now = Instant::now();
            if until.is_some_and(|until| until <= now) {
                return Taken::Entries(self.swap(waiting));
            }
            waiting.sleeps_until = Some(until);
            waiting = match until {
                None => self.owner.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(until) => self.owner.wait_timeout(waiting, until - now).unwrap_or_else(PoisonError::into_inner).0,
            };
            waiting.sleeps_until = None;
        }
    }

    /// Everything that waits, without sleeping.
    pub(super) fn take_now(&self) -> Vec<Entry> {
        self.swap(self.lock())
    }

    fn swap(&self, mut waiting: MutexGuard<'_, Waiting>) -> Vec<Entry> {
        let was_full = waiting.entries.len() >= INBOX_COMMANDS_MAX;
        waiting.urgent = false;
        waiting.lazy_until = None;
        let entries = std::mem::take(&mut waiting.entries);
        drop(waiting);
        if was_full {
            self.room.notify_all();
        }
        entries
    }

    /// Does something urgent wait?
    pub(super) fn has_urgent(&self) -> bool {
        self.lock().urgent
    }

    /// Callers are refused from now on.
    pub(super) fn refuse_callers(&self) {
        self.lock().gate = Gate::Closing;
        self.room.notify_all();
    }

    /// Nobody comes in any more; the owner ends when it has taken what waits.
    pub(super) fn shut(&self) {
        self.lock().gate = Gate::Shut;
        self.owner.notify_all();
        self.room.notify_all();
    }
}
