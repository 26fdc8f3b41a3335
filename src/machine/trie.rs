//! A persistent map from stages to something about the newest activation of each.
//!
//! A radix trie over the stage index with shared nodes: adding one activation copies a path, joining two tries copies
//! only where they differ, and what stands in it is kept exactly as long as some trie names it. It is as deep as its
//! largest index needs, seven levels at most, so that dropping one never recurses deeply.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::{ActivationId, StageIndex};

/// Bits of the stage index that one level of the trie looks at.
const BITS: u32 = 5;
/// Levels that cover every stage index (7 x 5 bits >= 32 bits).
const LEVELS_MAX: u32 = 7;

/// Something that follows from what stands beside it and is computed once. It makes no difference to anything.
#[derive(Clone, Debug)]
pub(crate) struct Remembered<T>(pub(super) OnceLock<T>);

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

/// What stands in a trie for one stage.
pub(crate) trait Leaf: Clone + Debug {
    /// What nodes remember of all that stands below them.
    type Summary: Copy + Debug;
    /// Of nothing.
    const NOTHING: Self::Summary;

    /// The activation it is about.
    fn activation(&self) -> ActivationId;
    /// Of this alone.
    fn summary(&self) -> Self::Summary;
    /// Of both.
    fn both(one: Self::Summary, other: Self::Summary) -> Self::Summary;
}

/// For each stage what is known of its newest activation.
#[derive(Clone, Debug)]
pub(crate) struct Trie<L: Leaf> {
    pub(super) root: Option<Arc<Branch<L>>>,
    /// Levels of the trie below the root, the root's own among them; 0 where there is none.
    levels: u32,
}

#[derive(Debug)]
pub(super) struct Branch<L: Leaf> {
    /// Bit i is set where there is a child for digit i.
    present: u32,
    pub(super) children: Vec<Child<L>>,
    summary: Remembered<L::Summary>,
}

#[derive(Clone, Debug)]
pub(super) enum Child<L: Leaf> {
    Branch(Arc<Branch<L>>),
    Leaf(L),
}

/// A copy is made to be changed, so it remembers nothing.
impl<L: Leaf> Clone for Branch<L> {
    fn clone(&self) -> Branch<L> {
        #[cfg(test)]
        super::tests::count_work(self.children.len() as u64);
        let mut children = Vec::with_capacity(self.children.len() + 1);
        children.extend(self.children.iter().cloned());
        Branch { present: self.present, children, summary: Remembered::default() }
    }
}

impl<L: Leaf> Default for Branch<L> {
    fn default() -> Branch<L> {
        Branch { present: 0, children: Vec::new(), summary: Remembered::default() }
    }
}

impl<L: Leaf> Default for Trie<L> {
    fn default() -> Trie<L> {
        Trie { root: None, levels: 0 }
    }
}

impl<L: Leaf> Trie<L> {
    /// Nothing is known.
    pub(crate) fn empty() -> Trie<L> {
        Trie::default()
    }

    /// Is nothing known?
    pub(crate) fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// What is known of the newest activation of `stage`.
    pub(crate) fn get(&self, stage: StageIndex) -> Option<&L> {
        let mut branch = self.root.as_ref()?;
        if levels_of(stage) > self.levels {
            return None;
        }
        for level in (0..self.levels).rev() {
            match branch.child(digit(stage, level))? {
                Child::Branch(next) => branch = next,
                Child::Leaf(leaf) => return Some(leaf),
            }
        }
        None
    }

    /// Adds an activation; of two of one stage the greater number stays.
    pub(crate) fn insert(&mut self, leaf: L) {
        self.grow(levels_of(leaf.activation().stage));
        let root = self.root.get_or_insert_with(Arc::default);
        insert(Arc::make_mut(root), leaf, self.levels - 1);
    }

    /// What is known by both; of two activations of one stage the greater number stays.
    pub(crate) fn union(&mut self, other: &Trie<L>) {
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

    /// Everything that is known, by stage index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &L> {
        let mut pending: Vec<&Child<L>> = Vec::new();
        if let Some(root) = &self.root {
            pending.extend(root.children.iter().rev());
        }
        std::iter::from_fn(move || {
            loop {
                match pending.pop()? {
                    Child::Leaf(leaf) => return Some(leaf),
                    Child::Branch(branch) => pending.extend(branch.children.iter().rev()),
                }
            }
        })
    }

