//! WCP-17, Interleaved Parallel Routing: each of a set of activities runs once, in any order that a partial order
//! allows, never two at the same time.

use super::words::*;

/// `b` before `d`, and `c` at any time: each behind a stage that leaves open when it is ready.
fn net() -> Net {
    Net::of(
        "
        a:
        to_b: { needs: [a] }
        to_c: { needs: [a] }
        b: { needs: [to_b], interleave: { group: g, order: partial } }
        c: { needs: [to_c], interleave: { group: g, order: partial } }
        to_d: { needs: [b] }
        d: { needs: [to_d], interleave: { group: g, order: partial } }
        e: { needs: [c, d] }
    ",
    )
}

const ALL: &str = "a 1, to_b 1, to_c 1, b 1, c 1, to_d 1, d 1, e 1";

/// No more than one of these is at work.
pub(super) fn one_of(
    stages: &'static [&'static str],
) -> impl Fn(&View<'_>) -> Result<(), String> + Send + Sync + 'static {
    move |view| {
        let mut at_work = Vec::new();
        for stage in stages {
            if view.runs(stage)? > view.ends(stage)?.len() {
                at_work.push(*stage);
            }
        }
        if at_work.len() > 1 { Err(format!("{} are at work at once", at_work.join(" and "))) } else { Ok(()) }
    }
}

pub(super) fn pattern() -> Pattern {
    const MEMBERS: &[&str] = &["b", "c", "d"];
    let order = |name: &str, chain: Chain, order: &str| {
        scenario(name, chain.complete("e")).ends(Status::Succeeded).runs(ALL).order(order).always(one_of(MEMBERS))
    };
    let begun = || chain().complete("a").complete("to_b").complete("to_c").started("b", 1).started("c", 0);
    let suspended = begun().then(suspend("b", ["go"])).pass("1d").live("c", 1).started("c", 0);
    let choice = Net::of(
        "
        a: { split_type: XOR, split_conditions: { b: x }, split_default: q }
        q: { needs: [a] }
        b: { needs: [a], interleave: { group: under_choice } }
        c: { interleave: { group: under_choice } }
    ",
    );
    Pattern::of(17, net())
        .positive(
            scenario("whoever is ready first goes first", chain().complete("a").rest())
                .ends(Status::Succeeded)
                .runs(ALL)
                .order("b<d")
                .always(one_of(MEMBERS)),
        )
        .positive(order("b, c, d", begun().complete("b").complete("c").complete("to_d").complete("d"), "b<c, c<d"))
        .positive(order(
            "b, d, c",
            chain()
                .complete("a")
                .complete("to_b")
                .complete("b")
                .complete("to_d")
                .complete("d")
                .complete("to_c")
                .complete("c"),
            "b<d, d<c",
        ))
        .positive(order(
            "c, b, d",
            chain()
                .complete("a")
                .complete("to_c")
                .complete("to_b")
                .complete("c")
                .complete("b")
                .complete("to_d")
                .complete("d"),
            "c<b, b<d",
        ))
        .positive(
            scenario(
                "who is suspended lets nobody in",
                suspended.then(signal("go").to("b")).started("c", 0).complete("b").started("c", 1).rest(),
            )
            .ends(Status::Succeeded)
            .runs(ALL)
            .order("b<c"),
        )
        .negative(
            scenario("two are not at work together", begun())
                .ends(Status::Running)
                .runs("a 1, to_b 1, to_c 1, b 1, c 0, to_d 0, d 0, e 0")
                .sees("stage.waiting c for lock", 1),
        )
        .negative(
            scenario("d does not begin before b has ended", chain().complete("a").complete("to_c").complete("c"))
                .ends(Status::Running)
                .runs("a 1, to_b 1, to_c 1, b 0, c 1, to_d 0, d 0, e 0"),
        )
        .refuses(choice, ProblemCode::InterleavedNotOnce, "under_choice")
}
