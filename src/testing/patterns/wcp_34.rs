//! WCP-34, Static Partial Join for Multiple Instances: three of five instances let control go on, the others run on.

use super::words::*;

pub(super) fn partial(more: &str) -> Net {
    Net::of(&format!(
        "
        a:
        m: {{ needs: [a], mi_config: {{ count: 5, join_threshold: 3{more} }} }}
        z: {{ needs: [m] }}
    "
    ))
}

pub(super) fn pattern() -> Pattern {
    let three = ["m[4]", "m[0]", "m[2]"];
    let fired = || chain().complete("a").instances("m", 5).any_order(three.map(complete)).live("z", 1);
    let rounds = Net::of(
        "
        a:
        b:
        m: { needs: [a, b], join_type: MULTI_MERGE, mi_config: { count: 3, join_threshold: 1 } }
        z: { needs: [m], join_type: MULTI_MERGE }
    ",
    );
    Pattern::of(34, partial(""))
        .positive(
            scenario(
                "the third lets control go on, and the rest ends for itself",
                fired()
                    .complete("z")
                    .status(Status::Running)
                    .instances("m", 2)
                    .any_order([complete("m[1]"), complete("m[3]")]),
            )
            .ends(Status::Succeeded)
            .runs("a 1, m 1, z 1"),
        )
        .positive(
            scenario("in whatever order they end", chain().complete("a").rest())
                .ends(Status::Succeeded)
                .runs("a 1, m 1, z 1"),
        )
        .positive(
            scenario(
                "the next round begins when the rest of this one has ended",
                chain()
                    .complete("a")
                    .complete("b")
                    .complete("m[1]")
                    .started("z", 1)
                    .started("m", 1)
                    .complete("m[0]")
                    .started("m", 1)
                    .complete("m[2]")
                    .started("m", 2)
                    .rest(),
            )
            .of(&rounds)
            .ends(Status::Succeeded)
            .runs("a 1, b 1, m 2, z 2"),
        )
        .negative(
            scenario("two are not enough", chain().complete("a").complete("m[1]").complete("m[0]"))
                .ends(Status::Running)
                .runs("a 1, m 1, z 0"),
        )
        .negative(
            scenario("what comes later begins nothing", fired().complete("m[1]").complete("m[3]"))
                .ends(Status::Running)
                .runs("a 1, m 1, z 1"),
        )
        .refuses(Net::of("m: { mi_config: { count: 2, join_threshold: 3 } }"), "THRESHOLD_TOO_LARGE", "3")
}
