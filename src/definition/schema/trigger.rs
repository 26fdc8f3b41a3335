//! What a stage waits for, in the schema.

use crate::definition::reading::SIGNAL_FIELDS;
use crate::definition::reading::keys::TRIGGER;
use crate::definition::trigger::Durability;
use crate::limits::SIGNALS_BUFFERED_MAX;
use crate::value::Value;

use super::data::{choice, expression, flag, integer, name, some_time, without};
use super::{Property, keyed, not, reference, required, when, with, with_more, with_rules};

/// A trigger.
pub(super) fn trigger() -> Value {
    let known = vec![
        ("signal", "The name of the signal it waits for.", name()),
        ("timer", "The time it waits, like 1h, from when its other gates are passed.", some_time()),
        (
            "durability",
            "What becomes of a signal that comes too early: sender (the sender says), transient or persistent.",
            choice(&Durability::ALL.map(Durability::name)),
        ),
        ("deliver", "A signal goes to one that waits for it.", choice(&["one"])),
        ("start", "Whether each signal begins a thread of its own; the stage then needs no other.", flag()),
        ("required", "Whether the workflow goes on until the trigger is closed; default true.", flag()),
        ("correlate", "Only a signal for which this holds is taken; sees signal.name, .data, .actor.", expression()),
    ];
    let either = Value::map([("anyOf", Value::list([required(["signal"]), required(["timer"])]))]);
    let rules = [
        either,
        not(required(["signal", "timer"])),
        when(required(["timer"]), without(SIGNAL_FIELDS)),
        when(required(["required"]), starts()),
    ];
    with_rules(keyed(&TRIGGER, known), rules)
}

/// The keys of a stage.
pub(super) fn trigger_keys() -> Vec<Property> {
    let most = u32::try_from(SIGNALS_BUFFERED_MAX).unwrap_or(u32::MAX);
    vec![
        ("trigger", "What it waits for besides its join: a signal or a length of time.", reference("trigger")),
        ("max_buffered", "So many signals for it are kept at most; more are refused.", integer(1, most)),
    ]
}

/// What a trigger excludes or needs in its stage.
pub(super) fn trigger_rules() -> Vec<Value> {
    let by_signal = with("trigger", required(["signal"]));
    vec![
        when(required(["max_buffered"]), by_signal),
        when(with("trigger", starts()), without(["needs", "requisite_stage_ref_ids"])),
    ]
}

fn starts() -> Value {
    with_more(required(["start"]), [("properties", Value::map([("start", Value::map([("const", true)]))]))])
}
