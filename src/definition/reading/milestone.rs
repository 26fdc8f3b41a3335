//! Reads what another stage has to be before a stage starts: `milestone_ref_id` and what belongs to it.

use super::Reader;
use super::data::Named;
use super::keys::Fields;
use crate::definition::code::ProblemCode;
use crate::definition::milestone::{MilestonePolicy, MilestoneStatus};

/// What a milestone has besides the stage that it is about.
pub(in crate::definition) const MILESTONE_FIELDS: [&str; 3] =
    ["milestone_status", "milestone_until", "milestone_policy"];

/// A milestone as it was written; the names are not looked up yet.
#[derive(Clone, Copy)]
pub(in crate::definition) struct MilestoneDraft<'d> {
    pub(in crate::definition) of: Named<'d>,
    pub(in crate::definition) status: MilestoneStatus,
    pub(in crate::definition) until: Option<Named<'d>>,
    pub(in crate::definition) policy: MilestonePolicy,
}

impl<'d> Reader<'d> {
    /// The milestone of a stage.
    pub(super) fn milestone(&mut self, fields: &Fields<'d>) -> Option<MilestoneDraft<'d>> {
        if fields.key("milestone_ref_id").is_none() {
            for key in MILESTONE_FIELDS.iter().filter_map(|key| fields.key(key)) {
                let message = format!("`{}` without a milestone", key.text);
                self.report_with_help(ProblemCode::MissingKey, &key.span, message, "write milestone_ref_id: STAGE");
            }
        }
        let mut named = |key: &'static str| {
            let node = fields.get(key)?;
            Some(Named { text: self.text(node, key)?, span: &node.span })
        };
        let (of, until) = (named("milestone_ref_id"), named("milestone_until"));
        let status = fields
            .get("milestone_status")
            .and_then(|node| self.choice(node, "milestone_status", &MilestoneStatus::ALL, MilestoneStatus::name));
        let policy = fields
            .get("milestone_policy")
            .and_then(|node| self.choice(node, "milestone_policy", &MilestonePolicy::ALL, MilestonePolicy::name));
        if let Some(node) = fields.get("milestone_blocks")
            && self.flag(fields, "milestone_blocks") == Some(true)
        {
            self.report(ProblemCode::NotSupported, &node.span, "milestone_blocks is not supported yet");
        }
        if let (Some(status), Some(key)) = (status.filter(|status| status.lives()), fields.key("milestone_until")) {
            let message = format!("milestone_until, though {} ends by itself", status.name());
            let help = "leave it out, or write milestone_status: REACHED";
            self.report_with_help(ProblemCode::ConflictingKeys, &key.span, message, help);
        }
        if let (Some(MilestoneStatus::Reached), None, Some(node)) =
            (status, fields.key("milestone_until"), fields.get("milestone_status"))
        {
            let help = "write milestone_until: STAGE, or milestone_status: SUCCEEDED";
            let message = "REACHED without the stage that ends it";
            self.report_with_help(ProblemCode::MissingKey, &node.span, message, help);
        }
        let (of, status) = (of?, status.unwrap_or(MilestoneStatus::Succeeded));
        Some(MilestoneDraft { of, status, until, policy: policy.unwrap_or_default() })
    }
}
