//! Milestones: what waits for a state of another stage, what is missed, and what can come no more.

use crate::definition::Definition;
use crate::machine::{WaitReason, waits};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::definitions::{with_limits, yaml};
use crate::testing::given::{Then, given};
use crate::testing::happening::{
    Happening, cancel, close_trigger, complete, failed_continue, fire, go_on, pass, pause, resume, signal, stopped,
    suspend, terminal,
};

/// `s`, then `p`, `q` behind a signal, `r`; and `x`, which may start between `p` and `q`, with these keys.
fn between(x: &str) -> Definition {
    yaml(&format!(
        "
name: x
stages:
  s:
  p: {{ needs: [s] }}
  q: {{ needs: [p], trigger: {{ signal: go }} }}
  r: {{ needs: [q] }}
  x: {{ needs: [s], milestone_ref_id: p, milestone_status: REACHED, milestone_until: q{x} }}
  z: {{ needs: [x] }}
"
    ))
}

fn after(definition: &Definition, happenings: impl IntoIterator<Item = Happening>) -> Then {
    given(definition).after(happenings).when(pass("1s")).then([])
}

fn awaited(course: &Course) -> Vec<String> {
    let found = waits(course.state());
    let found = found.iter().filter_map(|wait| {
        let WaitReason::Milestone { of, status, until } = wait.reason() else { return None };
        Some(format!("{} until {of} is {} before {until:?}", wait.stage()?, status.name()))
    });
    found.collect()
}

#[test]
fn a_stage_starts_when_its_milestone_is_reached_and_takes_nothing_of_it() {
    let then = given(&between(""))
        .when(complete("s"))
        .then_among(["stage.ready x", "stage.waiting x for milestone"])
        .activations("x", 0);
    assert_eq!(awaited(then.course()), ["x until p is REACHED before Some(\"q\")"]);
    then.when(complete("p"))
        .then([
            "task.reported p SUCCEEDED",
            "task.completed p",
            "stage.completed p to q",
            "stage.ready q",
            "stage.started x",
            "task.queued x",
            "stage.waiting q for trigger",
        ])
        .when(signal("go"))
        .then_among(["stage.started q"])
        .after([complete("q"), complete("r"), complete("x"), complete("z")])
        .status(Status::Succeeded);
}

#[test]
fn a_milestone_that_is_left_before_the_turn_of_who_waits_is_missed() {
    let text = "
name: x
stages:
  s:
  p: { needs: [s] }
  q: { needs: [p] }
  y: { needs: [s] }
  x: { needs: [y], milestone_ref_id: p, milestone_status: REACHED, milestone_until: q, POLICY }
  z: { needs: [x] }
";
    let with = |policy: &str| yaml(&text.replace("POLICY", &format!("milestone_policy: {policy}")));
    let late = [complete("s"), complete("p")];
    given(&with("wait_skip"))
        .after(late.clone())
        .when(complete("y"))
        .then_among(["stage.ready x", "stage.waiting x for milestone", "stage.skipped x to z", "stage.started z"])
        .activations("x", 0);
    given(&with("wait_fail"))
        .after(late.clone())
        .when(complete("y"))
        .then_among(["stage.failed x TERMINAL MILESTONE_MISSED", "workflow.failed STAGE_FAILED x MILESTONE_MISSED"]);
    given(&with("wait"))
        .after(late)
        .when(complete("y"))
        .then_among(["stage.waiting x for milestone"])
        .after([complete("q")])
        .status(Status::Running)
        .when(cancel())
        .then_among(["stage.canceled x by workflow"]);
    // Reached and left within one step: nobody saw it.
    after(&with("wait_skip"), [complete("s"), complete("y")])
        .when(complete("p"))
        .then_among(["stage.started q", "stage.skipped x to z"]);
}

