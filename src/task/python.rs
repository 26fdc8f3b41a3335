//! `python`: runs code in an interpreter of its own, with data in and a result out.
//!
//! Data go in by standard input and come out by the file of outputs: never as code, and never among what the code
//! prints.

use std::time::Duration;

#[cfg(test)]
mod tests;

use super::Task;
use super::context::TaskContext;
use super::outcome::{Outcome, TaskError};
use super::program::{self, Options, Patience};
use super::settings::{Settings, word};
use crate::value::{Map, Value};

/// What the interpreter runs: it reads what it is given, runs that, and writes down the result if there is one.
const WRAPPER: &str = r#"
import json, os, sys
given = json.load(sys.stdin.buffer)
if "module" in given:
    import importlib
    result = importlib.import_module(given["module"])
    for part in given["function"].split("."):
        result = getattr(result, part)
    result = result(given["input"])
else:
    name, source = "<script>", given.get("script")
    if source is None:
        name = given["script_file"]
        sys.path[0] = os.path.dirname(os.path.abspath(name))
        with open(name, "rb") as file:
            source = file.read()
    sys.argv[0] = name
    space = {"__name__": "__main__", "__builtins__": __builtins__, "INPUT": given["input"]}
    exec(compile(source, name, "exec"), space)
    result = space.get("RESULT")
if result is not None:
    text = json.dumps(result, allow_nan=False)
    with open(os.environ["STABILIZE_OUTPUT"], "a", encoding="utf-8") as file:
        file.write("result:=" + text + "\n")
"#;

/// The ways to say what is run; exactly one is meant.
const CODE: [&str; 3] = ["script", "script_file", "module"];

/// The task behind `uses: python`.
pub(super) struct Python {
    patience: Patience,
}

impl Python {
    /// Five seconds from TERM to KILL, one for streams that are held open.
    pub(super) fn new() -> Python {
        Python { patience: Patience { grace: Duration::from_secs(5), drain: Duration::from_secs(1) } }
    }
}

impl Task for Python {
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        let mut known: Vec<&str> = CODE.to_vec();
        known.extend(["function", "inputs", "args", "python_path"]);
        // What the code is given goes in by its standard input.
        known.extend(Options::KEYS.into_iter().filter(|key| *key != "stdin"));
        let settings = Settings::read("python", &task.dispatch().with, &known)?;
        let mut given = code(settings)?;
        let mut input = task.context();
        input.extend(settings.typed("inputs", "a map", Value::as_map)?.cloned().unwrap_or_default());
        given.insert("input".to_owned(), Value::Map(input));
        let interpreter = settings.text("python_path")?.unwrap_or("python3");
        let mut words = vec![interpreter.to_owned(), "-c".to_owned(), WRAPPER.to_owned()];
        words.extend(arguments(settings)?);
        let options = Options::read(settings)?.reading(Value::Map(given).to_json().into_bytes());
        program::run(task, words, options, self.patience)
    }
}

/// What is run, as the wrapper is told it.
fn code(settings: Settings<'_>) -> Result<Map, TaskError> {
    let given: Vec<&str> = CODE.into_iter().filter(|key| settings.value(key).is_some()).collect();
    let key = match given[..] {
        [] => return Err(settings.refused("script", "expected this, with.script_file or with.module")),
        [key] => key,
        [first, second, ..] => return Err(settings.refused(second, &format!("there is with.{first} already"))),
    };
    let text = settings.text(key)?.unwrap_or_default();
    let function = settings.text("function")?;
    let mut code = Map::from([(key.to_owned(), text.into())]);
    match (key, function) {
        ("module", Some(function)) if is_path(text) && is_path(function) => {
            code.insert("function".to_owned(), function.into());
        }
        ("module", Some(_)) => {
            return Err(settings.refused("module", "module and function are names, with dots between"));
        }
        ("module", None) => return Err(settings.refused("function", "expected this beside with.module")),
        (_, Some(_)) => return Err(settings.refused("function", "there is no with.module")),
        ("script_file", None) if text.split('/').any(|part| part == "..") => {
            return Err(settings.refused("script_file", "a path with .. is not taken"));
        }
        (_, None) => {}
    }
    Ok(code)
}

/// Names of Python with dots between.
fn is_path(text: &str) -> bool {
    let is_name = |name: &str| {
        let rest = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit()) && name.bytes().all(rest)
    };
    text.split('.').all(is_name)
}

fn arguments(settings: Settings<'_>) -> Result<Vec<String>, TaskError> {
    let arguments = settings
        .typed("args", "a list of texts", |value| value.as_list()?.iter().map(word).collect::<Option<Vec<String>>>())?;
    Ok(arguments.unwrap_or_default())
}
