//! One opening of a block: what lives and has ended in it, where control has jumped, and what an activation knows of
//! the block inside it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::definition::Reached;
use crate::event::Json;
use crate::failure::Failure;
use crate::ids::{ActivationId, ArcIndex, RegionIndex, ScopeId, StageIndex, TaskIndex};
use crate::value::Map;

use super::around::Around;
use super::as_json;
use super::past::Past;
use super::trail::{Behind, Trail};

/// One opening of a nested block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scope {
    /// The activation whose block was opened; `None` is the workflow itself.
    pub(super) owner: Option<ActivationId>,
    /// How deep it is nested; the root is 0.
    pub(super) depth: u32,
    /// What its stages see besides what lies behind them.
    pub(super) around: Option<Arc<Around>>,
    /// Live activations in it.
    pub(super) live: u32,
    /// What ended it before it was over.
    pub(super) failed: Option<ScopeFailure>,
    /// Activations that ended STOPPED, with the task that was STOPPED; none if the stage made that of a failure.
    pub(super) stopped: Vec<(ActivationId, Option<TaskIndex>)>,
    /// What lies behind the threads that have ended here.
    pub(super) ended: Past,
    /// What a rewind needs to know of those threads.
    pub(super) trail: Trail,
    /// How many tokens have come over the arcs that have a limit of these.
    pub(super) iterations: BTreeMap<ArcIndex, u32>,
    /// Stages from which control has jumped away.
    pub(super) jumped: BTreeSet<StageIndex>,
    /// By stage that a jump has started: where something may come too late.
    pub(super) absorbing: BTreeMap<StageIndex, Absorbing>,
    /// Regions that were canceled, and what of them comes later with them.
    pub(super) withdrawn: BTreeSet<RegionIndex>,
    /// Which activation has canceled them, and what lies behind it, where jumps rewind.
    pub(super) withdrawals: BTreeMap<RegionIndex, (ActivationId, Past)>,
    /// By how much completions outnumber what ends them, where somebody waits for that.
    pub(super) reached: BTreeMap<Reached, i64>,
}

/// What comes too late for a join because a jump has started its stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Absorbing {
    /// The activation that the jump began.
    pub(super) to: ActivationId,
    /// Arcs on which one token comes too late, unless it knows of that activation or a later one.
    pub(super) arcs: BTreeSet<ArcIndex>,
    /// What lies behind that activation, where jumps rewind.
    pub(super) past: Past,
}

/// What a jump takes along to its target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Brought {
    /// The first context of the new activation.
    #[serde(with = "as_json")]
    pub(super) context: Map,
    /// The first of its outputs.
    pub(super) outputs: Json,
}

/// How an activation leaves that jumps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Leaving {
    /// What it takes along.
    pub(super) brought: Arc<Brought>,
    /// What lies behind the jump, if it rewinds; else what lies behind the activation.
    pub(super) back: Option<Behind>,
}

/// What ended a scope before it was over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ScopeFailure {
    /// This activation failed, and why.
    Activation(ActivationId, Option<Failure>),
    /// Its deadline has passed.
    Deadline,
    /// This activation, which has succeeded, cancels the workflow.
    CanceledBy(ActivationId),
    /// This activation, which has succeeded, ends the workflow.
    EndedBy(ActivationId),
}

/// The block of an activation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Inside {
    /// The scope that is open.
    pub(super) scope: Option<ScopeId>,
    /// How many times the block was opened.
    pub(super) begun: u32,
    /// What lies behind the threads that ended in the scope that was closed last.
    pub(super) last: Past,
    /// Why that scope failed, if it did.
    pub(super) failure: Option<Failure>,
}
