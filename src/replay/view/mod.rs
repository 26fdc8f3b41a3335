//! A workflow as people are told of it, at one moment: frozen values with a getter for each field.
//!
//! Folded from the events apart from the machine's state, so that replaying can hold the two against each other.

mod fold;
mod instances;
mod jumps;
mod pause;
mod record;
mod stage;
mod task;
mod trigger;

use std::collections::VecDeque;

use crate::definition::{ArcKind, Definition};
use crate::event::{Creation, EndReason};
use crate::failure::Failure;
use crate::ids::{DefinitionHash, Sequence, StageIndex, WorkflowId};
use crate::status::Status;
use crate::time::{Duration, Timestamp};
use crate::value::{Map, Value, merge_into};

pub(crate) use fold::ViewFold;
pub use instances::InstancesView;
pub use pause::PausedDetails;
pub use stage::StageView;
pub use task::TaskView;
pub use trigger::TriggerView;

/// A workflow as it was at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkflowView {
    id: WorkflowId,
    definition: Definition,
    creation: Creation,
    status: Status,
    created_at: Timestamp,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    cancellation: Option<Cancellation>,
    paused: Option<PausedDetails>,
    end_reason: Option<EndReason>,
    error: Option<Failure>,
    inputs: Value,
    context: Value,
    trigger: TriggerView,
    outputs: Value,
    stages: Vec<StageView>,
    version: Sequence,
}

/// Who asked for the end of a workflow, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cancellation {
    by: String,
    reason: Option<String>,
}

impl WorkflowView {
    /// Its id.
    pub fn id(&self) -> WorkflowId {
        self.id
    }

    /// Its name, as computed at the start.
    pub fn name(&self) -> &str {
        &self.creation.name
    }

    /// What groups workflows; may be empty.
    pub fn application(&self) -> &str {
        &self.creation.application
    }

    /// `PIPELINE` or `ORCHESTRATION`.
    pub fn workflow_type(&self) -> &str {
        &self.creation.workflow_type
    }

    /// What it is doing, or how it ended.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Who or what asked for it.
    pub fn trigger(&self) -> &TriggerView {
        &self.trigger
    }

    /// Hash of the definition it follows.
    pub fn definition(&self) -> DefinitionHash {
        self.creation.definition
    }

    /// The definition it follows, whose stages are [`stages`](WorkflowView::stages) in the same order.
    pub fn checked_definition(&self) -> &Definition {
        &self.definition
    }

    /// The version of the definition, as its author wrote it; may be empty.
    pub fn definition_version(&self) -> &str {
        &self.creation.version
    }

    /// Where the request came from: `cli`, `library`, ..
    pub fn origin(&self) -> &str {
        &self.creation.origin
    }

    /// Inputs with their defaults. A map.
    pub fn inputs(&self) -> &Value {
        &self.inputs
    }

    /// `context:` of the definition, as computed at the start. A map.
    pub fn own_context(&self) -> &Value {
        &self.context
    }

    /// What all top-level stages gave, in the order in which control passes them: lists grow, other values are
    /// replaced by later ones. A map.
    pub fn context(&self) -> Value {
        let mut context = Map::new();
        for stage in self.in_topological_order() {
            if let Some(outputs) = self.stages[stage.index()].outputs().as_map() {
                merge_into(&mut context, outputs);
            }
        }
        Value::Map(context)
    }

    /// Directory that relative directories of tasks start from.
    pub fn workdir(&self) -> &str {
        &self.creation.workdir
    }

    /// Its priority, 0 to 9, larger first.
    pub fn priority(&self) -> u8 {
        self.creation.priority
    }

    /// The moment after which it would not have started.
    pub fn start_time_expiry(&self) -> Option<Timestamp> {
        self.creation.start_time_expiry
    }

    /// The moment at which its definition lets it start.
    pub fn scheduled_time(&self) -> Option<Timestamp> {
        self.definition.header().times.scheduled_time
    }

    /// How long it may take from its start, pauses excluded.
    pub fn deadline(&self) -> Option<Duration> {
        self.definition.header().times.deadline
    }

    /// When it was asked for.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it began to move.
    pub fn start_time(&self) -> Option<Timestamp> {
        self.start_time
    }

    /// When it ended.
    pub fn end_time(&self) -> Option<Timestamp> {
        self.end_time
    }

    /// Whether its end was asked for, or it was not started in time.
    pub fn is_canceled(&self) -> bool {
        self.cancellation.is_some()
    }

    /// Who asked for its end, as claimed; `engine` if it was not started in time.
    pub fn canceled_by(&self) -> Option<&str> {
        self.cancellation.as_ref().map(|cancellation| cancellation.by.as_str())
    }

    /// Why its end was asked for, in words.
    pub fn cancellation_reason(&self) -> Option<&str> {
        self.cancellation.as_ref()?.reason.as_deref()
    }

    /// Its newest pause, whether it lasts or is over; `None` if it was never paused.
    pub fn paused(&self) -> Option<&PausedDetails> {
        self.paused.as_ref()
    }

