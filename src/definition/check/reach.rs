//! Which stages come before which, for a chosen set of them: a full table would be the square of a large definition.

use std::collections::BTreeSet;

use super::arcs::Connected;

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

    /// What follows `sources`, which are sorted, where stages may stand in circles.
    fn around(sources: &[usize], predecessors: &[Vec<usize>], circles: &[Vec<usize>]) -> Followers {
        let width = sources.len().div_ceil(64);
        let mut followers = Followers { sources: sources.to_vec(), table: vec![0; width * predecessors.len()], width };
        for circle in circles {
            let mut before = vec![0; width];
            for from in circle.iter().flat_map(|stage| &predecessors[*stage]) {
                for (word, known) in before.iter_mut().zip(&followers.table[from * width..]) {
                    *word |= known;
                }
                if let Ok(bit) = sources.binary_search(from) {
                    before[bit / 64] |= 1 << (bit % 64);
                }
            }
            for stage in circle {
                followers.table[stage * width..(stage + 1) * width].copy_from_slice(&before);
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

/// Those of `pairs` that are connected by a path of arcs, those that lead back included.
pub(super) fn connected(pairs: &BTreeSet<Pair>, connected: &Connected) -> BTreeSet<Pair> {
    let sources: BTreeSet<usize> = pairs.iter().map(|pair| pair.earlier).collect();
    let sources: Vec<usize> = sources.into_iter().collect();
    let mut found = BTreeSet::new();
    let both = connected.predecessors.iter().zip(&connected.back_from);
    let predecessors: Vec<Vec<usize>> = both.map(|(needs, back)| [needs.as_slice(), back].concat()).collect();
    let circles = circles(&predecessors);
    for batch in sources.chunks(BATCH) {
        let followers = Followers::around(batch, &predecessors, &circles);
        found.extend(pairs.iter().filter(|pair| followers.contains(**pair)));
    }
    found
}

/// The stages in groups that stand in circles together, or alone; each group behind those that lead to it. Tarjan,
/// "Depth-first search and linear graph algorithms", 1972.
fn circles(predecessors: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let mut seen = vec![UNSEEN; predecessors.len()];
    let mut lowest = vec![0; predecessors.len()];
    let mut is_open = vec![false; predecessors.len()];
    let (mut open, mut found, mut count) = (Vec::new(), Vec::new(), 0);
    for root in 0..predecessors.len() {
        if seen[root] != UNSEEN {
            continue;
        }
        let mut way = vec![(root, 0)];
        while let Some((at, next)) = way.last_mut() {
            let at = *at;
            if *next == 0 {
                (seen[at], lowest[at], is_open[at]) = (count, count, true);
                count += 1;
                open.push(at);
            }
            if let Some(&from) = predecessors[at].get(*next) {
                *next += 1;
                if seen[from] == UNSEEN {
                    way.push((from, 0));
                } else if is_open[from] {
                    lowest[at] = lowest[at].min(seen[from]);
                }
                continue;
            }
            way.pop();
            if let Some((before, _)) = way.last() {
                lowest[*before] = lowest[*before].min(lowest[at]);
            }
            if lowest[at] == seen[at] {
                let first = open.iter().rposition(|stage| *stage == at).unwrap_or(0);
                let circle = open.split_off(first);
                circle.iter().for_each(|stage| is_open[*stage] = false);
                found.push(circle);
            }
        }
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
        let all: Vec<usize> = (0..200).collect();
        let followers = Followers::of(&all, &predecessors, &order);
        assert!((0..200).all(|earlier| followers.contains(Pair { earlier, later: 199 }) == (earlier < 199)));
    }

    #[test]
    fn stages_in_a_circle_follow_each_other_and_themselves() {
        // 0, then 1, 2 and 3 in a circle, then 4; 5 leads to itself, and 6 stands alone.
        let predecessors = [vec![], vec![0, 3], vec![1], vec![2], vec![3], vec![5], vec![]];
        let circles = circles(&predecessors);
        let all: Vec<usize> = (0..7).collect();
        let followers = Followers::around(&all, &predecessors, &circles);
        let after = |earlier: usize| -> Vec<usize> {
            all.iter().copied().filter(|later| followers.contains(Pair { earlier, later: *later })).collect()
        };
        assert_eq!(after(0), [1, 2, 3, 4]);
        assert_eq!([after(1), after(2), after(3)], [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]]);
        assert_eq!([after(4), after(5), after(6)], [vec![], vec![5], vec![]]);
    }
}
