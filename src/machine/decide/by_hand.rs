//! Work that people do: what they say about it becomes the report of the attempt that is open.
//!
//! Whom they mean is found here, at the moment at which the workflow takes it in: what they saw before may be over. An
//! approval that nobody answers is answered by its definition when the deadline of its stage passes.

use crate::definition::{Approval, ByHand, OnDeadline, OnReject};
use crate::event::{Event, Json, Report, TaskReport, TimerId, TimerOwner, TimerPurpose};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, AttemptId, CommandId, StageIndex, TaskId};
use crate::machine::address::StageAddress;
use crate::machine::command::{Rejection, Request};
use crate::machine::state::{AttemptState, Phase, Progress, State, TimerOf};
use crate::time::Timestamp;
use crate::value::{Map, Value};

use super::{Decision, refuse_repeated};

/// What somebody says about work that people do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Deed {
    /// Which work.
    pub(crate) work: StageAddress,
    /// What they say.
    pub(crate) said: Said,
}

/// What people say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// How manual work has ended, and what it gave.
    Ended(Report, Json),
    /// Whether it is approved.
    Answered(Verdict, Answerer),
}

/// Whether something is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Approved,
    Rejected,
}

/// Who answers an approval. All of it is claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answerer {
    /// Who.
    pub(crate) by: String,
    /// As what.
    pub(crate) role: Option<String>,
    /// What they say to it.
    pub(crate) comment: Option<String>,
}

impl Deed {
    /// The request that this is to `state` at `now`, sent under this id.
    ///
    /// # Errors
    ///
    /// If the same was taken before, or nothing is open that people do, or they may not say this of it.
    pub(crate) fn request(&self, state: &State, id: Option<CommandId>, now: Timestamp) -> Result<Request, Rejection> {
        // Recognised before it is looked for: what it was about is over by then.
        refuse_repeated(state, id)?;
        match &state.core.phase {
            Phase::New => return Err(Rejection::NotCreated),
            Phase::Ended { status, .. } => return Err(Rejection::Ended { status: *status }),
            Phase::Live => (),
        }
        let (attempt, what) = open(state, &self.work)?;
        let work = || self.work.to_string();
        let (report, outputs) = match (what, &self.said) {
            (ByHand::Manual, Said::Ended(report, outputs)) => (report.clone(), outputs.clone()),
            (ByHand::Approval, Said::Answered(verdict, answerer)) => {
                let approval = approval(state, attempt.task);
                let roles = approval.roles;
                if !roles.is_empty() && answerer.role.as_ref().is_none_or(|role| !roles.contains(role)) {
                    return Err(Rejection::RoleNotAsked { work: work(), roles });
                }
                answered(*verdict, approval.on_reject, answerer, now.max(state.core.now))
            }
            (ByHand::Manual, Said::Answered(..)) => return Err(Rejection::NoApprovalAwaited { work: work() }),
            (ByHand::Approval, Said::Ended(..)) => return Err(Rejection::ApprovalAwaited { work: work() }),
        };
        let told = TaskReport { attempt, report, outputs, context: Json::empty(), streams: Vec::new() };
        Ok(Request::ReportTask(told))
    }
}

fn approval(state: &State, task: TaskId) -> Approval {
    Approval::of(&state.definition.graph().task(task.activation.stage, task.task).with)
}

/// What an answer is as the outcome of its task.
fn answered(verdict: Verdict, on_reject: OnReject, answerer: &Answerer, at: Timestamp) -> (Report, Json) {
    let Answerer { by, role, comment } = answerer;
    let outputs = Map::from([
        ("approved".to_owned(), Value::Bool(verdict == Verdict::Approved)),
        ("by".to_owned(), Value::from(by.as_str())),
        ("role".to_owned(), Value::from(role.clone())),
        ("comment".to_owned(), Value::from(comment.clone())),
        ("at".to_owned(), Value::from(at.to_string())),
    ]);
    let report = match verdict {
        Verdict::Approved => Report::Succeeded,
        Verdict::Rejected => {
            let role = role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
            let comment = comment.as_ref().map(|comment| format!(": {comment}")).unwrap_or_default();
            let message = format!("rejected by {by}{role}{comment}");
            let error = Failure::new(ErrorCode::APPROVAL_REJECTED, ErrorClass::Permanent, message);
            match on_reject {
                OnReject::Fail => Report::Terminal { error },
                OnReject::Continue => Report::FailedContinue { error },
            }
        }
    };
    (report, Json::of(&outputs))
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

/// The verdict of the definition on an open approval whose deadline has passed; `None` where it has none, and the stage
/// fails as any other.
fn verdict_at_deadline(state: &State, task: TaskId) -> Option<Verdict> {
    let spec = state.definition.graph().task(task.activation.stage, task.task);
    if spec.by_hand() != Some(ByHand::Approval) {
        return None;
    }
    match Approval::of(&spec.with).on_deadline {
        OnDeadline::Fail => None,
        OnDeadline::Approve => Some(Verdict::Approved),
        OnDeadline::Reject => Some(Verdict::Rejected),
    }
}

impl State {
    /// Does the definition answer in people's place, once the deadline of this open task has passed?
    pub(in crate::machine) fn answers_at_deadline(&self, task: TaskId) -> bool {
        verdict_at_deadline(self, task).is_some()
    }

    /// Is this an instance that waits for an answer which its definition gives, as the deadline of the stage is over?
    pub(in crate::machine) fn is_to_be_answered(&self, id: ActivationId) -> bool {
        let stage = self.definition.graph().stage(id.stage);
        if id.instance.is_none() || stage.times.deadline.is_none() {
            return false;
        }
        let of_owner = TimerOf::Owner(TimerOwner::Activation(id.owner()), TimerPurpose::Deadline);
        let waits = |timer: &TimerId| self.core.timers.get(timer).is_some_and(|set| set.of == of_owner);
        let owner = self.core.live.get(&id.owner()).filter(|owner| owner.progress == Progress::Instances);
        let is_past = owner.is_some_and(|owner| owner.doomed.is_none() && !owner.timers.iter().any(waits));
        is_past && open_in(self, id.stage, id).is_some_and(|(attempt, _)| self.answers_at_deadline(attempt.task))
    }
}

impl Decision<'_> {
    /// The deadline of an activation has passed: an open approval in it is answered as its definition says.
    pub(super) fn answer_at_deadline(&mut self, of: TimerOf) {
        let TimerOf::Owner(TimerOwner::Activation(id), TimerPurpose::Deadline) = of else { return };
        self.answer_as_defined(id);
    }

    /// An open approval is answered as its definition says, if that says anything.
    pub(super) fn answer_as_defined(&mut self, id: ActivationId) {
        let Some((attempt, _)) = open_in(self.state, id.stage, id) else { return };
        let Some(verdict) = verdict_at_deadline(self.state, attempt.task) else { return };
        let comment = Some("the deadline of the stage has passed".to_owned());
        let answerer = Answerer { by: "engine".to_owned(), role: None, comment };
        let on_reject = approval(self.state, attempt.task).on_reject;
        let (report, outputs) = answered(verdict, on_reject, &answerer, self.state.core.now);
        let told = TaskReport { attempt, report, outputs, context: Json::empty(), streams: Vec::new() };
        self.push(Event::TaskAnswered(told.clone()));
        self.conclude(&told);
    }
}
