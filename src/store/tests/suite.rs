//! The suite is worth something: stores that are wrong in one way do not pass it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::event::Recorded;
use crate::ids::{Position, Sequence, StreamId};
use crate::store::{Append, Appended, Error, EventStore, Expected, MemoryStore, StoreWriter};
use crate::testing::conformance::{conformance, conformance_of_reopening};
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    Nothing,
    ShowsWhatIsNotDurable,
    TakesAnything,
    TakesHalfABatch,
    LetsTimeFall,
    ForgetsTheLimit,
    SkipsAnEvent,
    ForgetsAnEnd,
    GivesASecondWriter,
    EndsWaitingWithLess,
    LosesTheLastWrite,
}

const FLAWS: [Flaw; 10] = [
    Flaw::ShowsWhatIsNotDurable,
    Flaw::TakesAnything,
    Flaw::TakesHalfABatch,
    Flaw::LetsTimeFall,
    Flaw::ForgetsTheLimit,
    Flaw::SkipsAnEvent,
    Flaw::ForgetsAnEnd,
    Flaw::GivesASecondWriter,
    Flaw::EndsWaitingWithLess,
    Flaw::LosesTheLastWrite,
];

/// A store in memory with a flaw.
struct Flawed {
    store: MemoryStore,
    flaw: Flaw,
}

struct FlawedWriter {
    writer: Box<dyn StoreWriter>,
    flaw: Flaw,
}

impl Flawed {
    fn spoil(&self, mut found: Vec<Recorded>) -> Vec<Recorded> {
        match self.flaw {
            Flaw::SkipsAnEvent => found.retain(|recorded| recorded.position.get() != 7),
            Flaw::LetsTimeFall => {
                let odd = found.iter_mut().filter(|recorded| recorded.position.get() % 2 == 1);
                odd.for_each(|recorded| recorded.recorded_at = Timestamp::from_microseconds(1));
            }
            _ => {}
        }
        found
    }

    fn limit(&self, limit: usize) -> usize {
        if self.flaw == Flaw::ForgetsTheLimit { usize::MAX } else { limit }
    }
}

impl EventStore for Flawed {
    fn writer(&self) -> Result<Box<dyn StoreWriter>, Error> {
        let writer = match self.store.writer() {
            Err(Error::WriterTaken) if self.flaw == Flaw::GivesASecondWriter => self.store.reopen().writer(),
            other => other,
        };
        Ok(Box::new(FlawedWriter { writer: writer?, flaw: self.flaw }))
    }

    fn read(&self, stream: StreamId, from: Sequence, limit: usize) -> Result<Vec<Recorded>, Error> {
        Ok(self.spoil(self.store.read(stream, from, self.limit(limit))?))
    }

    fn read_all(&self, from: Position, limit: usize) -> Result<Vec<Recorded>, Error> {
        Ok(self.spoil(self.store.read_all(from, self.limit(limit))?))
    }

    fn last(&self, stream: StreamId) -> Result<Option<Sequence>, Error> {
        self.store.last(stream)
    }

    fn streams(&self) -> Result<Vec<(StreamId, Sequence)>, Error> {
        let mut streams = self.store.streams()?;
        if self.flaw == Flaw::ForgetsAnEnd && streams.len() > 2 {
            streams.pop();
        }
        Ok(streams)
    }

    fn durable(&self) -> Position {
        self.store.durable()
    }

    fn wait_durable(&self, position: Position, timeout: Duration) -> Result<Position, Error> {
        let durable = self.store.wait_durable(position, timeout)?;
        let is_long = !timeout.is_zero();
        Ok(if is_long && self.flaw == Flaw::EndsWaitingWithLess { position.min(durable) } else { durable })
    }
}

impl StoreWriter for FlawedWriter {
    fn write(&mut self, appends: Vec<Append>) -> Result<Vec<Appended>, Error> {
        let change = |append: Append| match self.flaw {
            Flaw::TakesAnything => remade(append, Expected::Any, usize::MAX),
            Flaw::TakesHalfABatch => remade(append, Expected::Any, 2),
            _ => append,
        };
        let answers = self.writer.write(appends.into_iter().map(change).collect())?;
        if self.flaw == Flaw::ShowsWhatIsNotDurable {
            self.writer.sync()?;
        }
        Ok(answers)
    }

    fn sync(&mut self) -> Result<Position, Error> {
        self.writer.sync()
    }

    fn idle(&mut self) -> Result<(), Error> {
        self.writer.idle()
    }

    fn close(self: Box<Self>) -> Result<(), Error> {
        if self.flaw == Flaw::LosesTheLastWrite { Ok(()) } else { self.writer.close() }
    }
}

/// The append with another expectation and at most so many events.
fn remade(append: Append, expected: Expected, count: usize) -> Append {
    let (stream, now) = (append.stream(), append.now());
    Append::new(stream, expected, now, append.into_events().into_iter().take(count).collect()).unwrap()
}

fn passes(flaw: Flaw) -> bool {
    catch_unwind(AssertUnwindSafe(|| {
        conformance(&mut || Box::new(Flawed { store: MemoryStore::new(), flaw }));
    }))
    .is_ok()
}

#[test]
fn a_store_with_a_flaw_does_not_pass() {
    assert!(passes(Flaw::Nothing));
    for flaw in FLAWS {
        assert!(!passes(flaw), "{flaw:?} passes");
    }
}

#[test]
fn a_store_that_forgets_does_not_pass() {
    let forgets = catch_unwind(|| conformance_of_reopening(&mut || Box::new(|| Box::new(MemoryStore::new()))));
    assert!(forgets.is_err());
}
