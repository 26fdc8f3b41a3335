//! Reads what an `http` task is given, as far as it can be told before anything is computed.

use std::collections::BTreeMap;

use super::Reader;
use super::keys::{Fields, HTTP};
use super::suggestion::closest;
use crate::definition::code::ProblemCode;
use crate::definition::document::{Content, Node};
use crate::definition::http::{DEPENDENT, EXCLUSIVE, METHODS, SETTINGS, Shape};
use crate::definition::site::Site;
use crate::definition::template::Template;
use crate::time::Duration;
use crate::value::Value;

impl<'d> Reader<'d> {
    /// `with` of such a task, whose `uses` is `task`.
    pub(super) fn with_of_http(&mut self, task: &Fields<'d>, site: Site) -> BTreeMap<String, Template> {
        let Some(node) = task.get("with") else {
            let span = task.key("uses").map_or(&task.node.span, |key| &key.span);
            self.report_with_help(ProblemCode::MissingKey, span, "an http task without url", "write with: { url: .. }");
            return BTreeMap::new();
        };
        let Some(fields) = self.fields(node, &HTTP) else { return BTreeMap::new() };
        let mut options = BTreeMap::new();
        for (key, shape, _) in SETTINGS {
            if let Some(node) = fields.get(key) {
                self.check_shape(node, key, shape);
                options.insert(key.to_owned(), self.template(node, site));
            }
        }
        if fields.get("url").is_none() {
            self.report(ProblemCode::MissingKey, &node.span, "an http task without url");
        }
        for keys in EXCLUSIVE {
            let mut given = keys.iter().filter_map(|key| fields.key(key));
            if let (Some(first), Some(second)) = (given.next(), given.next()) {
                let message = format!("`{}` beside `{}`, and only one of them is meant", second.text, first.text);
                self.report(ProblemCode::ConflictingKeys, &second.span, message);
            }
        }
        for (key, needed) in DEPENDENT {
            if let (Some(key), None) = (fields.key(key), fields.key(needed)) {
                let message = format!("`{}` without `{needed}`", key.text);
                self.report(ProblemCode::MissingKey, &key.span, message);
            }
        }
        options
    }

    /// Reports a value that does not look like this. What is computed can be anything, and null is as good as nothing.
    fn check_shape(&mut self, node: &'d Node, key: &str, shape: Shape) {
        let is_nothing = shape != Shape::Address && matches!(node.content, Content::Null);
        if is_nothing || is_computed(node) {
            return;
        }
        match (shape, &node.content) {
            (Shape::Anything, _) | (Shape::Text, Content::Text(_)) | (Shape::Flag, Content::Bool(_)) => {}
            (Shape::Address, Content::Text(text)) => self.check_address(node, text),
            (Shape::Method, Content::Text(text)) => self.check_method(node, text),
            (Shape::Whole(max), Content::Number(Value::Integer(number))) => {
                self.check_range(node, key, *number, (0, max.into()));
            }
            (Shape::Statuses, Content::Number(Value::Integer(number))) => {
                self.check_range(node, key, *number, (100, 599));
            }
            (Shape::Statuses, Content::List(items)) => {
                for item in items.iter().filter(|item| !is_computed(item)) {
                    match &item.content {
                        Content::Number(Value::Integer(number)) => self.check_range(item, key, *number, (100, 599)),
                        _ => self.wrong_type(item, "a status is a whole number"),
                    }
                }
            }
            (Shape::Scalars | Shape::Fields, Content::Map(entries)) => {
                for entry in entries {
                    self.check_field(&entry.value, shape);
                }
            }
            (Shape::Pair, Content::List(items)) => {
                let texts = items.iter().filter(|item| matches!(item.content, Content::Text(_))).count();
                if items.len() != 2 || texts != 2 {
                    self.report(ProblemCode::BadValue, &node.span, format!("{key} is a list of user and password"));
                }
            }
            (Shape::Names, Content::List(items)) => {
                for item in items {
                    match &item.content {
                        Content::Text(text) if text.is_empty() => {
                            self.report(ProblemCode::BadValue, &item.span, "the name of a host is empty");
                        }
                        Content::Text(_) => {}
                        _ => self.wrong_type(item, "the name of a host is text"),
                    }
                }
            }
            (Shape::Time, Content::Text(text)) => {
                if let Err(error) = text.parse::<Duration>() {
                    self.report(ProblemCode::BadDuration, &node.span, error.to_string());
                }
            }
            (Shape::Time, Content::Number(number)) => {
                if number.as_f64().is_none_or(|number| number < 0.0) {
                    self.report(ProblemCode::OutOfRange, &node.span, format!("{key} is less than nothing"));
                }
            }
            (shape, _) => self.wrong_type(node, &format!("{key} is {}", name(shape))),
        }
    }

    fn check_address(&mut self, node: &Node, text: &str) {
        let has = |start: &str| text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
        if !has("http://") && !has("https://") {
            // The text is not shown: it may hold a key.
            let message = "the url begins with neither http:// nor https://";
            self.report(ProblemCode::BadValue, &node.span, message);
        }
    }

    fn check_method(&mut self, node: &Node, text: &str) {
        if METHODS.iter().any(|method| method.eq_ignore_ascii_case(text)) {
            return;
        }
        let help = match closest(text, METHODS.into_iter()) {
            Some(method) => format!("did you mean `{method}`?"),
            None => format!("it is one of {}", METHODS.join(", ")),
        };
        self.report_with_help(ProblemCode::BadValue, &node.span, "this is no method of HTTP that is known here", help);
    }

    fn check_range(&mut self, node: &Node, key: &str, number: i128, (least, most): (i128, i128)) {
        if !(least..=most).contains(&number) {
            let message = format!("{key} is {number}, not a number from {least} to {most}");
            self.report(ProblemCode::OutOfRange, &node.span, message);
        }
    }

    /// A value of a map of fields or headers.
    fn check_field(&mut self, node: &Node, shape: Shape) {
        match &node.content {
            Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) | Content::Broken => {}
            Content::List(items) if shape == Shape::Fields => {
                for item in items {
                    if matches!(item.content, Content::List(_) | Content::Map(_)) {
                        self.wrong_type(item, "a value of a field is text or a number");
                    }
                }
            }
            Content::List(_) | Content::Map(_) => self.wrong_type(node, "the value is text or a number"),
        }
    }
}

/// Whether a text is computed.
fn is_computed(node: &Node) -> bool {
    matches!(&node.content, Content::Text(text) if text.contains("${{"))
}

/// What something of this shape is, for messages.
fn name(shape: Shape) -> &'static str {
    match shape {
        Shape::Address | Shape::Text | Shape::Method => "text",
        Shape::Flag => "true or false",
        Shape::Whole(_) => "a whole number",
        Shape::Statuses => "a status, or a list of them",
        Shape::Scalars | Shape::Fields => "a map",
        Shape::Pair => "a list of user and password",
        Shape::Names => "a list of hosts",
        Shape::Time => "a length of time like 90s, or a number of seconds",
        Shape::Anything => "anything",
    }
}
