//! Reads the data of fields: numbers, choices, lengths of time, lists of names, templates.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::Fields;
use super::{Reader, closest};
use crate::definition::code::ProblemCode;
use crate::definition::document::{Content, Entry, Node, Span};
use crate::definition::shell_text::{ShellText, ShellTextError};
use crate::definition::site::{Site, Use};
use crate::definition::template::{Piece, RawPiece, Template, split};
use crate::definition::times::Times;
use crate::limits::PROBLEMS_PER_TEXT_MAX;
use crate::time::{Duration, Timestamp};
use crate::value::Value;

/// A name in the document and where it stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::definition) struct Named<'d> {
    pub(in crate::definition) text: &'d str,
    pub(in crate::definition) span: &'d Span,
}

impl<'d> Reader<'d> {
    /// A whole number from `least` to `most`.
    pub(super) fn integer(&mut self, node: &'d Node, what: &str, least: u32, most: u32) -> Option<u32> {
        let Content::Number(Value::Integer(number)) = &node.content else {
            self.wrong_type(node, &format!("{what} is a whole number"));
            return None;
        };
        let fits = u32::try_from(*number).ok().filter(|number| (least..=most).contains(number));
        if fits.is_none() {
            let message = format!("{what} is {number}, not a number from {least} to {most}");
            self.report(ProblemCode::OutOfRange, &node.span, message);
        }
        fits
    }

    /// A number in thousandths, from `least` to `most` thousandths.
    pub(super) fn thousandths(&mut self, node: &'d Node, what: &str, least: u64, most: u64) -> Option<u64> {
        let Content::Number(value) = &node.content else {
            self.wrong_type(node, &format!("{what} is a number"));
            return None;
        };
        let thousandths = value.as_f64().unwrap_or(-1.0) * 1_000.0;
        // Only numbers that are thousandths but for rounding: the machine computes with integers.
        let exact = (thousandths - thousandths.round()).abs() < 1e-6;
        let fits = (least as f64..=most as f64).contains(&thousandths.round());
        if exact && fits {
            return Some(thousandths.round() as u64);
        }
        let (from, to) = (least as f64 / 1_000.0, most as f64 / 1_000.0);
        let message = format!("{what} is {value}, not a number from {from} to {to} with at most 3 decimals");
        self.report(ProblemCode::OutOfRange, &node.span, message);
        None
    }

    /// One of these values, by its name in any case.
    pub(super) fn choice<T: Copy>(
        &mut self,
        node: &'d Node,
        what: &str,
        values: &[T],
        name: fn(T) -> &'static str,
    ) -> Option<T> {
        let text = self.text(node, what)?;
        if let Some(choice) = values.iter().copied().find(|value| name(*value).eq_ignore_ascii_case(text)) {
            return Some(choice);
        }
        let names = || values.iter().copied().map(name);
        let help = match closest(text, names()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("it is one of {}", names().collect::<Vec<_>>().join(", ")),
        };
        let shown: String = text.chars().take(80).collect();
        self.report_with_help(ProblemCode::BadValue, &node.span, format!("`{shown}` is no {what}"), help);
        None
    }

