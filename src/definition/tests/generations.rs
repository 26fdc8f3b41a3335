//! Joins that count arrivals and merges of threads: what is inferred, what is refused, and how they are written.

use super::read as definition;
use crate::definition::{
    Builder, CancellingJoin, Definition, Join, JoinMode, JoinSpec, OnUnreachable, OrJoin, OrScope, PartialJoin,
    ResetOn, Rest, Stage,
};
use crate::ids::StageIndex;

/// `a`, then `b`, `c` and `e` at once, and `d` with this join after them.
fn joined(stages: &str, join: &str) -> String {
    format!(
        "name: x\nstages:\n  a:\n  b: {{ needs: [a] }}\n  c: {{ needs: [a] }}\n  e: {{ needs: [a] }}\n{stages}  \
         d: {{ needs: [b, c, e], {join} }}\n"
    )
}

fn rest(text: &str) -> Rest {
    let definition = definition(text);
    let stage = definition.graph().stage_index("d").unwrap();
    definition.graph().stage(stage).generations.clone().unwrap().rest
}

/// The codes of what is wrong with it.
fn codes(text: &str) -> Vec<&'static str> {
    let problems = Definition::from_yaml(text).err();
    problems.iter().flat_map(|problems| problems.iter()).map(|problem| problem.code().name()).collect()
}

fn warned(text: &str) -> Vec<&'static str> {
    definition(text).warnings().iter().map(|problem| problem.code().name()).collect()
}

#[test]
fn a_join_of_the_branches_of_one_parallel_split_is_structured_without_being_told() {
    let text = joined("", "join_type: DISCRIMINATOR");
    assert_eq!(rest(&text), Rest::Swallowed { pair: Some(StageIndex::new(0)) });
    assert_eq!(warned(&text), [] as [&str; 0]);
    // The start is a split, too.
    let text = "{ name: x, stages: { b: , c: , d: { needs: [b, c], join_type: DISCRIMINATOR } } }";
    assert_eq!(rest(text), Rest::Swallowed { pair: None });
    // Splits and joins inside of a branch that fit each other leave one token.
    let text = "
name: x
stages:
  a:
  b: { needs: [a], split_type: XOR, split_conditions: { b1: 'true' }, split_default: b2 }
  b1: { needs: [b] }
  b2: { needs: [b] }
  b3: { needs: [b1, b2], join_type: XOR }
  c: { needs: [a] }
  c1: { needs: [c] }
  c2: { needs: [c] }
  c3: { needs: [c1, c2] }
  e: { needs: [a] }
  e1: { needs: [e] }
  e2: { needs: [e] }
  e3: { needs: [e1, e2], join_type: DISCRIMINATOR }
  d: { needs: [b3, c3, e3], join_type: N_OF_M, join_threshold: 2 }
";
    assert_eq!(rest(text), Rest::Swallowed { pair: Some(StageIndex::new(0)) });
}

