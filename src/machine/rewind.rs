//! What of the way behind tokens and activations a rewind asks for (R14).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ids::{ActivationId, RegionIndex, ScopeId, StageIndex};

use super::marking::Token;
use super::past::{Line, Past};
use super::state::State;
use super::trail::{Behind, Origin, Taken, Trail};

impl State {
    /// Does the definition declare jumps that rewind? Only then anything is kept for them.
    pub(super) fn rewinds(&self) -> bool {
        !self.definition.graph().rewound_to().is_empty()
    }

    /// The older activations of its stage that one with this past descends from, as far as a rewind may ask.
    pub(super) fn line_of(&self, id: ActivationId, past: &Past) -> Line {
        if self.definition.graph().rewound_to().contains(&id.stage) {
            Line::of(id.stage, past)
        } else {
            Line::default()
        }
    }

    /// The activation of the target of a jump that lies behind its source: what has come from it is undone.
    pub(super) fn rewound_to(&self, source: ActivationId, target: StageIndex) -> Option<ActivationId> {
        if source.stage == target {
            return Some(source);
        }
        Some(self.core.live.get(&source)?.past.get(target)?.activation.owner())
    }

    /// Everything in the scope that knows a way behind it: tokens, what lives, instances without their activation.
    pub(super) fn ways(&self, scope: ScopeId) -> impl Iterator<Item = (&Past, Option<&Arc<Trail>>)> {
        let tokens = self.core.marking.of_scope(scope).map(|token| (&token.past, token.trail.as_ref()));
        let live = self.core.live.iter().filter(move |(id, live)| live.scope == scope && id.instance.is_none());
        let live = live.map(|(_, live)| (&live.past, live.trail.as_ref()));
        let sets = self.core.instances.values().filter(move |set| set.scope == scope && !set.has_owner);
        tokens.chain(live).chain(sets.map(|set| (&set.past, set.trail.as_ref())))
    }

    /// What activations have consumed, where it was several tokens and a way of which `is_asked` is true knows of it,
    /// or the threads that have ended; and what those have that began a generation which has not started over.
    pub(super) fn gathered(
        &self,
        scope: ScopeId,
        is_asked: impl Fn(&Past) -> bool,
    ) -> BTreeMap<ActivationId, &[Taken]> {
        let mut gathered: BTreeMap<ActivationId, &[Taken]> = BTreeMap::new();
        let ended = self.core.scopes.get(&scope).map(|scope| &scope.trail);
        let ways = self.ways(scope).filter(|(past, _)| is_asked(past)).filter_map(|(_, trail)| Some(&**trail?));
        for trail in ways.chain(ended) {
            gathered.extend(trail.gathered.iter().map(|known| (known.activation, known.taken.as_slice())));
        }
        for ((of, stage), record) in &self.core.joins {
            if let Some(number) = record.fired.filter(|_| *of == scope) {
                gathered.insert(ActivationId::new(*stage, number), &record.arrived);
            }
        }
        gathered
    }

    /// What lies behind the token of a jump that rewinds: what lay behind the activation to which it goes back.
    pub(super) fn behind(&self, source: ActivationId, to: ActivationId) -> Option<Behind> {
        let live = self.core.live.get(&source)?;
        let trail = live.trail.as_ref()?;
        if let Some(origin) = trail.origins.get(to.stage).filter(|origin| origin.activation == to) {
            let Origin { depth, past, thread, .. } = &**origin;
            let mut behind = trail.behind(past);
            // The token stands for those that the activation consumed.
            let own = trail.gathered.get(to.stage).filter(|gathering| gathering.activation == to);
            own.into_iter().for_each(|own| behind.gathered.insert(Arc::clone(own)));
            let trail = Some(Arc::new(behind));
            return Some(Behind { depth: *depth, past: past.clone(), thread: thread.clone(), trail });
        }
        // It is known no more: a newer one of its stage has taken its place. What is less deep may lie behind it.
        let depth = live.past.get(to.stage)?.depth;
        let past = live.past.filtered(|ended| ended.depth < depth);
        let trail = Some(Arc::new(trail.behind(&past)));
        Some(Behind { depth: depth.saturating_sub(1), past, thread: live.thread.clone(), trail })
    }

    /// An activation of the scope has canceled a region, and what comes to that later is canceled with it.
    pub(super) fn remember_withdrawal(&mut self, region: RegionIndex, scope: ScopeId, by: Option<ActivationId>) {
        if !self.rewinds() {
            return;
        }
        let by = by.and_then(|by| Some((by, self.core.live.get(&by)?.past.clone())));
        if let (Some(scope), Some(by)) = (self.core.scopes.get_mut(&scope), by) {
            scope.withdrawals.insert(region, by);
        }
    }

    /// A thread of the scope ends with a token, or without: what lies behind it belongs to the scope.
    pub(super) fn end_thread(&mut self, scope: ScopeId, past: &Past, trail: Option<&Arc<Trail>>) {
        if let Some(scope) = self.core.scopes.get_mut(&scope) {
            scope.ended.union(past);
            if let Some(trail) = trail {
                scope.trail.union(trail);
            }
        }
    }

    /// The same of a token.
    pub(super) fn end_thread_of(&mut self, scope: ScopeId, token: &Token) {
        self.end_thread(scope, &token.past, token.trail.as_ref());
    }
}
