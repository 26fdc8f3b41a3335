//! `add-instances`, `close-instances`, `complete-instances`: the instances of a stage, whoever holds the log.

use serde_json::json;

use super::support::Place;

const REVIEWS: &str = "
name: reviews
stages:
  review:
    uses: manual
    mi_config: { count: 1, allow_dynamic: true, max_instances: 3, complete_mi_on: [{ signal: enough }] }
    outputs: { of: '${{ item }}' }
outputs: { of: '${{ stages.review.outputs.of }}' }
";

#[test]
fn instances_are_recorded_when_nobody_holds_the_log() {
    let place = Place::new();
    place.write("a.yaml", REVIEWS);
    let id = place.run(&["start", "a.yaml"]).exits(0).out.trim().to_owned();
    let why = place.run(&["why", "last"]).exits(0).out;
    assert!(why.contains("has 1 instances: 0 done, 1 at work, for "), "{why}");
    for command in ["add-instances", "close-instances", "complete-instances", "signal"] {
        assert!(why.contains(&format!("stabilize --log log {command} {id} ")), "{command}: {why}");
    }
    let words =
        ["add-instances", "last", "review", "--item", "\"x\"", "--item", "{\"n\":2}", "--reason", "more", "--json"];
    let told = place.run(&words).exits(0).last();
    assert_eq!((&told["workflow"], &told["status"]), (&json!(id), &json!("RUNNING")));
    let told = place.run(&["why", "last", "--json"]).exits(0).last();
    let counts = json!({"total": 3, "live": 3, "done": 0, "failed": 0, "open": false});
    assert_eq!((&told["waits"][0]["instances"], &told["waits"][0]["signals"]), (&counts, &json!(["enough"])));
    for index in 0..3 {
        place.run(&["complete", "last", &format!("review#1[{index}]")]).exits(0);
    }
    let shown = place.run(&["show", "last", "--json"]).exits(0).last();
    assert_eq!(shown["outputs"], json!({"of": [null, "x", {"n": 2}]}));
    let counts = json!({"total": 3, "live": 0, "done": 3, "failed": 0, "canceled": 0, "open": false});
    assert_eq!(shown["stages"][0]["instances"], counts);
    assert!(place.run(&["show", "last"]).exits(0).out.contains("3 instances: 3 done"));
    let events = place.run(&["events", "last", "--json"]).exits(0).json();
    let asked = events.iter().find(|event| event["type"] == "instances.add_requested").unwrap();
    assert_eq!((&asked["data"]["items"], &asked["data"]["reason"]), (&json!(["x", {"n": 2}]), &json!("more")));
    place.run(&["replay", "last"]).exits(0);
}

#[test]
fn whoever_holds_the_log_is_told() {
    let place = Place::new();
    place.write("a.yaml", REVIEWS);
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    running.event("instances.started");
    place.run(&["add-instances", "last", "review#1", "--item", "7", "--actor", "alice"]).exits(0);
    place.run(&["close-instances", "last", "review"]).exits(0);
    place.run(&["complete", "last", "review#1[1]"]).exits(0);
    place.run(&["complete-instances", "last", "review"]).exits(0);
    let finished = running.wait().exits(0);
    assert_eq!(finished.last()["outputs"], json!({"of": [7]}));
    let events = place.run(&["events", "last", "--json"]).exits(0).json();
    assert_eq!(events.iter().find(|event| event["type"] == "instances.add_requested").unwrap()["actor"], "alice");
}

#[test]
fn what_cannot_be_added_or_ended_is_refused_and_not_recorded() {
    let place = Place::new();
    place.write("a.yaml", REVIEWS);
    place.run(&["start", "a.yaml"]).exits(0);
    let before = place.run(&["events", "last"]).exits(0).out;
    let item = |count: usize| ["--item", "1"].repeat(count);
    let add = |stage, count| [vec!["add-instances", "last", stage], item(count)].concat();
    for (words, code) in [
        (add("review", 3), 5),
        (add("review#2", 1), 5),
        (add("nowhere", 1), 4),
        (add("review#0", 1), 2),
        (add("review", 0), 2),
        (vec!["add-instances", "last", "review", "--item", "{x"], 2),
        (vec!["close-instances", "last", "review#7"], 5),
        (vec!["complete-instances", "nothing", "review"], 4),
    ] {
        let finished = place.run(&words).exits(code);
        assert!(finished.err.starts_with("error: ") && finished.out.is_empty(), "{words:?}: {}", finished.err);
    }
    assert_eq!(place.run(&["events", "last"]).exits(0).out, before);
    place.run(&["close-instances", "last", "review"]).exits(0);
    let refused = place.run(&add("review", 1)).exits(5);
    assert!(refused.err.contains("error: "), "{}", refused.err);
    place.run(&["complete-instances", "last", "review"]).exits(0);
    place.run(&["complete-instances", "last", "review"]).exits(5);
}
