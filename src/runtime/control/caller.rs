//! The other process's side of the control socket: finds the holder of a log, asks, and waits for the answer.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use crate::definition::Definition;
use crate::ids::WorkflowId;
use crate::limits::{CONTROL_ANSWER_SECONDS, CONTROL_GREETING_SECONDS, CONTROL_LINE_BYTES_MAX};
use crate::runtime::error::{Error, RemoteReason};
use crate::runtime::inbox::Answer;
use crate::runtime::start::{By, Start, workdir};

use super::answer::{ControlAnswer, Drives, Holder};
use super::door;
use super::line::{Line, Lines};
use super::people::Asking;
use super::request::{Beginning, ControlRequest, DefinitionText};

/// A connection to the engine that holds a log, in another process of this machine.
///
/// What is asked here is done by that engine, as if its own program had asked. An answer that gets lost
/// ([`Error::NoAnswer`]) leaves open whether the command had its effect; sent again with the same id, to the same
/// engine or to the next one that holds the log, it has no second one: a start is known by the id of its workflow, any
/// other command by that of [`By::command`].
///
/// ```no_run
/// use stabilize::{By, Config, Control, Engine, Registry, WorkflowId};
///
/// # fn main() -> Result<(), stabilize::Error> {
/// # let workflow = WorkflowId::generate();
/// match Control::connect(".stabilize")? {
///     Some(mut control) => control.cancel(workflow, By::user("alice"))?,
///     // Nobody holds the log, or whoever does has no control socket; then this says so.
///     None => Engine::open(Config::at(".stabilize"), Registry::with_builtins())?.cancel(workflow, By::user("alice"))?,
/// };
/// # Ok(())
/// # }
/// ```
pub struct Control {
    lines: Lines,
    holder: Holder,
}

