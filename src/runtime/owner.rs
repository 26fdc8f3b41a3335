//! The owner of the states: takes commands in, decides, encodes, and hands batches on with what they let out.
//!
//! Knows no thread: whoever holds it moves it by turns. Its states run ahead of the log; nothing it decides is seen
//! outside before the batch is durable, because what a batch lets out travels with its bytes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::definition::Definition;
use crate::event::{Actor, Event, LeaseLoss, Registration, Stamp, TimerId, TimerOwner};
use crate::ids::{
    ActivationId, AttemptId, DefinitionHash, InstanceIndex, Sequence, StreamId, TaskId, TaskIndex, WorkflowId,
};
use crate::machine::{
    Answers, AttemptStage, Command, Deed, RULES, Rejection, Request, Sent, State, Work, decide, outstanding,
    surroundings,
};
use crate::replay::{Definitions, has_ended};
use crate::store::{Append, Encoded, EventStore, Expected};
use crate::time::Timestamp;

use super::admission::Admissions;
use super::calling::{Call, Errand};
use super::commit::{Outgoing, Release};
use super::config::Drive;
use super::error::{Error, describe};
use super::inbox::{Answer, Ask, Entry, Reply};
use super::promise::Promise;
use super::timers::Timers;
use super::worklist::{Released, StartRecord};

/// The states of the workflows this engine has touched, and what they wait for.
pub(super) struct Owner {
    store: Arc<dyn EventStore>,
    admissions: Arc<Admissions>,
    pub(super) drive: Drive,
    /// Boxed: the table has up to twice as many places as entries.
    pub(super) states: HashMap<WorkflowId, Box<Held>>,
    definitions: Definitions,
    /// Definitions that are stored or on their way.
    registered: HashSet<DefinitionHash>,
    timers: Timers,
    answers: Answers,
    /// Number of the last batch handed on.
    batches: u64,
    /// Ended workflows, with the batch after which their state can be read back from the log.
    ended: VecDeque<(u64, WorkflowId)>,
    /// What is still to be done between workflows that called each other.
    pub(super) errands: VecDeque<Errand>,
}

/// A state and the last batch of its workflow that was handed on.
pub(super) struct Held {
    pub(super) state: State,
    batch: u64,
}

impl Owner {
    pub(super) fn new(store: Arc<dyn EventStore>, admissions: Arc<Admissions>, drive: Drive) -> Owner {
        Owner {
            definitions: Definitions::new(Arc::clone(&store)),
            store,
            admissions,
            drive,
            states: HashMap::new(),
            registered: HashSet::new(),
            timers: Timers::default(),
            answers: Answers::computed(),
            batches: 0,
            ended: VecDeque::new(),
            errands: VecDeque::new(),
        }
    }

    /// The earliest timer.
    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    /// Timers that are set.
    #[cfg(test)]
    pub(super) fn timers_set(&self) -> impl Iterator<Item = (WorkflowId, TimerId)> {
        self.timers.iter()
    }

    /// Takes in one entry. What it lets out comes with the batch; a refusal waits for the last batch of its workflow.
    ///
    /// # Errors
    ///
    /// If history cannot be read back; the engine can then not go on.
    pub(super) fn take_in(&mut self, entry: Entry, now: Timestamp, out: &mut Vec<Outgoing>) -> Result<(), Error> {
        self.take_in_one(entry, now, out)?;
        self.run_errands(now, out)
    }

    fn take_in_one(&mut self, entry: Entry, now: Timestamp, out: &mut Vec<Outgoing>) -> Result<(), Error> {
        let Entry { workflow, definition, id, actor, ask, mut answer } = entry;
        let asked = match ask {
            Ask::Decide(request) => Asked::Request(request),
            Ask::ByHand(deed) => Asked::Deed(deed),
            Ask::Sent(sent) => Asked::Sent(sent),
            Ask::Drive(told) => {
                let adopted = self.adopt(workflow, now, out);
                return spared(workflow, adopted).map(|adopted| told.give(adopted));
            }
            Ask::IsDriven(told) => {
                told.give(self.drive.includes(workflow));
                return Ok(());
            }
        };
        let creates = definition.is_some();
        let brought = self.bring(workflow, definition, &actor, now, out);
        if let Err(error) = spared(workflow, brought)? {
            if let Some(answer) = answer {
                answer.give(Err(error));
            }
            return Ok(());
        }
        let state = &self.states[&workflow].state;
        let request = match asked {
            Asked::Request(request) => Ok(request),
            Asked::Deed(deed) => deed.request(state, id, now),
            Asked::Sent(sent) => sent.request(state, id),
        };
        let request = match request {
            Ok(request) => request,
            Err(rejection) => {
                self.refuse(workflow, creates, rejection, answer, out);
                return Ok(());
            }
        };
        let late = match &request {
            Request::ReportTask(report) => Some(report.clone()),
            _ => None,
        };
        let command = Command { now, id, actor, request };
        match self.submit(workflow, &command, &mut answer, out) {
            Ok(()) => Ok(()),
            // An outcome nobody waits for is kept once, for the audit, if its attempt had been begun and given up.
            Err(Rejection::NotAwaited { .. } | Rejection::Ended { .. }) if late.is_some() => {
                if let Some(report) = late {
                    let discard = Command { request: Request::DiscardResult(report), ..command };
                    self.submit(workflow, &discard, &mut None, out).ok();
                }
                Ok(())
            }
            Err(rejection) => {
                self.refuse(workflow, creates, rejection, answer, out);
                Ok(())
            }
        }
    }

