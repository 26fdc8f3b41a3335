//! The JSON Schema of definitions held to the validator: on every example, on documents with every key there is, and on
//! every single mutation of each, the two agree about what is a matter of shape.

#![expect(clippy::unwrap_used, reason = "the whole file is a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};
use stabilize::testing::documents::documents;
use stabilize::{Definition, ProblemCode, Problems, map_from_yaml};

/// What a schema can tell: which keys stand where, and what a value looks like by itself. All other problems are those
/// of the whole (names, circles, expressions), of the text (YAML and JSON themselves), or of sizes.
const SHAPE: [ProblemCode; 19] = [
    ProblemCode::UnknownKey,
    ProblemCode::NotSupported,
    ProblemCode::MissingKey,
    ProblemCode::KeyAndAlias,
    ProblemCode::ConflictingKeys,
    ProblemCode::WrongType,
    ProblemCode::BadValue,
    ProblemCode::OutOfRange,
    ProblemCode::BadName,
    ProblemCode::BadDuration,
    ProblemCode::BareNumberDuration,
    ProblemCode::BadInstant,
    ProblemCode::NoStages,
    ProblemCode::OneStageOnly,
    ProblemCode::TooManyStages,
    ProblemCode::TooManyTasks,
    ProblemCode::DuplicateReference,
    ProblemCode::SplitFieldWithoutSplit,
    ProblemCode::JoinFieldWithoutJoin,
];

/// Every key where stages are a map. Only where they are a list may `ref_id` be written: beside a key it says that key
/// again, which no schema can hold it to.
const MAP: &str = r#"
name: all of ${{ inputs.s }}
application: shop
type: pipeline
version: "2"
description: What it does.
priority: 9
deadline: 2h
scheduled_time: 2026-05-01T12:00:00Z
start_time_expiry: "2026-05-01T14:00:00.5+02:00"
x-team: { any: [thing] }
soundness: off
definitions: { other: { name: other, stages: { only: } } }
inputs:
  s: { type: string, default: main, min: 1, max: 40, pattern: "^[a-z]", description: what }
  i: { type: Integer, enum: [1, 2], min: 0, max: 9, default: 1 }
  n: { type: number, default: 1.5 }
  b: { type: boolean, default: true }
  l:
    type: list
    default: [x]
    items: { type: string, enum: [x, y], min: 1, max: 3, pattern: "[xy]", description: each }
  ll: { type: list, default: [], items: { type: list, items: { type: any } } }
  m: { type: map, default: { k: 1 } }
  any: { type: any, enum: [null, 1, [a]], default: null }
  token: { type: String, secret: true, default: "env:TOKEN", description: what }
  open: { type: string, secret: false, default: x }
outputs: { k: "${{ k }}" }
context: { c: "${{ inputs.s }}", deep: { list: [1, "${{ inputs.i }}"] } }
env: { A: text, B: 1, C: true, D: null, STABILIZE_OWN: x }
defaults:
  env: { E: "${{ inputs.s }}" }
  cwd: build
  shell: bash
  timeout: 10m
  retry:
    { max_attempts: 3, initial: 300ms, factor: 1.5, max: 90s, jitter: 0.25, on: [transient, Timeout, exit, OTHER, 75] }
