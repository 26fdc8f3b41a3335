//! What a stage has to do with cancellation, in the normal form: only what is used stands there.

use std::collections::BTreeMap;

use super::read::{Fields, Read};
use super::write::put;
use crate::definition::cancellation::{Boundary, CancelTarget, Cancellation, Ending};
use crate::definition::graph::{Graph, GraphStage};
use crate::ids::StageIndex;
use crate::time::Duration;
use crate::value::{Map, Value};

/// Writes what `stage` says into its map.
pub(super) fn write(graph: &Graph, stage: &GraphStage, map: &mut Map) {
    let cancellation = &stage.cancellation;
    let name = |stage: StageIndex| Value::from(graph.stage(stage).ref_id.as_str());
    let mut put_list = |key: &str, items: Vec<Value>| {
        if !items.is_empty() {
            put(map, key, Value::List(items));
        }
    };
    let cancels = cancellation.cancels.iter().map(|target| match target {
        CancelTarget::Stage(stage) => Value::map([("stage", name(*stage))]),
        CancelTarget::Workflow => Value::map([("workflow", true)]),
    });
    put_list("cancels", cancels.collect());
    let timer = cancellation.boundary.timer.map(|timer| Value::map([("timer", timer.microseconds())]));
    let completed = cancellation.boundary.completed.iter().map(|stage| Value::map([("completed", name(*stage))]));
    put_list("cancel_on", timer.into_iter().chain(completed).collect());
    if cancellation.ending != Ending::None {
        put(map, "end", cancellation.ending.name());
    }
}

/// Reads it back, the arc of `on_cancelled` aside.
pub(super) fn read(map: &Fields<'_>, by_name: &BTreeMap<&str, usize>) -> Read<Cancellation> {
    let stage = |map: &Fields<'_>, key: &str| {
        let found = by_name.get(map.text(key)?.as_str()).and_then(|place| u32::try_from(*place).ok());
        found.map(StageIndex::new).ok_or_else(|| map.wrong(key, "the name of a stage"))
    };
    let mut cancellation = Cancellation::default();
    for target in map.some("cancels", Fields::maps)?.unwrap_or_default() {
        let target = if target.get("workflow").is_some() {
            CancelTarget::Workflow
        } else {
            CancelTarget::Stage(stage(&target, "stage")?)
        };
        cancellation.cancels.push(target);
    }
    let mut boundary = Boundary::default();
    for item in map.some("cancel_on", Fields::maps)?.unwrap_or_default() {
        match item.get("timer") {
            Some(_) => boundary.timer = Some(Duration::from_microseconds(item.integer("timer")?)),
            None => boundary.completed.push(stage(&item, "completed")?),
        }
    }
    cancellation.boundary = boundary;
    cancellation.ending = map.word_or("end", (&Ending::ALL, Ending::name), Ending::None)?;
    Ok(cancellation)
}
