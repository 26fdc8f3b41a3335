//! One attempt at running a program, from its files to its answer.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Instant;

use super::capture::{Capture, Captured};
use super::environment;
use super::error::Error;
use super::group::{self, End, Patience, Program};
use super::options::Options;
use super::{outputs, result};
use crate::failure::ErrorCode;
use crate::limits::{OUTPUT_FILE_BYTES_MAX, PAYLOAD_BYTES_MAX};
#[cfg(feature = "docker")]
use crate::task::cancel::Cancel;
use crate::task::cancel::Stop;
use crate::task::context::{Dispatch, TaskContext};
use crate::task::outcome::{Outcome, TaskError, is_output_name};
use crate::task::place::StreamName;
use crate::task::secret::GivenSecrets;
use crate::time::Duration;
use crate::value::{Map, Value};

/// The outputs of every program; its own may not have these names.
const FIXED: [&str; 5] = ["stdout", "stderr", "exit_code", "returncode", "truncated"];

/// Runs `words`, a program's name and what it is given, and makes an answer of how it ended.
///
/// # Errors
///
/// Whatever keeps the program from running; an exit code that is not expected (class exit, or transient); a passed
/// timeout; a request to stop; an output or result file that says nothing that could be meant.
pub(in crate::task) fn run(
    task: &TaskContext<'_>,
    words: Vec<String>,
    options: Options,
    patience: Patience,
) -> Result<Outcome, TaskError> {
    finish(task, words, options, patience)?.answer(task)
}

/// Runs `words` to the end, and leaves it to the caller what that means. What was left in `$STABILIZE_TMP` stays until
/// the result is dropped.
///
/// # Errors
///
/// Whatever keeps the program from running.
pub(in crate::task) fn finish(
    task: &TaskContext<'_>,
    words: Vec<String>,
    options: Options,
    patience: Patience,
) -> Result<Finished, TaskError> {
    let dispatch = task.dispatch();
    let program = program(dispatch, words, &options)?;
    let scratch = Scratch::new(dispatch)?;
    for (name, text) in &options.files {
        scratch.write(name, text)?;
    }
    // All of standard output is needed if it is JSON.
    let out_max = if options.parse_json { PAYLOAD_BYTES_MAX } else { options.max_output_size };
    let capture = |stream, head_max| {
        let path = dispatch.place.stream(dispatch.workflow, dispatch.attempt, stream);
        Capture::new(stream, path, head_max).map(|capture| capture.covered(dispatch.secrets.cover()))
    };
    let mut captures = [capture(StreamName::Out, out_max)?, capture(StreamName::Err, options.max_output_size)?];
    let timeout = options.timeout.unwrap_or(dispatch.timeout);
    dispatch.cancel.limit(Instant::now().checked_add(timeout.into()));
    let record = dispatch.place.process(dispatch.workflow, dispatch.attempt);
    let end = group::run(&program, &record, &dispatch.cancel, patience, &mut captures)?;
    if matches!(end, End::Exited(_)) {
        // The program has kept its time; reading what it left is not its business.
        dispatch.cancel.limit(None);
    }
    let (streams, secrets) = (captures.map(Capture::finish), dispatch.secrets.clone());
    Ok(Finished { end, ended: Ended { streams, options, scratch, timeout, secrets } })
}

/// Runs a program beside the attempt, which may have been stopped: nothing of it is kept. It has a time of its own.
///
/// # Errors
///
/// Whatever keeps the program from running, and a passed limit.
#[cfg(feature = "docker")]
pub(in crate::task) fn aside(
    task: &TaskContext<'_>,
    words: Vec<String>,
    options: &Options,
    patience: Patience,
) -> Result<Aside, TaskError> {
    let dispatch = task.dispatch();
    let program = program(dispatch, words, options)?;
    let passing = |stream| Capture::passing(stream, ASIDE_BYTES).covered(dispatch.secrets.cover());
    let mut captures = [StreamName::Out, StreamName::Err].map(passing);
    let cancel = Cancel::new();
    cancel.limit(Instant::now().checked_add(ASIDE));
    let record = dispatch.place.process(dispatch.workflow, dispatch.attempt);
    let end = group::run(&program, &record, &cancel, patience, &mut captures)?;
    let [out, err] = captures.map(Capture::finish);
    match end {
        End::Exited(status) => {
            Ok(Aside { code: code(status), stdout: out.text(ASIDE_BYTES), last_words: err.last_words() })
        }
        End::Stopped(_) => Err(TaskError::timeout(ASIDE.into())),
    }
}

/// What a program beside an attempt said.
#[cfg(feature = "docker")]
pub(in crate::task) struct Aside {
    /// Its exit code.
    pub(in crate::task) code: i32,
    /// The beginning of its standard output.
    pub(in crate::task) stdout: String,
    /// The end of its standard error.
    pub(in crate::task) last_words: String,
}

/// How long a program beside an attempt may take, and how much of what it says is looked at.
#[cfg(feature = "docker")]
const ASIDE: std::time::Duration = std::time::Duration::from_secs(30);
#[cfg(feature = "docker")]
const ASIDE_BYTES: usize = 64 * 1024;