stages:
  calling:
    sub_workflow:
      definition: other
      input: { n: 1 }
      output: { k: "${{ child.status }}" }
      max_depth: 3
      on_parent_cancel: Abandon
  bare:
  empty: {}
  one:
    name: One
    type: thing
    run: echo hello
    with: { quiet: true }
    if: inputs.b
    context: { k: 1 }
    outputs: { k: "${{ inputs.i }}" }
    env: { F: x }
    cwd: sub
    shell: sh
    retry: { max_attempts: 1 }
    timeout: 90s
    deadline: 1d
    scheduled_time: 2026-05-01T12:00:00Z
    start_time_expiry: 2026-05-01T12:30:00Z
    cancel_mode: Wait
    cancel_timeout: 5m
    priority: 0
    on_failure: FAIL_AT_END
    verification: { types: { k: list }, retry: { max_attempts: 3, initial: 1s, factor: 2, max: 60s, jitter: 0 } }
    join_type: and
    split_type: XOR
    split_conditions: { two: "inputs.i == 1", three: true, $end: "false" }
    split_order: [three, two, $end]
    split_default: two
    split_correlation: i
    on_no_match: default
    on_condition_error: false
  started:
    trigger: { signal: order, start: true, required: false, correlate: "signal.data.k == 1" }
    max_buffered: 3
  held: { needs: [bare], trigger: { signal: go, durability: Persistent, deliver: one, start: false, correlate: true } }
  timed: { needs: [bare], trigger: { timer: 1h30m } }
  two: { needs: [one], uses: wait, with: { duration: 1s }, on_failure: continue }
  look: { needs: [bare], uses: manual, with: { prompt: "look at ${{ inputs.i }}" } }
  ask:
    needs: [bare]
    uses: approval
    with: { roles: [ops, dev], prompt: well, on_deadline: Approve, on_reject: continue }
  three: { requisite_stage_ref_ids: [one], stageEnabled: true, uses: shell, with: { command: [echo, hello] } }
  four:
    needs: [bare, empty]
    split_type: AND
    on_condition_error: fail
    tasks:
      - { name: t, run: "true", if: "true", on_failure: stop, env: { G: x }, cwd: x, shell: sh, timeout: 1s }
      - { name: u, uses: shell, with: { command: "true" }, retry: { max_attempts: 2, on: [] } }
      - uses: noop
        loop_start: true
        verification: { required_keys: [k, n], types: { k: String, n: any }, verifier: v }
      - { uses: noop, loop_start: false, loop_end: true }
"#;

/// Stages as a list, an ORCHESTRATION, and a split that fails where nothing matches.
const LISTS: [&str; 3] = [
    "
name: x
stages:
  - { ref_id: a, split_type: xor, split_conditions: { b: 'true' }, on_no_match: fail }
  - { ref_id: b, needs: [a], run: 'true' }
",
    "{ name: x, type: orchestration, stages: { a: { run: 'true' } } }",
    "{ name: x, type: ORCHESTRATION, stages: [{ ref_id: a, uses: fail, with: { message: no } }] }",
];

/// How control comes to stages and where it goes.
const ROUTES: &str = "
name: x
leftover_tokens: ignore
max_jumps: 3
split_correlation: i
or_join_cycle: Fail
critical_sections:
  - { mutex_key: c, mutex_scope: Workflow, sections: { one: [b, e], two: [h] } }
  - { mutex_key: l, sections: { one: [c] } }
stages:
  a: { split_type: OR, split_conditions: { b: 'true', c: 'false' }, split_default: c, on_no_match: default }
  b: { needs: [a], reentry: serialize }
  c: { needs: [a], reentry: Parallel, jump_targets: [e, { stage: f, max_iterations: 2 }], jump_mode: Move }
  d: { needs: [b, c], join_type: multi_merge }
  e: { needs: [b, c], join_type: GENERALIZED_AND }
  f: { needs: [d], join_type: XOR, back_from: [g, { stage: h, max_iterations: 3 }] }
  g: { needs: [f] }
  h: { needs: [g] }
  s: { mutex_key: k, mutex_scope: workflow, interleave: { group: g, order: Any } }
  t: { interleave: { group: g, order: any } }
  p:
    needs: [b, c]
    join_type: N_OF_M
    join_threshold: 2
    join_mode: blocking
    reset_on: active
    on_unreachable: Skip
  q: { needs: [b, c], join_type: discriminator, join_mode: Cancelling, join_cancel_scope: { stages: [b, c] } }
  r: { needs: [b], join_type: DISCRIMINATOR, join_mode: cancelling, join_pair: b, join_cancel_scope: Upstream }
  w: { needs: [b, y], join_type: DISCRIMINATOR, join_mode: cancelling, join_cancel_scope: { region: zone } }
  y: { needs: [b], cancel_region: zone }
  i: { needs: [e], split_type: THREAD, thread_count: 3 }
  j: { needs: [i], join_type: THREAD_MERGE, merge_count: 3, merge_group: innermost }
  k: { needs: [j], join_type: N_OF_M, join_threshold: 1, join_mode: structured, join_pair: j, reset_on: all }
  o: { needs: [b, c], join_type: OR, or_scope: general, join_pair: a }
  l: { needs: [k], join_type: N_OF_M, join_threshold: 1, on_unreachable: fail }
  u:
    milestone_ref_id: a
    milestone_status: Reached
    milestone_until: b
    milestone_policy: Wait_Fail
    milestone_blocks: false
  v: { milestone_ref_id: a, milestone_status: RUNNING }
