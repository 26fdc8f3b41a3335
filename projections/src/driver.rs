//! What moves a projection along the log: catching up, the checkpoint, building again.

use std::fmt;
use std::time::Duration;

use stabilize::{Follow, History, HistoryError, Position};

use crate::projection::Projection;

/// A projection and its place in a log.
pub struct Driver<P> {
    history: History,
    follow: Follow,
    projection: P,
}

impl<P: Projection> Driver<P> {
    /// A projection that has seen nothing of the log yet, whatever it holds: it is reset first.
    pub fn new(history: &History, mut projection: P) -> Driver<P> {
        projection.reset();
        Driver::resume(history, projection, Position::FIRST)
    }

    /// A projection that has seen every event before `checkpoint`, and none from there on.
    pub fn resume(history: &History, projection: P, checkpoint: Position) -> Driver<P> {
        Driver { history: history.clone(), follow: history.follow(checkpoint), projection }
    }

    /// Takes in what was durable when this was called; gives how many events that were.
    ///
    /// # Errors
    ///
    /// If the log cannot be read. What came before the error is taken in, and the next call goes on behind it.
    pub fn catch_up(&mut self) -> Result<u64, HistoryError> {
        // The end is read once: with an engine at work, the log would never end.
        let durable = self.history.durable()?;
        let mut n_events = 0;
        while self.follow.position() < durable {
            let Some(envelope) = self.follow.next_timeout(Duration::ZERO)? else { break };
            self.projection.apply(&envelope);
            n_events += 1;
        }
        Ok(n_events)
    }

    /// Builds the projection again from the beginning of the log.
    ///
    /// # Errors
    ///
    /// As [`Driver::catch_up`].
    pub fn rebuild(&mut self) -> Result<u64, HistoryError> {
        self.projection.reset();
        self.follow = self.history.follow(Position::FIRST);
        self.catch_up()
    }

    /// The position before which it has taken in every event: with the projection's data, all that is needed to resume.
    pub fn checkpoint(&self) -> Position {
        self.follow.position()
    }

    /// The projection as it is.
    pub fn projection(&self) -> &P {
        &self.projection
    }

    /// The projection itself.
    pub fn into_projection(self) -> P {
        self.projection
    }
}

impl<P> fmt::Debug for Driver<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("checkpoint", &self.follow.position()).finish_non_exhaustive()
    }
}
