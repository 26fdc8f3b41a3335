//! Tasks: starts, outcomes, retries with their due times, lost workers, timers.

use crate::definition::{GraphTask, OnFailure, RetryPolicy};
use crate::digest::Sha256;
use crate::event::{Event, Json, LeaseLoss, Report, TaskReport, TimerId};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, AttemptId, TaskId, WorkflowId};
use crate::machine::command::Rejection;
use crate::machine::state::{AttemptState, OpenTask, State};
use crate::status::Status;
use crate::time::{Duration, Timestamp};
use crate::value::Value;

use super::Decision;
use super::stage::failure_status;

/// The open task of which `attempt` is the newest attempt.
fn awaited(state: &State, attempt: AttemptId) -> Result<&OpenTask, Rejection> {
    let doomed = state.core.live.get(&attempt.task.activation).is_some_and(|live| live.doomed.is_some());
    match state.open_task(attempt.task) {
        Some(open) if open.dispatch == attempt.dispatch && !doomed => Ok(open),
        Some(_) | None => Err(Rejection::NotAwaited { attempt }),
    }
}

pub(super) fn refuse_start(state: &State, attempt: AttemptId, now: Timestamp) -> Result<(), Rejection> {
    match awaited(state, attempt)?.attempt {
        AttemptState::Queued { .. } if state.is_by_hand(attempt.task) => Err(Rejection::DoneByHand { attempt }),
        AttemptState::Queued { due: Some(due) } if now < due => Err(Rejection::Early { due }),
        AttemptState::Queued { .. } => Ok(()),
        AttemptState::Started => Err(Rejection::AlreadyStarted { attempt }),
        AttemptState::Reported(_)
        | AttemptState::Lost
        | AttemptState::Waiting { .. }
        | AttemptState::Woken
        | AttemptState::Suspended
        | AttemptState::Calling { .. } => Err(Rejection::NotAwaited { attempt }),
    }
}

/// An attempt whose start is not recorded counts as maybe started: its report is as good.
///
/// Nor is it refused for coming before the attempt was due: the clock may have been set back after the worker began,
/// and nothing healthy fails for a clock.
pub(super) fn refuse_report(state: &State, report: &TaskReport) -> Result<(), Rejection> {
    let attempt = report.attempt;
    match awaited(state, attempt)?.attempt {
        AttemptState::Queued { .. } | AttemptState::Started if readable(report) => Ok(()),
        AttemptState::Queued { .. } | AttemptState::Started => Err(Rejection::Malformed),
        AttemptState::Reported(_)
        | AttemptState::Lost
        | AttemptState::Waiting { .. }
        | AttemptState::Woken
        | AttemptState::Suspended
        | AttemptState::Calling { .. } => Err(Rejection::NotAwaited { attempt }),
    }
}

/// Can the data of the report be read? That of an event from a damaged log may not.
fn readable(report: &TaskReport) -> bool {
    report.context.is_empty() || report.context.to_map().is_ok()
}

pub(super) fn refuse_loss(state: &State, attempt: AttemptId) -> Result<(), Rejection> {
    match awaited(state, attempt)?.attempt {
        AttemptState::Started => Ok(()),
        AttemptState::Queued { .. }
        | AttemptState::Reported(_)
        | AttemptState::Lost
        | AttemptState::Waiting { .. }
        | AttemptState::Woken
        | AttemptState::Suspended
        | AttemptState::Calling { .. } => Err(Rejection::NotAwaited { attempt }),
    }
}

/// A late outcome is kept once, and only of an attempt that was given up.
pub(super) fn refuse_discard(state: &State, attempt: AttemptId) -> Result<(), Rejection> {
    if state.core.fenced.contains(&attempt) { Ok(()) } else { Err(Rejection::NotAwaited { attempt }) }
}

