//! Reads what a stage says of its instances: `mi_config`, and its short forms `for_each` and `matrix`.

use super::Reader;
use super::data::Named;
use super::keys::{CLOSE_ON, Fields, INSTANCES, MI_ON};
use crate::definition::code::ProblemCode;
use crate::definition::document::{Content, Node, Span};
use crate::definition::instances::{Completion, Emission, Growth, Instances, Outside, Remaining, Source, Withdrawal};
use crate::definition::site::{Site, StageSite};
use crate::limits::INSTANCES_MAX;

/// Stages whose success ends instances from outside, and how.
type EndedBy<'d> = Vec<(Withdrawal, Named<'d>)>;

/// The keys that say that a stage has several instances.
pub(in crate::definition) const SEVERAL: [&str; 3] = ["mi_config", "for_each", "matrix"];

/// The keys that say how many instances there are.
pub(in crate::definition) const SOURCES: [&str; 3] = ["count", "count_from_context", "collection_from_context"];

/// What says when control goes on from instances, and so contradicts that it does not wait for them.
pub(in crate::definition) const BESIDE_WAITING: [&str; 7] = [
    "join_threshold",
    "completion_condition",
    "cancel_remaining",
    "allow_dynamic",
    "cancel_mi_on",
    "complete_mi_on",
    "dynamic_close_on",
];

impl<'d> Reader<'d> {
    /// The instances of the `index`-th stage, if it has several, and the stages whose success ends them.
    pub(super) fn instances(&mut self, fields: &Fields<'d>, index: usize) -> (Option<Box<Instances>>, EndedBy<'d>) {
        let mut ended_by = EndedBy::new();
        (self.several(fields, index, &mut ended_by).map(Box::new), ended_by)
    }

    fn several(&mut self, fields: &Fields<'d>, index: usize, ended_by: &mut EndedBy<'d>) -> Option<Instances> {
        let written: Vec<_> = SEVERAL.into_iter().filter_map(|key| fields.key(key)).collect();
        if let [first, second, ..] = written.as_slice() {
            let message = format!("`{}` beside `{}`", second.text, first.text);
            let help = "each says how many instances there are; for_each and matrix are short for mi_config";
            self.report_with_help(ProblemCode::ConflictingKeys, &second.span, message, help);
        }
        if let Some(node) = fields.get("mi_config") {
            return self.mi_config(node, Site::Stage(index, StageSite::Completion), ended_by);
        }
        let site = Site::Stage(index, StageSite::Instances);
        if let Some(node) = fields.get("for_each") {
            return self.for_each(node, site);
        }
        let node = fields.get("matrix")?;
        self.matrix(node, site)
    }

    /// A list, or text that is computed to one.
    fn for_each(&mut self, node: &'d Node, site: Site) -> Option<Instances> {
        match &node.content {
            Content::List(_) => {}
            Content::Text(text) if text.contains("${{") => {}
            Content::Text(_) => {
                let help = "write a list, or ${{ }} around what is one";
                self.report_with_help(ProblemCode::WrongType, &node.span, "for_each is a list, this is text", help);
                return None;
            }
            _ => {
                self.wrong_type(node, "for_each is a list");
                return None;
            }
        }
        Some(Instances::of(Source::ForEach(self.template(node, site))))
    }

    fn matrix(&mut self, node: &'d Node, site: Site) -> Option<Instances> {
        let entries = self.map(node, "matrix")?;
        if entries.is_empty() {
            let help = "write matrix: { NAME: [ITEM, ITEM] }";
            self.report_with_help(ProblemCode::BadValue, &node.span, "matrix has no lists", help);
            return None;
        }
        let mut axes = Vec::new();
        for entry in entries {
            self.name(&entry.key.text, &entry.key.span, "name of a list of a matrix");
            let list = self.for_each(&entry.value, site)?;
            let Source::ForEach(list) = list.source else { return None };
            axes.push((entry.key.text.clone(), list));
        }
        axes.sort_by(|(one, _), (other, _)| one.cmp(other));
        Some(Instances::of(Source::Matrix(axes)))
    }

