//! Salvaging and accepting a log: what the store does, with the chance and the moment it needs.

use std::path::Path;

use crate::event::{Actor, Stamp};
use crate::ids::{CommandId, Position};
use crate::machine::RULES;
use crate::store::{Error, LogFiles, LogSalvage, Options};

use super::clock::{Clock, SystemClock};
use super::entropy;
use super::open::own_pid;

fn options() -> Options {
    Options::new(entropy::bytes::<32>(), SystemClock.now(), own_pid())
}

impl LogFiles {
    /// Copies every whole batch before the damage, or before the first one that ends behind `until`, to a new log in
    /// `new`, which must not exist. Positions, sequences and times stay what they were; what else can be read is set
    /// aside there. The new log is on hold: no task begins before somebody has accepted it. This log is not changed.
    ///
    /// # Errors
    ///
    /// If there is no log, nothing of it can be read, a newer version wrote it, or there is something at `new`.
    pub fn salvage(&self, new: &Path, until: Option<Position>) -> Result<LogSalvage, Error> {
        self.salvage_with(new, until, &options())
    }

    /// Records in the log that `actor` accepts it as it is, for this reason, and takes it off hold.
    ///
    /// # Errors
    ///
    /// As opening an engine; the log stays on hold.
    pub fn accept(&self, actor: impl Into<String>, reason: impl Into<String>) -> Result<(), Error> {
        let now = SystemClock.now();
        let actor = Actor::Named(actor.into());
        let stamp = Stamp { now, command: Some(CommandId::generate_at(now)), actor, rules: RULES };
        self.accept_with(stamp, reason.into(), &options())
    }
}
