//! Salvaging a damaged log: every whole group before the damage into a new log, which is on hold; the rest is counted
//! and set aside.
//!
//! Never changes the damaged log and takes no lock on it. The new log has its own identity; positions, sequences and
//! times stay what they were.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::ids::{Position, Sequence, StreamId};
use crate::limits::WRITE_BYTES_MAX;
use crate::time::Timestamp;

use super::chain::{Chain, Choice, choose, read_copies};
use super::commit::{Expected, Frame as NewFrame, Group, Writer};
use super::directory::{Home, LogFile};
use super::error::{Damage, Error, Evidence, Finding};
use super::record::{Frame, RecordError};
use super::segment::{FRAMES_START, LogId, Offset, SegmentNumber};
use super::storage::{Folder, Storage};
use super::verify::{DumpedPart, dumped_parts};
use super::walk::{Due, Frames, check, group_behind, next_frame};
use super::{Log, Options};

/// What salvaging a log came to.
#[derive(Debug)]
pub(crate) struct Salvaged {
    /// Identity of the log that was read.
    pub(crate) origin: LogId,
    /// Identity of the new log.
    pub(crate) log_id: LogId,
    /// Events in the new log.
    pub(crate) events: u64,
    /// Position of the first event that is not in the new log.
    pub(crate) next: Position,
    /// Every event before this position is known to have been durable: those from `next` on are lost.
    pub(crate) proven: Position,
    /// What ended the copying, unless the log did.
    pub(crate) damage: Option<Finding>,
    /// Streams with events that can be read behind that place, and how many.
    pub(crate) behind: BTreeMap<StreamId, u64>,
}

/// Copies what is whole of the log in `from` to a new log in `to`, up to the group that ends at `until` or before.
///
/// # Errors
///
/// `Io`, also if there is anything at `to`; `NoLog`, `Unsupported`; `Damaged` if not even one header can be read.
pub(crate) fn salvage(
    from: Arc<dyn Storage>,
    to: Arc<dyn Storage>,
    until: Option<Position>,
    options: &Options,
) -> Result<Salvaged, Error> {
    let home = Home::new(from);
    let mut chain = Chain::new(home.clone());
    chain.heed(home.read_watermark()?);
    let listing = home.list()?;
    let extended = chain.extend(&listing.segments);
    let Some(origin) = chain.log_id() else {
        extended?;
        return Err(chain.missing_log(listing.has_index()).unwrap_or_else(|| Error::NoLog { path: home.locate("") }));
    };
    if let Err(error @ (Error::Unsupported { .. } | Error::Io { .. })) = extended {
        return Err(error);
    }
    let new = Home::new(Arc::clone(&to));
    new.create_home()?;
    new.put_on_hold()?;
    let (_, writer) = Log::open(to, options)?;
    let log_id = writer.log_id();
    let mut copy = Copy::new(writer, origin, until, options.now);
    copy.proven = chain.proven();
    copy.last = copy.proven.get() - 1;
    let mut parts = Vec::new();
    for part in dumped_parts(&chain) {
        match part {
            Ok(part) => copy.take(&part)?,
            Err(error) if error.is_damage() => copy.stop_at(&error),
            Err(error) => return Err(error),
        }
        parts.extend(copy.rest.take());
    }
    if let (None, Err(error)) = (&copy.stop, &extended) {
        copy.stop_at(error);
    }
    let known = chain.newest().map(|newest| newest.header.number);
    for number in listing.segments.iter().filter(|number| Some(**number) > known) {
        parts.extend(unchained(&home, *number)?);
    }
    let behind = copy.set_aside(&new, &parts)?;
    let next = copy.next;
    // What a person left out is not lost by damage.
    if until.is_none() && copy.stop.is_none() && copy.proven > next {
        copy.stop_at_end(&chain);
    }
    let Copy { writer, events, stop, proven, .. } = copy.finish()?;
    writer.close()?;
    Ok(Salvaged { origin, log_id, events, next, proven: proven.max(next), damage: stop, behind })
}

/// What lies behind the place where copying stopped.
struct Rest {
    number: SegmentNumber,
    salt: u64,
    file: LogFile,
    from: Offset,
    until: Offset,
}

/// A segment behind a gap in the chain, if its header can be read.
fn unchained(home: &Home, number: SegmentNumber) -> Result<Option<Rest>, Error> {
    let (file, copies) = read_copies(home, number)?;
    let until = Offset::new(file.length()?);
    let Choice::Header { header, .. } = choose(copies) else { return Ok(None) };
    Ok(Some(Rest { number, salt: header.salt, file, from: FRAMES_START, until }))
}

/// A copy in the making.
struct Copy {
    writer: Writer,
    until: Option<Position>,
    origin: Option<LogId>,
    now: Timestamp,
    groups: Vec<Group>,
    bytes: u64,
    events: u64,
    /// Position of the next event.
    next: Position,
    recorded_at: Timestamp,
    heads: HashMap<StreamId, Sequence>,
    proven: Position,
    /// Position of the last event that the old log is known to have had.
    last: u64,
    /// Where reading of the last segment ended.
    end: Offset,
    is_over: bool,
    stop: Option<Finding>,
    rest: Option<Rest>,
}

impl Copy {
    fn new(writer: Writer, origin: LogId, until: Option<Position>, now: Timestamp) -> Copy {
        Copy {
            writer,
            until,
            origin: Some(origin),
            now,
            groups: Vec::new(),
            bytes: 0,
            events: 0,
            next: Position::FIRST,
            recorded_at: Timestamp::from_microseconds(i64::MIN),
            heads: HashMap::new(),
            proven: Position::FIRST,
            last: 0,
            end: FRAMES_START,
            is_over: false,
            stop: None,
            rest: None,
        }
    }

