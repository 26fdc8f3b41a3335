//! Tests of values: canonical text, reading JSON, comparing, merging, conversion.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;
use crate::testing::values::{maps, values};

fn read(text: &str) -> Value {
    Value::from_json(text).unwrap()
}

proptest! {
    #[test]
    fn a_value_is_read_back_from_its_text(value in values()) {
        prop_assert_eq!(Value::from_json(&value.to_json()), Ok(value.clone()));
        prop_assert_eq!(Value::from_json_strict(&value.to_json()), Ok(value));
    }

    #[test]
    fn values_are_equal_exactly_when_their_texts_are(left in values(), right in values()) {
        prop_assert_eq!(left == right, left.to_json() == right.to_json());
    }

    #[test]
    fn arbitrary_text_never_panics_the_reader(text in any::<String>(), json_like in "[\\[\\]{}\",:0-9.eE+\\-\\\\utrfalsn ]{0,40}") {
        for text in [&text, &json_like] {
            if let Ok(value) = Value::from_json(text) {
                prop_assert_eq!(Value::from_json(&value.to_json()), Ok(value));
            }
        }
    }

    #[test]
    fn text_cut_anywhere_never_panics_the_reader(value in values(), cut in any::<prop::sample::Index>()) {
        let text = value.to_json();
        let kept: String = text.chars().take(cut.index(text.chars().count() + 1)).collect();
        let _ = Value::from_json(&kept);
    }

    #[test]
    fn a_value_is_itself_through_serde(value in values()) {
        prop_assert_eq!(Value::from_serialize(&value), Ok(value.clone()));
        prop_assert_eq!(value.deserialize::<Value>(), Ok(value));
    }

    #[test]
    fn merging_the_same_map_again_changes_nothing(mut target in maps(), later in maps()) {
        merge_into(&mut target, &later);
        let once = target.clone();
        merge_into(&mut target, &later);
        prop_assert_eq!(once, target);
    }
}

