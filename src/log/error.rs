//! What can go wrong in the log: it is held, damaged, full, poisoned, or the system says no.

use std::io;
use std::path::PathBuf;

use crate::ids::Position;

use super::record::RecordError;
use super::segment::{HeaderError, Offset, SegmentNumber};

/// An error of the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// Another process writes to this log.
    #[error("the log is held by {}", holder(*pid))]
    Locked {
        /// Who holds it, if that is known.
        pid: Option<u32>,
    },
    /// There is no log in this directory.
    #[error("no log in {}", path.display())]
    NoLog {
        /// The directory.
        path: PathBuf,
    },
    /// What is on disk cannot be what was written. Nothing was changed.
    #[error(
        "{} is damaged at byte {offset}: events from position {missing} on cannot be read there, events before position \
         {proven} were acknowledged",
        path.display()
    )]
    Damaged {
        /// The segment.
        segment: SegmentNumber,
        /// Its file.
        path: PathBuf,
        /// Where in the file.
        offset: Offset,
        /// The first event that is missing.
        missing: Position,
        /// Every event before this position is known to have been durable.
        proven: Position,
        /// What is wrong there.
        #[source]
        cause: Damage,
    },
    /// The segment was written by a version that does more than this one.
    #[error("{} needs a newer version", path.display())]
    Unsupported {
        /// The segment's file.
        path: PathBuf,
        /// What it needs.
        #[source]
        cause: HeaderError,
    },
    /// The system refused.
    #[error("could not {operation} {}", path.display())]
    Io {
        /// What was attempted.
        operation: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is no room for the next segment. Nothing was written; the same call may succeed later.
    #[error("no space for a segment of {bytes} bytes")]
    NoSpace {
        /// Length of the segment that was to be made.
        bytes: u64,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// An earlier write failed, nothing is written any more; what was durable can still be read.
    #[error("the log is poisoned: {cause}")]
    Poisoned {
        /// The first error.
        cause: String,
    },
    /// A group that no log takes.
    #[error("a group has {amount} {what}, at least 1 and at most {max} are possible")]
    GroupLimit {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        amount: usize,
        /// How many there may be.
        max: usize,
    },
}

/// What is wrong with a damaged log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Damage {
    /// A segment is not there.
    #[error("the segment is missing")]
    MissingSegment,
    /// Both copies of the header are unreadable.
    #[error("the first copy of the header: {first}; the second: {second}")]
    Header {
        /// What is wrong with the first copy.
        first: HeaderError,
        /// What is wrong with the second copy.
        second: HeaderError,
    },
    /// One copy of the header is unreadable; the other serves.
    #[error("the {copy} copy of the header is unreadable: {cause}")]
    HeaderCopy {
        /// Which one: `first` or `second`.
        copy: &'static str,
        /// What is wrong with it.
        cause: HeaderError,
    },
    /// Both copies of the header can be read and say different things.
    #[error("the copies of the header differ")]
    HeaderCopiesDiffer,
    /// The header does not follow from that of the segment before.
    #[error("the header's {field} does not fit the segments before it")]
    Chain {
        /// Which field.
        field: &'static str,
    },
    /// The file is too short.
    #[error("the file has {length} bytes, {expected} were written")]
    CutShort {
        /// Bytes there are.
        length: u64,
        /// Bytes there should be.
        expected: u64,
    },
    /// A frame is not what must stand there.
    #[error(transparent)]
    Record(RecordError),
    /// The index of a sealed segment is not the one that the segment gives. No event is lost by it.
    #[error("the index is not what its segment gives; it is made anew when it is removed")]
    Index,
    /// The segment ends, but events behind its end were acknowledged.
    #[error("the data end here, but {evidence}")]
    EventsMissing {
        /// What says so.
        evidence: Evidence,
    },
    /// The data end before the place that WATERMARK names, though no event is missing.
    #[error("the data end here, but the file WATERMARK says that they went on to byte {end} of segment {segment}")]
    EndMissing {
        /// The segment that WATERMARK names.
        segment: SegmentNumber,
        /// The place in it.
        end: Offset,
    },
}

/// What is not as it was written at one place of a log. Events need not be lost by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The segment.
    pub(crate) segment: SegmentNumber,
    /// Its file.
    pub(crate) path: PathBuf,
    /// Where in the file.
    pub(crate) offset: Offset,
    /// Position of the event that is due there.
    pub(crate) position: Position,
    /// What is wrong.
    pub(crate) cause: Damage,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {}, position {}: {}", self.path.display(), self.offset, self.position, self.cause)
    }
}

/// What says that events were durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// The base of the newest segment, or the end the segment has by its successor.
    Header,
    /// A frame that was written later.
    Witness,
    /// The file WATERMARK.
    Watermark,
    /// The index of live streams.
    Index,
}

impl std::fmt::Display for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Evidence::Header => "the segments' headers say that more was written",
            Evidence::Witness => "a frame behind the end says that more was durable",
            Evidence::Index => {
                "the index of live streams says that more was durable; it may come from a copy of this log that went further"
            }
            Evidence::Watermark => {
                "the file WATERMARK says that more was durable; it may come from a copy of this log that went further, \
                 or log/ was copied before it"
            }
        })
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("pid {pid}"))
}

impl Error {
    /// Whether another process writes to this log.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(self, Error::Locked { .. })
    }

    /// Whether what is on disk cannot be what was written.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Error::Damaged { .. })
    }

    /// The same damage once more, for everybody who meets it; None if this is not damage.
    pub(crate) fn same_damage(&self) -> Option<Error> {
        let Error::Damaged { segment, path, offset, missing, proven, cause } = self else { return None };
        Some(Error::Damaged {
            segment: *segment,
            path: path.clone(),
            offset: *offset,
            missing: *missing,
            proven: *proven,
            cause: cause.clone(),
        })
    }

    /// Whether the system refused an operation.
    #[cfg(test)]
    pub(crate) fn is_io(&self) -> bool {
        matches!(self, Error::Io { .. })
    }

    /// Whether there was no room; nothing was written and the same call may succeed later.
    pub(crate) fn is_no_space(&self) -> bool {
        matches!(self, Error::NoSpace { .. })
    }

    /// Whether an earlier write failed, so that nothing is written any more.
    pub(crate) fn is_poisoned(&self) -> bool {
        matches!(self, Error::Poisoned { .. })
    }
}
