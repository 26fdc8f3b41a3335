//! WCP-31, Blocking Partial Join: two of three branches go on; a branch counts once until all have come.

use super::wcp_28::{come, sources};
use super::words::*;

const JOIN: &str = "join_type: N_OF_M, join_threshold: 2, join_mode: blocking, reset_on: all";

const SOURCES: &str = "a 1, p1 1, p2 1, p3 1, q1 1, q2 1, q3 1, r1 1, r2 1, r3 1";

pub(super) fn pattern() -> Pattern {
    let twice = || come(chain().complete("a"), &["p1", "p2"]).started("d", 0);
    let turns = come(come(twice(), &["q1"]).started("d", 1), &["r1"]).started("d", 1);
    let turns = turns.sees("join.reset d 0 complete", 1);
    let all = come(come(turns, &["r2"]).started("d", 2), &["q2", "q3", "p3", "r3"]).started("d", 3);
    Pattern::of(31, sources(&["p", "q", "r"], JOIN))
        .positive(
            scenario("what waits counts for the next generation", all.rest())
                .ends(Status::Succeeded)
                .runs(&format!("{SOURCES}, p 3, q 3, r 3, d 3"))
                .sees("join.reset d 0 complete", 1)
                .sees("join.reset d 1 complete", 1)
                .sees("join.reset d 2 complete", 1),
        )
        .positive(
            scenario("in whatever order the tokens come", chain().complete("a").rest())
                .ends(Status::Succeeded)
                .runs(&format!("{SOURCES}, p 3, q 3, r 3, d 3")),
        )
        .negative(
            scenario("the same branch twice is not two branches", twice())
                .ends(Status::Running)
                .runs(&format!("{SOURCES}, p 2, q 0, r 0, d 0")),
        )
        .refuses(
            sources(&["p", "q"], "join_type: N_OF_M, join_threshold: 3, join_mode: blocking"),
            "THRESHOLD_TOO_LARGE",
            "3",
        )
}
