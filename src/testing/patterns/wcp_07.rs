//! WCP-7, Structured Synchronizing Merge: joins the branches that one choice has taken, and waits for no other.

use super::wcp_06::{SUBSETS, all_come, branches, runs, taking};
use super::words::*;

const STRUCTURED: &str = ", or_scope: structured, join_pair: a";

pub(super) fn pattern() -> Pattern {
    let each = SUBSETS.iter().fold(Pattern::of(7, branches("", STRUCTURED)), |pattern, taken| {
        pattern.positive(
            scenario(&format!("the merge waits for {} and for nothing else", taken.join(", ")), all_come(taken))
                .ends(Status::Succeeded)
                .runs(&runs(taken, 1)),
        )
    });
    let first = |taken: &[&str]| taking(taken).complete("b").complete("b2").started("m", 0);
    each.negative(
        scenario("the first of two does not let it begin", first(&["b", "e"]))
            .ends(Status::Running)
            .runs("a 1, b 1, b2 1, c 0, c2 0, e 1, e2 0, m 0"),
    )
    .refuses(
        Net::of(
            "
            a: { split_type: OR, split_conditions: { b: x }, split_default: c }
            b: { needs: [a] }
            c: { needs: [a] }
            k: { cancels: [{ stage: b }] }
            m: { needs: [b, c], join_type: OR, or_scope: structured, join_pair: a }
        ",
        ),
        "PARTIAL_CANCEL_IN_STRUCTURED_REGION",
        "structured",
    )
}
