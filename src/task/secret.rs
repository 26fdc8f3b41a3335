//! Secrets: values that tasks ask for by name while they work, and that nothing the engine records holds.
//!
//! Knows no definition. What an attempt was given is remembered until it ends and masked in all that it answers.

use std::env;
use std::sync::{Arc, Mutex, PoisonError};

use super::outcome::{Outcome, TaskError};
use crate::failure::ErrorCode;
use crate::limits::SECRET_BYTES_MIN;
use crate::value::{Map, Value};

/// What stands where a secret stood.
const MASK: &str = "***";

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
pub(crate) struct GivenSecrets {
    source: Arc<dyn Secrets>,
    /// Every form in which a value that was given may come back.
    given: Mutex<Vec<String>>,
}

impl GivenSecrets {
    /// None given yet.
    pub(crate) fn of(source: Arc<dyn Secrets>) -> GivenSecrets {
        GivenSecrets { source, given: Mutex::default() }
    }

    /// The value of `name`, which is masked from here on.
    pub(super) fn read(&self, name: &str) -> Result<String, TaskError> {
        let unavailable = |message| TaskError::transient(message).code(ErrorCode::SECRET_UNAVAILABLE);
        let value = self.source.get(name).ok_or_else(|| unavailable(format!("there is no secret {name:?}")))?;
        if value.trim().len() < SECRET_BYTES_MIN {
            let message = format!("the secret {name:?} is shorter than {SECRET_BYTES_MIN} bytes and cannot be masked");
            return Err(unavailable(message));
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
}

/// The value as it is, without the space around it, and both as JSON and messages write them.
fn forms(value: &str) -> impl Iterator<Item = String> {
    [value, value.trim()].into_iter().flat_map(|value| {
        let json = Value::from(value).to_json();
        let quoted = format!("{value:?}");
        [value.to_owned(), json[1..json.len() - 1].to_owned(), quoted[1..quoted.len() - 1].to_owned()]
    })
}

/// `text` with a mask for each stretch that is covered by `given`, also where they overlap.
fn masked(text: &str, given: &[String]) -> String {
    let mut covered = Vec::new();
    for value in given {
        let mut from = 0;
        while let Some(found) = text.get(from..).and_then(|rest| rest.find(value.as_str())) {
            let start = from + found;
            covered.push(start..start + value.len());
            // An occurrence may begin inside of this one.
            from = start + text[start..].chars().next().map_or(1, char::len_utf8);
        }
    }
    covered.sort_unstable_by_key(|range| range.start);
    let (mut result, mut end) = (String::new(), 0);
    for range in covered {
        if range.start >= end {
            result.push_str(&text[end..range.start]);
            result.push_str(MASK);
        }
        end = end.max(range.end);
    }
    result + &text[end..]
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
}
