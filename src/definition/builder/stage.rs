//! Stages from code.

use super::cancellation::{Cancel, CancelOn};
use super::fields::{Fields, node};
use super::instances::MultiInstance;
use super::join::JoinSpec;
use super::loops::Loop;
use super::task::{TaskSpec, shared_keys, work_keys};
use super::trigger::StageTrigger;
use crate::definition::cancellation::{CancelMode, Ending};
use crate::definition::check::END;
use crate::definition::document::{Content, Entry, Node};
use crate::definition::graph::{OnConditionError, OnFailure, Reentry};
use crate::definition::reading::jumps::ANY;
use crate::time::{Duration, Timestamp};
use crate::value::Value;

/// One stage. Without work it does nothing, which is good for joins and splits.
#[derive(Clone, Debug)]
#[must_use]
pub struct Stage(Fields, String);

shared_keys!(Stage);
work_keys!(Stage);

impl Stage {
    /// A stage with this name in the graph, unique in the definition.
    pub fn new(ref_id: impl Into<String>) -> Stage {
        Stage(Fields::new(), ref_id.into())
    }

    pub(super) fn set_map(mut self, key: &str, map: Node) -> Stage {
        self.0.set_node(key, map);
        self
    }

    pub(super) fn set(mut self, key: &str, value: impl Into<Value>) -> Stage {
        self.0.set(key, value);
        self
    }

    /// Its keys.
    pub(super) fn fields_mut(&mut self) -> &mut Fields {
        &mut self.0
    }

    /// Its name for people; its ref id unless said otherwise.
    pub fn name(self, name: impl Into<String>) -> Stage {
        self.set("name", name.into())
    }

    /// The type shown to people; that of its first task unless said otherwise.
    pub fn stage_type(self, stage_type: impl Into<String>) -> Stage {
        self.set("type", stage_type.into())
    }

    /// The stages that lead here.
    pub fn needs<T: Into<String>>(self, ref_ids: impl IntoIterator<Item = T>) -> Stage {
        self.set("needs", Value::list(ref_ids.into_iter().map(Into::into)))
    }

    /// The stages behind this one from which control comes back to it: each a ref id or a [`BackArc`].
    pub fn back_from<T: Into<BackArc>>(mut self, arcs: impl IntoIterator<Item = T>) -> Stage {
        self.0.set_node("back_from", Node::unplaced(Content::List(Vec::new())));
        for arc in arcs {
            self.0.push_in("back_from", arc.into().0);
        }
        self
    }

    /// The stages to which tasks of this one may send control by [`Outcome::jump_to`](crate::Outcome::jump_to): each a
    /// ref id or a [`BackArc`] with the most times it may be taken. A jump back undoes what has come from the
    /// activation of its target that lies behind it. Excludes `repeat`, `sub_workflow` and instances.
    pub fn jump_targets<T: Into<BackArc>>(mut self, targets: impl IntoIterator<Item = T>) -> Stage {
        self.0.set_node("jump_targets", Node::unplaced(Content::List(Vec::new())));
        for target in targets {
            self.0.push_in("jump_targets", target.into().0);
        }
        self
    }

    /// As [`Stage::jump_targets`]; a jump back undoes nothing: only its own thread goes elsewhere.
    pub fn move_targets<T: Into<BackArc>>(self, targets: impl IntoIterator<Item = T>) -> Stage {
        self.jump_targets(targets).set("jump_mode", "move")
    }

    /// As [`Stage::jump_targets`], with every stage of its block. Nobody foresees such a jump: no join waits for it,
    /// and what is found of the definition holds as long as none is made.
    pub fn jump_targets_any(self) -> Stage {
        self.set("jump_targets", ANY)
    }

    /// As [`Stage::move_targets`], with every stage of its block, as [`Stage::jump_targets_any`] says.
    pub fn move_targets_any(self) -> Stage {
        self.jump_targets_any().set("jump_mode", "move")
    }

    /// Adds a task behind those there are. Excludes `run`, `uses` and `with` of the stage.
    pub fn task(mut self, task: TaskSpec) -> Stage {
        self.0.push_in("tasks", task.into_node());
        self
    }

    /// Stages that are done again and again, in the place of tasks. Excludes `run`, `uses`, `with` and tasks.
    pub fn repeat(mut self, turns: Loop) -> Stage {
        self.0.set_node("loop", turns.into_node());
        self
    }

    /// Adds a stage to those that are done before its own work; they see what it sees, and it sees what they give. Ref
    /// ids are unique in the whole definition. Not beside instances.
    pub fn before(mut self, stage: Stage) -> Stage {
        self.0.push_entry_in("before", stage.into_entry());
        self
    }

    /// Adds a stage to those that are done when its own work has succeeded: they see what it gave, and what they give
    /// is its own. If one of them fails, it fails. Not beside instances.
    pub fn after(mut self, stage: Stage) -> Stage {
        self.0.push_entry_in("after", stage.into_entry());
        self
    }

