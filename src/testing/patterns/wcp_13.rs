//! WCP-13, Multiple Instances with a priori Design-Time Knowledge: as many as the definition says, all waited for.

use super::words::*;

fn several(count: u32) -> Net {
    Net::of(&format!(
        "
        a:
        m: {{ needs: [a], mi_config: {{ count: {count} }} }}
        z: {{ needs: [m], outputs: {{ all: '${{{{ stages.m.outputs.k }}}}' }} }}
    "
    ))
}

pub(super) fn pattern() -> Pattern {
    let ends = |index: u32| complete(&format!("m[{index}]")).output("k", format!("k{index}"));
    let begun = || chain().complete("a").instances("m", 3);
    Pattern::of(13, several(3))
        .positive(
            scenario(
                "the next stage begins after the last instance",
                begun().any_order([ends(0), ends(2)]).started("z", 0).then(ends(1)).live("z", 1).complete("z"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, m 1, z 1")
            .order("m<z")
            .sees("stage.completed z {\"all\":[\"k0\",\"k1\",\"k2\"]}", 1),
        )
        .positive(
            scenario("in whatever order the instances end", begun().rest())
                .ends(Status::Succeeded)
                .runs("a 1, m 1, z 1"),
        )
        .negative(
            scenario("two of three are not all", begun().then(ends(2)).then(ends(1)))
                .ends(Status::Running)
                .runs("a 1, m 1, z 0"),
        )
        .negative(
            scenario(
                "an instance that fails fails the stage, and the others are canceled",
                begun().then(ends(2)).then(terminal("m[1]")),
            )
            .ends(Status::Terminal)
            .runs("a 1, m 1, z 0")
            .sees("stage.canceled m[0] by mi", 1)
            .sees("stage.canceled m[2] by mi", 0),
        )
        .refuses(several(0), ProblemCode::OutOfRange, "0")
}
