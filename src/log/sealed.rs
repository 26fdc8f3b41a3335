//! A segment that has a successor: its places by its index, and its events by walking it.
//!
//! Knows what both headers say and reads the rest when somebody asks. An index that is missing or does not hold is
//! built from the segment, in memory; only the writer's aftercare makes files.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ids::{Position, Sequence, StreamId};
use crate::time::Timestamp;

use super::directory::{Home, LogFile, segment_name};
use super::error::{Damage, Error, Evidence};
use super::extent::{Extent, Span};
use super::fetch::{Fetch, InOrder, InStream, Source};
use super::index::{Entry, Facts, Fault, Index, encode};
use super::record::{ALIGNMENT, RecordError};
use super::segment::{FRAMES_START, Header, Offset};
use super::storage::Access;
use super::walk::{Due, Frames, check, group_behind, next_frame};

/// Bytes between two places that are remembered by position.
const MARK_BYTES: u64 = 512 * 1024;

/// Where the places of a sealed segment are taken from.
#[derive(Clone)]
pub(super) enum Places {
    /// As they were gathered while the segment was the newest.
    Extent(Arc<Extent>),
    Index(Arc<Index>),
}

/// Where a stream was found.
enum Within {
    Extent(Arc<Extent>),
    Index(Arc<Index>, Entry),
}

/// What a segment holds of a stream.
pub(super) struct Found {
    sealed: Arc<Sealed>,
    within: Within,
    pub(super) span: Span,
}

/// Places by position that reading in order has come by.
#[derive(Default)]
struct Marks {
    sparse: Vec<(Position, Offset)>,
    last: Option<(Position, Offset)>,
}

/// A sealed segment.
pub(super) struct Sealed {
    home: Home,
    facts: Facts,
    /// Bytes of the file when its successor was found or made.
    length: u64,
    /// Held while an index is loaded or built: whoever comes second wants the same.
    places: Mutex<Option<Places>>,
    /// Damage that was met where an index had to be built.
    damage: Mutex<Option<Error>>,
    marks: Mutex<Marks>,
    /// Set when an index file did not serve: somebody may make another.
    discarded: Arc<AtomicBool>,
}

impl Sealed {
    /// The segment with this header, file length and successor. Nothing is read yet.
    ///
    /// # Panics
    ///
    /// If the successor names no predecessor; it was checked.
    pub(super) fn new(home: &Home, (header, length): (&Header, u64), successor: &Header) -> Sealed {
        let previous = successor.previous.expect("the header of a successor names its predecessor");
        let facts = Facts {
            log_id: header.log_id,
            number: header.number,
            salt: header.salt,
            base: header.base,
            next: successor.base,
            end: previous.end,
            crc: previous.crc,
        };
        Sealed {
            home: home.clone(),
            facts,
            length,
            places: Mutex::new(None),
            damage: Mutex::new(None),
            marks: Mutex::new(Marks::default()),
            discarded: Arc::default(),
        }
    }

    /// The same, and says so in `discarded` when an index file does not serve.
    pub(super) fn with_signal(self, discarded: Arc<AtomicBool>) -> Sealed {
        Sealed { discarded, ..self }
    }

