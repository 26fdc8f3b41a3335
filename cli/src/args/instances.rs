//! The instances of a stage, from outside: more of them, no more, or to go on without the rest.

use clap::Args;
use stabilize::Value;

/// Add instances to a stage that allows it (`allow_dynamic: true`), while it waits for its instances.
///
/// Each --item is one instance more, and is `item` there. If one cannot be added, none is. If an engine holds the log,
/// it is told; else it is recorded, and the instances run with the workflow.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize add-instances last review --item '\"alice\"' --item '\"bob\"'
  stabilize add-instances 9GKZ4Q review#2 --item '{\"order\":7}' --reason 'one more came' --json")]
pub(crate) struct AddInstances {
    #[command(flatten)]
    pub(crate) of: OfInstances,
    /// What an instance is given; null for nothing. Once for each instance.
    #[arg(long = "item", value_name = "JSON", value_parser = json, required = true)]
    pub(crate) items: Vec<Value>,
}

/// Let nobody add instances to a stage any more: it goes on when those it has are over.
///
/// If an engine holds the log, it is told; else it is recorded.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize close-instances last review
  stabilize close-instances 9GKZ4Q review#2 --reason 'all are here' --json")]
pub(crate) struct CloseInstances {
    #[command(flatten)]
    pub(crate) of: OfInstances,
}

/// Let control go on from a stage without its instances that have not ended: they are canceled.
///
/// What has ended stands. If an engine holds the log, it is told; else it is recorded.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stabilize complete-instances last review
  stabilize complete-instances 9GKZ4Q review#2 --reason 'enough answers' --json")]
pub(crate) struct CompleteInstances {
    #[command(flatten)]
    pub(crate) of: OfInstances,
}

/// Whose instances are meant, by whom and why.
#[derive(Debug, Args)]
pub(crate) struct OfInstances {
    /// An id, a unique prefix or suffix of 6 characters or more, or `last`.
    pub(crate) id: String,
    /// The stage; STAGE#N for its N-th activation.
    #[arg(value_name = "STAGE[#N]")]
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
