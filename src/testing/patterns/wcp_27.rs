//! WCP-27, Complete Multiple Instance Activity: unfinished instances are withdrawn, and control goes on at once.

use super::wcp_26::{beside, two};
use super::words::*;

/// `z` tells what it sees of the instances.
fn by_signal() -> Net {
    Net::of(
        "
        a:
        m:
          needs: [a]
          mi_config: { count: 4, complete_mi_on: [{ signal: enough }] }
          outputs: { got: '${{ index }}' }
        k: { needs: [a] }
        z: { needs: [m], outputs: { seen: '${{ stages.m.outputs.got }}' } }
    ",
    )
}

fn enough() -> Happening {
    signal("enough").to("m")
}

pub(super) fn pattern() -> Pattern {
    not(positive())
}

fn positive() -> Pattern {
    let completed = |chain: Chain| {
        let completed = chain.instances("m", 0).ended("m", Status::Succeeded).live("z", 1);
        completed.sees("stage.canceled m[1] by mi", 1).sees("stage.canceled m[3] by mi", 1)
    };
    let by_timer = beside(", complete_mi_on: [{ timer: 1h }]", "");
    let by_stage = beside(", complete_mi_on: [{ completed: k }]", "");
    let by_target = beside("", ", cancels: [{ complete_mi: m }]");
    let outcomes = "m SUCCEEDED, z SUCCEEDED";
    Pattern::of(27, by_signal())
        .positive(
            scenario("a signal comes", completed(two().then(enough())).complete("z").complete("k"))
                .ends(Status::Succeeded)
                .runs("a 1, m 1, k 1, z 1")
                .outcomes(outcomes)
                .sees("stage.completed z {\"seen\":[0,2]}", 1),
        )
        .positive(
            scenario("somebody asks for it", completed(two().then(complete_instances("m"))).rest())
                .ends(Status::Succeeded)
                .runs("a 1, m 1, k 1, z 1")
                .outcomes(outcomes),
        )
        .positive(
            scenario("its time is over", completed(two().pass("1h")).rest())
                .of(&by_timer)
                .alone("time passes for all rounds and instances")
                .ends(Status::Succeeded)
                .runs("a 1, m 1, k 1, z 1")
                .outcomes(outcomes),
        )
        .positive(
            scenario("a stage for whose end it waits has succeeded", completed(two().complete("k")).rest())
                .of(&by_stage)
                .ends(Status::Succeeded)
                .runs("a 1, m 1, k 1, z 1")
                .outcomes(outcomes),
        )
        .positive(
            scenario("another stage completes it", completed(two().complete("k")).rest())
                .of(&by_target)
                .ends(Status::Succeeded)
                .runs("a 1, m 1, k 1, z 1")
                .outcomes(outcomes),
        )
        .positive(
            scenario(
                "before any has ended",
                chain().complete("a").then(enough()).instances("m", 0).live("z", 1).rest(),
            )
            .ends(Status::Succeeded)
            .runs("a 1, m 1, k 1, z 1"),
        )
}

/// What must not come of it.
fn not(pattern: Pattern) -> Pattern {
    pattern
        .negative(
            scenario(
                "what has ended is not ended again",
                two()
                    .complete("m[1]")
                    .complete("m[3]")
                    .live("z", 1)
                    .refused(complete_instances("m#1"), "NOT_LIVE")
                    .refused(complete("m[1]"), "NOT_AWAITED"),
            )
            .ends(Status::Running)
            .runs("a 1, m 1, k 1, z 1"),
        )
        .negative(
            scenario(
                "nothing is added any more, and what was withdrawn has not succeeded",
                two().then(enough()).refused(add_instances("m#1", ["x"]), "MI_CLOSED"),
            )
            .ends(Status::Running)
            .runs("a 1, m 1, k 1, z 1")
            .sees("stage.completed m[1]", 0)
            .sees("stage.completed m[3]", 0),
        )
}
