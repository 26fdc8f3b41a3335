//! What a task is told: the dispatch the runtime fills, and the face of it that tasks see.
//!
//! The effective context is asked for by key and computed then; nothing here costs the length of the past.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::de::DeserializeOwned;

use super::cancel::Cancel;
use super::outcome::TaskError;
use super::place::{Place, StreamRecord};
use super::secret::GivenSecrets;
use super::signal::ReceivedSignal;
use crate::failure::ErrorCode;
use crate::ids::{ActivationId, AttemptId, WorkflowId};
use crate::time::{Duration, Timestamp};
use crate::value::{Map, Value, ValueError};

/// Where the effective context of a dispatch comes from: the runtime's view of a state, or a map.
pub(crate) trait ContextSource: Send + Sync {
    /// The value of one key; none if nothing that this work descends from has it.
    fn lookup(&self, key: &str) -> Option<Value>;

    /// All keys with their values. Costs the size of the context; `lookup` does not.
    fn all(&self) -> Map;
}

impl ContextSource for Map {
    fn lookup(&self, key: &str) -> Option<Value> {
        self.get(key).cloned()
    }

    fn all(&self) -> Map {
        self.clone()
    }
}

/// One attempt as it is handed to a worker: everything its task may know, templates already computed.
pub(crate) struct Dispatch {
    /// The workflow the work belongs to.
    pub(crate) workflow: WorkflowId,
    /// The `ref_id` of the stage.
    pub(crate) stage: String,
    /// The name of the task in its stage.
    pub(crate) task: String,
    /// Which attempt this is; holds activation and task.
    pub(crate) attempt: AttemptId,
    /// `workflow/stage#activation/task`, of an instance `workflow/stage#activation[instance]/task`: the same for every
    /// attempt at this work.
    pub(crate) idempotency_key: String,
    /// The task's `with`, computed. `run: text` stands here as `command`.
    pub(crate) with: Map,
    /// `env` of workflow, stage and task laid over each other, computed; none unsets a name. Holds `STABILIZE_X1`, ..
    pub(crate) env: BTreeMap<String, Option<String>>,
    /// The workflow's working directory, absolute.
    pub(crate) workdir: PathBuf,
    /// `cwd` of the task, relative to `workdir`.
    pub(crate) cwd: Option<PathBuf>,
    /// `shell` of the task.
    pub(crate) shell: Option<String>,
    /// How long the attempt may take from its real start.
    pub(crate) timeout: Duration,
    /// Who or what started the workflow.
    pub(crate) trigger: Value,
    /// The signal that came last for the activation.
    pub(crate) signal: Option<ReceivedSignal>,
    /// When this piece of work began: the start of its first attempt.
    pub(crate) began: Timestamp,
    /// The moment of this dispatch.
    pub(crate) now: Timestamp,
    /// The effective context.
    pub(crate) context: Box<dyn ContextSource>,
    /// The secrets it may ask for.
    pub(crate) secrets: GivenSecrets,
    /// The request to stop.
    pub(crate) cancel: Cancel,
    /// Where files of attempts stand.
    pub(crate) place: Place,
}

/// What a task may ask while it works on one attempt.
pub struct TaskContext<'a> {
    dispatch: &'a Dispatch,
    /// How long after its dispatch the attempt, or what is called behind it, should stop.
    limit: Duration,
    /// What was captured so far; taken by who called the task, whatever way the task ends.
    streams: Mutex<Vec<StreamRecord>>,
}

impl<'a> TaskContext<'a> {
    pub(super) fn new(dispatch: &'a Dispatch, limit: Duration) -> TaskContext<'a> {
        TaskContext { dispatch, limit, streams: Mutex::new(Vec::new()) }
    }

    /// The value of `key` in the effective context; none if it is missing or null.
    ///
    /// # Errors
    ///
    /// A value that is not of this type.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, ValueError> {
        match self.dispatch.context.lookup(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.deserialize().map(Some),
        }
    }

