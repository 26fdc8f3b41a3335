//! WCP-15, Multiple Instances without a priori Run-Time Knowledge: instances are added while others run.

use super::words::*;

fn growing(more: &str) -> Net {
    Net::of(&format!(
        "
        a:
        m: {{ needs: [a], mi_config: {{ count: 2, allow_dynamic: true, max_instances: 4{more} }} }}
        z: {{ needs: [m] }}
    "
    ))
}

pub(super) fn pattern() -> Pattern {
    not(positive())
}

fn grown() -> Chain {
    let one = chain().complete("a").instances("m", 2).complete("m[0]").instances("m", 1);
    one.then(add_instances("m", ["x", "y"])).instances("m", 3)
}

fn told() -> Net {
    growing(", dynamic_close_on: { signal: close }")
}

fn done() -> Chain {
    chain().complete("a").any_order([complete("m[0]"), complete("m[1]")]).started("z", 0)
}

fn positive() -> Pattern {
    let left = ["m[1]", "m[2]", "m[3]"];
    Pattern::of(15, growing(""))
        .positive(
            scenario(
                "those that are added are waited for, too",
                grown().complete("m[3]").complete("m[1]").started("z", 0).complete("m[2]").live("z", 1).complete("z"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, m 1, z 1"),
        )
        .positive(
            scenario("in whatever order they end", grown().any_order(left.map(complete)).started("z", 1).rest())
                .ends(Status::Succeeded)
                .runs("a 1, m 1, z 1"),
        )
        .positive(
            scenario("nothing need be added", chain().complete("a").instances("m", 2).rest())
                .ends(Status::Succeeded)
                .runs("a 1, m 1, z 1"),
        )
        .positive(
            scenario(
                "a stage that is to be closed waits for that",
                done()
                    .then(add_instances("m", ["x"]))
                    .complete("m[2]")
                    .started("z", 0)
                    .then(signal("close").to("m"))
                    .live("z", 1)
                    .rest(),
            )
            .of(&told())
            .ends(Status::Succeeded)
            .runs("a 1, m 1, z 1"),
        )
}

/// What must not come of it.
fn not(pattern: Pattern) -> Pattern {
    pattern
        .negative(
            scenario(
                "what is added after the last has ended is refused",
                chain()
                    .complete("a")
                    .complete("m[1]")
                    .complete("m[0]")
                    .live("z", 1)
                    .refused(add_instances("m#1", ["x"]), "MI_CLOSED"),
            )
            .ends(Status::Running)
            .runs("a 1, m 1, z 1"),
        )
        .negative(
            scenario("more than may be is refused", grown().refused(add_instances("m", ["v"]), "MI_FULL"))
                .ends(Status::Running)
                .runs("a 1, m 1, z 0"),
        )
        .negative(
            scenario(
                "who closes ends nothing, and nothing can be added",
                grown().then(close_instances("m")).refused(add_instances("m", ["v"]), "MI_CLOSED").instances("m", 3),
            )
            .ends(Status::Running)
            .runs("a 1, m 1, z 0"),
        )
        .negative(
            scenario("all are done and nobody has closed it", done())
                .of(&told())
                .ends(Status::Running)
                .runs("a 1, m 1, z 0"),
        )
}
