//! WCP-32, Cancelling Partial Join: three of five branches go on, the others are withdrawn, and the join starts over.

use super::wcp_30::quorum;
use super::words::*;

const RUNS: &str = "a 1, r1 1, r2 1, r3 1, r4 1, r5 1, p 1, z 1";

pub(super) fn pattern() -> Pattern {
    let fired = || {
        let third = chain().complete("a").any_order([complete("r5"), complete("r2"), complete("r1")]).live("p", 1);
        third.ended("r3", Status::Canceled).ended("r4", Status::Canceled).sees("join.reset p 0 cancelling", 1)
    };
    // What checks on the others goes on, whoever has won.
    let parted = Net::of(
        "
        a:
        b: { needs: [a] }
        c: { needs: [a] }
        e: { needs: [a], cancel_region: r }
        f: { needs: [a] }
        p:
          needs: [b, c, e]
          join_type: N_OF_M
          join_threshold: 2
          join_mode: cancelling
          join_cancel_scope: { region: r }
    ",
    );
    let two = chain().complete("a").any_order([complete("b"), complete("c")]).live("p", 1);
    let in_region = two.ended("e", Status::Canceled).live("f", 1).any_order([complete("p"), complete("f")]);
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
        .positive(
            scenario("only what lies in a region is withdrawn", in_region)
                .of(&parted)
                .ends(Status::Succeeded)
                .runs("a 1, b 1, c 1, e 1, f 1, p 1")
                .outcomes("e CANCELED, f SUCCEEDED")
                .sees("join.reset p 0 cancelling", 1),
        )
        .negative(
            scenario("the fourth comes too late", fired().refused(complete("r4"), "NOT_AWAITED"))
                .ends(Status::Running)
                .runs(&RUNS.replace("z 1", "z 0")),
        )
        .refuses(quorum("join_threshold: 6, join_mode: cancelling"), "THRESHOLD_TOO_LARGE", "6")
}
