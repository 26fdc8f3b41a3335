//! The last stage that all ways to a stage have in common: its nearest dominator, found in one pass over the order.

/// The nearest dominator of every stage; the start comes before all.
pub(super) struct Dominators {
    /// By place in `places`, one for the start behind the stages: the place of the dominator.
    parents: Vec<usize>,
    /// By place, how many dominators there are; that of the start has none.
    depths: Vec<usize>,
}

impl Dominators {
    /// Those of a graph without circles. `order` has all stages behind those they need.
    pub(super) fn of(predecessors: &[Vec<usize>], order: &[usize]) -> Dominators {
        let start = predecessors.len();
        let mut found = Dominators { parents: vec![start; start + 1], depths: vec![0; start + 1] };
        for &stage in order {
            let mut before = predecessors[stage].iter().copied();
            let first = before.next().unwrap_or(start);
            let parent = before.fold(first, |common, other| found.common(common, other));
            found.parents[stage] = parent;
            found.depths[stage] = found.depths[parent] + 1;
        }
        found
    }

    /// The nearest that dominates both.
    fn common(&self, mut one: usize, mut other: usize) -> usize {
        while one != other {
            if self.depths[one] >= self.depths[other] {
                one = self.parents[one];
            } else {
                other = self.parents[other];
            }
        }
        one
    }

    /// The nearest dominator of `stage`; `None` is the start.
    pub(super) fn parent(&self, stage: usize) -> Option<usize> {
        let start = self.parents.len() - 1;
        Some(self.parents[stage]).filter(|parent| *parent != start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dominator_lies_on_every_way() {
        // 0 -> 1 -> {2, 3} -> 4; 5 -> 3 would open it; 6 needs nothing; 7 needs 4 and 6.
        let predecessors = vec![vec![], vec![0], vec![1], vec![1], vec![2, 3], vec![4], vec![], vec![4, 6]];
        let order = [0, 6, 1, 2, 3, 4, 5, 7];
        let found = Dominators::of(&predecessors, &order);
        let parents: Vec<Option<usize>> = (0..8).map(|stage| found.parent(stage)).collect();
        assert_eq!(parents, [None, Some(0), Some(1), Some(1), Some(1), Some(4), None, None]);
    }
}
