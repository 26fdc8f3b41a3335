//! Every course of a small net, looked at without any help: what the checker and the rule of OR-joins are held against.

use std::collections::{BTreeMap, BTreeSet};

use crate::definition::{Definition, Join};
use crate::event::{Actor, Consumed, EndReason, Event, Report};
use crate::ids::{ActivationId, ArcIndex, StageIndex, WorkflowId};
use crate::machine::{Answers, Batch, Command, Correlated, Outcomes, Request, State, decide, evolve};
use crate::status::Status;
use crate::value::Map;

use super::course::{ORIGIN, creation_of};
use super::notation::line;

/// What was met in the courses of a net.
#[derive(Clone, Debug, Default)]
pub(crate) struct Courses {
    /// States that differ.
    pub(crate) states: usize,
    /// Ended in a deadlock, or with tokens left.
    pub(crate) is_stuck: bool,
    /// From somewhere no end can be reached.
    pub(crate) is_endless: bool,
    /// Two tokens on an arc to an AND-join, or two activations of a stage with an XOR-join.
    pub(crate) is_ambiguous: bool,
    /// Two tokens on any arc, two activations of any stage, or a token on an arc from which one that lives has
    /// taken one.
    pub(crate) is_unsafe: bool,
    /// OR-joins that started without a token on some arc.
    pub(crate) started_with_less: usize,
    /// A course in which an OR-join lived when a token came to an arc from which it had none.
    pub(crate) early: Option<String>,
}

/// A net on its way, with the arcs from which what lives has taken its tokens.
#[derive(Clone)]
struct Place {
    state: State,
    taken: BTreeMap<ActivationId, Vec<ArcIndex>>,
}

/// What is looked at beyond an OR-join that was early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Beyond {
    #[default]
    Everything,
    Nothing,
}

/// Goes every way there is: whatever is asked for succeeds, in every order and with every answer. `None` if there are
/// more than so many states.
pub(crate) fn courses(definition: &Definition, beyond: Beyond, most: usize) -> Option<Courses> {
    let mut search = Search { beyond, ..Search::default() };
    let state = State::new(WorkflowId::from_parts(ORIGIN, 1), definition.clone());
    let begin = Place { state, taken: BTreeMap::new() };
    let create = Request::Create(creation_of(definition, &Map::new()));
    let mut ahead = search.follow(None, &begin, &create);
    while let Some((at, place)) = ahead.pop() {
        for request in place.state.possible(Outcomes::Orderly) {
            let Request::ReportTask(told) = &request else { continue };
            if told.report == Report::Succeeded {
                ahead.extend(search.follow(Some(at), &place, &request));
            }
        }
        if search.known.len() > most {
            return None;
        }
    }
    search.courses.states = search.known.len();
    search.courses.is_endless = search.is_endless();
    Some(search.courses)
}

#[derive(Default)]
struct Search {
    beyond: Beyond,
    known: BTreeMap<Vec<u8>, usize>,
    /// How each state was first come to.
    steps: Vec<(Option<usize>, Batch)>,
    ways: Vec<(usize, usize)>,
    ends: BTreeSet<usize>,
    courses: Courses,
}

impl Search {
    /// Does what is requested, with every answer; the states that are new.
    fn follow(&mut self, from: Option<usize>, before: &Place, request: &Request) -> Vec<(usize, Place)> {
        let mut new = Vec::new();
        let mut scripts = vec![Vec::new()];
        while let Some(script) = scripts.pop() {
            let command = Command { now: ORIGIN, id: None, actor: Actor::Engine, request: request.clone() };
            let mut answers = Answers::scripted(&script, &Correlated::default());
            let mut decided = before.state.clone();
            let batch = decide(&mut decided, &command, &mut answers).expect("it was possible");
            if answers.is_open() {
                scripts.extend([false, true].map(|answer| script.iter().copied().chain([answer]).collect()));
                continue;
            }
            let mut place = before.clone();
            let is_early = batch.events().iter().fold(false, |before, event| {
                // What follows is no fault of the net, and is not looked at.
                let stops = before && self.beyond == Beyond::Nothing;
                let early = if stops { None } else { self.happen(&mut place, event) };
                if let Some((arc, stage)) = early {
                    let story = self.story(&place.state, from, &batch);
                    self.courses.early.get_or_insert_with(|| story + &format!("a token comes to {arc:?} of {stage:?}"));
                }
                before || early.is_some()
            });
            if is_early && self.beyond == Beyond::Nothing {
                continue;
            }
            let mut key = place.state.key(3);
            for (id, arcs) in &place.taken {
                key.extend(id.stage.get().to_le_bytes());
                arcs.iter().for_each(|arc| key.extend(arc.get().to_le_bytes()));
            }
            let next = self.known.len();
            let at = *self.known.entry(key).or_insert(next);
            self.ways.extend(from.map(|from| (from, at)));
            if at < next {
                continue;
            }
            self.steps.push((from, batch));
            if place.state.is_closed() {
                self.ends.insert(at);
            } else {
                new.push((at, place));
            }
        }
        new
    }

