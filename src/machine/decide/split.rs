//! Splits: which arcs receive a token when an activation ends.

use crate::definition::{OnConditionError, Split, Target};
use crate::event::Emitted;
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::ActivationId;
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
            Split::And if stage.outgoing.is_empty() => Emitted::Nothing,
            Split::And => Emitted::All,
            Split::Xor { branches, default } => {
                let mut chosen = None;
                for branch in branches {
                    let arc = match branch.target {
                        Target::Arc(arc) => Some(arc),
                        Target::End => None,
                    };
                    match self.answers.holds(Site::Branch(id, arc), &branch.condition, seen) {
                        Ok(true) => {
                            chosen = Some(branch.target);
                            break;
                        }
                        Ok(false) => (),
                        Err(_)
                            if passage == Passage::PassedBy || stage.on_condition_error == OnConditionError::False => {}
                        Err(error) => return Err(error),
                    }
                }
                match chosen.or(*default) {
                    Some(Target::Arc(arc)) => Emitted::Arcs(vec![arc]),
                    Some(Target::End) => Emitted::Nothing,
                    None => return Err(no_branch(&stage.ref_id)),
                }
            }
        };
        let n_emitted = match &emitted {
            Emitted::All => stage.outgoing.len(),
            Emitted::Arcs(arcs) => arcs.len(),
            Emitted::Nothing => 0,
        };
        if self.state.core.marking.count() + n_emitted as u64 > definition.limits().tokens_max {
            let message = format!("a workflow holds at most {} tokens", definition.limits().tokens_max);
            return Err(Failure::new(ErrorCode::LIMIT_TOKENS, ErrorClass::Permanent, message));
        }
        Ok(emitted)
    }
}

fn no_branch(ref_id: &str) -> Failure {
    let message = format!("no condition of the split of {ref_id} holds and it has no split_default");
    Failure::new(ErrorCode::NO_BRANCH, ErrorClass::Permanent, message)
}
