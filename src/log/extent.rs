//! Where the events of one segment are, in memory: the place of each, and per stream its sequences.
//!
//! What the segment that is written to has as long as it is the newest, and what an index file is made from. Four bytes
//! an event, sixteen a group that does not follow its stream's last one at once; places only, never payloads.

use std::collections::HashMap;

use crate::ids::{Position, Sequence, StreamId};
use crate::time::Timestamp;

use super::record::ALIGNMENT;
use super::segment::{FRAMES_START, Offset};

/// A place in units of `ALIGNMENT`, as it is kept in memory and in index files.
pub(super) fn units(offset: Offset) -> u32 {
    u32::try_from(offset.get() / ALIGNMENT as u64).expect("a segment ends below 2^35 bytes")
}

/// The place that so many units are.
pub(super) fn offset(units: u32) -> Offset {
    Offset::new(u64::from(units) * ALIGNMENT as u64)
}

/// Events of a stream that follow each other in the whole log.
#[derive(Clone, Copy)]
struct Stretch {
    position: Position,
    sequence: Sequence,
}

/// The events that one stream has in one segment.
struct Run {
    last: Sequence,
    stretches: Vec<Stretch>,
}

impl Run {
    fn first(&self) -> Sequence {
        self.stretches.first().map_or(self.last, |stretch| stretch.sequence)
    }
}

/// The sequences that one stream has in one segment: all from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: Sequence,
    pub(super) last: Sequence,
}

impl Span {
    /// How many there are.
    pub(super) fn count(self) -> u64 {
        self.last.get() - self.first.get() + 1
    }
}

/// The events of one segment.
pub(super) struct Extent {
    base: Position,
    /// Places of the events in units of `ALIGNMENT`, the one at position `base` first.
    places: Vec<u32>,
    /// Behind the last event.
    end: Offset,
    /// When the first and the last event were recorded.
    times: Option<(Timestamp, Timestamp)>,
    streams: HashMap<StreamId, Run>,
}

impl Extent {
    /// A segment without events.
    pub(super) fn new(base: Position) -> Extent {
        Extent { base, places: Vec::new(), end: FRAMES_START, times: None, streams: HashMap::new() }
    }

    /// Adds the event that follows the last one.
    ///
    /// # Panics
    ///
    /// If it does not follow the last one of the segment and of its stream: the caller has checked that.
    pub(super) fn add(
        &mut self,
        stream: StreamId,
        (position, sequence): (Position, Sequence),
        (offset, end): (Offset, Offset),
        recorded_at: Timestamp,
    ) {
        assert_eq!(self.next(), position, "positions have no gaps");
        self.places.push(units(offset));
        self.end = end;
        self.times = Some((self.times.map_or(recorded_at, |(first, _)| first), recorded_at));
        let stretch = Stretch { position, sequence };
        let Some(known) = self.streams.get_mut(&stream) else {
            self.streams.insert(stream, Run { last: sequence, stretches: vec![stretch] });
            return;
        };
        assert_eq!(known.last.next(), sequence, "sequences have no gaps");
        known.last = sequence;
        let follows = known
            .stretches
            .last()
            .is_some_and(|last| position.get() - last.position.get() == sequence.get() - last.sequence.get());
        if !follows {
            known.stretches.push(stretch);
        }
    }

    /// Position of the first event here.
    pub(super) fn base(&self) -> Position {
        self.base
    }

    /// Position behind the last event here.
    pub(super) fn next(&self) -> Position {
        self.base.plus(self.places.len() as u64)
    }

    /// When the first and the last event were recorded.
    pub(super) fn times(&self) -> Option<(Timestamp, Timestamp)> {
        self.times
    }

    /// The sequences that the stream has here, if it has some.
    pub(super) fn span(&self, stream: StreamId) -> Option<Span> {
        self.streams.get(&stream).map(|run| Span { first: run.first(), last: run.last })
    }

    /// Every stream that has events here, in no order.
    pub(super) fn streams(&self) -> impl Iterator<Item = (StreamId, Span)> {
        self.streams.iter().map(|(stream, run)| (*stream, Span { first: run.first(), last: run.last }))
    }

    /// Place of the event at `position`, or the end if that is behind the last one.
    pub(super) fn place(&self, position: Position) -> Offset {
        let index = position.get().saturating_sub(self.base.get());
        let place = usize::try_from(index).ok().and_then(|index| self.places.get(index));
        place.map_or(self.end, |units| offset(*units))
    }

    /// Places of at most `limit` events of the stream from sequence `from` on, in units of `ALIGNMENT`.
    pub(super) fn places(&self, stream: StreamId, from: Sequence, limit: usize) -> Vec<u32> {
        let Some(run) = self.streams.get(&stream) else { return Vec::new() };
        let mut places = Vec::new();
        let start = run.stretches.partition_point(|stretch| stretch.sequence <= from).saturating_sub(1);
        let stretches = run.stretches.get(start..).unwrap_or_default();
        for (index, stretch) in stretches.iter().enumerate() {
            let behind = stretches.get(index + 1).map_or(run.last.get() + 1, |next| next.sequence.get());
            let skipped = from.get().saturating_sub(stretch.sequence.get());
            let length = (behind - stretch.sequence.get()).saturating_sub(skipped);
            let count = usize::try_from(length).unwrap_or(usize::MAX).min(limit - places.len());
            if count == 0 {
                continue;
            }
            let at = (stretch.position.get() - self.base.get() + skipped) as usize;
            places.extend_from_slice(self.places.get(at..at + count).unwrap_or_default());
            if places.len() == limit {
                break;
            }
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_a_stream_are_given_from_any_sequence() {
        let stream = |number| StreamId::from_bytes([number; 16]);
        let base = Position::new(7).unwrap();
        let mut extent = Extent::new(base);
        let sequence = |number| Sequence::new(number).unwrap();
        let mut due = [4, 1];
        for (index, which) in [0_usize, 0, 1, 0, 1, 1, 0].into_iter().enumerate() {
            let at = Offset::new(8192 + 64 * index as u64);
            let place = (base.plus(index as u64), sequence(due[which]));
            extent.add(stream(which as u8 + 1), place, (at, at.plus(64)), Timestamp::from_microseconds(index as i64));
            due[which] += 1;
        }
        assert_eq!(extent.span(stream(1)), Some(Span { first: sequence(4), last: sequence(7) }));
        assert_eq!(extent.span(stream(1)).map(Span::count), Some(4));
        assert_eq!(extent.span(stream(9)), None);
        let found = |from, limit| extent.places(stream(1), sequence(from), limit);
        let of = |indexes: &[u32]| indexes.iter().map(|index| 1024 + 8 * index).collect::<Vec<_>>();
        assert_eq!(found(4, 9), of(&[0, 1, 3, 6]));
        assert_eq!(found(5, 2), of(&[1, 3]));
        assert_eq!(found(7, 9), of(&[6]));
        assert_eq!(found(8, 9), of(&[]));
        assert_eq!(found(4, 0), of(&[]));
        assert_eq!(extent.place(extent.next()), Offset::new(8192 + 64 * 7));
        assert_eq!(extent.times().map(|(first, last)| (first.microseconds(), last.microseconds())), Some((0, 6)));
    }
}
