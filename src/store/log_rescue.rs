//! Going on after damage: what is whole of a log into a new one, and a person's word that the new one will do.
//!
//! Seeds and moments come from whoever calls: there is neither chance nor clock here.

use std::path::Path;
use std::sync::Arc;

use crate::event::{Acceptance, Event, Stamp};
use crate::ids::{Position, StreamId};
use crate::log::{self, FileStorage, Options};

use super::append::{Append, Encoded, Expected};
use super::error::Error;
use super::log_files::{LogFiles, LogFinding, finding};
use super::{EventStore as _, LocalStore};

/// What salvaging a log came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSalvage {
    /// Identity of the log that was read, in hex.
    pub origin: String,
    /// Identity of the new log, in hex.
    pub log_id: String,
    /// Events in the new log.
    pub events: u64,
    /// Position of the first event that is not in the new log.
    pub next: Position,
    /// Every event before this position was acknowledged: those from `next` on are lost. Equal to `next` if none is.
    pub proven: Position,
    /// The damage that ended the copying, if some did.
    pub damage: Option<LogFinding>,
    /// Streams with events that can be read behind that place, and how many; they stand in `set-aside/` of the new log.
    pub behind: Vec<(StreamId, u64)>,
    /// Files of tasks' captured streams that were copied.
    pub outputs: u64,
}

impl LogFiles {
    /// Copies what is whole to a new log in `new`, up to the batch that ends at `until` or before; see `salvage`.
    pub(crate) fn salvage_with(
        &self,
        new: &Path,
        until: Option<Position>,
        options: &Options,
    ) -> Result<LogSalvage, Error> {
        let to = FileStorage::new(new);
        let salvaged = log::salvage(Arc::clone(self.storage()), Arc::new(to.clone()), until, options)?;
        let outputs = FileStorage::new(self.directory())
            .copy_tree(&to, "output")
            .map_err(|source| Error::Backend { operation: "copy the captured streams", source: Box::new(source) })?;
        Ok(LogSalvage {
            origin: salvaged.origin.to_string(),
            log_id: salvaged.log_id.to_string(),
            events: salvaged.events,
            next: salvaged.next,
            proven: salvaged.proven,
            damage: salvaged.damage.as_ref().map(finding),
            behind: salvaged.behind.into_iter().collect(),
            outputs,
        })
    }

    /// Records who accepts the log and why, and takes it off hold; see `accept`.
    pub(crate) fn accept_with(&self, stamp: Stamp, reason: String, options: &Options) -> Result<(), Error> {
        let store = LocalStore::open_in(Arc::clone(self.storage()), options)?;
        let mut writer = store.writer()?;
        let now = stamp.now;
        let event = Event::LogAccepted(stamp, Acceptance { reason });
        writer.write(vec![Append::new(StreamId::engine(), Expected::Any, now, vec![Encoded::of(&event)])?])?;
        writer.sync()?;
        writer.close()?;
        // Only now: a log that is let go must say who did it.
        Ok(log::release_hold(Arc::clone(self.storage()))?)
    }
}
