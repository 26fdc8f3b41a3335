//! WCP-20, Cancel Case: a whole workflow is withdrawn, whatever of it runs or is still to come.

use super::words::*;

pub(super) fn pattern() -> Pattern {
    let net = Net::of(
        "
        a:
        b: { needs: [a] }
        c: { needs: [a] }
        d: { needs: [b, c] }
    ",
    );
    by_stages(by_request(Pattern::of(20, net))).refuses(
        Net::of("a: { cancels: everything }"),
        ProblemCode::BadValue,
        "everything",
    )
}

/// Everything is refused from here on.
fn nothing_more(chain: Chain) -> Chain {
    ["a", "b", "c", "d"].into_iter().fold(chain, |chain, stage| chain.refused(complete(stage), "ENDED"))
}

fn by_request(pattern: Pattern) -> Pattern {
    let modelled = Net::of(
        "
        a:
        b: { needs: [a] }
        c: { needs: [a] }
        k: { needs: [a], cancels: [{ workflow: true }] }
        d: { needs: [b, c] }
    ",
    );
    let begun = || chain().complete("a");
    pattern
        .positive(
            scenario("nobody cancels", begun().any_order([complete("b"), complete("c")]).complete("d"))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, c 1, d 1"),
        )
        .positive(
            scenario("what runs is canceled and nothing begins", nothing_more(begun().then(cancel())))
                .ends(Status::Canceled)
                .runs("a 1, b 1, c 1, d 0")
                .outcomes("a SUCCEEDED, b CANCELED, c CANCELED")
                .ends_everything(),
        )
        .positive(
            scenario("what has ended stays as it ended", nothing_more(begun().complete("c").then(cancel())))
                .ends(Status::Canceled)
                .runs("a 1, b 1, c 1, d 0")
                .outcomes("b CANCELED, c SUCCEEDED")
                .sees("tokens.left c to d", 1)
                .ends_everything(),
        )
        .positive(
            scenario(
                "a stage withdraws the workflow it belongs to",
                nothing_more(begun().live("b", 1).live("c", 1).complete("k")).refused(complete("k"), "ENDED"),
            )
            .of(&modelled)
            .ends(Status::Canceled)
            .runs("a 1, b 1, c 1, k 1, d 0")
            .outcomes("a SUCCEEDED, b CANCELED, c CANCELED"),
        )
        .negative(
            scenario("a canceled workflow does not succeed later", nothing_more(chain().then(cancel())))
                .ends(Status::Canceled)
                .runs("a 1, b 0, c 0, d 0")
                .sees("workflow.completed", 0),
        )
}

fn by_stages(pattern: Pattern) -> Pattern {
    let net = Net::of(
        "
        a:
        b: { needs: [a] }
        c: { needs: [a], scheduled_time: 2027-01-01T00:00:00Z }
        d: { needs: [b, c] }
        k: { needs: [a], cancels: workflow }
        l: { needs: [k] }
    ",
    );
    let canceled = || nothing_more(chain().complete("a").then(start("b")).complete("k").status(Status::Canceled));
    let failed = chain().complete("a").complete("b").then(failed_continue("k")).complete("l").pass("400d").rest();
    pattern
        .positive(
            scenario("a stage of the definition cancels the workflow", canceled())
                .of(&net)
                .ends(Status::Canceled)
                .runs("a 1, b 1, c 0, d 0, k 1, l 0")
                .outcomes("b CANCELED, c CANCELED, k SUCCEEDED")
                .sees("stage.canceled b by workflow", 1)
                .ends_everything(),
        )
        .positive(
            scenario("a stage that fails cancels nothing", failed)
                .of(&net)
                .ends(Status::Succeeded)
                .runs("a 1, b 1, c 1, d 1, k 1, l 1")
                .alone("the time of day goes on from round to round"),
        )
        .negative(
            scenario("nothing happens behind the cancel", {
                canceled().refused(start("b"), "ENDED").refused(cancel(), "ENDED").refused(complete("l"), "ENDED")
            })
            .of(&net)
            .ends(Status::Canceled)
            .runs("a 1, b 1, c 0, d 0, k 1, l 0")
            .sees("workflow.completed", 0),
        )
}
