//! WCP-3, Synchronization: a stage begins once all branches before it have delivered.

use super::words::*;

pub(super) fn pattern() -> Pattern {
    let net = Net::of(
        "
        a:
        b: { needs: [a] }
        c: { needs: [a] }
        e: { needs: [a] }
        d: { needs: [b, c, e] }
    ",
    );
    let starved = Net::of(
        "
        a: { split_type: XOR, split_conditions: { b: 'true' }, split_default: c }
        b: { needs: [a] }
        c: { needs: [a] }
        d: { needs: [b, c] }
    ",
    );
    Pattern::of(3, net)
        .positive(
            scenario(
                "all six orders of the branches",
                chain()
                    .complete("a")
                    .any_order([complete("b"), complete("c"), complete("e")])
                    .live("d", 1)
                    .complete("d"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, c 1, e 1, d 1")
            .order("b<d, c<d, e<d"),
        )
        .positive(
            scenario(
                "two of three are not enough",
                chain()
                    .complete("a")
                    .any_order([complete("b"), complete("e")])
                    .started("d", 0)
                    .complete("c")
                    .started("d", 1)
                    .rest(),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, c 1, e 1, d 1"),
        )
        .unsound(starved.clone(), FindingCode::Deadlock, "d")
        .negative(
            scenario("a join that waits for a branch never taken is no success", chain().complete("a").complete("b"))
                .of(&starved)
                .ends(Status::Terminal)
                .runs("a 1, b 1, c 0, d 0")
                .sees("workflow.failed DEADLOCK d lacks c", 1),
        )
}
