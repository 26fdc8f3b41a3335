//! Arcs that lead back, and jumps, in drawn documents.

use crate::value::Value;

use super::{ancestors, entry, insert};

/// The stage itself and those that are known to follow it: control may come back from there.
pub(super) fn followers(place: usize, needs: &[Vec<usize>]) -> Vec<usize> {
    (place..needs.len()).filter(|other| *other == place || ancestors(*other, needs).contains(&place)).collect()
}

/// Control comes back to the stage, which then has a join that does not wait for it.
pub(super) fn come_back(stage: &mut Value, from: &str, most: Option<u32>) {
    insert(stage, "back_from", Value::list([way(from, most)]));
    let join = entry(stage, "join_type").and_then(|join| join.as_str().map(str::to_ascii_uppercase));
    if !matches!(join.as_deref(), Some("XOR" | "MULTI_MERGE" | "OR")) {
        insert(stage, "join_type", "XOR".into());
    }
}

/// Tasks of the stage may jump to these, if it has tasks.
pub(super) fn jump(stage: &mut Value, targets: Vec<(&str, Option<u32>)>) {
    let others = ["loop", "sub_workflow", "mi_config", "for_each", "matrix"];
    if targets.is_empty() || others.iter().any(|key| stage.get(key).is_some()) {
        return;
    }
    let mut known: Vec<&str> = Vec::new();
    let targets = targets.into_iter().filter(|(to, _)| {
        let is_new = !known.contains(to);
        known.push(to);
        is_new
    });
    let targets: Vec<(&str, Option<u32>)> = targets.collect();
    let limited: u32 = targets.iter().map(|(_, most)| most.unwrap_or(2)).sum();
    let targets: Vec<Value> = targets.into_iter().map(|(to, most)| way(to, most)).collect();
    // As good as drawn.
    match limited % 3 {
        0 if targets.len() > 1 => insert(stage, "jump_mode", "move".into()),
        0 => {}
        _ => insert(stage, "jump_mode", "rewind".into()),
    }
    insert(stage, "jump_targets", Value::List(targets));
}

/// No jump leads to a join that counts.
pub(super) fn aim(stages: &mut [(String, Value)]) {
    let counts = |stage: &Value| {
        let join = stage.get("join_type").and_then(|join| join.as_str().map(str::to_ascii_uppercase));
        matches!(join.as_deref(), Some("DISCRIMINATOR" | "N_OF_M" | "THREAD_MERGE"))
    };
    let counting: Vec<String> =
        stages.iter().filter(|(_, stage)| counts(stage)).map(|(name, _)| name.clone()).collect();
    for (_, stage) in stages {
        let Value::Map(keys) = stage else { continue };
        let Some(Value::List(targets)) = keys.get_mut("jump_targets") else { continue };
        targets.retain(|target| {
            let name = target.get("stage").unwrap_or(target).as_str();
            !counting.iter().any(|counting| Some(counting.as_str()) == name)
        });
        if targets.is_empty() {
            keys.remove("jump_targets");
            keys.remove("jump_mode");
        }
    }
}

fn way(other: &str, most: Option<u32>) -> Value {
    match most {
        Some(most) => Value::map([("stage", Value::from(other)), ("max_iterations", most.into())]),
        None => other.into(),
    }
}
