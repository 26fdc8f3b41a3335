//! Where control is: tokens on arcs, counted per scope and stage. The Petri net part, no policy.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::definition::Graph;
use crate::event::LeftTokens;
use crate::ids::{ActivationId, ArcIndex, ScopeId, StageIndex};
use crate::time::Timestamp;

use super::past::Past;
use super::signals::GivenSignal;
use super::state::Brought;
use super::threads::Thread;
use super::trail::Trail;

/// Control on an arc. Tokens of one arc are consumed in the order in which they came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Token {
    /// Number of the token in its workflow, from 1.
    pub(super) number: u64,
    /// Depth of the activation that emitted it; 0 for a token of the start.
    pub(super) depth: u32,
    /// What ended on its way here.
    pub(super) past: Past,
    /// The thread it belongs to.
    pub(super) thread: Thread,
    /// When it came to lie here.
    pub(super) since: Timestamp,
    /// The signal that began the thread here.
    pub(super) signal: Option<Arc<GivenSignal>>,
    /// What the jump takes along that it belongs to.
    pub(super) jump: Option<Arc<Brought>>,
    /// What a rewind needs to know of its way here, where jumps rewind.
    pub(super) trail: Option<Arc<Trail>>,
}

impl Token {
    /// A token that lies nowhere yet.
    pub(super) fn new(depth: u32, past: Past, thread: Thread, since: Timestamp) -> Token {
        Token { number: 0, depth, past, thread, since, signal: None, jump: None, trail: None }
    }
}

/// The tokens of a workflow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Marking {
    /// Tokens by scope and arc; an arc without tokens has no entry.
    tokens: BTreeMap<(ScopeId, ArcIndex), VecDeque<Token>>,
    /// How many incoming arcs of a stage hold a token; a stage without has no entry.
    marked: BTreeMap<(ScopeId, StageIndex), u32>,
    /// How many tokens of each group of threads lie on an arc to a merge; a group without has no entry.
    groups: BTreeMap<(ScopeId, ArcIndex, Option<ActivationId>), u32>,
    /// Tokens ever produced.
    produced: u64,
    /// Tokens ever consumed.
    consumed: u64,
    /// Tokens that were left in scopes that are over.
    left: u64,
}

impl Marking {
    /// Puts a new token on `arc`, behind those that lie there; its number is given here.
    pub(super) fn produce(&mut self, graph: &Graph, scope: ScopeId, arc: ArcIndex, token: Token) {
        self.lay(graph, scope, arc, token, VecDeque::push_back);
    }

    /// Puts a new token on `arc`, before those that lie there.
    pub(super) fn produce_first(&mut self, graph: &Graph, scope: ScopeId, arc: ArcIndex, token: Token) {
        self.lay(graph, scope, arc, token, VecDeque::push_front);
    }

    fn lay(
        &mut self,
        graph: &Graph,
        scope: ScopeId,
        arc: ArcIndex,
        token: Token,
        push: fn(&mut VecDeque<Token>, Token),
    ) {
        self.produced += 1;
        let token = Token { number: self.produced, ..token };
        if graph.stage(graph.arc(arc).to).merge_count.is_some() {
            *self.groups.entry((scope, arc, token.thread.group())).or_default() += 1;
        }
        // Mostly there is one: room for more is made when more come.
        let waiting = self.tokens.entry((scope, arc)).or_insert_with(|| VecDeque::with_capacity(1));
        push(waiting, token);
        if waiting.len() == 1 {
            *self.marked.entry((scope, graph.arc(arc).to)).or_default() += 1;
        }
    }

    /// Takes the oldest token from `arc`.
    pub(super) fn consume(&mut self, graph: &Graph, scope: ScopeId, arc: ArcIndex) -> Option<Token> {
        self.take(graph, scope, arc, 0)
    }

    /// The place of the oldest token on `arc` of which this is true, from 0.
    pub(super) fn position(&self, scope: ScopeId, arc: ArcIndex, is_it: impl Fn(&Token) -> bool) -> Option<usize> {
        self.tokens.get(&(scope, arc))?.iter().position(is_it)
    }

    /// Takes the token at this place from `arc`.
    pub(super) fn take(&mut self, graph: &Graph, scope: ScopeId, arc: ArcIndex, at: usize) -> Option<Token> {
        let token = self.tokens.get_mut(&(scope, arc))?.remove(at)?;
        self.count_consumed(graph, scope, arc, &token);
        self.forget_if_empty(graph, scope, arc);
        Some(token)
    }

