//! Several workflows that called each other, taken through their lives by hand: what the engine does between them
//! happens at once, as it does there (R9).
//!
//! No store, no clock, no threads; every state is compared with the fold of its events after every batch.

use std::collections::{BTreeMap, VecDeque};

use crate::definition::Definition;
use crate::event::{Actor, CancelRequest, Creation, Event, Json};
use crate::ids::WorkflowId;
use crate::machine::{Answers, Command, Rejection, Request, State, Work, begin_child, decide, end_child, evolve};
use crate::machine::{outstanding, waits};
use crate::status::Status;
use crate::time::Timestamp;
use crate::value::Map;

use super::course::{ORIGIN, creation_of};
use super::happening::Happening;

/// A workflow, what it follows, and all that has happened to it.
#[derive(Clone, Debug)]
struct Member {
    state: State,
    events: Vec<Event>,
}

/// Several workflows.
#[derive(Clone, Debug)]
pub struct World {
    root: WorkflowId,
    members: BTreeMap<WorkflowId, Member>,
    now: Timestamp,
    /// The batches in the order in which a log would hold them, with how many events each has.
    order: Vec<(WorkflowId, usize)>,
}

impl World {
    /// A workflow of this definition that has begun with these inputs, and whatever it called.
    ///
    /// # Panics
    ///
    /// If it cannot be created, or an invariant breaks.
    pub fn begun(definition: &Definition, inputs: &Map) -> World {
        let root = WorkflowId::from_parts(ORIGIN, 1);
        let mut world = World { root, members: BTreeMap::new(), now: ORIGIN, order: Vec::new() };
        world.add(root, definition.clone(), creation_of(definition, inputs));
        world.rest();
        world
    }

    /// The workflow that was not called by another.
    pub fn root(&self) -> WorkflowId {
        self.root
    }

    /// Every workflow, those first that were called first.
    pub fn workflows(&self) -> Vec<WorkflowId> {
        let mut workflows: Vec<WorkflowId> = self.members.keys().copied().collect();
        workflows.sort_by_key(|workflow| self.members[workflow].state.depth());
        workflows
    }

    /// The state of a workflow.
    ///
    /// # Panics
    ///
    /// If there is no such workflow.
    pub fn state(&self, workflow: WorkflowId) -> &State {
        &self.members[&workflow].state
    }

    /// Everything that has happened to a workflow.
    ///
    /// # Panics
    ///
    /// If there is no such workflow.
    pub fn events(&self, workflow: WorkflowId) -> &[Event] {
        &self.members[&workflow].events
    }

    /// The status of a workflow.
    ///
    /// # Panics
    ///
    /// If there is no such workflow.
    pub fn status(&self, workflow: WorkflowId) -> Status {
        self.state(workflow).status()
    }

    /// Something happens to a workflow, and all that follows from it in the others.
    ///
    /// # Errors
    ///
    /// The reason why it is refused.
    ///
    /// # Panics
    ///
    /// If there is no such workflow, or an invariant breaks.
    pub fn happen(&mut self, workflow: WorkflowId, happening: &Happening) -> Result<(), Rejection> {
        let state = self.state(workflow);
        let command = happening.command(state, self.now, || Request::ContinueSettling);
        self.send(workflow, &command)?;
        self.rest();
        Ok(())
    }

    /// Every state is made anew from its events, and what is outstanding is done again: a crash and a start.
    ///
    /// # Panics
    ///
    /// If a state is not the fold of its events.
    pub fn crash(&mut self) {
        for (workflow, member) in &mut self.members {
            let mut state = State::new(*workflow, member.state.definition().clone());
            for event in &member.events {
                evolve(&mut state, event).unwrap_or_else(|error| panic!("{workflow}: {error}"));
            }
            assert_eq!(state, member.state, "{workflow} is not the fold of its events");
            member.state = state;
        }
        self.rest();
    }

    /// How many batches have been decided.
    pub fn batches(&self) -> usize {
        self.order.len()
    }

