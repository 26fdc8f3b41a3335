//! What can go wrong between a caller and the engine.

use crate::definition::InputErrors;
use crate::ids::WorkflowId;
use crate::machine::Rejection;
use crate::soundness::Verdict;
use crate::{replay, store};

/// Why a call to the engine gave no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The log could not be read or written.
    #[error("the log could not be used")]
    Store(#[from] store::Error),
    /// History could not be read back.
    #[error("the history could not be read back")]
    Replay(#[from] replay::Error),
    /// The workflow refused the command.
    #[error("the command was refused")]
    Rejected(#[source] Rejection),
    /// The inputs do not fit the definition.
    #[error("the inputs do not fit the definition: {0}")]
    Inputs(InputErrors),
    /// The definition names a verifier that the engine does not have.
    #[error("task {task} of stage {stage} is to be verified by {verifier}, and no verifier is registered as that")]
    UnknownVerifier {
        /// The name.
        verifier: String,
        /// The stage that names it.
        stage: String,
        /// The task of that stage.
        task: String,
    },
    /// Checking the definition finds what its policy refuses.
    #[error("{message}")]
    Unsound {
        /// Which definition, and the worst that was found.
        message: String,
        /// All that was found.
        verdict: Box<Verdict>,
    },
    /// A name or context of the definition could not be computed.
    #[error("{message}")]
    Start {
        /// What could not be computed.
        message: String,
    },
    /// What was given cannot be meant: a name of work that is none, an output without a good name.
    #[error("{message}")]
    Unfit {
        /// What is wrong with it.
        message: String,
    },
    /// Whoever answered an approval may not, says [`Config::authorize`](crate::Config::authorize).
    #[error("not authorized: {message}")]
    Unauthorized {
        /// Why not.
        message: String,
    },
    /// There is no such workflow.
    #[error("there is no workflow {workflow}")]
    NotFound {
        /// The workflow asked for.
        workflow: WorkflowId,
    },
    /// No event has this name.
    #[error("no event has the name `{name}`")]
    UnknownEvent {
        /// The name asked for.
        name: String,
    },
    /// The time was over before the answer came.
    #[error("the time was over before workflow {workflow} had ended")]
    TimedOut {
        /// The workflow waited for.
        workflow: WorkflowId,
    },
    /// The engine has stopped after a failure: nothing more is written.
    #[error("the engine has stopped: {cause}")]
    Poisoned {
        /// The first failure.
        cause: String,
    },
    /// The engine stopped before the outcome was known. Ask again with the same id after opening anew.
    #[error("the engine has stopped before it was known whether this was recorded: {cause}")]
    InDoubt {
        /// The first failure.
        cause: String,
    },
    /// The engine is closed or closing.
    #[error("the engine is closed")]
    Closed,
    /// A program that a killed engine left running does not end.
    #[error("programs that were left running could not be ended")]
    Leftovers {
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The log was salvaged and nobody has accepted what it lost.
    #[error("the log {} is on hold after a salvage", directory.display())]
    OnHold {
        /// The log directory.
        directory: std::path::PathBuf,
    },
    /// The engine that holds the log, in another process, has refused what was sent to it.
    #[error("{message}")]
    Remote {
        /// What kind of reason it has.
        reason: RemoteReason,
        /// The reason, in its words.
        message: String,
    },
    /// The engine that holds the log, in another process, gave no answer. Whether the command had its effect is not
    /// known; sent again under the same id it has no second one.
    #[error("the engine that holds the log gave no answer")]
    NoAnswer {
        /// What came instead.
        #[source]
        source: std::io::Error,
    },
    /// The system gives no thread.
    #[error("could not start a thread")]
    Thread {
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The files beside the log could not be used.
    #[error("could not {operation} {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// Where.
        path: std::path::PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// What kind of reason an engine in another process has to refuse something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoteReason {
    /// The definition is refused.
    Definition,
    /// An input, or something else that was given, does not fit.
    Input,
    /// There is no such workflow.
    NotFound,
    /// The workflow refused the command.
    Rejected,
    /// Recorded data is damaged.
    Damage,
    /// The engine cannot do it: it has stopped after a failure, or something is exhausted.
    Unusable,
    /// The engine is closing; whoever holds the log next can be asked.
    Ending,
    /// The engine does not understand the request, as one of another version.
    NotUnderstood,
}

impl RemoteReason {
    const ALL: [RemoteReason; 8] = [
        RemoteReason::Definition,
        RemoteReason::Input,
        RemoteReason::NotFound,
        RemoteReason::Rejected,
        RemoteReason::Damage,
        RemoteReason::Unusable,
        RemoteReason::Ending,
        RemoteReason::NotUnderstood,
    ];

    /// Name for programs: `not_found`, `rejected`, ...
    pub fn name(self) -> &'static str {
        match self {
            RemoteReason::Definition => "definition",
            RemoteReason::Input => "input",
            RemoteReason::NotFound => "not_found",
            RemoteReason::Rejected => "rejected",
            RemoteReason::Damage => "damage",
            RemoteReason::Unusable => "unusable",
            RemoteReason::Ending => "ending",
            RemoteReason::NotUnderstood => "not_understood",
        }
    }

    /// The reason of this name. One that is not known means that the engine cannot do it, whatever else.
    pub(super) fn named(name: &str) -> RemoteReason {
        RemoteReason::ALL.into_iter().find(|reason| reason.name() == name).unwrap_or(RemoteReason::Unusable)
    }

    /// The reason that an error of the engine is to another process.
    pub(super) fn of(error: &Error) -> RemoteReason {
        match error {
            Error::Unsound { .. } | Error::UnknownVerifier { .. } => RemoteReason::Definition,
            Error::Inputs(_) | Error::Start { .. } | Error::Unfit { .. } => RemoteReason::Input,
            Error::NotFound { .. } => RemoteReason::NotFound,
            Error::Rejected(_) | Error::Unauthorized { .. } => RemoteReason::Rejected,
            Error::Closed => RemoteReason::Ending,
            Error::Remote { reason, .. } => *reason,
            other if other.is_damage() => RemoteReason::Damage,
            _ => RemoteReason::Unusable,
        }
    }
}

impl Error {
    /// Does another process hold the log?
    pub fn is_locked(&self) -> bool {
        matches!(self, Error::Store(error) if error.is_locked())
    }

    /// Was the engine that was asked about to end, or gone before it answered? Whoever holds the log next can be asked,
    /// under the same id.
    pub fn is_gone(&self) -> bool {
        matches!(self, Error::Closed | Error::NoAnswer { .. } | Error::Remote { reason: RemoteReason::Ending, .. })
    }

    /// Is recorded data damaged?
    pub fn is_damage(&self) -> bool {
        match self {
            Error::Store(error) => error.is_damage(),
            Error::Replay(error) => error.is_damage(),
            Error::Remote { reason, .. } => *reason == RemoteReason::Damage,
            _ => false,
        }
    }

    /// Did the state of the workflow refuse it?
    pub fn is_rejection(&self) -> bool {
        matches!(self, Error::Rejected(_) | Error::Remote { reason: RemoteReason::Rejected, .. })
    }
}

/// The error with its causes, in one line.
pub(super) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
