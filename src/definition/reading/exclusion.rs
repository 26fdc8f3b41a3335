//! Reads what holds a stage besides its join: what never runs beside it, `mutex_key`, `interleave` and the
//! `critical_sections` of the workflow, and its milestone.

use super::Reader;
use super::data::Named;
use super::keys::{CRITICAL_SECTION, Fields, INTERLEAVE};
use super::milestone::MilestoneDraft;
use crate::definition::code::ProblemCode;
use crate::definition::document::Node;
use crate::definition::exclusion::InterleaveOrder;

/// The fields of a stage about exclusion and its milestone as they were written.
#[derive(Default)]
pub(in crate::definition) struct ExclusionDraft<'d> {
    /// `mutex_key`.
    pub(in crate::definition) mutex: Option<Named<'d>>,
    /// The group of `interleave`, and what is said of its order.
    pub(in crate::definition) interleave: Option<(Named<'d>, InterleaveOrder)>,
    pub(in crate::definition) milestone: Option<MilestoneDraft<'d>>,
}

/// A section as it was written; the names are not looked up yet.
pub(in crate::definition) struct SectionDraft<'d> {
    /// `mutex_key` of its item.
    pub(in crate::definition) key: Named<'d>,
    /// Its own name.
    pub(in crate::definition) name: Named<'d>,
    /// Its stages.
    pub(in crate::definition) members: Vec<Named<'d>>,
}

impl<'d> Reader<'d> {
    /// Everything a stage says about exclusion and its milestone.
    pub(super) fn exclusion(&mut self, fields: &Fields<'d>) -> ExclusionDraft<'d> {
        let mutex = self.mutex(fields);
        let interleave = fields.get("interleave").and_then(|node| self.interleave(node));
        let has_instances = ["mi_config", "for_each", "matrix"].iter().any(|key| fields.key(key).is_some());
        if let Some(key) = fields.key("interleave").filter(|_| has_instances) {
            let message = "an interleaved stage runs once between the others, and one with instances does not";
            let help = "write mutex_key, which all its instances hold together";
            self.report_with_help(ProblemCode::ConflictingKeys, &key.span, message, help);
        }
        ExclusionDraft { mutex, interleave, milestone: self.milestone(fields) }
    }

    /// `mutex_key` and `mutex_scope` of a stage, or of an item of `critical_sections`.
    fn mutex(&mut self, fields: &Fields<'d>) -> Option<Named<'d>> {
        if let Some(node) = fields.get("mutex_scope") {
            self.choice_so_far(node, "mutex_scope", &["global"], (&["workflow"], |scope| scope));
        }
        if let (None, Some(key)) = (fields.key("mutex_key"), fields.key("mutex_scope")) {
            let help = "write mutex_key: NAME";
            self.report_with_help(ProblemCode::MissingKey, &key.span, "mutex_scope without a mutex_key", help);
        }
        fields.get("mutex_key").and_then(|node| self.lock_name(node, "mutex_key"))
    }

    fn lock_name(&mut self, node: &'d Node, what: &str) -> Option<Named<'d>> {
        let text = self.some_text(node, what)?;
        Some(Named { text, span: &node.span })
    }

    fn interleave(&mut self, node: &'d Node) -> Option<(Named<'d>, InterleaveOrder)> {
        let fields = self.fields(node, &INTERLEAVE)?;
        let order = fields.get("order");
        let order = order.and_then(|node| self.choice(node, "order", &InterleaveOrder::ALL, InterleaveOrder::name));
        let Some(group) = fields.get("group") else {
            let help = "write interleave: { group: NAME }";
            self.report_with_help(ProblemCode::MissingKey, &node.span, "interleave without a group", help);
            return None;
        };
        let group = self.lock_name(group, "the name of a group")?;
        Some((group, order.unwrap_or_default()))
    }

    /// `critical_sections` of the workflow.
    pub(super) fn critical_sections(&mut self, node: &'d Node) -> Vec<SectionDraft<'d>> {
        let mut sections = Vec::new();
        let mut known: Vec<&str> = Vec::new();
        for item in self.list(node, "critical_sections").unwrap_or_default() {
            let Some(fields) = self.fields(item, &CRITICAL_SECTION) else { continue };
            let key = self.mutex(&fields);
            for (missing, help) in
                [("mutex_key", "write mutex_key: NAME"), ("sections", "write sections: { NAME: [STAGE] }")]
            {
                if fields.key(missing).is_none() {
                    let message = format!("critical sections without {missing}");
                    self.report_with_help(ProblemCode::MissingKey, &item.span, message, help);
                }
            }
            if let Some(key) = key.filter(|key| known.contains(&key.text)) {
                let message = format!("`{}` stands twice in critical_sections", key.text);
                let help = "write all sections of a key into one item";
                self.report_with_help(ProblemCode::ConflictingKeys, key.span, message, help);
            }
            known.extend(key.map(|key| key.text));
            let read = fields.get("sections").map(|node| self.sections(node)).unwrap_or_default();
            let read = read.into_iter().filter_map(|(name, members)| Some(SectionDraft { key: key?, name, members }));
            sections.extend(read);
        }
        sections
    }

    fn sections(&mut self, node: &'d Node) -> Vec<(Named<'d>, Vec<Named<'d>>)> {
        let Some(written) = self.map(node, "sections") else { return Vec::new() };
        if written.is_empty() {
            self.report(ProblemCode::BadValue, &node.span, "sections is empty");
        }
        let mut sections = Vec::new();
        for entry in written {
            self.name(&entry.key.text, &entry.key.span, "name of a section");
            let Some(members) = self.references(&entry.value, "a section") else { continue };
            if members.is_empty() && self.list(&entry.value, "a section").is_some_and(<[Node]>::is_empty) {
                self.report(ProblemCode::BadValue, &entry.value.span, "a section without stages");
            }
            sections.push((Named { text: &entry.key.text, span: &entry.key.span }, members));
        }
        sections
    }
}
