//! From what was written to what it means: reads each field of a document by its type and reports all that do not fit.
//!
//! Looks at one field at a time. What only the whole shows, arcs and names, is checked afterwards by `check`.

mod by_hand;
mod cancellation;
mod cycles;
mod data;
mod exclusion;
mod generations;
mod http;
mod inputs;
mod instances;
pub(super) mod jumps;
pub(super) mod keys;
mod loops;
mod milestone;
mod phases;
mod stage;
mod sub_workflow;
mod suggestion;
mod synchronizing;
mod task;
mod trigger;
mod verification;
mod workflow;

pub(super) use cancellation::{CancellationDraft, RegionDraft, TargetDraft};
pub(super) use cycles::BackDraft;
pub(super) use data::Named;
pub(super) use exclusion::{ExclusionDraft, SectionDraft};
pub(super) use generations::{
    ARCS_COUNTED_MAX, GENERATION_FIELDS, GenerationsDraft, MERGE_FIELDS, ScopeDraft, THRESHOLD_FIELDS, UPSTREAM,
};
pub(super) use instances::{BESIDE_WAITING, SEVERAL, SOURCES};
#[cfg(test)]
pub(super) use keys::spellings;
pub(super) use loops::WORK_FIELDS;
pub(super) use milestone::{MILESTONE_FIELDS, MilestoneDraft};
pub(super) use stage::{Conditional, SPLIT_FIELDS, SplitDraft, StageDraft};
pub(super) use suggestion::closest;
pub(super) use synchronizing::{OR_FIELDS, OrDraft, PAIR_FIELDS};
pub(super) use task::SHELL;
pub(super) use trigger::SIGNAL_FIELDS;
pub(super) use workflow::read_workflow;

use std::ops::Range;

use super::Files;
use super::code::ProblemCode;
use super::document::{Content, Node, Span};
use super::problem::Problem;
use super::site::{Site, Use};
use crate::expression::{Expression, ExpressionError};

/// Reads fields; what is wrong and which names expressions use gathers here.
pub(super) struct Reader<'d> {
    /// The text of the document; empty for a builder's.
    pub(super) source: &'d str,
    /// What is wrong so far.
    pub(super) problems: Vec<Problem>,
    /// The expressions so far, for the check of their names.
    pub(super) uses: Vec<Use<'d>>,
    /// The names of the definitions in the same document.
    pub(super) definitions: &'d [&'d str],
    /// Reads the definitions in files that this one calls.
    pub(super) files: Option<Files<'d>>,
    /// Bytes that stages and tasks have copied of what they inherit.
    pub(super) copied: usize,
}

impl<'d> Reader<'d> {
    fn report(&mut self, code: ProblemCode, span: &Span, message: impl Into<String>) {
        self.problems.push(Problem::error(code, span, message));
    }

    fn report_with_help(
        &mut self,
        code: ProblemCode,
        span: &Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.push(Problem::error(code, span, message).with_help(help));
    }

    /// Reports that something else was expected; what is broken already is left alone.
    fn wrong_type(&mut self, node: &Node, expected: &str) {
        if matches!(node.content, Content::Broken) {
            return;
        }
        let problem =
            Problem::error(ProblemCode::WrongType, &node.span, format!("{expected}, this is {}", node.kind()));
        let help = match &node.content {
            Content::Null => Some("leave the key out, or give it a value"),
            _ => None,
        };
        self.problems.push(problem.with_hint(help.map(str::to_owned)));
    }

