//! Reads JSON (RFC 8259) into a document with places. Only finds the parts; what a text or a number is, `Value` says.

use super::code::ProblemCode;
use super::document::{Content, Entry, Key, Node, Span, WRITTEN_DEPTH_MAX};
use super::problem::Problem;
use crate::value::{Value, ValueError};

/// Reads the one value that `text` consists of; nothing after a syntax error, because the tree would be a guess.
pub(super) fn read(text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    let mut reader = Reader { text, offset: 0, lines: Lines::new(), problems };
    let node = reader.value(WRITTEN_DEPTH_MAX).and_then(|node| {
        reader.skip_blanks();
        if reader.offset < text.len() { Err(reader.syntax("the end of the text")) } else { Ok(node) }
    });
    node.ok()
}

/// Reading cannot go on; the problem is reported.
struct Stopped;

struct Reader<'t, 'p> {
    text: &'t str,
    /// Of the next byte.
    offset: usize,
    lines: Lines,
    problems: &'p mut Vec<Problem>,
}

/// Line and column of a place that never moves back, so that counting them costs the text once.
struct Lines {
    line: u32,
    column: u32,
    counted: usize,
}

impl Lines {
    fn new() -> Lines {
        Lines { line: 1, column: 1, counted: 0 }
    }

    fn start_of(&mut self, text: &str, offset: usize) -> (u32, u32) {
        for letter in text.get(self.counted..offset).unwrap_or("").chars() {
            if letter == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        self.counted = offset;
        (self.line, self.column)
    }
}

impl Reader<'_, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.offset += 1;
        }
    }

    /// Whether the next thing after blanks is this byte, which is then taken.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(byte);
        self.offset += usize::from(found);
        found
    }

    /// `levels` is how many lists and maps may still be opened here, one inside the other.
    fn value(&mut self, levels: usize) -> Result<Node, Stopped> {
        self.skip_blanks();
        let start = self.offset;
        let (line, column) = self.lines.start_of(self.text, start);
        let content = match self.peek() {
            Some(b'{' | b'[') if levels == 0 => {
                let span = Span::text(line, column, start..start + 1);
                let message = format!("nested deeper than {WRITTEN_DEPTH_MAX} levels");
                self.problems.push(Problem::error(ProblemCode::TooDeep, &span, message));
                return Err(Stopped);
            }
            Some(b'{') => self.map(levels - 1)?,
            Some(b'[') => self.list(levels - 1)?,
            _ => self.scalar()?,
        };
        Ok(Node { content, span: Span::text(line, column, start..self.offset) })
    }

    fn list(&mut self, levels: usize) -> Result<Content, Stopped> {
        self.offset += 1;
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Content::List(items));
        }
        loop {
            items.push(self.value(levels)?);
            if self.take(b']') {
                return Ok(Content::List(items));
            }
            if !self.take(b',') {
                return Err(self.syntax("`,` or `]`"));
            }
        }
    }

    fn map(&mut self, levels: usize) -> Result<Content, Stopped> {
        self.offset += 1;
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        if self.take(b'}') {
            return Ok(Content::Map(entries));
        }
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a key in double quotes"));
            }
            let Node { content: Content::Text(text), span } = self.value(0)? else {
                return Err(self.syntax("a key in double quotes"));
            };
            if !self.take(b':') {
                return Err(self.syntax("`:`"));
            }
            let value = self.value(levels)?;
            if seen.insert(text.clone()) {
                entries.push(Entry { key: Key { text, span }, value });
            } else {
                let message = format!("key `{text}` stands twice in this map");
                self.problems.push(Problem::error(ProblemCode::DuplicateKey, &span, message));
            }
            if self.take(b'}') {
                return Ok(Content::Map(entries));
            }
            if !self.take(b',') {
                return Err(self.syntax("`,` or `}`"));
            }
        }
    }

    fn scalar(&mut self) -> Result<Content, Stopped> {
        let start = self.offset;
        let token = &self.text.as_bytes()[start..];
        let length = if token.first() == Some(&b'"') {
            string_length(token)
        } else {
            token.iter().take_while(|byte| !b" \t\r\n,:{}[]\"".contains(byte)).count()
        };
        let Some(token) = self.text.get(start..start + length).filter(|token| !token.is_empty()) else {
            return Err(self.syntax("a value"));
        };
        match Value::from_json(token) {
            Ok(value) => {
                self.offset += length;
                Ok(match value {
                    Value::Null => Content::Null,
                    Value::Bool(value) => Content::Bool(value),
                    Value::String(text) => Content::Text(text),
                    number => Content::Number(number),
                })
            }
            Err(error @ (ValueError::IntegerTooLarge { .. } | ValueError::RealTooLarge { .. })) => {
                let (line, column) = self.lines.start_of(self.text, start);
                let span = Span::text(line, column, start..start + length);
                let message = match error {
                    ValueError::IntegerTooLarge { .. } => "an integer beyond 128 bits",
                    _ => "a number beyond what 64 bits can hold",
                };
                self.problems.push(Problem::error(ProblemCode::BadNumber, &span, message));
                self.offset += length;
                Ok(Content::Broken)
            }
            Err(ValueError::Syntax { expected, offset, .. }) => {
                self.offset += offset;
                Err(self.syntax(expected))
            }
            Err(ValueError::LoneSurrogate { offset, .. }) => {
                self.offset += offset;
                Err(self.syntax("a whole character, not half of a surrogate pair"))
            }
            Err(_) => Err(self.syntax("a value")),
        }
    }

    fn syntax(&mut self, expected: &str) -> Stopped {
        let mut start = self.offset.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let span = Span::of_bytes(self.text, start..start);
        let message = format!("this is not JSON: expected {expected}");
        self.problems.push(Problem::error(ProblemCode::SyntaxError, &span, message));
        Stopped
    }
}

/// Length of the string that begins here, quotes included; all that is left if it does not end.
fn string_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}
