//! A workflow as a scenario sees it: the activations of the pattern's own stages, wherever the pattern is nested.

use crate::event::Event;
use crate::ids::{ActivationId, ScopeId, WorkflowId};
use crate::status::Status;
use crate::testing::course::Course;

use super::blocks::Block;

/// Where a pattern is: in a workflow, and there in one opening of a nested block or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The how manieth workflow that the outermost one called; `None`: the outermost itself.
    pub(super) called: Option<usize>,
    /// `None`: the whole workflow.
    pub(super) within: Option<Opening>,
}

impl Frame {
    /// The outermost workflow.
    pub(super) const WHOLE: Frame = Frame { called: None, within: None };
}

/// The how manieth block that was opened for activations of this stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opening {
    pub(super) owner: &'static str,
    pub(super) number: usize,
}

/// What a scenario can look at.
#[derive(Clone, Debug)]
pub struct View<'w> {
    pub(super) course: &'w Course,
    pub(super) block: Option<Block>,
}

impl<'w> View<'w> {
    /// The workflow.
    pub fn course(&self) -> &'w Course {
        self.course
    }

    /// The activations of `stage` here that have begun: those that are or were ready, too.
    ///
    /// # Errors
    ///
    /// There is no such stage.
    pub fn activations(&self, stage: &str) -> Result<Vec<ActivationId>, String> {
        let graph = self.course.state().definition().graph();
        let stage = graph.stage_index(stage).ok_or_else(|| format!("there is no stage {stage}"))?;
        let mut found = Vec::new();
        for event in self.course.events() {
            let (Event::StageReady { activation, scope, .. } | Event::StageStarted { activation, scope, .. }) = event
            else {
                continue;
            };
            if activation.stage == stage && self.is_here(*scope) && !found.contains(activation) {
                found.push(*activation);
            }
        }
        Ok(found)
    }

    /// The workflow that the newest activation of `stage` here called; `None` if there is none.
    ///
    /// # Errors
    ///
    /// There is no such stage.
    pub(super) fn called(&self, stage: &str) -> Result<Option<WorkflowId>, String> {
        let known = self.activations(stage)?;
        let child = |event: &Event| match event {
            Event::ChildStarted { attempt, child, .. } => {
                known.contains(&attempt.task.activation.owner()).then_some(*child)
            }
            _ => None,
        };
        Ok(self.course.events().iter().rev().find_map(child))
    }

    /// Has this activation, or the one of which it is an instance, begun here?
    pub(super) fn has(&self, activation: ActivationId) -> bool {
        let stage = &self.course.state().definition().graph().stage(activation.stage).ref_id;
        self.activations(stage).is_ok_and(|known| known.contains(&activation.owner()))
    }

    /// How many activations of `stage` have started here.
    ///
    /// # Errors
    ///
    /// There is no such stage.
    pub fn runs(&self, stage: &str) -> Result<usize, String> {
        let known = self.activations(stage)?;
        let is_start =
            |event: &&Event| matches!(event, Event::StageStarted { activation, .. } if known.contains(activation));
        Ok(self.course.events().iter().filter(is_start).count())
    }

    /// How many activations of `stage` live here, started or ready.
    ///
    /// # Errors
    ///
    /// There is no such stage.
    pub fn live(&self, stage: &str) -> Result<usize, String> {
        let known = self.activations(stage)?;
        Ok(self.course.state().live().filter(|id| known.contains(id)).count())
    }

    /// How the activations of `stage` here have ended, in the order of their ends.
    ///
    /// # Errors
    ///
    /// There is no such stage.
    pub fn ends(&self, stage: &str) -> Result<Vec<(ActivationId, Status)>, String> {
        let known = self.activations(stage)?;
        let end = |event: &Event| match event {
            Event::StageEnded { activation, status, .. } => Some((*activation, *status)),
            Event::StageCanceled { activation, .. } => Some((*activation, Status::Canceled)),
            _ => None,
        };
        Ok(self.course.events().iter().filter_map(end).filter(|(activation, _)| known.contains(activation)).collect())
    }

    /// The place of the activation that `name` means here: `b` the oldest live one, `b#2` the second there was.
    ///
    /// # Errors
    ///
    /// There is no such stage.
    pub(super) fn activation(&self, stage: &str, number: Option<usize>) -> Result<Option<ActivationId>, String> {
        let known = self.activations(stage)?;
        Ok(match number {
            Some(number) => number.checked_sub(1).and_then(|index| known.get(index).copied()),
            None => {
                let live = self.course.state().live().find(|id| known.contains(id));
                live.or(known.last().copied())
            }
        })
    }

    /// The status of what is here: the workflow's, or of a block whether anything of it lives.
    pub fn status(&self) -> Status {
        if self.block.is_none() {
            return self.course.status();
        }
        let mut lives = self.course.state().live().filter(|id| {
            let scope = scope_of(self.course, id.owner());
            scope.is_some_and(|scope| self.is_here(scope))
        });
        if lives.next().is_some() { Status::Running } else { Status::Succeeded }
    }

    pub(super) fn expect_status(&self, expected: Status) -> Result<(), String> {
        let found = self.status();
        let is_fine =
            found == expected || (self.block.is_some() && expected != Status::Running && found != Status::Running);
        if is_fine { Ok(()) } else { Err(format!("the workflow is {found}, expected {expected}")) }
    }

    pub(super) fn expect_live(&self, stage: &str, expected: usize) -> Result<(), String> {
        expect(&format!("live({stage})"), &self.live(stage)?, &expected)
    }

    pub(super) fn expect_instances(&self, stage: &str, expected: usize) -> Result<(), String> {
        let known = self.activations(stage)?;
        let is_instance = |id: &ActivationId| id.instance.is_some() && known.contains(&id.owner());
        let found = self.course.state().live().filter(is_instance).count();
        expect(&format!("live instances of {stage}"), &found, &expected)
    }

    pub(super) fn expect_runs(&self, stage: &str, expected: usize) -> Result<(), String> {
        expect(&format!("runs({stage})"), &self.runs(stage)?, &expected)
    }

    pub(super) fn expect_ended(&self, stage: &str, expected: Status) -> Result<(), String> {
        let newest = self.activations(stage)?.last().copied();
        let found = self.ends(stage)?.iter().find(|(id, _)| Some(*id) == newest).map(|(_, status)| *status);
        match found {
            Some(status) => expect(&format!("the end of {stage}"), &status.name(), &expected.name()),
            None => Err(format!("{stage} has not ended, expected {expected}")),
        }
    }

    pub(super) fn expect_order(&self, earlier: &str, later: &str) -> Result<(), String> {
        let (first, next) = (self.activations(earlier)?, self.activations(later)?);
        let (Some(first), Some(next)) = (first.first(), next.first()) else {
            return Err(format!("{earlier} < {later} is asked of stages that have not started"));
        };
        let events = self.course.events();
        let is_end = |event: &Event| match event {
            Event::StageEnded { activation, .. } | Event::StageCanceled { activation, .. } => activation == first,
            _ => false,
        };
        let end = events.iter().position(is_end);
        let start = events
            .iter()
            .position(|event| matches!(event, Event::StageStarted { activation, .. } if activation == next));
        match (end, start) {
            (Some(end), Some(start)) if end < start => Ok(()),
            _ => Err(format!("{earlier} has not ended before {later} started")),
        }
    }

    pub(super) fn expect_lines(&self, line: &str, expected: usize) -> Result<(), String> {
        let wanted = without_numbers(line);
        let here = self.interval();
        let is_wanted = |line: &str| match wanted.strip_suffix('*') {
            Some(beginning) => line.starts_with(beginning),
            None => line == wanted,
        };
        let lines = self.course.lines().zip(self.course.events()).enumerate();
        let found = lines.filter(|(at, (line, event))| {
            here.contains(at) && self.is_about(event) && is_wanted(&without_numbers(line))
        });
        expect(&format!("events {line:?}"), &found.count(), &expected)
    }
}

fn expect<T: PartialEq + std::fmt::Display>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} is {found}, expected {expected}")) }
}

/// `stage.started b#2` as `stage.started b`: in the second round of a loop everything has higher numbers.
fn without_numbers(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line.chars().peekable();
    while let Some(letter) = rest.next() {
        if letter != '#' {
            plain.push(letter);
            continue;
        }
        while rest.next_if(char::is_ascii_digit).is_some() {}
    }
    plain
}

/// The block in which an activation lives or lived.
fn scope_of(course: &Course, id: ActivationId) -> Option<ScopeId> {
    course.events().iter().find_map(|event| match event {
        Event::StageReady { activation, scope, .. } | Event::StageStarted { activation, scope, .. }
            if *activation == id =>
        {
            Some(*scope)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_activations_are_left_out() {
        assert_eq!(without_numbers("stage.completed b#12 to c"), "stage.completed b to c");
    }
}
