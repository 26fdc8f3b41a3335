//! What activations gave that have ended: of one of them, and of all that lies behind a place, newer over older.

use std::sync::Arc;

use crate::event::Json;
use crate::failure::Failure;
use crate::machine::past::{Ended, Past, TaskResult};
use crate::value::{Map, Value, merge_into};

use super::{FIXED_OUTPUTS, damaged};

/// Takes the values of `key` that lie behind, newest first; is its value now known?
pub(super) fn look_in(past: &Past, key: &str, found: &mut Newest) -> Result<bool, Failure> {
    let quoted = Value::from(key).to_json();
    // Outputs that cannot be read hold it, too, so that the error is told.
    let holds =
        |ended: &Ended| mentions(ended, key, &quoted) && output_of(ended, key).map_or(true, |value| value.is_some());
    let newest = past.newest_with(key, &holds);
    let value = newest.map(|ended| output_of(ended, key)).transpose()?.flatten();
    if found.found.is_empty() && value.as_ref().is_some_and(|value| value.as_list().is_none()) {
        return Ok(found.is_final(value));
    }
    if value.is_some() {
        // Lists are joined as far back as they go, which only looking at all of them shows.
        let mut holders: Vec<&Arc<Ended>> = past.iter().filter(|ended| holds(ended)).collect();
        holders.sort_by_key(|ended| std::cmp::Reverse((ended.depth, ended.activation.stage)));
        for ended in holders {
            if found.is_final(output_of(ended, key)?) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The outputs of a scope that ended with this behind its threads: merged, without those that every program has.
pub(super) fn merged(past: &Past) -> Result<Map, Failure> {
    let mut merged = Map::new();
    merge_past(&mut merged, past)?;
    merged.retain(|key, _| !FIXED_OUTPUTS.contains(&key.as_str()));
    Ok(merged)
}

/// Where a scope is looked into for a key, it does not show what every program has.
pub(super) fn without_fixed(key: &str, past: &Past) -> Past {
    if FIXED_OUTPUTS.contains(&key) { Past::empty() } else { past.clone() }
}

/// Merges the outputs of all that lies behind into a map, in the order in which later beats earlier.
pub(super) fn merge_past(into: &mut Map, past: &Past) -> Result<(), Failure> {
    let mut behind: Vec<_> = past.iter().collect();
    behind.sort_by_key(|ended| (ended.depth, ended.activation.stage));
    for ended in behind {
        merge_into(into, &outputs_of(ended)?);
    }
    Ok(())
}

/// Values of one key from the newest on, as far back as lists go.
#[derive(Default)]
pub(super) struct Newest {
    pub(super) found: Vec<Value>,
}

impl Newest {
    /// Takes the next older value; is the value of the key now known?
    pub(super) fn is_final(&mut self, value: Option<Value>) -> bool {
        let Some(value) = value else { return false };
        let is_list = matches!(value, Value::List(_));
        if self.found.is_empty() || is_list {
            self.found.push(value);
        }
        !is_list
    }

    /// The value that all of them are together.
    pub(super) fn merged(self) -> Option<Value> {
        let mut merged = Map::new();
        for value in self.found.into_iter().rev() {
            merge_into(&mut merged, &Map::from([(String::new(), value)]));
        }
        merged.remove("")
    }
}

/// The outputs of an ended activation: those before its work and of its last turn, those of its tasks, later over
/// earlier, those behind its work, then those of its stage.
pub(crate) fn outputs_of(ended: &Ended) -> Result<Map, Failure> {
    let mut outputs = if ended.inside.is_empty() { Map::new() } else { merged(&ended.inside)? };
    outputs.extend(outputs_of_tasks(&ended.tasks)?);
    if let Some(instances) = &ended.instances {
        outputs.extend(instances.outputs()?.clone());
    }
    if !ended.behind.is_empty() {
        outputs.extend(merged(&ended.behind)?);
    }
    if let Some(own) = &ended.outputs {
        outputs.extend(parsed(own)?);
    }
    Ok(outputs)
}

/// One of its outputs.
fn output_of(ended: &Ended, key: &str) -> Result<Option<Value>, Failure> {
    match &ended.instances {
        Some(instances) => Ok(instances.outputs()?.get(key).cloned()),
        None => Ok(outputs_of(ended)?.remove(key)),
    }
}

/// The outputs of tasks of one activation, later over earlier.
pub(in crate::machine) fn outputs_of_tasks(tasks: &[TaskResult]) -> Result<Map, Failure> {
    let mut outputs = Map::new();
    for task in tasks {
        outputs.extend(parsed(&task.outputs)?);
    }
    Ok(outputs)
}

fn mentions(ended: &Ended, key: &str, quoted: &str) -> bool {
    let inside = |ended: &Ended| mentions(ended, key, quoted);
    ended.inside.newest_with(key, &inside).is_some()
        || ended.behind.newest_with(key, &inside).is_some()
        || ended.tasks.iter().any(|task| task.outputs.text().contains(quoted))
        || ended.outputs.as_ref().is_some_and(|outputs| outputs.text().contains(quoted))
        // Theirs are put together once, and then looking is cheap.
        || ended.instances.is_some()
}

pub(super) fn of_json(json: Option<&Json>, key: &str) -> Result<Option<Value>, Failure> {
    match json {
        Some(json) if !json.is_empty() => Ok(parsed(json)?.remove(key)),
        Some(_) | None => Ok(None),
    }
}

pub(super) fn parsed(json: &Json) -> Result<Map, Failure> {
    json.to_map().map_err(|error| damaged(&error))
}