impl Decision<'_> {
    /// What follows from the outcome of an attempt.
    pub(super) fn conclude(&mut self, told: &TaskReport) {
        let definition = self.state.definition.clone();
        let task = told.attempt.task;
        let spec = definition.graph().task(task.activation.stage, task.task);
        if let Some(error) = self.too_much_context(task.activation, &told.context) {
            return self.end_task(task, failure_status(spec.on_failure), Some(error));
        }
        match &told.report {
            Report::Succeeded => self.end_task(task, Status::Succeeded, None),
            Report::Skipped => self.end_task(task, Status::Skipped, None),
            Report::Stopped => self.end_task(task, Status::Stopped, None),
            Report::Canceled => self.end_task(task, canceled_status(spec.on_failure), None),
            Report::FailedContinue { .. } => self.end_task(task, Status::FailedContinue, None),
            Report::Terminal { .. } => self.end_task(task, failure_status(spec.on_failure), None),
            Report::Running { until } => {
                let timer = TimerId(self.state.core.timers_set + 1);
                self.push(Event::TimerSet { timer, due: *until, task });
            }
            Report::Suspended { .. } => self.suspend(task),
            Report::Redirect => match self.refuse_redirect(task) {
                None => self.end_task(task, Status::Redirect, None),
                Some(error) => self.end_task(task, failure_status(spec.on_failure), Some(error)),
            },
            Report::Jump { target } => {
                if let Err(error) = self.jump(task, target) {
                    self.refuse_jump(task, error);
                }
            }
            Report::Failed { error, retry_after } => self.retry_or_fail(told, spec, error, *retry_after),
        }
    }

    fn retry_or_fail(&mut self, told: &TaskReport, spec: &GraphTask, error: &Failure, retry_after: Option<Duration>) {
        let attempt = told.attempt;
        let failures = self.state.open_task(attempt.task).map_or(0, |open| open.failures).saturating_add(1);
        let policy = spec.retry_after(error.code());
        let is_retried = policy.on.covers(error.class(), error.code(), || exit_code(told));
        if !is_retried || failures >= policy.max_attempts {
            return self.end_task(attempt.task, failure_status(spec.on_failure), None);
        }
        let delay = retry_after.unwrap_or_else(|| back_off(policy, failures, seed(self.state.workflow, attempt)));
        let due = self.state.core.now.saturating_add(delay);
        self.push(Event::TaskRetried { attempt, failures });
        let next = AttemptId { dispatch: attempt.dispatch + 1, ..attempt };
        self.push(Event::TaskQueued { attempt: next, due: Some(due) });
    }

    /// The worker is gone: another attempt, unless the task has cost too many workers.
    pub(super) fn replace_lost(&mut self, loss: LeaseLoss) {
        let attempt = loss.attempt;
        let lost = self.state.open_task(attempt.task).map_or(0, |open| open.lost);
        if !loss.orderly && u64::from(lost) >= self.state.definition.limits().workers_lost_max {
            let definition = self.state.definition.clone();
            let spec = definition.graph().task(attempt.task.activation.stage, attempt.task.task);
            let message = format!("{lost} workers in a row were lost while they ran this task");
            let error = Failure::new(ErrorCode::WORKER_LOST, ErrorClass::Permanent, message);
            return self.end_task(attempt.task, failure_status(spec.on_failure), Some(error));
        }
        let next = AttemptId { dispatch: attempt.dispatch + 1, ..attempt };
        self.push(Event::TaskQueued { attempt: next, due: None });
    }

    /// Why a task cannot send its activation back to where a loop of tasks begins.
    fn refuse_redirect(&self, task: TaskId) -> Option<Failure> {
        let graph = self.state.definition.graph();
        let spec = graph.stage(task.activation.stage);
        let name = &graph.task(task.activation.stage, task.task).name;
        let (code, message) = if spec.loop_around(task.task).is_none() {
            let message = format!("task {name} of {} goes back and stands in no loop of tasks", spec.ref_id);
            (ErrorCode::NO_LOOP_START, message)
        } else if self.state.core.jumps >= graph.max_jumps {
            let message =
                format!("the workflow has gone back {} times, as often as its max_jumps allows", graph.max_jumps);
            (ErrorCode::LOOP_LIMIT, message)
        } else {
            return None;
        };
        Some(Failure::new(code, ErrorClass::Permanent, message))
    }

    /// A timer has fired: the task that waited for it is called again.
    pub(super) fn wake(&mut self, task: TaskId) {
        let Some(dispatch) = self.state.open_task(task).map(|open| open.dispatch + 1) else { return };
        self.push(Event::TaskQueued { attempt: AttemptId { task, dispatch }, due: None });
    }

    pub(super) fn end_task(&mut self, task: TaskId, status: Status, error: Option<Failure>) {
        self.push(Event::TaskEnded { task, status, error });
        self.next_task(task.activation);
    }

    /// The context an activation gathers is bounded; the outcome that goes beyond fails it.
    fn too_much_context(&self, activation: ActivationId, context: &Json) -> Option<Failure> {
        if context.is_empty() {
            return None;
        }
        let mut updates = (*self.state.core.live.get(&activation)?.updates).clone();
        updates.extend(context.to_map().ok()?);
        let most = self.state.definition.limits().payload_bytes_max;
        (Json::of(&updates).text().len() as u64 > most).then(|| {
            let message = format!("an activation gathers at most {most} bytes of context");
            Failure::new(ErrorCode::LIMIT_PAYLOAD, ErrorClass::Permanent, message)
        })
    }
}

