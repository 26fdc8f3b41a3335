//! `docker`: containers and images, by the client of that name: lists of words, no shell, no question beforehand
//! whether the daemon is there.
//!
//! What the daemon does for an attempt carries a mark that is made of the idempotency key. By it the container is ended
//! with its attempt, and what a killed engine left is found by the next attempt, which it stands in the way of.

mod leave;
mod words;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use self::words::{Action, CONTAINER, IMAGE};
use super::Task;
use super::context::TaskContext;
use super::outcome::{Outcome, TaskError};
use super::program::{self, Finished, Options, Patience};
use super::secret::GivenSecrets;
use super::settings::Settings;
use crate::digest::sha256;
use crate::failure::ErrorCode;

/// The exit code of `docker run` for a failure of its own.
const OWN_FAILURE: i32 = 125;

/// The task behind `uses: docker`.
pub(super) struct Docker {
    patience: Patience,
}

impl Docker {
    /// Five seconds from TERM, which the client hands to the container, to KILL; one for streams that are held open.
    pub(super) fn new() -> Docker {
        Docker { patience: Patience { grace: Duration::from_secs(5), drain: Duration::from_secs(1) } }
    }
}

impl Task for Docker {
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        let dispatch = task.dispatch();
        let named = Action::read(&dispatch.with)?;
        let action = named.action;
        let settings = Settings::read("docker", &dispatch.with, &named.keys())?;
        let tmp = dispatch.place.tmp(dispatch.workflow, dispatch.attempt);
        let work = Work {
            mark: mark(task.idempotency_key()),
            key: task.idempotency_key(),
            tmp: &tmp,
            secrets: &dispatch.secrets,
        };
        let call = named.call(settings, &work, &dispatch.workdir)?;
        let client = Client { docker: self, task, action, settings, mark: &work.mark, options: &call.options };
        let mut finished = client.finish(&call.words)?;
        if action == Action::Run && is_taken(&finished) {
            // Its files are those of the next try.
            drop(finished);
            client.remove_leftovers()?;
            finished = client.finish(&call.words)?;
        }
        client.answer(finished)
    }
}

/// What the words of a call are made for.
struct Work<'a> {
    /// Tells what belongs to this piece of work from everything else there is.
    mark: String,
    key: &'a str,
    /// `$STABILIZE_TMP`.
    tmp: &'a Path,
    /// What the task was given.
    secrets: &'a GivenSecrets,
}

/// The same for every attempt at one piece of work, and no other.
fn mark(key: &str) -> String {
    sha256(key.as_bytes())[..12].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether no container was made because another one has the name.
fn is_taken(finished: &Finished) -> bool {
    made_nothing(finished) && finished.last_words().contains("already in use")
}

/// Whether `docker run` failed before there was a container: only then is its exit code surely not the program's.
fn made_nothing(finished: &Finished) -> bool {
    finished.code() == Some(OWN_FAILURE) && finished.file(CONTAINER).is_none()
}

/// The client program in one attempt.
struct Client<'a> {
    docker: &'a Docker,
    task: &'a TaskContext<'a>,
    action: Action,
    settings: Settings<'a>,
    mark: &'a str,
    options: &'a Options,
}

