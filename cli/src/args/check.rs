//! What `check` is asked: a definition, how far to look, and what else has to hold.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use clap::Args;

/// Explore every course that workflows of a definition could take: can each end, with nothing left behind?
///
/// The first word printed is SOUND, UNSOUND or UNKNOWN, then come the states seen and what was found. Data is not
/// looked at: a condition may hold or not, work may end in any way. An UNSOUND definition is refused (exit code 3)
/// unless it says `soundness: off`; UNKNOWN is a warning, and refused if it says `soundness: strict`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize check release.yaml
  stabilize check release.yaml --witness flaw || stabilize events last --log flaw
  stabilize check release.yaml --always-before test deploy --eventually-after build report
  stabilize check release.yaml --never 'stages.deploy.live > 0 and stages.test.live > 0' --json")]
pub(crate) struct Check {
    /// Definition in YAML, or in JSON if the name ends in .json.
    pub(crate) file: PathBuf,
    /// Look at so many states at most; what is found by then is UNSOUND or UNKNOWN [default: 200000].
    #[arg(long, value_name = "N")]
    pub(crate) max_states: Option<NonZeroU64>,
    /// Tell so many tokens on one arc, or activations of one stage at a time, apart [default: 4].
    #[arg(long, value_name = "N")]
    pub(crate) bound: Option<NonZeroU32>,
    /// This is never so, of `stages.R.live`, `.activations`, `.status` and `workflow.status`; repeatable.
    #[arg(long, value_name = "EXPR")]
    pub(crate) never: Vec<String>,
    /// No B starts before an A has succeeded; repeatable.
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pub(crate) always_before: Vec<String>,
    /// Whenever an A has succeeded, a B starts before the workflow ends; repeatable.
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pub(crate) eventually_after: Vec<String>,
    /// Write a shortest way to the first finding as a new log into this directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) witness: Option<PathBuf>,
}