    /// The value of `key` in the effective context.
    ///
    /// # Errors
    ///
    /// Permanent: a missing or null value with code `VALUE_MISSING`, one that is not of this type with code
    /// `VALIDATION_FAILED`; both name the key.
    pub fn require<T: DeserializeOwned>(&self, key: &str) -> Result<T, TaskError> {
        match self.get(key) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => {
                let message = format!("{key} is missing in the context");
                Err(TaskError::permanent(message).code(ErrorCode::VALUE_MISSING))
            }
            Err(error) => {
                Err(TaskError::permanent(format!("{key} in the context: {error}")).code(ErrorCode::VALIDATION_FAILED))
            }
        }
    }

    /// The task's `with` as a struct.
    ///
    /// # Errors
    ///
    /// A `with` that is not of this type.
    pub fn with<T: DeserializeOwned>(&self) -> Result<T, ValueError> {
        Value::Map(self.dispatch.with.clone()).deserialize()
    }

    /// The whole effective context. Prefer [`get`](TaskContext::get), which costs one key only.
    pub fn context(&self) -> Map {
        self.dispatch.context.all()
    }

    /// The workflow this work belongs to.
    pub fn workflow(&self) -> WorkflowId {
        self.dispatch.workflow
    }

    /// The `ref_id` of the stage.
    pub fn stage(&self) -> &str {
        &self.dispatch.stage
    }

    /// Which activation of its stage this is, and which instance of that.
    pub fn activation(&self) -> ActivationId {
        self.dispatch.attempt.task.activation
    }

    /// The number of this dispatch of the work, from 1; retries, polls and re-dispatches have new ones.
    pub fn attempt(&self) -> u32 {
        self.dispatch.attempt.dispatch
    }

    /// `workflow/stage#activation/task`, of an instance `workflow/stage#activation[instance]/task`: the same for every
    /// attempt at this work. Give it to whatever must act only once.
    pub fn idempotency_key(&self) -> &str {
        &self.dispatch.idempotency_key
    }

    /// Who or what started the workflow: `type`, `user`, `parameters`, `artifacts`, `payload`.
    pub fn trigger(&self) -> &Value {
        &self.dispatch.trigger
    }

    /// The signal that came last for this activation: the one that woke this task, or the trigger of its stage.
    pub fn signal(&self) -> Option<&ReceivedSignal> {
        self.dispatch.signal.as_ref()
    }

    /// The value of a secret, asked for now. Whatever the attempt answers, here or in a hook, has `***` in its place:
    /// in outputs, context, errors and their causes, also as part of a longer text. A value that was changed, encoded
    /// or cut is not found again, and what the task writes elsewhere is its own affair.
    ///
    /// ```
    /// use stabilize::{Outcome, TaskContext, TaskError};
    ///
    /// fn call(task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
    ///     let token = task.secret("API_TOKEN")?;
    ///     // ..
    ///     Ok(Outcome::success().output("bytes", token.len()))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Transient, with code `SECRET_UNAVAILABLE`: it is missing, or has less than 4 bytes or more than
    /// 64 KiB and so cannot be masked.
    pub fn secret(&self, name: &str) -> Result<String, TaskError> {
        self.dispatch.secrets.read(name)
    }

    /// When the attempt's timeout passes, on the engine's clock at its dispatch. Then it is asked to stop.
    pub fn deadline(&self) -> Timestamp {
        self.dispatch.now.saturating_add(self.limit)
    }

    /// Whether the attempt should stop: it was canceled, its timeout has passed, or the engine closes.
    pub fn is_canceled(&self) -> bool {
        self.dispatch.cancel.stop().is_some()
    }

    /// An error to return with `?` once the attempt should stop.
    ///
    /// # Errors
    ///
    /// If [`is_canceled`](TaskContext::is_canceled).
    pub fn check_canceled(&self) -> Result<(), TaskError> {
        if self.is_canceled() { Err(TaskError::canceled()) } else { Ok(()) }
    }

    /// Rests for this long, or until the attempt should stop.
    ///
    /// # Errors
    ///
    /// As soon as [`is_canceled`](TaskContext::is_canceled).
    pub fn sleep(&self, length: impl Into<Duration>) -> Result<(), TaskError> {
        let length: Duration = length.into();
        match self.dispatch.cancel.wait(length.into()) {
            Some(_) => Err(TaskError::canceled()),
            None => Ok(()),
        }
    }

    /// What the runtime filled.
    pub(super) fn dispatch(&self) -> &'a Dispatch {
        self.dispatch
    }

    /// Notes a stream that was captured and synced.
    pub(super) fn captured(&self, stream: StreamRecord) {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
    }

    /// What was captured.
    pub(super) fn into_streams(self) -> Vec<StreamRecord> {
        self.streams.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TaskContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskContext")
            .field("workflow", &self.dispatch.workflow)
            .field("stage", &self.dispatch.stage)
            .field("task", &self.dispatch.task)
            .field("attempt", &self.dispatch.attempt)
            .finish_non_exhaustive()
    }
}
