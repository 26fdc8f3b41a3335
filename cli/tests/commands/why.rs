//! `why`: each kind of wait as somebody meets it who does not know why nothing moves, with real engines.

use rustix::process::Signal;
use serde_json::json;
use stabilize::{Clock as _, Duration, SystemClock};

use super::support::{Place, Running, golden};

/// A workflow that is held by its first stage, while its join waits.
const HELD: &str = "
name: held
stages:
  build: { run: 'echo x > ready; read line < gate', timeout: 10m }
  lint: { run: 'true' }
  publish: { needs: [build, lint], run: 'true' }
";

/// A place where a workflow runs that is held by a program, and the engine that drives it.
fn held() -> (Place, Running) {
    let place = Place::new();
    place.write("a.yaml", HELD);
    place.pipe("ready");
    place.pipe("gate");
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    place.take("ready");
    running.await_all(&[("task.started", "build"), ("stage.completed", "lint")]);
    (place, running)
}

/// What `why` says, without the process that is named in it.
fn why(place: &Place, holder: Option<u32>) -> String {
    let out = place.run(&["why", "last"]).exits(0).out;
    match holder {
        Some(pid) => out.replace(&format!("pid {pid}"), "pid PID"),
        None => out,
    }
}

#[test]
fn what_runs_and_the_join_behind_it_are_named_with_the_process_that_holds_the_log() {
    let (place, running) = held();
    golden("why-running.txt", &why(&place, Some(running.pid())));
    let told = place.run(&["why", "last", "--json"]).exits(0).last();
    assert_eq!((&told["status"], &told["holder"]["pid"]), (&json!("RUNNING"), &json!(running.pid())));
    assert_eq!(told["waits"][0]["reason"], "RUNNING");
    assert_eq!(told["waits"][0]["timeout"], "10m");
    let servers = json!([{"stage": "build", "activation": 1}]);
    assert_eq!(told["waits"][1]["missing"], json!([{"from": "build", "may_be_served_by": servers, "more": false}]));
    place.give("gate");
    running.wait().exits(0);
    golden("why-succeeded.txt", &why(&place, None));
}

#[test]
fn what_a_killed_engine_ran_waits_for_the_next_engine() {
    let (place, running) = held();
    running.signal(Signal::KILL);
    running.wait();
    golden("why-killed.txt", &why(&place, None));
    assert_eq!(place.run(&["why", "last", "--json"]).exits(0).last()["holder"], json!(null));
}

#[test]
fn where_another_workflow_holds_the_log_nothing_of_this_one_moves() {
    let (place, killed) = held();
    killed.signal(Signal::KILL);
    killed.wait();
    let forsaken = place.run(&["ls", "--json"]).exits(0).last()["id"].as_str().unwrap().to_owned();
    place.write("wait.yaml", "name: other\nstages: { a: { uses: wait, with: { duration: 2d } } }\n");
    let mut other = place.start(&["run", "wait.yaml", "--json"]);
    other.event("timer.set");
    let told = place.run(&["why", &forsaken]).exits(0).out;
    golden("why-not-driven.txt", &told.replace(&format!("pid {}", other.pid()), "pid PID"));
    let told = place.run(&["why", &forsaken, "--json"]).exits(0).last();
    assert_eq!(told["holder"], json!({"pid": other.pid(), "drives": false}));
    other.signal(Signal::INT);
    other.wait().exits(130);
}

#[test]
fn what_was_given_back_is_queued_until_an_engine_drives_it() {
    let (place, running) = held();
    running.signal(Signal::INT);
    running.wait().exits(130);
    golden("why-queued.txt", &why(&place, None));
}

