//! Deferred choices: what is offered, what is chosen by what comes first, and what becomes of the others.

use crate::status::Status;
use crate::testing::definitions::yaml;
use crate::testing::given::given;
use crate::testing::happening::{cancel, claim, complete, create, fire, pause, resume, signal, terminal};

/// The scenario of the pattern: two signals and a moment, each with a branch of its own, met by one stage.
const THREE: &str = "
name: x
stages:
  a:
  b: { needs: [a], deferred_choice_group: g, trigger: { signal: pick, durability: transient } }
  c: { needs: [a], deferred_choice_group: g, trigger: { signal: esc, durability: transient } }
  t: { needs: [a], deferred_choice_group: g, trigger: { timer: 1h } }
  b2: { needs: [b] }
  c2: { needs: [c] }
  t2: { needs: [t] }
  m: { needs: [b2, c2, t2], join_type: XOR }
";

/// A choice between two that people claim.
const CLAIMED: &str = "
name: x
stages:
  a: { split_type: DEFERRED }
  b: { needs: [a] }
  c: { needs: [a] }
";

#[test]
fn every_alternative_is_offered_and_none_runs_before_something_comes() {
    given(&yaml(THREE))
        .when(complete("a"))
        .then([
            "task.reported a SUCCEEDED",
            "task.completed a",
            "stage.completed a to b, c, t",
            "stage.ready b",
            "stage.ready c",
            "stage.ready t",
            "stage.waiting b for trigger",
            "stage.waiting c for trigger",
            "timer.set 1 t trigger due 1h",
        ])
        .activations("b", 0)
        .activations("c", 0)
        .activations("t", 0)
        .open(["timer 1 due 1h", "signal to b#1", "signal to c#1"])
        .status(Status::Running);
}

#[test]
fn the_signal_that_comes_first_chooses_and_the_others_are_withdrawn() {
    given(&yaml(THREE))
        .done(["a"])
        .when(signal("esc"))
        .then([
            "signal.received esc",
            "signal.delivered 14 to c",
            "choice.made c",
            "stage.canceled b for c",
            "stage.canceled t for c",
            "stage.started c",
            "task.queued c",
        ])
        .when(signal("pick"))
        .then(["signal.received pick", "signal.discarded 21"])
        .when(fire(1))
        .refused("NO_SUCH_TIMER")
        .done(["c", "c2", "m"])
        .status(Status::Succeeded)
        .activations("b", 0)
        .activations("t", 0)
        .activations("m", 1);
}

#[test]
fn the_clock_chooses_where_it_is_first() {
    given(&yaml(THREE))
        .done(["a"])
        .when(crate::testing::happening::pass("1h"))
        .then([])
        .when(fire(1))
        .then([
            "timer.fired 1",
            "choice.made t",
            "stage.canceled b for t",
            "stage.canceled c for t",
            "stage.started t",
            "task.queued t",
        ])
        .done(["t", "t2", "m"])
        .status(Status::Succeeded);
}

#[test]
fn of_signals_that_were_kept_the_one_that_came_first_chooses() {
    let text = THREE.replace("transient", "persistent");
    for (first, second, winner) in [("pick", "esc", "b"), ("esc", "pick", "c")] {
        given(&yaml(&text))
            .after([signal(first), signal(second)])
            .when(complete("a"))
            .then_among([format!("signal.delivered {} to {winner}", 5).as_str(), &format!("choice.made {winner}")])
            .activations(winner, 1)
            .activations("t", 0)
            .done([winner, &format!("{winner}2")])
            .when(complete("m"))
            .then_among(["signals.left 7", "workflow.completed"]);
    }
}

#[test]
fn what_has_no_trigger_is_claimed() {
    given(&yaml(CLAIMED))
        .when(complete("a"))
        .then_among(["stage.waiting b for choice", "stage.waiting c for choice"])
        .open(["claim of b#1", "claim of c#1"])
        .when(claim("c").by("alice"))
        .then([
            "stage.start_requested c",
            "choice.made c",
            "stage.canceled b for c",
            "stage.started c",
            "task.queued c",
        ])
        .when(claim("b"))
        .refused("NOTHING_TO_CLAIM")
        .when(claim("c"))
        .refused("NOTHING_TO_CLAIM")
        .done(["c"])
        .status(Status::Succeeded);
}

