//! WCP-39, Critical Section: of several connected parts of a workflow only one is at work at a time, and it completes
//! before another begins.

use super::wcp_17::one_of;
use super::words::*;

const SECTIONS: &str = "critical_sections: [{ mutex_key: k, sections: { s1: [b, d], s2: [c, e] } }]";

/// `b` then `d`, and `c` then `e`, each behind a stage that leaves open when it is ready.
fn net() -> Net {
    Net::of(
        "
        a:
        to_b: { needs: [a] }
        to_c: { needs: [a] }
        b: { needs: [to_b] }
        c: { needs: [to_c] }
        d: { needs: [b] }
        e: { needs: [c] }
        z: { needs: [d, e] }
    ",
    )
    .header(SECTIONS)
}

/// The same, where `d` waits for a signal, and `x` cancels it.
fn gap() -> Net {
    Net::of(
        "
        a:
        b: { needs: [a] }
        c: { needs: [a] }
        d: { needs: [b], trigger: { signal: go } }
        e: { needs: [c] }
        x: { needs: [a], cancels: [{ stage: d }] }
    ",
    )
    .header(SECTIONS)
}

/// Once a section has begun, nothing of the other is at work before it has completed.
fn apart(view: &View<'_>) -> Result<(), String> {
    let is_in = |first: &str, last: &str| Ok::<bool, String>(view.runs(first)? > view.ends(last)?.len());
    if is_in("b", "d")? && is_in("c", "e")? { Err("both sections are at work".to_owned()) } else { Ok(()) }
}

/// Each section waits for what the other holds.
fn crossed() -> Net {
    Net::of(
        "
        b: { mutex_key: l }
        c: { mutex_key: other_section }
    ",
    )
    .header("critical_sections: [{ mutex_key: other_section, sections: { s: [b] } }, { mutex_key: l, sections: { t: [c] } }]")
}

/// A section that waits for a stage which it keeps out.
fn stuck() -> Net {
    Net::of(
        "
        b:
        c:
        d: { needs: [b, c] }
    ",
    )
    .header("critical_sections: [{ mutex_key: k, sections: { s1: [b, d], s2: [c] } }]")
}

const ALL: &str = "a 1, to_b 1, to_c 1, b 1, c 1, d 1, e 1, z 1";

pub(super) fn pattern() -> Pattern {
    let order = |name: &str, works: [&str; 7], order: &str| {
        let chain = works.iter().fold(chain().complete("a"), |chain, work| chain.complete(work));
        scenario(name, chain).ends(Status::Succeeded).runs(ALL).order(order).always(apart)
    };
    let in_gap = || chain().complete("a").complete("b").pass("1d").live("d", 1).started("d", 0).started("c", 0);
    let mutex = Net::of(
        "
        a:
        b: { needs: [a], mutex_key: db }
        c: { needs: [a], mutex_key: db }
    ",
    );
    Pattern::of(39, net())
        .nested_by_call("a key excludes in a whole workflow, from one instance to another, too")
        .positive(
            scenario("whichever begins completes first", chain().complete("a").rest())
                .ends(Status::Succeeded)
                .runs(ALL)
                .order("b<d, c<e")
                .always(apart),
        )
        .positive(order("b, d, c, e", ["to_b", "to_c", "b", "d", "c", "e", "z"], "b<d, d<c, c<e"))
        .positive(order("c, e, b, d", ["to_c", "to_b", "c", "e", "b", "d", "z"], "c<e, e<b, b<d"))
        .positive(
            scenario(
                "in the gap between its stages a section keeps the other out",
                in_gap().then(signal("go").to("d")).started("d", 1).complete("d").started("c", 1).rest(),
            )
            .of(&gap())
            .ends(Status::Succeeded)
            .runs("a 1, b 1, c 1, d 1, e 1, x 1")
            .order("d<c"),
        )
        .positive(
            scenario(
                "what is canceled in the gap lets the other begin",
                in_gap().complete("x").ended("d", Status::Canceled).started("c", 1).rest(),
            )
            .of(&gap())
            .ends(Status::Succeeded)
            .runs("a 1, b 1, c 1, d 0, e 1, x 1"),
        )
        .positive(
            scenario("of the stages with one key one is at work", chain().complete("a").started("c", 0).rest())
                .of(&mutex)
                .ends(Status::Succeeded)
                .runs("a 1, b 1, c 1")
                .order("b<c")
                .always(one_of(&["b", "c"])),
        )
        .negative(
            scenario("b, then c, is no order", chain().complete("a").complete("to_b").complete("to_c").complete("b"))
                .ends(Status::Running)
                .runs("a 1, to_b 1, to_c 1, b 1, c 0, d 1, e 0, z 0"),
        )
        .refuses(crossed(), ProblemCode::LockCycle, "other_section }\n")
        .unsound(stuck(), FindingCode::LockOrder, "c")
}
