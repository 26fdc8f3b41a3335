//! Signals to a workflow, and the end of triggers that signals open.

use clap::Args;
use stabilize::Value;

/// Send a signal to a workflow: whoever waits for its name goes on.
///
/// If nobody waits for it, it is kept, unless it or the trigger it is for is transient. What became of it stands in the
/// event behind the one that is printed with --json: signal.delivered, signal.buffered or signal.discarded. If an
/// engine holds the log, it is told; else it is recorded.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize signal last go
  stabilize signal 9GKZ4Q paid --data '{\"order\":7}' --id order-7 --reason 'paid in cash'
  stabilize signal last go --stage deploy#2 --transient --json")]
pub(crate) struct Signal {
    /// An id, a unique prefix or suffix of 6 characters or more, or `last`.
    pub(crate) id: String,
    /// The name of the signal.
    pub(crate) name: String,
    /// Only for this stage; STAGE#N for its N-th activation, STAGE#N[I] for an instance.
    #[arg(long, value_name = "STAGE[#N]")]
    pub(crate) stage: Option<String>,
    /// What comes with it: `signal.data` in expressions.
    #[arg(long, value_name = "JSON", value_parser = json)]
    pub(crate) data: Option<Value>,
    /// A second signal under this key is not taken, and gets the answer of the first.
    #[arg(long = "id", value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// It is lost if nobody waits for it.
    #[arg(long)]
    pub(crate) transient: bool,
    /// Why, in words, for those who ask later.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who sends it, as recorded [default: the user's name].
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
}

/// Close the trigger of a stage that signals start (`start: true`): they start it no more.
///
/// Until then the workflow waits for more of them. If an engine holds the log, it is told; else it is recorded.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize close-trigger last order
  stabilize close-trigger 9GKZ4Q order --reason 'the shop is closed' --json")]
pub(crate) struct CloseTrigger {
    /// An id, a unique prefix or suffix of 6 characters or more, or `last`.
    pub(crate) id: String,
    /// The stage.
    pub(crate) stage: String,
    /// Why, in words, for those who ask later.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who asks, as recorded [default: the user's name].
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
}

fn json(text: &str) -> Result<Value, String> {
    Value::from_json(text).map_err(|error| format!("it is no JSON: {error}"))
}
