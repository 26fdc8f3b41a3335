//! WCP-38, General Synchronizing Merge: waits for what may still come in any net, loops included, and for nothing else.

use super::wcp_06::{naming, taking};
use super::words::*;

/// A loop in the branch through `b`.
fn in_a_branch() -> Net {
    Net::of(
        "
        a: { split_type: OR, split_conditions: { b: take_b, c: take_c } }
        b: { needs: [a], join_type: XOR, back_from: [f] }
        f: { needs: [b], split_type: XOR, split_conditions: { b: again == true }, split_default: j }
        c: { needs: [a] }
        j: { needs: [f, c], join_type: OR }
    ",
    )
}

/// A loop around the join.
fn around() -> Net {
    Net::of(
        "
        s:
        x:
          needs: [s]
          join_type: XOR
          back_from: [y]
          split_type: OR
          split_conditions: { b: take_b, c: take_c }
        b: { needs: [x] }
        c: { needs: [x] }
        j: { needs: [b, c], join_type: OR }
        y: { needs: [j], split_type: XOR, split_conditions: { x: again == true }, split_default: z }
        z: { needs: [y] }
    ",
    )
}

/// A choice before the join, of which one way leads past it.
fn past(more: &str) -> Net {
    Net::of(&format!(
        "
        a:
        p: {{ needs: [a], split_type: XOR, split_conditions: {{ out: leaves == true }}, split_default: j }}
        q: {{ needs: [a] }}
        out: {{ needs: [p] }}
        j: {{ needs: [p, q], join_type: OR }}
        {more}
    "
    ))
}

/// One turn of the loop around the join, with these branches.
fn turn(chain_so_far: Chain, taken: &[&str], again: bool, number: usize) -> Chain {
    let begun = chain_so_far.then(naming("x", taken));
    let come = begun.any_order(taken.iter().map(|branch| complete(branch)));
    come.started("j", number).live("j", 1).complete("j").then(complete("y").output("again", again))
}

pub(super) fn pattern() -> Pattern {
    let f = |again: bool| complete("f").output("again", again);
    let looping = taking(&["b", "c"]).complete("c").complete("b").started("j", 0).then(f(true)).complete("b");
    let three = turn(turn(turn(chain().complete("s"), &["b", "c"], true, 1), &["b"], true, 2), &["c"], false, 3);
    let waits = || chain().complete("a").complete("q").started("j", 0);
    let shown = Pattern::of(38, in_a_branch())
        .positive(
            scenario(
                "it waits while the loop in a branch goes round",
                looping.started("j", 0).then(f(false)).live("j", 1).complete("j"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 2, f 2, c 1, j 1"),
        )
        .positive(
            scenario(
                "it does not wait for a branch that was not taken",
                taking(&["c"]).complete("c").live("j", 1).complete("j"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 0, f 0, c 1, j 1"),
        )
        .positive(
            scenario("nor for what can only come through itself", three.complete("z"))
                .of(&around())
                .ends(Status::Succeeded)
                .runs("s 1, x 3, b 2, c 2, j 3, y 3, z 1"),
        )
        .positive(
            scenario(
                "it begins when a choice leads past it",
                waits().then(complete("p").output("leaves", true)).live("j", 1).rest(),
            )
            .of(&past(""))
            .ends(Status::Succeeded)
            .runs("a 1, p 1, q 1, out 1, j 1"),
        )
        .positive(
            scenario(
                "and when what it waits for is canceled",
                waits().complete("k").ended("p", Status::Canceled).live("j", 1).complete("j"),
            )
            .of(&past("k: { needs: [a], cancels: [{ stage: p }] }"))
            .ends(Status::Succeeded)
            .runs("a 1, p 1, q 1, out 0, j 1, k 1"),
        );
    refused(shown)
}

/// What must not come of it.
fn refused(shown: Pattern) -> Pattern {
    shown
        .negative(
            scenario(
                "one branch does not let it begin while the other loops",
                taking(&["b", "c"]).complete("c").complete("b").then(complete("f").output("again", true)),
            )
            .ends(Status::Running)
            .runs("a 1, b 2, f 1, c 1, j 0"),
        )
        .negative(
            scenario(
                "two that wait for each other are told from work, at once",
                chain().complete("s").complete("p").complete("q"),
            )
            .of(&Net::of(
                "
                    s:
                    p: { needs: [s] }
                    q: { needs: [s] }
                    j1: { needs: [p], back_from: [f2], join_type: OR }
                    f1: { needs: [j1] }
                    e1: { needs: [f1] }
                    j2: { needs: [q, f1], join_type: OR }
                    f2: { needs: [j2] }
                    e2: { needs: [f2] }
                ",
            ))
            .ends(Status::Terminal)
            .runs("s 1, p 1, q 1, j1 0, f1 0, e1 0, j2 0, f2 0, e2 0")
            .sees("workflow.failed OR_JOIN_CYCLE*", 1),
        )
}
