//! One opening of a block: what lives and has ended in it, where control has jumped, and what an activation knows of
//! the block inside it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::definition::{Reached, StagePhase};
use crate::event::{Actor, Json};
use crate::failure::Failure;
use crate::ids::{ActivationId, ArcIndex, RegionIndex, ScopeId, StageIndex, TaskIndex};
use crate::status::Status;
use crate::value::Map;

use super::around::Around;
use super::as_json;
use super::past::Past;
use super::trail::{Behind, Trail};

/// One opening of a nested block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scope {
    /// The activation whose block was opened; `None` is the workflow itself, and what is done at its end.
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
    /// Somebody ended by force what is done at the end of the workflow.
    Forced { by: Actor, reason: Option<String> },
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
    /// What is done beside its own work, if its stage has that.
    pub(super) phases: Option<Box<Phases>>,
}

/// What is done before and behind the own work of an activation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Phases {
    /// Those that have begun, the newest last.
    pub(super) begun: Vec<StagePhase>,
    /// What lies behind the threads that ended before its own work.
    pub(super) before: Past,
    /// The same of those behind it.
    pub(super) behind: Past,
    /// How its work has ended so far, once something behind it has begun.
    pub(super) so_far: Option<SoFar>,
}

/// How the work of an activation has ended, as long as something behind it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SoFar {
    pub(super) status: Status,
    /// Why it failed, where no task did.
    pub(super) error: Option<Failure>,
}

impl Inside {
    /// Which part of the work of its activation the open scope is, and was if none is open.
    pub(super) fn phase(&self) -> StagePhase {
        let newest = self.phases.as_ref().and_then(|phases| phases.begun.last().copied());
        match newest {
            // Behind that its own work begins.
            Some(StagePhase::Before) if self.begun > 0 => StagePhase::Body,
            Some(newest) => newest,
            None => StagePhase::Body,
        }
    }

    /// What was given before and in its own work.
    pub(super) fn given(&self) -> Past {
        let mut given = self.last.clone();
        self.phases.iter().for_each(|phases| given.union(&phases.before));
        given
    }

    /// What was given behind its own work.
    pub(super) fn given_behind(&self) -> Past {
        self.phases.as_ref().map_or_else(Past::empty, |phases| phases.behind.clone())
    }

    /// What was given before its own work.
    pub(super) fn given_before(&self) -> Past {
        self.phases.as_ref().map_or_else(Past::empty, |phases| phases.before.clone())
    }
}
