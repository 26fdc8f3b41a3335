//! Events drawn at random, for properties: every type, every field, all statuses; what they say need not make sense.
//!
//! The parts are boxed: drawn by value, an event of all parts is larger than the stack of a test.

use crate::definition::StagePhase;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::values::{maps, texts};
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

/// Any event, each type about as often as any other.
pub fn events() -> impl Strategy<Value = Event> {
    prop_oneof![14 => inputs(), 29 => derived()]
}

/// Any event that is an accepted command.
pub fn inputs() -> BoxedStrategy<Event> {
    prop_oneof![
        (stamps(), registrations()).prop_map(|(stamp, of)| Event::DefinitionRegistered(stamp, of)),
        (stamps(), creations()).prop_map(|(stamp, of)| Event::WorkflowCreated(stamp, of)),
        (stamps(), option::of(texts()))
            .prop_map(|(stamp, reason)| Event::WorkflowCancelRequested(stamp, CancelRequest { reason })),
        (stamps(), attempts()).prop_map(|(stamp, of)| Event::TaskStarted(stamp, of)),
        (stamps(), task_reports()).prop_map(|(stamp, of)| Event::TaskReported(stamp, of)),
        (stamps(), attempts(), any::<bool>())
            .prop_map(|(stamp, attempt, orderly)| Event::TaskLeaseLost(stamp, LeaseLoss { attempt, orderly })),
        (stamps(), task_reports()).prop_map(|(stamp, of)| Event::TaskResultDiscarded(stamp, of)),
        (stamps(), timers()).prop_map(|(stamp, of)| Event::TimerFired(stamp, of)),
        stamps().prop_map(Event::SettleContinued),
        (stamps(), texts()).prop_map(|(stamp, reason)| Event::LogAccepted(stamp, Acceptance { reason })),
        (stamps(), option::of(texts()))
            .prop_map(|(stamp, reason)| Event::WorkflowPaused(stamp, PauseRequest { reason })),
        (stamps(), option::of(texts()), any::<u64>().prop_map(Duration::from_microseconds))
            .prop_map(|(stamp, reason, paused)| Event::WorkflowResumed(stamp, Resumption { reason, paused })),
        (stamps(), signals()).prop_map(|(stamp, of)| Event::SignalReceived(stamp, of)),
        (stamps(), stages(), option::of(texts()))
            .prop_map(|(stamp, stage, reason)| Event::TriggerClosed(stamp, TriggerClosing { stage, reason })),
        (stamps(), activations(), option::of(texts())).prop_map(|(stamp, activation, reason)| {
            Event::StageStartRequested(stamp, StartRequest { activation, reason })
        }),
        (stamps(), workflows(), statuses(), jsons(), option::of(failures())).prop_map(
            |(stamp, child, status, outputs, error)| {
                Event::ChildEnded(stamp, ChildEnd { child, status, outputs, error })
            }
        ),
        (stamps(), workflows(), failures())
            .prop_map(|(stamp, child, error)| Event::ChildRefused(stamp, ChildRefusal { child, error })),
        (stamps(), additions()).prop_map(|(stamp, of)| Event::InstancesAddRequested(stamp, of)),
        (stamps(), of_instances()).prop_map(|(stamp, of)| Event::InstancesCloseRequested(stamp, of)),
        (stamps(), of_instances()).prop_map(|(stamp, of)| Event::InstancesCompleteRequested(stamp, of)),
        (stamps(), attempts()).prop_map(|(stamp, attempt)| Event::TaskStopped(stamp, attempt)),
        (stamps(), option::of(texts()))
            .prop_map(|(stamp, reason)| Event::WorkflowCancelForced(stamp, CancelRequest { reason })),
    ]
    .boxed()
}

/// Any event that is a consequence.
pub fn derived() -> BoxedStrategy<Event> {
    prop_oneof![
        18 => movements(),
        7 => signals_moving(),
        4 => calls(),
        4 => blocks(),
        4 => endings(),
        2 => arrivals(),
        2 => resets(),
    ]
    .boxed()
}

