//! Engines that are killed: nothing acknowledged is lost, work in flight is done again under its key, no orphan stays.
//!
//! `STABILIZE_LONG=N` does N times as much.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use super::support::{Place, Running};

/// Kills of one workflow. Five in a row that hit one task would end it as WORKER_LOST, rightly.
const KILLS_OF_ONE: usize = 4;

/// Kills in all.
const KILLS: usize = 50;

/// Every task notes its key and its process, and takes a moment, so that kills hit it.
const DEFINITION: &str = r#"
name: crash
defaults: { env: { NOTE: 'echo "$STABILIZE_IDEMPOTENCY_KEY" >> ran; echo "$$" >> pids' } }
stages:
  fetch: { run: 'eval "$NOTE"; sleep 0.02; echo "n:=1" >> "$STABILIZE_OUTPUT"' }
  left: { needs: [fetch], run: 'eval "$NOTE"; sleep 0.04; echo "left:=2" >> "$STABILIZE_OUTPUT"' }
  right:
    needs: [fetch]
    retry: { max_attempts: 9, initial: 5ms }
    run: 'eval "$NOTE"; sleep 0.01; test "$STABILIZE_ATTEMPT" -ge 2 || exit 75; echo "right:=3" >> "$STABILIZE_OUTPUT"'
  decide: { needs: [left, right], split_type: XOR, split_conditions: { big: 'left > 1' }, split_default: small }
  big: { needs: [decide], run: 'eval "$NOTE"; sleep 0.03; echo "big:=4" >> "$STABILIZE_OUTPUT"' }
  small: { needs: [decide], run: 'eval "$NOTE"' }
  last: { needs: [big, small], join_type: XOR, run: 'eval "$NOTE"; echo "last:=5" >> "$STABILIZE_OUTPUT"' }
"#;

/// A small generator: the same moments in every run of the test, as far as the machine allows.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn rounds() -> usize {
    std::env::var("STABILIZE_LONG").ok().and_then(|times| times.parse().ok()).unwrap_or(1)
}

/// What was seen of a workflow, over all engines that drove it.
#[derive(Default)]
struct Seen {
    /// Events that were printed, by sequence.
    printed: BTreeMap<u64, Value>,
    /// Tasks (`stage#activation/task`) that were completed, going by what was printed or could be read.
    completed: BTreeSet<String>,
    /// How many kills hit each task in flight: between its queueing or beginning and its durable completion.
    hit: BTreeMap<String, usize>,
}

impl Seen {
    fn take(&mut self, line: &str) {
        let Ok(event) = serde_json::from_str::<Value>(line) else { return };
        let Some(sequence) = event["sequence"].as_u64() else { return };
        if event["type"] == "task.completed" {
            self.completed.insert(key(&event));
        }
        let before = self.printed.insert(sequence, event.clone());
        assert!(before.is_none_or(|before| before == event), "event {sequence} was printed twice, differently");
    }

    fn check(&self, events: &[Value]) {
        for (sequence, printed) in &self.printed {
            assert_eq!(events.get(*sequence as usize - 1), Some(printed), "event {sequence} was acknowledged");
        }
    }
}

fn key(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap().to_owned();
    format!("{}#{}/{}", text("stage"), event["activation"], text("task"))
}

/// The tasks that began, by the keys they noted: once an entry for each time.
fn noted(text: &str) -> Vec<String> {
    // A key begins with the workflow's id.
    text.lines().map(|line| line.split_once('/').unwrap().1.to_owned()).collect()
}

fn drive(place: &Place, seen: &Seen) -> Running {
    match seen.printed.is_empty() {
        true => place.start(&["run", "a.yaml", "--json"]),
        false => place.start(&["run", "--resume", "last", "--json"]),
    }
}

#[test]
fn engines_killed_at_random_moments_lose_nothing_and_leave_nothing_running() {
    let undisturbed = Place::new();
    undisturbed.write("a.yaml", DEFINITION);
    let expected = undisturbed.run(&["run", "a.yaml", "--json"]).exits(0).last()["outputs"].clone();
    let (mut n_kills, mut n_workflows) = (0, 0);
    while n_kills < KILLS * rounds() {
        n_workflows += 1;
        assert!(n_workflows < KILLS * rounds(), "only {n_kills} kills");
        n_kills += one_workflow(&mut Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(n_workflows as u64)), &expected);
    }
}

/// Kills engines of one workflow, lets the last one end it, and checks all that must hold; the number of kills.
fn one_workflow(dice: &mut Dice, expected: &Value) -> usize {
    let place = Place::new();
    place.write("a.yaml", DEFINITION);
    let mut seen = Seen::default();
    for kills in 0..KILLS_OF_ONE {
        let (completed, ran_before) = (seen.completed.clone(), place.read("ran"));
        let running = run_and_kill(dice, &place, &mut seen);
        let finished = running.wait();
        finished.out.lines().for_each(|line| seen.take(line));
        if finished.code.is_some() {
            // It was faster than the kill.
            finished.exits(0);
            check_ended(&place, &seen, expected);
            return kills;
        }
        check_killed(&place, &mut seen);
        let ran = place.read("ran");
        let ran_now = ran.strip_prefix(&ran_before).expect("a file that is only appended to");
        let again = noted(ran_now).into_iter().find(|task| completed.contains(task));
        assert_eq!(again, None, "it was completed before this engine began");
        if place.run(&["show", "last", "--json"]).last()["status"] == "SUCCEEDED" {
            // The kill came between the end of the workflow and that of the process.
            check_ended(&place, &seen, expected);
            return kills + 1;
        }
    }
    let pids = place.read("pids");
    let mut running = drive(&place, &seen);
    seen.take(&running.line().unwrap());
    no_orphans(&pids);
    let finished = running.wait().exits(0);
    finished.out.lines().for_each(|line| seen.take(line));
    check_ended(&place, &seen, expected);
    KILLS_OF_ONE
}

