//! Stages that cancel others when they have succeeded, and what ends a stage from outside (WCP 19, 20).

use crate::definition::Definition;
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::{with_limits, yaml};
use crate::testing::given::given;
use crate::testing::happening::{
    cancel, complete, create, failed_continue, fire, go_on, late, pass, running, signal, skipped, start, stopped,
    terminal,
};

/// `a`, then `b` with `b2` behind it, `k` that cancels `b`, and `c`.
fn one_cancels_another() -> Definition {
    yaml(
        "
name: one cancels another
stages:
  a:
  b: { needs: [a] }
  b2: { needs: [b] }
  k: { needs: [a], cancels: [{ stage: b }] }
  c: { needs: [a] }
",
    )
}

#[test]
fn what_runs_is_canceled_before_the_canceller_ends_and_its_late_outcome_is_kept_once() {
    given(&one_cancels_another())
        .done(["a"])
        .after([start("b")])
        .when(complete("k"))
        .then([
            "task.reported k SUCCEEDED",
            "task.completed k",
            "cancels.marked k",
            "stage.canceled b by k",
            "stage.completed k",
        ])
        .status(Status::Running)
        .open(["c"])
        .when(complete("b"))
        .refused("NOT_AWAITED")
        .when(late("b@1"))
        .then(["task.result_discarded b SUCCEEDED"])
        .when(late("b@1"))
        .refused("NOT_AWAITED")
        .activations("b2", 0)
        .when(complete("c"))
        .then_among(["workflow.completed"])
        .status(Status::Succeeded)
        .activations("b2", 0);
}

#[test]
fn what_has_not_started_is_canceled_without_a_start() {
    let waiting = yaml(
        "
name: withdrawn before its start
stages:
  a:
  b: { needs: [a], scheduled_time: 2026-01-01T01:00:00Z }
  b2: { needs: [b] }
  k: { needs: [a], cancels: [{ stage: b }] }
",
    );
    given(&waiting)
        .done(["a"])
        .when(complete("k"))
        .then([
            "task.reported k SUCCEEDED",
            "task.completed k",
            "cancels.marked k",
            "stage.canceled b by k",
            "stage.completed k",
            "workflow.completed",
        ])
        .activations("b", 0)
        .activations("b2", 0)
        .open([]);
}

#[test]
fn what_is_over_is_not_canceled() {
    given(&one_cancels_another())
        .done(["a", "b"])
        .when(complete("k"))
        .then(["task.reported k SUCCEEDED", "task.completed k", "stage.completed k"])
        .open(["b2", "c"])
        .after([complete("b2"), complete("c")])
        .status(Status::Succeeded);
}

#[test]
fn what_is_still_to_come_is_not_canceled_and_the_request_is_not_remembered() {
    let later = yaml(
        "
name: canceled too early
stages:
  a:
  delay: { needs: [a] }
  b: { needs: [delay] }
  k: { needs: [a], cancels: [{ stage: b }] }
",
    );
    given(&later)
        .done(["a"])
        .when(complete("k"))
        .then(["task.reported k SUCCEEDED", "task.completed k", "stage.completed k"])
        .after([complete("delay"), complete("b")])
        .status(Status::Succeeded)
        .activations("b", 1);
}

#[test]
fn only_success_cancels() {
    for (happening, lives) in [(skipped("k"), 0), (complete("k"), 0), (failed_continue("k"), 1), (stopped("k"), 1)] {
        let then = given(&one_cancels_another()).done(["a"]).when(happening.clone()).then_among([]);
        assert_eq!(then.course().live("b"), lives, "{happening:?}");
    }
    given(&one_cancels_another()).done(["a"]).when(terminal("k")).then_among([
        "stage.failed k TERMINAL",
        "stage.canceled b by failure",
        "stage.canceled c by failure",
        "workflow.failed STAGE_FAILED k TOLD",
    ]);
}

#[test]
fn what_cannot_go_on_cancels_nothing() {
    let split = yaml(
        "
name: no branch
stages:
  a:
  b: { needs: [a] }
  k: { needs: [a], cancels: [{ stage: b }], split_type: XOR, split_conditions: { c: 'false' }, on_failure: stop }
  c: { needs: [k] }
",
    );
    given(&split)
        .done(["a"])
        .when(complete("k"))
        .then(["task.reported k SUCCEEDED", "task.completed k", "stage.failed k STOPPED NO_BRANCH"])
        .open(["b"]);
}

