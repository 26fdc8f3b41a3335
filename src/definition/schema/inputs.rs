//! Declarations of inputs in the schema.

use crate::definition::input::InputType;
use crate::definition::reading::keys::{INPUT, ITEMS, Level};
use crate::value::Value;

use super::data::{any_case, anything, choice, flag, list_of, name, text, without};
use super::{Property, keyed, not, reference, when, with, with_more, with_rules};

/// The inputs by their names.
pub(super) fn declared() -> Value {
    Value::map([
        ("type", Value::from("object")),
        ("propertyNames", name()),
        ("additionalProperties", reference("input")),
    ])
}

/// One input.
pub(super) fn input() -> Value {
    let mut known = shape();
    known.push(("default", "Taken where none is given; without it the input must be.", anything()));
    known.push(("secret", "Whether its value is read where a text says, env:NAME or file:PATH.", flag()));
    // Nothing but that it is text is known of a secret before a task has it.
    let is_secret = with("secret", Value::map([("const", true)]));
    let is_text = with("type", any_case(InputType::String.name()));
    with_rules(
        ruled(&INPUT, known),
        [when(is_secret.clone(), is_text), when(is_secret, without(["enum", "min", "max", "pattern"]))],
    )
}

/// What the items of a list look like.
pub(super) fn items() -> Value {
    ruled(&ITEMS, shape())
}

fn shape() -> Vec<Property> {
    let types = InputType::ALL.map(InputType::name);
    let number = || Value::map([("type", "number")]);
    let some = with_more(list_of(anything()), [("minItems", 1.into())]);
    vec![
        ("type", "What kind of value it is.", choice(&types)),
        ("enum", "The values it may have.", some),
        ("min", "Least number; of text its characters, of a list or map its entries.", number()),
        ("max", "Greatest number, like min.", number()),
        ("pattern", "Regular expression that some part of the text matches.", text()),
        ("items", "What the items of a list look like.", reference("items")),
        ("description", "For people.", text()),
    ]
}

/// What may stand beside which type.
fn ruled(level: &Level, known: Vec<Property>) -> Value {
    let of = |input_type: InputType| any_case(input_type.name());
    let is = |input_type| with("type", of(input_type));
    let is_either = |one, other| with("type", Value::map([("anyOf", Value::list([of(one), of(other)]))]));
    let rules = [
        when(is(InputType::Boolean), without(["min", "max"])),
        when(not(is_either(InputType::String, InputType::Any)), without(["pattern"])),
        when(not(is(InputType::List)), without(["items"])),
    ];
    let schema = with_more(keyed(level, known), [("required", Value::list(["type"]))]);
    with_rules(schema, rules)
}
