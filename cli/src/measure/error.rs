//! Why a measurement came to no figure.

use std::io;
use std::path::PathBuf;

/// Why a measurement came to no figure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Somebody wanted an end.
    #[error("the measurement was stopped")]
    Stopped,
    /// A file of the measurement itself could not be used.
    #[error("could not {operation} {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gave no thread for a caller.
    #[error("the system gave no thread for a caller")]
    Thread {
        /// What the system said.
        source: io::Error,
    },
    /// The engine refused or stopped.
    #[error("the engine did not do what is measured")]
    Engine {
        /// What it said.
        #[from]
        source: stabilize::Error,
    },
    /// What was recorded could not be read back.
    #[error("what was recorded could not be read back")]
    History {
        /// What it said.
        #[from]
        source: stabilize::HistoryError,
    },
    /// The files of a log could not be read.
    #[error("the files of the log could not be read")]
    Log {
        /// What they said.
        #[from]
        source: stabilize::StoreError,
    },
}
