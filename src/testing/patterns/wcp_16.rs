//! WCP-16, Deferred Choice: several branches are offered, and the environment picks one by what comes first.

use super::words::*;

/// A signal of this name for `whom`, not to be kept.
fn now(name: &str, whom: &str) -> Happening {
    signal(name).to(whom).transient()
}

/// Two signals and the clock, each with a branch of its own.
fn three() -> Net {
    Net::of(
        "
        a:
        b: { needs: [a], deferred_choice_group: g, trigger: { signal: pick, durability: transient } }
        c: { needs: [a], deferred_choice_group: g, trigger: { signal: esc, durability: transient } }
        t: { needs: [a], deferred_choice_group: g, trigger: { timer: 1h } }
        b2: { needs: [b] }
        c2: { needs: [c] }
        t2: { needs: [t] }
        m: { needs: [b2, c2, t2], join_type: XOR }
    ",
    )
}

/// A split behind which people choose, one alternative of which waits for something else, too.
fn claims() -> Net {
    Net::of(
        "
        s:
        a: { needs: [s], split_type: DEFERRED }
        x: { needs: [s] }
        b: { needs: [a] }
        c: { needs: [a] }
        d: { needs: [a, x], join_type: OR }
        m: { needs: [b, c, d, x], join_type: OR }
    ",
    )
}

/// Control comes back to the choice.
fn circle() -> Net {
    Net::of(
        "
        a: { join_type: XOR, back_from: [b], split_type: DEFERRED }
        b: { needs: [a] }
        c: { needs: [a] }
    ",
    )
}

pub(super) fn pattern() -> Pattern {
    let pattern = Pattern::of(16, three())
        .called_by_instances("a signal by its name goes to whoever waits for it in a whole workflow");
    refused(negative(circles(claimed(triggered(pattern)))))
}

fn offered() -> Chain {
    let offered = chain().complete("a").live("b", 1).live("c", 1).live("t", 1);
    offered.started("b", 0).started("c", 0).started("t", 0).status(Status::Running)
}

fn triggered(pattern: Pattern) -> Pattern {
    let by =
        |chain: Chain, winner: &'static str| chain.sees(&format!("choice.made {winner}"), 1).started(winner, 1).rest();
    pattern
        .positive(
            scenario(
                "the signal of one withdraws the others and their timer",
                by(offered().pass("59m").then(now("esc", "c")).pass("2h"), "c"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 0, c 1, t 0, b2 0, c2 1, t2 0, m 1")
            .outcomes("b CANCELED, t CANCELED, c SUCCEEDED")
            .sees("stage.canceled b for c", 1)
            .sees("stage.canceled t for c", 1)
            .sees("timer.fired *", 0),
        )
        .positive(
            scenario("the signal of another may be first", by(offered().then(now("pick", "b")), "b"))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, c 0, t 0, b2 1, c2 0, t2 0, m 1")
                .outcomes("t CANCELED, c CANCELED, b SUCCEEDED"),
        )
        .positive(
            scenario("the clock may be first", by(offered().pass("1h"), "t"))
                .ends(Status::Succeeded)
                .runs("a 1, b 0, c 0, t 1, b2 0, c2 0, t2 1, m 1")
                .outcomes("b CANCELED, c CANCELED, t SUCCEEDED"),
        )
        .positive(
            scenario(
                "of two signals the one that is taken in first wins, and the other is lost",
                by(offered().then(now("esc", "c")).then(now("pick", "b")).sees("signal.discarded *", 1), "c"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 0, c 1, t 0, b2 0, c2 1, t2 0, m 1"),
        )
}

fn claimed(pattern: Pattern) -> Pattern {
    let net = claims();
    pattern
        .positive(
            scenario(
                "what has no trigger is claimed, and the token of a join that waits is withdrawn",
                chain()
                    .complete("s")
                    .complete("a")
                    .live("b", 1)
                    .live("c", 1)
                    .live("d", 0)
                    .then(claim("b"))
                    .sees("choice.made b before d", 1)
                    .refused(claim("c"), "NOTHING_TO_CLAIM")
                    .any_order([complete("b"), complete("x")])
                    .rest(),
            )
            .of(&net)
            .ends(Status::Succeeded)
            .runs("s 1, a 1, x 1, b 1, c 0, d 1, m 1")
            .outcomes("c CANCELED, b SUCCEEDED"),
        )
        .positive(
            scenario(
                "an alternative that is a join is chosen like any other",
                chain().complete("s").any_order([complete("a"), complete("x")]).live("d", 1).then(claim("d")).rest(),
            )
            .of(&net)
            .ends(Status::Succeeded)
            .runs("s 1, a 1, x 1, b 0, c 0, d 1, m 1")
            .outcomes("b CANCELED, c CANCELED, d SUCCEEDED"),
        )
}

fn circles(pattern: Pattern) -> Pattern {
    pattern.positive(
        scenario(
            "each turn chooses anew",
            chain()
                .complete("a")
                .then(claim("b"))
                .complete("b")
                .complete("a")
                .then(claim("b#2"))
                .complete("b")
                .complete("a")
                .then(claim("c#3"))
                .rest(),
        )
        .of(&circle())
        .ends(Status::Succeeded)
        .runs("a 3, b 2, c 1")
        .sees("choice.made b", 2)
        .sees("choice.made c", 1),
    )
}

fn negative(pattern: Pattern) -> Pattern {
    let claims = claims();
    pattern
        .negative(
            scenario("nothing runs before something comes", offered().pass("59m"))
                .ends(Status::Running)
                .runs("a 1, b 0, c 0, t 0, b2 0, c2 0, t2 0, m 0"),
        )
        .negative(
            scenario(
                "there are no two winners",
                offered()
                    .then(now("pick", "b"))
                    .then(now("esc", "c"))
                    .pass("2h")
                    .refused(claim("t"), "NOTHING_TO_CLAIM"),
            )
            .ends(Status::Running)
            .runs("a 1, b 1, c 0, t 0, b2 0, c2 0, t2 0, m 0")
            .sees("choice.made b", 1)
            .sees("choice.made c", 0)
            .sees("choice.made t", 0),
        )
        .negative(
            scenario(
                "what was withdrawn cannot be completed",
                chain().complete("s").complete("a").then(claim("c")).refused(complete("b"), "NOT_AWAITED"),
            )
            .of(&claims)
            .ends(Status::Running)
            .runs("s 1, a 1, x 1, b 0, c 1, d 0, m 0"),
        )
}

fn refused(pattern: Pattern) -> Pattern {
    let both = |b: &str, c: &str| Net::of(&format!("a:\nb: {{ {b} }}\nc: {{ {c} }}\n"));
    let group = "needs: [a], deferred_choice_group: g";
    let starved = Net::of(
        "
        a: { split_type: DEFERRED }
        b: { needs: [a] }
        c: { needs: [a] }
        m: { needs: [b, c] }
    ",
    );
    pattern
        .refuses(both(group, "needs: [a]"), ProblemCode::ChoiceOfOne, "g }")
        .refuses(both(group, "needs: [b], deferred_choice_group: g"), ProblemCode::ChoiceWithoutSplit, "g }")
        .refuses(both(&format!("{group}, if: 'true'"), group), ProblemCode::AlternativeHeldBack, "b:")
        .refuses(
            both(group, &format!("{group}, start_time_expiry: 2030-01-01T00:00:00Z")),
            ProblemCode::AlternativeHeldBack,
            "c:",
        )
        .unsound(starved, FindingCode::Deadlock, "m")
}
