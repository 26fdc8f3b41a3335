//! What is given to a store and what it answers: encoded events of one stream, recorded together or not at all.
//!
//! Values only; which of them a store takes is decided when one is made, so that no write fails for its size.

use std::fmt;

use crate::event::Event;
use crate::ids::{Position, Sequence, StreamId};
use crate::limits::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, RECORD_BYTES_MAX};
use crate::time::Timestamp;

use super::codec::{self, CodecError};
use super::error::Error;

/// What any store may add to the bytes of one event.
const OVERHEAD_BYTES_MAX: usize = 64;

/// The bytes of one event, and what is needed to read them.
#[derive(Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Number of the event's type and version.
    pub kind: u16,
    /// Number of the codec that made the payload.
    pub codec: u8,
    /// The event.
    pub payload: Vec<u8>,
}

impl Encoded {
    /// The bytes of `event`.
    pub fn of(event: &Event) -> Encoded {
        // Most events are shorter, and lie here no longer than until they are written.
        let mut payload = Vec::with_capacity(128);
        codec::encode(event, &mut payload);
        Encoded { kind: event.kind(), codec: codec::CODEC, payload }
    }

    /// The event.
    ///
    /// # Errors
    ///
    /// If the kind or the codec is not known, or the bytes are not an event of this kind.
    pub fn decode(&self) -> Result<Event, CodecError> {
        codec::decode(self.kind, self.codec, &self.payload)
    }
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kind {}, codec {}, {} bytes", self.kind, self.codec, self.payload.len())
    }
}

/// What a writer believes about the end of a stream; nothing is recorded when it is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing: the events go behind whatever is there.
    Any,
    /// The stream has no events.
    Empty,
    /// The stream's last event has this sequence.
    Last(Sequence),
}

impl Expected {
    /// Whether the belief is right about a stream that ends here.
    pub fn holds(self, actual: Option<Sequence>) -> bool {
        match self {
            Expected::Any => true,
            Expected::Empty => actual.is_none(),
            Expected::Last(sequence) => actual == Some(sequence),
        }
    }
}

/// Events of one stream that are recorded together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    stream: StreamId,
    expected: Expected,
    now: Timestamp,
    events: Vec<Encoded>,
    bytes: usize,
}

impl Append {
    /// Events to be recorded at `now`, or at the time of the event before them if that is later.
    ///
    /// # Errors
    ///
    /// `Limit` if there are no events, more than `BATCH_EVENTS_MAX` or more bytes than `BATCH_BYTES_MAX` of them, or
    /// one is empty or larger than `RECORD_BYTES_MAX`.
    ///
    /// # Panics
    ///
    /// If the stream is the id of sixteen zeros, which names none.
    pub fn new(stream: StreamId, expected: Expected, now: Timestamp, events: Vec<Encoded>) -> Result<Append, Error> {
        assert!(stream != StreamId::NONE, "an event belongs to a stream");
        let within = |what, amount, max| {
            if (1..=max).contains(&amount) { Ok(amount) } else { Err(Error::Limit { what, amount, max }) }
        };
        within("events", events.len(), BATCH_EVENTS_MAX)?;
        let mut bytes = 0;
        for event in &events {
            bytes += within("bytes in one event", event.payload.len(), RECORD_BYTES_MAX)? + OVERHEAD_BYTES_MAX;
        }
        within("bytes", bytes, BATCH_BYTES_MAX)?;
        Ok(Append { stream, expected, now, events, bytes })
    }

    /// The stream.
    pub fn stream(&self) -> StreamId {
        self.stream
    }

    /// What must be true of the end of the stream.
    pub fn expected(&self) -> Expected {
        self.expected
    }

    /// When it happened, as the writer's clock had it.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The events, in order, at least one.
    pub fn events(&self) -> &[Encoded] {
        &self.events
    }

    /// The events themselves.
    pub fn into_events(self) -> Vec<Encoded> {
        self.events
    }

    /// No store needs more bytes than these for it.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// What became of an append. It may be told to others only when the sync behind the write has succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It was written.
    Accepted {
        /// Position of its first event; the others follow without a gap.
        position: Position,
        /// Sequence of its first event; the others follow without a gap.
        sequence: Sequence,
        /// When all of it was recorded.
        recorded_at: Timestamp,
    },
    /// The stream ends elsewhere than was expected; nothing of the append was written.
    Conflict {
        /// Where it ends, the appends before this one in the same write included.
        actual: Option<Sequence>,
    },
}

impl Appended {
    /// Whether the stream had ended elsewhere, so that nothing was written.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Appended::Conflict { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::WorkflowId;

    fn append_of(lengths: &[usize]) -> Result<Append, Error> {
        let stream = StreamId::workflow(WorkflowId::from_parts(Timestamp::from_microseconds(1), 1));
        let events = lengths.iter().map(|length| Encoded { kind: 1, codec: 1, payload: vec![1; *length] });
        Append::new(stream, Expected::Any, Timestamp::from_microseconds(1), events.collect())
    }

    #[test]
    fn an_append_that_no_store_takes_is_refused_with_what_is_too_much() {
        for (lengths, text) in [
            (vec![], "0 events, at least 1 and at most 65536"),
            (vec![1; BATCH_EVENTS_MAX + 1], "65537 events, at least 1 and at most 65536"),
            (vec![1, 0], "0 bytes in one event, at least 1 and at most 16777216"),
            (vec![RECORD_BYTES_MAX + 1], "16777217 bytes in one event, at least 1 and at most 16777216"),
            (vec![RECORD_BYTES_MAX; 2], "33554560 bytes, at least 1 and at most 33554432"),
        ] {
            let error = append_of(&lengths).unwrap_err();
            assert!(matches!(error, Error::Limit { .. }));
            assert_eq!(error.to_string(), format!("an append has {text} are possible"));
        }
        assert!(append_of(&[1; BATCH_EVENTS_MAX]).is_ok());
        assert!(append_of(&[RECORD_BYTES_MAX]).is_ok());
    }

    #[test]
    fn the_log_takes_every_append_there_is() {
        let overhead = OVERHEAD_BYTES_MAX;
        let fill = |count: usize| BATCH_BYTES_MAX / count - overhead;
        for (length, count) in [(1, BATCH_EVENTS_MAX), (fill(3), 3), (fill(4_097), 4_097), (RECORD_BYTES_MAX, 1)] {
            let append = append_of(&vec![length; count]).unwrap();
            let frame = |encoded: Encoded| crate::log::Frame { kind: 1, codec: 1, payload: encoded.payload };
            let bytes = append.bytes();
            let frames = append.events().iter().cloned().map(frame).collect();
            let group = crate::log::Group::new(append.stream(), crate::log::Expected::Any, append.now(), frames);
            assert!(group.unwrap().bytes() <= bytes as u64);
        }
    }
}
