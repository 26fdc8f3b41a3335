//! What stages say about cancellation, in the schema.

use crate::definition::cancellation::{CancelMode, Ending, RegionEffect, RegionFuture};
use crate::definition::reading::keys::{CANCEL_ON, CANCELS, REGION};
use crate::value::Value;

use super::data::{any_case, choice, list_of, name, some_time, text};
use super::{Property, keyed, not, reference, required, with, with_more};

/// The keys of a stage.
pub(super) fn stage() -> Vec<Property> {
    let cancels = with_more(list_of(reference("cancels")), [("uniqueItems", true.into())]);
    let cancels = Value::map([("anyOf", Value::list([any_case("workflow"), cancels]))]);
    let timers = [("contains", required(["timer"])), ("minContains", 0.into()), ("maxContains", 1.into())];
    let cancel_on = with_more(with_more(list_of(reference("cancel_on")), timers), [("uniqueItems", Value::from(true))]);
    let names = with_more(list_of(name()), [("uniqueItems", true.into())]);
    let one_or_more = Value::map([("anyOf", Value::list([name(), names]))]);
    vec![
        ("cancels", "What ends when it has succeeded, before control goes on.", cancels),
        ("cancel_on", "What ends it from outside.", cancel_on),
        ("cancel_region", "The regions it lies in, a name or a list.", one_or_more),
        (
            "on_cancelled",
            "The stage to which control goes when it is canceled by a stage, a timer or a signal.",
            text(),
        ),
        (
            "cancel_mode",
            "What becomes of an attempt under way when it is canceled: try tells the worker, wait ends when that has \
             stopped, abandon does not tell it; default try.",
            choice(&CancelMode::NAMES),
        ),
        ("cancel_timeout", "How long cancel_mode: wait waits at most, like 5m.", some_time()),
        ("end", "terminate: its success is that of the workflow.", choice(&Ending::ALL.map(Ending::name))),
    ]
}

/// What excludes what in a stage.
pub(super) fn rules() -> Vec<Value> {
    let in_list = Value::map([("type", Value::from("array")), ("contains", required(["workflow"]))]);
    let workflow = Value::map([("anyOf", Value::list([any_case("workflow"), in_list]))]);
    let both = [with("end", any_case(Ending::Terminate.name())), with("cancels", workflow)];
    let waits = with("cancel_mode", any_case("wait"));
    let limited = [required(["cancel_timeout"]), not(waits)];
    vec![not(Value::map([("allOf", Value::list(both))])), not(Value::map([("allOf", Value::list(limited))]))]
}

/// An item of `cancels`.
pub(super) fn cancels() -> Value {
    let known = vec![
        ("stage", "What lives of this stage.", text()),
        ("region", "What there is of this region.", text()),
        ("workflow", "The workflow.", Value::map([("const", true)])),
        ("mi", "The instances of this stage, and it with them.", text()),
        ("complete_mi", "The instances of this stage, from which control then goes on.", text()),
    ];
    one_of(keyed(&CANCELS, known))
}

/// An item of `cancel_on`.
pub(super) fn cancel_on() -> Value {
    let known = vec![
        ("timer", "It has lived this long, like 2h.", some_time()),
        ("completed", "This stage has succeeded.", text()),
        ("signal", "A signal of this name has come while it lives.", name()),
    ];
    one_of(keyed(&CANCEL_ON, known))
}

/// What is said of regions, by name.
pub(super) fn regions() -> Value {
    Value::map([
        ("type", Value::from("object")),
        ("propertyNames", name()),
        ("additionalProperties", reference("region")),
    ])
}

/// A region.
pub(super) fn region() -> Value {
    let effects = RegionEffect::ALL.map(RegionEffect::name);
    let futures = RegionFuture::ALL.map(RegionFuture::name);
    let known = vec![
        ("effect", "What its cancellation does: bypass goes on behind, remove does not.", choice(&effects)),
        ("future", "What comes later: withdraw treats it alike, allow lets it run.", choice(&futures)),
    ];
    keyed(&REGION, known)
}

/// Exactly one of its keys.
pub(super) fn one_of(map: Value) -> Value {
    with_more(map, [("minProperties", 1.into()), ("maxProperties", 1.into())])
}
