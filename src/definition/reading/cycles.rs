//! Reads what leads back: the arcs of circles.

use super::Reader;
use super::data::Named;
use super::keys::{BACK_ARC, Level};
use crate::definition::code::ProblemCode;
use crate::definition::document::{Content, Node};

/// An arc that leads back to a stage, as it was written.
#[derive(Clone, Copy)]
pub(in crate::definition) struct BackDraft<'d> {
    /// Where it comes from.
    pub(in crate::definition) from: Named<'d>,
    /// How many tokens may come this way.
    pub(in crate::definition) max_iterations: Option<u32>,
}

impl<'d> Reader<'d> {
    /// `back_from`: names of stages, or maps with `stage` and `max_iterations`.
    pub(super) fn back_from(&mut self, node: &'d Node) -> Vec<BackDraft<'d>> {
        let items = self.list(node, "back_from").unwrap_or_default();
        let missing = "an arc that leads back needs the stage it comes from";
        items.iter().filter_map(|item| self.way(item, &BACK_ARC, missing)).collect()
    }

    /// The name of a stage, or a map with `stage` and `max_iterations`; `missing` says that the stage is not there.
    pub(super) fn way(&mut self, node: &'d Node, level: &Level, missing: &str) -> Option<BackDraft<'d>> {
        if !matches!(node.content, Content::Map(_)) {
            let text = self.text(node, "the name of a stage")?;
            return Some(BackDraft { from: Named { text, span: &node.span }, max_iterations: None });
        }
        let fields = self.fields(node, level)?;
        let most = fields.get("max_iterations");
        let max_iterations = most.and_then(|node| self.integer(node, "max_iterations", 1, u32::MAX));
        let Some(stage) = fields.get("stage") else {
            self.report_with_help(ProblemCode::MissingKey, &node.span, missing, "write { stage: NAME }");
            return None;
        };
        let text = self.text(stage, "the name of a stage")?;
        Some(BackDraft { from: Named { text, span: &stage.span }, max_iterations })
    }
}
