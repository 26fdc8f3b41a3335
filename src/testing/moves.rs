//! From numbers to commands: what is tried on a workflow is chosen by a number from what its state asks for, and from
//! what it should refuse. Small numbers are the ordinary course, so that what shrinks becomes ordinary.

use crate::event::{
    Actor, CancelRequest, ChildEnd, ChildRefusal, InstancesAddition, InstancesRequest, Json, LeaseLoss, PauseRequest,
    Report, SignalDurability, SignalMessage, SignalTarget, StartRequest, TaskReport, TimerId, TriggerClosing,
};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, AttemptId, CommandId, InstanceIndex, StageIndex, TaskId, TaskIndex, WorkflowId};
use crate::machine::{
    AttemptStage, Command, Request, ResumeRequest, State, Wait, WaitReason, Work, outstanding, waits,
};
use crate::status::Status;
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
        // Only by its id is it known again.
        let id = id.or_else(|| match request {
            Request::AddInstances(_) => Some(CommandId::from_bytes((64 + choice.below(64) as u128).to_be_bytes())),
            _ => None,
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

/// A called workflow ends somehow, or cannot be created.
fn child_over(choice: &mut Choice, child: WorkflowId) -> Request {
    let error = Failure::new(ErrorCode::CHILD_FAILED, ErrorClass::Permanent, "called");
    match choice.below(4) {
        0 => Request::RefuseChild(ChildRefusal { child, error }),
        1 => {
            Request::EndChild(ChildEnd { child, status: Status::Terminal, outputs: Json::empty(), error: Some(error) })
        }
        _ => Request::EndChild(ChildEnd { child, status: Status::Succeeded, outputs: Json::empty(), error: None }),
    }
}

/// Something the state asks for.
fn asked(choice: &mut Choice, state: &State, now: &mut Timestamp) -> Option<Request> {
    let work: Vec<Work> = outstanding(state).collect();
    if state.is_unsettled() && !choice.one_in(4) {
        return Some(Request::ContinueSettling);
    }
    let owners: Vec<ActivationId> = state.with_instances().collect();
    if !owners.is_empty() && choice.one_in(5) {
        return Some(of_instances(choice, &owners));
    }
    if work.is_empty() {
        return None;
    }
    Some(match &work[choice.below(work.len())] {
        Work::Continue => Request::ContinueSettling,
        Work::AwaitChild { child, .. } | Work::CancelChild { child } => child_over(choice, *child),
        Work::MoreInstances { activation } => of_instances(choice, &[*activation]),
        Work::ByHand { attempt } if choice.one_in(6) => Request::StartTask(*attempt),
        Work::ByHand { attempt } => Request::ReportTask(report(choice, *attempt, *now, &targets(state, *attempt))),
        Work::StopTask { attempt } if choice.one_in(4) => {
            Request::DiscardResult(report(choice, *attempt, *now, &targets(state, *attempt)))
        }
        Work::StopTask { attempt } => Request::StopTask(*attempt),
        Work::AwaitSignal { activation } => awaited(choice, state, *activation),
        Work::AwaitClaim { activation } => claim(*activation),
        Work::AwaitThread { stage } if choice.one_in(2) => signal(choice, SignalTarget::Stage(*stage), names(state)),
        Work::AwaitThread { stage } => Request::CloseTrigger(TriggerClosing { stage: *stage, reason: None }),
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
                AttemptStage::Queued | AttemptStage::Started => {
                    Request::ReportTask(report(choice, *attempt, *now, &targets(state, *attempt)))
                }
            }
        }
    })
}

/// Somebody chooses an alternative.
fn claim(activation: ActivationId) -> Request {
    Request::StartStage(StartRequest { activation, reason: None })
}

