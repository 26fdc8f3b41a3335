//! WCP-18, Milestone: an activity can begin only while the workflow is in a given state, which it does not change.

use super::words::*;

/// `x` may begin between `p` and `q`, which waits for a signal.
fn net() -> Net {
    Net::of(
        "
        s:
        p: { needs: [s] }
        q: { needs: [p], trigger: { signal: go } }
        r: { needs: [q] }
        x: { needs: [s], milestone_ref_id: p, milestone_status: REACHED, milestone_until: q }
    ",
    )
}

/// The same, where `y` comes before `x`, and `policy` says what becomes of `x` when it is too late.
fn late(policy: &str) -> Net {
    Net::of(&format!(
        "
        s:
        p: {{ needs: [s] }}
        q: {{ needs: [p], trigger: {{ signal: go }} }}
        y: {{ needs: [s] }}
        x:
          needs: [y]
          milestone_ref_id: p
          milestone_status: REACHED
          milestone_until: q
          milestone_policy: {policy}
        z: {{ needs: [x] }}
    "
    ))
}

/// `x` comes back to itself as long as it is told to.
fn circle() -> Net {
    Net::of(
        "
        s:
        p: { needs: [s] }
        q: { needs: [p], trigger: { signal: go } }
        x:
          needs: [s]
          join_type: XOR
          back_from: [n]
          milestone_ref_id: p
          milestone_status: REACHED
          milestone_until: q
        n: { needs: [x], split_type: XOR, split_conditions: { x: again }, split_default: $end }
    ",
    )
}

fn go() -> Happening {
    signal("go").to("q").transient()
}

fn again(name: &str) -> Happening {
    complete(name).output("again", true)
}

fn not_again(name: &str) -> Happening {
    complete(name).output("again", false)
}

pub(super) fn pattern() -> Pattern {
    let early = || chain().complete("s").live("x", 1).started("x", 0).complete("p").started("x", 1).live("q", 1);
    let missed = || chain().complete("s").complete("p").then(go()).started("q", 1).complete("y");
    let round = |chain: Chain| chain.then(again("x")).then(again("n"));
    let three = round(round(chain().complete("s").complete("p").started("q", 0))).started("x", 3);
    let nowhere = Net::of(
        "
        a: { milestone_ref_id: nowhere }
    ",
    );
    positive(Pattern::of(18, net()), early(), missed(), three)
        .negative(
            scenario("x does not begin before p has completed", chain().complete("s").pass("1d"))
                .ends(Status::Running)
                .runs("s 1, p 1, q 0, r 0, x 0"),
        )
        .negative(
            scenario("x does not begin after q has begun", missed())
                .of(&late("wait"))
                .ends(Status::Running)
                .runs("s 1, p 1, q 1, y 1, x 0, z 0"),
        )
        .negative(
            scenario("x takes nothing of the state: q can begin", early().then(go()).started("q", 1))
                .ends(Status::Running)
                .runs("s 1, p 1, q 1, r 0, x 1"),
        )
        .refuses(nowhere, ProblemCode::UnknownStage, "nowhere }")
}

fn positive(pattern: Pattern, early: Chain, missed: Chain, three: Chain) -> Pattern {
    pattern
        .positive(
            scenario("it begins when the state is reached, and leaves it as it is", early.then(go()).rest())
                .ends(Status::Succeeded)
                .runs("s 1, p 1, q 1, r 1, x 1")
                .order("p<x, p<q"),
        )
        .positive(
            scenario("it begins at once where the state is reached already", {
                chain().complete("s").complete("p").complete("y").started("x", 1).then(go()).rest()
            })
            .of(&late("wait_skip"))
            .ends(Status::Succeeded)
            .runs("s 1, p 1, q 1, y 1, x 1, z 1"),
        )
        .positive(
            scenario("when the state is over it is passed by", missed.ended("x", Status::Skipped).rest())
                .of(&late("wait_skip"))
                .ends(Status::Succeeded)
                .runs("s 1, p 1, q 1, y 1, x 0, z 1"),
        )
        .positive(
            scenario(
                "it runs as often as it comes while the state lasts",
                three.then(not_again("x")).then(not_again("n")).then(go()).rest(),
            )
            .of(&circle())
            .ends(Status::Succeeded)
            .runs("s 1, p 1, q 1, x 3, n 3"),
        )
}