    /// Makes sure that the state of a command's workflow is here; `definition` is that of one that begins.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such workflow; if history cannot be read back.
    pub(super) fn bring(
        &mut self,
        workflow: WorkflowId,
        definition: Option<Definition>,
        actor: &Actor,
        now: Timestamp,
        out: &mut Vec<Outgoing>,
    ) -> Result<(), Error> {
        if let Some(definition) = definition {
            self.register(&definition, actor, now, out)?;
            if !self.states.contains_key(&workflow) && self.store.last(StreamId::workflow(workflow))?.is_none() {
                let state = State::new(workflow, definition);
                self.states.insert(workflow, Box::new(Held { state, batch: 0 }));
            }
        }
        if self.hold(workflow)? { Ok(()) } else { Err(Error::NotFound { workflow }) }
    }

    /// Fires every timer that is due.
    ///
    /// # Errors
    ///
    /// As [`Owner::take_in`].
    pub(super) fn fire_timers(&mut self, now: Timestamp, out: &mut Vec<Outgoing>) -> Result<(), Error> {
        while let Some((workflow, timer)) = self.timers.pop_due(now) {
            let request = Request::FireTimer(timer);
            let ask = Ask::Decide(request);
            let entry = Entry { workflow, definition: None, id: None, actor: Actor::Engine, ask, answer: None };
            self.take_in(entry, now, out)?;
        }
        Ok(())
    }

    /// Reads back the driven workflows that are open, and goes on with them: settles what was cut, replaces attempts
    /// whose worker is gone, lets out the others. There is no other recovery.
    ///
    /// # Errors
    ///
    /// If history cannot be read back.
    pub(super) fn recover(&mut self, now: Timestamp, out: &mut Vec<Outgoing>) -> Result<(), Error> {
        let driven: Vec<WorkflowId> = match &self.drive {
            Drive::All => self.store.live_streams()?.into_iter().filter_map(StreamId::as_workflow).collect(),
            Drive::Only(workflows) => workflows.iter().copied().collect(),
        };
        for workflow in driven {
            let resumed = self.resume(workflow, now, out);
            // Told already: who asks for it is answered with the damage.
            spared(workflow, resumed)?.ok();
        }
        self.run_errands(now, out)
    }

    /// Goes on with a workflow that another engine has left, if it is open.
    pub(super) fn resume(
        &mut self,
        workflow: WorkflowId,
        now: Timestamp,
        out: &mut Vec<Outgoing>,
    ) -> Result<(), Error> {
        if has_ended(&self.store, workflow)? || !self.hold(workflow)? {
            return Ok(());
        }
        let Some(held) = self.states.get(&workflow) else { return Ok(()) };
        if held.state.is_closed() {
            self.states.remove(&workflow);
            return Ok(());
        }
        if held.state.is_unsettled() {
            self.go_on(workflow, now, out);
        }
        self.take_up(workflow, now, out);
        Ok(())
    }

    /// Drives this workflow, too, from now on. Nothing of what it asks for was let out here before.
    fn adopt(&mut self, workflow: WorkflowId, now: Timestamp, out: &mut Vec<Outgoing>) -> Result<(), Error> {
        let is_new = match &mut self.drive {
            Drive::All => false,
            Drive::Only(driven) => driven.insert(workflow),
        };
        if is_new { self.resume(workflow, now, out) } else { Ok(()) }
    }

