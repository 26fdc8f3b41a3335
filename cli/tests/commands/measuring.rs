//! `bench`: the shape of what it prints, and that it leaves nothing behind. What the figures are is no matter of tests.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::Signal;
use serde_json::Value;
use stabilize_cli::measure::PARTS;

use super::support::Place;

#[test]
fn every_row_is_an_object_with_the_same_keys() {
    let place = Place::new();
    let rows = place.run(&["bench", "--quick", "--json"]).exits(0).json();
    let names: Vec<&str> = rows.iter().map(|row| row["row"].as_str().unwrap()).collect();
    // Memory is told where the system tells it.
    let is_told = |row: &&str| *row != "memory" || cfg!(target_os = "linux");
    let expected: Vec<&str> = PARTS.iter().flat_map(|part| part.rows).map(|label| label.row).filter(is_told).collect();
    assert_eq!(names, expected);
    for row in &rows {
        let keys: BTreeSet<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, BTreeSet::from(["row", "value", "unit", "ratio_to_f", "target", "met"]), "{row}");
        assert!(row["value"].as_f64().unwrap() > 0.0 && row["unit"].is_string(), "{row}");
        assert_eq!(row["met"].is_boolean(), row["target"].is_string(), "{row}");
        let is_held_against_f = row["target"].as_str().is_some_and(|target| target.contains('F'));
        assert!(row["ratio_to_f"].is_number() || !is_held_against_f, "{row}");
    }
    assert_eq!(left(&place), Vec::<String>::new());
}

#[test]
fn rows_are_chosen_by_how_they_begin() {
    let place = Place::new();
    let out = place.run(&["bench", "--quick", "idle-p50", "fresh"]).exits(0).out;
    let first = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    assert_eq!(out.lines().map(first).collect::<Vec<_>>(), ["ROW", "fresh-dispatch", "fresh-log", "idle-p50"]);
    let refused = place.run(&["bench", "speed"]).exits(2);
    assert!(
        refused.err.contains("no row begins with \"speed\"") && refused.err.contains("idle-p99"),
        "{}",
        refused.err
    );
}

#[test]
fn a_measurement_that_is_interrupted_tells_what_it_has_and_leaves_nothing() {
    let place = Place::new();
    let mut running = place.start(&["bench", "--json"]);
    let first: Value = serde_json::from_str(&running.line().unwrap()).unwrap();
    assert_eq!(first["row"], "floor");
    running.signal(Signal::INT);
    running.wait().exits(130);
    assert_eq!(left(&place), Vec::<String>::new());
}

fn left(place: &Place) -> Vec<String> {
    fs::read_dir(place.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
