//! Arcs that lead back, in drawn documents.

use crate::value::Value;

use super::{ancestors, entry, insert};

/// The stage itself and those that are known to follow it: control may come back from there.
pub(super) fn followers(place: usize, needs: &[Vec<usize>]) -> Vec<usize> {
    (place..needs.len()).filter(|other| *other == place || ancestors(*other, needs).contains(&place)).collect()
}

/// Control comes back to the stage, which then has a join that does not wait for it.
pub(super) fn come_back(stage: &mut Value, from: &str, most: Option<u32>) {
    let arc = match most {
        Some(most) => Value::map([("stage", Value::from(from)), ("max_iterations", most.into())]),
        None => from.into(),
    };
    insert(stage, "back_from", Value::list([arc]));
    let join = entry(stage, "join_type").and_then(|join| join.as_str().map(str::to_ascii_uppercase));
    if !matches!(join.as_deref(), Some("XOR" | "MULTI_MERGE" | "OR")) {
        insert(stage, "join_type", "XOR".into());
    }
}
