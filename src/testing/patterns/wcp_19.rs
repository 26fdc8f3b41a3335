//! WCP-19, Cancel Activity: what is enabled is withdrawn, what runs is stopped; nothing of it counts as done.

use super::words::*;

pub(super) fn pattern() -> Pattern {
    let itself = Net::of("a: { cancels: [{ stage: a }] }");
    let pattern = modes(boundaries(positive(Pattern::of(19, net("{ needs: [a] }")))));
    negative(pattern).refuses(itself, ProblemCode::CancelsItself, "a }]").refuses(
        Net::of("a: { cancels: [{ stage: nowhere }] }"),
        ProblemCode::UnknownStage,
        "nowhere",
    )
}

/// `a`, then `b` as it is said with `b2` behind it, `k` that cancels `b`, and `c`.
fn net(b: &str) -> Net {
    Net::of(&format!(
        "
        a:
        b: {b}
        b2: {{ needs: [b] }}
        k: {{ needs: [a], cancels: [{{ stage: b }}] }}
        c: {{ needs: [a] }}
    "
    ))
}

fn positive(pattern: Pattern) -> Pattern {
    let gated = net("{ needs: [a], scheduled_time: 2027-01-01T00:00:00Z }");
    let delayed = net("{ needs: [c] }");
    let running = chain().complete("a").then(start("b")).complete("k").ended("b", Status::Canceled).live("c", 1);
    let over = chain().complete("a").complete("b").complete("k").rest();
    let enabled = chain().complete("a").live("b", 1).complete("k").live("b", 0).complete("c");
    let to_come = chain().complete("a").complete("k").complete("c").live("b", 1).rest();
    pattern
        .positive(
            scenario(
                "what runs is stopped, its late outcome is kept, the others go on",
                running.refused(complete("b"), "NOT_AWAITED").then(late("b#1@1")).status(Status::Running).complete("c"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, b2 0, k 1, c 1")
            .outcomes("b CANCELED, k SUCCEEDED, c SUCCEEDED")
            .sees("stage.canceled b by k", 1)
            .sees("task.result_discarded b SUCCEEDED", 1)
            .alone("the late outcome names its attempt in the whole workflow"),
        )
        .positive(
            scenario("what is over is not canceled, and what follows runs", over)
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 1, k 1, c 1")
                .outcomes("b SUCCEEDED, b2 SUCCEEDED, k SUCCEEDED"),
        )
        .positive(
            scenario("what runs is canceled in every order with others", {
                chain().complete("a").any_order([complete("k"), complete("c")])
            })
            .ends(Status::Succeeded)
            .runs("a 1, b 1, b2 0, k 1, c 1")
            .outcomes("b CANCELED"),
        )
        .positive(
            scenario("what is enabled is withdrawn without a start", enabled)
                .of(&gated)
                .ends(Status::Succeeded)
                .runs("a 1, b 0, b2 0, k 1, c 1")
                .outcomes("b CANCELED, k SUCCEEDED")
                .sees("stage.canceled b by k", 1),
        )
        .positive(
            scenario("what is not enabled yet is not canceled, and nothing is remembered", to_come)
                .of(&delayed)
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 1, k 1, c 1")
                .outcomes("b SUCCEEDED"),
        )
}

/// Stages that say themselves what ends them.
fn boundaries(pattern: Pattern) -> Pattern {
    let boundary = Net::of(
        "
        a:
        b: { needs: [a], cancel_on: [{ timer: 30s }, { completed: k }] }
        b2: { needs: [b] }
        k: { needs: [a] }
    ",
    );
    let path = Net::of(
        "
        a:
        b: { needs: [a], on_cancelled: x }
        b2: { needs: [b] }
        k: { needs: [a], cancels: [{ stage: b }] }
        x:
    ",
    );
    let handled = chain().complete("a").complete("k").ended("b", Status::Canceled).live("x", 1).complete("x");
    let timed = chain().complete("a").pass("30s").ended("b", Status::Canceled).complete("k");
    pattern
        .positive(
            scenario("a stage names what ends it", chain().complete("a").complete("k"))
                .of(&boundary)
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 0, k 1")
                .outcomes("b CANCELED")
                .sees("stage.canceled b by k", 1),
        )
        .positive(
            scenario("a stage names how long it may live", timed)
                .of(&boundary)
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 0, k 1")
                .sees("stage.canceled b by timer", 1),
        )
        .positive(
            scenario("control goes on at another stage", handled)
                .of(&path)
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 0, k 1, x 1")
                .outcomes("b CANCELED, x SUCCEEDED"),
        )
}

/// Why a scenario is played in a workflow of its own.
const LOCKED: &str = "a mutex key excludes in the whole workflow";

/// What becomes of the work under way, by `cancel_mode`: the lock of `b` is free when it is over, and `c` wants it.
fn modes(pattern: Pattern) -> Pattern {
    let locked = |said: &str| {
        Net::of(&format!(
            "
        a:
        b: {{ needs: [a], mutex_key: bench, {said} }}
        b2: {{ needs: [b] }}
        k: {{ needs: [a], cancels: [{{ stage: b }}] }}
        c: {{ needs: [k], mutex_key: bench }}
        x: {{ needs: [b], join_type: XOR }}
    "
        ))
    };
    let begun = || chain().complete("a").then(start("b")).complete("k");
    let held = || begun().live("b", 1).live("c", 1).refused(start("c"), "NOT_AWAITED");
    let stopped = held().then(has_stopped("b")).ended("b", Status::Canceled).complete("c");
    let late = held().refused(complete("b"), "NOT_AWAITED").then(has_stopped("b")).complete("c");
    let in_time = held().pass("29s").live("b", 1).pass("1s").ended("b", Status::Canceled).complete("c");
    let at_once = || begun().ended("b", Status::Canceled).complete("c");
    let never = begun().rest();
    pattern
        .positive(
            scenario("who waits for its work to stop keeps its lock until then", stopped)
                .of(&locked("cancel_mode: wait"))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 0, k 1, c 1, x 0")
                .outcomes("b CANCELED, k SUCCEEDED, c SUCCEEDED")
                .sees("stage.canceling b by k", 1)
                .sees("stage.canceled b by k", 1)
                .alone(LOCKED),
        )
        .positive(
            scenario("what it gives while it stops does not count", late)
                .of(&locked("cancel_mode: wait"))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 0, k 1, c 1, x 0")
                .outcomes("b CANCELED")
                .alone(LOCKED),
        )
        .positive(
            scenario("it waits no longer than it says", in_time)
                .of(&locked("cancel_mode: wait, cancel_timeout: 30s"))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 0, k 1, c 1, x 0")
                .outcomes("b CANCELED")
                .alone(LOCKED),
        )
        .positive(
            scenario("who tries to stop it does not wait", at_once())
                .of(&locked("cancel_mode: try"))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 0, k 1, c 1, x 0")
                .sees("stage.canceling b by k", 0)
                .alone(LOCKED),
        )
        .positive(
            scenario("who abandons it does not wait", at_once())
                .of(&locked("cancel_mode: abandon"))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 0, k 1, c 1, x 0")
                .sees("stage.canceling b by k", 0)
                .alone(LOCKED),
        )
        .negative(
            scenario("a workflow does not end before its work has stopped", never)
                .of(&locked("cancel_mode: wait"))
                .ends(Status::Running)
                .runs("a 1, b 1, b2 0, k 1, c 0, x 0")
                .alone(LOCKED),
        )
}

fn negative(pattern: Pattern) -> Pattern {
    let failed = chain().complete("a").then(failed_continue("k")).live("b", 1).rest();
    let canceled = chain().complete("a").complete("k");
    pattern
        .negative(
            scenario("a failed stage cancels nothing", failed).ends(Status::Succeeded).runs("a 1, b 1, b2 1, k 1, c 1"),
        )
        .negative(
            scenario(
                "what was canceled never goes on",
                canceled.refused(complete("b"), "NOT_AWAITED").refused(start("b"), "NOT_AWAITED").complete("c"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, b2 0, k 1, c 1")
            .sees("stage.completed b to b2", 0),
        )
}