    fn stop_at(&mut self, error: &Error) {
        self.is_over = true;
        if let (None, Error::Damaged { segment, path, offset, cause, .. }) = (&self.stop, error) {
            let (segment, path, offset, cause) = (*segment, path.clone(), *offset, cause.clone());
            self.stop = Some(Finding { segment, path, offset, position: self.next, cause });
        }
    }

    /// The log ends before events that were acknowledged.
    fn stop_at_end(&mut self, chain: &Chain) {
        let evidence = match chain.watermark() {
            Some(mark) if mark.position > self.next => Evidence::Watermark,
            Some(_) | None => Evidence::Witness,
        };
        if let Some(newest) = chain.newest() {
            let place = (newest.header.number, self.end);
            self.stop_at(&chain.damaged(place, Damage::EventsMissing { evidence }));
        }
    }

    /// Copies the whole groups of a segment, up to its end or the first place where copying stops.
    fn take(&mut self, part: &DumpedPart) -> Result<(), Error> {
        let rest =
            |from| Rest { number: part.number, salt: part.salt, file: part.file.clone(), from, until: part.until };
        if self.is_over {
            self.rest = Some(rest(FRAMES_START));
            return Ok(());
        }
        let mut frames = Frames::new(&part.file, part.salt, FRAMES_START, part.until);
        let mut due = Due { position: self.next, recorded_at: self.recorded_at, group: None };
        let mut group: Vec<NewFrame> = Vec::new();
        let mut whole = FRAMES_START;
        let mut at = FRAMES_START;
        let cause = loop {
            at = at.max(frames.offset());
            let frame = match frames.next()? {
                None if due.group.is_some() => break Some(RecordError::GroupOpen),
                None => break None,
                Some(Ok(frame)) => frame,
                Some(Err(cause)) => break Some(cause),
            };
            let last = self.heads.get(&frame.head.stream).map_or(0, |last| last.get());
            let known = last + 1 + group.len() as u64;
            if let Err(cause) = check(&frame, &due, known) {
                break Some(cause);
            }
            let (head, end) = (frame.head, frame.end);
            group.extend(head.sequence.map(|_| copied(&frame)));
            due.recorded_at = head.recorded_at;
            due.group = group_behind(&head);
            if head.sequence.is_some() {
                due.position = due.position.next();
            }
            if head.flags.is_last() && !group.is_empty() {
                if self.until.is_some_and(|until| head.position > until) {
                    self.is_over = true;
                    break None;
                }
                let taken = std::mem::take(&mut group);
                self.put(Group::new(head.stream, Expected::Any, head.recorded_at, taken)?, due.position)?;
                self.heads.extend(head.sequence.map(|last| (head.stream, last)));
                self.recorded_at = head.recorded_at;
            }
            if head.flags.is_last() {
                whole = end;
            }
        };
        match cause {
            // A segment that nothing follows may be torn at its end.
            Some(cause) if part.is_sealed || cause.is_contradiction() => {
                let (segment, path) = (part.number, part.file.path());
                let finding = Finding { segment, path, offset: at, position: self.next, cause: Damage::Record(cause) };
                self.stop = Some(finding);
                self.is_over = true;
            }
            Some(_) | None => {}
        }
        self.end = at;
        if self.is_over || !part.is_sealed {
            self.rest = Some(rest(whole));
        }
        Ok(())
    }

    fn put(&mut self, group: Group, next: Position) -> Result<(), Error> {
        self.events += next.get() - self.next.get();
        self.next = next;
        self.bytes += group.bytes();
        self.groups.push(group);
        if self.bytes >= WRITE_BYTES_MAX as u64 { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Error> {
        if let Some(origin) = self.origin.take() {
            let at = self.groups.first().map_or(self.now, Group::now);
            self.writer.begin_copy(origin, self.last, at)?;
        }
        self.bytes = 0;
        self.writer.write(std::mem::take(&mut self.groups))?;
        self.writer.sync()?;
        Ok(())
    }

    fn finish(mut self) -> Result<Copy, Error> {
        self.flush()?;
        Ok(self)
    }

    /// Keeps the events that can be read behind the place where copying stopped: for each segment a file of frames,
    /// each behind the eight bytes of its offset.
    fn set_aside(&mut self, new: &Home, rests: &[Rest]) -> Result<BTreeMap<StreamId, u64>, Error> {
        let mut behind = BTreeMap::new();
        let next = self.next;
        for rest in rests {
            let mut kept = Vec::new();
            let mut at = rest.from;
            while let Some((place, _)) = next_frame(&rest.file, rest.salt, (at, rest.until), next)? {
                let mut frames = Frames::new(&rest.file, rest.salt, place, rest.until).by(4096);
                let Some(Ok(frame)) = frames.next()? else { break };
                self.proven = self.proven.max(frame.head.witness());
                at = frame.end;
                if frame.head.sequence.is_some() {
                    *behind.entry(frame.head.stream).or_insert(0) += 1;
                    let mut bytes = vec![0; frame.end.since(place) as usize];
                    rest.file.read_exact(&mut bytes, place)?;
                    kept.extend_from_slice(&place.get().to_le_bytes());
                    kept.extend_from_slice(&bytes);
                }
            }
            if !kept.is_empty() {
                new.create_directory(Folder::SetAside)?;
                let file = new.create_new(&format!("set-aside/{:010}.frames", rest.number.get()))?;
                file.write_all(&kept, Offset::new(0))?;
                file.sync_all()?;
                new.sync_directory(Folder::SetAside)?;
            }
        }
        Ok(behind)
    }
}

fn copied(frame: &Frame<'_>) -> NewFrame {
    NewFrame { kind: frame.head.kind, codec: frame.head.codec, payload: frame.payload.to_vec() }
}
