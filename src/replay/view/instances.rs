//! The instances of a stage's newest activation, as people are told of them: how many there are and have ended, and
//! what they gave.

use std::collections::BTreeMap;

use crate::event::{Event, Json, counts};
use crate::ids::{ActivationId, TaskIndex};
use crate::machine::outputs_of_instances;
use crate::status::Status;
use crate::value::{Map, ValueError};

/// The instances of the newest activation of a stage, as they were at the moment of the view.
///
/// They go on after control has gone on from the stage, where they are not waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InstancesView {
    total: u32,
    started: u32,
    done: u32,
    failed: u32,
    canceled: u32,
    closed: bool,
}

impl InstancesView {
    /// How many there are to be, those that were added included.
    pub fn total(self) -> u32 {
        self.total
    }

    /// How many have begun.
    pub fn started(self) -> u32 {
        self.started
    }

    /// How many of those have not ended.
    pub fn live(self) -> u32 {
        self.started - self.done - self.failed - self.canceled
    }

    /// How many are done: SUCCEEDED, FAILED_CONTINUE, SKIPPED.
    pub fn done(self) -> u32 {
        self.done
    }

    /// How many have failed: TERMINAL, STOPPED.
    pub fn failed(self) -> u32 {
        self.failed
    }

    /// How many were canceled.
    pub fn canceled(self) -> u32 {
        self.canceled
    }

    /// Whether no more can be added.
    pub fn is_closed(self) -> bool {
        self.closed
    }
}

/// The instances of the newest activation of a stage, under way.
#[derive(Clone, Debug, Default)]
pub(super) struct InstancesRecord {
    counts: InstancesView,
    /// What those that live have told: the last report, and the outputs of the tasks that have ended.
    live: BTreeMap<u32, (Json, Vec<(TaskIndex, Json)>)>,
    /// What those gave that ended while the activation lived.
    ended: BTreeMap<u32, (Status, Vec<Json>)>,
    /// Has the activation itself ended?
    has_ended: bool,
}

/// The instance, or the activation with instances, that an event is about and nothing else: what happens to an instance
/// is not what happens to the activation that has it.
pub(super) fn concerned(event: &Event) -> Option<ActivationId> {
    let of_all = matches!(
        event,
        Event::InstancesStarted { .. }
            | Event::InstancesAdded { .. }
            | Event::InstancesClosed { .. }
            | Event::InstancesWithdrawn { .. }
    );
    event.activation().filter(|id| of_all || id.instance.is_some())
}

impl InstancesRecord {
    /// The counts.
    pub(super) fn view(&self) -> InstancesView {
        self.counts
    }

    /// What the stage gives by them.
    ///
    /// # Errors
    ///
    /// If data in the events cannot be read.
    pub(super) fn outputs(&self) -> Result<Map, ValueError> {
        let each = self.ended.iter().map(|(index, (status, outputs))| {
            let mut merged = Map::new();
            for outputs in outputs {
                merged.extend(outputs.to_map()?);
            }
            Ok((*index, *status, merged))
        });
        Ok(outputs_of_instances(each.collect::<Result<Vec<_>, ValueError>>()?))
    }

    /// The activation itself has ended.
    pub(super) fn end(&mut self) {
        (self.has_ended, self.counts.closed) = (true, true);
    }

    /// Takes in an event about all of them.
    pub(super) fn change(&mut self, event: &Event) {
        match event {
            Event::InstancesStarted { to, total, .. } => (self.counts.started, self.counts.total) = (*to, *total),
            Event::InstancesAdded { to, .. } => self.counts.total = *to,
            Event::InstancesClosed { .. } | Event::InstancesWithdrawn { .. } => self.counts.closed = true,
            _ => (),
        }
    }

    /// Takes in an event about one of them.
    pub(super) fn change_one(&mut self, index: u32, event: &Event) {
        match event {
            Event::TaskReported(_, told) => self.live.entry(index).or_default().0 = told.outputs.clone(),
            Event::TaskEnded { task, status, error } => {
                let (reported, outputs) = self.live.entry(index).or_default();
                let told = std::mem::take(reported);
                // Of a task that is done again only the newest outcome counts.
                outputs.retain(|(of, _)| *of != task.task);
                let told = Some(told).filter(|told| counts(*status, error.as_ref()) && !told.is_empty());
                outputs.extend(told.map(|told| (task.task, told)));
            }
            Event::StageEnded { status, outputs, .. } => {
                let (_, of_tasks) = self.live.remove(&index).unwrap_or_default();
                let gave = of_tasks.into_iter().map(|(_, outputs)| outputs).chain(outputs.clone()).collect();
                match status {
                    Status::Canceled => self.counts.canceled += 1,
                    Status::Terminal | Status::Stopped => self.counts.failed += 1,
                    _ => self.counts.done += 1,
                }
                if *status != Status::Canceled && !self.has_ended {
                    self.ended.insert(index, (*status, gave));
                }
            }
            Event::StageCanceled { .. } => {
                self.live.remove(&index);
                self.counts.canceled += 1;
            }
            _ => (),
        }
    }
}
