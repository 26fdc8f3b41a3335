//! Milestones: whether what a stage waits for holds now, and whether it can hold again.
//!
//! Counts only what some stage waits for; most definitions have no milestone, and their scopes hold none of this.

use crate::definition::{Milestone, MilestoneCondition, MilestoneStatus, Reached};
use crate::ids::{ActivationId, ScopeId, StageIndex};
use crate::status::Status;

use super::outlook::{self, Waiting};
use super::state::{AttemptState, Gate, Progress, State};

impl State {
    /// The milestone of the stage of an activation, with its scope, if it holds none it needs to wait for.
    fn milestone_of(&self, id: ActivationId) -> Option<(&Milestone, ScopeId)> {
        let milestone = self.definition.graph().stage(id.stage).milestone.as_deref()?;
        Some((milestone, self.core.live.get(&id)?.scope))
    }

    /// Does the milestone of a ready activation hold? One that has none is not held by it.
    pub(super) fn meets_its_milestone(&self, id: ActivationId) -> bool {
        self.milestone_of(id).is_none_or(|(milestone, scope)| self.holds_milestone(milestone, scope))
    }

    fn holds_milestone(&self, milestone: &Milestone, scope: ScopeId) -> bool {
        match milestone.condition {
            MilestoneCondition::Has(reached) => {
                let counts = self.core.scopes.get(&scope).map(|scope| &scope.reached);
                counts.and_then(|counts| counts.get(&reached)).is_some_and(|balance| *balance > 0)
            }
            MilestoneCondition::Is(stage, status) => self.owners_of(scope, stage).any(|id| {
                let is = match &self.core.live[&id].progress {
                    Progress::Ready(_) => MilestoneStatus::Enabled,
                    Progress::Open(open) if open.attempt == AttemptState::Suspended => MilestoneStatus::Suspended,
                    Progress::Between { .. }
                    | Progress::Open(_)
                    | Progress::CoreEnded
                    | Progress::Overdue
                    | Progress::Turning
                    | Progress::Inside
                    | Progress::Instances => MilestoneStatus::Running,
                    Progress::Canceling(_) => return false,
                };
                is == status
            }),
        }
    }