";

/// What ends before its time, and what ends everything.
const ENDS: &str = "
name: x
termination: Explicit
regions: { r: { effect: remove, future: Allow }, s: {} }
stages:
  a: { cancels: [{ stage: b }], end: none, on_cancelled: d }
  b:
    cancel_on: [{ timer: 30s }, { completed: a }, { signal: stop }]
    cancels: [{ workflow: true }, { stage: c }]
    needs: [a]
  c: { cancels: Workflow, needs: [a, b] }
  d: { needs: [c], end: terminate, cancel_region: r }
  e: { cancel_region: [r, s], cancels: [{ region: r }, { region: s }], needs: [a], end: terminate }
  f: { needs: [a], deferred_choice_group: g, end: terminate }
  g: { needs: [a], deferred_choice_group: g, end: terminate }
";

/// What is done again and again.
const TURNS: &str = "
name: x
stages:
  l:
    loop:
      test: pre
      while: k
      max_iterations: 3
      stages: { x: { run: 'true' }, y: { needs: [x], loop: { test: POST, until: loop.index > 2, stages: { z: } } } }
  m: { needs: [l], loop: { until: 'k', stages: [{ ref_id: n, run: 'true' }] } }
";

/// Stages that stand beside the work of others.
const PARTS: &str = "
name: x
stages:
  a:
    before: { b: { run: 'true' }, c: { needs: [b] } }
    after: [{ ref_id: d, after: { e: } }]
    on_failure: { stages: { f: { run: 'echo ${{ stages.a.error.message }}' } }, then: continue }
  g: { needs: [a], on_failure: { stages: { h: } }, compensate: { run: 'true' } }
  i: { compensate: { stages: { j: , k: { needs: [j] } } } }
finally: { l: { run: 'echo ${{ workflow.status }}' } }
";

/// Stages with several instances.
const INSTANCES: &str = "
name: x
stages:
  a: { mi_config: { count: 2, sync_on_complete: false } }
  b: { mi_config: { count_from_context: n, join_threshold: 2, cancel_remaining: true, sequential: true, emit: once } }
  c:
    mi_config:
      collection_from_context: items
      sync_on_complete: true
      allow_dynamic: true
      completion_condition: done >= 2
      close_when: total > 5
      min_instances: 1
      max_instances: 9
  d: { for_each: [x, 1] }
  e: { for_each: '${{ items }}' }
  f: { matrix: { cc: [gcc, clang], opt: '${{ opts }}' } }
  g: { mi_config: { allow_dynamic: true, min_instances: 1 }, cancels: [{ mi: a }, { complete_mi: b }] }
  h: { mi_config: { count: 2, sync_on_complete: false, emit: per_instance } }
  i:
    mi_config:
      allow_dynamic: true
      dynamic_close_on: { signal: close }
      on_unmet: Complete
      cancel_mi_on: [{ signal: stop }, { timer: 1h }, { completed: a }]
      complete_mi_on: [{ completed: b }]
";

