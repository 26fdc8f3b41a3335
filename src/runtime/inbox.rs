//! What waits for the owner of the states: commands in the order in which they came.
//!
//! A swapped `Vec` behind a mutex: the owner takes all at once. Callers wait for room, workers and timers never do
//! (they are bounded by what runs). A *lazy* entry wakes an owner only if it would sleep longer than the entry may. An
//! urgent one need not wake it at all: where it sleeps, the one that pushes makes its turn for it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::definition::Definition;
use crate::event::Actor;
use crate::ids::{CommandId, Sequence, WorkflowId};
use crate::limits::INBOX_COMMANDS_MAX;
use crate::machine::{Deed, Request, Sent};

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
    /// The same of what people say about work that is done by hand.
    ByHand(Box<Deed>),
    /// That the workflow takes in what somebody sends to one of its stages, by name.
    Sent(Box<Sent>),
    /// That the engine drives the workflow from now on; whoever waits is told when it does.
    Drive(Promise<Result<(), Error>>),
    /// Whether it drives the workflow.
    IsDriven(Promise<bool>),
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
    owner: OwnerSleep,
    /// The owner shall look at its timers again.
    look_again: bool,
    gate: Gate,
    /// Futures of callers that found no room.
    roomless: Vec<Waker>,
}

/// What the owner's thread does. A moment is the one until which it sleeps; `None`: until it is woken.
#[derive(Clone, Copy, Default)]
enum OwnerSleep {
    #[default]
    Awake,
    Asleep(Option<Instant>),
    /// It sleeps, and whoever pushed an entry makes its turn for it.
    Helped(Option<Instant>),
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

/// Who makes the owner's turn for an entry that was put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Turn {
    /// The owner, or whoever makes its turn now.
    Others,
    /// The one who put the entry in: the owner sleeps, and waking it would take longer.
    Yours,
}

/// May the one who puts an entry in make the owner's turn?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Helping {
    /// It is a thread that may wait for the disk.
    May,
    /// It must go on at once.
    MayNot,
}

/// Why the owner wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wake {
    /// Something waits, or a moment has come.
    Turn,
    /// Nothing waits and nothing will come any more.
    Finished,
}

/// What becomes of an entry that does not wait for room.
pub(super) enum Offered {
    /// It was put in.
    Put,
    /// There is no room yet; the waker will be woken when there is.
    Full(Box<Entry>),
    /// Nobody takes it any more.
    Closed,
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
    pub(super) fn call(&self, entry: Entry) -> Result<Turn, Error> {
        let mut waiting = self.lock();
        while waiting.gate == Gate::Open && waiting.entries.len() >= INBOX_COMMANDS_MAX {
            waiting = self.room.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        if waiting.gate != Gate::Open {
            return Err(Error::Closed);
        }
        Ok(self.put(waiting, entry, Urgency::Now, Helping::May))
    }

    /// An entry of a future; `waker` is woken when there is room if there is none.
    pub(super) fn offer(&self, entry: Box<Entry>, waker: &Waker) -> Offered {
        let mut waiting = self.lock();
        if waiting.gate != Gate::Open {
            return Offered::Closed;
        }
        if waiting.entries.len() >= INBOX_COMMANDS_MAX {
            waiting.roomless.push(waker.clone());
            return Offered::Full(entry);
        }
        let _turn = self.put(waiting, *entry, Urgency::Now, Helping::MayNot);
        Offered::Put
    }

    /// An entry of a worker; never waits. Dropped once nobody reads it any more.
    pub(super) fn push(&self, entry: Entry, urgency: Urgency) -> Turn {
        let waiting = self.lock();
        if waiting.gate == Gate::Shut {
            return Turn::Others;
        }
        self.put(waiting, entry, urgency, Helping::May)
    }

    /// The same for one who must go on at once: it is never asked to make the owner's turn.
    pub(super) fn hand_in(&self, entry: Entry) {
        let waiting = self.lock();
        if waiting.gate != Gate::Shut {
            let _turn = self.put(waiting, entry, Urgency::Now, Helping::MayNot);
        }
    }

    fn put(&self, mut waiting: MutexGuard<'_, Waiting>, entry: Entry, urgency: Urgency, helping: Helping) -> Turn {
        waiting.entries.push(entry);
        let wanted = match urgency {
            Urgency::Now => {
                waiting.urgent = true;
                None
            }
            Urgency::Lazy => {
                let until = Instant::now() + LAZY;
                Some(*waiting.lazy_until.get_or_insert(until))
            }
        };
        // Only a sleeper is woken, and only one that would sleep past the moment the entry wants.
        match (waiting.owner, wanted) {
            (OwnerSleep::Asleep(until), None) if helping == Helping::May => {
                waiting.owner = OwnerSleep::Helped(until);
                return Turn::Yours;
            }
            (OwnerSleep::Asleep(until), wanted) if wanted.is_none_or(|wanted| is_before(wanted, until)) => {
                waiting.owner = OwnerSleep::Awake;
                drop(waiting);
                self.owner.notify_one();
            }
            (OwnerSleep::Awake | OwnerSleep::Asleep(_) | OwnerSleep::Helped(_), _) => (),
        }
        Turn::Others
    }

    /// Sleeps until there is something urgent or something lazy has waited long enough, or until `deadline`.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Wake {
        let mut waiting = self.lock();
        loop {
            if waiting.urgent || std::mem::take(&mut waiting.look_again) {
                return Wake::Turn;
            }
            if waiting.gate == Gate::Shut {
                return if waiting.entries.is_empty() { Wake::Finished } else { Wake::Turn };
            }
            let until = match (deadline, waiting.lazy_until) {
                (Some(deadline), Some(lazy)) => Some(deadline.min(lazy)),
                (deadline, lazy) => deadline.or(lazy),
            };
            let now = Instant::now();
            if until.is_some_and(|until| until <= now) {
                return Wake::Turn;
            }
            waiting.owner = OwnerSleep::Asleep(until);
            waiting = match until {
                None => self.owner.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(until) => self.owner.wait_timeout(waiting, until - now).unwrap_or_else(PoisonError::into_inner).0,
            };
            waiting.owner = OwnerSleep::Awake;
        }
    }

