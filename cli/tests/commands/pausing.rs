//! `pause` and `resume`: a workflow is held while programs of it run, and goes on; told to whoever holds the log.

use rustix::process::Signal;
use serde_json::json;

use super::support::{Place, golden};

const HELD: &str = "
name: held
stages:
  first: { run: 'echo x > ready; read line < gate; echo first >> ran' }
  second: { needs: [first], run: 'echo second >> ran' }
";

#[test]
fn what_runs_goes_on_in_a_pause_and_what_follows_waits() {
    let place = Place::new();
    place.write("a.yaml", HELD);
    place.pipe("ready");
    place.pipe("gate");
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    place.take("ready");
    let told = place.run(&["pause", "last", "--reason", "the database moves", "--actor", "alice"]).exits(0);
    golden("pause.txt", &told.out);
    running.event("workflow.paused");
    place.give("gate");
    running.event("task.completed");
    let why = place.run(&["why", "last"]).exits(0).out;
    golden("why-paused.txt", &why.replace(&format!("pid {}", running.pid()), "pid PID"));
    let told = place.run(&["why", "last", "--json"]).exits(0).last();
    assert_eq!((&told["status"], &told["waits"][0]["reason"]), (&json!("PAUSED"), &json!("PAUSED")));
    assert_eq!((&told["waits"][0]["by"], &told["waits"][1]["stage"]), (&json!("alice"), &json!("second")));
    let listed = place.run(&["ls", "--status", "PAUSED", "--json"]).exits(0).last();
    assert_eq!(listed["status"], "PAUSED");
    let shown = place.run(&["show", "last"]).exits(0).out;
    assert!(shown.contains("paused      by alice: the database moves, since "), "{shown}");
    assert_eq!(place.read("ran"), "first\n");
    let told = place.run(&["resume", "last", "--json"]).exits(0).last();
    assert_eq!(told["status"], "RUNNING");
    running.wait().exits(0);
    assert_eq!(place.read("ran"), "first\nsecond\n");
    let shown = place.run(&["show", "last", "--json"]).exits(0).last();
    assert_eq!((&shown["status"], &shown["paused"]["resumed_by"]), (&json!("SUCCEEDED"), &json!("tester")));
    assert!(shown["paused"]["paused_ms"].is_u64());
    place.run(&["replay", "last"]).exits(0);
}

#[test]
fn a_pause_outlives_the_engine_and_needs_none() {
    let place = Place::new();
    place.write("a.yaml", "name: x\nstages: { a: { run: 'echo a >> ran' } }\n");
    let id = place.run(&["start", "a.yaml"]).exits(0).out.trim().to_owned();
    place.run(&["pause", &id]).exits(0);
    assert_eq!(place.run(&["show", &id, "--json"]).exits(0).last()["status"], "PAUSED");
    let mut running = place.start(&["run", "--resume", &id, "--json"]);
    // It holds the log once it can be asked; and it begins nothing.
    let told = loop {
        let told = place.run(&["why", &id, "--json"]).exits(0).last();
        if told["holder"]["drives"] == true {
            break told;
        }
    };
    assert_eq!(told["status"], "PAUSED");
    running.signal(Signal::INT);
    while running.line().is_some() {}
    running.wait().exits(130);
    assert_eq!(place.read("ran"), "");
    place.run(&["resume", &id, "--reason", "enough"]).exits(0);
    place.run(&["run", "--resume", &id]).exits(0);
    assert_eq!(place.read("ran"), "a\n");
}

#[test]
fn a_pause_of_what_is_paused_or_has_ended_is_refused() {
    let place = Place::new();
    place.write("a.yaml", "name: x\nstages: { a: { uses: manual } }\n");
    place.run(&["start", "a.yaml"]).exits(0);
    let refused = |words: &[&str], reason: &str| {
        let finished = place.run(words).exits(5);
        assert!(finished.err.contains(reason) && finished.out.is_empty(), "{words:?}: {}", finished.err);
    };
    refused(&["resume", "last"], "the workflow is not paused");
    place.run(&["pause", "last"]).exits(0);
    refused(&["pause", "last"], "the workflow is paused already");
    // What people do had begun.
    let told = place.run(&["complete", "last", "a", "--json"]).exits(0).last();
    assert_eq!(told["status"], "SUCCEEDED");
    refused(&["pause", "last"], "has ended SUCCEEDED");
    refused(&["resume", "last"], "has ended SUCCEEDED");
    place.run(&["pause", "nothing"]).exits(4);
}
