//! WCP-12, Multiple Instances without Synchronization: instances are made, and nobody waits for them.

use super::words::*;

pub(super) fn pattern() -> Pattern {
    let net = Net::of(
        "
        a:
        m: { needs: [a], mi_config: { count: 3, sync_on_complete: false }, outputs: { got: '${{ k }} ${{ index }}' } }
        z: { needs: [m] }
    ",
    );
    let begun = || chain().then(complete("a").output("k", "v")).instances("m", 3).live("z", 1);
    let order = ["m[2]", "m[0]", "m[1]"];
    Pattern::of(12, net)
        .positive(
            scenario(
                "the next stage runs beside the instances",
                begun().complete("z").status(Status::Running).any_order(order.map(complete)),
            )
            .ends(Status::Succeeded)
            .runs("a 1, m 1, z 1"),
        )
        .positive(scenario("in whatever order they end", begun().rest()).ends(Status::Succeeded).runs("a 1, m 1, z 1"))
        .positive(
            scenario("an instance reads what was there before", begun().complete("m[1]").rest())
                .ends(Status::Succeeded)
                .runs("a 1, m 1, z 1")
                .sees("stage.completed m[1] {\"got\":\"v 1\"}", 1),
        )
        .negative(
            scenario(
                "the workflow does not end while an instance lives",
                begun().complete("z").complete("m[1]").complete("m[0]").instances("m", 1),
            )
            .ends(Status::Running)
            .runs("a 1, m 1, z 1"),
        )
}
