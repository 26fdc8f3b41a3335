//! Reading to the end, piece by piece, so that no history has to fit into memory.

use std::collections::VecDeque;

use crate::event::Recorded;
use crate::ids::{Position, Sequence, StreamId};

use super::EventStore;
use super::error::Error;

/// Events asked for at once.
const PIECE_EVENTS: usize = 512;

/// Where the next piece begins.
enum Next {
    InStream(StreamId, Sequence),
    InLog(Position),
    Nothing,
}

/// Durable events in order, to the last one there is when it is asked for; nothing comes behind an error.
pub(crate) struct Scan<'a> {
    store: &'a dyn EventStore,
    next: Next,
    piece: VecDeque<Recorded>,
}

/// The events of `stream` from sequence `from` on.
pub(crate) fn scan(store: &dyn EventStore, stream: StreamId, from: Sequence) -> Scan<'_> {
    Scan { store, next: Next::InStream(stream, from), piece: VecDeque::new() }
}

/// The events of all streams from position `from` on.
pub(crate) fn scan_all(store: &dyn EventStore, from: Position) -> Scan<'_> {
    Scan { store, next: Next::InLog(from), piece: VecDeque::new() }
}

impl Scan<'_> {
    fn read(&mut self) -> Result<(), Error> {
        let piece = match self.next {
            Next::InStream(stream, from) => self.store.read(stream, from, PIECE_EVENTS)?,
            Next::InLog(from) => self.store.read_all(from, PIECE_EVENTS)?,
            Next::Nothing => Vec::new(),
        };
        self.next = match (&self.next, piece.last()) {
            (Next::InStream(stream, _), Some(last)) => Next::InStream(*stream, last.sequence.next()),
            (Next::InLog(_), Some(last)) => Next::InLog(last.position.next()),
            (Next::InStream(..) | Next::InLog(_) | Next::Nothing, _) => Next::Nothing,
        };
        self.piece = piece.into();
        Ok(())
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<Recorded, Error>;

    fn next(&mut self) -> Option<Result<Recorded, Error>> {
        if self.piece.is_empty()
            && let Err(error) = self.read()
        {
            self.next = Next::Nothing;
            return Some(Err(error));
        }
        self.piece.pop_front().map(Ok)
    }
}
