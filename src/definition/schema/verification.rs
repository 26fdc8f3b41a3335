//! What is asked of outputs, in the schema.

use crate::definition::by_hand::ByHand;
use crate::definition::input::InputType;
use crate::definition::reading::keys::{VERIFICATION, VERIFICATION_RETRY};
use crate::value::Value;

use super::data::{choice, list_of, name, some_text, without};
use super::{Property, delays, keyed, not, reference, required, when, with, with_more};

/// The key, of a stage or a task.
pub(super) fn key() -> Property {
    ("verification", "What is asked of the outputs before a success counts.", reference("verification"))
}

/// What it asks.
pub(super) fn verification() -> Value {
    let types = Value::map([
        ("type", Value::from("object")),
        ("propertyNames", name()),
        ("additionalProperties", choice(&InputType::ALL.map(InputType::name))),
    ]);
    let names = with_more(list_of(name()), [("uniqueItems", true.into())]);
    let known = vec![
        ("required_keys", "Outputs that have to be there.", names),
        ("types", "The types of outputs that are there.", types),
        ("verifier", "The registered function that has the last word.", some_text()),
        ("retry", "How often and when work is done again that does not pass.", keyed(&VERIFICATION_RETRY, delays())),
    ];
    let asks = ["required_keys", "types", "verifier"].map(|key| required([key]));
    with_more(keyed(&VERIFICATION, known), [("anyOf", Value::list(asks))])
}

/// What may stand beside it on a stage or a task.
pub(super) fn rules() -> Vec<Value> {
    let by_people = ByHand::NAMES.map(|people| with("uses", Value::map([("const", people)])));
    vec![when(required(["verification"]), not(Value::map([("anyOf", Value::list(by_people))])))]
}

/// What may stand beside it on a stage.
pub(super) fn rules_of_stage() -> Vec<Value> {
    let work = Value::map([("anyOf", Value::list([required(["run"]), required(["uses"])]))]);
    let mut rules = rules();
    rules.push(when(required(["verification"]), work));
    rules.push(when(required(["verification"]), without(["tasks", "loop", "sub_workflow"])));
    rules
}