    /// Stages that are done when it has failed, before that means what `then` says. They see what failed as
    /// `stages.REF.error`, and change nothing about it. In the place of `on_failure`; not beside instances.
    pub fn when_failed(mut self, stages: impl IntoIterator<Item = Stage>, then: OnFailure) -> Stage {
        let mut fields = Fields::new().with("then", then.name());
        let stages = stages.into_iter().map(Stage::into_entry).collect();
        fields.set_node("stages", Node::unplaced(Content::Map(stages)));
        self.0.set_node("on_failure", fields.into_node());
        self
    }

    /// Adds a stage to those that undo its work, if it has succeeded and its workflow ends TERMINAL or CANCELED. They
    /// see what it saw and gave, and `workflow.status`.
    pub fn compensate(mut self, stage: Stage) -> Stage {
        self.0.push_entry_inside("compensate", "stages", stage.into_entry());
        self
    }

    /// 0 to 9, larger first; the workflow's unless said otherwise.
    pub fn priority(self, priority: u8) -> Stage {
        self.set("priority", priority)
    }

    /// Once its join has fired, it starts at this moment; at once unless said otherwise.
    pub fn scheduled_time(self, moment: Timestamp) -> Stage {
        self.set("scheduled_time", moment.to_string())
    }

    /// A stage that has not started by then is passed by, and what follows it runs.
    pub fn start_time_expiry(self, moment: Timestamp) -> Stage {
        self.set("start_time_expiry", moment.to_string())
    }

    /// Limit of an activation from its start to its end, all attempts and waiting included, pauses excluded: then what
    /// runs is stopped and the stage fails.
    pub fn deadline(self, limit: impl Into<Duration>) -> Stage {
        self.set("deadline", limit.into().to_string())
    }

    /// A value of the stage's own context.
    pub fn context(mut self, name: impl Into<String>, value: impl Into<Value>) -> Stage {
        self.0.set_value_in("context", name.into(), value);
        self
    }

    /// An output of the stage, over those of its tasks.
    pub fn output(mut self, name: impl Into<String>, value: impl Into<Value>) -> Stage {
        self.0.set_value_in("outputs", name.into(), value);
        self
    }

    /// When it starts; [`Join::And`](crate::Join::And) unless said otherwise.
    pub fn join(mut self, join: impl Into<JoinSpec>) -> Stage {
        self.0.extend(join.into().into_fields());
        self
    }

    /// Where control goes from here; to all stages that need this one unless said otherwise.
    pub fn split(mut self, split: impl Into<StageSplit>) -> Stage {
        let split = match split.into().0 {
            Some(split) => split,
            None => return self.set("split_type", "DEFERRED"),
        };
        self.0.set("split_type", split.split_type);
        self.0.set_node("split_conditions", split.conditions.into_node());
        if let Some(default) = split.default {
            self.0.set("split_default", default);
        }
        if let Some(about) = split.correlation {
            self.0.set("split_correlation", about);
        }
        self
    }

    /// Of the stages of a group, which follow one stage, the first for which something comes is chosen: a signal or the
    /// timer of its trigger, or somebody who claims it. The others are withdrawn.
    pub fn deferred_choice_group(self, name: impl Into<String>) -> Stage {
        self.set("deferred_choice_group", name.into())
    }

    /// Whether it starts again while an activation of it lives; [`Reentry::Parallel`] unless said otherwise.
    pub fn reentry(self, reentry: Reentry) -> Stage {
        self.set("reentry", reentry.name())
    }

    /// What it waits for besides its join, before it starts.
    pub fn trigger(mut self, trigger: impl Into<StageTrigger>) -> Stage {
        let (trigger, max_buffered) = trigger.into().into_parts();
        self.0.set_node("trigger", trigger);
        if let Some(most) = max_buffered {
            self.0.set("max_buffered", most);
        }
        self
    }

    /// So many tokens to each stage that needs this one, each a thread of its own; at least 2.
    pub fn threads(self, count: u32) -> Stage {
        self.set("split_type", "THREAD").set("thread_count", count)
    }

    /// It has several instances.
    pub fn instances<W>(mut self, instances: MultiInstance<W>) -> Stage {
        self.0.set_node("mi_config", instances.into_node());
        self
    }

    /// It has an instance for each item of this list, or of the list that `${{ }}` computes; the item is `item` there.
    pub fn for_each(self, items: impl Into<Value>) -> Stage {
        self.set("for_each", items)
    }

    /// One list more of which each combination of items has an instance; the item is `matrix.NAME` there.
    pub fn matrix(mut self, name: impl Into<String>, items: impl Into<Value>) -> Stage {
        self.0.set_value_in("matrix", name.into(), items);
        self
    }

    /// What an error in a condition means; [`OnConditionError::Fail`] unless said otherwise.
    pub fn on_condition_error(self, meaning: OnConditionError) -> Stage {
        self.set("on_condition_error", meaning.name())
    }