/// Starts an engine and kills it: mostly some lines and a moment after it has begun to print, sometimes while it opens.
fn run_and_kill(dice: &mut Dice, place: &Place, seen: &mut Seen) -> Running {
    let pids = place.read("pids");
    let is_begun = !seen.printed.is_empty();
    let mut running = drive(place, seen);
    if is_begun && dice.below(6) == 0 {
        (0..dice.below(3_000_000)).for_each(|_| std::hint::spin_loop());
    } else {
        for n_lines in 0..=dice.below(9) {
            let Some(line) = running.line() else { break };
            seen.take(&line);
            if n_lines == 0 {
                no_orphans(&pids);
            }
        }
        (0..dice.below(20_000)).for_each(|_| std::hint::spin_loop());
    }
    running.signal(Signal::KILL);
    running
}

/// After a kill: everything that was printed is there, and what is there is whole.
fn check_killed(place: &Place, seen: &mut Seen) {
    let events = place.run(&["events", "last", "--json"]).exits(0).json();
    seen.check(&events);
    seen.completed.extend(events.iter().filter(|event| event["type"] == "task.completed").map(key));
    // A program that was let go just before the kill notes its key when it comes to it, even after this look.
    let queued = events.iter().filter(|event| event["type"] == "task.queued").map(key);
    let begun: BTreeSet<String> = noted(&place.read("ran")).into_iter().chain(queued).collect();
    for task in begun.difference(&seen.completed) {
        *seen.hit.entry(task.clone()).or_insert(0) += 1;
    }
    place.run(&["log", "verify"]).exits(0);
    place.run(&["replay", "last"]).exits(0);
}

/// At the end: as if nobody had been killed, but for what was in flight.
fn check_ended(place: &Place, seen: &Seen, expected: &Value) {
    let events = place.run(&["events", "last", "--json"]).exits(0).json();
    seen.check(&events);
    let workflow = place.run(&["show", "last", "--json"]).exits(0).last();
    assert_eq!((&workflow["status"], &workflow["outputs"]), (&"SUCCEEDED".into(), expected));
    let mut completed: BTreeMap<String, usize> = BTreeMap::new();
    let mut retried: BTreeMap<String, usize> = BTreeMap::new();
    for event in &events {
        match event["type"].as_str().unwrap() {
            "task.completed" => *completed.entry(key(event)).or_insert(0) += 1,
            "task.retried" => *retried.entry(key(event)).or_insert(0) += 1,
            "task.started" => assert!(!completed.contains_key(&key(event)), "{} was begun again", key(event)),
            _ => (),
        }
    }
    assert!(completed.values().all(|count| *count == 1), "{completed:?}");
    assert!(seen.completed.iter().all(|task| completed.contains_key(task)));
    let id = workflow["id"].as_str().unwrap();
    assert!(place.read("ran").lines().all(|line| line.starts_with(id)));
    let mut ran: BTreeMap<String, usize> = BTreeMap::new();
    noted(&place.read("ran")).into_iter().for_each(|task| *ran.entry(task).or_insert(0) += 1);
    // decide has no task, small was not taken.
    assert!(ran.keys().eq(completed.keys().filter(|task| *task != "decide#1/noop")), "{ran:?} {completed:?}");
    for (task, times) in &ran {
        let count = |counts: &BTreeMap<String, usize>| counts.get(task).copied().unwrap_or(0);
        let most = 1 + count(&retried) + count(&seen.hit);
        assert!(*times <= most, "{task} ran {times} times, {most} at most were asked for");
    }
}

/// None of these processes runs any more. One that has ended and that nobody has asked about yet does not run.
fn no_orphans(pids: &str) {
    for pid in pids.lines() {
        assert!(!is_running(pid), "process {pid} of a killed engine still runs");
    }
}

fn is_running(pid: &str) -> bool {
    let state = if Path::new("/proc/self/stat").exists() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned()).unwrap_or_default()
    } else {
        let stat = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
        String::from_utf8(stat.stdout).unwrap()
    };
    !state.is_empty() && !state.starts_with(['Z', 'X'])
}

#[test]
fn a_task_that_kills_its_engine_again_and_again_is_given_up() {
    let place = Place::new();
    place.write("a.yaml", "name: killer\nstages: { a: { run: 'echo x >> ran; kill -9 $PPID; sleep 60' } }\n");
    let mut kills = 0;
    let mut finished = place.run(&["run", "a.yaml"]);
    while finished.code.is_none() {
        kills += 1;
        assert!(kills <= 6, "it goes on for ever");
        finished = place.run(&["run", "--resume", "last"]);
    }
    let finished = finished.exits(1);
    assert!(finished.err.contains("WORKER_LOST"), "{}", finished.err);
    // The first start may not have reached the log, and is then not known to have been lost.
    assert!((5..=6).contains(&kills), "{kills} kills");
    assert_eq!(place.read("ran").lines().count(), kills);
    let workflow = place.run(&["show", "last", "--json"]).exits(0).last();
    assert_eq!(workflow["status"], "TERMINAL");
    assert_eq!(workflow["stages"][0]["error"]["code"], "WORKER_LOST");
}
