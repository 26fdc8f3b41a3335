//! Joins that count arrivals or merge threads, and what is known of OR-joins, in the normal form: written and read.

use super::read::{Fields, Read};
use super::write::{put, put_some};
use crate::definition::generations::{Generations, JoinMode, OnUnreachable, ResetOn, Rest};
use crate::definition::graph::{Graph, GraphStage, Join, OrScope};
use crate::ids::StageIndex;
use crate::value::{Map, Value};

/// What only joins that count arrivals or merge threads have. That a cancelling join withdraws what lies between it and
/// its split is written as the stages this is, so that no later reading of it changes a workflow that runs.
pub(super) fn write(graph: &Graph, stage: &GraphStage, map: &mut Map) {
    put_some(map, "merge_count", stage.merge_count);
    put_some(map, "or_scope", (stage.or_scope != OrScope::General).then(|| stage.or_scope.name()));
    let Some(join) = &stage.generations else { return };
    put(map, "join_threshold", join.threshold);
    put(map, "join_mode", join.mode().name());
    put(map, "on_unreachable", join.on_unreachable.name());
    let name = |stage: &StageIndex| graph.stage(*stage).ref_id.as_str();
    match &join.rest {
        Rest::Swallowed { pair } => put_some(map, "join_pair", pair.as_ref().map(name)),
        Rest::Blocked { reset_on } => put(map, "reset_on", reset_on.name()),
        Rest::Withdrawn { stages } => put(map, "join_cancel_scope", Value::list(stages.iter().map(name))),
    }
}

/// How many threads a join merges, if that is what it does.
pub(super) fn read_merge(map: &Fields<'_>, join: Join) -> Read<Option<u32>> {
    if join != Join::ThreadMerge {
        return Ok(None);
    }
    match map.integer("merge_count")? {
        0 | 1 => Err(map.wrong("merge_count", "at least 2")),
        count => Ok(Some(count)),
    }
}

/// How a join counts arrivals, if it does; `find` knows the stages by their names.
pub(super) fn read(
    map: &Fields<'_>,
    join: Join,
    n_arcs: usize,
    find: impl Fn(&str) -> Option<StageIndex>,
) -> Read<Option<Generations>> {
    if !matches!(join, Join::Discriminator | Join::NOfM) {
        return Ok(None);
    }
    let threshold: u32 = map.integer("join_threshold")?;
    if threshold == 0 || threshold as usize > n_arcs {
        return Err(map.wrong("join_threshold", "at least 1 and at most the number of arcs"));
    }
    let named =
        |key: &str, name: Option<&str>| name.and_then(&find).ok_or_else(|| map.wrong(key, "the name of a stage"));
    let rest = match map.word("join_mode", &JoinMode::ALL, JoinMode::name)? {
        JoinMode::Structured => {
            Rest::Swallowed { pair: map.some("join_pair", |map, key| named(key, Some(&map.text(key)?)))? }
        }
        JoinMode::Blocking => Rest::Blocked { reset_on: map.word("reset_on", &ResetOn::ALL, ResetOn::name)? },
        JoinMode::Cancelling => {
            let key = "join_cancel_scope";
            let stages = map.list(key)?.iter().map(|stage| named(key, stage.as_str()));
            let stages: Vec<StageIndex> = stages.collect::<Read<_>>()?;
            if !stages.is_sorted_by(|one, next| one < next) {
                return Err(map.wrong(key, "stages in the order of the definition"));
            }
            Rest::Withdrawn { stages }
        }
    };
    let on_unreachable = map.word("on_unreachable", &OnUnreachable::ALL, OnUnreachable::name)?;
    Ok(Some(Generations { threshold, rest, on_unreachable }))
}
