//! `trigger` and `max_buffered`: what can be written, from a text and from code, and what cannot.

use super::*;
use crate::definition::builder::{Stage, StageTrigger};
use crate::time::Duration;

#[test]
fn a_trigger_from_code_is_one_from_a_text() {
    let text = "
name: x
stages:
  a:
  b: { needs: [a], trigger: { signal: go, durability: persistent, correlate: 'signal.data == 1' }, max_buffered: 3 }
  c: { needs: [a], trigger: { timer: 90s } }
  s: { trigger: { signal: order, start: true, required: false } }
  t: { trigger: { signal: order, start: true } }
";
    let go = StageTrigger::signal("go").durability(Durability::Persistent).correlate("signal.data == 1");
    let built = Definition::builder("x")
        .stage(Stage::new("a"))
        .stage(Stage::new("b").needs(["a"]).trigger(go.max_buffered(3)))
        .stage(Stage::new("c").needs(["a"]).trigger(StageTrigger::timer(Duration::from_seconds(90))))
        .stage(Stage::new("s").trigger(StageTrigger::start("order").optional()))
        .stage(Stage::new("t").trigger(StageTrigger::start("order")))
        .build();
    let built = built.unwrap_or_else(|problems| panic!("{problems}"));
    let written = read(text);
    assert_eq!(built.to_json(), written.to_json());
    let back = Definition::from_normal(written.normal()).unwrap();
    assert_eq!(back.graph(), written.graph());
    assert_eq!(back.limits(), written.limits());
}

#[test]
fn a_definition_without_triggers_keeps_its_hash() {
    let definition = read("{name: x, stages: {a: }}");
    assert!(!definition.normal().contains("trigger") && !definition.normal().contains("signal"));
    let defaults = read("{name: x, stages: {a: {trigger: {signal: go}}}}");
    let written = "{name: x, stages: {a: {trigger: {signal: go, durability: sender, start: false, deliver: one}}}}";
    assert_eq!(defaults.hash(), read(written).hash());
}

#[test]
fn what_cannot_be_a_trigger_is_said() {
    for (keys, expected) in [
        ("trigger: 1s", vec!["WRONG_TYPE"]),
        ("trigger: {}", vec!["MISSING_KEY"]),
        ("trigger: {signal: go, timer: 1h}", vec!["CONFLICTING_KEYS"]),
        ("trigger: {signal: 'a b'}", vec!["BAD_NAME"]),
        ("trigger: {signal: go, deliver: all}", vec!["NOT_SUPPORTED"]),
        ("trigger: {signal: go, durability: sometimes}", vec!["BAD_VALUE"]),
        ("trigger: {signal: go, start: 1}", vec!["WRONG_TYPE"]),
        ("trigger: {signal: go, required: true}", vec!["MISSING_KEY"]),
        ("trigger: {signal: go, start: false, required: true}", vec!["MISSING_KEY"]),
        ("trigger: {timer: 0s}", vec!["OUT_OF_RANGE"]),
        ("trigger: {timer: 5}", vec!["BARE_NUMBER_DURATION"]),
        ("trigger: {timer: 1h, durability: transient}", vec!["CONFLICTING_KEYS"]),
        ("trigger: {timer: 1h}, max_buffered: 2", vec!["MISSING_KEY"]),
        ("max_buffered: 2", vec!["MISSING_KEY"]),
        ("trigger: {signal: go}, max_buffered: 0", vec!["OUT_OF_RANGE"]),
        ("trigger: {signal: go, correlate: 'signal.date'}", vec!["UNKNOWN_NAME"]),
        ("trigger: {signal: go}, if: 'signal.data'", vec!["UNKNOWN_NAME"]),
        ("needs: [z], trigger: {signal: go, start: true}", vec!["CONFLICTING_KEYS"]),
        ("trigger: {signal: go, after: 1h}", vec!["UNKNOWN_KEY"]),
    ] {
        let problems = refuse(&format!("{{name: x, stages: {{z: , a: {{{keys}}}}}}}"));
        let codes: Vec<&str> = problems.iter().map(|problem| problem.code().name()).collect();
        assert_eq!(codes, expected, "{keys}");
        assert!(problems.iter().all(|problem| problem.help().is_some()), "{keys}");
    }
    let outputs = refuse("{name: x, stages: {a: }, outputs: {k: '${{ signal.data }}'}}");
    assert_eq!(outputs.iter().next().unwrap().code().name(), "UNKNOWN_NAME");
}
