//! The gaps between layers: which arcs share a way there, and the rows on which they go sideways.
//!
//! Arcs share a way if it stays plain who leads where: those that leave one box, or those between some boxes and some
//! others where each leads to each, as behind a fork and before a join.

use std::collections::{BTreeMap, BTreeSet};

use super::mesh::{Kind, Mesh};

/// An edge of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Edge {
    /// Where the points of the layer above end.
    Top,
    /// Where the points of the layer below begin.
    Bottom,
}

/// Where a wire ends: a point, at an edge of the gap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pin {
    pub(super) point: usize,
    pub(super) edge: Edge,
}

/// The part of an arc in a gap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire {
    /// Where the arc comes from.
    pub(super) source: Pin,
    /// Where it goes.
    pub(super) target: Pin,
    /// Which wires of the gap share their way with it.
    pub(super) net: usize,
    /// The arc, and which of its wires this is.
    pub(super) link: usize,
    pub(super) part: usize,
}

/// The wires between two layers, above the first, or below the last.
#[derive(Debug, Default)]
pub(super) struct Gap {
    pub(super) wires: Vec<Wire>,
    pub(super) nets: usize,
}

/// The gap above each layer, and the one below the last.
pub(super) fn gaps(mesh: &Mesh) -> Vec<Gap> {
    let mut gaps = Vec::new();
    gaps.resize_with(mesh.layers.len() + 1, Gap::default);
    for (link, chain) in mesh.chains.iter().enumerate() {
        for (part, pair) in chain.windows(2).enumerate() {
            let (from, to) = (mesh.points[pair[0]].layer, mesh.points[pair[1]].layer);
            let (gap, source, target) = match from.cmp(&to) {
                std::cmp::Ordering::Less => (to, Edge::Top, Edge::Bottom),
                std::cmp::Ordering::Greater => (from, Edge::Bottom, Edge::Top),
                // An arc that leads back turns round below the box it leaves and above the one it leads to.
                std::cmp::Ordering::Equal if part == 0 => (from + 1, Edge::Top, Edge::Top),
                std::cmp::Ordering::Equal => (from, Edge::Bottom, Edge::Bottom),
            };
            let source = Pin { point: pair[0], edge: source };
            let target = Pin { point: pair[1], edge: target };
            gaps[gap].wires.push(Wire { source, target, net: 0, link, part });
        }
    }
    gaps.iter_mut().for_each(Gap::find_nets);
    gaps
}

impl Gap {
    /// Gives the wires of each group that are plain together one net, and else those of each source.
    fn find_nets(&mut self) {
        let mut by_source: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut by_target: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, wire) in self.wires.iter().enumerate() {
            by_source.entry(wire.source.point).or_default().push(index);
            by_target.entry(wire.target.point).or_default().push(index);
        }
        let mut is_met = vec![false; self.wires.len()];
        for first in 0..self.wires.len() {
            if is_met[first] {
                continue;
            }
            is_met[first] = true;
            let mut group = vec![first];
            let mut next = 0;
            while let Some(&index) = group.get(next) {
                next += 1;
                let wire = self.wires[index];
                for other in by_source[&wire.source.point].iter().chain(&by_target[&wire.target.point]) {
                    if !std::mem::replace(&mut is_met[*other], true) {
                        group.push(*other);
                    }
                }
            }
            self.name_nets(&group);
        }
    }

    fn name_nets(&mut self, group: &[usize]) {
        let ends = |index: &usize| (self.wires[*index].source.point, self.wires[*index].target.point);
        let pairs: BTreeSet<(usize, usize)> = group.iter().map(ends).collect();
        let sources: BTreeSet<usize> = pairs.iter().map(|(source, _)| *source).collect();
        let targets: BTreeSet<usize> = pairs.iter().map(|(_, target)| *target).collect();
        let is_plain = pairs.len() == sources.len() * targets.len();
        let sources: Vec<usize> = sources.into_iter().collect();
        for index in group {
            let wire = &mut self.wires[*index];
            let own = sources.binary_search(&wire.source.point).expect("each wire of the group has its source there");
            wire.net = self.nets + if is_plain { 0 } else { own };
        }
        self.nets += if is_plain { 1 } else { sources.len() };
    }
}

