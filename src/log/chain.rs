//! The chain of segments as it is found on disk: headers, the frames of the newest segment, and where it ends.
//!
//! Reads and checks, writes nothing. Sealed segments are trusted: of them headers are read here, and frames when
//! somebody asks for them. Opening for writing and reading without the lock see the same chain and differ in what they
//! make of its end only.

use std::collections::HashMap;

use crate::ids::{Position, Sequence, StreamId};
use crate::time::Timestamp;

use super::catalog::Catalog;
use super::directory::{Home, LogFile, segment_name};
use super::error::{Damage, Error, Evidence};
use super::fetch::Source;
use super::record::{Frame, Head, RecordError};
use super::sealed::Sealed;
use super::segment::{Copies, FRAMES_START, Header, HeaderError, LogId, Offset, Previous, SegmentNumber};
use super::storage::Access;
use super::walk::{Beyond, Due, Frames, check, group_behind, look_beyond};
use super::watermark::Watermark;

/// One segment of the chain.
pub(super) struct Segment {
    pub(super) header: Header,
    pub(super) file: LogFile,
    /// Bytes of the file when it was opened.
    pub(super) length: u64,
}

/// What the last frame of a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// There is no frame yet.
    Nothing,
    /// An event.
    Event,
    /// A control frame of this kind.
    Control(u16),
}

impl Last {
    pub(super) fn of(head: &Head) -> Last {
        if head.flags.is_control() { Last::Control(head.kind) } else { Last::Event }
    }
}

/// A place between two groups: everything before it was read and checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) offset: Offset,
    /// Position of the next event.
    pub(super) next: Position,
    /// When the last frame was recorded; the beginning of time if it stands in an earlier segment.
    pub(super) recorded_at: Timestamp,
    /// Checksum of the last frame in this segment; 0 if there is none.
    pub(super) crc: u32,
    pub(super) last: Last,
}

/// A frame that was accepted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) head: Head,
    pub(super) offset: Offset,
    pub(super) end: Offset,
    pub(super) crc: u32,
}

impl Standing {
    /// At the first frame of a segment with this base.
    fn before(base: Position) -> Standing {
        Standing {
            offset: FRAMES_START,
            next: base,
            recorded_at: Timestamp::from_microseconds(i64::MIN),
            crc: 0,
            last: Last::Nothing,
        }
    }

    fn behind(self, seen: &Seen) -> Standing {
        let next = if seen.head.flags.is_control() { self.next } else { seen.head.position.next() };
        Standing {
            offset: seen.end,
            next,
            recorded_at: seen.head.recorded_at,
            crc: seen.crc,
            last: Last::of(&seen.head),
        }
    }
}

/// A place where the frame that was due does not stand.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    pub(super) offset: Offset,
    pub(super) cause: RecordError,
}

/// How the newest segment ends.
pub(super) struct Tail {
    /// Behind the last whole group.
    pub(super) standing: Standing,
    /// Where reading came to an end before the file did.
    pub(super) stop: Option<Stop>,
    /// Every event before this position was durable.
    pub(super) proven: Position,
    /// What says so.
    pub(super) evidence: Evidence,
    /// Frames of whole groups that no later frame proves durable, the first at or behind the largest witness.
    pub(super) unsettled: Vec<Seen>,
    /// The first byte behind the last whole group that is not zero.
    pub(super) first_nonzero: Option<Offset>,
}

impl Tail {
    /// Whether reading came to an end at a frame that no torn write leaves.
    pub(super) fn is_contradiction(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.cause.is_contradiction())
    }
}

/// How much of the newest segment is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Every byte of the file.
    WholeFile,
    /// Frames, up to the first place where none stands.
    Frames,
}

/// When the events of a group are taken into the catalog.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settling {
    /// At the group's end: the segment is sealed.
    AtOnce,
    /// When a later frame proves it durable.
    ByWitness,
}

/// Frames that were accepted and not settled.
struct Ahead {
    standing: Standing,
    witness: Position,
    unsettled: Vec<Seen>,
    group: Vec<Seen>,
    heads: HashMap<StreamId, Sequence>,
}

/// The chain of segments, and its newest one walked up to some place.
pub(super) struct Chain {
    home: Home,
    newest: Option<Segment>,
    standing: Standing,
    watermark: Option<Watermark>,
    pub(super) catalog: Catalog,
}

impl Chain {
    pub(super) fn new(home: Home) -> Chain {
        let standing = Standing::before(Position::FIRST);
        Chain { home, newest: None, standing, watermark: None, catalog: Catalog::default() }
    }

    /// Takes what WATERMARK says into account from now on.
    pub(super) fn heed(&mut self, watermark: Option<Watermark>) {
        self.watermark = watermark.or(self.watermark);
    }