impl Control {
    /// Connects to the engine that holds the log in this directory; `None` if nobody answers for it: no engine has it
    /// open, or one that was told not to listen, or that has not begun to yet.
    ///
    /// # Errors
    ///
    /// If the directory cannot be looked at, or the engine speaks another version of the protocol.
    pub fn connect(directory: impl AsRef<Path>) -> Result<Option<Control>, Error> {
        let directory = directory.as_ref();
        let io = |source| Error::Io { operation: "look for the holder of", path: directory.to_path_buf(), source };
        let Some(found) = door::find(directory).map_err(io)? else { return Ok(None) };
        for stream in found.connections {
            let lines = Lines::new(stream, Duration::from_secs(CONTROL_ANSWER_SECONDS)).map_err(io)?;
            match greet(lines) {
                // The directory may be a copy, and name the holder of the original.
                Ok(control) if control.holder.log == found.log => return Ok(Some(control)),
                Ok(_) => (),
                Err(Error::NoAnswer { source }) => tracing::debug!(%source, "no holder answers for this log"),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The process of the engine.
    pub fn pid(&self) -> u32 {
        self.holder.pid
    }

    /// The version of the library it uses.
    pub fn version(&self) -> &str {
        &self.holder.version
    }

    /// Does it drive every open workflow of the log? If not, one that is started here is only recorded, unless
    /// [`Control::drive`] says that it shall be driven.
    pub fn drives_all(&self) -> bool {
        self.holder.drives == Drives::All
    }

    /// Begins a workflow, as [`Engine::submit`](crate::Engine::submit). A relative working directory is one of this
    /// process; what its programs find in their environment comes from the other.
    ///
    /// # Errors
    ///
    /// If the engine refuses it ([`Error::Remote`]), or gives no answer ([`Error::NoAnswer`]).
    pub fn submit(&mut self, definition: &Definition, start: Start) -> Result<WorkflowId, Error> {
        let workflow = start.id.unwrap_or_else(WorkflowId::generate);
        let workdir = workdir(&start)?;
        let start = Start { id: Some(workflow), workdir: Some(workdir.into()), ..start };
        let definition = DefinitionText::of(definition);
        self.accepted(&ControlRequest::Start(Box::new(Beginning { workflow, definition, start })))?;
        Ok(workflow)
    }

    /// Asks for the end of a workflow, as [`Engine::cancel`](crate::Engine::cancel).
    ///
    /// # Errors
    ///
    /// As [`Control::submit`].
    pub fn cancel(&mut self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        self.accepted(&ControlRequest::Cancel(Asking { workflow, by: by.with_id() }))
    }

    /// Asks for the end of a workflow and of what it does then, as
    /// [`Engine::force_cancel`](crate::Engine::force_cancel).
    ///
    /// # Errors
    ///
    /// As [`Control::submit`].
    pub fn force_cancel(&mut self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        self.accepted(&ControlRequest::ForceCancel(Asking { workflow, by: by.with_id() }))
    }

    /// Has the engine drive this workflow from now on, as [`Engine::drive`](crate::Engine::drive).
    ///
    /// # Errors
    ///
    /// As [`Control::submit`].
    pub fn drive(&mut self, workflow: WorkflowId) -> Result<(), Error> {
        match self.ask(&ControlRequest::Drive(workflow))? {
            ControlAnswer::Driven => Ok(()),
            other => Err(beside_the_point(&other)),
        }
    }

    /// Does the engine drive this workflow, or would it if there were one under this id?
    ///
    /// # Errors
    ///
    /// As [`Control::submit`].
    pub fn drives(&mut self, workflow: WorkflowId) -> Result<bool, Error> {
        match self.ask(&ControlRequest::Drives(workflow))? {
            ControlAnswer::Driven => Ok(true),
            ControlAnswer::NotDriven => Ok(false),
            other => Err(beside_the_point(&other)),
        }
    }

    /// Waits until the engine has ended, in order or killed. Whether its log is free by then is open: the lock of a
    /// killed process may last a moment longer than its connections.
    ///
    /// # Errors
    ///
    /// If the engine refuses, because too many wait already; or gives no answer and has not hung up.
    pub fn wait_for_end(mut self) -> Result<(), Error> {
        match self.stay() {
            Ok(()) => (),
            // It has ended before it was asked, or while it was: that is what is waited for.
            Err(Error::NoAnswer { source }) if is_hung_up(&source) => return Ok(()),
            Err(error) => return Err(error),
        }
        self.hear_the_end();
        Ok(())
    }

    /// Keeps the connection open until the engine ends.
    pub(super) fn stay(&mut self) -> Result<(), Error> {
        match self.ask(&ControlRequest::Stay)? {
            ControlAnswer::Staying => Ok(()),
            other => Err(beside_the_point(&other)),
        }
    }

    /// Waits on a connection that stays.
    pub(super) fn hear_the_end(mut self) {
        // Nothing will come but the end; what comes all the same is none of our business.
        while let Ok(Line::Whole(_) | Line::Late) = self.lines.next(Duration::from_secs(CONTROL_ANSWER_SECONDS)) {}
    }

    pub(super) fn accepted(&mut self, request: &ControlRequest) -> Result<Answer, Error> {
        match self.ask(request)? {
            ControlAnswer::Accepted(answer) => Ok(answer),
            other => Err(beside_the_point(&other)),
        }
    }

    fn ask(&mut self, request: &ControlRequest) -> Result<ControlAnswer, Error> {
        ask(&mut self.lines, request, Duration::from_secs(CONTROL_ANSWER_SECONDS))
    }
}

fn greet(mut lines: Lines) -> Result<Control, Error> {
    match ask(&mut lines, &ControlRequest::Ping, Duration::from_secs(CONTROL_GREETING_SECONDS))? {
        ControlAnswer::Holder(holder) => Ok(Control { lines, holder }),
        other => Err(beside_the_point(&other)),
    }
}

/// Is nobody at the other end any more?
fn is_hung_up(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof)
}

/// Asks, and waits for the answer; a refusal is an error.
fn ask(lines: &mut Lines, request: &ControlRequest, within: Duration) -> Result<ControlAnswer, Error> {
    let line = request.line();
    if line.len() > CONTROL_LINE_BYTES_MAX {
        let message = format!("the request has {} bytes, more than {CONTROL_LINE_BYTES_MAX}", line.len());
        return Err(Error::Remote { reason: RemoteReason::Input, message });
    }
    let no_answer = |source| Error::NoAnswer { source };
    lines.write(&line).map_err(no_answer)?;
    let said = match lines.next(within).map_err(no_answer)? {
        Line::Whole(said) => said,
        Line::End | Line::Half => return Err(no_answer(ErrorKind::UnexpectedEof.into())),
        Line::Late => return Err(no_answer(ErrorKind::TimedOut.into())),
        Line::TooLong => return Err(no_answer(ErrorKind::InvalidData.into())),
    };
    match ControlAnswer::read(&said) {
        Some(ControlAnswer::Refused { reason, message }) => Err(Error::Remote { reason, message }),
        Some(answer) => Ok(answer),
        None => Err(no_answer(io::Error::new(ErrorKind::InvalidData, "what it says is no answer this version knows"))),
    }
}

fn beside_the_point(answer: &ControlAnswer) -> Error {
    let said = answer.line();
    let message = format!("what it says is not what was asked: {}", said.trim_end());
    Error::NoAnswer { source: io::Error::new(ErrorKind::InvalidData, message) }
}
