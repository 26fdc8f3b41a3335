//! Milestones: what can be written, from a text and from code, and what cannot.

use super::*;
use crate::definition::builder::{Milestone, Stage};
use crate::definition::{MilestonePolicy, MilestoneStatus};

#[test]
fn a_milestone_from_code_is_one_from_a_text() {
    let text = "
name: x
stages:
  p:
  q: { needs: [p] }
  a: { milestone_ref_id: p }
  b: { milestone_ref_id: p, milestone_until: q, milestone_policy: wait_fail }
  c: { milestone_ref_id: p, milestone_status: running, milestone_policy: wait }
  d: { milestone_ref_id: p, milestone_status: ENABLED }
  e: { milestone_ref_id: p, milestone_status: SUSPENDED }
";
    let built = Definition::builder("x")
        .stage(Stage::new("p"))
        .stage(Stage::new("q").needs(["p"]))
        .stage(Stage::new("a").milestone(Milestone::succeeded("p")))
        .stage(Stage::new("b").milestone(Milestone::between("p", "q").policy(MilestonePolicy::WaitFail)))
        .stage(Stage::new("c").milestone(Milestone::while_running("p").policy(MilestonePolicy::Wait)))
        .stage(Stage::new("d").milestone(Milestone::while_enabled("p")))
        .stage(Stage::new("e").milestone(Milestone::while_suspended("p")))
        .build();
    let built = built.unwrap_or_else(|problems| panic!("{problems}"));
    let written = read(text);
    assert_eq!(built.to_json(), written.to_json());
    let back = Definition::from_normal(written.normal()).unwrap();
    assert_eq!(back.graph(), written.graph());
    let b = written.stages().nth(3).unwrap();
    assert_eq!(b.milestone(), Some(("p", MilestoneStatus::Reached, Some("q"))));
    assert!(!read("{name: x, stages: {a: }}").normal().contains("milestone"));
}

#[test]
fn an_alternative_of_a_choice_has_no_milestone() {
    let text =
        "{name: x, stages: {p: , a: {split_type: DEFERRED}, b: {needs: [a], milestone_ref_id: p}, c: {needs: [a]}}}";
    let problems = Definition::from_yaml(text).err().unwrap();
    let codes: Vec<String> = problems.iter().map(|problem| problem.code().to_string()).collect();
    assert_eq!(codes, ["ALTERNATIVE_HELD_BACK"]);
}

#[test]
fn what_cannot_be_a_milestone_is_said() {
    for (keys, expected) in [
        ("milestone_status: RUNNING", vec!["MISSING_KEY"]),
        ("milestone_until: p, milestone_policy: wait", vec!["MISSING_KEY", "MISSING_KEY"]),
        ("milestone_ref_id: 1", vec!["WRONG_TYPE"]),
        ("milestone_ref_id: p, milestone_status: over", vec!["BAD_VALUE"]),
        ("milestone_ref_id: p, milestone_policy: never", vec!["BAD_VALUE"]),
        ("milestone_ref_id: p, milestone_status: REACHED", vec!["MISSING_KEY"]),
        ("milestone_ref_id: p, milestone_status: RUNNING, milestone_until: p", vec!["CONFLICTING_KEYS"]),
        ("milestone_ref_id: p, milestone_blocks: true", vec!["NOT_SUPPORTED"]),
        ("milestone_ref_id: o", vec!["UNKNOWN_STAGE"]),
        ("milestone_ref_id: p, milestone_until: o", vec!["UNKNOWN_STAGE"]),
        ("milestone_ref_id: a", vec!["NEEDS_ITSELF"]),
        ("milestone_ref_id: i", vec!["CROSSES_BLOCK"]),
    ] {
        let text = format!("{{name: x, stages: {{p: {{loop: {{while: k, stages: {{i: }}}}}}, a: {{{keys}}}}}}}");
        let problems = Definition::from_yaml(&text).err().unwrap_or_else(|| panic!("{keys} is accepted"));
        let codes: Vec<String> = problems.iter().map(|problem| problem.code().to_string()).collect();
        assert_eq!(codes, expected, "{keys}");
    }
}
