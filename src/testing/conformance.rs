//! The suite every `EventStore` must pass: one model of what a store holds, and what is done to both.
//!
//! A store that deviates makes it panic with what was expected and what was there. Engine, replay and projections rest
//! on nothing of a store that is not asked for here.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

use crate::event::{Event, Recorded, Registration};
use crate::ids::{DefinitionHash, Position, Sequence, StreamId, WorkflowId};
use crate::limits::{CHUNK_EVENTS_MAX, PAYLOAD_BYTES_MAX};
use crate::store::{Append, Appended, Encoded, Error, EventStore, Expected, StoreWriter, scan, scan_all};
use crate::time::Timestamp;

use super::dice::Dice;
use super::examples;
use super::stores::Opener;

/// Holds the stores that `fresh` makes, each of them new and without events, to what every store must do.
///
/// # Panics
///
/// If one does something else.
pub fn conformance(fresh: &mut dyn FnMut() -> Box<dyn EventStore>) {
    let checks = [
        an_empty_store_holds_nothing,
        events_are_read_back_in_order,
        a_wrong_expectation_leaves_nothing,
        an_append_sees_those_before_it_in_the_same_write,
        streams_are_told_apart,
        events_are_read_from_anywhere_as_far_as_asked,
        the_time_of_recording_never_falls,
        a_large_batch_is_one_batch,
        nothing_is_seen_before_it_is_durable,
        the_writer_is_given_once,
        a_reader_that_waits_sees_every_event_once,
        any_history_is_that_of_the_model,
    ];
    for check in checks {
        check(fresh());
    }
}

/// Holds stores that can be opened again to what every one of them must keep. `fresh` makes a new place for a store,
/// which is then opened several times, the store before always dropped.
///
/// # Panics
///
/// If one keeps something else.
pub fn conformance_of_reopening(fresh: &mut dyn FnMut() -> Opener) {
    a_closed_store_goes_on_where_it_ended(&mut *fresh());
    a_killed_writer_loses_nothing_that_was_durable(&mut *fresh());
    a_write_that_was_not_synced_is_there_in_whole_batches_or_not(&mut *fresh());
}

/// What a store should hold, and the store.
struct Subject {
    store: Box<dyn EventStore>,
    writer: Box<dyn StoreWriter>,
    /// Everything that was accepted.
    model: Vec<Recorded>,
    /// How many events of the model are durable.
    durable: usize,
}

/// An append in the making, with its events.
#[derive(Clone)]
struct Attempt {
    stream: StreamId,
    expected: Expected,
    now: i64,
    events: Vec<Event>,
}

impl Attempt {
    /// `count` events for `stream`.
    fn new(stream: u64, expected: Expected, count: usize) -> Attempt {
        Attempt { stream: stream_of(stream), expected, now: 1_000, events: events(count) }
    }

    fn at(self, now: i64) -> Attempt {
        Attempt { now, ..self }
    }

    fn append(&self) -> Append {
        let now = Timestamp::from_microseconds(self.now);
        let encoded = self.events.iter().map(Encoded::of).collect();
        ok(Append::new(self.stream, self.expected, now, encoded))
    }
}

fn events(count: usize) -> Vec<Event> {
    examples::events().into_iter().rev().cycle().take(count).collect()
}

/// Streams of workflows; every third one is named.
fn stream_of(number: u64) -> StreamId {
    if number % 3 == 2 {
        return StreamId::definition(DefinitionHash::of(&number.to_string()));
    }
    StreamId::workflow(WorkflowId::from_parts(Timestamp::from_microseconds(1), u128::from(number) + 1))
}

fn ok<T>(result: Result<T, Error>) -> T {
    result.unwrap_or_else(|error| panic!("the store failed: {error}: {error:?}"))
}

fn last(sequence: u64) -> Expected {
    Expected::Last(sequence_of(sequence))
}

fn sequence_of(number: u64) -> Sequence {
    Sequence::new(number).expect("a sequence is from 1")
}

fn position_of(number: usize) -> Position {
    Position::new(number as u64).expect("a position is from 1")
}

