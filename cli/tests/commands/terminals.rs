//! Two terminals and more: one engine holds the log, and everybody else does their work all the same.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;
use stabilize::{Config, Engine, Registry};

use super::support::{Finished, Place, Running};

/// One task that says that it runs, and waits for the test.
const HELD: &str = r#"
name: held
stages:
  work: { run: 'echo "$STABILIZE_IDEMPOTENCY_KEY" >> ran; echo x > ready; read line < gate' }
"#;

/// The same with pipes of its own.
const OTHER: &str = r#"
name: other
stages:
  before: { run: 'echo before >> others' }
  work: { needs: [before], run: 'echo "$STABILIZE_IDEMPOTENCY_KEY" >> others; echo x > ready2; read line < gate2' }
  after: { needs: [work], run: 'echo "done:=1" >> "$STABILIZE_OUTPUT"' }
outputs: { done: '${{ stages.after.outputs.done }}' }
"#;

const LONG: &str = "name: long\nstages: { a: { uses: wait, with: { duration: 2d } } }\n";

const SHORT: &str = "
name: short
inputs: { who: { type: string, default: you } }
stages: { a: { run: 'echo hello >> short; echo \"who=${{ inputs.who }}\" >> \"$STABILIZE_OUTPUT\"' } }
outputs: { who: '${{ stages.a.outputs.who }}' }
";

fn place() -> Place {
    let place = Place::new();
    for (name, text) in [("held.yaml", HELD), ("other.yaml", OTHER), ("long.yaml", LONG), ("short.yaml", SHORT)] {
        place.write(name, text);
    }
    for name in ["ready", "gate", "ready2", "gate2"] {
        place.pipe(name);
    }
    place
}

/// Starts a `run` that holds the log with a task under way.
fn hold(place: &Place) -> Running {
    let running = place.start(&["run", "held.yaml"]);
    place.take("ready");
    running
}

fn id(value: &Value) -> String {
    value["workflow"].as_str().unwrap_or_else(|| value["id"].as_str().unwrap()).to_owned()
}

#[track_caller]
fn status(place: &Place, id: &str) -> String {
    place.run(&["show", id, "--json"]).exits(0).last()["status"].as_str().unwrap().to_owned()
}

/// Every verb does its work, whoever holds the log, or nobody.
fn everything_works(place: &Place) {
    for words in [&["ls"][..], &["show", "last"], &["events", "last"], &["logs", "last"], &["replay", "last"]] {
        place.run(words).exits(0);
    }
    let started = place.run(&["start", "short.yaml", "--input", "who=me", "--json"]).exits(0).last();
    assert_eq!(started["driven_by"], Value::Null);
    let started = id(&started);
    assert_ne!(status(place, &started), "SUCCEEDED", "nobody drives what was only recorded");
    let why = place.run(&["why", &started]).exits(0).out;
    assert!(why.contains(&format!("run --resume {started}")), "{why}");
    let canceled = place.run(&["cancel", &started, "--reason", "not now", "--actor", "bob"]).exits(0);
    assert!(canceled.out.ends_with("CANCELED\n"), "{}", canceled.out);
    let shown = place.run(&["show", &started, "--json"]).last();
    assert_eq!((&shown["canceled_by"], &shown["cancellation_reason"]), (&"bob".into(), &"not now".into()));
    let again = place.run(&["cancel", &started]).exits(5);
    assert!(again.err.contains("has ended CANCELED"), "{}", again.err);
    place.run(&["cancel", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]).exits(4);
    let ran = place.run(&["run", "short.yaml", "--input", "who=her", "--json"]).exits(0);
    assert_eq!(ran.last()["outputs"]["who"], "her");
    let mut printed = ran.json();
    let ran = id(&printed.pop().unwrap());
    assert_eq!(printed, place.run(&["events", &ran, "--json"]).json());
    place.run(&["run", "short.yaml", "--input", "who:=3"]).exits(2);
}

#[test]
fn while_one_terminal_runs_a_workflow_another_does_everything_else() {
    let place = place();
    let holder = hold(&place);
    everything_works(&place);
    let why = place.run(&["why", &first(&place)]).exits(0).out;
    assert!(why.contains(&format!("pid {} holds the log and drives this workflow", holder.pid())), "{why}");
    place.give("gate");
    let finished = holder.wait().exits(0);
    assert!(!finished.err.contains("short"), "{}", finished.err);
    assert_eq!(place.read("ran").lines().count(), 1);
}

