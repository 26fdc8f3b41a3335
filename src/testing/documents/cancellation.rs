//! What stages say about cancellation, drawn at random; other stages are named once all are there.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::value::Value;

use super::{Keys, all, constant, entry, insert, map, some, texts};

/// Stands for the name of another stage.
const OTHER: &str = "&";

/// Everything a stage can say about cancellation.
pub(super) fn keys() -> BoxedStrategy<Keys> {
    let stage = || Value::map([("stage", OTHER)]);
    let region = |name: &str| Value::map([("region", name)]);
    let workflow = || Value::map([("workflow", true)]);
    let timer = |length: &str| Value::map([("timer", length)]);
    let ended = |name: &str| Value::map([("signal", name)]);
    let completed = || Value::map([("completed", OTHER)]);
    let cancels = vec![
        Value::list([stage()]),
        Value::list([stage()]),
        Value::list([stage()]),
        Value::list([workflow()]),
        Value::from("workflow"),
        Value::list([stage(), workflow()]),
        Value::list([region("r")]),
        Value::list([region("r")]),
        Value::list([region("q"), stage()]),
        Value::list([region("q"), region("r")]),
        Value::list([Value::map([("mi", OTHER)])]),
        Value::list([Value::map([("mi", OTHER)])]),
        Value::list([Value::map([("complete_mi", OTHER)])]),
        Value::list([Value::map([("complete_mi", OTHER)]), stage()]),
    ];
    let cancel_on = vec![
        Value::list([timer("30s")]),
        Value::list([completed()]),
        Value::list([completed(), timer("1h30m")]),
        Value::list([timer("1s")]),
        Value::list([ended("stop")]),
        Value::list([ended("stop")]),
        Value::list([ended("go")]),
        Value::list([ended("go")]),
        Value::list([ended("stop"), completed()]),
        Value::list([ended("go"), timer("30s"), ended("stop")]),
    ];
    all(vec![
        some(50, constant("cancels", cancels)),
        some(50, constant("cancel_on", cancel_on)),
        some(40, constant("cancel_region", vec!["r".into(), "q".into(), Value::list(["r"]), Value::list(["q", "r"])])),
        some(30, texts("on_cancelled", &[OTHER])),
        some(20, texts("end", &["none", "terminate"])),
        prop_oneof![
            4 => Just(Vec::new()),
            1 => mode(&["try", "wait", "Wait", "abandon"]),
            1 => (mode(&["wait", "WAIT"]), texts("cancel_timeout", &["5s", "2m"])).prop_map(|(mut mode, timeout)| {
                mode.extend(timeout);
                mode
            }),
        ]
        .boxed(),
    ])
}

/// What becomes of work under way.
fn mode(names: &'static [&'static str]) -> BoxedStrategy<Keys> {
    texts("cancel_mode", names)
}

/// What a workflow says of its regions.
pub(super) fn regions() -> BoxedStrategy<Keys> {
    let region = || {
        all(vec![
            some(70, texts("effect", &["bypass", "remove", "Remove"])),
            some(70, texts("future", &["withdraw", "allow"])),
        ])
    };
    map("regions", all(vec![some(70, map("r", region())), some(70, map("q", region()))]))
}

/// Leaves out the regions in which no stage lies.
pub(super) fn name_regions(document: &mut Value, stages: &mut [(String, Value)]) {
    let lies_in = |stage: &Value, name: &str| match stage.get("cancel_region") {
        Some(Value::String(text)) => text == name,
        Some(Value::List(items)) => items.iter().any(|item| item.as_str() == Some(name)),
        _ => false,
    };
    name_instances(stages);
    for name in ["r", "q"] {
        if stages.iter().any(|(_, stage)| lies_in(stage, name)) {
            continue;
        }
        if let Some(Value::Map(regions)) = entry(document, "regions") {
            regions.remove(name);
        }
        for (_, stage) in stages.iter_mut() {
            if let Some(Value::List(items)) = entry(stage, "cancels") {
                items.retain(|item| item.get("region").and_then(Value::as_str) != Some(name));
            }
        }
    }
}

/// Names a stage that has instances where they are spoken of; what names a missing one is left out.
fn name_instances<N: AsRef<str>>(stages: &mut [(N, Value)]) {
    let several = |stage: &Value| ["mi_config", "for_each", "matrix"].iter().any(|key| stage.get(key).is_some());
    let known: Vec<String> =
        stages.iter().filter(|(_, stage)| several(stage)).map(|(name, _)| name.as_ref().to_owned()).collect();
    for (own, stage) in stages.iter_mut() {
        let Some(Value::List(items)) = entry(stage, "cancels") else { continue };
        let other = known.iter().find(|known| *known != own.as_ref());
        for item in items.iter_mut() {
            let Value::Map(item) = item else { continue };
            for (_, named) in item.iter_mut().filter(|(key, _)| ["mi", "complete_mi"].contains(&key.as_str())) {
                if !known.iter().any(|known| named.as_str() == Some(known)) {
                    *named = other.map_or(Value::Null, |other| other.as_str().into());
                }
            }
        }
        items.retain(|item| item.get("mi").or(item.get("complete_mi")).is_none_or(|named| *named != Value::Null));
    }
}

/// Names one of `others` where a stage names another; what names a missing one is left out.
pub(super) fn settle(stage: &mut Value, others: &[&str], later: &[&str], named: Index) {
    if let Value::Map(entries) = stage
        && entries.contains_key("on_cancelled")
    {
        if later.is_empty() {
            entries.remove("on_cancelled");
        } else {
            entries.insert("on_cancelled".to_owned(), later[named.index(later.len())].into());
        }
    }
    let of_instances = |key| ["cancel_mi_on", "complete_mi_on"].contains(&key);
    for key in ["cancels", "cancel_on", "cancel_mi_on", "complete_mi_on"] {
        let outer = if of_instances(key) { entry(stage, "mi_config") } else { Some(&mut *stage) };
        let Some(Value::List(items)) = outer.and_then(|outer| entry(outer, key)) else { continue };
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

/// Does the document say that its workflows end at nominated stages?
pub(super) fn ends_explicitly(keys: &Keys) -> bool {
    keys.iter().any(|(key, value)| *key == "termination" && value.as_str() == Some("explicit"))
}
