//! Several workflows that called each other, taken through their lives by hand: what the engine does between them
//! happens at once, as it does there (R9).
//!
//! No store, no clock, no threads; processes may crash after every batch.

use std::collections::VecDeque;

use crate::definition::Definition;
use crate::event::{Actor, CancelRequest, Creation, Event, Json};
use crate::ids::WorkflowId;
use crate::machine::{Command, Rejection, Request, State, Work, begin_child, end_child, outstanding, waits};
use crate::status::Status;
use crate::time::{Duration, Timestamp};
use crate::value::Map;

use super::course::{Course, ORIGIN, creation_of};
use super::happening::{self, Happening};

/// Do processes crash?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Never by themselves.
    Fair,
    /// After every batch of every workflow.
    Crashes,
}

/// Several workflows.
#[derive(Clone, Debug)]
pub struct World {
    /// The one that no other called first, then in the order of their creation.
    courses: Vec<Course>,
    weather: Weather,
    crashes: u64,
    /// The batches in the order in which a log would hold them: whose, with how many events.
    order: Vec<(WorkflowId, usize)>,
}

impl World {
    /// A workflow of this definition that has begun with these inputs, and whatever it called.
    ///
    /// # Panics
    ///
    /// If it cannot be created, or an invariant breaks.
    pub fn begun(definition: &Definition, inputs: &Map) -> World {
        World::begun_in(Weather::Fair, definition, inputs)
            .unwrap_or_else(|rejection| panic!("a workflow cannot be created: {rejection}"))
    }

    /// The same in this weather.
    ///
    /// # Errors
    ///
    /// The reason why the workflow is refused.
    ///
    /// # Panics
    ///
    /// If an invariant breaks.
    pub fn begun_in(weather: Weather, definition: &Definition, inputs: &Map) -> Result<World, Rejection> {
        let root = WorkflowId::from_parts(ORIGIN, 1);
        let mut world = World { courses: Vec::new(), weather, crashes: 0, order: Vec::new() };
        world.add(root, definition, creation_of(definition, inputs), ORIGIN)?;
        world.rest();
        Ok(world)
    }

    /// The workflow that was not called by another.
    pub fn root(&self) -> WorkflowId {
        self.courses[0].state().workflow()
    }

    /// Every workflow, those first that were called first.
    pub fn workflows(&self) -> Vec<WorkflowId> {
        let mut courses: Vec<&Course> = self.courses.iter().collect();
        courses.sort_by_key(|course| course.state().depth());
        courses.into_iter().map(|course| course.state().workflow()).collect()
    }

    /// All of them, in the order of their creation.
    pub fn courses(&self) -> &[Course] {
        &self.courses
    }

    /// What has happened to a workflow; `None` if there is no such workflow.
    pub fn course(&self, workflow: WorkflowId) -> Option<&Course> {
        self.courses.iter().find(|course| course.state().workflow() == workflow)
    }

    /// The state of a workflow.
    ///
    /// # Panics
    ///
    /// If there is no such workflow.
    pub fn state(&self, workflow: WorkflowId) -> &State {
        self.course(workflow).expect("the workflow is one of these").state()
    }

    /// Everything that has happened to a workflow.
    ///
    /// # Panics
    ///
    /// If there is no such workflow.
    pub fn events(&self, workflow: WorkflowId) -> &[Event] {
        self.course(workflow).expect("the workflow is one of these").events()
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
        let course = self.course(workflow).expect("the workflow is one of these");
        let command = happening.command(course.state(), course.now(), || Request::ContinueSettling);
        self.send(workflow, command)?;
        self.rest();
        Ok(())
    }

    /// A workflow decides on a command by itself: nothing follows in the others before something else happens.
    ///
    /// # Errors
    ///
    /// The reason why it is refused.
    ///
    /// # Panics
    ///
    /// If there is no such workflow, or an invariant breaks.
    pub fn decide(&mut self, workflow: WorkflowId, command: Command) -> Result<(), Rejection> {
        self.send(workflow, command)
    }

