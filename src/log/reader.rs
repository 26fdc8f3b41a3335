//! Reading a log without its lock: beside a writer in another process, or on a copy nobody may write to.
//!
//! Writes nothing. Delivers what is proven to be durable and not one event more: an event above the horizon may be gone
//! after the next crash. Damage in a sealed segment is met when somebody reads there, and remembered.

use std::sync::{Arc, Mutex, PoisonError};

use crate::ids::{Position, Sequence, StreamId};

use super::Record;
use super::catalog::Answer;
use super::chain::{Chain, Reach, Tail};
use super::directory::Home;
use super::error::Error;
use super::storage::Storage;

/// How often the list of segments is read again because the newest has got a successor meanwhile.
const LOOKS_MAX: usize = 10;

/// A log that is only read.
pub(crate) struct Reader {
    home: Home,
    chain: Chain,
    reach: Reach,
    unconfirmed: u64,
    damage: Option<Error>,
    /// The first damage that was met while reading.
    met: Mutex<Option<Error>>,
}

/// What one look at the disk found.
struct Look {
    /// The end of the log, unless damage stands before it.
    tail: Option<Tail>,
    /// Damage that no writer beside us can look like for long.
    damage: Option<Error>,
}

impl Look {
    /// The end of a log of which nothing is missing.
    fn whole(&self) -> Option<&Tail> {
        let tail = self.tail.as_ref().filter(|tail| !tail.is_contradiction() && tail.proven <= tail.standing.next);
        if self.damage.is_none() { tail } else { None }
    }
}

impl Reader {
    /// Opens the log in this storage for reading. A damaged log is opened too: what stands before the damage can be
    /// read, and `damage` says what is wrong.
    ///
    /// # Errors
    ///
    /// `NoLog` if there is none; `Damaged` if nothing of it can be read; `Unsupported`, `Io`.
    pub(crate) fn open(storage: Arc<dyn Storage>) -> Result<Reader, Error> {
        let home = Home::new(storage);
        let mut reader = Reader {
            chain: Chain::new(home.clone()),
            home,
            reach: Reach::WholeFile,
            unconfirmed: 0,
            damage: None,
            met: Mutex::new(None),
        };
        reader.refresh()?;
        // Looking at every byte of a large file is for once; afterwards new frames are all that is looked for.
        reader.reach = Reach::Frames;
        match reader.chain.log_id() {
            Some(_) => Ok(reader),
            None => Err(reader.damage.unwrap_or_else(|| Error::NoLog { path: reader.home.locate("") })),
        }
    }

    /// Looks at the disk again. The horizon never moves back.
    ///
    /// # Errors
    ///
    /// `Io`, `Unsupported`. Damage is no error here: `damage` tells, and later calls change nothing.
    pub(crate) fn refresh(&mut self) -> Result<(), Error> {
        if self.damage.is_some() {
            return Ok(());
        }
        let first = self.look()?;
        if let Some(tail) = first.whole() {
            self.accept(tail);
            return Ok(());
        }
        // Reading takes time, and a writer may have filled a place after it was read. But what was proven durable at
        // the first look was all there before the second began: what that does not find either is gone.
        let proven = first.tail.map(|tail| tail.proven);
        let second = self.look()?;
        self.damage = second.damage;
        if let Some(tail) = second.tail {
            self.accept(&tail);
            let is_missing = proven.is_some_and(|proven| tail.standing.next < proven);
            if self.damage.is_none() && (is_missing || tail.is_contradiction()) {
                self.damage = self.chain.damage_of(&tail);
            }
        }
        Ok(())
    }

    /// Goes on to the end of what is proven and there.
    fn accept(&mut self, tail: &Tail) {
        self.chain.settle(tail, tail.proven);
        self.unconfirmed = tail.standing.next.get() - self.chain.next().get();
    }

    fn look(&mut self) -> Result<Look, Error> {
        for _ in 1..LOOKS_MAX {
            match self.look_once() {
                // It may have got a successor and been cut to its end since the list was made.
                Ok(look) if look.tail.is_none() && self.has_successor()? => {}
                Err(_) if self.has_successor()? => {}
                looked => return looked,
            }
        }
        self.look_once()
    }

