//! The parts of a stage's work that are stages themselves: what comes before it, what it repeats, what comes behind.
//!
//! Each is a block, a graph of its own inside the stage. What they do to each other is the machine's.

use serde::{Deserialize, Serialize};

use crate::ids::StageIndex;

/// A part of the work of an activation that is a block of stages. In their order: a later one begins when the earlier
/// ones have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StagePhase {
    /// `before`: done first; only then its own work begins.
    Before,
    /// Its own work, where that is a loop.
    Body,
    /// `after`: done when its own work has succeeded.
    After,
    /// `on_failure: {stages}`: done when something of that has failed.
    OnFailure,
}

impl StagePhase {
    /// Every phase that stands beside the own work of a stage, in their order.
    pub(crate) const BESIDE: [StagePhase; 3] = [StagePhase::Before, StagePhase::After, StagePhase::OnFailure];

    /// The name as events and definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            StagePhase::Before => "before",
            StagePhase::Body => "body",
            StagePhase::After => "after",
            StagePhase::OnFailure => "on_failure",
        }
    }
}

/// A graph of its own in a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BlockId {
    /// The stage in which it is nested; `None` is the workflow itself, whose only block is its body.
    pub(crate) owner: Option<StageIndex>,
    /// Which part of that.
    pub(crate) phase: StagePhase,
}

impl BlockId {
    /// The workflow itself.
    pub(crate) const ROOT: BlockId = BlockId { owner: None, phase: StagePhase::Body };

    /// This part of a stage.
    pub(crate) fn of(owner: StageIndex, phase: StagePhase) -> BlockId {
        BlockId { owner: Some(owner), phase }
    }
}
