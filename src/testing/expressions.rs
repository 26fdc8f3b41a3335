//! Texts of expressions drawn at random: such as people write, and such as nobody should.

use proptest::prelude::*;

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "missing"];

const LITERALS: [&str; 24] = [
    "True",
    "true",
    "False",
    "false",
    "None",
    "null",
    "none",
    "0",
    "1",
    "2",
    "3",
    "00",
    "0x1F",
    "0o17",
    "0b1_01",
    "1_000",
    "9007199254740993",
    "1.0",
    "0.5",
    ".5",
    "5.",
    "01.5",
    "9007199254740992.0",
    "1_0.5e-1",
];

const COMPARISONS: [&str; 8] = ["==", "!=", "<", "<=", ">", ">=", "in", "not in"];

/// Expressions of the language, over the names `a` to `e`, also unparenthesised inside each other. Some few do not
/// read, as `not` behind `==`; many have no value, as `<` between a list and a number.
pub(crate) fn expressions() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        4 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
        3 => prop::sample::select(&LITERALS[..]).prop_map(str::to_owned),
        1 => strings(),
    ];
    atom.prop_recursive(5, 24, 3, |inner| {
        let comparison = prop::sample::select(&COMPARISONS[..]);
        prop_oneof![
            4 => paths(inner.clone()),
            2 => inner.clone().prop_map(|inner| format!("({inner})")),
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(|items| items.iter().fold("(".to_owned(), |list, item| list + item + ", ") + ")")
                .prop_map(|list| if list == "()" { list } else { list.replace(", )", ",)") }),
            1 => inner.clone().prop_map(|inner| format!("-{inner}")),
            2 => inner.clone().prop_map(|inner| format!("not {inner}")),
            5 => (inner.clone(), comparison, inner.clone()).prop_map(|(left, by, right)| format!("{left} {by} {right}")),
            2 => (inner.clone(), any::<bool>(), 0..3_usize).prop_map(|(left, is, which)| {
                format!("{left} {} {}", if is { "is" } else { "is not" }, ["None", "True", "False"][which])
            }),
            2 => (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("{left} and {right}")),
            2 => (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("{left} or {right}")),
            1 => (inner.clone(), inner.clone(), inner)
                .prop_map(|(then, condition, otherwise)| format!("{then} if {condition} else {otherwise}")),
        ]
    })
}

fn paths(index: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let key = prop_oneof![
        prop::sample::select(&[".a", ".b", " . c", "['a']", "[\"b\"]", "[0]", "[-1]"][..]).prop_map(str::to_owned),
        index.prop_map(|index| format!("[{index}]")),
    ];
    (prop::sample::select(&NAMES[..]), prop::collection::vec(key, 1..4))
        .prop_map(|(name, keys)| name.to_owned() + &keys.concat())
}

/// Strings with escapes, in either kind of quotes, at times two side by side.
fn strings() -> impl Strategy<Value = String> {
    let plain = prop_oneof![Just("a"), Just("b"), Just("ab"), Just("é"), Just("😀"), Just(" ")];
    let escape = prop_oneof![
        Just("\\n"),
        Just("\\\\"),
        Just("\\'"),
        Just("\\\""),
        Just("\\x41"),
        Just("\\101"),
        Just("\\0"),
        Just("\\u00e9"),
        Just("\\U0001F600"),
        Just("\\v\\a\\f\\b"),
        Just("\\q"),
        Just("\\8"),
        Just("\\\n"),
    ];
    let quoted =
        (prop::sample::select(&["'", "\""][..]), prop::collection::vec(prop_oneof![3 => plain, 1 => escape], 0..4))
            .prop_map(|(quote, pieces)| format!("{quote}{}{quote}", pieces.concat()));
    prop_oneof![6 => quoted.clone(), 1 => (quoted.clone(), quoted).prop_map(|(left, right)| format!("{left} {right}"))]
}

/// Tokens of the language in any order, with blanks between them.
pub(crate) fn tokens() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        6 => prop::sample::select(&["a", "b", "1", "'s'", "None"][..]),
        8 => prop::sample::select(&["and", "or", "not", "in", "is", "if", "else", "==", "<", "-", ".k", "(", ")", "[", "]"][..]),
    ];
    prop::collection::vec(token, 1..9).prop_map(|tokens| tokens.join(" "))
}
