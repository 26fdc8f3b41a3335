//! Tests of expressions: what is read, what it gives, what is refused and where.

mod differential;

use proptest::prelude::*;

use super::*;
use crate::limits::{DEPTH_MAX, EXPRESSION_BYTES_MAX};
use crate::testing::expressions::{expressions, tokens};
use crate::testing::values::values;

fn scope() -> Scope {
    let names = r#"{
        "n": 3, "zero": 0, "half": 0.5, "big": 9007199254740993, "yes": true, "no": false, "nothing": null,
        "text": "release", "empty": "", "list": [1, "two", [3], {"k": 4}], "map": {"a": {"b-c": 5, "1st": 6}, "in": 7},
        "stages": {"my-stage": {"outputs": {"x": "deep"}}}
    }"#;
    let Value::Map(names) = Value::from_json(names).unwrap() else { unreachable!() };
    Scope::from(names)
}

fn evaluate(text: &str) -> Result<Value, ExpressionError> {
    Expression::parse(text)?.evaluate(&scope())
}

fn assert_values(table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(evaluate(text).map(|value| value.to_json()).as_deref(), Ok(*expected), "{text}");
    }
}

fn assert_refused(kind: ExpressionErrorKind, table: &[(&str, usize, &str)]) {
    for (text, start, message) in table {
        let error = evaluate(text).unwrap_err();
        assert_eq!((error.kind(), error.span().start, error.message()), (kind, *start, *message), "{text}");
    }
}

