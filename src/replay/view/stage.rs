//! A stage of a workflow, as people are told of it.

use crate::definition::{Definition, GraphStage, OnFailure, Target};
use crate::failure::Failure;
use crate::ids::{Sequence, StageIndex};
use crate::status::Status;
use crate::time::{Duration, Timestamp};
use crate::value::Value;

use super::instances::InstancesView;
use super::task::TaskView;

/// A stage with its newest activation, as it was at the moment of the view.
#[derive(Clone, Debug, PartialEq)]
pub struct StageView {
    pub(super) definition: Definition,
    pub(super) index: StageIndex,
    pub(super) status: Status,
    pub(super) activations: u32,
    pub(super) start_time: Option<Timestamp>,
    pub(super) end_time: Option<Timestamp>,
    pub(super) context: Value,
    pub(super) outputs: Value,
    pub(super) error: Option<Failure>,
    pub(super) instances: Option<InstancesView>,
    pub(super) tasks: Vec<TaskView>,
    pub(super) version: Option<Sequence>,
}

impl StageView {
    /// Id of its newest activation, `build#2`; the ref id alone while there is none.
    pub fn id(&self) -> String {
        match self.activations {
            0 => self.ref_id().to_owned(),
            number => format!("{}#{number}", self.ref_id()),
        }
    }

    /// Its name in the graph, unique in the definition.
    pub fn ref_id(&self) -> &str {
        &self.spec().ref_id
    }

    /// Its name for people.
    pub fn name(&self) -> &str {
        &self.spec().name
    }

    /// Its type: as written, or the type of its first task.
    pub fn stage_type(&self) -> &str {
        &self.spec().stage_type
    }

    /// What its newest activation is doing.
    ///
    /// NOT_STARTED without one, also while its gate is examined. Once the workflow has SUCCEEDED, a stage that no token
    /// reached is SKIPPED: it was not taken. In a workflow that ended otherwise it stays NOT_STARTED: nobody knows
    /// whether it would have been.
    pub fn status(&self) -> Status {
        self.status
    }

    /// How many activations it has had.
    pub fn activations(&self) -> u32 {
        self.activations
    }

    /// When its newest activation began its work.
    pub fn start_time(&self) -> Option<Timestamp> {
        self.start_time
    }

    /// When its newest activation ended.
    pub fn end_time(&self) -> Option<Timestamp> {
        self.end_time
    }

    /// The constants of its own context, and what attempts of its newest activation left for later ones. A map.
    ///
    /// What a task sees is more, and is computed for each attempt.
    pub fn context(&self) -> &Value {
        &self.context
    }

    /// What its newest activation gave: its tasks' outputs, later over earlier, then its own. A map.
    pub fn outputs(&self) -> &Value {
        &self.outputs
    }

    /// Why its newest activation failed.
    pub fn error(&self) -> Option<&Failure> {
        self.error.as_ref()
    }

    /// The instances of its newest activation, once that has started; `None` if the stage has no several.
    pub fn instances(&self) -> Option<InstancesView> {
        self.instances
    }

    /// Its tasks in order, as they are in its newest activation.
    pub fn tasks(&self) -> &[TaskView] {
        &self.tasks
    }

    /// The task of this name.
    pub fn task(&self, name: &str) -> Option<&TaskView> {
        self.tasks.iter().find(|task| task.name() == name)
    }

    /// Its first task.
    pub fn first_task(&self) -> Option<&TaskView> {
        self.tasks.first()
    }

    /// The task behind `task`.
    pub fn next_task(&self, task: &TaskView) -> Option<&TaskView> {
        self.tasks.get(task.index.index() + 1)
    }

    /// Ref ids of the stages it needs, in the order they are written in.
    pub fn requisite_stage_ref_ids(&self) -> Vec<&str> {
        let graph = self.definition.graph();
        graph.needs(self.index).map(|stage| graph.stage(stage).ref_id.as_str()).collect()
    }

    /// Ref ids of the stages from which control comes back to it, in the order they are written in.
    pub fn back_from(&self) -> Vec<&str> {
        let graph = self.definition.graph();
        let sources = graph.back_from(self.index).filter_map(|arc| arc.from);
        sources.map(|stage| graph.stage(stage).ref_id.as_str()).collect()
    }

    /// When it starts: `AND`, `XOR`, ...
    pub fn join_type(&self) -> &'static str {
        self.spec().join.name()
    }

    /// Where control goes from it: `AND`, `XOR`, ...
    pub fn split_type(&self) -> &'static str {
        self.spec().split.name()
    }

    /// Ref id (`$end` for none) and condition of each branch of its split, in the order in which they are tried.
    pub fn split_conditions(&self) -> Vec<(&str, &str)> {
        let graph = self.definition.graph();
        let pair = |branch: &'_ crate::definition::Branch| match branch.target {
            Target::Arc(arc) => graph.stage(graph.arc(arc).to).ref_id.as_str(),
            Target::End => "$end",
        };
        self.spec().split.branches().iter().map(|branch| (pair(branch), branch.condition.text())).collect()
    }

    /// Its `if:`.
    pub fn condition(&self) -> Option<&str> {
        self.spec().condition.as_ref().map(|condition| condition.text())
    }

    /// What a failure of it becomes: TERMINAL, FAILED_CONTINUE or STOPPED.
    pub fn failure_status(&self) -> Status {
        match self.spec().on_failure {
            OnFailure::Fail => Status::Terminal,
            OnFailure::Continue => Status::FailedContinue,
            OnFailure::Stop | OnFailure::FailAtEnd => Status::Stopped,
        }
    }

    /// The moment at which it starts, if its join has fired by then.
    pub fn scheduled_time(&self) -> Option<Timestamp> {
        self.spec().times.scheduled_time
    }

    /// The moment after which it does not start any more.
    pub fn start_time_expiry(&self) -> Option<Timestamp> {
        self.spec().times.start_time_expiry
    }

    /// How long an activation may take from its start, pauses excluded.
    pub fn deadline(&self) -> Option<Duration> {
        self.spec().times.deadline
    }

    /// Its priority, 0 to 9, larger first.
    pub fn priority(&self) -> u8 {
        self.spec().priority
    }

    /// Sequence of the event that changed it or one of its tasks last; `None` if nothing has happened to it.
    pub fn version(&self) -> Option<Sequence> {
        self.version
    }

    fn spec(&self) -> &GraphStage {
        self.definition.graph().stage(self.index)
    }
}
