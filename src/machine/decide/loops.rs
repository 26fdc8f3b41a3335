//! Loops and the blocks of stages: another turn or none, and the end of what lies inside an activation.

use crate::definition::{BlockId, Loop, LoopTest, OnConditionError, StagePhase};
use crate::event::Event;
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, ScopeId};
use crate::machine::data::Surroundings;
use crate::machine::state::Progress;

use super::stage::failure_status;
use super::{Decision, Site};

impl Decision<'_> {
    /// What is next for the block of an activation: the end of its scope, or a turn. Nothing, if something lives in it
    /// or lies on its arcs.
    pub(super) fn go_on_inside(&mut self, id: ActivationId) -> bool {
        let Some(activation) = self.state.core.live.get(&id) else { return false };
        if self.state.core.instances.contains_key(&id) {
            return self.judge_instances(id);
        }
        match &activation.progress {
            Progress::Turning => self.turn(id),
            Progress::Inside => {
                let Some(open) = activation.inside.as_ref().and_then(|inside| inside.scope) else { return false };
                let is_done = self.state.core.scopes.get(&open).is_some_and(|scope| scope.live == 0)
                    && !self.state.holds_instances(open)
                    && self.state.moves(open)
                    && self.state.core.marking.is_empty(open);
                if !is_done {
                    return false;
                }
                self.close_inside(open, id);
            }
            Progress::Ready(_)
            | Progress::Between { .. }
            | Progress::Open(_)
            | Progress::Instances
            | Progress::CoreEnded
            | Progress::Overdue
            | Progress::Canceling(_) => return false,
        }
        true
    }

    /// A scope inside an activation is over.
    pub(super) fn close_inside(&mut self, scope: ScopeId, owner: ActivationId) {
        let (status, reason) = self.verdict_inside(scope);
        self.list_tokens_left(scope);
        self.push(Event::ScopeClosed { scope, owner, status, reason });
        // What was done before its own work is over.
        self.next_task(owner);
    }

    /// Another turn of a loop, or its end.
    fn turn(&mut self, id: ActivationId) {
        let definition = self.state.definition.clone();
        let stage = definition.graph().stage(id.stage);
        let Some(turns) = stage.body.as_loop() else { return };
        let begun = self.state.core.live[&id].inside.as_ref().map_or(0, |inside| inside.begun);
        if turns.test == LoopTest::Pre || begun > 0 {
            let value = match self.ask(id, begun, turns) {
                Ok(value) => value,
                Err(_) if stage.on_condition_error == OnConditionError::False => false,
                Err(error) => return self.end_stage(id, failure_status(stage.on_failure), Some(error)),
            };
            self.push(Event::LoopTested { activation: id, iteration: begun, value });
            if !turns.condition.goes_on(value) {
                return;
            }
        }
        match self.beyond_limits(id, begun, turns) {
            Some(error) => self.end_stage(id, failure_status(stage.on_failure), Some(error)),
            None => {
                let scope = ScopeId::new(self.state.core.scopes_opened + 1);
                self.push(Event::ScopeOpened { scope, owner: id });
            }
        }
    }

    fn ask(&mut self, id: ActivationId, begun: u32, turns: &Loop) -> Result<bool, Failure> {
        let seen = self.inside_next(id);
        self.answers.holds(Site::Loop(id, begun), turns.condition.expression(), &seen)
    }

    /// Why there cannot be another turn.
    fn beyond_limits(&self, id: ActivationId, begun: u32, turns: &Loop) -> Option<Failure> {
        let permanent = |code, message| Some(Failure::new(code, ErrorClass::Permanent, message));
        let limits = self.state.definition.limits();
        let graph = self.state.definition.graph();
        let ref_id = &graph.stage(id.stage).ref_id;
        if let Some(most) = turns.max_iterations.filter(|most| begun >= *most) {
            return permanent(
                ErrorCode::LOOP_LIMIT,
                format!("loop {ref_id} wants another turn after its max_iterations of {most}"),
            );
        }
        if begun > 0 && self.state.core.instant_turns >= limits.instant_turns_max {
            let most = limits.instant_turns_max;
            return permanent(
                ErrorCode::INSTANT_LOOP,
                format!("{most} turns in which nothing was done outside, the last of {ref_id}"),
            );
        }
        let n_starts = graph.block(BlockId::of(id.stage, StagePhase::Body)).starts.len() as u64;
        if self.state.core.marking.count() + n_starts > limits.tokens_max {
            let message = format!("a workflow holds at most {} tokens", limits.tokens_max);
            return permanent(ErrorCode::LIMIT_TOKENS, message);
        }
        None
    }

    /// What the stages of the next turn will see before anything lies behind them.
    fn inside_next(&self, id: ActivationId) -> Surroundings {
        let around = self.state.around_next(id).expect("a loop that is asked lives");
        Surroundings::within(self.state, around).expect("a live workflow has begun")
    }
}