    /// The same with places that are known already.
    pub(super) fn with_extent(self, extent: Arc<Extent>) -> Sealed {
        Sealed { places: Mutex::new(Some(Places::Extent(extent))), ..self }
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    /// Bytes of its file when its successor was found or made.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The segment's file, as people know it.
    pub(super) fn path(&self) -> PathBuf {
        self.home.locate(&segment_name(self.facts.number))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Places>> {
        // One value that is set in one go: whole whatever a thread did that panicked.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where its events are.
    ///
    /// # Errors
    ///
    /// `Damaged` if there is no index and the segment is damaged, so that nobody knows all that it held; `Io`.
    pub(super) fn places(&self) -> Result<Places, Error> {
        let mut places = self.lock();
        if let Some(known) = &*places {
            return Ok(known.clone());
        }
        let loaded = match Index::load(&self.home, &self.facts) {
            Ok(loaded) => loaded,
            Err(fault) => {
                self.discard(&fault);
                None
            }
        };
        let index = match loaded {
            Some(index) => index,
            None => self.build()?,
        };
        let known = Places::Index(Arc::new(index));
        *places = Some(known.clone());
        Ok(known)
    }

    /// Reads the segment in place of its index.
    fn build(&self) -> Result<Index, Error> {
        if let Some(damage) = self.damage.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            return Err(damage.same_damage().expect("damage only is kept"));
        }
        match self.walk() {
            Ok(extent) => {
                let bytes = encode(&self.facts, &extent);
                Ok(Index::of(bytes, &self.facts).expect("an index that was just made is one of its segment"))
            }
            Err(error) => {
                // A segment does not become whole again; reading it for every question would take for ever.
                *self.damage.lock().unwrap_or_else(PoisonError::into_inner) = error.same_damage();
                Err(error)
            }
        }
    }

    /// Takes the index from its file from now on.
    pub(super) fn settle(&self, index: Index) {
        *self.lock() = Some(Places::Index(Arc::new(index)));
    }

    /// What is known without reading: the extent of a segment that was the newest in this process.
    pub(super) fn extent(&self) -> Option<Arc<Extent>> {
        match &*self.lock() {
            Some(Places::Extent(extent)) => Some(Arc::clone(extent)),
            Some(Places::Index(_)) | None => None,
        }
    }

    /// Whether the places stand in memory, for want of a file.
    pub(super) fn is_in_memory(&self) -> bool {
        match &*self.lock() {
            Some(Places::Extent(_)) => true,
            Some(Places::Index(index)) => index.is_in_memory(),
            None => false,
        }
    }

    /// Asks `question` about the places; an index that fails is replaced by one built from the segment.
    fn ask<T>(
        &self,
        question: impl Fn(&Arc<Index>) -> Result<T, Fault>,
        extent: impl Fn(&Arc<Extent>) -> T,
    ) -> Result<T, Error> {
        let index = match self.places()? {
            Places::Extent(known) => return Ok(extent(&known)),
            Places::Index(index) => index,
        };
        match question(&index) {
            Ok(answer) => Ok(answer),
            Err(fault) => {
                self.discard(&fault);
                let built = Arc::new(self.build()?);
                *self.lock() = Some(Places::Index(Arc::clone(&built)));
                Ok(question(&built).expect("an index in memory holds"))
            }
        }
    }

    fn discard(&self, fault: &Fault) {
        tracing::warn!(segment = %self.facts.number, %fault, "an index is discarded, its segment is read");
        self.discarded.store(true, Ordering::Release);
    }

    /// What the segment holds of the stream.
    ///
    /// # Errors
    ///
    /// As `places`.
    pub(super) fn find(self: &Arc<Self>, stream: StreamId) -> Result<Option<Found>, Error> {
        let found = self.ask(
            |index| {
                let entry = index.find(stream)?;
                Ok(entry.map(|entry| (Within::Index(Arc::clone(index), entry), entry.span)))
            },
            |extent| extent.span(stream).map(|span| (Within::Extent(Arc::clone(extent)), span)),
        )?;
        Ok(found.map(|(within, span)| Found { sealed: Arc::clone(self), within, span }))
    }

    /// Calls `each` with every stream that has events here.
    ///
    /// # Errors
    ///
    /// As `places`.
    pub(super) fn for_each(&self, mut each: impl FnMut(StreamId, Span)) -> Result<(), Error> {
        let streams = self.ask(
            |index| {
                let mut streams = Vec::with_capacity(index.n_streams() as usize);
                index.for_each(&mut |stream, span| streams.push((stream, span)))?;
                Ok(streams)
            },
            |extent| extent.streams().collect(),
        )?;
        streams.into_iter().for_each(|(stream, span)| each(stream, span));
        Ok(())
    }

    /// When the last event here was recorded; None without events.
    ///
    /// # Errors
    ///
    /// As `places`.
    pub(super) fn last_recorded_at(&self) -> Result<Option<Timestamp>, Error> {
        let times = self.ask(|index| Ok(index.times()), |extent| extent.times())?;
        Ok(times.map(|(_, last)| last))
    }

    /// The file, to be read.
    ///
    /// # Errors
    ///
    /// `Damaged` if it is not there or shorter than its successor says; `Io`.
    pub(super) fn open(&self) -> Result<LogFile, Error> {
        let name = segment_name(self.facts.number);
        let Some(file) = self.home.open_if_there(&name, Access::Read)? else {
            return Err(self.damaged(Offset::new(0), self.facts.base, Damage::MissingSegment));
        };
        let length = file.length()?;
        if length < self.facts.end.get() {
            let cause = Damage::CutShort { length, expected: self.facts.end.get() };
            return Err(self.damaged(Offset::new(length), self.facts.base, cause));
        }
        Ok(file)
    }

    fn damaged(&self, offset: Offset, missing: Position, cause: Damage) -> Error {
        let (segment, path) = (self.facts.number, self.path());
        Error::Damaged { segment, path, offset, missing, proven: self.facts.next, cause }
    }

    /// Reads every frame, and checks them as opening checks those of the newest segment.
    ///
    /// # Errors
    ///
    /// `Damaged` at the first frame that is not what was written; `Io`.
    pub(super) fn walk(&self) -> Result<Extent, Error> {
        let file = self.open()?;
        let mut frames = Frames::new(&file, self.facts.salt, FRAMES_START, self.facts.end);
        let mut extent = Extent::new(self.facts.base);
        let mut due =
            Due { position: self.facts.base, recorded_at: Timestamp::from_microseconds(i64::MIN), group: None };
        // Damage is told with the first event that cannot be read as part of a whole group.
        let (mut whole, mut crc) = (self.facts.base, 0);
        loop {
            let at = frames.offset();
            let checked = match frames.next()? {
                None => break,
                Some(Ok(frame)) => {
                    let head = &frame.head;
                    let known = extent.span(head.stream).map(|span| span.last.get() + 1);
                    let is_start = self.facts.base == Position::FIRST;
                    let unknown = if is_start { 1 } else { head.sequence.map_or(1, Sequence::get) };
                    check(&frame, &due, known.unwrap_or(unknown)).map(|()| frame)
                }
                Some(Err(cause)) => Err(cause),
            };
            let frame = checked.map_err(|cause| self.damaged(at, whole, Damage::Record(cause)))?;
            let head = frame.head;
            due.recorded_at = head.recorded_at;
            due.group = group_behind(&head);
            if let Some(sequence) = head.sequence {
                extent.add(head.stream, (head.position, sequence), (frame.offset, frame.end), head.recorded_at);
                due.position = due.position.next();
            }
            if due.group.is_none() {
                whole = due.position;
            }
            crc = frame.crc;
        }
        let end = self.facts.end;
        if due.group.is_some() {
            return Err(self.damaged(end, whole, Damage::Record(RecordError::GroupOpen)));
        }
        if due.position != self.facts.next {
            return Err(self.damaged(end, whole, Damage::EventsMissing { evidence: Evidence::Header }));
        }
        if crc != self.facts.crc {
            let cause = RecordError::Checksum { found: crc, computed: self.facts.crc };
            return Err(self.damaged(end, whole, Damage::Record(cause)));
        }
        Ok(extent)
    }

    /// Reads events by position into `fetch`, from `from` on, which must lie here.
    ///
    /// # Errors
    ///
    /// `Damaged` if one of them is not there any more; `Io`.
    pub(super) fn read(&self, from: Position, fetch: &mut Fetch) -> Result<(), Error> {
        let source = Source { number: self.facts.number, salt: self.facts.salt, file: self.open()? };
        let (position, start) = self.near(from);
        let piece = InOrder { from: start, until: self.facts.end, position, behind: self.facts.next };
        let mut mark = |position: Position, at: Offset| self.note(position, at);
        let mut result = fetch.in_order(&source, &piece, from, &mut mark);
        // What stands between the mark and the event is no concern of who asks for the event.
        while let Err(Error::Damaged { offset, missing, .. }) = &result
            && *missing < from
        {
            let behind = (offset.plus(ALIGNMENT as u64), self.facts.end);
            match next_frame(&source.file, source.salt, behind, *missing)? {
                Some((start, position)) if position <= from => {
                    let piece = InOrder { from: start, position, ..piece };
                    result = fetch.in_order(&source, &piece, from, &mut mark);
                }
                Some(_) | None => break,
            }
        }
        result
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last known place that is not behind `position`.
    fn near(&self, position: Position) -> (Position, Offset) {
        if let Some(extent) = self.extent() {
            return (position, extent.place(position));
        }
        let marks = self.marks();
        let behind = marks.sparse.partition_point(|(known, _)| *known <= position);
        let sparse = behind.checked_sub(1).and_then(|at| marks.sparse.get(at));
        let last = marks.last.as_ref().filter(|(known, _)| *known <= position);
        let best = sparse.into_iter().chain(last).max_by_key(|(known, _)| *known);
        best.copied().unwrap_or((self.facts.base, FRAMES_START))
    }

    /// Notes that the event at `position` stands at `at`.
    fn note(&self, position: Position, at: Offset) {
        let mut marks = self.marks();
        let known = marks.sparse.last().map_or(FRAMES_START, |(_, at)| *at);
        if at.since(known) >= MARK_BYTES {
            marks.sparse.push((position, at));
        }
        marks.last = Some((position, at));
    }
}

impl Found {
    /// Reads events of the stream into `fetch`, from sequence `from` on.
    ///
    /// # Errors
    ///
    /// `Damaged` if one of them is not there any more; `Io`.
    pub(super) fn read(&self, stream: StreamId, from: Sequence, fetch: &mut Fetch) -> Result<(), Error> {
        let sealed = &self.sealed;
        let source = Source { number: sealed.facts.number, salt: sealed.facts.salt, file: sealed.open()? };
        let from = from.max(self.span.first);
        fetch.begin();
        let positions = (sealed.facts.base, sealed.facts.next);
        let piece = |places| InStream { places, stream, first: from, until: sealed.facts.end };
        let tried = match &self.within {
            Within::Extent(extent) => {
                return fetch.in_stream(&source, &piece(extent.places(stream, from, fetch.left())), positions);
            }
            Within::Index(index, entry) => index.places(entry, from, fetch.left()),
        };
        match tried.map(|places| fetch.in_stream(&source, &piece(places), positions)) {
            Ok(Err(error)) if error.is_damage() => {}
            Ok(result) => return result,
            Err(fault) => sealed.discard(&fault),
        }
        // Is it the index, or the segment? Only the segment can tell. What was read before the place is not read twice.
        let built = sealed.walk()?;
        fetch.restart();
        sealed.settle(Index::of(encode(&sealed.facts, &built), &sealed.facts).expect("an index is one of its segment"));
        fetch.in_stream(&source, &piece(built.places(stream, from, fetch.left())), positions)
    }
}
