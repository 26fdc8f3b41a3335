//! Reads the stages that stand beside the own work of a stage: `before`, `after`, and what `on_failure` does first.

use super::Reader;
use super::keys::{Fields, ON_FAILURE};
use crate::definition::code::ProblemCode;
use crate::definition::document::{Content, Node};
use crate::definition::graph::OnFailure;
use crate::definition::phase::StagePhase;

/// The keys that say that a stage has several instances.
const SEVERAL: [&str; 3] = ["mi_config", "for_each", "matrix"];

impl<'d> Reader<'d> {
    /// What the failure of a stage means, if it says so, and the stages that are done before that.
    pub(super) fn stage_on_failure(&mut self, fields: &Fields<'d>) -> (Option<OnFailure>, Option<&'d Node>) {
        let Some(node) = fields.get("on_failure") else { return (None, None) };
        if !matches!(node.content, Content::Map(_)) {
            return (self.choice(node, "on_failure", &OnFailure::ALL, OnFailure::name), None);
        }
        let Some(inner) = self.fields(node, &ON_FAILURE) else { return (None, None) };
        let stages = inner.get("stages");
        if stages.is_none() {
            let help = "write on_failure: { stages: { NAME: { run: TEXT } }, then: fail }";
            self.report_with_help(ProblemCode::NoStages, &node.span, "on_failure without stages", help);
        }
        let then = inner.get("then").and_then(|node| self.choice(node, "then", &OnFailure::ALL, OnFailure::name));
        (then, stages)
    }

    /// The blocks of a stage, in the order of their phases.
    pub(super) fn blocks(
        &mut self,
        fields: &Fields<'d>,
        body: Option<&'d Node>,
        when_failed: Option<&'d Node>,
    ) -> Vec<(StagePhase, &'d Node)> {
        let beside = [("before", fields.get("before")), ("after", fields.get("after")), ("on_failure", when_failed)];
        let several = SEVERAL.iter().find_map(|key| fields.key(key));
        if let (Some(several), Some((key, node))) =
            (several, beside.iter().find_map(|(key, node)| Some((key, (*node)?))))
        {
            let message = format!("`{key}` with stages beside `{}` is not supported yet", several.text);
            let help = "write them as stages of their own, which this one needs or which need it";
            self.report_with_help(ProblemCode::NotSupported, &node.span, message, help);
        }
        let [before, after, when_failed] = beside.map(|(_, node)| node);
        let all = [
            (StagePhase::Before, before),
            (StagePhase::Body, body),
            (StagePhase::After, after),
            (StagePhase::OnFailure, when_failed),
        ];
        all.into_iter().filter_map(|(phase, node)| Some((phase, node?))).collect()
    }
}