    /// What the state of a workflow asks for, after another engine has held it.
    fn take_up(&mut self, workflow: WorkflowId, now: Timestamp, out: &mut Vec<Outgoing>) {
        let Some(held) = self.states.get(&workflow) else { return };
        let work: Vec<Work> = outstanding(&held.state).collect();
        for work in work {
            match work {
                Work::WaitUntil { timer, .. } => self.wait_for(workflow, timer),
                Work::RunTask { attempt, stage: AttemptStage::Started, .. } => {
                    let request = Request::LoseLease(LeaseLoss { attempt, orderly: false });
                    let command = Command { now, id: None, actor: Actor::Engine, request };
                    let lost = self.submit(workflow, &command, &mut None, out);
                    assert!(lost.is_ok(), "a started attempt can lose its worker");
                }
                Work::RunTask { attempt, stage: AttemptStage::Queued, .. } => {
                    let Some(held) = self.states.get(&workflow) else { return };
                    let released = released(&held.state, attempt, StartRecord::First);
                    let attempts = released.into_iter().collect();
                    // The batch that queued it is durable: it goes out with the next write, or alone.
                    out.push(Outgoing {
                        batch: held.batch,
                        append: None,
                        release: Release { attempts, ..Release::default() },
                    });
                }
                // Whoever had it is gone, and what it left running was killed.
                Work::StopTask { attempt } => {
                    let request = Request::StopTask(attempt);
                    let command = Command { now, id: None, actor: Actor::Engine, request };
                    self.submit(workflow, &command, &mut None, out).ok();
                }
                Work::AwaitChild { child, .. } => {
                    self.errands.push_back(Errand::Begin(Call { caller: workflow, child }))
                }
                Work::CancelChild { child } => self.errands.push_back(Errand::Cancel(Call { caller: workflow, child })),
                Work::Continue
                | Work::ByHand { .. }
                | Work::AwaitSignal { .. }
                | Work::AwaitThread { .. }
                | Work::AwaitClaim { .. }
                | Work::MoreInstances { .. } => (),
            }
        }
    }

    /// This timer of a state that is held is to fire.
    fn wait_for(&mut self, workflow: WorkflowId, timer: TimerId) {
        if let Some(set) = self.states.get(&workflow).and_then(|held| held.state.timer(timer)) {
            self.timers.set(workflow, timer, set);
        }
    }

    /// Makes sure that the state of `workflow` is here; false if there is no such workflow.
    pub(super) fn hold(&mut self, workflow: WorkflowId) -> Result<bool, Error> {
        if self.states.contains_key(&workflow) {
            return Ok(true);
        }
        let Some(state) = self.definitions.fold(workflow)? else { return Ok(false) };
        if state.is_closed() {
            self.ended.push_back((self.batches, workflow));
        }
        self.states.insert(workflow, Box::new(Held { state, batch: 0 }));
        Ok(true)
    }

    /// Drops the states of ended workflows whose end is durable.
    pub(super) fn forget_ended(&mut self, released: u64) {
        while let Some((batch, workflow)) = self.ended.front().copied() {
            if batch > released {
                return;
            }
            self.ended.pop_front();
            if self.states.get(&workflow).is_some_and(|held| held.batch <= released) {
                self.states.remove(&workflow);
            }
        }
    }

    /// Stores the definition, the first time this log sees it.
    fn register(
        &mut self,
        definition: &Definition,
        actor: &Actor,
        now: Timestamp,
        out: &mut Vec<Outgoing>,
    ) -> Result<(), Error> {
        let hash = definition.hash();
        if self.registered.contains(&hash) {
            return Ok(());
        }
        let stream = StreamId::definition(hash);
        let is_stored = self.store.last(stream)?.is_some();
        self.registered.insert(hash);
        self.definitions.know(definition);
        if is_stored {
            return Ok(());
        }
        let stamp = Stamp { now, command: None, actor: actor.clone(), rules: RULES };
        let source = Some(definition.source().to_owned()).filter(|source| !source.is_empty());
        let check = self.admissions.record(hash);
        let registration = Registration { hash, normal: definition.to_json(), source, check };
        let event = Event::DefinitionRegistered(stamp, registration);
        self.batches += 1;
        let append = Append::new(stream, Expected::Empty, now, vec![Encoded::of(&event)])?;
        out.push(Outgoing { batch: self.batches, append: Some(append), release: Release::default() });
        Ok(())
    }

