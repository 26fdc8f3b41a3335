//! What lies behind a token: for each stage, the newest activation that ended on its way here (R11).
//!
//! Nodes remember which keys may stand below them, once somebody has asked, so that looking one up does not cost the
//! length of the past.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::Json;
use crate::failure::Failure;
use crate::ids::{ActivationId, StageIndex, TaskIndex};
use crate::status::Status;

use super::instances::Gathered;
pub(crate) use super::trie::Remembered;
use super::trie::{Branch, Child, Leaf, Trie};

/// An activation that has ended, as its descendants see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// Which one.
    pub(crate) activation: ActivationId,
    /// 1 + the greatest depth of the activations whose tokens it consumed.
    pub(crate) depth: u32,
    /// How it ended.
    pub(crate) status: Status,
    /// What its tasks gave, in their order.
    pub(crate) tasks: Vec<TaskResult>,
    /// What lies behind the threads that ended inside it, before its own work and in the last turn of its loop.
    pub(crate) inside: Past,
    /// The same of what was done behind its own work.
    pub(crate) behind: Past,
    /// What `outputs:` of the stage gave.
    pub(crate) outputs: Option<Json>,
    /// Why it failed, where no task of it did.
    pub(crate) error: Option<Failure>,
    /// What its instances gave, where it has several.
    pub(crate) instances: Option<Arc<Gathered>>,
    /// The older ones of its stage that it descends from, where a jump may rewind to that.
    pub(crate) line: Line,
    /// The keys of its outputs, once they were looked for.
    #[serde(skip)]
    pub(crate) keys: Remembered<Keys>,
}

impl Ended {
    /// Is what it gave kept here? Not of one that was canceled from outside.
    pub(crate) fn is_whole(&self) -> bool {
        self.status != Status::Canceled || !self.tasks.is_empty()
    }

    /// Why it failed, if it did.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.error.as_ref().or_else(|| self.tasks.iter().rev().find_map(|task| task.error.as_ref()))
    }

    fn keys(&self) -> Keys {
        *self.keys.0.get_or_init(|| {
            let jsons = self.tasks.iter().map(|task| &task.outputs).chain(&self.outputs);
            let inside = self.inside.keys().or(self.behind.keys());
            let own = jsons.filter(|json| !json.is_empty()).map(Keys::of_map).fold(inside, Keys::or);
            let Some(instances) = &self.instances else { return own };
            instances.told().map(|ended| ended.keys()).fold(own.or(Keys::of("instances")), Keys::or)
        })
    }
}

/// A set of keys, about: a key that is in it is never missed, one that is not may seem to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keys(u64);

impl Keys {
    const NONE: Keys = Keys(0);
    const ANY: Keys = Keys(u64::MAX);

    /// The set of this key.
    pub(crate) fn of(key: &str) -> Keys {
        // FNV-1a; only the same key has to give the same bit.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        let hash = key.bytes().fold(0xCBF2_9CE4_8422_2325, mix);
        Keys(1 << (hash >> 58))
    }

    fn of_map(json: &Json) -> Keys {
        // What cannot be read is looked at by whoever asks, and gives its error there.
        json.to_map().map_or(Keys::ANY, |map| map.keys().map(|key| Keys::of(key)).fold(Keys::NONE, Keys::or))
    }

    fn or(self, other: Keys) -> Keys {
        Keys(self.0 | other.0)
    }

    fn meets(self, other: Keys) -> bool {
        self.0 & other.0 != 0
    }
}

/// What a task of an activation gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TaskResult {
    /// Which task; `None` is the jump that began the activation.
    pub(crate) task: Option<TaskIndex>,
    /// How it ended.
    pub(crate) status: Status,
    /// Its outputs; empty unless it succeeded or went on after a failure.
    pub(crate) outputs: Json,
    /// Why it failed, if it did.
    pub(crate) error: Option<Failure>,
    /// Its last attempt, 0 if there was none.
    pub(crate) dispatch: u32,
    /// How often it has ended in this activation: more than once in a loop of tasks.
    pub(crate) turn: u32,
}

impl TaskResult {
    /// How the task ended last.
    pub(crate) fn last_of(results: &[TaskResult], task: TaskIndex) -> Option<&TaskResult> {
        results.iter().find(|result| result.task == Some(task))
    }

    /// The number of the first attempt of a task, behind those that it had in earlier turns of a loop.
    pub(super) fn first_dispatch(results: &[TaskResult], task: TaskIndex) -> u32 {
        TaskResult::last_of(results, task).map_or(0, |last| last.dispatch).saturating_add(1)
    }

