//! Reads what a stage says of the workflow that is its work.

use super::Reader;
use super::keys::{Fields, SUB_WORKFLOW as LEVEL};
use super::suggestion::closest;
use super::task::{Inherited, noop};
use crate::definition::code::ProblemCode;
use crate::definition::document::Node;
use crate::definition::graph::GraphTask;
use crate::definition::site::{Site, StageSite, TaskSite};
use crate::definition::sub_workflow::{Called, MAX_DEPTH, OWN, OnParentCancel, SUB_WORKFLOW, SubWorkflow};
use crate::limits::CALL_DEPTH_MAX;

impl<'d> Reader<'d> {
    /// `sub_workflow`, and the task that stands for it.
    pub(super) fn sub_workflow(
        &mut self,
        fields: &Fields<'d>,
        stage: usize,
        inherited: &Inherited,
    ) -> Option<(Box<SubWorkflow>, GraphTask)> {
        let node = fields.get("sub_workflow")?;
        for key in ["run", "uses", "with", "tasks"] {
            if let Some(key) = fields.key(key) {
                let message = format!("`{}` beside `sub_workflow`", key.text);
                let help = "a stage does one or the other: give one of the two a stage of its own";
                self.report_with_help(ProblemCode::ConflictingKeys, &key.span, message, help);
            }
        }
        let task = GraphTask { name: SUB_WORKFLOW.to_owned(), uses: SUB_WORKFLOW.to_owned(), ..noop(inherited) };
        let own = self.fields(node, &LEVEL)?;
        let definition = match own.get("definition") {
            Some(node) => self.called(node),
            None => {
                let help = "write definition: NAME, $self or ./FILE.yaml";
                self.report_with_help(ProblemCode::MissingKey, &node.span, "which definition is not said", help);
                None
            }
        };
        let before = self.uses.len();
        let input = own.get("input").map(|node| self.templates(node, Site::Task(stage, 0, TaskSite::Body), "input"));
        self.open_uses(before, "the log, which holds the inputs of workflows");
        let output = own.get("output").map(|node| self.outputs(node, Site::Stage(stage, StageSite::Outputs)));
        let max_depth = own.get("max_depth").and_then(|node| self.integer(node, "max_depth", 1, CALL_DEPTH_MAX));
        let on_parent_cancel = own
            .get("on_parent_cancel")
            .and_then(|node| self.choice(node, "on_parent_cancel", &OnParentCancel::ALL, OnParentCancel::name));
        let sub_workflow = SubWorkflow {
            definition: definition?,
            input: input.unwrap_or_default().into_iter().collect(),
            output,
            max_depth: max_depth.unwrap_or(MAX_DEPTH),
            on_parent_cancel: on_parent_cancel.unwrap_or_default(),
        };
        Some((Box::new(sub_workflow), task))
    }

    fn called(&mut self, node: &'d Node) -> Option<Called> {
        let text = self.some_text(node, "the definition of a sub_workflow")?;
        if text == OWN {
            return Some(Called::Own);
        }
        if is_file(text) {
            return self.file(node, text);
        }
        if self.definitions.contains(&text) {
            return Some(Called::Member(text.to_owned()));
        }
        let hint = match closest(text, self.definitions.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "write it under `definitions:` at the top: definitions: {{ {text}: {{ name: .., stages: .. }} }}"
            ),
        };
        let message = format!("there is no definition `{text}` in this document");
        self.report_with_help(ProblemCode::UnknownDefinition, &node.span, message, hint);
        None
    }

    fn file(&mut self, node: &'d Node, text: &str) -> Option<Called> {
        let Some(files) = self.files else {
            let message = "a file is called from a definition that was not read from a file";
            let help = "write it under `definitions:` instead";
            self.report_with_help(ProblemCode::BadDefinitionFile, &node.span, message, help);
            return None;
        };
        match files(text) {
            Ok(definition) => Some(Called::Embedded(definition)),
            Err(reason) => {
                self.report(ProblemCode::BadDefinitionFile, &node.span, format!("`{text}`: {reason}"));
                None
            }
        }
    }
}

/// Is this the name of a file, and not of a definition?
fn is_file(text: &str) -> bool {
    let ends = [".yaml", ".yml", ".json"].iter().any(|ending| text.to_ascii_lowercase().ends_with(ending));
    ends || text.contains('/')
}