    /// Takes the `count` oldest tokens of the threads of `group` from `arc`, if there are so many.
    pub(super) fn consume_threads(
        &mut self,
        graph: &Graph,
        (scope, arc): (ScopeId, ArcIndex),
        group: Option<ActivationId>,
        count: u32,
    ) -> Option<Vec<Token>> {
        if count == 0 || self.threads(scope, arc, group) < count {
            return None;
        }
        let waiting = self.tokens.get_mut(&(scope, arc))?;
        let mut taken = Vec::new();
        let mut place = 0;
        while taken.len() < count as usize && place < waiting.len() {
            if waiting[place].thread.group() == group {
                taken.extend(waiting.remove(place));
            } else {
                place += 1;
            }
        }
        for token in &taken {
            self.count_consumed(graph, scope, arc, token);
        }
        self.forget_if_empty(graph, scope, arc);
        Some(taken)
    }

    /// A token was taken from `arc`.
    fn count_consumed(&mut self, graph: &Graph, scope: ScopeId, arc: ArcIndex, token: &Token) {
        self.consumed += 1;
        let to = graph.arc(arc).to;
        if graph.stage(to).merge_count.is_some() {
            let group = (scope, arc, token.thread.group());
            let lying = self.groups.get_mut(&group).expect("threads before a merge are counted");
            *lying -= 1;
            if *lying == 0 {
                self.groups.remove(&group);
            }
        }
    }

    /// An arc that holds nothing any more has no entry.
    fn forget_if_empty(&mut self, graph: &Graph, scope: ScopeId, arc: ArcIndex) {
        let to = graph.arc(arc).to;
        if self.tokens.get(&(scope, arc)).is_some_and(VecDeque::is_empty) {
            self.tokens.remove(&(scope, arc));
            let stage = (scope, to);
            let marked = self.marked.get_mut(&stage).expect("a stage with a marked arc has a count");
            *marked -= 1;
            if *marked == 0 {
                self.marked.remove(&stage);
            }
            if self.tokens.is_empty() {
                // An empty map keeps the room of eleven entries, and most workflows that wait have no token anywhere.
                (self.tokens, self.marked, self.groups) = Default::default();
            }
        }
    }

    /// How many tokens of the threads of `group` lie on `arc`, which leads to a merge.
    pub(super) fn threads(&self, scope: ScopeId, arc: ArcIndex, group: Option<ActivationId>) -> u32 {
        self.groups.get(&(scope, arc, group)).copied().unwrap_or(0)
    }

    /// The group of threads with the most tokens on `arc`, which leads to a merge, and how many these are; of several
    /// the first.
    pub(super) fn largest_group(&self, scope: ScopeId, arc: ArcIndex) -> Option<(Option<ActivationId>, u32)> {
        let groups = self.groups.range((scope, arc, None)..).take_while(|((of, on, _), _)| (*of, *on) == (scope, arc));
        let groups = groups.map(|((_, _, group), lying)| (*group, *lying));
        groups.reduce(|most, next| if next.1 > most.1 { next } else { most })
    }

    /// Takes away what lies in `scope`, which is over.
    pub(super) fn drop_scope(&mut self, scope: ScopeId) {
        let arcs = (scope, ArcIndex::new(0))..=(scope, ArcIndex::new(u32::MAX));
        let over: Vec<(ScopeId, ArcIndex)> = self.tokens.range(arcs).map(|(place, _)| *place).collect();
        for place in over {
            self.left += self.tokens.remove(&place).map_or(0, |tokens| tokens.len() as u64);
        }
        let marked: Vec<StageIndex> = self.marked_stages(scope).collect();
        for stage in marked {
            self.marked.remove(&(scope, stage));
        }
        let groups = self.groups.range((scope, ArcIndex::new(0), None)..).map(|(group, _)| *group);
        for group in groups.take_while(|(of, _, _)| *of == scope).collect::<Vec<_>>() {
            self.groups.remove(&group);
        }
        if self.tokens.is_empty() {
            (self.tokens, self.marked, self.groups) = Default::default();
        }
    }

    /// Does a token lie anywhere in `scope`?
    pub(super) fn is_empty(&self, scope: ScopeId) -> bool {
        self.marked_stages(scope).next().is_none()
    }

    /// The tokens that lie in `scope`.
    pub(super) fn of_scope(&self, scope: ScopeId) -> impl Iterator<Item = &Token> {
        let arcs = (scope, ArcIndex::new(0))..=(scope, ArcIndex::new(u32::MAX));
        self.tokens.range(arcs).flat_map(|(_, tokens)| tokens)
    }

