//! Secrets: values that tasks ask for by name while they work, and that nothing the engine records holds.
//!
//! Knows no definition. What an attempt was given is remembered until it ends and masked in all that it answers.

#[cfg_attr(not(any(feature = "shell", feature = "http")), allow(dead_code, reason = "nothing else has streams"))]
mod cover;

use std::env;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::outcome::{Outcome, TaskError};
use crate::failure::{ErrorCode, Failure};
use crate::limits::{SECRET_BYTES_MAX, SECRET_BYTES_MIN};
use crate::value::{Map, Value};

#[cfg(any(feature = "shell", feature = "http"))]
pub(super) use cover::Cover;
use cover::covered;

/// Where the values of secrets come from; given to an engine with `Config::secrets`.
///
/// It is asked each time a task asks, on the thread of its worker, so that a value that has changed is the new one for
/// the next attempt and after a restart. An engine that is given none reads `STABILIZE_SECRET_NAME` of its environment.
pub trait Secrets: Send + Sync {
    /// The value of this name; none if there is none, or it cannot be had now.
    fn get(&self, name: &str) -> Option<String>;
}

/// The environment of the engine.
pub(crate) struct EnvironmentSecrets;

impl Secrets for EnvironmentSecrets {
    fn get(&self, name: &str) -> Option<String> {
        env::var(format!("STABILIZE_SECRET_{name}")).ok()
    }
}

/// The secrets of one attempt: where they come from, and those it was given.
#[derive(Clone)]
pub(crate) struct GivenSecrets {
    source: Arc<dyn Secrets>,
    /// Every form in which a value that was given may come back.
    given: Arc<Mutex<Vec<String>>>,
}

impl GivenSecrets {
    /// None given yet.
    pub(crate) fn of(source: Arc<dyn Secrets>) -> GivenSecrets {
        GivenSecrets { source, given: Arc::default() }
    }

    /// The value of `name`, which is masked from here on.
    ///
    /// # Errors
    ///
    /// Transient, with code `SECRET_UNAVAILABLE`: there is none, or it cannot be masked.
    pub(crate) fn read(&self, name: &str) -> Result<String, TaskError> {
        self.give(
            &format!("secret {name:?}"),
            self.source.get(name).ok_or_else(|| format!("there is no secret {name:?}")),
        )
    }

    /// What stands in a variable of the engine's environment.
    ///
    /// # Errors
    ///
    /// As [`read`](GivenSecrets::read).
    pub(crate) fn read_variable(&self, name: &str) -> Result<String, TaskError> {
        let what = format!("secret in the variable {name}");
        // What the error of a variable says may be its value.
        self.give(&what, env::var(name).map_err(|_| format!("there is no {what} that is text")))
    }

    /// What stands in a file; a newline at its end is not part of it.
    ///
    /// # Errors
    ///
    /// As [`read`](GivenSecrets::read).
    pub(crate) fn read_file(&self, path: &Path) -> Result<String, TaskError> {
        let what = format!("secret in the file {}", path.display());
        self.give(&what, text_of(path).map_err(|error| format!("there is no {what}: {error}")))
    }

    fn give(&self, what: &str, found: Result<String, String>) -> Result<String, TaskError> {
        let unavailable = |message| TaskError::transient(message).code(ErrorCode::SECRET_UNAVAILABLE);
        let value = found.map_err(unavailable)?;
        let cannot =
            |how: &str, bytes| unavailable(format!("the {what} is {how} than {bytes} bytes and cannot be masked"));
        if value.trim().len() < SECRET_BYTES_MIN {
            return Err(cannot("shorter", SECRET_BYTES_MIN));
        }
        if value.len() > SECRET_BYTES_MAX {
            return Err(cannot("longer", SECRET_BYTES_MAX));
        }
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        for form in forms(&value) {
            if !given.contains(&form) {
                given.push(form);
            }
        }
        Ok(value)
    }

