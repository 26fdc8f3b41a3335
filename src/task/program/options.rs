//! What the `with` of any task that runs a program may say about it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::limits::{PAYLOAD_BYTES_MAX, STREAM_BYTES_IN_OUTPUTS};
use crate::task::outcome::TaskError;
use crate::task::settings::{Settings, plain};
use crate::time::Duration;
use crate::value::Value;

/// The options of a program; `default()` is what holds without a word about it.
#[derive(Clone)]
pub(in crate::task) struct Options {
    /// Directory to run in, seen from the workflow's; stands above the task's own `cwd`.
    pub(super) cwd: Option<PathBuf>,
    /// Variables above those of the task; none unsets.
    pub(super) env: BTreeMap<String, Option<String>>,
    /// What the program reads.
    pub(super) stdin: Option<Vec<u8>>,
    /// Whether what it reads ends only when it is to stop.
    pub(super) holds_input: bool,
    /// Exit codes that mean success.
    pub(super) expected_codes: Vec<i32>,
    /// Exit codes that mean: try again.
    pub(super) transient_codes: Vec<i32>,
    /// Bytes of each stream that stand in the outputs.
    pub(super) max_output_size: usize,
    /// Whether standard output is JSON.
    pub(super) parse_json: bool,
    /// How long the attempt may take; stands above the task's own `timeout`.
    pub(super) timeout: Option<Duration>,
    /// Files made in `$STABILIZE_TMP` before the program runs, readable for its user only: name and text.
    pub(super) files: Vec<(&'static str, String)>,
}

impl Options {
    /// The keys these options are read from.
    pub(in crate::task) const KEYS: [&'static str; 8] =
        ["cwd", "env", "stdin", "expected_codes", "transient_codes", "max_output_size", "parse_json", "timeout"];

    /// The options in these settings.
    ///
    /// # Errors
    ///
    /// A value of a wrong type, by its key.
    pub(in crate::task) fn read(settings: Settings<'_>) -> Result<Options, TaskError> {
        // EX_TEMPFAIL of sysexits.h.
        let transient_codes = settings.exit_codes("transient_codes")?.unwrap_or_else(|| vec![75]);
        Ok(Options {
            cwd: settings.text("cwd")?.map(PathBuf::from),
            env: variables(settings)?,
            stdin: settings.value("stdin").map(|value| plain(value).into_bytes()),
            holds_input: false,
            expected_codes: settings.exit_codes("expected_codes")?.unwrap_or_else(|| vec![0]),
            transient_codes,
            max_output_size: settings.bytes("max_output_size", PAYLOAD_BYTES_MAX)?.unwrap_or(STREAM_BYTES_IN_OUTPUTS),
            parse_json: settings.flag("parse_json")?.unwrap_or(false),
            timeout: settings.length_or_seconds("timeout")?,
            files: Vec::new(),
        })
    }
}

#[cfg(feature = "python")]
impl Options {
    /// The same for a program that reads this.
    pub(in crate::task) fn reading(self, stdin: Vec<u8>) -> Options {
        Options { stdin: Some(stdin), ..self }
    }
}

#[cfg(feature = "ssh")]
impl Options {
    /// The same for a program that reads this and no end of it as long as it may run: that end asks it to end, in place
    /// of TERM.
    pub(in crate::task) fn holding(self, stdin: Vec<u8>) -> Options {
        Options { stdin: Some(stdin), holds_input: true, ..self }
    }
}

#[cfg(feature = "docker")]
impl Options {
    /// Whether there is something for the program to read.
    pub(in crate::task) fn has_input(&self) -> bool {
        self.stdin.is_some()
    }

    /// The same for a program that finds a file in `$STABILIZE_TMP`.
    pub(in crate::task) fn with_file(mut self, name: &'static str, text: String) -> Options {
        self.files.push((name, text));
        self
    }

    /// The same with these variables above those that are there.
    pub(in crate::task) fn with_env(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Options {
        self.env.extend(variables.into_iter().map(|(name, value)| (name, Some(value))));
        self
    }

    /// The same for a program that reads nothing, beside the one these are for.
    pub(in crate::task) fn without_input(&self) -> Options {
        Options { stdin: None, files: Vec::new(), ..self.clone() }
    }
}

fn variables(settings: Settings<'_>) -> Result<BTreeMap<String, Option<String>>, TaskError> {
    let Some(entries) = settings.typed("env", "a map", Value::as_map)? else {
        return Ok(BTreeMap::new());
    };
    if let Some(name) = entries.keys().find(|name| !is_variable(name)) {
        return Err(settings.refused("env", &format!("{name:?} is no name of a variable")));
    }
    let text = |value: &Value| (!value.is_null()).then(|| plain(value));
    Ok(entries.iter().map(|(name, value)| (name.clone(), text(value))).collect())
}

fn is_variable(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
