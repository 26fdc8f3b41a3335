//! Verifying and dumping a log: every byte of every segment, without the lock and without changing anything.
//!
//! Opening bridges what costs no event, this does not: a copy of a header that is gone is told too. Goes on behind
//! damage, so that all of it is found at once.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::ids::{Position, Sequence, StreamId};
use crate::time::Timestamp;

use super::chain::{Chain, Choice, check_link, choose, read_copies};
use super::directory::{Home, LogFile, index_name, segment_name};
use super::error::{Damage, Error, Evidence, Finding};
use super::extent::Extent;
use super::index::{Facts, encode};
use super::record::{Frame, RecordError, frame_bytes};
use super::sealed::Sealed;
use super::segment::{FRAMES_START, Header, Offset, SegmentNumber};
use super::storage::{Access, Storage};
use super::walk::{Due, Frames, check, group_behind, look_beyond};
use super::watermark::Watermark;

/// What verifying a log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Segments there are.
    pub(crate) segments: u64,
    /// Events in whole groups that were read and are what was written.
    pub(crate) events: u64,
    /// How many of them nothing proves durable yet: the next writer makes them so.
    pub(crate) unconfirmed: u64,
    /// Where writes that were never acknowledged have left bytes. No fault of the log.
    pub(crate) torn: Vec<Torn>,
    /// All that is wrong, in the order of the log.
    pub(crate) findings: Vec<Finding>,
}

/// Bytes behind the end of a segment that belong to no whole group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Torn {
    /// The segment.
    pub(crate) segment: SegmentNumber,
    /// The first such byte that is not zero.
    pub(crate) offset: Offset,
}

/// Reads every byte of the log and says all that is not as it was written.
///
/// # Errors
///
/// `NoLog`, `Unsupported`, `Io`; `Damaged` if no segment is there though there was one.
pub(crate) fn verify(storage: Arc<dyn Storage>) -> Result<Report, Error> {
    let home = Home::new(storage);
    let first = Examination::run(&home, None)?;
    let Some(suspected) = first.suspected else { return Ok(first.report) };
    // A writer beside us may have filled a place after it was read. What was proven durable then was there before this
    // second reading began.
    Ok(Examination::run(&home, Some(suspected))?.report)
}

/// What must be found, going by what else is on disk.
#[derive(Clone, Copy)]
struct Claim {
    proven: Position,
    evidence: Evidence,
    watermark: Option<Watermark>,
}

/// One segment whose header could be read.
struct Part {
    number: SegmentNumber,
    header: Header,
    file: LogFile,
    length: u64,
    has_index: bool,
}

/// One reading of the whole log.
struct Examination {
    report: Report,
    /// What was proven and not found, unless that is settled.
    suspected: Option<Claim>,
    next: Position,
    recorded_at: Timestamp,
    heads: HashMap<StreamId, Sequence>,
    /// Whether events before this place were skipped, so that a stream not met since may go on anywhere.
    is_behind_gap: bool,
}

/// How far the frames of a segment reach.
struct Reached {
    end: Offset,
    crc: u32,
    stop: Option<(Offset, RecordError)>,
    /// The largest witness.
    witness: Position,
    /// Whether the last group has no end.
    is_open: bool,
    /// Where the events were found.
    extent: Extent,
}

impl Examination {
    fn run(home: &Home, settled: Option<Claim>) -> Result<Examination, Error> {
        let watermark = home.read_watermark()?;
        let listing = home.list()?;
        let mut examination = Examination {
            report: Report::default(),
            suspected: None,
            next: Position::FIRST,
            recorded_at: Timestamp::from_microseconds(i64::MIN),
            heads: HashMap::new(),
            is_behind_gap: false,
        };
        let Some(newest) = listing.segments.last().copied() else {
            let mut chain = Chain::new(home.clone());
            chain.heed(watermark);
            return Err(chain
                .missing_log(listing.has_index())
                .unwrap_or_else(|| Error::NoLog { path: home.locate("") }));
        };
        examination.report.segments = listing.segments.len() as u64;
        let mut parts: Vec<Option<Part>> = Vec::new();
        let mut number = SegmentNumber::FIRST;
        while number <= newest {
            let part = if listing.segments.binary_search(&number).is_ok() {
                let has_index = listing.indexes.binary_search(&number).is_ok();
                let part = examination.open(home, number)?;
                part.map(|part| Part { has_index, ..part })
            } else {
                let path = home.locate(&segment_name(number));
                examination.find(&path, (number, Offset::new(0)), Damage::MissingSegment);
                None
            };
            parts.push(part);
            number = number.next();
        }
        for pair in parts.windows(2) {
            if let [Some(part), successor] = pair {
                examination.read_sealed(home, part, successor.as_ref())?;
            } else {
                examination.skip();
            }
        }
        if let Some(Some(part)) = parts.last() {
            examination.read_newest(part, watermark, settled)?;
        }
        Ok(examination)
    }

