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
    let begun = || chain().complete("a");
    let nothing_more = |chain: Chain| {
        ["a", "b", "c", "d"].into_iter().fold(chain, |chain, stage| chain.refused(complete(stage), "ENDED"))
    };
    Pattern::of(20, net)
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
                .ends_everything(),
        )
        .negative(
            scenario("a canceled workflow does not succeed later", nothing_more(chain().then(cancel())))
                .ends(Status::Canceled)
                .runs("a 1, b 0, c 0, d 0")
                .sees("workflow.completed", 0),
        )
}