impl Subject {
    /// A store of which nothing but this model is known; it may hold no more.
    fn with(store: Box<dyn EventStore>, model: Vec<Recorded>) -> Subject {
        let writer = ok(store.writer());
        let subject = Subject { store, writer, durable: model.len(), model };
        subject.check();
        subject
    }

    fn new(store: Box<dyn EventStore>) -> Subject {
        Subject::with(store, Vec::new())
    }

    /// What the store must answer to this attempt; the model follows it.
    fn foresee(&mut self, attempt: &Attempt) -> Appended {
        let end = self.model.iter().rev().find(|recorded| recorded.stream == attempt.stream);
        let actual = end.map(|recorded| recorded.sequence);
        let holds = match attempt.expected {
            Expected::Any => true,
            Expected::Empty => actual.is_none(),
            Expected::Last(sequence) => actual == Some(sequence),
        };
        if !holds {
            return Appended::Conflict { actual };
        }
        let now = Timestamp::from_microseconds(attempt.now);
        let recorded_at = self.model.last().map_or(now, |before| before.recorded_at.max(now));
        let position = position_of(self.model.len() + 1);
        let sequence = actual.map_or(Sequence::FIRST, |actual| sequence_of(actual.get() + 1));
        for (index, event) in attempt.events.iter().enumerate() {
            self.model.push(Recorded {
                position: position.plus(index as u64),
                stream: attempt.stream,
                sequence: sequence.plus(index as u64),
                recorded_at,
                event: event.clone(),
            });
        }
        Appended::Accepted { position, sequence, recorded_at }
    }

    /// Writes these in one write, which must be answered as the model says.
    fn write(&mut self, attempts: &[Attempt]) -> Vec<Appended> {
        let expected: Vec<Appended> = attempts.iter().map(|attempt| self.foresee(attempt)).collect();
        let answers = ok(self.writer.write(attempts.iter().map(Attempt::append).collect()));
        assert_eq!(answers, expected, "answers to a write");
        answers
    }

    fn sync(&mut self) {
        let durable = ok(self.writer.sync());
        self.durable = self.model.len();
        assert_eq!(durable, position_of(self.durable + 1), "a sync tells how far the store is durable");
    }

    /// Writes, syncs and compares.
    fn record(&mut self, attempts: &[Attempt]) {
        self.write(attempts);
        self.sync();
        self.check();
    }

    /// Compares all that can be read with the model.
    fn check(&self) {
        let (store, model) = (&*self.store, &self.model[..self.durable]);
        let horizon = position_of(model.len() + 1);
        assert_eq!(store.durable(), horizon, "how far the store is durable");
        for (position, name) in [(Position::FIRST, "the first event"), (horizon, "an event that is not there")] {
            let durable = ok(store.wait_durable(position, Duration::ZERO));
            assert_eq!(durable, horizon, "how far it is durable after no time of waiting for {name}");
        }
        compare(&everything(store), model, "all events");

        let mut streams: BTreeMap<StreamId, Vec<Recorded>> = BTreeMap::new();
        for recorded in model {
            streams.entry(recorded.stream).or_default().push(recorded.clone());
        }
        let ends: BTreeMap<StreamId, Sequence> = ok(store.streams()).into_iter().collect();
        let expected_ends = streams.iter().map(|(stream, events)| (*stream, sequence_of(events.len() as u64)));
        assert_eq!(ends, expected_ends.collect(), "the streams and their ends");
        for (stream, events) in &streams {
            assert_eq!(ok(store.last(*stream)), ends.get(stream).copied(), "the end of stream {stream}");
            let found: Vec<Recorded> = scan(store, *stream, Sequence::FIRST).map(ok).collect();
            compare(&found, events, &format!("the events of stream {stream}"));
        }
        let unknown = stream_of(999);
        assert_eq!(ok(store.last(unknown)), None, "the end of a stream without events");
        assert_eq!(ok(store.read(unknown, Sequence::FIRST, 10)), [], "the events of a stream without events");
    }

    /// Ends writing in order; gives what must be found later.
    fn close(self) -> Vec<Recorded> {
        let Subject { store, writer, model, .. } = self;
        ok(writer.close());
        drop(store);
        model
    }
}

