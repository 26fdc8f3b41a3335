//! Which stages never run at the same time: locks that activations hold, and sections of stages that hold one together.
//! Plain data; the machine does it. Terms: Russell et al., "Workflow Control-Flow Patterns: A Revised View", 2006,
//! patterns 17, 39 and 40.

use std::collections::BTreeSet;

use crate::ids::{LockIndex, SectionIndex, StageIndex};

use super::graph::GraphStage;

/// What a stage excludes from running beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exclusion {
    /// `mutex_key`: held from the start of an activation to its end.
    pub(crate) mutex: Option<String>,
    /// `interleave`: held in the same way, by one activation of the group in a scope.
    pub(crate) interleave: Option<Interleave>,
    /// The section of `critical_sections` it belongs to.
    pub(crate) section: Option<SectionName>,
    /// The locks it needs, ascending. Follows from the above.
    pub(crate) locks: Vec<LockIndex>,
    /// The place of its section. Follows from all stages.
    pub(crate) member_of: Option<SectionIndex>,
}

/// A group of stages that run one after the other, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interleave {
    /// The name of the group.
    pub(crate) group: String,
    /// What is said of their order.
    pub(crate) order: InterleaveOrder,
}

/// What is said of the order of a group of stages that run one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum InterleaveOrder {
    /// As far as they need each other.
    #[default]
    Partial,
    /// Nothing: none of them needs another.
    Any,
}

impl InterleaveOrder {
    /// Every order there is.
    pub(super) const ALL: [InterleaveOrder; 2] = [InterleaveOrder::Partial, InterleaveOrder::Any];

    /// The name as definitions write it.
    pub fn name(self) -> &'static str {
        match self {
            InterleaveOrder::Partial => "partial",
            InterleaveOrder::Any => "any",
        }
    }
}

/// A section, by its key and its name among those of that key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SectionName {
    /// `mutex_key` of the item of `critical_sections`.
    pub(crate) key: String,
    /// Its name there.
    pub(crate) name: String,
}

/// What activations of some stages hold, one of them at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lock {
    /// Whose name it is.
    pub(crate) kind: LockKind,
    /// Its name.
    pub(crate) name: String,
}

/// What a lock comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LockKind {
    /// A `mutex_key`, of stages or of critical sections: one in the whole workflow.
    Key,
    /// The group of an `interleave`: one in each scope.
    Interleave,
}

impl LockKind {
    /// The word people and programs see: `mutex`, `interleave`.
    pub fn name(self) -> &'static str {
        match self {
            LockKind::Key => "mutex",
            LockKind::Interleave => "interleave",
        }
    }
}

/// Stages that hold a lock together, from the start of the first until none of them is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    /// Its name, with its key.
    pub(crate) name: SectionName,
    /// The lock.
    pub(crate) lock: LockIndex,
    /// Its stages, ascending.
    pub(crate) members: Vec<StageIndex>,
}

impl Exclusion {
    /// Is nothing written?
    pub(crate) fn is_none(&self) -> bool {
        self.mutex.is_none() && self.interleave.is_none() && self.section.is_none()
    }

    /// The locks that what is written asks for.
    pub(super) fn wanted(&self) -> impl Iterator<Item = Lock> + '_ {
        let lock = |kind, name: &String| Lock { kind, name: name.clone() };
        let mutex = self.mutex.iter().chain(self.section.iter().map(|section| &section.key));
        let group = self.interleave.iter().map(|interleave| &interleave.group);
        mutex.map(move |name| lock(LockKind::Key, name)).chain(group.map(move |name| lock(LockKind::Interleave, name)))
    }
}

/// Fills in what follows from all stages together: the locks there are, in their order, and the sections.
pub(super) fn find_locks(stages: &mut [GraphStage]) -> (Vec<Lock>, Vec<Section>) {
    let excluding = || stages.iter().filter_map(|stage| stage.exclusion.as_deref());
    let locks: BTreeSet<Lock> = excluding().flat_map(Exclusion::wanted).collect();
    let locks: Vec<Lock> = locks.into_iter().collect();
    let names: BTreeSet<SectionName> = excluding().filter_map(|exclusion| exclusion.section.clone()).collect();
    let place = |lock: &Lock| LockIndex::new(small(locks.binary_search(lock).unwrap_or(0)));
    let mut sections: Vec<Section> = names
        .into_iter()
        .map(|name| {
            let lock = place(&Lock { kind: LockKind::Key, name: name.key.clone() });
            Section { name, lock, members: Vec::new() }
        })
        .collect();
    for (index, stage) in stages.iter_mut().enumerate() {
        let Some(exclusion) = stage.exclusion.as_deref_mut() else { continue };
        let mut needed: Vec<LockIndex> = exclusion.wanted().map(|lock| place(&lock)).collect();
        needed.sort_unstable();
        needed.dedup();
        exclusion.locks = needed;
        let known = exclusion.section.as_ref();
        let section = known.and_then(|name| sections.binary_search_by(|section| section.name.cmp(name)).ok());
        exclusion.member_of = section.map(|section| SectionIndex::new(small(section)));
        if let Some(section) = section {
            sections[section].members.push(StageIndex::new(small(index)));
        }
    }
    (locks, sections)
}

/// A place among stages, of which there are few enough.
fn small(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
