//! Splits: which arcs receive a token when an activation ends.

use crate::definition::{ArcKind, Branch, GraphStage, OnConditionError, Split, Target};
use crate::event::Emitted;
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, ArcIndex, ScopeId};
use crate::machine::data::Surroundings;

use super::{Decision, Site};

/// What passes through the split.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// An activation whose work is done.
    Done,
    /// An activation that was passed by: an error in a condition counts as false.
    PassedBy,
}

impl Decision<'_> {
    /// The arcs that receive a token from `id`; an error if no branch can be taken.
    pub(super) fn split(
        &mut self,
        id: ActivationId,
        passage: Passage,
        seen: &Surroundings,
    ) -> Result<Emitted, Failure> {
        let definition = self.state.definition.clone();
        let stage = definition.graph().stage(id.stage);
        let emitted = match &stage.split {
            Split::And | Split::Deferred | Split::Thread { .. } => everywhere(stage),
            Split::Xor { branches, default } => {
                let mut chosen = None;
                for branch in branches {
                    if self.is_taken(id, branch, passage, seen)? {
                        chosen = Some(branch.target);
                        break;
                    }
                }
                match chosen.or(*default) {
                    Some(Target::Arc(arc)) => Emitted::Arcs(vec![arc]),
                    Some(Target::End) => Emitted::Nothing,
                    None => return Err(no_branch(&stage.ref_id)),
                }
            }
            Split::Or { branches, default, always } => {
                let mut chosen = Vec::new();
                for branch in branches {
                    if self.is_taken(id, branch, passage, seen)? {
                        chosen.push(branch.target);
                    }
                }
                if chosen.is_empty() {
                    chosen.extend(*default);
                }
                chosen.extend(always.iter().map(|arc| Target::Arc(*arc)));
                match (chosen.is_empty(), passage) {
                    (false, _) => emitted_to(&chosen),
                    (true, Passage::PassedBy) => everywhere(stage),
                    (true, Passage::Done) => return Err(no_branch(&stage.ref_id)),
                }
            }
        };
        let n_emitted = match &emitted {
            Emitted::All => stage.outgoing.len(),
            Emitted::Arcs(arcs) => arcs.len(),
            Emitted::Nothing => 0,
        };
        let n_tokens = n_emitted as u64 * u64::from(stage.split.tokens_per_arc());
        if self.state.core.marking.count() + n_tokens > definition.limits().tokens_max {
            let message = format!("a workflow holds at most {} tokens", definition.limits().tokens_max);
            return Err(Failure::new(ErrorCode::LIMIT_TOKENS, ErrorClass::Permanent, message));
        }
        let arcs = match &emitted {
            Emitted::All => stage.outgoing.as_slice(),
            Emitted::Arcs(arcs) => arcs,
            Emitted::Nothing => &[],
        };
        self.refuse_endless(self.state.core.live[&id].scope, arcs)?;
        Ok(emitted)
    }

    /// A token on each of these arcs at once would be one turn too many.
    fn refuse_endless(&self, scope: ScopeId, arcs: &[ArcIndex]) -> Result<(), Failure> {
        let graph = self.state.definition.graph();
        let iterations = &self.state.core.scopes[&scope].iterations;
        let mut turns = self.state.core.instant_turns;
        for arc in arcs {
            let way = graph.arc(*arc);
            turns += u64::from(way.kind == ArcKind::Back);
            let most = way.max_iterations.filter(|most| iterations.get(arc).is_some_and(|turns| turns >= most));
            if let Some(most) = most {
                let from = way.from.map_or("the start", |from| &graph.stage(from).ref_id);
                let message =
                    format!("the arc from {from} to {} has been taken {most} times", graph.stage(way.to).ref_id);
                return Err(Failure::new(ErrorCode::LOOP_LIMIT, ErrorClass::Permanent, message));
            }
        }
        let most = self.state.definition.limits().instant_turns_max;
        if turns > most && turns > self.state.core.instant_turns {
            let message = format!("control has come back {most} times, and nothing outside has been waited for");
            return Err(Failure::new(ErrorCode::INSTANT_LOOP, ErrorClass::Permanent, message));
        }
        Ok(())
    }

    /// Does the condition of this branch hold?
    fn is_taken(
        &mut self,
        id: ActivationId,
        branch: &Branch,
        passage: Passage,
        seen: &Surroundings,
    ) -> Result<bool, Failure> {
        let arc = match branch.target {
            Target::Arc(arc) => Some(arc),
            Target::End => None,
        };
        let on_error = self.state.definition.graph().stage(id.stage).on_condition_error;
        match self.answers.holds(Site::Branch(id, arc), &branch.condition, seen) {
            Err(_) if passage == Passage::PassedBy || on_error == OnConditionError::False => Ok(false),
            answer => answer,
        }
    }
}

/// A token on every arc from the stage.
fn everywhere(stage: &GraphStage) -> Emitted {
    if stage.outgoing.is_empty() { Emitted::Nothing } else { Emitted::All }
}

/// A token on the arc of each of these targets.
fn emitted_to(targets: &[Target]) -> Emitted {
    let arc = |target: &Target| if let Target::Arc(arc) = target { Some(*arc) } else { None };
    let mut arcs: Vec<ArcIndex> = targets.iter().filter_map(arc).collect();
    arcs.sort_unstable();
    if arcs.is_empty() { Emitted::Nothing } else { Emitted::Arcs(arcs) }
}

fn no_branch(ref_id: &str) -> Failure {
    let message = format!("no condition of the split of {ref_id} holds and it has no split_default");
    Failure::new(ErrorCode::NO_BRANCH, ErrorClass::Permanent, message)
}
