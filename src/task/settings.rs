//! Reading a task's `with`: known keys only, each of its type, every refusal naming the key.

use crate::failure::ErrorCode;
use crate::task::outcome::TaskError;
use crate::time::Duration;
use crate::value::{Map, Value};

/// The `with` of one kind of task. A key whose value is null counts as not there.
#[derive(Clone, Copy)]
pub(super) struct Settings<'a> {
    kind: &'static str,
    with: &'a Map,
}

impl<'a> Settings<'a> {
    /// The settings of a task of this kind.
    ///
    /// # Errors
    ///
    /// A key that is not `known`.
    pub(super) fn read(kind: &'static str, with: &'a Map, known: &[&str]) -> Result<Settings<'a>, TaskError> {
        match with.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) if known.is_empty() => Err(invalid(format!("{kind}: with.{key}: it takes no settings"))),
            Some(key) => Err(invalid(format!("{kind}: with.{key} is not known, only {}", known.join(", ")))),
            None => Ok(Settings { kind, with }),
        }
    }

    /// The value of a key.
    pub(super) fn value(self, key: &str) -> Option<&'a Value> {
        self.with.get(key).filter(|value| !value.is_null())
    }

    /// A text.
    pub(super) fn text(self, key: &str) -> Result<Option<&'a str>, TaskError> {
        self.typed(key, "a text", Value::as_str)
    }

    /// True or false.
    pub(super) fn flag(self, key: &str) -> Result<Option<bool>, TaskError> {
        self.typed(key, "true or false", Value::as_bool)
    }

    /// A number of bytes, at most `max`.
    pub(super) fn bytes(self, key: &str, max: usize) -> Result<Option<usize>, TaskError> {
        let expected = format!("a number of bytes up to {max}");
        self.typed(key, &expected, |value| usize::try_from(value.as_integer()?).ok().filter(|bytes| *bytes <= max))
    }

    /// A list of exit codes.
    pub(super) fn exit_codes(self, key: &str) -> Result<Option<Vec<i32>>, TaskError> {
        self.typed(key, "a list of exit codes from 0 to 255", |value| {
            let code = |item: &Value| item.as_integer().and_then(|code| u8::try_from(code).ok()).map(i32::from);
            value.as_list()?.iter().map(code).collect()
        })
    }

    /// A length of time with units.
    pub(super) fn length(self, key: &str) -> Result<Option<Duration>, TaskError> {
        self.typed(key, "a length of time like 90s", |value| value.as_str()?.parse().ok())
    }

    /// A number of seconds, not negative.
    pub(super) fn seconds(self, key: &str) -> Result<Option<Duration>, TaskError> {
        self.typed(key, "a number of seconds", seconds)
    }

    /// A length of time with units, or the seed's number of seconds.
    pub(super) fn length_or_seconds(self, key: &str) -> Result<Option<Duration>, TaskError> {
        self.typed(key, "a length of time like 90s, or a number of seconds", |value| match value {
            Value::String(text) => text.parse().ok(),
            other => seconds(other),
        })
    }

    /// What `read` makes of the value of a key, if there is one.
    pub(super) fn typed<T>(
        self,
        key: &str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, TaskError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(self.refused(key, &format!("expected {expected}, found {}", shown(value)))),
        }
    }

    /// The error for a key whose value cannot be used.
    pub(super) fn refused(self, key: &str, reason: &str) -> TaskError {
        invalid(format!("{}: with.{key}: {reason}", self.kind))
    }
}

/// The text that a value becomes where a program is to read it: text as it is, all else as JSON.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_json(),
    }
}

/// A text, or a value that becomes one; nothing of a list, a map or null.
#[cfg(feature = "shell")]
pub(super) fn word(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::List(_) | Value::Map(_) => None,
        Value::Bool(_) | Value::Integer(_) | Value::Real(_) | Value::String(_) => Some(plain(value)),
    }
}

fn seconds(value: &Value) -> Option<Duration> {
    if let Value::Integer(seconds) = value {
        return u64::try_from(*seconds).ok().map(Duration::from_seconds);
    }
    let seconds = std::time::Duration::try_from_secs_f64(value.as_f64()?).ok()?;
    Some(seconds.into())
}

/// A value may be secret or long: only what cannot be either is shown.
fn shown(value: &Value) -> String {
    match value {
        Value::Bool(_) | Value::Integer(_) | Value::Real(_) => value.to_json(),
        other => format!("a {}", other.kind()),
    }
}

fn invalid(message: String) -> TaskError {
    TaskError::permanent(message).code(ErrorCode::CONFIGURATION_INVALID)
}