/// What follows in workflow, stages and tasks.
fn movements() -> BoxedStrategy<Event> {
    prop_oneof![
        Just(Event::WorkflowStarted),
        task_reports().prop_map(Event::TaskAnswered),
        (statuses(), option::of(end_reasons()), option::of(jsons()))
            .prop_map(|(status, reason, outputs)| Event::WorkflowEnded { status, reason, outputs }),
        (activations(), scopes(), consumed()).prop_map(|(activation, scope, consumed)| Event::StageReady {
            activation,
            scope,
            consumed
        }),
        (activations(), scopes(), consumed()).prop_map(|(activation, scope, consumed)| Event::StageStarted {
            activation,
            scope,
            consumed
        }),
        (activations(), statuses(), emitted(), option::of(jsons()), option::of(failures())).prop_map(
            |(activation, status, emitted, outputs, error)| Event::StageEnded {
                activation,
                status,
                emitted,
                outputs,
                error,
            }
        ),
        (activations(), causes(), emitted()).prop_map(|(activation, cause, emitted)| Event::StageCanceled {
            activation,
            cause,
            emitted
        }),
        activations().prop_map(|by| Event::CancelsMarked { by }),
        (regions(), scopes(), option::of(activations())).prop_map(|(region, scope, by)| Event::RegionCanceled {
            region,
            scope,
            by
        }),
        (scopes(), tokens(), causes()).prop_map(|(scope, removed, cause)| Event::TokensRemoved {
            scope,
            removed,
            cause
        }),
        (attempts(), option::of(moments())).prop_map(|(attempt, due)| Event::TaskQueued { attempt, due }),
        (attempts(), any::<u32>()).prop_map(|(attempt, failures)| Event::TaskRetried { attempt, failures }),
        (tasks(), statuses(), option::of(failures())).prop_map(|(task, status, error)| Event::TaskEnded {
            task,
            status,
            error
        }),
        (timers(), moments(), tasks()).prop_map(|(timer, due, task)| Event::TimerSet { timer, due, task }),
        Just(Event::SettleDeferred),
        (timers(), moments(), owners(), purposes()).prop_map(|(timer, due, owner, purpose)| Event::TimerSetFor {
            timer,
            due,
            owner,
            purpose
        }),
        tokens().prop_map(|left| Event::TokensLeft { scope: ScopeId::ROOT, left }),
        stages().prop_map(|stage| Event::JoinForced { scope: ScopeId::ROOT, stage }),
    ]
    .boxed()
}

/// What becomes of signals, and of who waits for them.
fn signals_moving() -> BoxedStrategy<Event> {
    prop_oneof![
        (sequences(), recipients()).prop_map(|(signal, to)| Event::SignalDelivered { signal, to }),
        sequences().prop_map(|signal| Event::SignalBuffered { signal }),
        sequences().prop_map(|signal| Event::SignalDiscarded { signal }),
        (activations(), select(vec![HeldBy::Trigger, HeldBy::Lock, HeldBy::Choice, HeldBy::Milestone]))
            .prop_map(|(activation, gate)| Event::StageWaiting { activation, gate }),
        (locks(), activations()).prop_map(|(lock, activation)| Event::LockTaken { lock, activation }),
        (locks(), scopes()).prop_map(|(lock, scope)| Event::LockReleased { lock, scope }),
        tasks().prop_map(|task| Event::TaskSuspended { task }),
        vec(sequences(), 0..5).prop_map(|signals| Event::SignalsLeft { signals }),
        (activations(), any::<[u32; 3]>()).prop_map(|(activation, [from, to, total])| Event::InstancesStarted {
            activation,
            from,
            to,
            total
        }),
        (activations(), any::<[u32; 2]>()).prop_map(|(activation, [from, to])| Event::InstancesAdded {
            activation,
            from,
            to
        }),
        activations().prop_map(|activation| Event::InstancesClosed { activation }),
        (activations(), statuses(), option::of(failures()))
            .prop_map(|(activation, status, error)| Event::InstancesWithdrawn { activation, status, error }),
        (activations(), causes()).prop_map(|(activation, cause)| Event::StageCanceling { activation, cause }),
    ]
    .boxed()
}

