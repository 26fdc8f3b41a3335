//! What stages wait for, and when they start, in documents drawn at random.

use proptest::prelude::*;
use proptest::sample::select;

use super::{Keys, all, constant, entry, map, one, some, texts};
use crate::value::Value;

/// What a stage waits for. One that signals start is put right where the stage needs others.
pub(super) fn keys() -> BoxedStrategy<Keys> {
    let by_signal = map(
        "trigger",
        all(vec![
            texts("signal", &["go", "go", "stop"]),
            some(60, texts("durability", &["persistent", "transient", "sender", "PERSISTENT"])),
            some(20, texts("deliver", &["one"])),
            some(60, constant("start", vec![true.into(), true.into(), false.into()])),
            some(50, constant("required", vec![true.into(), false.into()])),
            some(30, texts("correlate", &["signal.name != 'stop'", "signal.data.k == 1", "${{ signal.actor }}"])),
        ]),
    );
    let by_signal = all(vec![by_signal, some(20, constant("max_buffered", vec![1.into(), 2.into()]))]);
    let by_timer = map("trigger", texts("timer", &["1h", "90s"]));
    prop_oneof![3 => by_signal, 1 => by_timer].boxed()
}

/// A stage that signals start needs no other, and only there it is said whether it is required.
pub(super) fn put_right(stage: &mut Value, needs_others: bool) {
    let Some(Value::Map(trigger)) = entry(stage, "trigger") else { return };
    if needs_others {
        trigger.remove("start");
    }
    if trigger.get("start") != Some(&Value::Bool(true)) {
        trigger.remove("required");
    }
}

/// A stage inside another one is not started by signals.
pub(super) fn inside(trigger: &mut Value) {
    if let Value::Map(trigger) = trigger {
        trigger.remove("start");
    }
}

/// Moments around the beginning of a course: past, to come, and one before the other in both orders.
pub(super) fn start_times() -> BoxedStrategy<Keys> {
    let scheduled = |moment: &'static str| one("scheduled_time", moment);
    let expiry = |moment: &'static str| one("start_time_expiry", moment);
    let (past, soon, later) = ("2025-12-31T23:59:59Z", "2026-01-01T00:00:30Z", "2026-01-01T02:01:30+02:00");
    let both = |first: Keys, second: Keys| first.into_iter().chain(second).collect::<Keys>();
    select(vec![
        scheduled(past),
        scheduled(soon),
        expiry(past),
        expiry(later),
        both(scheduled(soon), expiry(later)),
        both(scheduled(later), expiry(soon)),
        both(scheduled(later), expiry(soon)),
    ])
    .boxed()
}