#[test]
fn where_the_structure_is_absent_the_join_blocks_with_a_doubt_and_structured_is_refused() {
    let around = [
        // A branch that is not always taken.
        "
name: x
stages:
  a: { split_type: XOR, split_conditions: { b: 'true' }, split_default: c }
  b: { needs: [a] }
  c: { needs: [a] }
  d: { needs: [b, c], JOIN }
",
        // A branch that leads out.
        "
name: x
stages:
  a:
  b: { needs: [a] }
  c: { needs: [a] }
  o: { needs: [c] }
  d: { needs: [b, c], JOIN }
",
        // A branch of the split that leads past the join.
        "{ name: x, stages: { a: , b: { needs: [a] }, c: { needs: [a] }, o: { needs: [a] }, d: { needs: [b, c], JOIN } } }",
        // Two tokens in one branch.
        "
name: x
stages:
  a:
  b: { needs: [a] }
  b1: { needs: [b] }
  b2: { needs: [b] }
  b3: { needs: [b1, b2], join_type: MULTI_MERGE }
  c: { needs: [a] }
  d: { needs: [b3, c], JOIN }
",
        // A branch that may end before the join.
        "
name: x
stages:
  a:
  b: { needs: [a], split_type: XOR, split_conditions: { b1: 'true', $end: 'true' } }
  b1: { needs: [b] }
  c: { needs: [a] }
  d: { needs: [b1, c], JOIN }
",
    ];
    for text in around {
        let unsaid = text.replace("JOIN", "join_type: DISCRIMINATOR");
        assert_eq!(rest(&unsaid), Rest::Blocked { reset_on: ResetOn::Active }, "{text}");
        assert!(warned(&unsaid).contains(&"JOIN_BLOCKS"), "{text}");
        let said = text.replace("JOIN", "join_type: DISCRIMINATOR, join_mode: structured");
        assert_eq!(codes(&said), ["NOT_STRUCTURED"], "{text}");
        let problems = Definition::from_yaml(&said).unwrap_err();
        let problem = problems.iter().next().unwrap();
        assert!(problem.help().is_some_and(|help| help.contains("join_mode: blocking")), "{problem:?}");
        let blocking = text.replace("JOIN", "join_type: DISCRIMINATOR, join_mode: blocking");
        assert!(!warned(&blocking).contains(&"JOIN_BLOCKS"), "{text}");
    }
}

#[test]
fn what_cannot_be_is_refused_by_its_name() {
    for (join, code) in [
        ("join_type: N_OF_M", "MISSING_KEY"),
        ("join_type: N_OF_M, join_threshold: 0", "OUT_OF_RANGE"),
        ("join_type: N_OF_M, join_threshold: 4", "THRESHOLD_TOO_LARGE"),
        ("join_type: N_OF_M, join_threshold: '${{ inputs.n }}'", "NOT_SUPPORTED"),
        ("join_type: DISCRIMINATOR, join_threshold: 1", "JOIN_FIELD_WITHOUT_JOIN"),
        ("join_type: DISCRIMINATOR, on_unreachable: skip", "JOIN_FIELD_WITHOUT_JOIN"),
        ("join_mode: blocking", "JOIN_FIELD_WITHOUT_JOIN"),
        ("join_type: XOR, join_pair: a", "JOIN_FIELD_WITHOUT_JOIN"),
        ("join_type: DISCRIMINATOR, join_pair: b", "WRONG_JOIN_PAIR"),
        ("join_type: DISCRIMINATOR, join_pair: nowhere", "UNKNOWN_STAGE"),
        ("join_type: DISCRIMINATOR, join_mode: structured, reset_on: active", "NOT_SUPPORTED"),
        ("join_type: DISCRIMINATOR, join_mode: cancelling, reset_on: all", "CONFLICTING_KEYS"),
        ("join_type: DISCRIMINATOR, join_cancel_scope: upstream", "CONFLICTING_KEYS"),
        ("join_type: DISCRIMINATOR, join_mode: cancelling, join_cancel_scope: { stages: [d] }", "OPEN_CANCEL_SCOPE"),
        ("join_type: DISCRIMINATOR, join_mode: cancelling, join_cancel_scope: { region: r }", "UNKNOWN_REGION"),
        ("join_type: DISCRIMINATOR, join_mode: cancelling, join_cancel_scope: { region: [r] }", "WRONG_TYPE"),
        ("join_type: DISCRIMINATOR, join_mode: cancelling, join_cancel_scope: downstream", "BAD_VALUE"),
        ("join_type: THREAD_MERGE, merge_count: 2", "MERGE_OF_SEVERAL_ARCS"),
        ("merge_count: 2", "JOIN_FIELD_WITHOUT_JOIN"),
        ("split_type: THREAD, thread_count: 0", "OUT_OF_RANGE"),
        ("split_type: THREAD, thread_count: 1", "OUT_OF_RANGE"),
        ("split_type: THREAD", "MISSING_KEY"),
        ("thread_count: 2", "SPLIT_FIELD_WITHOUT_SPLIT"),
    ] {
        assert_eq!(codes(&joined("", join)), [code], "{join}");
    }
    let merge =
        |keys: &str| format!("{{ name: x, stages: {{ a: , m: {{ needs: [a], join_type: THREAD_MERGE, {keys} }} }} }}");
    assert_eq!(codes(&merge("merge_count: 1")), ["OUT_OF_RANGE"]);
    assert_eq!(codes(&merge("merge_group: any, merge_count: 2")), ["NOT_SUPPORTED"]);
    assert_eq!(codes(&merge("")), ["MISSING_KEY"]);
    assert_eq!(codes(&merge("merge_group: innermost, merge_count: 2")), [] as [&str; 0]);
}

