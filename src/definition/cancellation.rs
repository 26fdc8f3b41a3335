//! What a stage has to do with cancellation: whom it ends, what ends it, and where control goes then. Plain data; the
//! machine does it.

use crate::ids::{ArcIndex, StageIndex};
use crate::time::Duration;

use super::graph::GraphStage;

/// What a stage has to do with cancellation; nothing, if nothing is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cancellation {
    /// `cancels`, as written: done when an activation has succeeded, before it emits.
    pub(crate) cancels: Vec<CancelTarget>,
    /// `cancel_on`: what ends a live activation of the stage.
    pub(crate) boundary: Boundary,
    /// `on_cancelled`: the arc that then receives a token. It is not among the outgoing ones.
    pub(crate) path: Option<ArcIndex>,
    /// `end`: what it means that an activation has succeeded.
    pub(crate) ending: Ending,
    /// The stages whose live activations end when one of this stage has succeeded, ascending: those in its `cancels`,
    /// and those that are to end when it completes. Follows from all stages.
    pub(crate) victims: Vec<StageIndex>,
}

/// What a stage cancels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CancelTarget {
    /// Whatever lives of this stage in the same scope.
    Stage(StageIndex),
    /// The workflow.
    Workflow,
}

/// What ends a live activation of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Boundary {
    /// It has lived this long; never zero.
    pub(crate) timer: Option<Duration>,
    /// An activation of one of these stages has succeeded.
    pub(crate) completed: Vec<StageIndex>,
}

/// What it means for the workflow that a stage has succeeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// Nothing.
    #[default]
    None,
    /// The workflow has succeeded, whatever else is in progress; that is canceled.
    Terminate,
}

impl Ending {
    /// Every meaning there is.
    pub(super) const ALL: [Ending; 2] = [Ending::None, Ending::Terminate];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            Ending::None => "none",
            Ending::Terminate => "terminate",
        }
    }
}

/// When a workflow has succeeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Termination {
    /// When nothing is left to do.
    #[default]
    Implicit,
    /// When a stage that ends it has succeeded, and not otherwise.
    Explicit,
}

impl Termination {
    /// Every meaning there is.
    pub(super) const ALL: [Termination; 2] = [Termination::Implicit, Termination::Explicit];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            Termination::Implicit => "implicit",
            Termination::Explicit => "explicit",
        }
    }
}

impl Cancellation {
    /// Is nothing written, and nobody to end with it?
    pub(crate) fn is_none(&self) -> bool {
        *self == Cancellation::default()
    }

    /// Does an activation that has succeeded end everything else?
    pub(crate) fn ends_all(&self) -> bool {
        self.cancels_workflow() || self.ending == Ending::Terminate
    }

    /// Is the workflow among what the stage cancels?
    pub(crate) fn cancels_workflow(&self) -> bool {
        self.cancels.contains(&CancelTarget::Workflow)
    }
}

/// Fills in what follows from all stages together.
pub(super) fn find_victims(stages: &mut [GraphStage]) {
    let mut found: Vec<(StageIndex, StageIndex)> = Vec::new();
    for (stage, place) in stages.iter().zip(0..) {
        let own = StageIndex::new(place);
        let named = stage.cancellation.cancels.iter().filter_map(|target| match target {
            CancelTarget::Stage(victim) => Some((own, *victim)),
            CancelTarget::Workflow => None,
        });
        found.extend(named);
        found.extend(stage.cancellation.boundary.completed.iter().map(|by| (*by, own)));
    }
    stages.iter_mut().for_each(|stage| stage.cancellation.victims.clear());
    found.sort_unstable();
    found.dedup();
    for (by, victim) in found {
        if let Some(stage) = stages.get_mut(by.index()) {
            stage.cancellation.victims.push(victim);
        }
    }
}
