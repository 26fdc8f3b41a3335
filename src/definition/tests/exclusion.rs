//! `mutex_key`, `interleave`, `critical_sections`: what can be written, from a text and from code, and what cannot.

use super::*;
use crate::definition::builder::Stage;
use crate::definition::{InterleaveOrder, LockKind};

const ALL: &str = "
name: x
critical_sections:
  - { mutex_key: k, sections: { s2: [d], s1: [c, b] } }
stages:
  a: { mutex_key: db }
  b: { needs: [a] }
  c: { needs: [b], mutex_key: db }
  d: { needs: [a] }
  e: { interleave: { group: g } }
  f: { interleave: { group: g, order: PARTIAL } }
";

#[test]
fn exclusion_from_code_is_that_from_a_text() {
    let built = Definition::builder("x")
        .critical_sections("k", [("s1", vec!["b", "c"]), ("s2", vec!["d"])])
        .stage(Stage::new("a").mutex_key("db"))
        .stage(Stage::new("b").needs(["a"]))
        .stage(Stage::new("c").needs(["b"]).mutex_key("db"))
        .stage(Stage::new("d").needs(["a"]))
        .stage(Stage::new("e").interleave("g", InterleaveOrder::Partial))
        .stage(Stage::new("f").interleave("g", InterleaveOrder::Partial))
        .build();
    let built = built.unwrap_or_else(|problems| panic!("{problems}"));
    let written = read(ALL);
    assert_eq!(built.to_json(), written.to_json());
    let back = Definition::from_normal(written.normal()).unwrap();
    assert_eq!(back.graph(), written.graph());
    let locks: Vec<(LockKind, &str)> =
        written.graph().locks.iter().map(|lock| (lock.kind, lock.name.as_str())).collect();
    assert_eq!(locks, [(LockKind::Key, "db"), (LockKind::Key, "k"), (LockKind::Interleave, "g")]);
}

#[test]
fn a_definition_without_locks_keeps_its_hash() {
    let definition = read("{name: x, stages: {a: }}");
    for word in ["mutex", "interleave", "critical"] {
        assert!(!definition.normal().contains(word), "{word}");
    }
    let (short, long) = ("{a: {mutex_key: k}}", "{a: {mutex_key: k, mutex_scope: Workflow}}");
    let of = |stages: &str| read(&format!("{{name: x, stages: {stages}}}")).hash();
    assert_eq!(of(short), of(long));
}

fn codes_of(text: &str) -> Vec<String> {
    let problems = Definition::from_yaml(text).err().unwrap_or_else(|| panic!("{text} is accepted"));
    problems.iter().map(|problem| problem.code().to_string()).collect()
}

#[test]
fn what_cannot_exclude_is_said() {
    for (keys, expected) in [
        ("mutex_key: 1", "WRONG_TYPE"),
        ("mutex_key: ' '", "BAD_VALUE"),
        ("mutex_key: 'db-${{ inputs.n }}'", "TEMPLATE_NOT_ALLOWED"),
        ("mutex_scope: workflow", "MISSING_KEY"),
        ("mutex_key: k, mutex_scope: global", "NOT_SUPPORTED"),
        ("mutex_key: k, mutex_scope: here", "BAD_VALUE"),
        ("interleave: g", "WRONG_TYPE"),
        ("interleave: {order: any}", "MISSING_KEY"),
        ("interleave: {group: g, order: some}", "BAD_VALUE"),
    ] {
        assert_eq!(codes_of(&format!("{{name: x, stages: {{a: {{{keys}}}}}}}")), [expected], "{keys}");
    }
    for (sections, expected) in [
        ("[{mutex_key: k, sections: {}}]", "BAD_VALUE"),
        ("[{mutex_key: k, sections: {s: []}}]", "BAD_VALUE"),
        ("[{mutex_key: k, mutex_scope: global, sections: {s: [a]}}]", "NOT_SUPPORTED"),
        ("[{mutex_key: k}]", "MISSING_KEY"),
        ("[{sections: {s: [a]}}]", "MISSING_KEY"),
        ("[{mutex_key: k, sections: {s: [q]}}]", "UNKNOWN_STAGE"),
        ("[{mutex_key: k, sections: {s: [a], t: [a]}}]", "SECTIONS_OVERLAP"),
        ("[{mutex_key: k, sections: {s: [a]}}, {mutex_key: k, sections: {t: [b]}}]", "CONFLICTING_KEYS"),
        ("[{mutex_key: k, sections: {s: [a]}}, {mutex_key: l, sections: {t: [a]}}]", "NOT_SUPPORTED"),
        ("[{mutex_key: k, sections: {s: [a, c]}}]", "SECTION_NOT_CONNECTED"),
        ("[{mutex_key: m, sections: {s: [c]}}]", "CONFLICTING_KEYS"),
    ] {
        let text = format!(
            "{{name: x, critical_sections: {sections}, stages: {{a: , b: {{needs: [a]}}, c: {{mutex_key: m}}}}}}"
        );
        assert_eq!(codes_of(&text), [expected], "{sections}");
    }
}

#[test]
fn sections_that_could_wait_for_each_other_are_refused() {
    let crossed = "
name: x
critical_sections:
  - { mutex_key: k, sections: { s: [a, b] } }
  - { mutex_key: l, sections: { t: [c, d] } }
stages:
  a:
  b: { needs: [a], mutex_key: l }
  c:
  d: { needs: [c], mutex_key: k }
";
    assert_eq!(codes_of(crossed), ["LOCK_CYCLE", "LOCK_CYCLE"]);
    // One way only is an order.
    read(&crossed.replace("[c], mutex_key: k", "[c], mutex_key: m"));
}

