//! Walking frames: reading them one by one, the rules they owe each other, and looking for one behind damage.
//!
//! Reads only; who calls decides what a violated rule means.

use crate::ids::{Position, StreamId};
use crate::time::Timestamp;

use super::directory::LogFile;
use super::error::Error;
use super::record::{self, ALIGNMENT, Frame, HEADER_BYTES, Head, ORIGIN, RecordError};
use super::segment::{FRAMES_START, Offset};

/// Bytes read at once.
const WINDOW_BYTES: usize = 256 * 1024;

/// Bytes read at once for one frame.
const ONE_FRAME_BYTES: usize = 4096;

/// Bytes that are compared with zero at once.
const ZEROS: [u8; 4096] = [0; 4096];

/// The frames of a part of a segment, in order.
pub(super) struct Frames<'a> {
    file: &'a LogFile,
    salt: u64,
    at: Offset,
    until: Offset,
    window: Vec<u8>,
    window_start: Offset,
    /// Bytes read at once.
    stride: usize,
}

impl<'a> Frames<'a> {
    /// Frames from `from` on, as far as they end before `until`, which must not lie behind the end of the file.
    pub(super) fn new(file: &'a LogFile, salt: u64, from: Offset, until: Offset) -> Frames<'a> {
        Frames { file, salt, at: from, until, window: Vec::new(), window_start: from, stride: WINDOW_BYTES }
    }

    /// The same with so many bytes read at once: for frames that stand far apart.
    pub(super) fn by(self, stride: usize) -> Frames<'a> {
        Frames { stride, ..self }
    }

    /// Goes on at a place that does not lie before the current one.
    pub(super) fn go_to(&mut self, at: Offset) {
        self.at = at.max(self.at);
    }

    /// Where the next frame begins; behind one that is none nothing more comes.
    pub(super) fn offset(&self) -> Offset {
        self.at
    }

    /// The next frame, or what stands in its place; None at the end.
    ///
    /// # Errors
    ///
    /// `Io` if the file cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<Result<Frame<'_>, RecordError>>, Error> {
        if self.at >= self.until {
            return Ok(None);
        }
        let Some(header) = self.window(HEADER_BYTES)? else { return Ok(Some(Err(RecordError::Overrun))) };
        let total = match record::total_bytes(header) {
            Ok(total) => total,
            Err(error) => return Ok(Some(Err(error))),
        };
        if self.window(total)?.is_none() {
            return Ok(Some(Err(RecordError::Overrun)));
        }
        let (salt, at) = (self.salt, self.at);
        let bytes = self.window.get(at.since(self.window_start) as usize..).unwrap_or_default();
        let frame = record::decode(bytes, salt, at);
        if let Ok(frame) = &frame {
            self.at = frame.end;
        }
        Ok(Some(frame))
    }

    /// At least `needed` bytes from the current place on; None if there are not so many.
    fn window(&mut self, needed: usize) -> Result<Option<&[u8]>, Error> {
        let left = self.until.since(self.at);
        if left < needed as u64 {
            return Ok(None);
        }
        let mut skip = self.at.since(self.window_start) as usize;
        if self.window.len() < skip + needed {
            let size = usize::try_from(left).unwrap_or(usize::MAX).min(needed.max(self.stride));
            resize(&mut self.window, size);
            self.file.read_exact(&mut self.window, self.at)?;
            self.window_start = self.at;
            skip = 0;
        }
        Ok(self.window.get(skip..))
    }
}

/// Makes a buffer that is about to be filled this long.
fn resize(window: &mut Vec<u8>, size: usize) {
    if window.len() < size {
        // Zeroed memory from the system costs less than zeros written behind old bytes.
        *window = vec![0; size];
    }
    window.truncate(size);
}

/// What frames before this one decide about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    /// Position of the next event.
    pub(super) position: Position,
    /// When the frame before was recorded.
    pub(super) recorded_at: Timestamp,
    /// The group that is not at its end, if there is one: its stream and time.
    pub(super) group: Option<(StreamId, Timestamp)>,
}

/// Checks what a frame owes to those before it. `due_in_stream` is the sequence that the frame's stream has next.
///
/// # Errors
///
/// The rule that is violated.
pub(super) fn check(frame: &Frame<'_>, due: &Due, due_in_stream: u64) -> Result<(), RecordError> {
    let head = &frame.head;
    if head.position != due.position {
        return Err(RecordError::Position { expected: due.position.get(), found: head.position.get() });
    }
    if head.recorded_at < due.recorded_at {
        return Err(RecordError::RecordedAt { before: due.recorded_at, found: head.recorded_at });
    }
    let belongs = match due.group {
        Some((stream, recorded_at)) => {
            !head.flags.is_first() && head.stream == stream && head.recorded_at == recorded_at
        }
        None => head.flags.is_first(),
    };
    if !belongs {
        return Err(RecordError::Group);
    }
    if head.flags.is_control() {
        let is_start_of_log = frame.offset == FRAMES_START && head.position == Position::FIRST;
        let is_allowed = head.kind != ORIGIN || is_start_of_log;
        return if is_allowed { Ok(()) } else { Err(RecordError::Control { kind: head.kind }) };
    }
    match head.sequence {
        Some(found) if found.get() == due_in_stream => Ok(()),
        found => Err(RecordError::Sequence {
            stream: head.stream,
            expected: due_in_stream,
            found: found.map_or(0, crate::ids::Sequence::get),
        }),
    }
}

