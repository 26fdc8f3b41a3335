//! Why something was canceled or ended, as words and failures.

use crate::definition::Graph;
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, StageIndex};
use crate::value::Value;

use super::{CancelCause, EndReason, TaskReport, WaitingJoin};

impl CancelCause {
    /// The word people and programs see: `workflow`, `scope_failed`, `deadline`, `stage`, ...
    pub fn name(self) -> &'static str {
        match self {
            CancelCause::Workflow => "workflow",
            CancelCause::ScopeFailed => "scope_failed",
            CancelCause::Deadline => "deadline",
            CancelCause::Stage { .. } => "stage",
            CancelCause::Timer => "timer",
            CancelCause::ExplicitEnd => "explicit_end",
            CancelCause::Region { .. } => "region",
            CancelCause::Discriminator => "discriminator",
            CancelCause::Withdrawn { .. } => "withdrawn",
            CancelCause::Instances => "mi",
            CancelCause::Signal => "signal",
            CancelCause::Jump { .. } => "jump",
            CancelCause::Rewound { .. } => "rewind",
        }
    }

    /// The activation that canceled it, where one did.
    pub fn by(self) -> Option<ActivationId> {
        match self {
            CancelCause::Stage { by } | CancelCause::Withdrawn { winner: by } | CancelCause::Rewound { by } => Some(by),
            CancelCause::Jump { to } => Some(to),
            CancelCause::Workflow
            | CancelCause::ScopeFailed
            | CancelCause::Deadline
            | CancelCause::Timer
            | CancelCause::ExplicitEnd
            | CancelCause::Region { .. }
            | CancelCause::Discriminator
            | CancelCause::Instances
            | CancelCause::Signal => None,
        }
    }
}

impl EndReason {
    /// The failure that ended the workflow; `None` if it was canceled.
    pub(crate) fn failure(&self, graph: &Graph) -> Option<Failure> {
        let permanent = |code, message| Some(Failure::new(code, ErrorClass::Permanent, message));
        match self {
            EndReason::StageFailed { activation, error } => error
                .clone()
                .or_else(|| permanent(ErrorCode::UNKNOWN, format!("stage {} failed", named(graph, activation.stage)))),
            EndReason::Deadlock { waiting } => permanent(ErrorCode::DEADLOCK, deadlock(graph, waiting)),
            EndReason::OrJoinCycle { stages } => {
                let names: Vec<&str> = stages.iter().take(8).map(|stage| named(graph, *stage)).collect();
                permanent(ErrorCode::OR_JOIN_CYCLE, format!("these wait for each other: {}", names.join(", ")))
            }
            EndReason::BranchStopped { activation } => {
                const CODE: ErrorCode = ErrorCode::from_static("BRANCH_STOPPED");
                permanent(CODE, format!("stage {} was stopped", named(graph, activation.stage)))
            }
            EndReason::OutputsFailed { error } => Some(error.clone()),
            EndReason::DeadlineExceeded { deadline } => permanent(
                ErrorCode::DEADLINE_EXCEEDED,
                format!("the workflow had not ended {deadline} after its start"),
            ),
            EndReason::CancelRequested { .. } | EndReason::StartTimeExpired | EndReason::CanceledBy { .. } => None,
        }
    }
}

pub(super) fn named(graph: &Graph, stage: StageIndex) -> &str {
    graph.stages.get(stage.index()).map_or("?", |stage| &stage.ref_id)
}

fn deadlock(graph: &Graph, waiting: &[WaitingJoin]) -> String {
    if waiting.is_empty() {
        return "nothing is left to do, and no stage that ends the workflow has succeeded".to_owned();
    }
    let mut message = String::from("tokens are left that no join can ever consume:");
    for join in waiting {
        let missing = join.missing.iter().filter_map(|arc| graph.arcs.get(arc.index()));
        let missing: Vec<&str> = missing.map(|arc| arc.from.map_or("the start", |from| named(graph, from))).collect();
        message.push_str(&format!(" {} waits for {};", named(graph, join.stage), missing.join(", ")));
    }
    message.pop();
    message
}

/// A failure as a map: class, code, message, causes.
pub(super) fn failure(failure: &Failure) -> Value {
    Value::map([
        ("class", Value::from(failure.class().name())),
        ("code", Value::from(failure.code().as_str())),
        ("message", Value::from(failure.message())),
        ("causes", Value::list(failure.causes().iter().map(String::as_str))),
    ])
}

pub(super) fn told_error(told: &TaskReport) -> Option<Value> {
    told.report.error().map(failure)
}
