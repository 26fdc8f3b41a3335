//! Reads `loop`: when and what it asks, how often at most, and the stages of its block.

use super::Reader;
use super::keys::{Fields, LOOP};
use crate::definition::body::{Body, Loop, LoopCondition, LoopTest};
use crate::definition::code::ProblemCode;
use crate::definition::document::Node;
use crate::definition::site::{Site, StageSite};

/// The type of a stage that is a loop, for people.
pub(super) const LOOP_TYPE: &str = "loop";

/// The keys that say what a stage does in another way than `loop`.
pub(in crate::definition) const WORK_FIELDS: [&str; 5] = ["run", "uses", "with", "tasks", "sub_workflow"];

impl<'d> Reader<'d> {
    /// What a stage does if not its tasks, and the node of the stages in its block. A loop that is broken counts as
    /// none; its block is read all the same.
    pub(super) fn looping(&mut self, fields: &Fields<'d>, stage: usize) -> (Body, Option<&'d Node>) {
        let Some(node) = fields.get("loop") else { return (Body::Tasks, None) };
        for key in WORK_FIELDS.iter().filter_map(|key| fields.key(key)) {
            let message = format!("`{}` beside `loop`", key.text);
            let help = "put it into a stage of the loop";
            self.report_with_help(ProblemCode::ConflictingKeys, &key.span, message, help);
        }
        let Some(fields) = self.fields(node, &LOOP) else { return (Body::Tasks, None) };
        let test =
            fields.get("test").and_then(|node| self.choice(node, "test of a loop", &LoopTest::ALL, LoopTest::name));
        let site = Site::Stage(stage, StageSite::Loop);
        let mut condition = |key| fields.get(key).and_then(|node| self.expression(node, site, key));
        let condition = match (condition("while"), condition("until")) {
            (Some(holds), _) => Some(LoopCondition::While(holds)),
            (None, until) => until.map(LoopCondition::Until),
        };
        match (fields.key("while"), fields.key("until")) {
            (Some(_), Some(key)) => {
                let message = "`until` beside `while`: a loop asks one thing";
                self.report(ProblemCode::ConflictingKeys, &key.span, message);
            }
            (None, None) => {
                let help = "write while: EXPRESSION, or until: EXPRESSION";
                self.report_with_help(ProblemCode::MissingKey, &node.span, "a loop that never asks", help);
            }
            (Some(_), None) | (None, Some(_)) => {}
        }
        let max_iterations =
            fields.get("max_iterations").and_then(|node| self.integer(node, "max_iterations", 1, u32::MAX));
        let stages = fields.get("stages");
        if stages.is_none() {
            let help = "write stages: { NAME: { run: TEXT } }";
            self.report_with_help(ProblemCode::NoStages, &node.span, "a loop without stages", help);
        }
        let body = condition.map_or(Body::Tasks, |condition| {
            Body::Loop(Box::new(Loop { test: test.unwrap_or(LoopTest::Pre), condition, max_iterations }))
        });
        (body, stages)
    }
}
