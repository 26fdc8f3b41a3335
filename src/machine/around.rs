//! What surrounds a scope: the activation it lies inside, and what that can see (R11).
//!
//! A child scope begins with nothing behind it. What its stages can see besides lies around it, in layers from the
//! inside out; a turn of a loop also sees what the turn before gave.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{ActivationId, ScopeId, StageIndex};
use crate::time::Timestamp;

use super::as_json;
use super::past::{Ended, Line, Past, Remembered, TaskResult};
use super::state::{Inside, SoFar, State};
use crate::value::Map;

/// One layer of what surrounds a scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Around {
    /// The activation the scope lies inside.
    pub(super) owner: ActivationId,
    /// When the scope was opened.
    pub(super) since: Timestamp,
    /// What lies behind the owner.
    pub(super) past: Past,
    /// What its ended tasks gave.
    pub(super) results: Arc<Vec<TaskResult>>,
    /// Context that its attempts and tasks left.
    #[serde(with = "as_json::shared")]
    pub(super) updates: Arc<Map>,
    /// The turn of a loop that the scope is.
    pub(super) turn: Option<Turn>,
    /// What surrounds the scope of the owner.
    pub(super) outer: Option<Arc<Around>>,
}

impl Around {
    /// The newest activation of a stage in this layer, those included that were parts of the owner's work.
    pub(super) fn named(&self, stage: StageIndex) -> Option<&Arc<Ended>> {
        let parts = self.past.get(self.owner.stage).filter(|ended| ended.activation == self.owner);
        let parts = parts.and_then(|ended| ended.behind.get(stage).or_else(|| ended.inside.get(stage)));
        self.past.get(stage).or(parts)
    }
}

/// A turn of a loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Turn {
    /// How many turns were before it.
    pub(super) index: u32,
    /// What the turn before gave.
    pub(super) previous: Past,
}

impl State {
    /// Does the scope lie inside this activation?
    pub(super) fn surrounds(&self, id: ActivationId, scope: ScopeId) -> bool {
        let owner = |scope: ScopeId| self.core.scopes.get(&scope)?.owner;
        let around = |inner: &ActivationId| owner(self.core.live.get(inner)?.scope);
        std::iter::successors(owner(scope), around).any(|outer| outer == id)
    }

    /// Is the scope the outer one, or inside it?
    pub(super) fn lies_in(&self, scope: ScopeId, outer: ScopeId) -> bool {
        let owner = self.core.scopes.get(&outer).and_then(|outer| outer.owner);
        // Nothing but the root lies around what is done at the end.
        scope == outer || owner.map_or(outer == ScopeId::ROOT, |owner| self.surrounds(owner, scope))
    }

    /// How deep a scope is nested; the root is 0.
    pub(super) fn depth_of(&self, scope: ScopeId) -> u32 {
        self.core.scopes.get(&scope).map_or(0, |scope| scope.depth)
    }

    /// What will surround the next scope inside a live activation.
    pub(super) fn around_next(&self, owner: ActivationId) -> Option<Around> {
        let activation = self.core.live.get(&owner)?;
        let is_loop = self.definition.graph().stage(owner.stage).body.as_loop().is_some();
        let inside = activation.inside.as_deref();
        let turn = inside.filter(|_| is_loop);
        let turn = turn.map(|inside: &Inside| Turn { index: inside.begun, previous: inside.last.clone() });
        // What lies behind an instance lies behind the activation that has it.
        let set = self.core.instances.get(&owner.owner()).filter(|_| owner.instance.is_some());
        let mut past = set.map_or(&activation.past, |set| &set.past).clone();
        inside.iter().for_each(|inside| past.union(&inside.given_before()));
        Some(Around {
            owner,
            since: self.core.now,
            past,
            results: Arc::clone(&activation.results),
            updates: Arc::clone(&activation.updates),
            turn,
            outer: self.core.scopes.get(&activation.scope)?.around.clone(),
        })
    }

    /// What will surround a part of the work of a live activation that is done beside its own. Behind that, its own
    /// work lies behind, with how it has ended so far.
    pub(super) fn around_phase(&self, owner: ActivationId, so_far: Option<&SoFar>) -> Option<Around> {
        let next = Around { turn: None, ..self.around_next(owner)? };
        let Some(SoFar { status, error }) = so_far else { return Some(next) };
        let activation = self.core.live.get(&owner)?;
        let inside = activation.inside.as_deref()?;
        let ended = Ended {
            activation: owner,
            depth: activation.depth,
            status: *status,
            tasks: activation.results.to_vec(),
            inside: inside.given(),
            behind: inside.given_behind(),
            outputs: None,
            error: error.clone(),
            instances: None,
            line: Line::default(),
            keys: Remembered::default(),
        };
        let mut past = activation.past.clone();
        past.insert(Arc::new(ended));
        Some(Around { past, results: Arc::default(), ..next })
    }
}
