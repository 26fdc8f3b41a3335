//! Verbs that read: what they print, beside an engine and on a copy nobody may write to.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::support::{Place, bytes_below, golden};

const PIPELINE: &str = r#"
name: pipeline
application: shop
context: { greeting: hello }
stages:
  first: { run: 'echo out; echo err >&2; echo "sha=abc" >> "$STABILIZE_OUTPUT"' }
  flaky:
    needs: [first]
    retry: { max_attempts: 3, initial: 1ms }
    run: 'echo "try $STABILIZE_ATTEMPT"; test "$STABILIZE_ATTEMPT" -ge 2 || exit 75'
  skipped: { needs: [first], if: "false", run: 'true' }
  last:
    needs: [flaky, skipped]
    tasks:
      - { name: one, run: 'true' }
      - { name: two, run: 'true' }
outputs: { sha: "${{ stages.first.outputs.sha }}" }
"#;

/// A log that holds one workflow.
fn ran() -> Place {
    let place = Place::new();
    place.write("a.yaml", PIPELINE);
    place.run(&["run", "a.yaml"]).exits(0);
    place
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn each_verb_prints_what_it_always_printed() {
    let place = ran();
    for (words, name) in [
        (&["ls"][..], "ls.txt"),
        (&["show", "last"], "show.txt"),
        (&["show", "last", "--at", "3"], "show-at.txt"),
        (&["events", "last"], "events.txt"),
        (&["logs", "last"], "logs.txt"),
        (&["replay", "last"], "replay.txt"),
        (&["log", "verify"], "log-verify.txt"),
        (&["log", "verify", "--json"], "log-verify.jsonl"),
    ] {
        golden(name, &place.run(words).exits(0).out);
    }
}

#[test]
fn show_in_machine_form_has_exactly_these_keys() {
    let place = ran();
    let finished = place.run(&["show", "last", "--json"]).exits(0);
    let workflow = finished.last();
    golden("show.jsonl", &finished.out);
    // serde_json's map is sorted; the golden file holds the order.
    let mut expected = [
        "id",
        "name",
        "application",
        "type",
        "status",
        "trigger",
        "definition",
        "context",
        "start_time",
        "end_time",
        "canceled_by",
        "cancellation_reason",
        "paused",
        "outputs",
        "stages",
    ];
    expected.sort_unstable();
    assert_eq!(keys(&workflow), expected);
    assert_eq!(workflow["outputs"], serde_json::json!({"sha": "abc"}));
    assert_eq!(workflow["stages"][1]["tasks"][0]["attempts"], 2);
    assert_eq!(workflow["stages"][1]["activations"], 1);
    assert_eq!(workflow["stages"][2]["status"], "SKIPPED");
    let start = workflow["start_time"].as_str().unwrap();
    assert!(start.len() == 27 && start.ends_with('Z'), "{start}");
}

#[test]
fn a_workflow_is_shown_as_it_was() {
    let place = ran();
    let at = |place: &Place, moment: &str| place.run(&["show", "last", "--at", moment, "--json"]).exits(0).last();
    assert_eq!(at(&place, "1")["status"], "NOT_STARTED");
    let early = at(&place, "5");
    assert_eq!(
        (&early["status"], &early["outputs"], &early["end_time"]),
        (&"RUNNING".into(), &Value::Null, &Value::Null)
    );
    let events = place.run(&["events", "last", "--json"]).json();
    let moment = events[4]["at"].as_str().unwrap();
    assert_eq!(at(&place, moment)["id"], early["id"]);
    let last = events.len().to_string();
    assert_eq!(at(&place, &last), place.run(&["show", "last", "--json"]).last());
}

#[test]
fn a_workflow_is_named_by_its_ends() {
    let place = ran();
    let id = place.run(&["ls", "--json"]).exits(0).last()["id"].as_str().unwrap().to_owned();
    for name in [&id[..], &id.to_lowercase(), &id[..20], &id[18..], "last"] {
        assert_eq!(place.run(&["show", name, "--json"]).exits(0).last()["id"], id, "{name}");
    }
    place.run(&["show", &id[..5]]).exits(4);
    place.run(&["run", "a.yaml"]).exits(0);
    let ambiguous = place.run(&["show", &id[..6]]).exits(2);
    assert!(ambiguous.err.contains(&id), "{}", ambiguous.err);
}

#[test]
fn lists_are_newest_first_and_filtered() {
    let place = ran();
    place.write("bad.yaml", "name: bad\nstages: { a: { uses: fail, with: { message: no } } }\n");
    place.run(&["run", "bad.yaml"]).exits(1);
    place.run(&["run", "a.yaml"]).exits(0);
    let names = |words: &[&str]| -> Vec<String> {
        let lines = place.run(words).exits(0).json();
        lines.iter().map(|workflow| workflow["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["ls", "--json"]), ["pipeline", "bad", "pipeline"]);
    assert_eq!(names(&["ls", "--json", "--status", "terminal"]), ["bad"]);
    assert_eq!(names(&["ls", "--json", "--application", "shop", "--limit", "1"]), ["pipeline"]);
    assert_eq!(names(&["ls", "--json", "--status", "RUNNING"]), [""; 0]);
    let line = place.run(&["ls", "--json", "--limit", "1"]).out;
    let order = ["{\"id\":", "\"name\":", "\"application\":", "\"status\":", "\"start_time\":", "\"end_time\":"];
    let places: Vec<usize> = order.iter().map(|key| line.find(key).unwrap()).collect();
    assert!(places.is_sorted(), "{line}");
}

#[test]
fn logs_are_those_of_the_last_attempt_or_of_the_one_asked_for() {
    let place = ran();
    assert_eq!(place.run(&["logs", "last", "flaky"]).exits(0).out, "try 2\n");
    assert_eq!(place.run(&["logs", "last", "flaky", "--attempt", "1"]).exits(0).out, "try 1\n");
    assert_eq!(place.run(&["logs", "last", "skipped"]).exits(0).out, "");
    let lines = place.run(&["logs", "last", "first", "--json"]).exits(0).json();
    let texts: Vec<(&str, &str)> =
        lines.iter().map(|line| (line["stream"].as_str().unwrap(), line["text"].as_str().unwrap())).collect();
    assert_eq!(texts, [("stdout", "out\n"), ("stderr", "err\n")]);
}

#[test]
fn replaying_gives_the_state_that_is_shown_and_always_one_digest() {
    let place = ran();
    let replayed = place.run(&["replay", "last", "--json"]).exits(0).last();
    assert_eq!(replayed["state"], place.run(&["show", "last", "--json"]).last());
    assert_eq!(replayed["digest"].as_str().unwrap().len(), 64);
    assert_eq!(replayed, place.run(&["replay", "last", "--json"]).last());
    let early = place.run(&["replay", "last", "--until", "3", "--json"]).exits(0).last();
    assert_ne!(early["digest"], replayed["digest"]);
    assert_eq!(early["events"], 3);
}

#[test]
fn every_frame_of_the_log_is_dumped() {
    let place = ran();
    let frames = place.run(&["log", "dump", "--json"]).exits(0).json();
    let positions: Vec<u64> = frames
        .iter()
        .filter(|frame| frame["flags"] != "FIRST|LAST|CONTROL")
        .map(|frame| frame["position"].as_u64().unwrap())
        .collect();
    assert_eq!(positions, (1..=positions.len() as u64).collect::<Vec<u64>>());
    let lines = place.run(&["log", "dump"]).exits(0).out;
    assert_eq!(lines.lines().count(), frames.len());
    assert!(lines.starts_with("segment=0000000001 offset=8192 len="), "{lines}");
    let verified = place.run(&["log", "verify", "--json"]).exits(0).last();
    assert_eq!(verified, serde_json::json!({"events": positions.len(), "ok": true}));
}

#[test]
fn reading_changes_nothing_also_on_a_copy_nobody_may_write_to() {
    let place = ran();
    let copied = Command::new("cp").arg("-R").arg(place.path("log")).arg(place.path("copy")).status().unwrap();
    assert!(copied.success());
    assert!(Command::new("chmod").args(["-R", "a-w"]).arg(place.path("copy")).status().unwrap().success());
    let before = bytes_below(&place.path("copy"));
    for words in [
        &["ls"][..],
        &["show", "last"],
        &["why", "last"],
        &["events", "last"],
        &["logs", "last"],
        &["replay", "last"],
        &["log", "verify"],
        &["log", "dump"],
    ] {
        let here = place.run(words).exits(0).out;
        let there = place.run_on("copy", words).exits(0).out;
        assert_eq!(here, there);
    }
    assert!(bytes_below(&place.path("copy")) == before);
    assert!(Command::new("chmod").args(["-R", "u+w"]).arg(place.path("copy")).status().unwrap().success());
}

#[test]
fn the_log_is_found_by_flag_by_environment_and_by_default() {
    let place = ran();
    let code = |command: &mut Command| command.output().unwrap().status.code();
    let bare = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stabilize"));
        command.current_dir(place.path("")).env_remove("STABILIZE_LOG").args(words);
        command
    };
    assert_eq!(code(bare(&["ls"]).env("STABILIZE_LOG", "log")), Some(0));
    assert_eq!(code(bare(&["ls", "--log", "log"]).env("STABILIZE_LOG", "nowhere")), Some(0));
    assert_eq!(code(&mut bare(&["ls"])), Some(4));
    fs::rename(place.path("log"), place.path(".stabilize")).unwrap();
    assert_eq!(code(&mut bare(&["ls"])), Some(0));
}

#[test]
fn output_that_nobody_reads_is_no_error() {
    let place = ran();
    for words in [&["events", "last"][..], &["log", "dump", "--json"], &["show", "last"], &["lint", "a.yaml"]] {
        let finished = place.start(words).stop_reading().exits(0);
        assert_eq!(finished.err, "", "{words:?}");
    }
}

#[test]
fn a_pipe_gets_no_colours() {
    let place = ran();
    for words in [&["ls"][..], &["show", "last"], &["events", "last"], &["--help"]] {
        let finished = place.run(words).exits(0);
        assert!(!finished.out.contains('\u{1b}') && !finished.err.contains('\u{1b}'), "{words:?}");
    }
}

#[test]
fn version_says_what_this_build_is() {
    let place = Place::new();
    let version = place.run(&["version", "--json"]).exits(0);
    assert_eq!(
        version.out,
        "{\"version\":\"0.1.0\",\"rules\":3,\"format\":1,\"features\":[\"docker\",\"http\",\"python\",\"shell\",\"ssh\"]}\n"
    );
    assert!(place.run(&["version"]).exits(0).out.starts_with("stabilize 0.1.0\n"));
    assert_eq!(place.run(&["--version"]).exits(0).out, "stabilize 0.1.0\n");
}

#[test]
fn the_schema_of_definitions_is_printed_for_people_and_programs() {
    let place = Place::new();
    let line = place.run(&["schema", "--json"]).exits(0);
    assert_eq!(line.last()["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let pretty = place.run(&["schema"]).exits(0).out;
    assert!(pretty.lines().count() > 100 && line.out.lines().count() == 1);
    assert_eq!(serde_json::from_str::<Value>(&pretty).unwrap(), line.last());
}

#[test]
fn a_shell_takes_its_completions() {
    let place = Place::new();
    let script = place.run(&["completions", "bash"]).exits(0).out;
    place.run(&["completions", "tcsh"]).exits(2);
    place.write("completions.bash", &script);
    let words = "source completions.bash; COMP_WORDS=(stabilize wh); COMP_CWORD=1; _stabilize stabilize wh stabilize; \
                 echo \"${COMPREPLY[@]}\"";
    // Not every system has it.
    let told = Command::new("bash").args(["--norc", "-c", words]).current_dir(place.path("")).output();
    let Ok(told) = told else { return };
    assert_eq!(String::from_utf8(told.stdout).unwrap(), "why\n", "{}", String::from_utf8_lossy(&told.stderr));
}

#[test]
fn help_of_each_verb_has_examples() {
    let place = Place::new();
    let verbs = [
        "run",
        "start",
        "worker",
        "cancel",
        "ls",
        "show",
        "why",
        "events",
        "logs",
        "replay",
        "lint",
        "check",
        "patterns",
        "doctor",
        "schema",
        "completions",
        "version",
    ];
    for verb in verbs {
        let help = place.run(&[verb, "--help"]).exits(0).out;
        assert!(help.contains("Examples:") && help.contains(&format!("stabilize {verb}")), "{help}");
    }
    for verb in ["verify", "dump"] {
        assert!(place.run(&["log", verb, "--help"]).exits(0).out.contains("Examples:"));
    }
    assert!(place.run(&["--help"]).exits(0).out.contains("124  timed out"));
}
