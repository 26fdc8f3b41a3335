//! The JSON Schema (draft 2020-12) of definition files, for editors: which keys stand where, and what their values
//! look like.
//!
//! Made from the same tables of keys as reading, and held to it by a test: what it refuses is refused, and what is
//! refused for its shape is refused here. What only the whole shows, names, circles and expressions, it cannot tell.

mod cancellation;
mod data;
mod exclusion;
mod http;
mod inputs;
mod instances;
mod milestone;
mod stage;
mod trigger;
mod verification;

use super::cancellation::Termination;
use super::graph::{Join, LeftoverTokens, OnConditionError, OnFailure, OrScope, Reentry, RetryOn};
use super::header::{Soundness, WorkflowType};
use super::reading::keys::{DEFAULTS, Level, RETRY, WORKFLOW};
use crate::limits::{RETRY_FACTOR_MAX, STAGES_MAX, TASKS_PER_STAGE_MAX};
use crate::value::{Map, Value};

use data::{
    any_case, anything, choice, duration, error_code, instant, integer, list_of, name, named_templates, number,
    some_text, some_time, templates, text,
};

/// A key, what it means to people, and what its value looks like.
type Property = (&'static str, &'static str, Value);

/// The schema of a whole document.
pub(super) fn schema() -> Value {
    let shared = [
        ("cancel_on", cancellation::cancel_on()),
        ("cancels", cancellation::cancels()),
        ("critical_section", exclusion::critical_section()),
        ("defaults", keyed(&DEFAULTS, inherited())),
        ("env", env()),
        ("http", http::settings()),
        ("input", inputs::input()),
        ("interleave", exclusion::interleave()),
        ("instances", instances::instances()),
        ("items", inputs::items()),
        ("mi_on", instances::mi_on()),
        ("close_on", instances::close_on()),
        ("region", cancellation::region()),
        ("loop", stage::turns()),
        ("retry", retry()),
        ("stage", stage::stage()),
        ("sub_workflow", stage::sub_workflow()),
        ("task", stage::task()),
        ("trigger", trigger::trigger()),
        ("verification", verification::verification()),
    ];
    let mut root = map(keyed(&WORKFLOW, workflow()));
    root.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    root.insert("title".to_owned(), "A workflow definition of stabilize".into());
    root.insert("required".to_owned(), Value::list(["name", "stages"]));
    root.insert("$defs".to_owned(), Value::map(shared));
    // An ORCHESTRATION has exactly one stage.
    let one = Value::map([("maxItems", 1), ("maxProperties", 1)]);
    let orchestration = with("type", any_case(WorkflowType::Orchestration.name()));
    root.insert("if".to_owned(), orchestration);
    root.insert("then".to_owned(), properties([("stages", one)]));
    Value::Map(root)
}

fn workflow() -> Vec<Property> {
    let types = WorkflowType::ALL.map(WorkflowType::name);
    vec![
        ("name", "Name of each workflow; may hold ${{ }}.", some_text()),
        ("application", "What groups workflows.", text()),
        ("type", "PIPELINE, a graph of stages, or ORCHESTRATION, exactly one stage.", choice(&types)),
        ("version", "The author's own version.", text()),
        ("description", "For people.", text()),
        ("inputs", "What is given when a workflow begins, by name.", inputs::declared()),
        ("outputs", "What a workflow gives when it has succeeded, computed.", named_templates()),
        ("context", "Computed once at the start; seen by every stage.", templates()),
        ("env", "Environment of every program.", reference("env")),
        ("defaults", "What holds for every task unless it says otherwise.", reference("defaults")),
        ("deadline", "Limit of the whole workflow from its start, like 2h; pauses excluded.", some_time()),
        ("scheduled_time", "It does not start before this moment (RFC 3339).", instant()),
        ("start_time_expiry", "If it has not started by this moment (RFC 3339) it is canceled.", instant()),
        ("priority", "0 to 9, larger first; default 5.", integer(0, 9)),
        (
            "leftover_tokens",
            "What tokens mean that are left at the end.",
            choice(&LeftoverTokens::ALL.map(LeftoverTokens::name)),
        ),
        ("max_jumps", "How often tasks of one workflow may jump; default 10, 0 for never.", integer(0, u32::MAX)),
        (
            "soundness",
            "How strictly `check` takes its verdict; default weak: what is known not to be sound is refused.",
            choice(&Soundness::ALL.map(Soundness::name)),
        ),
        ("or_join_cycle", "What it means that OR-joins wait for each other.", choice(&["fail"])),
        ("split_correlation", "split_correlation of the splits that name none.", name()),
        ("termination", "Whether a workflow ends when nothing is left to do, or at nominated stages.", termination()),
        ("regions", "What is said of regions, by name.", cancellation::regions()),
        (
            "critical_sections",
            "Sections of stages of which only one is at work at a time, by the key they hold.",
            with_more(list_of(reference("critical_section")), [("uniqueItems", true.into())]),
        ),
        ("definitions", "Definitions that stages of this document call by name.", definitions()),
        ("stages", "A map from ref id to stage, or a list of stages with ref_id.", stages()),
        ("finally", "Stages that are done last, however the workflow ends.", stages()),
    ]
}

