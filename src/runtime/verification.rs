//! Outputs are looked at before a success counts: a task around the task, on the thread of its worker.
//!
//! What it finds is a failure of the attempt, and recorded as one: replaying asks no verifier again.

use std::sync::Arc;

use crate::definition::{AskedOfOutputs, Called, Definition, GraphTask};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::task::{Outcome, Registry, Task, TaskContext, TaskError, Verifier, guarded};
use crate::time::Duration;
use crate::value::Map;

use super::error::Error;

/// A task of whose outputs something is asked.
struct Verified {
    task: Arc<dyn Task>,
    asked: AskedOfOutputs,
    verifier: Option<Arc<Verifier>>,
}

/// The task that looks at what `task` has done, as its specification asks.
///
/// # Errors
///
/// If the registry has no such verifier.
pub(super) fn verified(spec: &GraphTask, task: Arc<dyn Task>, registry: &Registry) -> Result<Arc<dyn Task>, Failure> {
    let Some(asked) = spec.verification.as_deref() else { return Ok(task) };
    let verifier = match &asked.verifier {
        None => None,
        Some(name) => Some(registry.verifier_named(name).ok_or_else(|| {
            let message = format!("no verifier is registered as {name}");
            Failure::new(ErrorCode::CONFIGURATION_INVALID, ErrorClass::Permanent, message)
        })?),
    };
    Ok(Arc::new(Verified { task, asked: asked.clone(), verifier }))
}

/// Refuses a definition that names a verifier that the registry does not have, or calls one that does.
///
/// # Errors
///
/// [`Error::UnknownVerifier`] with the first.
pub(super) fn refuse_unknown(definition: &Definition, registry: &Registry) -> Result<(), Error> {
    refuse_own(definition, registry)?;
    definition.members().try_for_each(|member| refuse_own(&member, registry))
}

fn refuse_own(definition: &Definition, registry: &Registry) -> Result<(), Error> {
    for stage in &definition.graph().stages {
        for task in &stage.tasks {
            let named = task.verification.as_ref().and_then(|asked| asked.verifier.as_ref());
            if let Some(verifier) = named.filter(|name| registry.verifier_named(name).is_none()) {
                let (stage, verifier) = (stage.ref_id.clone(), verifier.clone());
                return Err(Error::UnknownVerifier { verifier, stage, task: task.name.clone() });
            }
        }
        if let Some(Called::Embedded(called)) = stage.sub_workflow.as_ref().map(|call| &call.definition) {
            refuse_unknown(called, registry)?;
        }
    }
    Ok(())
}

impl Verified {
    fn judged(&self, answer: Result<Outcome, TaskError>, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        let outcome = answer?;
        let Some(outputs) = outcome.of_success() else { return Ok(outcome) };
        match self.flaw(outputs, task) {
            None => Ok(outcome),
            Some(error) => Err(error.code(ErrorCode::VERIFICATION_FAILED).outputs_below(outputs.clone())),
        }
    }

    fn flaw(&self, outputs: &Map, task: &TaskContext<'_>) -> Option<TaskError> {
        if let Some(mismatch) = self.asked.mismatch(outputs) {
            return Some(TaskError::permanent(mismatch));
        }
        let verifier = self.verifier.as_ref()?;
        guarded("the verifier", || verifier(task, outputs)).and_then(|verdict| verdict).err()
    }
}

/// Every method of the trait: those that are left out would be the provided ones, and not those of the task.
impl Task for Verified {
    fn run(&self, task: &TaskContext<'_>) -> Result<Outcome, TaskError> {
        self.judged(self.task.run(task), task)
    }

    fn on_timeout(&self, task: &TaskContext<'_>) -> Option<Result<Outcome, TaskError>> {
        self.task.on_timeout(task).map(|answer| self.judged(answer, task))
    }

    fn on_cancel(&self, task: &TaskContext<'_>) -> Option<Result<Outcome, TaskError>> {
        self.task.on_cancel(task)
    }

    fn timeout(&self) -> Option<Duration> {
        self.task.timeout()
    }

    fn poll_after(&self, elapsed: Duration) -> Duration {
        self.task.poll_after(elapsed)
    }
}
