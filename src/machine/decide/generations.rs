//! Joins that count arrivals: discriminators and N out of M (WCP 9, 28 to 32).
//!
//! One arrival, firing or new beginning is one micro-step. Terms: van der Aalst et al., "Workflow Patterns", 2003, and
//! Russell et al., "Workflow Control-Flow Patterns: A Revised View", 2006.

use crate::definition::{Generations, OnUnreachable, ResetOn, Rest};
use crate::event::{Arrival, CancelCause, Consumed, Emitted, Event, LeftTokens, ResetCause};
use crate::failure::{ErrorClass, ErrorCode, Failure};
use crate::ids::{ActivationId, ArcIndex, ScopeId, StageIndex};
use crate::limits::LISTED_MAX;
use crate::machine::generations::JoinRecord;
use crate::machine::outlook::{self, Outlook, Question, Waiting};
use crate::machine::state::State;
use crate::status::Status;

use super::Decision;
use super::end::unserved;
use super::settle::Found;
use super::stage::failure_status;

/// What such a join does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It fires with what has arrived.
    Fire,
    /// Every arc has brought its token: it starts over.
    Reset,
    /// The first token on this arc arrives.
    Arrive(ArcIndex),
    /// A second token has come over this arc, which cannot be.
    Violate(ArcIndex),
}

/// What the join has counted so far.
fn record(state: &State, scope: ScopeId, stage: StageIndex) -> Option<&JoinRecord> {
    state.core.joins.get(&(scope, stage))
}

/// Firing or starting over, if what has arrived is enough for it.
fn due(state: &State, scope: ScopeId, stage: StageIndex, spec: &Generations) -> Option<Next> {
    let record = record(state, scope, stage)?;
    match record.fired {
        None if record.seen.len() >= spec.threshold as usize => Some(Next::Fire),
        Some(_) if record.seen.len() == state.definition.graph().stage(stage).incoming.len() => Some(Next::Reset),
        None | Some(_) => None,
    }
    .filter(|next| *next != Next::Fire || super::join::holds_back(state, scope, stage).is_none())
}

/// What a marked arc means to the join; nothing if its token has to wait.
fn meaning(state: &State, scope: ScopeId, arc: ArcIndex, spec: &Generations) -> Option<Next> {
    let stage = state.definition.graph().arc(arc).to;
    let lying = state.core.marking.lying(scope, arc);
    let record = record(state, scope, stage);
    let seen = record.is_some_and(|record| record.seen.contains(&arc));
    // Until the join fires, what has arrived lies on its arc.
    let counted = usize::from(seen && record.is_some_and(|record| record.fired.is_none()));
    match spec.rest {
        _ if lying <= counted => None,
        _ if !seen => Some(Next::Arrive(arc)),
        Rest::Swallowed { .. } => Some(Next::Violate(arc)),
        Rest::Blocked { .. } | Rest::Withdrawn { .. } => None,
    }
}

/// Would anything happen at this join now, if it counts arrivals? Looks at every arc.
pub(super) fn moves(state: &State, scope: ScopeId, stage: StageIndex, spec: &Generations) -> bool {
    let incoming = &state.definition.graph().stage(stage).incoming;
    due(state, scope, stage, spec).is_some() || incoming.iter().any(|arc| meaning(state, scope, *arc, spec).is_some())
}

/// Has the arc brought its token in a generation that has fired?
pub(super) fn has_had(state: &State, scope: ScopeId, stage: StageIndex, arc: ArcIndex) -> bool {
    record(state, scope, stage).is_some_and(|record| record.fired.is_some() && record.seen.contains(&arc))
}

/// The arcs that have not brought their token in this generation.
pub(super) fn unseen(state: &State, scope: ScopeId, stage: StageIndex) -> Vec<ArcIndex> {
    let incoming = state.definition.graph().stage(stage).incoming.iter().copied();
    let record = record(state, scope, stage);
    incoming.filter(|arc| record.is_none_or(|record| !record.seen.contains(arc))).collect()
}

