//! What lies behind a token: for each stage, the newest activation that ended on its way here (R11).
//!
//! A persistent radix trie over the stage index with shared nodes: adding one activation copies a path, joining two
//! pasts copies only where they differ, and an ended activation is kept exactly as long as some past names it. The
//! trie is as deep as its largest index needs, seven levels at most, so that dropping one never recurses deeply. Nodes
//! remember which keys may stand below them, once somebody has asked, so that looking one up does not cost the length
//! of the past.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::Json;
use crate::failure::Failure;
use crate::ids::{ActivationId, StageIndex, TaskIndex};
use crate::status::Status;

use super::instances::Gathered;

/// Bits of the stage index that one level of the trie looks at.
const BITS: u32 = 5;
/// Levels that cover every stage index (7 x 5 bits >= 32 bits).
const LEVELS_MAX: u32 = 7;

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
    /// What lies behind the threads that ended inside it, in the last turn of its loop.
    pub(crate) inside: Past,
    /// What `outputs:` of the stage gave.
    pub(crate) outputs: Option<Json>,
    /// Why it failed, where no task of it did.
    pub(crate) error: Option<Failure>,
    /// What its instances gave, where it has several.
    pub(crate) instances: Option<Arc<Gathered>>,
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
            let inside = self.inside.keys();
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

/// Something that follows from what stands beside it and is computed once. It makes no difference to anything.
#[derive(Clone, Debug)]
pub(crate) struct Remembered<T>(OnceLock<T>);

impl<T> Default for Remembered<T> {
    fn default() -> Remembered<T> {
        Remembered(OnceLock::new())
    }
}

impl<T> Remembered<T> {
    /// What is remembered; computed now if it is not yet. A failure is not remembered.
    pub(super) fn get_or_try<E>(&self, compute: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        if let Some(known) = self.0.get() {
            return Ok(known);
        }
        let computed = compute()?;
        Ok(self.0.get_or_init(|| computed))
    }
}

impl<T> PartialEq for Remembered<T> {
    fn eq(&self, _: &Remembered<T>) -> bool {
        true
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
}

/// For each stage, the newest activation that ended on the way here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    root: Option<Arc<Branch>>,
    /// Levels of the trie below the root, the root's own among them; 0 where there is none.
    levels: u32,
}

#[derive(Debug, Default)]
struct Branch {
    /// Bit i is set where there is a child for digit i.
    present: u32,
    children: Vec<Child>,
    summary: Remembered<Summary>,
}

#[derive(Clone, Debug)]
enum Child {
    Branch(Arc<Branch>),
    Leaf(Arc<Ended>),
}

/// What stands below a node.
#[derive(Clone, Copy, Debug)]
struct Summary {
    keys: Keys,
    /// Depth of the deepest activation.
    deepest: u32,
}

/// A copy is made to be changed, so it remembers nothing.
impl Clone for Branch {
    fn clone(&self) -> Branch {
        #[cfg(test)]
        super::tests::count_work(self.children.len() as u64);
        let mut children = Vec::with_capacity(self.children.len() + 1);
        children.extend(self.children.iter().cloned());
        Branch { present: self.present, children, summary: Remembered::default() }
    }
}

impl Past {
    /// Nothing has ended on the way here.
    pub(crate) fn empty() -> Past {
        Past::default()
    }

    /// Has nothing ended on the way here?
    pub(crate) fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// The keys of all outputs on the way here.
    fn keys(&self) -> Keys {
        self.root.as_ref().map_or(Keys::NONE, |root| root.summary().keys)
    }

    /// The newest activation of `stage` on the way here.
    pub(crate) fn get(&self, stage: StageIndex) -> Option<&Arc<Ended>> {
        let mut branch = self.root.as_ref()?;
        if levels_of(stage) > self.levels {
            return None;
        }
        for level in (0..self.levels).rev() {
            match branch.child(digit(stage, level))? {
                Child::Branch(next) => branch = next,
                Child::Leaf(ended) => return Some(ended),
            }
        }
        None
    }

