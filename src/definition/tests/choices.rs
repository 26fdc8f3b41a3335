//! Deferred choices: what can be written, from a text and from code, and what cannot.

use super::*;
use crate::definition::builder::{Split as BuilderSplit, Stage, StageTrigger};

#[test]
fn a_choice_from_code_is_one_from_a_text() {
    let text = "
name: x
stages:
  a: { split_type: DEFERRED }
  b: { needs: [a], trigger: { signal: go } }
  c: { needs: [a] }
  d: { needs: [c], deferred_choice_group: g }
  e: { needs: [c], deferred_choice_group: g }
";
    let built = Definition::builder("x")
        .stage(Stage::new("a").split(BuilderSplit::deferred()))
        .stage(Stage::new("b").needs(["a"]).trigger(StageTrigger::signal("go")))
        .stage(Stage::new("c").needs(["a"]))
        .stage(Stage::new("d").needs(["c"]).deferred_choice_group("g"))
        .stage(Stage::new("e").needs(["c"]).deferred_choice_group("g"))
        .build();
    let built = built.unwrap_or_else(|problems| panic!("{problems}"));
    let written = read(text);
    assert_eq!(built.to_json(), written.to_json());
    let back = Definition::from_normal(written.normal()).unwrap();
    assert_eq!(back.graph(), written.graph());
    let choices = written.graph().choices();
    let found: Vec<(Option<usize>, usize)> =
        choices.iter().map(|choice| (choice.split.map(|split| split.index()), choice.arcs.len())).collect();
    assert_eq!(found, [(Some(0), 2), (Some(2), 2)]);
}

#[test]
fn a_group_is_offered_by_the_first_stage_that_all_of_it_follow() {
    let text = "
name: x
stages:
  a:
  s:
  b: { needs: [s, a], deferred_choice_group: g }
  c: { needs: [a, s], deferred_choice_group: g }
  d: { deferred_choice_group: h }
  e: { deferred_choice_group: h }
";
    let definition = read(text);
    let splits: Vec<Option<usize>> =
        definition.graph().choices().iter().map(|choice| choice.split.map(|split| split.index())).collect();
    assert_eq!(splits, [Some(1), None]);
}

#[test]
fn a_definition_without_choices_keeps_its_hash() {
    assert!(!read("{name: x, stages: {a: }}").normal().contains("choice"));
}

#[test]
fn what_cannot_be_a_choice_is_said() {
    let group = "needs: [a], deferred_choice_group: g";
    let xor = "split_type: XOR, split_conditions: {b: 'x'}, split_default: c";
    for (a, b, c, expected) in [
        ("split_type: DEFERRED", "needs: [a]", "", "CHOICE_OF_ONE"),
        ("split_type: DEFERRED, split_conditions: {b: 'x'}", "needs: [a]", "needs: [a]", "SPLIT_FIELD_WITHOUT_SPLIT"),
        ("", group, "needs: [a]", "CHOICE_OF_ONE"),
        ("", group, "deferred_choice_group: g", "CHOICE_WITHOUT_SPLIT"),
        (xor, group, group, "CHOICE_WITHOUT_SPLIT"),
        ("split_type: DEFERRED", group, group, "CHOICE_WITHOUT_SPLIT"),
        ("", "needs: [a], deferred_choice_group: 'a b'", group, "BAD_NAME"),
        ("split_type: DEFERRED", "needs: [a], if: 'x'", "needs: [a]", "ALTERNATIVE_HELD_BACK"),
        (
            "split_type: DEFERRED",
            "needs: [a], start_time_expiry: 2030-01-01T00:00:00Z",
            "needs: [a]",
            "ALTERNATIVE_HELD_BACK",
        ),
        (
            "split_type: DEFERRED",
            "needs: [a], scheduled_time: 2030-01-01T00:00:00Z",
            "needs: [a]",
            "ALTERNATIVE_HELD_BACK",
        ),
        (
            "",
            "deferred_choice_group: g",
            "deferred_choice_group: g, trigger: {signal: s, start: true}",
            "ALTERNATIVE_HELD_BACK",
        ),
    ] {
        let problems = refuse(&format!(
            "{{name: x, inputs: {{x: {{type: boolean}}}}, stages: {{a: {{{a}}}, b: {{{b}}}, c: {{{c}}}}}}}"
        ));
        let codes: Vec<&str> = problems.iter().map(|problem| problem.code().name()).collect();
        assert!(codes.contains(&expected), "{codes:?} and not {expected}: {a} / {b} / {c}\n{problems}");
        assert!(problems.iter().all(|problem| problem.help().is_some()), "{a} / {b} / {c}");
    }
    let twice = "
name: x
stages:
  a: { split_type: DEFERRED }
  b: { split_type: DEFERRED }
  c: { needs: [a, b] }
  d: { needs: [a] }
  e: { needs: [b] }
";
    assert_eq!(refuse(twice).iter().next().unwrap().code().name(), "ALTERNATIVE_OF_TWO");
    let joined =
        |join: &str| twice.replace("c: { needs: [a, b] }", &format!("c: {{ needs: [a, b], join_type: {join} }}"));
    read(&joined("XOR"));
    read(&joined("DISCRIMINATOR, join_mode: blocking"));
    for (join, expected) in [
        ("N_OF_M, join_threshold: 2, join_mode: blocking", "ALTERNATIVE_OF_TWO"),
        ("N_OF_M, join_threshold: 1, join_mode: blocking, on_unreachable: skip", "ALTERNATIVE_HELD_BACK"),
        ("DISCRIMINATOR, join_mode: cancelling", "ALTERNATIVE_HELD_BACK"),
    ] {
        let problems = refuse(&joined(join));
        let found = problems.iter().find(|problem| problem.code().name() == expected);
        assert!(found.is_some_and(|problem| problem.help().is_some()), "{join}: {problems}");
    }
    let merged = refuse(
        "{ name: x, stages: { a: { split_type: DEFERRED }, b: { needs: [a] }, \
                         c: { needs: [a], join_type: THREAD_MERGE, merge_count: 2 } } }",
    );
    assert_eq!(merged.iter().next().unwrap().code().name(), "ALTERNATIVE_OF_TWO");
}
