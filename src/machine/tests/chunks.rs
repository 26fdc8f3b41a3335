//! Batches that are cut for their size (R4), and other limits that are reached while settling.

use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::{fan_out, parallel, stage, with_limits, yaml};
use crate::testing::given::given;
use crate::testing::happening::{cancel, complete, create, go_on, late, lose, start, terminal};
use crate::value::Value;

#[test]
fn a_fan_out_goes_on_in_further_batches() {
    let mut course = Course::begun(&fan_out(5_000), [("", 0); 0]);
    let mut lengths = vec![course.happen(&complete("a")).len()];
    while course.state().is_unsettled() {
        assert_eq!(course.open().first().map(String::as_str), Some("continue"));
        lengths.push(course.happen(&go_on()).len());
    }
    // Report, task, stage, and 5,000 times start and queue; a continuation and a mark of the cut for each other batch.
    assert_eq!(lengths.iter().sum::<usize>(), 3 + 10_000 + 2 * (lengths.len() - 1));
    assert!(lengths.iter().all(|length| *length <= 4_098), "{lengths:?}");
    assert_eq!(course.live("s0"), 1);
    assert_eq!(course.activations("s4999"), 1);
    assert!(course.fold() == *course.state());
}

#[test]
fn while_unsettled_a_workflow_takes_nothing_but_the_continuation_and_a_cancel() {
    let definition = with_limits(&parallel(), &[("chunk_events_max", 4)]);
    let then = given(&definition)
        .when(create())
        .then(["workflow.created", "workflow.started", "stage.started a", "task.queued a", "settle.deferred"])
        .open(["continue", "a"])
        .when(start("a"))
        .refused("UNSETTLED")
        .when(complete("a"))
        .refused("UNSETTLED")
        .when(lose("a"))
        .refused("UNSETTLED")
        .when(late("a"))
        .refused("UNSETTLED");
    then.when(go_on()).then(["settle.continued"]).when(go_on()).refused("SETTLED").open(["a"]);
}

#[test]
fn a_cancel_while_unsettled_takes_effect_with_the_continuation() {
    let definition = with_limits(&parallel(), &[("chunk_events_max", 4)]);
    given(&definition)
        .after([go_on()])
        .when(complete("a"))
        .then([
            "task.reported a SUCCEEDED",
            "task.completed a",
            "stage.completed a to b, c, e",
            "stage.started b",
            "task.queued b",
            "settle.deferred",
        ])
        .when(cancel())
        .then(["workflow.cancel_requested"])
        .open(["continue"])
        .when(cancel())
        .refused("ALREADY_CANCELING")
        .when(go_on())
        .then([
            "settle.continued",
            "stage.canceled b by workflow",
            "tokens.left a to c, a to e",
            "workflow.canceled CANCEL_REQUESTED by engine",
        ])
        .status(Status::Canceled);
}

#[test]
fn canceling_many_goes_on_in_further_batches() {
    let definition = with_limits(&fan_out(20), &[("chunk_events_max", 8)]);
    let mut course = Course::begun(&definition, [("", 0); 0]);
    let settle = |course: &mut Course| {
        while course.state().is_unsettled() {
            course.happen(&go_on());
        }
    };
    settle(&mut course);
    course.complete(["a"]);
    settle(&mut course);
    let failure = course.happen(&terminal("s3"));
    assert_eq!(failure.last().map(String::as_str), Some("settle.deferred"));
    assert_eq!((course.status(), course.open()), (Status::Running, vec!["continue".to_owned()]));
    settle(&mut course);
    assert_eq!(course.status(), Status::Terminal);
}

#[test]
fn a_batch_is_cut_for_its_bytes_too() {
    let definition =
        with_limits(&yaml("{ name: x, stages: { a: , b: { needs: [a] } } }"), &[("chunk_bytes_max", 4_000)]);
    given(&definition)
        .when(complete("a").output("x", "y".repeat(5_000)))
        .then(["task.reported a SUCCEEDED", "task.completed a", "stage.completed a to b", "settle.deferred"])
        .when(go_on())
        .then(["settle.continued", "stage.started b", "task.queued b"]);
}

#[test]
fn more_tokens_than_a_workflow_holds_fail_the_activation_that_emits_them() {
    for (on_failure, line, status) in [
        ("fail", "stage.failed a TERMINAL LIMIT_TOKENS", Status::Terminal),
        ("stop", "stage.failed a STOPPED LIMIT_TOKENS", Status::Succeeded),
    ] {
        let definition = yaml(&format!(
            "{{ name: x, stages: {{ a: {{ on_failure: {on_failure} }}, b: {{ needs: [a] }}, c: {{ needs: [a] }}, e: {{ needs: [a] }} }} }}"
        ));
        let definition = with_limits(&definition, &[("tokens_max", 2)]);
        given(&definition).when(complete("a")).then_among([line]).status(status);
    }
    let enough = with_limits(&parallel(), &[("tokens_max", 3)]);
    given(&enough).when(complete("a")).then_among(["stage.completed a to b, c, e"]).open(["b", "c", "e"]);
}

#[test]
fn an_activation_gathers_no_more_context_than_fits() {
    let definition = with_limits(
        &stage("tasks: [{ name: t, uses: noop, on_failure: continue }, { name: u, uses: noop, if: x }]"),
        &[("payload_bytes_max", 100)],
    );
    given(&definition).when(complete("a.t").context("x", "y".repeat(100)).output("z", 1)).then([
        "task.reported a.t SUCCEEDED",
        "task.failed a.t FAILED_CONTINUE LIMIT_PAYLOAD",
        // What was too much has not stayed.
        "task.skipped a.u",
        "stage.failed a FAILED_CONTINUE",
        "workflow.completed",
    ]);
}

#[test]
fn outputs_larger_than_an_event_holds_fail_what_computes_them() {
    let big = |keys: &str| yaml(&format!("{{ name: x, {keys} }}"));
    let of_stage = big("stages: { a: { outputs: { y: '${{ x }}${{ x }}' } } }");
    let of_workflow = big("outputs: { y: '${{ x }}${{ x }}' }, stages: { a: }");
    for (definition, line) in [
        (of_stage, "stage.failed a TERMINAL LIMIT_PAYLOAD"),
        (of_workflow, "workflow.failed OUTPUTS_FAILED LIMIT_PAYLOAD"),
    ] {
        let definition = with_limits(&definition, &[("payload_bytes_max", 100)]);
        given(&definition).when(complete("a").output("x", "v".repeat(60))).then_among([line]);
    }
}

#[test]
fn a_condition_has_the_fuel_its_definition_was_registered_with() {
    let text = "{ name: x, stages: { a: , b: { needs: [a], if: 'x in l' } } }";
    let done = || complete("a").output("x", 9).output("l", Value::list(0..10));
    given(&yaml(text)).when(done()).then_among(["stage.started b"]);
    let short = with_limits(&yaml(text), &[("expression_fuel", 6)]);
    given(&short).when(done()).then_among(["stage.failed b TERMINAL CONDITION_FAILED"]);
}