/// The group that is open behind a frame.
pub(super) fn group_behind(head: &Head) -> Option<(StreamId, Timestamp)> {
    (!head.flags.is_last()).then_some((head.stream, head.recorded_at))
}

/// What lies behind a place where no frame stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beyond {
    /// The largest witness of a valid frame there.
    pub(super) witness: Option<Position>,
    /// The first byte that is not zero.
    pub(super) first_nonzero: Option<Offset>,
}

/// Looks at every byte from `from` to `until`: for valid frames at or behind position `due`, and for anything at all.
///
/// # Errors
///
/// `Io` if the file cannot be read.
pub(super) fn look_beyond(
    file: &LogFile,
    salt: u64,
    (from, until): (Offset, Offset),
    due: Position,
) -> Result<Beyond, Error> {
    let mut beyond = Beyond { witness: None, first_nonzero: None };
    let mut windows = Windows { file, at: from, until, bytes: Vec::new() };
    while let Some((start, places)) = windows.next()? {
        search(file, salt, (&windows.bytes, start, places), (until, due), &mut beyond)?;
    }
    Ok(beyond)
}

/// The bytes of a file from a place to another, a window at a time, so that frames can be looked for in them.
struct Windows<'f> {
    file: &'f LogFile,
    at: Offset,
    until: Offset,
    /// Those of the window.
    bytes: Vec<u8>,
}

impl Windows<'_> {
    /// Reads the next window: where it begins, and how many of its places are to be looked at. A header may lie across
    /// the end of the window; the next one begins where the last whole one could.
    ///
    /// # Errors
    ///
    /// `Io` if the file cannot be read.
    fn next(&mut self) -> Result<Option<(Offset, usize)>, Error> {
        if self.at >= self.until {
            return Ok(None);
        }
        let start = self.at;
        let size = usize::try_from(self.until.since(start)).unwrap_or(usize::MAX).min(WINDOW_BYTES);
        resize(&mut self.bytes, size);
        self.file.read_exact(&mut self.bytes, start)?;
        let is_last = start.plus(size as u64) == self.until;
        let places = if is_last { size } else { size - HEADER_BYTES };
        self.at = start.plus(places.next_multiple_of(ALIGNMENT) as u64);
        Ok(Some((start, places)))
    }
}

fn search(
    file: &LogFile,
    salt: u64,
    (window, start, places): (&[u8], Offset, usize),
    (until, due): (Offset, Position),
    beyond: &mut Beyond,
) -> Result<(), Error> {
    let mut place = 0;
    while place < places {
        let rest = window.get(place..).unwrap_or_default();
        if rest.starts_with(&ZEROS) {
            place += ZEROS.len();
            continue;
        }
        let here = start.plus(place as u64);
        let word = rest.get(..ALIGNMENT).unwrap_or(rest);
        place += ALIGNMENT;
        if word == [0; ALIGNMENT] {
            continue;
        }
        if beyond.first_nonzero.is_none() {
            beyond.first_nonzero = word.iter().position(|byte| *byte != 0).map(|byte| here.plus(byte as u64));
        }
        if record::may_begin(rest, due)
            && let Some(witness) = witness_at(file, salt, here, until)?
        {
            beyond.witness = beyond.witness.max(Some(witness));
        }
    }
    Ok(())
}

/// The first place at or behind `from` where a valid frame stands, and its position: where reading goes on behind
/// damage.
///
/// # Errors
///
/// `Io` if the file cannot be read.
pub(super) fn next_frame(
    file: &LogFile,
    salt: u64,
    (from, until): (Offset, Offset),
    due: Position,
) -> Result<Option<(Offset, Position)>, Error> {
    let mut windows = Windows { file, at: from, until, bytes: Vec::new() };
    while let Some((start, places)) = windows.next()? {
        for place in (0..places).step_by(ALIGNMENT) {
            let here = start.plus(place as u64);
            if record::may_begin(windows.bytes.get(place..).unwrap_or_default(), due)
                && let Some(Ok(frame)) = Frames::new(file, salt, here, until).by(ONE_FRAME_BYTES).next()?
            {
                return Ok(Some((here, frame.head.position)));
            }
        }
    }
    Ok(None)
}

/// The witness of the frame at `at`, if a valid one stands there.
fn witness_at(file: &LogFile, salt: u64, at: Offset, until: Offset) -> Result<Option<Position>, Error> {
    let frame = Frames::new(file, salt, at, until).next()?.and_then(Result::ok).map(|frame| frame.head.witness());
    Ok(frame)
}
