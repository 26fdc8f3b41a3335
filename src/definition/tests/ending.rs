//! `compensate` and `finally`: what can be written, from a text and from code, and what cannot.

use super::mistakes::said;
use super::*;
use crate::definition::StagePhase;
use crate::definition::builder::Stage;

const MISTAKES: &[(&str, &[&str])] = &[
    ("{name: x, stages: {a: {compensate: undo}}}", &["1:36 WRONG_TYPE"]),
    ("{name: x, stages: {a: {compensate: {stages: {}}}}}", &["1:45 NO_STAGES"]),
    ("{name: x, stages: {a: {compensate: {ref_id: a}}}}", &["1:45 DUPLICATE_STAGE"]),
    ("{name: x, stages: {a: }, finally: {a: }}", &["1:36 DUPLICATE_STAGE"]),
    ("{name: x, stages: {a: }, finally: {b: {needs: [a]}}}", &["1:48 CROSSES_BLOCK"]),
    ("{name: x, stages: {a: {compensate: {stages: {b: {compensate: {run: x}}}}}}}", &["1:62 CONFLICTING_KEYS"]),
    ("{name: x, stages: {a: }, finally: {b: {compensate: {run: x}}}}", &["1:52 CONFLICTING_KEYS"]),
    ("{name: x, stages: {a: {compensate: {end: terminate}}}}", &["1:42 CROSSES_BLOCK"]),
    ("{name: x, stages: {a: }, finally: {b: {end: terminate}}}", &["1:45 CROSSES_BLOCK"]),
    ("{name: x, stages: {a: {run: 'echo ${{ workflow.status }}'}}}", &["1:39 UNKNOWN_NAME"]),
    ("{name: x, stages: {a: {compensate: {run: 'echo ${{ stages.z.outputs.k }}'}}, z: }}", &["1:52 NOT_AN_ANCESTOR"]),
];

#[test]
fn every_mistake_about_the_end_is_said_with_its_place() {
    for (text, expected) in MISTAKES {
        assert_eq!(said(&refuse(text)), *expected, "{text}");
    }
}

#[test]
fn the_end_from_code_is_that_from_a_text() {
    let text = "
name: x
stages:
  a: { compensate: { run: 'echo ${{ stages.a.outputs.k }} ${{ workflow.status }}' } }
  b: { compensate: { stages: { c: , d: { needs: [c] } } } }
finally: { f: { run: 'echo ${{ workflow.error.code }} ${{ stages.a.status }}' }, g: { needs: [f] } }
";
    let undo = Stage::new("a-compensate").run("echo ${{ stages.a.outputs.k }} ${{ workflow.status }}");
    let last = Stage::new("f").run("echo ${{ workflow.error.code }} ${{ stages.a.status }}");
    let built = Definition::builder("x")
        .stage(Stage::new("a").compensate(undo))
        .stage(Stage::new("b").compensate(Stage::new("c")).compensate(Stage::new("d").needs(["c"])))
        .finally(last)
        .finally(Stage::new("g").needs(["f"]))
        .build();
    let built = built.unwrap_or_else(|problems| panic!("{problems}"));
    let written = read(text);
    assert_eq!(built.to_json(), written.to_json());
    let back = Definition::from_normal(written.normal()).unwrap();
    assert_eq!(back.graph(), written.graph());
    let stages: Vec<(&str, StagePhase)> =
        written.graph().stages.iter().map(|stage| (stage.ref_id.as_str(), stage.phase)).collect();
    let (body, undone, last) = (StagePhase::Body, StagePhase::Compensate, StagePhase::Finally);
    let expected =
        [("a", body), ("a-compensate", undone), ("b", body), ("c", undone), ("d", undone), ("f", last), ("g", last)];
    assert_eq!(stages, expected);
}
