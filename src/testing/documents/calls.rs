//! Stages whose work is another workflow, as they are drawn.

use proptest::prelude::*;

use crate::value::Value;

use super::{Keys, all, constant, some, texts};

/// A call of the one definition that every document has.
pub(super) fn sub_workflow() -> BoxedStrategy<Keys> {
    all(vec![
        texts("definition", &["other"]),
        some(40, constant("input", vec![Value::map([("n", "${{ inputs.n }}")])])),
        some(40, constant("output", vec![Value::map([("k", "${{ child.status }}")])])),
        some(40, constant("max_depth", vec![1.into(), 7.into()])),
        some(40, texts("on_parent_cancel", &["cancel", "abandon"])),
    ])
}

/// What stages call: it ends by itself.
pub(super) fn definitions() -> Value {
    let inputs = Value::map([("n", Value::map([("type", Value::from("any")), ("default", 1.into())]))]);
    let stages = Value::map([("only", Value::map([("outputs", Value::map([("k", "${{ inputs.n }}")]))]))]);
    Value::map([("other", Value::map([("name", Value::from("other")), ("inputs", inputs), ("stages", stages)]))])
}
