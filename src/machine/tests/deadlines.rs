//! `deadline` of stages and of the workflow: what runs is stopped, and the failure is like any other.

use crate::failure::ErrorClass;
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::{stage, with_limits, yaml};
use crate::testing::given::given;
use crate::testing::happening::{
    cancel, complete, create, fail, fire, go_on, late, lose, pass, running, start, stop_orderly, terminal,
};

#[test]
fn a_stage_has_its_deadline_from_its_start_on() {
    given(&stage("deadline: 90s"))
        .when(create())
        .then([
            "workflow.created",
            "workflow.started",
            "stage.started a",
            "timer.set 1 a deadline due 1m30s",
            "task.queued a",
        ])
        .open(["a", "timer 1 due 1m30s"])
        .when(fire(1))
        .refused("EARLY")
        .after([start("a"), pass("1m29s")])
        .when(fire(1))
        .refused("EARLY")
        .after([pass("1s")])
        .when(fire(1))
        .then([
            "timer.fired 1",
            "stage.failed a TERMINAL DEADLINE_EXCEEDED",
            "workflow.failed STAGE_FAILED a DEADLINE_EXCEEDED",
        ])
        .status(Status::Terminal)
        .open([])
        .when(fire(1))
        .refused("ENDED");
}

#[test]
fn what_runs_at_the_deadline_is_given_up_and_its_outcome_kept_once() {
    let definition = yaml("{ name: x, stages: { a: { deadline: 1s, on_failure: continue }, b: { needs: [a] } } }");
    given(&definition)
        .after([start("a"), pass("1s"), fire(1)])
        .when(complete("a"))
        .refused("NOT_AWAITED")
        .when(late("a@1"))
        .then(["task.result_discarded a SUCCEEDED"])
        .when(late("a@1"))
        .refused("NOT_AWAITED")
        .open(["b"]);
}

#[test]
fn a_deadline_passes_while_a_retry_or_a_timer_is_waited_for_or_a_worker_was_lost() {
    let keys = "deadline: 10s, retry: { max_attempts: 5, initial: 1m, jitter: 0 }";
    let end = ["timer.fired 1", "stage.failed a TERMINAL DEADLINE_EXCEEDED"];
    given(&stage(keys))
        .after([fail("a", ErrorClass::Transient), pass("10s")])
        .when(fire(1))
        .then_among(end)
        .open([])
        // It was not due yet, so nobody has begun it.
        .when(late("a@2"))
        .refused("NOT_AWAITED");
    given(&stage(keys))
        .after([running("a", "1m"), pass("10s")])
        .when(fire(1))
        .then_among(end)
        .open([])
        .when(fire(2))
        .refused("ENDED");
    for lost in [lose("a"), stop_orderly("a")] {
        given(&stage(keys)).after([start("a"), lost, pass("10s")]).when(fire(1)).then_among(end);
    }
}

#[test]
fn a_deadline_limits_all_tasks_and_attempts_of_an_activation_together() {
    let keys = "deadline: 10s, on_failure: stop, tasks: [{ name: t, uses: noop }, { name: u, uses: noop, on_failure: continue }]";
    given(&stage(keys)).after([pass("6s"), complete("a.t"), pass("4s")]).when(fire(1)).then([
        "timer.fired 1",
        "stage.failed a STOPPED DEADLINE_EXCEEDED",
        "workflow.completed",
    ]);
}

#[test]
fn a_passed_deadline_means_what_on_failure_says() {
    for (on_failure, line, status) in [
        ("fail", "stage.failed a TERMINAL DEADLINE_EXCEEDED", Status::Terminal),
        ("continue", "stage.failed a FAILED_CONTINUE DEADLINE_EXCEEDED to b", Status::Running),
        ("stop", "stage.failed a STOPPED DEADLINE_EXCEEDED", Status::Succeeded),
        ("fail_at_end", "stage.failed a STOPPED DEADLINE_EXCEEDED", Status::Terminal),
    ] {
        let stages = format!("{{ a: {{ deadline: 1s, on_failure: {on_failure} }}, b: {{ needs: [a] }} }}");
        given(&yaml(&format!("{{ name: x, stages: {stages} }}")))
            .after([pass("1s")])
            .when(fire(1))
            .then_among(["timer.fired 1", line])
            .status(status);
    }
}

