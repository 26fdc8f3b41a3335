//! What programs wrote: the captured streams of a workflow's attempts, read back from the files beside the log.
//!
//! The files are no evidence; one that was deleted is as if it had never been written.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::event::Event;
use crate::ids::{AttemptId, Sequence, WorkflowId};
use crate::replay::{self, History};
use crate::task::{Place, StreamName};

use super::error::Error;

/// The captured streams beside a log.
#[derive(Clone, Debug)]
pub struct CapturedStreams {
    place: Place,
}

/// What a program wrote to one of its two streams in one attempt.
#[derive(Clone, Debug)]
pub struct CapturedStream {
    stage: String,
    activation: u32,
    task: String,
    attempt: u32,
    name: &'static str,
    path: PathBuf,
}

impl CapturedStreams {
    /// The streams beside the log in this directory.
    ///
    /// # Errors
    ///
    /// If the directory is relative and nobody knows to what.
    pub fn at(directory: impl AsRef<Path>) -> Result<CapturedStreams, Error> {
        let directory = directory.as_ref();
        let io = |source| Error::Io { operation: "find the log directory", path: directory.to_path_buf(), source };
        Ok(CapturedStreams { place: Place::new(std::path::absolute(directory).map_err(io)?) })
    }

    /// The streams of a workflow of which there is a file, in the order in which their attempts began; of one attempt
    /// `stdout` comes first. Those of attempts under way are among them.
    ///
    /// # Errors
    ///
    /// If there is no such workflow, or the log cannot be read.
    pub fn of(&self, history: &History, workflow: WorkflowId) -> Result<Vec<CapturedStream>, replay::Error> {
        let mut streams = Vec::new();
        let mut seen = BTreeSet::new();
        for envelope in history.events(workflow, Sequence::FIRST..)? {
            let envelope = envelope?;
            let Some(attempt) = ran(envelope.event()).filter(|attempt| seen.insert(*attempt)) else { continue };
            for stream in [StreamName::Out, StreamName::Err] {
                let path = self.place.stream(workflow, attempt, stream);
                if path.is_file() {
                    streams.push(CapturedStream {
                        stage: envelope.stage().unwrap_or_default().to_owned(),
                        activation: attempt.task.activation.number,
                        task: envelope.task().unwrap_or_default().to_owned(),
                        attempt: attempt.dispatch,
                        name: stream.name(),
                        path,
                    });
                }
            }
        }
        Ok(streams)
    }
}

/// The attempt that this event says was begun. The start of one that a crash cut off may be told by nothing else.
fn ran(event: &Event) -> Option<AttemptId> {
    match event {
        Event::TaskStarted(..)
        | Event::TaskReported(..)
        | Event::TaskResultDiscarded(..)
        | Event::TaskLeaseLost(..) => event.attempt(),
        _ => None,
    }
}

impl CapturedStream {
    /// Ref id of the stage.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// The number of the stage's activation, from 1.
    pub fn activation(&self) -> u32 {
        self.activation
    }

    /// The name of the task.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// The number of the attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// `stdout` or `stderr`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was written and kept; of an attempt under way, what was written so far.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        fs::read(&self.path)
    }
}
