//! WCP-25, Cancel Region: stages that need not be connected are canceled together, now and as far as they come later.

use super::words::*;

pub(super) fn pattern() -> Pattern {
    negative(others(positive(Pattern::of(25, net("{}", "AND", ""))))).refuses(
        Net::of("a: { cancels: [{ region: nowhere }] }"),
        ProblemCode::UnknownRegion,
        "nowhere",
    )
}

/// `a`, then `b` with `b2`, `c` with `c2`, and `k`, which cancels the region of `b`, `b2` and `c2`; then `z`.
fn net(rules: &str, join: &str, k: &str) -> Net {
    let stages = format!(
        "
        a:
        b: {{ needs: [a], cancel_region: r }}
        b2: {{ needs: [b], cancel_region: [r] }}
        c: {{ needs: [a] }}
        c2: {{ needs: [c], cancel_region: [r] }}
        k: {{ needs: [a], cancels: [{{ region: r }}]{k} }}
        z: {{ needs: [b2, c2, k], join_type: {join} }}
    "
    );
    Net::of(&stages).header(&format!("regions: {{ r: {rules} }}"))
}

fn positive(pattern: Pattern) -> Pattern {
    let canceled = chain().complete("a").then(start("b")).complete("k").ended("b", Status::Canceled);
    let bypassed = canceled.ended("b2", Status::Canceled).live("c", 1).live("z", 0).complete("c").complete("z");
    let late = chain().complete("a").complete("b").complete("b2").complete("c").complete("k").complete("z");
    let uncanceled = chain().complete("a").any_order([chain().complete("b").complete("b2"), complete("c").into()]);
    pattern
        .positive(
            scenario("what runs and what comes later is bypassed", bypassed)
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 0, c 1, c2 0, k 1, z 1")
                .outcomes("b CANCELED, b2 CANCELED, c SUCCEEDED, c2 CANCELED, k SUCCEEDED, z SUCCEEDED")
                .sees("region.canceled r by k", 1),
        )
        .positive(
            scenario("what is over stays as it ended", late)
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 1, c 1, c2 1, k 1, z 1")
                .outcomes("b SUCCEEDED, b2 SUCCEEDED, c2 CANCELED"),
        )
        .positive(
            scenario(
                "without a cancel everything runs",
                uncanceled.complete("c2").then(failed_continue("k")).complete("z"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, b2 1, c 1, c2 1, k 1, z 1")
            .outcomes("b SUCCEEDED, c2 SUCCEEDED"),
        )
}

fn others(pattern: Pattern) -> Pattern {
    let allowed = chain().complete("a").complete("k").complete("b2").complete("c").complete("c2").complete("z");
    let removed = chain().complete("a").complete("k").complete("z").complete("c");
    let waits = chain().complete("a").complete("k").live("z", 0).complete("c").complete("z");
    let inside = chain().complete("a").complete("k").complete("c").complete("z");
    pattern
        .positive(
            scenario("what comes later runs where it is allowed", allowed)
                .of(&net("{ future: allow }", "AND", ""))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 1, c 1, c2 1, k 1, z 1")
                .outcomes("b CANCELED, b2 SUCCEEDED, c2 SUCCEEDED"),
        )
        .positive(
            scenario("what is removed emits nothing, and what arrives vanishes", removed)
                .of(&net("{ effect: remove }", "MULTI_MERGE", ""))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 0, c 1, c2 0, k 1, z 1")
                .outcomes("b CANCELED, k SUCCEEDED")
                .sees("tokens.removed c to c2 by region r", 1),
        )
        .positive(
            scenario("a join that waits for what can come waits no longer for what was removed", waits)
                .of(&net("{ effect: remove }", "OR", ""))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 0, c 1, c2 0, k 1, z 1")
                .outcomes("b CANCELED, c SUCCEEDED"),
        )
        .positive(
            scenario("a canceller in its own region is done", inside)
                .of(&net("{}", "AND", ", cancel_region: r"))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 0, c 1, c2 0, k 1, z 1")
                .outcomes("k SUCCEEDED, b CANCELED"),
        )
}

fn negative(pattern: Pattern) -> Pattern {
    let canceled = chain().complete("a").then(start("b")).complete("k");
    let refused = canceled.refused(complete("b"), "NOT_AWAITED").live("c", 1).complete("c").complete("z");
    let starved = chain().complete("a").complete("k").complete("c");
    pattern
        .negative(
            scenario("nothing of the region goes on, nothing else is canceled, no join starves", refused)
                .ends(Status::Succeeded)
                .runs("a 1, b 1, b2 0, c 1, c2 0, k 1, z 1")
                .sees("stage.canceled c by region r", 0),
        )
        .negative(
            scenario("what is removed starves a join that waits for it", starved)
                .of(&net("{ effect: remove }", "AND", ""))
                .ends(Status::Terminal)
                .runs("a 1, b 1, b2 0, c 1, c2 0, k 1, z 0"),
        )
}
