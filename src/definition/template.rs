//! Values with `${{ }}` in them: data of any shape whose texts are computed from the names of a scope.
//!
//! Knows no quoting of any shell; text that a shell reads is `ShellText`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::error::TemplateError;
use crate::expression::{Expression, ExpressionError, Reference, Scope};
use crate::limits::EXPRESSION_BYTES_MAX;
use crate::value::{Map, Value};

/// A value that is computed when it is needed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Template {
    /// A value without expressions. Never inside of it: a list or map of constants is a constant.
    Constant(Value),
    /// A text that is only one `${{ }}`; the value keeps its type.
    Whole(Expression),
    /// Text with expressions in it, at least one, and something else.
    Text(Vec<Piece>),
    /// Values in order, not all constant.
    List(Vec<Template>),
    /// Values by name, not all constant.
    Map(BTreeMap<String, Template>),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    /// Characters as they are, `$${{` already read as `${{`.
    Literal(String),
    /// What `${{ }}` holds.
    Expression(Expression),
}

impl Template {
    /// The value where names mean what `scope` says. A text that is only one `${{ }}` keeps its type; in longer text
    /// numbers and booleans stand as in JSON, lists and maps as canonical JSON.
    ///
    /// # Errors
    ///
    /// An expression that cannot be evaluated, and null in longer text; with the path inside the value.
    pub(crate) fn render(&self, scope: &Scope) -> Result<Value, TemplateError> {
        match self {
            Template::Constant(value) => Ok(value.clone()),
            Template::Whole(expression) => evaluate(expression, scope),
            Template::Text(pieces) => render_text(pieces, scope).map(Value::String),
            Template::List(items) => {
                let render =
                    |(index, item): (usize, &Template)| item.render(scope).map_err(|error| error.inside_index(index));
                items.iter().enumerate().map(render).collect::<Result<_, _>>().map(Value::List)
            }
            Template::Map(entries) => {
                let render = |(key, entry): (&String, &Template)| {
                    let value = entry.render(scope).map_err(|error| error.inside_key(key))?;
                    Ok((key.clone(), value))
                };
                entries.iter().map(render).collect::<Result<Map, _>>().map(Value::Map)
            }
        }
    }

    /// As [`render`](Template::render), for the text of an address: what is computed in it is encoded, so that no value
    /// becomes another host, path or query than the one it stands in. What the text begins with is an address of its
    /// own, and so is a text that is only one `${{ }}`.
    ///
    /// # Errors
    ///
    /// As [`render`](Template::render).
    pub(crate) fn render_address(&self, scope: &Scope) -> Result<Value, TemplateError> {
        let Template::Text(pieces) = self else { return self.render(scope) };
        let mut text = String::new();
        for (index, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Expression(expression) if index == 0 => text.push_str(&render_into_text(expression, scope)?),
                Piece::Expression(expression) => text.push_str(&encoded(&render_into_text(expression, scope)?)),
            }
        }
        Ok(Value::String(text))
    }

    /// The entry of this name, if there is one and something has to be computed for the map it stands in.
    pub(crate) fn entry(&self, name: &str) -> Option<&Template> {
        if let Template::Map(entries) = self { entries.get(name) } else { None }
    }

    /// Every name its expressions use.
    pub(crate) fn references(&self) -> Vec<Reference> {
        self.expressions().iter().flat_map(|expression| expression.references()).collect()
    }

    /// Its expressions, in the order of the text, maps in byte order of their keys.
    pub(super) fn expressions(&self) -> Vec<&Expression> {
        match self {
            Template::Constant(_) => Vec::new(),
            Template::Whole(expression) => vec![expression],
            Template::Text(pieces) => pieces.iter().filter_map(Piece::expression).collect(),
            Template::List(items) => items.iter().flat_map(Template::expressions).collect(),
            Template::Map(entries) => entries.values().flat_map(Template::expressions).collect(),
        }
    }

    /// The template of these parts of a text, in their simplest form.
    pub(super) fn of_pieces(mut pieces: Vec<Piece>) -> Template {
        let only = if pieces.len() <= 1 { pieces.pop() } else { None };
        match only {
            Some(Piece::Expression(expression)) => Template::Whole(expression),
            Some(Piece::Literal(text)) => Template::Constant(Value::String(text)),
            None if pieces.is_empty() => Template::Constant(Value::String(String::new())),
            None => Template::Text(pieces),
        }
    }

    /// The list of these templates, in its simplest form.
    pub(super) fn of_items(items: Vec<Template>) -> Template {
        match items.iter().map(Template::constant).collect::<Option<Vec<_>>>() {
            Some(values) => Template::Constant(Value::List(values.into_iter().cloned().collect())),
            None => Template::List(items),
        }
    }

    /// The map of these templates, in its simplest form.
    pub(super) fn of_entries(entries: BTreeMap<String, Template>) -> Template {
        let constant = |(key, entry): (&String, &Template)| entry.constant().map(|value| (key.clone(), value.clone()));
        match entries.iter().map(constant).collect::<Option<Map>>() {
            Some(values) => Template::Constant(Value::Map(values)),
            None => Template::Map(entries),
        }
    }

    /// The value, if nothing has to be computed.
    pub(crate) fn constant(&self) -> Option<&Value> {
        if let Template::Constant(value) = self { Some(value) } else { None }
    }

    /// The value as it is written in a definition: reading it as a template gives this template again.
    pub(super) fn written(&self) -> Value {
        match self {
            Template::Constant(value) => escaped(value),
            Template::Whole(expression) => Value::String(written_expression(expression)),
            Template::Text(pieces) => Value::String(pieces.iter().map(Piece::written).collect()),
            Template::List(items) => Value::List(items.iter().map(Template::written).collect()),
            Template::Map(entries) => {
                Value::Map(entries.iter().map(|(key, entry)| (key.clone(), entry.written())).collect())
            }
        }
    }
}