fn termination() -> Value {
    choice(&Termination::ALL.map(Termination::name))
}

/// Each is a definition; only the outermost holds others.
fn definitions() -> Value {
    let each = Value::map([("$ref", "#".into()), ("not", required(["definitions"]))]);
    Value::map([("type", "object".into()), ("propertyNames", name()), ("additionalProperties", each)])
}

/// Both forms at once: each keyword speaks of one of the two types only.
fn stages() -> Value {
    let bare = Value::map([("type", "null")]);
    let in_map = Value::map([("anyOf", Value::list([reference("stage"), bare]))]);
    let in_list = with_more(reference("stage"), [("required", Value::list(["ref_id"]))]);
    Value::map([
        ("type", Value::list(["object", "array"])),
        ("propertyNames", name()),
        ("additionalProperties", in_map),
        ("items", in_list),
        ("minProperties", 1.into()),
        ("minItems", 1.into()),
        ("maxProperties", STAGES_MAX.into()),
        ("maxItems", STAGES_MAX.into()),
    ])
}

/// What a level says about its tasks.
fn inherited() -> Vec<Property> {
    vec![
        ("env", "Environment of programs; null takes a variable away.", reference("env")),
        ("cwd", "Directory programs start in, relative to the workflow's.", text()),
        ("shell", "The shell that reads `run`; default /bin/sh.", some_text()),
        ("retry", "When and how often a failed attempt is tried again.", reference("retry")),
        ("timeout", "Limit of one attempt, like 10m; default 4h.", some_time()),
    ]
}

fn retry() -> Value {
    let failures = Value::list([choice(&RetryOn::CLASSES), error_code(), integer(0, 255)]);
    let on = list_of(Value::map([("anyOf", failures)]));
    let mut known = delays();
    known.push(("on", "Failures that are tried again, by class, code or exit code; default the three classes.", on));
    keyed(&RETRY, known)
}

/// How often something is tried again, and when.
fn delays() -> Vec<Property> {
    vec![
        ("max_attempts", "Tries in all, 1 for no retry; default 10.", integer(1, u32::MAX)),
        ("initial", "Delay before the second try; default 1s.", duration()),
        ("factor", "Growth of the delay from try to try; default 2.", number(1, RETRY_FACTOR_MAX)),
        ("max", "No delay is longer; default 60s.", duration()),
        ("jitter", "Part of the delay that is drawn at random, 0 to 1; default 0.25.", number(0, 1)),
    ]
}

fn env() -> Value {
    let set_by_engine = "STABILIZE_(X[0-9]*|WORKFLOW_ID|STAGE|ACTIVATION|TASK|ATTEMPT|IDEMPOTENCY_KEY|OUTPUT|RESULT|\
                         TMP|SECRET_.*)";
    let variable = format!("^(?!{set_by_engine}$)[A-Za-z_][A-Za-z0-9_]*$");
    let value = Value::map([("type", Value::list(["string", "number", "boolean", "null"]))]);
    Value::map([
        ("type", "object".into()),
        ("propertyNames", Value::map([("pattern", variable)])),
        ("additionalProperties", value),
    ])
}

