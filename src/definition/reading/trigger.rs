//! Reads what a stage waits for: `trigger` and `max_buffered`.

use super::Reader;
use super::keys::{Fields, TRIGGER};
use crate::definition::code::ProblemCode;
use crate::definition::document::{Content, Node};
use crate::definition::site::Site;
use crate::definition::trigger::{Durability, SignalTrigger, Trigger, TriggerRole};
use crate::limits::SIGNALS_BUFFERED_MAX;
use crate::time::Duration;

/// What only a trigger by signal has.
pub(in crate::definition) const SIGNAL_FIELDS: [&str; 5] = ["durability", "deliver", "start", "required", "correlate"];

impl<'d> Reader<'d> {
    /// The trigger of a stage; `site` is that of `correlate`.
    pub(super) fn trigger(&mut self, stage: &Fields<'d>, site: Site) -> Option<Box<Trigger>> {
        let max_buffered = stage.get("max_buffered").and_then(|node| {
            let most = u32::try_from(SIGNALS_BUFFERED_MAX).unwrap_or(u32::MAX);
            self.integer(node, "max_buffered", 1, most)
        });
        let trigger = stage.get("trigger").and_then(|node| self.written_trigger(node, site));
        if let Some(key) = stage.key("max_buffered")
            && stage.get("trigger").is_none_or(has_no_signal)
        {
            let help = "write trigger: { signal: NAME }";
            self.report_with_help(ProblemCode::MissingKey, &key.span, "max_buffered without a signal", help);
        }
        if trigger.as_ref().is_some_and(Trigger::starts)
            && let Some(key) = stage.key("needs")
        {
            let message = format!("`{}` beside a trigger that starts the stage", key.text);
            let help = "a stage that each signal starts needs no other; leave out start: true to wait for both";
            self.report_with_help(ProblemCode::ConflictingKeys, &key.span, message, help);
        }
        trigger.map(|trigger| match trigger {
            Trigger::Signal(signal) => Box::new(Trigger::Signal(SignalTrigger { max_buffered, ..signal })),
            Trigger::Timer(_) => Box::new(trigger),
        })
    }

    fn written_trigger(&mut self, node: &'d Node, site: Site) -> Option<Trigger> {
        let fields = self.fields(node, &TRIGGER)?;
        match (fields.key("signal"), fields.key("timer")) {
            (Some(_), Some(timer)) => {
                let help = "wait for one of the two; two stages and a deferred choice wait for whichever comes first";
                self.report_with_help(ProblemCode::ConflictingKeys, &timer.span, "`timer` beside `signal`", help);
            }
            (None, None) => {
                let help = "write signal: NAME or timer: 1h";
                self.report_with_help(ProblemCode::MissingKey, &node.span, "a trigger without signal and timer", help);
            }
            (Some(_), None) | (None, Some(_)) => (),
        }
        let timer = fields.get("timer").and_then(|node| self.timer(node));
        if fields.key("timer").is_some() {
            for key in SIGNAL_FIELDS.iter().filter_map(|key| fields.key(key)) {
                let message = format!("`{}` on a trigger by timer", key.text);
                let help = "it belongs to a trigger by signal";
                self.report_with_help(ProblemCode::ConflictingKeys, &key.span, message, help);
            }
        }
        if let Some(node) = fields.get("deliver") {
            self.choice_so_far(node, "deliver", &["all"], (&["one"], |one| one));
        }
        let (all, name) = (&Durability::ALL, Durability::name);
        let durability = fields.get("durability").and_then(|node| self.choice(node, "durability", all, name));
        let role = self.role(&fields);
        let correlate = fields.get("correlate").and_then(|node| self.expression(node, site, "`correlate`"));
        let signal = fields.get("signal").and_then(|node| {
            let name = self.text(node, "the name of a signal")?;
            self.name(name, &node.span, "name of a signal").then(|| name.to_owned())
        });
        match (signal, timer) {
            (Some(signal), None) => {
                let durability = durability.unwrap_or(Durability::Sender);
                Some(Trigger::Signal(SignalTrigger { signal, durability, correlate, role, max_buffered: None }))
            }
            (None, Some(length)) => Some(Trigger::Timer(length)),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }

    fn role(&mut self, fields: &Fields<'d>) -> TriggerRole {
        let mut flag = |key: &'static str| {
            let node = fields.get(key)?;
            match node.content {
                Content::Bool(value) => Some(value),
                _ => {
                    self.wrong_type(node, &format!("{key} is true or false"));
                    None
                }
            }
        };
        let (start, required) = (flag("start"), flag("required"));
        if start == Some(true) {
            return TriggerRole::Start { required: required.unwrap_or(true) };
        }
        if let Some(key) = fields.key("required") {
            let help = "it says whether a workflow goes on while the trigger can start its stage: write start: true";
            self.report_with_help(ProblemCode::MissingKey, &key.span, "`required` without start: true", help);
        }
        TriggerRole::Gate
    }

    fn timer(&mut self, node: &'d Node) -> Option<Duration> {
        let length = self.duration(node, "timer")?;
        if length == Duration::ZERO {
            self.report(ProblemCode::OutOfRange, &node.span, "a timer of no time waits for nothing");
        }
        Some(length)
    }
}

fn has_no_signal(trigger: &Node) -> bool {
    match &trigger.content {
        Content::Map(entries) => entries.iter().all(|entry| entry.key.text != "signal"),
        _ => true,
    }
}
