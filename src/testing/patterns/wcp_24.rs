//! WCP-24, Persistent Trigger: a signal is kept until somebody can act on it, and each for itself.

use super::words::*;

fn numbered(name: &str, x: i64) -> Happening {
    signal(name).data(crate::value::Value::map([("x", x)])).key(&format!("{name}-{x}"))
}

/// A stage that each order starts.
fn starts() -> Net {
    Net::of(
        "
        a:
        s: { trigger: { signal: order, start: true }, outputs: { of: '${{ signal.data.x }}' } }
    ",
    )
}

pub(super) fn pattern() -> Pattern {
    let seen = "outputs: { seen: '${{ signal.data.x }}' }";
    let net = Net::of(&format!(
        "
        a:
        b: {{ needs: [a], trigger: {{ signal: go, durability: persistent }}, {seen} }}
        c: {{ needs: [b], trigger: {{ signal: go, durability: persistent }}, {seen} }}
        d: {{ needs: [c], trigger: {{ signal: stop, durability: persistent }}, {seen} }}
    "
    ));
    let starts = starts();
    let kept = || chain().then(numbered("go", 1)).then(numbered("go", 2)).then(numbered("stop", 3));
    let exact = |scenario: Scenario| {
        let lines = [("b", "c", 1), ("c", "d", 2)];
        let told = |(stage, next, x): (&str, &str, i64)| format!("stage.completed {stage} to {next} {{\"seen\":{x}}}");
        lines.into_iter().map(told).fold(scenario, |scenario, line| scenario.sees(&line, 1))
    };
    let orders = (1..=3).fold(chain(), |chain, x| chain.then(numbered("order", x)));
    Pattern::of(24, net)
        .nested_by_call("signals are kept by the workflow, and two instances in one would take each other's")
        .positive(exact(
            scenario("kept in their order, with their data", kept().complete("a").rest())
                .ends(Status::Succeeded)
                .runs("a 1, b 1, c 1, d 1")
                .order("a<b, b<c, c<d"),
        ))
        .positive(exact(
            scenario(
                "the same when they come while their takers wait",
                chain()
                    .complete("a")
                    .any_order([
                        chain().then(numbered("stop", 3)),
                        chain().then(numbered("go", 1)).then(numbered("go", 2)),
                    ])
                    .rest(),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, c 1, d 1"),
        ))
        .positive(
            scenario(
                "each signal starts a thread of its own",
                orders.started("s", 3).complete("s#2").then(close_trigger("s")).rest(),
            )
            .of(&starts)
            .ends(Status::Succeeded)
            .runs("a 1, s 3")
            .sees("stage.completed s {\"of\":1}", 1)
            .sees("stage.completed s {\"of\":2}", 1)
            .sees("stage.completed s {\"of\":3}", 1),
        )
        .negative(
            scenario(
                "the same signal again is the same signal",
                kept().refused(numbered("go", 1), "REPEATED").complete("a").complete("b"),
            )
            .ends(Status::Running)
            .runs("a 1, b 1, c 1, d 0"),
        )
        .negative(
            scenario(
                "one signal does not start two stages, and one of another name none",
                chain().then(numbered("stop", 3)).then(numbered("go", 1)).complete("a").complete("b").live("c", 1),
            )
            .ends(Status::Running)
            .runs("a 1, b 1, c 0, d 0"),
        )
}
