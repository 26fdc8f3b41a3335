//! What a failure means: of a task, of a stage, of the workflow.

use crate::event::EndReason;
use crate::failure::ErrorClass;
use crate::status::Status;
use crate::testing::definitions::{stage, yaml};
use crate::testing::given::given;
use crate::testing::happening::{canceled, complete, fail, failed_continue, skipped, stopped, terminal};

#[test]
fn on_failure_says_what_a_failed_stage_means() {
    for (on_failure, ended, workflow) in [
        ("fail", "stage.failed a TERMINAL", Status::Terminal),
        ("continue", "stage.failed a FAILED_CONTINUE to b", Status::Succeeded),
        ("stop", "stage.failed a STOPPED", Status::Succeeded),
        ("fail_at_end", "stage.failed a STOPPED", Status::Terminal),
    ] {
        for failure in [terminal("a"), fail("a", ErrorClass::Permanent)] {
            let definition =
                yaml(&format!("{{ name: x, stages: {{ a: {{ on_failure: {on_failure} }}, b: {{ needs: [a] }} }} }}"));
            let mut then = given(&definition).when(failure).then_among([ended]);
            if on_failure == "continue" {
                then = then.open(["b"]).after([complete("b")]);
            }
            then.status(workflow);
        }
    }
}

#[test]
fn what_a_task_says_of_its_failure_comes_before_what_its_stage_says() {
    for (of_task, of_stage, task, ended, workflow) in [
        ("fail", "continue", "task.failed a.t TERMINAL", "stage.failed a FAILED_CONTINUE", Status::Succeeded),
        ("fail", "stop", "task.failed a.t TERMINAL", "stage.failed a STOPPED", Status::Succeeded),
        ("fail", "fail_at_end", "task.failed a.t TERMINAL", "stage.failed a STOPPED", Status::Terminal),
        ("stop", "fail", "task.failed a.t STOPPED", "stage.failed a STOPPED", Status::Succeeded),
        ("stop", "continue", "task.failed a.t STOPPED", "stage.failed a STOPPED", Status::Succeeded),
        ("stop", "fail_at_end", "task.failed a.t STOPPED", "stage.failed a STOPPED", Status::Succeeded),
        ("fail_at_end", "fail", "task.failed a.t STOPPED", "stage.failed a STOPPED", Status::Terminal),
        ("fail_at_end", "stop", "task.failed a.t STOPPED", "stage.failed a STOPPED", Status::Terminal),
    ] {
        let definition = stage(&format!(
            "on_failure: {of_stage}, tasks: [{{ name: t, uses: noop, on_failure: {of_task} }}, {{ name: u, uses: noop }}]"
        ));
        given(&definition).when(terminal("a.t")).then_among([task, ended]).status(workflow);
    }
}

#[test]
fn a_failed_task_that_continues_is_followed_by_the_next() {
    let tasks = "[{ name: t, uses: noop, on_failure: continue }, { name: u, uses: noop }]";
    let definition = stage(&format!("tasks: {tasks}"));
    given(&definition)
        .when(terminal("a.t"))
        .then(["task.reported a.t TERMINAL", "task.failed a.t FAILED_CONTINUE", "task.queued a.u"])
        .when(complete("a.u"))
        .then_among(["task.completed a.u", "stage.failed a FAILED_CONTINUE", "workflow.completed"])
        .status(Status::Succeeded);
}

#[test]
fn a_task_that_halts_ends_its_stage_and_later_tasks_do_not_begin() {
    let tasks = "[{ name: t, uses: noop }, { name: u, uses: noop }]";
    for (of_stage, happening, ended, workflow) in [
        ("fail", terminal("a.t"), "stage.failed a TERMINAL", Status::Terminal),
        ("continue", stopped("a.t"), "stage.failed a STOPPED", Status::Succeeded),
        ("fail_at_end", stopped("a.t"), "stage.failed a STOPPED", Status::Terminal),
        ("fail", canceled("a.t"), "stage.canceled a", Status::Succeeded),
    ] {
        let definition = stage(&format!("on_failure: {of_stage}, tasks: {tasks}"));
        let then = given(&definition).when(happening).then_among([ended]).status(workflow);
        assert!(!then.course().story().contains("a.u"));
    }
}

#[test]
fn a_task_can_ask_to_go_on_after_its_own_failure() {
    given(&stage("on_failure: fail")).when(failed_continue("a").output("x", 1)).then([
        "task.reported a FAILED_CONTINUE",
        "task.failed a FAILED_CONTINUE",
        "stage.failed a FAILED_CONTINUE",
        "workflow.completed",
    ]);
}