/// What is run: a program's name and what it is given, in the attempt's directory and environment.
fn program(dispatch: &Dispatch, words: Vec<String>, options: &Options) -> Result<Program, Error> {
    let mut words = words.into_iter();
    let name = words.next().ok_or(Error::NoCommand)?;
    let cwd = environment::directory(&dispatch.workdir, options.cwd.as_deref().or(dispatch.cwd.as_deref()))?;
    let layers = [&dispatch.env, &options.env];
    let variables = environment::variables(env::vars_os(), layers, dispatch);
    let path = environment::program(&name, &cwd, &variables)?;
    let arguments = words.map(Into::into).collect();
    let (stdin, holds_input) = (options.stdin.clone(), options.holds_input);
    Ok(Program { path, arguments, cwd, env: variables, stdin, holds_input })
}

/// A program that has ended, in what way ever.
pub(in crate::task) struct Finished {
    end: End,
    ended: Ended,
}

impl Finished {
    /// What every program's end means.
    ///
    /// # Errors
    ///
    /// As [`run`].
    pub(in crate::task) fn answer(self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        self.ended.keep_streams(task);
        match self.end {
            End::Exited(status) => self.ended.exited(code(status), status),
            End::Stopped(stop) => Err(self.ended.stopped(stop)),
        }
    }
}

#[cfg(feature = "docker")]
impl Finished {
    /// Whether it ended by itself, with an exit code.
    pub(in crate::task) fn has_exited(&self) -> bool {
        matches!(self.end, End::Exited(status) if status.code().is_some())
    }

    /// The end of standard error.
    pub(in crate::task) fn last_words(&self) -> String {
        self.ended.streams[1].last_words()
    }
}

#[cfg(any(feature = "docker", feature = "ssh"))]
impl Finished {
    /// The exit code; none if it was stopped.
    pub(in crate::task) fn code(&self) -> Option<i32> {
        match self.end {
            End::Exited(status) => Some(code(status)),
            End::Stopped(_) => None,
        }
    }

    /// The text of a file in `$STABILIZE_TMP`; none if there is none that can be read.
    pub(in crate::task) fn file(&self, name: &str) -> Option<String> {
        let bytes = read(&self.ended.scratch.tmp.join(name)).ok()??;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// `error` for what the caller knows better than the exit code, with the streams as outputs.
    pub(in crate::task) fn fail(self, task: &TaskContext<'_>, error: TaskError) -> TaskError {
        self.ended.keep_streams(task);
        let mut fixed = self.ended.streams();
        if let Some(code) = self.code() {
            fixed.insert("exit_code".to_owned(), code.into());
            fixed.insert("returncode".to_owned(), code.into());
        }
        self.ended.failed(error, fixed)
    }
}

/// The exit code as shells count it: 128 and the signal for a death by signal.
fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// A program that has ended, with what it left.
struct Ended {
    streams: [Captured; 2],
    options: Options,
    scratch: Scratch,
    timeout: Duration,
    secrets: GivenSecrets,
}

impl Ended {
    fn keep_streams(&self, task: &TaskContext<'_>) {
        for record in self.streams.iter().filter_map(|captured| captured.record.clone()) {
            task.captured(record);
        }
    }

    fn exited(&self, code: i32, status: ExitStatus) -> Result<Outcome, TaskError> {
        let mut fixed = self.streams();
        fixed.insert("exit_code".to_owned(), code.into());
        fixed.insert("returncode".to_owned(), code.into());
        if self.options.expected_codes.contains(&code) {
            return match self.answer() {
                Ok(outcome) => Ok(outcome.outputs_below(fixed)),
                Err(error) => Err(error.outputs_below(fixed)),
            };
        }
        let how = match status.signal() {
            Some(signal) => format!("the program was killed by signal {signal}"),
            None => format!("the program ended with exit code {code}"),
        };
        let error =
            if self.options.transient_codes.contains(&code) { TaskError::transient(how) } else { TaskError::exit(how) };
        Err(self.failed(error, fixed))
    }

    fn stopped(&self, stop: Stop) -> TaskError {
        match stop {
            Stop::TimedOut => self.failed(TaskError::timeout(self.timeout), self.streams()),
            Stop::Canceled | Stop::Closing => TaskError::canceled(),
        }
    }

    /// The error with the program's last words and outputs. They count if the author maps the failure to go on, so
    /// those it wrote are among them; a file that the failure has left half written is passed over.
    fn failed(&self, error: TaskError, fixed: Map) -> TaskError {
        let words = self.streams[1].last_words();
        let error = if words.is_empty() { error } else { error.cause(words) };
        error.outputs_below(self.own_outputs().unwrap_or_default()).outputs_below(fixed)
    }

