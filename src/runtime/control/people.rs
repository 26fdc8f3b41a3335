//! What people say to a workflow over a control socket: the requests beside those that begin and end workflows.

use serde::Deserialize;

use crate::ids::WorkflowId;
use crate::runtime::completion::{Approver, Completion};
use crate::runtime::error::Error;
use crate::runtime::inbox::Answer;
use crate::runtime::start::By;
use crate::value::{Map, Value};

use super::caller::Control;
use super::request::{ControlRequest, RequestError, body, id, map};

/// How work that is done by hand has ended, as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Completing {
    /// Of which workflow.
    pub(super) workflow: WorkflowId,
    /// Which work: `STAGE`, `STAGE#N`, `STAGE#N[I]`.
    pub(super) work: String,
    /// How it ended.
    pub(super) how: Completion,
    /// Who says it, and under which id.
    pub(super) by: By,
}

/// What a command holds that says who sends it and why, and nothing else.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asking {
    /// Which workflow.
    pub(super) workflow: WorkflowId,
    /// Who asks, why, and under which id.
    pub(super) by: By,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskFields {
    workflow: String,
    command: String,
    actor: String,
    reason: Option<String>,
}

impl Asking {
    pub(super) fn read(verb: &str, fields: &Value) -> Result<Asking, RequestError> {
        let AskFields { workflow, command, actor, reason } = body(verb, fields)?;
        Ok(Asking { workflow: id(verb, &workflow)?, by: By { actor, reason, id: Some(id(verb, &command)?) } })
    }

    pub(super) fn fields(&self) -> Map {
        map([
            ("workflow", self.workflow.to_string().into()),
            ("command", self.by.id.map(|id| id.to_string()).into()),
            ("actor", self.by.actor.as_str().into()),
            ("reason", self.by.reason.clone().into()),
        ])
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompleteFields {
    workflow: String,
    command: String,
    actor: String,
    work: String,
    #[serde(default)]
    outputs: Map,
    failure: Option<String>,
}

/// Whether something is approved, as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answering {
    /// Of which workflow.
    pub(super) workflow: WorkflowId,
    /// Which work.
    pub(super) work: String,
    /// Who says it, as what, and under which id.
    pub(super) approver: Approver,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerFields {
    workflow: String,
    command: String,
    actor: String,
    work: String,
    role: Option<String>,
    comment: Option<String>,
}

impl Answering {
    pub(super) fn read(verb: &str, fields: &Value) -> Result<Box<Answering>, RequestError> {
        let AnswerFields { workflow, command, actor, work, role, comment } = body(verb, fields)?;
        let by = By { actor, reason: None, id: Some(id(verb, &command)?) };
        let approver = Approver { by, role, comment };
        Ok(Box::new(Answering { workflow: id(verb, &workflow)?, work, approver }))
    }

    pub(super) fn fields(&self) -> Map {
        let Approver { by, role, comment } = &self.approver;
        map([
            ("workflow", self.workflow.to_string().into()),
            ("command", by.id.map(|id| id.to_string()).into()),
            ("actor", by.actor.as_str().into()),
            ("work", self.work.as_str().into()),
            ("role", role.clone().into()),
            ("comment", comment.clone().into()),
        ])
    }
}

impl Completing {
    /// The request with these fields.
    pub(super) fn read(verb: &str, fields: &Value) -> Result<ControlRequest, RequestError> {
        let CompleteFields { workflow, command, actor, work, outputs, failure } = body(verb, fields)?;
        let by = By { actor, reason: None, id: Some(id(verb, &command)?) };
        let how = Completion { outputs, failure };
        Ok(ControlRequest::Complete(Box::new(Completing { workflow: id(verb, &workflow)?, work, how, by })))
    }

    /// The fields of the request.
    pub(super) fn fields(&self) -> Map {
        map([
            ("workflow", self.workflow.to_string().into()),
            ("command", self.by.id.map(|id| id.to_string()).into()),
            ("actor", self.by.actor.as_str().into()),
            ("work", self.work.as_str().into()),
            ("outputs", Value::Map(self.how.outputs.clone())),
            ("failure", self.how.failure.clone().into()),
        ])
    }
}

impl Control {
    /// Says how work has ended that is done by hand, as [`Engine::complete`](crate::Engine::complete).
    ///
    /// # Errors
    ///
    /// As [`Control::submit`].
    pub fn complete(&mut self, workflow: WorkflowId, work: &str, how: Completion, by: By) -> Result<Answer, Error> {
        let work = work.to_owned();
        self.accepted(&ControlRequest::Complete(Box::new(Completing { workflow, work, how, by: by.with_id() })))
    }

    /// Approves what waits for it, as [`Engine::approve`](crate::Engine::approve).
    ///
    /// # Errors
    ///
    /// As [`Control::submit`].
    pub fn approve(&mut self, workflow: WorkflowId, work: &str, approver: Approver) -> Result<Answer, Error> {
        self.accepted(&ControlRequest::Approve(answering(workflow, work, approver)))
    }

    /// Rejects what waits for an approval, as [`Engine::reject`](crate::Engine::reject).
    ///
    /// # Errors
    ///
    /// As [`Control::submit`].
    pub fn reject(&mut self, workflow: WorkflowId, work: &str, approver: Approver) -> Result<Answer, Error> {
        self.accepted(&ControlRequest::Reject(answering(workflow, work, approver)))
    }

    /// Lets nothing new begin in a workflow, as [`Engine::pause`](crate::Engine::pause).
    ///
    /// # Errors
    ///
    /// As [`Control::submit`].
    pub fn pause(&mut self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        self.accepted(&ControlRequest::Pause(Asking { workflow, by: by.with_id() }))
    }

    /// Has a paused workflow go on, as [`Engine::resume`](crate::Engine::resume).
    ///
    /// # Errors
    ///
    /// As [`Control::submit`].
    pub fn resume(&mut self, workflow: WorkflowId, by: By) -> Result<Answer, Error> {
        self.accepted(&ControlRequest::Resume(Asking { workflow, by: by.with_id() }))
    }
}

fn answering(workflow: WorkflowId, work: &str, approver: Approver) -> Box<Answering> {
    let approver = Approver { by: approver.by.with_id(), ..approver };
    Box::new(Answering { workflow, work: work.to_owned(), approver })
}
