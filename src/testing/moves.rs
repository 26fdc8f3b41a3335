//! From numbers to commands: what is tried on a workflow is chosen by a number from what its state asks for, and from
//! what it should refuse. Small numbers are the ordinary course, so that what shrinks becomes ordinary.

use crate::event::{Actor, CancelRequest, Json, LeaseLoss, PauseRequest, Report, TaskReport, TimerId};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, AttemptId, CommandId, StageIndex, TaskId, TaskIndex};
use crate::machine::{AttemptStage, Command, Request, ResumeRequest, State, Work, outstanding};
use crate::time::{Duration, Timestamp};
use crate::value::{Map, Value};

/// Something to try on a workflow, whatever its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move(u64);

/// What a move depends on besides the state.
#[derive(Clone, Copy, Debug)]
pub struct Surrounding<'c> {
    /// The clock; a move may let time pass.
    pub now: Timestamp,
    /// Commands that were accepted before.
    pub accepted: &'c [Command],
    /// What creates the workflow.
    pub creation: &'c crate::event::Creation,
}

impl Move {
    /// The move of this number.
    pub fn new(number: u64) -> Move {
        Move(number)
    }

    /// The moves that these bytes are, eight bytes a move; what is left over at the end is none.
    pub fn all_from(bytes: &[u8]) -> Vec<Move> {
        bytes.as_chunks().0.iter().map(|bytes| Move(u64::from_le_bytes(*bytes))).collect()
    }

    /// The command that this move is to `state`.
    pub fn command(self, state: &State, around: Surrounding<'_>) -> Command {
        let mut choice = Choice(self.0);
        let mut now = around.now;
        let request = if state.is_unsettled() && choice.one_in(8) {
            cancel(&mut choice)
        } else if state.is_paused() && !state.is_unsettled() && choice.below(3) == 0 {
            again(&mut choice)
        } else if choice.one_in(4) {
            unasked(&mut choice, state, around)
        } else {
            asked(&mut choice, state, &mut now).unwrap_or_else(|| unasked(&mut choice, state, around))
        };
        let step = [0, 0, 1, 1_000_000, 90_000_000, 3_600_000_000];
        now = now.saturating_add(Duration::from_microseconds(step[choice.below(6)]));
        if choice.one_in(16) {
            now = Timestamp::from_microseconds(now.microseconds().saturating_sub(5_000_000));
        }
        let id = choice.one_in(3).then(|| {
            let known = around.accepted.iter().rev().filter_map(|command| command.id).nth(choice.below(4));
            let fresh = CommandId::from_bytes((choice.below(64) as u128).to_be_bytes());
            if choice.one_in(3) { known.unwrap_or(fresh) } else { fresh }
        });
        let actor = if choice.one_in(4) { Actor::Named("alice".to_owned()) } else { Actor::Engine };
        Command { now, id, actor, request }
    }
}

/// A number that is used up by choosing.
struct Choice(u64);

impl Choice {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        let end = end as u64;
        let chosen = self.0 % end;
        self.0 /= end;
        chosen as usize
    }

    /// False for small numbers; true in one of `times` cases.
    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) + 1 == times
    }

    fn of<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())]
    }
}

/// Something the state asks for.
fn asked(choice: &mut Choice, state: &State, now: &mut Timestamp) -> Option<Request> {
    let work: Vec<Work> = outstanding(state).collect();
    if state.is_unsettled() && !choice.one_in(4) {
        return Some(Request::ContinueSettling);
    }
    if work.is_empty() {
        return None;
    }
    Some(match &work[choice.below(work.len())] {
        Work::Continue => Request::ContinueSettling,
        Work::ByHand { attempt } if choice.one_in(6) => Request::StartTask(*attempt),
        Work::ByHand { attempt } => Request::ReportTask(report(choice, *attempt, *now)),
        Work::WaitUntil { timer, due } => {
            wait(choice, now, *due);
            Request::FireTimer(*timer)
        }
        Work::RunTask { attempt, due, stage, .. } => {
            wait(choice, now, due.unwrap_or(*now));
            match stage {
                AttemptStage::Queued if choice.one_in(2) => Request::StartTask(*attempt),
                AttemptStage::Started if choice.one_in(2) => {
                    Request::LoseLease(LeaseLoss { attempt: *attempt, orderly: choice.one_in(4) })
                }
                AttemptStage::Queued | AttemptStage::Started => Request::ReportTask(report(choice, *attempt, *now)),
            }
        }
    })
}

/// Waits until the moment has come, mostly.
fn wait(choice: &mut Choice, now: &mut Timestamp, due: Timestamp) {
    if !choice.one_in(3) {
        *now = (*now).max(due);
    }
}