    fn find(&mut self, path: &std::path::Path, (segment, offset): (SegmentNumber, Offset), cause: Damage) {
        let path = path.to_path_buf();
        self.report.findings.push(Finding { segment, path, offset, position: self.next, cause });
    }

    /// What follows cannot be compared with what comes before it.
    fn skip(&mut self) {
        self.heads.clear();
        self.is_behind_gap = true;
    }

    fn open(&mut self, home: &Home, number: SegmentNumber) -> Result<Option<Part>, Error> {
        let (file, copies) = read_copies(home, number)?;
        let length = file.length()?;
        let start = (number, Offset::new(0));
        match choose(copies) {
            Choice::Header { header, flaw } => {
                if let Some(flaw) = flaw {
                    self.find(&file.path(), start, flaw);
                }
                if header.number == number {
                    return Ok(Some(Part { number, header, file, length, has_index: false }));
                }
                self.find(&file.path(), start, Damage::Chain { field: "number" });
            }
            Choice::Unsupported(cause) => return Err(Error::Unsupported { path: file.path(), cause }),
            Choice::Nothing(cause) => self.find(&file.path(), start, cause),
        }
        Ok(None)
    }

    fn read_sealed(&mut self, home: &Home, part: &Part, successor: Option<&Part>) -> Result<(), Error> {
        let Some(successor) = successor else {
            // Where it ends is not known, only that its frames are whole up to there.
            self.walk(part, Offset::new(part.length.min(part.header.capacity)))?;
            self.skip();
            return Ok(());
        };
        if let Err(cause) = check_link((&part.header, part.length), &successor.header) {
            self.find(&successor.file.path(), (successor.number, Offset::new(0)), cause);
        }
        let longest = part.length.min(part.header.capacity);
        let seal = successor.header.previous.filter(|seal| seal.end.get() <= longest);
        let Some(seal) = seal else {
            self.skip();
            return Ok(());
        };
        let reached = self.walk(part, seal.end)?;
        let at = |offset| (part.number, offset);
        let path = part.file.path();
        let found = self.report.findings.len();
        if let Some((offset, cause)) = reached.stop {
            self.find(&path, at(offset), Damage::Record(cause));
        } else if reached.is_open {
            self.find(&path, at(seal.end), Damage::Record(RecordError::GroupOpen));
        } else if self.next != successor.header.base {
            self.find(&path, at(seal.end), Damage::EventsMissing { evidence: Evidence::Header });
        } else if reached.crc != seal.crc {
            let cause = RecordError::Checksum { found: reached.crc, computed: seal.crc };
            self.find(&path, at(seal.end), Damage::Record(cause));
        }
        if self.report.findings.len() > found {
            self.skip();
        } else if part.has_index {
            self.check_index(home, part, successor, &reached.extent)?;
        }
        let until = Offset::new(part.length);
        let beyond = look_beyond(&part.file, part.header.salt, (seal.end, until), self.next)?;
        self.report.torn.extend(beyond.first_nonzero.map(|offset| Torn { segment: part.number, offset }));
        Ok(())
    }

    /// Compares the index of a sealed segment with the one that the segment gives.
    fn check_index(&mut self, home: &Home, part: &Part, successor: &Part, extent: &Extent) -> Result<(), Error> {
        let sealed = Sealed::new(home, (&part.header, part.length), &successor.header);
        let due = encode(sealed.facts(), extent);
        let name = index_name(part.number);
        let Some(file) = home.open_if_there(&name, Access::Read)? else { return Ok(()) };
        let mut bytes = vec![0; due.len() + 1];
        let length = file.read_some(&mut bytes, Offset::new(0))?;
        bytes.truncate(length);
        if bytes != due {
            let same = bytes.iter().zip(&due).take_while(|(found, due)| found == due).count();
            let path = home.locate(&name);
            let (segment, offset) = (part.number, Offset::new(same as u64));
            let position = part.header.base;
            self.report.findings.push(Finding { segment, path, offset, position, cause: Damage::Index });
        }
        Ok(())
    }

