//! What never runs beside what, in the schema.

use crate::definition::exclusion::InterleaveOrder;
use crate::definition::reading::keys::{CRITICAL_SECTION, INTERLEAVE};
use crate::value::Value;

use super::data::{choice, name, references, some_text, without};
use super::{Property, keyed, reference, required, when, with_more};

/// The keys of a stage.
pub(super) fn stage() -> Vec<Property> {
    vec![
        ("mutex_key", "Of the stages with one key only one runs at a time.", some_text()),
        ("mutex_scope", "Where the key excludes: in one workflow.", scopes()),
        ("interleave", "It runs once among a group of stages, one after the other.", reference("interleave")),
    ]
}

/// What needs what in a stage.
pub(super) fn rules() -> Vec<Value> {
    vec![
        when(required(["mutex_scope"]), required(["mutex_key"])),
        when(required(["interleave"]), without(["mi_config", "for_each", "matrix"])),
    ]
}

fn scopes() -> Value {
    choice(&["workflow"])
}

/// `interleave` of a stage.
pub(super) fn interleave() -> Value {
    let orders = InterleaveOrder::ALL.map(InterleaveOrder::name);
    let known = vec![
        ("group", "The name of the group.", some_text()),
        ("order", "partial: as they need each other; any: none of them needs another.", choice(&orders)),
    ];
    with_more(keyed(&INTERLEAVE, known), [("required", Value::list(["group"]))])
}

/// An item of `critical_sections`.
pub(super) fn critical_section() -> Value {
    let members = with_more(references(), [("minItems", 1.into())]);
    let sections = Value::map([
        ("type", Value::from("object")),
        ("propertyNames", name()),
        ("additionalProperties", members),
        ("minProperties", 1.into()),
    ]);
    let known = vec![
        ("mutex_key", "What only one of the sections holds at a time.", some_text()),
        ("mutex_scope", "Where the key excludes: in one workflow.", scopes()),
        ("sections", "The stages of each section, by its name.", sections),
    ];
    with_more(keyed(&CRITICAL_SECTION, known), [("required", Value::list(["mutex_key", "sections"]))])
}
