//! What never runs beside what, in drawn documents; which stages a section has is settled once all are there.

use proptest::prelude::*;

use crate::value::Value;

use super::{Keys, all, constant, entry, insert, one, some, texts};

/// The key of stages that hold others.
const OUTER: &str = "shared db";

/// Everything a stage can say about exclusion.
pub(super) fn keys() -> BoxedStrategy<Keys> {
    let mutex = all(vec![texts("mutex_key", &["k", "k", "l", OUTER]), some(20, texts("mutex_scope", &["workflow"]))]);
    let interleave = |order: Option<&'static str>| {
        let order = order.map(|order| ("order", Value::from(order)));
        Value::map([("group", Value::from("g"))].into_iter().chain(order))
    };
    let groups = vec![interleave(None), interleave(Some("partial")), interleave(Some("any")), interleave(Some("any"))];
    all(vec![some(60, mutex), some(50, constant("interleave", groups))])
}

/// That there are critical sections; their stages are not known yet.
pub(super) fn sections() -> BoxedStrategy<Keys> {
    constant("critical_sections", vec![Value::from("c"), Value::from("c"), Value::from("k")])
}

/// What a stage excludes that holds others, or stands inside another, is not what it may wait for there.
pub(super) fn nest(keys: &mut Keys, is_inside: bool, holds_others: bool) {
    let outer = Value::from(OUTER);
    keys.retain(|(key, value)| match *key {
        "interleave" => !is_inside,
        "mutex_key" => !is_inside || (!holds_others && *value != outer),
        _ => true,
    });
    if holds_others {
        keys.iter_mut().filter(|(key, _)| *key == "mutex_key").for_each(|(_, value)| *value = outer.clone());
    }
    if !keys.iter().any(|(key, _)| *key == "mutex_key") {
        keys.retain(|(key, _)| *key != "mutex_scope");
    }
}

/// Groups of what is sure to run once, and sections of what is there.
pub(super) fn settle(document: &mut Value, stages: &mut [(impl AsRef<str>, Value)]) {
    let taking_over: Vec<String> =
        stages.iter().filter_map(|(_, stage)| Some(stage.get("on_cancelled")?.as_str()?.to_owned())).collect();
    let mut order: Option<Option<Value>> = None;
    for (name, stage) in stages.iter_mut() {
        let is_first = needs(stage).is_empty()
            && stage.get("back_from").is_none()
            && stage.get("join_type").and_then(Value::as_str) != Some("THREAD_MERGE")
            && !taking_over.iter().any(|other| other == name.as_ref())
            && stage.get("trigger").is_none_or(|trigger| trigger.get("start") != Some(&Value::Bool(true)));
        let has_instances = ["mi_config", "for_each", "matrix"].iter().any(|key| stage.get(key).is_some());
        let Some(interleave) = entry(stage, "interleave") else { continue };
        let written = order.get_or_insert_with(|| interleave.get("order").cloned());
        if !is_first || has_instances {
            remove(stage, "interleave");
        } else if let Value::Map(entries) = interleave {
            // One group has one order.
            entries.remove("order");
            entries.extend(written.clone().map(|order| ("order".to_owned(), order)));
        }
    }
    let Some(key) = document.get("critical_sections").and_then(Value::as_str).map(str::to_owned) else { return };
    // What a section holds nothing inside its stages may wait for.
    let holds_others = |stage: &Value| ["loop", "before", "after"].iter().any(|key| stage.get(key).is_some());
    let answers = |stage: &Value| stage.get("on_failure").is_some_and(|means| means.get("stages").is_some());
    let has_blocks = stages.iter().any(|(_, stage)| holds_others(stage) || answers(stage));
    let key = if has_blocks { "c".to_owned() } else { key };
    let later = stages.iter().position(|(_, stage)| !needs(stage).is_empty());
    let Some((later, before)) = later.and_then(|later| Some((later, needs(&stages[later].1).first()?.clone()))) else {
        return remove(document, "critical_sections");
    };
    let first = vec![before, stages[later].0.as_ref().to_owned()];
    let second = stages.iter().map(|(name, _)| name.as_ref().to_owned()).find(|name| !first.contains(name));
    for (_, stage) in
        stages.iter_mut().filter(|(name, _)| first.iter().chain(&second).any(|member| member == name.as_ref()))
    {
        if stage.get("mutex_key").and_then(Value::as_str) == Some(key.as_str()) {
            remove(stage, "mutex_key");
            remove(stage, "mutex_scope");
        }
    }
    let mut sections = one("s", Value::list(first));
    sections.extend(second.map(|second| ("other", Value::list([second]))));
    let mut item = vec![("mutex_key", Value::from(key.as_str())), ("sections", Value::map(sections))];
    if key == "k" {
        item.push(("mutex_scope", "Workflow".into()));
    }
    insert(document, "critical_sections", Value::list([Value::map(item)]));
}

/// The stages that a stage needs.
fn needs(stage: &Value) -> Vec<String> {
    let written = stage.get("needs").or_else(|| stage.get("requisite_stage_ref_ids")).and_then(Value::as_list);
    written.unwrap_or_default().iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn remove(value: &mut Value, key: &str) {
    if let Value::Map(entries) = value {
        entries.remove(key);
    }
}
