//! Secrets that tasks ask for: what they answer may hold them, and what the engine writes never does.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use crate::failure::{ErrorClass, ErrorCode};
use crate::replay::At;
use crate::runtime::{Config, Engine, Start};
use crate::status::Status;
use crate::task::{Outcome, Registry, Secrets, Task, TaskContext, TaskError};
use crate::value::Value;

use super::definition;

/// Its forms are different ones: with space around it, in JSON and in what `{:?}` writes.
const PLANTED: &str = " planted\"7hush\u{e9} \n";
/// What every form of it has.
const PIECE: &str = "7hush";

/// Knows `TOKEN`, `SHORT`, `NUMBER` and, from the second time on, `LATE`.
#[derive(Default)]
struct Known(Mutex<bool>);

impl Secrets for Known {
    fn get(&self, name: &str) -> Option<String> {
        match name {
            "TOKEN" => Some(PLANTED.to_owned()),
            "SHORT" => Some("abc\n".to_owned()),
            "NUMBER" => Some("735135".to_owned()),
            "LATE" => std::mem::replace(&mut *self.0.lock().unwrap(), true).then(|| "at last".to_owned()),
            _ => None,
        }
    }
}

/// Answers with the secret wherever an answer has a text.
struct Tells;

impl Task for Tells {
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        let secret = task.secret("TOKEN")?;
        let error = TaskError::permanent(format!("refused {secret:?}"))
            .source(std::io::Error::other(secret.clone()))
            .context_update(secret.clone(), secret.as_str());
        match task.with::<std::collections::BTreeMap<String, String>>()?["how"].as_str() {
            "outputs" => {
                let list = Value::List(vec![secret.as_str().into(), Value::map([("k", secret.trim())])]);
                let number = task.secret("NUMBER")?.parse::<i64>().unwrap();
                Ok(Outcome::success()
                    .output("text", format!("a {secret} b"))
                    .output("json", Value::map([("t", secret.as_str())]).to_json())
                    .output("list", list)
                    .output("number", number)
                    .context(format!("key {secret}"), 1))
            }
            "name" => Ok(Outcome::success().output(secret, 1)),
            "error" => Err(error),
            "terminal" => Ok(Outcome::terminal(error)),
            "jump" => Ok(Outcome::jump_to(secret)),
            "panic" => panic!("{secret}"),
            other => unreachable!("{other}"),
        }
    }
}

fn files_that_hold(directory: &Path, piece: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_that_hold(&path, piece));
        } else if path.is_file() && fs::read(&path).unwrap().windows(piece.len()).any(|part| part == piece.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn no_file_of_the_engine_holds_a_secret_that_a_task_was_given() {
    let directory = tempfile::tempdir().unwrap();
    let mut tasks = Registry::with_builtins();
    tasks.register("tells", Tells).unwrap();
    let engine = Engine::open(Config::at(directory.path()).secrets(Known::default()), tasks).unwrap();
    for (how, status) in [
        ("outputs", Status::Succeeded),
        ("name", Status::Terminal),
        ("error", Status::Terminal),
        ("terminal", Status::Terminal),
        ("jump", Status::Terminal),
        ("panic", Status::Terminal),
    ] {
        let text = format!("name: x\nstages:\n  a: {{ uses: tells, with: {{ how: {how} }} }}\n");
        let workflow = engine.submit(&definition(&text), Start::new()).unwrap();
        engine.wait(workflow, Duration::from_secs(3_600)).unwrap();
        let view = engine.history().state(workflow, At::Latest).unwrap();
        assert_eq!(view.stage("a").unwrap().status(), status, "{how}");
        assert!(!format!("{view:?}").contains(PIECE), "{how}");
    }
    engine.close().unwrap();
    assert_eq!(files_that_hold(directory.path(), PIECE), [""; 0]);
    assert_eq!(files_that_hold(directory.path(), "735135"), [""; 0]);
    // What is looked for would be found.
    assert!(!files_that_hold(directory.path(), "a *** b").is_empty());
}

#[test]
fn a_secret_that_is_missing_or_too_short_may_be_there_for_the_next_try() {
    let mut tasks = Registry::new();
    let asks = |task: &TaskContext<'_>| {
        for (name, message) in [
            ("MISSING", "there is no secret \"MISSING\""),
            ("SHORT", "the secret \"SHORT\" is shorter than 4 bytes and cannot be masked"),
            ("LATE", "there is no secret \"LATE\""),
        ] {
            let failure = task.secret(name).unwrap_err().into_parts().failure;
            assert_eq!((failure.class(), failure.code()), (ErrorClass::Transient, &ErrorCode::SECRET_UNAVAILABLE));
            assert_eq!(failure.message(), message);
        }
        Ok(Outcome::success().output("late", task.secret("LATE")?.len()))
    };
    tasks.register_fn("asks", asks).unwrap();
    let engine = Engine::open(Config::memory().secrets(Known::default()), tasks).unwrap();
    let text = "name: x\nstages:\n  a: { uses: asks }\n";
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    engine.wait(workflow, Duration::from_secs(3_600)).unwrap();
    let view = engine.history().state(workflow, At::Latest).unwrap();
    assert_eq!(view.stage("a").unwrap().status(), Status::Succeeded);
    engine.close().unwrap();
}

