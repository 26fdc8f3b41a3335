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

const RELEASE: &str = "
name: release
inputs: { version: { type: string, default: '1.2' } }
stages:
  release:
    uses: approval
    with: { roles: [ops], prompt: 'release ${{ inputs.version }}?', on_deadline: reject, on_reject: continue }
    deadline: 2d
    split_type: XOR
    split_conditions: { publish: approved }
    split_default: withdraw
  publish: { needs: [release], uses: manual }
  withdraw: { needs: [release], uses: manual }
outputs: { by: '${{ stages.release.outputs.by }}', role: '${{ stages.release.outputs.role }}' }
";

#[test]
fn an_approval_is_given_or_refused_as_one_of_those_who_are_asked() {
    let place = Place::new();
    place.write("a.yaml", RELEASE);
    place.run(&["start", "a.yaml"]).exits(0);
    golden("why-approval.txt", &place.run(&["why", "last"]).exits(0).out);
    let told = place.run(&["why", "last", "--json"]).exits(0).last();
    assert_eq!(told["waits"][0]["prompt"], "release 1.2?");
    assert_eq!(told["waits"][0]["roles"], json!(["ops"]));
    for (words, reason) in [
        (&["approve", "last", "release"][..], "asks for an answer as one of ops"),
        (&["reject", "last", "release", "--as", "boss"], "asks for an answer as one of ops"),
        (&["approve", "last", "publish", "--as", "ops"], "publish has no open task that is done by hand"),
        (&["complete", "last", "release"], "approve or reject it"),
    ] {
        let finished = place.run(words).exits(5);
        assert!(finished.err.contains(reason), "{words:?}: {}", finished.err);
    }
    place.run(&["approve", "last", "nowhere"]).exits(4);
    let told =
        place.run(&["approve", "last", "release", "--as", "ops/alice", "--comment", "go", "--json"]).exits(0).last();
    assert_eq!(told["status"], "RUNNING");
    let refused = place.run(&["approve", "last", "publish"]).exits(5);
    assert!(refused.err.contains("waits for no approval"), "{}", refused.err);
    place.run(&["complete", "last", "publish"]).exits(0);
    let shown = place.run(&["show", "last", "--json"]).exits(0).last();
    assert_eq!((&shown["status"], &shown["outputs"]), (&json!("SUCCEEDED"), &json!({"by": "alice", "role": "ops"})));
    let events = place.run(&["events", "last", "--json"]).exits(0).json();
    let answer = events.iter().find(|event| event["sequence"] == told["sequence"]).unwrap();
    assert_eq!((&answer["actor"], &answer["data"]["outputs"]["comment"]), (&json!("alice"), &json!("go")));
}

#[test]
fn a_rejection_that_is_to_go_on_goes_on() {
    let place = Place::new();
    place.write("a.yaml", RELEASE);
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    running.event("task.queued");
    place.run(&["reject", "last", "release", "--as", "ops", "--comment", "not on a Friday"]).exits(0);
    place.run(&["complete", "last", "withdraw"]).exits(0);
    running.wait().exits(0);
    let shown = place.run(&["show", "last", "--json"]).exits(0).last();
    assert_eq!(shown["stages"][0]["status"], "FAILED_CONTINUE");
    assert_eq!(shown["stages"][0]["error"]["message"], "rejected by tester as ops: not on a Friday");
    place.run(&["replay", "last"]).exits(0);
}
