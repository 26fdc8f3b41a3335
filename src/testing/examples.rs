//! One of everything that can happen, fixed for good: the events whose bytes are frozen.
//!
//! Every type of event, and every variant inside one, stands here at least once.

use crate::definition::StagePhase;
use crate::definition::{OnParentCancel, Soundness};
use crate::event::{
    Acceptance, Actor, Arrival, CancelCause, CancelRequest, CheckOutcome, CheckRecord, ChildEnd, ChildRefusal,
    Consumed, Creation, Emitted, EndReason, Event, Firing, ForgottenArrivals, HeldBy, InstancesAddition,
    InstancesRequest, Json, LeaseLoss, LeftTokens, Parent, PauseRequest, PutBack, Registration, RemovedToken, Report,
    ResetCause, Resumption, Rewound, SignalDurability, SignalMessage, SignalRecipient, SignalTarget, Stamp,
    StartRequest, StreamFile, TaskReport, TimerId, TimerOwner, TimerPurpose, TriggerClosing, TriggerRecord,
    WaitingJoin,
};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{
    ActivationId, ArcIndex, AttemptId, CommandId, DefinitionHash, InstanceIndex, LockIndex, RegionIndex, ScopeId,
    Sequence, StageIndex, TaskId, TaskIndex, WorkflowId,
};
use crate::status::Status;
use crate::time::{Duration, Timestamp};
use crate::value::{Map, Value};

const NORMAL: &str = r#"{"name":"release","stages":[]}"#;

/// The examples, in the order of their kinds. An example is never changed; a new one goes behind those of its kind.
pub fn events() -> Vec<Event> {
    let mut events = commands();
    events.extend(reports());
    events.extend(consequences());
    events.extend(signals());
    events.extend(calls());
    events.sort_by_key(Event::kind);
    events
}

fn moment() -> Timestamp {
    Timestamp::from_microseconds(1_777_636_800_123_456)
}

fn of_engine() -> Stamp {
    Stamp { now: moment(), command: None, actor: Actor::Engine, rules: 1 }
}

fn of_person() -> Stamp {
    let command = CommandId::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    Stamp { now: moment(), command: Some(command), actor: Actor::Named("alice".to_owned()), rules: 1 }
}

fn activation() -> ActivationId {
    ActivationId::new(StageIndex::new(3), 2)
}

fn task() -> TaskId {
    TaskId { activation: activation(), task: TaskIndex::new(1) }
}

fn attempt() -> AttemptId {
    AttemptId { task: task(), dispatch: 4 }
}

fn attempt_of_instance() -> AttemptId {
    let activation = ActivationId { instance: InstanceIndex::new(7), ..activation() };
    AttemptId { task: TaskId { activation, ..task() }, ..attempt() }
}

fn arcs() -> Vec<ArcIndex> {
    vec![ArcIndex::new(5), ArcIndex::new(6)]
}

fn data(key: &str, value: Value) -> Json {
    Json::of(&Map::from([(key.to_owned(), value)]))
}

fn failure(class: ErrorClass) -> Failure {
    Failure::new(ErrorCode::NETWORK_ERROR, class, "no answer").caused_by("connection refused")
}

fn registration(source: Option<String>, check: Option<CheckRecord>) -> Registration {
    Registration { hash: DefinitionHash::of(NORMAL), normal: NORMAL.to_owned(), source, check }
}

fn check(policy: Soundness, outcome: CheckOutcome) -> CheckRecord {
    CheckRecord { policy, outcome, states: 12, bound: 4 }
}

fn creation(start_time_expiry: Option<Timestamp>) -> Creation {
    Creation {
        definition: DefinitionHash::of(NORMAL),
        name: "release".to_owned(),
        application: "shop".to_owned(),
        workflow_type: "PIPELINE".to_owned(),
        version: "2".to_owned(),
        origin: "cli".to_owned(),
        inputs: data("ref", Value::String("m\u{e4}in".to_owned())),
        context: Json::empty(),
        trigger: TriggerRecord {
            trigger_type: "manual".to_owned(),
            user: "alice".to_owned(),
            parameters: data("dry", Value::Bool(true)),
            artifacts: "[]".to_owned(),
            payload: Json::empty(),
        },
        workdir: "/srv/shop".to_owned(),
        priority: 5,
        start_time_expiry,
        parent: None,
    }
}

