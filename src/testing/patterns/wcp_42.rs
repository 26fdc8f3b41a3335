//! WCP-42, Thread Split: a nominated number of threads begin along one branch.

use super::words::*;

fn net(count: u32) -> Net {
    Net::of(&format!(
        "
        a: {{ split_type: THREAD, thread_count: {count} }}
        b: {{ needs: [a], join_type: MULTI_MERGE }}
        c: {{ needs: [b], join_type: MULTI_MERGE }}
    "
    ))
}

pub(super) fn pattern() -> Pattern {
    let split = || chain().complete("a").live("b", 3);
    Pattern::of(42, net(3))
        .positive(
            scenario(
                "the threads do not wait for each other",
                split().complete("b#2").live("c", 1).live("b", 2).rest(),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 3, c 3"),
        )
        .positive(scenario("in whatever order they go", split().rest()).ends(Status::Succeeded).runs("a 1, b 3, c 3"))
        .negative(
            scenario("no thread is taken for another", split().complete("b").complete("b").complete("b").live("c", 3))
                .ends(Status::Running)
                .runs("a 1, b 3, c 3"),
        )
        .refuses(net(0), ProblemCode::OutOfRange, "0")
}
