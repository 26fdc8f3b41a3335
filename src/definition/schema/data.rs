//! What single values look like in the schema: texts, numbers, choices, times, templates.

use crate::limits::ERROR_CODE_BYTES_MAX;
use crate::value::Value;

use super::{not, with_more};

/// A name: of a stage, a task, an input, an output.
const NAME: &str = "^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$";

/// A length of time: whole numbers with units, the largest first.
const DURATION: &str = "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?([0-9]+us)?$";

/// A length of no time at all.
const NO_TIME: &str = "^(0+[a-z]+)+$";

/// A moment in RFC 3339.
const INSTANT: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]\
                       (:([0-5][0-9]|60)([.,][0-9]+)?)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)$";

fn pattern(pattern: &str) -> Value {
    Value::map([("type", "string"), ("pattern", pattern)])
}

/// A code of errors.
pub(super) fn error_code() -> Value {
    pattern(&format!("^[A-Z][A-Z0-9_]{{0,{}}}$", ERROR_CODE_BYTES_MAX - 1))
}

/// True or false.
pub(super) fn flag() -> Value {
    Value::map([("type", "boolean")])
}

/// Whatever there is.
pub(super) fn anything() -> Value {
    Value::Bool(true)
}

/// Text.
pub(super) fn text() -> Value {
    Value::map([("type", "string")])
}

/// Text that is more than space.
pub(super) fn some_text() -> Value {
    pattern("\\S")
}

pub(super) fn name() -> Value {
    pattern(NAME)
}

/// A length of time, also none.
pub(super) fn duration() -> Value {
    with_more(pattern(DURATION), [("examples", Value::list(["300ms", "90s", "1h30m"]))])
}

/// A length of time, at least some.
pub(super) fn some_time() -> Value {
    with_more(duration(), [("not", Value::map([("pattern", NO_TIME)]))])
}

pub(super) fn instant() -> Value {
    with_more(pattern(INSTANT), [("examples", Value::list(["2026-05-01T12:00:00Z"]))])
}

pub(super) fn integer(least: u32, most: u32) -> Value {
    Value::map([("type", "integer".into()), ("minimum", Value::from(least)), ("maximum", Value::from(most))])
}

pub(super) fn number(least: u64, most: u64) -> Value {
    Value::map([("type", "number".into()), ("minimum", Value::from(least)), ("maximum", Value::from(most))])
}

/// An expression: text, or simply true or false.
pub(super) fn expression() -> Value {
    Value::map([("type", Value::list(["string", "boolean"]))])
}

/// One of these names, in any case; editors offer them as they are written here.
pub(super) fn choice(names: &[&str]) -> Value {
    let offered = Value::map([("enum", Value::list(names.iter().copied()))]);
    let spellings: Vec<String> = names.iter().map(|name| letters(name)).collect();
    let spelled = pattern(&format!("^({})$", spellings.join("|")));
    Value::map([("anyOf", Value::list([offered, spelled]))])
}

/// This name, in any case.
pub(super) fn any_case(name: &str) -> Value {
    pattern(&format!("^{}$", letters(name)))
}

fn letters(name: &str) -> String {
    let both = |letter: char| {
        if letter.is_ascii_alphabetic() {
            format!("[{}{}]", letter.to_ascii_uppercase(), letter.to_ascii_lowercase())
        } else {
            letter.to_string()
        }
    };
    name.chars().map(both).collect()
}

/// A list of such items.
pub(super) fn list_of(item: Value) -> Value {
    Value::map([("type", Value::from("array")), ("items", item)])
}

/// A list of ref ids, none twice.
pub(super) fn references() -> Value {
    with_more(list_of(text()), [("uniqueItems", true.into())])
}

/// A map of values that may hold `${{ }}` in their texts.
pub(super) fn templates() -> Value {
    Value::map([("type", "object")])
}

/// The same by names.
pub(super) fn named_templates() -> Value {
    with_more(templates(), [("propertyNames", name())])
}

/// Neither of these keys.
pub(super) fn without<const N: usize>(keys: [&str; N]) -> Value {
    Value::map([("allOf", Value::list(keys.map(|key| not(super::required([key])))))])
}
