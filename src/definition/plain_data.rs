//! Plain data in the notation of definitions: maps of inputs, payloads, by the rules definitions are read by.

use std::sync::Arc;

use super::code::ProblemCode;
use super::document::{Content, Node, Span, entries_to_map};
use super::problem::{Problem, Problems};
use super::{json, yaml};
use crate::limits::DEFINITION_BYTES_MAX;
use crate::value::Map;

/// Reads a map from YAML 1.2; an empty text is a map without entries.
///
/// # Errors
///
/// Everything that is wrong with it, each with its place.
pub fn map_from_yaml(text: &str) -> Result<Map, Problems> {
    map_from_text(text, yaml::read)
}

/// Reads a map from JSON.
///
/// # Errors
///
/// Everything that is wrong with it, each with its place.
pub fn map_from_json(text: &str) -> Result<Map, Problems> {
    map_from_text(text, json::read)
}

fn map_from_text(text: &str, read: fn(&str, &mut Vec<Problem>) -> Option<Node>) -> Result<Map, Problems> {
    let mut problems = Vec::new();
    if text.len() > DEFINITION_BYTES_MAX {
        let message = format!("the text has {} bytes, more than {DEFINITION_BYTES_MAX}", text.len());
        problems.push(Problem::error(ProblemCode::DocumentTooLarge, &Span::start(), message));
        return Err(Problems::new(problems, Arc::from("")));
    }
    let root = read(text, &mut problems);
    let map = match root.as_ref().map(|root| (&root.content, &root.span)) {
        Some((Content::Map(entries), _)) => entries_to_map(entries),
        Some((Content::Null, _)) if !text.trim_ascii().starts_with("null") => Map::new(),
        Some((_, span)) => {
            problems.push(Problem::error(ProblemCode::WrongType, span, "expected a map of names and values"));
            Map::new()
        }
        None => Map::new(),
    };
    if problems.is_empty() { Ok(map) } else { Err(Problems::new(problems, Arc::from(text))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn yaml_and_json_give_the_same_map() {
        let expected = Map::from([
            ("a".to_owned(), Value::from(1)),
            ("b".to_owned(), Value::list(["x", "no"])),
            ("c".to_owned(), Value::Null),
        ]);
        assert_eq!(map_from_yaml("a: 1\nb: [x, no]\nc:\n").unwrap(), expected);
        assert_eq!(map_from_json(r#"{"a": 1, "b": ["x", "no"], "c": null}"#).unwrap(), expected);
        assert_eq!(map_from_yaml("# nothing\n").unwrap(), Map::new());
    }

    #[test]
    fn what_is_no_map_is_refused_with_its_place() {
        for (text, expected) in [
            ("[1]", "1:1: error[WRONG_TYPE]"),
            ("a: 1\na: 2", "2:1: error[DUPLICATE_KEY]"),
            ("a: [", "error[SYNTAX_ERROR]"),
            ("text", "1:1: error[WRONG_TYPE]"),
        ] {
            let problems = map_from_yaml(text).unwrap_err().to_string();
            assert!(problems.contains(expected), "{problems}");
        }
        assert!(map_from_json("").is_err());
    }
}
