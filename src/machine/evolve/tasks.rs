//! What it changes that attempts of tasks are queued, begin, report and are lost, and that tasks end.

#![allow(clippy::wildcard_enum_match_arm, reason = "one match leads here, with these events")]

use std::sync::Arc;

use crate::event::{Event, LeaseLoss, Report, TaskReport, counts};
use crate::failure::Failure;
use crate::ids::{AttemptId, TaskId, TaskIndex};
use crate::machine::past::TaskResult;
use crate::machine::state::{AttemptState, Leaving, OpenTask, Progress, State};
use crate::status::Status;
use crate::time::Timestamp;

use super::{Fit, activation, awaited, ends, jumps, open_task, timers};

/// What concerns tasks and their attempts.
pub(super) fn apply(state: &mut State, event: &Event) -> Fit<()> {
    match event {
        Event::TaskStarted(_, attempt) => start_attempt(state, *attempt),
        Event::TaskReported(_, report) | Event::TaskAnswered(report) => record_report(state, report),
        Event::TaskLeaseLost(_, loss) => lose_attempt(state, *loss),
        Event::TaskResultDiscarded(_, report) => {
            let known = state.core.fenced.remove(&report.attempt);
            if known { Ok(()) } else { Err("no such attempt was given up") }
        }
        Event::TaskQueued { attempt, due } => {
            queue(state, *attempt, *due)?;
            timers::examine_answer(state, attempt.task.activation);
            Ok(())
        }
        Event::TaskRetried { attempt, failures } => count_failure(state, *attempt, *failures),
        Event::TaskEnded { task, status, error } => end_task(state, *task, *status, error.as_ref()),
        _ => Err("it is about no task"),
    }
}

fn start_attempt(state: &mut State, attempt: AttemptId) -> Fit<()> {
    let now = state.core.now;
    let open = awaited(state, attempt)?;
    if !matches!(open.attempt, AttemptState::Queued { .. }) {
        return Err("the attempt cannot start");
    }
    open.attempt = AttemptState::Started;
    open.changed = now;
    Ok(())
}

fn record_report(state: &mut State, report: &TaskReport) -> Fit<()> {
    let open = awaited(state, report.attempt)?;
    if !matches!(open.attempt, AttemptState::Queued { .. } | AttemptState::Started) {
        return Err("the attempt has no outcome to tell");
    }
    open.attempt = AttemptState::Reported(Box::new(report.clone()));
    open.lost = 0;
    Ok(())
}

fn lose_attempt(state: &mut State, loss: LeaseLoss) -> Fit<()> {
    let open = awaited(state, loss.attempt)?;
    if open.attempt != AttemptState::Started {
        return Err("no worker had begun the attempt");
    }
    open.lost += u32::from(!loss.orderly);
    open.attempt = AttemptState::Lost;
    state.core.fenced.insert(loss.attempt);
    Ok(())
}

fn count_failure(state: &mut State, attempt: AttemptId, failures: u32) -> Fit<()> {
    let open = awaited(state, attempt)?;
    let AttemptState::Reported(told) = &open.attempt else { return Err("the attempt has not failed") };
    if open.failures.checked_add(1) != Some(failures) {
        return Err("the attempt has not failed like this");
    }
    open.failed = told.report.error().map(|error| error.code().clone());
    open.failures = failures;
    leave_updates(state, attempt.task)
}

/// The next attempt of an open task, or the first of the next task.
fn queue(state: &mut State, attempt: AttemptId, due: Option<Timestamp>) -> Fit<()> {
    let now = state.core.now;
    let activation = activation(state, attempt.task.activation)?;
    let queued = AttemptState::Queued { due };
    match &mut activation.progress {
        Progress::Between { next } if *next == attempt.task.task => {
            if attempt.dispatch != TaskResult::first_dispatch(&activation.results, *next) {
                return Err("the attempt is not the first of its task");
            }
            let (task, dispatch) = (*next, attempt.dispatch);
            let (since, changed) = (now, now);
            let open = OpenTask { task, dispatch, attempt: queued, failures: 0, failed: None, lost: 0, since, changed };
            activation.progress = Progress::Open(open);
            Ok(())
        }
        Progress::Open(open) if open.task == attempt.task.task => {
            let over = matches!(open.attempt, AttemptState::Reported(_) | AttemptState::Lost | AttemptState::Woken);
            if !over || open.dispatch.checked_add(1) != Some(attempt.dispatch) {
                return Err("the attempt is not the next of its task");
            }
            open.dispatch = attempt.dispatch;
            open.attempt = queued;
            open.changed = now;
            Ok(())
        }
        Progress::Between { .. }
        | Progress::Open(_)
        | Progress::Ready(_)
        | Progress::Turning
        | Progress::Inside
        | Progress::CoreEnded
        | Progress::Overdue
        | Progress::Canceling(_)
        | Progress::Instances => Err("the task cannot begin now"),
    }
}