    /// What the program answers by its files, having ended as expected.
    fn answer(&self) -> Result<Outcome, TaskError> {
        let own = self.own_outputs()?;
        let json = self.json_outputs()?;
        let outcome = match read(&self.scratch.result)? {
            Some(bytes) => {
                let text = String::from_utf8(bytes).map_err(|_| invalid("the result file is not UTF-8"))?;
                result::parse(&text, self.reserved())
            }
            None => Ok(Outcome::success()),
        };
        match outcome {
            Ok(outcome) => Ok(outcome.outputs_below(own).outputs_below(json)),
            Err(error) => Err(error.outputs_below(own).outputs_below(json)),
        }
    }

    fn own_outputs(&self) -> Result<Map, TaskError> {
        let bytes = read(&self.scratch.outputs)?.unwrap_or_default();
        outputs::parse(&bytes, self.reserved()).map_err(|_| {
            // What is wrong is told with the beginning of the line, which must not be that of a secret.
            let told = self.secrets.cover().whole(&bytes, false);
            match outputs::parse(&told, self.reserved()) {
                Err(error) => invalid(&error.to_string()),
                Ok(_) => invalid("the output file has a line that is none of name=text, name:=JSON and name<<WORD"),
            }
        })
    }

    /// `json`, and the keys of an object there that can name outputs and are not taken; the others are in `json`.
    fn json_outputs(&self) -> Result<Map, TaskError> {
        if !self.options.parse_json {
            return Ok(Map::new());
        }
        let out = &self.streams[0];
        if out.is_longer_than(out.head.len()) {
            let message = format!("standard output is {} bytes, too many to be a value", out.total);
            return Err(TaskError::permanent(message).code(ErrorCode::RESOURCE_EXHAUSTED));
        }
        let text = std::str::from_utf8(&out.head).map_err(|_| invalid("standard output is not UTF-8"))?;
        let value = Value::from_json(text).map_err(|error| invalid(&format!("standard output as JSON: {error}")))?;
        let mut outputs = value.as_map().cloned().unwrap_or_default();
        outputs.retain(|name, _| is_output_name(name) && !self.reserved().contains(&name.as_str()));
        outputs.insert("json".to_owned(), value);
        Ok(outputs)
    }

    fn streams(&self) -> Map {
        let bytes_max = self.options.max_output_size;
        let [out, err] = &self.streams;
        let truncated = out.is_longer_than(bytes_max) || err.is_longer_than(bytes_max);
        Map::from([
            ("stdout".to_owned(), out.text(bytes_max).into()),
            ("stderr".to_owned(), err.text(bytes_max).into()),
            ("truncated".to_owned(), truncated.into()),
        ])
    }

    fn reserved(&self) -> &'static [&'static str] {
        const WITH_JSON: [&str; 6] = ["stdout", "stderr", "exit_code", "returncode", "truncated", "json"];
        if self.options.parse_json { &WITH_JSON } else { &FIXED }
    }
}

/// The bytes of a file that a program may have written; none if it did not, or wrote nothing.
fn read(path: &Path) -> Result<Option<Vec<u8>>, TaskError> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(Error::io("look at", path))?,
    };
    // Opening a pipe that a program put there would wait for somebody to write.
    if !metadata.is_file() {
        return Err(invalid(&format!("{} is no file any more", path.display())));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(OUTPUT_FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(Error::io("read", path))?;
    if bytes.len() as u64 > OUTPUT_FILE_BYTES_MAX {
        let message = format!("{} is longer than {OUTPUT_FILE_BYTES_MAX} bytes", path.display());
        return Err(TaskError::permanent(message).code(ErrorCode::RESOURCE_EXHAUSTED));
    }
    Ok((!bytes.is_empty()).then_some(bytes))
}

fn invalid(message: &str) -> TaskError {
    TaskError::permanent(message).code(ErrorCode::VALIDATION_FAILED)
}

/// The files an attempt may write, removed with it.
struct Scratch {
    tmp: PathBuf,
    outputs: PathBuf,
    result: PathBuf,
}

impl Scratch {
    /// Makes them empty: an attempt whose engine was killed before its start was recorded keeps its number.
    fn new(dispatch: &Dispatch) -> Result<Scratch, Error> {
        let (workflow, attempt, place) = (dispatch.workflow, dispatch.attempt, &dispatch.place);
        let scratch = Scratch {
            tmp: place.tmp(workflow, attempt),
            outputs: place.outputs(workflow, attempt),
            result: place.result(workflow, attempt),
        };
        scratch.remove().map_err(Error::io("empty", &scratch.tmp))?;
        fs::create_dir_all(&scratch.tmp).map_err(Error::io("create", &scratch.tmp))?;
        File::create(&scratch.outputs).map_err(Error::io("create", &scratch.outputs))?;
        Ok(scratch)
    }

    /// Writes a file for the program that nobody else may read.
    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.tmp.join(name);
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(Error::io("write", &path))
    }

    fn remove(&self) -> io::Result<()> {
        let is_gone = |result: io::Result<()>| match result {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        is_gone(fs::remove_dir_all(&self.tmp))?;
        is_gone(fs::remove_file(&self.outputs))?;
        is_gone(fs::remove_file(&self.result))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            tracing::warn!(path = %self.tmp.display(), %error, "could not remove what an attempt left behind");
        }
    }
}
