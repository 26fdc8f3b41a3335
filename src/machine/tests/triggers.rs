//! Triggers and signals: what waits for them, who takes them, what is kept and what is lost.

use crate::status::Status;
use crate::testing::definitions::{with_limits, yaml};
use crate::testing::given::given;
use crate::testing::happening::{
    cancel, close_trigger, complete, create, fail, fire, pass, signal, start, suspend, terminal,
};
use crate::value::Value;

/// `a`, then `b` behind a trigger with these keys.
fn behind(trigger: &str) -> crate::definition::Definition {
    yaml(&format!("{{ name: x, stages: {{ a: , b: {{ needs: [a], trigger: {{ {trigger} }} }} }} }}"))
}

#[test]
fn a_transient_signal_is_taken_by_who_waits_and_lost_otherwise() {
    given(&behind("signal: go, durability: transient"))
        .when(signal("go"))
        .then(["signal.received go", "signal.discarded 5"])
        .when(complete("a"))
        .then([
            "task.reported a SUCCEEDED",
            "task.completed a",
            "stage.completed a to b",
            "stage.ready b",
            "stage.waiting b for trigger",
        ])
        .activations("b", 0)
        .open(["signal to b#1"])
        .when(signal("stop"))
        .then(["signal.received stop", "signal.buffered 12"])
        .activations("b", 0)
        .when(signal("go"))
        .then(["signal.received go", "signal.delivered 14 to b", "stage.started b", "task.queued b"])
        .when(signal("go"))
        .then(["signal.received go", "signal.discarded 18"])
        .when(complete("b"))
        .then([
            "task.reported b SUCCEEDED",
            "task.completed b",
            "stage.completed b",
            "signals.left 12",
            "workflow.completed",
        ])
        .activations("b", 1);
}

#[test]
fn of_many_that_wait_a_signal_wakes_the_one_that_has_waited_longest() {
    let text = "
name: x
stages:
  a:
  b: { needs: [a] }
  c: { needs: [a] }
  e: { needs: [a] }
  m: { needs: [b, c, e], join_type: MULTI_MERGE, trigger: { signal: go, durability: transient } }
";
    given(&yaml(text))
        .done(["a", "c", "b", "e"])
        .when(signal("go"))
        .then_among(["signal.delivered 29 to m", "stage.started m"])
        .activations("m", 1)
        .when(signal("go").to("m#3"))
        .then_among(["signal.delivered 33 to m#3", "stage.started m#3"])
        .when(signal("go").to("m"))
        .then_among(["signal.delivered 37 to m#2", "stage.started m#2"])
        .activations("m", 3)
        .when(signal("go"))
        .then_among(["signal.discarded 41"]);
}

#[test]
fn a_signal_for_another_stage_or_activation_wakes_nobody() {
    let definition = behind("signal: go, durability: transient");
    for whom in ["a", "b#2", "a#1"] {
        given(&definition)
            .done(["a"])
            .when(signal("go").to(whom).transient())
            .then_among(["signal.discarded 10"])
            .activations("b", 0);
    }
}

#[test]
fn persistent_signals_are_kept_in_order_with_their_data() {
    let text = "
name: x
stages:
  a:
  b:
    needs: [a]
    trigger: { signal: go, durability: persistent }
    context: { x: '${{ signal.data.x }}' }
    outputs: { seen: '${{ x }}' }
  c:
    needs: [b]
    trigger: { signal: go, durability: persistent }
    outputs: { seen: '${{ signal.data.x }} of ${{ signal.name }}' }
  d: { needs: [c], trigger: { signal: stop, durability: persistent }, outputs: { by: '${{ signal.actor }}' } }
";
    let with = |x: i64| Value::map([("x", x)]);
    given(&yaml(text))
        .after([
            signal("go").data(with(1)).key("go-1").transient(),
            signal("go").data(with(2)).key("go-2"),
            signal("stop").key("stop-3").by("alice"),
        ])
        .when(signal("go").data(with(9)).key("go-1"))
        .refused("REPEATED")
        .when(complete("a"))
        .then_among(["stage.ready b", "signal.delivered 5 to b", "stage.started b"])
        .when(complete("b"))
        .then_among(["stage.completed b to c {\"seen\":1}", "signal.delivered 7 to c", "stage.started c"])
        .when(complete("c"))
        .then_among(["stage.completed c to d {\"seen\":\"2 of go\"}", "signal.delivered 9 to d", "stage.started d"])
        .when(complete("d"))
        .then_among(["stage.completed d {\"by\":\"alice\"}", "workflow.completed"])
        .when(signal("go"))
        .refused("ENDED");
}