#[test]
fn literals_are_written_as_in_python() {
    assert_values(&[
        ("None", "null"),
        ("null", "null"),
        ("none", "null"),
        ("[True, true, False, false]", "[true,true,false,false]"),
        ("0x_fF", "255"),
        ("0o17", "15"),
        ("0b1_01", "5"),
        ("1_000_000", "1000000"),
        ("00", "0"),
        ("01.5", "1.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("1_0.2_5e-1", "1.025"),
        ("2.0", "2"),
        ("170141183460469231731687303715884105727", "170141183460469231731687303715884105727"),
        (r#"'it''s' "one""#, r#""itsone""#),
        (r#"'a"b'"#, r#""a\"b""#),
        (
            r#""\x41\u00e9\U0001f600\101\0\q\'\"\a\v\
z""#,
            "\"Aé😀A\\u0000\\\\q'\\\"\\u0007\\u000bz\"",
        ),
        ("[]", "[]"),
        ("()", "[]"),
        ("(1)", "1"),
        ("(1,)", "[1]"),
        ("(1, [2, n,],)", "[1,[2,3]]"),
        ("-n", "-3"),
        ("--half", "0.5"),
        ("-yes", "-1"),
    ]);
}

#[test]
fn a_bare_truth_value_is_one_in_any_case() {
    assert_values(&[
        ("  TRUE\n", "true"),
        ("fAlse", "false"),
        ("1", "true"),
        (" 0", "false"),
        ("(1)", "1"),
        ("-0", "0"),
    ]);
}

#[test]
fn names_and_paths_give_null_where_nothing_is() {
    assert_values(&[
        ("n", "3"),
        ("missing", "null"),
        ("missing.x[0].y", "null"),
        ("map.a.b-c", "5"),
        ("map.a.1st", "6"),
        ("map . a\n.\n1st", "6"),
        ("map.in", "7"),
        ("map['a'][\"b-c\"]", "5"),
        ("map[1]", "null"),
        ("map[nothing]", "null"),
        ("stages.my-stage.outputs.x", "\"deep\""),
        ("text.length", "null"),
        ("text[0]", "null"),
        ("list[0]", "1"),
        ("list[-1].k", "4"),
        ("list[yes]", "\"two\""),
        ("list[4]", "null"),
        ("list[-5]", "null"),
        ("list[-170141183460469231731687303715884105727]", "null"),
        ("list['0']", "null"),
        ("list[half]", "null"),
        ("list[list[0]]", "\"two\""),
        ("[1, 2, 3][n][0]", "null"),
        ("[[1, 2], 3][0][1]", "2"),
    ]);
}

#[test]
fn logic_gives_true_or_false_and_stops_when_it_is_clear() {
    assert_values(&[
        ("n and text", "true"),
        ("n and empty", "false"),
        ("zero or nothing", "false"),
        ("zero or text", "true"),
        ("not list", "false"),
        ("not not map", "true"),
        ("not n == 4", "true"),
        ("yes or nothing < 1", "true"),
        ("no and -text", "false"),
        ("no and no or yes", "true"),
        ("yes or no and no", "true"),
        ("4 < n < nothing", "false"),
        ("'then' if n else -text", "\"then\""),
        ("-text if no else 'else'", "\"else\""),
        ("1 if no else 2 if no else 3", "3"),
        ("(1 if yes else 2) if yes else 3", "1"),
    ]);
}

#[test]
fn comparisons_mean_what_they_mean_in_python() {
    assert_values(&[
        ("1 == True", "true"),
        ("1 == 1.0", "true"),
        ("0 == False != 1", "true"),
        ("'1' == 1", "false"),
        ("nothing == missing", "true"),
        ("nothing == False", "false"),
        ("big == 9007199254740992.0", "false"),
        ("big > 9007199254740992.0", "true"),
        ("[1, [True]] == [yes, [1.0]]", "true"),
        ("map == map != list", "true"),
        ("1 < n <= 3 < 4.5 > half", "true"),
        ("1 < n > 5", "false"),
        ("'a' < 'b' < 'ba' < 'é'", "true"),
        ("[1, 2] < [1, 3]", "true"),
        ("[1] < [1, 'a']", "true"),
        ("True > half", "true"),
        ("'two' in list", "true"),
        ("1.0 in list", "true"),
        ("9 not in list", "true"),
        ("'a' in map", "true"),
        ("1 in map", "false"),
        ("nothing in map", "false"),
        ("'lea' in text", "true"),
        ("'' in empty", "true"),
        ("nothing in [missing]", "true"),
        ("nothing is None", "true"),
        ("n is not None", "true"),
        ("yes is True", "true"),
        ("1 is True", "false"),
        ("list is list", "true"),
        ("not nothing is None", "false"),
    ]);
}

#[test]
fn what_an_operator_is_not_made_for_is_an_error_with_its_place() {
    assert_refused(
        ExpressionErrorKind::TypeMismatch,
        &[
            ("missing < 1", 0, "`<` does not apply to null and integer"),
            ("yes and 'a' >= half", 8, "`>=` does not apply to string and number"),
            ("1 < 2 < map", 4, "`<` does not apply to integer and map"),
            ("[1] < ['a']", 0, "`<` does not apply to integer and string"),
            ("1 in nothing", 0, "`in` does not apply to integer and null"),
            ("1 not in text", 0, "`not in` does not apply to integer and string"),
            ("list in map", 0, "`in` does not apply to list and map"),
            ("map[list]", 3, "a key of a map is a string, not a list"),
            ("not -text", 4, "`-` does not apply to a value of kind string"),
        ],
    );
    assert_eq!(
        evaluate("n < text").unwrap_err().to_string(),
        "`<` does not apply to integer and string at byte 0 of the expression"
    );
}

#[test]
fn constructs_that_are_left_out_are_named() {
    let table = [
        ("len(list)", 3, "calls"),
        ("(n)(1)", 3, "calls"),
        ("n + 1", 2, "arithmetic operators"),
        ("+n", 0, "arithmetic operators"),
        ("n * 2", 2, "arithmetic operators"),
        ("n % 2 == 0", 2, "arithmetic operators"),
        ("my-key", 2, "arithmetic operators (for a name with `-` write context[\"the-name\"])"),
        ("~n", 0, "bit operators"),
        ("n | 1", 2, "bit operators"),
        ("n << 1", 2, "shifts"),
        ("list[0:1]", 6, "slices (`:`)"),
        ("{'a': 1}", 0, "map and set literals (`{`)"),
        ("[x for x in list]", 3, "comprehensions (`for`)"),
        ("lambda: 1", 0, "functions (`lambda`)"),
        ("f'{n}'", 0, "strings with prefix `f`"),
        ("b'x'", 0, "strings with prefix `b`"),
        ("'''x'''", 0, "strings in three quotes"),
        ("n = 1", 2, "assignments (`=`; equality is `==`)"),
        ("(n := 1)", 3, "assignments (`:=`)"),
        ("await n", 0, "coroutines (`await`, `yield`)"),
        ("1j", 0, "complex numbers"),
        ("...", 0, "ellipses (`...`)"),
        ("n # note", 2, "comments (`#`)"),
        ("'\\N{DASH}'", 1, "characters by name (`\\N`)"),
    ];
    for (text, start, constructs) in table {
        let message = format!("{constructs} are not supported in expressions");
        assert_refused(ExpressionErrorKind::Unsupported, &[(text, start, &message)]);
    }
}

#[test]
fn text_that_is_no_expression_is_refused_with_its_place() {
    assert_refused(
        ExpressionErrorKind::Syntax,
        &[
            ("n ==", 4, "expected a value, found the end"),
            ("n n", 2, "expected an operator or the end, found `n`"),
            ("n == not yes", 5, "expected a value, found `not`"),
            ("- not yes", 2, "expected a value, found `not`"),
            ("(n", 2, "expected `,` or `)`, found the end"),
            ("[n", 2, "expected `,` or `]`, found the end"),
            ("list[]", 5, "expected a value, found `]`"),
            ("list[0", 6, "expected `]`, found the end"),
            ("1 if n", 6, "expected `else`, found the end"),
            ("n.", 2, "expected a name behind `.`"),
            ("n.-a", 2, "expected a name behind `.`"),
            ("n && yes", 2, "write `and` for `&&`"),
            ("!n", 0, "write `not` for `!`"),
            ("n ? 1 : 2", 2, "write `a if condition else b`"),
            ("$n", 0, "unexpected '$'"),
            ("012", 0, "integers do not begin with `0` (octal ones with `0o`)"),
            ("1__0", 0, "malformed number"),
            ("1abc", 0, "malformed number"),
            ("0x", 0, "malformed number"),
            ("0b12", 0, "malformed number"),
            ("1e", 0, "malformed number"),
            ("'abc", 0, "string without end"),
            ("'a\nb'", 0, "string without end in its line"),
            ("'\\x4'", 1, "expected 2 hexadecimal digits"),
            ("'\\ud800'", 1, "escape of what is no character"),
        ],
    );
    assert_refused(ExpressionErrorKind::Empty, &[("", 0, "expression is empty"), (" \n", 0, "expression is empty")]);
    assert_refused(
        ExpressionErrorKind::NumberTooLarge,
        &[
            ("170141183460469231731687303715884105728", 0, "number beyond 128 bits"),
            ("n < 1e999", 4, "number beyond 64-bit floats"),
        ],
    );
}

#[test]
fn every_nesting_has_a_limit() {
    let kind = |text: &str| evaluate(text).map_err(|error| error.kind());
    for (open, inner, close) in
        [("(", "1", ")"), ("[", "1", "]"), ("list[", "0", "]"), ("not ", "1", ""), ("-", "1", "")]
    {
        let nested = |depth| format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
        assert!(kind(&nested(DEPTH_MAX)).is_ok(), "{open}");
        assert_eq!(kind(&nested(DEPTH_MAX + 1)), Err(ExpressionErrorKind::TooDeep), "{open}");
        let count = EXPRESSION_BYTES_MAX / (open.len() + close.len()) - 1;
        assert_eq!(kind(&nested(count)), Err(ExpressionErrorKind::TooDeep), "{open}");
    }
    assert_eq!(kind(&"1 if n else ".repeat(600)), Err(ExpressionErrorKind::TooDeep));
    assert_eq!(kind(&format!("n{}", ".a".repeat(4_000))), Ok(Value::Null));
    assert_eq!(kind(&format!("1{}", " or 1".repeat(1_600))), Ok(Value::Bool(true)));
    assert_eq!(kind(&" ".repeat(EXPRESSION_BYTES_MAX + 1)), Err(ExpressionErrorKind::TooLong));
    let deep = Value::from_json(&format!("{}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX))).unwrap();
    let deeper = Expression::parse("[deep]").unwrap().evaluate(&Scope::new().with("deep", deep));
    assert_eq!(deeper.map_err(|error| error.kind()), Err(ExpressionErrorKind::TooDeep));
}

#[test]
fn fuel_bounds_what_data_makes_long() {
    let many = Value::list(0..60_000_i64);
    let scope = Scope::new().with("many", many.clone()).with("long", "x".repeat(1_000_000));
    let evaluate = |text: &str| Expression::parse(text).unwrap().evaluate(&scope);
    assert_eq!(evaluate("many"), Ok(many));
    assert_eq!(evaluate("many == many"), Ok(Value::Bool(true)));
    for text in ["many == many and many == many", "[many, many]", "-1 in many or -1 in many"] {
        assert_eq!(evaluate(text).unwrap_err().kind(), ExpressionErrorKind::OutOfFuel, "{text}");
    }
    assert_eq!(evaluate("'y' in long"), Ok(Value::Bool(false)));
    let often = ["'y' in long"; 10].join(" or ");
    assert_eq!(evaluate(&often).unwrap_err().kind(), ExpressionErrorKind::OutOfFuel);
}

#[test]
fn references_name_what_an_expression_uses() {
    let text = "a.b['c'].d-e[f.g][0].h if not i[j] == -k else [True, (a).x['y'], l in m['n'][0]['o']]";
    let found: Vec<String> = Expression::parse(text)
        .unwrap()
        .references()
        .into_iter()
        .map(|reference| format!("{} {:?} {}", reference.root, reference.path, &text[reference.span]))
        .collect();
    let expected = [
        r#"a ["b", "c", "d-e"] a.b['c'].d-e"#,
        r#"f ["g"] f.g"#,
        r#"i [] i"#,
        r#"j [] j"#,
        r#"k [] k"#,
        r#"a ["x", "y"] a).x['y']"#,
        r#"l [] l"#,
        r#"m ["n"] m['n']"#,
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_expression_keeps_its_text_and_is_equal_to_itself_read_again() {
    let expression = Expression::parse(" a.b == 'x' ").unwrap();
    assert_eq!(expression.text(), " a.b == 'x' ");
    assert_eq!(Expression::parse(expression.text()), Ok(expression));
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in any::<String>(), likely in "[a-c01.\\[\\](),'\"\\\\ =<>!x_e\u{e9}-]{0,30}|( ?(not|and|or|in|is|if|else|n|list|'a'|1|-|\\(|\\)|\\.|\\[|\\])){0,12}") {
        for text in [text, likely] {
            match evaluate(&text) {
                Ok(value) => prop_assert!(value.check_depth().is_ok()),
                Err(error) => {
                    prop_assert!(text.get(error.span()).is_some(), "{:?} of {:?}", error, text);
                    prop_assert!(!error.message().is_empty());
                }
            }
        }
    }

    /// P11. Every evaluation ends within its fuel: with less of it there is the same result or none, never another.
    #[test]
    fn an_evaluation_ends_within_its_fuel(
        text in prop_oneof![4 => expressions(), 1 => tokens()],
        names in prop::collection::btree_map("[a-e]", values(), 0..6),
        fuel in 0_u64..64,
    ) {
        let Ok(expression) = Expression::parse(&text) else { return Ok(()) };
        let scope = Scope::from(names);
        let unhurried = expression.evaluate(&scope);
        let hurried = evaluate::evaluate(&expression.term, &scope, fuel);
        match &hurried {
            Err(error) if error.kind() == ExpressionErrorKind::OutOfFuel => (),
            Ok(_) | Err(_) => prop_assert_eq!(&hurried, &unhurried),
        }
        if fuel == 0 {
            prop_assert!(hurried.is_err());
        }
        prop_assert!(!matches!(unhurried, Err(error) if error.kind() == ExpressionErrorKind::OutOfFuel), "small data");
    }
}
