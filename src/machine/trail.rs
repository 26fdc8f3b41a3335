//! What a rewind needs to know of the way behind a token or activation: what each activation itself had behind it, and
//! what it consumed where that was several tokens (R14).
//!
//! Kept only where the definition declares jumps that rewind. Nothing here holds what others consumed before, so that
//! memory is bounded by the stages, not by the turns that control takes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{ActivationId, ArcIndex, StageIndex};

use super::marking::Token;
use super::past::Past;
use super::threads::Thread;
use super::trie::{Leaf, Trie};

/// Where an activation came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(super) activation: ActivationId,
    /// Depth of the tokens it consumed.
    pub(super) depth: u32,
    /// What lay behind those.
    pub(super) past: Past,
    pub(super) thread: Thread,
}

/// A token that was consumed together with others, or by a join that counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Taken {
    /// Where it lay.
    pub(super) arc: ArcIndex,
    /// It knows where the activations behind it came from, and not what they consumed.
    pub(super) token: Token,
}

impl Taken {
    /// What is to be remembered of a token that an activation of `stage` consumes: itself, or, where it is that of a
    /// jump back there, what it stands for.
    pub(super) fn all_of(arc: ArcIndex, token: &Token, stage: StageIndex) -> Vec<Taken> {
        let gathering = token.trail.as_ref().and_then(|trail| trail.gathered.get(stage));
        let lies_behind = |id: ActivationId| token.past.get(stage).is_some_and(|ended| ended.activation.owner() == id);
        match gathering.filter(|gathering| !lies_behind(gathering.activation) && !gathering.taken.is_empty()) {
            Some(gathering) if token.jump.is_some() => gathering.taken.clone(),
            Some(_) | None => vec![Taken::of(arc, token)],
        }
    }

    /// The token as it is remembered.
    pub(super) fn of(arc: ArcIndex, token: &Token) -> Taken {
        let origins = |trail: &Arc<Trail>| Arc::new(Trail { origins: trail.origins.clone(), gathered: Trie::empty() });
        Taken { arc, token: Token { trail: token.trail.as_ref().map(origins), ..token.clone() } }
    }
}

/// What an activation consumed, where it was several tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Gathering {
    pub(super) activation: ActivationId,
    pub(super) taken: Vec<Taken>,
}

/// What is known of the way behind a token or activation, or of the threads that have ended in a scope.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trail {
    pub(super) origins: Trie<Arc<Origin>>,
    pub(super) gathered: Trie<Arc<Gathering>>,
}

impl Leaf for Arc<Origin> {
    type Summary = ();
    const NOTHING: () = ();

    fn activation(&self) -> ActivationId {
        self.activation
    }

    fn summary(&self) {}

    fn both((): (), (): ()) {}
}

impl Leaf for Arc<Gathering> {
    type Summary = ();
    const NOTHING: () = ();

    fn activation(&self) -> ActivationId {
        self.activation
    }

    fn summary(&self) {}

    fn both((): (), (): ()) {}
}

impl Trail {
    /// The trail of an activation that begins with these tokens; `taken` is what is to be remembered of them.
    pub(super) fn begun(
        (id, depth, thread): (ActivationId, u32, &Thread),
        past: &Past,
        taken: Vec<Taken>,
        of: &[Token],
    ) -> Trail {
        let mut trail = Trail::default();
        of.iter().filter_map(|token| token.trail.as_deref()).for_each(|other| trail.union(other));
        let origin = Origin { activation: id, depth, past: past.clone(), thread: thread.clone() };
        trail.origins.insert(Arc::new(origin));
        // An older one of the stage is not what this one consumed.
        if !taken.is_empty() || trail.gathered.get(id.stage).is_some() {
            trail.gathered.insert(Arc::new(Gathering { activation: id, taken }));
        }
        trail
    }

    /// What both know.
    pub(super) fn union(&mut self, other: &Trail) {
        self.origins.union(&other.origins);
        self.gathered.union(&other.gathered);
    }

    /// What is known of the activations that this past names.
    pub(super) fn behind(&self, past: &Past) -> Trail {
        let names = |id: ActivationId| past.get(id.stage).is_some_and(|ended| ended.activation == id);
        Trail {
            origins: self.origins.filtered(|origin| names(origin.activation)),
            gathered: self.gathered.filtered(|gathering| names(gathering.activation)),
        }
    }
}

/// What lies behind a token.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Behind {
    pub(super) depth: u32,
    pub(super) past: Past,
    pub(super) thread: Thread,
    pub(super) trail: Option<Arc<Trail>>,
}
