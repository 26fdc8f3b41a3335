//! What is read of YAML and JSON.

use super::*;
use crate::definition::document::{Content, WRITTEN_DEPTH_MAX};
use crate::limits::{ALIASED_NODES_MAX, DEFINITION_BYTES_MAX};

/// The value of a YAML text, or the codes of what is wrong with it.
fn yaml(text: &str) -> Result<String, Vec<ProblemCode>> {
    value(text, yaml::read)
}

fn json(text: &str) -> Result<String, Vec<ProblemCode>> {
    value(text, json::read)
}

fn value(text: &str, read: fn(&str, &mut Vec<Problem>) -> Option<Node>) -> Result<String, Vec<ProblemCode>> {
    let mut problems = Vec::new();
    match read(text, &mut problems) {
        Some(node) if problems.is_empty() => Ok(node.to_value().to_json()),
        _ => Err(problems.iter().map(Problem::code).collect()),
    }
}

#[test]
fn plain_scalars_are_those_of_yaml_1_2() {
    for (text, value) in [
        ("null", "null"),
        ("~", "null"),
        ("[a, ]", "[\"a\"]"),
        ("", "null"),
        ("true", "true"),
        ("FALSE", "false"),
        ("yes", "\"yes\""),
        ("on", "\"on\""),
        ("12:30", "\"12:30\""),
        ("2001-01-01", "\"2001-01-01\""),
        ("0", "0"),
        ("-0", "0"),
        ("+12", "12"),
        ("0x1F", "31"),
        ("0o17", "15"),
        ("0b1", "\"0b1\""),
        ("1_000", "\"1_000\""),
        ("1.0", "1"),
        ("1.5e3", "1500"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("1e", "\"1e\""),
        ("1.2.3", "\"1.2.3\""),
        ("170141183460469231731687303715884105727", "170141183460469231731687303715884105727"),
        ("-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728"),
        ("\"1\"", "\"1\""),
        ("'true'", "\"true\""),
        ("!!str 12", "\"12\""),
        ("|\n a\n  b\n", "\"a\\n b\\n\""),
        (">-\n a\n b\n", "\"a b\""),
        ("\"\\ud83d\\ude00\"", "\"\u{1f600}\""),
        ("{a: 1, 2: b, \"c d\": ~}", "{\"2\":\"b\",\"a\":1,\"c d\":null}"),
        ("[&x {a: 1}, *x]", "[{\"a\":1},{\"a\":1}]"),
        ("\u{feff}a: 1", "{\"a\":1}"),
        ("a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}"),
    ] {
        assert_eq!(yaml(text), Ok(value.to_owned()), "{text:?}");
    }
}

#[test]
fn what_yaml_cannot_mean_here_is_refused() {
    use ProblemCode::{
        BadKey, BadNumber, BadTag, DuplicateKey, MergeKey, SeveralDocuments, SyntaxError, TooDeep, UnknownAnchor,
    };
    let deep = "[".repeat(WRITTEN_DEPTH_MAX + 1) + &"]".repeat(WRITTEN_DEPTH_MAX + 1);
    let deeper = "[".repeat(10_000);
    for (text, code) in [
        (deeper.as_str(), TooDeep),
        (".nan", BadNumber),
        ("-.INF", BadNumber),
        ("1e999", BadNumber),
        ("010", BadNumber),
        ("170141183460469231731687303715884105728", BadNumber),
        ("0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", BadNumber),
        ("{a: 1, a: 2}", DuplicateKey),
        ("{<<: {a: 1}}", MergeKey),
        ("? [a]\n: 1", BadKey),
        ("? \n: 1", BadKey),
        ("!custom a", BadTag),
        ("!!set {a}", BadTag),
        ("*a", UnknownAnchor),
        ("&a [*a]", UnknownAnchor),
        ("a\n---\nb", SeveralDocuments),
        ("[a", SyntaxError),
        ("a: b: c", SyntaxError),
        ("a: {b: ${{ c }}}", SyntaxError),
        ("a:\n\tb: 1", SyntaxError),
        (deep.as_str(), TooDeep),
    ] {
        assert_eq!(yaml(text), Err(vec![code]), "{text:?}");
    }
}

#[test]
fn aliases_repeat_no_more_than_their_budget() {
    let mut bomb = "a: &a0 [x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..8 {
        let alias = format!("*a{}", level - 1);
        let row = [alias.as_str(); 8].join(", ");
        bomb.push_str(&format!("b{level}: &a{level} [{row}]\n"));
    }
    assert_eq!(yaml(&bomb), Err(vec![ProblemCode::TooManyAliases]));
    let fits = format!("- &a [{}]\n- *a\n", "x, ".repeat(ALIASED_NODES_MAX / 2 - 1));
    assert!(yaml(&fits).is_ok());
    let too_deep =
        format!("- &a {}x{}\n- [*a]\n", "[".repeat(WRITTEN_DEPTH_MAX - 1), "]".repeat(WRITTEN_DEPTH_MAX - 1));
    assert_eq!(yaml(&too_deep), Err(vec![ProblemCode::TooDeep]));
}

