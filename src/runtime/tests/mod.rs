//! Behaviour of the engine, moved by hand and by its own threads.

mod admission;
mod calls;
mod damaged;
mod failing;
mod futures;
mod hooks;
mod instances;
mod manual;
mod outcomes;
mod property;
#[cfg(feature = "http")]
mod requests;
mod secrets;
mod signals;
mod stopping;
mod subscriptions;
mod threads;
mod verification;

use std::sync::{Arc, Mutex};

use crate::definition::Definition;
use crate::time::{Duration, Timestamp};

use super::clock::Clock;

/// The definition that this text describes.
fn definition(text: &str) -> Definition {
    Definition::from_yaml(text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
struct StandingClock(Arc<Mutex<Timestamp>>);

impl StandingClock {
    fn new() -> StandingClock {
        StandingClock::at(Timestamp::from_microseconds(1_700_000_000_000_000))
    }

    fn at(moment: Timestamp) -> StandingClock {
        StandingClock(Arc::new(Mutex::new(moment)))
    }

    fn advance(&self, length: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.saturating_add(length);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}
