//! Reads what is said of the branches before an OR-join.

use super::Reader;
use super::data::Named;
use super::keys::Fields;
use crate::definition::document::Span;
use crate::definition::graph::{Join, OrScope};

/// What only an OR-join has.
pub(in crate::definition) const OR_FIELDS: [&str; 1] = ["or_scope"];
/// What only joins have that may belong to a split.
pub(in crate::definition) const PAIR_FIELDS: [&str; 1] = ["join_pair"];

/// What a stage says of the split before its OR-join.
pub(in crate::definition) struct OrDraft<'d> {
    /// Where it says so.
    pub(in crate::definition) span: &'d Span,
    /// `join_pair`: the split.
    pub(in crate::definition) pair: Option<Named<'d>>,
}

impl<'d> Reader<'d> {
    /// What is known of the branches of an OR-join.
    pub(super) fn or_scope(&mut self, fields: &Fields<'d>, join: Option<Join>) -> OrScope {
        if join.is_some_and(|join| join != Join::Or) {
            self.refuse_fields(fields, &OR_FIELDS, "a join that is no OR-join", "OR");
        }
        let written = fields.get("or_scope");
        let written = written.and_then(|node| self.choice(node, "or_scope", &OrScope::ALL, OrScope::name));
        written.unwrap_or_default()
    }

    /// What is to be checked of the branches of an OR-join; `None` if nothing is said of them.
    pub(super) fn or_branches(&mut self, fields: &Fields<'d>, join: Option<Join>) -> Option<OrDraft<'d>> {
        if join != Some(Join::Or) {
            return None;
        }
        let pair = self.join_pair(fields);
        let span = fields.get("or_scope").or_else(|| fields.get("join_pair")).map(|node| &node.span)?;
        Some(OrDraft { span, pair })
    }

    /// The split that a join says it belongs to.
    pub(super) fn join_pair(&mut self, fields: &Fields<'d>) -> Option<Named<'d>> {
        let node = fields.get("join_pair")?;
        let text = self.text(node, "join_pair")?;
        Some(Named { text, span: &node.span })
    }
}
