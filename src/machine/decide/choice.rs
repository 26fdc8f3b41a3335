//! Deferred choices: the first alternative for which something comes from outside is taken, and the others withdrawn.
//!
//! Made in the batch of what came, also in a pause: nobody else can be chosen from then on. Terms: Russell et al.,
//! "Workflow Control-Flow Patterns: A Revised View", 2006, WCP-16.

use crate::event::{Event, HeldBy, StartRequest};
use crate::ids::{ActivationId, CommandId, Sequence};
use crate::machine::address::StageAddress;
use crate::machine::command::{Rejection, Request};
use crate::machine::state::{Gate, Phase, Progress, State};

use super::{Decision, refuse_repeated};

/// Somebody chooses an alternative, by the names of the definition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claim {
    /// Which one.
    pub(crate) work: StageAddress,
    /// Why, in words.
    pub(crate) reason: Option<String>,
}

impl Claim {
    /// The request that this is to `state`, sent under this id.
    ///
    /// # Errors
    ///
    /// If the same was taken before, or nothing is offered there that can be claimed.
    pub(crate) fn request(&self, state: &State, id: Option<CommandId>) -> Result<Request, Rejection> {
        // Recognised before it is looked for: what it was about is chosen by then.
        refuse_repeated(state, id)?;
        match &state.core.phase {
            Phase::New => return Err(Rejection::NotCreated),
            Phase::Ended { status, .. } => return Err(Rejection::Ended { status: *status }),
            Phase::Live => (),
        }
        let name = self.work.stage();
        let stage = state.definition.graph().stage_index(name);
        let stage = stage.ok_or_else(|| Rejection::NoSuchStage { stage: name.to_owned() })?;
        let live = state.core.live.keys().copied();
        let meant = live.filter(|id| id.stage == stage && self.work.names(*id));
        let found: Vec<ActivationId> = meant.collect();
        let at = |gate| move |id: &&ActivationId| stands_at(state, **id, gate);
        if let Some(activation) = found.iter().find(at(Gate::Choice)).copied() {
            return Ok(Request::StartStage(StartRequest { activation, reason: self.reason.clone() }));
        }
        let work = self.work.to_string();
        let is_offered = |id: &&ActivationId| state.core.live.get(*id).is_some_and(|live| live.choice.is_some());
        let awaits = found.iter().filter(is_offered).any(|id| stands_at(state, *id, Gate::Trigger));
        Err(if awaits { Rejection::TriggerAwaited { work } } else { Rejection::NothingToClaim { work } })
    }
}

fn stands_at(state: &State, id: ActivationId, gate: Gate) -> bool {
    let live = state.core.live.get(&id);
    live.is_some_and(|live| live.doomed.is_none() && live.progress == Progress::Ready(gate))
}

/// What is claimed is offered, and waits for nothing but that.
pub(super) fn refuse(state: &State, request: &StartRequest) -> Result<(), Rejection> {
    if stands_at(state, request.activation, Gate::Choice) {
        return Ok(());
    }
    let stages = &state.definition.graph().stages;
    let stage = stages.get(request.activation.stage.index()).map_or("", |stage| &stage.ref_id);
    Err(Rejection::NothingToClaim { work: format!("{stage}#{}", request.activation.number) })
}

impl Decision<'_> {
    /// All gates before the choice are passed: an alternative waits to be claimed, and what else starts goes on.
    pub(super) fn reach_choice(&mut self, id: ActivationId) {
        if self.state.core.live[&id].choice.is_some() {
            self.push(Event::StageWaiting { activation: id, gate: HeldBy::Choice });
        } else {
            self.reach_locks(id);
        }
    }

    /// Something has come for an activation. If it is an alternative it is chosen, and the others are withdrawn.
    pub(super) fn choose(&mut self, id: ActivationId) {
        let Some(live) = self.state.core.live.get(&id) else { return };
        let Some(split) = live.choice.as_ref().map(|offer| offer.split) else { return };
        if matches!(live.progress, Progress::Ready(Gate::Triggered | Gate::Choice)) {
            let withdrawn = self.state.waiting_with(id);
            self.push(Event::ChoiceMade { winner: id, split, withdrawn });
        }
    }

    /// Is a signal kept for another alternative, which has not looked yet, that came before this one?
    pub(super) fn is_forestalled(&mut self, id: ActivationId, signal: Sequence) -> bool {
        if self.state.core.live[&id].choice.is_none() {
            return false;
        }
        let others = self.state.offered_with(id).into_iter();
        let others: Vec<ActivationId> = others.filter(|id| stands_at(self.state, *id, Gate::Condition)).collect();
        others.into_iter().any(|other| self.kept_for_trigger(other).is_some_and(|kept| kept < signal))
    }
}
