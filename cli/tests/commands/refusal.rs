//! What is refused: with its exit code, in words, and before anything is recorded.

use std::process::Command;

use super::support::{Finished, Place, golden};

const INPUTS: &str = "
name: inputs
inputs:
  count: { type: integer }
  mode: { type: string, enum: [fast, slow], default: fast }
stages: { only: { run: 'true' } }
";

/// Ten mistakes, each of another kind.
const TEN_MISTAKES: &str = "\
name: [not, a, name]
nmae: typo
type: SOMETHING
inputs:
  a: { type: text }
stages:
  build: { needs: [nobody], run: 'true' }
  build two: { run: 'true' }
  loop: { needs: [loop], run: 'true' }
  slow: { run: 'true', timeout: 90 }
  both: { run: 'true', uses: noop }
  when: { run: 'true', if: 'a ==' }
  later: { run: 'true', or_join_cycle: fire_all }
";

#[test]
fn a_command_line_that_cannot_be_meant_is_usage() {
    let place = Place::new();
    place.write("a.yaml", INPUTS);
    for words in [
        &[][..],
        &["frobnicate"],
        &["run"],
        &["run", "a.yaml", "--resume", "last"],
        &["run", "--resume", "last", "--input", "a=b"],
        &["run", "a.yaml", "--input", "nothing"],
        &["run", "a.yaml", "--timeout", "90"],
        &["run", "a.yaml", "--payload", "x", "--input", "count=1"],
        &["run", "a.yaml", "--workdir", "nowhere", "--input", "count=1"],
        &["run", "nowhere.yaml"],
        &["lint"],
        &["run", "."],
        &["lint", "nowhere.yaml"],
        &["lint", "."],
        &["show"],
        &["show", "last", "--at", "yesterday"],
        &["ls", "--status", "HAPPY"],
        &["log"],
    ] {
        let finished = place.run(words).exits(2);
        let is_told = finished.err.contains("error: ") || finished.err.contains("Usage: ");
        assert!(finished.out.is_empty() && is_told, "{words:?}: {}", finished.err);
    }
    assert!(!place.path("log").exists());
}

