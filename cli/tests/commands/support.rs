//! A scratch directory with a log, and processes of the command in it. Waits for conditions, never for time.

use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// A directory to work in; its log is in `log`.
pub(crate) struct Place {
    directory: TempDir,
}

/// A process that has ended.
pub(crate) struct Finished {
    /// `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Finished {
    /// The same, having ended with this code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Finished {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Standard output as one JSON value a line.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// The JSON value of the last line.
    #[track_caller]
    pub(crate) fn last(&self) -> Value {
        self.json().pop().expect("standard output is not empty")
    }
}

impl From<Output> for Finished {
    fn from(output: Output) -> Finished {
        Finished {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Place {
    pub(crate) fn new() -> Place {
        Place { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// A pipe with a name, for programs of a workflow to talk with the test.
    pub(crate) fn pipe(&self, name: &str) {
        assert!(Command::new("mkfifo").arg(self.path(name)).status().unwrap().success());
    }

    /// Waits until somebody writes into a pipe; gives what was written.
    pub(crate) fn take(&self, name: &str) -> String {
        let mut text = String::new();
        fs::File::open(self.path(name)).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    /// Waits until somebody reads from a pipe, and gives them a line.
    pub(crate) fn give(&self, name: &str) {
        fs::write(self.path(name), "go\n").unwrap();
    }

    /// The command, on this place's log, with an environment that is the same everywhere.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        self.command_on("log", words)
    }

    fn command_on(&self, log: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stabilize"));
        for name in ["STABILIZE_LOG", "NO_COLOR", "TERM", "LOGNAME"] {
            command.env_remove(name);
        }
        command.env("USER", "tester").current_dir(self.directory.path());
        command.args(["--log", log]).args(words).stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Finished {
        self.command(words).output().unwrap().into()
    }

    /// Runs the command on another log than this place's.
    pub(crate) fn run_on(&self, log: &str, words: &[&str]) -> Finished {
        self.command_on(log, words).output().unwrap().into()
    }

    /// Starts the command and goes on.
    pub(crate) fn start(&self, words: &[&str]) -> Running {
        self.start_on("log", words)
    }

    /// Starts the command on another log than this place's, and goes on.
    pub(crate) fn start_on(&self, log: &str, words: &[&str]) -> Running {
        Running::spawn(&mut self.command_on(log, words))
    }

    /// Every file below the log's directory with its bytes.
    pub(crate) fn log_bytes(&self) -> Vec<(PathBuf, Vec<u8>)> {
        bytes_below(&self.path("log"))
    }
}

/// Every file below a directory with its bytes, in the order of their names.
pub(crate) fn bytes_below(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files.extend(bytes_below(&path));
        } else if path.is_file() {
            // The socket of an engine that runs holds no bytes.
            let bytes = fs::read(&path).unwrap();
            files.push((path, bytes));
        }
    }
    files
}

/// A process that was started and not waited for yet.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    read: Vec<String>,
}

impl Running {
    pub(crate) fn spawn(command: &mut Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Running { child, lines, read: Vec::new() }
    }

    /// Reads events until each of these has come, in any order.
    pub(crate) fn await_all(&mut self, expected: &[(&str, &str)]) {
        let mut left = expected.to_vec();
        while !left.is_empty() {
            let event: Value = serde_json::from_str(&self.line().unwrap()).unwrap();
            left.retain(|(name, stage)| event["type"] != *name || event["stage"] != *stage);
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of standard output, once it is there; `None` at its end.
    pub(crate) fn line(&mut self) -> Option<String> {
        // A killed process may leave half a line, which is no line.
        let line = self.lines.next()?.ok()?;
        self.read.push(line.clone());
        Some(line)
    }

    /// Reads events up to the first of this type.
    #[track_caller]
    pub(crate) fn event(&mut self, name: &str) -> Value {
        loop {
            let line = self.line().unwrap_or_else(|| panic!("no {name}: {:?}", self.read));
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["type"] == name {
                return event;
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Closes our end of its standard output, and waits for its end.
    pub(crate) fn stop_reading(mut self) -> Finished {
        drop(self.lines);
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        Finished { code: self.child.wait().unwrap().code(), out: self.read.join("\n"), err }
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Finished {
        while self.line().is_some() {}
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let code = self.child.wait().unwrap().code();
        Finished { code, out: self.read.iter().map(|line| format!("{line}\n")).collect(), err }
    }
}

/// Text without what differs from run to run: ids, hashes, moments, lengths of time.
pub(crate) fn normalised(text: &str) -> String {
    let mut normal = String::new();
    let mut word = String::new();
    for letter in text.chars().chain(['\0']) {
        if letter.is_ascii_alphanumeric() || ".:-".contains(letter) {
            word.push(letter);
            continue;
        }
        normal.push_str(&normal_word(&word));
        word.clear();
        normal.extend(Some(letter).filter(|letter| *letter != '\0'));
    }
    // Columns are as wide as what stood there.
    normal
}

fn normal_word(word: &str) -> String {
    let core = word.trim_end_matches([':', '.']);
    let rest = &word[core.len()..];
    let all = |test: fn(&char) -> bool| core.chars().all(|letter| test(&letter));
    let kind = match core.len() {
        26 if all(|letter| letter.is_ascii_digit() || letter.is_ascii_uppercase()) => "ULID",
        64 | 32 if all(char::is_ascii_hexdigit) => "HASH",
        27 if core.ends_with('Z') && core.contains('T') => "MOMENT",
        10 if core.starts_with("20") && core.matches('-').count() == 2 => "DAY",
        9 if core.ends_with('Z') && core.matches(':').count() == 2 => "CLOCK",
        5 | 6
            if core.ends_with('s')
                && core.contains('.')
                && core.starts_with(|letter: char| letter.is_ascii_digit()) =>
        {
            "TIME."
        }
        _ => return word.to_owned(),
    };
    // As long as it was, so that columns stay.
    let width = core.len().max(kind.len());
    format!("{kind:.<width$}{rest}")
}

/// Holds normalised text to a golden file. With `STABILIZE_BLESS` set the file is written instead.
#[track_caller]
pub(crate) fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let found = normalised(text);
    if std::env::var_os("STABILIZE_BLESS").is_some() {
        fs::write(&path, &found).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{} differs; found:\n{found}\nexpected:\n{expected}", path.display());
}