#[test]
fn one_signal_starts_one_stage_and_another_name_none() {
    let text = "
name: x
stages:
  a:
  b: { needs: [a], trigger: { signal: go, durability: persistent } }
  c: { needs: [b], trigger: { signal: go, durability: persistent } }
";
    given(&yaml(text))
        .after([signal("go"), signal("stop"), complete("a")])
        .when(complete("b"))
        .then_among(["stage.ready c", "stage.waiting c for trigger"])
        .activations("c", 0)
        .open(["signal to c#1"]);
}

#[test]
fn where_the_trigger_leaves_it_open_the_sender_says_whether_a_signal_is_kept() {
    for (trigger, transient, persistent) in [
        ("signal: go", false, true),
        ("signal: go, durability: sender", false, true),
        ("signal: go, durability: transient", false, false),
        ("signal: go, durability: persistent", true, true),
    ] {
        for (sent, is_kept) in [(signal("go").transient(), transient), (signal("go"), persistent)] {
            let fate = if is_kept { "signal.buffered 5" } else { "signal.discarded 5" };
            let then = given(&behind(trigger)).when(sent).then(["signal.received go", fate]);
            then.when(complete("a")).then_among(["stage.ready b"]).activations("b", usize::from(is_kept));
        }
    }
}

#[test]
fn a_signal_for_an_activation_to_come_is_kept_for_it_and_lost_when_it_is_over() {
    given(&behind("signal: go, durability: persistent"))
        .when(signal("go").to("b#1"))
        .then(["signal.received go for b#1", "signal.buffered 5"])
        .when(signal("go").to("a#1"))
        .then(["signal.received go for a#1", "signal.buffered 7"])
        .when(complete("a"))
        .then_among(["signal.delivered 5 to b", "stage.started b"])
        .when(signal("go").to("a#1"))
        .then_among(["signal.discarded 16"]);
}

#[test]
fn only_a_signal_that_correlates_is_taken_and_the_others_stay_for_who_comes() {
    let text = "
name: x
inputs: { order: { type: integer, default: 7 } }
stages:
  a:
  b: { needs: [a], trigger: { signal: paid, durability: persistent, correlate: 'signal.data.order == inputs.order' } }
  c: { needs: [b], trigger: { signal: paid, durability: persistent } }
";
    let of = |order: i64| signal("paid").data(Value::map([("order", order)]));
    given(&yaml(text))
        .input("order", 7)
        .after([of(3), complete("a")])
        .when(of(4))
        .then(["signal.received paid {\"order\":4}", "signal.buffered 12"])
        // It has no value there: what others send fails nobody.
        .when(signal("paid").data(2))
        .then_among(["signal.buffered 14"])
        .when(of(7))
        .then_among(["signal.delivered 16 to b", "stage.started b"])
        .when(complete("b"))
        .then_among(["signal.delivered 5 to c", "stage.started c"]);
}

