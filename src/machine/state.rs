//! What a workflow is at a moment: the fold of its events, and its read-only face for the layers above.
//!
//! Changed by `evolve` only. Beside the marking it keeps the live activations, what the workflow remembers of commands,
//! and *candidates*: whatever might have its next micro-step. Candidates are a superset that deciding tests; they are
//! neither compared nor part of a snapshot's meaning (R2).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::definition::{Definition, Join, OnParentCancel};
use crate::event::{Actor, CancelCause, Creation, EndReason, Json, TaskReport, TimerId, TimerOwner, TimerPurpose};
use crate::failure::ErrorCode;
use crate::ids::{ActivationId, AttemptId, RegionIndex, ScopeId, Sequence, StageIndex, TaskId, TaskIndex, WorkflowId};
use crate::status::Status;
use crate::time::{Duration, Timestamp};
use crate::value::Map;

use super::as_json;
use super::candidates::{Candidates, Nested};
use super::choice::Offer;
use super::ending::{Ending, Undo};
use super::generations::JoinRecord;
use super::instances::InstanceSet;
use super::locks::Locks;
use super::marking::Marking;
use super::outlook::Waiting;
use super::past::{Past, TaskResult};
use super::pause::Pause;
use super::repeats::Remembered;
pub(crate) use super::scope::{Absorbing, Brought, Inside, Leaving, Phases, Scope, ScopeFailure, SoFar};
use super::signals::{GivenSignal, SignalWait, Signals};
use super::stopping::Stopping;
use super::threads::Thread;
use super::trail::Trail;

/// A workflow at a moment.
#[derive(Clone, Debug)]
pub struct State {
    pub(super) workflow: WorkflowId,
    pub(super) definition: Definition,
    pub(super) core: Core,
    pub(super) candidates: Candidates,
}

/// What of a state is compared and kept in snapshots: everything but the definition and the candidates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Core {
    /// Events so far.
    pub(super) events: u64,
    /// The moment of the last input.
    pub(super) now: Timestamp,
    pub(super) phase: Phase,
    /// The root scope has been opened.
    pub(super) started: bool,
    pub(super) start: Option<Arc<StartData>>,
    /// The last batch was cut and settling has to go on.
    pub(super) unsettled: bool,
    /// Somebody asked for the end.
    pub(super) cancel: Option<Canceling>,
    /// Nothing new begins.
    pub(super) paused: Option<Box<Pause>>,
    /// For how long it was paused before that, in all.
    pub(super) paused_before: Duration,
    pub(super) commands: Remembered,
    pub(super) marking: Marking,
    /// Joins that count arrivals, from the first arrival on.
    pub(super) joins: BTreeMap<(ScopeId, StageIndex), JoinRecord>,
    /// Boxed, as activations are: a map makes room for eleven entries at once, and most workflows hold one.
    pub(super) scopes: BTreeMap<ScopeId, Box<Scope>>,
    /// Activations ever, per stage; a stage without has no entry.
    pub(super) numbers: BTreeMap<StageIndex, u32>,
    pub(super) live: BTreeMap<ActivationId, Box<Activation>>,
    /// The instances of activations that have several, until the last of them has ended.
    pub(super) instances: BTreeMap<ActivationId, Box<InstanceSet>>,
    /// Jumps ever.
    pub(super) jumps: u32,
    /// Activations ever: their order of birth.
    pub(super) born: u64,
    pub(super) timers: BTreeMap<TimerId, Timer>,
    /// Timers ever.
    pub(super) timers_set: u32,
    /// Scopes ever, the root aside.
    pub(super) scopes_opened: u32,
    /// Tokens that have come over arcs that lead back, and further turns of loops, since anything came from outside.
    pub(super) instant_turns: u64,
    /// Stages from whose arcs all tokens are taken away, as the next thing that happens, with the region they lie in.
    pub(super) sweeps: BTreeMap<(ScopeId, StageIndex), RegionIndex>,
    /// Attempts that a worker has begun, or may have, that are not awaited any more and have told nothing yet.
    pub(super) fenced: BTreeSet<AttemptId>,
    /// Signals, and who waits for them; `None` while there is nothing of it.
    pub(super) signals: Option<Box<Signals>>,
    /// Workflows that this one called and whose end it waits for.
    pub(super) children: BTreeMap<WorkflowId, Called>,
    /// It has ended and said that it waits for some of them.
    pub(super) is_closing: bool,
    /// Who holds which lock, and who waits for one; `None` while there is nothing of it.
    pub(super) locks: Option<Box<Locks>>,
    /// Activations whose work can be undone, in the order of their ends.
    pub(super) undo: Vec<Undo>,
    /// It is on its way to its end, and something is done before that.
    pub(super) ending: Option<Box<Ending>>,
}

