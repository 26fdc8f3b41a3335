//! Reads what a stage cancels, what cancels it, and what its end means.

use std::collections::BTreeSet;

use super::Reader;
use super::data::Named;
use super::keys::{CANCEL_ON, CANCELS, Fields, Level, REGION};
use super::stage::Outer;
use crate::definition::cancellation::{CancelMode, Ending, RegionEffect, RegionFuture};
use crate::definition::code::ProblemCode;
use crate::definition::document::{Content, Node, Span};
use crate::definition::instances::Withdrawal;
use crate::time::Duration;

/// The fields of a stage about cancellation as they were written; the names are not looked up yet.
#[derive(Default)]
pub(in crate::definition) struct CancellationDraft<'d> {
    pub(in crate::definition) cancels: Vec<TargetDraft<'d>>,
    pub(in crate::definition) timer: Option<Duration>,
    pub(in crate::definition) completed: Vec<Named<'d>>,
    /// Names of signals.
    pub(in crate::definition) signals: Vec<&'d str>,
    pub(in crate::definition) on_cancelled: Option<Named<'d>>,
    /// Whose success ends its instances from outside, and how.
    pub(in crate::definition) instances: Vec<(Withdrawal, Named<'d>)>,
    /// `cancel_region`.
    pub(in crate::definition) regions: Vec<Named<'d>>,
    pub(in crate::definition) ending: Ending,
    pub(in crate::definition) mode: CancelMode,
    /// Where `end` stands.
    pub(in crate::definition) ending_span: Option<&'d Span>,
}

