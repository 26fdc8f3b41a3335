//! How one map of values is laid over another (R11): what is later wins, lists grow.

use std::collections::BTreeSet;

use super::{Map, Value};

/// Lays `later` over `target`: a list behind a list adds what is not there yet, anything else replaces.
pub(crate) fn merge_into(target: &mut Map, later: &Map) {
    for (key, value) in later {
        match (target.get_mut(key), value) {
            (Some(Value::List(items)), Value::List(more)) => append_new(items, more),
            (Some(earlier), _) => earlier.clone_from(value),
            (None, _) => {
                target.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Values are told apart by their canonical text: a set of texts keeps long lists from being compared pair by pair.
fn append_new(items: &mut Vec<Value>, more: &[Value]) {
    let mut seen: BTreeSet<String> = items.iter().map(Value::to_json).collect();
    items.extend(more.iter().filter(|item| seen.insert(item.to_json())).cloned());
}
