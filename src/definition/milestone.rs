//! The state of another stage that a stage needs to start: its milestone, as its author wrote it. Plain data. Terms:
//! Russell et al., "Workflow Control-Flow Patterns: A Revised View", 2006, pattern 18.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::StageIndex;

use super::graph::GraphStage;

/// What has to hold, in the same scope, at the moment at which a stage starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Milestone {
    /// What it is about.
    pub(crate) condition: MilestoneCondition,
    /// What becomes of an activation for which it can hold no more.
    pub(crate) policy: MilestonePolicy,
}

/// The state of another stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MilestoneCondition {
    /// An activation of it lives and is so far.
    Is(StageIndex, MilestoneStatus),
    /// It has completed, more often than control has gone on from there.
    Has(Reached),
}

/// That a stage has completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Reached {
    /// The stage.
    pub(crate) stage: StageIndex,
    /// The stage that ends it by starting; for ever if there is none.
    pub(crate) until: Option<StageIndex>,
}

/// What the other stage has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MilestoneStatus {
    /// Completed.
    Succeeded,
    /// Ready, and held by a gate.
    Enabled,
    /// At work.
    Running,
    /// At work, and waiting for a signal.
    Suspended,
    /// Completed, and control has not gone on from there.
    Reached,
}

impl MilestoneStatus {
    /// Every status there is.
    pub(super) const ALL: [MilestoneStatus; 5] = [
        MilestoneStatus::Succeeded,
        MilestoneStatus::Enabled,
        MilestoneStatus::Running,
        MilestoneStatus::Suspended,
        MilestoneStatus::Reached,
    ];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            MilestoneStatus::Succeeded => "SUCCEEDED",
            MilestoneStatus::Enabled => "ENABLED",
            MilestoneStatus::Running => "RUNNING",
            MilestoneStatus::Suspended => "SUSPENDED",
            MilestoneStatus::Reached => "REACHED",
        }
    }

    /// Is it the state of an activation that lives?
    pub(super) fn lives(self) -> bool {
        matches!(self, MilestoneStatus::Enabled | MilestoneStatus::Running | MilestoneStatus::Suspended)
    }
}

/// What becomes of an activation whose milestone can hold no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MilestonePolicy {
    /// It is passed by.
    #[default]
    WaitSkip,
    /// It fails.
    WaitFail,
    /// It waits on.
    Wait,
}

impl MilestonePolicy {
    /// Every policy there is.
    pub(super) const ALL: [MilestonePolicy; 3] =
        [MilestonePolicy::WaitSkip, MilestonePolicy::WaitFail, MilestonePolicy::Wait];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            MilestonePolicy::WaitSkip => "wait_skip",
            MilestonePolicy::WaitFail => "wait_fail",
            MilestonePolicy::Wait => "wait",
        }
    }
}

impl Milestone {
    /// The stage that it is about.
    pub(crate) fn of(&self) -> StageIndex {
        match self.condition {
            MilestoneCondition::Is(stage, _) | MilestoneCondition::Has(Reached { stage, .. }) => stage,
        }
    }

    /// The stage that ends it by starting.
    pub(crate) fn until(&self) -> Option<StageIndex> {
        match self.condition {
            MilestoneCondition::Is(..) => None,
            MilestoneCondition::Has(Reached { until, .. }) => until,
        }
    }

    /// What the stage has to be.
    pub(crate) fn status(&self) -> MilestoneStatus {
        match self.condition {
            MilestoneCondition::Is(_, status) => status,
            MilestoneCondition::Has(Reached { until: None, .. }) => MilestoneStatus::Succeeded,
            MilestoneCondition::Has(Reached { until: Some(_), .. }) => MilestoneStatus::Reached,
        }
    }
}

/// By stage those whose milestone is about it or ends with it, in definition order.
pub(super) fn watchers(stages: &[GraphStage]) -> BTreeMap<StageIndex, Vec<StageIndex>> {
    let mut watchers: BTreeMap<StageIndex, Vec<StageIndex>> = BTreeMap::new();
    for (place, stage) in (0..).zip(stages) {
        let Some(milestone) = stage.milestone.as_deref() else { continue };
        let until = milestone.until().filter(|until| *until != milestone.of());
        for watched in [milestone.of()].into_iter().chain(until) {
            watchers.entry(watched).or_default().push(StageIndex::new(place));
        }
    }
    watchers
}
