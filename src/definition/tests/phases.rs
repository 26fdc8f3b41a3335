//! `before`, `after`, `on_failure` with stages: what can be written, from a text and from code, and what cannot.

use super::mistakes::said;
use super::*;
use crate::definition::builder::Stage;
use crate::definition::{OnFailure, StagePhase};

const MISTAKES: &[(&str, &[&str])] = &[
    ("{name: x, stages: {a: {before: {b: }, after: {b: }}}}", &["1:47 DUPLICATE_STAGE"]),
    ("{name: x, stages: {a: {before: {b: {needs: [c]}}}, c: }}", &["1:45 CROSSES_BLOCK"]),
    ("{name: x, stages: {a: {before: {b: }, after: {c: {needs: [b]}}}}}", &["1:59 CROSSES_BLOCK"]),
    ("{name: x, stages: {a: {before: {b: {end: terminate}}}}}", &["1:42 CROSSES_BLOCK"]),
    ("{name: x, stages: {a: {mi_config: {count: 2}, after: {b: }}}}", &["1:54 NOT_SUPPORTED"]),
    ("{name: x, stages: {a: {on_failure: {then: fail}}}}", &["1:36 NO_STAGES"]),
    ("{name: x, stages: {a: {on_failure: {stages: {b: }, then: [x]}}}}", &["1:58 WRONG_TYPE"]),
    ("{name: x, stages: {a: {before: {b: {run: 'echo ${{ stages.a.outputs.k }}'}}}}}", &["1:52 NOT_AN_ANCESTOR"]),
    ("{name: x, stages: {a: {context: {k: '${{ stages.b.outputs.k }}'}, before: {b: }}}}", &["1:42 NOT_AN_ANCESTOR"]),
    (
        "{name: x, stages: {a: {loop: {while: k, stages: {t: }}, before: {b: {if: loop.index > 1}}}}}",
        &["1:74 UNKNOWN_NAME"],
    ),
    ("{name: x, stages: {a: {on_failure: {stages: {}}}}}", &["1:45 NO_STAGES"]),
];

#[test]
fn every_mistake_about_parts_is_said_with_its_place() {
    for (text, expected) in MISTAKES {
        assert_eq!(said(&refuse(text)), *expected, "{text}");
    }
}

#[test]
fn parts_from_code_are_those_from_a_text_and_stand_behind_their_stage_in_their_order() {
    let text = "
name: x
stages:
  a:
    on_failure: { then: continue, stages: { f: { needs: [] } } }
    after: [{ ref_id: d }, { ref_id: e, needs: [d] }]
    run: 'true'
    before: { b: , c: { needs: [b] } }
  z: { needs: [a] }
";
    let built = Definition::builder("x")
        .stage(
            Stage::new("a")
                .run("true")
                .before(Stage::new("b"))
                .before(Stage::new("c").needs(["b"]))
                .after(Stage::new("d"))
                .after(Stage::new("e").needs(["d"]))
                .when_failed([Stage::new("f")], OnFailure::Continue),
        )
        .stage(Stage::new("z").needs(["a"]))
        .build();
    let built = built.unwrap_or_else(|problems| panic!("{problems}"));
    let written = read(text);
    assert_eq!(built.to_json(), written.to_json());
    let back = Definition::from_normal(written.normal()).unwrap();
    assert_eq!(back.graph(), written.graph());
    let stages: Vec<(&str, StagePhase)> =
        written.graph().stages.iter().map(|stage| (stage.ref_id.as_str(), stage.phase)).collect();
    let (before, after, failed) = (StagePhase::Before, StagePhase::After, StagePhase::OnFailure);
    let body = StagePhase::Body;
    assert_eq!(
        stages,
        [("a", body), ("b", before), ("c", before), ("d", after), ("e", after), ("f", failed), ("z", body)]
    );
}
