//! WCP-28, Blocking Discriminator: what comes again through a branch waits until all branches have come once.

use super::words::*;

/// Three tokens through each of these sources, which `d` joins.
pub(super) fn sources(names: &[&str], join: &str) -> Net {
    let mut stages = "a:\n".to_owned();
    for name in names {
        for number in 1..=3 {
            stages += &format!("{name}{number}: {{ needs: [a] }}\n");
        }
        stages += &format!("{name}: {{ needs: [{name}1, {name}2, {name}3], join_type: MULTI_MERGE }}\n");
    }
    Net::of(&format!("{stages}d: {{ needs: [{}], {join} }}\n", names.join(", ")))
}

/// These tokens come to the join, one after the other: `p2` through the source `p`.
pub(super) fn come(chain: Chain, tokens: &[&str]) -> Chain {
    tokens.iter().fold(chain, |chain, token| chain.complete(token).complete(&token[..1]))
}

const JOIN: &str = "join_type: DISCRIMINATOR, join_mode: blocking, reset_on: all";

const RUNS: &str = "a 1, p1 1, p2 1, p3 1, q1 1, q2 1, q3 1, p 3, q 3";

pub(super) fn pattern() -> Pattern {
    let blocked = || come(come(chain().complete("a"), &["p1"]).started("d", 1), &["p2", "p3"]).started("d", 1);
    let in_turn = come(blocked(), &["q1"]).started("d", 2);
    let in_turn = come(come(in_turn, &["q2"]).started("d", 3), &["q3"]).started("d", 3);
    let alternating = come(chain().complete("a"), &["q3", "p1", "p3", "q1", "q2", "p2"]);
    Pattern::of(28, sources(&["p", "q"], JOIN))
        .positive(
            scenario("each generation takes one of each branch", in_turn.rest())
                .ends(Status::Succeeded)
                .runs(&format!("{RUNS}, d 3"))
                .sees("join.reset d 0 complete", 1)
                .sees("join.reset d 1 complete", 1)
                .sees("join.reset d 2 complete", 1),
        )
        .positive(
            scenario("nothing waits while the branches take turns", alternating.started("d", 3).rest())
                .ends(Status::Succeeded)
                .runs(&format!("{RUNS}, d 3")),
        )
        .positive(
            scenario("in whatever order the tokens come", chain().complete("a").rest())
                .ends(Status::Succeeded)
                .runs(&format!("{RUNS}, d 3"))
                .sees("join.reset d 2 complete", 1),
        )
        .negative(
            scenario("three of one branch fire once", blocked())
                .ends(Status::Running)
                .runs(&format!("{}, d 1", RUNS.replace("q 3", "q 0"))),
        )
        .negative(
            scenario(
                "the last branch only completes the generation",
                come(come(chain().complete("a"), &["p1"]), &["q1"]),
            )
            .ends(Status::Running)
            .runs(&format!("{}, d 1", RUNS.replace("p 3", "p 1").replace("q 3", "q 1")))
            .sees("join.reset d 0 complete", 1),
        )
}
