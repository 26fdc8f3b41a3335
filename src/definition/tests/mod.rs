//! What a definition is, from the outside.

mod choices;
mod documents;
mod ending;
mod exclusion;
mod forms;
mod generations;
mod http;
mod inputs;
mod meaning;
mod milestones;
mod mistakes;
mod noise;
mod phases;
mod secrets;
mod synchronizing;
mod triggers;
mod verification;

use super::*;

/// A definition that uses every key there is.
const EVERYTHING: &str = r#"
# A comment.
name: release ${{ inputs.ref }}
application: shop
type: pipeline
version: "1.0"
description: everything
inputs:
  ref: { type: string, default: main, pattern: "^[a-z]+$", min: 1, max: 20, description: what to build }
  level: { type: integer, default: 2, enum: [1, 2, 3] }
  opts: { type: list, default: ["0"], items: { type: string, enum: ["0", "2"] }, max: 9 }
  ratio: { type: number, default: 0.5, min: 0, max: 1 }
  deep: { type: map, default: { a: [1, null] } }
  flag: { type: boolean }
  rest: { type: any }
context: { who: "${{ trigger.user }}", list: [1, "${{ inputs.level }}"] }
env: { CI: true, HOME: null, SHARED: workflow }
defaults:
  timeout: 1h30m
  retry: { max_attempts: 4, initial: 2m, factor: 1.5, jitter: 0, on: [exit] }
  env: { SHARED: defaults, STAGE: "${{ stage.ref_id }}" }
  cwd: src
  shell: bash
start_time_expiry: 2030-01-01T00:00:00Z
scheduled_time: 2029-12-31T22:00:00-01:00
deadline: 2d
priority: 7
x-shared: { a: &shared { K: 1 } }
stages:
  checkout:
    run: |
      git checkout ${{ inputs.ref }}
      echo "sha=$(git rev-parse ${{ inputs.ref }})" >> "$STABILIZE_OUTPUT"
  lint: { needs: [checkout], if: "${{ changed and not skip }}", run: make lint, on_failure: continue, env: *shared }
  test:
    name: All the tests
    type: tests
    requisite_stage_ref_ids: [checkout]
    stageEnabled: true
    priority: 9
    on_failure: fail_at_end
    timeout: 20m
    deadline: 1h30m
    scheduled_time: 2029-12-31T23:30:00Z
    start_time_expiry: 2030-01-02T00:00:00Z
    shell: sh
    cwd: "${{ dir }}"
    retry: { max_attempts: 2, max: 5s }
    env: { SHARED: stage }
    context: { target: "all ${{ k }}", plain: "$${{ as it is }}" }
    outputs: { done: "${{ tasks.unit.outputs.done }}", text: "a ${{ tasks.unit.status }} b" }
    tasks:
      - name: unit
        run: make test O=${{ target }}
        with: { expected_codes: [0, 1], timeout: 30 }
        if: target != "none"
        env: { SHARED: task, GONE: null }
        cwd: .
        shell: /bin/dash
        retry: { max_attempts: 1 }
        timeout: 10m
        on_failure: stop
        verification: { required_keys: [done], types: { done: string }, verifier: is done, retry: { max_attempts: 3 } }
      - uses: http
        with: { url: "https://ci.example/r", json: { sha: "${{ sha }}", env: "${{ env.SHARED }}" } }
      - { uses: http, with: { url: "http://ci.example" } }
      - { uses: shell, with: { command: [make, "${{ target }}"] } }
  pack:
    needs: [lint, test]
    split_type: XOR
    split_conditions: { fast: "size < 10", slow: 'stages.test.outputs.done == "yes"', $end: skip }
    split_order: [slow, fast, $end]
    split_default: slow
    on_no_match: default
    on_condition_error: false
  fast: { needs: [pack] }
  slow: { needs: [pack] }
  done: { needs: [slow, fast], join_type: xor, uses: wait, with: { duration: 1s } }
outputs: { sha: "${{ stages.checkout.outputs.sha }}", all: { a: "${{ k }}" } }
"#;

fn read(text: &str) -> Definition {
    Definition::from_yaml(text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn refuse(text: &str) -> Problems {
    match Definition::from_yaml(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(problems) => problems,
    }
}
