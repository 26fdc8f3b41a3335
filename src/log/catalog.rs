//! Where the events of a log are: the newest segment's in memory, those of sealed segments by their indexes.
//!
//! Questions are asked of a snapshot, so that nobody holds the catalog while the disk is read. Memory grows with the
//! newest segment only, and with those sealed ones whose index is not in a file.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::ids::{Position, Sequence, StreamId};
use crate::time::Timestamp;

use super::Record;
use super::error::{Damage, Error};
use super::extent::{Extent, Span};
use super::fetch::{Fetch, InOrder, InStream, Source};
use super::record::RecordError;
use super::sealed::{Found, Sealed};
use super::segment::{Offset, SegmentNumber};

/// The segment that is the newest.
struct Newest {
    source: Source,
    extent: Extent,
}

/// Where the events of a log are, up to some position.
#[derive(Default)]
pub(super) struct Catalog {
    sealed: Arc<Vec<Arc<Sealed>>>,
    newest: Option<Newest>,
    discarded: Arc<AtomicBool>,
}

impl Catalog {
    /// Begins the newest segment; what is added next stands there.
    pub(super) fn begin(&mut self, source: Source, base: Position) {
        self.newest = Some(Newest { source, extent: Extent::new(base) });
    }

    /// The newest segment was never walked: where its events are, its index says.
    pub(super) fn leave(&mut self) {
        self.newest = None;
    }

    /// The newest segment has got a successor, and all its events were added unless it was left.
    pub(super) fn seal(&mut self, sealed: Sealed) {
        let sealed = sealed.with_signal(Arc::clone(&self.discarded));
        let sealed = match self.newest.take() {
            Some(newest) => sealed.with_extent(Arc::new(newest.extent)),
            None => sealed,
        };
        Arc::make_mut(&mut self.sealed).push(Arc::new(sealed));
    }

    /// Number of the newest segment.
    pub(super) fn newest(&self) -> SegmentNumber {
        self.newest.as_ref().map_or(SegmentNumber::FIRST, |newest| newest.source.number)
    }

    /// Set when an index file did not serve, so that it should be made again.
    pub(super) fn discarded(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.discarded)
    }

    /// The segments that have a successor, in order.
    pub(super) fn sealed(&self) -> &Arc<Vec<Arc<Sealed>>> {
        &self.sealed
    }

    /// Adds the event that follows the last one.
    ///
    /// # Panics
    ///
    /// If it does not follow: the caller has checked that.
    pub(super) fn add(
        &mut self,
        stream: StreamId,
        place: (Position, Sequence),
        at: (Offset, Offset),
        recorded_at: Timestamp,
    ) {
        let newest = self.newest.as_mut().expect("an event stands in a segment");
        newest.extent.add(stream, place, at, recorded_at);
    }

    /// What the newest segment holds of the stream.
    pub(super) fn newest_span(&self, stream: StreamId) -> Option<Span> {
        self.newest.as_ref()?.extent.span(stream)
    }

    /// What has to be asked for the last sequence of the stream.
    pub(super) fn head(&self, stream: StreamId) -> Head {
        match self.newest_span(stream) {
            Some(span) => Head::Known(span.last),
            None => Head::Sealed(Arc::clone(&self.sealed), stream),
        }
    }

    /// What has to be asked for the last sequence of every stream.
    pub(super) fn heads(&self) -> Heads {
        let newest = self.newest.as_ref().map(|newest| newest.extent.streams());
        let known = newest.into_iter().flatten().map(|(stream, span)| (stream, span.last)).collect();
        Heads { known, sealed: Arc::clone(&self.sealed) }
    }

    /// What has to be asked for at most `limit` events from position `from` on.
    pub(super) fn find(&self, from: Position) -> InLog {
        let newest = self.newest.as_ref().map(|Newest { source, extent }| {
            let position = from.max(extent.base());
            let (from, until) = (extent.place(position), extent.place(extent.next()));
            (source.clone(), InOrder { from, until, position, behind: extent.next() })
        });
        InLog { sealed: Arc::clone(&self.sealed), newest, from }
    }

    /// What has to be asked for at most `limit` events of the stream from sequence `from` on.
    pub(super) fn find_in_stream(&self, stream: StreamId, from: Sequence, limit: usize) -> InOne {
        let newest = self.newest.as_ref().and_then(|Newest { source, extent }| {
            let span = extent.span(stream)?;
            let first = from.max(span.first);
            let places = extent.places(stream, first, limit);
            let until = extent.place(extent.next());
            let piece = InStream { places, stream, first, until };
            Some(InNewest { source: source.clone(), span, piece, positions: (extent.base(), extent.next()) })
        });
        InOne { sealed: Arc::clone(&self.sealed), newest, stream, from, limit }
    }
}

