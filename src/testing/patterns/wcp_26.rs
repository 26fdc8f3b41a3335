//! WCP-26, Cancel Multiple Instance Activity: unfinished instances are withdrawn, finished ones stand, and control does
//! not go on.

use super::words::*;

/// `m` of four instances before `z`, `k` beside it.
pub(super) fn beside(config: &str, of_k: &str) -> Net {
    Net::of(&format!(
        "
        a:
        m: {{ needs: [a], mi_config: {{ count: 4{config} }}, outputs: {{ got: '${{{{ index }}}}' }} }}
        k: {{ needs: [a]{of_k} }}
        z: {{ needs: [m] }}
    "
    ))
}

/// Two of four are done.
pub(super) fn two() -> Chain {
    chain().complete("a").instances("m", 4).any_order([complete("m[0]"), complete("m[2]")])
}

fn stop() -> Happening {
    signal("stop").to("m")
}

pub(super) fn pattern() -> Pattern {
    not(positive())
}

fn positive() -> Pattern {
    let canceled = |chain: Chain| {
        let canceled = chain.instances("m", 0).ended("m", Status::Canceled).started("z", 0);
        let canceled = canceled.sees("stage.canceled m[1] by mi", 1).sees("stage.canceled m[3] by mi", 1);
        canceled.sees("stage.completed m[0] {\"got\":0}", 1).sees("stage.completed m[2] {\"got\":2}", 1)
    };
    let by_timer = beside(", cancel_mi_on: [{ timer: 1h }]", "");
    let by_signal = beside(", cancel_mi_on: [{ signal: stop }]", "");
    let by_stage = beside(", cancel_mi_on: [{ completed: k }]", "");
    let by_target = beside("", ", cancels: [{ mi: m }]");
    let in_turn = beside(", sequential: true, cancel_mi_on: [{ signal: stop }]", "");
    Pattern::of(26, by_signal.clone())
        .positive(
            scenario("a signal comes", canceled(two().then(stop())).complete("k"))
                .ends(Status::Succeeded)
                .runs("a 1, m 1, k 1, z 0")
                .outcomes("m CANCELED, k SUCCEEDED"),
        )
        .positive(
            scenario("its time is over", canceled(two().pass("1h")).complete("k"))
                .of(&by_timer)
                .alone("time passes for all rounds and instances")
                .ends(Status::Succeeded)
                .runs("a 1, m 1, k 1, z 0")
                .outcomes("m CANCELED"),
        )
        .positive(
            scenario("a stage for whose end it waits has succeeded", canceled(two().complete("k")))
                .of(&by_stage)
                .ends(Status::Succeeded)
                .runs("a 1, m 1, k 1, z 0")
                .outcomes("m CANCELED, k SUCCEEDED"),
        )
        .positive(
            scenario("another stage cancels it", canceled(two().complete("k")))
                .of(&by_target)
                .ends(Status::Succeeded)
                .runs("a 1, m 1, k 1, z 0")
                .outcomes("m CANCELED, k SUCCEEDED"),
        )
        .positive(
            scenario(
                "those that have not begun never do",
                chain().complete("a").complete("m[0]").instances("m", 1).then(stop()).instances("m", 0).complete("k"),
            )
            .of(&in_turn)
            .ends(Status::Succeeded)
            .runs("a 1, m 1, k 1, z 0")
            .sees("stage.canceled m[1] by mi", 1)
            .sees("stage.canceled m[2] by mi", 0),
        )
        .positive(
            scenario("nothing cancels it", two().complete("m[3]").complete("m[1]").live("z", 1).rest())
                .ends(Status::Succeeded)
                .runs("a 1, m 1, k 1, z 1"),
        )
}

/// What must not come of it.
fn not(pattern: Pattern) -> Pattern {
    pattern
        .negative(
            scenario(
                "what was withdrawn tells nobody any more",
                two().then(stop()).refused(complete("m[1]"), "NOT_AWAITED"),
            )
            .ends(Status::Running)
            .runs("a 1, m 1, k 1, z 0")
            .sees("stage.completed m[1]", 0),
        )
        .negative(
            scenario("nothing is added any more", two().then(stop()).refused(add_instances("m#1", ["x"]), "MI_CLOSED"))
                .ends(Status::Running)
                .runs("a 1, m 1, k 1, z 0"),
        )
        .refuses(Net::of("a:\nb: { needs: [a], cancels: [{ mi: a }] }"), "NO_INSTANCES", "a }")
}
