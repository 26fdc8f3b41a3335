//! What senders of signals ask, by the names of the definition.
//!
//! Whom they mean is found here, at the moment at which the workflow takes it in.

use crate::event::{SignalDurability, SignalMessage, SignalTarget, TriggerClosing};
use crate::ids::{ActivationId, CommandId, StageIndex};
use crate::machine::address::StageAddress;
use crate::machine::command::{Rejection, Request};
use crate::machine::state::State;

use super::choice::Claim;

/// What somebody sends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sent {
    /// A signal.
    Signal(SentSignal),
    /// The word that signals start this stage no more.
    Close {
        /// Its ref id.
        stage: String,
        /// Why, in words.
        reason: Option<String>,
    },
    /// The word that an alternative of a deferred choice is taken.
    Claim(Claim),
}

/// A signal by names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SentSignal {
    /// Its name.
    pub(crate) name: String,
    /// Whom it is for; `None` is whoever waits for it.
    pub(crate) to: Option<StageAddress>,
    /// Canonical JSON.
    pub(crate) data: String,
    /// A key its sender chose.
    pub(crate) id: Option<String>,
    /// What becomes of it if nobody waits for it.
    pub(crate) durability: SignalDurability,
    /// Why, in words.
    pub(crate) reason: Option<String>,
}

impl Sent {
    /// The request that this is to `state`, sent under this id.
    ///
    /// # Errors
    ///
    /// If the definition has no such stage, or nothing that is claimed is there.
    pub(crate) fn request(&self, state: &State, id: Option<CommandId>) -> Result<Request, Rejection> {
        match self {
            Sent::Claim(claim) => claim.request(state, id),
            Sent::Close { stage, reason } => {
                Ok(Request::CloseTrigger(TriggerClosing { stage: index(state, stage)?, reason: reason.clone() }))
            }
            Sent::Signal(signal) => Ok(Request::Signal(SignalMessage {
                name: signal.name.clone(),
                target: signal.to.as_ref().map_or(Ok(SignalTarget::Workflow), |to| target(state, to))?,
                data: signal.data.clone(),
                id: signal.id.clone(),
                durability: signal.durability,
                reason: signal.reason.clone(),
            })),
        }
    }
}

fn index(state: &State, stage: &str) -> Result<StageIndex, Rejection> {
    let found = state.definition.graph().stage_index(stage);
    found.ok_or_else(|| Rejection::NoSuchStage { stage: stage.to_owned() })
}

fn target(state: &State, to: &StageAddress) -> Result<SignalTarget, Rejection> {
    let stage = index(state, to.stage())?;
    let Some(number) = to.number() else { return Ok(SignalTarget::Stage(stage)) };
    let instance = to.instance().and_then(crate::ids::InstanceIndex::new);
    Ok(SignalTarget::Activation(ActivationId { instance, ..ActivationId::new(stage, number) }))
}
