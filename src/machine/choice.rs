//! Deferred choices that are open: which activations are offered together, and what waits to be offered with them.
//!
//! Nothing of a choice is kept but what each of its alternatives knows; who they are follows from the graph. An
//! alternative is an activation that has consumed a token of the choice, or such a token that still waits at a join.

use serde::{Deserialize, Serialize};

use crate::definition::DeferredChoice;
use crate::event::Consumed;
use crate::ids::{ActivationId, ArcIndex, ScopeId, StageIndex};

use super::marking::Token;
use super::state::{Activation, State};

/// An activation is one of the alternatives of a choice that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offer {
    /// The arc of the choice over which it came.
    pub(super) arc: ArcIndex,
    /// The activation that offers the choice; `None` is the start of the scope.
    pub(super) split: Option<ActivationId>,
}

/// The activation that emitted a token which lies on an arc from `from`.
fn origin(from: Option<StageIndex>, token: &Token) -> Option<ActivationId> {
    token.past.get(from?).map(|ended| ended.activation)
}

impl State {
    /// The choice among whose alternatives whoever consumes `token` of `arc` is.
    pub(super) fn offer_of(&self, arc: ArcIndex, token: &Token) -> Option<Offer> {
        self.definition.graph().choice_of(arc)?;
        Some(Offer { arc, split: origin(self.definition.graph().arc(arc).from, token) })
    }

    /// Is an activation of `stage` that consumes this an alternative of a choice?
    pub(super) fn is_to_be_offered(&self, scope: ScopeId, stage: StageIndex, consumed: &Consumed) -> bool {
        let graph = self.definition.graph();
        let is_one = |arc: &ArcIndex| graph.choice_of(*arc).is_some();
        !graph.choices().is_empty()
            && match consumed {
                Consumed::OnePerArc => graph.stage(stage).incoming.iter().any(is_one),
                Consumed::Arcs(arcs) | Consumed::Jump { arcs, .. } => arcs.iter().any(is_one),
                Consumed::Held => {
                    self.core.joins.get(&(scope, stage)).is_some_and(|record| record.seen.iter().any(is_one))
                }
                // Who merges threads is no alternative.
                Consumed::Ready | Consumed::Threads(_) => false,
            }
    }

    /// The live activations that are offered together with this one, by stage in definition order; what something else
    /// ends already is not among them.
    pub(super) fn offered_with(&self, id: ActivationId) -> Vec<ActivationId> {
        let Some((live, offer, choice)) = self.offered(id) else { return Vec::new() };
        let is_of_it = |other: &Activation| {
            let same = |other: &Offer| other.split == offer.split && choice.arcs.contains(&other.arc);
            other.doomed.is_none() && other.choice.as_deref().is_some_and(same)
        };
        let stages = choice.arcs.iter().map(|arc| self.definition.graph().arc(*arc).to);
        let others = stages.flat_map(|stage| self.live_of(live.scope, stage));
        others.filter(|other| *other != id && self.core.live.get(other).is_some_and(|live| is_of_it(live))).collect()
    }

    /// The arcs on which a token of the same choice waits, ascending.
    pub(super) fn waiting_with(&self, id: ActivationId) -> Vec<ArcIndex> {
        let Some((live, offer, choice)) = self.offered(id) else { return Vec::new() };
        let waits = |arc: &ArcIndex| self.token_of_choice(live.scope, *arc, offer.split).is_some();
        choice.arcs.iter().copied().filter(waits).collect()
    }

    /// The place in the order of `arc` of the token that the choice of `split` put there.
    pub(super) fn token_of_choice(&self, scope: ScopeId, arc: ArcIndex, split: Option<ActivationId>) -> Option<usize> {
        let from = self.definition.graph().arc(arc).from;
        self.core.marking.position(scope, arc, |token| origin(from, token) == split)
    }

    fn offered(&self, id: ActivationId) -> Option<(&Activation, &Offer, &DeferredChoice)> {
        let live = self.core.live.get(&id)?;
        let offer = live.choice.as_deref()?;
        Some((live, offer, self.definition.graph().choice_of(offer.arc)?))
    }
}
