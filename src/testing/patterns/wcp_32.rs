//! WCP-32, Cancelling Partial Join: three of five branches go on, the others are withdrawn, and the join starts over.

use super::wcp_30::quorum;
use super::words::*;

const RUNS: &str = "a 1, r1 1, r2 1, r3 1, r4 1, r5 1, p 1, z 1";

pub(super) fn pattern() -> Pattern {
    let fired = || {
        let third = chain().complete("a").any_order([complete("r5"), complete("r2"), complete("r1")]).live("p", 1);
        third.ended("r3", Status::Canceled).ended("r4", Status::Canceled).sees("join.reset p 0 cancelling", 1)
    };
    Pattern::of(32, quorum("join_threshold: 3, join_mode: cancelling, join_pair: a"))
        .positive(
            scenario("the third ends the two others", fired().complete("p").complete("z"))
                .ends(Status::Succeeded)
                .runs(RUNS)
                .outcomes("r1 SUCCEEDED, r2 SUCCEEDED, r5 SUCCEEDED, r3 CANCELED, r4 CANCELED"),
        )
        .positive(
            scenario("another three", chain().complete("a").complete("r3").complete("r4").complete("r2").rest())
                .ends(Status::Succeeded)
                .runs(RUNS)
                .outcomes("r3 SUCCEEDED, r4 SUCCEEDED, r2 SUCCEEDED, r1 CANCELED, r5 CANCELED"),
        )
        .negative(
            scenario("the fourth comes too late", fired().refused(complete("r4"), "NOT_AWAITED"))
                .ends(Status::Running)
                .runs(&RUNS.replace("z 1", "z 0")),
        )
        .refuses(quorum("join_threshold: 6, join_mode: cancelling"), "THRESHOLD_TOO_LARGE", "6")
}