    fn mi_config(&mut self, node: &'d Node, site: Site, ended_by: &mut EndedBy<'d>) -> Option<Instances> {
        let fields = self.fields(node, &INSTANCES)?;
        let grows = self.flag(&fields, "allow_dynamic").unwrap_or(false);
        let source = self.source(&fields, grows)?;
        let number = |reader: &mut Self, key, least| {
            fields.get(key).and_then(|node| reader.integer(node, key, least, INSTANCES_MAX))
        };
        let (min, max) = (number(self, "min_instances", 0), number(self, "max_instances", 1));
        let close_when = fields.get("close_when").and_then(|node| self.expression(node, site, "`close_when`"));
        let close_on = fields.get("dynamic_close_on").and_then(|node| self.close_on(node));
        if let Some(node) = fields.get("on_unmet") {
            self.choice_so_far(node, "on_unmet", &["fail"], (&["complete"], |meaning| meaning));
        }
        let emission = fields.get("emit").and_then(|node| self.choice(node, "emit", &Emission::ALL, Emission::name));
        let [cancel_on, complete_on] = Withdrawal::ALL.map(|withdrawal| self.outside(&fields, withdrawal, ended_by));
        let mut instances = Instances {
            sequential: self.flag(&fields, "sequential").unwrap_or(false),
            completion: self.completion(&fields, site),
            rest: if self.flag(&fields, "cancel_remaining") == Some(true) {
                Remaining::Canceled
            } else {
                Remaining::RunsOn
            },
            emission: emission.unwrap_or(Emission::Once),
            growth: grows.then_some(Growth { close_on, close_when }),
            cancel_on,
            complete_on,
            min: min.unwrap_or(0),
            max: max.unwrap_or(INSTANCES_MAX),
            ..Instances::of(source)
        };
        self.check_instances(&fields, &mut instances);
        Some(instances)
    }

    /// `cancel_mi_on` or `complete_mi_on`: a list of what it may be.
    fn outside(&mut self, fields: &Fields<'d>, withdrawal: Withdrawal, ended_by: &mut EndedBy<'d>) -> Outside {
        let (key, mut outside) = (withdrawal.key(), Outside::default());
        let mut seen: Vec<(&str, &str)> = Vec::new();
        let items = fields.get(key).and_then(|node| self.list(node, key)).unwrap_or_default();
        for item in items {
            let Some((what, value)) = self.only_entry(item, &MI_ON) else { continue };
            if what == "timer" {
                if outside.timer.is_some() {
                    let message = format!("two timers in {key}");
                    self.report_with_help(ProblemCode::ConflictingKeys, &item.span, message, "keep the shorter one");
                } else {
                    outside.timer = self.some_duration(value, "timer");
                }
                continue;
            }
            let Some(text) =
                self.text(value, if what == "signal" { "the name of a signal" } else { "the name of a stage" })
            else {
                continue;
            };
            if seen.contains(&(what, text)) {
                let message = format!("`{text}` stands twice in {key}");
                self.report(ProblemCode::DuplicateReference, &item.span, message);
                continue;
            }
            seen.push((what, text));
            if what == "completed" {
                ended_by.push((withdrawal, Named { text, span: &value.span }));
            } else if self.name(text, &value.span, "name of a signal") {
                outside.signals.push(text.to_owned());
            }
        }
        outside
    }

    /// `dynamic_close_on`: the name of a signal.
    fn close_on(&mut self, node: &'d Node) -> Option<String> {
        let (_, value) = self.only_entry(node, &CLOSE_ON)?;
        let name = self.text(value, "the name of a signal")?;
        self.name(name, &value.span, "name of a signal").then(|| name.to_owned())
    }

    /// A signal can do only one thing.
    fn check_signals(&mut self, fields: &Fields<'d>, instances: &Instances) {
        let closing = instances.growth.as_ref().and_then(|growth| growth.close_on.as_ref());
        let (cancels, completes) = (&instances.cancel_on.signals, &instances.complete_on.signals);
        let twice = |key, one: &[String], others: &[&String]| {
            let name = one.iter().find(|name| others.contains(name))?;
            Some((fields.get(key)?, name.clone()))
        };
        let before: Vec<&String> = cancels.iter().collect();
        let all: Vec<&String> = cancels.iter().chain(completes).collect();
        let closes: Vec<String> = closing.into_iter().cloned().collect();
        let found = [twice("complete_mi_on", completes, &before), twice("dynamic_close_on", &closes, &all)];
        for (node, name) in found.into_iter().flatten() {
            let message = format!("the signal `{name}` would do two things");
            self.report_with_help(ProblemCode::ConflictingKeys, &node.span, message, "give one of them another name");
        }
    }

    fn source(&mut self, fields: &Fields<'d>, grows: bool) -> Option<Source> {
        let written: Vec<_> = SOURCES.into_iter().filter_map(|key| fields.key(key)).collect();
        if let [first, second, ..] = written.as_slice() {
            let message = format!("`{}` beside `{}`", second.text, first.text);
            let help = "each says how many instances there are";
            self.report_with_help(ProblemCode::ConflictingKeys, &second.span, message, help);
        }
        if let Some(node) = fields.get("count") {
            return self.integer(node, "count", 1, INSTANCES_MAX).map(Source::Fixed);
        }
        let mut key = |key| fields.get(key).and_then(|node| self.some_text(node, key)).map(str::to_owned);
        if let Some(key) = key("count_from_context") {
            return Some(Source::Count(key));
        }
        if let Some(key) = key("collection_from_context") {
            return Some(Source::Collection(key));
        }
        if written.is_empty() && grows {
            return Some(Source::Fixed(0));
        }
        if written.is_empty() {
            let help = "write count: NUMBER, count_from_context: KEY or collection_from_context: KEY";
            let message = "how many instances there are is not said";
            self.report_with_help(ProblemCode::MissingKey, &fields.node.span, message, help);
        }
        None
    }

