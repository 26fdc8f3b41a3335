//! WCP-43, Explicit Termination: a workflow succeeds when a nominated end is reached, whatever else is in progress.

use super::words::*;

pub(super) fn pattern() -> Pattern {
    let stages = "
        a:
        b: { needs: [a] }
        fin: { needs: [b], end: terminate }
        c: { needs: [a] }
        c2: { needs: [c] }
        fin2: { needs: [c2], end: terminate }
        m: { needs: [a] }
        fin3: { needs: [m], end: terminate }
    ";
    let apart = Net::of(
        "
        a:
        b: { needs: [a], end: terminate }
        c: { needs: [a] }
    ",
    );
    let pattern = Pattern::of(43, Net::of(stages).header("termination: explicit"))
        .nested_by_call("an end inside a block would have to end the block");
    negative(positive(pattern)).refuses(apart.header("termination: explicit"), ProblemCode::NotOnPath, "c:")
}

fn positive(pattern: Pattern) -> Pattern {
    let implicit = Net::of(
        "
        a:
        b: { needs: [a] }
        c: { needs: [a] }
        c2: { needs: [c] }
    ",
    );
    let waits = chain().complete("a").complete("b").status(Status::Running).complete("c").status(Status::Running);
    pattern
        .positive(
            scenario(
                "the first end that is reached is success",
                chain().complete("a").then(start("c")).complete("b").complete("fin"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, fin 1, c 1, c2 0, fin2 0, m 1, fin3 0")
            .outcomes("c CANCELED, m CANCELED, fin SUCCEEDED")
            .sees("stage.canceled c by end", 1),
        )
        .positive(
            scenario("another end is as good", chain().complete("a").complete("c").complete("c2").complete("fin2"))
                .ends(Status::Succeeded)
                .runs("a 1, b 1, fin 0, c 1, c2 1, fin2 1, m 1, fin3 0")
                .outcomes("b CANCELED, m CANCELED"),
        )
        .positive(
            scenario("without nominated ends the workflow waits for all", waits.complete("c2"))
                .of(&implicit)
                .ends(Status::Succeeded)
                .runs("a 1, b 1, c 1, c2 1"),
        )
}

fn negative(pattern: Pattern) -> Pattern {
    let branch = Net::of(
        "
        a: { split_type: XOR, split_conditions: { fin: 'false' }, split_default: $end }
        fin: { needs: [a], end: terminate }
    ",
    );
    let ended = chain().complete("a").complete("b").complete("fin").status(Status::Succeeded);
    pattern
        .negative(
            scenario("what runs out without an end has not succeeded", chain().complete("a"))
                .of(&branch.header("termination: explicit"))
                .ends(Status::Terminal)
                .runs("a 1, fin 0")
                .sees("workflow.failed DEADLOCK", 1),
        )
        .negative(
            scenario(
                "outcomes behind the end change nothing",
                ended.refused(complete("c"), "ENDED").refused(complete("m"), "ENDED"),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 1, fin 1, c 1, c2 0, fin2 0, m 1, fin3 0")
            .sees("workflow.completed", 1),
        )
}
