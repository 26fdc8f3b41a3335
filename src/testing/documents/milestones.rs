//! Milestones in drawn documents; which stages they are about is settled once all are there.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::value::Value;

use super::{Keys, all, constant, insert, one, some, texts};

/// Everything a stage can say about its milestone; of what is settled later.
pub(super) fn keys() -> BoxedStrategy<Keys> {
    const STATUSES: [&str; 8] =
        ["SUCCEEDED", "ENABLED", "RUNNING", "running", "SUSPENDED", "REACHED", "REACHED", "reached"];
    all(vec![
        Just(one("milestone_ref_id", "&")).boxed(),
        some(80, texts("milestone_status", &STATUSES)),
        some(40, texts("milestone_until", &["&"])),
        some(10, constant("milestone_blocks", vec![Value::Bool(false)])),
        some(60, texts("milestone_policy", &["wait_skip", "wait_fail", "Wait"])),
    ])
}

/// Names others of the block, or leaves it out.
pub(super) fn settle(stage: &mut Value, others: &[&str], named: Index) {
    if stage.get("milestone_ref_id").is_none() {
        return;
    }
    let Value::Map(entries) = stage else { return };
    if others.is_empty() {
        entries.retain(|key, _| !key.starts_with("milestone"));
        return;
    }
    let at = named.index(others.len());
    let status = entries.get("milestone_status").and_then(Value::as_str).map(str::to_ascii_uppercase);
    let is_alive = matches!(status.as_deref(), Some("ENABLED" | "RUNNING" | "SUSPENDED"));
    if is_alive {
        entries.remove("milestone_until");
    } else if status.as_deref() == Some("REACHED") || entries.contains_key("milestone_until") {
        entries.insert("milestone_until".to_owned(), others[(at + 1) % others.len()].into());
    }
    insert(stage, "milestone_ref_id", others[at].into());
}
