//! The choice of an alternative that people make.

use clap::Args;

/// Choose an alternative of a deferred choice: it starts, and the others are withdrawn.
///
/// Only an alternative without a trigger is claimed; `why` names those that are offered. If an engine holds the log, it
/// is told; else it is recorded.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize claim last repair
  stabilize claim 9GKZ4Q repair#2 --reason 'it is worth it' --json")]
pub(crate) struct Claim {
    /// An id, a unique prefix or suffix of 6 characters or more, or `last`.
    pub(crate) id: String,
    /// The stage; STAGE#N for its N-th activation.
    #[arg(value_name = "STAGE[#N]")]
    pub(crate) stage: String,
    /// Why, in words, for those who ask later.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who claims it, as recorded [default: the user's name].
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
}