    /// Adds an activation; of two of one stage the greater number stays.
    pub(crate) fn insert(&mut self, ended: Arc<Ended>) {
        self.grow(levels_of(ended.activation.stage));
        let root = self.root.get_or_insert_with(Arc::default);
        insert(Arc::make_mut(root), ended, self.levels - 1);
    }

    /// The past of something that has both pasts; of two activations of one stage the greater number stays.
    pub(crate) fn union(&mut self, other: &Past) {
        match (&self.root, &other.root) {
            (_, None) => (),
            (None, Some(_)) => self.clone_from(other),
            (Some(_), Some(_)) => {
                self.grow(other.levels);
                let mut other = other.clone();
                other.grow(self.levels);
                if let (Some(mine), Some(theirs)) = (&mut self.root, &other.root) {
                    unite(mine, theirs);
                }
            }
        }
    }

    /// Every activation on the way here, by stage index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Ended>> {
        let mut pending: Vec<&Child> = Vec::new();
        if let Some(root) = &self.root {
            pending.extend(root.children.iter().rev());
        }
        std::iter::from_fn(move || {
            loop {
                match pending.pop()? {
                    Child::Leaf(ended) => return Some(ended),
                    Child::Branch(branch) => pending.extend(branch.children.iter().rev()),
                }
            }
        })
    }

    /// Of the activations on the way here whose outputs have `key`, as `holds` says, the one that comes last in the
    /// order of depth and definition. Asks only those that may have it.
    pub(crate) fn newest_with(&self, key: &str, holds: &dyn Fn(&Ended) -> bool) -> Option<&Arc<Ended>> {
        let mut newest = None;
        if let Some(root) = &self.root {
            root.search(Keys::of(key), holds, &mut newest);
        }
        newest
    }

    /// Where its root stands: the same for copies, and for nothing else as long as they are kept.
    fn place(&self) -> Option<*const Branch> {
        self.root.as_ref().map(Arc::as_ptr)
    }

    /// Puts nodes above the root until there are as many levels.
    fn grow(&mut self, levels: u32) {
        if self.root.is_none() {
            self.levels = self.levels.max(levels);
        }
        while self.levels < levels {
            let children = self.root.take().map(Child::Branch).into_iter().collect();
            self.root = Some(Arc::new(Branch { present: 1, children, summary: Remembered::default() }));
            self.levels += 1;
        }
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

impl Branch {
    fn child(&self, digit: u32) -> Option<&Child> {
        (self.present & (1 << digit) != 0).then(|| &self.children[self.rank(digit)])
    }

    /// Children before the one for `digit`.
    fn rank(&self, digit: u32) -> usize {
        (self.present & ((1 << digit) - 1)).count_ones() as usize
    }

    fn summary(&self) -> Summary {
        *self.summary.0.get_or_init(|| {
            let nothing = Summary { keys: Keys::NONE, deepest: 0 };
            self.children.iter().map(Child::summary).fold(nothing, |all, child| Summary {
                keys: all.keys.or(child.keys),
                deepest: all.deepest.max(child.deepest),
            })
        })
    }

    /// From the last stage to the first: what is found later is newer only if it is deeper.
    fn search<'p>(&'p self, key: Keys, holds: &dyn Fn(&Ended) -> bool, newest: &mut Option<&'p Arc<Ended>>) {
        for child in self.children.iter().rev() {
            let Summary { keys, deepest } = child.summary();
            if !keys.meets(key) || newest.is_some_and(|newest| deepest <= newest.depth) {
                continue;
            }
            match child {
                Child::Branch(branch) => branch.search(key, holds, newest),
                Child::Leaf(ended) if holds(ended) => *newest = Some(ended),
                Child::Leaf(_) => (),
            }
        }
    }
}

impl Child {
    fn summary(&self) -> Summary {
        match self {
            Child::Branch(branch) => branch.summary(),
            Child::Leaf(ended) => Summary { keys: ended.keys(), deepest: ended.depth },
        }
    }
}