#[test]
fn a_task_that_cancels_itself_is_canceled_unless_its_policy_says_otherwise() {
    for (on_failure, task, ended) in [
        ("fail", "task.canceled a", "stage.canceled a"),
        ("continue", "task.failed a FAILED_CONTINUE", "stage.failed a FAILED_CONTINUE"),
        ("stop", "task.failed a STOPPED", "stage.failed a STOPPED"),
    ] {
        given(&stage(&format!("on_failure: {on_failure}")))
            .when(canceled("a"))
            .then(["task.reported a CANCELED", task, ended, "workflow.completed"])
            .status(Status::Succeeded);
    }
}

#[test]
fn a_stage_whose_tasks_found_nothing_to_do_has_succeeded() {
    given(&stage("tasks: [{ name: t, uses: noop }, { name: u, uses: noop, if: 'false' }]")).when(skipped("a.t")).then(
        [
            "task.reported a.t SKIPPED",
            "task.skipped a.t",
            "task.skipped a.u",
            "stage.completed a",
            "workflow.completed",
        ],
    );
}

#[test]
fn a_failure_cancels_what_lives_beside_it_at_once() {
    let definition = yaml(
        "{ name: x, stages: { a: , b: { needs: [a] }, c: { needs: [a] }, e: { needs: [a] }, f: { needs: [c] } } }",
    );
    given(&definition)
        .done(["a"])
        .when(terminal("c"))
        .then([
            "task.reported c TERMINAL",
            "task.failed c TERMINAL",
            "stage.failed c TERMINAL",
            "stage.canceled b by failure",
            "stage.canceled e by failure",
            "workflow.failed STAGE_FAILED c TOLD",
        ])
        .status(Status::Terminal)
        .open([])
        .activations("f", 0);
}

#[test]
fn a_stopped_branch_lets_the_others_end_before_the_workflow_fails() {
    let definition = yaml(
        "
name: x
stages:
  a: { on_failure: fail_at_end }
  b:
  c: { needs: [b] }
",
    );
    given(&definition)
        .when(terminal("a"))
        .then(["task.reported a TERMINAL", "task.failed a STOPPED", "stage.failed a STOPPED"])
        .status(Status::Running)
        .after([complete("b")])
        .when(complete("c"))
        .then_among(["workflow.failed BRANCH_STOPPED a"])
        .status(Status::Terminal);
}

#[test]
fn a_failure_beats_a_stopped_branch() {
    let definition = yaml("{ name: x, stages: { a: { on_failure: fail_at_end }, b: } }");
    given(&definition).after([terminal("a")]).when(terminal("b")).then_among(["workflow.failed STAGE_FAILED b TOLD"]);
}

#[test]
fn the_end_names_the_failure_also_where_a_newer_activation_of_the_stage_has_ended() {
    let definition = yaml("{ name: x, stages: { a: , b: , m: { needs: [a, b], join_type: XOR }, z: { needs: [m] } } }");
    given(&definition)
        .done(["a", "b", "m#2"])
        .when(terminal("m#1"))
        .then_among(["stage.failed m TERMINAL", "workflow.failed STAGE_FAILED m TOLD"]);
}

#[test]
fn why_the_workflow_failed_is_the_error_the_task_told() {
    let then = given(&stage("")).when(terminal("a")).then_among(["workflow.failed STAGE_FAILED a TOLD"]);
    let Some(EndReason::StageFailed { error: Some(error), .. }) = then.course().state().end_reason() else {
        panic!("no error")
    };
    assert_eq!(error.message(), "told so");
}

#[test]
fn outputs_of_the_workflow_that_cannot_be_computed_fail_it() {
    let definition = yaml("{ name: x, outputs: { v: 'v${{ missing }}' }, stages: { a: } }");
    given(&definition)
        .when(complete("a"))
        .then_among(["stage.completed a", "workflow.failed OUTPUTS_FAILED VALUE_MISSING"])
        .status(Status::Terminal);
}

#[test]
fn outputs_of_a_stage_that_cannot_be_computed_fail_it_whatever_it_says_of_going_on() {
    for (on_failure, line) in [
        ("fail", "stage.failed a TERMINAL VALUE_MISSING"),
        ("continue", "stage.failed a TERMINAL VALUE_MISSING"),
        ("stop", "stage.failed a STOPPED VALUE_MISSING"),
    ] {
        let keys = format!("on_failure: {on_failure}, outputs: {{ v: 'v${{{{ missing }}}}' }}");
        given(&stage(&keys)).when(complete("a")).then_among(["task.completed a", line]);
    }
}