#[test]
fn what_ended_before_the_deadline_still_gives_its_outputs_where_control_goes_on() {
    let tasks = "tasks: [{ name: t, uses: noop }, { name: u, uses: noop }], outputs: { done: '${{ k }}' }";
    let a = format!("a: {{ deadline: 1s, on_failure: continue, {tasks} }}");
    let b = "b: { needs: [a], if: \"done == 7 and stages.a.error.code == 'DEADLINE_EXCEEDED'\" }";
    given(&yaml(&format!("{{ name: x, stages: {{ {a}, {b} }} }}")))
        .after([complete("a.t").output("k", 7), pass("1s")])
        .when(fire(1))
        .then_among(["stage.failed a FAILED_CONTINUE DEADLINE_EXCEEDED to b {\"done\":7}", "stage.started b"]);
}

#[test]
fn a_stage_that_ended_has_no_deadline_any_more() {
    let definition = yaml("{ name: x, stages: { a: { deadline: 1s }, b: { needs: [a] } } }");
    given(&definition).after([complete("a"), pass("1s")]).when(fire(1)).refused("NO_SUCH_TIMER").open(["b"]);
}

#[test]
fn a_stage_whose_join_waits_has_no_deadline_yet() {
    let definition = yaml("{ name: x, stages: { a: , b: , c: { needs: [a, b], deadline: 1s } } }");
    given(&definition).done(["a"]).after([pass("1h")]).when(complete("b")).then_among([
        "stage.started c",
        "timer.set 1 c deadline due 1h1s",
        "task.queued c",
    ]);
}

#[test]
fn each_activation_has_its_own_deadline() {
    let definition =
        yaml("{ name: x, stages: { a: , b: , c: { needs: [a, b], join_type: XOR, deadline: 1m, on_failure: stop } } }");
    given(&definition)
        .after([complete("a"), pass("30s"), complete("b"), pass("30s")])
        .when(fire(1))
        .then(["timer.fired 1", "stage.failed c STOPPED DEADLINE_EXCEEDED"])
        .open(["c#2", "timer 2 due 1m30s"])
        .when(fire(2))
        .refused("EARLY");
}

#[test]
fn the_deadline_of_the_workflow_stops_everything_that_runs() {
    let definition = yaml("{ name: x, deadline: 1h, stages: { a: , b: { on_failure: continue }, c: { needs: [a] } } }");
    given(&definition)
        .when(create())
        .then_among(["workflow.started", "timer.set 1 deadline due 1h", "stage.started a"])
        .open(["a", "b", "timer 1 due 1h"])
        .after([start("a"), complete("b"), pass("1h")])
        .when(fire(1))
        .then(["timer.fired 1", "stage.canceled a by deadline", "workflow.failed DEADLINE_EXCEEDED 1h"])
        .status(Status::Terminal)
        .when(late("a@1"))
        .then(["task.result_discarded a SUCCEEDED"]);
}

#[test]
fn a_workflow_that_ended_has_no_deadline_any_more() {
    let definition = yaml("{ name: x, deadline: 1s, stages: { a: } }");
    given(&definition).after([complete("a"), pass("1s")]).when(fire(1)).refused("ENDED").status(Status::Succeeded);
    given(&definition).after([terminal("a"), pass("1s")]).when(fire(1)).refused("ENDED").status(Status::Terminal);
    given(&definition).after([cancel(), pass("1s")]).when(fire(1)).refused("ENDED").status(Status::Canceled);
}

#[test]
fn deadlines_of_one_moment_pass_in_the_order_in_which_they_were_set() {
    let definition = yaml("{ name: x, deadline: 1s, stages: { a: { deadline: 1s, on_failure: stop } } }");
    given(&definition)
        .after([pass("1s")])
        .when(create())
        .refused("ALREADY_CREATED")
        .open(["a", "timer 1 due 1s", "timer 2 due 1s"])
        .when(fire(1))
        .then(["timer.fired 1", "stage.canceled a by deadline", "workflow.failed DEADLINE_EXCEEDED 1s"])
        .when(fire(2))
        .refused("ENDED");
}

#[test]
fn a_cancel_between_the_chunks_of_a_passed_deadline_comes_second() {
    let definition =
        with_limits(&yaml("{ name: x, deadline: 1s, stages: { a: , b: , c: } }"), &[("chunk_events_max", 2)]);
    let mut course = Course::new(&definition);
    let settle = |course: &mut Course| {
        while course.state().is_unsettled() {
            course.happen(&go_on());
        }
    };
    course.happen(&create());
    settle(&mut course);
    course.happen(&pass("1s"));
    course.happen(&fire(1));
    assert!(course.state().is_unsettled());
    course.happen(&cancel());
    settle(&mut course);
    assert_eq!(course.status(), Status::Terminal);
    assert_eq!(course.state(), &course.fold());
}