    /// The turn of a task that has not ended in it.
    pub(crate) fn turn_of(results: &[TaskResult], task: TaskIndex) -> u32 {
        TaskResult::last_of(results, task).map_or(0, |last| last.turn).saturating_add(1)
    }
}

/// For each stage, the newest activation that ended on the way here.
pub(crate) type Past = Trie<Arc<Ended>>;

/// What stands below a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    keys: Keys,
    /// Depth of the deepest activation.
    deepest: u32,
}

impl Leaf for Arc<Ended> {
    type Summary = Summary;
    const NOTHING: Summary = Summary { keys: Keys::NONE, deepest: 0 };

    fn activation(&self) -> ActivationId {
        self.activation
    }

    fn summary(&self) -> Summary {
        Summary { keys: self.keys(), deepest: self.depth }
    }

    fn both(one: Summary, other: Summary) -> Summary {
        Summary { keys: one.keys.or(other.keys), deepest: one.deepest.max(other.deepest) }
    }
}

impl Past {
    /// The keys of all outputs on the way here.
    fn keys(&self) -> Keys {
        self.root.as_ref().map_or(Keys::NONE, |root| root.summary().keys)
    }

    /// Of the activations on the way here whose outputs have `key`, as `holds` says, the one that comes last in the
    /// order of depth and definition. Asks only those that may have it.
    pub(crate) fn newest_with(&self, key: &str, holds: &dyn Fn(&Ended) -> bool) -> Option<&Arc<Ended>> {
        let mut newest = None;
        if let Some(root) = &self.root {
            search(root, Keys::of(key), holds, &mut newest);
        }
        newest
    }

    /// Is the activation on the way here, or one before a newer one of its stage that is?
    pub(crate) fn descends_from(&self, from: ActivationId) -> bool {
        self.get(from.stage)
            .is_some_and(|newest| newest.activation.number == from.number || newest.line.contains(from.number))
    }
}

/// The union that was made last: stages that wait for the same stages begin one after the other, and make the same one.
///
/// No part of a state. Kept no longer than the batch in which it was made.
#[derive(Clone, Debug, Default)]
pub(super) struct LastUnion(Option<Box<(Vec<Past>, Past)>>);

impl LastUnion {
    /// The past of something that has all these pasts.
    pub(super) fn of<'p>(&mut self, pasts: impl Iterator<Item = &'p Past> + Clone) -> Past {
        if let Some((known, union)) = self.0.as_deref()
            && known.iter().map(Past::place).eq(pasts.clone().map(Past::place))
        {
            return union.clone();
        }
        let mut union = Past::empty();
        pasts.clone().for_each(|past| union.union(past));
        if pasts.clone().nth(1).is_some() {
            self.0 = Some(Box::new((pasts.cloned().collect(), union.clone())));
        }
        union
    }

    /// Nothing is remembered.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}

/// From the last stage to the first: what is found later is newer only if it is deeper.
fn search<'p>(
    branch: &'p Branch<Arc<Ended>>,
    key: Keys,
    holds: &dyn Fn(&Ended) -> bool,
    newest: &mut Option<&'p Arc<Ended>>,
) {
    for child in branch.children.iter().rev() {
        let Summary { keys, deepest } = child.summary();
        if !keys.meets(key) || newest.is_some_and(|newest| deepest <= newest.depth) {
            continue;
        }
        match child {
            Child::Branch(branch) => search(branch, key, holds, newest),
            Child::Leaf(ended) if holds(ended) => *newest = Some(ended),
            Child::Leaf(_) => (),
        }
    }
}

/// The activations of its own stage that an activation descends from, as runs of numbers; kept only of stages to which
/// jumps rewind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line(Option<Arc<[(u32, u32)]>>);