/// What a task that ended itself as canceled becomes.
fn canceled_status(on_failure: OnFailure) -> Status {
    match on_failure {
        OnFailure::Fail => Status::Canceled,
        OnFailure::Continue => Status::FailedContinue,
        OnFailure::Stop | OnFailure::FailAtEnd => Status::Stopped,
    }
}

/// The exit code of the program whose failure is told, if it is among the outputs.
fn exit_code(told: &TaskReport) -> Option<u8> {
    let Value::Integer(code) = told.outputs.to_map().ok()?.remove("exit_code")? else { return None };
    u8::try_from(code).ok()
}

/// Delay before the next try after `failures` failures, `failures >= 1`.
///
/// Exponential and capped; the jitter, drawn from `seed`, moves it up or down by at most its part. Integers only, so
/// that every binary computes the same delay.
fn back_off(policy: &RetryPolicy, failures: u32, seed: u64) -> Duration {
    let max = u128::from(policy.max.microseconds());
    let mut delay = u128::from(policy.initial.microseconds()).min(max);
    for _ in 1..failures {
        let grown = delay * u128::from(policy.factor_thousandths) / 1_000;
        if grown >= max || grown == delay {
            delay = grown.min(max);
            break;
        }
        delay = grown;
    }
    let reach = delay * u128::from(policy.jitter_thousandths.min(1_000)) / 1_000;
    let moved = if reach == 0 { 0 } else { u128::from(seed) % (2 * reach + 1) };
    Duration::from_microseconds(u64::try_from(delay - reach + moved).unwrap_or(u64::MAX))
}

/// A number that differs from attempt to attempt and is the same whenever it is asked for.
fn seed(workflow: WorkflowId, attempt: AttemptId) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(&workflow.to_bytes());
    let AttemptId { task, dispatch } = attempt;
    for part in [task.activation.stage.get(), task.activation.number, task.task.get(), dispatch] {
        hasher.update(&part.to_le_bytes());
    }
    let digest = hasher.finish();
    u64::from_le_bytes(std::array::from_fn(|place| digest[place]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::RetryOn;

    fn policy() -> RetryPolicy {
        RetryPolicy {
            max_attempts: 10,
            initial: Duration::from_seconds(1),
            factor_thousandths: 2_000,
            max: Duration::from_seconds(60),
            jitter_thousandths: 250,
            on: RetryOn::default(),
        }
    }

    #[test]
    fn the_delay_doubles_up_to_its_cap() {
        let policy = RetryPolicy { jitter_thousandths: 0, ..policy() };
        let seconds = |failures| back_off(&policy, failures, 7).microseconds() / 1_000_000;
        assert_eq!([1, 2, 3, 4, 7, 8, 4_000_000_000].map(seconds), [1, 2, 4, 8, 60, 60, 60]);
    }

    #[test]
    fn the_jitter_stays_within_its_part_on_both_sides() {
        let delays: Vec<u64> =
            (0..1_000_u64).map(|seed| back_off(&policy(), 3, seed * 7_919_333).microseconds()).collect();
        let (least, most) = (delays.iter().min().unwrap(), delays.iter().max().unwrap());
        assert!((3_000_000..3_100_000).contains(least), "{least}");
        assert!((4_900_000..=5_000_000).contains(most), "{most}");
    }

    #[test]
    fn a_shrinking_or_huge_delay_ends_and_fits() {
        let shrinking = RetryPolicy { factor_thousandths: 1, jitter_thousandths: 0, ..policy() };
        assert_eq!(back_off(&shrinking, u32::MAX, 1), Duration::ZERO);
        let huge = RetryPolicy { max: Duration::from_microseconds(u64::MAX), factor_thousandths: u64::MAX, ..policy() };
        assert!(back_off(&huge, 5, u64::MAX) > Duration::ZERO);
    }
}
