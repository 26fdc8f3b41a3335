//! Why YAML broke at `${{`: inside `{ }` and `[ ]` a brace ends plain text, so an expression there needs quotes.
//!
//! Reads the text around a syntax error roughly; a wrong guess costs a hint, nothing else.

use super::document::Span;

/// Lines before the error that are looked at.
const LINES_BEFORE: usize = 40;

/// The last `${{` without quotes inside a flow list or map before the end of the line of byte `error`.
pub(super) fn unquoted_expression(text: &str, error: usize) -> Option<Span> {
    let bytes = text.as_bytes();
    let end = bytes[error..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| error + length);
    let starts = bytes[..error].iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let start = starts.take(LINES_BEFORE).last().filter(|_| lines(&bytes[..error]) > LINES_BEFORE).unwrap_or(0);
    let found = scan(&bytes[start..end])? + start;
    text.get(found..found + 3).map(|_| Span::of_bytes(text, found..found + 3))
}

fn lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

/// Offset of the last `${{` that stands in flow style without quotes.
fn scan(bytes: &[u8]) -> Option<usize> {
    let mut found = None;
    let mut depth = 0_usize;
    // Whether a value may begin here: quotes and brackets inside a plain text are part of it.
    let mut fresh = true;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'$' if depth > 0 && bytes[at..].starts_with(b"${{") => {
                found = Some(at);
                at += expression_length(&bytes[at..]);
                fresh = false;
                continue;
            }
            b'"' | b'\'' if fresh => at += quoted_length(&bytes[at..]) - 1,
            b'{' | b'[' if fresh || depth > 0 => {
                depth += 1;
                fresh = true;
                at += 1;
                continue;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'#' if fresh => {
                at += bytes[at..].iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len() - at);
                continue;
            }
            _ => {}
        }
        let separator = match byte {
            b'\n' => true,
            b',' => depth > 0,
            b' ' | b'\t' => fresh || matches!(at.checked_sub(1).and_then(|at| bytes.get(at)), Some(b':' | b'-' | b'?')),
            _ => false,
        };
        fresh = separator;
        at += 1;
    }
    found
}

fn expression_length(bytes: &[u8]) -> usize {
    bytes.windows(2).position(|pair| pair == b"}}").map_or(3, |end| end + 2)
}

/// Length of the quoted text that begins here, quotes included.
fn quoted_length(bytes: &[u8]) -> usize {
    let quote = bytes[0];
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte == quote {
            return at;
        }
        if byte == b'\\' && quote == b'"' {
            at += 1;
        }
    }
    bytes.len().max(1)
}
