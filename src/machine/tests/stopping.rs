//! `cancel_mode`: what becomes of work under way when its activation is canceled.

use crate::definition::Definition;
use crate::event::Event;
use crate::failure::ErrorClass;
use crate::machine::{Rejection, Work, outstanding};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{
    cancel, complete, create, fail, fire, has_stopped, late, pass, pause, running, signal, start, suspend, terminal,
};

/// `b`, which `k` cancels, waits for its work to stop; `said` is what it says besides. `c` wants its lock.
fn net(said: &str) -> Definition {
    yaml(&format!(
        "
name: waits for a stop
stages:
  a:
  b: {{ needs: [a], mutex_key: bench, cancel_on: [{{ signal: stop }}], {said} }}
  b2: {{ needs: [b] }}
  k: {{ needs: [a], cancels: [{{ stage: b }}] }}
  c: {{ needs: [a], mutex_key: bench }}
  x: {{ needs: [k] }}
"
    ))
}

#[test]
fn who_waits_keeps_its_lock_until_its_work_has_stopped() {
    given(&net("cancel_mode: wait"))
        .done(["a"])
        .after([start("b")])
        .when(complete("k"))
        .then_among(["stage.canceling b by k", "stage.completed k to x"])
        .open(["b stopping", "x"])
        .when(complete("b@1"))
        .refused("NOT_AWAITED")
        .when(start("c"))
        .refused("NOT_AWAITED")
        .after([complete("x")])
        .status(Status::Running)
        .when(has_stopped("b@1"))
        .then([
            "task.stopped b",
            "stage.canceled b by k",
            "lock.released bench",
            "lock.taken bench c",
            "stage.started c",
            "task.queued c",
        ])
        .when(has_stopped("b@1"))
        .refused("NOT_AWAITED")
        .when(complete("c"))
        .then_among(["workflow.completed"])
        .activations("b2", 0);
}

fn code<T>(outcome: Result<T, Rejection>) -> Result<(), &'static str> {
    outcome.map(|_| ()).map_err(|rejection| rejection.code())
}

#[test]
fn a_late_outcome_is_kept_once_in_every_mode() {
    for mode in ["try", "wait", "abandon"] {
        let mut course = Course::new(&net(&format!("cancel_mode: {mode}")));
        course.happen(&create());
        course.complete(["a"]).happen(&start("b"));
        course.complete(["k"]);
        assert_eq!(code(course.attempt(&complete("b#1@1"))), Err("NOT_AWAITED"), "{mode}");
        course.happen(&late("b#1@1"));
        assert_eq!(code(course.attempt(&late("b#1@1"))), Err("NOT_AWAITED"), "{mode}");
        assert_eq!(code(course.attempt(&has_stopped("b#1@1"))).is_ok(), mode == "wait", "{mode}");
        assert_eq!(code(course.attempt(&late("b#1@1"))), Err("NOT_AWAITED"), "{mode}");
        course.complete(["c", "x"]);
        assert_eq!(course.status(), Status::Succeeded, "{mode}");
    }
}

#[test]
fn other_modes_are_over_at_once() {
    for mode in ["try", "abandon"] {
        given(&net(&format!("cancel_mode: {mode}")))
            .done(["a"])
            .after([start("b")])
            .when(complete("k"))
            .then_among(["stage.canceled b by k", "lock.taken bench c"])
            .open(["c", "x"]);
    }
}

#[test]
fn what_no_worker_has_begun_does_not_have_to_stop() {
    let queued_later = [start("b"), fail("b", ErrorClass::Transient), complete("k")];
    let resting = [start("b"), running("b", "1h"), complete("k")];
    let suspended = [start("b"), suspend("b", ["go"]), complete("k")];
    for happenings in [queued_later, resting, suspended] {
        given(&net("cancel_mode: wait"))
            .done(["a"])
            .after(happenings)
            .when(start("c"))
            .then(["task.started c"])
            .open(["c", "x"]);
    }
    let by_hand = net("cancel_mode: wait, uses: manual");
    given(&by_hand).done(["a"]).when(complete("k")).then_among(["stage.canceled b by k"]);
}

#[test]
fn an_attempt_whose_start_is_not_recorded_may_have_begun() {
    given(&net("cancel_mode: wait"))
        .done(["a"])
        .when(complete("k"))
        .then_among(["stage.canceling b by k"])
        .when(start("b@1"))
        .refused("NOT_AWAITED")
        .when(has_stopped("b@1"))
        .then_among(["stage.canceled b by k"]);
}

