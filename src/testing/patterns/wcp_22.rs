//! WCP-22, Recursion: a stage calls the definition in which it stands, down to the one that does not call again.

use super::words::*;

/// Two definitions that call each other; the second one counts down.
fn mutual() -> Net {
    let pong = Net::of("r: { sub_workflow: { definition: ping, input: { n: '${{ inputs.n }}' } } }").header(N);
    let ping = Net::of(
        "
        a: { split_type: XOR, split_conditions: { e: inputs.n == 0 }, split_default: r }
        r: { needs: [a], sub_workflow: { definition: pong, input: { n: '${{ less }}' } } }
        e: { needs: [a, r], join_type: XOR }
    ",
    )
    .header(N);
    Net::of("r: { sub_workflow: { definition: ping, input: { n: '${{ inputs.n }}' } } }")
        .header(N)
        .definition("ping", &ping)
        .definition("pong", &pong)
}

const N: &str = "inputs: { n: { type: integer } }";

/// All the way down from `n`, and up again: what is below has ended before `e` begins.
fn down_and_up(n: i64) -> Chain {
    if n == 0 {
        return chain().complete("a").started("r", 0).then(complete("e").output("sum", 0));
    }
    chain()
        .then(complete("a").output("less", n - 1))
        .live("r", 1)
        .called("r", chain().started("e", 0))
        .started("e", 0)
        .called("r", down_and_up(n - 1).status(Status::Succeeded))
        .ended("r", Status::Succeeded)
        .live("e", 1)
        .then(complete("e").output("sum", n * (n + 1) / 2))
}

/// So many calls below, and what happens then.
fn at_depth(depth: i64, then: Chain) -> Chain {
    (0..depth).fold(then, |then, above| chain().then(complete("a").output("less", above)).called("r", then))
}

/// All that were called have ended so.
fn every_one(depth: i64, status: Status) -> Chain {
    (0..depth).fold(chain().status(status), |below, _| chain().status(status).called("r", below))
}

/// Down without an end, until a call is refused.
fn endless() -> Chain {
    let again = || complete("a").output("less", -1);
    let refused = chain().then(again()).ended("r", Status::Terminal).status(Status::Terminal);
    (0..100).fold(refused, |below, _| chain().then(again()).called("r", below))
}

/// The course of [`mutual`] for 1.
fn ping_pong() -> Chain {
    chain()
        .called("r", chain().then(complete("a").output("less", 0)))
        .called(
            "r",
            chain().called("r", chain().called("r", chain().complete("a").complete("e").status(Status::Succeeded))),
        )
        .live("r", 1)
        .called("r", chain().complete("e"))
}

pub(super) fn pattern() -> Pattern {
    let net = Net::of(
        "
        a: { split_type: XOR, split_conditions: { e: inputs.n == 0 }, split_default: r }
        r:
          needs: [a]
          sub_workflow:
            { definition: $self, input: { n: '${{ less }}' }, output: { below: '${{ child.outputs.sum }}' } }
        e: { needs: [a, r], join_type: XOR }
    ",
    )
    .header(N);
    let always_again = Net::of("r: { sub_workflow: { definition: $self, input: { n: '${{ inputs.n }}' } } }").header(N);
    let mutual = mutual();
    Pattern::of(22, net)
        .nested_by_call("$self is the whole definition")
        .positive(
            scenario("three calls, one in the other, end from the inside out", down_and_up(3))
                .input("n", 3)
                .ends(Status::Succeeded)
                .runs("a 1, r 1, e 1")
                .order("a<r, r<e")
                .sees("child.started *", 1)
                .sees("child.ended *", 1),
        )
        .positive(
            scenario("the path that does not call", down_and_up(0))
                .input("n", 0)
                .ends(Status::Succeeded)
                .runs("a 1, r 0, e 1")
                .sees("child.started *", 0),
        )
        .positive(
            scenario("two definitions that call each other", ping_pong())
                .of(&mutual)
                .input("n", 1)
                .ends(Status::Succeeded)
                .runs("r 1"),
        )
        .negative(
            scenario("a failure at the bottom is the failure of all above", {
                at_depth(3, chain().then(terminal("a"))).called("r", every_one(2, Status::Terminal))
            })
            .input("n", 3)
            .ends(Status::Terminal)
            .runs("a 1, r 1, e 0")
            .outcomes("r TERMINAL"),
        )
        .negative(
            scenario("a cancel of the outermost reaches the innermost", {
                at_depth(3, chain().status(Status::Running)).then(cancel()).called("r", every_one(2, Status::Canceled))
            })
            .input("n", 3)
            .ends(Status::Canceled)
            .runs("a 1, r 1, e 0")
            .outcomes("r CANCELED"),
        )
        .negative(
            scenario("calls without an end have a limit", endless())
                .input("n", -1)
                .ends(Status::Terminal)
                .runs("a 1, r 1, e 0")
                .outcomes("r TERMINAL"),
        )
        .refuses(always_again, "NO_BASE_CASE", "name")
}
