//! How an engine is set up.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::ids::WorkflowId;
use crate::task::{EnvironmentSecrets, Secrets};

#[cfg(test)]
use crate::store::EventStore;

use super::clock::{Clock, SystemClock};
use super::completion::Claim;

/// How an engine is set up: where its log is, how much runs at once, which workflows it drives.
#[derive(Clone)]
pub struct Config {
    pub(super) log: LogPlace,
    pub(super) threads: Threads,
    pub(super) workers: usize,
    pub(super) drive: Drive,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) actor: String,
    pub(super) secrets: Arc<dyn Secrets>,
    pub(super) control: Control,
    pub(super) authorize: Option<Authorize>,
}

/// Decides whether somebody may answer an approval.
pub(super) type Authorize = Arc<dyn Fn(Claim<'_>) -> Result<(), String> + Send + Sync>;

/// Does an engine listen to other processes?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Control {
    Listens,
    Silent,
}

/// Where the log is.
#[derive(Clone)]
pub(super) enum LogPlace {
    Directory(PathBuf),
    Memory,
    /// A store that is open already, with the directory where files of attempts stand.
    #[cfg(test)]
    Given {
        store: Arc<dyn EventStore>,
        root: PathBuf,
    },
}

/// Who moves the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threads {
    /// Its own threads.
    Own,
    /// The caller, with `Engine::step`.
    Caller,
}

/// Which workflows an engine runs tasks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drive {
    /// Every open workflow of the log.
    #[default]
    All,
    /// These, and what they start. Others stay as they are.
    Only(BTreeSet<WorkflowId>),
}

impl Drive {
    pub(super) fn includes(&self, workflow: WorkflowId) -> bool {
        match self {
            Drive::All => true,
            Drive::Only(ids) => ids.contains(&workflow),
        }
    }
}

/// Workers of an engine that is told nothing: tasks mostly wait for programs, not for the processor.
const WORKERS: usize = 16;

impl Config {
    /// A log in this directory; it is made if it is not there.
    pub fn at(directory: impl Into<PathBuf>) -> Config {
        Config {
            log: LogPlace::Directory(directory.into()),
            threads: Threads::Own,
            workers: WORKERS,
            drive: Drive::All,
            clock: Arc::new(SystemClock),
            actor: "library".to_owned(),
            secrets: Arc::new(EnvironmentSecrets),
            control: Control::Listens,
            authorize: None,
        }
    }

    /// A log in memory, gone with the engine: for tests.
    pub fn memory() -> Config {
        Config { log: LogPlace::Memory, ..Config::at("") }
    }

    /// A log in memory and no threads: the caller moves the engine with `Engine::step`.
    pub fn manual() -> Config {
        Config { threads: Threads::Caller, ..Config::memory() }
    }

    /// How many tasks run at once; at least 1.
    pub fn workers(mut self, count: usize) -> Config {
        self.workers = count.max(1);
        self
    }

    /// Which workflows the engine runs tasks for.
    pub fn drive(mut self, drive: Drive) -> Config {
        self.drive = drive;
        self
    }

    /// Where the engine reads the time of day.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Config {
        self.clock = Arc::new(clock);
        self
    }

    /// Who sends the commands of callers that do not say so themselves.
    pub fn actor(mut self, name: impl Into<String>) -> Config {
        self.actor = name.into();
        self
    }

    /// Where tasks that ask for a secret get its value; the environment's `STABILIZE_SECRET_NAME` if nothing is said.
    pub fn secrets(mut self, secrets: impl Secrets + 'static) -> Config {
        self.secrets = Arc::new(secrets);
        self
    }

    /// Who may answer approvals, by what they claim; everybody if nothing is said. Asked on the thread of the caller,
    /// also for answers over the control socket; the error says why not. What it knows of who calls is its own affair.
    pub fn authorize(mut self, decide: impl Fn(Claim<'_>) -> Result<(), String> + Send + Sync + 'static) -> Config {
        self.authorize = Some(Arc::new(decide));
        self
    }

    /// Whether other processes of this user can reach the engine over a socket in the log directory, so that they can
    /// start, cancel and ask while it holds the log; true if nothing is said. An engine in memory, or moved by its
    /// caller, never listens. One that cannot make the socket works all the same, and says so in the trace.
    pub fn control(mut self, listens: bool) -> Config {
        self.control = if listens { Control::Listens } else { Control::Silent };
        self
    }

    /// Over this store, with files of attempts below `root`.
    #[cfg(test)]
    pub(crate) fn over(store: Arc<dyn EventStore>, root: PathBuf) -> Config {
        Config { log: LogPlace::Given { store, root }, ..Config::at("") }
    }
}