    /// The activations of a stage without their instances, which make no milestone of their own.
    fn owners_of(&self, scope: ScopeId, stage: StageIndex) -> impl Iterator<Item = ActivationId> + '_ {
        self.live_of(scope, stage).filter(|id| id.instance.is_none())
    }

    /// The activations of a stage that wait for its milestone, the oldest first.
    pub(super) fn waiting_for_milestone(&self, scope: ScopeId, stage: StageIndex) -> Vec<(u64, ActivationId)> {
        let waits = |id: &ActivationId| self.waits_for_its_milestone(*id);
        let waiting = self.live_of(scope, stage).filter(waits);
        let mut waiting: Vec<(u64, ActivationId)> = waiting.map(|id| (self.core.live[&id].born, id)).collect();
        waiting.sort_unstable();
        waiting
    }

    /// Is an activation held by its milestone?
    pub(super) fn waits_for_its_milestone(&self, id: ActivationId) -> bool {
        let progress = self.core.live.get(&id).map(|live| &live.progress);
        matches!(progress, Some(Progress::Ready(Gate::Milestone | Gate::MilestoneAgain)))
    }

    /// Can the milestone that an activation waits for hold again? While what it is about lives or may start.
    pub(super) fn milestone_may_come(&mut self, id: ActivationId) -> bool {
        let Some((milestone, scope)) = self.milestone_of(id) else { return true };
        let of = milestone.of();
        self.is_at_work(scope, of) || outlook::may_come(self, Waiting { scope, join: of })
    }

    /// The same, looked at anew.
    pub(super) fn milestone_may_come_anew(&self, id: ActivationId) -> bool {
        let Some((milestone, scope)) = self.milestone_of(id) else { return true };
        let of = milestone.of();
        self.is_at_work(scope, of) || outlook::would_come(self, Waiting { scope, join: of })
    }

    /// Does an activation of the stage live that is not on its way to its end?
    fn is_at_work(&self, scope: ScopeId, stage: StageIndex) -> bool {
        self.owners_of(scope, stage).any(|id| !self.is_canceling(id))
    }

    /// Something has changed about a stage that others may wait for.
    pub(super) fn look_at_milestones(&mut self, scope: ScopeId, stage: StageIndex) {
        let definition = self.definition.clone();
        for watcher in definition.graph().watchers(stage) {
            let Some(milestone) = definition.graph().stage(*watcher).milestone.as_deref() else { continue };
            let waiting = self.waiting_for_milestone(scope, *watcher);
            if waiting.is_empty() {
                continue;
            }
            if self.holds_milestone(milestone, scope) {
                self.candidates.ready.extend(waiting);
            } else {
                self.candidates.outlooks.look_for(Waiting { scope, join: milestone.of() });
            }
        }
    }

    /// Everybody in the scope who waits for a milestone is looked at: less may come than was thought.
    pub(super) fn look_at_all_milestones(&mut self, scope: ScopeId) {
        if !self.definition.graph().has_milestones() {
            return;
        }
        let waiting =
            self.core.live.iter().filter(|(id, live)| live.scope == scope && self.waits_for_its_milestone(**id));
        let of: Vec<StageIndex> = waiting.filter_map(|(id, _)| Some(self.milestone_of(*id)?.0.of())).collect();
        of.into_iter().for_each(|of| self.candidates.outlooks.look_for(Waiting { scope, join: of }));
    }

    /// An activation is there: ready, or at work at once.
    pub(super) fn began(&mut self, id: ActivationId, scope: ScopeId) {
        let is_ready = self.core.live.get(&id).is_some_and(|live| matches!(live.progress, Progress::Ready(_)));
        if !is_ready {
            self.left_its_gates(id, scope);
        }
        self.moved_on(id, scope);
    }

    /// An activation has started or ended, or was suspended, or goes on.
    pub(super) fn moved_on(&mut self, id: ActivationId, scope: ScopeId) {
        if id.instance.is_none() {
            self.look_at_milestones(scope, id.stage);
        }
    }

    /// An activation is ready no more: what ends with its start is over.
    pub(super) fn left_its_gates(&mut self, id: ActivationId, scope: ScopeId) {
        self.count_reached(id, scope, -1, |reached, stage| reached.until == Some(stage));
    }

    /// An activation has ended with this status.
    pub(super) fn completed(&mut self, id: ActivationId, scope: ScopeId, status: Status) {
        if matches!(status, Status::Succeeded | Status::FailedContinue) {
            self.count_reached(id, scope, 1, |reached, stage| reached.stage == stage);
        }
    }

    fn count_reached(
        &mut self,
        id: ActivationId,
        scope: ScopeId,
        change: i64,
        is_one: impl Fn(&Reached, StageIndex) -> bool,
    ) {
        let definition = self.definition.clone();
        let watchers = definition.graph().watchers(id.stage);
        if watchers.is_empty() || id.instance.is_some() {
            return;
        }
        let known = watchers.iter().filter_map(|watcher| definition.graph().stage(*watcher).milestone.as_deref());
        let mut changed: Vec<Reached> = known
            .filter_map(|milestone| match milestone.condition {
                MilestoneCondition::Has(reached) if is_one(&reached, id.stage) => Some(reached),
                MilestoneCondition::Has(_) | MilestoneCondition::Is(..) => None,
            })
            .collect();
        changed.sort_unstable();
        changed.dedup();
        if let Some(scope) = self.core.scopes.get_mut(&scope) {
            changed.into_iter().for_each(|reached| *scope.reached.entry(reached).or_default() += change);
        }
        self.look_at_milestones(scope, id.stage);
    }
}
