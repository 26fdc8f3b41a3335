//! `logs --follow` and `logs --failed`: streams as they grow, and those of what went wrong.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::support::{Place, golden};

/// `talk` writes, waits, writes again; behind it `flaky` fails once.
const TALK: &str = r#"
name: talk
stages:
  talk: { run: 'echo one; echo x > ready; read line < gate; echo two' }
  flaky:
    needs: [talk]
    retry: { max_attempts: 2, initial: 1ms }
    run: 'echo "try $STABILIZE_ATTEMPT"; test "$STABILIZE_ATTEMPT" -ge 2 || exit 75'
  half: { needs: [flaky], run: 'printf half >&2' }
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("a.yaml", TALK);
    place.pipe("ready");
    place.pipe("gate");
    place
}

#[test]
fn what_programs_write_is_followed_until_the_workflow_has_ended() {
    let place = place();
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    running.event("workflow.created");
    place.take("ready");
    let mut followed = place.start(&["logs", "last", "-f"]);
    let mut machine = place.start(&["logs", "last", "--follow", "--json"]);
    let stage = place.start(&["logs", "last", "flaky", "-f"]);
    let failed = place.start(&["logs", "last", "-f", "--failed"]);
    // The text is there before the program that wrote it goes on.
    while followed.line().unwrap() != "one" {}
    assert!(machine.line().unwrap().ends_with(r#""stream":"stdout","text":"one\n"}"#));
    place.give("gate");
    running.wait().exits(0);
    golden("logs-follow.txt", &followed.wait().exits(0).out);
    let texts: Vec<(u64, String)> = machine
        .wait()
        .exits(0)
        .json()
        .iter()
        .map(|line| (line["attempt"].as_u64().unwrap(), line["text"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [(1, "one\n"), (1, "two\n"), (1, "try 1\n"), (2, "try 2\n"), (1, "half")];
    assert_eq!(texts, expected.map(|(attempt, text)| (attempt, text.to_owned())));
    let flaky = stage.wait().exits(0).out;
    // Whether it came in time for the first attempt nobody knows.
    assert!(flaky.contains("try 2\n") && !flaky.contains("one"), "{flaky}");
    golden("logs-failed.txt", &failed.wait().exits(0).out);
}

#[test]
fn of_a_workflow_that_has_ended_following_shows_the_last_attempts_and_ends() {
    let place = place();
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    running.event("workflow.created");
    place.take("ready");
    place.give("gate");
    running.wait().exits(0);
    let out = place.run(&["logs", "last", "-f"]).exits(0).out;
    assert!(out.contains("two\n") && out.contains("try 2\n") && !out.contains("try 1\n"), "{out}");
    assert_eq!(place.run(&["logs", "last", "--failed"]).exits(0).out, "try 1\n");
    assert_eq!(place.run(&["logs", "last", "talk", "--failed"]).exits(0).out, "");
    assert_eq!(place.run(&["logs", "last", "flaky", "--follow", "--attempt", "1", "--json"]).exits(0).json().len(), 1);
    place.run(&["logs", "last", "nowhere", "-f"]).exits(4);
}

#[test]
fn where_no_engine_is_following_says_so() {
    let place = place();
    place.write("wait.yaml", "name: x\nstages: { a: { uses: wait, with: { duration: 2d } } }\n");
    place.run(&["run", "wait.yaml", "--timeout", "1ms"]).exits(124);
    let mut command = place.command(&["logs", "last", "-f"]);
    let mut followed = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    BufReader::new(followed.stderr.take().unwrap()).read_line(&mut told).unwrap();
    followed.kill().unwrap();
    followed.wait().unwrap();
    assert!(told.starts_with("no engine holds the log; stabilize --log log why "), "{told}");
}
