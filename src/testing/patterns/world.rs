//! The workflows of a scenario and their world, played by hand: names are resolved where the pattern is nested, cut
//! batches go on, timers fire at their moment, children and parents hear of each other, and processes crash.

use std::sync::Arc;

use crate::definition::Definition;
use crate::event::Event;
use crate::ids::{ActivationId, AttemptId, WorkflowId};
use crate::machine::{Request, Work, outstanding};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::happening::{self, Happening};
pub(super) use crate::testing::world::Weather;
use crate::testing::world::World as Workflows;
use crate::time::Duration;
use crate::value::Map;

use super::scenario::Test;
use super::view::{Frame, View};

/// What was not as it should be, and all that had happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// What, in a sentence.
    pub what: String,
    /// All that had happened, a line an event.
    pub story: String,
}

/// Where something happens: in a frame, or in a workflow that stages of it called, one in the other.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) frame: usize,
    pub(super) called: Vec<String>,
}

impl Place {
    /// The frame itself.
    pub(super) fn frame(frame: usize) -> Place {
        Place { frame, called: Vec::new() }
    }

    /// In the workflow that this stage here called.
    pub(super) fn called(&self, stage: &str) -> Place {
        let mut called = self.called.clone();
        called.push(stage.to_owned());
        Place { frame: self.frame, called }
    }
}

/// The workflows of one scenario.
#[derive(Clone)]
pub(super) struct World {
    workflows: Workflows,
    frames: Arc<[Frame]>,
    always: Arc<[(usize, Test)]>,
}

impl World {
    /// The outermost workflow has just been created.
    pub(super) fn begin(
        definition: &Definition,
        inputs: &Map,
        frames: Arc<[Frame]>,
        always: Arc<[(usize, Test)]>,
        weather: Weather,
    ) -> Result<World, Breach> {
        let untold = |what: String| Breach { what, story: String::new() };
        let inputs = definition.bind_inputs(inputs.clone()).map_err(|errors| untold(errors.to_string()))?;
        let begun = Workflows::begun_in(weather, definition, &inputs);
        let workflows = begun.map_err(|rejection| untold(format!("it cannot begin: {rejection}")))?;
        let world = World { workflows, frames, always };
        world.watch()?;
        Ok(world)
    }

    /// How often a state was thrown away and folded again.
    pub(super) fn crashes(&self) -> u64 {
        self.workflows.crashes()
    }

    /// All that has happened, workflow by workflow.
    pub(super) fn story(&self) -> String {
        self.workflows.story()
    }

    pub(super) fn breach(&self, what: impl Into<String>) -> Breach {
        Breach { what: what.into(), story: self.story() }
    }

