//! What becomes of an answer: its body into memory or a file, never more of it than is allowed, and the outputs.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::client::Answer;
use super::error::Error;
use crate::value::{Map, Value};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// A body, where it was put.
#[derive(Debug)]
pub(super) enum Body {
    /// In memory.
    Bytes(Vec<u8>),
    /// In this file, synced.
    File { path: PathBuf, bytes: u64 },
}

impl Body {
    /// How long it is.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File { bytes, .. } => *bytes,
        }
    }
}

/// Reads a body into memory.
///
/// # Errors
///
/// One that breaks off, or is longer than `bytes_max`; then no more of it was read.
pub(super) fn into_memory(answer: &mut Answer, host: &str, bytes_max: u64) -> Result<Vec<u8>, Error> {
    check_length(answer, host, bytes_max)?;
    let mut body = Vec::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match answer.read(&mut piece)? {
            0 => return Ok(body),
            read if body.len() as u64 + read as u64 > bytes_max => return Err(too_long(host, bytes_max)),
            read => body.extend_from_slice(&piece[..read]),
        }
    }
}

/// Reads the beginning of a body into memory: what a server says about a failure. What cannot be read is left out.
pub(super) fn beginning(answer: &mut Answer, bytes_max: u64) -> Vec<u8> {
    let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    let mut body = Vec::new();
    let mut piece = vec![0; PIECE_BYTES];
    while body.len() < bytes_max {
        match answer.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(read) => body.extend_from_slice(&piece[..read.min(bytes_max - body.len())]),
        }
    }
    body
}

/// Reads a body into the file `part`, which becomes `path` when all of it is there and synced.
///
/// # Errors
///
/// As [`into_memory`], and files that cannot be written. `path` is as it was then, and `part` is gone.
pub(super) fn into_file(
    answer: &mut Answer,
    host: &str,
    bytes_max: u64,
    path: &Path,
    part: PathBuf,
) -> Result<u64, Error> {
    check_length(answer, host, bytes_max)?;
    let part = Part { path: part };
    let mut file = File::create(&part.path).map_err(Error::file("create", &part.path))?;
    let mut bytes = 0;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = answer.read(&mut piece)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        if bytes > bytes_max {
            return Err(too_long(host, bytes_max));
        }
        file.write_all(&piece[..read]).map_err(Error::file("write", &part.path))?;
    }
    file.sync_all().map_err(Error::file("sync", &part.path))?;
    fs::rename(&part.path, path).map_err(Error::file("put in its place", path))?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::file("sync", folder))?;
    Ok(bytes)
}

/// A file that is removed unless it was renamed.
struct Part {
    path: PathBuf,
}

impl Drop for Part {
    fn drop(&mut self) {
        // Usually it is gone, since it has become what it was written for.
        let _ = fs::remove_file(&self.path);
    }
}

/// Refuses what is said to be too long before any of it is read.
fn check_length(answer: &Answer, host: &str, bytes_max: u64) -> Result<(), Error> {
    let length: Option<u64> = answer.header("content-length").and_then(|length| length.parse().ok());
    if length.is_some_and(|length| length > bytes_max) { Err(too_long(host, bytes_max)) } else { Ok(()) }
}

fn too_long(host: &str, bytes_max: u64) -> Error {
    Error::TooLong { host: host.to_owned(), bytes_max }
}

/// Headers by name; several of one name are joined as HTTP allows it, cookies by line ends, since they hold commas.
pub(super) fn headers(headers: &[(String, String)]) -> Value {
    let mut joined = Map::new();
    for (name, value) in headers {
        let separator = if name == "set-cookie" { "\n" } else { ", " };
        let text = match joined.get(name).and_then(Value::as_str) {
            Some(before) => format!("{before}{separator}{value}"),
            None => value.clone(),
        };
        joined.insert(name.clone(), text.into());
    }
    Value::Map(joined)
}

/// Bytes as text: in the character set that `content_type` names if it is one of Latin letters, else UTF-8, with a
/// mark for each byte that is none.
pub(super) fn text(bytes: &[u8], content_type: Option<&str>) -> String {
    let charset = content_type.and_then(|value| {
        let value = value.to_ascii_lowercase();
        let charset = value.split(';').skip(1).find_map(|part| part.trim().strip_prefix("charset=").map(str::to_owned));
        charset.map(|charset| charset.trim_matches('"').to_owned())
    });
    match charset.as_deref() {
        Some("iso-8859-1" | "latin1") => bytes.iter().copied().map(char::from).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_one_name_are_joined() {
        let given = [("a", "1"), ("set-cookie", "x=1, y"), ("a", "2"), ("set-cookie", "z")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(headers(&given).to_json(), r#"{"a":"1, 2","set-cookie":"x=1, y\nz"}"#);
    }

    #[test]
    fn text_is_utf_8_unless_the_server_names_latin_letters() {
        for (bytes, content_type, expected) in [
            (&b"\xc3\xa4"[..], None, "ä"),
            (b"\xe4", Some("text/plain"), "\u{fffd}"),
            (b"\xe4", Some("text/plain; charset=\"ISO-8859-1\""), "ä"),
            (b"\xc3\xa4", Some("text/plain;charset=utf-8"), "ä"),
        ] {
            assert_eq!(text(bytes, content_type), expected);
        }
    }
}