    fn read_newest(&mut self, part: &Part, watermark: Option<Watermark>, settled: Option<Claim>) -> Result<(), Error> {
        let path = part.file.path();
        let at = |offset| (part.number, offset);
        if part.length < part.header.capacity {
            let cause = Damage::CutShort { length: part.length, expected: part.header.capacity };
            self.find(&path, at(Offset::new(part.length)), cause);
        }
        let until = Offset::new(part.length);
        let reached = self.walk(part, until.min(Offset::new(part.header.capacity)))?;
        let stop = reached.stop.as_ref().map_or(reached.end, |(offset, _)| *offset);
        let beyond = look_beyond(&part.file, part.header.salt, (stop, until), self.next)?;
        let claim = claim(part, watermark, beyond.witness);
        let judged = settled.unwrap_or(claim);
        let found = self.report.findings.len();
        match reached.stop {
            Some((offset, cause)) if cause.is_contradiction() => self.find(&path, at(offset), Damage::Record(cause)),
            _ if judged.proven > self.next => {
                self.find(&path, at(stop), Damage::EventsMissing { evidence: judged.evidence });
            }
            _ => {
                let mark = judged.watermark.filter(|mark| (mark.number, mark.end) > (part.number, reached.end));
                if let Some(Watermark { number: segment, end, .. }) = mark {
                    self.find(&path, at(reached.end), Damage::EndMissing { segment, end });
                }
            }
        }
        if self.report.findings.len() > found {
            self.suspected = Some(claim);
        }
        let torn = if reached.is_open { Some(reached.end) } else { beyond.first_nonzero };
        self.report.torn.extend(torn.map(|offset| Torn { segment: part.number, offset }));
        let proven = claim.proven.max(reached.witness);
        self.report.unconfirmed = self.next.get().saturating_sub(proven.get());
        Ok(())
    }

    /// Reads frames up to `until` or the first that is none; what whole groups hold is counted.
    fn walk(&mut self, part: &Part, until: Offset) -> Result<Reached, Error> {
        self.next = part.header.base;
        let extent = Extent::new(self.next);
        let mut reached = Reached { end: FRAMES_START, crc: 0, stop: None, witness: self.next, is_open: false, extent };
        let mut due = Due { position: self.next, recorded_at: self.recorded_at, group: None };
        let mut frames = Frames::new(&part.file, part.header.salt, FRAMES_START, until);
        loop {
            let offset = frames.offset();
            let checked = match frames.next()? {
                None => return Ok(reached),
                Some(Ok(frame)) => self.check(&frame, &due).map(|()| frame),
                Some(Err(cause)) => Err(cause),
            };
            let frame = match checked {
                Ok(frame) => frame,
                Err(cause) => {
                    reached.stop = Some((offset, cause));
                    return Ok(reached);
                }
            };
            reached.witness = reached.witness.max(frame.head.witness());
            due.recorded_at = frame.head.recorded_at;
            due.group = group_behind(&frame.head);
            if let Some(sequence) = frame.head.sequence {
                let (head, at) = (&frame.head, (frame.offset, frame.end));
                reached.extent.add(head.stream, (head.position, sequence), at, head.recorded_at);
                self.heads.insert(head.stream, sequence);
                due.position = due.position.next();
            }
            reached.is_open = due.group.is_some();
            if !reached.is_open {
                self.report.events += due.position.get() - self.next.get();
                (self.next, self.recorded_at) = (due.position, due.recorded_at);
                (reached.end, reached.crc) = (frame.end, frame.crc);
            }
        }
    }

    fn check(&self, frame: &Frame<'_>, due: &Due) -> Result<(), RecordError> {
        let known = self.heads.get(&frame.head.stream).map(|last| last.get() + 1);
        let unknown = if self.is_behind_gap { frame.head.sequence.map_or(1, Sequence::get) } else { 1 };
        check(frame, due, known.unwrap_or(unknown))
    }
}

/// What the newest segment must hold, going by what is known beside its accepted frames.
fn claim(part: &Part, watermark: Option<Watermark>, witness: Option<Position>) -> Claim {
    let watermark = watermark.filter(|mark| mark.log_id == part.header.log_id);
    let mut claim = Claim { proven: part.header.base, evidence: Evidence::Header, watermark };
    let others = [(witness, Evidence::Witness), (watermark.map(|mark| mark.position), Evidence::Watermark)];
    for (position, evidence) in others {
        if let Some(position) = position.filter(|position| *position > claim.proven) {
            claim = Claim { proven: position, evidence, ..claim };
        }
    }
    claim
}

