//! Values drawn at random, for properties; with all kinds, odd numbers and awkward texts in them.

use proptest::prelude::*;

use crate::value::{Map, Value};

/// Any value of modest size.
pub(crate) fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        3 => integers().prop_map(Value::Integer),
        3 => reals().prop_map(|number| Value::number(number).unwrap_or(Value::Null)),
        3 => texts().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            maps_of(inner).prop_map(Value::Map),
        ]
    })
}

/// Any map of such values.
pub(crate) fn maps() -> impl Strategy<Value = Map> {
    maps_of(values())
}

fn maps_of(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map> {
    prop::collection::btree_map(prop_oneof![4 => "[a-c]", 1 => texts()], inner, 0..6)
}

fn integers() -> impl Strategy<Value = i128> {
    let edge = prop_oneof![Just(0), Just(1_i128 << 53), Just(i128::from(i64::MAX)), Just(i128::MAX), Just(i128::MIN)];
    let near_an_edge = (edge, -2_i128..3).prop_map(|(edge, by)| edge.saturating_add(by));
    prop_oneof![4 => -20_i128..20, 1 => any::<i128>(), 2 => near_an_edge]
}

fn reals() -> impl Strategy<Value = f64> {
    let powers = (-400_i32..310).prop_map(|power| format!("1e{power}").parse().unwrap_or(0.0));
    prop_oneof![
        2 => any::<f64>(),
        2 => -10.0..10.0,
        1 => powers,
        1 => (1_u64 << 50..1 << 60).prop_map(|whole| whole as f64 / 8.0),
    ]
}

/// Any text: words, blanks, control characters, quotes, characters of all lengths.
pub(crate) fn texts() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z]{0,6}", 1 => any::<String>(), 1 => "[\\x00-\\x20\"\\\\/\u{7f}\u{e9}\u{1f600}]{0,6}"]
}