/// What a jump undoes.
fn undone() -> BoxedStrategy<Box<Rewound>> {
    let removed = (arcs_one(), any::<u64>()).prop_map(|(arc, number)| RemovedToken { arc, number });
    let put_back = (arcs_one(), activations(), any::<u32>()).prop_map(|(arc, by, place)| PutBack { arc, by, place });
    let firing = prop_oneof![Just(Firing::Kept), Just(Firing::Undone)];
    let joins = (stages(), vec(arcs_one(), 0..3), firing).prop_map(|(stage, forgotten, firing)| ForgottenArrivals {
        stage,
        forgotten,
        firing,
    });
    (activations(), vec(activations(), 0..3), vec(removed, 0..3), vec(put_back, 0..3), vec(joins, 0..2))
        .prop_map(|(to, canceled, removed, put_back, joins)| {
            Box::new(Rewound { to, canceled, removed, put_back, joins })
        })
        .boxed()
}

fn phases() -> impl Strategy<Value = StagePhase> {
    select(StagePhase::BESIDE.to_vec())
}

/// What is done before the end of a workflow.
fn endings() -> BoxedStrategy<Event> {
    prop_oneof![
        (statuses(), option::of(end_reasons()), option::of(jsons()))
            .prop_map(|(status, reason, outputs)| Event::WorkflowEnding { status, reason, outputs }),
        (scopes(), activations()).prop_map(|(scope, activation)| Event::CompensationStarted { scope, activation }),
        (scopes(), activations(), statuses(), option::of(end_reasons())).prop_map(
            |(scope, activation, status, reason)| Event::CompensationEnded { scope, activation, status, reason }
        ),
        scopes().prop_map(|scope| Event::FinallyStarted { scope }),
        (scopes(), statuses(), option::of(end_reasons())).prop_map(|(scope, status, reason)| Event::FinallyEnded {
            scope,
            status,
            reason
        }),
    ]
    .boxed()
}

/// What becomes of blocks inside activations.
fn blocks() -> BoxedStrategy<Event> {
    prop_oneof![
        (scopes(), activations()).prop_map(|(scope, owner)| Event::ScopeOpened { scope, owner }),
        (scopes(), activations(), phases(), option::of(statuses()), option::of(failures())).prop_map(
            |(scope, owner, phase, status, error)| Event::PhaseStarted { scope, owner, phase, status, error }
        ),
        (scopes(), activations(), statuses(), option::of(end_reasons()))
            .prop_map(|(scope, owner, status, reason)| Event::ScopeClosed { scope, owner, status, reason }),
        (activations(), arcs_one(), option::of(undone())).prop_map(|(source, arc, rewound)| Event::JumpExecuted {
            source,
            arc,
            rewound
        }),
        (activations(), any::<u32>(), any::<bool>()).prop_map(|(activation, iteration, value)| Event::LoopTested {
            activation,
            iteration,
            value
        }),
    ]
    .boxed()
}

/// What follows where another workflow is called, and where something is chosen.
fn calls() -> BoxedStrategy<Event> {
    prop_oneof![
        (attempts(), workflows(), select(vec![OnParentCancel::Cancel, OnParentCancel::Abandon]))
            .prop_map(|(attempt, child, on_parent_cancel)| Event::ChildStarted { attempt, child, on_parent_cancel }),
        any::<u32>().prop_map(|children| Event::WorkflowClosing { children }),
        (activations(), option::of(activations()), arcs()).prop_map(|(winner, split, withdrawn)| Event::ChoiceMade {
            winner,
            split,
            withdrawn
        }),
        Just(Event::WorkflowClosed),
    ]
    .boxed()
}

/// A token comes to a join that counts arrivals.
fn arrivals() -> impl Strategy<Value = Event> {
    (scopes(), arcs_one(), select(vec![Arrival::Counted, Arrival::Late]))
        .prop_map(|(scope, arc, arrival)| Event::JoinArrived { scope, arc, arrival })
}

/// Such a join starts over.
fn resets() -> impl Strategy<Value = Event> {
    let causes = vec![ResetCause::Complete, ResetCause::Active, ResetCause::Cancelling, ResetCause::Withdrawn];
    let generations = prop_oneof![0_u32..3, any::<u32>()];
    (scopes(), stages(), generations, select(causes)).prop_map(|(scope, stage, generation, cause)| Event::JoinReset {
        scope,
        stage,
        generation,
        cause,
    })
}

