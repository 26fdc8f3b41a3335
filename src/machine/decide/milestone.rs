//! Milestones: a gate that is examined twice, and the end of the wait for what can come no more.
//!
//! What is reached and left again within one batch, before it is the turn of who waits, was never seen: it is missed.

use crate::definition::{MilestonePolicy, MilestoneStatus};
use crate::event::{Event, HeldBy};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::ActivationId;
use crate::machine::outlook::Waiting;

use super::Decision;
use super::stage::failure_status;

impl Decision<'_> {
    /// The gate of the milestone of a ready activation: the gates before it are passed.
    pub(super) fn reach_milestone(&mut self, id: ActivationId) {
        if self.state.meets_its_milestone(id) { self.reach_trigger(id) } else { self.wait_for_milestone(id) }
    }

    /// Its milestone does not hold, now that it would go on: it waits.
    pub(super) fn wait_for_milestone(&mut self, id: ActivationId) {
        self.push(Event::StageWaiting { activation: id, gate: HeldBy::Milestone });
        self.set_expiry(id);
    }

    /// Ends the wait of the first activation whose milestone can hold no more.
    pub(super) fn expire_a_milestone(&mut self) -> bool {
        if self.state.is_paused() {
            return false;
        }
        while let Some(waiting) = self.state.candidates.outlooks.pop_looked_for() {
            let expired = self.expired(waiting).filter(|_| self.state.moves(waiting.scope));
            if let Some((id, policy)) = expired {
                // Others may wait for the same.
                self.state.candidates.outlooks.look_for(waiting);
                self.give_up_milestone(id, policy);
                return true;
            }
        }
        false
    }

    /// The oldest activation that waits for a milestone about this stage in vain.
    fn expired(&mut self, Waiting { scope, join: of }: Waiting) -> Option<(ActivationId, MilestonePolicy)> {
        let definition = self.state.definition.clone();
        let graph = definition.graph();
        let mut waiting = Vec::new();
        for watcher in graph.watchers(of) {
            let Some(milestone) = graph.stage(*watcher).milestone.as_deref() else { continue };
            if milestone.of() == of && milestone.policy != MilestonePolicy::Wait {
                let ids = self.state.waiting_for_milestone(scope, *watcher);
                waiting.extend(ids.into_iter().map(|(born, id)| (born, id, milestone.policy)));
            }
        }
        waiting.sort_unstable_by_key(|(born, ..)| *born);
        let (_, id, policy) = waiting.into_iter().find(|(_, id, _)| !self.state.meets_its_milestone(*id))?;
        (!self.state.milestone_may_come(id)).then_some((id, policy))
    }

    fn give_up_milestone(&mut self, id: ActivationId, policy: MilestonePolicy) {
        let definition = self.state.definition.clone();
        let stage = definition.graph().stage(id.stage);
        if policy == MilestonePolicy::WaitSkip {
            return self.pass_by(id);
        }
        let of = stage.milestone.as_ref().map(|milestone| (milestone.of(), milestone.status()));
        let (of, status) = of.map_or(("?", MilestoneStatus::Succeeded), |(of, status)| {
            (definition.graph().stage(of).ref_id.as_str(), status)
        });
        let message = format!("stage {of} is not {} and will not be", status.name());
        let error = Failure::new(ErrorCode::MILESTONE_MISSED, ErrorClass::Permanent, message);
        self.end_stage(id, failure_status(stage.on_failure), Some(error));
    }
}
