//! The examples and the commands of the README, run as their readers run them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::support::Place;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The release example in a scratch directory, so that the tree stays as it is.
fn release(place: &Place, words: &[&str]) -> super::support::Finished {
    let copied = Command::new("cp").arg("-R").arg(root().join("examples")).arg(place.path("")).status().unwrap();
    assert!(copied.success());
    place.run(&[&["run", "examples/release.yaml"], words].concat())
}

#[test]
fn the_release_example_makes_a_release() {
    let place = Place::new();
    let finished = release(&place, &["--json"]).exits(0);
    let outputs = &finished.last()["outputs"];
    assert_eq!((&outputs["version"], &outputs["published"]), (&"1.4.0".into(), &"latest".into()));
    assert_eq!(outputs["tests"], 3);
    let workflow = place.run(&["show", "last", "--json"]).exits(0).last();
    let stage = |name: &str| {
        let stages = workflow["stages"].as_array().unwrap();
        stages.iter().find(|stage| stage["ref_id"] == name).unwrap().clone()
    };
    assert_eq!(stage("upload")["tasks"][0]["attempts"], 2, "a busy mirror is asked again");
    assert_eq!((&stage("stable")["status"], &stage("preview")["activations"]), (&"SUCCEEDED".into(), &0.into()));
    let made = place.path("target/release-example").join(workflow["id"].as_str().unwrap());
    let version = Command::new(made.join("tally/tally")).arg("--version").output().unwrap();
    assert_eq!(String::from_utf8(version.stdout).unwrap(), "tally 1.4.0\n");
    let counted =
        Command::new(made.join("tally/tally")).arg(root().join("examples/release/tests/letters.txt")).output();
    let expected = fs::read(root().join("examples/release/tests/letters.expected")).unwrap();
    assert_eq!(counted.unwrap().stdout, expected);
    place.run(&["replay", "last"]).exits(0);
}

#[test]
fn the_release_example_takes_the_other_branch() {
    let place = Place::new();
    let finished = release(&place, &["--json", "--input", "channel=preview"]).exits(0);
    assert_eq!(finished.last()["outputs"]["published"], "preview");
    release(&place, &["--input", "channel=nightly"]).exits(2);
}

#[test]
fn an_order_goes_the_way_its_conditions_say_and_does_not_wait_for_ever() {
    let place = Place::new();
    let file = root().join("examples/order.yaml");
    let order = |inputs: &[&str]| {
        let inputs = inputs.iter().flat_map(|input| ["--input", input]);
        let words: Vec<&str> = ["run", file.to_str().unwrap(), "--json"].into_iter().chain(inputs).collect();
        let result = place.run(&words).exits(0).last()["outputs"]["result"].clone();
        let workflow = place.run(&["show", "last", "--json"]).exits(0).last();
        let mut entered = Vec::new();
        for stage in workflow["stages"].as_array().unwrap() {
            if stage["activations"] == 1 {
                entered.push(stage["ref_id"].as_str().unwrap().to_owned());
            }
        }
        (result, entered)
    };
    assert_eq!(
        order(&[]),
        ("shipped".into(), ["receive", "stock", "pay", "pack", "invoice", "ship"].map(str::to_owned).into())
    );
    assert_eq!(order(&["quantity=500"]), ("refused".into(), ["receive", "stock", "refuse"].map(str::to_owned).into()));
    let nobody = order(&["quantity=60", "reviewer=on-holiday"]);
    assert_eq!(nobody, ("refused".into(), ["receive", "stock", "approve", "refuse"].map(str::to_owned).into()));
    let approve = place.run(&["show", "last", "--json"]).exits(0).last()["stages"][2].clone();
    assert_eq!(
        (&approve["status"], &approve["error"]["code"]),
        (&"FAILED_CONTINUE".into(), &"DEADLINE_EXCEEDED".into())
    );
    place.run(&["replay", "last"]).exits(0);
}