#[test]
fn a_cut_between_the_mark_and_the_end_changes_nothing() {
    let whole = given(&one_cancels_another()).done(["a"]).when(complete("k")).then_among(["stage.completed k"]);
    let cut = with_limits(&one_cancels_another(), &[("chunk_events_max", 1)]);
    let mut course = Course::new(&cut);
    course.happen(&create());
    let settle = |course: &mut Course| {
        while course.state().is_unsettled() {
            course.happen(&go_on());
        }
    };
    settle(&mut course);
    for work in ["a", "k"] {
        course.happen(&complete(work));
        settle(&mut course);
    }
    let cuts = ["settle.deferred", "settle.continued"];
    let story = course.story();
    let told: Vec<&str> = story.lines().filter(|line| !cuts.contains(line)).collect();
    assert_eq!(told, whole.course().story().lines().collect::<Vec<_>>());
}

#[test]
fn a_stage_can_name_what_ends_it_when_it_completes() {
    let definition = yaml(
        "
name: ended by a completion
stages:
  a:
  b: { needs: [a], cancel_on: [{ completed: k }] }
  k: { needs: [a] }
",
    );
    given(&definition)
        .done(["a"])
        .when(complete("k"))
        .then([
            "task.reported k SUCCEEDED",
            "task.completed k",
            "cancels.marked k",
            "stage.canceled b by k",
            "stage.completed k",
            "workflow.completed",
        ])
        .status(Status::Succeeded);
}

#[test]
fn a_timer_ends_a_stage_whatever_it_is_doing() {
    let definition = yaml("{ name: x, stages: { a: { cancel_on: [{ timer: 30s }], if: 'true' }, b: } }");
    for happening in [vec![], vec![start("a")], vec![running("a", "10s")]] {
        given(&definition)
            .after(happening)
            .after([pass("30s")])
            .when(fire(1))
            .then(["timer.fired 1", "stage.canceled a by timer"])
            .open(["b"])
            .after([complete("b")])
            .status(Status::Succeeded);
    }
    given(&definition).after([pass("29s")]).when(fire(1)).refused("EARLY");
    given(&definition).done(["a"]).after([pass("30s")]).when(fire(1)).refused("NO_SUCH_TIMER");
}

#[test]
fn a_timer_counts_from_the_beginning_of_the_wait_at_a_gate() {
    let definition =
        yaml("{ name: x, stages: { a: { cancel_on: [{ timer: 30s }], scheduled_time: 2026-01-01T00:00:10Z } } }");
    given(&definition)
        .when(create())
        .then_among(["stage.ready a", "timer.set 1 a cancel_on due 30s", "timer.set 2 a scheduled_time due 10s"])
        .after([pass("10s"), fire(2)])
        .open(["a", "timer 1 due 30s"])
        .after([pass("20s")])
        .when(fire(1))
        .then(["timer.fired 1", "stage.canceled a by timer", "workflow.completed"]);
}

#[test]
fn everything_that_lives_of_the_stage_is_canceled() {
    let twice = yaml(
        "
name: twice
stages:
  a:
  x: { needs: [a] }
  y: { needs: [a] }
  b: { needs: [x, y], join_type: XOR }
  k: { needs: [a], cancels: [{ stage: b }] }
",
    );
    given(&twice)
        .done(["a", "x", "y"])
        .when(complete("k"))
        .then_among(["cancels.marked k", "stage.canceled b by k", "stage.canceled b#2 by k", "stage.completed k"])
        .status(Status::Succeeded);
}

/// `a`, then `b` with `b2` behind it and `x` where it is canceled, and `k`, which cancels `b`.
fn with_a_path(x: &str) -> Definition {
    yaml(&format!(
        "
name: with a path
stages:
  a:
  b:
    needs: [a]
    on_cancelled: x
    cancel_on: [{{ timer: 30s }}]
    tasks: [{{ name: t, uses: noop }}, {{ uses: noop }}]
  b2: {{ needs: [b] }}
  k: {{ needs: [a], cancels: [{{ stage: b }}] }}
  x: {{ {x}outputs: {{ seen: '${{{{ stages.b.status }}}}', k: '${{{{ stages.b.outputs.k }}}}' }} }}
"
    ))
}

