//! WCP-10, Arbitrary Cycles: a circle with more than one way in and more than one way out.

use super::words::*;

/// Ways in by `p` and by `q`, ways out to `t` and to `u`; with `rest` beside it.
fn circle(rest: &str) -> Net {
    Net::of(&format!(
        "
        s: {{ split_type: XOR, split_conditions: {{ p: first == 'p' }}, split_default: q }}
        p: {{ needs: [s], back_from: [r], join_type: XOR }}
        q: {{ needs: [s, p], join_type: XOR }}
        r: {{ needs: [q], split_type: XOR, split_conditions: {{ p: next == 'p', t: next == 't' }}, split_default: u }}
        t: {{ needs: [r] }}
        u: {{ needs: [r] }}
        {rest}
    "
    ))
}

/// A chain in which `b` may jump back and forth, and `z` beside it.
fn jumping() -> Net {
    Net::of(
        "
        a:
        b: { needs: [a], jump_targets: [a, d] }
        c: { needs: [b] }
        d: { needs: [c] }
        z:
    ",
    )
}

/// `b` goes back to `a`, from which `c` comes, too; `z` beside them comes from elsewhere, and all meet in `j`.
fn rewinding() -> Net {
    Net::of(
        "
        a:
        b: { needs: [a], jump_targets: [a], jump_mode: rewind }
        c: { needs: [a] }
        z:
        j: { needs: [b, c, z] }
    ",
    )
}

/// The way that the stages are completed in: `s` and `r` tell what comes next.
fn way(begun: Chain, stages: &[&str]) -> Chain {
    let pairs = stages.iter().zip(stages.iter().skip(1).map(Some).chain([None]));
    pairs.fold(begun, |chain, (stage, next)| {
        let key = if *stage == "s" { "first" } else { "next" };
        let done = next.map_or(complete(stage), |next| complete(stage).output(key, *next));
        chain.live(stage, 1).then(done)
    })
}

pub(super) fn pattern() -> Pattern {
    let long = ["s", "q", "r", "p", "q", "r", "t"];
    let beside = |stages: &[&str]| chain().any_order([way(chain(), stages), chain().live("z", 1).complete("z")]);
    jumps(Pattern::of(10, circle("")))
        .positive(
            scenario("in by the second way, round once, out by the first", way(chain(), &long))
                .ends(Status::Succeeded)
                .runs("s 1, p 1, q 2, r 2, t 1, u 0"),
        )
        .positive(
            scenario("in by the first way, out by the second", way(chain(), &["s", "p", "q", "r", "u"]))
                .ends(Status::Succeeded)
                .runs("s 1, p 1, q 1, r 1, t 0, u 1")
                .order("s<p, p<q, q<r, r<u"),
        )
        .positive(
            scenario("round three times", way(chain(), &["s", "p", "q", "r", "p", "q", "r", "p", "q", "r", "u"]))
                .ends(Status::Succeeded)
                .runs("s 1, p 3, q 3, r 3, t 0, u 1"),
        )
        .positive(
            scenario("a thread beside the circle is left alone", beside(&long))
                .of(&circle("z:"))
                .ends(Status::Succeeded)
                .runs("s 1, p 1, q 2, r 2, t 1, u 0, z 1")
                .outcomes("z SUCCEEDED"),
        )
        .negative(
            scenario("a jump that was not declared fails", chain().complete("a").then(jump("b", "c")))
                .of(&jumping())
                .ends(Status::Terminal)
                .runs("a 1, b 1, c 0, d 0, z 1")
                .sees("task.failed b TERMINAL UNDECLARED_JUMP", 1),
        )
        .negative(
            scenario(
                "going back begins nothing beside",
                way(chain(), &["s", "q", "r", "p", "q"]).live("z", 1).live("q", 0),
            )
            .of(&circle("z:"))
            .ends(Status::Running)
            .runs("s 1, p 1, q 2, r 2, t 0, u 0, z 1"),
        )
        .refuses(Net::of("a: { jump_targets: [b] }"), ProblemCode::UnknownStage, "b]")
        .refuses(Net::of("a: { back_from: [b] }\nb: { needs: [a] }"), ProblemCode::CycleOfAndJoins, "a:")
        .refuses(Net::of("a: { needs: [b] }\nb: { needs: [a] }"), ProblemCode::CycleWithoutBackEdge, "a:")
}

/// What jumps make of circles.
fn jumps(pattern: Pattern) -> Pattern {
    pattern
        .positive(
            scenario(
                "a jump back takes along its own thread only",
                chain().any_order([
                    chain().complete("a").then(jump("b", "a")).complete("a").complete("b").complete("c").complete("d"),
                    chain().live("z", 1).complete("z"),
                ]),
            )
            .of(&jumping())
            .ends(Status::Succeeded)
            .runs("a 2, b 2, c 1, d 1, z 1")
            .outcomes("z SUCCEEDED"),
        )
        .positive(
            scenario(
                "a jump forward passes over what lies between",
                chain().complete("a").then(jump("b", "d")).live("d", 1).complete("d").complete("z"),
            )
            .of(&jumping())
            .ends(Status::Succeeded)
            .runs("a 1, b 1, c 0, d 1, z 1"),
        )
        .positive(
            scenario(
                "a jump back that rewinds undoes what came from its target, and nothing else",
                chain()
                    .complete("a")
                    .complete("z")
                    .then(jump("b", "a"))
                    .live("c", 0)
                    .complete("a")
                    .complete("b")
                    .complete("c")
                    .complete("j"),
            )
            .of(&rewinding())
            .ends(Status::Succeeded)
            .runs("a 2, b 2, c 2, z 1, j 1"),
        )
}