fn everything(store: &dyn EventStore) -> Vec<Recorded> {
    scan_all(store, Position::FIRST).map(ok).collect()
}

fn compare(found: &[Recorded], expected: &[Recorded], what: &str) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected, "{what}");
    }
    assert_eq!(found.len(), expected.len(), "{what}: how many");
}

fn an_empty_store_holds_nothing(store: Box<dyn EventStore>) {
    let mut subject = Subject::new(store);
    subject.record(&[]);
    ok(subject.writer.idle());
    subject.check();
    let mut reopened = subject.close();
    assert!(reopened.pop().is_none());
}

fn events_are_read_back_in_order(store: Box<dyn EventStore>) {
    let mut subject = Subject::new(store);
    let all = examples::events().len();
    subject.record(&[Attempt::new(0, Expected::Empty, all)]);
    for count in 1..10 {
        let end = last(subject.model.len() as u64);
        subject.record(&[Attempt::new(0, end, count)]);
        ok(subject.writer.idle());
        subject.check();
    }
    subject.close();
}

fn a_wrong_expectation_leaves_nothing(store: Box<dyn EventStore>) {
    let mut subject = Subject::new(store);
    subject.record(&[Attempt::new(0, last(1), 3), Attempt::new(1, last(7), 1)]);
    subject.record(&[Attempt::new(0, Expected::Empty, 2)]);
    for wrong in [Expected::Empty, last(1), last(3), last(u64::MAX)] {
        subject.record(&[Attempt::new(0, wrong, 4).at(5_000)]);
    }
    assert_eq!(subject.model.len(), 2);
    subject.record(&[Attempt::new(0, last(2), 1), Attempt::new(0, Expected::Any, 1)]);
    subject.record(&[Attempt::new(1, Expected::Any, 1)]);
    assert_eq!(subject.model.len(), 5);
    subject.close();
}

fn an_append_sees_those_before_it_in_the_same_write(store: Box<dyn EventStore>) {
    let mut subject = Subject::new(store);
    let answers = subject.write(&[
        Attempt::new(0, Expected::Empty, 2),
        Attempt::new(0, Expected::Empty, 2),
        Attempt::new(0, last(2), 1),
        Attempt::new(1, last(3), 1),
        Attempt::new(0, last(2), 1),
        Attempt::new(0, last(3), 1),
    ]);
    let conflicts: Vec<bool> = answers.iter().map(Appended::is_conflict).collect();
    assert_eq!(conflicts, [false, true, false, true, true, false]);
    subject.sync();
    subject.check();
    subject.close();
}

fn streams_are_told_apart(store: Box<dyn EventStore>) {
    let mut subject = Subject::new(store);
    for turn in 0..6 {
        let end = if turn == 0 { Expected::Empty } else { last(turn * 2) };
        let attempts: Vec<Attempt> = (0..3).map(|stream| Attempt::new(stream, end, 2)).collect();
        subject.record(&attempts);
        subject.record(&[Attempt::new(3 + turn, Expected::Empty, 1)]);
    }
    subject.close();
}

fn events_are_read_from_anywhere_as_far_as_asked(store: Box<dyn EventStore>) {
    let mut subject = Subject::new(store);
    for turn in 0..4 {
        subject.record(&[Attempt::new(turn % 2, Expected::Any, 3), Attempt::new(2, Expected::Any, 1)]);
    }
    let (store, model) = (&*subject.store, &subject.model);
    for from in 1..=model.len() + 2 {
        for limit in [0, 1, 2, 5, 1_000, usize::MAX] {
            let rest = model.get(from - 1..).unwrap_or_default();
            is_beginning(&ok(store.read_all(position_of(from), limit)), rest, limit);
            for stream in [0, 1, 2].map(stream_of) {
                let of_stream: Vec<Recorded> = model.iter().filter(|it| it.stream == stream).cloned().collect();
                let rest = of_stream.get(from - 1..).unwrap_or_default();
                is_beginning(&ok(store.read(stream, sequence_of(from as u64), limit)), rest, limit);
            }
        }
    }
    assert_eq!(ok(store.read_all(position_of(usize::MAX), 5)), []);
    assert_eq!(ok(store.read(stream_of(0), sequence_of(u64::MAX), 5)), []);
}

