//! Arcs that lead back, and jumps, in drawn documents.

use crate::value::Value;

use super::{ancestors, insert};

/// The stage itself and those that are known to follow it: control may come back from there.
pub(super) fn followers(place: usize, needs: &[Vec<usize>]) -> Vec<usize> {
    (place..needs.len()).filter(|other| *other == place || ancestors(*other, needs).contains(&place)).collect()
}

/// Control comes back to the stage, which then has a join that does not wait for it.
pub(super) fn come_back(stage: &mut Value, from: &str, most: Option<u32>) {
    insert(stage, "back_from", Value::list([way(from, most)]));
    let join = stage.get("join_type").and_then(|join| join.as_str().map(str::to_ascii_uppercase));
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
    insert(stage, "jump_targets", if limited > 4 { "any".into() } else { Value::List(targets) });
}

/// Where joins count, somebody jumps there: what that does is to be drawn often.
pub(super) fn aim(stages: &mut [(String, Value)]) {
    let join = |stage: &Value| stage.get("join_type").and_then(|join| join.as_str().map(str::to_ascii_uppercase));
    // Those that are rarest are better.
    let rank = |stage: &Value| {
        ["DISCRIMINATOR", "N_OF_M", "THREAD_MERGE"].iter().position(|name| join(stage).as_deref() == Some(name))
    };
    let counting = stages.iter().filter_map(|(name, stage)| Some((rank(stage)?, name))).max();
    let Some(counting) = counting.map(|(_, name)| name.clone()) else { return };
    let to_it = |target: &Value| target.get("stage").unwrap_or(target).as_str() == Some(&counting);
    for (_, stage) in stages.iter_mut() {
        match stage {
            Value::Map(keys) if keys.contains_key("jump_targets") => {
                let targets = keys.get_mut("jump_targets");
                if let Some(Value::List(targets)) =
                    targets.filter(|targets| !targets.as_list().into_iter().flatten().any(to_it))
                {
                    // Names alone are drawn often enough.
                    targets.retain(|target| target.as_str().is_none());
                    targets.insert(0, counting.as_str().into());
                }
            }
            _ => jump(stage, vec![(&counting, None)]),
        }
    }
}

fn way(other: &str, most: Option<u32>) -> Value {
    match most {
        Some(most) => Value::map([("stage", Value::from(other)), ("max_iterations", most.into())]),
        None => other.into(),
    }
}
