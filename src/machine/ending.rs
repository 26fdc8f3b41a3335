//! The way of a workflow to its end, where something is done before that: what undoes its work, and what it does last
//! (R22).
//!
//! Each part is a scope of the workflow, beside its root, which moves no more. One is open at a time.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::{EndReason, Json};
use crate::failure::Failure;
use crate::ids::{ActivationId, ScopeId};
use crate::status::Status;
use crate::time::Timestamp;

use super::around::Around;
use super::state::State;

/// Where a workflow is heading that is ending.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ending {
    /// How it is to end.
    pub(super) status: Status,
    /// Why, where it does not succeed.
    pub(super) reason: Option<EndReason>,
    /// What `outputs:` of its definition gave.
    pub(super) outputs: Option<Json>,
    /// Since when.
    pub(super) since: Timestamp,
    /// What is done now.
    pub(super) doing: Option<Doing>,
    /// Has the last part begun?
    pub(super) has_begun_last: bool,
}

/// A part that is done at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Doing {
    pub(super) scope: ScopeId,
    /// The activation whose work is undone; `None` is what the workflow does last.
    pub(super) undone: Option<ActivationId>,
}

/// An activation that has succeeded, of a stage that says how its work is undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Undo {
    /// What will surround the scope in which it is undone; its owner is the activation.
    pub(super) around: Around,
}

impl Undo {
    /// Has the activation come from this one, or lies inside one that has?
    pub(super) fn comes_from(&self, origin: ActivationId) -> bool {
        let mut layers = std::iter::successors(Some(&self.around), |layer| layer.outer.as_deref());
        layers.any(|layer| layer.owner.owner() == origin || layer.past.descends_from(origin))
    }
}

/// What is to be done next at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextPart {
    /// The work of this activation is undone.
    Compensation(ActivationId),
    /// What the workflow does last.
    Finally,
}

impl State {
    /// What would be done before the end of a workflow that comes to this status, if anything. One that was never
    /// started has nothing to undo and nothing to clear away.
    pub(super) fn first_part(&self, status: Status) -> Option<NextPart> {
        let undone = self.core.undo.last().filter(|_| status != Status::Succeeded);
        let undone = undone.map(|undo| NextPart::Compensation(undo.around.owner));
        let last = (self.has_started() && self.definition.graph().has_finally()).then_some(NextPart::Finally);
        undone.or(last)
    }

    /// What is to be done next of a workflow that is ending.
    pub(super) fn next_part(&self, ending: &Ending) -> Option<NextPart> {
        self.first_part(ending.status).filter(|part| *part != NextPart::Finally || !ending.has_begun_last)
    }

    /// What is done now of a workflow that is ending.
    pub(super) fn doing(&self) -> Option<Doing> {
        self.core.ending.as_ref()?.doing
    }

    /// The scope of the workflow that moves, if any does: its root, or what is done at its end.
    pub(super) fn outermost(&self) -> ScopeId {
        self.doing().map_or(ScopeId::ROOT, |doing| doing.scope)
    }

    /// How a workflow is to end that is ending, and why it has failed.
    pub(super) fn heading(&self) -> Option<Arc<(Status, Option<Failure>)>> {
        let ending = self.core.ending.as_ref()?;
        let failure = ending.reason.as_ref().and_then(|reason| reason.failure(self.definition.graph()));
        Some(Arc::new((ending.status, failure)))
    }
}
