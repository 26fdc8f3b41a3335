//! `patterns`: one object a pattern for programs, one pattern with everything that is known of it.

use serde_json::Value;

use crate::support::Place;

#[test]
fn each_pattern_is_one_object_with_these_keys() {
    let place = Place::new();
    let finished = place.run(&["patterns", "--json"]).exits(0);
    let found = finished.json();
    assert_eq!(found.len(), 43);
    for (number, pattern) in (1..).zip(&found) {
        let keys: Vec<&str> = pattern.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = ["id", "name", "positive", "negative", "crash", "loop", "composed", "passed"];
        expected.sort_unstable();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, expected);
        assert_eq!(pattern["id"], format!("wcp_{number:02}"));
        let kinds = ["positive", "negative", "crash", "loop", "composed"];
        let all = kinds.iter().all(|kind| pattern[*kind] == Value::Bool(true));
        assert_eq!(pattern["passed"], Value::Bool(all), "{pattern}");
    }
    assert_eq!(finished.err, "seed 43\n");
    assert!(!place.path("log").exists(), "no log is made");
}

#[test]
fn one_pattern_shows_its_definition_its_picture_and_its_traces() {
    let place = Place::new();
    let out = place.run(&["patterns", "2", "--seed", "7"]).exits(0).out;
    for part in ["2 Parallel Split\n", "b: { needs: [a] }", "│ b", "  stage.completed a to b, c\n", "crash", "seed 7\n"]
    {
        assert!(out.contains(part), "no {part:?} in\n{out}");
    }
    let refused = place.run(&["patterns", "44"]).exits(2);
    assert!(refused.err.contains("there is no pattern 44"), "{}", refused.err);
    let one = place.run(&["patterns", "2", "--json"]).exits(0).json();
    assert_eq!((one.len(), &one[0]["name"]), (1, &Value::from("Parallel Split")));
}