    /// Only that of which this is true. Looks at everything.
    pub(crate) fn filtered(&self, is_kept: impl Fn(&L) -> bool) -> Trie<L> {
        if self.iter().all(&is_kept) {
            return self.clone();
        }
        let mut kept = Trie::empty();
        self.iter().filter(|leaf| is_kept(leaf)).for_each(|leaf| kept.insert(leaf.clone()));
        kept
    }

    /// Where its root stands: the same for copies, and for nothing else as long as they are kept.
    pub(super) fn place(&self) -> Option<*const Branch<L>> {
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

impl<L: Leaf> Branch<L> {
    fn child(&self, digit: u32) -> Option<&Child<L>> {
        (self.present & (1 << digit) != 0).then(|| &self.children[self.rank(digit)])
    }

    /// Children before the one for `digit`.
    fn rank(&self, digit: u32) -> usize {
        (self.present & ((1 << digit) - 1)).count_ones() as usize
    }

    pub(super) fn summary(&self) -> L::Summary {
        *self.summary.0.get_or_init(|| self.children.iter().map(Child::summary).fold(L::NOTHING, L::both))
    }
}

impl<L: Leaf> Child<L> {
    pub(super) fn summary(&self) -> L::Summary {
        match self {
            Child::Branch(branch) => branch.summary(),
            Child::Leaf(leaf) => leaf.summary(),
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

fn insert<L: Leaf>(branch: &mut Branch<L>, leaf: L, level: u32) {
    branch.summary = Remembered::default();
    let digit = digit(leaf.activation().stage, level);
    let place = branch.rank(digit);
    if branch.present & (1 << digit) == 0 {
        let child = if level == 0 {
            Child::Leaf(leaf)
        } else {
            let mut below = Branch::default();
            insert(&mut below, leaf, level - 1);
            Child::Branch(Arc::new(below))
        };
        branch.present |= 1 << digit;
        branch.children.insert(place, child);
        return;
    }
    match &mut branch.children[place] {
        Child::Branch(below) => insert(Arc::make_mut(below), leaf, level - 1),
        Child::Leaf(mine) => {
            if leaf.activation().number > mine.activation().number {
                *mine = leaf;
            }
        }
    }
}

/// Does `mine` lack anything of `theirs`? Both are of the same level.
fn lacks<L: Leaf>(mine: &Branch<L>, theirs: &Branch<L>) -> bool {
    let mut left = theirs.present;
    #[cfg(test)]
    super::tests::count_work(1);
    theirs.children.iter().any(|child| {
        let digit = left.trailing_zeros();
        left &= left - 1;
        match (mine.child(digit), child) {
            (None, _) => true,
            (Some(Child::Branch(mine)), Child::Branch(theirs)) => !Arc::ptr_eq(mine, theirs) && lacks(mine, theirs),
            (Some(Child::Leaf(mine)), Child::Leaf(theirs)) => theirs.activation().number > mine.activation().number,
            (Some(Child::Branch(_) | Child::Leaf(_)), _) => false,
        }
    })
}

/// Both are of the same level. A node to which nothing is added stays the same node: tries that have much in common
/// share it, and are united again without a look at what stands below.
fn unite<L: Leaf>(mine: &mut Arc<Branch<L>>, theirs: &Arc<Branch<L>>) {
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
                if theirs.activation().number > mine.activation().number {
                    *mine = theirs.clone();
                }
            }
            (Child::Branch(_), Child::Leaf(_)) | (Child::Leaf(_), Child::Branch(_)) => {
                unreachable!("leaves stand on the last level of every trie")
            }
        }
    }
}

impl<L: Leaf + PartialEq> PartialEq for Trie<L> {
    fn eq(&self, other: &Trie<L>) -> bool {
        match (&self.root, &other.root) {
            (Some(mine), Some(theirs)) if Arc::ptr_eq(mine, theirs) => true,
            (_, _) => self.iter().eq(other.iter()),
        }
    }
}

impl<L: Leaf + Serialize> Serialize for Trie<L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.iter().collect::<Vec<&L>>().serialize(serializer)
    }
}

impl<'de, L: Leaf + Deserialize<'de>> Deserialize<'de> for Trie<L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Trie<L>, D::Error> {
        let mut trie = Trie::empty();
        for leaf in Vec::<L>::deserialize(deserializer)? {
            trie.insert(leaf);
        }
        Ok(trie)
    }
}
