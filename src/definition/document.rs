//! A definition as it was written: a tree of lists, maps and scalars, each with its place in text or builder.
//!
//! Knows neither YAML nor the meaning of any key.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::limits::DEPTH_MAX;
use crate::value::{Map, Value};

/// Lists and maps a person may write one inside the other; the normal form nests what they hold a few levels deeper.
pub(super) const WRITTEN_DEPTH_MAX: usize = DEPTH_MAX - 8;

/// Where something stands: in a text, or in a builder, which has no text.
#[derive(Clone, PartialEq, Eq)]
pub struct Span(Place);

#[derive(Clone, PartialEq, Eq)]
enum Place {
    Text { line: u32, column: u32, bytes: Range<usize> },
    Builder { path: Arc<str>, ordinal: usize },
}

impl Span {
    /// A place in a text: line and column from 1, the column in characters, and the bytes from 0.
    pub(super) fn text(line: u32, column: u32, bytes: Range<usize>) -> Span {
        Span(Place::Text { line, column, bytes })
    }

    /// The bytes `bytes` of `source`, with their line and column counted out.
    pub(super) fn of_bytes(source: &str, bytes: Range<usize>) -> Span {
        let before = source.get(..bytes.start).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Span::text(small(line), small(column), bytes)
    }

    /// The next place of a builder.
    fn in_builder(path: &str, ordinal: &mut usize) -> Span {
        *ordinal += 1;
        Span(Place::Builder { path: Arc::from(path), ordinal: *ordinal })
    }

    /// The start of a text that could not be read at all.
    pub(super) fn start() -> Span {
        Span::text(1, 1, 0..0)
    }

    /// Line in the text, from 1; none for what a builder made.
    pub fn line(&self) -> Option<u32> {
        match &self.0 {
            Place::Text { line, .. } => Some(*line),
            Place::Builder { .. } => None,
        }
    }

    /// Column in the line, in characters from 1; none for what a builder made.
    pub fn column(&self) -> Option<u32> {
        match &self.0 {
            Place::Text { column, .. } => Some(*column),
            Place::Builder { .. } => None,
        }
    }

    /// Bytes of the text, from 0; none for what a builder made.
    pub fn bytes(&self) -> Option<Range<usize>> {
        match &self.0 {
            Place::Text { bytes, .. } => Some(bytes.clone()),
            Place::Builder { .. } => None,
        }
    }

    /// Path of what a builder made, as `stages.test.run`; none in a text.
    pub fn path(&self) -> Option<&str> {
        match &self.0 {
            Place::Text { .. } => None,
            Place::Builder { path, .. } => Some(path),
        }
    }

    /// Sorts places by where they stand in the document.
    pub(super) fn order(&self) -> (usize, usize) {
        match &self.0 {
            Place::Text { bytes, .. } => (bytes.start, bytes.end),
            Place::Builder { ordinal, .. } => (*ordinal, *ordinal),
        }
    }
}

/// `LINE:COLUMN`, or the path of what a builder made (`workflow` for the whole).
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Text { line, column, .. } => write!(f, "{line}:{column}"),
            Place::Builder { path, .. } if path.is_empty() => f.write_str("workflow"),
            Place::Builder { path, .. } => f.write_str(path),
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A definition as it was written.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// The whole of it, a map if it is any good.
    pub(super) root: Node,
    /// The text it was read from; empty for a builder's.
    pub(super) source: Arc<str>,
}

/// One list, map or scalar.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// What it is.
    pub(super) content: Content,
    /// Where it stands.
    pub(super) span: Span,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Null, or nothing where a value could stand.
    Null,
    /// True or false.
    Bool(bool),
    /// A number, an integer or a real.
    Number(Value),
    /// Text.
    Text(String),
    /// Nodes in order.
    List(Vec<Node>),
    /// Entries in the written order; no key twice.
    Map(Vec<Entry>),
    /// Something already reported as a problem; nothing more is said of it.
    Broken,
}

/// A key and what stands there.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: Key,
    /// Its value.
    pub(super) value: Node,
}

/// A key with its place.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// The key itself.
    pub(super) text: String,
    /// Where it stands.
    pub(super) span: Span,
}

