//! What the events about signals and triggers hold. Serialised by position, as everything in an event.

use serde::{Deserialize, Serialize};

use crate::ids::{ActivationId, StageIndex, TaskId};

/// A signal, as its sender gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalMessage {
    /// Its name: whoever waits for it waits for this.
    pub name: String,
    /// Whom it is for.
    pub target: SignalTarget,
    /// What came with it, as canonical JSON.
    pub data: String,
    /// A key its sender chose: a second signal under it is not taken.
    pub id: Option<String>,
    /// What becomes of it if nobody waits for it, where the definition leaves that to the sender.
    pub durability: SignalDurability,
    /// Why it was sent, in words.
    pub reason: Option<String>,
}

/// Whom a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SignalTarget {
    /// Whoever waits for it, anywhere in the workflow.
    Workflow,
    /// Any activation of this stage.
    Stage(StageIndex),
    /// This activation.
    Activation(ActivationId),
}

/// What becomes of a signal that nobody waits for when it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SignalDurability {
    /// It is lost.
    Transient,
    /// It is kept until somebody waits for it.
    Persistent,
}

/// Who takes a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SignalRecipient {
    /// The activation whose trigger it is.
    Trigger(ActivationId),
    /// The task that was suspended until it comes.
    Task(TaskId),
    /// The stage that each signal starts: a token comes to lie before it.
    Start(StageIndex),
    /// The activation whose instances it closes, completes or cancels.
    Instances(ActivationId),
    /// This activation, which it ends.
    Boundary(ActivationId),
}

/// The end of a trigger that starts threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerClosing {
    /// The stage whose trigger it is.
    pub stage: StageIndex,
    /// Why, in words.
    pub reason: Option<String>,
}

/// What holds an activation that is ready, where no other event says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HeldBy {
    /// Its trigger: the signal has not come.
    Trigger,
    /// Its locks: others hold one of them.
    Lock,
    /// A deferred choice: nobody has chosen it yet.
    Choice,
    /// Its milestone: another stage is not what it has to be.
    Milestone,
}

impl SignalDurability {
    /// The word people and programs see: `transient`, `persistent`.
    pub fn name(self) -> &'static str {
        match self {
            SignalDurability::Transient => "transient",
            SignalDurability::Persistent => "persistent",
        }
    }
}

impl SignalRecipient {
    /// The activation that takes it; `None` if it begins one.
    pub fn activation(self) -> Option<ActivationId> {
        match self {
            SignalRecipient::Trigger(activation)
            | SignalRecipient::Instances(activation)
            | SignalRecipient::Boundary(activation) => Some(activation),
            SignalRecipient::Task(task) => Some(task.activation),
            SignalRecipient::Start(_) => None,
        }
    }
}

impl HeldBy {
    /// The word people and programs see: `trigger`, `lock`, `choice`, `milestone`.
    pub fn name(self) -> &'static str {
        match self {
            HeldBy::Trigger => "trigger",
            HeldBy::Lock => "lock",
            HeldBy::Choice => "choice",
            HeldBy::Milestone => "milestone",
        }
    }
}
