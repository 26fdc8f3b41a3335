//! Instances of a stage in the schema: `mi_config`, `for_each` and `matrix`, and what excludes or needs what in them.

use crate::definition::instances::Emission;
use crate::definition::reading::keys::{CLOSE_ON, INSTANCES, MI_ON};
use crate::definition::reading::{BESIDE_WAITING, SEVERAL, SOURCES};
use crate::limits::INSTANCES_MAX;
use crate::value::Value;

use super::cancellation::one_of;
use super::data::{any_case, choice, expression, flag, integer, list_of, name, some_text, some_time, text, without};
use super::{Property, anything, keyed, not, reference, required, when, with, with_more, with_rules};

/// The three ways to say that a stage has several instances.
pub(super) fn of_stage() -> Vec<Property> {
    vec![
        (
            "mi_config",
            "It has several instances, and this says of them what for_each and matrix cannot.",
            reference("instances"),
        ),
        ("for_each", "It has an instance for each item of this list, which is `item` there.", list()),
        ("matrix", "It has an instance for each combination of items of these lists: `matrix.NAME`.", matrix()),
    ]
}

/// Only one of them.
pub(super) fn of_stage_rules() -> Vec<Value> {
    pairs(SEVERAL)
}

/// `mi_config`.
pub(super) fn instances() -> Value {
    let number = |least| integer(least, INSTANCES_MAX);
    let known = vec![
        ("count", "So many instances.", number(1)),
        ("count_from_context", "As many instances as this key of the context says.", some_text()),
        (
            "collection_from_context",
            "An instance for each item of the list under this key of the context.",
            some_text(),
        ),
        ("sync_on_complete", "false: control goes on as soon as all have begun.", flag()),
        ("allow_dynamic", "Instances may be added while it runs.", flag()),
        ("join_threshold", "Control goes on when so many are done; default: all.", number(1)),
        ("cancel_remaining", "Those that have not ended then are canceled.", flag()),
        ("sequential", "The next one begins when the one before it is over.", flag()),
        (
            "on_unmet",
            "What it means that all are done and completion_condition does not hold: what is done counts.",
            choice(&["complete"]),
        ),
        (
            "emit",
            "per_instance: control goes on from each that has ended, not from the stage.",
            choice(&Emission::ALL.map(Emission::name)),
        ),
        ("completion_condition", "Control goes on once this holds; asked after each that ends.", expression()),
        ("close_when", "No more may be added once this holds; asked after each that ends or is added.", expression()),
        ("max_instances", "At most so many.", number(1)),
        ("min_instances", "At least so many.", number(0)),
        ("cancel_mi_on", "What cancels it with those that have not ended.", outside()),
        ("complete_mi_on", "What lets control go on without those that have not ended.", outside()),
        (
            "dynamic_close_on",
            "The signal after which no more may be added, and for which it waits.",
            reference("close_on"),
        ),
    ];
    with_rules(keyed(&INSTANCES, known), rules())
}

fn rules() -> Vec<Value> {
    let grows = with("allow_dynamic", Value::map([("const", true)]));
    let loose = with("sync_on_complete", Value::map([("const", false)]));
    let canceled = with("cancel_remaining", Value::map([("const", true)]));
    let counted = Value::map([("anyOf", Value::list(SOURCES.map(|key| required([key]))))]);
    let some = with("min_instances", Value::map([("minimum", 1)]));
    let waits = required(["dynamic_close_on"]);
    let begins = Value::map([("anyOf", Value::list([counted.clone(), some, waits]))]);
    let early = ["join_threshold", "completion_condition"];
    let ends_early = Value::map([("anyOf", Value::list(early.map(|key| required([key]))))]);
    let waited = BESIDE_WAITING.into_iter().filter(|key| !["cancel_remaining", "allow_dynamic"].contains(key));
    let alone: Vec<Value> =
        waited.map(|key| without([key])).chain([not(canceled.clone()), not(grows.clone())]).collect();
    let each = with("emit", any_case(Emission::PerInstance.name()));
    let mut rules = pairs(SOURCES);
    rules.extend(pairs(early));
    rules.push(with_more(when(grows.clone(), begins), [("else", counted)]));
    rules.push(with_more(when(grows, anything()), [("else", without(["close_when", "dynamic_close_on"]))]));
    rules.push(when(loose.clone(), Value::map([("allOf", Value::List(alone))])));
    rules.push(when(each, loose));
    rules.push(when(canceled, ends_early));
    rules
}

/// No two of these keys.
fn pairs<const N: usize>(keys: [&str; N]) -> Vec<Value> {
    let mut rules = Vec::new();
    for (place, one) in keys.iter().enumerate() {
        rules.extend(keys[place + 1..].iter().map(|other| not(required([*one, *other]))));
    }
    rules
}

/// A list of what ends instances from outside.
fn outside() -> Value {
    let timers = [("contains", required(["timer"])), ("minContains", 0.into()), ("maxContains", 1.into())];
    with_more(with_more(list_of(reference("mi_on")), timers), [("uniqueItems", Value::from(true))])
}

/// An item of it.
pub(super) fn mi_on() -> Value {
    let known = vec![
        ("signal", "A signal of this name has come.", name()),
        ("timer", "It has lived this long, like 2h.", some_time()),
        ("completed", "This stage has succeeded.", text()),
    ];
    one_of(keyed(&MI_ON, known))
}

/// What closes a stage to which instances can be added.
pub(super) fn close_on() -> Value {
    one_of(keyed(&CLOSE_ON, vec![("signal", "A signal of this name has come.", name())]))
}

/// A list, or text that is computed to one.
fn list() -> Value {
    let computed = Value::map([("type", "string"), ("pattern", "\\$\\{\\{")]);
    Value::map([("anyOf", Value::list([list_of(anything()), computed]))])
}

fn matrix() -> Value {
    Value::map([
        ("type", "object".into()),
        ("propertyNames", name()),
        ("additionalProperties", list()),
        ("minProperties", Value::from(1)),
    ])
}