/// A store may give fewer events than are asked for, but not none.
fn is_beginning(found: &[Recorded], expected: &[Recorded], limit: usize) {
    assert!(found.len() <= limit, "{} events, {limit} were asked for", found.len());
    assert_eq!(found.is_empty(), expected.is_empty() || limit == 0, "events there and events found");
    compare(found, &expected[..found.len().min(expected.len())], "a part of the events");
}

fn the_time_of_recording_never_falls(store: Box<dyn EventStore>) {
    let mut subject = Subject::new(store);
    let clock = [5_000, 4_000, 6_000, -1, 6_001, i64::MIN, 7_000, 7_000];
    for (turn, now) in clock.into_iter().enumerate() {
        subject.record(&[
            Attempt::new(turn as u64 % 2, Expected::Any, 2).at(now),
            Attempt::new(3, Expected::Any, 1).at(now - i64::from(now > 0)),
        ]);
    }
    let times: Vec<i64> = subject.model.iter().step_by(3).map(|recorded| recorded.recorded_at.microseconds()).collect();
    assert_eq!(times, [5_000, 5_000, 6_000, 6_000, 6_001, 6_001, 7_000, 7_000]);
    subject.close();
}

fn a_large_batch_is_one_batch(store: Box<dyn EventStore>) {
    let mut subject = Subject::new(store);
    let count = CHUNK_EVENTS_MAX + 1;
    subject.record(&[Attempt::new(0, Expected::Empty, 1)]);
    subject.record(&[
        Attempt::new(0, last(1), count),
        Attempt::new(0, last(1), count),
        Attempt::new(1, Expected::Empty, 1),
    ]);
    assert_eq!(subject.model.len(), count + 2);

    let Some(Event::DefinitionRegistered(stamp, registration)) = examples::events().into_iter().next() else {
        panic!("the examples begin with the event of kind 1");
    };
    let source = Some("long ".repeat(PAYLOAD_BYTES_MAX));
    let mut attempt = Attempt::new(2, Expected::Empty, 2);
    attempt.events.push(Event::DefinitionRegistered(stamp, Registration { source, ..registration }));
    subject.record(&[attempt, Attempt::new(0, Expected::Any, 1)]);
    subject.close();
}

fn nothing_is_seen_before_it_is_durable(store: Box<dyn EventStore>) {
    let mut subject = Subject::new(store);
    for turn in 0..3 {
        subject.write(&[Attempt::new(0, Expected::Any, 2), Attempt::new(turn, Expected::Any, 1)]);
        subject.check();
        subject.sync();
        subject.check();
        ok(subject.writer.sync());
        subject.check();
    }
    subject.write(&[Attempt::new(0, Expected::Any, 1)]);
    subject.durable = subject.model.len();
    let Subject { store, writer, model, .. } = subject;
    ok(writer.close());
    compare(&everything(&*store), &model, "closing makes durable what was written");
}

fn the_writer_is_given_once(store: Box<dyn EventStore>) {
    let writer = ok(store.writer());
    assert!(matches!(store.writer(), Err(Error::WriterTaken)), "a second writer");
    ok(writer.close());
    assert!(matches!(store.writer(), Err(Error::WriterTaken)), "a writer after the end");
    assert_eq!(store.durable(), Position::FIRST, "reading goes on");
}

fn a_reader_that_waits_sees_every_event_once(store: Box<dyn EventStore>) {
    let mut subject = Subject::new(store);
    let attempts: Vec<Attempt> = (0..20).map(|turn| Attempt::new(turn % 4, Expected::Any, 3)).collect();
    let (store, writer) = (&*subject.store, &mut subject.writer);
    let (ready, written) = mpsc::channel();
    let found = std::thread::scope(|scope| {
        let reader = scope.spawn(move || follow(store, 60, &ready));
        // Whenever the reader has seen everything and is about to wait. If it panics, nobody asks any more.
        for (attempt, ()) in attempts.iter().zip(&written) {
            ok(writer.write(vec![attempt.append()]));
            ok(writer.sync());
        }
        reader.join()
    });
    let found = found.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    for attempt in &attempts {
        subject.foresee(attempt);
    }
    subject.durable = subject.model.len();
    subject.check();
    compare(&found, &subject.model, "events that were waited for");
    subject.close();
}