#[test]
fn a_cancelling_join_withdraws_what_lies_between_it_and_its_split_if_nothing_else_leads_in_or_out() {
    let race = |more: &str| {
        format!(
            "
name: x
stages:
  a:
  b: {{ needs: [a] }}
  c: {{ needs: [a] }}
  c2: {{ needs: [c] }}
  d: {{ needs: [b, c2], join_type: DISCRIMINATOR, join_mode: cancelling }}
{more}"
        )
    };
    let stages = |places: &[u32]| Rest::Withdrawn { stages: places.iter().copied().map(StageIndex::new).collect() };
    assert_eq!(rest(&race("")), stages(&[1, 2, 3]));
    let paired = race("").replace("cancelling", "cancelling, join_pair: a");
    assert_eq!(definition(&paired).hash(), definition(&race("")).hash());
    // A way out of the scope.
    assert_eq!(codes(&race("  o: { needs: [c] }")), ["OPEN_CANCEL_SCOPE"]);
    // A way in: the branches do not come from `a` any more.
    let opened = paired.replace("needs: [c]", "needs: [c, x]") + "  x:\n";
    assert_eq!(codes(&opened), ["OPEN_CANCEL_SCOPE"]);
    let named = race("  o: { needs: [c] }").replace("cancelling", "cancelling, join_cancel_scope: { stages: [c2, b] }");
    assert_eq!(rest(&named), stages(&[1, 3]));
}

#[test]
fn a_cancelling_join_may_withdraw_the_stages_of_a_region_beside_it() {
    let race = |b: &str, d: &str, more: &str| {
        format!(
            "
name: x
stages:
  a:
  b: {{ needs: [a]{b} }}
  c: {{ needs: [a], cancel_region: r }}
  c2: {{ needs: [c], cancel_region: [q, r] }}
  o: {{ needs: [c] }}
  d: {{ needs: [b, c2], join_type: DISCRIMINATOR, join_mode: cancelling, join_cancel_scope: {d} }}
{more}"
        )
    };
    let region = race("", "{ region: r }", "");
    let stages = |places: &[u32]| Rest::Withdrawn { stages: places.iter().copied().map(StageIndex::new).collect() };
    assert_eq!(rest(&region), stages(&[2, 3]));
    assert_eq!(rest(&race("", "{ region: q }", "")), stages(&[3]));
    // What is said of the region is about those who cancel it.
    let declared = race("", "{ region: r }", "regions: { r: { effect: remove, future: allow } }");
    assert_eq!(rest(&declared), stages(&[2, 3]));
    let by_name = race("", "{ stages: [c, c2] }", "");
    assert_eq!(definition(&region).hash(), definition(&by_name).hash());
    let back = Definition::from_normal(&definition(&region).to_json()).unwrap();
    assert_eq!(back.graph(), definition(&region).graph());
    let stage = |name: &str, needs: &[&str]| Stage::new(name).needs(needs.iter().copied());
    let d: CancellingJoin = PartialJoin::discriminator().cancelling().region("r");
    let of_code = [
        Stage::new("a"),
        stage("b", &["a"]),
        stage("c", &["a"]).cancel_region(["r"]),
        stage("c2", &["c"]).cancel_region(["q", "r"]),
        stage("o", &["c"]),
        stage("d", &["b", "c2"]).join(d),
    ];
    let built = of_code.into_iter().fold(Definition::builder("x"), Builder::stage).build().unwrap();
    assert_eq!(built.hash(), definition(&region).hash());
    // It would be withdrawn with them.
    let own = race("", "{ region: r }, cancel_region: r", "");
    assert_eq!(codes(&own), ["OPEN_CANCEL_SCOPE"]);
    // Stages of a block around or inside it are none of its own.
    let inside = race("", "{ region: z }", "  l: { loop: { while: 'false', stages: { m: { cancel_region: z } } } }");
    assert_eq!(codes(&inside), ["OPEN_CANCEL_SCOPE"]);
    let named = race("", "{ stages: [m] }", "  l: { loop: { while: 'false', stages: { m: } } }");
    assert_eq!(codes(&named), ["CROSSES_BLOCK"], "{named}");
    let both = race(
        ", cancel_region: z",
        "{ region: z }",
        "  l: { loop: { while: 'false', stages: { m: { cancel_region: z } } } }",
    );
    assert_eq!(rest(&both), stages(&[1]));
}

