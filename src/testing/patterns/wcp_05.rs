//! WCP-5, Simple Merge: branches of which one is taken converge, and what arrives goes on at once.

use super::words::*;

pub(super) fn pattern() -> Pattern {
    let arrives = |x: i64, last: &str| {
        let way: &[&str] = match last {
            "b2" => &["b", "b2"],
            "c2" => &["c", "c2"],
            _ => &["e"],
        };
        let begun = chain().then(complete("a").output("x", x)).started("m", 0);
        way.iter().fold(begun, |chain, stage| chain.started("m", 0).complete(stage)).live("m", 1).complete("m")
    };
    Pattern::of(5, wcp_04::net())
        .positive(
            scenario("the merge begins right after the first branch", arrives(1, "b2"))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 1, c 0, c2 0, e 0, m 1"),
        )
        .positive(
            scenario("right after the second", arrives(2, "c2"))
                .ends(Status::Succeeded)
                .runs("a 1, b 0, b2 0, c 1, c2 1, e 0, m 1"),
        )
        .positive(
            scenario("right after the default", arrives(0, "e"))
                .ends(Status::Succeeded)
                .runs("a 1, b 0, b2 0, c 0, c2 0, e 1, m 1"),
        )
        .negative(
            scenario(
                "a branch that was not taken neither fires the merge nor keeps it waiting",
                arrives(1, "b2").refused(complete("c2"), "ENDED").refused(complete("m"), "ENDED"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, b2 1, c 0, c2 0, e 0, m 1"),
        )
        .unsound(
            Net::of(
                "
                a:
                b: { needs: [a] }
                c: { needs: [a] }
                m: { needs: [b, c], join_type: XOR }
            ",
            ),
            FindingCode::UnsafeXorJoin,
            "m",
        )
}
