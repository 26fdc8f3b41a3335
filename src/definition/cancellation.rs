//! What a stage has to do with cancellation: whom it ends, what ends it, and where control goes then. Plain data; the
//! machine does it.

use crate::ids::{ArcIndex, RegionIndex, StageIndex};
use crate::time::Duration;

use super::graph::GraphStage;
use super::instances::Withdrawal;

/// What a stage has to do with cancellation; nothing, if nothing is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cancellation {
    /// `cancels`, as written: done when an activation has succeeded, before it emits.
    pub(crate) cancels: Vec<CancelTarget>,
    /// `cancel_on`: what ends a live activation of the stage.
    pub(crate) boundary: Boundary,
    /// `on_cancelled`: the arc that then receives a token. It is not among the outgoing ones.
    pub(crate) path: Option<ArcIndex>,
    /// `cancel_region`: the regions it lies in, ascending.
    pub(crate) regions: Vec<RegionIndex>,
    /// `end`: what it means that an activation has succeeded.
    pub(crate) ending: Ending,
    /// `cancel_mode`, with `cancel_timeout`: what becomes of work under way.
    pub(crate) mode: CancelMode,
    /// The stages whose live activations end when one of this stage has succeeded, ascending: those in its `cancels`,
    /// and those that are to end when it completes. Follows from all stages.
    pub(crate) victims: Vec<StageIndex>,
    /// The stages whose live instances end so when one of this stage has succeeded, ascending. Follows from all stages.
    pub(crate) withdraws: Vec<(StageIndex, Withdrawal)>,
}

/// What a stage cancels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CancelTarget {
    /// Whatever lives of this stage in the same scope.
    Stage(StageIndex),
    /// What there is of this region in the same scope.
    Region(RegionIndex),
    /// The workflow.
    Workflow,
    /// The instances of this stage in the same scope, so.
    Instances(StageIndex, Withdrawal),
}

/// What ends a live activation of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Boundary {
    /// It has lived this long; never zero.
    pub(crate) timer: Option<Duration>,
    /// An activation of one of these stages has succeeded.
    pub(crate) completed: Vec<StageIndex>,
    /// A signal of one of these names has come.
    pub(crate) signals: Vec<String>,
}

/// What becomes of the attempt that a worker has begun when its activation is canceled. Whichever it is, nothing of
/// what the attempt gives afterwards counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancelMode {
    /// The activation has ended at once, and the worker is told to stop.
    #[default]
    Try,
    /// The worker is told to stop, and the activation ends when it has stopped: until then it keeps its locks, its
    /// place of a `serialize` stage and its critical section, and the workflow goes on living.
    Wait {
        /// How long at most; then it ends as if it had been abandoned. Never zero; without one it waits as long as the
        /// attempt runs.
        timeout: Option<Duration>,
    },
    /// The activation has ended at once, and the worker is not told: what it has begun runs on.
    Abandon,
}

impl CancelMode {
    /// The names as definitions write them.
    pub(super) const NAMES: [&'static str; 3] = ["try", "wait", "abandon"];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            CancelMode::Try => "try",
            CancelMode::Wait { .. } => "wait",
            CancelMode::Abandon => "abandon",
        }
    }

    /// The mode of this name, where a wait is as long as `timeout` says.
    pub(super) fn of(name: &str, timeout: Option<Duration>) -> Option<CancelMode> {
        match name {
            "try" => Some(CancelMode::Try),
            "wait" => Some(CancelMode::Wait { timeout }),
            "abandon" => Some(CancelMode::Abandon),
            _ => None,
        }
    }

    /// How long it waits at most, if it waits and does not wait for ever.
    pub(crate) fn timeout(self) -> Option<Duration> {
        match self {
            CancelMode::Wait { timeout } => timeout,
            CancelMode::Try | CancelMode::Abandon => None,
        }
    }

    /// Does an activation end only when its work has stopped?
    pub(crate) fn waits(self) -> bool {
        matches!(self, CancelMode::Wait { .. })
    }
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

