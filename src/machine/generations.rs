//! What a join that counts arrivals remembers: which arcs have brought their token in this generation, and whether the
//! join has fired; and what it therefore has to ask the whole marking. What follows from the answer is not its matter.
//!
//! Until it fires, a token that has arrived stays on its arc, as the first there: what fires consumes it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::definition::{ResetOn, Rest};
use crate::ids::{ArcIndex, ScopeId};

use super::outlook::{Question, Waiting};
use super::state::State;
use super::trail::Taken;

/// One join in one scope, from its first arrival on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct JoinRecord {
    /// How often it has started over.
    pub(super) generation: u32,
    /// The arcs that have brought their token in this generation.
    pub(super) seen: BTreeSet<ArcIndex>,
    /// Number of the activation that this generation began.
    pub(super) fired: Option<u32>,
    /// What this activation consumed, then what came after it in this generation; kept where jumps rewind.
    pub(super) arrived: Vec<Taken>,
    /// How many of them the activation consumed.
    pub(super) held: u32,
}

impl JoinRecord {
    /// Has nothing happened in this generation yet?
    pub(super) fn is_fresh(&self) -> bool {
        self.seen.is_empty() && self.fired.is_none()
    }
}

impl State {
    /// What a join that counts arrivals and waits for more has to ask of the whole marking; `None` if only arrivals
    /// matter to it. What is structured brings its tokens unless something is stopped or taken away.
    pub(super) fn question(&self, waiting: Waiting) -> Option<Question> {
        let graph = self.definition.graph();
        let stage = graph.stages.get(waiting.join.index())?;
        let (spec, record) = (stage.generations.as_ref()?, self.core.joins.get(&(waiting.scope, waiting.join))?);
        let has_stopped = self.core.scopes.get(&waiting.scope).is_some_and(|scope| !scope.stopped.is_empty());
        let asks = match spec.rest {
            Rest::Swallowed { .. } => has_stopped || graph.takes_away(),
            Rest::Blocked { reset_on: ResetOn::All } => record.fired.is_none() || has_stopped,
            Rest::Blocked { .. } | Rest::Withdrawn { .. } => true,
        };
        let missing = (spec.threshold as usize).saturating_sub(record.seen.len());
        let question = match record.fired {
            Some(_) if record.seen.len() < stage.incoming.len() => Question::More,
            None if missing > 0 && !record.is_fresh() => Question::Enough(missing),
            Some(_) | None => return None,
        };
        asks.then_some(question)
    }

    /// A join that counts arrivals may have to look at the whole marking.
    pub(super) fn reconsider(&mut self, waiting: Waiting) {
        if self.question(waiting).is_some() {
            self.candidates.outlooks.insert(waiting);
        }
    }

    /// All joins of the scope that count arrivals may have to.
    pub(super) fn reconsider_all(&mut self, scope: ScopeId) {
        let joins: Vec<Waiting> = self
            .core
            .joins
            .keys()
            .filter(|(of, _)| *of == scope)
            .map(|(scope, join)| Waiting { scope: *scope, join: *join })
            .collect();
        joins.into_iter().for_each(|waiting| self.reconsider(waiting));
    }
}
