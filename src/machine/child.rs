//! Workflows that are the work of a stage, at the edge between caller and called: what the called one begins with, and
//! what of its end the caller is told (R9, R10).
//!
//! Pure. Whoever moves both makes the one from the other's state; each records its own part.

use std::collections::BTreeMap;

use crate::definition::Definition;
use crate::digest::Sha256;
use crate::event::{ChildEnd, ChildRefusal, Creation, Json, Parent, TriggerRecord};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{AttemptId, WorkflowId};
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::status::Status;
use crate::time::Timestamp;
use crate::value::{Map, Value};

use super::begin::{BeginError, Beginning, begin};
use super::command::Request;
use super::data::{DispatchNames, Surroundings, template_failure};
use super::state::State;

/// What causes the start, as expressions of a called workflow see it.
const TRIGGER: &str = "workflow";

/// The id of the workflow that does the work of `attempt`: the same whoever computes it.
pub(super) fn child_id(workflow: WorkflowId, attempt: AttemptId, now: Timestamp) -> WorkflowId {
    let activation = attempt.task.activation;
    let mut hasher = Sha256::new();
    hasher.update(&workflow.to_bytes());
    for number in
        [activation.stage.get(), activation.number, activation.instance.map_or(0, |instance| instance.get() + 1)]
    {
        hasher.update(&number.to_le_bytes());
    }
    let digest = hasher.finish();
    let mut low = [0; 16];
    low[6..].copy_from_slice(&digest[..10]);
    WorkflowId::from_parts(now, u128::from_be_bytes(low))
}

/// What a workflow that `caller` waits for begins with, and after which definition; if that cannot be computed, what
/// the caller is told instead. `None` if it does not wait for it.
pub(crate) fn begin_child(
    caller: &State,
    child: WorkflowId,
    now: Timestamp,
) -> Option<Result<(Definition, Creation), Request>> {
    let attempt = caller.awaits(child)?;
    let stage = attempt.task.activation.stage;
    let definition = caller.definition.called_by(stage)?;
    let begun = creation(caller, child, attempt, &definition, now);
    Some(match begun {
        Ok(creation) => Ok((definition, creation)),
        Err(error) => Err(Request::RefuseChild(ChildRefusal { child, error })),
    })
}

fn creation(
    caller: &State,
    child: WorkflowId,
    attempt: AttemptId,
    definition: &Definition,
    now: Timestamp,
) -> Result<Creation, Failure> {
    let stage = caller.definition.graph().stage(attempt.task.activation.stage);
    let input = stage.sub_workflow.as_ref().map_or(&[][..], |sub_workflow| &sub_workflow.input);
    let start = caller.core.start.as_ref().expect("a workflow that waits for another has begun");
    let user = start.creation.trigger.user.clone();
    let parent = Parent { workflow: caller.workflow, attempt, depth: caller.depth() + 1 };
    let trigger_value = Value::map([
        ("type", Value::from(TRIGGER)),
        ("user", Value::from(user.as_str())),
        ("parameters", Value::Map(Map::new())),
        ("artifacts", Value::List(Vec::new())),
        ("payload", Value::Map(Map::new())),
    ]);
    let trigger = TriggerRecord {
        trigger_type: TRIGGER.to_owned(),
        user,
        parameters: Json::empty(),
        artifacts: "[]".to_owned(),
        payload: Json::empty(),
    };
    let beginning = Beginning {
        inputs: caller.seen_by(attempt).render(input)?,
        trigger,
        trigger_value,
        origin: TRIGGER.to_owned(),
        workdir: start.creation.workdir.clone(),
        priority: None,
        parent: Some(Box::new(parent)),
    };
    begin(definition, child, now, beginning).map_err(|error| match error {
        BeginError::Template { what, source } => template_failure(&what, &source),
        other @ (BeginError::Inputs { .. } | BeginError::TooLarge { .. }) => {
            let message = match std::error::Error::source(&other) {
                Some(source) => format!("{other}: {source}"),
                None => other.to_string(),
            };
            Failure::new(ErrorCode::CHILD_REFUSED, ErrorClass::Permanent, message)
        }
    })
}

