//! The owner's turns: what waits is taken in, decided, and handed on to be written and let out.
//!
//! A turn is made by whoever holds the owner: its own thread, a caller or worker that found that thread asleep, or the
//! caller of a manual engine. Nobody writes, syncs or calls back while it holds the owner.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::time::Timestamp;

use super::commit::{Outgoing, Outlet as _, Release, Write};
use super::error::{Error, describe};
use super::inbox::{LAZY, Wake};
use super::owner::Owner;
use super::shared::Shared;

/// Batches an owner writes itself at most; more of them are worth a committer's own write.
const BATON_BATCHES: usize = 8;

/// A timer far away is looked at again after this long, in case the clock has jumped.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Entries after which the owner offers what it has while the committer may be idle.
const OFFER_EVERY: usize = 64;

/// Who makes a turn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Maker {
    /// The owner's thread.
    Owner,
    /// Another thread, while that one sleeps.
    Helper,
}

/// What is left to do once the owner is let go.
#[derive(Default)]
struct Turned {
    /// What rests on nothing that is under way.
    free: Vec<Release>,
    /// What this thread writes.
    write: Option<Write>,
    /// Attempts will be let out.
    attempts: bool,
}

impl Turned {
    fn see(&mut self, out: &[Outgoing]) {
        self.attempts |= out.iter().any(|out| !out.release.attempts.is_empty());
    }
}

impl Shared {
    pub(super) fn owner(&self) -> MutexGuard<'_, Owner> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of the owner's thread.
    pub(super) fn run_owner(&self) {
        let mut deadline = self.next_timer(&self.owner());
        loop {
            if self.inbox.wait(deadline) == Wake::Finished {
                // Whoever makes a turn has handed on what it took when it lets the owner go.
                drop(self.owner());
                return;
            }
            match self.make_turn(Maker::Owner) {
                Ok(due) => deadline = due,
                Err(error) => {
                    self.poison(&describe(&error));
                    return;
                }
            }
        }
    }

    /// Makes a turn for the owner's thread, which sleeps. A panic stops the engine, not the thread that helps.
    pub(super) fn help(&self) {
        match catch_unwind(AssertUnwindSafe(|| self.make_turn(Maker::Helper))) {
            Ok(Ok(_)) => (),
            Ok(Err(error)) => self.poison(&describe(&error)),
            Err(panic) => self.poison_by_panic(&*panic),
        }
    }

    /// Takes in what waits, hands it on, and writes what it took over; gives when the owner has to look again.
    fn make_turn(&self, maker: Maker) -> Result<Option<Instant>, Error> {
        let mut owner = self.owner();
        let mut turned = self.take_in(&mut owner, maker)?;
        owner.forget_ended(self.slot.released());
        let timer = self.next_timer(&owner);
        drop(owner);
        if maker == Maker::Helper {
            self.inbox.hand_back(timer);
        }
        if !turned.free.is_empty() {
            self.let_out(std::mem::take(&mut turned.free));
        }
        if let Some(write) = turned.write {
            self.slot.write(write, self)?;
        }
        // Starts of attempts that were just let out will come and wait for company; sleeping no longer than they may
        // wait spares them from waking anybody.
        let starts = turned.attempts.then(|| Instant::now() + LAZY);
        Ok(timer.into_iter().chain(starts).min())
    }

    fn next_timer(&self, owner: &Owner) -> Option<Instant> {
        owner.next_timer().map(|due| self.instant(due))
    }

    /// The instant at which the clock will show `due`.
    fn instant(&self, due: Timestamp) -> Instant {
        let length = Duration::from(due.since(self.clock.now()));
        Instant::now() + length.min(LOOK_AGAIN)
    }

    fn take_in(&self, owner: &mut Owner, maker: Maker) -> Result<Turned, Error> {
        let entries = self.inbox.take();
        let mut turned = Turned::default();
        if entries.is_empty() && maker == Maker::Helper {
            // The owner's thread woke and was faster.
            return Ok(turned);
        }
        let now = self.clock.now();
        let mut out = Vec::new();
        owner.fire_timers(now, &mut out)?;
        for (entry, place) in entries.into_iter().zip(1_usize..) {
            owner.take_in(entry, now, &mut out)?;
            if place % OFFER_EVERY == 0 {
                turned.see(&out);
                self.hand_on(&mut out, &mut turned);
            }
        }
        turned.see(&out);
        // The baton: with nothing else to do, writing here is sooner than waking the committer. Who only helps has
        // nothing else to do; what waits meanwhile is the owner's.
        let baton = out.len() <= BATON_BATCHES && (maker == Maker::Helper || !self.inbox.has_urgent());
        if baton && !self.is_free(&out) {
            match self.slot.take_over(out) {
                Ok(write) => turned.write = Some(write),
                Err(refused) => self.slot.offer(refused),
            }
        } else {
            self.hand_on(&mut out, &mut turned);
        }
        Ok(turned)
    }

    fn hand_on(&self, out: &mut Vec<Outgoing>, turned: &mut Turned) {
        let out = std::mem::take(out);
        if self.is_free(&out) {
            turned.free.extend(out.into_iter().map(|out| out.release));
        } else {
            self.slot.offer(out);
        }
    }

    /// What has no bytes and rests on nothing that is under way need not pass the slot.
    fn is_free(&self, out: &[Outgoing]) -> bool {
        let released = self.slot.released();
        out.iter().all(|out| out.append.is_none() && out.batch <= released)
    }

    /// The committer's life.
    pub(super) fn run_committer(&self) {
        if let Err(error) = self.slot.commit(self) {
            self.poison(&describe(&error));
        }
    }

    /// A turn of a manual engine: takes in what waits, fires what is due, writes and lets out; true if it wrote.
    ///
    /// # Errors
    ///
    /// If the engine has stopped, or stops now.
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
            for entry in self.inbox.take() {
                owner.take_in(entry, now, &mut out)?;
            }
            owner.forget_ended(self.slot.released());
        }
        if !out.is_empty() {
            self.slot.offer(out);
        }
        self.slot.write_waiting(self)
    }
}
