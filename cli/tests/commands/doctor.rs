//! `doctor`: what it finds on good logs and bad ones. What the machine is like is not ours to say.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use super::support::{Finished, Place};

/// Checks that depend on the machine the test runs on.
const OF_THE_MACHINE: [&str; 5] = ["file system", "fsync", "space", "clock", "open files"];

/// A log with a workflow that waits for two days, driven by nobody.
fn waiting() -> Place {
    let place = Place::new();
    place.write("wait.yaml", "name: long\nstages: { a: { uses: wait, with: { duration: 2d } } }\n");
    place.run(&["run", "wait.yaml", "--timeout", "1ms"]).exits(124);
    place
}

/// Verdict and what was found of each check, held to the exit code.
fn checks(finished: &Finished) -> BTreeMap<String, (String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = finished.json();
    for line in &lines {
        assert_eq!(line["cure"].is_null(), line["verdict"] == "ok", "{line}");
    }
    let is_bad = lines.iter().any(|line| line["verdict"] == "bad");
    assert_eq!(finished.code, Some(if is_bad { 7 } else { 0 }), "{}", finished.out);
    lines.iter().map(|line| (text(&line["check"]), (text(&line["verdict"]), text(&line["found"])))).collect()
}

#[test]
fn each_check_has_a_verdict_and_what_is_not_well_a_cure() {
    let place = waiting();
    let found = checks(&place.run(&["doctor", "--json"]));
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    let expected = [
        "clock",
        "copy",
        "file system",
        "fsync",
        "hold",
        "holder",
        "index",
        "log",
        "open files",
        "open workflows",
        "space",
    ];
    assert_eq!(names, expected);
    for (name, (verdict, found)) in &found {
        if !OF_THE_MACHINE.contains(&name.as_str()) {
            let expected = if name == "open workflows" { "warn" } else { "ok" };
            assert_eq!(verdict, expected, "{name}: {found}");
        }
    }
    assert!(found["open workflows"].1.starts_with("1, the oldest "), "{found:?}");
    let human = place.run(&["doctor"]).out;
    assert!(human.starts_with("CHECK           VERDICT  FOUND\nlog             ok       whole,"), "{human}");
    assert!(human.contains("\nopen workflows: stabilize --log log why "), "{human}");
    assert!(fs::read_dir(place.path("log")).unwrap().all(|entry| !entry.unwrap().path().ends_with("tmp")));
}

#[test]
fn where_no_log_is_the_place_for_one_is_looked_at_and_nothing_is_made() {
    let place = Place::new();
    let found = checks(&place.run_on("deep/down/log", &["doctor", "--json"]));
    assert_eq!(found["log"].0, "ok");
    assert!(!found.contains_key("open workflows") && !place.path("deep").exists());
}

#[test]
fn who_holds_the_log_is_named_and_a_copy_of_its_directory_is_bad() {
    let place = waiting();
    let mut running = place.start(&["run", "wait.yaml", "--json"]);
    running.event("timer.set");
    let holder = format!("pid {} holds the log and drives ", running.pid());
    let found = checks(&place.run(&["doctor", "--json"]));
    assert!(found["holder"].1.starts_with(&holder), "{found:?}");
    assert_eq!((found["open workflows"].0.as_str(), found["copy"].0.as_str()), ("ok", "ok"));
    let copied = Command::new("cp").arg("-R").arg(place.path("log")).arg(place.path("copy")).status().unwrap();
    assert!(copied.success());
    let found = checks(&place.run_on("copy", &["doctor", "--json"]));
    assert_eq!((found["holder"].1.as_str(), found["copy"].0.as_str()), ("no engine holds the log", "bad"));
    running.signal(Signal::KILL);
    running.wait();
    let found = checks(&place.run_on("copy", &["doctor", "--json"]));
    assert_eq!(found["copy"].0, "warn", "{found:?}");
    assert_eq!(checks(&place.run(&["doctor", "--json"]))["copy"].0, "ok");
}

#[test]
fn a_damaged_log_is_bad_and_one_on_hold_is_said_to_be() {
    let place = waiting();
    place.write("log/HOLD", "");
    assert_eq!(checks(&place.run(&["doctor", "--json"]))["hold"].0, "warn");
    let segment = place.path("log/log/0000000001.seg");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[8200] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let finished = place.run(&["doctor", "--json"]).exits(7);
    let (verdict, found) = checks(&finished)["log"].clone();
    assert!(verdict == "bad" && found.contains("damaged at byte"), "{found}");
    assert!(finished.err.contains("checks are bad"), "{}", finished.err);
}