#[test]
fn what_waits_for_a_trigger_is_not_claimed() {
    given(&yaml(THREE))
        .done(["a"])
        .when(claim("b"))
        .refused("NOTHING_TO_CLAIM")
        .when(claim("a"))
        .refused("NOTHING_TO_CLAIM");
}

#[test]
fn a_choice_at_the_start_is_one_of_the_workflow() {
    let text = "
name: x
stages:
  b: { deferred_choice_group: g }
  c: { deferred_choice_group: g, trigger: { signal: go } }
  d:
";
    given(&yaml(text))
        .when(create())
        .then_among(["stage.waiting b for choice"])
        .open(["d", "signal to c#1", "claim of b#1"])
        .when(claim("b"))
        .then_among(["choice.made b", "stage.canceled c for b", "stage.started b"])
        .done(["b", "d"])
        .status(Status::Succeeded);
}

#[test]
fn an_alternative_that_is_a_join_loses_the_token_it_has() {
    let text = "
name: x
stages:
  s:
  a: { needs: [s], split_type: DEFERRED }
  x: { needs: [s] }
  b: { needs: [a, x] }
  c: { needs: [a] }
  e: { needs: [x], if: 'false' }
";
    given(&yaml(text))
        .done(["s"])
        .when(complete("a"))
        .then_among(["stage.waiting c for choice"])
        .open(["x", "claim of c#1"])
        .when(claim("c"))
        .then_among(["choice.made c before b", "stage.started c"])
        .done(["c"])
        .when(complete("x"))
        .then_among(["stage.ready e", "stage.skipped e", "tokens.left x to b", "workflow.failed DEADLOCK b lacks a"]);
    given(&yaml(text))
        .done(["s", "a"])
        .when(complete("x"))
        .then_among(["stage.waiting b for choice"])
        .open(["claim of b#1", "claim of c#1"])
        .when(claim("b"))
        .then_among(["choice.made b", "stage.canceled c for b", "stage.started b"])
        .done(["b"])
        .status(Status::Succeeded);
}

#[test]
fn each_turn_of_a_circle_chooses_anew() {
    let text = "
name: x
stages:
  a: { join_type: XOR, back_from: [c], split_type: DEFERRED }
  b: { needs: [a] }
  c: { needs: [a] }
";
    given(&yaml(text))
        .done(["a"])
        .when(claim("c"))
        .then_among(["choice.made c", "stage.canceled b for c"])
        .done(["c", "a"])
        .open(["claim of b#2", "claim of c#2"])
        .when(claim("b"))
        .then_among(["choice.made b#2", "stage.canceled c#2 for b#2", "stage.started b#2"])
        .done(["b"])
        .status(Status::Succeeded)
        .activations("b", 1)
        .activations("c", 1);
}

#[test]
fn choices_of_several_threads_do_not_touch_each_other() {
    let text = "
name: x
stages:
  s:
  t:
  a: { needs: [s, t], join_type: MULTI_MERGE, split_type: DEFERRED }
  b: { needs: [a] }
  c: { needs: [a], reentry: serialize }
";
    given(&yaml(text))
        .done(["s", "t", "a"])
        .when(complete("a"))
        .then_among(["stage.waiting b#2 for choice"])
        .open(["claim of b#1", "claim of b#2", "claim of c#1"])
        .when(claim("b#2"))
        .then_among(["choice.made b#2 before c", "stage.started b#2"])
        .when(claim("c"))
        .then_among(["choice.made c", "stage.canceled b for c", "stage.started c"])
        .done(["c", "b#2"])
        .status(Status::Succeeded)
        .activations("b", 1)
        .activations("c", 1);
}

#[test]
fn a_choice_is_made_in_a_pause_and_its_work_begins_after_it() {
    given(&yaml(CLAIMED))
        .done(["a"])
        .after([pause()])
        .when(claim("b"))
        .then(["stage.start_requested b", "choice.made b", "stage.canceled c for b"])
        .when(claim("c"))
        .refused("NOTHING_TO_CLAIM")
        .when(resume())
        .then(["workflow.resumed after 0s", "stage.started b", "task.queued b"]);
    given(&yaml(THREE))
        .done(["a"])
        .after([pause()])
        .when(signal("pick"))
        .then_among(["choice.made b", "stage.canceled c for b", "stage.canceled t for b"])
        .activations("b", 0)
        .when(resume())
        .then_among(["stage.started b"]);
}

