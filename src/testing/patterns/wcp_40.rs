//! WCP-40, Interleaved Routing: each of a set of activities exactly once, in any order, never two at once.

use super::wcp_17::one_of;
use super::words::*;

const MEMBERS: [&str; 4] = ["b", "c", "d", "e"];

/// Four that wait for their signals, then `f`.
fn net() -> Net {
    let member = |name: &str| {
        format!("{name}: {{ needs: [a], trigger: {{ signal: {name} }}, interleave: {{ group: g, order: any }} }}\n")
    };
    let members: String = MEMBERS.iter().map(|name| member(name)).collect();
    Net::of(&format!("a:\n{members}f: {{ needs: [b, c, d, e] }}\n"))
}

fn go(name: &str) -> Happening {
    signal(name).to(name).transient()
}

const ALL: &str = "a 1, b 1, c 1, d 1, e 1, f 1";

pub(super) fn pattern() -> Pattern {
    let in_order = |order: [&str; 4]| {
        let driven = order
            .iter()
            .fold(chain().complete("a"), |chain, name| chain.then(go(name)).started(name, 1).complete(name));
        let pairs = order.windows(2).map(|pair| format!("{}<{}", pair[0], pair[1])).collect::<Vec<String>>().join(", ");
        scenario(&order.join(", "), driven.complete("f"))
            .ends(Status::Succeeded)
            .runs(ALL)
            .order(&pairs)
            .always(one_of(&MEMBERS))
    };
    let suspended = chain().complete("a").then(go("c")).then(suspend("c", ["on"])).then(go("b")).then(go("e"));
    let suspended = suspended.pass("1d").started("b", 0).started("e", 0);
    let needing = Net::of(
        "
        b: { interleave: { group: in_order, order: any } }
        c: { needs: [b], interleave: { group: in_order, order: any } }
    ",
    );
    let orders = [["b", "c", "d", "e"], ["e", "d", "c", "b"], ["c", "e", "b", "d"], ["d", "b", "e", "c"]];
    let pattern = orders.into_iter().fold(Pattern::of(40, net()), |pattern, order| pattern.positive(in_order(order)));
    pattern
        .positive(
            scenario("in whatever order the signals come", chain().complete("a").any_order(MEMBERS.map(go)).rest())
                .ends(Status::Succeeded)
                .runs(ALL)
                .order("b<f, c<f, d<f, e<f")
                .always(one_of(&MEMBERS)),
        )
        .positive(
            scenario(
                "who is suspended keeps the others out",
                suspended.then(signal("on").to("c")).complete("c").then(go("d")).rest(),
            )
            .ends(Status::Succeeded)
            .runs(ALL)
            .order("c<b, c<e")
            .always(one_of(&MEMBERS)),
        )
        .negative(
            scenario(
                "none begins beside another, and f not before the fourth",
                chain()
                    .complete("a")
                    .then(go("b"))
                    .then(go("c"))
                    .complete("b")
                    .complete("c")
                    .then(go("d"))
                    .complete("d"),
            )
            .ends(Status::Running)
            .runs("a 1, b 1, c 1, d 1, e 0, f 0")
            .order("b<c, c<d"),
        )
        .refuses(needing, ProblemCode::InterleavedInOrder, "in_order")
}
