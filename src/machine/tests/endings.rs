//! Stages whose success is that of the workflow (WCP 43).

use crate::definition::Definition;
use crate::event::EndReason;
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::{with_limits, yaml};
use crate::testing::given::given;
use crate::testing::happening::{complete, create, failed_continue, go_on, late, skipped, start, stopped};

/// `a`, then `b` with `fin`, and `c`, `c2` with `fin2`; both ends end the workflow.
fn two_ends(termination: &str) -> Definition {
    yaml(&format!(
        "
name: two ends
{termination}
stages:
  a:
  b: {{ needs: [a] }}
  fin: {{ needs: [b], end: terminate, outputs: {{ found: '${{{{ stages.b.outputs.k }}}}' }} }}
  c: {{ needs: [a] }}
  c2: {{ needs: [c] }}
  fin2: {{ needs: [c2], end: terminate }}
"
    ))
}

#[test]
fn the_first_end_that_is_reached_is_success_and_ends_the_rest() {
    for termination in ["", "termination: explicit"] {
        given(&two_ends(termination))
            .done(["a"])
            .after([start("c"), complete("b").output("k", 7)])
            .when(complete("fin"))
            .then([
                "task.reported fin SUCCEEDED",
                "task.completed fin",
                "cancels.marked fin",
                "stage.canceled c by end",
                r#"stage.completed fin {"found":7}"#,
                "workflow.completed",
            ])
            .status(Status::Succeeded)
            .open([])
            .activations("c2", 0)
            .when(complete("c"))
            .refused("ENDED")
            .when(late("c@1"))
            .then(["task.result_discarded c SUCCEEDED"])
            .status(Status::Succeeded);
    }
}

#[test]
fn tokens_that_wait_are_left_at_the_end() {
    let definition = yaml(
        "
name: tokens left
termination: explicit
stages:
  a:
  b: { needs: [a] }
  c: { needs: [a] }
  d: { needs: [b, c], end: terminate }
  fin: { needs: [a], end: terminate }
",
    );
    given(&definition)
        .done(["a", "b"])
        .when(complete("fin"))
        .then_among(["stage.canceled c by end", "stage.completed fin", "tokens.left b to d", "workflow.completed"])
        .status(Status::Succeeded);
}

#[test]
fn an_end_that_was_passed_by_or_has_failed_is_not_reached() {
    // A task that finds nothing to do is done all the same.
    given(&two_ends("")).done(["a", "b"]).when(skipped("fin")).then_among(["workflow.completed"]);
    let passed_by = yaml(
        "
name: passed by
termination: explicit
stages:
  a:
  fin: { needs: [a], if: 'false', end: terminate }
",
    );
    let then = given(&passed_by).when(complete("a")).then_among(["stage.skipped fin", "workflow.failed DEADLOCK"]);
    assert_eq!(then.course().state().end_reason(), Some(&EndReason::Deadlock { waiting: Vec::new() }));
    given(&two_ends("termination: explicit"))
        .done(["a", "b", "c", "c2"])
        .after([failed_continue("fin")])
        .when(failed_continue("fin2"))
        .then_among(["workflow.failed DEADLOCK"])
        .status(Status::Terminal);
}

#[test]
fn work_that_runs_out_without_an_end_is_a_deadlock_where_ends_are_nominated() {
    let branch = |termination: &str| {
        yaml(&format!(
            "
name: x
{termination}
stages:
  a: {{ split_type: XOR, split_conditions: {{ fin: 'false' }}, split_default: $end }}
  fin: {{ needs: [a], end: terminate }}
"
        ))
    };
    given(&branch("termination: explicit")).when(complete("a")).then_among(["workflow.failed DEADLOCK"]);
    given(&branch("")).when(complete("a")).then_among(["workflow.completed"]).status(Status::Succeeded);
    given(&two_ends("termination: explicit"))
        .done(["a"])
        .after([stopped("b")])
        .when(stopped("c"))
        .then_among(["workflow.failed BRANCH_STOPPED b"]);
}

#[test]
fn a_workflow_without_nominated_ends_waits_for_all() {
    let plain = yaml("{ name: x, stages: { a: , b: { needs: [a] }, c: { needs: [a] } } }");
    given(&plain).done(["a", "b"]).when(complete("c")).then_among(["workflow.completed"]);
    given(&plain).done(["a"]).when(complete("b")).then_among(["stage.completed b"]).status(Status::Running);
}

#[test]
fn a_cut_before_the_end_changes_nothing() {
    let cut = with_limits(&two_ends(""), &[("chunk_events_max", 2)]);
    let mut course = Course::new(&cut);
    course.happen(&create());
    for work in ["a", "b", "fin"] {
        settle(&mut course);
        course.happen(&complete(work));
    }
    settle(&mut course);
    assert_eq!(course.status(), Status::Succeeded);
}

fn settle(course: &mut Course) {
    while course.state().is_unsettled() {
        course.happen(&go_on());
    }
}