    /// What an engine makes of the first `batches` of all batches, as a crash may leave them.
    ///
    /// # Panics
    ///
    /// If they do not fit together.
    pub fn after_crash_at(&self, batches: usize) -> World {
        let mut world = World { members: BTreeMap::new(), order: self.order[..batches].to_vec(), ..self.clone() };
        let mut kept: BTreeMap<WorkflowId, usize> = BTreeMap::new();
        for (workflow, events) in &world.order {
            *kept.entry(*workflow).or_default() += events;
        }
        for (workflow, events) in kept {
            let member = &self.members[&workflow];
            let state = State::new(workflow, member.state.definition().clone());
            let mut left = Member { state, events: member.events[..events].to_vec() };
            for event in &left.events {
                evolve(&mut left.state, event).unwrap_or_else(|error| panic!("{workflow}: {error}"));
            }
            world.members.insert(workflow, left);
        }
        world.rest();
        world
    }

    fn add(&mut self, workflow: WorkflowId, definition: Definition, creation: Creation) {
        let state = State::new(workflow, definition);
        self.members.insert(workflow, Member { state, events: Vec::new() });
        let created = self.send(workflow, &self.command(Request::Create(creation)));
        assert_eq!(created, Ok(()), "{workflow} can be created");
    }

    fn command(&self, request: Request) -> Command {
        Command { now: self.now, id: None, actor: Actor::Engine, request }
    }

    fn send(&mut self, workflow: WorkflowId, command: &Command) -> Result<(), Rejection> {
        let member = self.members.get_mut(&workflow).expect("the workflow is one of these");
        let batch = decide(&mut member.state, command, &mut Answers::computed())?;
        self.order.push((workflow, batch.events().len()));
        member.events.extend(batch.into_events());
        if let Err(broken) = member.state.check() {
            panic!("{workflow}: {broken} after {command:?}");
        }
        let open = !member.state.is_closed();
        assert_eq!(open, !waits(&member.state).is_empty(), "{workflow} says why it waits as long as it is open");
        Ok(())
    }

    /// Does what the workflows want of each other until nothing is left of it.
    fn rest(&mut self) {
        let mut ahead: VecDeque<WorkflowId> = self.members.keys().copied().collect();
        while let Some(caller) = ahead.pop_front() {
            let works: Vec<Work> = outstanding(self.state(caller)).collect();
            for work in works {
                let child = match work {
                    Work::Continue => {
                        self.send(caller, &self.command(Request::ContinueSettling)).expect("it is unsettled");
                        ahead.push_back(caller);
                        continue;
                    }
                    Work::AwaitChild { child, .. } => {
                        if !self.members.contains_key(&child) {
                            match begin_child(self.state(caller), child, self.now) {
                                Some(Ok((definition, creation))) => self.add(child, definition, creation),
                                Some(Err(refusal)) => {
                                    self.send(caller, &self.command(refusal)).expect("it waits for that workflow");
                                    ahead.push_back(caller);
                                    continue;
                                }
                                None => continue,
                            }
                            ahead.push_back(child);
                        }
                        child
                    }
                    Work::CancelChild { child } => {
                        let cancel = Request::Cancel(CancelRequest { reason: None });
                        if self.members.contains_key(&child) && self.send(child, &self.command(cancel)).is_ok() {
                            ahead.push_back(child);
                        }
                        child
                    }
                    Work::RunTask { .. }
                    | Work::WaitUntil { .. }
                    | Work::ByHand { .. }
                    | Work::AwaitSignal { .. }
                    | Work::AwaitThread { .. } => continue,
                };
                let told = self.members.get(&child).and_then(|child| end_child(self.state(caller), &child.state));
                if let Some(told) = told
                    && self.send(caller, &self.command(told)).is_ok()
                {
                    ahead.push_back(caller);
                }
            }
            // Whoever called this one wants to know of its end.
            let parent = self.state(caller).parent();
            if let Some(parent) = parent
                && self.state(caller).is_closed()
                && self.members.contains_key(&parent.workflow)
                && let Some(told) = end_child(self.state(parent.workflow), self.state(caller))
                && self.send(parent.workflow, &self.command(told)).is_ok()
            {
                ahead.push_back(parent.workflow);
            }
        }
    }

    /// What a workflow gave.
    ///
    /// # Panics
    ///
    /// If there is no such workflow, or recorded data is damaged.
    pub fn outputs(&self, workflow: WorkflowId) -> Json {
        Json::of(&self.state(workflow).outputs().expect("what was recorded can be read"))
    }
}
