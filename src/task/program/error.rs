//! Why a program could not be run or a former one could not be ended.

use std::io;
use std::path::{Path, PathBuf};

use crate::failure::ErrorCode;
use crate::task::outcome::TaskError;

/// What went wrong around a program; how the program itself ended is no such error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The directory the program was to run in.
    #[error("the working directory {} is not there", path.display())]
    NoDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// No file of that name in any directory of PATH.
    #[error("program {program:?} is in no directory of PATH ({path})")]
    NoProgram {
        /// The name as it was written.
        program: String,
        /// PATH of the program's own environment.
        path: String,
    },
    /// A path that was named leads to nothing that can be run.
    #[error("{} is no file that can be run", path.display())]
    NotExecutable {
        /// The path.
        path: PathBuf,
    },
    /// The command has no first word.
    #[error("the command is empty")]
    NoCommand,
    /// An operation on a file, a directory or a process failed.
    #[error("could not {operation} {}", path.display())]
    Io {
        /// What was attempted.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Process groups that a killed engine left behind live on although they were killed.
    #[error("process groups of a former engine could not be ended: {pgids:?}")]
    Survivors {
        /// Their ids.
        pgids: Vec<i32>,
    },
}

impl Error {
    /// For `map_err`: `operation` on `path` failed.
    pub(super) fn io(operation: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Error {
        let path = path.as_ref().to_owned();
        move |source| Error::Io { operation, path, source }
    }

    fn code(&self) -> ErrorCode {
        match self {
            Error::NoDirectory { .. } | Error::NoProgram { .. } | Error::NotExecutable { .. } | Error::NoCommand => {
                ErrorCode::CONFIGURATION_INVALID
            }
            // A NUL byte in a command, a directory or the environment.
            Error::Io { source, .. } if source.kind() == io::ErrorKind::InvalidInput => {
                ErrorCode::CONFIGURATION_INVALID
            }
            Error::Io { source, .. } if source.kind() == io::ErrorKind::ArgumentListTooLong || is_scarcity(source) => {
                ErrorCode::RESOURCE_EXHAUSTED
            }
            Error::Io { .. } | Error::Survivors { .. } => ErrorCode::SYSTEM_ERROR,
        }
    }
}

/// Whether the machine has too little of something right now: processes, memory, open files.
fn is_scarcity(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let scarce = [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE];
    Errno::from_io_error(error).is_some_and(|errno| scarce.contains(&errno))
}

/// Transient if the machine has too little of something, else permanent.
impl From<Error> for TaskError {
    fn from(error: Error) -> TaskError {
        let message = error.to_string();
        let of = match &error {
            Error::Io { source, .. } if is_scarcity(source) => TaskError::transient(message),
            _ => TaskError::permanent(message),
        };
        let of = of.code(error.code());
        match error {
            Error::Io { source, .. } => of.source(source),
            _ => of,
        }
    }
}
