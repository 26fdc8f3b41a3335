//! What events say of scopes: what is opened and closed inside an activation, and what lies there.

use crate::definition::{BlockId, Graph, StagePhase};
use crate::event::cause::{failure, named};
use crate::event::{Envelope, Event};
use crate::ids::ScopeId;
use crate::status::Status;
use crate::value::Value;

use super::Fields;

impl Envelope {
    /// What the event says of timers of tasks, of scopes and of what lies in them.
    pub(super) fn describe_scope(&self, data: &mut Fields<'_>, at: &str) {
        match self.event() {
            Event::TimerSet { timer, due, task } => {
                data.task(*task);
                data.timer(*timer, *due);
            }
            Event::TokensLeft { scope, left } => {
                data.put("left", data.left(left));
                // Of the workflow itself it is not said.
                data.put_some("scope", (*scope != ScopeId::ROOT).then(|| scope.get()));
            }
            Event::ScopeOpened { scope, owner } => {
                data.stage(*owner);
                data.put("scope", scope.get());
                data.put("initial_stage_ids", initial_stages(data.graph, BlockId::of(owner.stage, StagePhase::Body)));
            }
            Event::PhaseStarted { scope, owner, phase, status, error } => {
                data.stage(*owner);
                data.put("scope", scope.get());
                data.put("phase", phase.name());
                data.put("initial_stage_ids", initial_stages(data.graph, BlockId::of(owner.stage, *phase)));
                data.put_some("status", status.map(Status::name));
                data.put_some("error", error.as_ref().map(failure));
            }
            Event::ScopeClosed { scope, owner, status, reason } => {
                data.stage(*owner);
                data.put("scope", scope.get());
                data.end(*status, at.to_owned());
                data.end_reason(reason.as_ref());
            }
            Event::JumpExecuted { source, arc, rewound } => {
                data.stage(*source);
                let ends = data.ends_of(*arc);
                data.put_some("jump", ends.map(Value::map));
                if let Some(rewound) = rewound {
                    data.undone(rewound);
                }
            }
            Event::LoopTested { activation, iteration, value } => {
                data.stage(*activation);
                data.put("iteration", *iteration);
                data.put("value", *value);
            }
            _ => (),
        }
    }
}

/// The stages with which a block begins.
pub(super) fn initial_stages(graph: &Graph, block: BlockId) -> Value {
    let initial = graph.block(block).starts.iter();
    Value::list(initial.map(|arc| named(graph, graph.arc(*arc).to)))
}
