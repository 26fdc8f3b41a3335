//! Reads the stages that stand beside the own work of a stage: `before`, `after`, what `on_failure` does first,
//! and what `compensate` does when the workflow ends.

use super::Reader;
use super::keys::{COMPENSATE, Fields, ON_FAILURE};
use super::stage::{Outer, Part};
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

    /// The blocks of a stage with this ref id, in the order of their phases.
    pub(super) fn blocks(
        &mut self,
        fields: &Fields<'d>,
        (ref_id, around): (&str, Outer<'_>),
        body: Option<&'d Node>,
        when_failed: Option<&'d Node>,
    ) -> Vec<Part<'d>> {
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
        let parts = all.into_iter().filter_map(|(phase, node)| Some(Part { phase, node: node?, only: None }));
        let mut parts: Vec<Part<'d>> = parts.collect();
        parts.extend(self.compensation(fields, ref_id, around));
        parts
    }

    /// `compensate`: one stage, which is named by the one it undoes unless it says its ref id, or `stages`.
    fn compensation(&mut self, fields: &Fields<'d>, ref_id: &str, around: Outer<'_>) -> Option<Part<'d>> {
        let (phase, node) = (StagePhase::Compensate, fields.get("compensate")?);
        if around.is_at_the_end {
            let message = "what is done when the workflow ends is not compensated";
            let help = "leave `compensate` out here, or write it of a stage of the workflow itself";
            self.report_with_help(ProblemCode::ConflictingKeys, &node.span, message, help);
            return None;
        }
        let Content::Map(entries) = &node.content else {
            self.wrong_type(node, "compensate is a stage, or { stages: { NAME: .. } }");
            return None;
        };
        let has = |key: &str| entries.iter().any(|entry| entry.key.text == key);
        if has("stages") {
            let node = self.fields(node, &COMPENSATE)?.get("stages")?;
            return Some(Part { phase, node, only: None });
        }
        let name = if has("ref_id") { String::new() } else { format!("{ref_id}-compensate") };
        Some(Part { phase, node, only: Some(name) })
    }
}