/// Makes boxes wide enough for what ends at them: with every other column free, there is a place for each.
pub(super) fn widen(mesh: &mut Mesh, gaps: &[Gap]) {
    for gap in gaps {
        let ends: BTreeSet<(usize, usize)> = gap
            .wires
            .iter()
            .filter(|wire| mesh.points[wire.target.point].kind == Kind::Box)
            .map(|wire| (wire.target.point, wire.net))
            .collect();
        let mut counts: BTreeMap<usize, u32> = BTreeMap::new();
        ends.iter().for_each(|(point, _)| *counts.entry(*point).or_default() += 1);
        for (point, count) in counts.into_iter().filter(|(_, count)| *count > 1) {
            let point = &mut mesh.points[point];
            point.width = point.width.max(count * 3 + 4) | 1;
        }
    }
}

/// Where a net lies between two columns, and which way it leads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) left: i64,
    pub(super) right: i64,
    /// Where its wires come from, in the middle.
    pub(super) source: i64,
    /// Where they go, in the middle.
    pub(super) target: i64,
}

/// The row of each span, from 0, and how many rows that makes. Spans on one row do not touch; of spans that lead the
/// same way, none is crossed by its neighbour where that can be.
pub(super) fn rows(spans: &[Span]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    // Those that lead to the right and begin furthest there come first: what begins before them passes below.
    order.sort_by_key(|index| {
        let span = spans[*index];
        if span.target >= span.source { (0, -span.source, -span.target) } else { (1, span.source, span.target) }
    });
    let mut columns: Vec<i64> = spans.iter().flat_map(|span| [span.left, span.right + 1]).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut heights = Heights::new(columns.len());
    let mut rows = vec![0; spans.len()];
    for index in order {
        let place = |column: i64| columns.partition_point(|known| *known < column);
        let (left, right) = (place(spans[index].left), place(spans[index].right + 1));
        rows[index] = heights.highest(left, right);
        heights.raise(left, right, rows[index] + 1);
    }
    let count = rows.iter().max().map_or(0, |last| last + 1);
    (rows, count)
}

/// How many rows are taken above each column: a tree over ranges of columns.
struct Heights {
    size: usize,
    /// The largest height below each branch of the tree.
    highest: Vec<usize>,
    /// What everything below each branch has at least.
    least: Vec<usize>,
}

impl Heights {
    fn new(columns: usize) -> Heights {
        let size = columns.next_power_of_two().max(1);
        Heights { size, highest: vec![0; 2 * size], least: vec![0; 2 * size] }
    }

    /// The largest height from `left` to `right`, both included.
    fn highest(&self, left: usize, right: usize) -> usize {
        self.highest_in(1, 0, self.size, left, right)
    }

    fn highest_in(&self, branch: usize, from: usize, size: usize, left: usize, right: usize) -> usize {
        if right < from || from + size <= left {
            return 0;
        }
        if left <= from && from + size <= right + 1 {
            return self.highest[branch];
        }
        let half = size / 2;
        let one = self.highest_in(branch * 2, from, half, left, right);
        let other = self.highest_in(branch * 2 + 1, from + half, half, left, right);
        one.max(other).max(self.least[branch])
    }

    /// Makes heights from `left` to `right`, both included, at least `height`.
    fn raise(&mut self, left: usize, right: usize, height: usize) {
        self.raise_in((1, 0, self.size), left, right, height);
    }

    fn raise_in(&mut self, (branch, from, size): (usize, usize, usize), left: usize, right: usize, height: usize) {
        if right < from || from + size <= left {
            return;
        }
        self.highest[branch] = self.highest[branch].max(height);
        if left <= from && from + size <= right + 1 {
            self.least[branch] = self.least[branch].max(height);
            return;
        }
        let half = size / 2;
        self.raise_in((branch * 2, from, half), left, right, height);
        self.raise_in((branch * 2 + 1, from + half, half), left, right, height);
    }
}