#[test]
fn what_stands_inside_a_stage_does_not_wait_for_what_that_holds() {
    let nested = |outer: &str, inner: &str, beside: &str| {
        let block = format!("loop: {{while: k, stages: {{b: {{{inner}}}}}}}");
        format!("{{name: x, stages: {{a: {{{outer}, {block}}}, c: {{{beside}}}}}}}")
    };
    assert_eq!(codes_of(&nested("mutex_key: k", "mutex_key: k", "name: c")), ["LOCK_CYCLE"]);
    read(&nested("mutex_key: k", "mutex_key: l", "mutex_key: l"));
    assert_eq!(
        codes_of(&nested("interleave: {group: g}", "interleave: {group: g}", "name: c")),
        ["INTERLEAVED_NOT_ONCE"]
    );
    read(&nested("interleave: {group: g}", "interleave: {group: h}", "name: c"));
    let crossed = "{name: x, stages: {a: {mutex_key: k, loop: {while: k, stages: {b: {mutex_key: l}}}}, \
                   c: {mutex_key: l, loop: {while: k, stages: {d: {mutex_key: k}}}}}}";
    assert_eq!(codes_of(crossed), ["LOCK_CYCLE", "LOCK_CYCLE"]);
    let across = "{name: x, critical_sections: [{mutex_key: k, sections: {s: [a, b]}}], \
                  stages: {a: {loop: {while: k, stages: {b: }}}}}";
    assert_eq!(codes_of(across), ["SECTION_NOT_CONNECTED", "LOCK_CYCLE"]);
}

#[test]
fn every_member_of_a_group_runs_once_whenever_the_others_do() {
    let group = "interleave: { group: g }";
    for (stages, is_once) in [
        // Beside each other, also in one branch of a choice, behind a choice that is over, and behind a loop.
        ("b: { needs: [a], @ }, c: { needs: [a], @ }", true),
        (
            "a: { split_type: XOR, split_conditions: { p: x }, split_default: q }, q: { needs: [a] }, p: { needs: [a] }, \
          b: { needs: [p], @ }, c: { needs: [p], @ }",
            true,
        ),
        (
            "a: { split_type: XOR, split_conditions: { p: x }, split_default: q }, q: { needs: [a] }, p: { needs: [a] }, \
          m: { needs: [p, q], join_type: XOR }, b: { needs: [m], @ }, c: { @ }",
            true,
        ),
        (
            "a: { split_type: OR, split_conditions: { p: x }, split_default: q }, q: { needs: [a] }, p: { needs: [a] }, \
          m: { needs: [p, q], join_type: OR }, b: { needs: [m], @ }, c: { @ }",
            true,
        ),
        (
            "l: { needs: [a], join_type: XOR, back_from: [m] }, \
          m: { needs: [l], split_type: XOR, split_conditions: { l: x }, split_default: b }, b: { needs: [m], @ }, c: { @ }",
            true,
        ),
        // Under an arc of a choice.
        (
            "a: { split_type: XOR, split_conditions: { b: x }, split_default: c }, b: { needs: [a], @ }, c: { needs: [a], @ }",
            false,
        ),
        (
            "a: { split_type: OR, split_conditions: { b: x }, split_default: q }, q: { needs: [a] }, b: { needs: [a], @ }, c: { @ }",
            false,
        ),
        (
            "a: { split_type: XOR, split_conditions: { p: x }, split_default: $end }, p: { needs: [a], @ }, c: { @ }",
            false,
        ),
        // In a loop of its own, behind a merge of several threads, started by signals, behind what is canceled.
        (
            "b: { needs: [a], join_type: XOR, back_from: [m], @ }, \
          m: { needs: [b], split_type: XOR, split_conditions: { b: x }, split_default: n }, n: { needs: [m] }, c: { @ }",
            false,
        ),
        ("p: { needs: [a] }, q: { needs: [a] }, b: { needs: [p, q], join_type: MULTI_MERGE, @ }, c: { @ }", false),
        ("b: { trigger: { signal: s, start: true }, @ }, c: { @ }", false),
        ("p: { on_cancelled: b }, b: { @ }, c: { @ }", false),
        ("p: { loop: { while: k, stages: { b: { @ }, c: { @ } } } }", true),
        ("p: { loop: { while: k, stages: { b: { @ } } } }, c: { @ }", false),
    ] {
        let first = if stages.starts_with("a:") { "" } else { "a: , " };
        let text = format!("{{ name: x, stages: {{ {first}{} }} }}", stages.replace('@', group));
        let found = Definition::from_yaml(&text).err().map(|problems| problems.to_string());
        assert_eq!(found.is_none(), is_once, "{text}: {found:?}");
        assert!(is_once || codes_of(&text).iter().all(|code| code == "INTERLEAVED_NOT_ONCE"), "{text}");
    }
}

#[test]
fn members_in_any_order_do_not_need_each_other() {
    let text = |order: &str| {
        format!(
            "{{name: x, stages: {{a: {{interleave: {{group: g, order: {order}}}}}, b: {{needs: [a]}}, \
                 c: {{needs: [b], interleave: {{group: g, order: {order}}}}}}}}}"
        )
    };
    read(&text("partial"));
    assert_eq!(codes_of(&text("any")), ["INTERLEAVED_IN_ORDER"]);
    let mixed = "{name: x, stages: {a: {interleave: {group: g}}, b: {interleave: {group: g, order: any}}}}";
    assert_eq!(codes_of(mixed), ["INTERLEAVED_IN_ORDER"]);
}