    /// Everything that waits, without sleeping. To be called by the one that holds the owner, so that what was put in
    /// first is taken in first.
    pub(super) fn take(&self) -> Vec<Entry> {
        let mut waiting = self.lock();
        let was_full = waiting.entries.len() >= INBOX_COMMANDS_MAX;
        waiting.urgent = false;
        waiting.lazy_until = None;
        let entries = std::mem::take(&mut waiting.entries);
        let roomless = std::mem::take(&mut waiting.roomless);
        drop(waiting);
        if was_full {
            self.room.notify_all();
        }
        roomless.into_iter().for_each(Waker::wake);
        entries
    }

    /// The turn made for the sleeping owner is over; `due` is when the owner has to look at its timers.
    pub(super) fn hand_back(&self, due: Option<Instant>) {
        let mut waiting = self.lock();
        let OwnerSleep::Helped(until) = waiting.owner else { return };
        let sooner = |wanted: Option<Instant>| wanted.is_some_and(|wanted| is_before(wanted, until));
        if waiting.urgent || waiting.gate == Gate::Shut || sooner(due) || sooner(waiting.lazy_until) {
            waiting.owner = OwnerSleep::Awake;
            waiting.look_again = true;
            drop(waiting);
            self.owner.notify_one();
        } else {
            waiting.owner = OwnerSleep::Asleep(until);
        }
    }

    /// Does something urgent wait?
    pub(super) fn has_urgent(&self) -> bool {
        self.lock().urgent
    }

    /// Callers are refused from now on.
    pub(super) fn refuse_callers(&self) {
        self.close_gate(Gate::Closing);
    }

    /// Nobody comes in any more; the owner ends when it has taken what waits.
    pub(super) fn shut(&self) {
        self.close_gate(Gate::Shut);
        self.owner.notify_all();
    }

    fn close_gate(&self, gate: Gate) {
        let roomless = {
            let mut waiting = self.lock();
            waiting.gate = gate;
            std::mem::take(&mut waiting.roomless)
        };
        self.room.notify_all();
        roomless.into_iter().for_each(Waker::wake);
    }
}

/// Is this moment before that one, where none is never?
fn is_before(moment: Instant, other: Option<Instant>) -> bool {
    other.is_none_or(|other| moment < other)
}
