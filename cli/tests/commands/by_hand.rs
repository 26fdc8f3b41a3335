//! Work that people do, from a shell: it waits for them, and they say how it ended, whoever holds the log.

use rustix::process::Signal;
use serde_json::json;

use super::support::{Place, golden};

const INSPECTION: &str = "
name: inspection
stages:
  look: { uses: manual }
  sign: { needs: [look], uses: manual, on_failure: continue }
outputs: { parts: '${{ stages.look.outputs.parts }}', note: '${{ stages.look.outputs.note }}' }
";

fn place() -> (Place, String) {
    let place = Place::new();
    place.write("a.yaml", INSPECTION);
    let id = place.run(&["start", "a.yaml"]).exits(0).out.trim().to_owned();
    (place, id)
}

#[test]
fn a_workflow_of_people_runs_to_its_end_without_an_engine_that_stays() {
    let (place, id) = place();
    let told = place.run(&["complete", &id, "look", "--output", "parts:=12", "--output", "note=twelve"]).exits(0);
    golden("complete.txt", &told.out);
    let told = place.run(&["complete", "last", "sign#1", "--actor", "alice", "--json"]).exits(0).last();
    assert_eq!((&told["workflow"], &told["status"]), (&json!(id), &json!("SUCCEEDED")));
    let shown = place.run(&["show", &id, "--json"]).exits(0).last();
    assert_eq!(shown["outputs"], json!({"parts": 12, "note": "twelve"}));
    let events = place.run(&["events", &id, "--json"]).exits(0).json();
    let reports: Vec<_> = events.iter().filter(|event| event["type"] == "task.reported").collect();
    assert_eq!(reports[1]["sequence"], told["sequence"]);
    let actors: Vec<_> = reports.iter().map(|event| event["actor"].as_str().unwrap()).collect();
    assert_eq!(actors, ["tester", "alice"]);
    assert!(!events.iter().any(|event| event["type"] == "task.started"), "nobody ran it");
    place.run(&["replay", &id]).exits(0);
}

#[test]
fn what_people_say_is_refused_where_nothing_of_theirs_is_open() {
    let (place, id) = place();
    let before = place.log_bytes();
    for (words, code, reason) in [
        (&["complete", "last", "sign"][..], 5, "sign has no open task that is done by hand"),
        (&["complete", "last", "look#2"], 5, "look#2 has no open task that is done by hand"),
        (&["complete", "last", "nowhere"], 4, "has no stage \"nowhere\""),
        (&["complete", "last", "look#0"], 2, "names no work"),
        (&["complete", "last", "look", "--output", "a b=1"], 2, "no name for an output"),
        (&["complete", "last", "look", "--output", "broken"], 2, "NAME=VALUE"),
        (&["complete", "last"], 2, "Usage"),
        (&["complete", "nothing", "look"], 4, "nothing"),
    ] {
        let finished = place.run(words).exits(code);
        assert!(finished.err.contains(reason) && finished.out.is_empty(), "{words:?}: {}", finished.err);
    }
    let count = |place: &Place| place.run(&["events", &id, "--json"]).exits(0).json().len();
    let n_events = count(&place);
    place.run(&["cancel", &id]).exits(0);
    assert!(n_events < count(&place) && !before.is_empty());
    let refused = place.run(&["complete", &id, "look"]).exits(5);
    assert!(refused.err.contains("has ended CANCELED"), "{}", refused.err);
}

#[test]
fn a_run_waits_for_people_and_goes_on_when_they_have_done_it() {
    let place = Place::new();
    place.write("a.yaml", INSPECTION);
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    running.event("task.queued");
    let why = place.run(&["why", "last"]).exits(0).out;
    golden("why-by-hand.txt", &why.replace(&format!("pid {}", running.pid()), "pid PID"));
    let told = place.run(&["why", "last", "--json"]).exits(0).last();
    assert_eq!((&told["waits"][0]["reason"], &told["waits"][0]["task"]), (&json!("BY_HAND"), &json!("manual")));
    place.run(&["complete", "last", "look", "--output", "parts:=1", "--output", "note=one"]).exits(0);
    running.event("task.queued");
    place.run(&["complete", "last", "sign", "--fail", "no ink"]).exits(0);
    let finished = running.wait().exits(0);
    assert_eq!(finished.last()["outputs"]["note"], "one");
    let shown = place.run(&["show", "last", "--json"]).exits(0).last();
    assert_eq!(shown["stages"][1]["status"], "FAILED_CONTINUE");
    assert_eq!(shown["stages"][1]["error"]["code"], "FAILED_BY_HAND");
    assert_eq!(shown["stages"][1]["error"]["message"], "no ink");
}

#[test]
fn an_engine_that_starts_finds_the_work_of_people_open_again() {
    let place = Place::new();
    place.write("a.yaml", INSPECTION);
    let mut killed = place.start(&["run", "a.yaml", "--json"]);
    killed.event("task.queued");
    killed.signal(Signal::KILL);
    killed.wait();
    let resumed = place.start(&["run", "--resume", "last", "--json"]);
    // Taken by whoever holds the log by now.
    place.run(&["complete", "last", "look", "--output", "parts:=1", "--output", "note=one"]).exits(0);
    place.run(&["complete", "last", "sign"]).exits(0);
    resumed.wait();
    assert_eq!(place.run(&["show", "last", "--json"]).exits(0).last()["status"], "SUCCEEDED");
    let events = place.run(&["events", "last", "--json"]).exits(0).json();
    assert!(!events.iter().any(|event| event["type"] == "task.lease_lost"), "nobody had begun it");
}
