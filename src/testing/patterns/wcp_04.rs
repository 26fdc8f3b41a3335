//! WCP-4, Exclusive Choice: one thread goes on into exactly one of several branches.

use super::words::*;

/// The three branches, two stages each but for the default.
pub(super) fn net() -> Net {
    choosing("}, split_default: e, ")
}

/// With this behind the second condition.
fn choosing(rest: &str) -> Net {
    Net::of(&format!(
        "
        a: {{ split_type: XOR, split_conditions: {{ b: x == 1, c: x > 0 {rest}tasks: [{{ name: t, uses: noop }}] }}
        b: {{ needs: [a] }}
        b2: {{ needs: [b] }}
        c: {{ needs: [a] }}
        c2: {{ needs: [c] }}
        e: {{ needs: [a] }}
        m: {{ needs: [b2, c2, e], join_type: XOR }}
    "
    ))
}

/// What the conditions see is told by `a`, so that each round of a loop can take another branch.
fn chosen(x: i64) -> Chain {
    chain().then(complete("a").output("x", x))
}

pub(super) fn pattern() -> Pattern {
    Pattern::of(4, net())
        .positive(
            scenario(
                "the first branch whose condition holds, though both do",
                chosen(1).live("b", 1).live("c", 0).rest(),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, b2 1, c 0, c2 0, e 0, m 1")
            .order("b<b2, b2<m"),
        )
        .positive(
            scenario("the second, if the first does not hold", chosen(5).live("c", 1).live("b", 0).rest())
                .ends(Status::Succeeded)
                .runs("a 1, b 0, b2 0, c 1, c2 1, e 0, m 1")
                .order("c<c2, c2<m"),
        )
        .positive(
            scenario("the default, if none holds", chosen(-1).live("e", 1).rest())
                .ends(Status::Succeeded)
                .runs("a 1, b 0, b2 0, c 0, c2 0, e 1, m 1")
                .order("e<m"),
        )
        .negative(
            scenario("no branch and no default is a failure", chosen(-1))
                .of(&choosing(", e: x == 0 }, "))
                .ends(Status::Terminal)
                .runs("a 1, b 0, b2 0, c 0, c2 0, e 0, m 0")
                .sees("workflow.failed STAGE_FAILED a NO_BRANCH", 1),
        )
        .refuses(
            Net::of(
                "
                a: { split_type: XOR, split_conditions: { nowhere: 'true' }, split_default: b }
                b: { needs: [a] }
                c: { needs: [a] }
            ",
            ),
            ProblemCode::UnknownStage,
            "nowhere",
        )
}