/// What servers are asked.
const REQUESTS: &str = "
name: x
stages:
  a:
    uses: http
    with:
      url: HTTPS://example.com/
      method: Post
      query: { a: 1, b: [x, true], c: }
      headers: { X-Key: '${{ k }}', X-Number: 7 }
      json: { any: [thing] }
      bearer_token: token
      expected_status: [200, '${{ k }}']
      parse_json: true
      max_response_size: 1000
      timeout: 1.5
      follow_redirects: true
      max_redirects: 3
      retries: 2
      retry_delay: 300ms
      retry_on_status: 503
      retry_non_idempotent: false
      verify_ssl: true
      ca_cert: ca.pem
      client_cert: us.pem
      client_key: us.key
      allow_private_urls: false
      allow_hosts: [intra.example, 'db:80']
      continue_on_failure: false
  b: { uses: http, with: { url: '${{ k }}', form: { a: [1, x] }, auth: [user, '${{ k }}'], download_to: file } }
  c:
    uses: http
    with: { url: 'http://h', upload_file: f, upload_field: x, upload_filename: y, upload_form: { z: 1 } }
  d: { tasks: [{ uses: http, with: { url: 'http://h', body: text, timeout: 90s, retries: '${{ k }}', auth: } }] }
";

fn schema() -> Value {
    serde_json::from_str(&Definition::schema()).unwrap()
}

fn validator() -> &'static Validator {
    static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| jsonschema::draft202012::new(&schema()).unwrap());
    &VALIDATOR
}

fn document(yaml: &str) -> Value {
    let map = map_from_yaml(yaml).unwrap();
    serde_json::from_str(&stabilize::Value::Map(map).to_json()).unwrap()
}

/// The examples in the tree, and ours.
fn documents_with_every_key() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let examples = files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    let texts = examples.map(|path| fs::read_to_string(path).unwrap());
    let ours = [MAP, ROUTES, ENDS, TURNS, PARTS, INSTANCES, REQUESTS].into_iter().chain(LISTS).map(str::to_owned);
    texts.chain(ours).map(|text| document(&text)).collect()
}

/// Problems of the document; none if it is one.
fn problems(document: &Value) -> Option<Problems> {
    Definition::from_json(&document.to_string()).err()
}

/// Where the two differ on one document; `None` if they agree.
fn difference(document: &Value, what: &str) -> Option<String> {
    let problems = problems(document);
    let of_shape = problems.iter().flat_map(Problems::iter).any(|problem| SHAPE.contains(&problem.code()));
    if validator().is_valid(document) != of_shape {
        return None;
    }
    let refused: Vec<String> =
        validator().iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    let told: Vec<String> =
        problems.iter().flat_map(Problems::iter).map(|problem| problem.code().to_string()).collect();
    Some(format!("{what}\n  the schema: {refused:?}\n  the validator: {told:?}"))
}

/// Values of every type that stand in the place of another.
fn others() -> [Value; 12] {
    [
        json!(null),
        json!(true),
        json!(7),
        json!(-3),
        json!(1.5),
        json!("text"),
        json!(""),
        json!("90"),
        json!([]),
        json!(["x"]),
        json!({}),
        json!({"k": 1}),
    ]
}

