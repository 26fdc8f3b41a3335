//! Why work failed: class, code, message and causes, as plain data of bounded size.
//!
//! Vocabulary of tasks, events and the machine; decides nothing. What a class means for retrying stands in a
//! definition's `retry`, and the machine reads it there.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits::{CAUSES_MAX, ERROR_BYTES_MAX, ERROR_CODE_BYTES_MAX};

/// What stands behind a text that was cut.
const CUT: &str = " [TRUNCATED]";

/// What kind of failure it is, as `retry: {on: [..]}` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorClass {
    /// It may pass by itself: a refused connection, a busy resource.
    Transient,
    /// Trying again gives the same.
    Permanent,
    /// A program ended with an exit code that was not expected.
    Exit,
    /// An attempt took longer than its timeout and was stopped.
    Timeout,
}

impl ErrorClass {
    /// The class as definitions and people write it: `transient`, `permanent`, `exit` or `timeout`.
    pub fn name(self) -> &'static str {
        match self {
            ErrorClass::Transient => "transient",
            ErrorClass::Permanent => "permanent",
            ErrorClass::Exit => "exit",
            ErrorClass::Timeout => "timeout",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that should have been an error code and is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an error code; write capitals, digits and underscores, like NETWORK_ERROR")]
pub struct InvalidErrorCode {
    text: String,
}

/// Name of a reason for programs to branch on: `[A-Z][A-Z0-9_]*`, at most 64 bytes.
///
/// The set is open: the constants are the ones this engine uses itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ErrorCode(Cow<'static, str>);

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $cure:literal;)+) => {
        impl ErrorCode {
            $($(#[doc = $doc])+ pub const $name: ErrorCode = ErrorCode::from_static(stringify!($name));)+

            /// Every code this engine uses itself.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$name,)+];

            /// What it means and what to do about it, in a sentence each; `None` for a code that is not this engine's.
            fn explained(&self) -> Option<(&'static str, &'static str)> {
                match self.as_str() {
                    $(stringify!($name) => Some((concat!($($doc,)+).trim_ascii(), $cure)),)+
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// Nothing is known of the reason.
    UNKNOWN = "read the message and its causes; give the task's errors a code of their own";
    /// The machine refused: files, processes, memory.
    SYSTEM_ERROR = "look at the message: space, rights, open files, memory; then retry";
    /// The task's own code or program failed.
    USER_CODE_ERROR = "read the end of its standard error (`stabilize logs ID STAGE`) and mend the program or task";
    /// Something was larger, or there was more of it, than is allowed.
    RESOURCE_EXHAUSTED = "write large results to a file and give its name as the output";
    /// An attempt took longer than its timeout.
    TASK_TIMEOUT = "give it a larger `timeout`, or find out what it waits for";
    /// No task is registered under this name.
    TASK_NOT_FOUND = "register the task under this name, or correct `uses`";
    /// What this work builds on has failed.
    UPSTREAM_DEPENDENCY_FAILED = "mend what failed before; this only follows from it";
    /// The settings of the task cannot be used.
    CONFIGURATION_INVALID = "correct the key of `with`, `env` or `cwd` that the message names";
    /// Someone else changed the same thing first.
    CONCURRENCY_CONFLICT = "read what is there now and try again";
    /// The other side does not know or does not allow us.
    AUTHENTICATION_FAILED = "check the credentials and what they are allowed to do";
    /// A secret that a task asks for is missing, or cannot be masked: it is too short or too long.
    SECRET_UNAVAILABLE = "set `STABILIZE_SECRET_NAME` for the engine, or put it into the file of `--secrets`; then retry";
    /// Data does not have the form it must have.
    VALIDATION_FAILED = "look at the data the message names, and at who made them";
    /// The other side could not be reached or hung up.
    NETWORK_ERROR = "check address and network; with `retry` a short failure passes by itself";
    /// Calls are held back since too many of them failed.
    CIRCUIT_OPEN = "wait: calls go on by themselves once the other side answers again";
    /// Too many calls run already.
    BULKHEAD_FULL = "wait, or allow more of these tasks at once";
    /// A check of the outputs failed.
    VERIFICATION_FAILED = "compare the outputs with what `verification` asks for";
    /// A server answered with a status that is not expected, or redirects where that is not followed.
    HTTP_STATUS = "look at the outputs of the failed attempt; say with `expected_status` what else is expected";
    /// A request leads to an address that is not one of the internet.
    ADDRESS_REFUSED = "name the host in `allow_hosts`, or write `allow_private_urls: true`, if it is meant to be reached";
    /// An answer is longer than the task may take.
    LIMIT_RESPONSE = "raise `max_response_size`, or write the answer to a file with `download_to`";
    /// No protected connection could be made with a server.
    TLS_FAILED = "check the name in `url` and the certificates: `ca_cert`, `client_cert`, `client_key`";
    /// State could not be brought back after a crash.
    RECOVERY_FAILED = "verify the log (`stabilize log verify`) and read the message";
    /// The process that did the work ended under it, several times in a row.
    WORKER_LOST = "find out why the task kills the process that runs it: memory, a signal, a crash in native code";
    /// A `deadline` has passed.
    DEADLINE_EXCEEDED = "give it a longer `deadline`, or find out what took so long (`stabilize events ID`)";
    /// A template names a value that is missing or null.
    VALUE_MISSING = "give the value a default, or test for it with `if`";
    /// No condition of a split holds and it has no default.
    NO_BRANCH = "add `split_default`, or a condition that holds in this case";
    /// Tokens are left that no stage can ever consume.
    DEADLOCK = "look at the arcs that are listed: let the join wait for one branch only (`join_type: XOR`), or let both run";
    /// OR-joins wait for each other, and nothing else moves.
    OR_JOIN_CYCLE = "let one of the joins not depend on the other, or make it `join_type: MULTI_MERGE`";
    /// A loop turns without outside work in it.
    INSTANT_LOOP = "put a task or a wait into the loop";
    /// Control has come back over an arc as often as its `max_iterations` allows, or tasks have jumped as often as
    /// `max_jumps` of the workflow does.
    LOOP_LIMIT = "raise max_iterations or max_jumps, or let the condition of the loop end it earlier";
    /// The milestone that a stage waited for can hold no more.
    MILESTONE_MISSED = "write milestone_policy: wait_skip to have the stage passed by instead";
    /// A task has jumped to a stage that is not among the `jump_targets` of its own.
    UNDECLARED_JUMP = "name the stage in `jump_targets` of the stage that jumps";
    /// A task goes back to the beginning of a loop of tasks and stands in none.
    NO_LOOP_START = "write `loop_start: true` on the task to which it is to go back";
    /// A task has jumped to a stage that does not stand in the block of its own.
    JUMP_OUT_OF_SCOPE = "jump inside the block, and let the stage around it send control on";
    /// A jump leads to a stage with more incoming arcs than one event names, or would undo more than that.
    LIMIT_JUMP = "jump to a stage of its own before that one, or back to a later one";
    /// A condition could not be computed.
    CONDITION_FAILED = "correct the expression, or say with `on_condition_error` what an error means";
    /// More tokens than one workflow may hold.
    LIMIT_TOKENS = "split the work into several workflows";
    /// More bytes of data than one event may hold.
    LIMIT_PAYLOAD = "write large data to a file and give its name as the value";
    /// The workflow that a stage called did not succeed.
    CHILD_FAILED = "look at the workflow that the message names (`stabilize show ID`)";
    /// The workflow that a stage called cannot be created.
    CHILD_REFUSED = "correct the inputs that the stage gives it";
    /// Workflows call each other deeper than is allowed.
    RECURSION_LIMIT = "let the calls end sooner, or allow more with `max_depth`";
    /// Whoever did the work by hand said that it has failed.
    FAILED_BY_HAND = "read what they said; who it was stands in the event (`stabilize events ID`)";
    /// The approval was rejected, by somebody or because its deadline has passed.
    APPROVAL_REJECTED = "read the comment; `on_reject: continue` lets what follows go on";
    /// A branch brought a second token to a structured join before it had started over.
    STRUCTURE_VIOLATION = "write `join_mode: blocking`, and tell us: the definition was taken for a structured one";
    /// A join waits for more arrivals than can still come, or too many instances have failed.
    THRESHOLD_UNREACHABLE = "lower `join_threshold`, say with `on_unreachable: skip` that it passes by, or mend what ended early or failed";
    /// More instances have to be done than there are.
    THRESHOLD_GT_COUNT = "lower join_threshold, or look at where the number of instances comes from";
    /// There are fewer instances than min_instances or more than max_instances.
    INSTANCES_OUT_OF_BOUNDS = "look at where the number of instances comes from, or change the bounds";
    /// There are more instances than an activation may have.
    LIMIT_INSTANCES = "split the work: give each instance several items";
}

/// The page that explains every code.
const PAGE: &str = "docs/ERRORS.md";

/// Where the documentation explains the code with this name.
pub(crate) fn anchor(name: &str) -> String {
    format!("{PAGE}#{}", name.to_ascii_lowercase())
}

impl ErrorCode {
    /// What it means, in a sentence; `None` for a code that is not this engine's.
    pub fn meaning(&self) -> Option<&'static str> {
        self.explained().map(|(meaning, _)| meaning)
    }

    /// What to do about it, in a sentence; `None` for a code that is not this engine's.
    pub fn cure(&self) -> Option<&'static str> {
        self.explained().map(|(_, cure)| cure)
    }

    /// Where the documentation explains it: `docs/ERRORS.md#deadlock`; `None` for a code that is not this engine's.
    pub fn anchor(&self) -> Option<String> {
        self.explained().map(|_| anchor(self.as_str()))
    }
}

impl ErrorCode {
    /// The code with this text.
    ///
    /// # Errors
    ///
    /// If the text is not of the shape `[A-Z][A-Z0-9_]*` or longer than 64 bytes.
    pub fn new(text: impl Into<String>) -> Result<ErrorCode, InvalidErrorCode> {
        let text = text.into();
        if is_code(text.as_bytes()) {
            Ok(ErrorCode(Cow::Owned(text)))
        } else {
            Err(InvalidErrorCode { text: text.chars().take(80).collect() })
        }
    }

    /// The code with this text, for constants: `const MINE: ErrorCode = ErrorCode::from_static("MINE");`.
    ///
    /// # Panics
    ///
    /// If the text is not of the shape `[A-Z][A-Z0-9_]*` or longer than 64 bytes; in a constant the compiler says so.
    pub const fn from_static(text: &'static str) -> ErrorCode {
        assert!(is_code(text.as_bytes()), "an error code is [A-Z][A-Z0-9_]*, at most 64 bytes");
        ErrorCode(Cow::Borrowed(text))
    }

    /// The text of the code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn is_code(bytes: &[u8]) -> bool {
    if bytes.is_empty() || bytes.len() > ERROR_CODE_BYTES_MAX || !bytes[0].is_ascii_uppercase() {
        return false;
    }
    let mut index = 1;
    while index < bytes.len() {
        if !(bytes[index].is_ascii_uppercase() || bytes[index].is_ascii_digit() || bytes[index] == b'_') {
            return false;
        }
        index += 1;
    }
    true
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ErrorCode {
    type Err = InvalidErrorCode;

    fn from_str(text: &str) -> Result<ErrorCode, InvalidErrorCode> {
        ErrorCode::new(text)
    }
}

impl TryFrom<String> for ErrorCode {
    type Error = InvalidErrorCode;

    fn try_from(text: String) -> Result<ErrorCode, InvalidErrorCode> {
        ErrorCode::new(text)
    }
}

impl From<ErrorCode> for String {
    fn from(code: ErrorCode) -> String {
        code.0.into_owned()
    }
}

/// One failure as events keep it. Message and causes together are at most 100 KiB; what is cut says so at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    code: ErrorCode,
    class: ErrorClass,
    message: String,
    causes: Vec<String>,
}

impl Failure {
    /// A failure without causes.
    pub fn new(code: ErrorCode, class: ErrorClass, message: impl Into<String>) -> Failure {
        Failure { code, class, message: truncated(message.into(), ERROR_BYTES_MAX), causes: Vec::new() }
    }

    /// The same failure with one more cause behind those it has: what lies below the last one.
    ///
    /// Causes beyond the 32nd, and those for which no bytes are left, are dropped.
    pub fn caused_by(mut self, cause: impl Into<String>) -> Failure {
        let left = ERROR_BYTES_MAX.saturating_sub(self.bytes());
        if self.causes.len() < CAUSES_MAX && left > CUT.len() {
            self.causes.push(truncated(cause.into(), left));
        }
        self
    }

    /// The reason's name.
    pub fn code(&self) -> &ErrorCode {
        &self.code
    }

    /// What kind of failure it is.
    pub fn class(&self) -> ErrorClass {
        self.class
    }

    /// What happened, for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Bytes of message and causes.
    pub(crate) fn bytes(&self) -> usize {
        self.message.len() + self.causes.iter().map(String::len).sum::<usize>()
    }

    /// What it was caused by, nearest first.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// `text`, or as much of its beginning as fits with the mark of a cut into `bytes_max` bytes.
fn truncated(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max - CUT.len()));
        text.push_str(CUT);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_capitals_digits_and_underscores() {
        for (text, is_code) in [
            ("A", true),
            ("HTTP_404", true),
            ("", false),
            ("_A", false),
            ("4XX", false),
            ("lower", false),
            ("WITH SPACE", false),
            ("Ä", false),
        ] {
            assert_eq!(ErrorCode::new(text).is_ok(), is_code, "{text:?}");
        }
        assert!(ErrorCode::new("A".repeat(64)).is_ok());
        assert!(ErrorCode::new("A".repeat(65)).is_err());
        assert_eq!("NETWORK_ERROR".parse(), Ok(ErrorCode::NETWORK_ERROR));
    }

    #[test]
    fn the_engines_own_codes_are_explained() {
        for code in ErrorCode::ALL {
            assert!(code.meaning().is_some() && code.cure().is_some(), "{code}");
        }
        assert_eq!(ErrorCode::DEADLOCK.anchor().as_deref(), Some("docs/ERRORS.md#deadlock"));
        assert_eq!(ErrorCode::from_static("MINE").anchor(), None);
    }

    #[test]
    fn the_sixteen_codes_of_the_seed_are_among_them() {
        for name in [
            "UNKNOWN",
            "SYSTEM_ERROR",
            "USER_CODE_ERROR",
            "RESOURCE_EXHAUSTED",
            "TASK_TIMEOUT",
            "TASK_NOT_FOUND",
            "UPSTREAM_DEPENDENCY_FAILED",
            "CONFIGURATION_INVALID",
            "CONCURRENCY_CONFLICT",
            "AUTHENTICATION_FAILED",
            "VALIDATION_FAILED",
            "NETWORK_ERROR",
            "CIRCUIT_OPEN",
            "BULKHEAD_FULL",
            "VERIFICATION_FAILED",
            "RECOVERY_FAILED",
        ] {
            assert!(ErrorCode::ALL.iter().any(|code| code.as_str() == name), "{name}");
        }
    }

    #[test]
    fn a_long_message_is_cut_at_a_character_and_says_so() {
        for shift in 0..4 {
            let text = "x".repeat(shift) + &"\u{1F600}".repeat(ERROR_BYTES_MAX / 4 + 1);
            let failure = Failure::new(ErrorCode::UNKNOWN, ErrorClass::Permanent, text);
            assert!(failure.message().len() <= ERROR_BYTES_MAX);
            assert!(failure.message().len() > ERROR_BYTES_MAX - 4 - CUT.len());
            assert!(failure.message().ends_with(CUT));
        }
        let whole = "x".repeat(ERROR_BYTES_MAX);
        assert_eq!(Failure::new(ErrorCode::UNKNOWN, ErrorClass::Permanent, whole.clone()).message(), whole);
    }

    #[test]
    fn causes_share_the_bytes_of_the_message() {
        let mut failure = Failure::new(ErrorCode::UNKNOWN, ErrorClass::Transient, "top");
        for cause in ["middle".to_string(), "y".repeat(2 * ERROR_BYTES_MAX), "dropped".to_string()] {
            failure = failure.caused_by(cause);
        }
        assert_eq!(failure.causes().len(), 2);
        assert_eq!(failure.causes()[0], "middle");
        let bytes = failure.message().len() + failure.causes().iter().map(String::len).sum::<usize>();
        assert_eq!(bytes, ERROR_BYTES_MAX);

        let many = (0..100).fold(Failure::new(ErrorCode::UNKNOWN, ErrorClass::Exit, ""), |f, _| f.caused_by(""));
        assert_eq!(many.causes().len(), CAUSES_MAX);
    }

    #[test]
    fn a_code_that_was_stored_is_checked_when_it_is_read() {
        use serde::de::IntoDeserializer as _;
        use serde::de::value::{Error, StrDeserializer};

        let read = |text: &'static str| {
            let from: StrDeserializer<'static, Error> = text.into_deserializer();
            ErrorCode::deserialize(from)
        };
        assert_eq!(read("MINE"), Ok(ErrorCode::from_static("MINE")));
        assert!(read("mine").is_err());
    }
}