#[test]
fn a_deployment_prepares_checks_and_takes_itself_back() {
    let place = Place::new();
    let file = root().join("examples/deploy.yaml");
    let deploy = |inputs: &[&str], code: i32| {
        place.run(&[&["run", file.to_str().unwrap()], inputs].concat()).exits(code);
        let workflow = place.run(&["show", "last", "--json"]).exits(0).last();
        let stages = workflow["stages"].as_array().unwrap().iter();
        let begun = stages.filter(|stage| stage["status"] != "NOT_STARTED" && stage["status"] != "SKIPPED");
        begun.map(|stage| stage["ref_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(deploy(&[], 0), "build deploy backup drain probe warm_up announce");
    assert_eq!(deploy(&["--input", "healthy=false"], 1), "build deploy backup drain restore");
    let said = place.run(&["logs", "last", "restore"]).exits(0).out;
    assert!(said.contains("back to before-1.4.2.sql because the program ended with exit code 1"), "{said}");
    place.run(&["replay", "last"]).exits(0);
}

#[test]
fn a_trip_that_fails_is_taken_back_and_the_last_word_is_always_said() {
    let place = Place::new();
    let file = root().join("examples/trip.yaml");
    let file = file.to_str().unwrap();
    place.run(&["run", file]).exits(0);
    assert!(place.run(&["logs", "last", "mail"]).exits(0).out.contains("has SUCCEEDED"));
    place.run(&["run", file, "--input", "car_is_there=false"]).exits(1);
    let events = place.run(&["events", "last", "--json"]).exits(0);
    let told = |name: &str| events.json().iter().filter(|event| event["type"] == name).count();
    assert_eq!((told("workflow.ending"), told("compensation.completed"), told("finally.completed")), (1, 2, 1));
    for (stage, said) in [
        ("refund", "the deposit comes back"),
        ("cancel-hotel", "room H-2 is free again"),
        ("flight-compensate", "flight F-1 is cancelled"),
        ("mail", "the trip to Lisbon has TERMINAL"),
    ] {
        let out = place.run(&["logs", "last", stage]).exits(0).out;
        assert!(out.contains(said), "{out}");
    }
    place.run(&["replay", "last"]).exits(0);
    place.run(&["cancel", "last", "--force"]).exits(5);
}

#[test]
fn every_definition_among_the_examples_is_clean() {
    let place = Place::new();
    let examples = fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path());
    let definitions: Vec<PathBuf> =
        examples.filter(|path| path.extension().is_some_and(|name| name == "yaml")).collect();
    assert!(!definitions.is_empty());
    for path in definitions {
        let finished = place.run(&["lint", path.to_str().unwrap()]).exits(0);
        assert!(finished.out.ends_with(": ok\n"), "{}", finished.out);
    }
}

/// The fenced blocks of the README that are written in this language.
fn blocks(language: &str) -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in readme.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(name)) => open = Some(format!("{name}\n")),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.push_str(&format!("{line}\n")),
            (None, None) => (),
        }
    }
    let of_language = |block: &String| block.strip_prefix(&format!("{language}\n")).map(str::to_owned);
    blocks.iter().filter_map(of_language).collect()
}

#[test]
fn the_commands_of_the_readme_run() {
    let place = Place::new();
    let copied = Command::new("cp").arg("-R").arg(root().join("examples")).arg(place.path("")).status().unwrap();
    assert!(copied.success());
    let yaml = blocks("yaml");
    place.write("hello.yaml", &yaml[0]);
    let mut n_run = 0;
    for line in blocks("sh").iter().flat_map(|block| block.lines()) {
        let line = line.split(" #").next().unwrap_or_default().trim();
        let words = line.strip_prefix("cargo run --release -- ").or_else(|| line.strip_prefix("stabilize "));
        let Some(words) = words else {
            let known = ["cargo test --workspace", "cargo install --path cli", ""];
            assert!(known.contains(&line), "a command that no test runs: {line}");
            continue;
        };
        let mut words: Vec<&str> = words.split_whitespace().collect();
        if words == ["bench"] {
            // What the figures are is no matter of a test, and they take most of a minute.
            words.push("--quick");
        }
        let finished = place.run(&words);
        assert_eq!(finished.code, Some(0), "{line}\n{}\n{}", finished.out, finished.err);
        n_run += 1;
    }
    assert!(n_run >= 8, "{n_run} commands were found");
}