/// A workflow that was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Called {
    /// Whose work it is, or was.
    pub(super) attempt: AttemptId,
    pub(super) on_cancel: OnParentCancel,
    /// Its work is not wanted any more; it is canceled, and only its end is waited for.
    pub(super) is_left: bool,
}

/// Where a workflow is on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// No events yet.
    New,
    /// It moves.
    Live,
    /// It has ended and never moves again.
    Ended { status: Status, reason: Option<EndReason>, outputs: Option<Json> },
}

/// What the workflow began with, parsed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StartData {
    pub(super) creation: Creation,
    pub(super) at: Timestamp,
    #[serde(with = "as_json")]
    pub(super) inputs: Map,
    #[serde(with = "as_json")]
    pub(super) context: Map,
}

/// A request for the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Canceling {
    pub(super) by: Actor,
    pub(super) reason: Option<String>,
    pub(super) since: Timestamp,
}

/// One entry of a stage by a token, not over yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Activation {
    pub(super) scope: ScopeId,
    /// Its place in the order of birth.
    pub(super) born: u64,
    pub(super) depth: u32,
    pub(super) past: Past,
    /// The thread it belongs to.
    pub(super) thread: Thread,
    pub(super) progress: Progress,
    /// Something outside ends it, as the next thing that happens to it.
    pub(super) doomed: Option<CancelCause>,
    /// What its ended tasks gave.
    pub(super) results: Arc<Vec<TaskResult>>,
    /// Context that its attempts and tasks left for later ones.
    #[serde(with = "as_json::shared")]
    pub(super) updates: Arc<Map>,
    /// Timers that are set for it, those of its tasks aside.
    pub(super) timers: Vec<TimerId>,
    /// It waits for a signal, at its trigger or in a task.
    pub(super) waiting: Option<Box<SignalWait>>,
    /// Since when its milestone has held it back, if it does.
    pub(super) held_since: Option<Timestamp>,
    /// The signal that came last for it.
    pub(super) signal: Option<Arc<GivenSignal>>,
    /// It is offered together with others, and none of them is chosen yet.
    pub(super) choice: Option<Box<Offer>>,
    /// Its block, if its stage has one.
    pub(super) inside: Option<Box<Inside>>,
    /// A task of it has jumped, and it ends right behind that.
    pub(super) leaving: Option<Box<Leaving>>,
    /// What a rewind needs to know of the way behind it, itself included, where jumps rewind.
    pub(super) trail: Option<Arc<Trail>>,
}

/// How far an activation is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Progress {
    /// Its join has fired, and this gate is next.
    Ready(Gate),
    /// It is about to begin this task.
    Between { next: TaskIndex },
    /// A task is open.
    Open(OpenTask),
    /// Another turn of its loop, or the first, is to be decided on.
    Turning,
    /// Its block is open.
    Inside,
    /// Its tasks are over; split and end are to come.
    CoreEnded,
    /// Its deadline has passed, and what was open is given up; its failure is to come.
    Overdue,
    /// Its instances are at work.
    Instances,
    /// It is canceled, and something in it has to stop before it ends: this, where it is its own attempt.
    Canceling(Option<Stopping>),
}

/// What holds a ready activation; a gate that was passed stays passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Gate {
    /// `if:` is to be examined, then those behind it.
    Condition,
    /// It waits for its scheduled time.
    Scheduled,
    /// Its scheduled time has come, and the gates behind it are next, if it is still in time.
    Passed,
    /// It was not started in time.
    Expired,
    /// It waits for its trigger.
    Trigger,
    /// Its trigger has come or it was chosen, and the gates behind that are next.
    Triggered,
    /// It waits for its locks.
    Lock,
    /// It waits until somebody chooses it.
    Choice,
    /// It waits for its milestone, and then for what is behind that.
    Milestone,
    /// All gates behind its milestone but the last are passed, and the milestone holds no more: it waits for it again.
    MilestoneAgain,
}

impl Gate {
    /// May a start follow from here, or one of the last gates?
    pub(super) fn opens(self) -> bool {
        match self {
            Gate::Condition | Gate::Passed | Gate::Triggered | Gate::Lock | Gate::Milestone | Gate::MilestoneAgain => {
                true
            }
            Gate::Scheduled | Gate::Expired | Gate::Trigger | Gate::Choice => false,
        }
    }
}