#[test]
fn a_trigger_waits_behind_the_gates_before_it_and_not_where_the_stage_is_passed_by() {
    let keys = |keys: &str| {
        yaml(&format!("{{ name: x, stages: {{ a: , b: {{ needs: [a], {keys} }}, c: {{ needs: [b] }} }} }}"))
    };
    given(&keys("if: 'false', trigger: { signal: go }")).when(complete("a")).then_among([
        "stage.ready b",
        "stage.skipped b to c",
        "stage.started c",
    ]);
    given(&keys("if: 'true', scheduled_time: 2026-01-01T00:01:00Z, trigger: { signal: go }"))
        .when(complete("a"))
        .then_among(["stage.ready b", "timer.set 1 b scheduled_time due 1m"])
        .when(signal("go").transient())
        .then_among(["signal.discarded 10"])
        .after([pass("1m")])
        .when(fire(1))
        .then(["timer.fired 1", "stage.waiting b for trigger"])
        .when(signal("go"))
        .then_among(["stage.started b"]);
    // A kept one is taken at the moment at which the gate is reached.
    given(&keys("scheduled_time: 2026-01-01T00:01:00Z, trigger: { signal: go }"))
        .after([signal("go"), complete("a"), pass("1m")])
        .when(fire(1))
        .then(["timer.fired 1", "signal.delivered 5 to b", "stage.started b", "task.queued b"]);
    // It has until its expiry.
    given(&keys("start_time_expiry: 2026-01-01T00:01:00Z, trigger: { signal: go }"))
        .when(complete("a"))
        .then_among(["stage.waiting b for trigger", "timer.set 1 b start_time_expiry due 1m"])
        .after([pass("1m")])
        .when(fire(1))
        .then_among(["timer.fired 1", "stage.skipped b to c", "stage.started c"])
        .when(signal("go").transient())
        .then_among(["signal.discarded 15"]);
}

#[test]
fn a_trigger_by_timer_goes_on_at_its_moment() {
    given(&behind("timer: 1h"))
        .after([pass("5s")])
        .when(complete("a"))
        .then_among(["stage.ready b", "timer.set 1 b trigger due 1h5s"])
        .open(["timer 1 due 1h5s"])
        .when(fire(1))
        .refused("EARLY")
        .after([pass("1h")])
        .when(fire(1))
        .then(["timer.fired 1", "stage.started b", "task.queued b"]);
}

#[test]
fn what_waits_for_a_signal_ends_with_its_workflow() {
    given(&behind("signal: go"))
        .done(["a"])
        .when(cancel())
        .then([
            "workflow.cancel_requested",
            "stage.canceled b by workflow",
            "workflow.canceled CANCEL_REQUESTED by engine",
        ])
        .open([]);
    let text = "{ name: x, stages: { a: , b: { needs: [a], trigger: { signal: go } }, c: } }";
    given(&yaml(text))
        .done(["a"])
        .when(terminal("c"))
        .then_among(["stage.canceled b by failure"])
        .status(Status::Terminal);
}

#[test]
fn a_workflow_keeps_so_many_signals_and_refuses_more() {
    let full = |definition| {
        given(&definition)
            .after([signal("go"), signal("go")])
            .when(signal("go"))
            .refused("SIGNALS_FULL")
            .when(signal("go").transient())
    };
    let most = with_limits(&behind("signal: go"), &[("signals_buffered_max", 2)]);
    full(most).then_among(["signal.discarded 9"]);
    let text = "{ name: x, stages: { a: , b: { needs: [a], trigger: { signal: go }, max_buffered: 2 } } }";
    full(yaml(text))
        .then_among(["signal.discarded 9"])
        .after([signal("other"), complete("a")])
        // One was taken.
        .when(signal("go"))
        .then_among(["signal.buffered 20"]);
    let bytes = with_limits(&behind("signal: go"), &[("signals_buffered_bytes_max", 10)]);
    given(&bytes).after([signal("go").data("12345")]).when(signal("go").data("12345")).refused("SIGNALS_FULL");
}

#[test]
fn the_ids_of_the_newest_signals_are_remembered() {
    let definition = with_limits(&behind("signal: go"), &[("signals_remembered", 2)]);
    let keyed = |key: &str| signal("go").key(key);
    given(&definition)
        .after([keyed("1"), keyed("2")])
        .when(keyed("1"))
        .refused("REPEATED")
        .after([keyed("3")])
        .when(keyed("2"))
        .refused("REPEATED")
        .when(keyed("1"))
        .then(["signal.received go", "signal.buffered 11"]);
}

#[test]
fn what_is_no_signal_is_refused() {
    let definition = behind("signal: go");
    for sent in [signal("no name"), signal(""), signal("go").key(""), signal("go").key(&"k".repeat(257))] {
        given(&definition).when(sent).refused("BAD_SIGNAL");
    }
    let small = with_limits(&definition, &[("payload_bytes_max", 8)]);
    given(&small).when(signal("go").data("1234567")).refused("BAD_SIGNAL");
    given(&definition).when(close_trigger("b")).refused("TRIGGER_NOT_OPEN");
}

