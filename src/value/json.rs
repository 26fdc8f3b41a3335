//! Reads JSON (RFC 8259) into a value, with the place of what is wrong. Only reads; keeps neither order nor blanks.

use super::{Map, Value, ValueError};
use crate::limits::DEPTH_MAX;

/// What a key that occurs twice in one map means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeats {
    /// The last entry counts: the text is data from somewhere else.
    LastWins,
    /// An error: the text was written by a person, who meant one of them.
    Refused,
}

/// Reads the one value that `text` consists of.
pub(super) fn parse(text: &str, repeats: Repeats) -> Result<Value, ValueError> {
    let mut reader = Reader { text, offset: 0, repeats };
    reader.skip_blanks();
    let value = reader.value(DEPTH_MAX)?;
    reader.skip_blanks();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(ValueError::syntax("the end of the text", reader.offset)),
    }
}

struct Reader<'t> {
    text: &'t str,
    /// Of the next byte; always on a character boundary when a string slice is taken.
    offset: usize,
    repeats: Repeats,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.offset += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.offset += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8, name: &'static str) -> Result<(), ValueError> {
        if self.take(byte) { Ok(()) } else { Err(ValueError::syntax(name, self.offset)) }
    }

    /// `levels` is how many lists and maps may still be opened here, one inside the other.
    fn value(&mut self, levels: usize) -> Result<Value, ValueError> {
        match self.peek() {
            Some(b'{' | b'[') if levels == 0 => Err(ValueError::too_deep(Some(self.offset))),
            Some(b'{') => self.map(levels - 1),
            Some(b'[') => self.list(levels - 1),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(ValueError::syntax("a value", self.offset)),
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, ValueError> {
        if !self.text.as_bytes()[self.offset..].starts_with(word.as_bytes()) {
            return Err(ValueError::syntax("a value", self.offset));
        }
        self.offset += word.len();
        Ok(value)
    }

    fn list(&mut self, levels: usize) -> Result<Value, ValueError> {
        let mut items = Vec::new();
        self.expect(b'[', "`[`")?;
        self.skip_blanks();
        if self.take(b']') {
            return Ok(Value::List(items));
        }
        loop {
            self.skip_blanks();
            let item = self.value(levels).map_err(|error| error.inside_index(items.len()))?;
            items.push(item);
            self.skip_blanks();
            if self.take(b']') {
                return Ok(Value::List(items));
            }
            self.expect(b',', "`,` or `]`")?;
        }
    }

    fn map(&mut self, levels: usize) -> Result<Value, ValueError> {
        let mut entries = Map::new();
        self.expect(b'{', "`{`")?;
        self.skip_blanks();
        if self.take(b'}') {
            return Ok(Value::Map(entries));
        }
        loop {
            self.skip_blanks();
            let offset = self.offset;
            if self.peek() != Some(b'"') {
                return Err(ValueError::syntax("a key in double quotes", offset));
            }
            let key = self.string()?;
            if self.repeats == Repeats::Refused && entries.contains_key(&key) {
                return Err(ValueError::RepeatedKey { key, path: String::new(), offset });
            }
            self.skip_blanks();
            self.expect(b':', "`:`")?;
            self.skip_blanks();
            let entry = self.value(levels).map_err(|error| error.inside_key(&key))?;
            entries.insert(key, entry);
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(Value::Map(entries));
            }
            self.expect(b',', "`,` or `}`")?;
        }
    }

    fn number(&mut self) -> Result<Value, ValueError> {
        let start = self.offset;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        let mut whole = true;
        if self.take(b'.') {
            whole = false;
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            whole = false;
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        let digits = &self.text[start..self.offset];
        if whole {
            let too_large = |_| ValueError::IntegerTooLarge { path: String::new(), offset: Some(start) };
            return digits.parse().map(Value::Integer).map_err(too_large);
        }
        let number: f64 = digits.parse().expect("a number of JSON's grammar is one of Rust's");
        Value::number(number).ok_or(ValueError::RealTooLarge { path: String::new(), offset: start })
    }

    fn digits(&mut self) -> Result<(), ValueError> {
        let start = self.offset;
        while let Some(b'0'..=b'9') = self.peek() {
            self.offset += 1;
        }
        if self.offset > start { Ok(()) } else { Err(ValueError::syntax("a digit", start)) }
    }

    fn string(&mut self) -> Result<String, ValueError> {
        self.expect(b'"', "`\"`")?;
        let mut string = String::new();
        loop {
            let start = self.offset;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0x00..=0x1f)) {
                self.offset += 1;
            }
            // All bytes stopped at are ASCII, so both ends are character boundaries.
            string.push_str(&self.text[start..self.offset]);
            match self.peek() {
                Some(b'"') => {
                    self.offset += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                Some(_) => return Err(ValueError::syntax("an escaped control character", self.offset)),
                None => return Err(ValueError::syntax("`\"`", self.offset)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ValueError> {
        let start = self.offset;
        self.offset += 1;
        let letter = match self.peek() {
            Some(letter @ (b'"' | b'\\' | b'/')) => char::from(letter),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(start),
            _ => return Err(ValueError::syntax("an escape of JSON", start)),
        };
        self.offset += 1;
        Ok(letter)
    }

    fn unicode_escape(&mut self, start: usize) -> Result<char, ValueError> {
        let lone = ValueError::LoneSurrogate { path: String::new(), offset: start };
        let first = self.hex_unit()?;
        let code = match first {
            0xd800..=0xdbff => {
                if !self.text.as_bytes()[self.offset..].starts_with(b"\\u") {
                    return Err(lone);
                }
                self.offset += 1;
                match self.hex_unit()? {
                    second @ 0xdc00..=0xdfff => 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                    _ => return Err(lone),
                }
            }
            _ => first,
        };
        char::from_u32(code).ok_or(lone)
    }

    /// Reads `uXXXX`.
    fn hex_unit(&mut self) -> Result<u32, ValueError> {
        self.expect(b'u', "`u`")?;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit * 16 + digit.ok_or(ValueError::syntax("four hexadecimal digits", self.offset))?;
            self.offset += 1;
        }
        Ok(unit)
    }
}
