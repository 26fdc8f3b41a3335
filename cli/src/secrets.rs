//! The file of `--secrets`: values by name that only its owner may read.
//!
//! Says nothing of what stands in it, in no message: a place is a number of a line.

use std::collections::BTreeMap;
use std::env;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use stabilize::Secrets;

use crate::exit::Exit;
use crate::progress::note;
use crate::report::Report;

/// Bytes of such a file.
const BYTES_MAX: u64 = 1024 * 1024;

/// A file of secrets, read anew whenever a task asks. What it does not have, the environment may.
pub(crate) struct SecretsFile {
    path: PathBuf,
}

impl SecretsFile {
    /// The secrets in this file.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, that others may read or write, or that has a line nobody can mean.
    pub(crate) fn open(path: &Path) -> Result<SecretsFile, Report> {
        read(path)?;
        Ok(SecretsFile { path: path.to_path_buf() })
    }
}

impl Secrets for SecretsFile {
    fn get(&self, name: &str) -> Option<String> {
        match read(&self.path) {
            Ok(mut values) => values.remove(name).or_else(|| env::var(format!("STABILIZE_SECRET_{name}")).ok()),
            // The file was good when the engine began. The task is told that there is no secret, and may try again.
            Err(report) => {
                note(report.to_string());
                None
            }
        }
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, String>, Report> {
    let refused = |reason: String| Report::new(Exit::Usage, format!("--secrets {}: {reason}", path.display()));
    let unreadable = |error: io::Error| refused("it could not be read".to_owned()).because(&error);
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(refused("it is no file".to_owned()));
    }
    // Of the file that is open, so that nobody can put another one in between.
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        let report = refused(format!("others than its owner may use it (mode {mode:04o})"));
        return Err(report.hint(format!("chmod 600 {}", path.display())));
    }
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(refused(format!("it is longer than {BYTES_MAX} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8".to_owned()))?;
    parse(&text).map_err(|(line, reason)| refused(format!("line {line}: {reason}")))
}

/// `NAME=value`, or `NAME<<WORD` and lines up to `WORD`; empty lines and those that begin with `#` say nothing. The
/// error is a line, from 1, and what is wrong with it.
fn parse(text: &str) -> Result<BTreeMap<String, String>, (usize, &'static str)> {
    let mut values = BTreeMap::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let form = "it is none of NAME=value, NAME<<WORD and # a comment";
        let end = line.find(['=', '<']).ok_or((number, form))?;
        let (name, rest) = line.split_at(end);
        if !is_name(name) {
            return Err((number, "the name has other characters than letters, digits, _ and -, or more than 64"));
        }
        let value = match (rest.strip_prefix('='), rest.strip_prefix("<<")) {
            (Some(value), _) => value.to_owned(),
            (None, Some(word)) if !word.is_empty() => {
                let mut content = Vec::new();
                loop {
                    match lines.next() {
                        Some((_, end)) if end == word => break content.join("\n"),
                        Some((_, line)) => content.push(line),
                        None => return Err((number, "no line with its word ends it")),
                    }
                }
            }
            (None, _) => return Err((number, form)),
        };
        if values.insert(name.to_owned(), value).is_some() {
            return Err((number, "its name stands there already"));
        }
    }
    Ok(values)
}

fn is_name(name: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&name.len()) && !name.starts_with('-') && name.bytes().all(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_values_and_a_mistake_is_told_by_its_line_alone() {
        let read = |text: &str| parse(text).map(|values| values.into_iter().collect::<Vec<_>>());
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read("# a\n\nA=x = y \nB-1=\n"), Ok(vec![pair("A", "x = y "), pair("B-1", "")]));
        assert_eq!(read("KEY<<END\none\n\n# two\nEND\nB=1"), Ok(vec![pair("B", "1"), pair("KEY", "one\n\n# two")]));
        for (text, line) in
            [("hush", 1), ("A=1\n=hush", 2), ("A b=hush", 1), ("A=1\nA=hush", 2), ("A<hush", 1), ("A<<", 1)]
        {
            let (found, reason) = parse(text).unwrap_err();
            assert_eq!(found, line, "{text}");
            assert!(!reason.contains("hush"));
        }
        assert_eq!(parse("\nA<<END\nhush").unwrap_err().0, 2);
    }
}