#[test]
fn each_signal_starts_a_thread_until_the_trigger_is_closed() {
    let text = "
name: x
stages:
  a:
  s: { trigger: { signal: order, start: true }, outputs: { of: '${{ signal.data }}' } }
  z: { needs: [s] }
";
    given(&yaml(text))
        .when(create())
        .then(["workflow.created", "workflow.started", "stage.started a", "task.queued a"])
        .open(["a", "signals that start s"])
        .when(signal("order").data(1))
        .then(["signal.received order 1", "signal.delivered 5 to the start of s", "stage.started s", "task.queued s"])
        .after([signal("order").data(2), signal("order").data(3).transient()])
        .activations("s", 3)
        .when(complete("s#2"))
        .then_among(["stage.completed s#2 to z {\"of\":2}", "stage.started z"])
        .after(["s", "s", "z", "z", "z", "a"].map(complete))
        .status(Status::Running)
        .open(["signals that start s"])
        .when(signal("other").transient())
        .then_among(["signal.discarded 44"])
        .when(close_trigger("s"))
        .then(["trigger.closed s", "workflow.completed"])
        .when(close_trigger("s"))
        .refused("ENDED");
}

#[test]
fn a_closed_trigger_starts_nothing() {
    let text = "{ name: x, stages: { a: , s: { trigger: { signal: order, start: true } } } }";
    given(&yaml(text))
        .after([close_trigger("s")])
        .when(close_trigger("s"))
        .refused("TRIGGER_NOT_OPEN")
        .when(signal("order"))
        .then_among(["signal.discarded 6"])
        .when(complete("a"))
        .then_among(["workflow.completed"])
        .activations("s", 0);
}

#[test]
fn an_open_trigger_that_is_not_required_does_not_keep_the_workflow() {
    let text = "{ name: x, stages: { a: , s: { trigger: { signal: order, start: true, required: false } } } }";
    given(&yaml(text))
        .after([signal("order")])
        .when(complete("a"))
        .then_among(["stage.completed a"])
        .when(complete("s"))
        .then_among(["workflow.completed"])
        .status(Status::Succeeded);
}

#[test]
fn what_a_signal_may_still_release_is_no_deadlock() {
    let text = "
name: x
stages:
  a:
  s: { trigger: { signal: order, start: true, required: false } }
  j: { needs: [a, s] }
";
    given(&yaml(text))
        .done(["a"])
        .when(signal("order"))
        .then_among(["stage.started s"])
        .when(complete("s"))
        .then_among(["stage.started j"])
        .when(complete("j"))
        .then_among(["workflow.completed"]);
    given(&yaml(text)).done(["a"]).when(close_trigger("s")).then_among(["workflow.failed DEADLOCK j lacks s"]);
    given(&yaml(text)).done(["a"]).when(cancel()).then_among(["workflow.canceled CANCEL_REQUESTED by engine"]);
}

#[test]
fn signals_that_came_before_the_start_begin_their_threads_then() {
    let text = "
name: x
scheduled_time: 2026-01-01T00:01:00Z
stages:
  s: { trigger: { signal: order, start: true, durability: persistent, correlate: 'signal.data > 1' } }
";
    given(&yaml(text))
        .after([signal("order").data(1), signal("order").data(2).transient(), signal("order").data(3), pass("1m")])
        .when(close_trigger("s"))
        .refused("TRIGGER_NOT_OPEN")
        .when(fire(1))
        .then([
            "timer.fired 1",
            "workflow.started",
            "signal.delivered 5 to the start of s",
            "stage.started s",
            "task.queued s",
            "signal.delivered 7 to the start of s",
            "stage.started s#2",
            "task.queued s#2",
        ]);
}

#[test]
fn who_waits_goes_before_a_stage_that_signals_start() {
    let text = "
name: x
stages:
  s: { trigger: { signal: go, start: true } }
  a:
  b: { needs: [a], trigger: { signal: go } }
";
    given(&yaml(text))
        .done(["a"])
        .when(signal("go"))
        .then_among(["signal.delivered 10 to b"])
        .when(signal("go"))
        .then_among(["signal.delivered 14 to the start of s"])
        .when(signal("go").to("s"))
        .then_among(["signal.delivered 18 to the start of s"]);
}

