//! `run`: what is recorded, what is printed, and how it ends.

use super::support::{Finished, Place, golden};

const GREETING: &str = r#"
name: greeting of ${{ inputs.name }}
application: shop
inputs:
  name: { type: string, default: World }
  count: { type: integer, default: 1 }
stages:
  greet: { run: 'echo "greeting=Hello, "${{ inputs.name }} >> "$STABILIZE_OUTPUT"' }
  count: { needs: [greet], run: 'echo "count:="${{ inputs.count }} >> "$STABILIZE_OUTPUT"' }
"#;

#[test]
fn a_workflow_is_run_to_its_end() {
    let place = Place::new();
    place.write("a.yaml", GREETING);
    let finished = place.run(&["run", "a.yaml", "--input", "name=O'Hara $(id)", "--input", "count=3"]).exits(0);
    golden("run-out.txt", &finished.out);
    golden("run-err.txt", &finished.err);
    assert!(finished.out.contains("greeting: Hello, O'Hara $(id)"));
}

#[test]
fn in_machine_form_events_come_one_a_line_and_the_outputs_last() {
    let place = Place::new();
    place.write("a.yaml", GREETING);
    place.write("inputs.yaml", "name: File\ncount: 4\n");
    let finished = place.run(&["run", "a.yaml", "--json", "--inputs", "inputs.yaml", "--input", "name=Flag"]).exits(0);
    assert_eq!(finished.err, "");
    let mut lines = finished.json();
    let last = lines.pop().unwrap();
    assert_eq!(last["status"], "SUCCEEDED");
    assert_eq!(last["outputs"], serde_json::json!({"count": 4, "greeting": "Hello, Flag"}));
    assert!(finished.out.lines().last().unwrap().starts_with(r#"{"workflow":""#));
    let workflow = last["workflow"].as_str().unwrap();
    let shown = place.run(&["events", workflow, "--json"]).exits(0);
    assert_eq!(shown.json(), lines);
    let first = r#"{"position":2,"sequence":1,"type":"workflow.created","stage":null,"activation":null,"#;
    assert!(finished.out.starts_with(first), "{}", finished.out);
    let sequences: Vec<u64> = lines.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (1..=lines.len() as u64).collect::<Vec<u64>>());
}

#[test]
fn who_asked_is_recorded() {
    let place = Place::new();
    place.write("a.yaml", "name: x\nstages: { a: { run: 'echo \"$PWD\"' } }\n");
    place.write("payload.json", r#"{"commit": {"id": 7}}"#);
    std::fs::create_dir(place.path("below")).unwrap();
    let words = [
        "run",
        "a.yaml",
        "--actor",
        "alice",
        "--trigger-type",
        "webhook",
        "--parameter",
        "dry=true",
        "--parameter",
        "n:=3",
        "--payload",
        "@payload.json",
        "--workdir",
        "below",
    ];
    place.run(&words).exits(0);
    let shown = place.run(&["show", "last", "--json"]).exits(0).last();
    assert_eq!(
        shown["trigger"],
        serde_json::json!({
            "type": "webhook", "user": "alice", "parameters": {"dry": "true", "n": 3}, "artifacts": [],
            "payload": {"commit": {"id": 7}},
        })
    );
    assert!(place.run(&["logs", "last"]).exits(0).out.ends_with("/below\n"));
    place.run(&["run", "a.yaml"]).exits(0);
    assert_eq!(place.run(&["show", "last", "--json"]).last()["trigger"]["user"], "tester");
    let created = place.run(&["events", "last", "--json"]).json().remove(0);
    assert_eq!((&created["actor"], &created["data"]["origin"]), (&"tester".into(), &"cli".into()));
}

#[test]
fn a_failure_is_explained_with_the_last_lines_of_its_standard_error() {
    let place = Place::new();
    let program = "i=1; while [ $i -le 30 ]; do echo \"line $i\" >&2; i=$((i + 1)); done; exit 3";
    place.write("a.yaml", &format!("name: x\nstages:\n  good: {{}}\n  bad: {{ needs: [good], run: '{program}' }}\n"));
    let finished = place.run(&["run", "a.yaml"]).exits(1);
    golden("run-failure-out.txt", &finished.out);
    golden("run-failure-err.txt", &finished.err);
    assert!(finished.err.contains("line 11\n") && !finished.err.contains("line 10\n"), "{}", finished.err);
    let json = place.run(&["run", "a.yaml", "--json"]).exits(1);
    assert_eq!(json.last()["status"], "TERMINAL");
    assert!(json.err.contains("line 30"));
}

#[test]
fn a_workflow_that_can_never_end_well_says_what_it_waits_for() {
    let place = Place::new();
    let text = "
name: x
soundness: off
stages:
  decide: { split_type: XOR, split_conditions: { left: 'true' }, split_default: right }
  left: { needs: [decide] }
  right: { needs: [decide] }
  both: { needs: [left, right] }
";
    place.write("a.yaml", text);
    let finished = place.run(&["run", "a.yaml"]).exits(1);
    assert!(finished.err.contains("DEADLOCK") && finished.err.contains("both"), "{}", finished.err);
}

#[test]
fn output_that_nobody_reads_stops_no_workflow() {
    let place = Place::new();
    place.write("a.yaml", "name: x\nstages: { a: { run: 'echo x > ready; read line < gate' } }\n");
    place.pipe("ready");
    place.pipe("gate");
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    running.event("workflow.created");
    place.take("ready");
    let reader = std::thread::scope(|scope| {
        let ended = scope.spawn(|| running.stop_reading());
        place.give("gate");
        ended.join().unwrap()
    });
    let finished = reader.exits(0);
    assert_eq!(finished.err, "");
    assert_eq!(place.run(&["show", "last", "--json"]).last()["status"], "SUCCEEDED");
}

#[test]
fn only_the_own_workflow_is_driven_and_others_are_named() {
    let place = Place::new();
    place.write("wait.yaml", "name: long\nstages: { a: { uses: wait, with: { duration: 2d } } }\n");
    place.write("a.yaml", GREETING);
    place.run(&["run", "wait.yaml", "--timeout", "1ms"]).exits(124);
    let other = place.run(&["show", "last", "--json"]).last();
    for words in [&["run", "a.yaml"][..], &["run", "a.yaml", "--json"]] {
        let finished = place.run(words).exits(0);
        let named: Vec<&str> = finished.err.lines().filter(|line| line.contains("not driven here")).collect();
        assert!(named.len() == 1 && named[0].contains(other["id"].as_str().unwrap()), "{}", finished.err);
    }
    let after = place.run(&["show", other["id"].as_str().unwrap(), "--json"]).last();
    assert_eq!(after["status"], "RUNNING");
}

#[test]
fn output_that_cannot_be_written_stops_following_and_the_way_to_go_on_is_told() {
    let place = Place::new();
    place.write("wait.yaml", "name: long\nstages: { a: { uses: wait, with: { duration: 2d } } }\n");
    // Only some systems have a file that is always full.
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else { return };
    let finished: Finished = place.command(&["run", "wait.yaml", "--json"]).stdout(full).output().unwrap().into();
    let finished = finished.exits(7);
    assert!(finished.err.contains("could not write to standard output"), "{}", finished.err);
    assert!(finished.err.contains("go on with stabilize --log log run --resume "), "{}", finished.err);
}

#[test]
fn what_a_deadline_stopped_is_explained_with_what_it_wrote() {
    let place = Place::new();
    // It has written all that it writes when it is stopped: nobody ever writes to the pipe that it reads.
    place.pipe("never");
    place.write("a.yaml", "name: x\nstages: { a: { run: 'echo waiting >&2; read line < never', deadline: 2s } }\n");
    let finished = place.run(&["run", "a.yaml"]).exits(1);
    let code = "error: stage a#1 failed: DEADLINE_EXCEEDED: stage a had not ended 2s after its start\n";
    assert!(finished.err.contains(code), "{}", finished.err);
    assert!(finished.err.contains("standard error of a#1/shell, attempt 1:\n  waiting\n"), "{}", finished.err);
}

#[test]
fn what_is_scheduled_is_said() {
    let place = Place::new();
    let times = "scheduled_time: 2099-01-01T00:00:00Z, start_time_expiry: 2099-02-01T00:00:00Z, deadline: 1h";
    for (text, said) in [
        (format!("{{ name: x, {times}, stages: {{ a: }} }}"), "\nscheduled for 2099-01-01 00:00:00Z\n"),
        (format!("{{ name: x, stages: {{ a: {{ {times} }} }} }}"), "\na: scheduled for 2099-01-01 00:00:00Z\n"),
    ] {
        place.write("a.yaml", &text);
        let finished = place.run(&["run", "a.yaml", "--timeout", "1s"]).exits(124);
        assert!(finished.err.contains(said), "{}", finished.err);
    }
    let newest_first = place.run(&["ls", "--json"]).exits(0).json();
    let shown = place.run(&["show", newest_first[1]["id"].as_str().unwrap()]).exits(0).out;
    for line in [
        "\nscheduled   for 2099-01-01 00:00:00Z\n",
        "\nexpires     2099-02-01 00:00:00Z\n",
        "\ndeadline    1h after its start\n",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
}
