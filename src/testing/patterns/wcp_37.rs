//! WCP-37, Acyclic Synchronizing Merge: joins what diverged at several splits, and waits while a branch may still come.

use super::wcp_06::taking;
use super::words::*;

/// Of the two branches to `j`, the one through `b` has a way out.
fn net(more: &str) -> Net {
    Net::of(&format!(
        "
        a: {{ split_type: OR, split_conditions: {{ b: take_b, c: take_c }} }}
        b: {{ needs: [a], split_type: XOR, split_conditions: {{ out: leaves == true }}, split_default: b1{more} }}
        b1: {{ needs: [b] }}
        out: {{ needs: [b] }}
        c: {{ needs: [a] }}
        j: {{ needs: [b1, c], join_type: OR, or_scope: acyclic }}
    "
    ))
}

fn b(leaves: bool) -> Happening {
    complete("b").output("leaves", leaves)
}

pub(super) fn pattern() -> Pattern {
    let waits = || taking(&["b", "c"]).live("b", 1).complete("c").started("j", 0);
    let orders = [chain().complete("c"), chain().then(b(false)).complete("b1")];
    Pattern::of(37, net(""))
        .positive(
            scenario("a branch that leaves is waited for until it has left", waits().then(b(true)).live("j", 1).rest())
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b1 0, out 1, c 1, j 1")
                .order("c<j, b<j"),
        )
        .positive(
            scenario(
                "a branch that comes is waited for",
                taking(&["b", "c"]).any_order(orders).live("j", 1).complete("j"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, b1 1, out 0, c 1, j 1")
            .order("b1<j, c<j"),
        )
        .positive(
            scenario(
                "whatever the branches do in whatever order",
                taking(&["b", "c"])
                    .any_order([chain().then(b(true)).complete("out"), chain().complete("c")])
                    .complete("j"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, b1 0, out 1, c 1, j 1")
            .order("c<j, b<j"),
        )
        .positive(
            scenario("one branch alone", taking(&["c"]).complete("c").live("j", 1).complete("j"))
                .ends(Status::Succeeded)
                .runs("a 1, b 0, b1 0, out 0, c 1, j 1"),
        )
        .positive(
            scenario("where nothing comes the merge never begins", taking(&["b"]).then(b(true)).complete("out"))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b1 0, out 1, c 0, j 0"),
        )
        .negative(
            scenario("not before the other branch has gone one way or the other", waits().pass("30d").started("j", 0))
                .ends(Status::Running)
                .runs("a 1, b 1, b1 0, out 0, c 1, j 0"),
        )
        .refuses(net(", join_type: XOR, back_from: [j]"), "LOOP_IN_ACYCLIC_CONE", "acyclic")
}
