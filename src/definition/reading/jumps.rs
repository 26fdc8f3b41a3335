//! Reads where the tasks of a stage may send control.

use super::Reader;
use super::cycles::BackDraft;
use super::instances::SEVERAL;
use super::keys::{Fields, JUMP_TARGET};
use crate::definition::JumpMode;
use crate::definition::code::ProblemCode;
use crate::definition::document::Node;

/// Where a stage may jump that names no others.
pub(in crate::definition) const ANY: &str = "any";

impl<'d> Reader<'d> {
    /// `jump_mode`: what jumps do that start here.
    pub(super) fn jump_mode(&mut self, fields: &Fields<'d>) -> JumpMode {
        let mode = fields.get("jump_mode");
        mode.and_then(|node| self.choice(node, "jump_mode", &JumpMode::ALL, JumpMode::name)).unwrap_or_default()
    }

    /// `jump_targets: any`: every stage of the block.
    pub(super) fn jumps_anywhere(&self, fields: &Fields<'d>) -> bool {
        fields.get("jump_targets").and_then(Node::text).is_some_and(|text| text.eq_ignore_ascii_case(ANY))
    }

    /// `jump_targets`: names of stages, or maps with `stage` and `max_iterations`; none where it is `any`.
    pub(super) fn jump_targets(&mut self, fields: &Fields<'d>) -> Vec<BackDraft<'d>> {
        let (node, key) = match (fields.get("jump_targets"), fields.key("jump_targets"), fields.key("jump_mode")) {
            (Some(node), Some(key), _) => (node, key),
            (_, _, Some(mode)) => {
                let help = "write jump_targets: [NAME]";
                self.report_with_help(ProblemCode::MissingKey, &mode.span, "jump_mode without jump_targets", help);
                return Vec::new();
            }
            (_, _, None) => return Vec::new(),
        };
        // What an instance does concerns no other.
        let excluded = ["loop", "sub_workflow"].into_iter().chain(SEVERAL);
        if let Some(other) = excluded.into_iter().find(|other| fields.key(other).is_some()) {
            let message = format!("`jump_targets` beside `{other}`: no task of this stage could jump");
            self.report_with_help(ProblemCode::ConflictingKeys, &key.span, message, "jump from a stage with tasks");
        }
        if self.jumps_anywhere(fields) {
            return Vec::new();
        }
        let items = self.list(node, "jump_targets").unwrap_or_default();
        items.iter().filter_map(|item| self.way(item, &JUMP_TARGET, "a jump needs the stage it leads to")).collect()
    }
}
