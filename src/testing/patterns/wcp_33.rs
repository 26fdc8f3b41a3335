//! WCP-33, Generalized AND-Join: fires when every branch has delivered at least once; what is more is kept for later.

use super::words::*;

/// Three threads come through `p` and as many through `q` as are named.
fn joining(header: &str, threads: &str) -> Net {
    let stages = "
        a:
        p1: { needs: [a] }
        p2: { needs: [a] }
        p3: { needs: [a] }
        q1: { needs: [a] }
        q2: { needs: [a] }
        p: { needs: [p1, p2, p3], join_type: MULTI_MERGE }
        d: { needs: [p, q], join_type: GENERALIZED_AND, outputs: { pair: '${{ x }}-${{ y }}' } }
    ";
    Net::of(&format!("{stages}\n        {threads}")).header(header)
}

/// This thread comes to the join, through the stage named like it without its number.
fn comes(chain: Chain, thread: &str) -> Chain {
    let (branch, number) = thread.split_at(1);
    let key = if branch == "p" { "x" } else { "y" };
    chain.complete(thread).then(complete(branch).output(key, number))
}

fn all_come(threads: &[&str]) -> Chain {
    threads.iter().fold(chain().complete("a"), |chain, thread| comes(chain, thread))
}

fn paired(scenario: Scenario, pairs: &[&str]) -> Scenario {
    let line = |pair: &&str| format!("stage.completed d {{\"pair\":\"{pair}\"}}");
    pairs.iter().map(line).fold(scenario, |scenario, line| scenario.sees(&line, 1))
}

pub(super) fn pattern() -> Pattern {
    let three = "q3: { needs: [a] }\n        q: { needs: [q1, q2, q3], join_type: MULTI_MERGE }";
    let two = "q: { needs: [q1, q2], join_type: MULTI_MERGE }";
    let surplus = || all_come(&["p1", "p2", "p3", "q1"]).started("d", 1);
    let in_turn = comes(comes(surplus(), "q2"), "q3").live("d", 3).rest();
    let left = || comes(all_come(&["p1", "p2", "p3"]).started("d", 0), "q1");
    let runs = "a 1, p1 1, p2 1, p3 1, q1 1, q2 1, q3 1, p 3, q 3, d 3";
    Pattern::of(33, joining("", three))
        .positive(paired(
            scenario("surplus arrivals wait, and pair in their order", in_turn).ends(Status::Succeeded).runs(runs),
            &["1-1", "2-2", "3-3"],
        ))
        .positive(paired(
            scenario(
                "in another order of the threads",
                all_come(&["p3", "q2", "p1", "q1", "q3"])
                    .started("d", 2)
                    .then(complete("p2"))
                    .then(complete("p").output("x", "2"))
                    .rest(),
            )
            .ends(Status::Succeeded)
            .runs(runs),
            &["3-2", "1-1", "2-3"],
        ))
        .positive(
            scenario("what is left over may be left", comes(left(), "q2").rest())
                .of(&joining("leftover_tokens: ignore\nsoundness: 'off'", two))
                .ends(Status::Succeeded)
                .runs("a 1, p1 1, p2 1, p3 1, q1 1, q2 1, p 3, q 2, d 2")
                .alone("the tokens that are left are the workflow's"),
        )
        .negative(
            scenario("three arrivals on one branch and one on the other fire once", surplus().live("d", 1))
                .ends(Status::Running)
                .runs("a 1, p1 1, p2 1, p3 1, q1 1, q2 1, q3 1, p 3, q 1, d 1"),
        )
        .negative(
            scenario("what is left over is a deadlock", comes(left(), "q2").rest())
                .of(&joining("", two))
                .ends(Status::Terminal)
                .runs("a 1, p1 1, p2 1, p3 1, q1 1, q2 1, p 3, q 2, d 2")
                .sees("workflow.failed DEADLOCK d lacks q", 1),
        )
}
