//! The workflows of a scenario and their world, played by hand: names are resolved where the pattern is nested, cut
//! batches go on, timers fire at their moment, children and parents hear of each other, and processes crash.

use std::sync::Arc;

use crate::definition::Definition;
use crate::event::Event;
use crate::ids::ActivationId;
use crate::machine::{Request, Work, outstanding, waits};
use crate::status::Status;
use crate::testing::course::Course;
use crate::testing::happening::{self, Happening};
use crate::time::{Duration, Timestamp};
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

/// Do processes crash?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weather {
    /// Never.
    Fair,
    /// After every batch of every workflow.
    Crashes,
}

/// The workflows of one scenario.
#[derive(Clone)]
pub(super) struct World {
    courses: Vec<Course>,
    frames: Arc<[Frame]>,
    always: Arc<[(usize, Test)]>,
    weather: Weather,
    crashes: u64,
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
        let inputs = definition
            .bind_inputs(inputs.clone())
            .map_err(|errors| Breach { what: errors.to_string(), story: String::new() })?;
        let courses = vec![Course::with_inputs(definition, &inputs)];
        let mut world = World { courses, frames, always, weather, crashes: 0 };
        world.apply(0, &happening::create())?;
        Ok(world)
    }

    /// How often a state was thrown away and folded again.
    pub(super) fn crashes(&self) -> u64 {
        self.crashes
    }

    /// All that has happened, workflow by workflow.
    pub(super) fn story(&self) -> String {
        let title = |index: usize| if self.courses.len() > 1 { format!("workflow {index}:\n") } else { String::new() };
        self.courses.iter().enumerate().map(|(index, course)| title(index) + &course.story()).collect()
    }

    pub(super) fn breach(&self, what: impl Into<String>) -> Breach {
        Breach { what: what.into(), story: self.story() }
    }

    fn view(&self, frame: usize) -> Result<View<'_>, Breach> {
        let place = self.frames.get(frame).ok_or_else(|| self.breach(format!("there is no frame {frame}")))?;
        View::of(&self.courses, *place).ok_or_else(|| self.breach("the nested pattern has not begun"))
    }

    /// Does this hold there?
    pub(super) fn check(&self, frame: usize, test: &Test) -> Result<(), Breach> {
        test(&self.view(frame)?).map_err(|what| self.breach(what))
    }

    /// This happens there and is accepted.
    pub(super) fn happen(&mut self, frame: usize, happening: &Happening) -> Result<(), Breach> {
        let (course, happening) = self.located(frame, happening)?;
        self.apply(course, &happening)
    }

    /// This is tried there and has to be refused.
    pub(super) fn refused(&mut self, frame: usize, happening: &Happening, code: &str) -> Result<(), Breach> {
        let (course, happening) = self.located(frame, happening)?;
        match self.courses[course].attempt(&happening) {
            Ok(_) => Err(self.breach(format!("{happening:?} is accepted, expected {code}"))),
            Err(rejection) if rejection.code() == code => Ok(()),
            Err(rejection) => {
                Err(self.breach(format!("{happening:?} is refused {}, expected {code}", rejection.code())))
            }
        }
    }

    /// Time passes for everybody; what comes due fires at its moment, in the order of due times.
    pub(super) fn pass(&mut self, length: &str) -> Result<(), Breach> {
        let length: Duration = length.parse().map_err(|_| self.breach(format!("{length} is no length of time")))?;
        let end = self.courses[0].now().saturating_add(length);
        while let Some((due, course, timer)) = self.next_timer().filter(|(due, ..)| *due <= end) {
            self.clock(due);
            self.apply(course, &happening::fire(timer))?;
        }
        self.clock(end);
        Ok(())
    }

    fn clock(&mut self, moment: Timestamp) {
        for course in &mut self.courses {
            let length = moment.since(course.now());
            course.happen(&happening::pass_by(length));
        }
    }

    fn next_timer(&self) -> Option<(Timestamp, usize, u32)> {
        let of = |(index, course): (usize, &Course)| {
            let timers: Vec<(Timestamp, usize, u32)> = outstanding(course.state())
                .filter_map(|work| match work {
                    Work::WaitUntil { timer, due } => Some((due, index, timer.0)),
                    _ => None,
                })
                .collect();
            timers
        };
        self.courses.iter().enumerate().flat_map(of).min()
    }

    /// What is open there: successes of the attempts that the workflow wants to be run.
    pub(super) fn open(&self, frame: usize) -> Result<Vec<Happening>, Breach> {
        let view = self.view(frame)?;
        let definition = view.course().state().definition();
        let mut found = Vec::new();
        for work in outstanding(view.course().state()) {
            let Work::RunTask { attempt, .. } = work else { continue };
            let activation = attempt.task.activation;
            let stage = &definition.graph().stage(activation.stage).ref_id;
            if view.activations(stage).is_ok_and(|known| known.contains(&activation.owner())) {
                let task = &definition.graph().task(activation.stage, attempt.task.task).name;
                found.push(happening::complete(&format!("{}.{task}@{}", exact(stage, activation), attempt.dispatch)));
            }
        }
        Ok(found)
    }

    /// A success that [`World::open`] listed.
    pub(super) fn settle_open(&mut self, frame: usize, happening: &Happening) -> Result<(), Breach> {
        let course = self.frames[frame].course;
        self.apply(course, happening)
    }

    /// The happening by the names of the outermost definition.
    fn located(&self, frame: usize, happening: &Happening) -> Result<(usize, Happening), Breach> {
        if happening.is_cancel() {
            // The whole workflow is meant, wherever it is nested.
            return Ok((0, happening.clone()));
        }
        let view = self.view(frame)?;
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
            None => Ok((self.frames[frame].course, renamed)),
        }
    }

    /// Something happens to a workflow, and everything that follows from it by itself.
    fn apply(&mut self, course: usize, happening: &Happening) -> Result<(), Breach> {
        if let Err(rejection) = self.courses[course].attempt(happening) {
            return Err(self.breach(format!("{happening:?} is refused: {rejection}")));
        }
        self.weather();
        while self.courses[course].state().is_unsettled() {
            if let Err(rejection) = self.courses[course].attempt(&happening::go_on()) {
                return Err(self.breach(format!("settling does not go on: {rejection}")));
            }
            self.weather();
        }
        self.watch_waits(course)?;
        for (frame, test) in Arc::clone(&self.always).iter() {
            if let Some(view) = View::of(&self.courses, self.frames[*frame]) {
                test(&view).map_err(|what| self.breach(what))?;
            }
        }
        Ok(())
    }

    fn weather(&mut self) {
        if self.weather == Weather::Crashes {
            self.courses.iter_mut().for_each(Course::crash);
            self.crashes += 1;
        }
    }

    /// As long as a workflow is not closed, somebody can say why; and the other way round.
    fn watch_waits(&self, course: usize) -> Result<(), Breach> {
        let state = self.courses[course].state();
        if waits(state).is_empty() == state.is_closed() {
            return Ok(());
        }
        Err(self.breach("a workflow waits for nothing and is not closed, or is closed and waits"))
    }

    /// Nothing more can happen: nothing is outstanding, and whatever is tried is refused.
    pub(super) fn over(&mut self) -> Result<(), Breach> {
        for index in 0..self.courses.len() {
            let state = self.courses[index].state();
            if state.status() == Status::Running || !state.is_closed() {
                return Err(self.breach("not every workflow has ended"));
            }
            if outstanding(state).next().is_some() {
                return Err(self.breach("work is outstanding after the end"));
            }
            let commands: Vec<_> = self.courses[index].commands().to_vec();
            for mut command in commands {
                command.id = None;
                if matches!(command.request, Request::DiscardResult(_)) {
                    continue;
                }
                if self.courses[index].decide(command.clone()).is_ok() {
                    return Err(self.breach(format!("after the end {:?} is accepted", command.request)));
                }
            }
            if self.courses[index].attempt(&happening::cancel()).is_ok() {
                return Err(self.breach("after the end a cancel is accepted"));
            }
        }
        Ok(())
    }

    /// The same commands to a workflow of `definition` lead to the same events but for the marks of cut batches.
    pub(super) fn replays_uncut(&self, definition: &Definition) -> Result<(), Breach> {
        let cut = &self.courses[0];
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
