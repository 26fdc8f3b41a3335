//! OR-joins: they start with what has come when nothing more can, and so need a look at the whole marking.
//!
//! What may still come is the matter of `outlook`. Terms: Russell et al., "Workflow Control-Flow Patterns: A Revised
//! View", 2006, patterns 7, 37 and 38.

use crate::definition::Join;
use crate::event::{Consumed, Event};
use crate::ids::{ScopeId, StageIndex};
use crate::limits::LISTED_MAX;
use crate::machine::outlook::{self, Outlook, Question, Waiting};
use crate::machine::state::State;

use super::{Decision, join};

/// Would the OR-join start now? Nothing is kept of the look.
pub(super) fn fires(state: &State, waiting: Waiting) -> bool {
    let (seen, unseen) = outlook::arcs(state, waiting);
    !seen.is_empty()
        && join::holds_back(state, waiting.scope, waiting.join).is_none()
        && !Outlook::of(state, waiting, Question::More, (&seen, &unseen)).is_open()
}

/// What the OR-join consumes if it starts now; `None` if it has to wait.
fn enabled(state: &mut State, waiting: Waiting) -> Option<Consumed> {
    let Waiting { scope, join: stage } = waiting;
    let n_marked = state.core.marking.marked(scope, stage);
    if n_marked == 0 || join::holds_back(state, scope, stage).is_some() {
        return None;
    }
    if n_marked == state.definition.graph().stage(stage).incoming.len() {
        return Some(Consumed::OnePerArc);
    }
    (!outlook::is_open(state, waiting, Question::More)).then(|| Consumed::Arcs(outlook::arcs(state, waiting).0))
}

/// OR-joins at the end of a scope in which nothing else can move.
enum Stuck {
    /// Nothing that could serve this one is left but tokens that never move.
    Alone(StageIndex),
    /// Each of these waits for others of them.
    Circle(Vec<StageIndex>),
}

impl Decision<'_> {
    /// Starts the OR-join if it does not have to wait.
    pub(super) fn fire_if_enabled(&mut self, waiting: Waiting) -> bool {
        let consumed = enabled(self.state, waiting);
        let fires = consumed.is_some();
        consumed.into_iter().for_each(|consumed| self.fire(waiting.scope, waiting.join, consumed));
        fires
    }

    /// Nothing lives and nothing moves: an OR-join that waits for no other starts with what has come.
    pub(super) fn force_an_or_join(&mut self, scope: ScopeId) -> bool {
        let Some(Stuck::Alone(stage)) = self.stuck(scope) else { return false };
        self.push(Event::JoinForced { scope, stage });
        let (seen, _) = outlook::arcs(self.state, Waiting { scope, join: stage });
        self.fire(scope, stage, Consumed::Arcs(seen));
        true
    }

    /// The OR-joins that wait for each other, where nothing lives and nothing moves.
    pub(super) fn or_join_circle(&self, scope: ScopeId) -> Option<Vec<StageIndex>> {
        match self.stuck(scope)? {
            Stuck::Alone(_) => None,
            Stuck::Circle(stages) => Some(stages),
        }
    }

    fn stuck(&self, scope: ScopeId) -> Option<Stuck> {
        let graph = self.state.definition.graph();
        let marked = self.state.core.marking.marked_stages(scope);
        let waiting: Vec<StageIndex> = marked.filter(|stage| graph.stage(*stage).join == Join::Or).collect();
        // By their places: for which others each of them waits.
        let mut waits_for: Vec<Vec<usize>> = Vec::with_capacity(waiting.len());
        for join in &waiting {
            let at = Waiting { scope, join: *join };
            let (seen, unseen) = outlook::arcs(self.state, at);
            let outlook = Outlook::of(self.state, at, Question::More, (&seen, &unseen));
            let others = (0..waiting.len()).filter(|other| waiting[*other] != *join);
            let others: Vec<usize> = others.filter(|other| outlook.leads_through(waiting[*other])).collect();
            if others.is_empty() {
                return Some(Stuck::Alone(*join));
            }
            waits_for.push(others);
        }
        if waiting.is_empty() {
            return None;
        }
        Some(Stuck::Circle(circle(&waits_for).into_iter().take(LISTED_MAX).map(|place| waiting[place]).collect()))
    }
}

/// Places that all wait for each other and for nobody else.
fn circle(waits_for: &[Vec<usize>]) -> Vec<usize> {
    let reachable = |from: usize| {
        let mut met = vec![false; waits_for.len()];
        let mut ahead = vec![from];
        while let Some(at) = ahead.pop() {
            for next in &waits_for[at] {
                if !std::mem::replace(&mut met[*next], true) {
                    ahead.push(*next);
                }
            }
        }
        met
    };
    let mut at = 0;
    loop {
        let met = reachable(at);
        let beyond = (0..met.len()).find(|other| met[*other] && !reachable(*other)[at]);
        match beyond {
            Some(other) => at = other,
            None => return (0..met.len()).filter(|place| met[*place]).collect(),
        }
    }
}