#[test]
fn a_wait_and_a_retry_say_when_they_go_on() {
    let place = Place::new();
    let text = "
name: later
stages:
  pause: { uses: wait, with: { duration: 2d } }
  flaky: { run: 'echo no >&2; exit 75', retry: { max_attempts: 3, initial: 2h, max: 2h, jitter: 0 } }
";
    place.write("a.yaml", text);
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    running.await_all(&[("timer.set", "pause"), ("task.retried", "flaky")]);
    golden("why-later.txt", &why(&place, Some(running.pid())));
    running.signal(Signal::INT);
    running.wait().exits(130);
    golden("why-later-nobody.txt", &why(&place, None));
    let told = place.run(&["why", "last", "--json"]).exits(0).last();
    let reasons: Vec<&str> = told["waits"].as_array().unwrap().iter().map(|w| w["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["TIMER", "RETRY_AT"]);
    assert_eq!((&told["waits"][1]["failures"], &told["waits"][1]["max_attempts"]), (&json!(1), &json!(3)));
    assert!(told["waits"][0]["due"].as_str().unwrap().ends_with('Z'));
    let error = &told["waits"][1]["error"];
    assert_eq!((&error["code"], &error["class"]), (&json!("USER_CODE_ERROR"), &json!("transient")));
    assert_eq!(error["causes"], json!(["no"]));
}

#[test]
fn what_is_scheduled_and_what_has_a_deadline_say_so() {
    let place = Place::new();
    let now = SystemClock.now();
    let at = |hours: u64| now.saturating_add(Duration::from_seconds(3_600 * hours));
    let text = format!(
        "
name: timed
stages:
  nightly: {{ scheduled_time: {}, start_time_expiry: {} }}
  pause: {{ uses: wait, with: {{ duration: 2d }}, deadline: 3d }}
",
        at(48),
        at(72)
    );
    place.write("a.yaml", &text);
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    running.await_all(&[("timer.set", "nightly"), ("task.reported", "pause")]);
    golden("why-timed.txt", &why(&place, Some(running.pid())));
    let told = place.run(&["why", "last", "--json"]).exits(0).last();
    assert_eq!(told["waits"][0]["reason"], "SCHEDULED");
    assert_eq!(told["waits"][0]["due"], at(48).to_string());
    assert_eq!(told["waits"][0]["expiry"], at(72).to_string());
    assert!(told["waits"][1]["deadline"].as_str().unwrap().ends_with('Z'));
    running.signal(Signal::INT);
    running.wait().exits(130);
}

#[test]
fn a_join_that_can_never_start_says_so() {
    let place = Place::new();
    let text = "
name: starved
soundness: off
stages:
  decide: { split_type: XOR, split_conditions: { left: 'true' }, split_default: right }
  left: { needs: [decide] }
  right: { needs: [decide] }
  both: { needs: [left, right] }
  long: { uses: wait, with: { duration: 2d } }
";
    place.write("a.yaml", text);
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    running.await_all(&[("timer.set", "long"), ("stage.completed", "left")]);
    golden("why-starved.txt", &why(&place, Some(running.pid())));
    running.signal(Signal::INT);
    running.wait().exits(130);
}

#[test]
fn how_a_failed_workflow_ended_is_told_in_the_place_of_waits() {
    let place = Place::new();
    place.write("a.yaml", "name: x\nstages: { a: { uses: fail, with: { message: no } } }\n");
    place.run(&["run", "a.yaml"]).exits(1);
    golden("why-failed.txt", &why(&place, None));
    let told = place.run(&["why", "last", "--json"]).exits(0).last();
    assert_eq!((&told["status"], &told["waits"]), (&json!("TERMINAL"), &json!([])));
    place.run(&["why", "nothing"]).exits(4);
}

#[test]
fn of_very_many_waits_the_first_are_shown_and_the_others_counted() {
    let place = Place::new();
    let mut text = "name: wide\nstages:\n".to_owned();
    for index in 0..60 {
        text += &format!("  s{index}: {{ uses: wait, with: {{ duration: 2d }} }}\n");
    }
    text += "  quick: {}\n  join: { needs: [quick, s59] }\n";
    place.write("a.yaml", &text);
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    let mut left = 61;
    while left > 0 {
        let event: serde_json::Value = serde_json::from_str(&running.line().unwrap()).unwrap();
        left -= usize::from(event["type"] == "timer.set" || event["type"] == "stage.completed");
    }
    let out = why(&place, None);
    // Of each reason some are shown, the join behind all the others, too.
    assert!(out.contains("and 50 more (50 TIMER): --json lists all\n") && out.contains("\njoin: waits for 1"), "{out}");
    running.signal(Signal::INT);
    running.wait().exits(130);
}