    fn view(&self, place: &Place) -> Result<View<'_>, Breach> {
        let frame = self.frames.get(place.frame);
        let frame = frame.ok_or_else(|| self.breach(format!("there is no frame {}", place.frame)))?;
        let mut view =
            View::of(&self.workflows, *frame).ok_or_else(|| self.breach("the nested pattern has not begun"))?;
        for stage in &place.called {
            let child = view.called(stage).map_err(|what| self.breach(what))?;
            let course = child.and_then(|child| self.workflows.course(child));
            let course = course.ok_or_else(|| self.breach(format!("{stage} has called nothing")))?;
            view = View { course, block: None };
        }
        Ok(view)
    }

    /// Does this hold there?
    pub(super) fn check(&self, place: &Place, test: &Test) -> Result<(), Breach> {
        test(&self.view(place)?).map_err(|what| self.breach(what))
    }

    /// This happens there and is accepted.
    pub(super) fn happen(&mut self, place: &Place, happening: &Happening) -> Result<(), Breach> {
        let (workflow, happening) = self.located(place, happening)?;
        self.apply(workflow, &happening)
    }

    /// This is tried there and has to be refused.
    pub(super) fn refused(&mut self, place: &Place, happening: &Happening, code: &str) -> Result<(), Breach> {
        let (workflow, happening) = self.located(place, happening)?;
        match self.workflows.happen(workflow, &happening) {
            Ok(()) => Err(self.breach(format!("{happening:?} is accepted, expected {code}"))),
            Err(rejection) if rejection.code() == code => Ok(()),
            Err(rejection) => {
                Err(self.breach(format!("{happening:?} is refused {}, expected {code}", rejection.code())))
            }
        }
    }

    /// Time passes for everybody.
    pub(super) fn pass(&mut self, length: &str) -> Result<(), Breach> {
        let length: Duration = length.parse().map_err(|_| self.breach(format!("{length} is no length of time")))?;
        let passed = self.workflows.pass(length);
        passed.map_err(|rejection| self.breach(format!("a timer that is due is refused: {rejection}")))?;
        self.watch()
    }

    /// What is open there, and in what was called from there: successes of the attempts that are to be run.
    pub(super) fn open(&self, place: &Place) -> Result<Vec<(WorkflowId, Happening)>, Breach> {
        let view = self.view(place)?;
        let mut found = Vec::new();
        for work in outstanding(view.course().state()) {
            let (Work::RunTask { attempt, .. } | Work::ByHand { attempt } | Work::AwaitChild { attempt, .. }) = work
            else {
                continue;
            };
            if view.has(attempt.task.activation) {
                match work {
                    Work::AwaitChild { child, .. } => self.open_in(child, &mut found),
                    _ => found.push(success(view.course(), attempt)),
                }
            }
        }
        Ok(found)
    }

    /// What is open in a workflow, and in what it called.
    fn open_in(&self, workflow: WorkflowId, found: &mut Vec<(WorkflowId, Happening)>) {
        let Some(course) = self.workflows.course(workflow) else { return };
        for work in outstanding(course.state()) {
            match work {
                Work::RunTask { attempt, .. } | Work::ByHand { attempt } => found.push(success(course, attempt)),
                Work::AwaitChild { child, .. } => self.open_in(child, found),
                _ => (),
            }
        }
    }

    /// The happening by the names of the workflow in which it happens.
    fn located(&self, place: &Place, happening: &Happening) -> Result<(WorkflowId, Happening), Breach> {
        if happening.is_cancel() && place.called.is_empty() {
            // The whole workflow is meant, wherever it is nested.
            return Ok((self.workflows.root(), happening.clone()));
        }
        let view = self.view(place)?;
        let mut problem = None;
        let renamed = happening.clone().renamed(|work| {
            let end = work.find(['#', '[', '.', '@']).unwrap_or(work.len());
            let (stage, rest) = work.split_at(end);
            let digits = rest.strip_prefix('#').map(|rest| &rest[..rest.find(['[', '.', '@']).unwrap_or(rest.len())]);
            let rest = digits.map_or(rest, |digits| &rest[1 + digits.len()..]);
            match view.activation(stage, digits.and_then(|digits| digits.parse().ok())) {
                Ok(Some(activation)) => exact(stage, activation) + rest,
                Ok(None) => work.to_owned(),
                Err(what) => {
                    problem = Some(what);
                    work.to_owned()
                }
            }
        });
        match problem {
            Some(what) => Err(self.breach(what)),
            None => Ok((view.course().state().workflow(), renamed)),
        }
    }

    /// Something happens to a workflow, and everything that follows from it by itself.
    pub(super) fn apply(&mut self, workflow: WorkflowId, happening: &Happening) -> Result<(), Breach> {
        if let Err(rejection) = self.workflows.happen(workflow, happening) {
            return Err(self.breach(format!("{happening:?} is refused: {rejection}")));
        }
        self.watch()
    }

    /// What is always true is true now.
    fn watch(&self) -> Result<(), Breach> {
        for (frame, test) in self.always.iter() {
            if let Some(view) = View::of(&self.workflows, self.frames[*frame]) {
                test(&view).map_err(|what| self.breach(what))?;
            }
        }
        Ok(())
    }

    /// Nothing more can happen: nothing is outstanding, and whatever is tried is refused.
    pub(super) fn over(&mut self) -> Result<(), Breach> {
        let all: Vec<Course> = self.workflows.courses().to_vec();
        for course in &all {
            let state = course.state();
            if state.status() == Status::Running || !state.is_closed() {
                return Err(self.breach("not every workflow has ended"));
            }
            if outstanding(state).next().is_some() {
                return Err(self.breach("work is outstanding after the end"));
            }
            for mut command in course.commands().to_vec() {
                command.id = None;
                if matches!(command.request, Request::DiscardResult(_)) {
                    continue;
                }
                let tried = format!("{:?}", command.request);
                if self.workflows.decide(state.workflow(), command).is_ok() {
                    return Err(self.breach(format!("after the end {tried} is accepted")));
                }
            }
            if self.workflows.happen(state.workflow(), &happening::cancel()).is_ok() {
                return Err(self.breach("after the end a cancel is accepted"));
            }
        }
        Ok(())
    }

    /// The same commands to a workflow of `definition` lead to the same events but for the marks of cut batches.
    pub(super) fn replays_uncut(&self, definition: &Definition) -> Result<(), Breach> {
        let cut = &self.workflows.courses()[0];
        let mut whole = Course::new(definition);
        for command in cut.commands() {
            if matches!(command.request, Request::ContinueSettling) {
                continue;
            }
            let mut command = command.clone();
            if let Request::Create(creation) = &mut command.request {
                creation.definition = definition.hash();
            }
            if let Err(rejection) = whole.decide(command.clone()) {
                return Err(self.breach(format!("without cuts {:?} is refused: {rejection}", command.request)));
            }
        }
        let plain = |course: &Course| -> Vec<String> {
            let is_mark = |event: &Event| matches!(event, Event::SettleDeferred | Event::SettleContinued(_));
            course
                .lines()
                .zip(course.events())
                .filter(|(_, event)| !is_mark(event))
                .map(|(line, _)| without_places(line))
                .collect()
        };
        if plain(cut) == plain(&whole) && cut.status() == whole.status() {
            return Ok(());
        }
        Err(self.breach(format!("without cuts this happens instead:\n{}", whole.story())))
    }
}

/// Signals are named by the place of their event, and marks of cut batches have places, too.
fn without_places(line: String) -> String {
    if !line.starts_with("signal") {
        return line;
    }
    let is_place = |word: &&str| word.trim_end_matches(',').bytes().all(|byte| byte.is_ascii_digit());
    line.split(' ').map(|word| if is_place(&word) { "_" } else { word }).collect::<Vec<&str>>().join(" ")
}

/// The name of exactly this activation: `b#2`.
fn exact(stage: &str, activation: ActivationId) -> String {
    stage.to_owned() + &activation.suffix()
}

/// The attempt succeeds.
fn success(course: &Course, attempt: AttemptId) -> (WorkflowId, Happening) {
    let graph = course.state().definition().graph();
    let activation = attempt.task.activation;
    let stage = exact(&graph.stage(activation.stage).ref_id, activation);
    let task = &graph.task(activation.stage, attempt.task.task).name;
    (course.state().workflow(), happening::complete(&format!("{stage}.{task}@{}", attempt.dispatch)))
}
