//! WCP-8, Multi-Merge: branches converge, and every arrival goes on for itself, also when arrivals overlap.

use super::words::*;

/// Three branches into `m`, with these further keys.
fn merging(keys: &str) -> Net {
    Net::of(&format!(
        "
        a:
        b: {{ needs: [a] }}
        c: {{ needs: [a] }}
        e: {{ needs: [a] }}
        m: {{ needs: [b, c, e], join_type: MULTI_MERGE{keys} }}
        n: {{ needs: [m] }}
    "
    ))
}

const RUNS: &str = "a 1, b 1, c 1, e 1, m 3, n 3";

/// Each activation of the merge has taken one token, from another branch each.
fn one_each(scenario: Scenario) -> Scenario {
    ["b", "c", "e"].iter().fold(scenario, |scenario, from| scenario.sees(&format!("stage.started m from {from}"), 1))
}

pub(super) fn pattern() -> Pattern {
    let overlapping = chain().complete("a").complete("b").complete("c").live("m", 2).complete("e").live("m", 3);
    let last = chain().complete("a").complete("b").complete("c").complete("e");
    let last = last.complete("m").complete("m").complete("m").live("n", 3).complete("n").complete("n");
    Pattern::of(8, merging(""))
        .positive(one_each(
            scenario("three arrivals are three threads", overlapping.rest()).ends(Status::Succeeded).runs(RUNS),
        ))
        .positive(one_each(
            scenario("whatever the branches and threads do", chain().complete("a").rest())
                .ends(Status::Succeeded)
                .runs(RUNS),
        ))
        .positive(
            scenario("the workflow ends with the last thread", last.status(Status::Running).complete("n"))
                .ends(Status::Succeeded)
                .runs(RUNS),
        )
        .positive(one_each(
            scenario("serialized threads wait for each other and none is lost", chain().complete("a").rest())
                .of(&merging(", reentry: serialize"))
                .at_most_live("m", 1)
                .ends(Status::Succeeded)
                .runs(RUNS),
        ))
        .negative(one_each(
            scenario("arrivals at the same moment are not taken for one", overlapping_only())
                .ends(Status::Running)
                .runs("a 1, b 1, c 1, e 1, m 3, n 0"),
        ))
        .unsound(
            Net::of(
                "
                a:
                b: { needs: [a] }
                c: { needs: [a] }
                k: { needs: [a] }
                m: { needs: [b, c], join_type: MULTI_MERGE }
                n: { needs: [m, k] }
            ",
            ),
            FindingCode::UnsafeAndJoin,
            "n",
        )
}

fn overlapping_only() -> Chain {
    chain().complete("a").any_order([complete("b"), complete("c"), complete("e")]).live("m", 3)
}
