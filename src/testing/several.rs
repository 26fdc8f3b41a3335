//! What drawn stages say of their instances: every key of `mi_config`, and its short forms, in few instances each.

use proptest::prelude::*;
use proptest::sample::select;

use crate::value::Value;

/// One of the three keys, with what may stand there.
pub(super) fn instances() -> BoxedStrategy<Vec<(&'static str, Value)>> {
    let config = |keys: &[(&str, Value)]| {
        let map = Value::map(keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        ("mi_config", map)
    };
    let (yes, no) = (Value::from(true), Value::from(false));
    let text = |text: &str| Value::from(text);
    let list = |items: &[&str]| Value::list(items.iter().copied());
    let signal = |name: &str| Value::map([("signal", name)]);
    let timer = |length: &str| Value::map([("timer", length)]);
    let written = vec![
        config(&[("count", 2.into())]),
        config(&[("count", 3.into()), ("join_threshold", 2.into())]),
        config(&[("count", 3.into()), ("join_threshold", 1.into()), ("cancel_remaining", yes.clone())]),
        config(&[("count", 3.into()), ("sequential", yes.clone()), ("join_threshold", 2.into())]),
        config(&[("count", 2.into()), ("sync_on_complete", no.clone())]),
        config(&[("count", 1.into()), ("allow_dynamic", yes.clone()), ("max_instances", 2.into())]),
        config(&[("allow_dynamic", yes.clone()), ("min_instances", 1.into()), ("close_when", text("total >= 2"))]),
        config(&[("count", 3.into()), ("completion_condition", text("done >= 2")), ("on_unmet", text("complete"))]),
        config(&[
            ("count", 2.into()),
            ("completion_condition", text("mi.failed == 1 or live == 0")),
            ("cancel_remaining", yes.clone()),
            ("allow_dynamic", yes.clone()),
        ]),
        config(&[("count", 2.into()), ("sync_on_complete", no.clone()), ("emit", text("per_instance"))]),
        config(&[
            ("count", 1.into()),
            ("allow_dynamic", yes.clone()),
            ("dynamic_close_on", signal("done")),
            ("max_instances", 3.into()),
        ]),
        config(&[("count", 2.into()), ("cancel_mi_on", Value::list([signal("go"), timer("30s")]))]),
        config(&[
            ("count", 3.into()),
            ("complete_mi_on", Value::list([timer("1h"), signal("done"), Value::map([("completed", "&")])])),
            ("cancel_mi_on", Value::list([Value::map([("completed", "&")])])),
            ("sequential", yes),
        ]),
        config(&[("count_from_context", text("n"))]),
        config(&[("count_from_context", text("n")), ("join_threshold", 2.into()), ("sync_on_complete", true.into())]),
        config(&[("collection_from_context", text("k")), ("sequential", no)]),
        ("for_each", list(&["x", "y"])),
        ("for_each", list(&["${{ inputs.n }}", "y", "z"])),
        ("for_each", text("${{ k }}")),
        ("matrix", Value::map([("cc", list(&["gcc", "clang"])), ("opt", list(&["${{ inputs.s }}"]))])),
    ];
    select(written).prop_map(|key| vec![key]).boxed()
}

/// Has a drawn stage with several instances use what they are given. One that leads `back` has no instances any more:
/// too few of its rounds would come to their end.
pub(super) fn use_names(stage: &mut Value, back: bool) {
    let Value::Map(stage) = stage else { return };
    let keys = ["mi_config", "for_each", "matrix"];
    if back {
        keys.iter().for_each(|key| drop(stage.remove(*key)));
    }
    if keys.iter().any(|key| stage.contains_key(*key))
        && let Some(Value::Map(outputs)) = stage.get_mut("outputs")
    {
        outputs.insert("each".to_owned(), "${{ index }}".into());
        outputs.insert("given".to_owned(), "${{ item }}".into());
    }
}