    /// Decides a command and hands its batches on.
    pub(super) fn submit(
        &mut self,
        workflow: WorkflowId,
        command: &Command,
        answer: &mut Option<Promise<Reply>>,
        out: &mut Vec<Outgoing>,
    ) -> Result<(), Rejection> {
        let held = self.states.get_mut(&workflow).expect("the state of a command's workflow is held");
        let before = held.state.sequence();
        let batch = decide(&mut held.state, command, &mut self.answers)?;
        let mut release = Release::default();
        let first = before.map_or(Sequence::FIRST, Sequence::next);
        release.answers.extend(answer.take().map(|answer| (answer, Ok(Answer::Applied(first)))));
        self.hand_on(workflow, before, batch.events(), release, out);
        if self.states.get(&workflow).is_some_and(|held| held.state.is_unsettled()) {
            self.go_on(workflow, command.now, out);
        }
        Ok(())
    }

    /// Settling goes on until it is done; nothing else of this workflow is taken in meanwhile.
    fn go_on(&mut self, workflow: WorkflowId, now: Timestamp, out: &mut Vec<Outgoing>) {
        while let Some(held) = self.states.get_mut(&workflow).filter(|held| held.state.is_unsettled()) {
            let request = Request::ContinueSettling;
            let command = Command { now, id: None, actor: Actor::Engine, request };
            let before = held.state.sequence();
            let batch = decide(&mut held.state, &command, &mut self.answers);
            let batch = batch.expect("an unsettled workflow takes the continuation");
            self.hand_on(workflow, before, batch.events(), Release::default(), out);
        }
    }

    /// Encodes a batch and gathers what it lets out once it is durable.
    fn hand_on(
        &mut self,
        workflow: WorkflowId,
        before: Option<Sequence>,
        events: &[Event],
        mut release: Release,
        out: &mut Vec<Outgoing>,
    ) {
        self.batches += 1;
        let held = self.states.get_mut(&workflow).expect("the state of a batch's workflow is held");
        held.batch = self.batches;
        let driven = self.drive.includes(workflow);
        let start = match events.first() {
            // The task itself may have killed the worker. That its next attempt begins is known before it runs, so that
            // every loss is counted.
            Some(Event::TaskLeaseLost(_, loss)) if !loss.orderly => StartRecord::First,
            _ => StartRecord::Lazy,
        };
        for event in events {
            match event {
                Event::WorkflowCreated(..) => release.opened = Some(workflow),
                Event::TaskQueued { attempt, .. } if driven => {
                    release.attempts.extend(released(&held.state, *attempt, start));
                }
                Event::InstancesStarted { activation, from, to, .. } if driven => {
                    release.attempts.extend(begun(&held.state, *activation, *from..*to, start));
                }
                Event::TimerSet { timer, .. } | Event::TimerSetFor { timer, .. } if driven => {
                    if let Some(set) = held.state.timer(*timer) {
                        self.timers.set(workflow, *timer, set);
                    }
                }
                Event::WorkflowStarted => self.timers.drop_of(workflow, TimerOwner::Workflow),
                Event::StageStarted { activation, .. } => {
                    // What ends it whenever it comes outlasts its start.
                    let owner = TimerOwner::Activation(*activation);
                    self.timers.drop_of(workflow, owner);
                    for (timer, due) in held.state.timers_of(*activation).filter(|_| driven) {
                        self.timers.set(workflow, timer, (due, owner));
                    }
                }
                Event::StageEnded { activation, .. }
                | Event::StageCanceled { activation, .. }
                | Event::StageCanceling { activation, .. } => {
                    self.timers.drop_of(workflow, TimerOwner::Activation(*activation));
                    release.take_back(&held.state, event, events.first());
                }
                Event::WorkflowEnding { .. } | Event::WorkflowEnded { .. } => self.timers.drop_all(workflow),
                Event::ChildStarted { child, .. } if driven => {
                    self.errands.push_back(Errand::Begin(Call { caller: workflow, child: *child }));
                }
                _ => (),
            }
        }
        if held.state.is_closed() && events.iter().any(Event::is_end) {
            release.ended.push(workflow);
            self.ended.push_back((self.batches, workflow));
            let parent = held.state.parent();
            let told = parent.map(|parent| Errand::Tell(Call { caller: parent.workflow, child: workflow }));
            self.errands.extend(told);
        }
        if driven {
            let left = held.state.left_children();
            self.errands.extend(left.map(|child| Errand::Cancel(Call { caller: workflow, child })));
        }
        if driven {
            self.follow_pause(workflow, events, &mut release);
        } else {
            // Whoever drives it tells what has stopped.
            release.stopping.clear();
        }
        let held = self.states.get(&workflow).expect("the state of a batch's workflow is held");
        let now = held.state.now().expect("a batch begins with an input");
        let expected = before.map_or(Expected::Empty, Expected::Last);
        let encoded = events.iter().map(Encoded::of).collect();
        let append = Append::new(StreamId::workflow(workflow), expected, now, encoded);
        let append = append.expect("chunks and payloads are bounded far below what a store takes");
        out.push(Outgoing { batch: self.batches, append: Some(append), release });
    }