#[test]
fn after_the_holder_was_killed_everything_works_as_before() {
    let place = place();
    let holder = hold(&place);
    holder.signal(Signal::KILL);
    holder.wait();
    // What it left does not matter: the lock decides.
    let socket = fs::symlink_metadata(place.path("log/control.sock")).unwrap();
    assert!(socket.file_type().is_socket() && place.path("log/CONTROL").exists());
    everything_works(&place);
    assert!(!place.path("log/control.sock").exists());
    let resumed = place.start(&["run", "--resume", &first(&place)]);
    place.take("ready");
    place.give("gate");
    resumed.wait().exits(0);
}

/// The id of the first workflow of the log.
fn first(place: &Place) -> String {
    id(&place.run(&["ls", "--json"]).exits(0).last())
}

#[test]
fn the_socket_is_for_its_user_only_and_gone_when_nobody_holds_the_log() {
    let place = place();
    let holder = hold(&place);
    let mode = fs::symlink_metadata(place.path("log/control.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let control: Value = serde_json::from_str(&place.read("log/CONTROL")).unwrap();
    assert_eq!((&control["version"], &control["pid"]), (&1.into(), &holder.pid().into()));
    place.give("gate");
    holder.wait().exits(0);
    assert!(!place.path("log/control.sock").exists() && !place.path("log/CONTROL").exists());
}

#[test]
fn a_second_run_follows_its_workflow_in_the_engine_that_holds_the_log() {
    let place = place();
    let holder = hold(&place);
    let second = place.start(&["run", "other.yaml"]);
    place.take("ready2");
    place.give("gate2");
    let finished = second.wait().exits(0);
    let pid = holder.pid();
    assert!(finished.err.contains(&format!("it runs in the engine of pid {pid}")), "{}", finished.err);
    assert!(finished.err.contains("after: SUCCEEDED") && finished.out.contains("done: 1"), "{}", finished.err);
    place.write("bad.yaml", "name: bad\nstages: { a: { run: 'echo oh no >&2; exit 3' } }\n");
    let failed = place.run(&["run", "bad.yaml"]).exits(1);
    assert!(failed.err.contains("oh no"), "{}", failed.err);
    place.give("gate");
    holder.wait().exits(0);
}

#[test]
fn who_follows_elsewhere_can_stop_following_and_come_back() {
    let place = place();
    let holder = hold(&place);
    let second = place.start(&["run", "other.yaml", "--json"]);
    place.take("ready2");
    second.signal(Signal::INT);
    let finished = second.wait().exits(130);
    let last = finished.last();
    assert_eq!(last["status"], "RUNNING");
    let id = id(&last);
    let goes_on = format!("goes on in the engine of pid {}", holder.pid());
    let way = format!("stabilize --log log run --resume {id}");
    assert!(finished.err.contains(&goes_on) && finished.err.contains(&way), "{}", finished.err);
    let timed = place.run(&["run", "--resume", &id, "--timeout", "1ms"]).exits(124);
    assert!(timed.err.contains(&goes_on), "{}", timed.err);
    let back = place.start(&["run", "--resume", &id, "--json"]);
    place.give("gate2");
    assert_eq!(back.wait().exits(0).last()["outputs"]["done"], 1);
    // It ran once: nobody was stopped for those who only looked on.
    assert_eq!(place.read("others").lines().count(), 2);
    place.give("gate");
    holder.wait().exits(0);
}

/// The holder ends while another `run` follows its workflow there; the workflow goes on in the follower's own engine.
fn taken_over(end: impl FnOnce(&Place, Running)) {
    let place = place();
    let holder = hold(&place);
    let mut second = place.start(&["run", "other.yaml", "--json"]);
    // Its events are followed before the holder ends.
    second.event("task.started");
    place.take("ready2");
    end(&place, holder);
    place.take("ready2");
    place.give("gate2");
    let finished = second.wait().exits(0);
    let mut printed = finished.json();
    let last = printed.pop().unwrap();
    assert_eq!((&last["status"], &last["outputs"]["done"]), (&"SUCCEEDED".into(), &1.into()));
    assert_eq!(printed, place.run(&["events", &id(&last), "--json"]).exits(0).json(), "each event once, in order");
    let others = place.read("others");
    let keys: BTreeSet<&str> = others.lines().skip(1).collect();
    assert_eq!((others.lines().count(), keys.len()), (3, 1), "begun again under the same key: {others}");
    place.run(&["replay", "last"]).exits(0);
}

#[test]
fn when_the_holder_ends_who_follows_there_takes_over() {
    taken_over(|place, holder| {
        place.give("gate");
        holder.wait().exits(0);
    });
}

#[test]
fn when_the_holder_is_killed_who_follows_there_takes_over() {
    taken_over(|_, holder| {
        holder.signal(Signal::KILL);
        holder.wait();
    });
}

#[test]
fn of_several_who_follow_there_one_takes_over_and_the_others_follow_on() {
    let place = place();
    let holder = hold(&place);
    let mut other = place.start(&["run", "other.yaml", "--json"]);
    let mut long = place.start(&["run", "long.yaml", "--json"]);
    other.event("task.started");
    place.take("ready2");
    long.event("timer.set");
    holder.signal(Signal::KILL);
    holder.wait();
    place.take("ready2");
    place.give("gate2");
    assert_eq!(other.wait().exits(0).last()["status"], "SUCCEEDED");
    // By now it is the other one who has the log, or is about to.
    let listed = place.run(&["ls", "--json"]).exits(0).json();
    let waiting = listed.iter().find(|workflow| workflow["name"] == "long").unwrap();
    place.run(&["cancel", &id(waiting), "--reason", "enough"]).exits(0);
    assert_eq!(long.wait().exits(1).last()["status"], "CANCELED");
}

#[test]
fn a_worker_drives_what_is_open_and_what_comes() {
    let place = place();
    let before = place.run(&["start", "short.yaml"]).exits(0);
    assert!(before.err.contains("stabilize --log log worker"), "{}", before.err);
    let before = before.out.trim().to_owned();
    let mut worker = place.start(&["worker"]);
    assert_eq!(worker.line().unwrap(), format!("{before} short is open"));
    assert!(worker.line().unwrap().starts_with(&format!("{before} short after ")));
    let started = place.run(&["start", "short.yaml", "--json"]).exits(0).last();
    assert_eq!(started["driven_by"], worker.pid());
    let started = id(&started);
    assert_eq!(worker.line().unwrap(), format!("{started} short begins"));
    let line = worker.line().unwrap();
    assert!(line.starts_with(&format!("{started} short after ")) && line.ends_with(" SUCCEEDED"), "{line}");
    let refused = place.run(&["worker"]).exits(7);
    assert!(refused.err.contains(&format!("held by pid {}", worker.pid())), "{}", refused.err);
    place.run(&["start", "held.yaml"]).exits(0);
    place.take("ready");
    worker.signal(Signal::TERM);
    let finished = worker.wait().exits(0);
    assert!(finished.err.contains("given back"), "{}", finished.err);
    // Its task was stopped in order, and goes on with the next.
    let idle = place.start(&["worker", "--until-idle", "--json"]);
    place.take("ready");
    place.give("gate");
    let events = idle.wait().exits(0).json();
    assert_eq!(events.last().unwrap()["type"], "workflow.completed");
    assert!(events.iter().all(|event| event["workflow"].is_string() && event["sequence"].is_u64()));
    assert_eq!(place.read("ran").lines().count(), 2);
    place.run(&["worker", "--until-idle"]).exits(0);
}

/// Runs so many commands at once.
fn crowd(place: &Place, count: usize, words: &[&str]) -> Vec<Finished> {
    let running: Vec<Running> = (0..count).map(|_| place.start(words)).collect();
    running.into_iter().map(Running::wait).collect()
}

#[test]
fn twenty_at_once_get_twenty_right_answers() {
    let place = place();
    let long = place.run(&["start", "long.yaml"]).exits(0).out.trim().to_owned();
    let mut worker = place.start(&["worker"]);
    worker.line().unwrap();
    let ended = crowd(&place, 20, &["run", "short.yaml", "--json"]);
    let ids: BTreeSet<String> = ended.into_iter().map(|finished| id(&finished.exits(0).last())).collect();
    assert_eq!(ids.len(), 20);
    assert!(ids.iter().all(|id| status(&place, id) == "SUCCEEDED"));
    let canceled = crowd(&place, 20, &["cancel", &long, "--reason", "enough"]);
    let codes: Vec<i32> = canceled.iter().filter_map(|finished| finished.code).collect();
    let count = |code| codes.iter().filter(|found| **found == code).count();
    assert_eq!((count(0), count(5)), (1, 19), "{codes:?}");
    worker.signal(Signal::TERM);
    worker.wait().exits(0);
    assert_eq!(place.read("short").lines().count(), 20);
    place.run(&["log", "verify"]).exits(0);
}

#[test]
fn twenty_at_once_get_the_log_in_turn_if_nobody_holds_it() {
    let place = place();
    place.run(&["start", "short.yaml"]).exits(0);
    let started = crowd(&place, 20, &["start", "short.yaml", "--json"]);
    let ids: BTreeSet<String> = started.into_iter().map(|finished| id(&finished.exits(0).last())).collect();
    assert_eq!(ids.len(), 20);
    place.run(&["worker", "--until-idle"]).exits(0);
    assert_eq!(place.read("short").lines().count(), 21);
}

#[test]
fn a_holder_that_does_not_listen_is_named() {
    let place = place();
    let config = Config::at(place.path("log")).control(false);
    let engine = Engine::open(config, Registry::with_builtins()).unwrap();
    for words in [&["start", "short.yaml"][..], &["run", "short.yaml"]] {
        let finished = place.run(words).exits(7);
        assert!(finished.err.contains(&format!("held by pid {}", std::process::id())), "{}", finished.err);
    }
    engine.close().unwrap();
    place.run(&["start", "short.yaml"]).exits(0);
}

#[test]
fn who_speaks_another_language_harms_nobody() {
    let place = place();
    let holder = hold(&place);
    let answers = |said: &[u8]| {
        let mut stream = UnixStream::connect(place.path("log/control.sock")).unwrap();
        stream.write_all(said).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).unwrap();
        let answers = answers.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        answers.collect::<Vec<Value>>()
    };
    for said in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x00\xff\xfe\n", b"{\"version\":1,\"verb\":\"pi", b"{\"version\":9}\n"]
    {
        let answers = answers(said);
        assert!(answers.len() == 1 && answers[0]["error"] == "not_understood", "{answers:?}");
    }
    let pings = answers(b"{\"version\":1,\"verb\":\"ping\"}\n{\"version\":1,\"verb\":\"ping\"}\n");
    assert!(pings.len() == 2 && pings.iter().all(|pong| pong["pid"] == holder.pid()), "{pings:?}");
    place.run(&["run", "short.yaml"]).exits(0);
    place.give("gate");
    holder.wait().exits(0);
}

#[test]
fn a_directory_with_a_very_long_name_has_its_socket_elsewhere() {
    let place = place();
    let log = format!("{}/{}", "d".repeat(120), "e".repeat(120));
    let holder = place.start_on(&log, &["run", "held.yaml"]);
    place.take("ready");
    let control: Value = serde_json::from_str(&place.read(&format!("{log}/CONTROL"))).unwrap();
    let socket = PathBuf::from(control["path"].as_str().unwrap());
    assert!(!socket.starts_with(place.path("")), "{}", socket.display());
    assert_eq!(fs::metadata(socket.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    let ran = place.run_on(&log, &["run", "short.yaml"]).exits(0);
    assert!(ran.err.contains(&format!("pid {}", holder.pid())), "{}", ran.err);
    place.give("gate");
    holder.wait().exits(0);
    assert!(!socket.exists());
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-R").args([from, to]).status().unwrap();
    assert!(copied.success());
}

#[test]
fn a_copy_of_a_held_log_is_another_log() {
    let place = place();
    let mut holder = place.start(&["run", "held.yaml", "--json"]);
    // The last event before the task waits for us.
    holder.event("task.started");
    place.take("ready");
    copy(&place.path("log"), &place.path("copy"));
    for words in [&["ls"][..], &["show", "last"], &["events", "last"], &["logs", "last"], &["replay", "last"]] {
        assert_eq!(place.run_on("copy", words).exits(0).out, place.run(words).exits(0).out);
    }
    place.run_on("copy", &["cancel", "last", "--reason", "only here"]).exits(0);
    let there = place.run_on("copy", &["show", "last", "--json"]).exits(0).last();
    assert_eq!(there["status"], "CANCELED");
    assert_eq!(status(&place, "last"), "RUNNING");
    place.give("gate");
    holder.wait().exits(0);
}
