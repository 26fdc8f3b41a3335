//! `signal` and `close-trigger`: what waits for a signal is told, whoever holds the log.

use serde_json::json;

use super::support::Place;

const GATE: &str = "
name: gate
stages:
  a: { trigger: { signal: go }, outputs: { of: '${{ signal.data.x }}' } }
outputs: { of: '${{ stages.a.outputs.of }}' }
";

const ORDERS: &str = "
name: orders
stages:
  s: { trigger: { signal: order, start: true }, uses: manual }
";

fn count(place: &Place, kind: &str) -> usize {
    place.run(&["events", "last", "--json"]).exits(0).json().iter().filter(|event| event["type"] == kind).count()
}

#[test]
fn a_signal_is_recorded_when_nobody_holds_the_log() {
    let place = Place::new();
    place.write("a.yaml", GATE);
    let id = place.run(&["start", "a.yaml"]).exits(0).out.trim().to_owned();
    let why = place.run(&["why", "last"]).exits(0).out;
    assert!(why.contains("waits for signal go, for ") && !why.contains("SIGNAL"), "{why}");
    assert!(why.contains(&format!("stabilize --log log signal {id} go --stage a\n")), "{why}");
    let told = place.run(&["why", "last", "--json"]).exits(0).last();
    assert_eq!((&told["waits"][0]["reason"], &told["waits"][0]["signals"]), (&json!("SIGNAL"), &json!(["go"])));
    place.run(&["signal", "last", "other", "--transient"]).exits(0);
    assert_eq!(count(&place, "signal.discarded"), 1);
    let words = ["signal", "last", "go", "--stage", "a#1", "--data", r#"{"x":7}"#, "--reason", "all is well", "--json"];
    let told = place.run(&words).exits(0).last();
    assert_eq!((&told["workflow"], &told["status"]), (&json!(id), &json!("RUNNING")));
    place.run(&["run", "--resume", "last"]).exits(0);
    assert_eq!(place.run(&["show", "last", "--json"]).exits(0).last()["outputs"], json!({"of": 7}));
    let events = place.run(&["events", "last", "--json"]).exits(0).json();
    let place_of = events.iter().position(|event| event["sequence"] == told["sequence"]).unwrap();
    assert_eq!((&events[place_of]["type"], &events[place_of]["actor"]), (&json!("signal.received"), &json!("tester")));
    assert_eq!(events[place_of + 1]["type"], "signal.delivered");
    assert_eq!(events[place_of]["data"]["reason"], "all is well");
    place.run(&["replay", "last"]).exits(0);
}

#[test]
fn a_signal_is_told_to_whoever_holds_the_log() {
    let place = Place::new();
    place.write("a.yaml", GATE);
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    running.event("workflow.started");
    place.run(&["signal", "last", "go", "--data", r#"{"x":[1,null]}"#, "--actor", "alice"]).exits(0);
    let finished = running.wait().exits(0);
    assert_eq!(finished.last()["outputs"], json!({"of": [1, null]}));
    let events = place.run(&["events", "last", "--json"]).exits(0).json();
    let received = events.iter().find(|event| event["type"] == "signal.received").unwrap();
    assert_eq!(received["actor"], "alice");
}

#[test]
fn a_stage_that_signals_start_waits_for_them_until_its_trigger_is_closed() {
    let place = Place::new();
    place.write("a.yaml", ORDERS);
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    running.event("workflow.started");
    let why = place.run(&["why", "last"]).exits(0).out;
    assert!(why.contains("starts with each signal order, and waits for more, for "), "{why}");
    assert!(why.contains("stabilize --log log close-trigger ") && why.contains("stabilize --log log signal "), "{why}");
    let send = || place.run(&["signal", "last", "order", "--id", "order-7", "--json"]).exits(0).last();
    assert_eq!(send()["sequence"], send()["sequence"], "under one key it is taken once");
    assert_eq!(count(&place, "signal.received"), 1);
    place.run(&["complete", "last", "s"]).exits(0);
    assert_eq!(place.run(&["show", "last", "--json"]).exits(0).last()["status"], "RUNNING");
    let told = place.run(&["close-trigger", "last", "s", "--reason", "the shop is closed"]).exits(0);
    assert!(told.out.contains("orders SUCCEEDED"), "{}", told.out);
    running.wait().exits(0);
    let refused = place.run(&["close-trigger", "last", "s"]).exits(5);
    assert!(refused.err.contains("has ended SUCCEEDED"), "{}", refused.err);
}

#[test]
fn what_is_no_signal_or_for_nobody_is_refused_and_not_recorded() {
    let place = Place::new();
    place.write("a.yaml", GATE);
    place.run(&["start", "a.yaml"]).exits(0);
    let before = place.run(&["events", "last"]).exits(0).out;
    for (words, code) in [
        (&["signal", "last", "go", "--stage", "nowhere"][..], 4),
        (&["signal", "last", "go", "--stage", "a#0"], 2),
        (&["signal", "last", "go", "--data", "{x"], 2),
        (&["signal", "last"], 2),
        (&["signal", "nothing", "go"], 4),
        (&["signal", "last", "no name"], 5),
        (&["close-trigger", "last", "nowhere"], 4),
        (&["close-trigger", "last", "a"], 5),
    ] {
        let finished = place.run(words).exits(code);
        assert!(finished.err.starts_with("error: ") && finished.out.is_empty(), "{words:?}: {}", finished.err);
    }
    assert_eq!(place.run(&["events", "last"]).exits(0).out, before);
    place.run(&["cancel", "last"]).exits(0);
    let refused = place.run(&["signal", "last", "go"]).exits(5);
    assert!(refused.err.contains("has ended CANCELED"), "{}", refused.err);
}

#[test]
fn a_trigger_that_is_a_timer_is_released_by_its_moment() {
    let place = Place::new();
    place.write("a.yaml", "name: x\nstages: { a: { trigger: { timer: 1h } } }\n");
    place.run(&["start", "a.yaml"]).exits(0);
    let why = place.run(&["why", "last"]).exits(0).out;
    assert!(why.contains("waits for the timer of its trigger, which is due ") && why.contains("released by"), "{why}");
}
