//! What programs wrote: the captured streams of a workflow's attempts, read back from the files beside the log.
//!
//! The files are no evidence; one that was deleted is as if it had never been written.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::event::{Envelope, Event};
use crate::ids::{AttemptId, Sequence, WorkflowId};
use crate::replay::{self, History};
use crate::task::{Place, StreamName};

use super::error::Error;

/// Bytes of a stream that are read at once.
const PIECE_BYTES: u64 = 1024 * 1024;

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
    instance: Option<u32>,
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
            if ran(envelope.event()).is_some_and(|attempt| seen.insert(attempt)) {
                streams.extend(self.of_attempt(&envelope).into_iter().filter(|stream| stream.path.is_file()));
            }
        }
        Ok(streams)
    }

    /// The two streams of the attempt that this event says was begun, `stdout` first; none for any other event. Not
    /// every attempt writes files, and those of one under way may not be there yet.
    pub fn of_attempt(&self, envelope: &Envelope) -> Vec<CapturedStream> {
        let (Some(workflow), Some(attempt)) = (envelope.workflow(), ran(envelope.event())) else { return Vec::new() };
        let stream = |stream: StreamName| CapturedStream {
            stage: envelope.stage().unwrap_or_default().to_owned(),
            activation: attempt.task.activation.number,
            instance: attempt.task.activation.instance(),
            task: envelope.task().unwrap_or_default().to_owned(),
            attempt: attempt.dispatch,
            name: stream.name(),
            path: self.place.stream(workflow, attempt, stream),
        };
        [StreamName::Out, StreamName::Err].map(stream).into()
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

    /// The number of the instance of that activation, from 0; `None` if it has none.
    pub fn instance(&self) -> Option<u32> {
        self.instance
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

    /// What stands from byte `offset` on, at most a mebibyte of it; nothing if that is not written yet, or there is no
    /// file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn read_from(&self, offset: u64) -> io::Result<Vec<u8>> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(offset))?;
        let mut piece = Vec::new();
        file.take(PIECE_BYTES).read_to_end(&mut piece)?;
        Ok(piece)
    }
}