    /// Text as it is, with nothing computed in it.
    fn text(&mut self, node: &'d Node, what: &str) -> Option<&'d str> {
        match &node.content {
            Content::Text(text) => {
                self.refuse_expression(node, text);
                Some(text)
            }
            Content::Bool(_) | Content::Number(_) => {
                let message = format!("{what} is text, this is {}", node.kind());
                let written = node.span.bytes().and_then(|bytes| self.source.get(bytes));
                let help = format!("put it in quotes: \"{}\"", written.unwrap_or(&node.to_value().to_json()));
                self.report_with_help(ProblemCode::WrongType, &node.span, message, help);
                None
            }
            Content::Null | Content::List(_) | Content::Map(_) | Content::Broken => {
                self.wrong_type(node, &format!("{what} is text"));
                None
            }
        }
    }

    /// Text of at least one character.
    fn some_text(&mut self, node: &'d Node, what: &str) -> Option<&'d str> {
        let text = self.text(node, what)?;
        if text.trim().is_empty() {
            self.report(ProblemCode::BadValue, &node.span, format!("{what} is empty"));
            return None;
        }
        Some(text)
    }

    /// Reports `${{` in a field that is not computed.
    fn refuse_expression(&mut self, node: &Node, text: &str) {
        if let Some(at) = text.find("${{") {
            let span = node.span_within(self.source, text, at..at + 3);
            let help = "it is computed in run, with, env, cwd, outputs and context";
            self.report_with_help(ProblemCode::TemplateNotAllowed, &span, "`${{` is not computed here", help);
        }
    }

    /// A name: `[A-Za-z0-9_][A-Za-z0-9_-]{0,63}`.
    fn name(&mut self, text: &str, span: &Span, what: &str) -> bool {
        let good = is_name(text);
        if !good {
            let shown: String = text.chars().take(80).collect();
            let message = format!("`{shown}` is no {what}");
            let help = "a name has 1 to 64 letters, digits, `_` and `-`, and does not begin with `-`";
            self.report_with_help(ProblemCode::BadName, span, message, help);
        }
        good
    }

    /// An expression field: text with or without `${{ }}` around the whole, or a boolean.
    fn expression(&mut self, node: &'d Node, site: Site, what: &str) -> Option<Expression> {
        match &node.content {
            Content::Bool(value) => Expression::parse(if *value { "true" } else { "false" }).ok(),
            Content::Text(text) => {
                let trimmed = text.trim();
                let start = text.len() - text.trim_start().len();
                let mut range = start..start + trimmed.len();
                if let Some(inside) = super::template::only_expression(trimmed) {
                    range = start + inside.start..start + inside.end;
                } else if let Some(at) = text.find("${{") {
                    let span = node.span_within(self.source, text, at..at + 3);
                    let message = format!("{what} is an expression already");
                    let help = "write it without `${{ }}`, or with one pair around the whole";
                    self.report_with_help(ProblemCode::TemplateNotAllowed, &span, message, help);
                    return None;
                }
                self.parse_expression(node, text, range, site)
            }
            Content::Null | Content::Number(_) | Content::List(_) | Content::Map(_) | Content::Broken => {
                self.wrong_type(node, &format!("{what} is an expression"));
                None
            }
        }
    }

    /// Reads the expression at `range` of `text`, and takes note of it for the check of names.
    fn parse_expression(&mut self, node: &'d Node, text: &str, range: Range<usize>, site: Site) -> Option<Expression> {
        match Expression::parse(&text[range.clone()]) {
            Ok(expression) => {
                let references = expression.references();
                self.uses.push(Use { references, node, offset: range.start, site, seen_by: None });
                Some(expression)
            }
            Err(error) => {
                self.bad_expression(node, text, range.start, &error);
                None
            }
        }
    }

    fn bad_expression(&mut self, node: &Node, text: &str, offset: usize, error: &ExpressionError) {
        let inside = error.span();
        let span = node.span_within(self.source, text, offset + inside.start..offset + inside.end);
        self.report(ProblemCode::BadExpression, &span, format!("this is no expression: {}", error.message()));
    }
}

/// Whether a text is a name: `[A-Za-z0-9_][A-Za-z0-9_-]{0,63}`.
pub(in crate::definition) fn is_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 64 && text.bytes().next().is_some_and(letter) && text.bytes().all(|byte| letter(byte) || byte == b'-')
}
