//! Why a command did not do what was asked: one line, its causes, what to do, and the exit code.

use std::error::Error;
use std::fmt;
use std::io;

use stabilize::{HistoryError, RemoteReason, StoreError};

use crate::exit::Exit;

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Something to tell.
    Report(Report),
    /// Whoever read standard output has gone; that is how `head` works, and nothing to tell.
    OutputClosed,
}

/// A failure for people: what did not work, why, and what to do.
#[derive(Debug)]
pub(crate) struct Report {
    exit: Exit,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl Report {
    /// A failure without a cause below it.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Report {
        Report { exit, message: message.into(), causes: Vec::new(), hint: None }
    }

    /// The failure `error` with its causes.
    fn of(exit: Exit, error: &dyn Error) -> Report {
        Report { causes: causes(error.source()), ..Report::new(exit, error.to_string()) }
    }

    /// The failure of a call to an engine.
    pub(crate) fn of_engine(error: &stabilize::Error) -> Report {
        let report = Report::of(exit_of_engine(error), error);
        match error {
            stabilize::Error::Store(source) => report.after_damage(source),
            stabilize::Error::Replay(HistoryError::Store { source }) => report.after_damage(source),
            _ => report,
        }
    }

    /// The failure to read history.
    pub(crate) fn of_history(error: &HistoryError) -> Report {
        let report = Report::of(exit_of_history(error), error);
        match error {
            HistoryError::Store { source } if source.is_missing() => {
                report.hint("--log DIR or STABILIZE_LOG says where the log is")
            }
            HistoryError::Store { source } => report.after_damage(source),
            _ => report,
        }
    }

    /// The failure of the files of a log.
    pub(crate) fn of_store(error: &StoreError) -> Report {
        Report::of(exit_of_store(error), error).after_damage(error)
    }

    /// The same failure, with the way on if the log is damaged.
    fn after_damage(self, error: &StoreError) -> Report {
        if error.is_damage() {
            self.hint(
                "`stabilize log verify` says all that is wrong; `stabilize log salvage DIR --to NEW` copies what is whole",
            )
        } else {
            self
        }
    }

    /// The same failure because of `error`.
    pub(crate) fn because(mut self, error: &dyn Error) -> Report {
        self.causes.extend(causes(Some(error)));
        self
    }

    /// The same failure with what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Report {
        self.hint = Some(hint.into());
        self
    }

    /// How the command ends with it.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }
}

fn exit_of_engine(error: &stabilize::Error) -> Exit {
    use stabilize::Error;
    match error {
        Error::Store(error) => exit_of_store(error),
        Error::Replay(error) => exit_of_history(error),
        Error::Remote { reason, .. } => exit_of_reason(*reason),
        Error::Rejected(_) | Error::Unauthorized { .. } => Exit::Conflict,
        Error::Unsound { .. } | Error::UnknownVerifier { .. } => Exit::Refused,
        Error::Inputs(_) | Error::Start { .. } | Error::Unfit { .. } => Exit::Usage,
        Error::NotFound { .. } => Exit::NotFound,
        Error::TimedOut { .. } => Exit::TimedOut,
        // Poisoned, closed, no thread, no file: whatever else stops an engine, it cannot be used.
        _ => Exit::Unusable,
    }
}

/// As if it had been refused here.
fn exit_of_reason(reason: RemoteReason) -> Exit {
    match reason {
        RemoteReason::Definition => Exit::Refused,
        RemoteReason::Input => Exit::Usage,
        RemoteReason::NotFound => Exit::NotFound,
        RemoteReason::Rejected => Exit::Conflict,
        RemoteReason::Damage => Exit::Damage,
        // It ends, it has stopped, or it does not understand us.
        _ => Exit::Unusable,
    }
}

fn exit_of_history(error: &HistoryError) -> Exit {
    match error {
        HistoryError::Store { source } => exit_of_store(source),
        HistoryError::Ambiguous { .. } | HistoryError::NoPlace { .. } => Exit::Usage,
        other if other.is_not_found() => Exit::NotFound,
        _ => Exit::Damage,
    }
}

fn exit_of_store(error: &StoreError) -> Exit {
    if error.is_missing() {
        Exit::NotFound
    } else if error.is_damage() {
        Exit::Damage
    } else {
        // Held, no space, a disk that fails, a newer version.
        Exit::Unusable
    }
}

fn causes(first: Option<&dyn Error>) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = first;
    while let Some(error) = next {
        causes.push(error.to_string());
        next = error.source();
    }
    causes
}

/// `error: what: why: why`, and a line with what to do.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        let mut last = &self.message;
        for cause in self.causes.iter().filter(|cause| !cause.is_empty()) {
            if cause != last {
                write!(f, ": {cause}")?;
            }
            last = cause;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  help: {hint}"),
            None => Ok(()),
        }
    }
}

impl From<Report> for Stop {
    fn from(report: Report) -> Stop {
        Stop::Report(report)
    }
}

/// Standard output could not be written; files say so themselves.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Stop::OutputClosed,
            _ => Report::new(Exit::Unusable, "could not write to standard output").because(&error).into(),
        }
    }
}
