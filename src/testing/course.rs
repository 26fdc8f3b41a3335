//! A workflow taken through its life by hand: no store, no clock, no threads; only what is told happens.
//!
//! After every batch the invariants of the state are checked, and at any moment the state can be compared with the fold
//! of the events so far.

use crate::definition::Definition;
use crate::event::{Creation, Event, Json};
use crate::ids::{ActivationId, WorkflowId};
use crate::machine::{Answers, Command, Rejection, Request, State, Work, decide, evolve, outstanding};
use crate::status::Status;
use crate::time::Timestamp;
use crate::value::{Map, Value};

use super::happening::{Happening, create};
#[cfg(any(test, feature = "testing"))]
use super::moves::{Move, Surrounding};
use super::notation::{attempt_name, line};

/// The moment a course begins: 2026-01-01, midnight.
pub const ORIGIN: Timestamp = Timestamp::from_microseconds(1_767_225_600_000_000);

/// What a workflow of `definition` begins with where nothing else is said.
pub fn creation_of(definition: &Definition, inputs: &Map) -> Creation {
    Creation { origin: "test".to_owned(), inputs: Json::of(inputs), ..Creation::bare(definition) }
}

/// A workflow and everything that has happened to it.
#[derive(Clone, Debug)]
pub struct Course {
    state: State,
    creation: Creation,
    now: Timestamp,
    events: Vec<Event>,
    commands: Vec<Command>,
}

impl Course {
    /// A workflow to which nothing has happened yet.
    pub fn new(definition: &Definition) -> Course {
        Course::of(WorkflowId::from_parts(ORIGIN, 1), definition, creation_of(definition, &Map::new()), ORIGIN)
    }

    /// A workflow of this id to which nothing has happened by `now`, to be created with this.
    pub fn of(workflow: WorkflowId, definition: &Definition, creation: Creation, now: Timestamp) -> Course {
        let state = State::new(workflow, definition.clone());
        Course { state, creation, now, events: Vec::new(), commands: Vec::new() }
    }

    /// The same, to be created with these inputs.
    pub fn with_inputs(definition: &Definition, inputs: &Map) -> Course {
        Course { creation: creation_of(definition, inputs), ..Course::new(definition) }
    }

    /// A workflow that has just been created with these inputs.
    ///
    /// # Panics
    ///
    /// If it cannot be created.
    pub fn begun<K: Into<String>, V: Into<Value>>(
        definition: &Definition,
        inputs: impl IntoIterator<Item = (K, V)>,
    ) -> Course {
        let inputs = inputs.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        let mut course = Course::with_inputs(definition, &inputs);
        course.happen(&create());
        course
    }

    /// What the workflow is created with, to be changed before it is.
    pub fn creation_mut(&mut self) -> &mut Creation {
        &mut self.creation
    }

    /// Something happens; the lines of the events it led to.
    ///
    /// # Panics
    ///
    /// If the workflow refuses it, or an invariant breaks.
    pub fn happen(&mut self, happening: &Happening) -> Vec<String> {
        match self.attempt(happening) {
            Ok(lines) => lines,
            Err(rejection) => panic!("{happening:?} is refused: {rejection}\n{}", self.story()),
        }
    }

    /// Something happens, unless the workflow refuses it; the lines of the events it led to.
    ///
    /// # Errors
    ///
    /// The reason of the refusal.
    ///
    /// # Panics
    ///
    /// If an invariant breaks, or a refusal has changed the state.
    pub fn attempt(&mut self, happening: &Happening) -> Result<Vec<String>, Rejection> {
        if let Some(length) = happening.time() {
            self.now = self.now.saturating_add(length);
            return Ok(Vec::new());
        }
        let creation = &self.creation;
        let command = happening.command(&self.state, self.now, || Request::Create(creation.clone()));
        let before = self.events.len();
        self.decide(command)?;
        Ok(self.events[before..].iter().map(|event| self.line(event)).collect())
    }

    /// The workflow decides on a command.
    ///
    /// # Errors
    ///
    /// The reason of its refusal.
    ///
    /// # Panics
    ///
    /// If an invariant breaks, or a refusal has changed the state.
    pub fn decide(&mut self, command: Command) -> Result<&[Event], Rejection> {
        let before = self.state.sequence();
        self.now = self.now.max(command.now);
        match decide(&mut self.state, &command, &mut Answers::computed()) {
            Ok(batch) => {
                if let Err(broken) = self.state.check() {
                    panic!("{broken}\nafter {command:?}\n{}", self.story());
                }
                let known = self.events.len();
                self.events.extend(batch.into_events());
                self.commands.push(command);
                Ok(&self.events[known..])
            }
            Err(rejection) => {
                assert_eq!(self.state.sequence(), before, "the refusal of {command:?} has changed the state");
                Err(rejection)
            }
        }
    }

    #[cfg(any(test, feature = "testing"))]
    /// The workflow is created, and all this is tried on it; what it refuses, it refuses.
    ///
    /// # Panics
    ///
    /// If an invariant breaks.
    pub fn create_and_try(&mut self, moves: &[Move]) {
        self.happen(&create());
        for tried in moves {
            let command = self.command(*tried);
            // A refusal is as good as any other outcome here.
            let _ = self.decide(command);
        }
    }

    #[cfg(any(test, feature = "testing"))]
    /// The command that a move is now.
    pub fn command(&self, tried: Move) -> Command {
        self.command_to(&self.state, tried)
    }

