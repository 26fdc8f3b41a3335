//! WCP-2, Parallel Split: one thread becomes two that go on side by side.

use super::words::*;

pub(super) fn pattern() -> Pattern {
    let net = Net::of(
        "
        a:
        b: { needs: [a] }
        c: { needs: [a] }
    ",
    );
    let split = || chain().started("b", 0).started("c", 0).complete("a").live("b", 1).live("c", 1);
    Pattern::of(2, net)
        .positive(
            scenario("both branches in both orders", split().any_order([complete("b"), complete("c")]))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, c 1")
                .order("a<b, a<c"),
        )
        .negative(
            scenario("one branch is held open for ever, and the other one starts and ends", split().complete("c"))
                .ends(Status::Running)
                .runs("a 1, b 1, c 1"),
        )
}