fn resumption() -> Resumption {
    Resumption { reason: Some("it is open again".to_owned()), paused: Duration::from_seconds(90) }
}

fn child() -> WorkflowId {
    WorkflowId::from_bytes([7; 16])
}

fn calls() -> Vec<Event> {
    let (child, attempt) = (child(), attempt());
    let parent = Some(Box::new(Parent { workflow: child, attempt, depth: 2 }));
    let outputs = data("sum", Value::Integer(6));
    let ended = |status, outputs, error| Event::ChildEnded(of_engine(), ChildEnd { child, status, outputs, error });
    let refusal = ChildRefusal { child, error: failure(ErrorClass::Permanent) };
    vec![
        Event::WorkflowCreated(of_engine(), Creation { parent, ..creation(None) }),
        Event::ChildStarted { attempt, child, on_parent_cancel: OnParentCancel::Cancel },
        Event::ChildStarted { attempt, child, on_parent_cancel: OnParentCancel::Abandon },
        ended(Status::Succeeded, outputs, None),
        ended(Status::Terminal, Json::empty(), Some(failure(ErrorClass::Permanent))),
        Event::ChildRefused(of_engine(), refusal),
        Event::WorkflowClosing { children: 1 },
        Event::WorkflowClosed,
    ]
}

fn commands() -> Vec<Event> {
    let reason = Some("wrong branch".to_owned());
    vec![
        Event::DefinitionRegistered(of_person(), registration(None, None)),
        Event::DefinitionRegistered(
            of_person(),
            registration(Some("name: release\n".to_owned()), Some(check(Soundness::Weak, CheckOutcome::Sound))),
        ),
        Event::DefinitionRegistered(
            of_person(),
            registration(None, Some(check(Soundness::Off, CheckOutcome::Unsound))),
        ),
        Event::DefinitionRegistered(
            of_person(),
            registration(None, Some(check(Soundness::Strict, CheckOutcome::Unknown))),
        ),
        Event::WorkflowCreated(of_person(), creation(None)),
        Event::WorkflowCreated(of_person(), creation(Some(moment()))),
        Event::WorkflowCancelRequested(of_person(), CancelRequest { reason: None }),
        Event::WorkflowCancelRequested(of_person(), CancelRequest { reason }),
        Event::TaskStarted(of_engine(), attempt()),
        Event::TaskLeaseLost(of_engine(), LeaseLoss { attempt: attempt(), orderly: false }),
        Event::TaskLeaseLost(of_engine(), LeaseLoss { attempt: attempt(), orderly: true }),
        Event::TimerFired(of_engine(), TimerId(7)),
        Event::SettleContinued(of_engine()),
        Event::InstancesAddRequested(
            of_person(),
            InstancesAddition {
                activation: activation(),
                items: vec!["\"x\"".to_owned(), "{\"k\":1}".to_owned()],
                reason: None,
            },
        ),
        Event::InstancesCloseRequested(
            of_person(),
            InstancesRequest { activation: activation(), reason: Some("the day is over".to_owned()) },
        ),
        Event::InstancesCompleteRequested(of_person(), InstancesRequest { activation: activation(), reason: None }),
        Event::TaskStopped(of_engine(), attempt()),
        Event::LogAccepted(of_person(), Acceptance { reason: "the disk is gone, the backup is older".to_owned() }),
        Event::WorkflowPaused(of_person(), PauseRequest { reason: None }),
        Event::WorkflowPaused(of_person(), PauseRequest { reason: Some("the shop is closed".to_owned()) }),
        Event::WorkflowResumed(of_person(), resumption()),
    ]
}

