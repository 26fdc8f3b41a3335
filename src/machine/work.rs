//! What a state asks the world to do: attempts to run, moments to wait for, settling to go on with.
//!
//! Recovery is fold and this function; there is no list of work beside the state.

use crate::event::{TimerId, TimerOwner, TimerPurpose};
use crate::ids::{ActivationId, AttemptId, ScopeId, StageIndex, TaskId, WorkflowId};
use crate::time::Timestamp;

use super::data::Surroundings;
use super::state::{AttemptState, Gate, Phase, Progress, State, TimerOf};

/// One thing a state asks for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Work {
    /// Run this attempt.
    RunTask {
        /// The attempt.
        attempt: AttemptId,
        /// Not before this moment.
        due: Option<Timestamp>,
        /// Has a worker begun it, as far as is recorded?
        stage: AttemptStage,
        /// 0 to 9, larger first.
        priority: u8,
    },
    /// Tell the workflow when this moment has come.
    WaitUntil {
        /// The timer.
        timer: TimerId,
        /// The moment.
        due: Timestamp,
    },
    /// Go on with settling.
    Continue,
    /// People do this; no worker begins it. It ends when somebody says how.
    ByHand {
        /// The attempt that is open.
        attempt: AttemptId,
    },
    /// Somebody sends a signal for which this activation waits; no part of the engine does.
    AwaitSignal {
        /// The activation.
        activation: ActivationId,
    },
    /// Somebody sends signals that start this stage, or closes its trigger; no part of the engine does.
    AwaitThread {
        /// The stage.
        stage: StageIndex,
    },
    /// Make sure that this workflow exists, and tell when it has closed.
    AwaitChild {
        /// The attempt whose work it is.
        attempt: AttemptId,
        /// The workflow.
        child: WorkflowId,
    },
    /// Ask for the end of this workflow, and tell when it has closed.
    CancelChild {
        /// The workflow.
        child: WorkflowId,
    },
    /// Somebody chooses this alternative of a deferred choice, unless something comes for another; no part of the
    /// engine does.
    AwaitClaim {
        /// The activation.
        activation: ActivationId,
    },
    /// The activation has no instance at work and waits for more. It goes on when somebody adds one, or says that none
    /// will come.
    MoreInstances {
        /// The activation.
        activation: ActivationId,
    },
    /// Stop this attempt, and tell when no worker is at it any more.
    StopTask {
        /// The attempt.
        attempt: AttemptId,
    },
}

/// Has a worker begun an attempt, as far as is recorded?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptStage {
    /// No start is recorded; a worker may have begun it all the same.
    Queued,
    /// Its start is recorded.
    Started,
}

