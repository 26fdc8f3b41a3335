//! Holds expressions against CPython's own parser and `eval` on what both have, and lists where they differ.

use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::expression::{Expression, Scope};
use crate::testing::expressions::{expressions, tokens};
use crate::testing::needs;
use crate::testing::values::values;
use crate::value::{Map, Value};

#[derive(Debug)]
struct Case {
    text: String,
    names: Map,
}

impl Case {
    /// The answer in the form of the script: `value`, `error`, or `refused`.
    fn ours(&self) -> (&'static str, Option<Value>) {
        let Ok(expression) = Expression::parse(&self.text) else {
            return ("refused", None);
        };
        match expression.evaluate(&Scope::from(self.names.clone())) {
            Ok(value) => ("value", Some(value)),
            Err(_) => ("error", None),
        }
    }
}

/// How Python evaluates.
#[derive(PartialEq)]
enum Manner {
    /// With what expressions mean by a path, by `and`, by tuples and so on in place of what Python means.
    Cured,
    /// As it does.
    Bare,
}

/// Asks one Python for all answers.
fn python(cases: &[Case], manner: Manner) -> Vec<(String, Option<Value>)> {
    let bare = manner == Manner::Bare;
    let lines: String = cases
        .iter()
        .map(|case| {
            let names = ("names", Value::Map(case.names.clone()));
            Value::map([("text", Value::from(case.text.as_str())), names, ("bare", Value::from(bare))]).to_json() + "\n"
        })
        .collect();
    let mut child = Command::new("python3")
        .args(["-c", include_str!("python.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The script reads everything before it answers, so neither side waits for the other.
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the script ended with {}", output.status);
    let answers: Vec<_> = String::from_utf8(output.stdout).unwrap().lines().map(answer).collect();
    assert_eq!(answers.len(), cases.len());
    answers
}

fn answer(line: &str) -> (String, Option<Value>) {
    let answer = Value::from_json(line).unwrap();
    let (kind, value) = answer.as_map().unwrap().iter().next().unwrap();
    (kind.clone(), (kind == "value").then(|| value.clone()))
}

fn drawn<T>(count: usize, strategy: impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// How many cases gave each kind of answer; all of them the same from both sides.
fn compared(cases: &[Case]) -> [usize; 3] {
    let mut counts = [0; 3];
    for (case, (kind, value)) in cases.iter().zip(python(cases, Manner::Cured)) {
        let ours = case.ours();
        assert_eq!((ours.0, &ours.1), (kind.as_str(), &value), "{} over {}", case.text, Value::Map(case.names.clone()));
        counts[["value", "error", "refused"].iter().position(|known| *known == kind).unwrap()] += 1;
    }
    counts
}

#[test]
fn expressions_mean_what_python_means_by_them() {
    if !needs("python3") {
        return;
    }
    let names = prop::collection::btree_map("[a-e]", values(), 0..6);
    let cases = drawn(3_000, (expressions(), names).prop_map(|(text, names)| Case { text, names }));
    let [with_value, with_error, refused] = compared(&cases);
    assert!(with_value > 1_500 && with_error > 150 && refused > 20, "{with_value} {with_error} {refused}");
}

#[test]
fn what_python_does_not_read_is_refused_and_the_other_way_round() {
    if !needs("python3") {
        return;
    }
    // `is` between any two values is a difference, listed below.
    let texts = tokens().prop_filter("identity", |text| !text.contains("is"));
    let cases = drawn(3_000, texts.prop_map(|text| Case { text, names: Map::new() }));
    let [with_value, with_error, refused] = compared(&cases);
    assert!(with_value > 150 && with_error > 10 && refused > 1_000, "{with_value} {with_error} {refused}");
    let cases = drawn(3_000, tokens().prop_map(|text| Case { text, names: Map::new() }));
    for (case, (kind, _)) in cases.iter().zip(python(&cases, Manner::Cured)) {
        assert_eq!(case.ours().0 == "refused", kind == "refused", "{}", case.text);
    }
}

/// Every intended difference: the expression, its value here, its value in Python; `-` is an error.
const DIFFERENCES: [(&str, &str, &str); 32] = [
    // What is not there is null.
    ("missing", "null", "-"),
    ("m['missing']", "null", "-"),
    ("l[9]", "null", "-"),
    ("n.real", "null", "3"),
    ("text['x']", "null", "-"),
    ("n[0]", "null", "-"),
    // A dot goes to a key of a map, and never to anything of the host language.
    ("m.a", "1", "-"),
    ("m.b-c", "2", "-"),
    ("m.1st", "4", "-"),
    ("m.if", "5", "-"),
    ("text.upper", "null", "\"builtin_function_or_method\""),
    ("text[0]", "null", "\"r\""),
    // Conditions are true or false, not one of their operands.
    ("n and text", "true", "\"release\""),
    ("zero or text", "true", "\"release\""),
    ("zero or []", "false", "[]"),
    // There is one kind of list, and one form of a number.
    ("(1, 2) == [1, 2]", "true", "false"),
    ("l[1.0]", "\"y\"", "-"),
    ("1", "true", "1"),
    ("TRUE", "true", "-"),
    // Values have no addresses.
    ("[] is []", "true", "false"),
    ("n is 3.0", "true", "false"),
    // Line ends are blanks, so that a folded text of YAML is one expression.
    ("n ==\n 3", "true", "-"),
    // Numbers have bounds.
    ("-170141183460469231731687303715884105728", "-", "-170141183460469231731687303715884105728"),
    ("340282366920938463463374607431768211456 == 0", "-", "false"),
    ("1e999 == 0", "-", "false"),
    // What could run on, or run code, or hides what is meant, is left out.
    ("n + 1", "-", "4"),
    ("{'a': 1}", "-", "{\"a\":1}"),
    ("l[0:1]", "-", "[\"x\"]"),
    ("[x for x in l]", "-", "[\"x\",\"y\"]"),
    ("text.upper()", "-", "\"RELEASE\""),
    ("'''x'''", "-", "\"x\""),
    ("n # note", "-", "3"),
];

#[test]
fn the_differences_from_python_are_these() {
    if !needs("python3") {
        return;
    }
    let names = r#"{"n":3,"zero":0,"text":"release","l":["x","y"],"m":{"a":1,"b-c":2,"1st":4,"if":5}}"#;
    let Ok(Value::Map(names)) = Value::from_json(names) else { unreachable!() };
    let case = |(text, ..): &(&str, &str, &str)| Case { text: (*text).to_owned(), names: names.clone() };
    let cases: Vec<Case> = DIFFERENCES.iter().map(case).collect();
    let shown = |value: Option<Value>| value.map_or("-".to_owned(), |value| value.to_json());
    for ((case, theirs), (_, here, in_python)) in cases.iter().zip(python(&cases, Manner::Bare)).zip(DIFFERENCES) {
        assert_eq!(shown(case.ours().1), here, "{} here", case.text);
        assert_eq!(shown(theirs.1), in_python, "{} in Python", case.text);
        assert_ne!(here, in_python);
    }
}