/// A paused workflow goes on, mostly.
fn again(choice: &mut Choice) -> Request {
    if choice.one_in(3) {
        Request::Pause(PauseRequest { reason: None })
    } else {
        Request::Resume(ResumeRequest { reason: None })
    }
}

fn cancel(choice: &mut Choice) -> Request {
    Request::Cancel(CancelRequest { reason: choice.one_in(2).then(|| "enough".to_owned()) })
}

/// Something nobody asked for; most of it is refused.
fn unasked(choice: &mut Choice, state: &State, around: Surrounding<'_>) -> Request {
    match choice.below(9) {
        0 => Request::StartTask(attempt(choice, state)),
        1 => {
            let attempt = attempt(choice, state);
            Request::ReportTask(report(choice, attempt, around.now))
        }
        2 => Request::LoseLease(LeaseLoss { attempt: attempt(choice, state), orderly: choice.one_in(2) }),
        3 => {
            let attempt = state.fenced().nth(choice.below(3)).unwrap_or_else(|| attempt(choice, state));
            Request::DiscardResult(report(choice, attempt, around.now))
        }
        4 => Request::FireTimer(TimerId(choice.of(&[1, 2, 0, u32::MAX]))),
        5 if choice.one_in(3) => Request::ContinueSettling,
        5 => Request::Pause(PauseRequest { reason: choice.one_in(2).then(|| "hold".to_owned()) }),
        6 => around
            .accepted
            .iter()
            .rev()
            .nth(choice.below(4))
            .map_or_else(|| Request::Create(around.creation.clone()), |command| command.request.clone()),
        7 => Request::Create(around.creation.clone()),
        _ if choice.one_in(2) => cancel(choice),
        _ => Request::Resume(ResumeRequest { reason: choice.one_in(2).then(|| "on".to_owned()) }),
    }
}

/// An attempt close to those that are awaited.
fn attempt(choice: &mut Choice, state: &State) -> AttemptId {
    let live: Vec<ActivationId> = state.live().collect();
    let mut attempt = match live.get(choice.below(live.len() + 1)) {
        Some(activation) => state.newest_attempt(*activation),
        None => None,
    }
    .unwrap_or_else(|| {
        let activation = ActivationId::new(StageIndex::new(choice.of(&[0, 1, 2, u32::MAX])), 1);
        AttemptId { task: TaskId { activation, task: TaskIndex::new(0) }, dispatch: 1 }
    });
    match choice.below(6) {
        0 => attempt.dispatch = attempt.dispatch.wrapping_sub(1),
        1 => attempt.dispatch = attempt.dispatch.wrapping_add(1),
        2 => attempt.task.task = TaskIndex::new(choice.of(&[0, 1, u32::MAX])),
        3 => attempt.task.activation.number = choice.of(&[0, 1, 2, u32::MAX]),
        _ => {}
    }
    attempt
}

fn report(choice: &mut Choice, attempt: AttemptId, now: Timestamp) -> TaskReport {
    let class = |choice: &mut Choice| {
        choice.of(&[ErrorClass::Transient, ErrorClass::Exit, ErrorClass::Timeout, ErrorClass::Permanent])
    };
    let error = |class| Failure::new(ErrorCode::USER_CODE_ERROR, class, "it did not work");
    let length = |choice: &mut Choice| Duration::from_seconds(choice.of(&[90, 1, 0, u64::MAX]));
    let report = match choice.below(18) {
        0..=7 => Report::Succeeded,
        8 | 9 => Report::Running { until: now.saturating_add(length(choice)) },
        10 => Report::Terminal { error: error(ErrorClass::Permanent) },
        11 => Report::FailedContinue { error: error(ErrorClass::Permanent) },
        12 => Report::Skipped,
        13 => Report::Canceled,
        14 => Report::Stopped,
        _ => {
            let class = class(choice);
            let retry_after = choice.one_in(4).then(|| length(choice));
            Report::Failed { error: error(class), retry_after }
        }
    };
    let outputs = data(choice);
    let context = data(choice);
    TaskReport { attempt, report, outputs, context, streams: Vec::new() }
}

/// Values under the names that the definitions drawn here look at.
fn data(choice: &mut Choice) -> Json {
    let value = match choice.below(6) {
        0 | 1 => return Json::empty(),
        2 => Value::from(1),
        3 => Value::from(2),
        4 => Value::list([1, 2]),
        _ => Value::from("text"),
    };
    let key = choice.of(&["k", "l"]);
    Json::of(&Map::from([(key.to_owned(), value)]))
}