#[test]
fn a_task_is_suspended_until_its_signal_comes_and_sees_it() {
    let text = "{ name: x, stages: { a: { outputs: { got: '${{ signal.data.x }}' } } } }";
    given(&yaml(text))
        .after([start("a")])
        .when(suspend("a", ["go"]).context("k", 1))
        .then(["task.reported a SUSPENDED", "task.suspended a"])
        .open(["signal to a#1"])
        .when(signal("stop"))
        .then_among(["signal.buffered 8"])
        .when(signal("go").data(Value::map([("x", 5)])))
        .then(["signal.received go {\"x\":5}", "signal.delivered 10 to a", "task.queued a@2"])
        .open(["a@2"])
        .when(complete("a"))
        .then_among(["stage.completed a {\"got\":5}", "signals.left 8", "workflow.completed"]);
}

#[test]
fn a_task_may_be_suspended_for_one_of_several_signals_or_for_any() {
    let definition = yaml("{ name: x, stages: { a: } }");
    for (names, name) in [(vec!["go", "stop"], "stop"), (vec![], "whatever")] {
        given(&definition)
            .after([suspend("a", names)])
            .when(signal(name).transient())
            .then_among(["signal.delivered 7 to a", "task.queued a@2"]);
    }
}

#[test]
fn a_task_that_is_suspended_takes_a_signal_that_was_kept_for_it() {
    given(&yaml("{ name: x, stages: { a: } }"))
        .after([signal("go").transient(), signal("stop"), signal("go").data(1), signal("go").data(2)])
        .when(suspend("a", ["go"]))
        .then(["task.reported a SUSPENDED", "task.suspended a", "signal.delivered 9 to a", "task.queued a@2"])
        .when(suspend("a@2", ["go"]))
        .then(["task.reported a@2 SUSPENDED", "task.suspended a", "signal.delivered 11 to a", "task.queued a@3"])
        .when(suspend("a@3", ["go"]))
        .then(["task.reported a@3 SUSPENDED", "task.suspended a"])
        .when(complete("a@3"))
        .refused("NOT_AWAITED");
}

#[test]
fn polls_and_resumes_are_no_failures_and_a_retry_sees_the_signal_again() {
    let text = "{ name: x, stages: { a: { retry: { max_attempts: 2, initial: 1s, jitter: 0 }, outputs: { got: '${{ signal.name }}' } } } }";
    given(&yaml(text))
        .after([suspend("a", ["go"]), signal("go")])
        .when(fail("a", crate::failure::ErrorClass::Transient))
        .then_among(["task.retried a@2 failure 1", "task.queued a@3 due 1s"])
        .after([pass("1s")])
        .when(complete("a"))
        .then_among(["stage.completed a {\"got\":\"go\"}"]);
}

#[test]
fn a_deadline_gives_up_what_is_suspended() {
    given(&yaml("{ name: x, stages: { a: { deadline: 10s } } }"))
        .after([suspend("a", ["go"]), pass("10s")])
        .when(fire(1))
        .then_among(["stage.failed a TERMINAL DEADLINE_EXCEEDED", "workflow.failed STAGE_FAILED a DEADLINE_EXCEEDED"])
        .open([]);
}

#[test]
fn signals_that_came_for_a_workflow_which_never_started_are_listed_at_its_end() {
    let waits = "scheduled_time: 2026-01-01T00:00:30Z, start_time_expiry: 2026-01-01T00:01:00Z";
    let definition = yaml(&format!("{{ name: x, {waits}, stages: {{ a: {{ trigger: {{ signal: go }} }} }} }}"));
    given(&definition)
        .when(signal("go"))
        .then(["signal.received go", "signal.buffered 4"])
        .after([pass("1m1s")])
        .when(fire(1))
        .then(["timer.fired 1", "signals.left 4", "workflow.canceled START_TIME_EXPIRED"])
        .open([]);
}