/// An answer, and the damage that had to be passed by on the way: there may be more than it says.
pub(super) struct Answer<T> {
    pub(super) value: Result<T, Error>,
    pub(super) hole: Option<Error>,
}

impl<T> Answer<T> {
    /// The answer, if nothing can be missing in it.
    ///
    /// # Errors
    ///
    /// That of the answer; the damage that was passed by.
    pub(super) fn whole(self) -> Result<T, Error> {
        match self.hole {
            Some(hole) => Err(hole),
            None => self.value,
        }
    }
}

/// What the segments hold of the stream, the last first, as far back as somebody wants.
fn search(
    sealed: &[Arc<Sealed>],
    stream: StreamId,
    enough: impl Fn(&Found) -> bool,
) -> (Result<Vec<Found>, Error>, Option<Error>) {
    let (mut found, mut hole) = (Vec::new(), None);
    for segment in sealed.iter().rev() {
        match segment.find(stream) {
            Ok(Some(piece)) => {
                let is_enough = enough(&piece) || piece.span.first == Sequence::FIRST;
                found.push(piece);
                if is_enough {
                    break;
                }
            }
            Ok(None) => {}
            Err(error) if error.is_damage() => hole = hole.or(Some(error)),
            Err(error) => return (Err(error), hole),
        }
    }
    (Ok(found), hole)
}

/// The question for the last sequence of a stream.
pub(super) enum Head {
    /// The newest segment answers it.
    Known(Sequence),
    /// The others have to be asked.
    Sealed(Arc<Vec<Arc<Sealed>>>, StreamId),
}

impl Head {
    /// The last sequence of the stream, if it has events.
    pub(super) fn ask(&self) -> Answer<Option<Sequence>> {
        match self {
            Head::Known(last) => Answer { value: Ok(Some(*last)), hole: None },
            Head::Sealed(sealed, stream) => {
                let (found, hole) = search(sealed, *stream, |_| true);
                Answer { value: found.map(|found| found.first().map(|found| found.span.last)), hole }
            }
        }
    }
}

/// The question for the last sequence of every stream.
pub(super) struct Heads {
    known: HashMap<StreamId, Sequence>,
    sealed: Arc<Vec<Arc<Sealed>>>,
}

impl Heads {
    /// Every stream with its last sequence, in no order.
    pub(super) fn ask(self) -> Answer<Vec<(StreamId, Sequence)>> {
        let Heads { mut known, sealed } = self;
        let mut hole = None;
        for segment in sealed.iter().rev() {
            let asked = segment.for_each(|stream, span| {
                known.entry(stream).or_insert(span.last);
            });
            match asked {
                Ok(()) => {}
                Err(error) if error.is_damage() => hole = hole.or(Some(error)),
                Err(error) => return Answer { value: Err(error), hole },
            }
        }
        Answer { value: Ok(known.into_iter().collect()), hole }
    }
}

/// The question for events in the order of the log.
pub(super) struct InLog {
    sealed: Arc<Vec<Arc<Sealed>>>,
    newest: Option<(Source, InOrder)>,
    from: Position,
}