#[test]
fn the_builder_makes_the_same_and_the_normal_form_is_read_back() {
    let built = |join: JoinSpec| {
        let stage = |name: &str| Stage::new(name).needs(["a"]);
        let d = Stage::new("d").needs(["b", "c", "e"]).join(join);
        let builder = Definition::builder("x").stage(Stage::new("a"));
        [stage("b"), stage("c"), stage("e"), d].into_iter().fold(builder, Builder::stage).build().unwrap()
    };
    let scope: CancellingJoin = PartialJoin::n_of_m(2).cancelling().stages(["c", "b"]);
    for (join, text) in [
        (PartialJoin::discriminator().into(), "join_type: DISCRIMINATOR"),
        (PartialJoin::n_of_m(2).structured().pair("a").into(), "join_type: N_OF_M, join_threshold: 2"),
        (
            PartialJoin::n_of_m(3).on_unreachable(OnUnreachable::Skip).blocking().reset_on(ResetOn::All).into(),
            "join_type: n_of_m, join_threshold: 3, on_unreachable: skip, join_mode: BLOCKING, reset_on: all",
        ),
        (
            scope.into(),
            "join_type: N_OF_M, join_threshold: 2, join_mode: cancelling, join_cancel_scope: { stages: [b, c] }",
        ),
        (Join::Xor.into(), "join_type: XOR"),
        (OrJoin::of(OrScope::Acyclic).pair("a").into(), "join_type: OR, or_scope: acyclic, join_pair: a"),
    ] {
        let (built, read) = (built(join), definition(&joined("", text)));
        assert_eq!(built.hash(), read.hash(), "{text}");
        let back = Definition::from_normal(&read.to_json()).unwrap();
        assert_eq!(back.graph(), read.graph(), "{text}");
    }
    let threads = "
name: x
stages:
  a: { split_type: THREAD, thread_count: 3 }
  m: { needs: [a], join_type: THREAD_MERGE, merge_count: 3 }
";
    let read = definition(threads);
    assert_eq!(Definition::from_normal(&read.to_json()).unwrap().graph(), read.graph());
    let merge = Stage::new("m").needs(["a"]).join(JoinSpec::thread_merge(3));
    let built = Definition::builder("x").stage(Stage::new("a").threads(3)).stage(merge).build().unwrap();
    assert_eq!(built.hash(), read.hash());
}

#[test]
fn an_outline_tells_how_a_join_counts() {
    let read = definition(&joined("", "join_type: N_OF_M, join_threshold: 2, join_mode: blocking"));
    let d = read.stages().nth(4).unwrap();
    assert_eq!((d.join(), d.join_threshold(), d.join_mode()), (Join::NOfM, Some(2), Some(JoinMode::Blocking)));
    assert_eq!((d.merge_count(), d.thread_count()), (None, None));
}
