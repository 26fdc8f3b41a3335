//! The outlooks of the joins that wait, kept as long as nothing happens that could change them (R3).
//!
//! Each is looked at again when the place at which it looks is left. What stands there mostly moves on along the one
//! way there is, and all that look at it look at the next place then, together.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{ArcIndex, ScopeId, StageIndex};

use super::outlook::{Outlook, Place, Waiting};

/// The outlooks of the joins that wait.
#[derive(Clone, Debug, Default)]
pub(super) struct Outlooks {
    /// Joins to look at.
    due: BTreeSet<Waiting>,
    kept: BTreeMap<Waiting, Kept>,
    /// Which watch looks at a place; at one place there is one.
    places: BTreeMap<(ScopeId, Place), u64>,
    watches: BTreeMap<u64, Watch>,
    /// Watches ever.
    begun: u64,
    /// The same for stages that make a milestone somebody waits for.
    stages: Option<Box<Outlooks>>,
}

#[derive(Clone, Debug, Default)]
struct Kept {
    outlook: Outlook,
    watch: Option<u64>,
}

/// Joins that look at the same place.
#[derive(Clone, Debug)]
struct Watch {
    place: Place,
    joins: BTreeSet<StageIndex>,
}

impl Outlooks {
    /// Those of stages that make milestones.
    pub(super) fn stages(&mut self) -> &mut Outlooks {
        self.stages.get_or_insert_default()
    }

    /// Somebody waits for a milestone about this stage, and it has to be looked at whether it can come.
    pub(super) fn look_for(&mut self, waiting: Waiting) {
        self.stages().due.insert(waiting);
    }

    /// The next stage of a milestone to look at.
    pub(super) fn pop_looked_for(&mut self) -> Option<Waiting> {
        self.stages.as_mut()?.pop()
    }

    /// The join has to be looked at.
    pub(super) fn insert(&mut self, waiting: Waiting) {
        self.due.insert(waiting);
    }

    /// The next join to look at.
    pub(super) fn pop(&mut self) -> Option<Waiting> {
        self.due.pop_first()
    }

    /// Is it known what the join waits for, or is it to be looked at?
    pub(super) fn knows(&self, waiting: Waiting) -> bool {
        self.due.contains(&waiting) || self.kept.contains_key(&waiting)
    }

    /// A token has come to an arc of the join, which held none before.
    pub(super) fn seen(&mut self, waiting: Waiting, arc: ArcIndex) {
        if let Some(kept) = self.kept.get_mut(&waiting) {
            kept.outlook.see(arc);
        }
        self.due.insert(waiting);
    }

    /// The join has counted what came over an arc, if it is known what it waits for.
    pub(super) fn heard(&mut self, waiting: Waiting, arc: ArcIndex) {
        if self.kept.contains_key(&waiting) {
            self.seen(waiting, arc);
        }
    }

    /// What stood at one place has moved on, the only way there is from there; `to` is the stage to which that leads,
    /// if it is an arc.
    pub(super) fn moved(&mut self, scope: ScopeId, from: Place, next: Place, to: Option<StageIndex>) {
        if let Some(stages) = self.stages.as_mut() {
            // Who waits for a milestone may be no reason to wait for it.
            stages.left(scope, from);
        }
        let Some(id) = self.places.remove(&(scope, from)) else { return };
        let Some(watch) = self.watches.get_mut(&id) else { return };
        watch.place = next;
        // A join to which it has come does not wait for it any more.
        if let Some(join) = to.filter(|to| watch.joins.remove(to)) {
            let waiting = Waiting { scope, join };
            if let Some(kept) = self.kept.get_mut(&waiting) {
                kept.outlook.watch(next);
                kept.watch = None;
            }
            self.due.insert(waiting);
        }
        if watch.joins.is_empty() {
            self.watches.remove(&id);
        } else if let Some(other) = self.places.insert((scope, next), id) {
            self.join_watches(scope, id, other);
        }
    }

