//! What people say to a workflow: how work has ended that they do.

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