impl InLog {
    /// The events. Events before `durable` were acknowledged.
    ///
    /// # Errors
    ///
    /// `Damaged` if the first of them is not there any more; `Io`.
    pub(super) fn ask(&self, limit: usize, durable: Position) -> Result<Vec<Record>, Error> {
        let mut fetch = Fetch::new(limit, durable);
        let read = self.read(&mut fetch);
        before_damage(read, fetch)
    }

    fn read(&self, fetch: &mut Fetch) -> Result<(), Error> {
        let start = self.sealed.partition_point(|segment| segment.facts().next <= self.from);
        let mut due = self.from;
        for segment in self.sealed.iter().skip(start) {
            if fetch.left() == 0 {
                return Ok(());
            }
            if due < segment.facts().next {
                segment.read(due, fetch)?;
                due = segment.facts().next;
            }
        }
        match &self.newest {
            Some((source, piece)) => fetch.in_order(source, piece, self.from, &mut |_, _| ()),
            None => Ok(()),
        }
    }
}

/// What was read before damage is an answer; who asks for what comes next is told of the damage.
fn before_damage(read: Result<(), Error>, fetch: Fetch) -> Result<Vec<Record>, Error> {
    match read {
        Err(error) if !error.is_damage() || fetch.is_empty() => Err(error),
        Ok(()) | Err(_) => Ok(fetch.into_records()),
    }
}

struct InNewest {
    source: Source,
    span: Span,
    piece: InStream,
    positions: (Position, Position),
}

/// The question for events of one stream.
pub(super) struct InOne {
    sealed: Arc<Vec<Arc<Sealed>>>,
    newest: Option<InNewest>,
    stream: StreamId,
    from: Sequence,
    limit: usize,
}

impl InOne {
    /// The events. Events before `durable` were acknowledged.
    pub(super) fn ask(&self, durable: Position) -> Answer<Vec<Record>> {
        let from = self.from;
        let is_enough = |first: Sequence| first <= from || first == Sequence::FIRST;
        let (found, hole) = match &self.newest {
            Some(newest) if is_enough(newest.span.first) => (Ok(Vec::new()), None),
            Some(_) | None => search(&self.sealed, self.stream, |found| is_enough(found.span.first)),
        };
        let mut fetch = Fetch::new(self.limit, durable);
        let read = found.and_then(|found| self.read(&found, hole.as_ref(), &mut fetch));
        Answer { value: before_damage(read, fetch), hole }
    }

    fn read(&self, found: &[Found], hole: Option<&Error>, fetch: &mut Fetch) -> Result<(), Error> {
        let mut due = self.from;
        for piece in found.iter().rev() {
            if fetch.left() == 0 {
                return Ok(());
            }
            if piece.span.last >= due {
                self.check_gap((due, piece.span.first), hole, fetch)?;
                piece.read(self.stream, due, fetch)?;
                due = piece.span.last.next();
            }
        }
        match &self.newest {
            Some(newest) if newest.span.last >= due && fetch.left() > 0 => {
                self.check_gap((due, newest.span.first), hole, fetch)?;
                fetch.in_stream(&newest.source, &newest.piece, newest.positions)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Sequences have no gaps: what is missing between two segments stood in one that is damaged.
    fn check_gap(&self, (due, first): (Sequence, Sequence), hole: Option<&Error>, fetch: &Fetch) -> Result<(), Error> {
        if first <= due {
            return Ok(());
        }
        if let Some(damage) = hole.and_then(Error::same_damage) {
            return Err(damage);
        }
        let cause = RecordError::Sequence { stream: self.stream, expected: due.get(), found: first.get() };
        let missing = fetch.next().unwrap_or(Position::FIRST);
        let newest = self.newest.as_ref().map(|newest| (newest.source.number, newest.source.file.path()));
        let last = self.sealed.last().map(|last| (last.facts().number, last.path()));
        let (segment, path) = newest.or(last).expect("a gap lies between two segments");
        let cause = Damage::Record(cause);
        Err(Error::Damaged { segment, path, offset: Offset::new(0), missing, proven: fetch.durable(), cause })
    }
}