#[test]
fn what_is_canceled_while_it_is_offered_leaves_the_others_their_choice() {
    let text = "
name: x
stages:
  k: { cancels: [{ stage: b }] }
  a: { split_type: DEFERRED }
  b: { needs: [a], on_cancelled: z }
  c: { needs: [a] }
  z:
";
    given(&yaml(text))
        .done(["a"])
        .when(complete("k"))
        .then_among(["stage.canceled b by k to z"])
        .open(["z", "claim of c#1"])
        .when(claim("c"))
        .then(["stage.start_requested c", "choice.made c", "stage.started c", "task.queued c"])
        .done(["c", "z"])
        .status(Status::Succeeded);
}

#[test]
fn what_is_withdrawn_takes_no_way_of_a_cancellation() {
    let text = "
name: x
stages:
  a: { split_type: DEFERRED }
  b: { needs: [a], on_cancelled: z, cancel_on: [{ timer: 1h }] }
  c: { needs: [a] }
  z:
";
    given(&yaml(text))
        .done(["a"])
        .when(claim("c"))
        .then_among(["stage.canceled b for c"])
        .activations("z", 0)
        .done(["c"])
        .status(Status::Succeeded);
}

#[test]
fn a_request_for_the_end_or_a_failure_ends_what_is_offered() {
    given(&yaml(CLAIMED))
        .done(["a"])
        .when(cancel())
        .then_among(["stage.canceled b by workflow", "workflow.canceled CANCEL_REQUESTED by engine"]);
    let text = "{ name: x, stages: { a: { split_type: DEFERRED }, b: { needs: [a] }, c: { needs: [a] }, d: } }";
    given(&yaml(text)).done(["a"]).when(terminal("d")).then_among(["stage.canceled b by failure"]);
}

#[test]
fn a_stage_that_is_passed_by_still_offers_what_follows_it() {
    let text = "
name: x
stages:
  a: { if: 'false', split_type: DEFERRED }
  b: { needs: [a] }
  c: { needs: [a] }
";
    given(&yaml(text))
        .when(create())
        .then_among(["stage.skipped a to b, c"])
        .open(["claim of b#1", "claim of c#1"])
        .when(claim("b"))
        .then_among(["choice.made b"]);
}

/// `j` counts what comes of `x`, `y` and the choice of `a`.
fn counting(join: &str) -> crate::definition::Definition {
    yaml(&format!(
        "
name: x
leftover_tokens: ignore
stages:
  a: {{ split_type: DEFERRED }}
  b: {{ needs: [a] }}
  x:
  y:
  j: {{ needs: [a, x, y], {join} }}
"
    ))
}

#[test]
fn a_join_that_counts_is_offered_when_it_has_fired() {
    given(&counting("join_type: N_OF_M, join_threshold: 2, join_mode: blocking"))
        .done(["a"])
        .when(complete("x"))
        .then_among(["join.arrived j from x", "stage.ready j", "stage.waiting j for choice"])
        .open(["y", "claim of b#1", "claim of j#1"])
        .when(claim("j"))
        .then_among(["choice.made j", "stage.canceled b for j", "stage.started j"])
        // What comes behind it is late, as behind any other.
        .when(complete("y"))
        .then_among(["join.arrived j from y late"])
        .done(["j"])
        .status(Status::Succeeded)
        .activations("j", 1)
        .activations("b", 0);
}

#[test]
fn what_a_join_has_counted_of_a_choice_is_withdrawn_with_it() {
    given(&counting("join_type: N_OF_M, join_threshold: 2, join_mode: blocking"))
        .done(["a"])
        .when(claim("b"))
        .then_among(["choice.made b before j"])
        // It has one arrival now, and not two.
        .when(complete("x"))
        .then(["task.reported x SUCCEEDED", "task.completed x", "stage.completed x to j", "join.arrived j from x"])
        .when(complete("y"))
        .then_among(["join.arrived j from y", "stage.started j"])
        .done(["b", "j"])
        .status(Status::Succeeded);
}

#[test]
fn a_join_that_has_fired_without_the_choice_is_no_alternative_of_it() {
    given(&counting("join_type: DISCRIMINATOR, join_mode: blocking"))
        .when(complete("x"))
        .then_among(["stage.started j"])
        .when(complete("a"))
        .then_among(["stage.completed a to b, j", "stage.ready b", "join.arrived j from a late"])
        .when(claim("b"))
        .then_among(["choice.made b", "stage.started b"])
        .done(["y", "j", "b"])
        .status(Status::Succeeded);
}
