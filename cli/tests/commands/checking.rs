//! `check`: the answer in a word, what it refuses, and a witness that is read like any log.

use serde_json::json;

use super::support::Place;

const SOUND: &str = "
name: diamond
stages:
  a: { run: 'true' }
  b: { needs: [a], run: 'true' }
  c: { needs: [a], run: 'true' }
  d: { needs: [b, c], run: 'true' }
";

const STARVED: &str = "
name: starved
inputs: { x: { type: boolean, default: true } }
stages:
  a: { run: 'true', split_type: XOR, split_conditions: { b: inputs.x, c: not inputs.x } }
  b: { needs: [a], run: 'true' }
  c: { needs: [a], run: 'true' }
  d: { needs: [b, c], run: 'true' }
";

fn place() -> Place {
    let place = Place::new();
    place.write("sound.yaml", SOUND);
    place.write("starved.yaml", STARVED);
    place
}

#[test]
fn a_sound_definition_is_said_to_be_so() {
    let place = place();
    let finished = place.run(&["check", "sound.yaml"]).exits(0);
    assert!(finished.out.starts_with("SOUND sound.yaml: ") && finished.out.lines().count() == 1, "{}", finished.out);
    assert_eq!(finished.err, "");
    place.run(&["check", "sound.yaml", "--witness", "flaw"]).exits(0);
    assert!(!place.path("flaw").exists() && !place.path("log").exists(), "nothing to write");
}

#[test]
fn jumps_that_nobody_foresees_are_named_beside_the_answer() {
    let place = place();
    place.write("open.yaml", &SOUND.replace("b: { needs: [a],", "b: { needs: [a], jump_targets: any,"));
    let finished = place.run(&["check", "open.yaml"]).exits(0);
    let lines: Vec<&str> = finished.out.lines().collect();
    assert!(lines[0].starts_with("SOUND open.yaml: "), "{}", finished.out);
    assert_eq!(lines[1..], ["of workflows without a jump from b: `jump_targets: any` is not foreseen"]);
    let told = place.run(&["check", "open.yaml", "--json"]).exits(0).json();
    assert_eq!((&told[0]["outcome"], &told[0]["unforeseen_jumps"]), (&json!("SOUND"), &json!(["b"])));
    let told = place.run(&["check", "sound.yaml", "--json"]).exits(0).json();
    assert_eq!(told[0].get("unforeseen_jumps"), None);
}

#[test]
fn an_unsound_definition_is_refused_and_its_witness_is_read_like_any_log() {
    let place = place();
    let finished = place.run(&["check", "starved.yaml", "--witness", "flaw"]).exits(3);
    let lines: Vec<&str> = finished.out.lines().collect();
    assert!(lines[0].starts_with("UNSOUND starved.yaml: "), "{}", finished.out);
    assert!(lines[1].starts_with("starved.yaml:8:3: error[DEADLOCK] at d: "), "{}", finished.out);
    let quoted = ["  |", "8 |   d: { needs: [b, c], run: 'true' }", "  |   ^"];
    assert_eq!((&lines[2..5], lines[6]), (&quoted[..], "  = see docs/ERRORS.md#deadlock"));
    assert!(finished.err.contains("starved.yaml is refused"), "{}", finished.err);
    let next = lines.last().unwrap().strip_prefix("witness: stabilize show ").unwrap();
    let id = next.strip_suffix(" --log flaw").unwrap();

    let shown = place.run_on("flaw", &["show", id]).exits(0).out;
    assert!(shown.contains("starved"), "{shown}");
    let events = place.run_on("flaw", &["events", "last", "--json"]).exits(0).json();
    let names: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!((names.first(), names.last()), (Some(&"workflow.created"), Some(&"workflow.failed")));
    place.run_on("flaw", &["graph", id]).exits(0);
    place.run_on("flaw", &["replay", id]).exits(0);
    place.run_on("flaw", &["log", "verify"]).exits(0);

    let again = place.run(&["check", "starved.yaml", "--witness", "flaw"]).exits(2);
    assert!(again.err.contains("there is a log in flaw already") && again.out.is_empty(), "{}", again.err);
}

#[test]
fn the_policy_of_the_definition_says_what_is_refused() {
    let place = place();
    for (policy, file, words, outcome, code) in [
        ("off", STARVED, &[][..], "UNSOUND", 0),
        ("strict", SOUND, &[], "SOUND", 0),
        // With a property no block is taken as one stage.
        ("weak", SOUND, &["--max-states", "2", "--never", "stages.a.live > 1"], "UNKNOWN", 0),
        ("strict", SOUND, &["--max-states", "2", "--never", "stages.a.live > 1"], "UNKNOWN", 3),
    ] {
        place.write("a.yaml", &format!("soundness: '{policy}'{file}"));
        let finished = place.run(&[&["check", "a.yaml"], words].concat()).exits(code);
        assert_eq!(finished.out.split(' ').next(), Some(outcome), "{policy}");
        let is_warning = finished.err.lines().any(|line| line.starts_with("warning: "));
        assert_eq!(is_warning, code == 0 && outcome != "SOUND", "{policy}: {}", finished.err);
    }
}

