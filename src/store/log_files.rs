//! The files of a log as its keeper looks at them: verified byte by byte, or printed frame by frame.
//!
//! Takes no lock and writes nothing. Knows frames, not what the events in them say.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ids::{Position, Sequence, StreamId};
use crate::log::{self, FORMAT, FileStorage, LogHolder, Storage};
use crate::time::Timestamp;

use super::error::{Error, RecordPlace};

/// The files of a log on this machine's disk.
pub struct LogFiles {
    directory: PathBuf,
    storage: Arc<dyn Storage>,
}

/// What verifying a log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReport {
    /// How many segments there are.
    pub segments: u64,
    /// Events that were read and are what was written.
    pub events: u64,
    /// How many of them nothing proves durable yet; the next engine that opens the log makes them so.
    pub unconfirmed: u64,
    /// Where writes that were never acknowledged have left bytes. No fault of the log.
    pub torn: Vec<RecordPlace>,
    /// All that is wrong, in the order of the log.
    pub findings: Vec<LogFinding>,
}

/// One thing in a log that is not as it was written. Events need not be lost by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFinding {
    /// Where it is.
    pub place: RecordPlace,
    /// The segment's file.
    pub path: PathBuf,
    /// Position of the event that is due there.
    pub position: Position,
    /// What is wrong: lower case, without full stop.
    pub cause: String,
}

/// One frame of a log: the fields of its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFrame {
    /// Where it begins.
    pub place: RecordPlace,
    /// Bytes of its payload.
    pub length: u64,
    /// Its checksum, CRC-32C.
    pub crc: u32,
    /// How far its position lies behind its witness: every event before the witness was durable when it was written.
    pub behind: u64,
    /// Whether it is the first frame of its batch.
    pub is_first: bool,
    /// Whether it is the last frame of its batch.
    pub is_last: bool,
    /// Whether it is the log's own and holds no event.
    pub is_control: bool,
    /// How its payload is encoded.
    pub codec: u8,
    /// Number of the event's type, or of the kind of control frame.
    pub kind: u16,
    /// Position of its event; of the next one, for a control frame.
    pub position: Position,
    /// The stream of its event; control frames have none.
    pub stream: Option<StreamId>,
    /// Sequence of its event in the stream; control frames have none.
    pub sequence: Option<Sequence>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

impl LogFiles {
    /// Number of the format this version reads and writes.
    pub const FORMAT: u16 = FORMAT;

    /// The log in this directory. Nothing is opened yet.
    pub fn at(directory: impl AsRef<Path>) -> LogFiles {
        let directory = directory.as_ref().to_owned();
        LogFiles { storage: Arc::new(FileStorage::new(&directory)), directory }
    }

    pub(super) fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Reads every byte of every segment and says all that is not as it was written.
    ///
    /// # Errors
    ///
    /// If there is no log (`is_missing`), a newer version wrote it (`is_unsupported`), or the disk fails; damage only
    /// if nothing of the log is left to be read.
    pub fn verify(&self) -> Result<LogReport, Error> {
        let report = log::verify(Arc::clone(&self.storage))?;
        let torn = report.torn.iter().map(|torn| place((torn.segment, torn.offset)));
        let findings = report.findings.iter().map(finding);
        Ok(LogReport {
            segments: report.segments,
            events: report.events,
            unconfirmed: report.unconfirmed,
            torn: torn.collect(),
            findings: findings.collect(),
        })
    }

    /// Shows every frame in order, those included of which nothing proves that they are durable, until the log ends or
    /// `show` has seen enough.
    ///
    /// # Errors
    ///
    /// Behind what could be shown, damage where frames must follow; else as `verify`.
    pub fn dump(&self, mut show: impl FnMut(&LogFrame) -> ControlFlow<()>) -> Result<(), Error> {
        log::dump(Arc::clone(&self.storage), &mut |dumped| show(&frame(dumped)))?;
        Ok(())
    }

    /// Whether the log is on hold, as it is after a salvage: then no task may be begun.
    ///
    /// # Errors
    ///
    /// If the disk fails.
    pub fn is_on_hold(&self) -> Result<bool, Error> {
        Ok(log::is_on_hold(Arc::clone(&self.storage))?)
    }

    /// Whether an engine holds the log now. Only looks: nobody is kept from anything.
    ///
    /// # Errors
    ///
    /// If the disk fails.
    pub fn holder(&self) -> Result<LogHolder, Error> {
        Ok(log::holder(Arc::clone(&self.storage))?)
    }
}

impl LogReport {
    /// Whether all is as it was written.
    pub fn is_ok(&self) -> bool {
        self.findings.is_empty()
    }
}

fn place((segment, offset): (log::SegmentNumber, log::Offset)) -> RecordPlace {
    RecordPlace { segment: segment.get(), offset: offset.get() }
}