/// What a stage cancels, as it was written.
#[derive(Clone, Copy)]
pub(in crate::definition) enum TargetDraft<'d> {
    Stage(Named<'d>),
    Region(Named<'d>),
    Workflow,
    Instances(Named<'d>, Withdrawal),
}

/// A region of the workflow as it was written.
pub(in crate::definition) struct RegionDraft<'d> {
    pub(in crate::definition) name: Named<'d>,
    pub(in crate::definition) effect: RegionEffect,
    pub(in crate::definition) future: RegionFuture,
}

impl<'d> Reader<'d> {
    /// Everything a stage says about cancellation.
    pub(super) fn cancellation(&mut self, fields: &Fields<'d>) -> CancellationDraft<'d> {
        let mut draft = CancellationDraft::default();
        if let Some(node) = fields.get("cancels") {
            draft.cancels = self.cancels(node);
        }
        if let Some(node) = fields.get("cancel_on") {
            self.cancel_on(node, &mut draft);
        }
        draft.on_cancelled = fields.get("on_cancelled").and_then(|node| {
            let text = self.text(node, "on_cancelled")?;
            Some(Named { text, span: &node.span })
        });
        if let Some(node) = fields.get("cancel_region") {
            draft.regions = self.regions_of(node);
        }
        if let Some(node) = fields.get("end") {
            draft.ending = self.choice(node, "end", &Ending::ALL, Ending::name).unwrap_or_default();
            draft.ending_span = Some(&node.span);
        }
        draft.mode = self.cancel_mode(fields);
        let cancels_workflow = draft.cancels.iter().any(|target| matches!(target, TargetDraft::Workflow));
        if draft.ending == Ending::Terminate
            && cancels_workflow
            && let Some(span) = draft.ending_span
        {
            let message = "a stage whose success is that of the workflow does not cancel the workflow";
            let help = "keep end: terminate, which ends everything else too, or cancels: workflow";
            self.report_with_help(ProblemCode::ConflictingKeys, span, message, help);
        }
        draft
    }

    /// What is done when the workflow ends cannot end it once more.
    pub(super) fn refuse_to_cancel_the_end(
        &mut self,
        fields: &Fields<'d>,
        around: Outer<'_>,
        draft: &CancellationDraft<'d>,
    ) {
        let cancels_workflow =
            around.is_at_the_end && draft.cancels.iter().any(|target| matches!(target, TargetDraft::Workflow));
        if let Some(node) = fields.get("cancels").filter(|_| cancels_workflow) {
            let message = "what is done when the workflow ends does not cancel it";
            let help = "a stage that fails here has failed; in `finally` that fails the workflow, too";
            self.report_with_help(ProblemCode::CrossesBlock, &node.span, message, help);
        }
    }

    /// `cancel_mode`, and `cancel_timeout` where it says how long one waits.
    fn cancel_mode(&mut self, fields: &Fields<'d>) -> CancelMode {
        let written = fields.get("cancel_mode");
        let name = written.and_then(|node| self.choice(node, "cancel_mode", &CancelMode::NAMES, |name| name));
        let limit = fields.get("cancel_timeout");
        let timeout = limit.and_then(|node| self.some_duration(node, "cancel_timeout"));
        let mode = name.and_then(|name| CancelMode::of(name, timeout)).unwrap_or_default();
        let is_known = written.is_none() || name.is_some();
        if let Some(node) = limit.filter(|_| is_known && !mode.waits()) {
            let message = "cancel_timeout says how long to wait, and nobody waits here";
            let help = "add cancel_mode: wait, or leave it out";
            self.report_with_help(ProblemCode::ConflictingKeys, &node.span, message, help);
        }
        mode
    }

    /// `cancels`: a list of what is canceled, or just `workflow`.
    fn cancels(&mut self, node: &'d Node) -> Vec<TargetDraft<'d>> {
        if let Content::Text(_) = &node.content {
            let target = self.choice(node, "cancels", &["workflow"], |word| word);
            return target.map(|_| TargetDraft::Workflow).into_iter().collect();
        }
        let mut targets = Vec::new();
        let mut seen = BTreeSet::new();
        for item in self.list(node, "cancels").unwrap_or_default() {
            let Some((key, value)) = self.only_entry(item, &CANCELS) else { continue };
            let (name, target) = match key {
                "stage" => {
                    let Some(text) = self.text(value, "the name of a stage") else { continue };
                    (text, TargetDraft::Stage(Named { text, span: &value.span }))
                }
                "region" => {
                    let Some(text) = self.text(value, "the name of a region") else { continue };
                    (text, TargetDraft::Region(Named { text, span: &value.span }))
                }
                "mi" | "complete_mi" => {
                    let Some(text) = self.text(value, "the name of a stage") else { continue };
                    let withdrawal = if key == "mi" { Withdrawal::Cancel } else { Withdrawal::Complete };
                    (text, TargetDraft::Instances(Named { text, span: &value.span }, withdrawal))
                }
                _ if matches!(value.content, Content::Bool(true)) => ("", TargetDraft::Workflow),
                _ => {
                    let help = "write workflow: true, or leave it out";
                    self.report_with_help(ProblemCode::BadValue, &value.span, "workflow can only be true", help);
                    continue;
                }
            };
            if seen.insert((key, name)) {
                targets.push(target);
            } else {
                let message = "this stands twice in cancels";
                self.report(ProblemCode::DuplicateReference, &item.span, message);
            }
        }
        targets
    }

    /// `cancel_region`: a name or a list of names.
    fn regions_of(&mut self, node: &'d Node) -> Vec<Named<'d>> {
        let items = match &node.content {
            Content::Text(_) => std::slice::from_ref(node),
            _ => self.list(node, "cancel_region").unwrap_or_default(),
        };
        let mut regions: Vec<Named<'d>> = Vec::new();
        for item in items {
            let Some(text) = self.text(item, "the name of a region") else { continue };
            if regions.iter().any(|known| known.text == text) {
                let message = format!("`{text}` stands twice in cancel_region");
                self.report(ProblemCode::DuplicateReference, &item.span, message);
            } else if self.name(text, &item.span, "name of a region") {
                regions.push(Named { text, span: &item.span });
            }
        }
        regions
    }

    /// `regions` of the workflow.
    pub(super) fn regions(&mut self, node: &'d Node) -> Vec<RegionDraft<'d>> {
        let mut regions = Vec::new();
        for entry in self.map(node, "regions").unwrap_or_default() {
            self.name(&entry.key.text, &entry.key.span, "name of a region");
            let Some(fields) = self.fields(&entry.value, &REGION) else { continue };
            let effect = fields.get("effect");
            let effect = effect.and_then(|node| self.choice(node, "effect", &RegionEffect::ALL, RegionEffect::name));
            let future = fields.get("future");
            let future = future.and_then(|node| self.choice(node, "future", &RegionFuture::ALL, RegionFuture::name));
            let (effect, future) = (effect.unwrap_or_default(), future.unwrap_or_default());
            regions.push(RegionDraft { name: Named { text: &entry.key.text, span: &entry.key.span }, effect, future });
        }
        regions
    }

    fn cancel_on(&mut self, node: &'d Node, draft: &mut CancellationDraft<'d>) {
        for item in self.list(node, "cancel_on").unwrap_or_default() {
            let Some((key, value)) = self.only_entry(item, &CANCEL_ON) else { continue };
            match key {
                "completed" => {
                    let Some(text) = self.text(value, "the name of a stage") else { continue };
                    if draft.completed.iter().any(|known| known.text == text) {
                        let message = format!("`{text}` stands twice in cancel_on");
                        self.report(ProblemCode::DuplicateReference, &item.span, message);
                    } else {
                        draft.completed.push(Named { text, span: &value.span });
                    }
                }
                "signal" => {
                    let Some(text) = self.text(value, "the name of a signal") else { continue };
                    if draft.signals.contains(&text) {
                        let message = format!("signal `{text}` stands twice in cancel_on");
                        self.report(ProblemCode::DuplicateReference, &item.span, message);
                    } else if self.name(text, &value.span, "name of a signal") {
                        draft.signals.push(text);
                    }
                }
                _ if draft.timer.is_some() => {
                    let help = "keep the shorter one";
                    self.report_with_help(ProblemCode::ConflictingKeys, &item.span, "two timers in cancel_on", help);
                }
                _ => draft.timer = self.some_duration(value, "timer"),
            }
        }
    }

    /// A length of time that is not zero.
    pub(super) fn some_duration(&mut self, node: &'d Node, what: &str) -> Option<Duration> {
        let duration = self.duration(node, what)?;
        if duration == Duration::ZERO {
            self.report(ProblemCode::OutOfRange, &node.span, format!("a {what} of no time leaves none for any work"));
        }
        Some(duration)
    }

    /// The one entry of a map of this level.
    pub(super) fn only_entry(&mut self, node: &'d Node, level: &Level) -> Option<(&'static str, &'d Node)> {
        let known = self.problems.len();
        let fields = self.fields(node, level)?;
        let mut entries = fields.entries();
        let first = entries.next();
        if entries.next().is_some() {
            let help = "write an item for each";
            self.report_with_help(ProblemCode::ConflictingKeys, &node.span, "two keys in one item", help);
            return None;
        }
        if first.is_none() && self.problems.len() == known {
            let message = format!("{} is empty", level.what());
            self.report_with_help(ProblemCode::MissingKey, &node.span, message, level.listed());
        }
        first
    }
}
