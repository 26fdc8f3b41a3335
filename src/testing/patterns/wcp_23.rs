//! WCP-23, Transient Trigger: a signal wakes who waits for it, and is gone if nobody does.

use super::words::*;

/// A signal of this name for `whom`, not to be kept.
fn now(name: &str, whom: &str) -> Happening {
    signal(name).to(whom).transient()
}

/// Three threads that each start one stage.
fn merge() -> Net {
    Net::of(
        "
        a:
        b: { needs: [a] }
        c: { needs: [a] }
        e: { needs: [a] }
        m: { needs: [b, c, e], join_type: MULTI_MERGE, trigger: { signal: go, durability: transient } }
    ",
    )
}

pub(super) fn pattern() -> Pattern {
    let net = Net::of(
        "
        a:
        b: { needs: [a], trigger: { signal: go, durability: transient } }
    ",
    );
    let merge = merge();
    let lost = || chain().then(now("go", "b")).sees("signal.discarded *", 1).complete("a").live("b", 1).started("b", 0);
    let three =
        || chain().complete("a").any_order([complete("b"), complete("c"), complete("e")]).live("m", 3).started("m", 0);
    let one = || three().then(now("go", "m#1")).started("m", 1);
    Pattern::of(23, net)
        .called_by_instances("a signal by its name goes to whoever waits for it in a whole workflow")
        .positive(
            scenario(
                "what comes too early is lost, what comes in time starts the stage",
                lost().pass("30d").started("b", 0).then(now("go", "b")).started("b", 1).complete("b"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1")
            .order("a<b")
            .sees("signal.delivered *", 1),
        )
        .positive(
            scenario(
                "one signal too many is lost, and so is one of another name",
                chain()
                    .complete("a")
                    .then(now("stop", "b"))
                    .started("b", 0)
                    .then(now("go", "b"))
                    .then(now("go", "b"))
                    .sees("signal.discarded *", 2)
                    .complete("b"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1"),
        )
        .positive(
            scenario(
                "of three that wait one signal starts one",
                one().then(now("go", "m#2")).started("m", 2).then(now("go", "m#3")).started("m", 3).rest(),
            )
            .of(&merge)
            .ends(Status::Succeeded)
            .runs("a 1, b 1, c 1, e 1, m 3"),
        )
        .positive(
            scenario(
                "without a name of who is meant the longest waits no longer",
                three().then(signal("go")).started("m", 1).then(signal("go")).then(signal("go")).rest(),
            )
            .of(&merge)
            .ends(Status::Succeeded)
            .runs("a 1, b 1, c 1, e 1, m 3")
            .alone("a signal to nobody is for the whole workflow"),
        )
        .negative(
            scenario("the early signal starts nothing later", lost().pass("1d")).ends(Status::Running).runs("a 1, b 0"),
        )
        .negative(
            scenario("one signal does not start two", one())
                .of(&merge)
                .ends(Status::Running)
                .runs("a 1, b 1, c 1, e 1, m 1"),
        )
}