    /// The answer without any value that was given.
    pub(super) fn mask(&self, answer: Result<Outcome, TaskError>) -> Result<Outcome, TaskError> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if given.is_empty() {
            return answer;
        }
        let mask = |text: &str| masked(text, &given);
        answer.map(|outcome| outcome.map_texts(&mask)).map_err(|error| error.map_texts(&mask))
    }

    /// The failure without any value that was given.
    pub(crate) fn mask_failure(&self, failure: &Failure) -> Failure {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let told = Failure::new(failure.code().clone(), failure.class(), masked(failure.message(), &given));
        failure.causes().iter().fold(told, |told, cause| told.caused_by(masked(cause, &given)))
    }

    /// What hides the values that were given up to now in a stream.
    #[cfg(any(feature = "shell", feature = "http"))]
    pub(super) fn cover(&self) -> Cover {
        Cover::of(&self.given.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a value that was given stands in the text.
    #[cfg(feature = "docker")]
    pub(super) fn are_in(&self, text: &str) -> bool {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.iter().any(|value| text.contains(value.as_str()))
    }
}

/// The text of a file, as long as a secret may be and a byte more.
fn text_of(path: &Path) -> io::Result<String> {
    // Opening a pipe would wait for somebody to write.
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    let mut text = String::new();
    File::open(path)?.take(SECRET_BYTES_MAX as u64 + 2).read_to_string(&mut text)?;
    let length = text.strip_suffix('\n').map_or(text.len(), |text| text.strip_suffix('\r').unwrap_or(text).len());
    text.truncate(length);
    Ok(text)
}

/// The value as it is and without the space around it, each as texts, JSON, messages and addresses write it.
fn forms(value: &str) -> impl Iterator<Item = String> {
    [value, value.trim()].into_iter().flat_map(|value| {
        let json = Value::from(value).to_json();
        let quoted = format!("{value:?}");
        let (json, quoted) = (json[1..json.len() - 1].to_owned(), quoted[1..quoted.len() - 1].to_owned());
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        // Of an address that is written as a whole, what means something in addresses stays.
        let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
        let part = percent(value, unreserved);
        let template = percent(value, |byte| unreserved(byte) || byte == b':');
        [value.to_owned(), in_ascii(&json), json, quoted, part, template, percent(value, allowed)]
    })
}

/// JSON as many programs write it, with `\uXXXX` for all that is not ASCII.
fn in_ascii(json: &str) -> String {
    let unit = |unit: u16| u8::try_from(unit).ok().filter(u8::is_ascii).map(char::from).ok_or(unit);
    let written = |unit: Result<char, u16>| unit.map_or_else(|unit| format!("\\u{unit:04x}"), String::from);
    json.encode_utf16().map(unit).map(written).collect()
}

/// `text` as in an address: every byte as `%XX` that does not stay.
fn percent(text: &str, stays: impl Fn(u8) -> bool) -> String {
    text.bytes().map(|byte| if stays(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// `text` with a mask for each stretch that is covered by `given`, also where they overlap.
fn masked(text: &str, given: &[String]) -> String {
    let told = covered(text.as_bytes(), given, &mut 0, text.len());
    // What is given is text, so nothing begins or ends inside of a character.
    String::from_utf8_lossy(&told).into_owned()
}

/// The map with other texts: keys, and values at any depth; what is no text becomes one if its text is another.
pub(super) fn map_of_texts(map: Map, change: &dyn Fn(&str) -> String) -> Map {
    map.into_iter().map(|(key, value)| (change(&key), value_of_texts(value, change))).collect()
}

fn value_of_texts(value: Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => change(&text).into(),
        Value::List(items) => Value::List(items.into_iter().map(|item| value_of_texts(item, change)).collect()),
        Value::Map(map) => Value::Map(map_of_texts(map, change)),
        scalar => {
            let text = scalar.to_json();
            let changed = change(&text);
            if changed == text { scalar } else { changed.into() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stretch_that_a_secret_covers_is_masked_once() {
        for (text, given, expected) in [
            ("", &["hush"][..], ""),
            ("a hush b hush", &["hush"], "a *** b ***"),
            ("hushhush", &["hush"], "******"),
            ("abcabcab", &["abcab"], "***"),
            ("one secret two", &["secret", "cret two"], "one ***"),
            ("secrets", &["secret", "secrets"], "***"),
            ("\u{e9}\u{e9}\u{e9}", &["\u{e9}\u{e9}"], "***"),
            ("nothing", &["hush"], "nothing"),
        ] {
            let given: Vec<String> = given.iter().map(|value| (*value).to_owned()).collect();
            assert_eq!(masked(text, &given), expected, "{text}");
        }
    }

    #[test]
    fn a_value_is_masked_as_texts_json_messages_and_addresses_write_it() {
        struct Planted;
        impl Secrets for Planted {
            fn get(&self, _name: &str) -> Option<String> {
                Some("a:b/c \"\u{e9}\\\n".to_owned())
            }
        }
        let secrets = GivenSecrets::of(Arc::new(Planted));
        secrets.read("K").unwrap();
        let failure = |text: &str| Failure::new(ErrorCode::UNKNOWN, crate::failure::ErrorClass::Permanent, text);
        for text in [
            "a:b/c \"\u{e9}\\\n",
            "a:b/c \"\u{e9}\\",
            "a:b/c \\\"\u{e9}\\\\\\n",
            "a:b/c \\\"\\u00e9\\\\",
            "a%3Ab%2Fc%20%22%C3%A9%5C",
            "a:b%2Fc%20%22%C3%A9%5C",
            "a:b/c%20%22%C3%A9%5C",
        ] {
            let told = secrets.mask_failure(&failure(&format!("[{text}]")).caused_by(text));
            assert_eq!((told.message(), told.causes()), ("[***]", &["***".to_owned()][..]), "{text}");
        }
    }
}
