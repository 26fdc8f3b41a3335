//! Damage to what was acknowledged: refused with its place, and nothing is overwritten.

use std::fs;

use super::support::Place;

const SEGMENT: &str = "log/log/0000000001.seg";

/// A log of two workflows, the newer with a flipped bit in its first event; where that event begins, and its position.
fn damaged() -> (Place, u64, u64) {
    let place = Place::new();
    place.write("a.yaml", "name: x\nstages: { a: { run: 'true' } }\n");
    place.run(&["run", "a.yaml"]).exits(0);
    place.run(&["run", "a.yaml"]).exits(0);
    let newest = place.run(&["ls", "--json"]).json()[0]["id"].as_str().unwrap().to_owned();
    let frames = place.run(&["log", "dump", "--json"]).exits(0).json();
    let first = frames.iter().find(|frame| frame["stream"] == format!("workflow/{newest}")).unwrap();
    let (offset, position) = (first["offset"].as_u64().unwrap(), first["position"].as_u64().unwrap());
    let mut bytes = fs::read(place.path(SEGMENT)).unwrap();
    bytes[offset as usize + 60] ^= 1;
    fs::write(place.path(SEGMENT), bytes).unwrap();
    (place, offset, position)
}

#[test]
fn a_flipped_bit_is_refused_with_its_place_and_nothing_is_overwritten() {
    let (place, offset, position) = damaged();
    let before = place.log_bytes();
    for words in [&["run", "a.yaml"][..], &["run", "a.yaml", "--json"]] {
        let finished = place.run(words).exits(6);
        for part in ["0000000001.seg", &format!("byte {offset}"), &format!("position {position}")] {
            assert!(finished.err.contains(part), "{part}: {}", finished.err);
        }
    }
    assert!(place.log_bytes() == before);
}

#[test]
fn what_stands_before_the_damage_can_be_read_and_the_damage_is_told() {
    let (place, offset, position) = damaged();
    let before = place.log_bytes();
    let listed = place.run(&["ls", "--json"]).exits(6);
    let workflows = listed.json();
    assert_eq!(workflows.len(), 1, "the newer one cannot be read");
    let id = workflows[0]["id"].as_str().unwrap();
    let shown = place.run(&["show", id, "--json"]).exits(6);
    assert_eq!(shown.last()["status"], "SUCCEEDED");
    let events = place.run(&["events", id, "--json"]).exits(6).json();
    assert_eq!(events.last().unwrap()["type"], "workflow.completed");
    let dumped = place.run(&["log", "dump", "--json"]).exits(6);
    assert!(dumped.json().iter().all(|frame| frame["offset"].as_u64() < Some(offset)));
    let verified = place.run(&["log", "verify", "--json"]).exits(6);
    let lines = verified.json();
    assert_eq!((lines[0]["segment"].as_u64(), lines[0]["offset"].as_u64()), (Some(1), Some(offset)));
    assert_eq!(lines[0]["position"].as_u64(), Some(position));
    assert_eq!(verified.last()["ok"], false);
    assert!(place.log_bytes() == before);
}

#[test]
fn a_damaged_log_is_salvaged_accepted_and_goes_on() {
    let (place, _, position) = damaged();
    let before = place.log_bytes();
    place.run(&["log", "salvage", "log", "--to", "log"]).exits(2);
    let salvaged = place.run(&["log", "salvage", "log", "--to", "new", "--json"]).exits(0);
    let report = &salvaged.json()[0];
    assert_eq!(report["first_lost"].as_u64(), Some(position));
    assert!(report["proven"].as_u64() > Some(position));
    assert_eq!(report["damage"]["position"].as_u64(), Some(position));
    assert!(!report["behind"].as_array().unwrap().is_empty());
    assert!(place.log_bytes() == before, "the damaged log is not changed");

    place.run_on("new", &["run", "a.yaml"]).exits(7);
    place.run(&["log", "accept", "new"]).exits(2);
    place.run(&["log", "accept", "new", "--reason", "it was a test", "--actor", "ann"]).exits(0);
    let again = place.run(&["log", "accept", "new", "--reason", "once more"]).exits(5);
    assert!(again.err.contains("not on hold"), "{}", again.err);
    place.run_on("new", &["run", "a.yaml"]).exits(0);
    let listed = place.run_on("new", &["ls", "--json"]).exits(0).json();
    assert_eq!(listed.len(), 2, "the one before the damage and the new one");
    let stats = place.run_on("new", &["log", "stats", "--json"]).exits(0);
    let stats = &stats.json()[0];
    let accepted = stats["kinds"].as_array().unwrap().iter().find(|kind| kind["type"] == "log.accepted");
    assert_eq!(accepted.unwrap()["events"], 1);
    let shown = place.run_on("new", &["log", "stats"]).exits(0);
    assert!(shown.out.contains("log.accepted") && shown.out.contains("indexes 0 of 0"), "{}", shown.out);
}

#[test]
fn random_bytes_in_place_of_a_segment_are_damage_or_no_log() {
    let place = Place::new();
    place.write("a.yaml", "name: x\nstages: { a: { run: 'true' } }\n");
    fs::create_dir_all(place.path("log/log")).unwrap();
    for length in [0, 1, 4096, 300_000] {
        let bytes: Vec<u8> = (0..length).map(|index: u32| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        fs::write(place.path(SEGMENT), &bytes).unwrap();
        for words in [&["run", "a.yaml"][..], &["ls"], &["show", "last"], &["log", "verify"], &["log", "dump"]] {
            let finished = place.run(words);
            assert!(matches!(finished.code, Some(4 | 6 | 7)), "{words:?}: {:?} {}", finished.code, finished.err);
            assert!(finished.err.starts_with("error: "), "{}", finished.err);
        }
        assert!(fs::read(place.path(SEGMENT)).unwrap() == bytes);
    }
}
