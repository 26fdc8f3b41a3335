//! What is answered over a control socket: one JSON object a line, with `answer` and what it holds, or with `error`.
//!
//! Values and text only; knows no socket and no engine.

use crate::ids::Sequence;
use crate::runtime::error::{Error, RemoteReason, describe};
use crate::runtime::inbox::Answer;
use crate::value::{Map, Value};

use super::request::{VERSION, line, map};

/// Who holds the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// Its process.
    pub(super) pid: u32,
    /// The version of its library.
    pub(super) version: String,
    /// Which log that is: device and inode of its LOCK. A copy of a directory names the holder of the original.
    pub(super) log: LogIdentity,
    pub(super) drives: Drives,
}

/// Which file the LOCK of a log is, on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LogIdentity {
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// Which workflows an engine drives, as it tells others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drives {
    All,
    Some,
}

/// What the engine answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ControlAnswer {
    /// Who it is.
    Holder(Holder),
    /// The connection stays until the engine ends.
    Staying,
    /// The workflow is driven.
    Driven,
    /// It is not.
    NotDriven,
    /// The command has its effect.
    Accepted(Answer),
    /// It has not.
    Refused {
        /// What kind of reason there is.
        reason: RemoteReason,
        /// The reason itself.
        message: String,
    },
}

impl ControlAnswer {
    /// The refusal of a line that is no request.
    pub(super) fn not_understood(error: &(dyn std::error::Error + 'static)) -> ControlAnswer {
        ControlAnswer::Refused { reason: RemoteReason::NotUnderstood, message: describe(error) }
    }

    /// The refusal of a command.
    pub(super) fn refusal(error: &Error) -> ControlAnswer {
        ControlAnswer::Refused { reason: RemoteReason::of(error), message: describe(error) }
    }

    /// The line that stands for the answer, with its end.
    pub(super) fn line(&self) -> String {
        let sequenced = |word: &str, sequence: &Sequence| {
            line([("answer", word.into())], map([("sequence", Value::from(sequence.get()))]))
        };
        match self {
            ControlAnswer::Holder(Holder { pid, version, log, drives }) => {
                let drives = if *drives == Drives::All { "all" } else { "some" };
                let fields = [
                    ("pid", (*pid).into()),
                    ("engine", version.as_str().into()),
                    ("device", log.device.into()),
                    ("inode", log.inode.into()),
                    ("drives", drives.into()),
                ];
                line([("answer", "holder".into())], map(fields))
            }
            ControlAnswer::Staying => line([("answer", "staying".into())], Map::new()),
            ControlAnswer::Driven => line([("answer", "driven".into())], Map::new()),
            ControlAnswer::NotDriven => line([("answer", "not_driven".into())], Map::new()),
            ControlAnswer::Accepted(Answer::Applied(sequence)) => sequenced("applied", sequence),
            ControlAnswer::Accepted(Answer::Repeated(sequence)) => sequenced("repeated", sequence),
            ControlAnswer::Refused { reason, message } => {
                line([("error", reason.name().into())], map([("message", message.as_str().into())]))
            }
        }
    }

    /// The answer that a line, without its end, stands for; `None` if it stands for none that this version knows.
    pub(super) fn read(line: &[u8]) -> Option<ControlAnswer> {
        let value = Value::from_json(std::str::from_utf8(line).ok()?).ok()?;
        let text = |key: &str| value.get(key)?.as_str();
        if let Some(reason) = text("error") {
            // Told in any version, so that two that do not understand each other can say so.
            let message = text("message").unwrap_or("it does not say why").to_owned();
            return Some(ControlAnswer::Refused { reason: RemoteReason::named(reason), message });
        }
        if value.get("version") != Some(&Value::from(VERSION)) {
            return None;
        }
        let number = |key: &str| u64::try_from(value.get(key)?.as_integer()?).ok();
        let sequence = || number("sequence").and_then(Sequence::new);
        Some(match text("answer")? {
            "holder" => ControlAnswer::Holder(Holder {
                pid: u32::try_from(number("pid")?).ok()?,
                version: text("engine")?.to_owned(),
                log: LogIdentity { device: number("device")?, inode: number("inode")? },
                drives: if text("drives")? == "all" { Drives::All } else { Drives::Some },
            }),
            "staying" => ControlAnswer::Staying,
            "driven" => ControlAnswer::Driven,
            "not_driven" => ControlAnswer::NotDriven,
            "applied" => ControlAnswer::Accepted(Answer::Applied(sequence()?)),
            "repeated" => ControlAnswer::Accepted(Answer::Repeated(sequence()?)),
            _ => return None,
        })
    }
}