/// A map with these keys and no others; each in every spelling, and not in two at once.
fn keyed(level: &Level, known: Vec<Property>) -> Value {
    let mut properties = Map::new();
    for (key, description, schema) in known {
        let schema = with_more(schema, [("description", Value::from(description))]);
        for spelling in level.spellings(key) {
            properties.insert(spelling.to_owned(), schema.clone());
        }
    }
    let mut map = Map::new();
    map.insert("type".to_owned(), "object".into());
    map.insert("properties".to_owned(), Value::Map(properties));
    map.insert("additionalProperties".to_owned(), false.into());
    if level.has_extensions() {
        map.insert("patternProperties".to_owned(), Value::map([("^x-", anything())]));
    }
    let twice = level.aliases().iter().map(|(key, alias)| not(required([*key, *alias])));
    let twice: Vec<Value> = twice.collect();
    if !twice.is_empty() {
        map.insert("allOf".to_owned(), Value::List(twice));
    }
    Value::Map(map)
}

/// The same with further rules that all have to hold.
fn with_rules(schema: Value, rules: impl IntoIterator<Item = Value>) -> Value {
    let mut schema = map(schema);
    let Value::List(mut all) = schema.remove("allOf").unwrap_or(Value::List(Vec::new())) else {
        return Value::Map(schema);
    };
    all.extend(rules);
    schema.insert("allOf".to_owned(), Value::List(all));
    Value::Map(schema)
}

fn with_more<const N: usize>(schema: Value, more: [(&str, Value); N]) -> Value {
    let mut schema = map(schema);
    schema.extend(more.map(|(key, value)| (key.to_owned(), value)));
    Value::Map(schema)
}

fn map(schema: Value) -> Map {
    if let Value::Map(map) = schema { map } else { Map::new() }
}

fn reference(name: &str) -> Value {
    Value::map([("$ref", format!("#/$defs/{name}"))])
}

fn required<const N: usize>(keys: [&str; N]) -> Value {
    Value::map([("required", Value::list(keys))])
}

fn not(schema: Value) -> Value {
    Value::map([("not", schema)])
}

fn properties<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::map([("properties", Value::map(entries))])
}

/// The key is there, and its value looks like this.
fn with(key: &str, value: Value) -> Value {
    with_more(required([key]), [("properties", Value::map([(key, value)]))])
}

fn when(condition: Value, then: Value) -> Value {
    Value::map([("if", condition), ("then", then)])
}

#[cfg(test)]
mod tests {
    use crate::definition::reading::keys::{
        CANCEL_ON, CANCELS, HTTP, INPUT, INSTANCES, ITEMS, LOOP, REGION, STAGE, SUB_WORKFLOW, TASK, TRIGGER,
        VERIFICATION,
    };

    use super::*;

    #[test]
    fn every_key_in_every_spelling_has_a_property_and_no_other_has() {
        let schema = schema();
        let below = |name: &str| schema.get("$defs").unwrap().get(name).unwrap().clone();
        for (level, found) in [
            (&WORKFLOW, schema.clone()),
            (&DEFAULTS, below("defaults")),
            (&STAGE, below("stage")),
            (&LOOP, below("loop")),
            (&TASK, below("task")),
            (&INSTANCES, below("instances")),
            (&RETRY, below("retry")),
            (&TRIGGER, below("trigger")),
            (&VERIFICATION, below("verification")),
            (&INPUT, below("input")),
            (&ITEMS, below("items")),
            (&CANCELS, below("cancels")),
            (&CANCEL_ON, below("cancel_on")),
            (&REGION, below("region")),
            (&SUB_WORKFLOW, below("sub_workflow")),
            (&HTTP, below("http")),
        ] {
            let mut expected: Vec<&str> = level.keys().iter().flat_map(|key| level.spellings(key)).collect();
            expected.sort_unstable();
            let found = found.get("properties").unwrap().as_map().unwrap();
            assert_eq!(found.keys().map(String::as_str).collect::<Vec<&str>>(), expected);
            assert!(found.values().all(|property| property.get("description").is_some()));
        }
    }
}