    /// Why it did not succeed, for programs: `STAGE_FAILED`, `DEADLOCK`, `BRANCH_STOPPED`, `OUTPUTS_FAILED`,
    /// `CANCEL_REQUESTED`, `START_TIME_EXPIRED`, `DEADLINE_EXCEEDED`, `CANCELED_BY`.
    pub fn end_reason(&self) -> Option<&'static str> {
        self.end_reason.as_ref().map(EndReason::code)
    }

    /// The failure that ended it.
    pub fn error(&self) -> Option<&Failure> {
        self.error.as_ref()
    }

    /// The stage whose failure ended it.
    pub fn failed_stage(&self) -> Option<&StageView> {
        match self.end_reason.as_ref()? {
            EndReason::StageFailed { activation, .. } | EndReason::BranchStopped { activation } => {
                self.stages.get(activation.stage.index())
            }
            EndReason::Deadlock { .. }
            | EndReason::OrJoinCycle { .. }
            | EndReason::OutputsFailed { .. }
            | EndReason::CancelRequested { .. }
            | EndReason::StartTimeExpired
            | EndReason::CanceledBy { .. }
            | EndReason::DeadlineExceeded { .. } => None,
        }
    }

    /// What it gave: `outputs:` of its definition, or else what its stages gave. A map, empty until it has ended.
    pub fn outputs(&self) -> &Value {
        &self.outputs
    }

    /// Sequence of the newest event.
    pub fn version(&self) -> Sequence {
        self.version
    }

    /// Its stages, in definition order.
    pub fn stages(&self) -> &[StageView] {
        &self.stages
    }

    /// The stage with this ref id.
    pub fn stage(&self, ref_id: &str) -> Option<&StageView> {
        self.definition.graph().stage_index(ref_id).and_then(|stage| self.stages.get(stage.index()))
    }

    /// The stage whose newest activation has this id, `build#2`.
    pub fn stage_by_id(&self, id: &str) -> Option<&StageView> {
        let ref_id = id.rsplit_once('#').map_or(id, |(ref_id, _)| ref_id);
        self.stage(ref_id).filter(|stage| stage.id() == id)
    }

    /// Stages that need no other, in definition order.
    pub fn initial_stages(&self) -> Vec<&StageView> {
        let graph = self.definition.graph();
        let is_initial = |stage: &&StageView| {
            let incoming = &graph.stage(stage.index).incoming;
            incoming.iter().any(|arc| graph.arc(*arc).from.is_none())
        };
        self.stages.iter().filter(is_initial).collect()
    }

    /// Stages that lie in no other stage, in definition order.
    pub fn top_level_stages(&self) -> Vec<&StageView> {
        self.stages.iter().collect()
    }

    /// Stages that the stage with this ref id needs, in the order they are written in; none if there is no such stage.
    pub fn upstream(&self, ref_id: &str) -> Vec<&StageView> {
        let graph = self.definition.graph();
        let Some(stage) = graph.stage_index(ref_id) else { return Vec::new() };
        graph.needs(stage).map(|stage| &self.stages[stage.index()]).collect()
    }

    /// Stages that need the stage with this ref id, in definition order; none if there is no such stage.
    pub fn downstream(&self, ref_id: &str) -> Vec<&StageView> {
        let graph = self.definition.graph();
        let Some(stage) = graph.stage_index(ref_id) else { return Vec::new() };
        graph.stage(stage).outgoing.iter().map(|arc| &self.stages[graph.arc(*arc).to.index()]).collect()
    }

    /// Stages from which a path leads to the stage with this ref id, in definition order; none if there is no such
    /// stage.
    pub fn ancestors(&self, ref_id: &str) -> Vec<&StageView> {
        let graph = self.definition.graph();
        let Some(stage) = graph.stage_index(ref_id) else { return Vec::new() };
        graph.ancestors(stage).iter().map(|stage| &self.stages[stage.index()]).collect()
    }

    /// Every stage once, none before one it needs; of those that could come next the first in definition order.
    fn in_topological_order(&self) -> Vec<StageIndex> {
        let graph = self.definition.graph();
        let stages = (0..).map(StageIndex::new).take(graph.stages.len());
        let mut left: Vec<usize> = stages.map(|stage| graph.needs(stage).count()).collect();
        let indices = (0..).map(StageIndex::new).zip(&left);
        let mut ready: VecDeque<StageIndex> = indices.filter(|(_, left)| **left == 0).map(|(stage, _)| stage).collect();
        let mut order = Vec::with_capacity(left.len());
        while let Some(stage) = ready.pop_front() {
            order.push(stage);
            let outgoing = graph.stage(stage).outgoing.iter().map(|arc| graph.arc(*arc));
            for arc in outgoing.filter(|arc| arc.kind == ArcKind::Forward) {
                let to = arc.to;
                left[to.index()] -= 1;
                if left[to.index()] == 0 {
                    ready.push_back(to);
                }
            }
        }
        order
    }
}
