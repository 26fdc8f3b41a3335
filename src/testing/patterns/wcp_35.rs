//! WCP-35, Cancelling Partial Join for Multiple Instances: three of five let control go on, the others are withdrawn.

use super::wcp_34::partial;
use super::words::*;

pub(super) fn pattern() -> Pattern {
    let three = ["m[3]", "m[0]", "m[4]"];
    let fired = || {
        let third =
            chain().complete("a").instances("m", 5).any_order(three.map(complete)).live("z", 1).instances("m", 0);
        third.sees("stage.canceled m[1] by mi", 1).sees("stage.canceled m[2] by mi", 1)
    };
    Pattern::of(35, partial(", cancel_remaining: true"))
        .positive(
            scenario("the third ends the two others", fired().complete("z"))
                .ends(Status::Succeeded)
                .runs("a 1, m 1, z 1")
                .outcomes("m SUCCEEDED"),
        )
        .positive(
            scenario(
                "those that have not begun never begin",
                chain()
                    .complete("a")
                    .instances("m", 1)
                    .complete("m[0]")
                    .complete("m[1]")
                    .complete("m[2]")
                    .instances("m", 0)
                    .complete("z"),
            )
            .of(&partial(", cancel_remaining: true, sequential: true"))
            .ends(Status::Succeeded)
            .runs("a 1, m 1, z 1"),
        )
        .positive(
            scenario("whichever three come first", chain().complete("a").rest())
                .ends(Status::Succeeded)
                .runs("a 1, m 1, z 1"),
        )
        .negative(
            scenario(
                "an instance that was withdrawn tells nobody any more",
                fired().refused(complete("m[1]"), "NOT_AWAITED").refused(complete("m[2]"), "NOT_AWAITED"),
            )
            .ends(Status::Running)
            .runs("a 1, m 1, z 1")
            .sees("stage.completed m[1]", 0),
        )
}
