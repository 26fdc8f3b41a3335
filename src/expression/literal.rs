//! Numbers and strings as Python writes them, without prefixes. Reads one at the beginning of a text.

use super::error::{ExpressionError, ExpressionErrorKind};
use super::lexer::continues_name;
use crate::value::Value;

/// The number `rest` begins with, and its length. `offset` is where `rest` stands in the expression.
pub(super) fn number(rest: &str, offset: usize) -> Result<(Value, usize), ExpressionError> {
    let bytes = rest.as_bytes();
    let radix = match (bytes.first(), bytes.get(1)) {
        (Some(b'0'), Some(b'x' | b'X')) => 16,
        (Some(b'0'), Some(b'o' | b'O')) => 8,
        (Some(b'0'), Some(b'b' | b'B')) => 2,
        _ => 10,
    };
    let (value, length) = if radix == 10 { decimal(rest, offset)? } else { with_radix(rest, offset, radix)? };
    let behind = &rest[length..];
    if behind.starts_with(['j', 'J']) {
        return Err(ExpressionError::unsupported(offset..offset + length + 1, "complex numbers"));
    }
    if behind.starts_with(continues_name) {
        return Err(malformed(offset, length));
    }
    Ok((value, length))
}

fn malformed(offset: usize, length: usize) -> ExpressionError {
    ExpressionError::syntax(offset..offset + length, "malformed number")
}

fn too_large(offset: usize, length: usize, bound: &str) -> ExpressionError {
    let message = format!("number beyond {bound}");
    ExpressionError::new(ExpressionErrorKind::NumberTooLarge, offset..offset + length, message)
}

fn with_radix(rest: &str, offset: usize, radix: u32) -> Result<(Value, usize), ExpressionError> {
    let mut reader = Digits { rest, length: 2, found: String::new() };
    // One `_` may stand right behind the letter.
    reader.length += usize::from(rest[2..].starts_with('_'));
    if !reader.read(radix) {
        return Err(malformed(offset, reader.length));
    }
    integer(&reader.found, radix, offset, reader.length)
}

fn integer(digits: &str, radix: u32, offset: usize, length: usize) -> Result<(Value, usize), ExpressionError> {
    match i128::from_str_radix(digits, radix) {
        Ok(value) => Ok((Value::Integer(value), length)),
        Err(_) => Err(too_large(offset, length, "128 bits")),
    }
}

fn decimal(rest: &str, offset: usize) -> Result<(Value, usize), ExpressionError> {
    let mut reader = Digits { rest, length: 0, found: String::new() };
    let has_whole = reader.read(10);
    let mut whole = true;
    if reader.take(".") {
        whole = false;
        let has_fraction = reader.read(10);
        if !has_whole && !has_fraction {
            return Err(malformed(offset, reader.length));
        }
        if !has_fraction {
            reader.found.push('0');
        }
    }
    let exponent = &rest[reader.length..];
    let mut behind_e = exponent.chars().skip(1);
    let signed = matches!(behind_e.next(), Some('+' | '-')) && behind_e.next().is_some_and(|c| c.is_ascii_digit());
    if exponent.starts_with(['e', 'E']) && (signed || exponent[1..].starts_with(|letter: char| letter.is_ascii_digit()))
    {
        whole = false;
        let _letter = reader.take("e") || reader.take("E");
        let _sign = reader.take("+") || reader.take("-");
        reader.read(10);
    }
    let Digits { length, found, .. } = reader;
    if whole {
        if found.len() > 1 && found.starts_with('0') && found.bytes().any(|digit| digit != b'0') {
            let message = "integers do not begin with `0` (octal ones with `0o`)";
            return Err(ExpressionError::syntax(offset..offset + length, message));
        }
        return integer(&found, 10, offset, length);
    }
    let number: f64 = found.parse().map_err(|_| malformed(offset, length))?;
    let value = Value::number(number).ok_or_else(|| too_large(offset, length, "64-bit floats"))?;
    Ok((value, length))
}

/// Digits on their way into a number, without the `_` between them.
struct Digits<'t> {
    rest: &'t str,
    length: usize,
    found: String,
}

