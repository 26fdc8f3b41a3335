//! WCP-41, Thread Merge: a nominated number of threads in one branch become one.

use super::words::*;

/// `a` begins so many threads through `b`, of which `m` merges so many.
fn threads(split: u32, merge: u32) -> Net {
    Net::of(&format!(
        "
        a: {{ split_type: THREAD, thread_count: {split} }}
        b: {{ needs: [a] }}
        m: {{ needs: [b], join_type: THREAD_MERGE, merge_count: {merge} }}
        z: {{ needs: [m] }}
    "
    ))
}

pub(super) fn pattern() -> Pattern {
    instances(threads_of_splits())
}

fn threads_of_splits() -> Pattern {
    let nested = Net::of(
        "
        s: { split_type: THREAD, thread_count: 2 }
        a: { needs: [s], split_type: THREAD, thread_count: 2 }
        b: { needs: [a] }
        m: { needs: [b], join_type: THREAD_MERGE, merge_count: 2 }
        n: { needs: [m], join_type: THREAD_MERGE, merge_count: 2 }
    ",
    );
    let two = || chain().complete("a").complete("b").complete("b").started("m", 0);
    let of_two_splits = chain().complete("s").complete("a").complete("a").live("b", 4);
    let of_two_splits = of_two_splits.complete("b#1").complete("b#3").started("m", 0).complete("b#4").started("m", 1);
    Pattern::of(41, threads(6, 3))
        .positive(
            scenario(
                "every three are one",
                two()
                    .complete("b")
                    .started("m", 1)
                    .complete("b")
                    .complete("b")
                    .started("m", 1)
                    .complete("b")
                    .started("m", 2)
                    .rest(),
            )
            .ends(Status::Succeeded)
            .runs("a 1, b 6, m 2, z 2"),
        )
        .positive(
            scenario("in whatever order they come", chain().complete("a").live("b", 6).rest())
                .ends(Status::Succeeded)
                .runs("a 1, b 6, m 2, z 2"),
        )
        .positive(
            scenario("threads of different splits do not mix", of_two_splits.complete("b#2").started("m", 2).rest())
                .of(&nested)
                .ends(Status::Succeeded)
                .runs("s 1, a 2, b 4, m 2, n 1"),
        )
        .negative(scenario("two are not three", two()).ends(Status::Running).runs("a 1, b 6, m 0, z 0"))
        .negative(
            scenario("a thread that is left over is a deadlock", chain().complete("a").rest())
                .of(&threads(4, 3))
                .ends(Status::Terminal)
                .runs("a 1, b 4, m 1, z 1")
                .sees("workflow.failed DEADLOCK m lacks b", 1),
        )
        .unsound(threads(4, 3), FindingCode::Deadlock, "m")
}

/// Threads that are instances.
fn instances(pattern: Pattern) -> Pattern {
    let of_instances = Net::of(
        "
        a:
        m: { needs: [a], mi_config: { count: 4, sync_on_complete: false, emit: per_instance } }
        n: { needs: [m], join_type: THREAD_MERGE, merge_count: 4 }
        z: { needs: [n] }
    ",
    );
    let of_two = Net::of(
        "
        s: { split_type: THREAD, thread_count: 2 }
        m: { needs: [s], mi_config: { count: 2, sync_on_complete: false, emit: per_instance } }
        n: { needs: [m], join_type: THREAD_MERGE, merge_count: 2 }
    ",
    );
    let one_each = chain().complete("s").live("m", 0).complete("m#1[0]").complete("m#2[1]").started("n", 0);
    pattern
        .positive(
            scenario(
                "instances that each let control go on are threads of theirs",
                chain()
                    .complete("a")
                    .complete("m[2]")
                    .complete("m[0]")
                    .complete("m[1]")
                    .started("n", 0)
                    .complete("m[3]")
                    .started("n", 1)
                    .rest(),
            )
            .of(&of_instances)
            .ends(Status::Succeeded)
            .runs("a 1, m 1, n 1, z 1"),
        )
        .positive(
            scenario(
                "instances of different activations do not mix",
                one_each.complete("m#2[0]").started("n", 1).complete("m#1[1]").started("n", 2).rest(),
            )
            .of(&of_two)
            .ends(Status::Succeeded)
            .runs("s 1, m 2, n 2"),
        )
}
