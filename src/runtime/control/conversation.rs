//! One connection to a control socket, from the holder's side: lines in, answers out, until it ends.
//!
//! Whatever comes in, one line comes out for it, and the engine is asked only what a request says.

use std::io;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::limits::{CONTROL_LINE_BYTES_MAX, CONTROL_LINE_SECONDS, CONTROL_STAYING_MAX, CONTROL_WRITE_SECONDS};
use crate::machine::Verdict;
use crate::runtime::error::{RemoteReason, describe};
use crate::runtime::shared::Shared;

use super::answer::{ControlAnswer, Drives, Holder};
use super::claim::Claiming;
use super::instances::Counting;
use super::line::{Line, Lines};
use super::people::{Answering, Asking, Completing};
use super::request::{Beginning, ControlRequest};
use super::signal::{Closing, Signaling};

/// The holder as its connections know it.
pub(super) struct Host {
    pub(super) shared: Arc<Shared>,
    pub(super) holder: Holder,
    /// How many wait for the engine to end.
    pub(super) n_staying: AtomicUsize,
}

/// How a conversation ended.
pub(super) enum Parting {
    /// It is over.
    Over,
    /// The other end waits for the engine to end.
    Stays(UnixStream),
}

/// Talks with whoever is at the other end of `stream` until one of the two has enough.
pub(super) fn converse(host: &Host, stream: UnixStream) -> Parting {
    match talk(host, stream) {
        Ok(parting) => parting,
        Err(error) => {
            tracing::debug!(%error, "a control connection failed");
            Parting::Over
        }
    }
}

fn talk(host: &Host, stream: UnixStream) -> io::Result<Parting> {
    let mut lines = Lines::new(stream, Duration::from_secs(CONTROL_WRITE_SECONDS))?;
    loop {
        let line = match lines.next(Duration::from_secs(CONTROL_LINE_SECONDS))? {
            Line::Whole(line) => line,
            Line::End => return Ok(Parting::Over),
            Line::Half => return part(lines, "the connection ends in the middle of a request"),
            Line::TooLong => return part(lines, &format!("a request has at most {CONTROL_LINE_BYTES_MAX} bytes")),
            Line::Late => return part(lines, &format!("no request within {CONTROL_LINE_SECONDS} seconds")),
        };
        let request = match ControlRequest::read(&line) {
            Ok(request) => request,
            Err(error) => {
                lines.write(&ControlAnswer::not_understood(&error).line())?;
                if error.is_in_step() {
                    continue;
                }
                return Ok(Parting::Over);
            }
        };
        drop(line);
        // The engine guards its own parts; what panics here has read somebody's text, and harms nobody else.
        let answer = catch_unwind(AssertUnwindSafe(|| answer(host, request)));
        let answer = answer.unwrap_or_else(|_| ControlAnswer::Refused {
            reason: RemoteReason::Unusable,
            message: "the engine panicked while it read the request".to_owned(),
        });
        lines.write(&answer.line())?;
        if answer == ControlAnswer::Staying {
            return Ok(Parting::Stays(lines.into_stream()));
        }
    }
}

/// Says why, and ends.
fn part(mut lines: Lines, message: &str) -> io::Result<Parting> {
    let refusal = ControlAnswer::Refused { reason: RemoteReason::NotUnderstood, message: message.to_owned() };
    lines.write(&refusal.line())?;
    Ok(Parting::Over)
}

fn answer(host: &Host, request: ControlRequest) -> ControlAnswer {
    let shared = &host.shared;
    let accepted = match request {
        ControlRequest::Ping => return ControlAnswer::Holder(host.holder.clone()),
        ControlRequest::Stay => return stay(host),
        ControlRequest::Drive(workflow) => match shared.drive(workflow) {
            Ok(()) => return ControlAnswer::Driven,
            Err(error) => Err(error),
        },
        ControlRequest::Drives(workflow) => match shared.drives(workflow) {
            Ok(true) => return ControlAnswer::Driven,
            Ok(false) => return ControlAnswer::NotDriven,
            Err(error) => Err(error),
        },
        ControlRequest::Start(beginning) => {
            let Beginning { definition, start, workflow } = *beginning;
            match definition.definition() {
                Ok(definition) => shared.submit(&definition, start, workflow),
                Err(message) => return ControlAnswer::Refused { reason: RemoteReason::Definition, message },
            }
        }
        ControlRequest::Cancel(Asking { workflow, by }) => shared.cancel(workflow, by),
        ControlRequest::ForceCancel(Asking { workflow, by }) => shared.force_cancel(workflow, by),
        ControlRequest::Approve(answering) => {
            let Answering { workflow, work, approver } = *answering;
            shared.answer(workflow, &work, Verdict::Approved, approver)
        }
        ControlRequest::Reject(answering) => {
            let Answering { workflow, work, approver } = *answering;
            shared.answer(workflow, &work, Verdict::Rejected, approver)
        }
        ControlRequest::Pause(Asking { workflow, by }) => shared.pause(workflow, by),
        ControlRequest::Resume(Asking { workflow, by }) => shared.resume(workflow, by),
        ControlRequest::Complete(completing) => {
            let Completing { workflow, work, how, by } = *completing;
            shared.complete(workflow, &work, how, by)
        }
        ControlRequest::Signal(signaling) => {
            let Signaling { workflow, target, signal, by } = *signaling;
            shared.signal(workflow, target, signal, by)
        }
        ControlRequest::Claim(claiming) => {
            let Claiming { workflow, work, by } = *claiming;
            shared.claim(workflow, &work, by)
        }
        ControlRequest::CloseTrigger(closing) => {
            let Closing { workflow, stage, by } = *closing;
            shared.close_trigger(workflow, &stage, by)
        }
        ControlRequest::Instances(counting) => {
            let Counting { workflow, stage, ask, by } = *counting;
            shared.ask_instances(workflow, &stage, ask, by)
        }
    };
    accepted.map_or_else(|error| ControlAnswer::refusal(&error), ControlAnswer::Accepted)
}

fn stay(host: &Host) -> ControlAnswer {
    if let Err(error) = host.shared.check_poison() {
        // What they wait for has come.
        return ControlAnswer::Refused { reason: RemoteReason::Ending, message: describe(&error) };
    }
    let more = |count: usize| (count < CONTROL_STAYING_MAX).then_some(count + 1);
    match host.n_staying.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
        Ok(_) => ControlAnswer::Staying,
        Err(_) => ControlAnswer::Refused {
            reason: RemoteReason::Unusable,
            message: format!("{CONTROL_STAYING_MAX} others wait for this engine to end already"),
        },
    }
}

impl Drives {
    /// What an engine tells of what it drives.
    pub(super) fn of(drive: &crate::runtime::config::Drive) -> Drives {
        if *drive == crate::runtime::config::Drive::All { Drives::All } else { Drives::Some }
    }
}
