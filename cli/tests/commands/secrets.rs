//! Secrets in a whole run: the task has the value, and nothing that the engine writes, shows or prints has it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use rustix::process::Signal;

use super::support::{Finished, Place, Running, bytes_below};

/// What every form of the planted value has, also in JSON and in addresses.
const PIECE: &str = "9plant3d";

/// With a quote and a blank, which its forms write in different ways.
const PLANTED: &str = "begin \"9plant3d\" end";

/// Each task has it in another way, and tells it in all that it can.
const DEFINITION: &str = r#"
name: planted
inputs:
  variable: { type: string, secret: true }
  file: { type: string, secret: true, default: "file:planted" }
stages:
  tells:
    env: { TOKEN: "${{ secrets.TOKEN }}" }
    run: |
      echo ready > ready
      read -r go < go
      [ "$TOKEN" = "${{ secrets.TOKEN }}" ]
      [ "$TOKEN" = "${{ inputs.variable }}" ]
      [ "$TOKEN" = "${{ inputs.file }}" ]
      printf '%s' "$TOKEN" | cat > told
      echo "out $TOKEN" && echo "err $TOKEN" >&2
      echo "token=$TOKEN" >> "$STABILIZE_OUTPUT"
  reads: { needs: [tells], uses: shell, with: { command: [cat], stdin: "in ${{ secrets.TOKEN }}" } }
  input:
    needs: [tells]
    env: { K: "${{ inputs.variable }}" }
    run: 'cat; echo "$K"'
    with: { stdin: "${{ inputs.file }}" }
  fails: { needs: [tells], run: 'echo "${{ secrets.TOKEN }}" >&2; exit 3', on_failure: continue }
  says: { needs: [tells], uses: fail, with: { message: "no ${{ secrets.TOKEN }}" }, on_failure: continue }
  misses:
    needs: [tells]
    env: { K: "${{ secrets.MISSING }}" }
    run: 'true'
    retry: { max_attempts: 1 }
    on_failure: continue
  held: { needs: [reads, input, fails, says, misses], uses: manual, with: { prompt: wait } }
"#;

/// A place with the definition, the value in a file of the owner's, and the pipes of the first task.
fn planted() -> Place {
    let place = Place::new();
    place.write("planted.yaml", DEFINITION);
    place.write("secrets", &format!("# of this test\nTOKEN={PLANTED}\n"));
    fs::set_permissions(place.path("secrets"), fs::Permissions::from_mode(0o600)).unwrap();
    place.write("planted", &format!("{PLANTED}\n"));
    place.pipe("ready");
    place.pipe("go");
    place
}

#[track_caller]
fn holds_nothing(what: &str, bytes: &[u8]) {
    let found = bytes.windows(PIECE.len()).position(|part| part == PIECE.as_bytes());
    assert_eq!(found, None, "{what}:\n{}", String::from_utf8_lossy(bytes));
}

#[track_caller]
fn log_holds_nothing(place: &Place) {
    for (path, bytes) in bytes_below(&place.path("log")) {
        holds_nothing(&path.display().to_string(), &bytes);
    }
}

/// The table of processes, as everybody on this machine sees it.
fn processes() -> String {
    Finished::from(Command::new("ps").arg("-ef").output().unwrap()).exits(0).out
}