/// What `caller` is told of a workflow that it called and that has closed. `None` if that has not closed.
pub(crate) fn end_child(caller: &State, child: &State) -> Option<Request> {
    if !child.is_closed() {
        return None;
    }
    let (status, id) = (child.status(), child.workflow());
    let told = match caller.awaits(id) {
        Some(attempt) if status == Status::Succeeded => outputs(caller, attempt, child),
        Some(_) | None => Ok(Json::empty()),
    };
    let (outputs, error) = match told {
        Ok(outputs) if status == Status::Succeeded => (outputs, None),
        Ok(outputs) => (outputs, Some(failure(child))),
        Err(error) => (Json::empty(), Some(error)),
    };
    Some(Request::EndChild(ChildEnd { child: id, status, outputs, error }))
}

/// Why a called workflow did not succeed.
fn failure(child: &State) -> Failure {
    let reason = child.end_reason().map_or("", |reason| reason.code());
    let message = format!("workflow {} ended {}: {reason}", child.workflow(), child.status());
    Failure::new(ErrorCode::CHILD_FAILED, ErrorClass::Permanent, message)
}

/// What the stage that called a workflow makes of its outputs.
fn outputs(caller: &State, attempt: AttemptId, child: &State) -> Result<Json, Failure> {
    let own = child.outputs()?;
    let stage = caller.definition.graph().stage(attempt.task.activation.stage);
    let templates = stage.sub_workflow.as_ref().and_then(|sub_workflow| sub_workflow.output.as_ref());
    let told = match templates {
        None => own,
        Some(templates) => {
            let view = Value::map([
                ("id", Value::from(child.workflow().to_string())),
                ("status", Value::from(child.status().name())),
                ("outputs", Value::Map(own)),
            ]);
            let names = DispatchNames { names: BTreeMap::from([("child", view)]) };
            let seen = caller.seen_by(attempt);
            let mut told = Map::new();
            for (key, template) in templates {
                let scope = seen.scope_with(&template.references(), &names)?;
                let value = template.render(&scope).map_err(|error| template_failure(key, &error))?;
                told.insert(key.clone(), value);
            }
            told
        }
    };
    let told = Json::of(&told);
    let bytes = told.text().len();
    if bytes > PAYLOAD_BYTES_MAX {
        let message = format!("outputs of the called workflow: {bytes} bytes, more than {PAYLOAD_BYTES_MAX}");
        return Err(Failure::new(ErrorCode::LIMIT_PAYLOAD, ErrorClass::Permanent, message));
    }
    Ok(told)
}

impl State {
    /// The attempt whose work this workflow is, if one waits for it.
    pub(crate) fn awaits(&self, child: WorkflowId) -> Option<AttemptId> {
        self.core.children.get(&child).filter(|called| !called.is_left).map(|called| called.attempt)
    }

    /// Workflows that were called, whose work is not wanted any more and whose end is still waited for.
    pub(crate) fn left_children(&self) -> impl Iterator<Item = WorkflowId> + '_ {
        self.core.children.iter().filter(|(_, called)| called.is_left).map(|(child, _)| *child)
    }

    /// Who called this workflow.
    pub(crate) fn parent(&self) -> Option<Parent> {
        self.creation()?.parent.as_deref().copied()
    }

    /// How many calls lie above this workflow.
    pub(crate) fn depth(&self) -> u32 {
        self.parent().map_or(0, |parent| parent.depth)
    }

    /// What it gives, once it has ended.
    ///
    /// # Errors
    ///
    /// If recorded data is damaged.
    pub(crate) fn outputs(&self) -> Result<Map, Failure> {
        match self.recorded_outputs() {
            Some(outputs) => outputs
                .to_map()
                .map_err(|error| Failure::new(ErrorCode::SYSTEM_ERROR, ErrorClass::Permanent, error.to_string())),
            None => Surroundings::of_ended(self).map_or(Ok(Map::new()), |seen| seen.merged_outputs()),
        }
    }

    /// What the attempt's activation can see.
    fn seen_by(&self, attempt: AttemptId) -> Surroundings {
        Surroundings::of_activation(self, attempt.task.activation).expect("the activation of an open attempt lives")
    }
}