fn reports() -> Vec<Event> {
    let retry_after = Some(Duration::from_milliseconds(20));
    let reports = [
        Report::Succeeded,
        Report::Running { until: moment() },
        Report::Terminal { error: failure(ErrorClass::Permanent) },
        Report::FailedContinue { error: failure(ErrorClass::Exit) },
        Report::Skipped,
        Report::Canceled,
        Report::Stopped,
        Report::Failed { error: failure(ErrorClass::Timeout), retry_after: None },
        Report::Failed { error: failure(ErrorClass::Transient), retry_after },
        Report::Suspended { signals: vec!["go".to_owned(), "stop".to_owned()] },
        Report::Jump { target: "s3".to_owned() },
        Report::Redirect,
    ];
    let report = |report| TaskReport {
        attempt: attempt(),
        report,
        outputs: data("exit_code", Value::Integer(0)),
        context: Json::empty(),
        streams: Vec::new(),
    };
    let stream = StreamFile { name: "stdout".to_owned(), bytes: 70_000, sha256: [0xab; 32] };
    let captured = TaskReport { streams: vec![stream], ..report(Report::Succeeded) };
    let mut events: Vec<Event> =
        reports.into_iter().map(|outcome| Event::TaskReported(of_engine(), report(outcome))).collect();
    events.push(Event::TaskReported(of_engine(), captured));
    events.push(Event::TaskResultDiscarded(of_engine(), report(Report::Succeeded)));
    events
}

fn consequences() -> Vec<Event> {
    let (activation, scope) = (activation(), ScopeId::ROOT);
    let mut events = vec![
        Event::TaskAnswered(TaskReport {
            attempt: attempt(),
            report: Report::Succeeded,
            outputs: data("approved", Value::Bool(true)),
            context: Json::empty(),
            streams: Vec::new(),
        }),
        Event::WorkflowStarted,
        Event::WorkflowEnded {
            status: Status::Succeeded,
            reason: None,
            outputs: Some(data("sha", Value::String("e5f6".to_owned()))),
        },
        Event::StageReady { activation, scope, consumed: Consumed::OnePerArc },
        Event::StageStarted { activation, scope, consumed: Consumed::OnePerArc },
        Event::StageStarted { activation, scope, consumed: Consumed::Arcs(arcs()) },
        Event::StageStarted { activation, scope, consumed: Consumed::Ready },
        Event::StageCanceled { activation, cause: CancelCause::Workflow, emitted: Emitted::Nothing },
        Event::StageCanceled { activation, cause: CancelCause::ScopeFailed, emitted: Emitted::Nothing },
        Event::TaskQueued { attempt: attempt(), due: None },
        Event::TaskQueued { attempt: attempt(), due: Some(moment()) },
        Event::TaskQueued { attempt: attempt_of_instance(), due: None },
        Event::TaskRetried { attempt: attempt(), failures: 3 },
        Event::TaskEnded { task: task(), status: Status::Succeeded, error: None },
        Event::TaskEnded { task: task(), status: Status::Terminal, error: Some(failure(ErrorClass::Timeout)) },
        Event::TimerSet { timer: TimerId(7), due: moment(), task: task() },
        Event::SettleDeferred,
        Event::StageCanceled { activation, cause: CancelCause::Deadline, emitted: Emitted::Nothing },
        Event::StageCanceled { activation, cause: CancelCause::Instances, emitted: Emitted::Nothing },
        Event::InstancesStarted { activation, from: 1_024, to: 2_048, total: 10_000 },
        Event::InstancesAdded { activation, from: 3, to: 5 },
        Event::InstancesClosed { activation },
        Event::StageCanceling { activation, cause: CancelCause::Timer },
        Event::InstancesWithdrawn { activation, status: Status::Succeeded, error: None },
        Event::InstancesWithdrawn { activation, status: Status::Terminal, error: Some(failure(ErrorClass::Permanent)) },
    ];
    events.extend(timers(activation));
    events.extend(cancels(activation));
    let left = vec![LeftTokens { arc: ArcIndex::new(5), tokens: 1 }, LeftTokens { arc: ArcIndex::new(6), tokens: 3 }];
    events.push(Event::TokensLeft { scope, left });
    events.push(Event::JoinForced { scope, stage: StageIndex::new(8) });
    events.extend(ends(activation));
    events.extend(scopes(activation));
    events.extend(endings(activation));
    events.extend(counts());
    events.extend(Status::ALL.map(|status| Event::StageEnded {
        activation,
        status,
        emitted: Emitted::All,
        outputs: None,
        error: None,
    }));
    events.push(Event::StageEnded {
        activation,
        status: Status::Succeeded,
        emitted: Emitted::Arcs(arcs()),
        outputs: Some(data("sha", Value::Null)),
        error: None,
    });
    events.push(Event::StageEnded {
        activation,
        status: Status::Terminal,
        emitted: Emitted::Nothing,
        outputs: None,
        error: Some(failure(ErrorClass::Permanent)),
    });
    events
}