#[test]
fn it_waits_no_longer_than_it_says() {
    given(&net("cancel_mode: wait, cancel_timeout: 30s"))
        .done(["a"])
        .after([start("b")])
        .when(complete("k"))
        .then_among(["stage.canceling b by k", "timer.set 1 b cancel_timeout due 30s"])
        .when(fire(1))
        .refused("EARLY")
        .after([pass("30s")])
        .when(fire(1))
        .then_among(["stage.canceled b by k", "lock.taken bench c"])
        .when(has_stopped("b#1@1"))
        .refused("NOT_AWAITED")
        .when(late("b#1@1"))
        .then(["task.result_discarded b SUCCEEDED"]);
    given(&net("cancel_mode: wait, cancel_timeout: 30s"))
        .done(["a"])
        .after([start("b"), complete("k"), has_stopped("b@1"), pass("30s")])
        .when(fire(1))
        .refused("NO_SUCH_TIMER");
}

#[test]
fn another_cause_changes_nothing_and_the_end_waits() {
    given(&net("cancel_mode: wait"))
        .done(["a"])
        .after([start("b"), signal("stop"), pause()])
        .when(cancel())
        .then_among(["stage.canceled k by workflow", "stage.canceled c by workflow"])
        .status(Status::Paused)
        .open(["b stopping"])
        .when(has_stopped("b@1"))
        .then([
            "task.stopped b",
            "stage.canceled b by signal",
            "lock.released bench",
            "workflow.canceled CANCEL_REQUESTED by engine",
        ])
        .status(Status::Canceled);
}

#[test]
fn control_goes_on_behind_it_when_it_has_stopped() {
    let path = "
name: a path behind what stopped
stages:
  a:
  b: { needs: [a], cancel_on: [{ signal: stop }], cancel_mode: wait, on_cancelled: y }
  y:
  d: { needs: [a] }
  o: { needs: [y, d], join_type: OR }
";
    given(&yaml(path))
        .done(["a"])
        .after([start("b"), signal("stop")])
        // The OR-join knows that `y` may still come.
        .when(complete("d"))
        .then(["task.reported d SUCCEEDED", "task.completed d", "stage.completed d to o"])
        .when(has_stopped("b@1"))
        .then_among(["stage.canceled b by signal to y", "stage.started y"]);
}

#[test]
fn nobody_waits_for_a_token_of_what_only_stops() {
    let merge = "
name: nobody waits for it
stages:
  a:
  b: { needs: [a], cancel_on: [{ signal: stop }], cancel_mode: wait }
  d: { needs: [a] }
  o: { needs: [b, d], join_type: OR }
";
    given(&yaml(merge))
        .done(["a"])
        .after([start("b")])
        .when(complete("d"))
        .then(["task.reported d SUCCEEDED", "task.completed d", "stage.completed d to o"])
        .when(signal("stop"))
        .then_among(["stage.canceling b by signal", "stage.started o from d"])
        .after([complete("o")])
        .status(Status::Running)
        .when(has_stopped("b@1"))
        .then_among(["stage.canceled b by signal", "workflow.completed"]);
}

#[test]
fn a_failed_workflow_ends_when_everything_has_stopped() {
    given(&net("cancel_mode: wait"))
        .done(["a"])
        .after([start("b")])
        .when(terminal("k"))
        .then_among(["stage.canceling b by failure", "stage.canceled c by failure"])
        .status(Status::Running)
        .open(["b stopping"])
        .when(has_stopped("b@1"))
        .then_among(["stage.canceled b by failure", "workflow.failed STAGE_FAILED k TOLD"])
        .status(Status::Terminal);
}

/// A loop `l` with `b` inside, whose work has to stop.
fn looping(said: &str) -> Definition {
    yaml(&format!(
        "
name: a loop around it
stages:
  l:
    cancel_on: [{{ signal: stop }}]
    {said}
    on_cancelled: y
    loop:
      test: post
      while: \"false\"
      stages:
        b: {{ cancel_mode: wait }}
        b2: {{ }}
  y:
"
    ))
}

#[test]
fn what_is_around_it_ends_behind_it() {
    given(&looping(""))
        .after([start("b")])
        .when(signal("stop"))
        .then_among(["stage.canceling b by signal", "stage.canceled b2 by signal", "stage.canceling l by signal"])
        .open(["b stopping"])
        .when(has_stopped("b@1"))
        .then_among(["stage.canceled b by signal", "stage.canceled l by signal to y", "stage.started y"]);
}

#[test]
fn a_deadline_of_what_is_around_it_waits_for_it() {
    given(&looping("deadline: 1m"))
        .after([start("b"), pass("1m")])
        .when(fire(1))
        .then_among(["stage.canceling b by deadline", "stage.canceled b2 by deadline"])
        .status(Status::Running)
        .when(has_stopped("b@1"))
        .then_among(["stage.canceled b by deadline", "stage.failed l TERMINAL DEADLINE_EXCEEDED"])
        .status(Status::Terminal);
}

