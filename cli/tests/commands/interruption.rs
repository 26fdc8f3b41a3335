//! Stopping to follow: by a signal, by a deadline; and going on.

use rustix::process::Signal;

use super::support::{Place, Running};

/// One task that says that it runs, and waits for the test.
const WAITING: &str = r#"
name: waiting
stages:
  before: { run: 'echo before >> ran' }
  work: { needs: [before], run: 'echo "$STABILIZE_IDEMPOTENCY_KEY" >> ran; echo x > ready; read line < gate' }
  after: { needs: [work], run: 'echo after >> ran' }
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("a.yaml", WAITING);
    place.pipe("ready");
    place.pipe("gate");
    place
}

fn start(place: &Place, words: &[&str]) -> Running {
    let running = place.start(words);
    place.take("ready");
    running
}

/// Lets the waiting task end, and everything with it.
fn go_on(place: &Place, words: &[&str], n_began: usize) {
    let running = start(place, words);
    place.give("gate");
    running.wait().exits(0);
    let ran = place.read("ran");
    let mut lines: Vec<&str> = ran.lines().collect();
    assert_eq!((lines.remove(0), lines.pop()), ("before", Some("after")));
    assert_eq!(lines.len(), n_began, "{ran}");
    assert!(lines.iter().all(|line| *line == lines[0] && line.ends_with("/work#1/shell")), "{ran}");
    let shown = place.run(&["show", "last", "--json"]).exits(0).last();
    assert_eq!(shown["status"], "SUCCEEDED");
    place.run(&["replay", "last"]).exits(0);
}

#[test]
fn a_signal_gives_back_what_runs_and_the_workflow_goes_on_later() {
    for signal in [Signal::INT, Signal::TERM] {
        let place = place();
        let running = start(&place, &["run", "a.yaml"]);
        running.signal(signal);
        let finished = running.wait().exits(130);
        let id = place.run(&["ls", "--json"]).exits(0).last()["id"].as_str().unwrap().to_owned();
        assert!(finished.err.contains(&format!("stabilize --log log run --resume {id}")), "{}", finished.err);
        assert!(!finished.err.contains("panicked"));
        let lost = place.run(&["events", &id, "--json"]).json();
        let lost: Vec<_> = lost.iter().filter(|event| event["type"] == "task.lease_lost").collect();
        assert!(lost.len() == 1 && lost[0]["data"]["orderly"] == true, "{lost:?}");
        go_on(&place, &["run", "--resume", &id], 2);
    }
}

#[test]
fn in_machine_form_an_interrupted_run_ends_with_where_it_stands() {
    let place = place();
    let running = start(&place, &["run", "a.yaml", "--json"]);
    running.signal(Signal::INT);
    let finished = running.wait().exits(130);
    let last = finished.last();
    assert_eq!((&last["status"], &last["outputs"]), (&"RUNNING".into(), &serde_json::Value::Null));
    let mut events = finished.json();
    events.pop();
    assert_eq!(place.run(&["events", "last", "--json"]).json(), events);
    let resumed = start(&place, &["run", "--resume", "last", "--json"]);
    place.give("gate");
    let rest = resumed.wait().exits(0).json();
    assert_eq!(rest[0]["sequence"].as_u64(), events.last().unwrap()["sequence"].as_u64().map(|last| last + 1));
}

#[test]
fn the_time_being_over_gives_back_what_runs() {
    let place = place();
    // Whether the task has begun by then is open, so it is not waited for.
    place.write("b.yaml", "name: b\nstages: { a: { run: 'read line < gate; echo done >> ran' } }\n");
    let finished = place.run(&["run", "b.yaml", "--timeout", "50ms"]).exits(124);
    assert!(finished.err.contains("--resume"), "{}", finished.err);
    let resumed = place.start(&["run", "--resume", "last"]);
    place.give("gate");
    resumed.wait().exits(0);
    assert_eq!(place.read("ran"), "done\n");
    assert_eq!(place.run(&["show", "last", "--json"]).last()["stages"][0]["error"], serde_json::Value::Null);
}

#[test]
fn a_second_signal_ends_at_once() {
    let place = Place::new();
    // Deaf to TERM: an orderly close would wait for seconds.
    place.write("a.yaml", "name: x\nstages: { a: { run: 'trap \"\" TERM; echo $$ > ready; read line < gate' } }\n");
    place.pipe("ready");
    place.pipe("gate");
    let running = place.start(&["run", "a.yaml", "--json"]);
    place.take("ready");
    running.signal(Signal::INT);
    running.signal(Signal::TERM);
    let finished = running.wait().exits(130);
    assert!(!finished.err.contains("--resume"), "{}", finished.err);
    // What was left running is ended by the next who opens the log, and the work begins again.
    let resumed = place.start(&["run", "--resume", "last"]);
    place.take("ready");
    place.give("gate");
    resumed.wait().exits(0);
}

#[test]
fn ten_orderly_stops_in_a_row_harm_nothing() {
    let place = place();
    let running = start(&place, &["run", "a.yaml"]);
    running.signal(Signal::TERM);
    running.wait().exits(130);
    for _ in 1..10 {
        let running = start(&place, &["run", "--resume", "last"]);
        running.signal(Signal::TERM);
        running.wait().exits(130);
    }
    go_on(&place, &["run", "--resume", "last"], 11);
}