/// What is done before the end of a workflow.
fn endings(activation: ActivationId) -> Vec<Event> {
    let scope = ScopeId::new(9);
    let failed = || Some(EndReason::StageFailed { activation, error: Some(failure(ErrorClass::Permanent)) });
    let forced = || Some(EndReason::CancelRequested { by: Actor::Engine, reason: None });
    let ends = [(Status::Succeeded, None), (Status::Terminal, failed()), (Status::Canceled, forced())];
    let mut events = vec![
        Event::WorkflowEnding { status: Status::Succeeded, reason: None, outputs: Some(Json::empty()) },
        Event::WorkflowEnding { status: Status::Terminal, reason: failed(), outputs: None },
        Event::CompensationStarted { scope, activation },
        Event::FinallyStarted { scope },
    ];
    for (status, reason) in ends {
        let of_finally = Event::FinallyEnded { scope, status, reason: reason.clone() };
        events.extend([Event::CompensationEnded { scope, activation, status, reason }, of_finally]);
    }
    events.push(Event::WorkflowCancelForced(of_person(), CancelRequest { reason: None }));
    events.push(Event::WorkflowCancelForced(of_person(), CancelRequest { reason: Some("late".to_owned()) }));
    events
}

fn scopes(activation: ActivationId) -> Vec<Event> {
    let (scope, owner) = (ScopeId::new(9), activation);
    let failed = Some(EndReason::StageFailed { activation, error: Some(failure(ErrorClass::Permanent)) });
    vec![
        Event::ScopeOpened { scope, owner },
        Event::PhaseStarted { scope, owner, phase: StagePhase::Before, status: None, error: None },
        Event::PhaseStarted { scope, owner, phase: StagePhase::After, status: Some(Status::Succeeded), error: None },
        Event::PhaseStarted {
            scope,
            owner,
            phase: StagePhase::OnFailure,
            status: Some(Status::Terminal),
            error: Some(failure(ErrorClass::Permanent)),
        },
        Event::ScopeClosed { scope, owner, status: Status::Succeeded, reason: None },
        Event::ScopeClosed { scope, owner, status: Status::Terminal, reason: failed },
        Event::LoopTested { activation, iteration: 2, value: true },
        Event::LoopTested { activation, iteration: 3, value: false },
        Event::JumpExecuted { source: activation, arc: ArcIndex::new(2), rewound: None },
        Event::JumpExecuted { source: activation, arc: ArcIndex::new(2), rewound: Some(Box::new(undone(activation))) },
        Event::StageCanceled { activation, cause: CancelCause::Rewound { by: activation }, emitted: Emitted::Nothing },
        Event::StageStarted {
            activation,
            scope,
            consumed: Consumed::Jump { jump: ArcIndex::new(2), arcs: arcs(), absorbed: arcs() },
        },
    ]
}

/// What a jump undoes.
fn undone(activation: ActivationId) -> Rewound {
    let (arc, stage, forgotten) = (ArcIndex::new(5), StageIndex::new(8), arcs());
    Rewound {
        to: activation,
        canceled: vec![activation],
        removed: vec![RemovedToken { arc, number: 7 }],
        put_back: vec![PutBack { arc, by: activation, place: 1 }],
        joins: vec![
            ForgottenArrivals { stage, forgotten: forgotten.clone(), firing: Firing::Kept },
            ForgottenArrivals { stage, forgotten, firing: Firing::Undone },
        ],
    }
}