    /// Where a pause begins or ends, timers stand still or go on, and what would begin is held back or let out.
    fn follow_pause(&mut self, workflow: WorkflowId, events: &[Event], release: &mut Release) {
        match events.first() {
            Some(Event::WorkflowPaused(..)) => release.withheld = Some(workflow),
            Some(Event::WorkflowResumed(..)) => (),
            _ => return,
        }
        release.attempts.clear();
        self.timers.drop_all(workflow);
        let Some(held) = self.states.get(&workflow) else { return };
        for work in outstanding(&held.state) {
            match work {
                Work::WaitUntil { timer, .. } => {
                    if let Some(set) = held.state.timer(timer) {
                        self.timers.set(workflow, timer, set);
                    }
                }
                // Who knows which engine has queued it, and whether that had begun it.
                Work::RunTask { attempt, stage: AttemptStage::Queued, .. } => {
                    release.attempts.extend(released(&held.state, attempt, StartRecord::First));
                }
                Work::RunTask { stage: AttemptStage::Started, .. }
                | Work::Continue
                | Work::ByHand { .. }
                | Work::AwaitSignal { .. }
                | Work::AwaitThread { .. }
                | Work::AwaitChild { .. }
                | Work::CancelChild { .. }
                | Work::AwaitClaim { .. }
                | Work::MoreInstances { .. }
                | Work::StopTask { .. } => (),
            }
        }
    }

    /// A refusal goes out after everything it rests on: after the last batch of its workflow.
    fn refuse(
        &mut self,
        workflow: WorkflowId,
        creates: bool,
        rejection: Rejection,
        answer: Option<Promise<Reply>>,
        out: &mut Vec<Outgoing>,
    ) {
        let Some(answer) = answer else { return };
        let reply = match rejection {
            Rejection::Repeated { first } => Ok(Answer::Repeated(first)),
            Rejection::AlreadyCreated if creates => Ok(Answer::Repeated(Sequence::FIRST)),
            rejection => Err(Error::Rejected(rejection)),
        };
        let batch = self.states.get(&workflow).map_or(0, |held| held.batch);
        let release = Release { answers: vec![(answer, reply)], ..Release::default() };
        out.push(Outgoing { batch, append: None, release });
    }
}

/// What is decided: as it was asked, or by what the state makes of it.
#[expect(clippy::large_enum_variant, reason = "as in the inbox: nearly all are requests")]
enum Asked {
    Request(Request),
    Deed(Box<Deed>),
    Sent(Box<Sent>),
}

/// What concerns one workflow only, for whoever asked for it; the engine goes on with the others.
///
/// # Errors
///
/// What concerns all.
pub(super) fn spared<T>(workflow: WorkflowId, result: Result<T, Error>) -> Result<Result<T, Error>, Error> {
    match result {
        Err(error) if error.is_damage() => {
            tracing::error!(%workflow, error = describe(&error), "the history of a workflow is damaged");
            Ok(Err(error))
        }
        Err(error @ Error::NotFound { .. }) => Ok(Err(error)),
        Err(error) => Err(error),
        Ok(value) => Ok(Ok(value)),
    }
}

/// The first attempts of instances that have begun, where nothing else tells of them.
fn begun(
    state: &State,
    owner: ActivationId,
    indices: std::ops::Range<u32>,
    start: StartRecord,
) -> impl Iterator<Item = Released> + '_ {
    let at_once = state.definition().graph().stage(owner.stage).begins_at_once();
    indices.filter(move |_| at_once).filter_map(move |index| {
        let activation = ActivationId { instance: InstanceIndex::new(index), ..owner };
        let task = TaskId { activation, task: TaskIndex::new(0) };
        released(state, AttemptId { task, dispatch: 1 }, start)
    })
}

/// The attempt as it is let out, if the state still asks for it.
fn released(state: &State, attempt: AttemptId, start: StartRecord) -> Option<Released> {
    let (surroundings, waits) = surroundings(state, attempt)?;
    Some(Released {
        workflow: state.workflow(),
        attempt,
        due: waits.due,
        priority: waits.priority,
        surroundings,
        since: waits.since,
        start,
    })
}