/// One frame with the fields of its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dumped {
    /// The segment.
    pub(crate) segment: SegmentNumber,
    /// Where the frame begins.
    pub(crate) offset: Offset,
    /// Bytes of the payload.
    pub(crate) length: usize,
    /// The checksum.
    pub(crate) crc: u32,
    /// Every event before this position was durable when the frame was written.
    pub(crate) witness: Position,
    /// Whether it is the first frame of its group.
    pub(crate) first: bool,
    /// Whether it is the last frame of its group.
    pub(crate) last: bool,
    /// Whether it is the log's own and holds no event.
    pub(crate) control: bool,
    /// How the payload is encoded.
    pub(crate) codec: u8,
    /// Type of the event, or kind of the control frame.
    pub(crate) kind: u16,
    /// Position of the event, or of the next one.
    pub(crate) position: Position,
    /// The stream, unless it is a control frame.
    pub(crate) stream: Option<StreamId>,
    /// Sequence in the stream, unless it is a control frame.
    pub(crate) sequence: Option<Sequence>,
    /// When it was recorded.
    pub(crate) recorded_at: Timestamp,
}

impl Dumped {
    /// Bytes of the whole frame.
    pub(crate) fn bytes(&self) -> u64 {
        frame_bytes(self.length) as u64
    }
}

/// Shows every frame of the log in order, up to the first place where none stands, those included that nothing proves
/// durable, or until whoever is shown them has seen enough.
///
/// # Errors
///
/// `Damaged` behind what could be shown, if frames must follow there; `NoLog`, `Unsupported`, `Io`.
pub(crate) fn dump(storage: Arc<dyn Storage>, show: &mut dyn FnMut(&Dumped) -> ControlFlow<()>) -> Result<(), Error> {
    let home = Home::new(storage);
    let mut chain = Chain::new(home.clone());
    chain.heed(home.read_watermark()?);
    let listing = home.list()?;
    let extended = chain.extend(&listing.segments);
    for part in dumped_parts(&chain) {
        let DumpedPart { number, salt, base, file, until, is_sealed } = part?;
        let mut frames = Frames::new(&file, salt, FRAMES_START, until);
        let mut missing = base;
        loop {
            let offset = frames.offset();
            match frames.next()? {
                None => break,
                Some(Ok(frame)) => {
                    missing = if frame.head.sequence.is_some() { frame.head.position.next() } else { missing };
                    if show(&dumped(number, &frame)).is_break() {
                        return Ok(());
                    }
                }
                Some(Err(_)) if !is_sealed => break,
                Some(Err(cause)) => {
                    let (path, proven) = (file.path(), chain.proven());
                    let cause = Damage::Record(cause);
                    return Err(Error::Damaged { segment: number, path, offset, missing, proven, cause });
                }
            }
        }
    }
    match chain.log_id() {
        Some(_) => extended,
        None => extended.and_then(|()| {
            Err(chain.missing_log(listing.has_index()).unwrap_or_else(|| Error::NoLog { path: home.locate("") }))
        }),
    }
}

/// One segment as its frames are shown.
pub(super) struct DumpedPart {
    pub(super) number: SegmentNumber,
    pub(super) salt: u64,
    base: Position,
    pub(super) file: LogFile,
    pub(super) until: Offset,
    pub(super) is_sealed: bool,
}

/// The segments in order; each is opened when it is its turn.
pub(super) fn dumped_parts(chain: &Chain) -> impl Iterator<Item = Result<DumpedPart, Error>> {
    let sealed = chain.catalog.sealed().iter().map(|sealed| {
        let Facts { number, salt, base, end, .. } = *sealed.facts();
        Ok(DumpedPart { number, salt, base, file: sealed.open()?, until: end, is_sealed: true })
    });
    let newest = chain.newest().map(|segment| {
        let Header { number, salt, base, capacity, .. } = segment.header;
        let until = Offset::new(segment.length.min(capacity));
        Ok(DumpedPart { number, salt, base, file: segment.file.clone(), until, is_sealed: false })
    });
    sealed.chain(newest)
}

fn dumped(segment: SegmentNumber, frame: &Frame<'_>) -> Dumped {
    let head = &frame.head;
    Dumped {
        segment,
        offset: frame.offset,
        length: frame.payload.len(),
        crc: frame.crc,
        witness: head.witness(),
        first: head.flags.is_first(),
        last: head.flags.is_last(),
        control: head.flags.is_control(),
        codec: head.codec,
        kind: head.kind,
        position: head.position,
        stream: head.sequence.map(|_| head.stream),
        sequence: head.sequence,
        recorded_at: head.recorded_at,
    }
}