/// What happens at joins that count arrivals, and at merges of threads.
fn counts() -> Vec<Event> {
    let (scope, arc, stage) = (ScopeId::ROOT, ArcIndex::new(5), StageIndex::new(8));
    let activation = activation();
    let reset = |cause| Event::JoinReset { scope, stage, generation: 2, cause };
    let removed = vec![LeftTokens { arc, tokens: 2 }];
    vec![
        Event::JoinArrived { scope, arc, arrival: Arrival::Counted },
        Event::JoinArrived { scope, arc, arrival: Arrival::Late },
        reset(ResetCause::Complete),
        reset(ResetCause::Active),
        reset(ResetCause::Cancelling),
        reset(ResetCause::Withdrawn),
        Event::TokensRemoved { scope, removed, cause: CancelCause::Discriminator },
        Event::StageCanceled { activation, cause: CancelCause::Discriminator, emitted: Emitted::Nothing },
        Event::StageStarted { activation, scope, consumed: Consumed::Held },
        Event::StageStarted { activation, scope, consumed: Consumed::Threads(Some(activation)) },
        Event::StageStarted { activation, scope, consumed: Consumed::Threads(None) },
    ]
}

fn timers(activation: ActivationId) -> impl Iterator<Item = Event> {
    let owners = [TimerOwner::Workflow, TimerOwner::Activation(activation)];
    let purposes = [TimerPurpose::ScheduledTime, TimerPurpose::StartTimeExpiry, TimerPurpose::Deadline];
    let due = moment();
    let of = move |owner| purposes.map(|purpose| Event::TimerSetFor { timer: TimerId(7), due, owner, purpose });
    owners.into_iter().flat_map(of)
}

/// What stages do that cancel others.
fn cancels(activation: ActivationId) -> Vec<Event> {
    let by = ActivationId::new(StageIndex::new(9), 1);
    let (timer, region) = (TimerOwner::Activation(activation), RegionIndex::new(1));
    let removed = vec![LeftTokens { arc: ArcIndex::new(5), tokens: 2 }];
    vec![
        Event::StageCanceled { activation, cause: CancelCause::Stage { by }, emitted: Emitted::Nothing },
        Event::StageCanceled { activation, cause: CancelCause::Timer, emitted: Emitted::Arcs(vec![ArcIndex::new(5)]) },
        Event::StageCanceled { activation, cause: CancelCause::ExplicitEnd, emitted: Emitted::Nothing },
        Event::TimerSetFor { timer: TimerId(7), due: moment(), owner: timer, purpose: TimerPurpose::CancelOn },
        Event::CancelsMarked { by },
        Event::StageCanceled { activation, cause: CancelCause::Region { region }, emitted: Emitted::All },
        Event::StageCanceled { activation, cause: CancelCause::Jump { to: by }, emitted: Emitted::Nothing },
        Event::RegionCanceled { region, scope: ScopeId::ROOT, by: Some(by) },
        Event::RegionCanceled { region, scope: ScopeId::ROOT, by: None },
        Event::TokensRemoved { scope: ScopeId::ROOT, removed, cause: CancelCause::Region { region } },
    ]
}

