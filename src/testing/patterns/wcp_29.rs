//! WCP-29, Cancelling Discriminator: the first branch goes on, the others are withdrawn, and the join starts over.

use super::words::*;

fn race(join: &str) -> Net {
    Net::of(&format!(
        "
        a:
        b: {{ needs: [a] }}
        b2: {{ needs: [b] }}
        c: {{ needs: [a], cancel_region: r }}
        c2: {{ needs: [c], cancel_region: r }}
        e: {{ needs: [a] }}
        e2: {{ needs: [e], cancel_region: r }}
        d: {{ needs: [b2, c2, e2], join_type: DISCRIMINATOR, join_mode: cancelling, {join} }}
    "
    ))
}

pub(super) fn pattern() -> Pattern {
    let won = || {
        let begun = chain().complete("a").any_order([chain().complete("b"), chain().complete("e")]);
        begun.live("e2", 1).complete("b2").live("d", 1).ended("c", Status::Canceled).ended("e2", Status::Canceled)
    };
    let in_region = won().complete("d");
    Pattern::of(29, race("join_pair: a"))
        .positive(
            scenario("the first ends the others, whether they run or were about to", won().complete("d"))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 1, c 1, c2 0, e 1, e2 1, d 1")
                .outcomes("b2 SUCCEEDED, c CANCELED, e2 CANCELED")
                .sees("join.reset d 0 cancelling", 1),
        )
        .positive(
            scenario(
                "another branch wins",
                chain().complete("a").complete("e").complete("e2").live("b", 0).live("c", 0).complete("d"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, b2 0, c 1, c2 0, e 1, e2 1, d 1")
            .outcomes("b CANCELED, c CANCELED, e2 SUCCEEDED"),
        )
        .positive(
            scenario("what lies in a region is withdrawn, and nothing else", in_region)
                .of(&race("join_cancel_scope: { region: r }"))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 1, c 1, c2 0, e 1, e2 1, d 1")
                .outcomes("b2 SUCCEEDED, c CANCELED, e SUCCEEDED, e2 CANCELED"),
        )
        .negative(
            scenario(
                "who lost tells nobody any more",
                won().refused(complete("c"), "NOT_AWAITED").refused(complete("e2"), "NOT_AWAITED"),
            )
            .ends(Status::Running)
            .runs("a 1, b 1, b2 1, c 1, c2 0, e 1, e2 1, d 1")
            .outcomes("c CANCELED, e2 CANCELED"),
        )
        .refuses(
            Net::of(
                "
                a:
                x:
                b: { needs: [a] }
                c: { needs: [a] }
                c2: { needs: [c, x] }
                d: { needs: [b, c2], join_type: DISCRIMINATOR, join_mode: cancelling, join_pair: a }
            ",
            ),
            "OPEN_CANCEL_SCOPE",
            "",
        )
}
