//! WCP-21, Structured Loop: a block is repeated under a condition that is asked before or after each turn.

use super::words::*;

fn net(test: &str) -> Net {
    Net::of(&format!(
        "
        s:
        l:
          needs: [s]
          loop:
            {test}
            stages:
              x:
              y: {{ needs: [x] }}
        z: {{ needs: [l] }}
    "
    ))
}

/// Turns in which `y` gives these numbers one after the other.
fn turns(from: i64, numbers: &[i64]) -> Chain {
    let begun = chain().then(complete("s").output("n", from));
    numbers
        .iter()
        .fold(begun, |chain, n| chain.live("x", 1).live("z", 0).complete("x").then(complete("y").output("n", *n)))
}

pub(super) fn pattern() -> Pattern {
    let pre = || net("while: n < 3");
    let post = || net("test: post\n            until: n >= 1");
    let nested = Net::of(
        "
        outer:
          loop:
            while: loop.index < 2
            stages:
              inner:
                loop:
                  while: loop.index < 3
                  stages:
                    x:
              y: { needs: [inner] }
        z: { needs: [outer] }
    ",
    );
    let shown = Pattern::of(21, pre())
        .positive(
            scenario(
                "three turns while the condition holds",
                turns(0, &[1, 2, 3]).live("x", 0).live("z", 1).complete("z"),
            )
            .ends(Status::Succeeded)
            .runs("s 1, l 1, x 3, y 3, z 1")
            .order("s<x, x<y, l<z"),
        )
        .positive(
            scenario("no turn if it does not hold at first", turns(5, &[]).live("z", 1).complete("z"))
                .ends(Status::Succeeded)
                .runs("s 1, l 1, x 0, y 0, z 1"),
        )
        .positive(
            scenario("one turn at least if it is asked afterwards", turns(5, &[6]).live("z", 1).complete("z"))
                .of(&post())
                .ends(Status::Succeeded)
                .runs("s 1, l 1, x 1, y 1, z 1"),
        )
        .positive(
            scenario("a loop in a loop", chain().rest())
                .of(&nested)
                .ends(Status::Succeeded)
                .runs("outer 1, inner 2, x 6, y 2, z 1"),
        );
    refused(shown)
}

/// What must not come of it.
fn refused(shown: Pattern) -> Pattern {
    let failing = turns(0, &[1]).complete("x").then(terminal("y"));
    shown
        .negative(
            scenario("there is no turn after one that failed", failing)
                .ends(Status::Terminal)
                .runs("s 1, l 1, x 2, y 2, z 0")
                .outcomes("l TERMINAL"),
        )
        .negative(
            scenario(
                "a condition that cannot be computed is a failure and not false",
                chain().then(complete("s").output("n", "x")),
            )
            .ends(Status::Terminal)
            .runs("s 1, l 1, x 0, y 0, z 0")
            .sees("stage.failed l TERMINAL CONDITION_FAILED", 1),
        )
        .refuses(
            Net::of(
                "
                l:
                  loop:
                    while: x
                    stages:
                      b:
                d: { needs: [b] }
            ",
            ),
            "CROSSES_BLOCK",
            "b]",
        )
        .refuses(
            Net::of(
                "
                l:
                  loop:
                    while: x
                    stages:
                      b:
                d: { needs: [l], jump_targets: [b] }
            ",
            ),
            "CROSSES_BLOCK",
            "b]",
        )
}
