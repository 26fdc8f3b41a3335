//! Definitions from Rust code: the same document as YAML, through the same checks, with the same hash.

mod cancellation;
mod exclusion;
mod fields;
mod input;
mod instances;
mod join;
mod loops;
mod milestone;
mod stage;
mod task;
mod trigger;
mod verification;

use std::sync::Arc;

pub use cancellation::{Cancel, CancelOn};
pub use input::InputSpec;
pub use instances::{InstancesEnd, MultiInstance, WaitForAll, WaitForNone, WaitForSome, Waits as WaitsForInstances};
pub use join::{BlockingJoin, CancellingJoin, JoinSpec, OrJoin, PartialJoin, StructuredJoin};
pub use loops::Loop;
pub use milestone::Milestone;
pub use stage::{BackArc, DeferredSplit, Split, Stage, StageSplit};
pub use task::{Defaults, Retry, TaskSpec};
pub use trigger::{SignalTrigger, StageTrigger, StartTrigger};
pub use verification::Verification;

use super::Definition;
use super::cancellation::{RegionEffect, RegionFuture, Termination};
use super::code::ProblemCode;
use super::document::{Content, Document, Entry, Node, WRITTEN_DEPTH_MAX};
use super::graph::LeftoverTokens;
use super::header::{Soundness, WorkflowType};
use super::problem::{Problem, Problems};
use crate::time::{Duration, Timestamp};
use crate::value::Value;
use fields::Fields;

/// A definition under construction.
///
/// Texts mean what they mean in YAML: where a field is computed, `${{ }}` in them is. A method that is called twice
/// for one thing counts the second time.
///
/// ```
/// use stabilize::{Definition, Stage};
///
/// let definition = Definition::builder("ci")
///     .application("shop")
///     .stage(Stage::new("test").run("make test"))
///     .stage(Stage::new("deploy").needs(["test"]).run("make deploy"))
///     .build()?;
/// assert_eq!(definition.application(), "shop");
/// # Ok::<(), stabilize::Problems>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    fields: Fields,
    stages: Vec<Entry>,
    last: Vec<Entry>,
}

impl Definition {
    /// Begins a definition with this name, in which `inputs`, `trigger` and `workflow` can be used.
    pub fn builder(name: impl Into<String>) -> Builder {
        Builder { fields: Fields::new().with("name", name.into()), stages: Vec::new(), last: Vec::new() }
    }
}

impl Builder {
    fn set(mut self, key: &str, value: impl Into<Value>) -> Builder {
        self.fields.set(key, value);
        self
    }

    /// What groups definitions.
    pub fn application(self, application: impl Into<String>) -> Builder {
        self.set("application", application.into())
    }

    /// What kind of workflow it is; a pipeline unless said otherwise.
    pub fn workflow_type(self, workflow_type: WorkflowType) -> Builder {
        self.set("type", workflow_type.name())
    }

    /// The author's own version.
    pub fn version(self, version: impl Into<String>) -> Builder {
        self.set("version", version.into())
    }

    /// For people.
    pub fn description(self, description: impl Into<String>) -> Builder {
        self.set("description", description.into())
    }

    /// Declares an input.
    pub fn input(mut self, name: impl Into<String>, input: InputSpec) -> Builder {
        self.fields.set_in("inputs", name.into(), input.into_node());
        self
    }

    /// An output of the workflow. Without any, the outputs of all stages are.
    pub fn output(mut self, name: impl Into<String>, value: impl Into<Value>) -> Builder {
        self.fields.set_value_in("outputs", name.into(), value);
        self
    }

    /// A value of the workflow's context, computed once from `inputs`, `trigger` and `workflow`.
    pub fn context(mut self, name: impl Into<String>, value: impl Into<Value>) -> Builder {
        self.fields.set_value_in("context", name.into(), value);
        self
    }

