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
    /// `compensate`: what undoes its work, where it has succeeded and its workflow has not.
    Compensate,
    /// `finally` of the workflow: done last, however that ends.
    Finally,
}

impl StagePhase {
    /// Every phase that stands beside the own work of a stage, in their order.
    pub(crate) const BESIDE: [StagePhase; 3] = [StagePhase::Before, StagePhase::After, StagePhase::OnFailure];

    /// Is it done when the workflow ends, and not while its stage works?
    pub(crate) fn is_at_the_end(self) -> bool {
        matches!(self, StagePhase::Compensate | StagePhase::Finally)
    }

    /// The name as events and definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            StagePhase::Before => "before",
            StagePhase::Body => "body",
            StagePhase::After => "after",
            StagePhase::OnFailure => "on_failure",
            StagePhase::Compensate => "compensate",
            StagePhase::Finally => "finally",
        }
    }
}

/// A graph of its own in a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BlockId {
    /// The stage in which it is nested; `None` is the workflow itself, which has a body and what is done last.
    pub(crate) owner: Option<StageIndex>,
    /// Which part of that.
    pub(crate) phase: StagePhase,
}

impl BlockId {
    /// The workflow itself.
    pub(crate) const ROOT: BlockId = BlockId { owner: None, phase: StagePhase::Body };

    /// What is done last in it.
    pub(crate) const FINALLY: BlockId = BlockId { owner: None, phase: StagePhase::Finally };

    /// This part of a stage.
    pub(crate) fn of(owner: StageIndex, phase: StagePhase) -> BlockId {
        BlockId { owner: Some(owner), phase }
    }
}
