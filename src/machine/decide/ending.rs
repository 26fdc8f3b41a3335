//! The end of a workflow before which something is done (R22): compensations, newest completion first and one at a
//! time, then what the workflow does last.

use crate::event::{EndReason, Event, Json};
use crate::ids::ScopeId;
use crate::machine::command::Rejection;
use crate::machine::ending::{Doing, NextPart};
use crate::machine::state::State;
use crate::status::Status;

use super::{Decision, cancel};

/// What is done at the end is ended by force once; before that it is a request for the end like any other.
pub(super) fn refuse_force(state: &State) -> Result<(), Rejection> {
    if state.core.ending.is_none() {
        return cancel::refuse(state);
    }
    let scope = state.doing().and_then(|doing| state.core.scopes.get(&doing.scope));
    match scope {
        Some(scope) if scope.failed.is_none() => Ok(()),
        Some(_) => Err(Rejection::AlreadyCanceling),
        None => Err(Rejection::NothingToForce),
    }
}

impl Decision<'_> {
    /// The workflow ends so, once everything is done that is to be done before that.
    pub(super) fn end_workflow(&mut self, status: Status, reason: Option<EndReason>, outputs: Option<Json>) {
        if self.state.first_part(status).is_some() {
            self.push(Event::WorkflowEnding { status, reason, outputs });
        } else {
            self.list_signals_left();
            self.push(Event::WorkflowEnded { status, reason, outputs });
        }
    }

    /// A workflow that is ending: the part that is over is closed, and the next one begins. Says whether anything has
    /// happened.
    pub(super) fn go_on_ending(&mut self) -> bool {
        match self.state.doing() {
            Some(doing) => self.close_part(doing),
            // Events that never were can ask for an end where something lives.
            None if !self.state.core.live.is_empty() => false,
            None => self.begin_part(),
        }
    }

    fn close_part(&mut self, Doing { scope, undone }: Doing) -> bool {
        let is_open = self.state.core.scopes.get(&scope).is_none_or(|open| open.live > 0);
        if is_open || self.state.holds_instances(scope) {
            return false;
        }
        if self.force_inside(scope) {
            return true;
        }
        let (status, reason) = self.verdict_inside(scope);
        self.list_tokens_left(scope);
        self.push(match undone {
            Some(activation) => Event::CompensationEnded { scope, activation, status, reason },
            None => Event::FinallyEnded { scope, status, reason },
        });
        true
    }

    fn begin_part(&mut self) -> bool {
        let Some(ending) = &self.state.core.ending else { return false };
        let scope = ScopeId::new(self.state.core.scopes_opened + 1);
        match self.state.next_part(ending) {
            Some(_) if self.state.is_paused() => return false,
            Some(NextPart::Compensation(activation)) => self.push(Event::CompensationStarted { scope, activation }),
            Some(NextPart::Finally) => self.push(Event::FinallyStarted { scope }),
            None => {
                let (status, reason, outputs) = (ending.status, ending.reason.clone(), ending.outputs.clone());
                self.list_signals_left();
                self.push(Event::WorkflowEnded { status, reason, outputs });
            }
        }
        true
    }
}
