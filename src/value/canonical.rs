//! Canonical JSON: the one text of a value (R19). Only writes.

use std::fmt::{self, Write};

use super::{Real, Value};

/// Writing to a `String` never fails; formatters may, and then what is behind them stops printing anyway.
pub(super) fn write_value(out: &mut String, value: &Value) {
    write_to(out, value).expect("writing to a string cannot fail");
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_to(f, self)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_to(f, self)
    }
}

impl fmt::Display for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_real(f, *self)
    }
}

impl fmt::Debug for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_real(f, *self)
    }
}

fn write_to(out: &mut dyn Write, value: &Value) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(true) => out.write_str("true"),
        Value::Bool(false) => out.write_str("false"),
        Value::Integer(number) => write!(out, "{number}"),
        Value::Real(number) => write_real(out, *number),
        Value::String(text) => write_string(out, text),
        Value::List(items) => {
            out.write_char('[')?;
            for (index, item) in items.iter().enumerate() {
                separate(out, index)?;
                write_to(out, item)?;
            }
            out.write_char(']')
        }
        Value::Map(entries) => {
            out.write_char('{')?;
            for (index, (key, entry)) in entries.iter().enumerate() {
                separate(out, index)?;
                write_string(out, key)?;
                out.write_char(':')?;
                write_to(out, entry)?;
            }
            out.write_char('}')
        }
    }
}

fn separate(out: &mut dyn Write, index: usize) -> fmt::Result {
    if index > 0 { out.write_char(',') } else { Ok(()) }
}

fn write_string(out: &mut dyn Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    let mut plain_from = 0;
    for (index, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            0x08 => "\\b",
            b'\t' => "\\t",
            b'\n' => "\\n",
            0x0c => "\\f",
            b'\r' => "\\r",
            0x00..=0x1f => "",
            _ => continue,
        };
        out.write_str(&text[plain_from..index])?;
        plain_from = index + 1;
        if short.is_empty() {
            write!(out, "\\u{byte:04x}")?;
        } else {
            out.write_str(short)?;
        }
    }
    out.write_str(&text[plain_from..])?;
    out.write_char('"')
}

/// Shortest digits that are read back as the same number, placed as ECMAScript's `Number::toString` places them.
///
/// One place differs: whole numbers from 2^53 to 10^21 have an exponent here. Without one the text would be that of
/// an integer, and reading it back would give another value.
fn write_real(out: &mut dyn Write, real: Real) -> fmt::Result {
    // Rust writes the same shortest digits, always as d.ddde±x.
    let scientific = format!("{:e}", real.get().abs());
    let (digits, exponent) = scientific.split_once('e').expect("`{:e}` writes an exponent");
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().expect("`{:e}` writes a whole exponent");
    if real.get() < 0.0 {
        out.write_char('-')?;
    }
    // ECMAScript's n: the decimal point stands behind this many digits.
    let point = exponent + 1;
    let count = digits.len() as i32;
    if -6 < point && point <= 0 {
        write!(out, "0.{:0>width$}", digits, width = (count - point) as usize)
    } else if 0 < point && point < count {
        write!(out, "{}.{}", &digits[..point as usize], &digits[point as usize..])
    } else {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        write!(out, "{first}{dot}{rest}e{exponent:+}")
    }
}
