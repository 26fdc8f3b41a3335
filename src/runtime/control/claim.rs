//! Alternatives of a deferred choice that are claimed over a control socket.

use serde::Deserialize;

use crate::ids::WorkflowId;
use crate::runtime::error::Error;
use crate::runtime::inbox::Answer;
use crate::runtime::start::By;
use crate::value::{Map, Value};

use super::caller::Control;
use super::request::{ControlRequest, RequestError, body, id, map};

/// A claim, as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claiming {
    /// Of which workflow.
    pub(super) workflow: WorkflowId,
    /// Which alternative: `STAGE`, `STAGE#N`.
    pub(super) work: String,
    /// Who claims it, why, and under which id.
    pub(super) by: By,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimFields {
    workflow: String,
    command: String,
    actor: String,
    reason: Option<String>,
    work: String,
}

impl Claiming {
    /// The request with these fields.
    pub(super) fn read(verb: &str, fields: &Value) -> Result<ControlRequest, RequestError> {
        let ClaimFields { workflow, command, actor, reason, work } = body(verb, fields)?;
        let by = By { actor, reason, id: Some(id(verb, &command)?) };
        Ok(ControlRequest::Claim(Box::new(Claiming { workflow: id(verb, &workflow)?, work, by })))
    }

    /// The fields of the request.
    pub(super) fn fields(&self) -> Map {
        map([
            ("workflow", self.workflow.to_string().into()),
            ("command", self.by.id.map(|id| id.to_string()).into()),
            ("actor", self.by.actor.as_str().into()),
            ("reason", self.by.reason.clone().into()),
            ("work", self.work.as_str().into()),
        ])
    }
}

impl Control {
    /// Chooses an alternative of a deferred choice, as [`Engine::claim`](crate::Engine::claim).
    ///
    /// # Errors
    ///
    /// As [`Control::submit`].
    pub fn claim(&mut self, workflow: WorkflowId, work: &str, by: By) -> Result<Answer, Error> {
        let work = work.to_owned();
        self.accepted(&ControlRequest::Claim(Box::new(Claiming { workflow, work, by: by.with_id() })))
    }
}
