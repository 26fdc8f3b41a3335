//! A workflow in which nothing new begins: who paused it, and the two clocks that a pause tells apart (R16).
//!
//! Facts go on being recorded: attempts that have begun report, timers of the time of day fire, joins fire, cancels
//! work, scopes end. Only what would begin waits: gates, locks, attempts. Who lets something begin asks `is_paused`.

use serde::{Deserialize, Serialize};

use crate::event::{Actor, TimerClock, TimerId, TimerOwner};
use crate::time::{Duration, Timestamp};

use super::command::Rejection;
use super::state::{State, Timer, TimerOf};

/// A pause that lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pause {
    pub(super) by: Actor,
    pub(super) reason: Option<String>,
    pub(super) since: Timestamp,
}

impl State {
    /// Is it paused? Then nothing new begins in it.
    pub fn is_paused(&self) -> bool {
        self.core.paused.is_some()
    }

    /// For how long it will have been paused in all, if the pause that lasts ends at `now`.
    pub(super) fn paused_until(&self, now: Timestamp) -> Duration {
        let lasting = self.core.paused.as_ref().map_or(Duration::ZERO, |pause| now.since(pause.since));
        self.core.paused_before.saturating_add(lasting)
    }

    /// What this clock of the workflow shows at the moment of the last input. The active one is behind by all the time
    /// for which the workflow was paused, and stands still while it is.
    pub(super) fn clock(&self, clock: TimerClock) -> Timestamp {
        match clock {
            TimerClock::Calendar => self.core.now,
            TimerClock::Active => {
                let moment = self.core.paused.as_ref().map_or(self.core.now, |pause| pause.since);
                moment.saturating_sub(self.core.paused_before)
            }
        }
    }

    /// The time of day at which a timer is due; `None` while that cannot be told, as its clock stands still.
    pub(super) fn due(&self, timer: Timer) -> Option<Timestamp> {
        let clock = match timer.of {
            TimerOf::Task(_) => TimerClock::Calendar,
            TimerOf::Owner(_, purpose) => purpose.clock(),
        };
        match clock {
            TimerClock::Calendar => Some(timer.due),
            TimerClock::Active => {
                // What was due before the pause began is due.
                let stands = self.is_paused() && timer.due > self.clock(TimerClock::Active);
                (!stands).then(|| timer.due.saturating_add(self.core.paused_before))
            }
        }
    }

    /// The time of day at which this timer is due, and whose it is: that of a task belongs to its activation. `None`
    /// if there is no such timer, or its clock stands still.
    pub(crate) fn timer(&self, timer: TimerId) -> Option<(Timestamp, TimerOwner)> {
        let timer = *self.core.timers.get(&timer)?;
        let owner = match timer.of {
            TimerOf::Task(task) => TimerOwner::Activation(task.activation),
            TimerOf::Owner(owner, _) => owner,
        };
        Some((self.due(timer)?, owner))
    }
}

/// A second pause would hide who began the first.
pub(super) fn refuse_pause(state: &State) -> Result<(), Rejection> {
    if state.is_paused() { Err(Rejection::AlreadyPaused) } else { Ok(()) }
}

pub(super) fn refuse_resume(state: &State) -> Result<(), Rejection> {
    if state.is_paused() { Ok(()) } else { Err(Rejection::NotPaused) }
}