impl Client<'_> {
    fn finish(&self, words: &[String]) -> Result<Finished, TaskError> {
        program::finish(self.task, words.to_vec(), self.options.clone(), self.docker.patience)
    }

    fn answer(&self, finished: Finished) -> Result<Outcome, TaskError> {
        if let Some(error) = self.own_failure(&finished) {
            return Err(finished.fail(self.task, error));
        }
        let ended = finished.has_exited() || self.action == Action::Other;
        let id = match self.action {
            Action::Run => finished.file(CONTAINER).map(|id| ("container_id", id.trim().chars().take(12).collect())),
            Action::Build => finished.file(IMAGE).map(|id| ("image_id", id.trim().to_owned())),
            Action::Exec | Action::Pull | Action::Other => None,
        };
        let answer = finished.answer(self.task);
        let unended = if ended { Ok(()) } else { self.end_work() };
        let mut outputs = crate::value::Map::new();
        outputs.extend(id.map(|(name, id): (&str, String)| (name.to_owned(), id.into())));
        match (answer, unended) {
            (Ok(outcome), _) => Ok(outcome.outputs_below(outputs)),
            (Err(error), Ok(())) => Err(error.outputs_below(outputs)),
            (Err(error), Err(reason)) => Err(error.cause(reason).outputs_below(outputs)),
        }
    }

    /// The failure of client, daemon or registry behind an exit code, if it is none of the container's program.
    fn own_failure(&self, finished: &Finished) -> Option<TaskError> {
        let is_own = match self.action {
            Action::Run => made_nothing(finished),
            // Whatever a program in the container answers, too; so only what the client says before all else counts.
            Action::Exec => finished.code() == Some(1) && is_said_by_client(&finished.last_words()),
            Action::Build | Action::Pull | Action::Other => finished.code().is_some_and(|code| code != 0),
        };
        if !is_own {
            return None;
        }
        let words = finished.last_words();
        let says = |any: &[&str]| any.iter().any(|part| words.contains(part));
        if says(&["permission denied while trying to connect"]) {
            let message = "docker: this user may not ask the daemon; its socket belongs to a group, mostly docker";
            return Some(TaskError::permanent(message).code(ErrorCode::AUTHENTICATION_FAILED));
        }
        if says(&DAEMON_AWAY) {
            return Some(TaskError::transient("docker: the daemon is not there").code(ErrorCode::NETWORK_ERROR));
        }
        let asks_registry = matches!(self.action, Action::Run | Action::Pull);
        if asks_registry && says(&REGISTRY_REFUSES) {
            let message = "docker: the registry does not give the image: it is not there, or needs docker login";
            return Some(TaskError::permanent(message).code(ErrorCode::AUTHENTICATION_FAILED));
        }
        if asks_registry && says(&REGISTRY_AWAY) {
            return Some(TaskError::transient("docker: the registry cannot be reached").code(ErrorCode::NETWORK_ERROR));
        }
        let message = match self.action {
            Action::Run => "docker: no container could be made",
            Action::Exec => "docker: the program could not be started in the container",
            Action::Build | Action::Pull | Action::Other => return None,
        };
        Some(TaskError::permanent(message).code(ErrorCode::CONFIGURATION_INVALID))
    }

    /// Ends what the daemon still does for an attempt whose client is gone. Says why it may go on, if it may.
    fn end_work(&self) -> Result<(), String> {
        let ended = match self.action {
            Action::Run => self.end_containers(),
            Action::Exec => self.end_program(),
            // These end when their client is gone.
            Action::Build | Action::Pull | Action::Other => Ok(()),
        };
        ended.map_err(|error| format!("it may still run in its container: {}", error.into_parts().failure))
    }

    fn end_containers(&self) -> Result<(), TaskError> {
        let keeps = self.settings.flag("remove")? == Some(false);
        self.each_container(&[], if keeps { &["kill"] } else { &["rm", "--force"] })
    }

    /// Removes the containers of former attempts at this work, and no other, whatever its name.
    fn remove_leftovers(&self) -> Result<(), TaskError> {
        self.each_container(&["--all"], &["rm", "--force"])
    }

    fn each_container(&self, which: &[&str], verb: &[&str]) -> Result<(), TaskError> {
        let filter = format!("--filter=label={}={}", words::LABEL, self.mark);
        let listed = self.aside(&[&["ps", "--quiet", "--no-trunc"], which, &[&filter]].concat())?;
        let ids: Vec<&str> = listed.split_whitespace().collect();
        if !ids.is_empty() {
            self.aside(&[verb, &ids].concat())?;
        }
        Ok(())
    }

    /// Ends the program of `exec`, and what it started: they carry the mark in their environment. The container needs
    /// a shell and `grep` for it.
    fn end_program(&self) -> Result<(), TaskError> {
        let name = self.settings.text("name")?.unwrap_or_default();
        let mark = format!("{}={}", words::MARK, self.mark);
        self.aside(&["exec", "--user=0", name, "/bin/sh", "-c", END_MARKED, "sh", &mark]).map(drop)
    }

    fn aside(&self, words: &[&str]) -> Result<String, TaskError> {
        let words = ["docker"].iter().chain(words).map(|word| (*word).to_owned()).collect();
        let said = program::aside(self.task, words, &self.options.without_input(), self.docker.patience)?;
        match said.code {
            0 => Ok(said.stdout),
            code => {
                let message = format!("docker ended with exit code {code}: {}", said.last_words);
                Err(TaskError::permanent(message).code(ErrorCode::SYSTEM_ERROR))
            }
        }
    }
}

/// Kills all that has the first argument in its environment. This shell has not.
const END_MARKED: &str = r#"
command -v grep >/dev/null || exit 3
for file in $(grep -ls "$1" /proc/[0-9]*/environ 2>/dev/null); do
    pid=${file#/proc/}
    kill -KILL "${pid%/environ}" 2>/dev/null
done
exit 0
"#;

fn is_said_by_client(words: &str) -> bool {
    let own = ["Error response from daemon:", "Error: No such container", "docker: ", "OCI runtime exec failed"];
    let line = words.lines().next().unwrap_or_default();
    own.iter().chain(&DAEMON_AWAY).any(|start| line.starts_with(start))
}

const DAEMON_AWAY: [&str; 4] = [
    "Cannot connect to the Docker daemon",
    "error during connect",
    "failed to connect to the docker API",
    "Is the docker daemon running",
];

const REGISTRY_REFUSES: [&str; 4] = ["pull access denied", "unauthorized", "authentication required", "denied: "];

const REGISTRY_AWAY: [&str; 8] = [
    "TLS handshake timeout",
    "i/o timeout",
    "connection refused",
    "connection reset",
    "no such host",
    "Temporary failure in name resolution",
    "toomanyrequests",
    "Service Unavailable",
];
