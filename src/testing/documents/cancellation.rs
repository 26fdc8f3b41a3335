//! What stages say about cancellation, drawn at random; other stages are named once all are there.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::value::Value;

use super::{Keys, all, constant, entry, insert, some, texts};

/// Stands for the name of another stage.
const OTHER: &str = "&";

/// Everything a stage can say about cancellation.
pub(super) fn keys() -> BoxedStrategy<Keys> {
    let stage = || Value::map([("stage", OTHER)]);
    let workflow = || Value::map([("workflow", true)]);
    let timer = |length: &str| Value::map([("timer", length)]);
    let completed = || Value::map([("completed", OTHER)]);
    let cancels = vec![
        Value::list([stage()]),
        Value::list([stage()]),
        Value::list([stage()]),
        Value::list([workflow()]),
        Value::from("workflow"),
        Value::list([stage(), workflow()]),
    ];
    let cancel_on = vec![
        Value::list([timer("30s")]),
        Value::list([completed()]),
        Value::list([completed(), timer("1h30m")]),
        Value::list([timer("1s")]),
    ];
    all(vec![
        some(50, constant("cancels", cancels)),
        some(50, constant("cancel_on", cancel_on)),
        some(20, texts("end", &["none", "terminate"])),
    ])
}

/// Names one of `others` where a stage names another; what names a missing one is left out.
pub(super) fn settle(stage: &mut Value, others: &[&str], named: Index) {
    for key in ["cancels", "cancel_on"] {
        let Some(Value::List(items)) = entry(stage, key) else { continue };
        if others.is_empty() {
            items.retain(|item| !names_other(item));
        } else {
            items.iter_mut().for_each(|item| name(item, others[named.index(others.len())]));
        }
    }
    let workflow = |item: &Value| item.get("workflow").is_some();
    let cancels_workflow = match stage.get("cancels") {
        Some(Value::String(_)) => true,
        Some(Value::List(items)) => items.iter().any(workflow),
        _ => false,
    };
    if cancels_workflow && stage.get("end").is_some() {
        insert(stage, "end", "none".into());
    }
}

/// Its success is that of the workflow.
pub(super) fn terminate(stage: &mut Value) {
    if let Value::Map(entries) = stage {
        entries.remove("cancels");
    }
    insert(stage, "end", "terminate".into());
}

fn names_other(item: &Value) -> bool {
    item.as_map().is_some_and(|entries| entries.values().any(|value| value.as_str() == Some(OTHER)))
}

fn name(item: &mut Value, other: &str) {
    if let Value::Map(entries) = item {
        for value in entries.values_mut().filter(|value| value.as_str() == Some(OTHER)) {
            *value = other.into();
        }
    }
}