    /// How many incoming arcs of `stage` hold a token.
    pub(super) fn marked(&self, scope: ScopeId, stage: StageIndex) -> usize {
        self.marked.get(&(scope, stage)).map_or(0, |marked| *marked as usize)
    }

    /// How many stages have a token on an incoming arc, in all scopes.
    pub(super) fn n_marked(&self) -> usize {
        self.marked.len()
    }

    /// Does `arc` hold a token?
    pub(super) fn is_marked(&self, scope: ScopeId, arc: ArcIndex) -> bool {
        self.tokens.contains_key(&(scope, arc))
    }

    /// The token on `arc` that came first.
    pub(super) fn oldest(&self, scope: ScopeId, arc: ArcIndex) -> Option<&Token> {
        self.tokens.get(&(scope, arc))?.front()
    }

    /// How many tokens lie on `arc`.
    pub(super) fn lying(&self, scope: ScopeId, arc: ArcIndex) -> usize {
        self.tokens.get(&(scope, arc)).map_or(0, VecDeque::len)
    }

    /// Every arc of `scope` that holds tokens, ascending, with how many.
    pub(super) fn left(&self, scope: ScopeId) -> impl Iterator<Item = LeftTokens> {
        let arcs = self.tokens.range((scope, ArcIndex::new(0))..=(scope, ArcIndex::new(u32::MAX)));
        arcs.map(|((_, arc), tokens)| LeftTokens { arc: *arc, tokens: u32::try_from(tokens.len()).unwrap_or(u32::MAX) })
    }

    /// The first marked one among the incoming arcs of a stage; they stand side by side in the graph.
    pub(super) fn first_marked(&self, scope: ScopeId, incoming: &[ArcIndex]) -> Option<ArcIndex> {
        let (first, last) = (incoming.first()?, incoming.last()?);
        self.tokens.range((scope, *first)..=(scope, *last)).next().map(|((_, arc), _)| *arc)
    }

    /// The marked ones among the incoming arcs of a stage.
    pub(super) fn marked_among(&self, scope: ScopeId, incoming: &[ArcIndex]) -> Vec<ArcIndex> {
        incoming.iter().copied().filter(|arc| self.is_marked(scope, *arc)).collect()
    }

    /// Stages of `scope` with a token on an incoming arc, by index.
    pub(super) fn marked_stages(&self, scope: ScopeId) -> impl Iterator<Item = StageIndex> {
        self.marked
            .range((scope, StageIndex::new(0))..=(scope, StageIndex::new(u32::MAX)))
            .map(|((_, stage), _)| *stage)
    }

    /// Tokens that lie on arcs now.
    pub(crate) fn count(&self) -> u64 {
        self.produced - self.consumed - self.left
    }

    /// Tokens ever produced, tokens ever consumed.
    pub(crate) fn turnover(&self) -> (u64, u64) {
        (self.produced, self.consumed)
    }

    /// When the oldest token on `arc` came to lie there.
    pub(super) fn marked_since(&self, scope: ScopeId, arc: ArcIndex) -> Option<Timestamp> {
        self.tokens.get(&(scope, arc))?.front().map(|token| token.since)
    }

    /// Every token with the arc it lies on.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ScopeId, ArcIndex, &Token)> {
        self.tokens.iter().flat_map(|((scope, arc), tokens)| tokens.iter().map(|token| (*scope, *arc, token)))
    }

    /// Do the counts agree with the tokens they count?
    pub(super) fn is_consistent(&self, graph: &Graph) -> bool {
        let mut marked: BTreeMap<(ScopeId, StageIndex), u32> = BTreeMap::new();
        let mut groups: BTreeMap<(ScopeId, ArcIndex, Option<ActivationId>), u32> = BTreeMap::new();
        for ((scope, arc), tokens) in &self.tokens {
            if tokens.is_empty() || arc.index() >= graph.arcs.len() {
                return false;
            }
            let to = graph.arc(*arc).to;
            *marked.entry((*scope, to)).or_default() += 1;
            for token in tokens.iter().filter(|_| graph.stage(to).merge_count.is_some()) {
                *groups.entry((*scope, *arc, token.thread.group())).or_default() += 1;
            }
        }
        let on_arcs: usize = self.tokens.values().map(VecDeque::len).sum();
        marked == self.marked && groups == self.groups && self.count() == on_arcs as u64
    }
}
