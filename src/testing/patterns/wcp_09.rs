//! WCP-9, Structured Discriminator: the first branch of a split goes on, the others are swallowed, the last one resets.

use super::words::*;

fn net(join: &str) -> Net {
    Net::of(&format!(
        "
        a:
        b: {{ needs: [a] }}
        c: {{ needs: [a] }}
        e: {{ needs: [a] }}
        d: {{ needs: [b, c, e], {join} }}
        f: {{ needs: [d] }}
    "
    ))
}

const STRUCTURED: &str = "join_type: DISCRIMINATOR, join_mode: structured, join_pair: a";

const RUNS: &str = "a 1, b 1, c 1, e 1, d 1, f 1";

pub(super) fn pattern() -> Pattern {
    let first = || chain().complete("a").complete("c").live("d", 1).sees("join.reset d 0 complete", 0);
    Pattern::of(9, net(STRUCTURED))
        .positive(
            scenario(
                "the first goes on and the workflow waits for the others",
                first()
                    .complete("d")
                    .complete("f")
                    .status(Status::Running)
                    .complete("b")
                    .sees("join.reset d 0 complete", 0)
                    .status(Status::Running)
                    .complete("e"),
            )
            .ends(Status::Succeeded)
            .runs(RUNS)
            .sees("join.reset d 0 complete", 1)
            .order("c<d, d<f"),
        )
        .positive(
            scenario("whatever comes first", chain().complete("a").rest())
                .ends(Status::Succeeded)
                .runs(RUNS)
                .at_most_live("d", 1)
                .sees("join.reset d 0 complete", 1),
        )
        .negative(
            scenario(
                "two of three do not reset, and nobody ends while the third runs",
                first().complete("b").complete("d").complete("f"),
            )
            .ends(Status::Running)
            .runs(RUNS)
            .sees("join.reset d 0 complete", 0),
        )
        .refuses(
            Net::of(
                "
                a: { split_type: OR, split_conditions: { b: x }, split_default: c, tasks: [{ name: t, uses: noop }] }
                b: { needs: [a] }
                c: { needs: [a] }
                d: { needs: [b, c], join_type: DISCRIMINATOR, join_mode: structured, join_pair: a }
            ",
            ),
            "NOT_STRUCTURED",
            "",
        )
        .refuses(net("join_mode: structured"), "JOIN_FIELD_WITHOUT_JOIN", "join_mode")
}
