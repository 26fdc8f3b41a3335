//! WCP-36, Dynamic Partial Join for Multiple Instances: instances are added until that is closed, and a condition asked
//! after each end lets control go on.

use super::words::*;

fn dynamic(count: u32, more: &str) -> Net {
    Net::of(&format!(
        "
        a:
        m:
          needs: [a]
          mi_config: {{ count: {count}, allow_dynamic: true, completion_condition: 'done >= 4'{more} }}
        z: {{ needs: [m] }}
    "
    ))
}

fn grown() -> Chain {
    chain().complete("a").then(add_instances("m", ["x", "y"])).instances("m", 7)
}

fn closed() -> Chain {
    let closed = grown().then(close_instances("m")).refused(add_instances("m", ["v"]), "MI_CLOSED");
    closed.instances("m", 7).started("z", 0)
}

fn fired(chain: Chain) -> Chain {
    chain.complete("m[6]").complete("m[1]").complete("m[2]").complete("m[0]").live("z", 1)
}

pub(super) fn pattern() -> Pattern {
    not(positive())
}

fn positive() -> Pattern {
    let by_count = dynamic(5, ", close_when: 'total >= 7'");
    let few = dynamic(2, "");
    let three = ["m[3]", "m[4]", "m[5]"];
    Pattern::of(36, dynamic(5, ""))
        .positive(
            scenario(
                "the fourth of seven lets control go on once",
                fired(closed()).complete("z").status(Status::Running).any_order(three.map(complete)),
            )
            .ends(Status::Succeeded)
            .runs("a 1, m 1, z 1"),
        )
        .positive(
            scenario(
                "any four of them",
                closed().any_order(["m[3]", "m[6]", "m[0]", "m[5]"].map(complete)).live("z", 1).rest(),
            )
            .ends(Status::Succeeded)
            .runs("a 1, m 1, z 1"),
        )
        .positive(
            scenario(
                "a condition closes it, and lets nobody go on",
                grown().started("z", 0).refused(add_instances("m", ["v"]), "MI_CLOSED").rest(),
            )
            .of(&by_count)
            .alone("all orders of seven ends are many enough for one round")
            .ends(Status::Succeeded)
            .runs("a 1, m 1, z 1"),
        )
        .positive(
            scenario(
                "all have ended, and the condition has never held",
                chain()
                    .complete("a")
                    .then(close_instances("m"))
                    .any_order(["m[0]", "m[1]"].map(complete))
                    .live("z", 1)
                    .rest(),
            )
            .of(&few)
            .ends(Status::Succeeded)
            .runs("a 1, m 1, z 1"),
        )
}

/// What must not come of it.
fn not(pattern: Pattern) -> Pattern {
    pattern
        .negative(
            scenario("an instance that is added begins nothing else", closed())
                .ends(Status::Running)
                .runs("a 1, m 1, z 0"),
        )
        .negative(
            scenario("nothing is added once control has gone on", {
                let four = chain().complete("a").complete("m[0]").complete("m[1]").complete("m[2]").complete("m[3]");
                four.live("z", 1).refused(add_instances("m#1", ["x"]), "MI_CLOSED")
            })
            .ends(Status::Running)
            .runs("a 1, m 1, z 1"),
        )
        .negative(
            scenario("those that end later begin nothing", fired(grown()).complete("m[3]").complete("m[4]"))
                .ends(Status::Running)
                .runs("a 1, m 1, z 1"),
        )
        .refuses(
            Net::of("m: { mi_config: { count: 2, close_when: done } }"),
            ProblemCode::ConflictingKeys,
            "close_when",
        )
}
