//! Which stages come before which, for a chosen set of them: a full table would be the square of a large definition.

use std::collections::BTreeSet;

/// Stages at a time whose followers are found; the table of a batch stays within tens of megabytes.
const BATCH: usize = 4_096;

/// A pair of stages, by their places: does a path of arcs lead from the first to the second?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) earlier: usize,
    pub(super) later: usize,
}

/// What follows each of a set of stages.
pub(super) struct Followers {
    /// Sorted.
    sources: Vec<usize>,
    /// Per stage one bit for each source that comes before it.
    table: Vec<u64>,
    /// Words of the table per stage.
    width: usize,
}

impl Followers {
    /// What follows `sources`, which are sorted. `order` has all stages behind those they need.
    pub(super) fn of(sources: &[usize], predecessors: &[Vec<usize>], order: &[usize]) -> Followers {
        let width = sources.len().div_ceil(64);
        let mut followers = Followers { sources: sources.to_vec(), table: vec![0; width * predecessors.len()], width };
        for &stage in order {
            for &from in &predecessors[stage] {
                for word in 0..width {
                    followers.table[stage * width + word] |= followers.table[from * width + word];
                }
                if let Ok(bit) = sources.binary_search(&from) {
                    followers.table[stage * width + bit / 64] |= 1 << (bit % 64);
                }
            }
        }
        followers
    }

    /// Whether a path leads from a source to a stage; false for what is no source.
    pub(super) fn contains(&self, pair: Pair) -> bool {
        let bit = self.sources.binary_search(&pair.earlier);
        bit.is_ok_and(|bit| self.table[pair.later * self.width + bit / 64] >> (bit % 64) & 1 == 1)
    }
}

/// Those of `pairs` that are connected by a path.
pub(super) fn connected(pairs: &BTreeSet<Pair>, predecessors: &[Vec<usize>], order: &[usize]) -> BTreeSet<Pair> {
    let sources: BTreeSet<usize> = pairs.iter().map(|pair| pair.earlier).collect();
    let sources: Vec<usize> = sources.into_iter().collect();
    let mut found = BTreeSet::new();
    for batch in sources.chunks(BATCH) {
        let followers = Followers::of(batch, predecessors, order);
        found.extend(pairs.iter().filter(|pair| followers.contains(**pair)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn followers_are_found_for_more_sources_than_fit_into_a_word() {
        let predecessors: Vec<Vec<usize>> =
            (0..200_usize).map(|stage| stage.checked_sub(1).into_iter().collect()).collect();
        let order: Vec<usize> = (0..200).collect();
        let pairs = [(0, 199), (130, 131), (131, 130), (7, 7)].map(|(earlier, later)| Pair { earlier, later });
        let found = connected(&pairs.into_iter().collect(), &predecessors, &order);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), pairs[..2]);
        let all: Vec<usize> = (0..200).collect();
        let followers = Followers::of(&all, &predecessors, &order);
        assert!((0..200).all(|earlier| followers.contains(Pair { earlier, later: 199 }) == (earlier < 199)));
    }
}