    /// Time passes for everybody; what comes due fires at its moment, in the order of due times.
    ///
    /// # Errors
    ///
    /// The reason why a timer that is due is refused.
    ///
    /// # Panics
    ///
    /// If an invariant breaks.
    pub fn pass(&mut self, length: Duration) -> Result<(), Rejection> {
        let end = self.courses[0].now().saturating_add(length);
        while let Some((due, workflow, timer)) = self.next_timer().filter(|(due, ..)| *due <= end) {
            self.clock(due);
            self.happen(workflow, &happening::fire(timer))?;
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

    fn next_timer(&self) -> Option<(Timestamp, WorkflowId, u32)> {
        let of = |course: &Course| -> Vec<(Timestamp, WorkflowId, u32)> {
            let timer = |work| match work {
                Work::WaitUntil { timer, due } => Some((due, course.state().workflow(), timer.0)),
                _ => None,
            };
            outstanding(course.state()).filter_map(timer).collect()
        };
        self.courses.iter().flat_map(of).min()
    }

    /// Every state is made anew from its events, and what is outstanding is done again: a crash and a start.
    ///
    /// # Panics
    ///
    /// If a state is not the fold of its events.
    pub fn crash(&mut self) {
        self.courses.iter_mut().for_each(Course::crash);
        self.crashes += 1;
        self.rest();
    }

    /// How often all states were thrown away and folded again.
    pub fn crashes(&self) -> u64 {
        self.crashes
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
        let order = self.order[..batches].to_vec();
        let kept = |course: &Course| {
            let own = order.iter().filter(|(workflow, _)| *workflow == course.state().workflow());
            let (batches, events) = own.fold((0, 0), |(batches, sum), (_, events)| (batches + 1, sum + events));
            (batches > 0).then(|| course.after(batches, events))
        };
        let courses = self.courses.iter().filter_map(kept).collect();
        let mut world = World { courses, order, ..*self };
        world.rest();
        world
    }

    /// What a workflow gave.
    ///
    /// # Panics
    ///
    /// If there is no such workflow, or recorded data is damaged.
    pub fn outputs(&self, workflow: WorkflowId) -> Json {
        Json::of(&self.state(workflow).outputs().expect("what was recorded can be read"))
    }

    /// All that has happened, workflow by workflow, a line an event.
    pub fn story(&self) -> String {
        let title = |index: usize| if self.courses.len() > 1 { format!("workflow {index}:\n") } else { String::new() };
        self.courses.iter().enumerate().map(|(index, course)| title(index) + &course.story()).collect()
    }

    fn add(
        &mut self,
        workflow: WorkflowId,
        definition: &Definition,
        creation: Creation,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        self.courses.push(Course::of(workflow, definition, creation.clone(), now));
        self.send(workflow, by_engine(now, Request::Create(creation)))
    }

    fn send(&mut self, workflow: WorkflowId, command: Command) -> Result<(), Rejection> {
        let found = self.courses.iter_mut().find(|course| course.state().workflow() == workflow);
        let course = found.expect("the workflow is one of these");
        let events = course.decide(command)?.len();
        self.order.push((workflow, events));
        let open = !course.state().is_closed();
        assert_eq!(
            open,
            !waits(course.state()).is_empty(),
            "{workflow} says why it waits as long as it is open\n{}",
            course.story()
        );
        if self.weather == Weather::Crashes {
            self.courses.iter_mut().for_each(Course::crash);
            self.crashes += 1;
        }
        Ok(())
    }

    /// Does what the workflows want of each other until nothing is left of it.
    fn rest(&mut self) {
        let mut ahead: VecDeque<WorkflowId> = self.courses.iter().map(|course| course.state().workflow()).collect();
        while let Some(workflow) = ahead.pop_front() {
            let works: Vec<Work> = outstanding(self.state(workflow)).collect();
            for work in works {
                self.serve(workflow, &work, &mut ahead);
            }
            // Whoever called this one wants to know of its end.
            if let Some(parent) = self.state(workflow).parent() {
                self.tell(parent.workflow, workflow, &mut ahead);
            }
        }
    }

    /// What a workflow wants of itself or another is done, if it still wants it; whoever may want more is ahead then.
    fn serve(&mut self, caller: WorkflowId, work: &Work, ahead: &mut VecDeque<WorkflowId>) {
        let now = self.course(caller).map_or(ORIGIN, Course::now);
        let child = match work {
            Work::Continue => {
                self.send(caller, by_engine(now, Request::ContinueSettling)).expect("it is unsettled");
                return ahead.push_back(caller);
            }
            Work::AwaitChild { child, .. } => *child,
            Work::CancelChild { child } => {
                let cancel = Request::Cancel(CancelRequest { reason: None });
                if self.course(*child).is_some() && self.send(*child, by_engine(now, cancel)).is_ok() {
                    ahead.push_back(*child);
                }
                *child
            }
            _ => return,
        };
        if matches!(work, Work::AwaitChild { .. }) && self.course(child).is_none() {
            match begin_child(self.state(caller), child, now) {
                Some(Ok((definition, creation))) => {
                    let created = self.add(child, &definition, creation, now);
                    assert_eq!(created, Ok(()), "{child} can be created");
                    ahead.push_back(child);
                }
                Some(Err(refusal)) => {
                    self.send(caller, by_engine(now, refusal)).expect("it waits for that workflow");
                    ahead.push_back(caller);
                }
                None => return,
            }
        }
        self.tell(caller, child, ahead);
    }

    /// A workflow is told of the end of one that it called, unless it knows of it.
    fn tell(&mut self, caller: WorkflowId, child: WorkflowId, ahead: &mut VecDeque<WorkflowId>) {
        let (Some(course), Some(called)) = (self.course(caller), self.course(child)) else { return };
        let Some(told) = end_child(course.state(), called.state()) else { return };
        let command = by_engine(course.now(), told);
        if self.send(caller, command).is_ok() {
            ahead.push_back(caller);
        }
    }
}

fn by_engine(now: Timestamp, request: Request) -> Command {
    Command { now, id: None, actor: Actor::Engine, request }
}