#[test]
fn inputs_that_do_not_fit_are_refused_before_anything_is_recorded() {
    let place = Place::new();
    place.write("a.yaml", INPUTS);
    place.write("inputs.json", r#"{"count": 1, "cuont": 2}"#);
    place.write("list.yaml", "- 1\n");
    for (words, reason) in [
        (&["run", "a.yaml"][..], "input \"count\" is missing"),
        (&["run", "a.yaml", "--input", "count=many"], "not an integer"),
        (&["run", "a.yaml", "--input", "count:=\"3\""], "not an integer"),
        (&["run", "a.yaml", "--input", "count=1", "--input", "mdoe=fast"], "did you mean \"mode\"?"),
        (&["run", "a.yaml", "--input", "count=1", "--input", "mode=warp"], "not one of"),
        (&["run", "a.yaml", "--inputs", "inputs.json"], "\"cuont\" is not declared"),
        (&["run", "a.yaml", "--inputs", "list.yaml"], "list.yaml:1:1: error[WRONG_TYPE]"),
        (&["run", "a.yaml", "--inputs", "nowhere"], "could not read nowhere"),
        (&["run", "a.yaml", "--input", "count=@nowhere"], "could not read nowhere"),
        (&["run", "a.yaml", "--input", "count=1", "--payload", "@list.yaml"], "list.yaml:1:1"),
    ] {
        let finished = place.run(words).exits(2);
        assert!(finished.err.contains(reason), "{words:?}: {}", finished.err);
        assert!(finished.out.is_empty());
    }
    assert!(!place.path("log").exists());
}

#[test]
fn ten_mistakes_are_all_reported_with_their_places() {
    let place = Place::new();
    place.write("ten.yaml", TEN_MISTAKES);
    let finished = place.run(&["lint", "ten.yaml"]).exits(3);
    golden("lint-ten-mistakes.txt", &finished.out);
    let problems = finished.out.lines().filter(|line| line.starts_with("ten.yaml:") && line.contains(": error["));
    assert!(problems.count() >= 10, "{}", finished.out);
    let json = place.run(&["lint", "ten.yaml", "--json"]).exits(3);
    let of_json = json.json();
    assert!(of_json.iter().all(|problem| problem["file"] == "ten.yaml" && problem["line"].is_u64()));
    let run = place.run(&["run", "ten.yaml"]).exits(3);
    assert!(run.out.is_empty() && run.err.contains("error: ten.yaml is refused"), "{}", run.err);
    assert!(!place.path("log").exists());
}

#[test]
fn a_bare_template_in_braces_gives_its_hint() {
    let place = Place::new();
    place.write("braces.yaml", "name: x\nstages:\n  a: { run: true, env: { A: ${{ inputs.a }} } }\n");
    let finished = place.run(&["lint", "braces.yaml"]).exits(3);
    golden("lint-braces.txt", &finished.out);
    assert!(finished.out.contains("help:") && finished.out.contains("quotes"), "{}", finished.out);
}

#[test]
fn a_good_file_is_ok_also_beside_a_bad_one() {
    let place = Place::new();
    place.write("good.yaml", INPUTS);
    place.write("bad.yaml", "name: x\n");
    assert_eq!(place.run(&["lint", "good.yaml"]).exits(0).out, "good.yaml: ok\n");
    let both = place.run(&["lint", "good.yaml", "bad.yaml"]).exits(3);
    assert!(both.out.contains("good.yaml: ok") && both.out.contains("bad.yaml:1:1: error["), "{}", both.out);
    assert!(both.err.contains("1 of 2 definitions refused"), "{}", both.err);
    assert_eq!(place.run(&["lint", "good.yaml", "--json"]).exits(0).out, "");
}

#[test]
fn what_is_not_there_is_not_found() {
    let place = Place::new();
    place.write("a.yaml", INPUTS);
    for words in [&["ls"][..], &["show", "last"], &["log", "verify"], &["log", "dump"], &["run", "--resume", "last"]] {
        let finished = place.run(words).exits(4);
        assert!(finished.err.contains("no log in"), "{words:?}: {}", finished.err);
    }
    assert!(!place.path("log").exists(), "reading makes no log");
    place.run(&["run", "a.yaml", "--input", "count=1"]).exits(0);
    for words in [
        &["show", "0123456789"][..],
        &["show", "abc"],
        &["show", "01ARZ3NDEKTSV4RRFFQ69G5FAV"],
        &["show", "last", "--at", "999"],
        &["show", "last", "--at", "2001-01-01T00:00:00Z"],
        &["replay", "last", "--until", "999"],
        &["events", "nobody"],
        &["logs", "last", "nowhere"],
        &["logs", "last", "only", "--attempt", "7"],
    ] {
        let finished = place.run(words).exits(4);
        assert!(finished.out.is_empty() && finished.err.starts_with("error: "), "{words:?}: {}", finished.err);
    }
}

#[test]
fn a_workflow_that_has_ended_is_not_resumed() {
    let place = Place::new();
    place.write("a.yaml", INPUTS);
    place.run(&["run", "a.yaml", "--input", "count=1"]).exits(0);
    let before = place.log_bytes();
    let finished = place.run(&["run", "--resume", "last"]).exits(5);
    assert!(finished.err.contains("has ended already: SUCCEEDED"), "{}", finished.err);
    assert!(place.log_bytes() == before);
}

#[test]
fn a_log_on_hold_dispatches_nothing() {
    let place = Place::new();
    place.write("a.yaml", INPUTS);
    place.run(&["run", "a.yaml", "--input", "count=1"]).exits(0);
    place.write("log/HOLD", "");
    let finished = place.run(&["run", "a.yaml", "--input", "count=1"]).exits(7);
    assert!(finished.err.contains("on hold"), "{}", finished.err);
    place.run(&["ls"]).exits(0);
}

#[test]
fn a_directory_that_cannot_be_made_is_unusable() {
    let place = Place::new();
    place.write("a.yaml", INPUTS);
    place.write("log", "a file");
    let finished = place.run(&["run", "a.yaml", "--input", "count=1"]).exits(7);
    assert!(finished.err.starts_with("error: ") && finished.out.is_empty(), "{}", finished.err);
}

#[test]
fn a_disk_that_takes_no_segment_is_unusable() {
    let place = Place::new();
    place.write("a.yaml", INPUTS);
    let stabilize = env!("CARGO_BIN_EXE_stabilize");
    // Files may have 51,200 bytes; writing more is an error instead of a signal.
    let script = format!("trap '' XFSZ; ulimit -f 100; exec {stabilize} --log log run a.yaml --input count=1");
    let mut shell = Command::new("sh");
    let finished: Finished = shell.args(["-c", &script]).current_dir(place.path("")).output().unwrap().into();
    let finished = finished.exits(7);
    assert!(finished.err.starts_with("error: ") && finished.err.contains("large"), "{}", finished.err);
    place.run(&["run", "a.yaml", "--input", "count=1"]).exits(0);
}