fn tokens() -> impl Strategy<Value = Vec<LeftTokens>> {
    vec((arcs_one(), any::<u32>()).prop_map(|(arc, tokens)| LeftTokens { arc, tokens }), 0..5)
}

fn sequences() -> impl Strategy<Value = Sequence> {
    // Small ones name something that may have happened.
    (1_u64..40).prop_map(|number| Sequence::new(number).unwrap_or(Sequence::FIRST))
}

fn recipients() -> BoxedStrategy<SignalRecipient> {
    prop_oneof![
        activations().prop_map(SignalRecipient::Trigger),
        tasks().prop_map(SignalRecipient::Task),
        stages().prop_map(SignalRecipient::Start),
        activations().prop_map(SignalRecipient::Instances),
        activations().prop_map(SignalRecipient::Boundary),
    ]
    .boxed()
}

fn signals() -> BoxedStrategy<SignalMessage> {
    let targets = prop_oneof![
        Just(SignalTarget::Workflow),
        stages().prop_map(SignalTarget::Stage),
        activations().prop_map(SignalTarget::Activation),
    ];
    let durabilities = select(vec![SignalDurability::Transient, SignalDurability::Persistent]);
    (texts(), targets, texts(), option::of(texts()), durabilities, option::of(texts()))
        .prop_map(|(name, target, data, id, durability, reason)| SignalMessage {
            name,
            target,
            data,
            id,
            durability,
            reason,
        })
        .boxed()
}

fn workflows() -> impl Strategy<Value = WorkflowId> {
    any::<[u8; 16]>().prop_map(WorkflowId::from_bytes)
}

fn additions() -> impl Strategy<Value = InstancesAddition> {
    (activations(), vec(texts(), 0..4), option::of(texts())).prop_map(|(activation, items, reason)| InstancesAddition {
        activation,
        items,
        reason,
    })
}

fn of_instances() -> impl Strategy<Value = InstancesRequest> {
    (activations(), option::of(texts())).prop_map(|(activation, reason)| InstancesRequest { activation, reason })
}

fn moments() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_microseconds)
}

fn statuses() -> impl Strategy<Value = Status> {
    select(Status::ALL.as_slice())
}

fn jsons() -> BoxedStrategy<Json> {
    prop_oneof![1 => Just(Json::empty()), 3 => maps().prop_map(|map| Json::of(&map))].boxed()
}

fn actors() -> impl Strategy<Value = Actor> {
    prop_oneof![Just(Actor::Engine), texts().prop_map(Actor::Named)]
}

fn stamps() -> BoxedStrategy<Stamp> {
    let commands = option::of(any::<[u8; 16]>().prop_map(CommandId::from_bytes));
    (moments(), commands, actors(), any::<u32>())
        .prop_map(|(now, command, actor, rules)| Stamp { now, command, actor, rules })
        .boxed()
}

fn hashes() -> impl Strategy<Value = DefinitionHash> {
    texts().prop_map(|text| DefinitionHash::of(&text))
}

fn registrations() -> impl Strategy<Value = Registration> {
    (hashes(), texts(), option::of(texts()), option::of(checks()))
        .prop_map(|(hash, normal, source, check)| Registration { hash, normal, source, check })
}

fn checks() -> impl Strategy<Value = CheckRecord> {
    let policies = select(vec![Soundness::Strict, Soundness::Weak, Soundness::Off]);
    let outcomes = select(vec![CheckOutcome::Sound, CheckOutcome::Unsound, CheckOutcome::Unknown]);
    (policies, outcomes, any::<u64>(), any::<u32>()).prop_map(|(policy, outcome, states, bound)| CheckRecord {
        policy,
        outcome,
        states,
        bound,
    })
}

fn triggers() -> BoxedStrategy<TriggerRecord> {
    (texts(), texts(), jsons(), texts(), jsons())
        .prop_map(|(trigger_type, user, parameters, artifacts, payload)| TriggerRecord {
            trigger_type,
            user,
            parameters,
            artifacts,
            payload,
        })
        .boxed()
}

