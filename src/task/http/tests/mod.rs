//! Real connections to a server on loopback. Nothing rests for a length of time; what waits is ended.

mod failures;
mod redirects;
mod requests;
mod server;
mod settings;
mod tls;

use std::io;
use std::sync::Mutex;
use std::sync::mpsc;

use super::super::tests::{dispatch, map};
use super::*;
use crate::task::outcome::{OutcomeParts, TaskErrorParts};
use crate::task::{Dispatch, Ended, Place, run};

/// A directory to work in, and the task.
struct Bench {
    directory: tempfile::TempDir,
    http: Http,
}

impl Bench {
    /// The system's resolver; nothing may be silent for longer than an hour.
    fn new() -> Bench {
        Bench {
            directory: tempfile::tempdir().unwrap(),
            http: Http { silence: Duration::from_secs(3_600), ..Http::new() },
        }
    }

    /// A resolver that gives these answers, one after the other, and then none.
    fn resolving(answers: impl IntoIterator<Item = std::net::SocketAddr>) -> Bench {
        let answers = Mutex::new(answers.into_iter().collect::<std::collections::VecDeque<_>>());
        let look_up = move |_: &str, _| {
            let next = answers.lock().unwrap().pop_front();
            next.map(|address| vec![address]).ok_or(io::ErrorKind::NotFound.into())
        };
        let mut bench = Bench::new();
        bench.http.look_up = Arc::new(look_up);
        bench
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn dispatch(&self, with: &str) -> Dispatch {
        let (place, workdir) = (Place::new(self.directory.path()), self.directory.path().to_owned());
        Dispatch { with: map(with), place, workdir, ..dispatch() }
    }

    fn ended(&self, dispatch: &Dispatch) -> Ended {
        run(&self.http, dispatch).ended
    }

    /// The outcome of a request that may reach everything, with these settings beside its address.
    fn outcome(&self, url: &str, with: &str) -> OutcomeParts {
        match self.ended(&self.dispatch(&settings_of(url, with))) {
            Ended::Outcome(outcome) => outcome.into_parts(),
            other => panic!("{with}: {other:?}"),
        }
    }

    fn outputs(&self, url: &str, with: &str) -> Map {
        self.outcome(url, with).outputs
    }

    fn error(&self, url: &str, with: &str) -> TaskErrorParts {
        failed(self.ended(&self.dispatch(&settings_of(url, with))))
    }
}

/// `url`, leave to reach everything, and what `with` says, the inside of a JSON map.
fn settings_of(url: &str, with: &str) -> String {
    let comma = if with.is_empty() { "" } else { "," };
    format!(r#"{{"url":"{url}","allow_private_urls":true{comma}{with}}}"#)
}

fn failed(ended: Ended) -> TaskErrorParts {
    match ended {
        Ended::Failed(error) => error.into_parts(),
        other => panic!("{other:?}"),
    }
}

fn text<'a>(outputs: &'a Map, name: &str) -> &'a str {
    outputs.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no {name} in {outputs:?}"))
}

/// A channel of one word.
fn notice() -> (impl FnOnce() + Send + 'static, impl FnOnce()) {
    let (send, receive) = mpsc::channel();
    (move || send.send(()).unwrap(), move || receive.recv().unwrap())
}
