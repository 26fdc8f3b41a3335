//! Work that people do: what they say about it becomes the report of the attempt that is open.
//!
//! Whom they mean is found here, at the moment at which the workflow takes it in: what they saw before may be over.

use crate::definition::ByHand;
use crate::event::{Json, Report, TaskReport};
use crate::ids::{ActivationId, AttemptId, CommandId, StageIndex, TaskId};
use crate::machine::address::StageAddress;
use crate::machine::command::{Rejection, Request};
use crate::machine::state::{AttemptState, Phase, Progress, State};

use super::refuse_repeated;

/// What somebody says about work that people do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Deed {
    /// Which work.
    pub(crate) work: StageAddress,
    /// How it ended.
    pub(crate) report: Report,
    /// What it gave.
    pub(crate) outputs: Json,
}

impl Deed {
    /// The request that this is to `state`, sent under this id.
    ///
    /// # Errors
    ///
    /// If the same was taken before, or nothing is open that people do.
    pub(crate) fn request(&self, state: &State, id: Option<CommandId>) -> Result<Request, Rejection> {
        // Recognised before it is looked for: what it was about is over by then.
        refuse_repeated(state, id)?;
        match &state.core.phase {
            Phase::New => return Err(Rejection::NotCreated),
            Phase::Ended { status, .. } => return Err(Rejection::Ended { status: *status }),
            Phase::Live => (),
        }
        let (attempt, what) = open(state, &self.work)?;
        match what {
            ByHand::Manual => (),
        }
        let (report, outputs) = (self.report.clone(), self.outputs.clone());
        let told = TaskReport { attempt, report, outputs, context: Json::empty(), streams: Vec::new() };
        Ok(Request::ReportTask(told))
    }
}

/// The oldest open attempt that is meant, and what people are to do there.
fn open(state: &State, work: &StageAddress) -> Result<(AttemptId, ByHand), Rejection> {
    let name = || work.stage().to_owned();
    let stage =
        state.definition.graph().stage_index(work.stage()).ok_or_else(|| Rejection::NoSuchStage { stage: name() })?;
    let mut meant = state.core.live.keys().filter(|id| id.stage == stage && work.names(**id));
    let found = meant.find_map(|id| open_in(state, stage, *id));
    found.ok_or_else(|| Rejection::NothingByHand { work: work.to_string() })
}

fn open_in(state: &State, stage: StageIndex, id: ActivationId) -> Option<(AttemptId, ByHand)> {
    let activation = state.core.live.get(&id)?;
    let Progress::Open(open) = &activation.progress else { return None };
    let what = state.definition.graph().task(stage, open.task).by_hand()?;
    let is_open = activation.doomed.is_none() && matches!(open.attempt, AttemptState::Queued { .. });
    let task = TaskId { activation: id, task: open.task };
    is_open.then_some((AttemptId { task, dispatch: open.dispatch }, what))
}
