//! Cancelling: of a workflow by request, of others by a stage that has succeeded. What runs is marked, and settling
//! ends it.

use crate::definition::{RegionEffect, RegionFuture, Withdrawal};
use crate::event::{CancelCause, Emitted, Event, LeftTokens};
use crate::ids::{ActivationId, RegionIndex, ScopeId, StageIndex};
use crate::limits::LISTED_MAX;
use crate::machine::command::Rejection;
use crate::machine::state::State;

use super::Decision;
use super::split::Passage;

/// A second request for the end has nothing left to do.
pub(super) fn refuse(state: &State) -> Result<(), Rejection> {
    if state.core.ending.is_some() {
        return Err(Rejection::AlreadyEnding);
    }
    if state.core.cancel.is_some() { Err(Rejection::AlreadyCanceling) } else { Ok(()) }
}

/// What became of the cancels of a stage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancels {
    /// What they cancel was marked, and ends first.
    Marked,
    /// There is nothing to end any more.
    Done,
}

impl Decision<'_> {
    /// Marks what the stage of an activation cancels whose work has succeeded. Where nothing lives nothing is marked,
    /// and nothing is remembered.
    pub(super) fn cancel_others(&mut self, by: ActivationId) -> Cancels {
        if self.cancel_a_region(by) == Cancels::Marked {
            return Cancels::Marked;
        }
        if !self.has_victims(by) {
            return Cancels::Done;
        }
        self.push(Event::CancelsMarked { by });
        let cancellation = &self.state.definition.graph().stage(by.stage).cancellation;
        if !cancellation.ends_all() {
            let scope = self.state.core.live[&by].scope;
            let complete = cancellation.withdraws.iter().filter(|(_, withdrawal)| *withdrawal == Withdrawal::Complete);
            let complete: Vec<_> = complete.flat_map(|(of, _)| self.with_open_instances(scope, *of)).collect();
            complete.into_iter().for_each(|owner| self.withdraw_instances(owner, Withdrawal::Complete));
        }
        Cancels::Marked
    }

    /// Cancels the first region that the stage of an activation cancels and in which there is anything left.
    fn cancel_a_region(&mut self, by: ActivationId) -> Cancels {
        let definition = self.state.definition.clone();
        let scope = self.state.core.live[&by].scope;
        let mut regions = definition.graph().stage(by.stage).cancellation.canceled_regions();
        let Some(region) = regions.find(|region| self.is_to_cancel(*region, scope, by)) else { return Cancels::Done };
        self.push(Event::RegionCanceled { region, scope, by: Some(by) });
        Cancels::Marked
    }

    fn is_to_cancel(&self, region: RegionIndex, scope: ScopeId, by: ActivationId) -> bool {
        let spec = &self.state.definition.graph().regions[region.index()];
        let core = &self.state.core;
        let lives_on = |id: ActivationId| id != by && core.live.get(&id).is_some_and(|live| live.doomed.is_none());
        let has_tokens = |member: StageIndex| {
            spec.effect == RegionEffect::Remove
                && core.marking.marked(scope, member) > 0
                && !core.sweeps.contains_key(&(scope, member))
        };
        let is_open = !core.scopes[&scope].withdrawn.contains(&region);
        (spec.future == RegionFuture::Withdraw && is_open)
            || spec.members.iter().any(|member| has_tokens(*member) || self.state.live_of(scope, *member).any(lives_on))
    }

    /// Takes away the tokens of the first stage of which they are to go.
    pub(super) fn sweep(&mut self) -> bool {
        let Some((&(scope, stage), &region)) = self.state.core.sweeps.first_key_value() else { return false };
        let marking = &self.state.core.marking;
        let graph = self.state.definition.graph();
        let incoming = graph.stage(stage).incoming.iter().chain(graph.jumps_to(stage));
        let lying = incoming.map(|arc| (*arc, marking.lying(scope, *arc))).filter(|(_, tokens)| *tokens > 0);
        let removed = lying.take(LISTED_MAX);
        let removed =
            removed.map(|(arc, tokens)| LeftTokens { arc, tokens: u32::try_from(tokens).unwrap_or(u32::MAX) });
        let removed = removed.collect();
        self.push(Event::TokensRemoved { scope, removed, cause: CancelCause::Region { region } });
        true
    }

    fn has_victims(&self, by: ActivationId) -> bool {
        let cancellation = &self.state.definition.graph().stage(by.stage).cancellation;
        let lives_on =
            |id: &ActivationId| *id != by && self.state.core.live.get(id).is_some_and(|live| live.doomed.is_none());
        let scope = self.state.core.live[&by].scope;
        if cancellation.ends_all() {
            return self.state.core.live.keys().any(|id| lives_on(id) && !self.state.surrounds(*id, scope));
        }
        let withdraws = |(of, withdrawal): &(StageIndex, Withdrawal)| match withdrawal {
            Withdrawal::Cancel => self.state.live_of(scope, *of).any(|id| id.instance.is_none() && lives_on(&id)),
            Withdrawal::Complete => !self.with_open_instances(scope, *of).is_empty(),
        };
        cancellation.victims.iter().any(|victim| self.state.live_of(scope, *victim).any(|id| lives_on(&id)))
            || cancellation.withdraws.iter().any(withdraws)
    }

    /// A marked activation comes to its end.
    pub(super) fn cancel_activation(&mut self, id: ActivationId, cause: CancelCause) {
        let definition = self.state.definition.clone();
        let path = definition.graph().stage(id.stage).cancellation.path;
        let emitted = match (cause, path) {
            // It is not the end of the stage.
            _ if id.instance.is_some() => Emitted::Nothing,
            // Until it had stopped, everything around it came to its end.
            _ if self.state.is_canceling(id) && !self.state.moves(self.state.core.live[&id].scope) => Emitted::Nothing,
            (
                CancelCause::Stage { .. } | CancelCause::Timer | CancelCause::Signal | CancelCause::Instances,
                Some(path),
            ) => Emitted::Arcs(vec![path]),
            (CancelCause::Region { region }, _) => {
                let effect = definition.graph().regions[region.index()].effect;
                if effect == RegionEffect::Remove {
                    Emitted::Nothing
                } else {
                    let seen = self.surroundings(id);
                    match self.split(id, Passage::PassedBy, &seen) {
                        Ok(emitted) => emitted,
                        Err(error) => return self.fail_at_split(id, error),
                    }
                }
            }
            (
                CancelCause::Stage { .. }
                | CancelCause::Timer
                | CancelCause::Signal
                | CancelCause::Withdrawn { .. }
                | CancelCause::Instances,
                _,
            )
            | (
                CancelCause::Workflow
                | CancelCause::ScopeFailed
                | CancelCause::Deadline
                | CancelCause::ExplicitEnd
                | CancelCause::Discriminator
                | CancelCause::Jump { .. }
                | CancelCause::Rewound { .. },
                _,
            ) => Emitted::Nothing,
        };
        self.push(Event::StageCanceled { activation: id, cause, emitted });
    }
}