#[test]
fn a_planted_value_is_in_no_file_no_table_of_processes_and_nothing_that_is_printed() {
    let place = planted();
    let words = ["run", "planted.yaml", "--secrets", "secrets", "--input", "variable=env:PLANTED_TOKEN", "--json"];
    let mut command = place.command(&words);
    command.env("PLANTED_TOKEN", PLANTED);
    let mut running = Running::spawn(&mut command);
    assert_eq!(place.take("ready"), "ready\n");
    // The program has the value now, and waits.
    let table = processes();
    assert!(table.contains("read -r go < go"), "{table}");
    holds_nothing("ps", table.as_bytes());
    log_holds_nothing(&place);
    place.give("go");
    loop {
        let event: serde_json::Value = serde_json::from_str(&running.line().unwrap()).unwrap();
        if event["type"] == "task.suspended" || (event["stage"] == "held" && event["type"] == "stage.started") {
            break;
        }
    }
    // That it was given at all.
    assert_eq!(place.read("told"), PLANTED);
    fs::remove_file(place.path("told")).unwrap();
    holds_nothing("why", place.run(&["why", "last"]).exits(0).out.as_bytes());
    place.run(&["complete", "last", "held"]).exits(0);
    let finished = running.wait().exits(0);
    assert!(finished.out.contains("***"));
    holds_nothing("run --json", format!("{}{}", finished.out, finished.err).as_bytes());
    log_holds_nothing(&place);
    for words in [
        &["show", "last"][..],
        &["events", "last"],
        &["why", "last"],
        &["logs", "last"],
        &["ls"],
        &["graph", "last"],
        &["log", "verify"],
    ] {
        for form in [&[][..], &["--json"]] {
            let words = [words, form].concat();
            let Finished { out, err, .. } = place.run(&words);
            holds_nothing(&words.join(" "), format!("{out}{err}").as_bytes());
        }
    }
    let logs = place.run(&["logs", "last"]).exits(0).out;
    assert!(logs.contains("out ***") && logs.contains("err ***") && logs.contains("in ***"), "{logs}");
    let events = place.run(&["events", "last", "--json"]).exits(0).out;
    assert!(events.contains("env:PLANTED_TOKEN") && events.contains("file:planted"), "{events}");
    assert!(events.contains("SECRET_UNAVAILABLE") && events.contains("no ***"), "{events}");
}

#[test]
fn without_its_secret_a_task_is_tried_again_and_a_resumed_run_reads_what_is_there_then() {
    let place = Place::new();
    place.write(
        "a.yaml",
        "name: a
stages:
  only:
    retry: { max_attempts: 100000, initial: 50ms, factor: 1, jitter: 0 }
    run: 'printf %s \"${{ secrets.K }}\" | cat > told'
",
    );
    let mut running = place.start(&["run", "a.yaml", "--json"]);
    while !running.line().unwrap().contains("SECRET_UNAVAILABLE") {}
    running.signal(Signal::INT);
    running.wait().exits(130);
    place.write("secrets", "K=of the resumed run\n");
    fs::set_permissions(place.path("secrets"), fs::Permissions::from_mode(0o600)).unwrap();
    place.run(&["run", "--resume", "last", "--secrets", "secrets"]).exits(0);
    assert_eq!(place.read("told"), "of the resumed run");
    for (path, bytes) in place.log_bytes() {
        assert!(!bytes.windows(7).any(|part| part == b"resumed"), "{}", path.display());
    }
}

#[test]
fn the_value_of_a_secret_input_is_refused_and_not_repeated() {
    let place = planted();
    place.write("inputs.yaml", "variable: 9plant3d\n");
    for words in [
        &["run", "planted.yaml", "--input", "variable=9plant3d"][..],
        &["run", "planted.yaml", "--input", "variable:=\"9plant3d\""],
        &["run", "planted.yaml", "--input", "variable=@planted"],
        &["start", "planted.yaml", "--inputs", "inputs.yaml"],
    ] {
        let finished = place.run(words).exits(2);
        assert!(finished.err.contains("give it as env:NAME or file:PATH"), "{}", finished.err);
        holds_nothing("error", finished.err.as_bytes());
    }
    assert!(!place.path("log").exists());
}

#[test]
fn a_file_of_secrets_that_others_may_use_or_that_cannot_be_meant_is_refused_before_anything_is_recorded() {
    let place = Place::new();
    place.write("a.yaml", "name: a\nstages: { only: { run: 'true' } }\n");
    for (name, text, mode, reason) in [
        ("group", "K=hush\n", 0o640, "others than its owner may use it (mode 0640)"),
        ("others", "K=hush\n", 0o604, "others than its owner may use it (mode 0604)"),
        ("noise", "K=good\nhush\n", 0o600, "line 2: it is none of NAME=value"),
    ] {
        place.write(name, text);
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).unwrap();
        for words in [&["run", "a.yaml", "--secrets", name][..], &["worker", "--until-idle", "--secrets", name]] {
            let finished = place.run(words).exits(2);
            assert!(finished.err.contains(reason), "{}", finished.err);
            assert!(!finished.err.contains("hush"), "{}", finished.err);
        }
    }
    place.run(&["run", "a.yaml", "--secrets", "nowhere"]).exits(2);
    assert!(!place.path("log").exists());
}
