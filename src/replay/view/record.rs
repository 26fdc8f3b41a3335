//! What a view knows of the newest activation of a stage and of its tasks, and which changes of status are legal.

use crate::event::Json;
use crate::failure::Failure;
use crate::ids::{ActivationId, AttemptId, Sequence, TaskId, TaskIndex};
use crate::status::{InvalidTransition, Status};
use crate::time::Timestamp;

use super::instances::InstancesRecord;

/// The newest activation of a stage.
#[derive(Clone, Debug)]
pub(super) struct StageRecord {
    /// 0 while there is none.
    pub(super) number: u32,
    pub(super) status: Status,
    pub(super) start_time: Option<Timestamp>,
    pub(super) end_time: Option<Timestamp>,
    /// What its attempts left for later ones.
    pub(super) updates: Vec<Json>,
    /// What the jump brought that began it.
    pub(super) brought: Option<Json>,
    pub(super) outputs: Option<Json>,
    pub(super) error: Option<Failure>,
    /// Those of a stage that has several, once it has started.
    pub(super) instances: Option<InstancesRecord>,
    /// Empty while there is no activation.
    pub(super) tasks: Vec<TaskRecord>,
    pub(super) version: Option<Sequence>,
}

/// A task of the newest activation of a stage.
#[derive(Clone, Debug)]
pub(super) struct TaskRecord {
    pub(super) status: Status,
    pub(super) attempts: u32,
    pub(super) newest_attempt: Option<u32>,
    /// The attempt that was counted last.
    pub(super) counted: Option<u32>,
    pub(super) due: Option<Timestamp>,
    pub(super) start_time: Option<Timestamp>,
    pub(super) end_time: Option<Timestamp>,
    /// What the last report gave, until what follows from it is known.
    pub(super) reported: Json,
    pub(super) left: Json,
    pub(super) outputs: Json,
    pub(super) error: Option<Failure>,
    /// What ended it last; that may have been in an earlier turn of a loop.
    pub(super) ended: Option<Sequence>,
    pub(super) version: Option<Sequence>,
}

impl StageRecord {
    pub(super) const NONE: StageRecord = StageRecord {
        number: 0,
        status: Status::NotStarted,
        start_time: None,
        end_time: None,
        updates: Vec::new(),
        brought: None,
        outputs: None,
        error: None,
        instances: None,
        tasks: Vec::new(),
        version: None,
    };

    /// The tasks in the order in which they have ended last.
    pub(super) fn in_order(&self) -> Vec<&TaskRecord> {
        let mut tasks: Vec<&TaskRecord> = self.tasks.iter().collect();
        tasks.sort_by_key(|task| task.ended);
        tasks
    }

    /// The activation ends, and with it the task that is open: a cancel or a passed deadline leaves one.
    pub(super) fn end(&mut self, id: ActivationId, status: Status, at: Timestamp) -> Result<(), InvalidTransition> {
        self.end_time = Some(at);
        self.instances.iter_mut().for_each(InstancesRecord::end);
        change(&mut self.status, status, "stage", || stage_id(id))?;
        let open = self.tasks.iter_mut().zip(0..);
        let open = open.filter(|(task, _)| task.newest_attempt.is_some() && !task.status.is_complete());
        for (task, index) in open {
            task.version = self.version;
            task.end(TaskId { activation: id, task: TaskIndex::new(index) }, Status::Canceled, at)?;
        }
        Ok(())
    }
}

impl TaskRecord {
    pub(super) fn new() -> TaskRecord {
        TaskRecord {
            status: Status::NotStarted,
            attempts: 0,
            newest_attempt: None,
            counted: None,
            due: None,
            start_time: None,
            end_time: None,
            reported: Json::empty(),
            left: Json::empty(),
            outputs: Json::empty(),
            error: None,
            ended: None,
            version: None,
        }
    }

    /// It is to be done again: what it gave stays until then.
    pub(super) fn again(&mut self) {
        (self.newest_attempt, self.counted, self.due) = (None, None, None);
        (self.start_time, self.end_time, self.error) = (None, None, None);
        if self.status != Status::Redirect {
            self.status = Status::NotStarted;
        }
    }

    /// The attempt has begun, whether its start or only its outcome was recorded.
    pub(super) fn begin(&mut self, attempt: AttemptId, at: Timestamp) -> Result<(), InvalidTransition> {
        if self.counted != Some(attempt.dispatch) {
            self.counted = Some(attempt.dispatch);
            self.attempts += 1;
        }
        self.due = None;
        self.start_time.get_or_insert(at);
        change(&mut self.status, Status::Running, "task", || task_id(attempt.task))
    }

    pub(super) fn end(&mut self, id: TaskId, status: Status, at: Timestamp) -> Result<(), InvalidTransition> {
        self.end_time = Some(at);
        self.due = None;
        self.ended = self.version;
        change(&mut self.status, status, "task", || task_id(id))
    }
}

pub(super) fn stage_id(id: ActivationId) -> String {
    format!("{}{}", id.stage.get(), id.suffix())
}

pub(super) fn task_id(id: TaskId) -> String {
    format!("{}/{}", stage_id(id.activation), id.task.get())
}

/// Changes a status, if the table allows it. What ends in the moment in which it begins was running between.
pub(super) fn change(
    status: &mut Status,
    to: Status,
    entity: &str,
    id: impl FnOnce() -> String,
) -> Result<(), InvalidTransition> {
    let is_idle = matches!(*status, Status::NotStarted | Status::Redirect);
    let from = if is_idle && to.is_complete() && !status.can_transition(to) { Status::Running } else { *status };
    if !from.can_transition(to) {
        return from.validate_transition(to, entity, &id());
    }
    *status = to;
    Ok(())
}
