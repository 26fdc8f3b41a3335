//! WCP-11, Implicit Termination: a workflow ends when nothing is left to do, and a deadlock is no end.

use super::words::*;

pub(super) fn pattern() -> Pattern {
    let net = Net::of(
        "
        a:
        b: { needs: [a] }
        c: { needs: [a] }
        e: { needs: [c] }
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
    Pattern::of(11, net)
        .positive(
            scenario(
                "nothing ends while a stage is open, however long it takes",
                chain()
                    .complete("a")
                    .complete("c")
                    .complete("e")
                    .status(Status::Running)
                    .pass("30d")
                    .status(Status::Running)
                    .complete("b")
                    .status(Status::Succeeded),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, c 1, e 1"),
        )
        .positive(
            scenario(
                "in every order of the two ends",
                chain().complete("a").any_order([chain().complete("b"), chain().complete("c").complete("e")]),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, c 1, e 1")
            .order("a<b, a<c, c<e"),
        )
        .negative(
            scenario(
                "a starved join is a deadlock, at once",
                chain().complete("a").status(Status::Running).complete("b"),
            )
            .of(&starved)
            .ends(Status::Terminal)
            .runs("a 1, b 1, c 0, d 0")
            .sees("workflow.failed DEADLOCK d lacks c", 1),
        )
}