    /// What ends when it has succeeded, before control goes on from it.
    pub fn cancels(self, targets: impl IntoIterator<Item = Cancel>) -> Stage {
        self.set("cancels", Value::list(targets.into_iter().map(Cancel::into_value)))
    }

    /// What ends it from outside while it lives.
    pub fn cancel_on(self, events: impl IntoIterator<Item = CancelOn>) -> Stage {
        self.set("cancel_on", Value::list(events.into_iter().map(CancelOn::into_value)))
    }

    /// The stage to which control goes when it is canceled by a stage, or by a timer or signal of its
    /// `cancel_on`.
    pub fn on_cancelled(self, ref_id: impl Into<String>) -> Stage {
        self.set("on_cancelled", ref_id.into())
    }

    /// What becomes of an attempt under way when the stage is canceled; [`CancelMode::Try`] unless said otherwise.
    pub fn cancel_mode(self, mode: CancelMode) -> Stage {
        let stage = self.set("cancel_mode", mode.name());
        match mode.timeout() {
            Some(timeout) => stage.set("cancel_timeout", timeout.to_string()),
            None => stage,
        }
    }

    /// The regions it lies in.
    pub fn cancel_region<T: Into<String>>(self, names: impl IntoIterator<Item = T>) -> Stage {
        self.set("cancel_region", Value::list(names.into_iter().map(Into::into)))
    }

    /// What its success means for the workflow; [`Ending::None`] unless said otherwise.
    pub fn end(self, ending: Ending) -> Stage {
        self.set("end", ending.name())
    }

    pub(super) fn into_entry(self) -> Entry {
        let ref_id = self.1.clone();
        Entry::unplaced(&ref_id, self.into_node())
    }
}

/// An arc that leads back to a stage, or over which a jump leads to one.
#[derive(Clone, Debug)]
#[must_use]
pub struct BackArc(Node);

impl BackArc {
    /// An arc from, or a jump to, the stage with this ref id, over which at most `most` tokens come in one scope, 1 or
    /// more.
    pub fn at_most(ref_id: impl Into<String>, most: u32) -> BackArc {
        let fields = Fields::new().with("stage", ref_id.into()).with("max_iterations", most);
        BackArc(fields.into_node())
    }
}

impl<T: Into<String>> From<T> for BackArc {
    fn from(ref_id: T) -> BackArc {
        BackArc(node(&Value::from(ref_id.into())))
    }
}

/// Where control goes from a stage, if not to all that need it.
#[derive(Clone, Debug)]
#[must_use]
pub struct Split {
    split_type: &'static str,
    conditions: Fields,
    default: Option<String>,
    correlation: Option<String>,
}

impl Split {
    /// Where a branch leads that ends there.
    pub const END: &'static str = END;

    /// To the first of these stages whose condition holds, tried in this order.
    pub fn xor<T, E>(conditions: impl IntoIterator<Item = (T, E)>) -> Split
    where
        T: Into<String>,
        E: Into<String>,
    {
        Split::of("XOR", conditions)
    }

    /// To every one of these stages whose condition holds, and to those that need this one and have no condition.
    pub fn or<T, E>(conditions: impl IntoIterator<Item = (T, E)>) -> Split
    where
        T: Into<String>,
        E: Into<String>,
    {
        Split::of("OR", conditions)
    }

    /// To that of the stages behind it for which something comes first: a signal or the timer of its trigger, or
    /// somebody who claims it. The others are withdrawn.
    pub fn deferred() -> DeferredSplit {
        DeferredSplit(())
    }

    fn of<T, E>(split_type: &'static str, conditions: impl IntoIterator<Item = (T, E)>) -> Split
    where
        T: Into<String>,
        E: Into<String>,
    {
        let mut fields = Fields::new();
        for (target, condition) in conditions {
            fields.set(&target.into(), condition.into());
        }
        Split { split_type, conditions: fields, default: None, correlation: None }
    }

    /// Where it leads when no condition holds; without it the stage then fails.
    pub fn default(mut self, target: impl Into<String>) -> Split {
        self.default = Some(target.into());
        self
    }

    /// What its conditions are about. `check` takes it that of splits about the same, conditions with the same text
    /// hold alike, or not: else it looks at courses, too, that no data can bring.
    pub fn about(mut self, what: impl Into<String>) -> Split {
        self.correlation = Some(what.into());
        self
    }
}

/// Where control goes from a stage behind which a choice is deferred: it has no conditions.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct DeferredSplit(());

/// Any kind of split; what [`Stage::split`] takes.
#[derive(Clone, Debug)]
#[must_use]
pub struct StageSplit(Option<Split>);

impl From<Split> for StageSplit {
    fn from(split: Split) -> StageSplit {
        StageSplit(Some(split))
    }
}

impl From<DeferredSplit> for StageSplit {
    fn from(_: DeferredSplit) -> StageSplit {
        StageSplit(None)
    }
}