/// Something about the instances of one of these activations.
fn of_instances(choice: &mut Choice, owners: &[ActivationId]) -> Request {
    let activation = owners[choice.below(owners.len())];
    match choice.below(4) {
        // The ordinary course is that no more come: what adds for ever never ends.
        0 => Request::CloseInstances(InstancesRequest { activation, reason: Some("enough".to_owned()) }),
        1 | 2 => {
            let items = ["1", "\"x\"", "{"];
            let n_items = 1 + choice.below(3);
            let items = (0..n_items).map(|_| items[choice.below(8).saturating_sub(5)].to_owned()).collect();
            Request::AddInstances(InstancesAddition { activation, items, reason: None })
        }
        _ => Request::CompleteInstances(InstancesRequest { activation, reason: None }),
    }
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

/// A signal for which the activation waits, mostly.
fn awaited(choice: &mut Choice, state: &State, activation: ActivationId) -> Request {
    let wait = waits(state).into_iter().find(|wait| wait.activation_id() == Some(activation));
    let names = match wait.as_ref().map(Wait::reason) {
        Some(WaitReason::Signal { names, .. } | WaitReason::Instances { signals: names, .. }) if !names.is_empty() => {
            names.clone()
        }
        Some(_) | None => names(state),
    };
    if let Some(WaitReason::Signal { correlate: Some(_), .. }) = wait.as_ref().map(Wait::reason)
        && choice.below(3) == 0
    {
        // Which signal it takes nobody knows here: it might be none.
        return cancel(choice);
    }
    let target = if choice.one_in(4) { SignalTarget::Workflow } else { SignalTarget::Activation(activation) };
    signal(choice, target, names)
}

/// The names of signals that the definition knows, and one that it does not.
fn names(state: &State) -> Vec<String> {
    let known = state.definition().graph().stages.iter().filter_map(|stage| stage.signal_trigger());
    let ends = state.definition().graph().stages.iter().flat_map(|stage| &stage.cancellation.boundary.signals);
    known.map(|trigger| trigger.signal.clone()).chain(ends.cloned()).chain(["other".to_owned()]).collect()
}

fn signal(choice: &mut Choice, target: SignalTarget, names: Vec<String>) -> Request {
    let data = choice.of(&["null", r#"{"k":1}"#, "2", r#"{"k":2}"#, "{"]);
    Request::Signal(SignalMessage {
        name: names[choice.below(names.len())].clone(),
        target,
        data: data.to_owned(),
        id: choice.one_in(3).then(|| choice.of(&["one", "two", ""]).to_owned()),
        durability: choice.of(&[SignalDurability::Persistent, SignalDurability::Transient]),
        reason: None,
    })
}

/// A signal to anybody, waited for or not.
fn any_signal(choice: &mut Choice, state: &State) -> Request {
    let boundary = |id: ActivationId| &state.definition().graph().stage(id.stage).cancellation.boundary.signals;
    if let Some(ended) = state.live().find(|id| !boundary(*id).is_empty()) {
        let targets = [SignalTarget::Workflow, SignalTarget::Stage(ended.stage), SignalTarget::Activation(ended)];
        let target = choice.of(&targets);
        return signal(choice, target, boundary(ended).clone());
    }
    let stage = StageIndex::new(choice.of(&[0, 1, 2, 3, u32::MAX]));
    let target = match choice.below(4) {
        0 | 1 => SignalTarget::Workflow,
        2 => SignalTarget::Stage(stage),
        _ => SignalTarget::Activation(ActivationId::new(stage, choice.of(&[1, 2, 0, u32::MAX]))),
    };
    signal(choice, target, names(state))
}

fn cancel(choice: &mut Choice) -> Request {
    let request = CancelRequest { reason: choice.one_in(2).then(|| "enough".to_owned()) };
    if choice.one_in(3) { Request::ForceCancel(request) } else { Request::Cancel(request) }
}

/// Something nobody asked for; most of it is refused.
fn unasked(choice: &mut Choice, state: &State, around: Surrounding<'_>) -> Request {
    match choice.below(12) {
        0 => Request::StartTask(attempt(choice, state)),
        1 => {
            let attempt = attempt(choice, state);
            Request::ReportTask(report(choice, attempt, around.now, &targets(state, attempt)))
        }
        2 => Request::LoseLease(LeaseLoss { attempt: attempt(choice, state), orderly: choice.one_in(2) }),
        3 if choice.one_in(4) => Request::StopTask(attempt(choice, state)),
        3 => {
            let attempt = state.fenced().nth(choice.below(3)).unwrap_or_else(|| attempt(choice, state));
            Request::DiscardResult(report(choice, attempt, around.now, &targets(state, attempt)))
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
        8 => any_signal(choice, state),
        9 if choice.one_in(2) => claim(attempt(choice, state).task.activation),
        9 => Request::StartTask(attempt(choice, state)),
        10 => {
            let stage = StageIndex::new(choice.of(&[0, 1, 2, 3, u32::MAX]));
            Request::CloseTrigger(TriggerClosing { stage, reason: Some("enough".to_owned()) })
        }
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
        3 if attempt.task.activation.instance.is_some() => {
            attempt.task.activation.instance = InstanceIndex::new(choice.below(5) as u32);
        }
        3 => attempt.task.activation.number = choice.of(&[0, 1, 2, u32::MAX]),
        _ => {}
    }
    attempt
}

/// Where the stage of this attempt may jump.
fn targets(state: &State, attempt: AttemptId) -> Vec<String> {
    let graph = state.definition().graph();
    let Some(stage) = graph.stages.get(attempt.task.activation.stage.index()) else { return Vec::new() };
    let anywhere = stage.jumps_anywhere.then(|| graph.block(stage.block()).stages.iter().copied());
    let declared = stage.jumps.iter().map(|arc| graph.arc(*arc).to);
    declared.chain(anywhere.into_iter().flatten()).map(|to| graph.stage(to).ref_id.clone()).collect()
}

fn report(choice: &mut Choice, attempt: AttemptId, now: Timestamp, targets: &[String]) -> TaskReport {
    let class = |choice: &mut Choice| {
        choice.of(&[ErrorClass::Transient, ErrorClass::Exit, ErrorClass::Timeout, ErrorClass::Permanent])
    };
    let error = |class| Failure::new(ErrorCode::USER_CODE_ERROR, class, "it did not work");
    let length = |choice: &mut Choice| Duration::from_seconds(choice.of(&[90, 1, 0, u64::MAX]));
    let report = match choice.below(24) {
        20 | 21 => {
            Report::Jump { target: targets.get(choice.below(targets.len() + 1)).cloned().unwrap_or("c_2".into()) }
        }
        22 | 23 => Report::Redirect,
        0..=7 => Report::Succeeded,
        8 | 9 => Report::Running { until: now.saturating_add(length(choice)) },
        10 => Report::Terminal { error: error(ErrorClass::Permanent) },
        11 => Report::FailedContinue { error: error(ErrorClass::Permanent) },
        12 => Report::Skipped,
        13 => Report::Canceled,
        14 => Report::Stopped,
        15 => {
            let signals = choice.of(&[&["go"][..], &["go", "stop"], &["other"], &[]]);
            Report::Suspended { signals: signals.iter().map(|name| (*name).to_owned()).collect() }
        }
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
