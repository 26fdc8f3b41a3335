//! OR-joins of which something is known: what is held against the graph, and how it is written.

use super::read as definition;
use crate::definition::{Definition, OrScope};
use crate::limits::LISTED_MAX;

/// What is wrong with it: codes, and what is said.
fn wrong(text: &str) -> Vec<(&'static str, String)> {
    let problems = Definition::from_yaml(text).err();
    let problems = problems.iter().flat_map(|problems| problems.iter());
    problems.map(|problem| (problem.code().name(), problem.message().to_owned())).collect()
}

/// `a` chooses among `b`, `c` and `e`, each of which `b2`, `c2` and `e2` follow; `m` brings them together.
fn branches(more: &str, join: &str) -> String {
    format!(
        "
name: x
stages:
  s:
  a: {{ needs: [s], split_type: OR, split_conditions: {{ b: 'true', c: 'true' }}, split_default: e }}
  b: {{ needs: [a] }}
  b2: {{ needs: [b] }}
  c: {{ needs: [a] }}
  c2: {{ needs: [c] }}
  e: {{ needs: [a] }}
  e2: {{ needs: [e] }}
  m: {{ needs: [b2, c2, e2], join_type: OR, {join} }}
{more}"
    )
}

#[test]
fn the_branches_of_one_choice_are_structured() {
    for (join, scope) in [
        ("or_scope: structured", OrScope::Structured),
        ("or_scope: structured, join_pair: a", OrScope::Structured),
        ("or_scope: acyclic, join_pair: a", OrScope::Acyclic),
        ("or_scope: general", OrScope::General),
        ("join_pair: a", OrScope::General),
    ] {
        let read = definition(&branches("", join));
        let m = read.graph().stage_index("m").unwrap();
        assert_eq!(read.graph().stage(m).or_scope, scope, "{join}");
        let again = Definition::from_normal(&read.to_json()).unwrap();
        assert_eq!((again.graph().stage(m).or_scope, again.hash()), (scope, read.hash()), "{join}");
    }
    // What says nothing is written as if nothing had been said.
    let unsaid = definition(&branches("", "reentry: parallel"));
    assert_eq!(unsaid.hash(), definition(&branches("", "or_scope: general, join_pair: a")).hash());
}

#[test]
fn all_of_a_region_between_the_two_may_be_canceled() {
    let text = "
name: x
regions: { r: { effect: remove } }
stages:
  a: { split_type: OR, split_conditions: { b: 'true' }, split_default: c }
  b: { needs: [a], cancel_region: [r] }
  c: { needs: [a], cancel_region: [r] }
  m: { needs: [b, c], join_type: OR, or_scope: structured }
  k: { cancels: [{ region: r }] }
";
    definition(text);
    let part = text.replace("c: { needs: [a], cancel_region: [r] }", "c: { needs: [a] }");
    let said = wrong(&part);
    assert_eq!(said[0].0, "PARTIAL_CANCEL_IN_STRUCTURED_REGION");
    assert_eq!(said[0].1, "`b` can be canceled while other branches go on");
}

#[test]
fn what_does_not_hold_is_refused_with_the_reason() {
    let cases = [
        (
            "",
            "or_scope: structured, join_pair: s",
            "WRONG_JOIN_PAIR",
            "the last stage before all of its branches is `a`",
        ),
        ("", "or_scope: structured, join_pair: b", "WRONG_JOIN_PAIR", "is `a`"),
        ("", "or_scope: acyclic, join_pair: q", "UNKNOWN_STAGE", "`q`"),
        ("", "or_scope: circular", "BAD_VALUE", "or_scope"),
        ("  k: { cancels: [{ stage: c2 }] }\n", "or_scope: structured", "PARTIAL_CANCEL_IN_STRUCTURED_REGION", "`c2`"),
        ("  o: { needs: [c] }\n", "or_scope: structured", "NOT_STRUCTURED", "`c` leads to `o`"),
        ("  o: { needs: [a] }\n", "or_scope: structured", "NOT_STRUCTURED", "`a` leads to `o`, past `m`"),
        ("  z: { needs: [m] }\n", "or_scope: structured, back_from: [z]", "NOT_STRUCTURED", "`z` leads back to `m`"),
        ("  z: { needs: [m] }\n", "or_scope: acyclic, back_from: [z]", "LOOP_IN_ACYCLIC_CONE", "`z` leads back to `m`"),
    ];
    for (more, join, code, what) in cases {
        let said = wrong(&branches(more, join));
        assert_eq!(said.iter().map(|said| said.0).collect::<Vec<_>>(), [code], "{join}: {said:?}");
        assert!(said[0].1.contains(what), "{join}: {said:?}");
    }
}

