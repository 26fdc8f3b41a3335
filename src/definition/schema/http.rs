//! The `with` of an `http` task.

use crate::definition::http::{DEPENDENT, EXCLUSIVE, METHODS, SETTINGS, Shape};
use crate::definition::reading::keys::HTTP;
use crate::value::Value;

use super::data::{anything, choice, duration, list_of, text};
use super::{keyed, not, required, with_more, with_rules};

/// What such a task is given.
pub(super) fn settings() -> Value {
    let known = SETTINGS.map(|(key, shape, description)| (key, description, written(shape))).to_vec();
    let mut rules = Vec::new();
    for keys in EXCLUSIVE {
        for (index, first) in keys.iter().enumerate() {
            rules.extend(keys[index + 1..].iter().map(|second| not(required([*first, *second]))));
        }
    }
    let needs = DEPENDENT.map(|(key, needed)| (key, Value::list([needed])));
    let schema =
        with_more(keyed(&HTTP, known), [("required", Value::list(["url"])), ("dependentRequired", Value::map(needs))]);
    with_rules(schema, rules)
}

/// A value of this shape, as it is or computed; nothing where that is allowed.
fn written(shape: Shape) -> Value {
    let computed = Value::map([("type", "string"), ("pattern", "\\$\\{\\{")]);
    let nothing = Value::map([("type", "null")]);
    let or_computed = |value: Value| Value::map([("anyOf", Value::list([value, computed.clone()]))]);
    let number = |least: u64, most: u64| {
        Value::map([("type", "integer".into()), ("minimum", Value::from(least)), ("maximum", Value::from(most))])
    };
    let of_type = |types: &[&str]| Value::map([("type", Value::list(types.iter().copied()))]);
    let map_of = |value: Value| Value::map([("type", "object".into()), ("additionalProperties", value)]);
    let scalar = || of_type(&["string", "number", "boolean", "null"]);
    let value = match shape {
        Shape::Address => {
            return or_computed(Value::map([("type", "string"), ("pattern", "^[Hh][Tt][Tt][Pp][Ss]?://")]));
        }
        Shape::Anything => return anything(),
        Shape::Text => text(),
        Shape::Flag => of_type(&["boolean"]),
        Shape::Method => choice(&METHODS),
        Shape::Whole(most) => number(0, most),
        Shape::Statuses => {
            let status = number(100, 599);
            Value::map([("anyOf", Value::list([status.clone(), list_of(or_computed(status))]))])
        }
        Shape::Scalars => map_of(scalar()),
        Shape::Fields => map_of(Value::map([("anyOf", Value::list([scalar(), list_of(scalar())]))])),
        Shape::Pair => with_more(list_of(text()), [("minItems", Value::from(2)), ("maxItems", Value::from(2))]),
        Shape::Names => list_of(with_more(text(), [("minLength", Value::from(1))])),
        Shape::Time => {
            let seconds = Value::map([("type", Value::from("number")), ("minimum", Value::from(0))]);
            Value::map([("anyOf", Value::list([duration(), seconds]))])
        }
    };
    Value::map([("anyOf", Value::list([value, nothing, computed]))])
}