/// Reads `count` events as they become durable, and says so whenever it has seen all there are.
fn follow(store: &dyn EventStore, count: usize, ready: &mpsc::Sender<()>) -> Vec<Recorded> {
    /// Longer than any of this takes; nobody waits for it to pass.
    const LONG: Duration = Duration::from_secs(60);

    let mut found: Vec<Recorded> = Vec::new();
    while found.len() < count {
        let next = position_of(found.len() + 1);
        if store.durable() == next {
            // Nobody listens any more only if writing has failed, and then that is what is told.
            let _ = ready.send(());
        }
        let durable = ok(store.wait_durable(next, LONG));
        assert!(durable > next, "an event is there when waiting for it ends");
        found.extend(ok(store.read_all(next, 2)));
    }
    found
}

fn any_history_is_that_of_the_model(store: Box<dyn EventStore>) {
    let mut dice = Dice::new(42);
    let mut subject = Subject::new(store);
    for _ in 0..60 {
        let attempts: Vec<Attempt> = (0..dice.below(4)).map(|_| any_attempt(&mut dice)).collect();
        subject.write(&attempts);
        if dice.once_in(4) {
            subject.check();
        }
        subject.sync();
        if dice.once_in(4) {
            ok(subject.writer.idle());
        }
        if dice.once_in(4) {
            subject.check();
        }
    }
    subject.check();
    assert!(subject.model.len() > 60, "most of it was accepted");
    subject.close();
}

fn any_attempt(dice: &mut Dice) -> Attempt {
    let expected = match dice.below(6) {
        0 => Expected::Empty,
        1 => last(1 + dice.below(4)),
        _ => Expected::Any,
    };
    let count = 1 + dice.below(5) as usize;
    Attempt::new(dice.below(5), expected, count).at(dice.below(10_000) as i64)
}

fn a_closed_store_goes_on_where_it_ended(open: &mut dyn FnMut() -> Box<dyn EventStore>) {
    let mut model = Subject::new(open()).close();
    for turn in 0..4 {
        let mut subject = Subject::with(open(), model);
        let end = if turn == 0 { Expected::Empty } else { last(turn * 2) };
        subject.record(&[Attempt::new(0, end, 2).at(9_000 - turn as i64)]);
        subject.record(&[Attempt::new(0, end, 2), Attempt::new(turn, Expected::Any, 1)]);
        model = subject.close();
    }
    Subject::with(open(), model).close();
}

fn a_killed_writer_loses_nothing_that_was_durable(open: &mut dyn FnMut() -> Box<dyn EventStore>) {
    let mut model = Vec::new();
    for _ in 0..3 {
        let mut subject = Subject::with(open(), model);
        subject.record(&[Attempt::new(0, Expected::Any, 3), Attempt::new(1, Expected::Any, 1)]);
        subject.record(&[Attempt::new(1, Expected::Any, 2)]);
        model = subject.model;
    }
    Subject::with(open(), model).close();
}

fn a_write_that_was_not_synced_is_there_in_whole_batches_or_not(open: &mut dyn FnMut() -> Box<dyn EventStore>) {
    let mut model: Vec<Recorded> = Vec::new();
    for turn in 0..4 {
        let mut subject = Subject::with(open(), model);
        subject.record(&[Attempt::new(0, Expected::Any, 2)]);
        let batches = [3, 1, 4].map(|count| Attempt::new(turn, Expected::Any, count));
        let mut ends = vec![subject.model.len()];
        for batch in &batches {
            ends.push(ends.last().copied().unwrap_or_default() + batch.events.len());
        }
        subject.write(&batches);
        let Subject { store, writer, model: written, .. } = subject;
        drop((store, writer));

        let store = open();
        let found = everything(&*store).len();
        assert!(ends.contains(&found), "{found} events are left, batches end at {ends:?}");
        model = written;
        model.truncate(found);
        model = Subject::with(store, model).close();
    }
}
