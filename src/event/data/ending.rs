//! What the end of a workflow says: why it ended so, what waited then, and what was done before that.

use crate::definition::{BlockId, StagePhase};
use crate::event::cause::named;
use crate::event::{EndReason, Event};
use crate::value::Value;

use super::{Fields, failure, json, scopes};

impl Fields<'_> {
    /// What is done when the workflow ends.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others are described where they are named")]
    pub(super) fn ending(&mut self, event: &Event, at: &str) {
        match event {
            Event::WorkflowEnding { status, reason, outputs } => {
                self.put("status", status.name());
                self.put_some("outputs", outputs.as_ref().map(json));
                self.end_reason(reason.as_ref());
            }
            Event::CompensationStarted { scope, activation } => {
                self.stage(*activation);
                self.put("scope", scope.get());
                let block = BlockId::of(activation.stage, StagePhase::Compensate);
                self.put("initial_stage_ids", scopes::initial_stages(self.graph, block));
            }
            Event::CompensationEnded { scope, activation, status, reason } => {
                self.stage(*activation);
                self.put("scope", scope.get());
                self.end(*status, at.to_owned());
                self.end_reason(reason.as_ref());
            }
            Event::FinallyStarted { scope } => {
                self.put("scope", scope.get());
                self.put("initial_stage_ids", scopes::initial_stages(self.graph, BlockId::FINALLY));
            }
            Event::FinallyEnded { scope, status, reason } => {
                self.put("scope", scope.get());
                self.end(*status, at.to_owned());
                self.end_reason(reason.as_ref());
            }
            _ => (),
        }
    }

    /// Why, if something is to be said.
    pub(super) fn end_reason(&mut self, reason: Option<&EndReason>) {
        let Some(reason) = reason else { return };
        self.put("reason_code", reason.code());
        self.put_some("error", reason.failure(self.graph).as_ref().map(failure));
        match reason {
            EndReason::StageFailed { activation, .. }
            | EndReason::BranchStopped { activation }
            | EndReason::CanceledBy { activation } => {
                self.put_some("stage", self.ref_id(activation.stage));
                self.put("activation", activation.number);
            }
            EndReason::Deadlock { waiting } => {
                let joins = waiting.iter().map(|join| {
                    let stage = Value::from(named(self.graph, join.stage));
                    Value::map([("stage", stage), ("missing", self.arcs(&join.missing))])
                });
                let joins = Value::list(joins);
                self.put("waiting", joins);
            }
            EndReason::OrJoinCycle { stages } => {
                let names = Value::list(stages.iter().map(|stage| named(self.graph, *stage)));
                self.put("waiting", names);
            }
            EndReason::CancelRequested { by, reason } => {
                self.put("canceled_by", by.to_string());
                self.put_some("reason", reason.as_deref());
            }
            EndReason::DeadlineExceeded { deadline } => self.put("deadline", deadline.to_string()),
            EndReason::OutputsFailed { .. } | EndReason::StartTimeExpired => (),
        }
    }
}
