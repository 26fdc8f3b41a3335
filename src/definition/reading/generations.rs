//! Reads the fields of joins that count arrivals, and of splits into threads and their merges.
//!
//! Which branches a join has, and whether they fit, only the whole shows: see `check::generations`.

use super::Reader;
use super::data::Named;
use super::keys::Fields;
use super::synchronizing::PAIR_FIELDS;
use crate::definition::code::ProblemCode;
use crate::definition::document::{Content, Node, Span};
use crate::definition::generations::{JoinMode, OnUnreachable, ResetOn};
use crate::definition::graph::Join;
use crate::limits::{LISTED_MAX, TOKENS_MAX};

/// What only a join that counts arrivals has.
pub(in crate::definition) const GENERATION_FIELDS: [&str; 3] = ["join_mode", "reset_on", "join_cancel_scope"];
/// What only such a join with a threshold has.
pub(in crate::definition) const THRESHOLD_FIELDS: [&str; 2] = ["join_threshold", "on_unreachable"];
/// What only a merge of threads has.
pub(in crate::definition) const MERGE_FIELDS: [&str; 2] = ["merge_count", "merge_group"];
/// Where the stages of a scope are those between the split and the join.
pub(in crate::definition) const UPSTREAM: &str = "upstream";

/// The fields of a join that counts arrivals, as they were written.
pub(in crate::definition) struct GenerationsDraft<'d> {
    /// Arrivals that fire it, and where that stands.
    pub(in crate::definition) threshold: (u32, &'d Span),
    /// `None` where it is not written.
    pub(in crate::definition) mode: Option<(JoinMode, &'d Span)>,
    pub(in crate::definition) pair: Option<Named<'d>>,
    pub(in crate::definition) reset_on: Option<(ResetOn, &'d Span)>,
    pub(in crate::definition) on_unreachable: OnUnreachable,
    pub(in crate::definition) scope: Option<(ScopeDraft<'d>, &'d Span)>,
}

/// What a cancelling join withdraws.
pub(in crate::definition) enum ScopeDraft<'d> {
    /// All between the split and the join.
    Upstream,
    /// These stages.
    Stages(Vec<Named<'d>>),
    /// The stages that lie in this region.
    Region(Named<'d>),
}

impl<'d> Reader<'d> {
    /// What a discriminator or a partial join says besides its type; `span` is where the type stands. Of a type that
    /// is broken or not supported yet, the other fields are read as if they fitted.
    pub(super) fn generations(
        &mut self,
        fields: &Fields<'d>,
        join: Option<Join>,
        span: &'d Span,
    ) -> Option<GenerationsDraft<'d>> {
        let counts = matches!(join, Some(Join::Discriminator | Join::NOfM));
        if !counts && join.is_some() {
            self.refuse_fields(fields, &GENERATION_FIELDS, "a join that counts no arrivals", "N_OF_M");
            if join != Some(Join::Or) {
                self.refuse_fields(fields, &PAIR_FIELDS, "a join that belongs to no split", "N_OF_M, or OR");
            }
        }
        if join.is_some_and(|join| join != Join::NOfM) {
            self.refuse_fields(fields, &THRESHOLD_FIELDS, "a join without a threshold", "N_OF_M");
        }
        let threshold = self.threshold(fields, join, span);
        let mode = self.word(fields, "join_mode", (&JoinMode::ALL, JoinMode::name));
        let reset_on = self.word(fields, "reset_on", (&ResetOn::ALL, ResetOn::name));
        let pair = if join == Some(Join::Or) { None } else { self.join_pair(fields) };
        let on_unreachable = self.word(fields, "on_unreachable", (&OnUnreachable::ALL, OnUnreachable::name));
        let scope = fields.get("join_cancel_scope").and_then(|node| Some((self.cancel_scope(node)?, &node.span)));
        if counts {
            self.refuse_contradictions(fields, mode.map(|(mode, _)| mode), reset_on.map(|(reset_on, _)| reset_on));
        }
        counts.then(|| GenerationsDraft {
            threshold,
            mode,
            pair,
            reset_on,
            on_unreachable: on_unreachable.map_or(OnUnreachable::Fail, |(meaning, _)| meaning),
            scope,
        })
    }

    /// How many threads a merge makes one.
    pub(super) fn merge_count(&mut self, fields: &Fields<'d>, join: Option<Join>, span: &'d Span) -> Option<u32> {
        let merges = join == Some(Join::ThreadMerge);
        if !merges && join.is_some() {
            self.refuse_fields(fields, &MERGE_FIELDS, "a join that merges no threads", "THREAD_MERGE");
        }
        if let Some(node) = fields.get("merge_group") {
            let groups: (&[&'static str], fn(&'static str) -> &'static str) = (&["innermost"], |group| group);
            self.choice_so_far(node, "merge_group", &["any"], groups);
        }
        let count = match fields.get("merge_count") {
            Some(node) => self.integer(node, "merge_count", 2, u32::MAX),
            None if merges => {
                let help = "write merge_count: how many threads become one";
                self.report_with_help(ProblemCode::MissingKey, span, "THREAD_MERGE needs its merge_count", help);
                None
            }
            None => None,
        };
        merges.then(|| count.unwrap_or(2))
    }

    /// How many threads a split makes of each arc; `is_thread` is not known where the type of the split is broken.
    pub(super) fn thread_count(&mut self, fields: &Fields<'d>, is_thread: Option<bool>, span: &'d Span) -> u32 {
        if let (Some(false), Some(key)) = (is_thread, fields.key("thread_count")) {
            let message = "`thread_count` on a split that makes no threads";
            let help = "add split_type: THREAD, or leave it out";
            self.report_with_help(ProblemCode::SplitFieldWithoutSplit, &key.span, message, help);
        }
        let most = u32::try_from(TOKENS_MAX).unwrap_or(u32::MAX);
        let count = match fields.get("thread_count") {
            Some(node) => self.integer(node, "thread_count", 2, most),
            None if is_thread == Some(true) => {
                let help = "write thread_count: how many threads begin on each arc";
                self.report_with_help(ProblemCode::MissingKey, span, "THREAD needs its thread_count", help);
                None
            }
            None => None,
        };
        count.unwrap_or(2)
    }

    fn threshold(&mut self, fields: &Fields<'d>, join: Option<Join>, span: &'d Span) -> (u32, &'d Span) {
        match fields.get("join_threshold") {
            Some(node) if matches!(node.content, Content::Text(_)) => {
                let message = "an expression as `join_threshold` is not supported yet";
                let help = "write a whole number";
                self.report_with_help(ProblemCode::NotSupported, &node.span, message, help);
                (1, &node.span)
            }
            Some(node) => (self.integer(node, "join_threshold", 1, u32::MAX).unwrap_or(1), &node.span),
            None => {
                if join == Some(Join::NOfM) {
                    let help = "write join_threshold: how many arrivals start the stage";
                    self.report_with_help(ProblemCode::MissingKey, span, "N_OF_M needs its join_threshold", help);
                }
                (1, span)
            }
        }
    }

    fn word<T: Copy>(
        &mut self,
        fields: &Fields<'d>,
        key: &'static str,
        (values, name): (&[T], fn(T) -> &'static str),
    ) -> Option<(T, &'d Span)> {
        let node = fields.get(key)?;
        Some((self.choice(node, key, values, name)?, &node.span))
    }

    fn cancel_scope(&mut self, node: &'d Node) -> Option<ScopeDraft<'d>> {
        let Content::Map(entries) = &node.content else {
            let text = self.text(node, "join_cancel_scope")?;
            if text.eq_ignore_ascii_case(UPSTREAM) {
                return Some(ScopeDraft::Upstream);
            }
            let help = "it is upstream, { stages: [..] } or { region: NAME }";
            self.report_with_help(ProblemCode::BadValue, &node.span, "this is no join_cancel_scope", help);
            return None;
        };
        let [entry] = entries.as_slice() else {
            let help = "write { stages: [..] } or { region: NAME }";
            self.report_with_help(ProblemCode::BadValue, &node.span, "a join_cancel_scope has one key", help);
            return None;
        };
        match entry.key.text.as_str() {
            "stages" => self.references(&entry.value, "stages").map(ScopeDraft::Stages),
            "region" => {
                let text = self.text(&entry.value, "the name of a region")?;
                Some(ScopeDraft::Region(Named { text, span: &entry.value.span }))
            }
            other => {
                let shown: String = other.chars().take(80).collect();
                let message = format!("unknown key `{shown}` in join_cancel_scope");
                let help = "it has the keys stages and region";
                self.report_with_help(ProblemCode::UnknownKey, &entry.key.span, message, help);
                None
            }
        }
    }

    /// What cannot be written together, whatever the arcs are.
    fn refuse_contradictions(&mut self, fields: &Fields<'d>, mode: Option<JoinMode>, reset_on: Option<ResetOn>) {
        if let (Some(key), true) = (fields.key("join_cancel_scope"), mode != Some(JoinMode::Cancelling)) {
            let message = "only a cancelling join has a join_cancel_scope";
            self.report_with_help(ProblemCode::ConflictingKeys, &key.span, message, "add join_mode: cancelling");
        }
        let Some(key) = fields.key("reset_on") else { return };
        match (mode, reset_on) {
            (Some(JoinMode::Cancelling), _) => {
                let message = "a cancelling join starts over at once";
                self.report_with_help(ProblemCode::ConflictingKeys, &key.span, message, "leave reset_on out");
            }
            (Some(JoinMode::Structured), Some(ResetOn::Active)) => {
                let message = "`reset_on: active` outside blocking joins is not supported yet";
                self.report_with_help(ProblemCode::NotSupported, &key.span, message, "write join_mode: blocking");
            }
            (_, _) => {}
        }
    }

    /// These fields stand where the join has no use for them.
    pub(super) fn refuse_fields(&mut self, fields: &Fields<'d>, keys: &[&'static str], what: &str, join: &str) {
        for key in keys.iter().filter_map(|key| fields.key(key)) {
            let message = format!("`{}` on {what}", key.text);
            let help = format!("add join_type: {join}, or leave it out");
            self.report_with_help(ProblemCode::JoinFieldWithoutJoin, &key.span, message, help);
        }
    }
}

/// More arcs than such a join may have: events list them.
pub(in crate::definition) const ARCS_COUNTED_MAX: usize = LISTED_MAX;