    /// The newest segment whose header was read.
    pub(super) fn newest(&self) -> Option<&Segment> {
        self.newest.as_ref()
    }

    /// Identity of the log, as soon as a header was read.
    pub(super) fn log_id(&self) -> Option<LogId> {
        self.newest().map(|segment| segment.header.log_id)
    }

    /// Position of the next event behind all that was walked.
    pub(super) fn next(&self) -> Position {
        self.standing.next
    }

    /// Opens the segments behind those that are known and checks that their headers follow each other. A segment that
    /// was walked is walked to its end.
    ///
    /// # Errors
    ///
    /// `Damaged` for the first that does not; those before it are known then. `Unsupported`, `Io`.
    pub(super) fn extend(&mut self, numbers: &[SegmentNumber]) -> Result<(), Error> {
        let known = self.newest().map(|segment| segment.header.number);
        for number in numbers.iter().copied().filter(|number| Some(*number) > known) {
            let due = self.newest().map_or(SegmentNumber::FIRST, |newest| newest.header.number.next());
            if number != due {
                return Err(self.damaged((due, Offset::new(0)), Damage::MissingSegment));
            }
            let segment = self.open(number)?;
            if let Err(cause) = self.check_header(&segment) {
                return Err(self.damaged((number, Offset::new(0)), cause));
            }
            self.seal_newest(&segment.header, known)?;
            let Segment { header, file, .. } = &segment;
            let source = Source { number: header.number, salt: header.salt, file: file.clone() };
            self.catalog.begin(source, header.base);
            self.standing = Standing::before(header.base);
            self.newest = Some(segment);
        }
        Ok(())
    }

    /// The newest segment has a successor.
    fn seal_newest(&mut self, successor: &Header, walked: Option<SegmentNumber>) -> Result<(), Error> {
        let Some(Segment { header, length, .. }) = self.newest else { return Ok(()) };
        let sealed = Sealed::new(&self.home, (&header, length), successor);
        if walked == Some(header.number) {
            let previous = successor.previous.expect("the header of a successor names its predecessor");
            self.walk_to_seal(successor, &previous)?;
        } else {
            self.catalog.leave();
        }
        self.catalog.seal(sealed);
        Ok(())
    }

    fn open(&self, number: SegmentNumber) -> Result<Segment, Error> {
        let (file, copies) = read_copies(&self.home, number)?;
        let length = file.length()?;
        match choose(copies) {
            Choice::Header { header, flaw } => {
                if let Some(flaw) = flaw {
                    tracing::warn!(path = %file.path().display(), %flaw, "a header is damaged and its other copy serves");
                }
                if header.number != number {
                    return Err(self.damaged((number, Offset::new(0)), Damage::Chain { field: "number" }));
                }
                Ok(Segment { header, file, length })
            }
            Choice::Unsupported(cause) => Err(Error::Unsupported { path: file.path(), cause }),
            Choice::Nothing(cause) => Err(self.damaged((number, Offset::new(0)), cause)),
        }
    }

    /// Checks what a header owes to the one before it.
    fn check_header(&self, segment: &Segment) -> Result<(), Damage> {
        self.newest().map_or(Ok(()), |before| check_link((&before.header, before.length), &segment.header))
    }

    /// Damage at a place, with all that the chain proves.
    pub(super) fn damaged(&self, (segment, offset): (SegmentNumber, Offset), cause: Damage) -> Error {
        let path = self.home.locate(&segment_name(segment));
        Error::Damaged { segment, path, offset, missing: self.next(), proven: self.proven(), cause }
    }

    /// Every event before this position was durable, going by headers, WATERMARK and what was walked.
    pub(super) fn proven(&self) -> Position {
        let base = self.newest().map_or(Position::FIRST, |newest| newest.header.base);
        base.max(self.next()).max(self.watermark().map_or(base, |watermark| watermark.position))
    }

    /// What WATERMARK says, if it is about this log.
    pub(super) fn watermark(&self) -> Option<&Watermark> {
        let log_id = self.log_id();
        self.watermark.as_ref().filter(|watermark| log_id.is_none_or(|id| id == watermark.log_id))
    }

    fn walk_to_seal(&mut self, successor: &Header, previous: &Previous) -> Result<(), Error> {
        let number = self.current().header.number;
        let (ahead, stop) = self.walk(previous.end, Settling::AtOnce)?;
        let damaged = |chain: &Chain, offset, cause| Err(chain.damaged((number, offset), cause));
        if let Some(Stop { offset, cause }) = stop {
            return damaged(self, offset, Damage::Record(cause));
        }
        if !ahead.group.is_empty() {
            return damaged(self, previous.end, Damage::Record(RecordError::GroupOpen));
        }
        if self.standing.next != successor.base {
            return damaged(self, previous.end, Damage::EventsMissing { evidence: Evidence::Header });
        }
        if self.standing.crc != previous.crc {
            let cause = RecordError::Checksum { found: self.standing.crc, computed: previous.crc };
            return damaged(self, previous.end, Damage::Record(cause));
        }
        Ok(())
    }