#[test]
fn who_waits_at_later_gates_needs_it_once_more_at_the_last() {
    let then = given(&between(", trigger: { signal: x }, mutex_key: k"))
        .after([complete("s"), complete("p")])
        .when(signal("go"))
        .then_among(["stage.started q"])
        .when(signal("x"))
        .then_among(["signal.delivered 22 to x", "stage.waiting x for milestone", "stage.skipped x to z"]);
    then.activations("x", 0);
    // In a circle it may be reached again, and then the trigger that came has come.
    let text = "
name: x
stages:
  s:
  p: { needs: [s], join_type: XOR, back_from: [q] }
  q: { needs: [p], split_type: XOR, split_conditions: { p: again }, split_default: r }
  r: { needs: [q] }
  x: { needs: [s], trigger: { signal: x }, milestone_ref_id: p, milestone_status: RUNNING, mutex_key: k }
";
    after(&yaml(text), [complete("s"), complete("p")])
        .when(signal("x"))
        .then_among(["stage.waiting x for milestone"])
        .when(complete("q").output("again", true))
        .then_among(["stage.started p#2 from q", "lock.taken k x", "stage.started x"]);
    after(&yaml(text), [complete("s"), complete("p"), signal("x")])
        .when(complete("q").output("again", false))
        .then_among(["stage.skipped x"]);
}

#[test]
fn every_status_of_the_other_stage_can_be_a_milestone() {
    let of = |status: &str| {
        yaml(&format!(
            "{{ name: x, stages: {{ s: , p: {{ needs: [s], trigger: {{ signal: p }} }}, \
             x: {{ milestone_ref_id: p, milestone_status: {status} }} }} }}"
        ))
    };
    let started = |status: &str, happenings: &[Happening], expected: usize| {
        after(&of(status), happenings.to_vec()).activations("x", expected);
    };
    let course = [complete("s"), signal("p"), suspend("p", ["on"]), signal("on"), complete("p")];
    for (status, from) in [("ENABLED", 1), ("RUNNING", 2), ("SUSPENDED", 3), ("SUCCEEDED", 5)] {
        for so_far in 0..=course.len() {
            started(status, &course[..so_far], usize::from(so_far >= from));
        }
    }
}

#[test]
fn a_failure_that_counts_as_done_completes_and_what_is_passed_by_does_not() {
    let text = |p: &str| {
        yaml(&format!("{{ name: x, stages: {{ p: {{ {p} }}, x: {{ milestone_ref_id: p }}, z: {{ needs: [x] }} }} }}"))
    };
    given(&text("name: p")).when(failed_continue("p")).then_among(["stage.started x"]);
    given(&text("on_failure: stop")).when(terminal("p")).then_among(["stage.skipped x to z"]);
    given(&text("name: p")).when(stopped("p")).then_among(["stage.skipped x to z"]);
    after(&text("if: 'false'"), []).activations("x", 0).activations("z", 1);
    // A canceled one is no more.
    let canceled = "{ name: x, stages: { p: , k: { cancels: [{ stage: p }] }, x: { milestone_ref_id: p } } }";
    given(&yaml(canceled)).when(complete("k")).then_among(["stage.canceled p by k", "stage.skipped x"]);
}

#[test]
fn who_loops_while_it_holds_runs_again() {
    let text = "
name: x
stages:
  s:
  p: { needs: [s] }
  q: { needs: [p], trigger: { signal: go } }
  x:
    needs: [s]
    join_type: XOR
    back_from: [n]
    milestone_ref_id: p
    milestone_status: REACHED
    milestone_until: q
  n: { needs: [x], split_type: XOR, split_conditions: { x: again }, split_default: $end }
";
    let again = |name: &str| complete(name).output("again", true);
    after(&yaml(text), [complete("s"), complete("p")])
        .after([again("x"), again("n"), again("x"), again("n"), complete("x#3")])
        .activations("x", 3)
        .when(signal("go"))
        .then_among(["stage.started q"])
        .when(again("n"))
        .then_among(["stage.waiting x#4 for milestone", "stage.skipped x#4 to n"])
        .activations("x", 3);
}

#[test]
fn what_may_still_come_is_waited_for_and_what_cannot_is_not() {
    let text = "
name: x
stages:
  a: { split_type: XOR, split_conditions: { b: to_b }, split_default: c }
  b: { needs: [a] }
  b2: { needs: [b] }
  c: { needs: [a] }
  w:
  p: { needs: [b2, w] }
  x: { milestone_ref_id: p }
  y: { needs: [x] }
";
    given(&yaml(text)).when(complete("a")).then_among(["stage.started c", "stage.skipped x to y"]);
    after(&yaml(text), [complete("a").output("to_b", true), complete("b"), complete("b2")])
        .activations("y", 0)
        .after([complete("w"), complete("p")])
        .activations("x", 1);
    // The other branch of the join will not come, although one has.
    let stop = text.replace("  w:", "  w: { on_failure: stop }");
    after(&yaml(&stop), [complete("a").output("to_b", true), complete("b"), complete("b2")])
        .when(terminal("w"))
        .then_among(["stage.skipped x to y"]);
    // Signals may start what leads there, until nobody can send any.
    let start = "
name: x
stages:
  t: { trigger: { signal: t, start: true } }
  p: { needs: [t] }
  x: { milestone_ref_id: p }
";
    after(&yaml(start), []).activations("x", 0).when(close_trigger("t")).then_among(["stage.skipped x"]);
    // Who waits for it does not bring it itself.
    let own = "{ name: x, stages: { x: { milestone_ref_id: p }, p: { needs: [x] } } }";
    after(&yaml(own), []).activations("x", 0).activations("p", 1);
}

