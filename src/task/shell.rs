//! `shell`: runs a program, given as text for a shell or as a list of words.

use std::time::Duration;

#[cfg(test)]
mod tests;

use super::Task;
use super::context::TaskContext;
use super::outcome::{Outcome, TaskError};
use super::program::{self, Options, Patience};
use super::settings::{Settings, word};
use crate::value::Value;

/// The task behind `uses: shell` and `run:`.
pub(super) struct Shell {
    patience: Patience,
}

impl Shell {
    /// Five seconds from TERM to KILL, one for streams that are held open.
    pub(super) fn new() -> Shell {
        Shell { patience: Patience { grace: Duration::from_secs(5), drain: Duration::from_secs(1) } }
    }
}

/// A `shell` that gives a program as long as it likes after TERM: for tests that must not depend on the clock.
#[cfg(test)]
pub(crate) fn patient() -> impl Task {
    let long = Duration::from_secs(3_600);
    Shell { patience: Patience { grace: long, drain: long } }
}

impl Task for Shell {
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        let mut known = vec!["command", "shell"];
        known.extend(Options::KEYS);
        let settings = Settings::read("shell", &task.dispatch().with, &known)?;
        let words = words(settings, task.dispatch().shell.as_deref())?;
        program::run(task, words, Options::read(settings)?, self.patience)
    }
}

/// The program and what it is given. `inherited` is the shell that the task's own `shell` names.
fn words(settings: Settings<'_>, inherited: Option<&str>) -> Result<Vec<String>, TaskError> {
    let expected = "a text, or a list of texts that begins with the program";
    let shell = settings.text("shell")?;
    match settings.value("command") {
        Some(Value::String(text)) if !text.trim().is_empty() => {
            let words: Vec<&str> = match shell.or(inherited).unwrap_or("sh") {
                "sh" => vec!["/bin/sh", "-e", "-c", text],
                "bash" => vec!["bash", "-e", "-o", "pipefail", "-c", text],
                other => vec![other, "-c", text],
            };
            Ok(words.into_iter().map(str::to_owned).collect())
        }
        Some(Value::List(_)) if shell.is_some() => Err(settings.refused("shell", "a list of words uses no shell")),
        Some(Value::List(items)) if !items.is_empty() => {
            let words: Option<Vec<String>> = items.iter().map(word).collect();
            words.ok_or_else(|| settings.refused("command", &format!("expected {expected}")))
        }
        Some(_) | None => Err(settings.refused("command", &format!("expected {expected}"))),
    }
}
