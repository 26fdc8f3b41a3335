//! Instances in the normal form: written and read back.

use std::collections::BTreeMap;

use crate::definition::graph::Graph;
use crate::definition::instances::{Completion, Emission, Growth, Instances, Outside, Remaining, Source, Withdrawal};
use crate::ids::StageIndex;
use crate::time::Duration;
use crate::value::{Map, Value};

use super::read::{Fields, Read};
use super::write::{put, put_some, templates};

/// The instances of a stage, every default written out.
pub(super) fn write(graph: &Graph, instances: &Instances) -> Value {
    let mut map = Map::new();
    match &instances.source {
        Source::Fixed(count) => put(&mut map, "count", *count),
        Source::Count(key) => put(&mut map, "count_from_context", key.as_str()),
        Source::Collection(key) => put(&mut map, "collection_from_context", key.as_str()),
        Source::ForEach(list) => put(&mut map, "for_each", list.written()),
        Source::Matrix(axes) => put(&mut map, "matrix", templates(axes)),
    }
    put(&mut map, "sequential", instances.sequential);
    put(&mut map, "sync_on_complete", instances.completion != Completion::Started);
    match &instances.completion {
        Completion::All | Completion::Started => {}
        Completion::Threshold(threshold) => put(&mut map, "join_threshold", *threshold),
        Completion::Condition(condition) => put(&mut map, "completion_condition", condition.text()),
    }
    put(&mut map, "cancel_remaining", instances.rest == Remaining::Canceled);
    put(&mut map, "allow_dynamic", instances.growth.is_some());
    let close_when = instances.growth.as_ref().and_then(|growth| growth.close_when.as_ref());
    put_some(&mut map, "close_when", close_when.map(|condition| condition.text()));
    put(&mut map, "min_instances", instances.min);
    put(&mut map, "max_instances", instances.max);
    put(&mut map, "emit", instances.emission.name());
    for withdrawal in Withdrawal::ALL {
        let items = write_outside(graph, instances.outside(withdrawal));
        put_some(&mut map, withdrawal.key(), (!items.is_empty()).then_some(Value::List(items)));
    }
    let close_on = instances.growth.as_ref().and_then(|growth| growth.close_on.as_deref());
    put_some(&mut map, "dynamic_close_on", close_on);
    Value::Map(map)
}

/// What ends them from outside.
fn write_outside(graph: &Graph, outside: &Outside) -> Vec<Value> {
    let signals = outside.signals.iter().map(|name| Value::map([("signal", name.as_str())]));
    let timer = outside.timer.map(|timer| Value::map([("timer", timer.microseconds())]));
    let name = |stage: &StageIndex| Value::map([("completed", graph.stage(*stage).ref_id.as_str())]);
    signals.chain(timer).chain(outside.completed.iter().map(name)).collect()
}

fn read_outside(map: &Fields<'_>, withdrawal: Withdrawal, by_name: &BTreeMap<&str, usize>) -> Read<Outside> {
    let mut outside = Outside::default();
    for item in map.some(withdrawal.key(), Fields::maps)?.unwrap_or_default() {
        if item.get("signal").is_some() {
            outside.signals.push(item.text("signal")?);
        } else if item.get("timer").is_some() {
            outside.timer = Some(Duration::from_microseconds(item.integer("timer")?));
        } else {
            let place = by_name.get(item.text("completed")?.as_str()).and_then(|place| u32::try_from(*place).ok());
            let stage = place.map(StageIndex::new).ok_or_else(|| item.wrong("completed", "the name of a stage"))?;
            outside.completed.push(stage);
        }
    }
    Ok(outside)
}

/// What [`write`] has written.
pub(super) fn read(map: &Fields<'_>, by_name: &BTreeMap<&str, usize>) -> Read<Instances> {
    let flag = |key: &str| match map.need(key)? {
        Value::Bool(flag) => Ok(*flag),
        _ => Err(map.wrong(key, "true or false")),
    };
    let completion = match (flag("sync_on_complete")?, map.get("join_threshold"), map.get("completion_condition")) {
        (false, None, None) => Completion::Started,
        (true, None, None) => Completion::All,
        (true, Some(_), None) => Completion::Threshold(map.integer("join_threshold")?),
        (true, None, Some(_)) => Completion::Condition(map.expression("completion_condition")?),
        (_, _, _) => return Err(map.wrong("join_threshold", "one way to go on")),
    };
    let close_when = map.some("close_when", Fields::expression)?;
    let close_on = map.some("dynamic_close_on", Fields::text)?;
    Ok(Instances {
        source: source(map)?,
        sequential: flag("sequential")?,
        completion,
        rest: if flag("cancel_remaining")? { Remaining::Canceled } else { Remaining::RunsOn },
        emission: map.word("emit", &Emission::ALL, Emission::name)?,
        growth: flag("allow_dynamic")?.then_some(Growth { close_on, close_when }),
        cancel_on: read_outside(map, Withdrawal::Cancel, by_name)?,
        complete_on: read_outside(map, Withdrawal::Complete, by_name)?,
        min: map.integer("min_instances")?,
        max: map.integer("max_instances")?,
    })
}

fn source(map: &Fields<'_>) -> Read<Source> {
    if map.get("count").is_some() {
        return map.integer("count").map(Source::Fixed);
    }
    if map.get("count_from_context").is_some() {
        return map.text("count_from_context").map(Source::Count);
    }
    if map.get("collection_from_context").is_some() {
        return map.text("collection_from_context").map(Source::Collection);
    }
    if map.get("for_each").is_some() {
        return map.template("for_each").map(Source::ForEach);
    }
    map.templates("matrix").map(Source::Matrix)
}
