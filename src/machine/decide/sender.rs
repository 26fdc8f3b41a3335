//! What senders of signals ask, by the names of the definition.
//!
//! Whom they mean is found here, at the moment at which the workflow takes it in.

use crate::event::{
    InstancesAddition, InstancesRequest, SignalDurability, SignalMessage, SignalTarget, TriggerClosing,
};
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
    /// Something that concerns the instances of a stage.
    Instances {
        /// The stage, with the activation that is meant; without a number the oldest that goes on with its instances.
        of: StageAddress,
        /// What.
        ask: InstancesAsk,
        /// Why, in words.
        reason: Option<String>,
    },
}

/// What is asked of the instances of an activation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum InstancesAsk {
    /// One more for each of these, which are canonical JSON.
    Add(Vec<String>),
    /// That no more are added.
    Close,
    /// That control goes on without those that have not ended.
    Complete,
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
            Sent::Instances { of, ask, reason } => {
                let (activation, reason) = (owner(state, of)?, reason.clone());
                Ok(match ask {
                    InstancesAsk::Add(items) => {
                        Request::AddInstances(InstancesAddition { activation, items: items.clone(), reason })
                    }
                    InstancesAsk::Close => Request::CloseInstances(InstancesRequest { activation, reason }),
                    InstancesAsk::Complete => Request::CompleteInstances(InstancesRequest { activation, reason }),
                })
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

/// The activation whose instances are meant: of those that live the oldest, else the newest there was.
fn owner(state: &State, of: &StageAddress) -> Result<ActivationId, Rejection> {
    let stage = index(state, of.stage())?;
    if let Some(number) = of.number() {
        let instance = of.instance().and_then(crate::ids::InstanceIndex::new);
        return Ok(ActivationId { instance, ..ActivationId::new(stage, number) });
    }
    let of_stage = |id: &&ActivationId| id.stage == stage && id.instance.is_none();
    let with = state.core.live.keys().filter(of_stage).find(|id| state.core.instances.contains_key(id));
    let newest = state.core.numbers.get(&stage).copied().unwrap_or(0).max(1);
    Ok(with.copied().unwrap_or_else(|| ActivationId::new(stage, newest)))
}

fn target(state: &State, to: &StageAddress) -> Result<SignalTarget, Rejection> {
    let stage = index(state, to.stage())?;
    let Some(number) = to.number() else { return Ok(SignalTarget::Stage(stage)) };
    let instance = to.instance().and_then(crate::ids::InstanceIndex::new);
    Ok(SignalTarget::Activation(ActivationId { instance, ..ActivationId::new(stage, number) }))
}
