//! What callers ask of an engine, from its own program or over the control socket: commands on their way to the inbox,
//! and the wait for what becomes of them.

use crate::definition::Definition;
use crate::event::{Actor, CancelRequest, PauseRequest};
use crate::ids::{CommandId, WorkflowId};
use crate::machine::{Request, ResumeRequest};

use super::config::Threads as Mover;
use super::error::Error;
use super::inbox::{Answer, Ask, Entry, Turn};
use super::promise::promise;
use super::shared::Shared;
use super::start::{By, Start, creation};
use super::verification::refuse_unknown;

impl Shared {
    /// Begins a workflow under this id.
    pub(super) fn submit(&self, definition: &Definition, start: Start, workflow: WorkflowId) -> Result<Answer, Error> {
        self.call(self.beginning(definition, start, workflow)?)
    }

    /// The command that begins a workflow under this id.
    pub(super) fn beginning(
        &self,
        definition: &Definition,
        start: Start,
        workflow: WorkflowId,
    ) -> Result<Entry, Error> {
        refuse_unknown(definition, &self.registry)?;
        self.admissions.admit(definition)?;
        let now = self.clock.now();
        let creation = creation(definition, &start, workflow, now)?;
        Ok(Entry {
            workflow,
            definition: Some(definition.clone()),
            id: Some(CommandId::generate_at(now)),
            actor: Actor::Named(start.actor.unwrap_or_else(|| self.actor.clone())),
            ask: Ask::Decide(Request::Create(creation)),
            answer: None,
        })
    }

    /// Asks for the end of a workflow.
    pub(super) fn cancel(&self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        let request = Request::Cancel(CancelRequest { reason: by.reason.clone() });
        self.ask(workflow, request, by)
    }

    /// Asks for the end of a workflow, and of what it does then.
    pub(super) fn force_cancel(&self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        let request = Request::ForceCancel(CancelRequest { reason: by.reason.clone() });
        self.ask(workflow, request, by)
    }

    /// Lets nothing new begin in a workflow.
    pub(super) fn pause(&self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        let request = Request::Pause(PauseRequest { reason: by.reason.clone() });
        self.ask(workflow, request, by)
    }

    /// Has a paused workflow go on.
    pub(super) fn resume(&self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        let request = Request::Resume(ResumeRequest { reason: by.reason.clone() });
        self.ask(workflow, request, by)
    }

    /// Sends what somebody asks of a workflow, and waits for what becomes of it.
    fn ask(&self, workflow: WorkflowId, request: Request, by: By) -> Result<Answer, Error> {
        let id = by.id.unwrap_or_else(|| CommandId::generate_at(self.clock.now()));
        let (actor, ask) = (Actor::Named(by.actor), Ask::Decide(request));
        self.call(Entry { workflow, definition: None, id: Some(id), actor, ask, answer: None })
    }

    /// Drives this workflow, too, from now on.
    pub(super) fn drive(&self, workflow: WorkflowId) -> Result<(), Error> {
        let (told, awaited) = promise();
        let ask = Ask::Drive(told);
        self.put(Entry { workflow, definition: None, id: None, actor: Actor::Engine, ask, answer: None })?;
        awaited.wait().unwrap_or_else(|| Err(self.unanswered()))
    }

    /// Does it drive this workflow?
    pub(super) fn drives(&self, workflow: WorkflowId) -> Result<bool, Error> {
        let (told, awaited) = promise();
        let ask = Ask::IsDriven(told);
        self.put(Entry { workflow, definition: None, id: None, actor: Actor::Engine, ask, answer: None })?;
        awaited.wait().ok_or_else(|| self.unanswered())
    }

    /// Sends a caller's command and waits for what becomes of it.
    pub(super) fn call(&self, mut entry: Entry) -> Result<Answer, Error> {
        let (given, awaited) = promise();
        entry.answer = Some(given);
        self.put(entry)?;
        awaited.wait().unwrap_or_else(|| Err(self.unanswered()))
    }

    fn put(&self, entry: Entry) -> Result<(), Error> {
        self.check_poison()?;
        if self.inbox.call(entry)? == Turn::Yours {
            self.help();
        }
        if self.mover == Mover::Caller {
            self.turn(self.clock.now())?;
        }
        Ok(())
    }

    /// A promise is dropped only by an engine that has stopped on the way to the answer.
    pub(super) fn unanswered(&self) -> Error {
        match self.poisoned.get() {
            Some(cause) => Error::InDoubt { cause: cause.clone() },
            None => Error::Closed,
        }
    }
}