#[test]
fn a_property_that_does_not_hold_is_a_finding() {
    let place = place();
    let both = "stages.b.live > 0 and stages.c.live > 0";
    for (words, code) in [
        (&["--always-before", "b", "d", "--always-before", "a", "d"][..], 0),
        (&["--always-before", "b", "d", "--always-before", "b", "c"], 3),
        (&["--eventually-after", "a", "d"], 3),
        (&["--never", both], 3),
        (&["--never", "stages.d.live > 0 and stages.b.live > 0"], 0),
    ] {
        let finished = place.run(&[&["check", "sound.yaml"], words].concat()).exits(code);
        assert_eq!(finished.out.contains("error[PROPERTY_VIOLATED]: "), code == 3, "{words:?}: {}", finished.out);
    }
    // Its course stops where both are at work: the workflow is open.
    place.run(&["check", "sound.yaml", "--never", both, "--witness", "flaw"]).exits(3);
    assert!(place.run_on("flaw", &["show", "last"]).exits(0).out.contains("RUNNING"));
    for words in [&["--never", "1 +"][..], &["--never", "stages.e.live > 0"], &["--always-before", "a", "e"]] {
        let finished = place.run(&[&["check", "sound.yaml"], words].concat()).exits(2);
        assert!(finished.err.contains(words[0]) && finished.out.is_empty(), "{}", finished.err);
    }
}

#[test]
fn for_programs_it_is_one_object() {
    let place = place();
    let sound = place.run(&["check", "sound.yaml", "--json"]).exits(0).last();
    let states = sound["states"].as_u64().unwrap();
    let expected = json!({
        "file": "sound.yaml", "outcome": "SOUND", "policy": "weak", "states": states, "bound": 4, "findings": [],
        "witness": null,
    });
    assert_eq!(sound, expected);
    let words = ["check", "starved.yaml", "--json", "--bound", "3", "--witness", "flaw"];
    let unsound = place.run(&words).exits(3).json();
    let (count, unsound) = (unsound.len(), &unsound[0]);
    assert_eq!((count, &unsound["outcome"], &unsound["bound"]), (1, &json!("UNSOUND"), &json!(3)));
    let finding = &unsound["findings"][0];
    assert_eq!((&finding["code"], &finding["stage"]), (&json!("DEADLOCK"), &json!("d")));
    assert!(finding["message"].is_string() && finding["help"].is_string());
    assert_eq!(unsound["witness"]["log"], "flaw");
    place.run_on("flaw", &["show", unsound["witness"]["workflow"].as_str().unwrap()]).exits(0);
}

#[test]
fn a_definition_with_problems_is_refused_before_anything_is_explored() {
    let place = place();
    place.write("bad.yaml", "name: x\nstages: { a: { needs: [b], run: 'true' } }\n");
    let finished = place.run(&["check", "bad.yaml"]).exits(3);
    assert!(finished.out.is_empty() && finished.err.contains("bad.yaml is refused: 1 problem"), "{}", finished.err);
    place.run(&["check", "nowhere.yaml"]).exits(2);
}

#[test]
fn what_is_unsound_does_not_begin_and_leaves_no_log() {
    let place = place();
    for command in ["run", "start"] {
        let finished = place.run(&[command, "starved.yaml"]).exits(3);
        assert!(finished.out.is_empty() && !place.path("log").exists(), "{}", finished.out);
        for told in
            ["error[DEADLOCK] at d: ", "see docs/ERRORS.md#deadlock", "starved.yaml is refused: UNSOUND", "--witness"]
        {
            assert!(finished.err.contains(told), "{told}: {}", finished.err);
        }
    }
    // Its author answers for it.
    place.write("off.yaml", &format!("soundness: off{STARVED}"));
    place.run(&["run", "off.yaml"]).exits(1);
}

#[test]
fn every_definition_of_a_file_is_checked_and_the_worst_comes_first() {
    let place = place();
    let inner = STARVED.trim_start().replace('\n', "\n    ");
    let text = format!(
        "name: outer\ndefinitions:\n  inner:\n    {inner}\nstages: {{ a: {{ sub_workflow: {{ definition: inner }} }} }}\n"
    );
    place.write("two.yaml", &text);
    let finished = place.run(&["check", "two.yaml", "--witness", "flaw"]).exits(3);
    assert!(finished.out.starts_with("UNSOUND two.yaml, definition starved: "), "{}", finished.out);
    assert!(finished.out.contains("two.yaml:10:7: error[DEADLOCK] at d"), "{}", finished.out);
    assert!(finished.out.contains("\nSOUND two.yaml: "), "{}", finished.out);
    place.run_on("flaw", &["show", "last"]).exits(0);
    let found = place.run(&["check", "two.yaml", "--json"]).exits(3).json();
    assert_eq!((&found[0]["definition"], &found[0]["findings"][0]["line"]), (&json!("starved"), &json!(10)));
    assert_eq!((found[1].get("definition"), &found[1]["outcome"]), (None, &json!("SOUND")));
    let refused = place.run(&["run", "two.yaml"]).exits(3);
    assert!(refused.err.contains("two.yaml, definition starved is refused: UNSOUND"), "{}", refused.err);
    assert!(!place.path("log").exists());
}