#[test]
fn the_program_of_the_readme_is_the_quick_start() {
    let quick_start = fs::read_to_string(root().join("examples/quick_start.rs")).unwrap();
    let program: String = quick_start
        .lines()
        .skip_while(|line| line.starts_with("//!") || line.is_empty())
        .collect::<Vec<_>>()
        .join("\n");
    assert_eq!(blocks("rust,no_run")[0].trim_end(), program.trim_end());
}

/// A pattern of the examples.
struct Example {
    file: &'static str,
    /// It is run until these events have happened.
    until: &'static [(&'static str, &'static str)],
    /// Then this command is given.
    command: &'static [&'static str],
    /// Stages that are not taken.
    not_taken: &'static [&'static str],
}

const EXAMPLES: &[Example] = &[
    Example { file: "or_split.yaml", until: &[], command: &[], not_taken: &["advice"] },
    Example { file: "parallel_stages.yaml", until: &[], command: &[], not_taken: &[] },
    Example {
        file: "signal_approval.yaml",
        until: &[("stage.waiting", "publish")],
        command: &["signal", "last", "approved", "--data", r#"{"user": "alice"}"#],
        not_taken: &[],
    },
    Example { file: "mutex.yaml", until: &[], command: &[], not_taken: &[] },
    Example { file: "discriminator.yaml", until: &[], command: &[], not_taken: &[] },
    Example { file: "n_of_m.yaml", until: &[], command: &[], not_taken: &[] },
    Example {
        file: "milestone.yaml",
        until: &[("stage.completed", "change_route")],
        command: &["complete", "last", "issue_ticket"],
        not_taken: &[],
    },
    Example {
        file: "deferred_choice.yaml",
        until: &[("stage.waiting", "agent_contact")],
        command: &["signal", "last", "answered"],
        not_taken: &["escalate"],
    },
];

#[test]
fn the_router_goes_back_until_the_work_is_good_enough() {
    let place = Place::new();
    let path = root().join("examples/patterns/router.yaml");
    let path = path.to_str().unwrap();
    place.run(&["check", path]).exits(0);
    let finished = place.run(&["run", path, "--json", "--input", "quality=50"]).exits(0);
    assert_eq!(finished.last()["outputs"]["quality"], 80);
    let workflow = place.run(&["show", "last", "--json"]).exits(0).last();
    for (stage, (name, activations)) in
        [("write", 3), ("pictures", 1), ("review", 3), ("publish", 1)].into_iter().enumerate()
    {
        let stage = &workflow["stages"][stage];
        assert_eq!((&stage["ref_id"], &stage["activations"]), (&name.into(), &activations.into()));
    }
    // Too far from good enough for as many jumps as the definition allows.
    place.run(&["run", path, "--json", "--input", "quality=0"]).exits(1);
    let workflow = place.run(&["show", "last", "--json"]).exits(0).last();
    assert_eq!(
        (&workflow["status"], &workflow["stages"][2]["error"]["code"]),
        (&"TERMINAL".into(), &"LOOP_LIMIT".into())
    );
    place.run(&["replay", "last"]).exits(0);
}

#[test]
fn the_patterns_of_the_examples_succeed() {
    for Example { file, until, command, not_taken } in EXAMPLES {
        let place = Place::new();
        let path = root().join("examples/patterns").join(file);
        place.run(&["check", path.to_str().unwrap()]).exits(0);
        let mut running = place.start(&["run", path.to_str().unwrap(), "--json"]);
        running.await_all(until);
        if !command.is_empty() {
            place.run(command).exits(0);
        }
        running.wait().exits(0);
        let workflow = place.run(&["show", "last", "--json"]).exits(0).last();
        assert_eq!(workflow["status"], "SUCCEEDED", "{file}");
        for stage in workflow["stages"].as_array().unwrap() {
            let is_taken = !not_taken.iter().any(|name| stage["ref_id"] == *name);
            assert_eq!(is_taken, stage["status"] == "SUCCEEDED", "{file}: {stage}");
        }
    }
}
