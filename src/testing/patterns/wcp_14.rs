//! WCP-14, Multiple Instances with a priori Run-Time Knowledge: as many as are computed before the first begins.

use super::words::*;

fn several(source: &str) -> Net {
    Net::of(&format!(
        "
        a:
        m: {{ needs: [a], mi_config: {{ {source}: n }} }}
        z: {{ needs: [m] }}
    "
    ))
}

/// What `a` gives is the number.
fn told(n: impl Into<crate::value::Value>) -> Chain {
    chain().then(complete("a").output("n", n))
}

pub(super) fn pattern() -> Pattern {
    let counted = || several("count_from_context");
    let four = ["m[1]", "m[2]", "m[3]"];
    Pattern::of(14, counted())
        .positive(
            scenario(
                "four, whatever the first of them says later",
                told(4)
                    .instances("m", 4)
                    .then(complete("m[0]").output("n", 9))
                    .instances("m", 3)
                    .any_order(four.map(complete))
                    .complete("z"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, m 1, z 1"),
        )
        .positive(scenario("two", told(2).instances("m", 2).rest()).ends(Status::Succeeded).runs("a 1, m 1, z 1"))
        .positive(
            scenario("none: the stage is passed by", told(0).instances("m", 0).live("z", 1).complete("z"))
                .ends(Status::Succeeded)
                .runs("a 1, m 1, z 1")
                .outcomes("m SKIPPED"),
        )
        .positive(
            scenario("one for each item", told(crate::value::Value::list(["x", "y"])).instances("m", 2).rest())
                .of(&several("collection_from_context"))
                .ends(Status::Succeeded)
                .runs("a 1, m 1, z 1"),
        )
        .negative(
            scenario("what is no number fails the stage", told("x"))
                .ends(Status::Terminal)
                .runs("a 1, m 1, z 0")
                .sees("stage.failed m TERMINAL CONFIGURATION_INVALID", 1),
        )
        .negative(
            scenario("so does a negative one", told(-1))
                .ends(Status::Terminal)
                .runs("a 1, m 1, z 0")
                .sees("stage.failed m TERMINAL CONFIGURATION_INVALID", 1),
        )
}
