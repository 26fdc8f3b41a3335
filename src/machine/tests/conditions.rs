//! `if:` on stages and tasks: passing by, errors, and what the split of a stage that was passed by does.

use crate::status::Status;
use crate::testing::definitions::{stage, yaml};
use crate::testing::given::given;
use crate::testing::happening::{complete, create};

/// A condition that has no value.
const BROKEN: &str = "\"1 < 'x'\"";

#[test]
fn a_stage_with_a_condition_is_ready_before_it_starts() {
    let definition = yaml("{ name: x, stages: { a: , b: { needs: [a], if: 'true' } } }");
    given(&definition).when(complete("a")).then_among([
        "stage.completed a to b",
        "stage.ready b",
        "stage.started b",
        "task.queued b",
    ]);
}

#[test]
fn a_stage_that_is_passed_by_is_skipped_and_what_follows_runs() {
    let definition = yaml("{ name: x, stages: { a: { if: 'false' }, b: { needs: [a] } } }");
    given(&definition)
        .when(create())
        .then([
            "workflow.created",
            "workflow.started",
            "stage.ready a",
            "stage.skipped a to b",
            "stage.started b",
            "task.queued b",
        ])
        .activations("a", 0);
}

#[test]
fn a_missing_name_is_null_and_null_does_not_hold() {
    given(&stage("if: missing")).when(create()).then_among(["stage.skipped a", "workflow.completed"]);
}

#[test]
fn a_condition_that_cannot_be_computed_fails_the_stage_unless_it_counts_as_false() {
    for (keys, line, status) in [
        (format!("if: {BROKEN}"), "stage.failed a TERMINAL CONDITION_FAILED", Status::Terminal),
        (format!("if: {BROKEN}, on_failure: stop"), "stage.failed a STOPPED CONDITION_FAILED", Status::Succeeded),
        (format!("if: {BROKEN}, on_failure: fail_at_end"), "stage.failed a STOPPED CONDITION_FAILED", Status::Terminal),
        (
            format!("if: {BROKEN}, on_failure: continue"),
            "stage.failed a FAILED_CONTINUE CONDITION_FAILED",
            Status::Succeeded,
        ),
        (format!("if: {BROKEN}, on_condition_error: false"), "stage.skipped a", Status::Succeeded),
    ] {
        given(&stage(&keys)).when(create()).then_among(["stage.ready a", line]).status(status);
    }
}

#[test]
fn gates_open_one_at_a_time_and_the_oldest_first() {
    let definition = yaml("{ name: x, stages: { a: { if: 'true' }, b: { if: 'false' }, c: { if: 'true' } } }");
    given(&definition).when(create()).then([
        "workflow.created",
        "workflow.started",
        "stage.ready a",
        "stage.ready b",
        "stage.ready c",
        "stage.started a",
        "task.queued a",
        "stage.skipped b",
        "stage.started c",
        "task.queued c",
    ]);
}

#[test]
fn a_task_whose_condition_does_not_hold_is_passed_by() {
    let tasks = "[{ name: t, uses: noop, if: 'false' }, { name: u, uses: noop }, { name: v, uses: noop, if: 'false' }]";
    given(&stage(&format!("tasks: {tasks}")))
        .when(create())
        .then_among(["stage.started a", "task.skipped a.t", "task.queued a.u"])
        .when(complete("a.u"))
        .then([
            "task.reported a.u SUCCEEDED",
            "task.completed a.u",
            "task.skipped a.v",
            "stage.completed a",
            "workflow.completed",
        ]);
}

#[test]
fn an_error_in_the_condition_of_a_task_is_a_failure_of_the_task_unless_it_counts_as_false() {
    let tasks = |on_failure: &str| {
        format!("tasks: [{{ name: t, uses: noop, if: {BROKEN}{on_failure} }}, {{ name: u, uses: noop }}]")
    };
    given(&stage(&tasks("")))
        .when(create())
        .then_among(["task.failed a.t TERMINAL CONDITION_FAILED", "stage.failed a TERMINAL"])
        .status(Status::Terminal);
    given(&stage(&tasks(", on_failure: continue")))
        .when(create())
        .then_among(["task.failed a.t FAILED_CONTINUE CONDITION_FAILED", "task.queued a.u"]);
    given(&stage(&(tasks("") + ", on_condition_error: false")))
        .when(create())
        .then_among(["task.skipped a.t", "task.queued a.u"]);
}

