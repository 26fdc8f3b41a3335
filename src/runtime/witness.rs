//! A witness of an unsound definition as a log of its own, which is read as any other. Explores nothing.

use std::path::Path;

use crate::event::{Actor, Event, Registration, Stamp};
use crate::ids::{StreamId, WorkflowId};
use crate::machine::RULES;
use crate::soundness::Witness;
use crate::store::{Append, Encoded, EventStore as _, Expected, LocalReader, LocalStore, Options, StoreWriter};
use crate::time::Timestamp;

use super::clock::{Clock as _, SystemClock};
use super::entropy;
use super::error::Error;
use super::open::own_pid;

impl Witness {
    /// Records the course in a new log in this directory, where it can be looked at: the definition that was explored,
    /// then what happened, at the times it happened. Gives the workflow to ask for.
    ///
    /// # Errors
    ///
    /// [`Error::Unfit`] if there is a log in the directory already; [`Error::Store`] if there can be none.
    pub fn record(&self, directory: &Path) -> Result<WorkflowId, Error> {
        match LocalReader::open(directory) {
            Err(error) if error.is_missing() => (),
            Err(error) => return Err(error.into()),
            Ok(_) => {
                return Err(Error::Unfit { message: format!("there is a log in {} already", directory.display()) });
            }
        }
        let options = Options::new(entropy::bytes::<32>(), SystemClock.now(), own_pid());
        let store = LocalStore::open(directory, &options)?;
        let mut writer = store.writer()?;
        let begin = self.batches().first().and_then(|batch| moment(batch)).unwrap_or(options.now);
        let registered = [Event::DefinitionRegistered(
            Stamp { now: begin, command: None, actor: Actor::Engine, rules: RULES },
            Registration {
                hash: self.definition().hash(),
                normal: self.definition().to_json(),
                source: None,
                check: None,
            },
        )];
        write(&mut *writer, StreamId::definition(self.definition().hash()), begin, &registered)?;
        let mut now = begin;
        for batch in self.batches() {
            now = moment(batch).unwrap_or(now);
            write(&mut *writer, StreamId::workflow(self.workflow()), now, batch)?;
        }
        writer.close()?;
        Ok(self.workflow())
    }
}

/// When a batch was decided.
fn moment(batch: &[Event]) -> Option<Timestamp> {
    batch.iter().find_map(Event::stamp).map(|stamp| stamp.now)
}

fn write(writer: &mut dyn StoreWriter, stream: StreamId, now: Timestamp, events: &[Event]) -> Result<(), Error> {
    let events = events.iter().map(Encoded::of).collect();
    // Whatever the end of a stream is, it is expected: nobody else writes to a new log.
    writer.write(vec![Append::new(stream, Expected::Any, now, events)?])?;
    writer.sync()?;
    Ok(())
}
