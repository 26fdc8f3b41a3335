//! What never runs beside a stage, in the normal form: only what is used stands there.

use std::collections::BTreeMap;

use super::read::{Fields, Read};
use super::write::put;
use crate::definition::exclusion::{Exclusion, Interleave, InterleaveOrder, SectionName};
use crate::definition::graph::{Graph, GraphStage};
use crate::value::{Map, Value};

/// Where a mutex key excludes: there is nothing else to write yet.
const SCOPE: &str = "workflow";

/// Writes what `stage` says into its map.
pub(super) fn write(stage: &GraphStage, map: &mut Map) {
    let Some(exclusion) = stage.exclusion.as_deref() else { return };
    if let Some(key) = &exclusion.mutex {
        put(map, "mutex_key", key.as_str());
        put(map, "mutex_scope", SCOPE);
    }
    if let Some(Interleave { group, order }) = &exclusion.interleave {
        put(map, "interleave", Value::map([("group", group.as_str()), ("order", order.name())]));
    }
}

/// Reads it back; `section` is the one it belongs to.
pub(super) fn read(map: &Fields<'_>, section: Option<SectionName>) -> Read<Option<Box<Exclusion>>> {
    let interleave = |map: &Fields<'_>, key: &str| {
        let map = map.map(key)?;
        let order = map.word("order", &InterleaveOrder::ALL, InterleaveOrder::name)?;
        Ok(Interleave { group: map.text("group")?, order })
    };
    let exclusion = Exclusion {
        mutex: map.some("mutex_key", Fields::text)?,
        interleave: map.some("interleave", interleave)?,
        section,
        ..Exclusion::default()
    };
    Ok((!exclusion.is_none()).then(|| Box::new(exclusion)))
}

/// Writes the critical sections of a workflow into its map.
pub(super) fn write_sections(graph: &Graph, map: &mut Map) {
    let mut by_key: BTreeMap<&str, Map> = BTreeMap::new();
    for section in &graph.sections {
        let members = section.members.iter().map(|stage| graph.stage(*stage).ref_id.as_str());
        let sections = by_key.entry(&section.name.key).or_default();
        put(sections, &section.name.name, Value::list(members));
    }
    if by_key.is_empty() {
        return;
    }
    let items = by_key.into_iter().map(|(key, sections)| {
        Value::map([("mutex_key", Value::from(key)), ("mutex_scope", SCOPE.into()), ("sections", Value::Map(sections))])
    });
    put(map, "critical_sections", Value::list(items));
}

/// Reads back which stage belongs to which section.
pub(super) fn read_sections(map: &Fields<'_>) -> Read<BTreeMap<String, SectionName>> {
    let mut found = BTreeMap::new();
    for item in map.some("critical_sections", Fields::maps)?.unwrap_or_default() {
        let key = item.text("mutex_key")?;
        let sections = item.map("sections")?;
        for name in sections.keys() {
            for member in sections.list(name)? {
                let member = member.as_str().ok_or_else(|| sections.wrong(name, "names of stages"))?;
                found.insert(member.to_owned(), SectionName { key: key.clone(), name: name.clone() });
            }
        }
    }
    Ok(found)
}