/// Calls `see` with the document after each single mutation at `pointer` and below it.
fn mutate(document: &Value, pointer: &str, see: &mut impl FnMut(Value, String)) {
    let here = document.pointer(pointer).unwrap();
    for other in others() {
        let mut mutated = document.clone();
        *mutated.pointer_mut(pointer).unwrap() = other.clone();
        see(mutated, format!("{pointer} is {other}"));
    }
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match here {
        Value::Object(entries) => {
            let changed = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
                let mut mutated = document.clone();
                change(mutated.pointer_mut(pointer).unwrap().as_object_mut().unwrap());
                mutated
            };
            for added in ["unknown", "x-unknown", "no name", "mi_config", "if", "run"] {
                if !entries.contains_key(added) {
                    see(
                        changed(&|map| drop(map.insert(added.to_owned(), json!("1")))),
                        format!("{pointer} has {added}"),
                    );
                }
            }
            for key in entries.keys() {
                see(changed(&|map| drop(map.remove(key))), format!("{pointer} lacks {key}"));
                let renamed = |map: &mut serde_json::Map<String, Value>| {
                    let value = map.remove(key).unwrap();
                    map.insert(format!("{key}_"), value);
                };
                see(changed(&renamed), format!("{pointer}/{key} is renamed"));
                mutate(document, &format!("{pointer}/{}", escaped(key)), see);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let mut mutated = document.clone();
                let list = mutated.pointer_mut(pointer).unwrap().as_array_mut().unwrap();
                list.remove(index);
                see(mutated, format!("{pointer} lacks item {index}"));
                let mut mutated = document.clone();
                let list = mutated.pointer_mut(pointer).unwrap().as_array_mut().unwrap();
                list.push(item.clone());
                see(mutated, format!("{pointer} has item {index} twice"));
                mutate(document, &format!("{pointer}/{index}"), see);
            }
        }
        _ => (),
    }
}

#[test]
fn the_schema_is_one() {
    let meta = jsonschema::draft202012::meta::is_valid(&schema());
    assert!(meta, "the schema is no schema of draft 2020-12");
}

#[test]
fn every_example_is_accepted_by_both() {
    let validator = validator();
    for document in documents_with_every_key() {
        let problems = problems(&document).map(|problems| problems.to_string());
        assert_eq!(problems, None, "{document}");
        assert!(
            validator.is_valid(&document),
            "{:?}",
            validator.iter_errors(&document).map(|error| error.to_string()).collect::<Vec<_>>()
        );
    }
}

#[test]
fn schema_and_validator_agree_on_every_single_mutation_of_every_example() {
    let mut count = 0;
    let mut differences = Vec::new();
    for document in documents_with_every_key() {
        mutate(&document, "", &mut |mutated, what| {
            count += 1;
            differences.extend(difference(&mutated, &what));
        });
    }
    let shown: Vec<String> = differences.iter().take(20).cloned().collect();
    assert!(differences.is_empty(), "{} of {count}:\n{}", differences.len(), shown.join("\n"));
    assert!(count > 3_000, "only {count} mutations");
}

/// The keys of every map of properties in the schema.
fn properties_of(schema: &Value, found: &mut BTreeSet<String>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        found.extend(properties.keys().cloned());
    }
    match schema {
        Value::Object(entries) => entries.values().for_each(|below| properties_of(below, found)),
        Value::Array(items) => items.iter().for_each(|below| properties_of(below, found)),
        _ => (),
    }
}

fn keys_of(document: &Value, found: &mut BTreeSet<String>) {
    match document {
        Value::Object(entries) => {
            found.extend(entries.keys().cloned());
            entries.values().for_each(|below| keys_of(below, found));
        }
        Value::Array(items) => items.iter().for_each(|below| keys_of(below, found)),
        _ => (),
    }
}

#[test]
fn every_key_of_the_schema_is_in_a_document_that_is_mutated() {
    let (mut known, mut written) = (BTreeSet::new(), BTreeSet::new());
    properties_of(&schema(), &mut known);
    documents_with_every_key().iter().for_each(|document| keys_of(document, &mut written));
    let missing: Vec<&String> = known.difference(&written).collect();
    assert!(missing.is_empty(), "in no document: {missing:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn drawn_documents_are_accepted_and_their_mutations_judged_alike(
        drawn in documents(),
        which in any::<prop::sample::Index>(),
    ) {
        let document: Value = serde_json::from_str(&drawn.document.to_json()).unwrap();
        prop_assert!(validator().is_valid(&document), "{document}");
        let mut mutated = Vec::new();
        mutate(&document, "", &mut |mutation, what| mutated.push((mutation, what)));
        let (mutation, what) = which.get(&mutated);
        let difference = difference(mutation, what);
        prop_assert!(difference.is_none(), "{}\n{mutation}", difference.unwrap_or_default());
    }
}