    /// All events on the way to the end of this batch, a line each, as far as it has one.
    fn story(&self, state: &State, mut from: Option<usize>, last: &Batch) -> String {
        let mut batches = vec![last];
        while let Some((before, batch)) = from.and_then(|from| self.steps.get(from)) {
            batches.push(batch);
            from = *before;
        }
        let events = batches.into_iter().rev().flat_map(Batch::events);
        events.map(|event| line(event, state.definition(), ORIGIN) + "\n").collect()
    }

    /// What an event changes; the arc and its OR-join, if a token has come to it too late.
    fn happen(&mut self, place: &mut Place, event: &Event) -> Option<(ArcIndex, StageIndex)> {
        evolve(&mut place.state, event).expect("it was decided so");
        let definition = place.state.definition().clone();
        let graph = definition.graph();
        match event {
            Event::StageStarted { activation, consumed, .. } => {
                let stage = graph.stage(activation.stage);
                let arcs = if let Consumed::Arcs(arcs) = consumed { arcs } else { &stage.incoming };
                let is_less = stage.join == Join::Or && arcs.len() < stage.incoming.len();
                self.courses.started_with_less += usize::from(is_less);
                place.taken.insert(*activation, arcs.clone());
            }
            Event::StageEnded { activation, .. } => drop(place.taken.remove(activation)),
            Event::WorkflowEnded { status, reason, .. } => {
                let is_stuck = matches!(reason, Some(EndReason::Deadlock { .. } | EndReason::OrJoinCycle { .. }));
                self.courses.is_stuck |= is_stuck || *status != Status::Succeeded;
            }
            Event::TokensLeft { .. } => self.courses.is_stuck = true,
            _ => (),
        }
        self.look(place)
    }

    fn look(&mut self, place: &Place) -> Option<(ArcIndex, StageIndex)> {
        let definition = place.state.definition().clone();
        let graph = definition.graph();
        let mut lying: BTreeMap<ArcIndex, usize> = BTreeMap::new();
        place.state.tokens().for_each(|(_, arc, _)| *lying.entry(arc).or_default() += 1);
        let mut live: BTreeMap<StageIndex, Vec<ActivationId>> = BTreeMap::new();
        place.state.live().for_each(|id| live.entry(id.stage).or_default().push(id));
        let (mut early, mut is_met) = (None, false);
        for arc in lying.keys() {
            let stage = graph.arc(*arc).to;
            for id in live.get(&stage).into_iter().flatten() {
                let is_taken = place.taken.get(id).is_some_and(|arcs| arcs.contains(arc));
                if graph.stage(stage).join == Join::Or && !is_taken {
                    early = Some((*arc, stage));
                } else {
                    is_met = true;
                }
            }
        }
        if early.is_some() && self.beyond == Beyond::Nothing {
            return early;
        }
        let is_join = |stage: StageIndex, join| graph.stage(stage).join == join;
        let twice_lying = || lying.iter().filter(|(_, tokens)| **tokens > 1).map(|(arc, _)| graph.arc(*arc).to);
        let twice_live = || live.iter().filter(|(_, ids)| ids.len() > 1).map(|(stage, _)| *stage);
        self.courses.is_unsafe |= is_met || twice_lying().next().is_some() || twice_live().next().is_some();
        self.courses.is_ambiguous |= twice_lying().any(|stage| is_join(stage, Join::And));
        self.courses.is_ambiguous |= twice_live().any(|stage| is_join(stage, Join::Xor));
        early
    }

    fn is_endless(&self) -> bool {
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); self.known.len()];
        self.ways.iter().for_each(|(from, to)| before[*to].push(*from));
        let mut met = self.ends.clone();
        let mut ahead: Vec<usize> = self.ends.iter().copied().collect();
        while let Some(at) = ahead.pop() {
            ahead.extend(before[at].iter().copied().filter(|from| met.insert(*from)));
        }
        met.len() < self.known.len()
    }
}

impl Courses {
    /// Can every course come to an end, with nothing left?
    pub(crate) fn is_sound(&self) -> bool {
        !self.is_stuck && !self.is_endless
    }
}