/// Levels that a trie needs to hold this stage.
fn levels_of(stage: StageIndex) -> u32 {
    let bits = u32::BITS - stage.get().leading_zeros();
    bits.div_ceil(BITS).clamp(1, LEVELS_MAX)
}

/// The digit of the stage index that `level` looks at; level 0 looks at the least significant.
fn digit(stage: StageIndex, level: u32) -> u32 {
    (stage.get() >> (level * BITS)) & ((1 << BITS) - 1)
}

fn insert(branch: &mut Branch, ended: Arc<Ended>, level: u32) {
    branch.summary = Remembered::default();
    let digit = digit(ended.activation.stage, level);
    let place = branch.rank(digit);
    if branch.present & (1 << digit) == 0 {
        let child = if level == 0 {
            Child::Leaf(ended)
        } else {
            let mut below = Branch::default();
            insert(&mut below, ended, level - 1);
            Child::Branch(Arc::new(below))
        };
        branch.present |= 1 << digit;
        branch.children.insert(place, child);
        return;
    }
    match &mut branch.children[place] {
        Child::Branch(below) => insert(Arc::make_mut(below), ended, level - 1),
        Child::Leaf(mine) => {
            if ended.activation.number > mine.activation.number {
                *mine = ended;
            }
        }
    }
}

/// Does `mine` lack anything of `theirs`? Both are of the same level.
fn lacks(mine: &Branch, theirs: &Branch) -> bool {
    let mut left = theirs.present;
    #[cfg(test)]
    super::tests::count_work(1);
    theirs.children.iter().any(|child| {
        let digit = left.trailing_zeros();
        left &= left - 1;
        match (mine.child(digit), child) {
            (None, _) => true,
            (Some(Child::Branch(mine)), Child::Branch(theirs)) => !Arc::ptr_eq(mine, theirs) && lacks(mine, theirs),
            (Some(Child::Leaf(mine)), Child::Leaf(theirs)) => theirs.activation.number > mine.activation.number,
            (Some(Child::Branch(_) | Child::Leaf(_)), _) => false,
        }
    })
}

/// Both are of the same level. A node to which nothing is added stays the same node: pasts that have much in common
/// share it, and are united again without a look at what stands below.
fn unite(mine: &mut Arc<Branch>, theirs: &Arc<Branch>) {
    if Arc::ptr_eq(mine, theirs) || !lacks(mine, theirs) {
        return;
    }
    let target = Arc::make_mut(mine);
    target.summary = Remembered::default();
    let mut left = theirs.present;
    for child in &theirs.children {
        let digit = left.trailing_zeros();
        left &= left - 1;
        let place = target.rank(digit);
        if target.present & (1 << digit) == 0 {
            target.present |= 1 << digit;
            target.children.insert(place, child.clone());
            continue;
        }
        match (&mut target.children[place], child) {
            (Child::Branch(mine), Child::Branch(theirs)) => unite(mine, theirs),
            (Child::Leaf(mine), Child::Leaf(theirs)) => {
                if theirs.activation.number > mine.activation.number {
                    *mine = Arc::clone(theirs);
                }
            }
            (Child::Branch(_), Child::Leaf(_)) | (Child::Leaf(_), Child::Branch(_)) => {
                unreachable!("leaves stand on the last level of every trie")
            }
        }
    }
}

impl PartialEq for Past {
    fn eq(&self, other: &Past) -> bool {
        match (&self.root, &other.root) {
            (Some(mine), Some(theirs)) if Arc::ptr_eq(mine, theirs) => true,
            (_, _) => self.iter().eq(other.iter()),
        }
    }
}

impl Serialize for Past {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.iter().map(Arc::as_ref).collect::<Vec<&Ended>>().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Past {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Past, D::Error> {
        let mut past = Past::empty();
        for ended in Vec::<Ended>::deserialize(deserializer)? {
            past.insert(Arc::new(ended));
        }
        Ok(past)
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
            outputs,
            error: None,
            instances: None,
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
