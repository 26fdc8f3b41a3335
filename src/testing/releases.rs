//! From a thing that waits to what releases it: every reason is held to a command that the workflow takes.

use crate::event::{
    Actor, CancelRequest, ChildEnd, InstancesRequest, Json, Report, SignalDurability, SignalMessage, SignalTarget,
    StartRequest, TaskReport, TriggerClosing,
};
use crate::machine::{
    Answers, Command, Request, ResumeRequest, State, Wait, WaitReason, Work, decide, outstanding, waits,
};
use crate::status::Status;
use crate::time::{Duration, Timestamp};

/// Sends the command that releases `wait` to a copy of `state`.
///
/// # Panics
///
/// If it is refused, or the same waits as before.
pub(super) fn release(state: &State, wait: &Wait) {
    let mut state = state.clone();
    // Until it has settled a workflow takes nothing else.
    settle(&mut state, wait);
    if is_left_to_the_engine(wait) {
        stop_all(&mut state, wait);
    }
    if waits(&state).contains(wait) {
        send(&mut state, wait, request(wait));
        settle(&mut state, wait);
    }
    assert!(!waits(&state).contains(wait), "still there: {wait:?}");
}

/// Does it end by itself, once everything around it has stopped?
fn is_left_to_the_engine(wait: &Wait) -> bool {
    matches!(wait.reason(), WaitReason::Ending { .. } | WaitReason::Canceling { .. } | WaitReason::Settling)
}

/// Every attempt stops that somebody waits for to stop.
fn stop_all(state: &mut State, wait: &Wait) {
    let stopping = |state: &State| {
        outstanding(state).find_map(|work| if let Work::StopTask { attempt } = work { Some(attempt) } else { None })
    };
    while let Some(attempt) = stopping(state).filter(|_| waits(state).contains(wait)) {
        send(state, wait, Request::StopTask(attempt));
        settle(state, wait);
    }
}

/// Goes on with what was cut as long as `wait` is there.
fn settle(state: &mut State, wait: &Wait) {
    while state.is_unsettled() && waits(state).contains(wait) {
        send(state, wait, Request::ContinueSettling);
    }
}

/// Time passes, and the workflow takes the request.
fn send(state: &mut State, wait: &Wait, request: Request) {
    let now = state.now().unwrap_or(wait.since()).saturating_add(Duration::from_microseconds(1));
    let now = now.max(wait.reason().due().unwrap_or(Timestamp::from_microseconds(i64::MIN)));
    let command = Command { now, id: None, actor: Actor::Engine, request };
    if let Err(rejection) = decide(state, &command, &mut Answers::computed()) {
        panic!("{:?} is refused ({rejection}), which would release {wait:?}", command.request);
    }
}

fn request(wait: &Wait) -> Request {
    let attempt = || wait.attempt_id().expect("an attempt waits for this");
    match wait.reason() {
        WaitReason::Running { .. } | WaitReason::ByHand { .. } | WaitReason::Approval { .. } => {
            Request::ReportTask(TaskReport {
                attempt: attempt(),
                report: Report::Succeeded,
                outputs: Json::empty(),
                context: Json::empty(),
                streams: Vec::new(),
            })
        }
        WaitReason::Child { child } => {
            let (outputs, error) = (Json::empty(), None);
            Request::EndChild(ChildEnd { child: *child, status: Status::Succeeded, outputs, error })
        }
        WaitReason::Queued | WaitReason::RetryAt { .. } => Request::StartTask(attempt()),
        WaitReason::Paused { .. } => Request::Resume(ResumeRequest { reason: None }),
        WaitReason::Timer { timer, .. }
        | WaitReason::Scheduled { timer, .. }
        | WaitReason::TriggerTimer { timer, .. } => Request::FireTimer(*timer),
        WaitReason::Signal { names, correlate: None } => Request::Signal(SignalMessage {
            name: names.first().cloned().unwrap_or_else(|| "any".to_owned()),
            target: SignalTarget::Activation(wait.activation_id().expect("an activation waits for this")),
            data: "null".to_owned(),
            id: None,
            durability: SignalDurability::Transient,
            reason: None,
        }),
        // Which signal it takes only its author knows.
        WaitReason::Signal { correlate: Some(_), .. } => Request::ForceCancel(CancelRequest { reason: None }),
        WaitReason::OpenTrigger { .. } => {
            let stage = wait.join_stage().expect("a stage waits for this");
            Request::CloseTrigger(TriggerClosing { stage, reason: None })
        }
        WaitReason::Claim => {
            let activation = wait.activation_id().expect("an activation waits for this");
            Request::StartStage(StartRequest { activation, reason: None })
        }
        // What is missing comes from others, a step at a time; only the end is sure to be its own.
        WaitReason::Instances { .. } => {
            let activation = wait.activation_id().expect("an activation waits for its instances");
            Request::CompleteInstances(InstancesRequest { activation, reason: None })
        }
        WaitReason::Join { .. }
        | WaitReason::Serialized { .. }
        | WaitReason::Inside { .. }
        | WaitReason::Phase { .. }
        | WaitReason::Lock { .. }
        | WaitReason::Arrivals { .. }
        | WaitReason::Blocked { .. }
        | WaitReason::Threads { .. }
        | WaitReason::Milestone { .. } => Request::ForceCancel(CancelRequest { reason: None }),
        WaitReason::Finishing { .. } => Request::ForceCancel(CancelRequest { reason: None }),
        WaitReason::Stopping { .. } => Request::StopTask(attempt()),
        WaitReason::Ending { .. } | WaitReason::Canceling { .. } | WaitReason::Settling => Request::ContinueSettling,
    }
}