    fn completion(&mut self, fields: &Fields<'d>, site: Site) -> Completion {
        let threshold =
            fields.get("join_threshold").and_then(|node| self.integer(node, "join_threshold", 1, INSTANCES_MAX));
        let condition =
            fields.get("completion_condition").and_then(|node| self.expression(node, site, "`completion_condition`"));
        let loose = self.flag(fields, "sync_on_complete") == Some(false);
        let both = ["join_threshold", "completion_condition"].map(|key| fields.key(key));
        if let [Some(_), Some(second)] = both {
            let message = format!("`{}` beside `join_threshold`", second.text);
            let help = "put the number into the condition: done >= NUMBER and ..";
            self.report_with_help(ProblemCode::ConflictingKeys, &second.span, message, help);
        }
        match (loose, threshold, condition) {
            (true, ..) => Completion::Started,
            (false, _, Some(condition)) => Completion::Condition(condition),
            (false, Some(threshold), None) => Completion::Threshold(threshold),
            (false, None, None) => Completion::All,
        }
    }

    /// What contradicts itself, or could only fail.
    fn check_instances(&mut self, fields: &Fields<'d>, instances: &mut Instances) {
        if instances.completion == Completion::Started {
            for key in BESIDE_WAITING {
                self.refuse_beside(fields, key, "sync_on_complete: false", "nobody waits for these instances");
            }
        } else if instances.emission == Emission::PerInstance
            && let Some(node) = fields.get("emit")
        {
            let message = "each instance would emit, and the activation that waits for them, too";
            let help = "add sync_on_complete: false, or leave emit out";
            self.report_with_help(ProblemCode::ConflictingKeys, &node.span, message, help);
        }
        self.check_signals(fields, instances);
        if instances.growth.is_none() {
            for key in ["close_when", "dynamic_close_on"] {
                self.refuse_beside(fields, key, "no allow_dynamic", "no instance can be added");
            }
        }
        if matches!(instances.completion, Completion::All) && instances.rest == Remaining::Canceled {
            let why = "all instances are waited for; add join_threshold or completion_condition";
            self.refuse_beside(fields, "cancel_remaining", "neither of what ends them early", why);
        }
        let span = |key| fields.get(key).map(|node: &Node| &node.span);
        if instances.min > instances.max
            && let Some(span) = span("min_instances").or(span("max_instances"))
        {
            let message = format!("at least {} instances and at most {}", instances.min, instances.max);
            self.report(ProblemCode::CrossedBounds, span, message);
        }
        let Source::Fixed(count) = instances.source else { return };
        let can_grow = instances.growth.is_some();
        let out_of_bounds = count > instances.max || (!can_grow && count < instances.min);
        if out_of_bounds && let Some(span) = span("count") {
            let message = format!("{count} instances, not {} to {}", instances.min, instances.max);
            self.report(ProblemCode::CrossedBounds, span, message);
        }
        let most = if can_grow { instances.max } else { count };
        if let Completion::Threshold(threshold) = instances.completion
            && threshold > most
            && let Some(span) = span("join_threshold")
        {
            self.threshold_too_great(span, threshold, most);
        }
        let is_closed = instances.growth.as_ref().is_none_or(|growth| growth.close_on.is_none());
        if count == 0 && instances.min == 0 && is_closed {
            let message = "no instance to begin with, and none is waited for";
            let help = "add count, or min_instances: 1 or dynamic_close_on to wait for those that are added";
            self.report_with_help(ProblemCode::MissingKey, &fields.node.span, message, help);
        }
    }

    fn threshold_too_great(&mut self, span: &Span, threshold: u32, most: u32) {
        let message = format!("join_threshold is {threshold}, and there are at most {most} instances");
        let help = "it could never be reached; lower it";
        self.report_with_help(ProblemCode::ThresholdTooLarge, span, message, help);
    }

    /// Reports a key that says something; a flag that is false says nothing.
    fn refuse_beside(&mut self, fields: &Fields<'d>, key: &'static str, what: &str, why: &str) {
        let is_flag = ["allow_dynamic", "cancel_remaining"].contains(&key);
        let says = fields.get(key).is_some_and(|node| !is_flag || matches!(node.content, Content::Bool(true)));
        if says && let Some(key) = fields.key(key) {
            let message = format!("`{}` with {what}", key.text);
            self.report_with_help(ProblemCode::ConflictingKeys, &key.span, message, why);
        }
    }

    /// True or false, if it is written.
    pub(super) fn flag(&mut self, fields: &Fields<'d>, key: &'static str) -> Option<bool> {
        let node = fields.get(key)?;
        if let Content::Bool(flag) = node.content {
            return Some(flag);
        }
        self.wrong_type(node, &format!("{key} is true or false"));
        None
    }
}