/// What its programs do with a secret: they print it, cut in two, fail with it, and give it as outputs and errors.
#[cfg(feature = "shell")]
const PROGRAMS: &str = r#"
name: programs
inputs: { pad: { type: string } }
stages:
  prints:
    env: { K: "${{ secrets.TOKEN }}" }
    run: |
      [ "$K" = "${{ secrets.TOKEN }}" ]
      echo "whole $K" && printf %s "${K%7*}" && printf '%s\n' "7${K##*7}" && echo "error $K" >&2
      printf 'k<<END\n%s\nEND\n' "$K" >> "$STABILIZE_OUTPUT"
      echo "length:=$(printf %s "$K" | wc -c)" >> "$STABILIZE_OUTPUT"
  half:
    needs: [prints]
    run: 'printf "%s %s\n" "${{ inputs.pad }}" "${{ secrets.TOKEN }}" >> "$STABILIZE_OUTPUT"'
    on_failure: continue
  reads: { needs: [prints], uses: shell, with: { command: [cat], stdin: "in ${{ secrets.TOKEN }} out" } }
  counts: { needs: [prints], run: echo "$N", with: { env: { N: "${{ secrets.NUMBER }}" }, parse_json: false } }
  fails: { needs: [prints], run: 'echo "${{ secrets.TOKEN }}" >&2; exit 3', on_failure: continue }
  asks: { needs: [prints], uses: fail, with: { message: "no ${{ secrets.TOKEN }}" }, on_failure: continue }
  nowhere:
    needs: [prints]
    env: { PATH: "/${{ secrets.TOKEN }}" }
    uses: shell
    with: { command: [tool] }
    on_failure: continue
"#;

#[cfg(feature = "shell")]
#[test]
fn programs_are_given_secrets_that_no_file_of_the_engine_holds() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::at(directory.path()).secrets(Known::default());
    let engine = Engine::open(config, Registry::with_builtins()).unwrap();
    // So long that the line is cut inside of the value where it is told what is wrong with it.
    let start = Start::new().input("pad", "x".repeat(70));
    let workflow = engine.submit(&definition(PROGRAMS), start).unwrap();
    engine.wait(workflow, Duration::from_secs(3_600)).unwrap();
    let view = engine.history().state(workflow, At::Latest).unwrap();
    assert_eq!(view.status(), Status::Succeeded, "{view:?}");
    let output = |stage: &str, name: &str| view.stage(stage).unwrap().outputs().get(name).cloned().unwrap();
    assert_eq!(output("prints", "length").as_integer(), Some(PLANTED.len() as i128));
    assert_eq!(output("prints", "stdout").as_str(), Some("whole ***\n***"));
    assert_eq!(output("prints", "stderr").as_str(), Some("error ***"));
    assert_eq!(output("prints", "k").as_str(), Some("***"));
    let failure = view.stage("half").unwrap().tasks()[0].error().unwrap();
    assert!(failure.message().contains("x ***") && !failure.message().contains("plant"), "{failure:?}");
    assert_eq!(output("reads", "stdout").as_str(), Some("in *** out"));
    assert_eq!(output("counts", "stdout").as_str(), Some("***"));
    assert!(!format!("{view:?}").contains(PIECE));
    engine.close().unwrap();
    assert_eq!(files_that_hold(directory.path(), PIECE), [""; 0]);
    assert_eq!(files_that_hold(directory.path(), "735135"), [""; 0]);
    assert!(files_that_hold(directory.path(), "whole ***").iter().any(|file| file.ends_with(".out")));
}

#[test]
fn a_secret_that_a_definition_names_is_waited_for_as_any_transient_failure() {
    let engine = Engine::open(Config::memory().secrets(Known::default()), Registry::with_builtins()).unwrap();
    let text = "
name: x
stages:
  a: { uses: fail, with: { outcome: failed_continue, message: 'got ${{ secrets.LATE }}' }, retry: { initial: 1ms } }
  b: { needs: [a], uses: fail, with: { message: '${{ secrets.MISSING }}' }, retry: { max_attempts: 2, initial: 1ms } }
";
    let workflow = engine.submit(&definition(text), Start::new()).unwrap();
    engine.wait(workflow, Duration::from_secs(3_600)).unwrap();
    let view = engine.history().state(workflow, At::Latest).unwrap();
    let failure = |stage: &str| view.stage(stage).unwrap().tasks()[0].error().unwrap().clone();
    assert_eq!(failure("a").message(), "got ***");
    let missing = failure("b");
    assert_eq!((missing.class(), missing.code()), (ErrorClass::Transient, &ErrorCode::SECRET_UNAVAILABLE));
    assert_eq!(missing.message(), "there is no secret \"MISSING\"");
    assert_eq!(
        (view.stage("a").unwrap().tasks()[0].attempts(), view.stage("b").unwrap().tasks()[0].attempts()),
        (2, 2)
    );
    engine.close().unwrap();
}