    /// An environment variable for the tasks of all stages; null unsets it.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<Value>) -> Builder {
        self.fields.set_value_in("env", name.into(), value);
        self
    }

    /// What holds for tasks that say nothing else.
    pub fn defaults(mut self, defaults: Defaults) -> Builder {
        self.fields.set_node("defaults", defaults.into_node());
        self
    }

    /// It starts at this moment; at once unless said otherwise.
    pub fn scheduled_time(self, moment: Timestamp) -> Builder {
        self.set("scheduled_time", moment.to_string())
    }

    /// Limit from its start to its end, pauses excluded: then what runs is stopped and the workflow fails.
    pub fn deadline(self, limit: impl Into<Duration>) -> Builder {
        self.set("deadline", limit.into().to_string())
    }

    /// A workflow that has not started by then is canceled.
    pub fn start_time_expiry(self, moment: Timestamp) -> Builder {
        self.set("start_time_expiry", moment.to_string())
    }

    /// 0 to 9, larger first; 5 unless said otherwise.
    pub fn priority(self, priority: u8) -> Builder {
        self.set("priority", priority)
    }

    /// What it means that tokens are left when nothing can move; [`LeftoverTokens::Fail`] unless said otherwise.
    pub fn leftover_tokens(self, meaning: LeftoverTokens) -> Builder {
        self.set("leftover_tokens", meaning.name())
    }

    /// How often tasks of one workflow may jump; 10 times unless said otherwise. The next jump fails its task.
    pub fn max_jumps(self, most: u32) -> Builder {
        self.set("max_jumps", most)
    }

    /// How strictly the verdict of the checker is taken; [`Soundness::Weak`] unless said otherwise.
    pub fn soundness(self, policy: Soundness) -> Builder {
        self.set("soundness", policy.name())
    }

    /// What its splits are about, where they do not say it themselves: for the check, conditions with the same text
    /// then hold alike in all of them.
    pub fn split_correlation(self, about: impl Into<String>) -> Builder {
        self.set("split_correlation", about.into())
    }

    /// When a workflow has succeeded; [`Termination::Implicit`] unless said otherwise.
    pub fn termination(self, termination: Termination) -> Builder {
        self.set("termination", termination.name())
    }

    /// What the cancellation of a region does to what is in it, and means for what comes later.
    pub fn region(mut self, name: impl Into<String>, effect: RegionEffect, future: RegionFuture) -> Builder {
        let region = Fields::new().with("effect", effect.name()).with("future", future.name());
        self.fields.set_in("regions", name.into(), region.into_node());
        self
    }

    /// Adds a stage behind those there are.
    pub fn stage(mut self, stage: Stage) -> Builder {
        self.stages.push(stage.into_entry());
        self
    }

    /// Adds a stage to those that are done last, however the workflow ends. They see what all others gave, and its
    /// `workflow.status` and `workflow.error`. If one of them fails, a workflow that had succeeded has failed.
    pub fn finally(mut self, stage: Stage) -> Builder {
        self.last.push(stage.into_entry());
        self
    }

    /// Checks the definition.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it. Places are paths, like `stages.test.run`.
    pub fn build(self) -> Result<Definition, Problems> {
        let mut fields = self.fields;
        fields.set_node("stages", Node::unplaced(Content::Map(self.stages)));
        if !self.last.is_empty() {
            fields.set_node("finally", Node::unplaced(Content::Map(self.last)));
        }
        let mut root = fields.into_node();
        root.place_in_builder("", &mut 0);
        let mut problems = Vec::new();
        too_deep(&root, WRITTEN_DEPTH_MAX, &mut problems);
        Definition::from_document(Document { root, source: Arc::from("") }, problems, None)
    }
}

/// Reports values that are nested too deep. Those far too deep have become broken nodes when they were given.
fn too_deep(node: &Node, levels: usize, problems: &mut Vec<Problem>) {
    let children: Vec<&Node> = match &node.content {
        Content::List(items) => items.iter().collect(),
        Content::Map(entries) => entries.iter().map(|entry| &entry.value).collect(),
        Content::Broken => return problems.push(deep(node)),
        Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) => return,
    };
    if levels == 0 {
        return problems.push(deep(node));
    }
    children.into_iter().for_each(|child| too_deep(child, levels - 1, problems));
}

fn deep(node: &Node) -> Problem {
    let message = format!("nested deeper than {WRITTEN_DEPTH_MAX} levels");
    Problem::error(ProblemCode::TooDeep, &node.span, message)
}