/// A task that is neither ended nor still to come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OpenTask {
    pub(super) task: TaskIndex,
    /// Number of the newest dispatch, from 1.
    pub(super) dispatch: u32,
    pub(super) attempt: AttemptState,
    /// Failures that the retry policy counted.
    pub(super) failures: u32,
    /// The code of the last of them.
    pub(super) failed: Option<ErrorCode>,
    /// Workers lost since the last report.
    pub(super) lost: u32,
    /// When the first attempt of this task was queued.
    pub(super) since: Timestamp,
    /// When the newest attempt was queued, began, or asked to be called again.
    pub(super) changed: Timestamp,
}

/// Where the newest attempt of an open task is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum AttemptState {
    /// It may be dispatched, not before `due`.
    Queued { due: Option<Timestamp> },
    /// A worker has begun it.
    Started,
    /// It has told its outcome, and what follows from it is being decided.
    Reported(Box<TaskReport>),
    /// Its worker is gone, and what follows from it is being decided.
    Lost,
    /// It asked to be called again when the timer fires.
    Waiting { timer: TimerId },
    /// What it waited for has come, and the next attempt is being queued.
    Woken,
    /// It asked to be called again when a signal comes.
    Suspended,
    /// Another workflow does its work.
    Calling { child: WorkflowId },
}

/// A moment somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Timer {
    /// By the clock of what it is for.
    pub(super) due: Timestamp,
    pub(super) of: TimerOf,
    /// When it was set.
    pub(super) since: Timestamp,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TimerOf {
    /// The task is called again.
    Task(TaskId),
    /// The owner starts, or has not started or ended in time.
    Owner(TimerOwner, TimerPurpose),
}

impl State {
    /// A workflow of this definition to which nothing has happened yet.
    pub fn new(workflow: WorkflowId, definition: Definition) -> State {
        let core = Core {
            events: 0,
            now: Timestamp::from_microseconds(i64::MIN),
            phase: Phase::New,
            started: false,
            start: None,
            unsettled: false,
            cancel: None,
            paused: None,
            paused_before: Duration::ZERO,
            commands: Remembered::default(),
            marking: Marking::default(),
            joins: BTreeMap::new(),
            scopes: BTreeMap::from([(ScopeId::ROOT, Box::default())]),
            numbers: BTreeMap::new(),
            live: BTreeMap::new(),
            instances: BTreeMap::new(),
            jumps: 0,
            born: 0,
            timers: BTreeMap::new(),
            timers_set: 0,
            scopes_opened: 0,
            instant_turns: 0,
            sweeps: BTreeMap::new(),
            fenced: BTreeSet::new(),
            signals: None,
            children: BTreeMap::new(),
            is_closing: false,
            locks: None,
            undo: Vec::new(),
            ending: None,
        };
        State { workflow, definition, core, candidates: Candidates::default() }
    }

    /// The workflow.
    pub fn workflow(&self) -> WorkflowId {
        self.workflow
    }

    /// The definition it follows.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Place of its newest event; `None` if there is none.
    pub fn sequence(&self) -> Option<Sequence> {
        Sequence::new(self.core.events)
    }

    /// Moment of its newest input; `None` if there is none.
    pub fn now(&self) -> Option<Timestamp> {
        (self.core.events > 0).then_some(self.core.now)
    }

    /// Its status, as people are told.
    pub fn status(&self) -> Status {
        match &self.core.phase {
            Phase::New => Status::NotStarted,
            Phase::Live if self.is_paused() => Status::Paused,
            Phase::Live if !self.has_started() => Status::NotStarted,
            Phase::Live => Status::Running,
            Phase::Ended { status, .. } => *status,
        }
    }

    /// Has its root scope been opened? Not before its scheduled time.
    pub(super) fn has_started(&self) -> bool {
        self.core.started
    }

    /// Has its root scope failed? Then it is on its way to its end.
    pub(super) fn has_failed(&self) -> bool {
        self.core.scopes.get(&ScopeId::ROOT).is_some_and(|root| root.failed.is_some())
    }

