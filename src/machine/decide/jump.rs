//! Jumps: a task sends control to another stage of its block (R14).
//!
//! The token of a jump lies on an arc of its own and starts the target whatever its join. What the join had gathered
//! goes along; what comes too late for it is absorbed.

use crate::definition::{ArcKind, Join, JumpMode};
use crate::event::{CancelCause, Consumed, Emitted, Event, LeftTokens, Rewound};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, ArcIndex, ScopeId, StageIndex, TaskId};
use crate::limits::LISTED_MAX;
use crate::machine::state::State;
use crate::status::Status;

use super::join::holds_back;
use super::stage::failure_status;
use super::{Decision, generations, rewind};

/// What the stage would consume now for a jump that leads to it; `None` if none does, or it has to wait.
pub(super) fn enabled(state: &State, scope: ScopeId, stage: StageIndex) -> Option<Consumed> {
    let graph = state.definition.graph();
    let marking = &state.core.marking;
    let jump = graph.jumps_to(stage).iter().find(|arc| marking.is_marked(scope, **arc))?;
    if holds_back(state, scope, stage).is_some() {
        return None;
    }
    let spec = graph.stage(stage);
    let (arcs, mut others): (Vec<ArcIndex>, Vec<ArcIndex>) = match spec.join {
        // Each token that comes to them is another activation.
        Join::Xor | Join::MultiMerge => Default::default(),
        Join::And | Join::Or | Join::GeneralizedAnd | Join::Discriminator | Join::NOfM | Join::ThreadMerge => {
            spec.incoming.iter().partition(|arc| marking.is_marked(scope, **arc))
        }
    };
    let n_forward = spec.incoming.iter().filter(|arc| graph.arc(**arc).kind != ArcKind::Back).count();
    let absorbs = matches!(spec.join, Join::And | Join::Or | Join::Discriminator | Join::NOfM) && n_forward > 1;
    // What a generation has had already that has fired does not come late for the next.
    others.retain(|arc| !generations::has_had(state, scope, stage, *arc));
    Some(Consumed::Jump { jump: *jump, arcs, absorbed: if absorbs { others } else { Vec::new() } })
}

impl Decision<'_> {
    /// A task sends control to `target`. Its activation ends here, whatever it had still to do.
    pub(super) fn jump(&mut self, task: TaskId, target: &str) -> Result<(), Failure> {
        let source = task.activation;
        let arc = self.jump_arc(source, target)?;
        let rewound = self.rewound(source, arc)?;
        let (status, error) = (Status::Succeeded, None);
        self.push(Event::TaskEnded { task, status, error: None });
        self.push(Event::JumpExecuted { source, arc, rewound });
        let emitted = Emitted::Arcs(vec![arc]);
        self.push(Event::StageEnded { activation: source, status, emitted, outputs: None, error });
        Ok(())
    }

    /// What is undone for a jump, if it goes back and rewinds.
    fn rewound(&self, source: ActivationId, arc: ArcIndex) -> Result<Option<Box<Rewound>>, Failure> {
        let graph = self.state.definition.graph();
        if graph.stage(source.stage).jump_mode == JumpMode::Move {
            return Ok(None);
        }
        let target = graph.arc(arc).to;
        let Some(to) = self.state.rewound_to(source, target) else { return Ok(None) };
        let rewound = rewind::plan(self.state, source, to);
        if rewind::is_too_much(&rewound) {
            let (code, class) = (ErrorCode::LIMIT_JUMP, ErrorClass::Permanent);
            let message =
                format!("a jump back to {} would undo more than {LISTED_MAX} things", graph.stage(target).ref_id);
            return Err(Failure::new(code, class, message));
        }
        Ok(Some(Box::new(rewound)))
    }

    /// The task cannot jump: its failure.
    pub(super) fn refuse_jump(&mut self, task: TaskId, error: Failure) {
        let on_failure = self.state.definition.graph().task(task.activation.stage, task.task).on_failure;
        self.end_task(task, failure_status(on_failure), Some(error));
    }

    /// The arc over which control goes.
    fn jump_arc(&self, source: ActivationId, target: &str) -> Result<ArcIndex, Failure> {
        let permanent = |code, message| Err(Failure::new(code, ErrorClass::Permanent, message));
        let graph = self.state.definition.graph();
        let spec = graph.stage(source.stage);
        let shown: String = target.chars().take(80).collect();
        if source.instance.is_some() {
            let message = format!("an instance of {} jumps to {shown}", spec.ref_id);
            return permanent(ErrorCode::JUMP_OUT_OF_SCOPE, message);
        }
        let found = graph.stage_index(target);
        let declared = spec.jumps.iter().copied().find(|arc| Some(graph.arc(*arc).to) == found);
        let beside = found.filter(|other| spec.jumps_anywhere && graph.stage(*other).block() == spec.block());
        let Some(arc) = declared.or_else(|| graph.jump_from_anywhere(beside?)) else {
            let other = found.filter(|other| graph.stage(*other).block() != spec.block());
            let (own, among) = (&spec.ref_id, if spec.jumps_anywhere { "the stages" } else { "its jump_targets" });
            return match other {
                Some(_) => permanent(
                    ErrorCode::JUMP_OUT_OF_SCOPE,
                    format!("{own} jumps to {shown}, which does not stand in its block"),
                ),
                None => {
                    permanent(ErrorCode::UNDECLARED_JUMP, format!("{own} jumps to {shown}, which is not among {among}"))
                }
            };
        };
        if self.state.core.jumps >= graph.max_jumps {
            let message =
                format!("the workflow has jumped {} times, as often as its max_jumps allows", graph.max_jumps);
            return permanent(ErrorCode::LOOP_LIMIT, message);
        }
        let way = graph.arc(arc);
        let scope = &self.state.core.scopes[&self.state.core.live[&source].scope];
        if let Some(most) =
            way.max_iterations.filter(|most| scope.iterations.get(&arc).is_some_and(|turns| turns >= most))
        {
            let message = format!("{} has jumped to {shown} {most} times", spec.ref_id);
            return permanent(ErrorCode::LOOP_LIMIT, message);
        }
        if graph.stage(way.to).incoming.len() > LISTED_MAX {
            let message = format!("{shown} has more than {LISTED_MAX} incoming arcs");
            return permanent(ErrorCode::LIMIT_JUMP, message);
        }
        let most = self.state.definition.limits().tokens_max;
        if self.state.core.marking.count() + 1 > most {
            return permanent(ErrorCode::LIMIT_TOKENS, format!("a workflow holds at most {most} tokens"));
        }
        Ok(arc)
    }

    /// Takes away a token that comes too late, behind a jump.
    pub(super) fn absorb(&mut self, scope: ScopeId, stage: StageIndex) -> bool {
        let Some(absorbing) = self.state.core.scopes.get(&scope).and_then(|scope| scope.absorbing.get(&stage)) else {
            return false;
        };
        let to = absorbing.to;
        let is_late = |arc: &&ArcIndex| {
            let token = self.state.core.marking.oldest(scope, **arc);
            token.is_some_and(|token| token.past.get(stage).is_none_or(|known| known.activation.number < to.number))
        };
        let Some(arc) = absorbing.arcs.iter().find(is_late).copied() else { return false };
        let removed = vec![LeftTokens { arc, tokens: 1 }];
        self.push(Event::TokensRemoved { scope, removed, cause: CancelCause::Jump { to } });
        true
    }
}