/// Three instances of `m`, of which the first that is done cancels the rest; `c` wants the same lock.
fn several() -> Definition {
    yaml(
        "
name: instances that have to stop
stages:
  a:
  m:
    needs: [a]
    mutex_key: bench
    cancel_mode: wait
    mi_config: { count: 3, join_threshold: 1, cancel_remaining: true }
  k: { needs: [a], cancels: [{ mi: m }] }
  c: { needs: [a], mutex_key: bench }
  d: { needs: [m] }
",
    )
}

#[test]
fn control_goes_on_when_the_remaining_instances_have_stopped() {
    given(&several())
        .done(["a"])
        .after([start("m[1]"), start("m[2]")])
        .when(complete("m[0]"))
        .then_among(["stage.canceling m#1[1] by mi", "stage.canceling m#1[2] by mi"])
        .open(["m#1[1] stopping", "m#1[2] stopping", "k"])
        .when(has_stopped("m#1[2]@1"))
        .then(["task.stopped m#1[2]", "stage.canceled m#1[2] by mi"])
        .when(has_stopped("m#1[1]@1"))
        .then_among(["stage.completed m to d", "lock.taken bench c"]);
}

#[test]
fn an_activation_with_instances_ends_behind_the_last_of_them() {
    given(&several())
        .done(["a"])
        .after([start("m[1]")])
        .when(complete("k"))
        .then_among(["stage.canceling m by mi", "stage.canceling m#1[1] by mi"])
        .open(["m#1[0] stopping", "m#1[1] stopping", "m#1[2] stopping"])
        .after([has_stopped("m#1[0]@1"), has_stopped("m#1[1]@1")])
        .when(has_stopped("m#1[2]@1"))
        .then_among(["stage.canceled m#1[2] by mi", "stage.canceled m by mi", "lock.taken bench c"]);
}

/// Who has decided how it ends is in time, however long those take to stop that it does not need.
#[test]
fn a_deadline_that_passes_while_the_remaining_instances_stop_changes_nothing() {
    let net = yaml(
        "
name: stops in time
stages:
  v: { trigger: { signal: never } }
  m:
    deadline: 1s
    cancel_mode: wait
    cancels: [{ stage: v }]
    mi_config: { count: 2, complete_mi_on: [{ timer: 1h }, { signal: enough }] }
  d: { needs: [m] }
",
    );
    let mut course = Course::begun(&net, [("k", 0); 0]);
    course.happen(&start("m[0]"));
    course.happen(&signal("enough"));
    course.happen(&pass("1h"));
    for timer in [1, 2] {
        course.happen(&fire(timer));
    }
    course.happen(&has_stopped("m#1[0]@1"));
    course.happen(&has_stopped("m#1[1]@1"));
    course.complete(["d"]);
    assert_eq!(course.status(), Status::Succeeded);
    assert!(course.told("stage.canceled v by m"), "{}", course.story());
}

#[test]
fn a_serialized_stage_starts_again_when_it_has_stopped() {
    let serial = yaml(
        "
name: one after the other
stages:
  a:
  b: { needs: [a] }
  c: { needs: [a] }
  s: { needs: [b, c], join_type: MULTI_MERGE, reentry: serialize, cancel_on: [{ signal: stop }], cancel_mode: wait }
",
    );
    given(&serial)
        .done(["a", "b"])
        .after([start("s#1"), complete("c")])
        .when(signal("stop"))
        .then_among(["stage.canceling s by signal"])
        .activations("s", 1)
        .when(has_stopped("s#1@1"))
        .then_among(["stage.canceled s by signal", "stage.started s#2 from c"])
        .activations("s", 2);
}

#[test]
fn what_has_to_stop_is_asked_for_after_every_crash() {
    let mut course = Course::new(&net("cancel_mode: wait"));
    course.happen(&create());
    course.complete(["a"]).happen(&start("b"));
    course.complete(["k"]);
    course.crash();
    let stops = |work: &Work| matches!(work, Work::StopTask { .. });
    assert_eq!(outstanding(course.state()).filter(stops).count(), 1);
    assert!(course.events().iter().any(|event| matches!(event, Event::StageCanceling { .. })));
    course.happen(&has_stopped("b@1"));
    course.complete(["c", "x"]);
    assert_eq!(course.status(), Status::Succeeded);
}

#[test]
fn nobody_waits_for_a_milestone_behind_what_is_being_stopped() {
    let text = "
name: f starts with what p and y bring
stages:
  s:
  p: { needs: [s], cancel_mode: wait }
  y: { needs: [s] }
  k: { needs: [s], cancels: [{ stage: p }] }
  f: { needs: [p, y] }
  x: { needs: [s], milestone_ref_id: f, milestone_status: RUNNING }
";
    given(&yaml(text))
        .done(["s"])
        .after([start("p")])
        .when(complete("k"))
        .then_among(["stage.canceling p by k", "stage.skipped x"])
        .open(["p stopping", "y"]);
}
