//! What people say to a workflow: that it holds or goes on, how work has ended that they do.

use clap::Args;

use crate::input::Assignment;

/// Say how work has ended that is done by hand: a stage or task that `uses: manual`.
///
/// STAGE is the oldest activation of a stage that has such work open, STAGE#N its N-th activation, STAGE#N[I] an
/// instance of that. If an engine holds the log, it is told; else it is recorded.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize complete last inspect
  stabilize complete 9GKZ4Q inspect#2 --output parts=12 --output 'broken:=[3,7]' --output notes=@NOTES.md
  stabilize complete last inspect --fail 'two parts are broken' --actor alice")]
pub(crate) struct Complete {
    /// An id, a unique prefix or suffix of 6 characters or more, or `last`.
    pub(crate) id: String,
    /// The stage, STAGE#N for its N-th activation, STAGE#N[I] for an instance.
    #[arg(value_name = "STAGE[#N]")]
    pub(crate) stage: String,
    /// Output: text; K:=JSON takes JSON, K=@FILE what stands in a file.
    #[arg(long, value_name = "K=V")]
    pub(crate) output: Vec<Assignment>,
    /// It has failed for good, with these words.
    #[arg(long, value_name = "TEXT")]
    pub(crate) fail: Option<String>,
    /// Who says it, as recorded [default: the user's name].
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
}

/// Approve what waits for it: a stage or task that `uses: approval`.
///
/// Who it is and as what they speak is what they say: a claim, that the command does not check. If an engine holds the
/// log, it is told; else it is recorded.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize approve last release
  stabilize approve 9GKZ4Q release#2 --as ops/alice --comment 'go ahead' --json")]
pub(crate) struct Approve {
    #[command(flatten)]
    pub(crate) answer: Answering,
}

/// Reject what waits for an approval: it fails, or what follows goes on, as its `on_reject` says.
///
/// Who it is and as what they speak is what they say: a claim, that the command does not check. If an engine holds the
/// log, it is told; else it is recorded.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize reject last release --comment 'not on a Friday'
  stabilize reject 9GKZ4Q release --as ops/alice")]
pub(crate) struct Reject {
    #[command(flatten)]
    pub(crate) answer: Answering,
}

/// An approval, who answers it, and what they say.
#[derive(Debug, Args)]
pub(crate) struct Answering {
    /// An id, a unique prefix or suffix of 6 characters or more, or `last`.
    pub(crate) id: String,
    /// The stage, STAGE#N for its N-th activation, STAGE#N[I] for an instance.
    #[arg(value_name = "STAGE[#N]")]
    pub(crate) stage: String,
    /// As what and who, both claimed: ROLE, or ROLE/USER, or /USER [default: the user's name, without a role].
    #[arg(long = "as", value_name = "ROLE/USER")]
    pub(crate) speaker: Option<String>,
    /// What there is to say, for those who ask later.
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
}

/// Hold a workflow: nothing new begins in it, what has begun goes on. Its deadlines stand still.
///
/// Programs that run are not stopped, what they give is recorded, moments that are waited for come and pass. If an
/// engine holds the log, it is told; else it is recorded.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize pause last --reason 'the database moves'
  stabilize pause 9GKZ4Q --reason audit --actor alice --json")]
pub(crate) struct Pause {
    #[command(flatten)]
    pub(crate) ask: Asking,
}

/// Have a paused workflow go on.
///
/// If an engine holds the log, it is told; else it is recorded.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize resume last
  stabilize resume 9GKZ4Q --reason 'the database has moved'")]
pub(crate) struct Resume {
    #[command(flatten)]
    pub(crate) ask: Asking,
}

/// A workflow, who asks something of it, and why.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// An id, a unique prefix or suffix of 6 characters or more, or `last`.
    pub(crate) id: String,
    /// Why, in words, for those who ask later.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who asks, as recorded [default: the user's name].
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
}