impl Line {
    /// That of an activation with this past.
    pub(crate) fn of(stage: StageIndex, past: &Past) -> Line {
        let Some(newest) = past.get(stage) else { return Line::default() };
        let number = newest.activation.number;
        let mut runs = newest.line.0.as_deref().unwrap_or_default().to_vec();
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            Some(_) | None => runs.push((number, number)),
        }
        Line(Some(Arc::from(runs)))
    }

    fn contains(&self, number: u32) -> bool {
        let runs = self.0.as_deref().unwrap_or_default();
        let place = runs.partition_point(|(_, last)| *last < number);
        runs.get(place).is_some_and(|(first, _)| *first <= number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::value::{Map, Value};

    const KEYS: [&str; 3] = ["k", "l", "m"];

    #[test]
    fn a_union_that_adds_nothing_is_what_was_there() {
        let all: Vec<(u32, u32)> = (0..2_000).map(|stage| (stage, 2)).collect();
        let whole = past(&all);
        for less in [past(&all), past(&all[100..200]), past(&[(7, 1)]), Past::empty()] {
            let mut union = whole.clone();
            union.union(&less);
            assert_eq!(union.place(), whole.place());
        }
    }

    #[test]
    fn the_same_union_is_made_once() {
        let (one, other) = (past(&[(1, 1), (40, 1)]), past(&[(2, 1), (40, 2)]));
        let mut last = LastUnion::default();
        let union = last.of([&one, &other].into_iter());
        assert_eq!(listed(&union), BTreeMap::from([(1, 1), (2, 1), (40, 2)]));
        assert_eq!(last.of([&one.clone(), &other.clone()].into_iter()).place(), union.place());
        // What is the same by its entries only, and what has more or fewer parts, is made anew.
        let again = past(&[(1, 1), (40, 1)]);
        assert_eq!(listed(&last.of([&other, &again].into_iter())), listed(&union));
        assert_eq!(listed(&last.of([&again].into_iter())), listed(&again));
        assert_eq!(last.of([].into_iter()), Past::empty());
    }

    fn ended(stage: u32, number: u32) -> Arc<Ended> {
        // Depth and outputs are any function of both.
        let outputs = match (stage + number) % 5 {
            0 => None,
            odd => Some(Json::of(&Map::from([(KEYS[odd as usize % 3].to_owned(), Value::from(number))]))),
        };
        Arc::new(Ended {
            activation: ActivationId::new(StageIndex::new(stage), number),
            depth: 1 + stage % 7 + number % 3,
            status: Status::Succeeded,
            tasks: Vec::new(),
            inside: Past::empty(),
            behind: Past::empty(),
            outputs,
            error: None,
            instances: None,
            line: Line::default(),
            keys: Remembered::default(),
        })
    }

    fn past(entries: &[(u32, u32)]) -> Past {
        let mut past = Past::empty();
        for (stage, number) in entries {
            past.insert(ended(*stage, *number));
        }
        past
    }

    fn model(entries: &[(u32, u32)]) -> BTreeMap<u32, u32> {
        let mut model = BTreeMap::new();
        for (stage, number) in entries {
            let newest = model.entry(*stage).or_insert(*number);
            *newest = (*newest).max(*number);
        }
        model
    }

    fn listed(past: &Past) -> BTreeMap<u32, u32> {
        past.iter().map(|ended| (ended.activation.stage.get(), ended.activation.number)).collect()
    }

    /// Mostly close together, so that stages meet; sometimes anywhere.
    fn entries() -> impl Strategy<Value = Vec<(u32, u32)>> {
        prop::collection::vec((prop_oneof![9 => 0_u32..70, 1 => any::<u32>()], 1_u32..5), 0..40)
    }

    proptest! {
        #[test]
        fn a_past_holds_the_newest_activation_of_each_stage(entries in entries()) {
            let past = past(&entries);
            let model = model(&entries);
            prop_assert_eq!(listed(&past), model.clone());
            for (stage, number) in model {
                let found = past.get(StageIndex::new(stage)).map(|ended| ended.activation.number);
                prop_assert_eq!(found, Some(number));
            }
        }

        #[test]
        fn a_union_holds_the_newest_of_both(left in entries(), right in entries()) {
            let mut union = past(&left);
            let before = past(&right);
            union.union(&before);
            let both: Vec<_> = left.iter().chain(&right).copied().collect();
            prop_assert_eq!(listed(&union), model(&both));
            prop_assert_eq!(listed(&before), model(&right));
            prop_assert_eq!(union, past(&both));
        }

        #[test]
        fn the_newest_that_has_a_key_is_found_as_by_looking_at_all(left in entries(), right in entries()) {
            let mut past_of = past(&left);
            let has = |key: &'static str| {
                move |ended: &Ended| ended.outputs.as_ref().is_some_and(|json| json.to_map().unwrap().contains_key(key))
            };
            let by_looking = |past: &Past, key| {
                let place = |ended: &&Arc<Ended>| (ended.depth, ended.activation.stage);
                past.iter().filter(|ended| has(key)(ended)).max_by_key(place).cloned()
            };
            for entries in [&left, &right] {
                // Asked for before and after: what was remembered is forgotten when it changes.
                past_of.union(&past(entries));
                for key in KEYS.into_iter().chain(["missing"]) {
                    prop_assert_eq!(past_of.newest_with(key, &has(key)).cloned(), by_looking(&past_of, key));
                }
                for (stage, number) in &right {
                    past_of.insert(ended(*stage, *number));
                }
            }
        }
    }
}
