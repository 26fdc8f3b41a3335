//! WCP-30, Structured Partial Join: three of five branches of a split go on, the last one resets the join.

use super::words::*;

pub(super) fn quorum(join: &str) -> Net {
    Net::of(&format!(
        "
        a:
        r1: {{ needs: [a] }}
        r2: {{ needs: [a] }}
        r3: {{ needs: [a] }}
        r4: {{ needs: [a] }}
        r5: {{ needs: [a] }}
        p: {{ needs: [r1, r2, r3, r4, r5], join_type: N_OF_M, {join} }}
        z: {{ needs: [p] }}
    "
    ))
}

const RUNS: &str = "a 1, r1 1, r2 1, r3 1, r4 1, r5 1, p 1, z 1";

pub(super) fn pattern() -> Pattern {
    let three = ["r4", "r1", "r3"];
    let enough = || chain().complete("a").started("p", 0).complete("r5").complete("r2").started("p", 0);
    let orders = chain().complete("a").any_order(["r1", "r2", "r3", "r4", "r5"].map(complete)).live("p", 1);
    Pattern::of(30, quorum("join_threshold: 3, join_mode: structured, join_pair: a"))
        .positive(
            scenario("all orders of the reviewers", orders.complete("p").complete("z"))
                .ends(Status::Succeeded)
                .runs(RUNS)
                .sees("join.reset p 0 complete", 1),
        )
        .positive(
            scenario(
                "the third is enough, whichever it is",
                chain()
                    .complete("a")
                    .any_order(three.map(complete))
                    .live("p", 1)
                    .sees("join.reset p 0 complete", 0)
                    .complete("p")
                    .complete("z")
                    .status(Status::Running)
                    .any_order([complete("r2"), complete("r5")]),
            )
            .ends(Status::Succeeded)
            .runs(RUNS)
            .sees("join.reset p 0 complete", 1),
        )
        .negative(
            scenario("two are not enough", enough()).ends(Status::Running).runs(&RUNS.replace("p 1, z 1", "p 0, z 0")),
        )
        .refuses(quorum("join_threshold: 6"), "THRESHOLD_TOO_LARGE", "6")
}
