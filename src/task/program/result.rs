//! The JSON file with which a program gives another outcome than success.
//!
//! Pure: text in, an outcome out.

use crate::failure::ErrorCode;
use crate::task::outcome::{Outcome, TaskError};
use crate::time::Duration;
use crate::value::{Map, Value};

const OUTCOMES: [&str; 11] = [
    "success",
    "running",
    "suspend",
    "skipped",
    "stopped",
    "terminal",
    "failed_continue",
    "canceled",
    "transient",
    "jump_to",
    "redirect",
];

/// The answer in the text of a result file; `reserved` outputs are refused.
///
/// Its keys: `outcome` (default `success`), `outputs`, `context`, `error` and `code` (of `terminal`, `failed_continue`
/// and `transient`), `retry_after` (of `running` and `transient`), `context_update` (of `transient`) and `signals` (of
/// `suspend`: the names of those that wake it; any if there are none), `stage` (of `jump_to`: where control goes).
///
/// # Errors
///
/// The transient error that the file asks for, or a permanent one, VALIDATION_FAILED, that says what is wrong with it.
pub(super) fn parse(text: &str, reserved: &[&str]) -> Result<Outcome, TaskError> {
    let value = Value::from_json(text).map_err(|error| invalid(&error.to_string()))?;
    let Value::Map(mut entries) = value else {
        return Err(invalid("expected a map"));
    };
    let outcome = taken(&mut entries, "outcome", "a text", text_of)?.unwrap_or_else(|| "success".to_owned());
    let outputs = taken(&mut entries, "outputs", "a map", map_of)?.unwrap_or_default();
    let context = taken(&mut entries, "context", "a map", map_of)?.unwrap_or_default();
    if let Some(name) = reserved.iter().find(|name| outputs.contains_key(**name)) {
        return Err(invalid(&format!("outputs.{name}: the name is taken by what every program leaves")));
    }
    let answer = match outcome.as_str() {
        "success" => Ok(Outcome::success()),
        "running" => {
            let running = Outcome::running();
            Ok(match length(&mut entries)? {
                Some(length) => running.after(length),
                None => running,
            })
        }
        "suspend" => {
            let names = taken(&mut entries, "signals", "a list of names", names_of)?.unwrap_or_default();
            Ok(names.into_iter().fold(Outcome::suspend(), Outcome::until_signal))
        }
        "jump_to" => match taken(&mut entries, "stage", "the name of a stage", text_of)? {
            Some(stage) => Ok(Outcome::jump_to(stage)),
            None => return Err(invalid("stage: jump_to needs the name of a stage")),
        },
        "redirect" => Ok(Outcome::redirect()),
        "skipped" => Ok(Outcome::skipped()),
        "stopped" => Ok(Outcome::stopped()),
        "canceled" => Ok(Outcome::canceled()),
        "terminal" => Ok(Outcome::terminal(error(&mut entries, &outcome)?)),
        "failed_continue" => Ok(Outcome::failed_continue(error(&mut entries, &outcome)?)),
        "transient" => Err(transient(&mut entries)?),
        other => return Err(invalid(&format!("outcome: {other:?} is none of {}", OUTCOMES.join(", ")))),
    };
    if let Some(key) = entries.keys().next() {
        return Err(invalid(&format!("key {key:?} does not belong to the outcome {outcome}")));
    }
    match answer {
        Ok(outcome) => {
            let outcome = outcome.outputs(outputs);
            Ok(context.into_iter().fold(outcome, |outcome, (key, value)| outcome.context(key, value)))
        }
        Err(error) if context.is_empty() => Err(error.outputs_below(outputs)),
        Err(_) => Err(invalid("context: a transient error has context_update")),
    }
}

fn error(entries: &mut Map, outcome: &str) -> Result<TaskError, TaskError> {
    let message = taken(entries, "error", "a text", text_of)?;
    let message = message.unwrap_or_else(|| format!("the program asked for the outcome {outcome}"));
    let error = TaskError::permanent(message);
    Ok(match code(entries)? {
        Some(code) => error.code(code),
        None => error,
    })
}

fn transient(entries: &mut Map) -> Result<TaskError, TaskError> {
    let message = taken(entries, "error", "a text", text_of)?;
    let mut error = TaskError::transient(message.unwrap_or_else(|| "the program asked to be tried again".to_owned()));
    if let Some(code) = code(entries)? {
        error = error.code(code);
    }
    if let Some(length) = length(entries)? {
        error = error.retry_after(length);
    }
    let update = taken(entries, "context_update", "a map", map_of)?.unwrap_or_default();
    Ok(update.into_iter().fold(error, |error, (key, value)| error.context_update(key, value)))
}

fn code(entries: &mut Map) -> Result<Option<ErrorCode>, TaskError> {
    taken(entries, "code", "a code like NETWORK_ERROR", |value| value.as_str()?.parse().ok())
}