#[test]
fn a_branch_that_may_bring_more_than_one_token_is_not_structured() {
    let text = |inside: &str| {
        format!(
            "
name: x
stages:
  a: {{ split_type: OR, split_conditions: {{ b: 'true' }}, split_default: c }}
  b: {{ needs: [a] }}
  c: {{ needs: [a] }}
{inside}"
        )
    };
    let cases = [
        (
            "  b1: { needs: [b] }\n  b2: { needs: [b] }\n  b3: { needs: [b1, b2], join_type: MULTI_MERGE }\n  \
             m: { needs: [b3, c], join_type: OR, or_scope: structured }\n",
            "`b3` may bring more than one token, or none",
        ),
        (
            "  b1: { needs: [b], split_type: THREAD, thread_count: 2 }\n  \
             m: { needs: [b1, c], join_type: OR, or_scope: structured }\n",
            "`b1` may bring more than one token, or none",
        ),
        (
            "  b1: { needs: [b], split_type: XOR, split_conditions: { m: 'true', $end: 'true' } }\n  \
             m: { needs: [b1, c], join_type: OR, or_scope: structured }\n",
            "a branch from `b1` leads to the end",
        ),
        (
            "  t: { trigger: { signal: go, start: true } }\n  \
             m: { needs: [b, c, t], join_type: OR, or_scope: structured }\n",
            "`t` begins with every signal, and so more than once",
        ),
    ];
    for (inside, what) in cases {
        let said = wrong(&text(inside));
        assert_eq!(said, [("NOT_STRUCTURED", what.to_owned())], "{inside}");
    }
    // Joins that fit what is before them keep the tokens together.
    definition(&text(
        "  b1: { needs: [b] }\n  b2: { needs: [b] }\n  b3: { needs: [b1, b2] }\n  \
         m: { needs: [b3, c], join_type: OR, or_scope: structured }\n",
    ));
}

#[test]
fn a_way_back_before_the_join_is_found_only_where_it_is_excluded() {
    let text = |join: &str| {
        format!(
            "
name: x
stages:
  a:
  b: {{ needs: [a], join_type: XOR, back_from: [f] }}
  f: {{ needs: [b], split_type: XOR, split_conditions: {{ b: 'false' }}, split_default: j }}
  c: {{ needs: [a] }}
  j: {{ needs: [f, c], join_type: OR, {join} }}
"
        )
    };
    let said = wrong(&text("or_scope: acyclic"));
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].0, "LOOP_IN_ACYCLIC_CONE");
    assert!(said[0].1.starts_with("`f` leads back to `b`"), "{said:?}");
    definition(&text("or_scope: general"));
    // A way back from behind into the branches is one, too (WCP 37).
    let from_behind = "
name: x
stages:
  a: { split_type: OR, split_conditions: { b: 'true' }, split_default: c }
  b: { needs: [a], join_type: XOR, back_from: [j] }
  c: { needs: [a] }
  j:
    needs: [b, c]
    join_type: OR
    or_scope: acyclic
    split_type: XOR
    split_conditions: { b: 'false', $end: 'true' }
";
    assert_eq!(wrong(from_behind)[0].0, "LOOP_IN_ACYCLIC_CONE");
}

#[test]
fn only_or_joins_have_a_scope() {
    for (join, key) in [("join_type: XOR, or_scope: acyclic", "or_scope"), ("join_pair: a", "join_pair")] {
        let said = wrong(&format!("{{ name: x, stages: {{ a: , b: {{ needs: [a], {join} }} }} }}"));
        assert_eq!(said[0].0, "JOIN_FIELD_WITHOUT_JOIN");
        assert!(said[0].1.contains(key), "{said:?}");
    }
}

#[test]
fn a_join_that_lists_its_arcs_has_at_most_so_many() {
    let wide = |width: usize, join: &str| {
        let names: Vec<String> = (0..width).map(|place| format!("s{place}")).collect();
        let stages: String = names.iter().map(|name| format!("  {name}:\n")).collect();
        format!("name: x\nstages:\n{stages}  j: {{ needs: [{}], join_type: {join} }}\n", names.join(", "))
    };
    for join in ["OR", "N_OF_M, join_threshold: 2"] {
        assert_eq!(wrong(&wide(LISTED_MAX, join)), []);
        let said = wrong(&wide(LISTED_MAX + 1, join));
        assert_eq!(said.iter().map(|said| said.0).collect::<Vec<_>>(), ["TOO_MANY_ARCS"], "{said:?}");
    }
    assert_eq!(wrong(&wide(LISTED_MAX + 1, "AND")), []);
}