impl Piece {
    fn expression(&self) -> Option<&Expression> {
        if let Piece::Expression(expression) = self { Some(expression) } else { None }
    }

    fn written(&self) -> String {
        match self {
            Piece::Literal(text) => escape(text),
            Piece::Expression(expression) => written_expression(expression),
        }
    }
}

fn written_expression(expression: &Expression) -> String {
    format!("${{{{ {} }}}}", expression.text())
}

fn escape(text: &str) -> String {
    text.replace("${{", "$${{")
}

fn escaped(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(escape(text)),
        Value::List(items) => Value::List(items.iter().map(escaped).collect()),
        Value::Map(entries) => Value::Map(entries.iter().map(|(key, entry)| (key.clone(), escaped(entry))).collect()),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Real(_) => value.clone(),
    }
}

fn evaluate(expression: &Expression, scope: &Scope) -> Result<Value, TemplateError> {
    expression.evaluate(scope).map_err(|source| TemplateError::Expression {
        expression: expression.text().to_owned(),
        path: String::new(),
        source,
    })
}

fn render_text(pieces: &[Piece], scope: &Scope) -> Result<String, TemplateError> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Expression(expression) => text.push_str(&render_into_text(expression, scope)?),
        }
    }
    Ok(text)
}

/// Text as a part of an address (RFC 3986): everything but letters, digits and `-._~` as `%XX`. A colon stays, which is
/// harmless everywhere and stands before a port.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The value of an expression as it stands in longer text.
pub(super) fn render_into_text(expression: &Expression, scope: &Scope) -> Result<String, TemplateError> {
    match evaluate(expression, scope)? {
        Value::Null => Err(TemplateError::Missing { expression: expression.text().to_owned(), path: String::new() }),
        Value::String(text) => Ok(text),
        value @ (Value::Bool(_) | Value::Integer(_) | Value::Real(_) | Value::List(_) | Value::Map(_)) => {
            Ok(value.to_json())
        }
    }
}

/// A part of a text before its expressions are read. Ranges are bytes of that text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RawPiece {
    /// Characters as they are meant, `$${{` already read as `${{`.
    Literal(String),
    /// What stands between `${{` and `}}`, blanks aside.
    Expression(Range<usize>),
    /// `${{` without `}}`; it takes the rest of the text.
    Unclosed(Range<usize>),
}

/// Cuts a text at its `${{ }}`.
pub(super) fn split(text: &str) -> Vec<RawPiece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("${{") {
        let start = at + found;
        literal.push_str(&text[at..start]);
        if literal.ends_with('$') && found > 0 {
            literal.push_str("{{");
            at = start + 3;
            continue;
        }
        if !literal.is_empty() {
            pieces.push(RawPiece::Literal(std::mem::take(&mut literal)));
        }
        let Some(inside) = expression_range(text, start) else {
            pieces.push(RawPiece::Unclosed(start..text.len()));
            return pieces;
        };
        at = inside.end + text[inside.end..].find("}}").map_or(0, |close| close + 2);
        pieces.push(RawPiece::Expression(inside));
    }
    literal.push_str(&text[at..]);
    if !literal.is_empty() {
        pieces.push(RawPiece::Literal(literal));
    }
    pieces
}

/// The template a value is read as.
///
/// # Errors
///
/// An expression in it that cannot be read; `${{` without `}}` is an empty one.
pub(super) fn read_template(value: &Value) -> Result<Template, ExpressionError> {
    match value {
        Value::String(text) => {
            let piece = |piece| {
                Ok(match piece {
                    RawPiece::Literal(literal) => Piece::Literal(literal),
                    RawPiece::Expression(range) => Piece::Expression(Expression::parse(&text[range])?),
                    RawPiece::Unclosed(_) => Piece::Expression(Expression::parse("")?),
                })
            };
            split(text).into_iter().map(piece).collect::<Result<_, _>>().map(Template::of_pieces)
        }
        Value::List(items) => items.iter().map(read_template).collect::<Result<_, _>>().map(Template::of_items),
        Value::Map(entries) => {
            let entry = |(key, value): (&String, &Value)| Ok((key.clone(), read_template(value)?));
            entries.iter().map(entry).collect::<Result<_, _>>().map(Template::of_entries)
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Real(_) => Ok(Template::Constant(value.clone())),
    }
}

/// The bytes of the expression, if the text is one `${{ }}` and nothing else.
pub(super) fn only_expression(text: &str) -> Option<Range<usize>> {
    let inside = text.starts_with("${{").then(|| expression_range(text, 0))??;
    let rest = text[inside.end..].trim_start();
    (rest == "}}").then_some(inside)
}

/// The bytes between the `${{` at `start` and its `}}`, blanks aside; `}}` in a string of the expression ends nothing.
pub(super) fn expression_range(text: &str, start: usize) -> Option<Range<usize>> {
    let from = start + 3;
    let inside = text.get(from..)?;
    let end = from + closing(inside).or_else(|| inside.find("}}"))?;
    let trimmed = text[from..end].trim_start();
    let first = end - trimmed.len();
    Some(first..first + trimmed.trim_end().len())
}

/// Offset of the first `}}` outside strings; none if a string does not end within the length of an expression.
fn closing(text: &str) -> Option<usize> {
    let bytes = &text.as_bytes()[..text.len().min(2 * EXPRESSION_BYTES_MAX)];
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'}' if bytes.get(at + 1) == Some(&b'}') => return Some(at),
            b'"' | b'\'' => {
                at += 1;
                loop {
                    match *bytes.get(at)? {
                        inner if inner == byte => break,
                        b'\\' => at += 2,
                        _ => at += 1,
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}
