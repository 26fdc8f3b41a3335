//! Where an expression stands in a definition, which decides what it can name.

use crate::expression::Reference;

use super::document::{Node, Span};

/// The field an expression stands in. Stages and tasks by their place in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    /// `name` of the workflow, fixed when it is created.
    WorkflowName,
    /// `context` of the workflow, fixed when it is created.
    WorkflowContext,
    /// `env` and `cwd` for the tasks of all stages.
    Defaults,
    /// `outputs` of the workflow.
    WorkflowOutputs,
    /// A field of a stage.
    Stage(usize, StageSite),
    /// A field of a task: its stage, its place in it.
    Task(usize, usize, TaskSite),
}

/// A field of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StageSite {
    /// `if`.
    Condition,
    /// `split_conditions`.
    Split,
    /// `correlate` of the trigger.
    Correlate,
    /// `context`.
    Context,
    /// `outputs`.
    Outputs,
    /// `env` and `cwd` for all its tasks.
    Defaults,
    /// `while` and `until` of its loop.
    Loop,
    /// `for_each` and `matrix`.
    Instances,
    /// `completion_condition` and `close_when`.
    Completion,
}

/// A field of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TaskSite {
    /// `if`.
    Condition,
    /// `run`, `with` and `cwd`.
    Body,
    /// `env`.
    Env,
}

/// An expression and where it stands.
#[derive(Debug)]
pub(super) struct Use<'d> {
    /// The names it uses.
    pub(super) references: Vec<Reference>,
    /// The text it stands in.
    pub(super) node: &'d Node,
    /// Where its own text begins in that.
    pub(super) offset: usize,
    /// The field.
    pub(super) site: Site,
    /// Who sees its value, if a secret must not stand in it though it is computed where work is dispatched.
    pub(super) seen_by: Option<&'static str>,
}

impl Use<'_> {
    /// The place of one of its names.
    pub(super) fn span_of(&self, reference: &Reference, source: &str) -> Span {
        let text = self.node.text().unwrap_or("");
        let range = self.offset + reference.span.start..self.offset + reference.span.end;
        self.node.span_within(source, text, range)
    }
}