    #[cfg(any(test, feature = "testing"))]
    /// The command that a move is to another state in the place of this one.
    pub fn command_to(&self, state: &State, tried: Move) -> Command {
        let around = Surrounding { now: self.now, accepted: &self.commands, creation: &self.creation };
        tried.command(state, around)
    }

    #[cfg(any(test, feature = "testing"))]
    /// The command that creates the workflow.
    pub fn creation_command(&self) -> Command {
        create().command(&self.state, self.now, || Request::Create(self.creation.clone()))
    }

    /// These tasks succeed, one after the other.
    ///
    /// # Panics
    ///
    /// If the workflow awaits none of them.
    pub fn complete<'n>(&mut self, works: impl IntoIterator<Item = &'n str>) -> &mut Course {
        for work in works {
            self.happen(&super::happening::complete(work));
        }
        self
    }

    /// The clock.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The process is gone and another one folds the events: the state is that fold from here on.
    ///
    /// # Panics
    ///
    /// If an event does not fit, or the fold is another state.
    pub fn crash(&mut self) {
        let fold = self.fold();
        assert!(fold == self.state, "the fold is another state\n{}", self.story());
        self.state = fold;
    }

    /// The same as it was after its first `batches` batches, which had this many events together.
    ///
    /// # Panics
    ///
    /// If an event does not fit.
    #[must_use]
    pub fn after(&self, batches: usize, events: usize) -> Course {
        let (events, commands) = (self.events[..events].to_vec(), self.commands[..batches].to_vec());
        let mut course = Course { events, commands, ..self.clone() };
        course.state = course.fold();
        course
    }

    /// The workflow as it is.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Everything that has happened.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The commands that were accepted, in their order.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// The fold of the events so far.
    ///
    /// # Panics
    ///
    /// If an event does not fit.
    pub fn fold(&self) -> State {
        let mut state = State::new(self.state.workflow(), self.state.definition().clone());
        for event in &self.events {
            evolve(&mut state, event).unwrap_or_else(|error| panic!("{error}\n{}", self.story()));
        }
        state
    }

    /// The status of the workflow.
    pub fn status(&self) -> Status {
        self.state.status()
    }

    /// Attempts that the workflow wants to be run, with the moment before which not: `build@2 due 1s`; those
    /// that people make: `inspect by hand`.
    pub fn open(&self) -> Vec<String> {
        let name = |work| match work {
            Work::RunTask { attempt, due, .. } => {
                let due = due.map(|due| format!(" due {}", due.since(ORIGIN))).unwrap_or_default();
                attempt_name(attempt, self.state.definition()) + &due
            }
            Work::WaitUntil { timer, due } => format!("timer {} due {}", timer.0, due.since(ORIGIN)),
            Work::Continue => "continue".to_owned(),
            Work::AwaitSignal { activation } => {
                let name = &self.state.definition().graph().stage(activation.stage).ref_id;
                format!("signal to {name}{}", activation.suffix())
            }
            Work::AwaitThread { stage } => {
                format!("signals that start {}", self.state.definition().graph().stage(stage).ref_id)
            }
            Work::ByHand { attempt } => attempt_name(attempt, self.state.definition()) + " by hand",
            Work::AwaitChild { attempt, .. } => attempt_name(attempt, self.state.definition()) + " called",
            Work::CancelChild { .. } => "cancel of a called workflow".to_owned(),
            Work::StopTask { attempt } => attempt_name(attempt, self.state.definition()) + " stopping",
            Work::AwaitClaim { activation } => {
                let name = &self.state.definition().graph().stage(activation.stage).ref_id;
                format!("claim of {name}{}", activation.suffix())
            }
            Work::MoreInstances { activation } => {
                let ref_id = &self.state.definition().graph().stage(activation.stage).ref_id;
                format!("{ref_id}{} more instances", activation.suffix())
            }
        };
        outstanding(&self.state).map(name).collect()
    }

    /// How many activations of `stage` have started.
    pub fn activations(&self, stage: &str) -> usize {
        let is_start =
            |event: &&Event| matches!(event, Event::StageStarted { activation, .. } if self.is(*activation, stage));
        self.events.iter().filter(is_start).count()
    }

    /// How many activations of `stage` live.
    pub fn live(&self, stage: &str) -> usize {
        self.state.live().filter(|id| self.is(*id, stage)).count()
    }

    /// All that has happened, each event a line.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.events.iter().map(|event| self.line(event))
    }

    /// Has this happened, written as a line?
    pub fn told(&self, line: &str) -> bool {
        self.lines().any(|told| told == line)
    }

    /// Has the first activation of `earlier` ended before the first of `later` started?
    pub fn precedes(&self, earlier: &str, later: &str) -> bool {
        let end = self
            .events
            .iter()
            .position(|event| matches!(event, Event::StageEnded { activation, .. } if self.is(*activation, earlier)));
        let start = self
            .events
            .iter()
            .position(|event| matches!(event, Event::StageStarted { activation, .. } if self.is(*activation, later)));
        matches!((end, start), (Some(end), Some(start)) if end < start)
    }

    /// All that has happened, a line an event.
    pub fn story(&self) -> String {
        self.events.iter().map(|event| self.line(event) + "\n").collect()
    }

    fn is(&self, activation: ActivationId, stage: &str) -> bool {
        self.state.definition().graph().stage(activation.stage).ref_id == stage
    }

    fn line(&self, event: &Event) -> String {
        line(event, self.state.definition(), ORIGIN)
    }
}