    /// Two watches have come to look at one place.
    fn join_watches(&mut self, scope: ScopeId, one: u64, other: u64) {
        let size = |id: &u64| self.watches.get(id).map_or(0, |watch| watch.joins.len());
        let (into, from) = if size(&one) < size(&other) { (other, one) } else { (one, other) };
        let Some(Watch { place, joins }) = self.watches.remove(&from) else { return };
        for join in &joins {
            if let Some(kept) = self.kept.get_mut(&Waiting { scope, join: *join }) {
                kept.watch = Some(into);
            }
        }
        if let Some(watch) = self.watches.get_mut(&into) {
            watch.joins.extend(joins);
        }
        self.places.insert((scope, place), into);
    }

    /// A token has left the place, or an activation has ended there.
    pub(super) fn left(&mut self, scope: ScopeId, place: Place) {
        if let Some(stages) = self.stages.as_mut() {
            stages.left(scope, place);
        }
        let Some(watch) = self.places.get(&(scope, place)).and_then(|id| self.watches.get(id)) else { return };
        self.due.extend(watch.joins.iter().map(|join| Waiting { scope, join: *join }));
    }

    /// The stage has taken tokens from several arcs: whoever counted on it to start once more looks anew.
    pub(super) fn gathered(&mut self, scope: ScopeId, stage: StageIndex) {
        if let Some(stages) = self.stages.as_mut() {
            stages.gathered(scope, stage);
        }
        self.forget_those(scope, |outlook| outlook.leads_through(stage));
    }

    /// Not all that could have come from the stage has: whoever counted on it looks anew.
    pub(super) fn chosen(&mut self, scope: ScopeId, stage: StageIndex) {
        if let Some(stages) = self.stages.as_mut() {
            stages.forget(scope);
        }
        self.forget_those(scope, |outlook| outlook.counts_on(stage));
    }

    /// The join asks something else, or an activation of it has ended, of which what it emits may come back.
    pub(super) fn changed(&mut self, waiting: Waiting) {
        self.take(waiting);
        self.due.insert(waiting);
    }

    /// An activation waits for a milestone now: it may be no reason any more to wait for one.
    pub(super) fn held(&mut self, scope: ScopeId) {
        if let Some(stages) = self.stages.as_mut() {
            stages.forget(scope);
        }
    }

    /// Something was taken away: all joins of the scope look anew.
    pub(super) fn forget(&mut self, scope: ScopeId) {
        if let Some(stages) = self.stages.as_mut() {
            stages.forget(scope);
        }
        self.forget_those(scope, |_| true);
    }

    /// Everything is to be looked at anew.
    #[cfg(test)]
    pub(super) fn clear(&mut self) {
        *self = Outlooks::default();
    }

    fn forget_those(&mut self, scope: ScopeId, is_one: impl Fn(&Outlook) -> bool) {
        if self.kept.is_empty() {
            return;
        }
        let whole = Waiting { scope, join: StageIndex::new(0) }..=Waiting { scope, join: StageIndex::new(u32::MAX) };
        let gone = self.kept.range(whole).filter(|(_, kept)| is_one(&kept.outlook));
        for waiting in gone.map(|(waiting, _)| *waiting).collect::<Vec<Waiting>>() {
            self.take(waiting);
            self.due.insert(waiting);
        }
    }

    /// What is known of what the join waits for, which looks nowhere from now on.
    pub(super) fn take(&mut self, waiting: Waiting) -> Option<Outlook> {
        let Kept { mut outlook, watch } = self.kept.remove(&waiting)?;
        if let Some(id) = watch
            && let Some(watch) = self.watches.get_mut(&id)
        {
            outlook.watch(watch.place);
            watch.joins.remove(&waiting.join);
            if watch.joins.is_empty() {
                self.places.remove(&(waiting.scope, watch.place));
                self.watches.remove(&id);
            }
        }
        Some(outlook)
    }

    /// What is closed is kept, too: a join that counts may have nothing to do for that.
    pub(super) fn keep(&mut self, waiting: Waiting, outlook: Outlook) {
        let watch = outlook.watched().map(|place| self.watch(waiting, place));
        self.kept.insert(waiting, Kept { outlook, watch });
    }

    fn watch(&mut self, waiting: Waiting, place: Place) -> u64 {
        let id = *self.places.entry((waiting.scope, place)).or_insert_with(|| {
            self.begun += 1;
            self.begun
        });
        let watch = self.watches.entry(id).or_insert_with(|| Watch { place, joins: BTreeSet::new() });
        watch.joins.insert(waiting.join);
        id
    }
}