    fn current(&self) -> &Segment {
        self.newest.as_ref().expect("the chain is walked where it has a segment")
    }

    /// Looks at the newest segment, and takes into the catalog what its own frames prove durable.
    ///
    /// # Errors
    ///
    /// `Damaged` if the file is shorter than it was; `Io`.
    ///
    /// # Panics
    ///
    /// If no header was read.
    pub(super) fn walk_newest(&mut self, reach: Reach) -> Result<Tail, Error> {
        let Segment { header, file, .. } = self.current();
        let (header, file) = (*header, file.clone());
        let length = file.length()?;
        if length < header.capacity {
            let cause = Damage::CutShort { length, expected: header.capacity };
            return Err(self.damaged((header.number, Offset::new(length)), cause));
        }
        let capacity = Offset::new(header.capacity);
        let (ahead, stop) = self.walk(capacity, Settling::ByWitness)?;
        let Ahead { standing, unsettled, group, .. } = ahead;
        let from = stop.as_ref().map_or(capacity, |stop| stop.offset);
        let beyond = match reach {
            Reach::WholeFile => look_beyond(&file, header.salt, (from, Offset::new(length)), standing.next)?,
            Reach::Frames => Beyond { witness: None, first_nonzero: None },
        };
        let claims = [
            (Some(header.base), Evidence::Header),
            (Some(self.standing.next), Evidence::Witness),
            (beyond.witness, Evidence::Witness),
            (self.watermark().map(|watermark| watermark.position), Evidence::Watermark),
        ];
        let (mut proven, mut evidence) = (Position::FIRST, Evidence::Header);
        for (position, from) in claims.into_iter().filter_map(|(claim, from)| claim.map(|position| (position, from))) {
            if position > proven {
                (proven, evidence) = (position, from);
            }
        }
        let first_nonzero = if group.is_empty() { beyond.first_nonzero } else { Some(standing.offset) };
        Ok(Tail { standing, stop, proven, evidence, unsettled, first_nonzero })
    }

    /// The damage that a tail is, if it is not just torn: acknowledged events are missing, or a frame stands there
    /// that nobody can have written.
    pub(super) fn damage_of(&self, tail: &Tail) -> Option<Error> {
        let place = tail.stop.as_ref().map_or(tail.standing.offset, |stop| stop.offset);
        let cause = match &tail.stop {
            Some(stop) if stop.cause.is_contradiction() => Damage::Record(stop.cause.clone()),
            _ if tail.proven > tail.standing.next => Damage::EventsMissing { evidence: tail.evidence },
            _ => return None,
        };
        let Segment { header, file, .. } = self.current();
        Some(Error::Damaged {
            segment: header.number,
            path: file.path(),
            offset: place,
            missing: tail.standing.next,
            proven: tail.proven,
            cause,
        })
    }

    /// Takes the frames of a tail that stand before `below` into the catalog; the chain goes on behind them.
    pub(super) fn settle(&mut self, tail: &Tail, below: Position) {
        for seen in tail.unsettled.iter().take_while(|seen| seen.head.position < below) {
            self.take_in(seen);
        }
    }

    fn take_in(&mut self, seen: &Seen) {
        if let Some(sequence) = seen.head.sequence {
            let (head, at) = (&seen.head, (seen.offset, seen.end));
            self.catalog.add(head.stream, (head.position, sequence), at, head.recorded_at);
        }
        self.standing = self.standing.behind(seen);
    }

    /// Accepts frames up to `until` or the first that is none.
    fn walk(&mut self, until: Offset, settling: Settling) -> Result<(Ahead, Option<Stop>), Error> {
        let Segment { header, file, .. } = self.current();
        let (salt, base, file) = (header.salt, header.base, file.clone());
        let mut ahead = Ahead {
            standing: self.standing,
            witness: base,
            unsettled: Vec::new(),
            group: Vec::new(),
            heads: HashMap::new(),
        };
        let mut frames = Frames::new(&file, salt, self.standing.offset, until);
        loop {
            let offset = frames.offset();
            let accepted = match frames.next()? {
                None => return Ok((ahead, None)),
                Some(Ok(frame)) => self.accept(&mut ahead, &frame),
                Some(Err(cause)) => Err(cause),
            };
            match accepted {
                Ok(()) => self.settle_ahead(&mut ahead, settling),
                Err(cause) => return Ok((ahead, Some(Stop { offset, cause }))),
            }
        }
    }