fn creations() -> BoxedStrategy<Creation> {
    let named = (hashes(), texts(), texts(), texts(), texts(), texts());
    let parents = (workflows(), attempts(), any::<u32>())
        .prop_map(|(workflow, attempt, depth)| Box::new(Parent { workflow, attempt, depth }));
    let rest = (jsons(), jsons(), triggers(), texts(), any::<u8>(), option::of(moments()), option::of(parents));
    (named, rest)
        .prop_map(|(named, rest)| {
            let (definition, name, application, workflow_type, version, origin) = named;
            let (inputs, context, trigger, workdir, priority, start_time_expiry, parent) = rest;
            Creation {
                definition,
                name,
                application,
                workflow_type,
                version,
                origin,
                inputs,
                context,
                trigger,
                workdir,
                priority,
                start_time_expiry,
                parent,
            }
        })
        .boxed()
}

fn failures() -> BoxedStrategy<Failure> {
    let codes = prop_oneof![Just("UNKNOWN".to_owned()), "[A-Z][A-Z0-9_]{0,12}"];
    let classes = select(vec![ErrorClass::Transient, ErrorClass::Permanent, ErrorClass::Exit, ErrorClass::Timeout]);
    (codes, classes, texts(), vec(texts(), 0..3))
        .prop_map(|(code, class, message, causes)| {
            let code = ErrorCode::new(code).unwrap_or(ErrorCode::UNKNOWN);
            causes.into_iter().fold(Failure::new(code, class, message), Failure::caused_by)
        })
        .boxed()
}

fn reports() -> BoxedStrategy<Report> {
    prop_oneof![
        Just(Report::Succeeded),
        moments().prop_map(|until| Report::Running { until }),
        failures().prop_map(|error| Report::Terminal { error }),
        failures().prop_map(|error| Report::FailedContinue { error }),
        Just(Report::Skipped),
        Just(Report::Canceled),
        Just(Report::Stopped),
        (failures(), option::of(any::<u64>().prop_map(Duration::from_microseconds)))
            .prop_map(|(error, retry_after)| Report::Failed { error, retry_after }),
        vec(texts(), 0..3).prop_map(|signals| Report::Suspended { signals }),
        texts().prop_map(|target| Report::Jump { target }),
        Just(Report::Redirect),
    ]
    .boxed()
}

fn task_reports() -> BoxedStrategy<TaskReport> {
    let streams =
        (texts(), any::<u64>(), any::<[u8; 32]>()).prop_map(|(name, bytes, sha256)| StreamFile { name, bytes, sha256 });
    (attempts(), reports(), jsons(), jsons(), vec(streams, 0..3))
        .prop_map(|(attempt, report, outputs, context, streams)| TaskReport {
            attempt,
            report,
            outputs,
            context,
            streams,
        })
        .boxed()
}

fn timers() -> impl Strategy<Value = TimerId> {
    any::<u32>().prop_map(TimerId)
}

fn owners() -> impl Strategy<Value = TimerOwner> {
    prop_oneof![Just(TimerOwner::Workflow), activations().prop_map(TimerOwner::Activation)]
}

fn purposes() -> impl Strategy<Value = TimerPurpose> {
    select(vec![
        TimerPurpose::ScheduledTime,
        TimerPurpose::StartTimeExpiry,
        TimerPurpose::Deadline,
        TimerPurpose::CancelOn,
        TimerPurpose::Trigger,
        TimerPurpose::CancelInstances,
        TimerPurpose::CompleteInstances,
        TimerPurpose::CancelTimeout,
    ])
}

fn causes() -> BoxedStrategy<CancelCause> {
    let plain = vec![
        CancelCause::Workflow,
        CancelCause::ScopeFailed,
        CancelCause::Deadline,
        CancelCause::Timer,
        CancelCause::ExplicitEnd,
        CancelCause::Signal,
        CancelCause::Discriminator,
        CancelCause::Instances,
    ];
    prop_oneof![
        5 => select(plain),
        1 => activations().prop_map(|by| CancelCause::Stage { by }),
        1 => regions().prop_map(|region| CancelCause::Region { region }),
        1 => activations().prop_map(|winner| CancelCause::Withdrawn { winner }),
        1 => activations().prop_map(|to| CancelCause::Jump { to }),
    ]
    .boxed()
}

