//! The verbs, one file each or a few that belong together: what was asked for, from arguments to an exit code.

mod bench;
mod cancel;
mod check;
mod checks;
mod doctor;
mod failure;
mod graph;
mod inspect;
mod instances;
mod lint;
mod log;
mod logs;
mod patterns;
mod people;
mod reasons;
mod replay;
mod run;
mod signal;
mod start;
mod tail;
mod taker;
mod version;
mod why;
mod worker;

use std::path::Path;

use stabilize::{Definition, History, Value, WorkflowId};

use crate::args::{CommandLine, Verb};
use crate::completion;
use crate::exit::Exit;
use crate::output::{Form, Output};
use crate::report::{Report, Stop};

/// Does what the command line asks.
///
/// # Errors
///
/// What is to be told, with the exit code.
pub(crate) fn perform(line: &CommandLine) -> Result<Exit, Stop> {
    let mut out = Output::new(if line.json { Form::Json } else { Form::Human });
    let (log, out) = (line.log.as_path(), &mut out);
    let exit = match &line.verb {
        Verb::Run(args) => run::run(args, log, out)?,
        Verb::Start(args) => start::start(args, log, out)?,
        Verb::Worker(args) => worker::worker(args, log, out)?,
        Verb::Cancel(args) => cancel::cancel(args, log, out)?,
        Verb::Complete(args) => people::complete(args, log, out)?,
        Verb::Approve(args) => people::approve(&args.answer, log, out)?,
        Verb::Reject(args) => people::reject(&args.answer, log, out)?,
        Verb::Pause(args) => people::pause(&args.ask, log, out)?,
        Verb::Resume(args) => people::resume(&args.ask, log, out)?,
        Verb::Signal(args) => signal::signal(args, log, out)?,
        Verb::Claim(args) => signal::claim(args, log, out)?,
        Verb::CloseTrigger(args) => signal::close_trigger(args, log, out)?,
        Verb::AddInstances(args) => instances::add(args, log, out)?,
        Verb::CloseInstances(args) => instances::close(args, log, out)?,
        Verb::CompleteInstances(args) => instances::complete(args, log, out)?,
        Verb::Ls(args) => inspect::ls(args, log, out)?,
        Verb::Show(args) => inspect::show(args, log, out)?,
        Verb::Why(args) => why::why(args, log, out)?,
        Verb::Graph(args) => graph::graph(args, log, out)?,
        Verb::Events(args) => inspect::events(args, log, out)?,
        Verb::Logs(args) => logs::logs(args, log, out)?,
        Verb::Replay(args) => replay::replay(args, log, out)?,
        Verb::Lint(args) => lint::lint(args, out)?,
        Verb::Check(args) => check::check(args, out)?,
        Verb::Patterns(args) => patterns::patterns(args, out)?,
        Verb::Doctor => doctor::doctor(log, out)?,
        Verb::Bench(args) => bench::bench(args, log, out)?,
        Verb::Log(verb) => log::log(verb, log, out)?,
        Verb::Schema => schema(out)?,
        Verb::Completions { shell } => {
            out.bytes(&completion::script(*shell))?;
            Exit::Success
        }
        Verb::Version => version::version(out)?,
    };
    out.flush()?;
    Ok(exit)
}

/// Prints the schema of definitions.
fn schema(out: &mut Output) -> Result<Exit, Stop> {
    let schema = Value::from_json(&Definition::schema()).expect("the schema is JSON");
    out.document(&schema)?;
    Ok(Exit::Success)
}

/// A log that is only read.
struct Reading {
    history: History,
}

impl Reading {
    /// The log in this directory, without its lock.
    fn open(log: &Path) -> Result<Reading, Report> {
        let history = History::open(log).map_err(|error| Report::of_history(&error))?;
        Ok(Reading { history })
    }

    /// The workflow a person means.
    fn find(&self, text: &str) -> Result<WorkflowId, Report> {
        self.history.find(text).map_err(|error| Report::of_history(&error))
    }

    /// How a verb ends that has shown all that can be read: damage behind it is told, so that nobody takes it for all.
    fn end(&self, out: &mut Output) -> Result<Exit, Stop> {
        out.flush()?;
        match self.history.damage() {
            Some(error) => Err(Report::of_history(&error).into()),
            None => Ok(Exit::Success),
        }
    }
}

/// `--log DIR` as it must be written, if the default is another.
fn log_flag(log: &Path) -> String {
    let text = log.display().to_string();
    if text == ".stabilize" {
        return String::new();
    }
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+,:@%".contains(letter);
    let quoted = if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) };
    format!(" --log {quoted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_go_on_can_be_pasted_into_a_shell() {
        for (path, expected) in [
            (".stabilize", ""),
            ("/srv/log", " --log /srv/log"),
            ("my log", " --log 'my log'"),
            ("it's", r" --log 'it'\''s'"),
        ] {
            assert_eq!(log_flag(Path::new(path)), expected);
        }
    }
}
