//! Who may still bring a token to an arc: one walk against the arcs, shared by all that ask.
//!
//! Of each path the nearest that lives is named, as what stands behind it can only come through it first. A superset of
//! who will: splits are not foreseen.

use std::collections::{BTreeMap, BTreeSet};

use crate::definition::{ArcKind, Graph, GraphArc};
use crate::ids::{ArcIndex, ScopeId, StageIndex};

use super::decide::fires;
use super::state::State;
use super::wait::{Completeness, Server};

/// Names that are given for one arc: a person reads them.
const NAMED_MAX: usize = 16;

/// The servers of the stages of one scope, each found once.
pub(super) struct Servers<'s> {
    state: &'s State,
    scope: ScopeId,
    /// Numbers of the live activations of the stages that have any.
    live: BTreeMap<StageIndex, Vec<u32>>,
    found: BTreeMap<StageIndex, Found>,
    /// Do arcs lead back?
    has_circles: bool,
}

/// The nearest that live on the paths through a stage.
#[derive(Clone, Default)]
struct Found {
    servers: BTreeSet<Server>,
    is_cut: bool,
}

impl<'s> Servers<'s> {
    pub(super) fn of(state: &'s State, scope: ScopeId) -> Servers<'s> {
        let mut live: BTreeMap<StageIndex, Vec<u32>> = BTreeMap::new();
        let emitting = state.core.live.iter().filter(|(id, _)| state.passes_on(**id));
        for (id, _) in emitting.filter(|(_, activation)| activation.scope == scope) {
            live.entry(id.stage).or_default().push(id.number);
        }
        let leads_back = |arc: &GraphArc| matches!(arc.kind, ArcKind::Back | ArcKind::Jump);
        let has_circles = state.definition.graph().arcs.iter().any(|arc| arc.from.is_some() && leads_back(arc));
        Servers { state, scope, live, found: BTreeMap::new(), has_circles }
    }

    /// Who may bring a token to `arc`.
    pub(super) fn of_arc(&mut self, arc: ArcIndex) -> (Vec<Server>, Completeness) {
        let way = self.graph().arc(arc);
        let Some(from) = way.from else { return (Vec::new(), Completeness::All) };
        let found = if self.has_circles {
            self.around(from, way.to)
        } else {
            self.find(from);
            self.found[&from].clone()
        };
        let completeness = if found.is_cut { Completeness::Some } else { Completeness::All };
        (found.servers.into_iter().collect(), completeness)
    }

    /// The same where arcs lead back: each way is walked until it meets what lives, or the waiting join itself, behind
    /// which nothing comes before that has its tokens.
    fn around(&self, from: StageIndex, join: StageIndex) -> Found {
        let mut found = Found::default();
        let mut met = BTreeSet::from([from]);
        let mut ahead = vec![from];
        while let Some(stage) = ahead.pop() {
            let own = self.own(stage);
            if own.servers.is_empty() {
                if stage != join {
                    ahead.extend(self.before(stage).filter(|before| met.insert(*before)));
                }
                continue;
            }
            found.servers.extend(own.servers);
            found.is_cut |= own.is_cut;
            while found.servers.len() > NAMED_MAX {
                found.servers.pop_last();
                found.is_cut = true;
            }
        }
        found
    }

    fn graph(&self) -> &'s Graph {
        self.state.definition.graph()
    }

    /// Walks back from `stage`, the stages before it first: a path may be longer than a stack is deep.
    fn find(&mut self, stage: StageIndex) {
        let mut open = vec![stage];
        let mut entered = BTreeSet::new();
        while let Some(stage) = open.last().copied() {
            if self.found.contains_key(&stage) {
                open.pop();
                continue;
            }
            let own = self.own(stage);
            let before: Vec<StageIndex> =
                if own.servers.is_empty() { self.before(stage).collect() } else { Vec::new() };
            if entered.insert(stage) {
                open.extend(before.iter().filter(|before| !self.found.contains_key(before)));
                continue;
            }
            let mut found = own;
            for before in before.iter().filter_map(|before| self.found.get(before)) {
                found.servers.extend(&before.servers);
                found.is_cut |= before.is_cut;
                while found.servers.len() > NAMED_MAX {
                    found.servers.pop_last();
                    found.is_cut = true;
                }
            }
            self.found.insert(stage, found);
            open.pop();
        }
    }

    /// What lives at the stage itself.
    fn own(&self, stage: StageIndex) -> Found {
        let numbers = self.live.get(&stage).map_or(&[][..], Vec::as_slice);
        let of = |number: &u32| Server { stage, activation: Some(*number) };
        let mut servers: BTreeSet<Server> = numbers.iter().take(NAMED_MAX).map(of).collect();
        if fires(self.state, self.scope, stage) {
            servers.insert(Server { stage, activation: None });
        }
        Found { servers, is_cut: numbers.len() > NAMED_MAX }
    }

    fn before(&self, stage: StageIndex) -> impl Iterator<Item = StageIndex> + use<'s> {
        self.graph().before(stage)
    }
}