/// Stages that are canceled together. They need not be connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    /// Its name.
    pub(crate) name: String,
    /// What its cancellation does to what is in it.
    pub(crate) effect: RegionEffect,
    /// What it means for what comes later.
    pub(crate) future: RegionFuture,
    /// The stages in it, ascending. Follows from the stages.
    pub(crate) members: Vec<StageIndex>,
}

/// What the cancellation of a region does to what is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RegionEffect {
    /// Activations are canceled, and control goes on behind each as if it had been passed by.
    #[default]
    Bypass,
    /// Activations and tokens vanish.
    Remove,
}

impl RegionEffect {
    /// Every effect there is.
    pub(super) const ALL: [RegionEffect; 2] = [RegionEffect::Bypass, RegionEffect::Remove];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            RegionEffect::Bypass => "bypass",
            RegionEffect::Remove => "remove",
        }
    }
}

/// What the cancellation of a region means for what comes later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RegionFuture {
    /// It is treated like what is there, until the scope ends or a stage that cancels the region is activated again.
    #[default]
    Withdraw,
    /// It runs.
    Allow,
}

impl RegionFuture {
    /// Every meaning there is.
    pub(super) const ALL: [RegionFuture; 2] = [RegionFuture::Withdraw, RegionFuture::Allow];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            RegionFuture::Withdraw => "withdraw",
            RegionFuture::Allow => "allow",
        }
    }
}

/// Fills in the stages of regions.
pub(super) fn find_members(stages: &[GraphStage], regions: &mut [Region]) {
    regions.iter_mut().for_each(|region| region.members.clear());
    for (stage, place) in stages.iter().zip(0..) {
        for region in &stage.cancellation.regions {
            if let Some(region) = regions.get_mut(region.index()) {
                region.members.push(StageIndex::new(place));
            }
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

    /// The regions that the stage cancels, as written.
    pub(crate) fn canceled_regions(&self) -> impl Iterator<Item = RegionIndex> + '_ {
        self.cancels.iter().filter_map(|target| match target {
            CancelTarget::Region(region) => Some(*region),
            CancelTarget::Stage(_) | CancelTarget::Workflow | CancelTarget::Instances(..) => None,
        })
    }

    /// Is the workflow among what the stage cancels?
    pub(crate) fn cancels_workflow(&self) -> bool {
        self.cancels.contains(&CancelTarget::Workflow)
    }
}

/// Fills in what follows from all stages together.
pub(super) fn find_victims(stages: &mut [GraphStage]) {
    let mut found: Vec<(StageIndex, StageIndex)> = Vec::new();
    let mut withdrawn: Vec<(StageIndex, (StageIndex, Withdrawal))> = Vec::new();
    for (stage, place) in stages.iter().zip(0..) {
        let own = StageIndex::new(place);
        let named = stage.cancellation.cancels.iter().filter_map(|target| match target {
            CancelTarget::Stage(victim) => Some((own, *victim)),
            CancelTarget::Region(_) | CancelTarget::Workflow | CancelTarget::Instances(..) => None,
        });
        found.extend(named);
        withdrawn.extend(stage.cancellation.cancels.iter().filter_map(|target| match target {
            CancelTarget::Instances(of, withdrawal) => Some((own, (*of, *withdrawal))),
            CancelTarget::Stage(_) | CancelTarget::Region(_) | CancelTarget::Workflow => None,
        }));
        if let Some(instances) = &stage.instances {
            for withdrawal in Withdrawal::ALL {
                let completed = &instances.outside(withdrawal).completed;
                withdrawn.extend(completed.iter().map(|by| (*by, (own, withdrawal))));
            }
        }
        found.extend(stage.cancellation.boundary.completed.iter().map(|by| (*by, own)));
    }
    for stage in stages.iter_mut() {
        stage.cancellation.victims.clear();
        stage.cancellation.withdraws.clear();
    }
    withdrawn.sort_unstable();
    withdrawn.dedup();
    for (by, of) in withdrawn {
        if let Some(stage) = stages.get_mut(by.index()) {
            stage.cancellation.withdraws.push(of);
        }
    }
    found.sort_unstable();
    found.dedup();
    for (by, victim) in found {
        if let Some(stage) = stages.get_mut(by.index()) {
            stage.cancellation.victims.push(victim);
        }
    }
}
