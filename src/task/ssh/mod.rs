//! `ssh`: a program on another host, by the client of that name.
//!
//! The client is told whom to reach and nothing of the work, which goes through the connection to a shell on the other
//! side. The input of the connection stays open as long as the attempt lives: when it ends, for whatever reason, the
//! shell ends the program and all of its group.

mod log;
mod remote;
mod words;

#[cfg(test)]
mod tests;

use std::time::Duration;

use self::log::{Log, Reached};
use super::Task;
use super::context::TaskContext;
use super::outcome::{Outcome, TaskError};
use super::program::{self, Finished, Options, Patience};
use super::settings::Settings;
use crate::failure::ErrorCode;
use crate::value::Map;

/// The file in `$STABILIZE_TMP` where the client writes what it does.
const LOG: &str = "log";

/// The task behind `uses: ssh`.
pub(super) struct Ssh {
    patience: Patience,
}

impl Ssh {
    /// Eight seconds from the end of the input to KILL for the client: the other side takes five for the same, and one
    /// for what the program left. One for streams that are held open.
    pub(super) fn new() -> Ssh {
        Ssh { patience: Patience { grace: Duration::from_secs(8), drain: Duration::from_secs(1) } }
    }
}

impl Task for Ssh {
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        let dispatch = task.dispatch();
        let mut known = words::KEYS.to_vec();
        known.extend(["command", "environment"]);
        known.extend(Options::KEYS);
        let settings = Settings::read("ssh", &dispatch.with, &known)?;
        let log = dispatch.place.tmp(dispatch.workflow, dispatch.attempt).join(LOG);
        let words = words::words(settings, &log)?;
        let script = remote::script(settings, task.idempotency_key())?;
        let options = Options::read(settings)?.holding(script.into_bytes());
        let finished = program::finish(task, words, options, self.patience)?;
        answer(task, finished, words::host(settings)?)
    }
}

fn answer(task: &TaskContext<'_>, finished: Finished, host: &str) -> Result<Outcome, TaskError> {
    let log = Log::new(finished.file(LOG));
    let mut outputs = Map::from([("host".to_owned(), host.into())]);
    outputs.extend(log.user().map(|user| ("user".to_owned(), user.into())));
    let answer = match own_failure(&finished, &log, host) {
        Some(error) => Err(finished.fail(task, error)),
        None => {
            let stopped = finished.code().is_none();
            let answer = finished.answer(task);
            match answer {
                Err(error) if stopped && log.reached() == Reached::Begun => {
                    Err(error.cause(format!("it may still run on {host}, which has not told that it ended")))
                }
                answer => answer,
            }
        }
    };
    match answer {
        Ok(outcome) => Ok(outcome.outputs_below(outputs)),
        Err(error) => Err(error.outputs_below(outputs)),
    }
}

/// The failure of client, network or server behind an exit code, if it is not the program's.
fn own_failure(finished: &Finished, log: &Log, host: &str) -> Option<TaskError> {
    if finished.code()? != OWN_FAILURE {
        return None;
    }
    let error = match log.reached() {
        Reached::Ended => return None,
        Reached::Nothing => log.failure(host),
        Reached::Killed => TaskError::exit(format!("ssh: what {host} ran was killed there")),
        // It may have done its work, so only an author who says `retry` has it done again.
        Reached::Begun => {
            let message = format!("ssh: the connection to {host} was lost before it told how the program ended");
            TaskError::exit(message).code(ErrorCode::NETWORK_ERROR)
        }
    };
    let words = log.words();
    Some(if words.is_empty() { error } else { error.cause(words) })
}

/// The exit code of the client for a failure of its own.
const OWN_FAILURE: i32 = 255;