fn regions() -> impl Strategy<Value = RegionIndex> {
    any::<u32>().prop_map(RegionIndex::new)
}

fn locks() -> impl Strategy<Value = LockIndex> {
    // Small ones are those of definitions.
    (0..4_u32).prop_map(LockIndex::new)
}

fn scopes() -> impl Strategy<Value = ScopeId> {
    any::<u32>().prop_map(ScopeId::new)
}

fn stages() -> impl Strategy<Value = StageIndex> {
    any::<u32>().prop_map(StageIndex::new)
}

fn arcs_one() -> impl Strategy<Value = ArcIndex> {
    any::<u32>().prop_map(ArcIndex::new)
}

fn arcs() -> impl Strategy<Value = Vec<ArcIndex>> {
    vec(arcs_one(), 0..5)
}

fn activations() -> impl Strategy<Value = ActivationId> {
    let instance = prop_oneof![3 => Just(None), 1 => any::<u32>().prop_map(InstanceIndex::new)];
    (stages(), any::<u32>(), instance).prop_map(|(stage, number, instance)| ActivationId { stage, number, instance })
}

fn tasks() -> impl Strategy<Value = TaskId> {
    (activations(), any::<u32>()).prop_map(|(activation, task)| TaskId { activation, task: TaskIndex::new(task) })
}

fn attempts() -> impl Strategy<Value = AttemptId> {
    (tasks(), any::<u32>()).prop_map(|(task, dispatch)| AttemptId { task, dispatch })
}

fn consumed() -> BoxedStrategy<Consumed> {
    let jump = (arcs_one(), arcs(), arcs()).prop_map(|(jump, arcs, absorbed)| Consumed::Jump { jump, arcs, absorbed });
    prop_oneof![
        Just(Consumed::OnePerArc),
        arcs().prop_map(Consumed::Arcs),
        Just(Consumed::Ready),
        Just(Consumed::Held),
        option::of(activations()).prop_map(Consumed::Threads),
        jump
    ]
    .boxed()
}

fn emitted() -> BoxedStrategy<Emitted> {
    prop_oneof![Just(Emitted::All), arcs().prop_map(Emitted::Arcs), Just(Emitted::Nothing)].boxed()
}

fn end_reasons() -> BoxedStrategy<EndReason> {
    let joins = (stages(), arcs()).prop_map(|(stage, missing)| WaitingJoin { stage, missing });
    prop_oneof![
        (activations(), option::of(failures()))
            .prop_map(|(activation, error)| EndReason::StageFailed { activation, error }),
        vec(joins, 0..3).prop_map(|waiting| EndReason::Deadlock { waiting }),
        activations().prop_map(|activation| EndReason::BranchStopped { activation }),
        failures().prop_map(|error| EndReason::OutputsFailed { error }),
        (actors(), option::of(texts())).prop_map(|(by, reason)| EndReason::CancelRequested { by, reason }),
        Just(EndReason::StartTimeExpired),
        any::<u64>()
            .prop_map(|deadline| EndReason::DeadlineExceeded { deadline: Duration::from_microseconds(deadline) }),
        activations().prop_map(|activation| EndReason::CanceledBy { activation }),
        vec(stages(), 0..3).prop_map(|stages| EndReason::OrJoinCycle { stages }),
    ]
    .boxed()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::testing::examples;

    #[test]
    fn every_type_of_event_is_drawn_at_least_once_in_a_hundred_times() {
        let mut runner = TestRunner::deterministic();
        let mut drawn: BTreeMap<u16, u32> = BTreeMap::new();
        for _ in 0..7_000 {
            let event = events().new_tree(&mut runner).unwrap().current();
            *drawn.entry(event.kind()).or_default() += 1;
        }
        let kinds: Vec<u16> = examples::events().iter().map(Event::kind).collect();
        assert!(kinds.iter().all(|kind| drawn.contains_key(kind)), "{drawn:?}");
        assert!(drawn.values().all(|count| *count >= 40), "{drawn:?}");
    }
}