/// Context that a reported attempt leaves becomes visible to what follows in its activation.
pub(super) fn leave_updates(state: &mut State, task: TaskId) -> Fit<()> {
    let open = open_task(state, task)?;
    let AttemptState::Reported(report) = &open.attempt else { return Ok(()) };
    if report.context.is_empty() {
        return Ok(());
    }
    let context = report.context.to_map().map_err(|_| "the context is no map")?;
    Arc::make_mut(&mut activation(state, task.activation)?.updates).extend(context);
    Ok(())
}

fn end_task(state: &mut State, task: TaskId, status: Status, error: Option<&Failure>) -> Fit<()> {
    let status = if status == Status::Redirect { status } else { ends(status)? };
    let (n_tasks, around) = {
        let graph = state.definition.graph();
        let stage = graph.stages.get(task.activation.stage.index()).ok_or("the definition has no such stage")?;
        (stage.tasks.len(), stage.loop_around(task.task))
    };
    let reported = match &activation(state, task.activation)?.progress {
        Progress::Open(open) if open.task == task.task => match &open.attempt {
            AttemptState::Reported(report) => Some(report.clone()),
            AttemptState::Lost => None,
            AttemptState::Queued { .. }
            | AttemptState::Started
            | AttemptState::Waiting { .. }
            | AttemptState::Woken
            | AttemptState::Suspended
            | AttemptState::Calling { .. } => return Err("the task has no outcome yet"),
        },
        Progress::Between { next } if *next == task.task => None,
        Progress::Open(_)
        | Progress::Between { .. }
        | Progress::Ready(_)
        | Progress::Turning
        | Progress::Inside
        | Progress::CoreEnded
        | Progress::Overdue
        | Progress::Canceling(_)
        | Progress::Instances => return Err("the task is not open"),
    };
    let goes_back = reported.as_ref().is_some_and(|told| told.report == Report::Redirect) && error.is_none();
    if (status == Status::Redirect) != goes_back {
        return Err("the task goes back exactly if it says so");
    }
    let back = if goes_back { Some(around.ok_or("the task stands in no loop")?) } else { None };
    state.core.jumps = state.core.jumps.saturating_add(u32::from(goes_back));
    // Where the event itself says why the task failed, the report was too much, and nothing of it stays.
    let reported = reported.filter(|_| error.is_none());
    let leaving = reported.as_deref().map(jumps::brought).transpose()?.flatten();
    if reported.is_some() && leaving.is_none() {
        leave_updates(state, task)?;
    }
    // What a jump takes along is not what its source gives.
    let counts = counts(status, None) && leaving.is_none();
    let outputs = reported.as_ref().filter(|_| counts).map(|report| report.outputs.clone()).unwrap_or_default();
    let error = error.or_else(|| reported.as_ref().and_then(|report| report.report.error())).cloned();
    let activation = activation(state, task.activation)?;
    let results = Arc::make_mut(&mut activation.results);
    let turn = TaskResult::turn_of(results, task.task);
    let dispatch = match &activation.progress {
        Progress::Open(open) => open.dispatch,
        // It was passed by; what it had in earlier turns stays known.
        _ => TaskResult::last_of(results, task.task).map_or(0, |last| last.dispatch),
    };
    // Of a task that is done again only the newest result counts.
    results.retain(|known| known.task != Some(task.task));
    results.push(TaskResult { task: Some(task.task), status, outputs, error, dispatch, turn });
    activation.leaving = leaving.map(|brought| Box::new(Leaving { brought, back: None }));
    let next = back.unwrap_or(TaskIndex::new(task.task.get() + 1));
    if status.is_halt() || next.index() >= n_tasks {
        activation.progress = Progress::CoreEnded;
        let place = (activation.born, task.activation);
        state.candidates.core_ended.insert(place);
    } else {
        activation.progress = Progress::Between { next };
    }
    Ok(())
}
