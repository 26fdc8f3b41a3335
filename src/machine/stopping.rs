//! Activations that are canceled and end only when the work under way in them has stopped: `cancel_mode: wait`.
//!
//! Until then they live: they hold their locks, their place of a `serialize` stage, their section and their scope.
//! Nothing else waits for those from which no token can come any more.

use serde::{Deserialize, Serialize};

use crate::definition::RegionEffect;
use crate::event::CancelCause;
use crate::ids::{ActivationId, AttemptId};
use crate::time::Timestamp;

use super::state::{Activation, AttemptState, OpenTask, Progress, State};

/// An attempt that was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stopping {
    pub(super) attempt: AttemptId,
    /// Since when it is waited for.
    pub(super) since: Timestamp,
}

impl State {
    /// The attempt for whose stop a canceled activation waits.
    pub(super) fn stopping(&self, id: ActivationId) -> Option<&Stopping> {
        let Progress::Canceling(stopping) = &self.core.live.get(&id)?.progress else { return None };
        stopping.as_ref()
    }

    /// The same by its name.
    pub(crate) fn stopping_attempt(&self, id: ActivationId) -> Option<AttemptId> {
        self.stopping(id).map(|stopping| stopping.attempt)
    }

    /// Does something have to stop before a canceled activation can end: its own attempt, its instances, or what is
    /// inside it?
    pub(super) fn stops_first(&self, id: ActivationId) -> bool {
        let Some(live) = self.core.live.get(&id) else { return false };
        let waits = self.definition.graph().stage(id.stage).cancellation.mode.waits();
        let is_begun = |open: &OpenTask| waits && self.is_begun(id, open);
        let of_its_own = matches!(&live.progress, Progress::Canceling(Some(_)))
            || matches!(&live.progress, Progress::Open(open) if is_begun(open));
        let has_instances = || waits && id.instance.is_none() && self.has_live_instances(id);
        of_its_own || self.lives_inside(live) || has_instances()
    }

    /// Does anything live inside the activation?
    pub(super) fn lives_inside(&self, live: &Activation) -> bool {
        live.scope_inside().is_some_and(|scope| self.core.scopes.get(&scope).is_some_and(|scope| scope.live > 0))
    }

    pub(super) fn has_live_instances(&self, owner: ActivationId) -> bool {
        self.core.instances.get(&owner).is_some_and(|set| set.live > 0)
    }

    /// May a worker be at the newest attempt of an open task? One whose start is not recorded may have begun, unless it
    /// is not due yet.
    pub(super) fn is_begun(&self, id: ActivationId, open: &OpenTask) -> bool {
        match open.attempt {
            AttemptState::Queued { due: Some(due) } if due > self.core.now => false,
            AttemptState::Queued { .. } => !self.is_by_hand(crate::ids::TaskId { activation: id, task: open.task }),
            AttemptState::Started => true,
            AttemptState::Reported(_)
            | AttemptState::Lost
            | AttemptState::Waiting { .. }
            | AttemptState::Woken
            | AttemptState::Suspended
            | AttemptState::Calling { .. } => false,
        }
    }

    /// Is the activation canceled, and lives only until something has stopped?
    pub(super) fn is_canceling(&self, id: ActivationId) -> bool {
        self.core.live.get(&id).is_some_and(|live| matches!(live.progress, Progress::Canceling(_)))
    }

    /// Does control go on behind an activation that this cancels?
    pub(super) fn goes_on_canceled(&self, id: ActivationId, cause: CancelCause) -> bool {
        let graph = self.definition.graph();
        let is_whole = id.instance.is_none();
        is_whole
            && match cause {
                CancelCause::Stage { .. } | CancelCause::Timer | CancelCause::Signal | CancelCause::Instances => {
                    graph.stage(id.stage).cancellation.path.is_some()
                }
                CancelCause::Region { region } => {
                    graph.regions.get(region.index()).is_some_and(|region| region.effect == RegionEffect::Bypass)
                }
                CancelCause::Withdrawn { .. }
                | CancelCause::Workflow
                | CancelCause::ScopeFailed
                | CancelCause::Deadline
                | CancelCause::ExplicitEnd
                | CancelCause::Jump { .. }
                | CancelCause::Rewound { .. }
                | CancelCause::Discriminator => false,
            }
    }
}
