//! A task of a stage, as people are told of it.

use crate::definition::{Definition, GraphTask};
use crate::failure::Failure;
use crate::ids::{Sequence, StageIndex, TaskIndex};
use crate::status::Status;
use crate::time::Timestamp;
use crate::value::Value;

/// A task in the newest activation of its stage, as it was at the moment of the view.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskView {
    pub(super) definition: Definition,
    pub(super) stage: StageIndex,
    pub(super) index: TaskIndex,
    pub(super) status: Status,
    pub(super) attempts: u32,
    pub(super) newest_attempt: Option<u32>,
    pub(super) due: Option<Timestamp>,
    pub(super) start_time: Option<Timestamp>,
    pub(super) end_time: Option<Timestamp>,
    pub(super) outputs: Value,
    pub(super) error: Option<Failure>,
    pub(super) version: Option<Sequence>,
}

impl TaskView {
    /// Its name, unique in its stage.
    pub fn name(&self) -> &str {
        &self.spec().name
    }

    /// The registered task type that does the work.
    pub fn task_type(&self) -> &str {
        &self.spec().uses
    }

    /// What it is doing. It runs from the start of its first attempt until no further attempt follows.
    pub fn status(&self) -> Status {
        self.status
    }

    /// How many attempts have begun, retries, polls and those whose worker was lost included.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The number of the newest attempt, begun or not, from 1.
    pub fn newest_attempt(&self) -> Option<u32> {
        self.newest_attempt
    }

    /// The moment before which the newest attempt does not begin, where there is one.
    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// When its first attempt began.
    pub fn start_time(&self) -> Option<Timestamp> {
        self.start_time
    }

    /// When it ended.
    pub fn end_time(&self) -> Option<Timestamp> {
        self.end_time
    }

    /// What it gave, a map; empty unless it succeeded or went on after a failure.
    pub fn outputs(&self) -> &Value {
        &self.outputs
    }

    /// Why it failed; while it is tried again, why the last attempt did.
    pub fn error(&self) -> Option<&Failure> {
        self.error.as_ref()
    }

    /// Whether it is the first task of its stage.
    pub fn is_stage_start(&self) -> bool {
        self.index.index() == 0
    }

    /// Whether it is the last task of its stage.
    pub fn is_stage_end(&self) -> bool {
        self.index.index() + 1 == self.definition.graph().stage(self.stage).tasks.len()
    }

    /// Sequence of the event that changed it last; `None` if nothing has happened to it.
    pub fn version(&self) -> Option<Sequence> {
        self.version
    }

    fn spec(&self) -> &GraphTask {
        self.definition.graph().task(self.stage, self.index)
    }
}
