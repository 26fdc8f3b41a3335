//! The file a program writes its outputs into: `name=text`, `name:=JSON`, `name<<WORD` .. `WORD`.
//!
//! Of several lines for one name the last wins; any other line is an error with its number. Pure.

use crate::task::outcome::is_output_name;
use crate::value::{Map, Value};

/// Why a text is no output file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the output file: {reason}")]
pub(super) struct LineError {
    /// Which line, from 1.
    line: usize,
    reason: String,
}

/// The outputs in the bytes of an output file; `reserved` names are refused.
///
/// # Errors
///
/// The first line that is none of the three forms, names a reserved output, holds no JSON, opens a text that no line
/// closes, or is not UTF-8. An empty line is such a line.
pub(super) fn parse(bytes: &[u8], reserved: &[&str]) -> Result<Map, LineError> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            let reason = "it is not UTF-8".to_owned();
            return Err(LineError { line, reason });
        }
    };
    let mut outputs = Map::new();
    let mut lines = (1..).zip(text.strip_suffix('\n').unwrap_or(text).split('\n'));
    if text.is_empty() {
        return Ok(outputs);
    }
    while let Some((line, content)) = lines.next() {
        let fail = |reason: String| LineError { line, reason };
        let (name, form) = split(content).ok_or_else(|| {
            let shown: String = content.chars().take(80).collect();
            fail(format!("{shown:?} is none of name=text, name:=JSON and name<<WORD"))
        })?;
        if reserved.contains(&name) {
            return Err(fail(format!("the name {name} is taken by what every program leaves")));
        }
        let value = match form {
            Form::Text(text) => Value::from(text),
            Form::Json(text) => Value::from_json(text).map_err(|error| fail(format!("the JSON of {name}: {error}")))?,
            Form::Until(word) => {
                let mut content: Vec<&str> = Vec::new();
                loop {
                    match lines.next() {
                        Some((_, end)) if end == word => break Value::from(content.join("\n")),
                        Some((_, line)) => content.push(line),
                        None => return Err(fail(format!("no line {word:?} ends the text of {name}"))),
                    }
                }
            }
        };
        outputs.insert(name.to_owned(), value);
    }
    Ok(outputs)
}

/// What stands behind a name.
enum Form<'a> {
    Text(&'a str),
    Json(&'a str),
    Until(&'a str),
}

fn split(line: &str) -> Option<(&str, Form<'_>)> {
    let end = line.find(['=', ':', '<'])?;
    let (name, rest) = line.split_at_checked(end)?;
    if !is_output_name(name) {
        return None;
    }
    let form = if let Some(text) = rest.strip_prefix('=') {
        Form::Text(text)
    } else if let Some(json) = rest.strip_prefix(":=") {
        Form::Json(json)
    } else {
        Form::Until(rest.strip_prefix("<<").filter(|word| !word.is_empty())?)
    };
    Some((name, form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_read_and_the_last_wins() {
        for (text, outputs) in [
            ("", "{}"),
            ("a=1", r#"{"a":"1"}"#),
            ("a=1\n", r#"{"a":"1"}"#),
            ("a=\n", r#"{"a":""}"#),
            ("a==b=c\n", r#"{"a":"=b=c"}"#),
            ("a= x \n", r#"{"a":" x "}"#),
            ("a=x:=y<<z\n", r#"{"a":"x:=y<<z"}"#),
            ("a:=1\nb:=[true, null]\n", r#"{"a":1,"b":[true,null]}"#),
            ("a:= {\"k\": 1.5}\n", r#"{"a":{"k":1.5}}"#),
            ("a=1\na:=2\nb=3\n", r#"{"a":2,"b":"3"}"#),
            ("0-b_C=x\n", r#"{"0-b_C":"x"}"#),
            ("a<<END\none\n\ntwo=2\nEND\nb=3\n", r#"{"a":"one\n\ntwo=2","b":"3"}"#),
            ("a<<END\nEND\n", r#"{"a":""}"#),
            ("a<<two words\n two words\ntwo words", r#"{"a":" two words"}"#),
            ("a=\u{e4}\n", "{\"a\":\"\u{e4}\"}"),
        ] {
            let parsed = parse(text.as_bytes(), &[]).map(|outputs| Value::Map(outputs).to_json());
            assert_eq!(parsed.as_deref(), Ok(outputs), "{text:?}");
        }
    }

    #[test]
    fn any_other_line_is_refused_with_its_number() {
        for (bytes, line, reason) in [
            (&b"a=1\n\nb=2\n"[..], 2, "\"\" is none of"),
            (b"\n", 1, "none of"),
            (b"hello\n", 1, "\"hello\" is none of"),
            (b"a=1\n=2\n", 2, "none of"),
            (b"a b=2\n", 1, "none of"),
            (b"-a=2\n", 1, "none of"),
            (b"a:2\n", 1, "none of"),
            (b"a<b\n", 1, "none of"),
            (b"a<<\n", 1, "none of"),
            (b"x<<E\n1\nE\na:={\n", 4, "the JSON of a: expected"),
            (b"a:=\n", 1, "the JSON of a"),
            (b"a=1\nb<<E\nE \n", 2, "no line \"E\" ends the text of b"),
            (b"stdout=1\n", 1, "the name stdout is taken"),
            (b"a=1\nb=\xff\n", 2, "it is not UTF-8"),
        ] {
            let error = parse(bytes, &["stdout"]).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.reason.contains(reason), "{error}");
        }
        assert!(parse("a".repeat(65).as_bytes(), &[]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
            let _ = parse(&bytes, &["stdout"]);
        }

        #[test]
        fn any_text_comes_through_a_heredoc(text in "[^\u{0}]{0,80}") {
            proptest::prop_assume!(text.split('\n').all(|line| line != "WORD"));
            let file = format!("a<<WORD\n{text}\nWORD\n");
            proptest::prop_assert_eq!(parse(file.as_bytes(), &[]), Ok(Map::from([("a".into(), text.into())])));
        }
    }
}
