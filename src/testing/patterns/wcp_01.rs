//! WCP-1, Sequence: a stage begins when its predecessor has completed.

use super::words::*;

pub(super) fn pattern() -> Pattern {
    let net = Net::of(
        "
        a:
        b: { needs: [a] }
        c: { needs: [b] }
    ",
    );
    Pattern::of(1, net)
        .positive(
            scenario(
                "one after the other",
                chain()
                    .live("a", 1)
                    .complete("a")
                    .live("b", 1)
                    .started("c", 0)
                    .complete("b")
                    .live("c", 1)
                    .complete("c"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, c 1")
            .order("a<b, b<c"),
        )
        .negative(
            scenario(
                "nobody completes a stage that has not begun",
                chain().refused(complete("b"), "NOT_AWAITED").rest(),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, c 1"),
        )
        .negative(
            scenario("nothing follows a stage that failed", chain().then(terminal("a")))
                .ends(Status::Terminal)
                .runs("a 1, b 0, c 0")
                .outcomes("a TERMINAL"),
        )
        .refuses(Net::of("a: { needs: [b] }\nb: { needs: [a] }"), ProblemCode::CycleWithoutBackEdge, "a:")
}