fn length(entries: &mut Map) -> Result<Option<Duration>, TaskError> {
    taken(entries, "retry_after", "a length of time like 90s", |value| value.as_str()?.parse().ok())
}

fn text_of(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn names_of(value: &Value) -> Option<Vec<String>> {
    value.as_list()?.iter().map(text_of).collect()
}

fn map_of(value: &Value) -> Option<Map> {
    value.as_map().cloned()
}

/// Takes a key out, so that what is left at the end is what nobody asked for. Null counts as not there.
fn taken<T>(
    entries: &mut Map,
    key: &str,
    expected: &str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<Option<T>, TaskError> {
    match entries.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match read(&value) {
            Some(read) => Ok(Some(read)),
            None => Err(invalid(&format!("{key}: expected {expected}, found {}", value.kind()))),
        },
    }
}

fn invalid(reason: &str) -> TaskError {
    TaskError::permanent(format!("the result file: {reason}")).code(ErrorCode::VALIDATION_FAILED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_can_be_asked_for() {
        let second = Duration::from_seconds(1);
        let error = || TaskError::permanent("no").code(ErrorCode::from_static("MINE"));
        for (text, expected) in [
            ("{}", Ok(Outcome::success())),
            (r#"{"outcome":null}"#, Ok(Outcome::success())),
            (r#"{"outputs":{"a":1},"context":{"b":2}}"#, Ok(Outcome::success().output("a", 1).context("b", 2))),
            (r#"{"outcome":"running"}"#, Ok(Outcome::running())),
            (
                r#"{"outcome":"running","retry_after":"1s","context":{"b":2}}"#,
                Ok(Outcome::running().after(second).context("b", 2)),
            ),
            (r#"{"outcome":"jump_to","stage":"s","context":{"b":2}}"#, Ok(Outcome::jump_to("s").context("b", 2))),
            (r#"{"outcome":"redirect","outputs":{"a":1}}"#, Ok(Outcome::redirect().output("a", 1))),
            (r#"{"outcome":"suspend"}"#, Ok(Outcome::suspend())),
            (
                r#"{"outcome":"suspend","signals":["go","stop"],"context":{"b":2}}"#,
                Ok(Outcome::suspend().until_signal("go").until_signal("stop").context("b", 2)),
            ),
            (r#"{"outcome":"skipped"}"#, Ok(Outcome::skipped())),
            (r#"{"outcome":"stopped","outputs":{"a":1}}"#, Ok(Outcome::stopped().output("a", 1))),
            (r#"{"outcome":"canceled"}"#, Ok(Outcome::canceled())),
            (r#"{"outcome":"terminal","error":"no","code":"MINE"}"#, Ok(Outcome::terminal(error()))),
            (r#"{"outcome":"failed_continue","error":"no","code":"MINE"}"#, Ok(Outcome::failed_continue(error()))),
            (r#"{"outcome":"terminal"}"#, Ok(Outcome::terminal("the program asked for the outcome terminal"))),
            (
                r#"{"outcome":"transient","error":"no","retry_after":"1s","context_update":{"n":3}}"#,
                Err(TaskError::transient("no").retry_after(second).context_update("n", 3)),
            ),
        ] {
            assert_eq!(parse(text, &[]), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for (text, reason) in [
            ("", "the result file: expected"),
            ("[]", "expected a map"),
            (r#"{"outcome":"happy"}"#, "\"happy\" is none of success"),
            (r#"{"outcome":"jump_to"}"#, "stage: jump_to needs the name of a stage"),
            (r#"{"outcome":"redirect","stage":"x"}"#, "does not belong to the outcome redirect"),
            (r#"{"outcome":"stopped","stage":"x"}"#, "does not belong to the outcome stopped"),
            (r#"{"outcome":"suspend","signals":"x"}"#, "signals: expected a list of names"),
            (r#"{"outcome":"suspend","signals":[1]}"#, "signals: expected a list of names"),
            (r#"{"signals":["x"]}"#, "\"signals\" does not belong to the outcome success"),
            (r#"{"outcome":1}"#, "outcome: expected a text, found integer"),
            (r#"{"outputs":[]}"#, "outputs: expected a map"),
            (r#"{"outputs":{"stdout":"x"}}"#, "outputs.stdout: the name is taken"),
            (r#"{"retry_after":"1s"}"#, "\"retry_after\" does not belong to the outcome success"),
            (r#"{"outcome":"running","retry_after":1}"#, "retry_after: expected a length of time"),
            (r#"{"outcome":"terminal","code":"lower"}"#, "code: expected a code"),
            (r#"{"outcome":"transient","context":{"a":1}}"#, "context_update"),
            (r#"{"out_come":"success"}"#, "\"out_come\" does not belong"),
        ] {
            let parts = parse(text, &["stdout"]).unwrap_err().into_parts();
            assert!(parts.failure.message().contains(reason), "{text}: {}", parts.failure);
            assert_eq!(parts.failure.code(), &ErrorCode::VALIDATION_FAILED);
        }
    }
}
