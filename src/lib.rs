//! An event-sourced workflow engine on an append-only log.
//!
//! Every state transition is an immutable event, state is a fold over events, and replay, metrics and audit trails
//! derive from the same stream. See `docs/ARCHITECTURE.md` for the map.

#![warn(clippy::disallowed_methods)]

mod digest;
mod failure;
mod ids;
pub mod limits;
mod status;
mod time;
mod value;

mod expression;

mod definition;

mod event;

mod machine;

mod soundness;

mod log;

mod store;

mod replay;

mod task;

mod runtime;

mod version;

#[cfg(any(test, feature = "patterns"))]
pub mod testing;

pub use definition::Verification;
pub use definition::{
    ArcKind, ArcOutline, BackArc, BlockingJoin, Builder, BuilderLoop as Loop, BuilderMilestone as Milestone,
    BuilderSplit as Split, Cancel, CancelMode, CancelOn, CancellingJoin, Choice, Defaults, DeferredSplit, Definition,
    Durability, Ending, InputError, InputErrors, InputSpec, InterleaveOrder, Join, JoinMode, JoinSpec, LeftoverTokens,
    LockKind, LoopTest, MilestonePolicy, MilestoneStatus, OnConditionError, OnDeadline, OnFailure, OnParentCancel,
    OnUnreachable, OrJoin, OrScope, PartialJoin, Problem, ProblemCode, Problems, Reentry, RegionEffect, RegionFuture,
    ResetOn, Retry, Severity, SignalTriggerSpec as SignalTrigger, Soundness, Span, Stage, StageOutline, StagePhase,
    StageSplit, StageTrigger, StartTrigger, StructuredJoin, TaskSpec, Termination, WorkflowType, map_from_json,
    map_from_yaml,
};
pub use definition::{InstancesEnd, MultiInstance, WaitForAll, WaitForNone, WaitForSome, WaitsForInstances};
pub use event::{
    Acceptance, Actor, Arrival, CancelCause, CancelRequest, CheckOutcome, CheckRecord, ChildEnd, ChildRefusal,
    Consumed, Creation, Emitted, EndReason, Envelope, Event, HeldBy, Json, LeaseLoss, LeftTokens, Parent, PauseRequest,
    Recorded, Registration, Report, ResetCause, Resumption, SignalDurability, SignalMessage, SignalRecipient,
    SignalTarget, Stamp, StartRequest, StreamFile, TaskReport, TimerClock, TimerId, TimerOwner, TimerPurpose,
    TriggerClosing, TriggerRecord, WaitingJoin,
};
pub use event::{Firing, ForgottenArrivals, PutBack, RemovedToken, Rewound};
pub use event::{InstancesAddition, InstancesRequest};
pub use expression::{Expression, ExpressionError, ExpressionErrorKind, Reference, Scope};
pub use failure::{ErrorClass, ErrorCode, Failure, InvalidErrorCode};
pub use ids::{
    ActivationId, ArcIndex, AttemptId, CommandId, DefinitionHash, InstanceIndex, InvalidId, LockIndex, Position,
    RegionIndex, ScopeId, SectionIndex, Sequence, StageIndex, StreamId, StreamKind, TaskId, TaskIndex, WorkflowId,
};
pub use machine::{
    Answers, AttemptStage, Batch, Broken, CancelLimit, Command, EvolveError, InvalidAddress, LockHolder, MissingArc,
    RULES, Rejection, Request, ResumeRequest, ServerName, Site, StageAddress, State, Undone, Wait, WaitReason, Work,
    decide, evolve, outstanding, waits,
};
pub use replay::InstancesView;
pub use replay::{
    At, DefinitionError, Digest, Divergence, Envelopes, Error as HistoryError, EventFilter, Filter, Follow, History,
    PausedDetails, Replayed, StageView, TaskView, TriggerView, Verified, WorkflowSummary, WorkflowView,
};
pub use runtime::{
    Answer, Approver, By, CapturedStream, CapturedStreams, Claim, Clock, Completion, Config, Control, Drive, Engine,
    Error, Progress, RemoteReason, Signal, Start, Subscription, SystemClock, Target, Trigger,
};
pub use soundness::{CheckOptions, Finding, FindingCode, Property, PropertyError, Verdict, Witness};
pub use status::{InvalidStatus, InvalidTransition, Status};
pub use store::{
    Append, Appended, CodecError, Encoded, Error as StoreError, EventStore, Expected, LogError, LogFiles, LogFinding,
    LogFrame, LogHolder, LogKind, LogReport, LogSalvage, LogStats, PayloadError, RecordPlace, StoreWriter, Upkeep,
};
pub use task::{AliasError, DuplicateName, Outcome, ReceivedSignal, Registry, Secrets, Task, TaskContext, TaskError};
pub use time::{Duration, TimeError, Timestamp};
pub use value::{Map, Real, Value, ValueError};
pub use version::{BUILD, Build};