    /// As [`Reader::choice`], and a value that the language has and this version does not do yet is reported as such.
    pub(super) fn choice_so_far<T: Copy>(
        &mut self,
        node: &'d Node,
        what: &str,
        later: &[&'static str],
        (values, name): (&[T], fn(T) -> &'static str),
    ) -> Option<T> {
        let written = node.text().unwrap_or("");
        let Some(later) = later.iter().find(|later| later.eq_ignore_ascii_case(written)) else {
            return self.choice(node, what, values, name);
        };
        self.report(ProblemCode::NotSupported, &node.span, format!("{what} `{later}` is not supported yet"));
        None
    }

    /// A length of time with units.
    pub(super) fn duration(&mut self, node: &'d Node, what: &str) -> Option<Duration> {
        if let Content::Number(number) = &node.content {
            let message = format!("{what} has no unit");
            let help = format!("write {number}s for seconds, {number}ms for milliseconds");
            self.report_with_help(ProblemCode::BareNumberDuration, &node.span, message, help);
            return None;
        }
        let text = self.text(node, what)?;
        let bare = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(duration) => return Some(duration),
            Err(_) if bare => {
                let help = format!("write {text}s for seconds, {text}ms for milliseconds");
                let message = format!("{what} has no unit");
                self.report_with_help(ProblemCode::BareNumberDuration, &node.span, message, help);
            }
            Err(error) => self.report(ProblemCode::BadDuration, &node.span, error.to_string()),
        }
        None
    }

    /// A moment in RFC 3339.
    pub(super) fn instant(&mut self, node: &'d Node, what: &str) -> Option<Timestamp> {
        let text = self.text(node, what)?;
        text.parse().map_err(|error| self.report(ProblemCode::BadInstant, &node.span, format!("{error}"))).ok()
    }

    /// `scheduled_time`, `start_time_expiry` and `deadline` of a workflow or stage.
    pub(super) fn times(&mut self, fields: &Fields<'d>) -> Times {
        let mut instant = |key| fields.get(key).and_then(|node| self.instant(node, key));
        let (scheduled_time, start_time_expiry) = (instant("scheduled_time"), instant("start_time_expiry"));
        let deadline = fields.get("deadline").and_then(|node| {
            let deadline = self.duration(node, "deadline")?;
            if deadline == Duration::ZERO {
                self.report(ProblemCode::OutOfRange, &node.span, "a deadline of no time leaves none for any work");
            }
            Some(deadline)
        });
        Times { scheduled_time, start_time_expiry, deadline }
    }

    /// The items of a list.
    pub(super) fn list(&mut self, node: &'d Node, what: &str) -> Option<&'d [Node]> {
        match &node.content {
            Content::List(items) => Some(items),
            Content::Text(text) => {
                self.report_with_help(
                    ProblemCode::WrongType,
                    &node.span,
                    format!("{what} is a list, this is text"),
                    format!("write it as a list of one: [{}]", text.trim()),
                );
                None
            }
            Content::Null | Content::Bool(_) | Content::Number(_) | Content::Map(_) | Content::Broken => {
                self.wrong_type(node, &format!("{what} is a list"));
                None
            }
        }
    }

    /// The entries of a map.
    pub(super) fn map(&mut self, node: &'d Node, what: &str) -> Option<&'d [Entry]> {
        if let Content::Map(entries) = &node.content {
            return Some(entries);
        }
        self.wrong_type(node, &format!("{what} is a map"));
        None
    }

    /// A list of names of stages, none twice.
    pub(super) fn references(&mut self, node: &'d Node, what: &str) -> Option<Vec<Named<'d>>> {
        let mut names: Vec<Named<'d>> = Vec::new();
        let mut seen = BTreeSet::new();
        for item in self.list(node, what)? {
            let Some(text) = self.text(item, "the name of a stage") else { continue };
            if seen.insert(text) {
                names.push(Named { text, span: &item.span });
            } else {
                let message = format!("`{text}` stands twice in {what}");
                self.report(ProblemCode::DuplicateReference, &item.span, message);
            }
        }
        Some(names)
    }

    /// A value with `${{ }}` in its texts, at any depth.
    pub(super) fn template(&mut self, node: &'d Node, site: Site) -> Template {
        match &node.content {
            Content::Null | Content::Broken => Template::Constant(Value::Null),
            Content::Bool(value) => Template::Constant(Value::Bool(*value)),
            Content::Number(number) => Template::Constant(number.clone()),
            Content::Text(text) => self.template_text(node, text, site),
            Content::List(items) => Template::of_items(items.iter().map(|item| self.template(item, site)).collect()),
            Content::Map(entries) => Template::of_entries(self.entries(entries, site)),
        }
    }

    /// A template of whose value more is told than to the task itself: no secret may stand in it.
    pub(super) fn open_template(&mut self, node: &'d Node, site: Site, seen_by: &'static str) -> Template {
        let before = self.uses.len();
        let template = self.template(node, site);
        self.open_uses(before, seen_by);
        template
    }

    /// No secret may stand in what was read since there were `before` uses of names.
    pub(super) fn open_uses(&mut self, before: usize, seen_by: &'static str) {
        for name in &mut self.uses[before..] {
            name.seen_by = Some(seen_by);
        }
    }

    fn entries(&mut self, entries: &'d [Entry], site: Site) -> BTreeMap<String, Template> {
        let mut templates = BTreeMap::new();
        for entry in entries {
            self.refuse_computed_key(entry);
            templates.insert(entry.key.text.clone(), self.template(&entry.value, site));
        }
        templates
    }

    /// Reports `${{` in a key: keys are not computed.
    pub(super) fn refuse_computed_key(&mut self, entry: &Entry) {
        if entry.key.text.contains("${{") {
            let message = "`${{` is not computed in a key";
            self.report(ProblemCode::TemplateNotAllowed, &entry.key.span, message);
        }
    }

    fn template_text(&mut self, node: &'d Node, text: &str, site: Site) -> Template {
        let mut pieces = Vec::new();
        let known = self.problems.len();
        for piece in split(text) {
            if self.problems.len() - known == PROBLEMS_PER_TEXT_MAX {
                break;
            }
            match piece {
                RawPiece::Literal(literal) => pieces.push(Piece::Literal(literal)),
                RawPiece::Expression(range) => {
                    pieces.extend(self.parse_expression(node, text, range, site).map(Piece::Expression));
                }
                RawPiece::Unclosed(range) => {
                    let span = node.span_within(self.source, text, range.start..range.start + 3);
                    let help = "`$${{` writes `${{`";
                    self.report_with_help(ProblemCode::UnclosedExpression, &span, "`${{` without `}}`", help);
                }
            }
        }
        Template::of_pieces(pieces)
    }

    /// A map of templates.
    pub(super) fn templates(&mut self, node: &'d Node, site: Site, what: &str) -> BTreeMap<String, Template> {
        let entries = self.map(node, what).unwrap_or_default();
        self.entries(entries, site)
    }

    /// A map of templates by names, in byte order.
    pub(super) fn outputs(&mut self, node: &'d Node, site: Site) -> Vec<(String, Template)> {
        let entries = self.map(node, "outputs").unwrap_or_default();
        for entry in entries {
            self.name(&entry.key.text, &entry.key.span, "name of an output");
        }
        self.entries(entries, site).into_iter().collect()
    }

    /// Text that a shell reads.
    pub(super) fn shell_text(&mut self, node: &'d Node, site: Site, shell: Option<&str>) -> Option<ShellText> {
        let Content::Text(text) = &node.content else {
            self.wrong_type(node, "shell text is text");
            return None;
        };
        if let Some(shell) = shell.filter(|shell| !reads_like_sh(shell))
            && let Some(at) = text.find("${{")
        {
            let span = node.span_within(self.source, text, at..at + 3);
            let message = format!("how `{shell}` quotes is not known, so no value can be put into its text");
            let help = "put it into env: and read the variable in the way of that shell";
            self.report_with_help(ProblemCode::TemplateInShellSyntax, &span, message, help);
            return None;
        }
        let reading = ShellText::read(text);
        for placed in &reading.expressions {
            let references = placed.expression.references();
            self.uses.push(Use { references, node, offset: placed.offset, site, seen_by: None });
        }
        for error in reading.errors.into_iter().take(PROBLEMS_PER_TEXT_MAX) {
            match error {
                ShellTextError::Place(problem) => {
                    let end = problem.range.end.min(problem.range.start + 3);
                    let span = node.span_within(self.source, text, problem.range.start..end);
                    self.report_with_help(problem.code, &span, problem.message, problem.help);
                }
                ShellTextError::Expression { offset, source } => self.bad_expression(node, text, offset, &source),
            }
        }
        Some(reading.shell_text)
    }
}

/// Whether a shell of this name or path quotes as POSIX says.
fn reads_like_sh(shell: &str) -> bool {
    let name = shell.rsplit('/').next().unwrap_or(shell);
    matches!(name, "sh" | "bash" | "dash" | "ash" | "ksh" | "mksh" | "zsh")
}