#[test]
fn json_is_json_and_nothing_more() {
    for (text, value) in [
        ("{\"b\": [1, -2.50, \"\\u00e9\\n\", null, true], \"a\": {}}", "{\"a\":{},\"b\":[1,-2.5,\"é\\n\",null,true]}"),
        ("\t[ ]\r\n", "[]"),
        ("{\"\\ud83d\\ude00\": \"\\/\"}", "{\"\u{1f600}\":\"/\"}"),
        ("170141183460469231731687303715884105727", "170141183460469231731687303715884105727"),
    ] {
        assert_eq!(json(text), Ok(value.to_owned()), "{text}");
    }
    use ProblemCode::{BadNumber, DuplicateKey, SyntaxError, TooDeep};
    let deep = "[".repeat(WRITTEN_DEPTH_MAX + 1);
    for (text, code) in [
        ("", SyntaxError),
        ("{a: 1}", SyntaxError),
        ("[1,]", SyntaxError),
        ("{\"a\": 1,}", SyntaxError),
        ("[1] 2", SyntaxError),
        ("// c\n1", SyntaxError),
        ("01", SyntaxError),
        ("NaN", SyntaxError),
        ("'a'", SyntaxError),
        ("\"\\ud800\"", SyntaxError),
        ("\"a", SyntaxError),
        ("\"\u{1}\"", SyntaxError),
        ("[\"a\" \"b\"]", SyntaxError),
        ("1e999", BadNumber),
        ("170141183460469231731687303715884105728", BadNumber),
        ("{\"a\": 1, \"a\": 2}", DuplicateKey),
        (deep.as_str(), TooDeep),
    ] {
        assert_eq!(json(text), Err(vec![code]), "{text}");
    }
}

#[test]
fn a_text_that_is_too_long_is_not_read_at_all() {
    let text = format!("name: x\n#{}\nstages: {{ a: }}\n", " ".repeat(DEFINITION_BYTES_MAX));
    assert_eq!(refuse(&text).iter().map(Problem::code).collect::<Vec<_>>(), [ProblemCode::DocumentTooLarge]);
}

/// Where the text `needle` of a scalar is found in the source.
#[test]
fn the_place_of_a_part_of_a_text_is_found_through_quotes_and_folding() {
    for (source, place) in [
        ("a: x ${{ y", "1:6"),
        ("a: \"\\t\\\"q\\\" \\u00e9 ${{ y\"", "1:20"),
        ("a: 'it''s ${{ y'", "1:11"),
        ("a: |\n  x\n    ${{ y\n", "3:5"),
        ("a: >-\n  x\n  x ${{ y\n", "3:5"),
        ("a: >\n  x\n\n  x ${{ y\n", "4:5"),
        ("a: x\n   ${{ y", "2:4"),
        ("a: \"x\n   x\\\n   ${{ y\"", "3:4"),
        ("a: |2-\n   x\n  ${{ y\n", "3:3"),
        ("é: é ${{ y", "1:6"),
    ] {
        let mut problems = Vec::new();
        let root = yaml::read(source, &mut problems).unwrap();
        let Content::Map(entries) = &root.content else { panic!("{source}") };
        let node = &entries[0].value;
        let text = node.text().unwrap();
        let at = text.find("${{").unwrap();
        let span = node.span_within(source, text, at..at + 3);
        assert_eq!(span.to_string(), place, "{source:?}");
        assert_eq!(source.get(span.bytes().unwrap()), Some("${{"), "{source:?}");
    }
}
