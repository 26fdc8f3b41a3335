//! A projection that is always up to date when somebody looks.
//!
//! It has no thread: who reads brings it up to date first, so that nothing runs while nobody looks, and an engine never
//! waits for a projection.

use std::sync::{Mutex, MutexGuard, PoisonError};

use stabilize::{Engine, Error, History, HistoryError};

use crate::driver::Driver;
use crate::projection::Projection;

/// A projection that follows a log. It can be read from several threads, one after the other.
#[derive(Debug)]
pub struct Follower<P> {
    driver: Mutex<Driver<P>>,
}

/// Builds a projection from all that has happened, and follows the engine from there on.
///
/// # Errors
///
/// If the log cannot be read.
pub fn follow<P: Projection>(engine: &Engine, projection: P) -> Result<Follower<P>, Error> {
    Ok(follow_history(&engine.history(), projection)?)
}

/// The same for a log that somebody else writes.
///
/// # Errors
///
/// If the log cannot be read.
pub fn follow_history<P: Projection>(history: &History, projection: P) -> Result<Follower<P>, HistoryError> {
    let mut driver = Driver::new(history, projection);
    driver.catch_up()?;
    Ok(Follower { driver: Mutex::new(driver) })
}

impl<P: Projection> Follower<P> {
    /// Gives `read` the projection, with all taken in that was durable at the call.
    ///
    /// If the log cannot be read any more it is given as far as it was; [`Follower::catch_up`] tells. `read` must not
    /// read the same follower again: it would wait for itself.
    pub fn read<R>(&self, read: impl FnOnce(&P) -> R) -> R {
        let mut driver = self.driver();
        // An error stays where it is: the next call, and `catch_up`, meet it again.
        driver.catch_up().ok();
        read(driver.projection())
    }

    /// Takes in all that is durable now; gives how many events that were.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub fn catch_up(&self) -> Result<u64, HistoryError> {
        self.driver().catch_up()
    }

    /// The projection as it is, which follows no more.
    pub fn into_projection(self) -> P {
        self.driver.into_inner().unwrap_or_else(PoisonError::into_inner).into_projection()
    }

    /// A reader that panicked held the projection only to look at it.
    fn driver(&self) -> MutexGuard<'_, Driver<P>> {
        self.driver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