#[test]
fn a_task_sees_the_status_and_outputs_of_the_tasks_before_it() {
    let tasks = "[{ name: t, uses: noop, on_failure: continue }, { name: u, uses: noop, if: \"tasks.t.outputs.n == 2 and tasks.t.status == 'SUCCEEDED'\" }]";
    for (n, line) in [(2, "task.queued a.u"), (3, "task.skipped a.u")] {
        given(&stage(&format!("tasks: {tasks}"))).when(complete("a.t").output("n", n)).then_among([line]);
    }
}

#[test]
fn an_error_in_a_branch_fails_the_stage_unless_it_counts_as_false() {
    for (keys, line) in [
        ("", "stage.failed a TERMINAL CONDITION_FAILED"),
        (", on_condition_error: false", "stage.completed a to c"),
        (", on_failure: stop", "stage.failed a STOPPED CONDITION_FAILED"),
    ] {
        let definition = yaml(&format!(
            "
name: x
stages:
  a: {{ split_type: XOR, split_conditions: {{ b: {BROKEN} }}, split_default: c{keys} }}
  b: {{ needs: [a] }}
  c: {{ needs: [a] }}
"
        ));
        given(&definition).when(complete("a")).then_among([line]);
    }
}

#[test]
fn in_the_split_of_a_stage_that_was_passed_by_an_error_counts_as_false() {
    let split = |rest: &str| {
        yaml(&format!(
            "
name: x
stages:
  a: {{ if: 'false', split_type: XOR, split_conditions: {{ b: {BROKEN}, c: inputs.n == 1 }}{rest} }}
  b: {{ needs: [a] }}
  c: {{ needs: [a] }}
inputs: {{ n: {{ type: integer, default: 1 }} }}
"
        ))
    };
    given(&split("")).input("n", 1).when(create()).then_among(["stage.skipped a to c"]);
    given(&split("")).input("n", 2).when(create()).then_among(["stage.failed a TERMINAL NO_BRANCH"]);
    given(&split(", split_default: b")).input("n", 2).when(create()).then_among(["stage.skipped a to b"]);
    given(&split(", on_failure: stop")).input("n", 2).when(create()).then_among(["stage.failed a STOPPED NO_BRANCH"]);
}

#[test]
fn conditions_see_stages_inputs_trigger_and_workflow_by_name() {
    for (condition, holds) in [
        ("stages.a.outputs.n == 4", true),
        ("stages.a.status == 'SUCCEEDED'", true),
        ("stages.a.activations == 1", true),
        ("stages.a.error == None", true),
        ("stages.f.status == 'FAILED_CONTINUE'", true),
        ("stages.f.error.code == 'TOLD' and stages.f.error.message == 'told so'", true),
        ("stages.g.error.code == 'CONDITION_FAILED'", true),
        ("stages.s.status == 'SKIPPED'", true),
        ("inputs.n == 7", true),
        ("trigger.type == 'manual' and trigger.user == 'anonymous'", true),
        ("workflow.name == 'x' and workflow.workdir == '/'", true),
        ("workflow.started_at == '2026-01-01T00:00:00.000000Z'", true),
        ("n == 4", true),
        ("context['n'] == 4", true),
        ("stages.a.outputs.missing", false),
    ] {
        let definition = yaml(&format!(
            "
name: x
inputs: {{ n: {{ type: integer, default: 7 }} }}
stages:
  a:
  f: {{ on_failure: continue }}
  g: {{ if: {BROKEN}, on_failure: continue }}
  s: {{ if: 'false' }}
  d: {{ needs: [a, f, g, s], if: \"{condition}\" }}
"
        ));
        given(&definition)
            .input("n", 7)
            .after([complete("a").output("n", 4)])
            .when(crate::testing::happening::terminal("f"))
            .then_among([if holds { "stage.started d" } else { "stage.skipped d" }]);
    }
}

#[test]
fn the_templates_of_a_stage_see_the_stage_itself() {
    let keys = "context: { me: '${{ stage.ref_id }}' }, outputs: { who: '${{ stage.name }}/${{ stage.activation }}/${{ me }}' }, name: Anna";
    given(&stage(keys)).when(complete("a")).then_among([r#"stage.completed a {"who":"Anna/1/a"}"#]);
}