impl Node {
    /// What kind of thing this is, for a message.
    pub(super) fn kind(&self) -> &'static str {
        match &self.content {
            Content::Null => "nothing",
            Content::Bool(_) => "a boolean",
            Content::Number(_) => "a number",
            Content::Text(_) => "text",
            Content::List(_) => "a list",
            Content::Map(_) => "a map",
            Content::Broken => "something unreadable",
        }
    }

    /// The text, if this is one.
    pub(super) fn text(&self) -> Option<&str> {
        if let Content::Text(text) = &self.content { Some(text) } else { None }
    }

    /// The place of `range` of this text, as well as it can be found in the source: quotes, escapes, folding and
    /// indentation stand between the two.
    pub(super) fn span_within(&self, source: &str, text: &str, range: Range<usize>) -> Span {
        let Place::Text { line, bytes, .. } = &self.span.0 else {
            return self.span.clone();
        };
        let Some(written) = source.get(bytes.clone()) else {
            return self.span.clone();
        };
        let Some(start) = written_offset(written, text, range.start) else {
            return self.span.clone();
        };
        let end = written_offset(written, text, range.end).unwrap_or(start).max(start);
        let before = &source[..bytes.start + start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let newlines = written[..start].bytes().filter(|byte| *byte == b'\n').count();
        let column = before[line_start..].chars().count() + 1;
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Span::text(line.saturating_add(small(newlines)), small(column), bytes.start + start..bytes.start + end)
    }

    /// The plain value; what was reported as broken is null.
    pub(super) fn to_value(&self) -> Value {
        match &self.content {
            Content::Null | Content::Broken => Value::Null,
            Content::Bool(value) => Value::Bool(*value),
            Content::Number(value) => value.clone(),
            Content::Text(text) => Value::String(text.clone()),
            Content::List(items) => Value::List(items.iter().map(Node::to_value).collect()),
            Content::Map(entries) => Value::Map(entries_to_map(entries)),
        }
    }

    /// The node a builder makes of a value; its place is filled in by [`Node::place_in_builder`].
    pub(super) fn from_value(value: &Value) -> Node {
        let content = match value {
            Value::Null => Content::Null,
            Value::Bool(value) => Content::Bool(*value),
            Value::Integer(_) | Value::Real(_) => Content::Number(value.clone()),
            Value::String(text) => Content::Text(text.clone()),
            Value::List(items) => Content::List(items.iter().map(Node::from_value).collect()),
            Value::Map(entries) => {
                Content::Map(entries.iter().map(|(key, value)| Entry::unplaced(key, Node::from_value(value))).collect())
            }
        };
        Node::unplaced(content)
    }

    /// A node of a builder whose place is not known yet.
    pub(super) fn unplaced(content: Content) -> Node {
        Node { content, span: Span::start() }
    }

    /// Gives this node and all below it their paths, and numbers them in document order from `ordinal`.
    pub(super) fn place_in_builder(&mut self, path: &str, ordinal: &mut usize) {
        self.span = Span::in_builder(path, ordinal);
        match &mut self.content {
            Content::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    item.place_in_builder(&format!("{path}[{index}]"), ordinal);
                }
            }
            Content::Map(entries) => {
                for entry in entries {
                    let separator = if path.is_empty() { "" } else { "." };
                    let below = format!("{path}{separator}{}", entry.key.text);
                    entry.key.span = Span::in_builder(&below, ordinal);
                    entry.value.place_in_builder(&below, ordinal);
                }
            }
            Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) | Content::Broken => {}
        }
    }
}

impl Entry {
    /// An entry of a builder whose place is not known yet.
    pub(super) fn unplaced(key: &str, value: Node) -> Entry {
        Entry { key: Key { text: key.to_owned(), span: Span::start() }, value }
    }
}

/// The plain map of these entries.
pub(super) fn entries_to_map(entries: &[Entry]) -> Map {
    entries.iter().map(|entry| (entry.key.text.clone(), entry.value.to_value())).collect()
}

/// Where in a scalar as it was written the byte `offset` of its text stands: both are walked side by side, and what is
/// written but not text (quotes, backslashes, indentation, line breaks of folded text) is skipped.
fn written_offset(written: &str, text: &str, offset: usize) -> Option<usize> {
    let block = written.starts_with(['|', '>']);
    let escapes = written.starts_with('"');
    let mut at = if block { written.find('\n')? + 1 } else { 0 };
    for letter in text.get(..offset)?.chars() {
        loop {
            let found = written[at..].chars().next()?;
            if found == letter || (letter == ' ' && found == '\n') {
                at += found.len_utf8();
                break;
            }
            if escapes && found == '\\' {
                // An escape stands for this letter, unless it stands for nothing: a line that is continued.
                let escaped = written[at + 1..].chars().next()?;
                at += 1 + escaped.len_utf8();
                if escaped == '\n' {
                    continue;
                }
                let digits = match escaped {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                at += written.get(at..at + digits).map_or(0, str::len);
                break;
            }
            if !matches!(found, ' ' | '\t' | '\n' | '\r' | '"' | '\'') {
                return None;
            }
            at += found.len_utf8();
        }
    }
    // Indentation and quotes before the place are not part of it.
    let next = text[offset..].chars().next();
    while let Some(found) = written[at..].chars().next()
        && Some(found) != next
    {
        at += match found {
            ' ' | '\n' | '\r' | '"' | '\'' => 1,
            '\\' if written[at..].starts_with("\\\n") => 2,
            _ => break,
        };
    }
    Some(at)
}
