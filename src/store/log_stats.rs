//! Figures of a log as its keeper asks for them: how much there is, of what, since when, and how it is indexed.
//!
//! Reads every frame, takes no lock and writes nothing.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::event::name_of_kind;
use crate::log::{self, Dumped};
use crate::time::Timestamp;

use super::error::Error;
use super::log_files::LogFiles;

/// Figures of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStats {
    /// Events that can be read, those included of which nothing proves yet that they are durable.
    pub events: u64,
    /// Streams that have events.
    pub streams: u64,
    /// Segments there are.
    pub segments: u64,
    /// Bytes of the segments' files, room that is not used yet included.
    pub segment_bytes: u64,
    /// Bytes of the events' frames.
    pub event_bytes: u64,
    /// Events and bytes by type of event, in the order of their numbers.
    pub kinds: Vec<LogKind>,
    /// When the first and the last event were recorded.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Sealed segments that have an index; opening makes those that are missing.
    pub indexes: u64,
    /// Bytes of the indexes.
    pub index_bytes: u64,
}

/// The events of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKind {
    /// Number of the type.
    pub kind: u16,
    /// Its name, if this version knows it.
    pub name: Option<&'static str>,
    /// How many there are.
    pub events: u64,
    /// Bytes of their frames.
    pub bytes: u64,
}

impl LogStats {
    /// Bytes of the frame of an event, in the mean; none without events.
    pub fn bytes_per_event(&self) -> Option<u64> {
        self.event_bytes.checked_div(self.events)
    }

    /// Segments that could have an index: all but the newest.
    pub fn sealed(&self) -> u64 {
        self.segments.saturating_sub(1)
    }
}

/// What is counted while the frames go by.
#[derive(Default)]
struct Count {
    streams: HashSet<crate::ids::StreamId>,
    kinds: BTreeMap<u16, (u64, u64)>,
    span: Option<(Timestamp, Timestamp)>,
}

impl Count {
    fn add(&mut self, frame: &Dumped) {
        let Some(stream) = frame.stream else { return };
        self.streams.insert(stream);
        let (events, bytes) = self.kinds.entry(frame.kind).or_default();
        *events += 1;
        *bytes += frame.bytes();
        self.span = Some((self.span.map_or(frame.recorded_at, |(first, _)| first), frame.recorded_at));
    }
}

impl LogFiles {
    /// Counts what is in the log.
    ///
    /// # Errors
    ///
    /// If there is no log (`is_missing`), a newer version wrote it (`is_unsupported`), it is damaged, or the disk
    /// fails.
    pub fn stats(&self) -> Result<LogStats, Error> {
        let inventory = log::inventory(Arc::clone(self.storage()))?;
        let mut count = Count::default();
        log::dump(Arc::clone(self.storage()), &mut |frame| {
            count.add(frame);
            ControlFlow::Continue(())
        })?;
        let kind = |(kind, (events, bytes))| LogKind { kind, name: name_of_kind(kind), events, bytes };
        let kinds: Vec<LogKind> = count.kinds.into_iter().map(kind).collect();
        Ok(LogStats {
            events: kinds.iter().map(|kind| kind.events).sum(),
            streams: count.streams.len() as u64,
            segments: inventory.segments,
            segment_bytes: inventory.segment_bytes,
            event_bytes: kinds.iter().map(|kind| kind.bytes).sum(),
            kinds,
            span: count.span,
            indexes: inventory.indexes,
            index_bytes: inventory.index_bytes,
        })
    }
}