fn signals() -> Vec<Event> {
    let owner = TimerOwner::Activation(activation());
    let message = |target, durability| SignalMessage {
        name: "go".to_owned(),
        target,
        data: r#"{"x":1}"#.to_owned(),
        id: None,
        durability,
        reason: None,
    };
    let to_stage = SignalMessage {
        id: Some("order-7".to_owned()),
        reason: Some("paid".to_owned()),
        ..message(SignalTarget::Stage(StageIndex::new(3)), SignalDurability::Persistent)
    };
    let to_activation = message(SignalTarget::Activation(activation()), SignalDurability::Transient);
    let signal = Sequence::FIRST;
    vec![
        Event::SignalReceived(of_person(), message(SignalTarget::Workflow, SignalDurability::Transient)),
        Event::SignalReceived(of_person(), to_stage),
        Event::SignalReceived(of_person(), to_activation),
        Event::TriggerClosed(of_person(), TriggerClosing { stage: StageIndex::new(3), reason: None }),
        Event::TriggerClosed(
            of_person(),
            TriggerClosing { stage: StageIndex::new(3), reason: Some("the day is over".to_owned()) },
        ),
        Event::SignalDelivered { signal, to: SignalRecipient::Trigger(activation()) },
        Event::SignalDelivered { signal, to: SignalRecipient::Task(task()) },
        Event::SignalDelivered { signal, to: SignalRecipient::Start(StageIndex::new(3)) },
        Event::SignalDelivered { signal, to: SignalRecipient::Instances(activation()) },
        Event::TimerSetFor { timer: TimerId(7), due: moment(), owner, purpose: TimerPurpose::CancelInstances },
        Event::TimerSetFor { timer: TimerId(7), due: moment(), owner, purpose: TimerPurpose::CompleteInstances },
        Event::SignalDelivered { signal, to: SignalRecipient::Boundary(activation()) },
        Event::SignalBuffered { signal },
        Event::SignalDiscarded { signal },
        Event::TimerSetFor { timer: TimerId(7), due: moment(), owner, purpose: TimerPurpose::Trigger },
        Event::TimerSetFor { timer: TimerId(7), due: moment(), owner, purpose: TimerPurpose::CancelTimeout },
        Event::StageWaiting { activation: activation(), gate: HeldBy::Trigger },
        Event::StageWaiting { activation: activation(), gate: HeldBy::Lock },
        Event::StageWaiting { activation: activation(), gate: HeldBy::Milestone },
        Event::LockTaken { lock: LockIndex::new(1), activation: activation() },
        Event::LockReleased { lock: LockIndex::new(1), scope: ScopeId::ROOT },
        Event::StageWaiting { activation: activation(), gate: HeldBy::Choice },
        Event::StageStartRequested(of_person(), StartRequest { activation: activation(), reason: None }),
        Event::StageStartRequested(
            of_person(),
            StartRequest { activation: activation(), reason: Some("it is our turn".to_owned()) },
        ),
        Event::ChoiceMade { winner: activation(), split: None, withdrawn: Vec::new() },
        Event::ChoiceMade { winner: activation(), split: Some(activation()), withdrawn: vec![ArcIndex::new(5)] },
        Event::StageCanceled {
            activation: activation(),
            cause: CancelCause::Withdrawn { winner: activation() },
            emitted: Emitted::Nothing,
        },
        Event::StageCanceled { activation: activation(), cause: CancelCause::Signal, emitted: Emitted::Nothing },
        Event::TaskSuspended { task: task() },
        Event::SignalsLeft { signals: vec![signal, signal.plus(6)] },
    ]
}

fn ends(activation: ActivationId) -> impl Iterator<Item = Event> {
    let waiting = vec![WaitingJoin { stage: StageIndex::new(8), missing: arcs() }];
    let reasons = [
        EndReason::StageFailed { activation, error: None },
        EndReason::StageFailed { activation, error: Some(failure(ErrorClass::Permanent)) },
        EndReason::Deadlock { waiting },
        EndReason::BranchStopped { activation },
        EndReason::OutputsFailed { error: failure(ErrorClass::Permanent) },
        EndReason::CancelRequested { by: Actor::Engine, reason: None },
        EndReason::CancelRequested { by: Actor::Named("alice".to_owned()), reason: Some("late".to_owned()) },
        EndReason::StartTimeExpired,
        EndReason::DeadlineExceeded { deadline: Duration::from_seconds(90) },
        EndReason::CanceledBy { activation },
        EndReason::OrJoinCycle { stages: vec![StageIndex::new(8), StageIndex::new(9)] },
    ];
    reasons.into_iter().map(|reason| {
        let status = match reason {
            EndReason::CancelRequested { .. } | EndReason::StartTimeExpired | EndReason::CanceledBy { .. } => {
                Status::Canceled
            }
            EndReason::StageFailed { .. }
            | EndReason::Deadlock { .. }
            | EndReason::OrJoinCycle { .. }
            | EndReason::BranchStopped { .. }
            | EndReason::OutputsFailed { .. }
            | EndReason::DeadlineExceeded { .. } => Status::Terminal,
        };
        Event::WorkflowEnded { status, reason: Some(reason), outputs: None }
    })
}