#[test]
fn numbers_have_one_form() {
    let table = [
        ("-0", "0"),
        ("-0.0", "0"),
        ("1.0", "1"),
        ("1e3", "1000"),
        ("-12.50", "-12.5"),
        ("0.1", "0.1"),
        ("1e-6", "0.000001"),
        ("1.5e-7", "1.5e-7"),
        ("1e-7", "1e-7"),
        ("123456789.125", "123456789.125"),
        ("9007199254740991.0", "9007199254740991"),
        ("9007199254740992.0", "9.007199254740992e+15"),
        ("9007199254740993", "9007199254740993"),
        ("1e21", "1e+21"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("5e-324", "5e-324"),
        ("1e-999", "0"),
        ("-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728"),
    ];
    for (written, canonical) in table {
        assert_eq!(read(written).to_json(), canonical, "{written}");
    }
}

#[test]
fn strings_escape_only_what_must_be() {
    assert_eq!(read(r#""\u0041\/\u00e9\ud83d\ude00\u007f""#).to_json(), "\"A/é😀\u{7f}\"");
    assert_eq!(Value::from("\"\\\u{8}\t\n\u{c}\r\u{1f}\0").to_json(), r#""\"\\\b\t\n\f\r\u001f\u0000""#);
}

#[test]
fn keys_stand_in_byte_order_and_the_last_of_a_repeated_one_counts() {
    assert_eq!(
        read(r#" { "b" : 1 , "é":2, "B": [ ], "b": {"x":null} } "#).to_json(),
        r#"{"B":[],"b":{"x":null},"é":2}"#
    );
    let repeated = Value::from_json_strict(r#"{"a": {"b": 1, "b": 2}}"#).unwrap_err();
    assert_eq!(repeated.to_string(), "key \"b\" is repeated at byte 15 in a");
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let table = [
        ("", "expected a value at byte 0"),
        ("[1,]", "expected a value at byte 3 in [1]"),
        ("[1 2]", "expected `,` or `]` at byte 3"),
        ("{\"a\":{\"b\":[0,01]}}", "expected `,` or `]` at byte 14 in a.b"),
        ("{\"a b\":[nul]}", "expected a value at byte 8 in [\"a b\"][0]"),
        ("{a:1}", "expected a key in double quotes at byte 1"),
        ("1 2", "expected the end of the text at byte 2"),
        ("1.", "expected a digit at byte 2"),
        ("\"\n\"", "expected an escaped control character at byte 1"),
        ("\"\\x\"", "expected an escape of JSON at byte 1"),
        ("\"\\u12\"", "expected four hexadecimal digits at byte 5"),
        ("\"abc", "expected `\"` at byte 4"),
        ("NaN", "expected a value at byte 0"),
        ("{\"a\":[\"\\ud800\"]}", "lone surrogate at byte 7 in a[0]"),
        ("\"\\ud800\\u0041\"", "lone surrogate at byte 1"),
        ("\"\\udc00\"", "lone surrogate at byte 1"),
        ("[170141183460469231731687303715884105728]", "integer beyond 128 bits at byte 1 in [0]"),
        ("{\"x\":1e999}", "number beyond 64-bit floats at byte 5 in x"),
    ];
    for (text, message) in table {
        assert_eq!(Value::from_json(text).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deepest = read(&nested(limits::DEPTH_MAX));
    assert_eq!(deepest.check_depth(), Ok(()));
    assert!(matches!(
        Value::from_json(&nested(limits::DEPTH_MAX + 1)),
        Err(ValueError::TooDeep { offset: Some(limits::DEPTH_MAX), .. })
    ));
    assert!(matches!(Value::from_json(&"[".repeat(1_000_000)), Err(ValueError::TooDeep { .. })));
    assert!(matches!(Value::list([deepest]).check_depth(), Err(ValueError::TooDeep { offset: None, .. })));
}

#[test]
fn a_real_is_never_something_else() {
    for number in [0.0, -0.0, 1.0, -3.0, 9_007_199_254_740_991.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(Real::new(number).is_none(), "{number}");
    }
    assert_eq!(Value::number(f64::NAN), None);
    assert_eq!(Value::number(-3.0), Some(Value::Integer(-3)));
    assert!(Value::try_from(f64::INFINITY).is_err());
}

#[test]
fn numbers_compare_without_rounding() {
    let table = [
        ("9007199254740993", "9007199254740992.0", Ordering::Greater),
        ("9007199254740992", "9007199254740992.0", Ordering::Equal),
        ("1", "1.5", Ordering::Less),
        ("-1", "-1.5", Ordering::Greater),
        ("0", "5e-324", Ordering::Less),
        ("170141183460469231731687303715884105727", "170141183460469231731687303715884105728.0", Ordering::Less),
        ("-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728.0", Ordering::Equal),
        ("-170141183460469231731687303715884105728", "-1e39", Ordering::Greater),
        ("1.5", "2.5", Ordering::Less),
    ];
    for (left, right, expected) in table {
        let (left, right) = (read(left).as_number().unwrap(), read(right).as_number().unwrap());
        assert_eq!(compare_numbers(left, right), expected);
        assert_eq!(compare_numbers(right, left), expected.reverse());
    }
}

#[test]
fn merging_replaces_scalars_and_maps_and_grows_lists() {
    let mut target = read(r#"{"a":1,"b":{"x":1},"c":[1,"1",1],"d":[1],"e":"kept"}"#).as_map().unwrap().clone();
    let later = read(r#"{"a":2,"b":{"y":2},"c":[1.0,2,2,{"k":[]},{"k":[]}],"d":"text","f":[3,3]}"#);
    merge_into(&mut target, later.as_map().unwrap());
    let expected = r#"{"a":2,"b":{"y":2},"c":[1,"1",1,2,{"k":[]}],"d":"text","e":"kept","f":[3,3]}"#;
    assert_eq!(Value::Map(target).to_json(), expected);
}

#[test]
fn what_holds_is_what_python_says_holds() {
    for text in ["null", "false", "0", "0.0", "\"\"", "[]", "{}"] {
        assert!(!read(text).is_truthy(), "{text}");
    }
    for text in ["true", "-1", "0.5", "\"0\"", "[0]", "{\"\":0}"] {
        assert!(read(text).is_truthy(), "{text}");
    }
}

#[test]
fn rust_values_become_values() {
    let made = Value::map([
        ("text", Value::from("x")),
        ("list", Value::from(vec![1_u64, 2])),
        ("none", Value::from(None::<bool>)),
        ("size", Value::from(3_usize)),
    ]);
    assert_eq!(made.to_json(), r#"{"list":[1,2],"none":null,"size":3,"text":"x"}"#);
    assert_eq!(format!("{made:?}"), format!("{made}"));
    assert_eq!(made.get("size").and_then(Value::as_integer), Some(3));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: i128,
    weight: f64,
    price: f32,
    note: Option<String>,
    tags: BTreeMap<u8, Vec<Part>>,
    extra: Value,
    pair: (char, bool),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Part {
    Empty,
    Count(u64),
    Size(i8, i8),
    Named { name: String },
}

fn order() -> Order {
    let parts = vec![Part::Empty, Part::Count(u64::MAX), Part::Size(-1, 2), Part::Named { name: "x".to_owned() }];
    Order {
        id: i128::MIN,
        weight: 2.0,
        price: 0.1,
        note: None,
        tags: BTreeMap::from([(7, parts)]),
        extra: read("[1e300,null,{\"a\":[]},9223372036854775808]"),
        pair: ('é', true),
    }
}

#[test]
fn any_serde_type_goes_through_a_value() {
    let value = Value::from_serialize(&order()).unwrap();
    let text = concat!(
        r#"{"extra":[1e+300,null,{"a":[]},9223372036854775808],"id":-170141183460469231731687303715884105728,"note":null,"#,
        r#""pair":["é",true],"price":0.1,"#,
        r#""tags":{"7":["Empty",{"Count":18446744073709551615},{"Size":[-1,2]},{"Named":{"name":"x"}}]},"weight":2}"#,
    );
    assert_eq!(value.to_json(), text);
    assert_eq!(value.deserialize::<Order>(), Ok(order()));
}

#[test]
fn what_does_not_fit_a_type_is_named_with_its_path() {
    let mut value = Value::from_serialize(&order()).unwrap();
    if let Value::Map(entries) = &mut value {
        entries.insert("tags".to_owned(), read(r#"{"7":["Empty",{"Size":[1,300]}]}"#));
    }
    let message = value.deserialize::<Order>().unwrap_err().to_string();
    assert_eq!(message, "invalid value: integer `300`, expected i8 in tags.7[1].Size[1]");
    assert!(read("[1,2,3]").deserialize::<(u8, u8)>().is_err());
    assert!(read("{\"a\":1,\"b\":2}").deserialize::<Part>().is_err());
    assert!(read("\"Count\"").deserialize::<Part>().is_err());
    assert!(read("{\"Empty\":1}").deserialize::<Part>().is_err());
    assert!(read("{\"x\":1}").deserialize::<BTreeMap<u8, u8>>().is_err());
}

#[test]
fn what_has_no_form_as_a_value_is_refused_with_its_path() {
    let message = |result: Result<Value, ValueError>| result.unwrap_err().to_string();
    let nan = BTreeMap::from([("a", vec![(1.0, f64::NAN)])]);
    assert_eq!(message(Value::from_serialize(&nan)), "number that is not finite in a[0][1]");
    assert_eq!(message(Value::from_serialize(&[u128::MAX])), "integer beyond 128 bits in [0]");
    let keys = BTreeMap::from([(vec![1], 1)]);
    assert_eq!(message(Value::from_serialize(&keys)), "a key of a map is a string, not a value of kind list");

    #[derive(Serialize)]
    struct Nested(Vec<Nested>);
    let nested = |depth| (1..depth).fold(Nested(vec![]), |inner, _| Nested(vec![inner]));
    assert!(Value::from_serialize(&nested(limits::DEPTH_MAX)).is_ok());
    assert!(
        message(Value::from_serialize(&nested(limits::DEPTH_MAX + 1))).starts_with("nested deeper than 128 in [0][0]")
    );
}
