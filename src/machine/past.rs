//! What lies behind a token: for each stage, the newest activation that ended on its way here (R11).
//!
//! A persistent radix trie over the stage index with shared nodes: adding one activation copies a path, joining two
//! pasts copies only where they differ, and an ended activation is kept exactly as long as some past names it. The
//! depth of the trie is bounded by the width of the index, so that dropping one never recurses deeply.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::Json;
use crate::failure::Failure;
use crate::ids::{ActivationId, StageIndex, TaskIndex};
use crate::status::Status;

/// Bits of the stage index that one level of the trie looks at.
const BITS: u32 = 5;
/// Levels that cover every stage index (7 x 5 bits >= 32 bits).
const LEVELS: u32 = 7;

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
    /// What `outputs:` of the stage gave.
    pub(crate) outputs: Option<Json>,
    /// Why it failed, where no task of it did.
    pub(crate) error: Option<Failure>,
}

impl Ended {
    /// Why it failed, if it did.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.error.as_ref().or_else(|| self.tasks.iter().rev().find_map(|task| task.error.as_ref()))
    }
}

/// What a task of an activation gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TaskResult {
    /// Which task.
    pub(crate) task: TaskIndex,
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
}

#[derive(Clone, Debug, Default)]
struct Branch {
    /// Bit i is set where there is a child for digit i.
    present: u32,
    children: Vec<Child>,
}

#[derive(Clone, Debug)]
enum Child {
    Branch(Arc<Branch>),
    Leaf(Arc<Ended>),
}

impl Past {
    /// Nothing has ended on the way here.
    pub(crate) fn empty() -> Past {
        Past::default()
    }

    /// The newest activation of `stage` on the way here.
    pub(crate) fn get(&self, stage: StageIndex) -> Option<&Arc<Ended>> {
        let mut branch = self.root.as_ref()?;
        for level in 0..LEVELS {
            match branch.child(digit(stage, level))? {
                Child::Branch(next) => branch = next,
                Child::Leaf(ended) => return Some(ended),
            }
        }
        None
    }

    /// Adds an activation; of two of one stage the greater number stays.
    pub(crate) fn insert(&mut self, ended: Arc<Ended>) {
        let root = self.root.get_or_insert_with(Arc::default);
        insert(Arc::make_mut(root), ended, 0);
    }

    /// The past of something that has both pasts; of two activations of one stage the greater number stays.
    pub(crate) fn union(&mut self, other: &Past) {
        match (&mut self.root, &other.root) {
            (_, None) => (),
            (mine @ None, theirs) => mine.clone_from(theirs),
            (Some(mine), Some(theirs)) => unite(mine, theirs),
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
}

impl Branch {
    fn child(&self, digit: u32) -> Option<&Child> {
        (self.present & (1 << digit) != 0).then(|| &self.children[self.rank(digit)])
    }

    /// Children before the one for `digit`.
    fn rank(&self, digit: u32) -> usize {
        (self.present & ((1 << digit) - 1)).count_ones() as usize
    }
}

/// The digit of the stage index that `level` looks at, the most significant first.
fn digit(stage: StageIndex, level: u32) -> u32 {
    (stage.get() >> ((LEVELS - 1 - level) * BITS)) & ((1 << BITS) - 1)
}

fn insert(branch: &mut Branch, ended: Arc<Ended>, level: u32) {
    let digit = digit(ended.activation.stage, level);
    let place = branch.rank(digit);
    if branch.present & (1 << digit) == 0 {
        let child = if level + 1 == LEVELS {
            Child::Leaf(ended)
        } else {
            let mut below = Branch::default();
            insert(&mut below, ended, level + 1);
            Child::Branch(Arc::new(below))
        };
        branch.present |= 1 << digit;
        branch.children.insert(place, child);
        return;
    }
    match &mut branch.children[place] {
        Child::Branch(below) => insert(Arc::make_mut(below), ended, level + 1),
        Child::Leaf(mine) => {
            if ended.activation.number > mine.activation.number {
                *mine = ended;
            }
        }
    }
}

fn unite(mine: &mut Arc<Branch>, theirs: &Arc<Branch>) {
    if Arc::ptr_eq(mine, theirs) {
        return;
    }
    let target = Arc::make_mut(mine);
    for digit in 0..(1 << BITS) {
        let Some(child) = theirs.child(digit) else { continue };
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

    fn ended(stage: u32, number: u32) -> Arc<Ended> {
        Arc::new(Ended {
            activation: ActivationId { stage: StageIndex::new(stage), number },
            depth: 1,
            status: Status::Succeeded,
            tasks: Vec::new(),
            outputs: None,
            error: None,
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
        }
    }
}
