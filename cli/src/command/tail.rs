//! `logs --follow`: what programs write, as they write it, until their workflow has ended.
//!
//! Which attempts there are is told by events, what they wrote by their files, which are looked at again and again.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use stabilize::{
    AttemptId, CapturedStream, CapturedStreams, Envelope, Event, History, LogFiles, LogHolder, Sequence, WorkflowId,
};

use super::log_flag;
use super::logs::{Stream, has_failed, heading, is_wanted, retain_newest, unreadable};
use crate::args::Logs;
use crate::output::{Form, Output};
use crate::paint::HEADING;
use crate::progress::note;
use crate::report::{Report, Stop};

/// How often files are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A stream that is followed.
struct Source {
    attempt: AttemptId,
    stream: CapturedStream,
    /// Bytes that were read.
    offset: u64,
    /// The beginning of a line whose end is not there yet; only whole lines are told to programs.
    held: Vec<u8>,
    stage: SourceStage,
}

/// Does more come?
#[derive(Clone, Copy, PartialEq, Eq)]
enum SourceStage {
    Growing,
    /// The attempt is over: what there is, is all.
    Over,
}

/// Everything that is followed.
struct Tail<'a> {
    args: &'a Logs,
    files: CapturedStreams,
    sources: Vec<Source>,
    seen: BTreeSet<AttemptId>,
    /// The newest event that was taken in.
    last: Option<Sequence>,
    has_ended: bool,
    printer: Printer,
}

/// Prints streams by turns, as `tail -f` does several files.
#[derive(Default)]
struct Printer {
    /// The stream that was printed last, by its heading.
    shown: Option<String>,
    /// Does what was printed last end in the middle of a line?
    in_line: bool,
}

/// Prints what the programs of a workflow have written and go on writing.
pub(super) fn tail(
    args: &Logs,
    history: &History,
    workflow: WorkflowId,
    log: &Path,
    out: &mut Output,
) -> Result<(), Stop> {
    let files = CapturedStreams::at(log).map_err(|error| Report::of_engine(&error))?;
    let (sources, seen, printer) = (Vec::new(), BTreeSet::new(), Printer::default());
    let mut tail = Tail { args, files, sources, seen, last: None, has_ended: false, printer };
    let from = history.durable().map_err(|error| Report::of_history(&error))?;
    for envelope in history.events(workflow, Sequence::FIRST..).map_err(|error| Report::of_history(&error))? {
        tail.take_in(&envelope.map_err(|error| Report::of_history(&error))?);
    }
    if args.attempt.is_none() && !args.failed {
        tail.forget_older();
    }
    tail.print(out)?;
    if !tail.has_ended && LogFiles::at(log).holder().map_err(|error| Report::of_store(&error))? == LogHolder::Nobody {
        note(format!("no engine holds the log; stabilize{} why {workflow} says what releases it", log_flag(log)));
    }
    let mut events = history.follow(from);
    while !tail.has_ended {
        let mut wait = LOOK;
        while let Some(envelope) = events.next_timeout(wait).map_err(|error| Report::of_history(&error))? {
            if envelope.workflow() == Some(workflow) && tail.last.is_none_or(|last| last < envelope.sequence()) {
                tail.take_in(&envelope);
            }
            wait = Duration::ZERO;
        }
        tail.print(out)?;
    }
    Ok(())
}

impl Tail<'_> {
    fn take_in(&mut self, envelope: &Envelope) {
        self.last = Some(envelope.sequence());
        self.has_ended |= matches!(envelope.event(), Event::WorkflowEnded { .. });
        let Some(attempt) = envelope.event().attempt() else { return };
        let is_over = !matches!(envelope.event(), Event::TaskStarted(..));
        let streams = self.files.of_attempt(envelope);
        if streams.is_empty() {
            return;
        }
        for source in self.sources.iter_mut().filter(|source| is_over && source.attempt == attempt) {
            source.stage = SourceStage::Over;
        }
        if self.args.failed && !has_failed(envelope) || !self.seen.insert(attempt) {
            return;
        }
        let stage = if is_over { SourceStage::Over } else { SourceStage::Growing };
        let streams = streams.into_iter().filter(|stream| is_wanted(self.args, stream));
        let source = |stream| Source { attempt, stream, offset: 0, held: Vec::new(), stage };
        self.sources.extend(streams.map(source));
    }

    /// Of what was there before, the last attempt of each task is enough.
    fn forget_older(&mut self) {
        let mut newest: Vec<CapturedStream> = self.sources.iter().map(|source| source.stream.clone()).collect();
        retain_newest(&mut newest);
        self.sources.retain(|source| newest.iter().any(|stream| stream.path() == source.stream.path()));
    }

    /// Prints what has been written since, and lets go of what is over.
    fn print(&mut self, out: &mut Output) -> Result<(), Stop> {
        for source in &mut self.sources {
            loop {
                let piece =
                    source.stream.read_from(source.offset).map_err(|error| unreadable(&source.stream, &error))?;
                source.offset += piece.len() as u64;
                let is_end = piece.is_empty();
                self.printer.print(
                    source,
                    piece,
                    is_end && (source.stage == SourceStage::Over || self.has_ended),
                    out,
                )?;
                if is_end {
                    break;
                }
            }
        }
        self.sources.retain(|source| source.stage == SourceStage::Growing);
        Ok(out.flush()?)
    }
}

impl Printer {
    fn print(&mut self, source: &mut Source, piece: Vec<u8>, is_all: bool, out: &mut Output) -> Result<(), Stop> {
        if out.form() == Form::Json {
            source.held.extend(piece);
            let whole = source.held.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
            let end = if is_all { source.held.len() } else { whole };
            let text: Vec<u8> = source.held.drain(..end).collect();
            if !text.is_empty() {
                out.json(&Stream::new(&source.stream, &String::from_utf8_lossy(&text)))?;
            }
            return Ok(());
        }
        let Some(last) = piece.last() else { return Ok(()) };
        let heading = heading(&source.stream);
        if self.shown.as_ref() != Some(&heading) {
            if self.in_line {
                out.line("")?;
            }
            if self.shown.is_some() {
                out.line("")?;
            }
            out.line(out.paint().paint(HEADING, &heading))?;
            self.shown = Some(heading);
        }
        self.in_line = *last != b'\n';
        Ok(out.bytes(&piece)?)
    }
}
