//! Inputs: declared, given, bound.

use super::*;

const DECLARED: &str = r#"
name: x
inputs:
  text: { type: string, default: main, pattern: "^m" }
  size: { type: integer, min: 1, max: 9 }
  ratio: { type: number, default: 1, max: 1.5 }
  flag: { type: boolean, default: false }
  opts: { type: list, default: [], items: { type: string, enum: [a, b] }, max: 2 }
  data: { type: map, default: {} }
  any: { type: any, default: null }
stages: { a: }
"#;

#[test]
fn defaults_fill_in_what_is_not_given() {
    let bound = read(DECLARED).bind_inputs(Map::from([("size".to_owned(), Value::from(3))])).unwrap();
    let expected = r#"{"any":null,"data":{},"flag":false,"opts":[],"ratio":1,"size":3,"text":"main"}"#;
    assert_eq!(Value::Map(bound).to_json(), expected);
}

#[test]
fn everything_that_does_not_fit_is_said_at_once() {
    let definition = read(DECLARED);
    for (given, errors) in [
        ("{}", "input \"size\" is missing"),
        ("{\"size\": 0}", "input \"size\" is 0, less than 1"),
        ("{\"size\": 10}", "input \"size\" is 10, more than 9"),
        ("{\"size\": 1.5}", "input \"size\" is 1.5, not an integer"),
        ("{\"size\": \"1\"}", "input \"size\" is \"1\", not an integer"),
        ("{\"size\": 1, \"ratio\": 1.75}", "input \"ratio\" is 1.75, more than 1.5"),
        ("{\"size\": 1, \"flag\": 1}", "input \"flag\" is 1, not a boolean"),
        ("{\"size\": 1, \"text\": \"x\"}", "input \"text\" is \"x\", which does not match ^m"),
        (
            "{\"size\": 1, \"opts\": [\"a\", \"c\"]}",
            "input \"opts\" does not fit: item 1 is \"c\", not one of \"a\", \"b\"",
        ),
        ("{\"size\": 1, \"opts\": [\"a\", \"a\", \"a\"]}", "input \"opts\" has 3 items, more than 2"),
        ("{\"size\": 1, \"data\": []}", "input \"data\" is [], not a map"),
        (
            "{\"size\": 1, \"sice\": 1, \"zzz\": 1}",
            "input \"sice\" is not declared; did you mean \"size\"?\ninput \"zzz\" is not declared",
        ),
        ("{\"flag\": null}", "input \"flag\" is null, not a boolean\ninput \"size\" is missing"),
    ] {
        let given = Value::from_json(given).unwrap().as_map().unwrap().clone();
        assert_eq!(definition.bind_inputs(given).unwrap_err().to_string(), errors);
    }
}

#[test]
fn text_of_a_command_line_is_read_by_the_declared_type() {
    let definition = read(DECLARED);
    for (name, text, value) in [
        ("text", "m1", "\"m1\""),
        ("size", "7", "7"),
        ("ratio", "0.5", "0.5"),
        ("flag", "true", "true"),
        ("opts", "[\"a\"]", "[\"a\"]"),
        ("data", "{\"a\": 1}", "{\"a\":1}"),
        ("any", "{\"a\": 1}", "{\"a\":1}"),
        ("any", "plain text", "\"plain text\""),
    ] {
        assert_eq!(definition.parse_input(name, text).unwrap().to_json(), value, "{name}={text}");
    }
    for (name, text) in
        [("size", "x"), ("size", "10"), ("size", "1.5"), ("flag", "yes"), ("opts", "a"), ("data", "[]"), ("no", "1")]
    {
        assert!(definition.parse_input(name, text).is_err(), "{name}={text}");
    }
}
