//! WCP-6, Multi-Choice: one thread goes on into one or more branches, each with a condition of its own.

use super::words::*;

/// The seven ways to take at least one of three branches.
pub(super) const SUBSETS: [&[&str]; 7] =
    [&["b"], &["c"], &["e"], &["b", "c"], &["b", "e"], &["c", "e"], &["b", "c", "e"]];

/// Three branches of two stages, each taken if `a` names it, and `m`, which joins those that were.
pub(super) fn branches(split: &str, join: &str) -> Net {
    Net::of(&format!(
        "
        a: {{ split_type: OR, split_conditions: {{ b: take_b, c: take_c, e: take_e }}{split} }}
        b: {{ needs: [a] }}
        b2: {{ needs: [b] }}
        c: {{ needs: [a] }}
        c2: {{ needs: [c] }}
        e: {{ needs: [a] }}
        e2: {{ needs: [e] }}
        m: {{ needs: [b2, c2, e2], join_type: OR{join} }}
    "
    ))
}

/// `stage` names these branches, and says of the others that they are not to be taken.
pub(super) fn naming(stage: &str, taken: &[&str]) -> Happening {
    let told = |done: Happening, branch: &&str| done.output(&format!("take_{branch}"), taken.contains(branch));
    ["b", "c", "e"].iter().fold(complete(stage), told)
}

/// `a` names these branches.
pub(super) fn taking(taken: &[&str]) -> Chain {
    chain().then(naming("a", taken))
}

/// How often everything runs if these branches are taken.
pub(super) fn runs(taken: &[&str], merges: usize) -> String {
    let count = |branch| usize::from(taken.contains(&branch));
    let branches = ["b", "c", "e"].map(|branch| format!("{branch} {0}, {branch}2 {0}", count(branch)));
    format!("a 1, {}, m {merges}", branches.join(", "))
}

/// Each branch that is taken comes to its end, in whatever order, and only the last lets the merge begin.
pub(super) fn all_come(taken: &[&str]) -> Chain {
    let way = |branch: &&str| chain().complete(branch).started("m", 0).complete(&format!("{branch}2"));
    taking(taken).any_order(taken.iter().map(way)).live("m", 1).complete("m")
}

pub(super) fn pattern() -> Pattern {
    let with_default = branches(", split_default: e", "");
    let each = SUBSETS.iter().fold(Pattern::of(6, branches("", "")), |pattern, taken| {
        let live = |chain: Chain, branch: &&str| chain.live(branch, usize::from(taken.contains(branch)));
        let split = ["b", "c", "e"].iter().fold(taking(taken), live);
        pattern.positive(
            scenario(&format!("of three branches {} go on", taken.join(", ")), split.rest())
                .ends(Status::Succeeded)
                .runs(&runs(taken, 1)),
        )
    });
    each.positive(
        scenario("the default, if no condition holds", taking(&[]).live("e", 1).rest())
            .of(&with_default)
            .ends(Status::Succeeded)
            .runs(&runs(&["e"], 1)),
    )
    .positive(
        scenario("no default, if one holds", taking(&["c"]).live("e", 0).rest())
            .of(&with_default)
            .ends(Status::Succeeded)
            .runs(&runs(&["c"], 1)),
    )
    .negative(
        scenario("no branch and no default is a failure", taking(&[]))
            .ends(Status::Terminal)
            .runs(&runs(&[], 0))
            .sees("workflow.failed STAGE_FAILED a NO_BRANCH", 1),
    )
    .refuses(
        Net::of(
            "
            a: { split_type: OR, split_conditions: { nowhere: x }, split_default: b }
            b: { needs: [a] }
        ",
        ),
        ProblemCode::UnknownStage,
        "nowhere",
    )
}