impl Digits<'_> {
    fn take(&mut self, symbol: &str) -> bool {
        let there = self.rest[self.length..].starts_with(symbol);
        if there {
            self.found.push_str(symbol);
            self.length += symbol.len();
        }
        there
    }

    /// Takes digits with single `_` between them; whether there were any.
    fn read(&mut self, radix: u32) -> bool {
        let start = self.found.len();
        let digit_at = |index: usize| self.rest[index..].chars().next().filter(|letter| letter.is_digit(radix));
        let mut digits = Vec::new();
        let mut length = self.length;
        loop {
            let separated = usize::from(!digits.is_empty() && self.rest[length..].starts_with('_'));
            let Some(digit) = digit_at(length + separated) else {
                break;
            };
            digits.push(digit);
            length += separated + 1;
        }
        self.length = length;
        self.found.extend(digits);
        self.found.len() > start
    }
}

/// The string `rest` begins with, and its length with both quotes.
pub(super) fn string(rest: &str, offset: usize) -> Result<(String, usize), ExpressionError> {
    let quote = if rest.starts_with('"') { '"' } else { '\'' };
    if rest[1..].starts_with(if quote == '"' { "\"\"" } else { "''" }) {
        return Err(ExpressionError::unsupported(offset..offset + 3, "strings in three quotes"));
    }
    let mut string = String::new();
    let mut length = 1;
    loop {
        let Some(letter) = rest[length..].chars().next() else {
            return Err(ExpressionError::syntax(offset..offset + length, "string without end"));
        };
        match letter {
            '\\' => length += escape(&rest[length..], offset + length, &mut string)?,
            '\n' | '\r' => {
                return Err(ExpressionError::syntax(offset..offset + length, "string without end in its line"));
            }
            _ if letter == quote => return Ok((string, length + 1)),
            _ => {
                string.push(letter);
                length += letter.len_utf8();
            }
        }
    }
}

/// Adds what the escape at the beginning of `rest` stands for; its length.
fn escape(rest: &str, offset: usize, string: &mut String) -> Result<usize, ExpressionError> {
    let Some(letter) = rest[1..].chars().next() else {
        return Err(ExpressionError::syntax(offset..offset + 1, "string without end"));
    };
    let plain = match letter {
        '\n' => return Ok(2),
        '\\' | '\'' | '"' => letter,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '0'..='7' => return octal(rest, string),
        'x' => return hexadecimal(rest, offset, 2, string),
        'u' => return hexadecimal(rest, offset, 4, string),
        'U' => return hexadecimal(rest, offset, 8, string),
        'N' => {
            return Err(ExpressionError::unsupported(offset..offset + 2, "characters by name (`\\N`)"));
        }
        // As Python: what is no escape stays as it is written.
        _ => {
            string.push('\\');
            letter
        }
    };
    string.push(plain);
    Ok(1 + letter.len_utf8())
}

fn octal(rest: &str, string: &mut String) -> Result<usize, ExpressionError> {
    let digits: Vec<u32> = rest[1..].chars().take(3).map_while(|letter| letter.to_digit(8)).collect();
    let code = digits.iter().fold(0, |code, digit| code * 8 + digit);
    string.push(char::from_u32(code).expect("three octal digits are a character"));
    Ok(1 + digits.len())
}

fn hexadecimal(rest: &str, offset: usize, count: usize, string: &mut String) -> Result<usize, ExpressionError> {
    let digits: Vec<u32> = rest[2..].chars().take(count).map_while(|letter| letter.to_digit(16)).collect();
    let code = digits.iter().fold(0_u32, |code, digit| code.wrapping_mul(16) + digit);
    let span = offset..offset + 2 + digits.len();
    if digits.len() < count {
        return Err(ExpressionError::syntax(span, format!("expected {count} hexadecimal digits")));
    }
    let Some(letter) = char::from_u32(code) else {
        return Err(ExpressionError::syntax(span, "escape of what is no character"));
    };
    string.push(letter);
    Ok(2 + count)
}
