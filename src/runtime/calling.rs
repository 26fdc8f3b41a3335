//! What the owner does between workflows that called each other: the waiting side watches (R9).
//!
//! There is no acknowledgement between two streams. The state of the caller says what it waits for; the called workflow
//! is created if it is not there, and asked for its end if that is wanted; when it has closed, the caller is told. All
//! of it is done again after a crash, and each part has its effect once.

use crate::event::{Actor, CancelRequest};
use crate::ids::WorkflowId;
use crate::machine::{Command, Rejection, Request, begin_child, end_child};
use crate::time::Timestamp;

use super::commit::Outgoing;
use super::config::Drive;
use super::error::Error;
use super::owner::{Owner, spared};

/// Something to be done between two workflows. Whether it is still to be done, their states say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// The caller waits for this workflow: it is there, and its end is told.
    Begin(Call),
    /// The caller wants this workflow to end.
    Cancel(Call),
    /// This workflow has closed.
    Tell(Call),
}

/// A workflow and one that it called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) caller: WorkflowId,
    pub(super) child: WorkflowId,
}

impl Owner {
    /// Does what is to be done between workflows, and whatever follows from it. The batch of a caller stands in the log
    /// before that of what it called, and this before the caller's next, so that no crash leaves an answer without its
    /// question.
    ///
    /// # Errors
    ///
    /// If history cannot be read back.
    pub(super) fn run_errands(&mut self, now: Timestamp, out: &mut Vec<Outgoing>) -> Result<(), Error> {
        while let Some(errand) = self.errands.pop_front() {
            let (call, done) = match errand {
                Errand::Begin(call) => (call, self.begin(call, now, out)),
                Errand::Cancel(call) => (call, self.cancel(call, now, out)),
                Errand::Tell(call) => (call, self.tell(call, now, out)),
            };
            // Damage of one of the two is told to whoever asks for it; the others go on.
            spared(call.caller, done)?.ok();
        }
        Ok(())
    }

    fn begin(&mut self, call: Call, now: Timestamp, out: &mut Vec<Outgoing>) -> Result<(), Error> {
        let Call { caller, child } = call;
        if !self.hold(caller)? {
            return Ok(());
        }
        let begun = begin_child(&self.states[&caller].state, child, now);
        let (definition, creation) = match begun {
            None => return Ok(()),
            Some(Ok(begun)) => begun,
            Some(Err(refusal)) => {
                self.say(caller, refusal, now, out);
                return Ok(());
            }
        };
        let is_new = self.adopt_called(child);
        if self.hold(child)? {
            // It was created before, by an earlier engine perhaps.
            if is_new {
                self.resume(child, now, out)?;
            }
            return self.tell(call, now, out);
        }
        self.bring(child, Some(definition), &Actor::Engine, now, out)?;
        let command = Command { now, id: None, actor: Actor::Engine, request: Request::Create(creation) };
        match self.submit(child, &command, &mut None, out) {
            Ok(()) | Err(Rejection::AlreadyCreated) => Ok(()),
            Err(rejection) => {
                // What was computed from the definition itself fits it.
                tracing::error!(%child, %rejection, "a called workflow was refused");
                Ok(())
            }
        }
    }

    fn cancel(&mut self, call: Call, now: Timestamp, out: &mut Vec<Outgoing>) -> Result<(), Error> {
        let Call { caller, child } = call;
        if !self.hold(child)? {
            return Ok(());
        }
        if self.adopt_called(child) {
            self.resume(child, now, out)?;
        }
        let reason = Some(format!("the stage of workflow {caller} that called it was canceled"));
        let request = Request::Cancel(CancelRequest { reason });
        // It may have ended, or be on its way there: either is fine.
        self.say(child, request, now, out);
        self.tell(call, now, out)
    }

    fn tell(&mut self, call: Call, now: Timestamp, out: &mut Vec<Outgoing>) -> Result<(), Error> {
        let Call { caller, child } = call;
        if !self.drive.includes(caller) || !self.hold(caller)? || !self.hold(child)? {
            return Ok(());
        }
        let told = end_child(&self.states[&caller].state, &self.states[&child].state);
        told.into_iter().for_each(|request| self.say(caller, request, now, out));
        Ok(())
    }

    /// Drives this workflow with its caller from now on; was it not driven before?
    fn adopt_called(&mut self, child: WorkflowId) -> bool {
        match &mut self.drive {
            Drive::All => false,
            Drive::Only(driven) => driven.insert(child),
        }
    }

    /// Submits what may be refused, because it has been said before.
    fn say(&mut self, workflow: WorkflowId, request: Request, now: Timestamp, out: &mut Vec<Outgoing>) {
        let command = Command { now, id: None, actor: Actor::Engine, request };
        self.submit(workflow, &command, &mut None, out).ok();
    }
}