    fn accept(&self, ahead: &mut Ahead, frame: &Frame<'_>) -> Result<(), RecordError> {
        let head = frame.head;
        let before = ahead.group.last();
        let due = Due {
            position: before.map_or(ahead.standing.next, |seen| seen.head.position.next()),
            recorded_at: before.map_or(ahead.standing.recorded_at, |seen| seen.head.recorded_at),
            group: before.and_then(|seen| group_behind(&seen.head)),
        };
        // Inside a group the frame before tells what is due; only its first frame has to be looked up.
        let known = match before.filter(|seen| seen.head.stream == head.stream) {
            Some(seen) => seen.head.sequence,
            None => {
                let here = || self.catalog.newest_span(head.stream).map(|span| span.last);
                ahead.heads.get(&head.stream).copied().or_else(here)
            }
        };
        // Where a stream that this segment has not met goes on, only sealed segments know, and those are not read here.
        let is_start = self.current().header.base == Position::FIRST;
        let unknown = if is_start { 1 } else { head.sequence.map_or(1, Sequence::get) };
        check(frame, &due, known.map_or(unknown, |last| last.get() + 1))?;
        let seen = Seen { head, offset: frame.offset, end: frame.end, crc: frame.crc };
        ahead.group.push(seen);
        if head.flags.is_last() {
            if let Some(sequence) = head.sequence {
                ahead.heads.insert(head.stream, sequence);
            }
            for seen in &ahead.group {
                ahead.witness = ahead.witness.max(seen.head.witness());
            }
            ahead.standing = ahead.standing.behind(&seen);
            ahead.unsettled.append(&mut ahead.group);
        }
        Ok(())
    }

    fn settle_ahead(&mut self, ahead: &mut Ahead, settling: Settling) {
        let count = match settling {
            Settling::AtOnce => ahead.unsettled.len(),
            Settling::ByWitness => ahead.unsettled.partition_point(|seen| seen.head.position < ahead.witness),
        };
        for seen in ahead.unsettled.drain(..count) {
            self.take_in(&seen);
        }
        if ahead.unsettled.is_empty() && ahead.group.is_empty() {
            ahead.heads.clear();
        }
    }
}

/// Opens a segment and reads both copies of its header.
///
/// # Errors
///
/// `Io`.
pub(super) fn read_copies(home: &Home, number: SegmentNumber) -> Result<(LogFile, Copies), Error> {
    let file = home.open(&segment_name(number), Access::Read)?;
    let mut bytes = vec![0; FRAMES_START.get() as usize];
    let count = file.read_some(&mut bytes, Offset::new(0))?;
    Ok((file, Copies::decode(bytes.get(..count).unwrap_or_default())))
}

/// What two copies of a header come to.
pub(super) enum Choice {
    /// A header, and what is wrong with one of its copies all the same.
    Header { header: Header, flaw: Option<Damage> },
    /// A newer version wrote it.
    Unsupported(HeaderError),
    /// Neither can be read.
    Nothing(Damage),
}

/// Chooses between two copies: the first that can be read.
pub(super) fn choose(copies: Copies) -> Choice {
    match (copies.a, copies.b) {
        (Ok(header), Ok(other)) => {
            let flaw = (header != other).then_some(Damage::HeaderCopiesDiffer);
            Choice::Header { header, flaw }
        }
        (Ok(header), Err(cause)) => Choice::Header { header, flaw: Some(Damage::HeaderCopy { copy: "second", cause }) },
        (Err(cause @ HeaderError::Features { .. }), _) => Choice::Unsupported(cause),
        (Err(cause), Ok(header)) => Choice::Header { header, flaw: Some(Damage::HeaderCopy { copy: "first", cause }) },
        // Another format may keep its checksum elsewhere, but damage does not write the same into both copies.
        (Err(cause @ HeaderError::Format { .. }), Err(other)) if cause == other => Choice::Unsupported(cause),
        (Err(first), Err(second)) => Choice::Nothing(Damage::Header { first, second }),
    }
}

/// Checks what a header owes to the one before it, whose file has so many bytes.
pub(super) fn check_link((before, length): (&Header, u64), header: &Header) -> Result<(), Damage> {
    let wrong = |field| Err(Damage::Chain { field });
    let Some(previous) = header.previous else { return wrong("previous") };
    if header.log_id != before.log_id {
        return wrong("log_id");
    }
    if header.base < before.base {
        return wrong("base");
    }
    if previous.salt != before.salt {
        return wrong("previous_salt");
    }
    if previous.end.get() > length.min(before.capacity) {
        return wrong("previous_end");
    }
    Ok(())
}
