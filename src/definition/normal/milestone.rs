//! The milestone of a stage in the normal form.

use std::collections::BTreeMap;

use super::read::{Fields, Read};
use super::write::put;
use crate::definition::graph::{Graph, GraphStage};
use crate::definition::milestone::{Milestone, MilestoneCondition, MilestonePolicy, MilestoneStatus, Reached};
use crate::ids::StageIndex;
use crate::value::Map;

/// Writes that of `stage` into its map.
pub(super) fn write(graph: &Graph, stage: &GraphStage, map: &mut Map) {
    let Some(milestone) = stage.milestone.as_deref() else { return };
    put(map, "milestone_ref_id", graph.stage(milestone.of()).ref_id.as_str());
    put(map, "milestone_status", milestone.status().name());
    if let Some(until) = milestone.until() {
        put(map, "milestone_until", graph.stage(until).ref_id.as_str());
    }
    put(map, "milestone_policy", milestone.policy.name());
}

/// Reads it back.
pub(super) fn read(map: &Fields<'_>, by_name: &BTreeMap<&str, usize>) -> Read<Option<Box<Milestone>>> {
    let stage = |map: &Fields<'_>, key: &str| {
        let found = by_name.get(map.text(key)?.as_str()).and_then(|place| u32::try_from(*place).ok());
        found.map(StageIndex::new).ok_or_else(|| map.wrong(key, "the name of a stage"))
    };
    let Some(of) = map.some("milestone_ref_id", stage)? else { return Ok(None) };
    let status = map.word("milestone_status", &MilestoneStatus::ALL, MilestoneStatus::name)?;
    let condition = if status.lives() {
        MilestoneCondition::Is(of, status)
    } else {
        MilestoneCondition::Has(Reached { stage: of, until: map.some("milestone_until", stage)? })
    };
    let policy = map.word("milestone_policy", &MilestonePolicy::ALL, MilestonePolicy::name)?;
    Ok(Some(Box::new(Milestone { condition, policy })))
}
