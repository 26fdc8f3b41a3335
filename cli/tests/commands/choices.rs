//! `claim`: choices that people make, in the engine that holds the log and in none, and what `why` tells of them.

use serde_json::json;

use crate::support::Place;

const CHOICE: &str = "
name: choice
stages:
  a: { run: 'true', split_type: DEFERRED }
  repair: { needs: [a], uses: manual }
  replace: { needs: [a], uses: manual }
  forget: { needs: [a], trigger: { timer: 14d } }
";

#[test]
fn an_alternative_is_claimed_and_the_others_are_withdrawn() {
    let place = Place::new();
    place.write("a.yaml", CHOICE);
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    running.event("stage.waiting");
    let why = place.run(&["why", "last"]).exits(0).out;
    assert!(why.contains("repair") && why.contains("is offered, for "), "{why}");
    assert!(why.contains("whichever comes first, of this and replace, forget: it withdraws the others"), "{why}");
    assert!(why.contains("stabilize --log log claim ") && why.contains(" repair\n"), "{why}");
    let told = place.run(&["why", "last", "--json"]).exits(0).last();
    assert_eq!(told["waits"][0]["reason"], "CLAIM");
    let others = json!([{"stage": "replace", "activation": 1}, {"stage": "forget", "activation": 1}]);
    assert_eq!(told["waits"][0]["alternatives"], others);
    let refused = place.run(&["claim", "last", "forget"]).exits(5);
    assert!(refused.err.contains("chosen by its trigger"), "{}", refused.err);
    let words = ["claim", "last", "repair", "--reason", "it is worth it", "--actor", "alice", "--json"];
    let claimed = place.run(&words).exits(0).last();
    assert_eq!(claimed["status"], "RUNNING");
    let refused = place.run(&["claim", "last", "replace"]).exits(5);
    assert!(refused.err.contains("no alternative of an open choice"), "{}", refused.err);
    place.run(&["complete", "last", "repair"]).exits(0);
    running.wait().exits(0);
    let events = place.run(&["events", "last", "--json"]).exits(0).json();
    let at = events.iter().position(|event| event["sequence"] == claimed["sequence"]).unwrap();
    assert_eq!((&events[at]["type"], &events[at]["actor"]), (&json!("stage.start_requested"), &json!("alice")));
    assert_eq!(events[at]["data"]["reason"], "it is worth it");
    let names: Vec<&str> = events[at..at + 5].iter().map(|event| event["type"].as_str().unwrap()).collect();
    let expected = ["stage.start_requested", "choice.made", "stage.canceled", "stage.canceled", "stage.started"];
    assert_eq!(names, expected);
    assert_eq!(events[at + 2]["data"]["cause"], "withdrawn");
    let shown = place.run(&["show", "last", "--json"]).exits(0).last();
    assert_eq!(shown["status"], "SUCCEEDED");
    place.run(&["replay", "last"]).exits(0);
}

#[test]
fn a_claim_is_recorded_where_no_engine_runs_and_refused_where_nothing_is_offered() {
    let place = Place::new();
    place.write("a.yaml", "name: x\nstages:\n  b: { deferred_choice_group: g }\n  c: { deferred_choice_group: g }\n");
    place.run(&["start", "a.yaml"]).exits(0);
    for (words, code) in [
        (&["claim", "last", "nowhere"][..], 4),
        (&["claim", "last", "b#0"], 2),
        (&["claim", "last", "b#2"], 5),
        (&["claim", "last"], 2),
    ] {
        let finished = place.run(words).exits(code);
        assert!(finished.err.starts_with("error: ") && finished.out.is_empty(), "{words:?}: {}", finished.err);
    }
    place.run(&["claim", "last", "c"]).exits(0);
    place.run(&["run", "--resume", "last"]).exits(0);
    let refused = place.run(&["claim", "last", "c"]).exits(5);
    assert!(refused.err.contains("has ended SUCCEEDED"), "{}", refused.err);
}