    /// The timers that are set for an activation, its tasks aside, with the time of day at which each is due.
    pub(crate) fn timers_of(&self, activation: ActivationId) -> impl Iterator<Item = (TimerId, Timestamp)> + '_ {
        let timers = self.core.live.get(&activation).map_or(&[][..], |live| &live.timers);
        timers.iter().filter_map(|timer| Some((*timer, self.timer(*timer)?.0)))
    }

    /// Has it ended, with nothing outstanding?
    pub fn is_closed(&self) -> bool {
        matches!(self.core.phase, Phase::Ended { .. }) && self.core.children.is_empty()
    }

    /// What `outputs:` of its definition gave at its end, if it has such.
    pub(super) fn recorded_outputs(&self) -> Option<&Json> {
        match &self.core.phase {
            Phase::Ended { outputs, .. } => outputs.as_ref(),
            Phase::New | Phase::Live => None,
        }
    }

    /// Has a branch of its root scope been stopped?
    pub(crate) fn has_stopped(&self) -> bool {
        self.core.scopes.get(&ScopeId::ROOT).is_some_and(|root| !root.stopped.is_empty())
    }

    /// Why it ended, where it did not succeed.
    pub fn end_reason(&self) -> Option<&EndReason> {
        match &self.core.phase {
            Phase::Ended { reason, .. } => reason.as_ref(),
            Phase::New | Phase::Live => None,
        }
    }

    /// What it began with.
    pub fn creation(&self) -> Option<&Creation> {
        self.core.start.as_ref().map(|start| &start.creation)
    }

    /// Was the last batch cut, so that settling has to go on?
    pub fn is_unsettled(&self) -> bool {
        self.core.unsettled
    }

    /// Ids of the live activations.
    pub fn live(&self) -> impl Iterator<Item = ActivationId> + '_ {
        self.core.live.keys().copied()
    }

    /// The activations that have instances, whether they still live or not.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn with_instances(&self) -> impl Iterator<Item = ActivationId> + '_ {
        self.core.instances.keys().copied()
    }

    /// Attempts that are not awaited any more and may still tell an outcome.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn fenced(&self) -> impl Iterator<Item = AttemptId> + '_ {
        self.core.fenced.iter().copied()
    }

    /// Every token that lies on an arc, with its number: the how manieth token of the workflow it is.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn tokens(&self) -> impl Iterator<Item = (ScopeId, crate::ids::ArcIndex, u64)> + '_ {
        self.core.marking.iter().map(|(scope, arc, token)| (scope, arc, token.number))
    }

    /// The place of a live activation among the threads of each split it lies within, outermost first.
    #[cfg(test)]
    pub(crate) fn thread_indices(&self, activation: ActivationId) -> Vec<u32> {
        self.core.live.get(&activation).map(|live| live.thread.indices()).unwrap_or_default()
    }

    /// The newest attempt of the task that `activation` has open.
    #[cfg(any(test, feature = "patterns"))]
    pub(crate) fn newest_attempt(&self, activation: ActivationId) -> Option<AttemptId> {
        let Progress::Open(open) = &self.core.live.get(&activation)?.progress else {
            return self.stopping_attempt(activation);
        };
        Some(AttemptId { task: TaskId { activation, task: open.task }, dispatch: open.dispatch })
    }

    /// Tokens ever produced, and tokens ever consumed.
    pub fn token_turnover(&self) -> (u64, u64) {
        self.core.marking.turnover()
    }

    /// The compared and stored part.
    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// The state of this definition whose stored part is `core`; every candidate is examined again.
    #[cfg(test)]
    pub(crate) fn from_core(workflow: WorkflowId, definition: Definition, core: Core) -> State {
        let mut state = State { workflow, definition, core, candidates: Candidates::default() };
        state.refill_candidates();
        state
    }

    /// An activation lives from now on.
    pub(super) fn begin_to_live(&mut self, id: ActivationId, activation: Activation) {
        if activation.scope != ScopeId::ROOT {
            self.candidates.inner.insert((activation.scope, id));
        }
        self.core.live.insert(id, Box::new(activation));
    }

    /// The live activations of `stage` in `scope`, by number.
    pub(super) fn live_of(&self, scope: ScopeId, stage: StageIndex) -> impl Iterator<Item = ActivationId> + '_ {
        let first = ActivationId { stage, number: 0, instance: None };
        // A stage lives in the root scope only, or never there: of those inside, each scope has its own.
        let is_root = scope == ScopeId::ROOT;
        let in_root = is_root.then(|| self.core.live.range(first..)).into_iter().flatten();
        let in_root = in_root.take_while(move |(id, _)| id.stage == stage).filter(move |(_, live)| live.scope == scope);
        let inside = (!is_root).then(|| self.candidates.inner.range((scope, first)..)).into_iter().flatten();
        let inside = inside.take_while(move |(of, id)| (*of, id.stage) == (scope, stage));
        #[cfg(test)]
        let in_root = in_root.inspect(|_| super::tests::count_work(1));
        in_root.map(|(id, _)| *id).chain(inside.map(|(_, id)| *id))
    }

    /// What lives in the scope, and in the scopes inside that.
    pub(super) fn live_inside(&self, scope: ScopeId) -> Vec<ActivationId> {
        if scope == ScopeId::ROOT {
            return self.core.live.keys().copied().collect();
        }
        let first = ActivationId::new(StageIndex::new(0), 0);
        let mut found = Vec::new();
        let mut ahead = vec![scope];
        while let Some(scope) = ahead.pop() {
            let inside = self.candidates.inner.range((scope, first)..).take_while(|(of, _)| *of == scope);
            for (_, id) in inside {
                found.push(*id);
                ahead.extend(self.core.live.get(id).and_then(|live| live.scope_inside()));
            }
        }
        found
    }

    /// The region by whose cancellation `stage` is withdrawn. A stage that cancels a region ends its withdrawal.
    pub(super) fn withdrawn_by(&self, scope: ScopeId, stage: StageIndex) -> Option<RegionIndex> {
        let cancellation = &self.definition.graph().stages.get(stage.index())?.cancellation;
        if cancellation.regions.is_empty() {
            return None;
        }
        let withdrawn = &self.core.scopes.get(&scope)?.withdrawn;
        let is_own = |region: RegionIndex| cancellation.canceled_regions().any(|own| own == region);
        cancellation.regions.iter().copied().find(|region| withdrawn.contains(region) && !is_own(*region))
    }

    /// The join of `stage` is tested before anything else is found to be at its end.
    pub(super) fn examine_join(&mut self, scope: ScopeId, stage: StageIndex) {
        if self.definition.graph().stage(stage).join == Join::Or {
            self.candidates.outlooks.insert(Waiting { scope, join: stage });
        } else {
            let depth = self.depth_of(scope);
            self.candidates.joins.insert((Reverse(depth), scope, stage));
        }
    }

    /// A jump has come to `stage`, or something may have come too late behind one: both are looked at before its join.
    pub(super) fn examine_arrival(&mut self, scope: ScopeId, stage: StageIndex) {
        let depth = self.depth_of(scope);
        self.candidates.joins.insert((Reverse(depth), scope, stage));
    }

    /// Do tokens still move in this scope? Not once it has failed or is being canceled, or one around it. Of a workflow
    /// that is ending only what is done at its end.
    pub(super) fn moves(&self, scope: ScopeId) -> bool {
        let (mut next, mut outermost) = (Some(scope), scope);
        while let Some(id) = next {
            outermost = id;
            let Some(scope) = self.core.scopes.get(&id).filter(|scope| scope.failed.is_none()) else { return false };
            let owner = scope.owner.map(|owner| self.core.live.get(&owner));
            next = match owner {
                None => None,
                Some(Some(owner)) if owner.progress == Progress::Inside && owner.doomed.is_none() => Some(owner.scope),
                Some(_) => return false,
            };
        }
        match &self.core.ending {
            Some(ending) => ending.doing.is_some_and(|doing| doing.scope == outermost),
            None => self.core.cancel.is_none(),
        }
    }

    /// The place of a live activation behind all that are nested deeper.
    pub(super) fn nested(&self, id: ActivationId, activation: &Activation) -> Nested {
        (Reverse(self.depth_of(activation.scope)), activation.born, id)
    }

    /// The attempt that `task` waits for, with the state it is in.
    pub(super) fn open_task(&self, task: TaskId) -> Option<&OpenTask> {
        match &self.core.live.get(&task.activation)?.progress {
            Progress::Open(open) if open.task == task.task => Some(open),
            Progress::Open(_)
            | Progress::Ready(_)
            | Progress::Between { .. }
            | Progress::Turning
            | Progress::Inside
            | Progress::CoreEnded
            | Progress::Overdue
            | Progress::Canceling(_)
            | Progress::Instances => None,
        }
    }
}

impl State {
    /// Do people do this task, and no worker?
    pub(super) fn is_by_hand(&self, task: TaskId) -> bool {
        self.definition.graph().task(task.activation.stage, task.task).by_hand().is_some()
    }
}

/// Two states are equal if the same has happened to workflows of the same definition.
impl PartialEq for State {
    fn eq(&self, other: &State) -> bool {
        self.workflow == other.workflow && self.definition.hash() == other.definition.hash() && self.core == other.core
    }
}
