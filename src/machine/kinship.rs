//! What of the ways behind tokens and activations a rewind can see, for the checker (R21): for each stage to which
//! jumps rewind, which of them descend from which of its activations, in the order of their numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ids::{ActivationId, ScopeId, StageIndex};

use super::past::Past;
use super::state::State;
use super::trail::{Taken, Trail};

/// The activations from which something may descend, by their stage.
pub(super) struct Kinship(BTreeMap<StageIndex, BTreeSet<u32>>);

impl State {
    /// The activations that anything in the scope names; `None` where no jump rewinds.
    pub(super) fn kinship(&self, scope: ScopeId) -> Option<Kinship> {
        if !self.rewinds() {
            return None;
        }
        let mut kinship =
            Kinship(self.definition.graph().rewound_to().iter().map(|to| (*to, BTreeSet::new())).collect());
        self.ways(scope).for_each(|(past, trail)| kinship.add_way(past, trail));
        for ((of, _), record) in &self.core.joins {
            record.arrived.iter().filter(|_| *of == scope).for_each(|taken| kinship.add_taken(taken));
        }
        if let Some(scope) = self.core.scopes.get(&scope) {
            kinship.add_trail(&scope.trail);
            scope.absorbing.values().for_each(|absorbing| kinship.add(&absorbing.past));
            scope.withdrawals.values().for_each(|(_, past)| kinship.add(past));
        }
        Some(kinship)
    }

    /// What the scope itself remembers for a rewind.
    pub(super) fn key_of_rewinds(&self, id: ScopeId, key: &mut Vec<u8>) {
        let (Some(kinship), Some(scope)) = (self.kinship(id), self.core.scopes.get(&id)) else { return };
        for (_, arc, token) in self.core.marking.iter().filter(|(of, _, _)| *of == id) {
            key.extend(arc.get().to_le_bytes());
            kinship.tell_way(&token.past, token.trail.as_ref(), key);
        }
        for ((_, stage), record) in self.core.joins.iter().filter(|((of, _), _)| *of == id) {
            key.extend(stage.get().to_le_bytes());
            key.extend(record.held.to_le_bytes());
            record.arrived.iter().for_each(|taken| kinship.tell_taken(taken, key));
        }
        kinship.tell_gathered(&scope.trail, key);
        for (stage, absorbing) in &scope.absorbing {
            key.extend(stage.get().to_le_bytes());
            kinship.tell(&absorbing.past, key);
            kinship.tell_itself(absorbing.to, key);
        }
        for (region, (by, past)) in &scope.withdrawals {
            key.extend(region.get().to_le_bytes());
            kinship.tell(past, key);
            kinship.tell_itself(*by, key);
        }
    }
}

impl Kinship {
    fn add(&mut self, past: &Past) {
        for (stage, numbers) in &mut self.0 {
            numbers.extend(past.get(*stage).map(|ended| ended.activation.number));
        }
    }

    fn add_taken(&mut self, taken: &Taken) {
        self.add_way(&taken.token.past, taken.token.trail.as_ref());
    }

    fn add_trail(&mut self, trail: &Trail) {
        let targets: Vec<StageIndex> = self.0.keys().copied().collect();
        targets.iter().filter_map(|stage| trail.origins.get(*stage)).for_each(|origin| self.add(&origin.past));
        trail.gathered.iter().flat_map(|gathering| &gathering.taken).for_each(|taken| self.add_taken(taken));
    }

    fn add_way(&mut self, past: &Past, trail: Option<&Arc<Trail>>) {
        self.add(past);
        if let Some(trail) = trail {
            self.add_trail(trail);
        }
    }

    /// From which of them it descends, and which it names.
    fn tell(&self, past: &Past, key: &mut Vec<u8>) {
        for (stage, numbers) in &self.0 {
            let named = past.get(*stage).map(|ended| ended.activation.number);
            for number in numbers {
                let descends = past.descends_from(ActivationId::new(*stage, *number));
                key.push(u8::from(descends) + 2 * u8::from(named == Some(*number)));
            }
            key.push(u8::MAX);
        }
    }

    /// Which of them it is.
    fn tell_itself(&self, id: ActivationId, key: &mut Vec<u8>) {
        let numbers = self.0.get(&id.stage);
        key.extend(numbers.into_iter().flatten().map(|number| u8::from(*number == id.number)));
    }

    fn tell_taken(&self, taken: &Taken, key: &mut Vec<u8>) {
        key.extend(taken.arc.get().to_le_bytes());
        self.tell_way(&taken.token.past, taken.token.trail.as_ref(), key);
    }

    fn tell_gathered(&self, trail: &Trail, key: &mut Vec<u8>) {
        for gathering in trail.gathered.iter().filter(|gathering| !gathering.taken.is_empty()) {
            key.extend(gathering.activation.stage.get().to_le_bytes());
            self.tell_itself(gathering.activation, key);
            gathering.taken.iter().for_each(|taken| self.tell_taken(taken, key));
        }
        key.push(u8::MAX);
    }

    /// What a rewind sees of this way.
    pub(super) fn tell_way(&self, past: &Past, trail: Option<&Arc<Trail>>, key: &mut Vec<u8>) {
        self.tell(past, key);
        let Some(trail) = trail else { return };
        for stage in self.0.keys() {
            match trail.origins.get(*stage) {
                Some(origin) => self.tell(&origin.past, key),
                None => key.push(u8::MAX),
            }
        }
        self.tell_gathered(trail, key);
    }
}