/// Everything `state` asks of the world: in the order of activations what tasks need, then the timers of workflow and
/// activations, then the signals that are waited for.
pub fn outstanding(state: &State) -> impl Iterator<Item = Work> + '_ {
    let live = matches!(state.core.phase, Phase::Live);
    let unsettled = (live && state.core.unsettled).then_some(Work::Continue);
    let tasks = state.core.live.iter().filter(move |_| live).filter_map(|(id, activation)| {
        let open = match &activation.progress {
            Progress::Open(open) => open,
            Progress::Instances if activation.doomed.is_none() => return of_instances(state, *id),
            Progress::Canceling(stopping) => {
                return stopping.map(|stopping| Work::StopTask { attempt: stopping.attempt });
            }
            Progress::Ready(_)
            | Progress::Between { .. }
            | Progress::Turning
            | Progress::Inside
            | Progress::CoreEnded
            | Progress::Overdue
            | Progress::Instances => return None,
        };
        // What is doomed ends as soon as settling goes on; nobody begins it any more.
        if activation.doomed.is_some() {
            return None;
        }
        let task = TaskId { activation: *id, task: open.task };
        let attempt = AttemptId { task, dispatch: open.dispatch };
        let priority = state.definition.graph().stage(id.stage).priority;
        match open.attempt {
            AttemptState::Queued { .. } if state.is_by_hand(task) => Some(Work::ByHand { attempt }),
            // Nothing begins before it goes on.
            AttemptState::Queued { .. } if state.is_paused() => None,
            AttemptState::Queued { due } => Some(Work::RunTask { attempt, due, stage: AttemptStage::Queued, priority }),
            AttemptState::Started => Some(Work::RunTask { attempt, due: None, stage: AttemptStage::Started, priority }),
            AttemptState::Waiting { timer } => state.timer(timer).map(|(due, _)| Work::WaitUntil { timer, due }),
            AttemptState::Calling { child } => Some(Work::AwaitChild { attempt, child }),
            AttemptState::Reported(_) | AttemptState::Lost | AttemptState::Woken | AttemptState::Suspended => None,
        }
    });
    let timers = state.core.timers.iter().filter_map(|(timer, set)| {
        let TimerOf::Owner(owner, purpose) = set.of else { return None };
        // As with tasks: nothing fires any more for what is doomed, but what says how long that is waited for.
        let ends = match owner {
            TimerOwner::Workflow => state.core.cancel.is_some() || state.has_failed(),
            TimerOwner::Activation(_) if purpose == TimerPurpose::CancelTimeout => false,
            TimerOwner::Activation(id) => state.core.live.get(&id).is_none_or(|live| live.doomed.is_some()),
        };
        let due = state.due(*set).filter(|_| !ends)?;
        Some(Work::WaitUntil { timer: *timer, due })
    });
    let waiting = state.core.live.iter().filter(move |_| live);
    let waiting = waiting.filter(|(_, activation)| activation.waiting.is_some() && activation.doomed.is_none());
    let waiting = waiting.map(|(id, _)| Work::AwaitSignal { activation: *id });
    let starts = state.open_starts().filter(|_| state.moves(ScopeId::ROOT));
    let starts = starts.map(|(stage, _)| Work::AwaitThread { stage });
    let left = state.core.children.iter().filter(|(_, called)| called.is_left);
    let left = left.map(|(child, _)| Work::CancelChild { child: *child });
    let offered = state.core.live.iter().filter(move |(_, activation)| {
        live && activation.progress == Progress::Ready(Gate::Choice) && activation.doomed.is_none()
    });
    let offered = offered.map(|(id, _)| Work::AwaitClaim { activation: *id });
    unsettled.into_iter().chain(tasks).chain(timers).chain(waiting).chain(offered).chain(starts).chain(left)
}

/// What an activation asks for of whose instances none is at work.
fn of_instances(state: &State, activation: ActivationId) -> Option<Work> {
    let set = state.core.instances.get(&activation)?;
    let rests = set.total.is_some() && set.ending.is_none() && set.live == 0 && set.left() == 0;
    rests.then_some(Work::MoreInstances { activation })
}

/// How an attempt waits to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waits {
    /// Not before this moment.
    pub(crate) due: Option<Timestamp>,
    /// 0 to 9, larger first.
    pub(crate) priority: u8,
    /// When the first attempt of this piece of work was queued.
    pub(crate) since: Timestamp,
}

/// What the work of `attempt` can see and how it waits, if the state asks for that attempt to be run.
pub(crate) fn surroundings(state: &State, attempt: AttemptId) -> Option<(Surroundings, Waits)> {
    let open = state.open_task(attempt.task)?;
    let activation = state.core.live.get(&attempt.task.activation)?;
    let AttemptState::Queued { due } = open.attempt else { return None };
    if state.is_paused() {
        return None;
    }
    if open.dispatch != attempt.dispatch || activation.doomed.is_some() || state.is_by_hand(attempt.task) {
        return None;
    }
    let stage = attempt.task.activation.stage;
    let surroundings = Surroundings::of_activation(state, attempt.task.activation)?;
    let waits = Waits { due, priority: state.definition.graph().stage(stage).priority, since: open.since };
    Some((surroundings, waits))
}
