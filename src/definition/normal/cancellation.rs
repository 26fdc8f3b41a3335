//! What a stage has to do with cancellation, in the normal form: only what is used stands there.

use std::collections::BTreeMap;

use super::read::{Fields, Read};
use super::write::put;
use crate::definition::cancellation::{
    Boundary, CancelMode, CancelTarget, Cancellation, Ending, Region, RegionEffect, RegionFuture,
};
use crate::definition::graph::{Graph, GraphStage};
use crate::definition::instances::Withdrawal;
use crate::ids::{RegionIndex, StageIndex};
use crate::time::Duration;
use crate::value::{Map, Value};

/// Writes what `stage` says into its map.
pub(super) fn write(graph: &Graph, stage: &GraphStage, map: &mut Map) {
    let cancellation = &stage.cancellation;
    let name = |stage: StageIndex| Value::from(graph.stage(stage).ref_id.as_str());
    let of_region = |region: RegionIndex| Value::from(graph.regions[region.index()].name.as_str());
    let mut put_list = |key: &str, items: Vec<Value>| {
        if !items.is_empty() {
            put(map, key, Value::List(items));
        }
    };
    let cancels = cancellation.cancels.iter().map(|target| match target {
        CancelTarget::Stage(stage) => Value::map([("stage", name(*stage))]),
        CancelTarget::Region(region) => Value::map([("region", of_region(*region))]),
        CancelTarget::Workflow => Value::map([("workflow", true)]),
        CancelTarget::Instances(of, withdrawal) => Value::map([(withdrawal.target(), name(*of))]),
    });
    put_list("cancels", cancels.collect());
    let timer = cancellation.boundary.timer.map(|timer| Value::map([("timer", timer.microseconds())]));
    let completed = cancellation.boundary.completed.iter().map(|stage| Value::map([("completed", name(*stage))]));
    let signals = cancellation.boundary.signals.iter().map(|name| Value::map([("signal", name.as_str())]));
    put_list("cancel_on", timer.into_iter().chain(completed).chain(signals).collect());
    if let Some(path) = cancellation.path {
        put(map, "on_cancelled", name(graph.arc(path).to));
    }
    let mut put_list = |key: &str, items: Vec<Value>| {
        if !items.is_empty() {
            put(map, key, Value::List(items));
        }
    };
    put_list("cancel_region", cancellation.regions.iter().map(|region| of_region(*region)).collect());
    if cancellation.ending != Ending::None {
        put(map, "end", cancellation.ending.name());
    }
    if cancellation.mode != CancelMode::default() {
        put(map, "cancel_mode", cancellation.mode.name());
        if let Some(timeout) = cancellation.mode.timeout() {
            put(map, "cancel_timeout", timeout.microseconds());
        }
    }
}

/// Reads it back, the arc of `on_cancelled` aside.
pub(super) fn read(map: &Fields<'_>, (by_name, regions): (&BTreeMap<&str, usize>, &[Region])) -> Read<Cancellation> {
    let stage = |map: &Fields<'_>, key: &str| {
        let found = by_name.get(map.text(key)?.as_str()).and_then(|place| u32::try_from(*place).ok());
        found.map(StageIndex::new).ok_or_else(|| map.wrong(key, "the name of a stage"))
    };
    let region = |name: Option<&str>| {
        let found = regions.binary_search_by(|region| Some(region.name.as_str()).cmp(&name)).ok();
        let found = found.and_then(|place| u32::try_from(place).ok());
        found.map(RegionIndex::new).ok_or_else(|| map.wrong("cancel_region", "the names of regions"))
    };
    let mut cancellation = Cancellation::default();
    for target in map.some("cancels", Fields::maps)?.unwrap_or_default() {
        let target = if target.get("workflow").is_some() {
            CancelTarget::Workflow
        } else if let Some(name) = target.get("region") {
            CancelTarget::Region(region(name.as_str())?)
        } else if let Some(withdrawal) = Withdrawal::ALL.into_iter().find(|of| target.get(of.target()).is_some()) {
            CancelTarget::Instances(stage(&target, withdrawal.target())?, withdrawal)
        } else {
            CancelTarget::Stage(stage(&target, "stage")?)
        };
        cancellation.cancels.push(target);
    }
    let mut boundary = Boundary::default();
    for item in map.some("cancel_on", Fields::maps)?.unwrap_or_default() {
        if item.get("timer").is_some() {
            boundary.timer = Some(Duration::from_microseconds(item.integer("timer")?));
        } else if item.get("signal").is_some() {
            boundary.signals.push(item.text("signal")?);
        } else {
            boundary.completed.push(stage(&item, "completed")?);
        }
    }
    cancellation.boundary = boundary;
    for name in map.some("cancel_region", Fields::list)?.unwrap_or_default() {
        cancellation.regions.push(region(name.as_str())?);
    }
    cancellation.ending = map.word_or("end", (&Ending::ALL, Ending::name), Ending::None)?;
    if let Some(name) = map.some("cancel_mode", Fields::text)? {
        let timeout = map.some("cancel_timeout", Fields::integer)?.map(Duration::from_microseconds);
        let mode = CancelMode::of(&name, timeout);
        cancellation.mode = mode.ok_or_else(|| map.wrong("cancel_mode", "a mode of cancelling"))?;
    }
    Ok(cancellation)
}

/// Reads of whom each stage takes over what is canceled.
pub(super) fn read_paths(stages: &[Fields<'_>], by_name: &BTreeMap<&str, usize>) -> Read<Vec<Vec<usize>>> {
    let mut paths = vec![Vec::new(); stages.len()];
    for (from, stage) in stages.iter().enumerate() {
        if let Some(to) = stage.some("on_cancelled", Fields::text)? {
            let to = by_name.get(to.as_str()).ok_or_else(|| stage.wrong("on_cancelled", "the name of a stage"))?;
            paths[*to].push(from);
        }
    }
    Ok(paths)
}

/// Writes the regions of a workflow into its map.
pub(super) fn write_regions(regions: &[Region], map: &mut Map) {
    if !regions.is_empty() {
        let written = regions.iter().map(|region| {
            let rules = [("effect", region.effect.name()), ("future", region.future.name())];
            (region.name.as_str(), Value::map(rules))
        });
        put(map, "regions", Value::map(written));
    }
}

/// Reads them back.
pub(super) fn read_regions(map: &Fields<'_>) -> Read<Vec<Region>> {
    let Some(regions) = map.some("regions", Fields::map)? else { return Ok(Vec::new()) };
    let read = |name: &String| {
        let rules = regions.map(name)?;
        Ok(Region {
            name: name.clone(),
            effect: rules.word("effect", &RegionEffect::ALL, RegionEffect::name)?,
            future: rules.word("future", &RegionFuture::ALL, RegionFuture::name)?,
            members: Vec::new(),
        })
    };
    regions.keys().map(read).collect()
}
