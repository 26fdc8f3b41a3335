//! Milestones from code: only what goes together can be written.

use super::Stage;
use crate::definition::milestone::{MilestonePolicy, MilestoneStatus};

/// What another stage has to be at the moment at which a stage starts.
///
/// ```
/// use stabilize::{Definition, Milestone, MilestonePolicy, Stage};
///
/// let definition = Definition::builder("tickets")
///     .stage(Stage::new("sell"))
///     .stage(Stage::new("close").needs(["sell"]))
///     .stage(Stage::new("change").milestone(Milestone::between("sell", "close").policy(MilestonePolicy::WaitFail)))
///     .build()?;
/// # Ok::<(), stabilize::Problems>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Milestone {
    of: String,
    status: MilestoneStatus,
    until: Option<String>,
    policy: MilestonePolicy,
}

impl Milestone {
    fn new(of: impl Into<String>, status: MilestoneStatus) -> Milestone {
        Milestone { of: of.into(), status, until: None, policy: MilestonePolicy::default() }
    }

    /// This stage has completed, whatever came after.
    pub fn succeeded(ref_id: impl Into<String>) -> Milestone {
        Milestone::new(ref_id, MilestoneStatus::Succeeded)
    }

    /// The first stage has completed, and the second has not started since.
    pub fn between(ref_id: impl Into<String>, until: impl Into<String>) -> Milestone {
        Milestone { until: Some(until.into()), ..Milestone::new(ref_id, MilestoneStatus::Reached) }
    }

    /// This stage is ready, and held by a gate.
    pub fn while_enabled(ref_id: impl Into<String>) -> Milestone {
        Milestone::new(ref_id, MilestoneStatus::Enabled)
    }

    /// This stage is at work.
    pub fn while_running(ref_id: impl Into<String>) -> Milestone {
        Milestone::new(ref_id, MilestoneStatus::Running)
    }

    /// This stage waits for a signal.
    pub fn while_suspended(ref_id: impl Into<String>) -> Milestone {
        Milestone::new(ref_id, MilestoneStatus::Suspended)
    }

    /// What becomes of an activation for which it can hold no more; [`MilestonePolicy::WaitSkip`] unless said
    /// otherwise.
    pub fn policy(self, policy: MilestonePolicy) -> Milestone {
        Milestone { policy, ..self }
    }
}

impl Stage {
    /// What another stage has to be for this one to start.
    pub fn milestone(self, milestone: Milestone) -> Stage {
        let stage = self.set("milestone_ref_id", milestone.of).set("milestone_status", milestone.status.name());
        let stage = match milestone.until {
            Some(until) => stage.set("milestone_until", until),
            None => stage,
        };
        stage.set("milestone_policy", milestone.policy.name())
    }
}