pub(super) fn finding(finding: &log::Finding) -> LogFinding {
    LogFinding {
        place: place((finding.segment, finding.offset)),
        path: finding.path.clone(),
        position: finding.position,
        cause: finding.cause.to_string(),
    }
}

fn frame(dumped: &log::Dumped) -> LogFrame {
    LogFrame {
        place: place((dumped.segment, dumped.offset)),
        length: dumped.length as u64,
        crc: dumped.crc,
        behind: dumped.position.get() - dumped.witness.get(),
        is_first: dumped.first,
        is_last: dumped.last,
        is_control: dumped.control,
        codec: dumped.codec,
        kind: dumped.kind,
        position: dumped.position,
        stream: dumped.stream,
        sequence: dumped.sequence,
        recorded_at: dumped.recorded_at,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::ids::WorkflowId;
    use crate::log::Options;
    use crate::store::{Append, Encoded, EventStore as _, Expected, LocalStore};
    use crate::testing::examples;

    fn log_of_events(directory: &Path) -> Vec<u16> {
        let now = Timestamp::from_microseconds(1);
        let events = examples::events();
        let stream = StreamId::workflow(WorkflowId::from_parts(now, 1));
        let append = Append::new(stream, Expected::Any, now, events.iter().map(Encoded::of).collect()).unwrap();
        let store = LocalStore::open(directory, &Options::new([1; 32], now, 1)).unwrap();
        let mut writer = store.writer().unwrap();
        writer.write(vec![append]).unwrap();
        writer.close().unwrap();
        events.iter().map(crate::event::Event::kind).collect()
    }

    #[test]
    fn frames_are_shown_in_order_until_somebody_has_seen_enough() {
        let directory = tempfile::tempdir().unwrap();
        let kinds = log_of_events(directory.path());
        let files = LogFiles::at(directory.path());
        let mut frames = Vec::new();
        files
            .dump(|frame| {
                frames.push(frame.clone());
                ControlFlow::Continue(())
            })
            .unwrap();
        let events = frames.iter().filter(|frame| !frame.is_control);
        assert_eq!(events.map(|frame| frame.kind).collect::<Vec<u16>>(), kinds);
        assert!(frames[0].is_first && !frames[0].is_last);
        assert_eq!(frames[0].place, RecordPlace { segment: 1, offset: 8192 });
        let mut shown = 0;
        files
            .dump(|_| {
                shown += 1;
                ControlFlow::Break(())
            })
            .unwrap();
        assert_eq!(shown, 1);
    }

    #[test]
    fn a_flipped_bit_is_found_with_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let kinds = log_of_events(directory.path());
        let files = LogFiles::at(directory.path());
        let report = files.verify().unwrap();
        assert!(report.is_ok());
        assert_eq!((report.events, report.unconfirmed), (kinds.len() as u64, 0));
        let segment = directory.path().join("log/0000000001.seg");
        let mut bytes = fs::read(&segment).unwrap();
        bytes[8200] ^= 1;
        fs::write(&segment, bytes).unwrap();
        let report = files.verify().unwrap();
        assert_eq!(report.findings[0].place, RecordPlace { segment: 1, offset: 8192 });
        assert_eq!((report.findings[0].position, &report.findings[0].path), (Position::FIRST, &segment));
    }

    #[test]
    fn a_log_is_held_from_its_opening_to_its_closing() {
        let directory = tempfile::tempdir().unwrap();
        let files = LogFiles::at(directory.path());
        assert_eq!(files.holder().unwrap(), LogHolder::Nobody);
        let options = Options::new([1; 32], Timestamp::from_microseconds(1), 4_711);
        let store = LocalStore::open(directory.path(), &options).unwrap();
        let writer = store.writer().unwrap();
        assert_eq!(files.holder().unwrap(), LogHolder::Process { pid: Some(4_711) });
        writer.close().unwrap();
        drop(store);
        assert_eq!(files.holder().unwrap(), LogHolder::Nobody);
    }

    #[test]
    fn looking_whether_a_log_is_held_keeps_nobody_from_opening_it() {
        let directory = tempfile::tempdir().unwrap();
        drop(log_of_events(directory.path()));
        let files = LogFiles::at(directory.path());
        let is_over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                        files.holder().unwrap();
                    }
                });
            }
            for turn in 0..20 {
                let options = Options::new([turn; 32], Timestamp::from_microseconds(1), 1);
                let opened = LocalStore::open(directory.path(), &options).map(drop);
                is_over.store(turn == 19 || opened.is_err(), std::sync::atomic::Ordering::Relaxed);
                opened.unwrap();
            }
        });
    }

    #[test]
    fn hold_is_a_file_and_a_log_that_is_not_there_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let files = LogFiles::at(directory.path());
        assert!(files.verify().unwrap_err().is_missing());
        assert!(!files.is_on_hold().unwrap());
        fs::write(directory.path().join("HOLD"), "").unwrap();
        assert!(files.is_on_hold().unwrap());
    }
}