impl Decision<'_> {
    /// The next thing that happens at a join that counts arrivals.
    pub(super) fn count(&mut self, scope: ScopeId, stage: StageIndex) -> Found {
        let definition = self.state.definition.clone();
        let Some(spec) = &definition.graph().stage(stage).generations else { return Found::Nothing };
        let next = due(self.state, scope, stage, spec).or_else(|| self.next_arrival(scope, stage, spec));
        match next {
            None => return Found::Nothing,
            Some(Next::Fire) => self.fire_counted(scope, stage, spec),
            Some(Next::Reset) => self.reset(scope, stage, ResetCause::Complete),
            Some(Next::Arrive(arc)) => {
                let fired = record(self.state, scope, stage).is_some_and(|record| record.fired.is_some());
                let arrival = if fired { Arrival::Late } else { Arrival::Counted };
                self.push(Event::JoinArrived { scope, arc, arrival });
            }
            Some(Next::Violate(arc)) => self.fail_structure(scope, arc),
        }
        Found::Applied
    }

    /// The first of the arcs with news that means something.
    fn next_arrival(&mut self, scope: ScopeId, stage: StageIndex, spec: &Generations) -> Option<Next> {
        loop {
            let range = (scope, stage, ArcIndex::new(0))..=(scope, stage, ArcIndex::new(u32::MAX));
            let candidate = *self.state.candidates.arrivals.range(range).next()?;
            self.state.candidates.arrivals.remove(&candidate);
            if let Some(next) = meaning(self.state, scope, candidate.2, spec) {
                return Some(next);
            }
        }
    }

    fn fire_counted(&mut self, scope: ScopeId, stage: StageIndex, spec: &Generations) {
        self.fire(scope, stage, Consumed::Held);
        if let Rest::Withdrawn { stages } = &spec.rest {
            self.withdraw(scope, stages);
            self.reset(scope, stage, ResetCause::Cancelling);
        }
    }

    /// Nothing more comes to a join that counts, or too little: it starts over, or gives up.
    pub(super) fn give_up_waiting(&mut self, waiting: Waiting) -> bool {
        let Some(question) = self.state.question(waiting) else { return false };
        if outlook::is_open(self.state, waiting, question) {
            return false;
        }
        let definition = self.state.definition.clone();
        let graph = definition.graph();
        let Waiting { scope, join: stage } = waiting;
        let Some(spec) = &graph.stage(stage).generations else { return false };
        let (seen, unseen) = outlook::arcs(self.state, waiting);
        let unserved = self.state.core.scopes.get(&scope).map_or_else(Default::default, |scope| unserved(graph, scope));
        match (question, &spec.rest) {
            // Of one that waits for all, only a branch that was stopped counts as one that has come (R12).
            (Question::More, Rest::Blocked { reset_on: ResetOn::All })
                if !unseen.iter().all(|arc| unserved.contains(arc)) =>
            {
                return false;
            }
            (Question::Start(_), _) => return false,
            (Question::More, _) => self.reset(scope, stage, ResetCause::Active),
            (Question::Enough(missing), _) => {
                let outlook = Outlook::of(self.state, waiting, question, (&seen, &unseen));
                let comes = |arc: &&ArcIndex| outlook.open_arcs().contains(arc) || unserved.contains(arc);
                // What only stopped branches have made unreachable leaves its tokens (R12).
                if unseen.iter().filter(comes).count() >= missing {
                    return false;
                }
                self.pass_threshold_by((scope, stage), spec, seen.len() + outlook.open_arcs().len());
            }
        }
        true
    }

    /// The threshold cannot be reached: what has arrived begins an activation that fails, or that is passed by.
    fn pass_threshold_by(&mut self, (scope, stage): (ScopeId, StageIndex), spec: &Generations, at_most: usize) {
        let definition = self.state.definition.clone();
        let known = definition.graph().stage(stage);
        let is_withdrawn = self.state.withdrawn_by(scope, stage).is_some();
        let activation = self.begin_without_start(scope, stage, Consumed::Held);
        match spec.on_unreachable {
            // Its region ends it.
            _ if is_withdrawn => {}
            OnUnreachable::Skip => self.pass_by(activation),
            OnUnreachable::Fail => {
                let message = format!("{at_most} arrivals can come, not {}", spec.threshold);
                let error = Failure::new(ErrorCode::THRESHOLD_UNREACHABLE, ErrorClass::Permanent, message);
                self.end_stage(activation, failure_status(known.on_failure), Some(error));
            }
        }
        if let (Rest::Withdrawn { stages }, true) = (&spec.rest, self.state.moves(scope)) {
            self.withdraw(scope, stages);
            self.reset(scope, stage, ResetCause::Cancelling);
        }
    }

    /// The join starts over.
    pub(super) fn reset(&mut self, scope: ScopeId, stage: StageIndex, cause: ResetCause) {
        let generation = record(self.state, scope, stage).map_or(0, |record| record.generation);
        self.push(Event::JoinReset { scope, stage, generation, cause });
    }

    /// Takes the tokens off the arcs to these stages; joins among them that have counted start over.
    fn withdraw(&mut self, scope: ScopeId, stages: &[StageIndex]) {
        let definition = self.state.definition.clone();
        let arcs = stages.iter().flat_map(|stage| &definition.graph().stage(*stage).incoming);
        let lying = |arc: &ArcIndex| u32::try_from(self.state.core.marking.lying(scope, *arc)).unwrap_or(u32::MAX);
        let removed: Vec<LeftTokens> =
            arcs.map(|arc| LeftTokens { arc: *arc, tokens: lying(arc) }).filter(|left| left.tokens > 0).collect();
        for removed in removed.chunks(LISTED_MAX) {
            let (removed, cause) = (removed.to_vec(), CancelCause::Discriminator);
            self.push(Event::TokensRemoved { scope, removed, cause });
        }
        for stage in stages {
            if record(self.state, scope, *stage).is_some_and(|record| !record.is_fresh()) {
                self.reset(scope, *stage, ResetCause::Withdrawn);
            }
        }
    }

    /// An activation of the stage that never starts.
    fn begin_without_start(&mut self, scope: ScopeId, stage: StageIndex, consumed: Consumed) -> ActivationId {
        let number = self.state.core.numbers.get(&stage).copied().unwrap_or(0) + 1;
        let activation = ActivationId::new(stage, number);
        self.push(Event::StageReady { activation, scope, consumed });
        activation
    }

    /// Two tokens came over one arc between two resets, though the definition shows that they cannot: the workflow is
    /// not what it was checked to be, and nobody can say what it means.
    fn fail_structure(&mut self, scope: ScopeId, arc: ArcIndex) {
        let definition = self.state.definition.clone();
        let graph = definition.graph();
        let to = graph.arc(arc).to;
        let from = graph.arc(arc).from.map_or("the start", |from| &graph.stage(from).ref_id);
        let message =
            format!("{from} has brought a second token to {} before its join started over", graph.stage(to).ref_id);
        let error = Some(Failure::new(ErrorCode::STRUCTURE_VIOLATION, ErrorClass::Permanent, message));
        let activation = self.begin_without_start(scope, to, Consumed::Arcs(vec![arc]));
        let (status, emitted) = (Status::Terminal, Emitted::Nothing);
        self.push(Event::StageEnded { activation, status, emitted, outputs: None, error });
    }
}