#[test]
fn control_goes_on_behind_what_was_canceled_and_nothing_it_gave_is_seen() {
    given(&with_a_path(""))
        .done(["a"])
        .after([complete("b.t").output("k", 1)])
        .when(complete("k"))
        .then([
            "task.reported k SUCCEEDED",
            "task.completed k",
            "cancels.marked k",
            "stage.canceled b by k to x",
            "stage.completed k",
            "stage.started x",
            "task.queued x",
        ])
        .when(complete("x"))
        .then_among([r#"stage.completed x {"k":null,"seen":"CANCELED"}"#, "workflow.completed"])
        .activations("b2", 0);
    given(&with_a_path("")).done(["a"]).after([pass("30s")]).when(fire(1)).then([
        "timer.fired 1",
        "stage.canceled b by timer to x",
        "stage.started x",
        "task.queued x",
    ]);
}

#[test]
fn what_is_not_canceled_does_not_go_there() {
    given(&with_a_path(""))
        .done(["a", "b.t", "b", "b2"])
        .when(complete("k"))
        .then_among(["stage.completed k", "workflow.completed"])
        .activations("x", 0);
    given(&with_a_path(""))
        .done(["a"])
        .when(cancel())
        .then_among(["stage.canceled b by workflow", "workflow.canceled CANCEL_REQUESTED by engine"])
        .activations("x", 0);
}

#[test]
fn a_stage_can_be_reached_in_either_way() {
    let definition = with_a_path("needs: [b2], join_type: XOR, ");
    given(&definition)
        .done(["a", "b.t", "b", "b2"])
        .when(complete("x"))
        .then_among(["stage.completed x {\"k\":null,\"seen\":\"SUCCEEDED\"}"]);
    given(&definition).done(["a", "k"]).when(complete("x")).then_among(["workflow.completed"]).activations("x", 1);
}

/// `a`, then `b` and `c`, and `k`, which cancels the workflow.
fn one_cancels_all() -> Definition {
    yaml(
        "
name: one cancels all
stages:
  a:
  b: { needs: [a] }
  c: { needs: [a], scheduled_time: 2026-01-01T01:00:00Z }
  d: { needs: [b, c] }
  k: { needs: [a], cancels: workflow }
  l: { needs: [k] }
",
    )
}

#[test]
fn a_stage_that_cancels_the_workflow_ends_all_at_once() {
    let mut then = given(&one_cancels_all())
        .done(["a"])
        .after([start("b")])
        .when(complete("k"))
        .then([
            "task.reported k SUCCEEDED",
            "task.completed k",
            "cancels.marked k",
            "stage.canceled b by workflow",
            "stage.canceled c by workflow",
            "stage.completed k to l",
            "tokens.left k to l",
            "workflow.canceled CANCELED_BY k",
        ])
        .status(Status::Canceled)
        .open([]);
    for happening in [complete("b"), start("b"), cancel(), fire(1), go_on(), complete("l")] {
        then = then.when(happening).refused("ENDED");
    }
    then.when(late("b@1")).then(["task.result_discarded b SUCCEEDED"]).status(Status::Canceled).activations("l", 0);
}

#[test]
fn a_workflow_is_canceled_though_nothing_else_lives() {
    let alone = yaml("{ name: x, stages: { k: { cancels: [{ workflow: true }] } } }");
    given(&alone)
        .when(complete("k"))
        .then(["task.reported k SUCCEEDED", "task.completed k", "stage.completed k", "workflow.canceled CANCELED_BY k"])
        .status(Status::Canceled);
}

#[test]
fn a_request_for_the_end_that_comes_between_is_the_reason() {
    let cut = with_limits(&one_cancels_all(), &[("chunk_events_max", 3)]);
    let settled = || (0..3).map(|_| go_on());
    given(&cut)
        .after([go_on(), complete("a")])
        .after(settled())
        .when(complete("k"))
        .then(["task.reported k SUCCEEDED", "task.completed k", "cancels.marked k", "settle.deferred"])
        .when(cancel())
        .then(["workflow.cancel_requested"])
        .when(go_on())
        .then_among(["stage.canceled b by workflow", "stage.canceled c by workflow"])
        .when(go_on())
        .then_among(["stage.canceled k by workflow", "workflow.canceled CANCEL_REQUESTED by engine"]);
}

#[test]
fn a_signal_ends_what_lives_of_the_stage_and_is_not_remembered() {
    let text = "
name: x
stages:
  a:
  b: { needs: [a], cancel_on: [{ signal: stop }], on_cancelled: z }
  z:
  c: { needs: [b] }
";
    given(&yaml(text))
        .when(signal("stop").transient())
        .then(["signal.received stop", "signal.discarded 5"])
        .when(complete("a"))
        .then_among(["stage.started b", "task.queued b"])
        .when(signal("other").transient())
        .then(["signal.received other", "signal.discarded 12"])
        .when(signal("stop"))
        .then_among(["signal.delivered 14 to the end of b", "stage.canceled b by signal to z", "stage.started z"])
        .activations("c", 0)
        .after([complete("z")])
        .status(Status::Succeeded);
}

#[test]
fn a_signal_for_one_activation_leaves_the_others() {
    let text = "
name: x
stages:
  a:
  b:
  m: { needs: [a, b], join_type: MULTI_MERGE, cancel_on: [{ signal: stop }, { timer: 1h }] }
";
    given(&yaml(text))
        .done(["a", "b"])
        .when(signal("stop").to("m#2"))
        .then_among(["stage.canceled m#2 by signal"])
        .activations("m", 2)
        .when(complete("m"))
        .then_among(["workflow.completed"]);
    given(&yaml(text)).done(["a", "b"]).when(signal("stop").to("m")).then_among([
        "stage.canceled m by signal",
        "stage.canceled m#2 by signal",
        "workflow.completed",
    ]);
}