    fn look_once(&mut self) -> Result<Look, Error> {
        // In this order: a segment that WATERMARK names is in the list then.
        self.chain.heed(self.home.read_watermark()?);
        let listing = self.home.list()?;
        let broken_chain = damage(self.chain.extend(&listing.segments))?;
        if self.chain.newest().is_none() {
            return Ok(Look {
                tail: None,
                damage: broken_chain.or_else(|| self.chain.missing_log(listing.has_index())),
            });
        }
        match self.chain.walk_newest(self.reach) {
            Ok(tail) => Ok(Look { tail: Some(tail), damage: broken_chain }),
            Err(error) => Ok(Look { tail: None, damage: damage(Err(error))?.or(broken_chain) }),
        }
    }

    /// Whether there is a segment behind the newest that is known.
    fn has_successor(&self) -> Result<bool, Error> {
        let next = self.chain.newest().map(|newest| newest.header.number.next());
        Ok(self.home.list()?.segments.iter().any(|number| Some(*number) == next))
    }

    /// Position behind the last event that is delivered.
    pub(crate) fn horizon(&self) -> Position {
        self.chain.next()
    }

    /// How many events stand behind the horizon: the next writer decides whether they are part of the log.
    pub(crate) fn unconfirmed(&self) -> u64 {
        self.unconfirmed
    }

    /// What is wrong with the log, as far as it was met: acknowledged events there cannot be read.
    pub(crate) fn damage(&self) -> Option<Error> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        self.damage.as_ref().or(met.as_ref()).and_then(Error::same_damage)
    }

    /// Takes an answer with all that could be read, and remembers what could not.
    fn accept_answer<T>(&self, answer: Answer<T>) -> Result<T, Error> {
        let Answer { value, hole } = answer;
        let damage = hole.or_else(|| value.as_ref().err().and_then(Error::same_damage));
        if let Some(damage) = damage {
            self.met.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(damage);
        }
        value
    }

    /// Whether the log is on hold.
    ///
    /// # Errors
    ///
    /// `Io`.
    #[cfg(test)]
    pub(crate) fn hold(&self) -> Result<bool, Error> {
        self.home.is_on_hold()
    }

    /// The last sequence of the stream, if it has events, as far as they can be read.
    ///
    /// # Errors
    ///
    /// `Io`.
    pub(crate) fn head(&self, stream: StreamId) -> Result<Option<Sequence>, Error> {
        self.accept_answer(self.chain.catalog.head(stream).ask())
    }

    /// Every stream with its last sequence, in no order, as far as they can be read.
    ///
    /// # Errors
    ///
    /// `Io`.
    pub(crate) fn heads(&self) -> Result<Vec<(StreamId, Sequence)>, Error> {
        self.accept_answer(self.chain.catalog.heads().ask())
    }

    /// Events of the stream from sequence `from` on: at least one if there is one, at most `limit`, and no more than
    /// `READ_BYTES_MAX` bytes or one event.
    ///
    /// # Errors
    ///
    /// `Damaged` if one is not there any more; `Io`.
    pub(crate) fn read_stream(&self, stream: StreamId, from: Sequence, limit: usize) -> Result<Vec<Record>, Error> {
        self.accept_answer(self.chain.catalog.find_in_stream(stream, from, limit).ask(self.horizon()))
    }

    /// Events of all streams from position `from` on: at least one if there is one, at most `limit`, and no more than
    /// `READ_BYTES_MAX` bytes or one event.
    ///
    /// # Errors
    ///
    /// As `read_stream`.
    pub(crate) fn read_all(&self, from: Position, limit: usize) -> Result<Vec<Record>, Error> {
        let value = self.chain.catalog.find(from).ask(limit, self.horizon());
        self.accept_answer(Answer { value, hole: None })
    }
}

/// Takes damage out of a result: a reader goes on with what stands before it.
fn damage(result: Result<(), Error>) -> Result<Option<Error>, Error> {
    match result {
        Ok(()) => Ok(None),
        Err(error) if error.is_damage() => Ok(Some(error)),
        Err(error) => Err(error),
    }
}