#[test]
fn several_wait_for_one_and_each_has_its_turn() {
    let text = "
name: x
stages:
  p:
  q: { needs: [p], trigger: { signal: go } }
  x: { milestone_ref_id: p, milestone_status: REACHED, milestone_until: q, mutex_key: k }
  y: { milestone_ref_id: p, milestone_status: REACHED, milestone_until: q, mutex_key: k }
";
    after(&yaml(text), [complete("p")])
        .open(["x", "signal to q#1"])
        .after([signal("go")])
        .when(complete("x"))
        .then_among(["lock.released k", "stage.waiting y for milestone", "stage.skipped y"]);
}

#[test]
fn paused_nobody_starts_or_is_passed_by() {
    let then = given(&between("")).done(["s"]).when(pause()).then_among([]);
    let then = then.when(complete("p")).then_among(["stage.ready q"]).activations("x", 0);
    then.when(resume()).then_among(["stage.started x", "stage.waiting q for trigger"]);
    let missed = "{ name: x, stages: { p: , x: { milestone_ref_id: p } } }";
    let then = given(&yaml(missed)).after([pause()]).when(stopped("p")).then_among(["stage.failed p STOPPED"]);
    then.activations("x", 0).status(Status::Paused).when(resume()).then_among(["stage.skipped x"]);
}

#[test]
fn who_waits_too_long_for_its_milestone_is_passed_by() {
    given(&between(", start_time_expiry: 2026-01-01T00:01:00Z"))
        .when(complete("s"))
        .then_among(["stage.waiting x for milestone", "timer.set 1 x start_time_expiry due 1m"])
        .after([pass("1m")])
        .when(fire(1))
        .then_among(["stage.skipped x to z"]);
}

#[test]
fn a_batch_that_is_cut_anywhere_sees_the_same() {
    let definition = with_limits(&between(""), &[("chunk_events_max", 1)]);
    let settled = |mut then: Then| {
        while then.course().state().is_unsettled() {
            then = then.after([go_on()]);
        }
        then
    };
    let then = settled(settled(after(&definition, [])).after([complete("s")]));
    settled(then.after([complete("p")])).activations("x", 1).activations("q", 0);
}

#[test]
fn an_or_join_waits_for_who_waits_for_a_milestone() {
    let text = "{ name: x, stages: { s: , p: { needs: [s] }, b: { needs: [s] }, \
                x: { needs: [s], milestone_ref_id: p }, j: { needs: [b, x], join_type: OR } } }";
    after(&yaml(text), [complete("s"), complete("b")])
        .activations("j", 0)
        .after([complete("p"), complete("x")])
        .activations("j", 1);
}

#[test]
fn a_milestone_is_one_of_its_turn() {
    let text = "
name: x
stages:
  l:
    loop:
      while: loop.index < 2
      stages: { p: , x: { milestone_ref_id: p } }
";
    after(&yaml(text), [complete("p")])
        .open(["x"])
        .after([complete("x")])
        .activations("x", 1)
        .after([complete("p#2")])
        .activations("x", 2);
}

#[test]
fn who_comes_to_wait_for_a_milestone_is_no_reason_any_more_to_wait_for_one() {
    let text = "
name: x
stages:
  b:
    scheduled_time: '2026-01-01T00:00:30Z'
    milestone_ref_id: c
    milestone_policy: wait
  c: { needs: [b] }
  d: { milestone_ref_id: c }
";
    given(&yaml(text))
        .after([pass("30s")])
        .when(fire(1))
        .then(["timer.fired 1", "stage.waiting b for milestone", "stage.skipped d"])
        .status(Status::Running);
}
