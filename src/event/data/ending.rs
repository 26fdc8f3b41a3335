//! What the end of a workflow says: why it ended so, and what waited then.

use crate::event::EndReason;
use crate::event::cause::named;
use crate::value::Value;

use super::{Fields, failure};

impl Fields<'_> {
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
