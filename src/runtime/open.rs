//! Opening what an engine stands on: the store, the place of attempts' files, and what a killed engine left running.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::{EventStore, LocalStore, MemoryStore, Options, StoreWriter};
use crate::task::Place;

use super::clock::Clock;
use super::config::{Config, Control, LogPlace, Threads};
use super::control::Door;
use super::entropy;
use super::error::Error;

/// What an engine stands on.
pub(super) struct Opened {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) writer: Box<dyn StoreWriter>,
    pub(super) place: Place,
    /// Where other processes can reach the engine, if they can.
    pub(super) door: Option<Door>,
    /// A directory to remove when the engine closes.
    pub(super) scratch: Option<PathBuf>,
}

/// Opens the log of `config` and ends what a killed engine left running.
///
/// # Errors
///
/// If another process holds the log, it is damaged, or files cannot be used.
pub(super) fn open(config: &Config) -> Result<Opened, Error> {
    match &config.log {
        LogPlace::Memory => {
            let name = format!("stabilize-{}", hex(&entropy::bytes::<8>()));
            let root = std::env::temp_dir().join(name);
            let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
            let writer = store.writer()?;
            Ok(Opened { store, writer, place: Place::new(&root), door: None, scratch: Some(root) })
        }
        LogPlace::Directory(directory) => {
            let (store, root) = open_local(directory, &*config.clock)?;
            let mut opened = stand_on(store, &root)?;
            if config.control == Control::Listens && config.threads == Threads::Own {
                opened.door = door(&root);
            }
            Ok(opened)
        }
        #[cfg(test)]
        LogPlace::Given { store, root } => stand_on(Arc::clone(store), root),
    }
}

/// Opens the log in `directory`, and the directory's absolute path.
///
/// # Errors
///
/// As [`open`].
fn open_local(directory: &Path, clock: &dyn Clock) -> Result<(Arc<dyn EventStore>, PathBuf), Error> {
    let io = |source| Error::Io { operation: "find the log directory", path: directory.to_owned(), source };
    let root = std::path::absolute(directory).map_err(io)?;
    let options = Options::new(entropy::bytes::<32>(), clock.now(), own_pid());
    let local = LocalStore::open(&root, &options)?;
    if local.hold() {
        // A salvaged log has lost events: nobody may act on it before a person has accepted the loss.
        return Err(Error::OnHold { directory: root });
    }
    Ok((Arc::new(local), root))
}

fn stand_on(store: Arc<dyn EventStore>, root: &Path) -> Result<Opened, Error> {
    let writer = store.writer()?;
    let place = Place::new(root);
    kill_leftovers(&place)?;
    Ok(Opened { store, writer, place, door: None, scratch: None })
}

/// Made before the engine goes on with its workflows: whoever comes meanwhile waits to be let in.
fn door(root: &Path) -> Option<Door> {
    let door = Door::open(root, own_pid());
    door.inspect_err(|error| {
        tracing::warn!(path = %root.display(), %error, "without a control socket others cannot reach this engine");
    })
    .ok()
}

/// The id of this process.
pub(super) fn own_pid() -> u32 {
    std::process::id()
}

fn kill_leftovers(place: &Place) -> Result<(), Error> {
    let killed = crate::task::kill_leftovers(place).map_err(|source| Error::Leftovers { source: Box::new(source) })?;
    if killed > 0 {
        tracing::info!(killed, "ended programs that a killed engine had left running");
    }
    Ok(())
}

/// Removes the files of attempts of a log that was in memory.
pub(super) fn remove_scratch(scratch: &Path) {
    match std::fs::remove_dir_all(scratch) {
        Ok(()) => (),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (),
        Err(error) => tracing::warn!(path = %scratch.display(), %error, "could not remove the scratch directory"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
