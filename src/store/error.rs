//! What can go wrong in a store: the log below it, events that are none, a writer that is taken, a limit.

use std::fmt;

use crate::ids::{Position, Sequence, StreamId};
use crate::log;

use super::codec::CodecError;

/// An error of a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is one writer, and somebody has it.
    #[error("the writer of this store was taken before")]
    WriterTaken,
    /// The store was opened for reading.
    #[error("this store is open for reading only")]
    ReadOnly,
    /// An append that no store takes. Nothing was written.
    #[error("an append has {amount} {what}, at least 1 and at most {max} are possible")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        amount: usize,
        /// How many there may be.
        max: usize,
    },
    /// What was recorded at this place cannot be read as an event.
    #[error("position {position}, sequence {sequence} of stream {stream}{}, is no event", at(place.as_ref()))]
    Undecodable {
        /// Its place in the whole log.
        position: Position,
        /// The stream it belongs to.
        stream: StreamId,
        /// Its place in the stream.
        sequence: Sequence,
        /// Where its bytes stand, in a store that has files.
        place: Option<RecordPlace>,
        /// What is wrong with it.
        #[source]
        cause: CodecError,
    },
    /// The log below the store refused, or failed.
    #[error(transparent)]
    Log {
        /// What it said.
        source: LogError,
    },
    /// What lies below a store that is not ours refused, or failed.
    #[error("could not {operation}")]
    Backend {
        /// What was attempted.
        operation: &'static str,
        /// What it said. Nobody here can know its type.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// An error of the log. What it means to a caller, the questions of [`Error`] answer.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct LogError(log::Error);

/// Where the bytes of an event stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordPlace {
    /// The segment, by its number in the log, from 1.
    pub segment: u64,
    /// Bytes from the start of the segment's file.
    pub offset: u64,
}

/// `segment 3 at byte 8192`, the segment as its file is named.
impl fmt::Display for RecordPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {:010} at byte {}", self.segment, self.offset)
    }
}

fn at(place: Option<&RecordPlace>) -> String {
    place.map_or_else(String::new, |place| format!(", in {place}"))
}

impl From<log::Error> for Error {
    fn from(error: log::Error) -> Error {
        Error::Log { source: LogError(error) }
    }
}

impl Error {
    /// Whether another process writes to this log.
    pub fn is_locked(&self) -> bool {
        self.log().is_some_and(log::Error::is_locked)
    }

    /// Whether what is recorded cannot be what was written.
    pub fn is_damage(&self) -> bool {
        match self {
            Error::Undecodable { cause, .. } => !cause.is_unknown(),
            other => other.log().is_some_and(log::Error::is_damage),
        }
    }

    /// Whether a newer version wrote something that this one does not know.
    pub fn is_unsupported(&self) -> bool {
        match self {
            Error::Undecodable { cause, .. } => cause.is_unknown(),
            other => matches!(other.log(), Some(log::Error::Unsupported { .. })),
        }
    }

    /// Whether an earlier write failed, so that nothing is written any more. What was durable can still be read.
    pub fn is_poisoned(&self) -> bool {
        self.log().is_some_and(log::Error::is_poisoned)
    }

    /// Whether there was no room; nothing was written, and the same call may succeed later.
    pub fn is_no_space(&self) -> bool {
        self.log().is_some_and(log::Error::is_no_space)
    }

    /// Whether there is no log where one was to be read.
    pub fn is_missing(&self) -> bool {
        matches!(self.log(), Some(log::Error::NoLog { .. }))
    }

    fn log(&self) -> Option<&log::Error> {
        match self {
            Error::Log { source } => Some(&source.0),
            Error::WriterTaken
            | Error::ReadOnly
            | Error::Limit { .. }
            | Error::Undecodable { .. }
            | Error::Backend { .. } => None,
        }
    }
}
