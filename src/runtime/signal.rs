//! Signals on their way to a workflow, as their senders write them.

use crate::event::{Actor, SignalDurability};
use crate::ids::{CommandId, WorkflowId};
use crate::machine::{Sent, SentSignal};
use crate::value::Value;

use super::completion::address;
use super::engine::Engine;
use super::error::Error;
use super::inbox::{Answer, Ask, Entry};
use super::shared::Shared;
use super::start::By;

/// A signal: a name, for which stages and tasks wait, and what comes with it.
///
/// ```
/// # use stabilize::Signal;
/// let paid = Signal::named("paid").data(12).id("order-7");
/// let now_or_never = Signal::named("go").transient();
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Signal {
    pub(super) name: String,
    pub(super) data: Value,
    pub(super) id: Option<String>,
    pub(super) durability: SignalDurability,
}

/// Whom a signal is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Whoever waits for it; of several the one that has waited longest.
    Workflow,
    /// A stage, `b`; the N-th activation of it, `b#N`; an instance of that, `b#N[I]`.
    Stage(String),
}

impl Target {
    /// Whoever waits for it in this stage.
    pub fn stage(ref_id: impl Into<String>) -> Target {
        Target::Stage(ref_id.into())
    }

    /// This activation: `b#2`, or an instance of it: `b#2[0]`.
    pub fn activation(id: impl Into<String>) -> Target {
        Target::Stage(id.into())
    }
}

impl Signal {
    /// A signal of this name, `[A-Za-z0-9_][A-Za-z0-9_-]{0,63}`. It is kept if nobody waits for it, unless it is
    /// [`transient`](Signal::transient) or the trigger it is for says otherwise.
    pub fn named(name: impl Into<String>) -> Signal {
        Signal { name: name.into(), data: Value::Null, id: None, durability: SignalDurability::Persistent }
    }

    /// This comes with it: `signal.data` in expressions.
    pub fn data(mut self, data: impl Into<Value>) -> Signal {
        self.data = data.into();
        self
    }

    /// A key of 1 to 256 bytes: a second signal under it is not taken, and gets the answer of the first. The workflow
    /// remembers the newest 1,024.
    pub fn id(mut self, id: impl Into<String>) -> Signal {
        self.id = Some(id.into());
        self
    }

    /// It is kept if nobody waits for it, as any signal is for which nothing else is said.
    pub fn persistent(mut self) -> Signal {
        self.durability = SignalDurability::Persistent;
        self
    }

    /// It is lost if nobody waits for it.
    pub fn transient(mut self) -> Signal {
        self.durability = SignalDurability::Transient;
        self
    }
}

impl Engine {
    /// Sends a signal to a workflow. What became of it stands in the event behind the one that the answer names:
    /// `signal.delivered`, `signal.buffered`, or `signal.discarded`.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if it is no signal, there is no room to keep it, or the workflow has ended;
    /// [`Error::Unfit`] if the target names no stage; if there is no such workflow.
    pub fn signal(&self, workflow: WorkflowId, target: Target, signal: Signal, by: By) -> Result<Answer, Error> {
        self.inner.shared.signal(workflow, target, signal, by)
    }

    /// Closes the trigger of a stage that signals start: they start it no more, and the workflow waits for none.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if no signal starts the stage, or the workflow has ended; if there is no such workflow.
    pub fn close_trigger(&self, workflow: WorkflowId, stage: &str, by: By) -> Result<Answer, Error> {
        self.inner.shared.close_trigger(workflow, stage, by)
    }
}

impl Shared {
    /// Sends a signal to a workflow.
    pub(super) fn signal(&self, workflow: WorkflowId, to: Target, signal: Signal, by: By) -> Result<Answer, Error> {
        let to = match to {
            Target::Workflow => None,
            Target::Stage(text) => Some(address(&text)?),
        };
        let Signal { name, data, id, durability } = signal;
        let sent = SentSignal { name, to, data: data.to_json(), id, durability, reason: by.reason.clone() };
        self.send(workflow, Sent::Signal(sent), by)
    }

    /// Closes the trigger of a stage.
    pub(super) fn close_trigger(&self, workflow: WorkflowId, stage: &str, by: By) -> Result<Answer, Error> {
        self.send(workflow, Sent::Close { stage: stage.to_owned(), reason: by.reason.clone() }, by)
    }

    /// Has something taken in by name, whoever it is for.
    pub(super) fn send(&self, workflow: WorkflowId, sent: Sent, by: By) -> Result<Answer, Error> {
        self.call(Entry {
            workflow,
            definition: None,
            id: Some(by.id.unwrap_or_else(|| CommandId::generate_at(self.clock.now()))),
            actor: Actor::Named(by.actor),
            ask: Ask::Sent(Box::new(sent)),
            answer: None,
        })
    }
}
