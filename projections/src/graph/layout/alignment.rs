//! The column of each point: long arcs straight, boxes over the middle of what they lead to.
//!
//! After Brandes and Köpf: points are tied into columns by their median neighbours in four ways (seen from above or
//! below, from the left or right), each way is packed as far as it goes, and the middle of the four counts. What is
//! tied stays tied, and no way brings neighbours nearer than they may come, so neither does the middle.

use super::crossings::places;
use super::mesh::{Kind, Mesh};

/// Columns between two boxes.
const BETWEEN_BOXES: i64 = 3;

/// Columns between other neighbours.
const BETWEEN_OTHERS: i64 = 1;

#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Above,
    Below,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// The middle column of each point. The leftmost column of all is 0.
pub(super) fn middles(mesh: &Mesh) -> Vec<i64> {
    let places = places(mesh);
    let conflicts = conflicts(mesh, &places);
    let mut ways = Vec::new();
    for from in [From::Above, From::Below] {
        for side in [Side::Left, Side::Right] {
            let roots = tie(mesh, &places, &conflicts, from, side);
            ways.push((side, pack(mesh, &roots, side)));
        }
    }
    level(mesh, &mut ways);
    let middle = |point: usize| {
        let mut columns: Vec<i64> = ways.iter().map(|(_, columns)| columns[point]).collect();
        columns.sort_unstable();
        (columns[1] + columns[2]).div_euclid(2)
    };
    let mut middles: Vec<i64> = (0..mesh.points.len()).map(middle).collect();
    straighten(mesh, &places, &mut middles);
    let (left, _) = extent(mesh, &middles);
    middles.iter_mut().for_each(|middle| *middle -= left);
    middles
}

/// Ties that would cross a long arc, as upper and lower point, sorted: the long arc stays straight.
fn conflicts(mesh: &Mesh, places: &[usize]) -> Vec<(usize, usize)> {
    let is_passing = |point: usize| mesh.points[point].kind != Kind::Box;
    let mut found = Vec::new();
    for layer in &mesh.layers {
        // Between two long arcs from the layer above, only what lies between them there can be tied.
        let mut left = 0;
        let mut scanned = 0;
        for (place, point) in layer.iter().enumerate() {
            let inner = mesh.above[*point].first().filter(|upper| is_passing(*point) && is_passing(**upper));
            let is_last = place + 1 == layer.len();
            if inner.is_none() && !is_last {
                continue;
            }
            let right = inner.map_or(usize::MAX, |upper| places[*upper]);
            for lower in &layer[scanned..=place] {
                for upper in &mesh.above[*lower] {
                    let is_inner = is_passing(*lower) && is_passing(*upper);
                    if !is_inner && (places[*upper] < left || places[*upper] > right) {
                        found.push((*upper, *lower));
                    }
                }
            }
            scanned = place + 1;
            left = if inner.is_some() { right } else { left };
        }
    }
    found.sort_unstable();
    found
}

/// The first point of the column that each point is tied into.
fn tie(mesh: &Mesh, places: &[usize], conflicts: &[(usize, usize)], from: From, side: Side) -> Vec<usize> {
    let mut roots: Vec<usize> = (0..mesh.points.len()).collect();
    let mut is_taken = vec![false; mesh.points.len()];
    let neighbours = if from == From::Above { &mesh.above } else { &mesh.below };
    let count = mesh.layers.len();
    for turn in 0..count {
        let layer = &mesh.layers[if from == From::Above { turn } else { count - 1 - turn }];
        // Behind the last tie: ties do not cross.
        let mut free: Option<usize> = None;
        for index in 0..layer.len() {
            let point = layer[if side == Side::Left { index } else { layer.len() - 1 - index }];
            let mut around = neighbours[point].clone();
            around.sort_unstable_by_key(|other| places[*other]);
            if around.is_empty() {
                continue;
            }
            let medians = [(around.len() - 1) / 2, around.len() / 2];
            let medians = if side == Side::Left { medians } else { [medians[1], medians[0]] };
            for other in medians.map(|median| around[median]) {
                let pair = if from == From::Above { (other, point) } else { (point, other) };
                let is_behind = match (free, side) {
                    (None, _) => true,
                    (Some(last), Side::Left) => places[other] > last,
                    (Some(last), Side::Right) => places[other] < last,
                };
                if roots[point] == point && !is_taken[other] && is_behind && conflicts.binary_search(&pair).is_err() {
                    roots[point] = roots[other];
                    is_taken[other] = true;
                    free = Some(places[other]);
                }
            }
        }
    }
    roots
}

/// How far the middles of two neighbours have to be apart.
fn distance(mesh: &Mesh, left: usize, right: usize) -> i64 {
    let (left, right) = (&mesh.points[left], &mesh.points[right]);
    let between = if left.kind == Kind::Box && right.kind == Kind::Box { BETWEEN_BOXES } else { BETWEEN_OTHERS };
    left.half() + right.half() + 1 + between
}

/// Puts each column as far to this side as its neighbours let it, then back towards them as far as nothing else
/// stands in the way.
fn pack(mesh: &Mesh, roots: &[usize], side: Side) -> Vec<i64> {
    // What stands next to each column on the side it is packed to, and on the other.
    let mut near: Vec<Vec<(usize, i64)>> = vec![Vec::new(); roots.len()];
    let mut far: Vec<Vec<(usize, i64)>> = vec![Vec::new(); roots.len()];
    for layer in &mesh.layers {
        for pair in layer.windows(2) {
            let apart = distance(mesh, pair[0], pair[1]);
            let (left, right) = (roots[pair[0]], roots[pair[1]]);
            let (near_to, far_from) = if side == Side::Left { (left, right) } else { (right, left) };
            far[near_to].push((far_from, apart));
            near[far_from].push((near_to, apart));
        }
    }
    let order = near_first(roots, &near, &far);
    let mut columns = vec![0_i64; roots.len()];
    for root in &order {
        columns[*root] = near[*root].iter().map(|(other, apart)| columns[*other] + apart).max().unwrap_or(0);
    }
    for root in order.iter().rev() {
        let limit = far[*root].iter().map(|(other, apart)| columns[*other] - apart).min();
        columns[*root] = limit.map_or(columns[*root], |limit| limit.max(columns[*root]));
    }
    let sign = if side == Side::Left { 1 } else { -1 };
    (0..roots.len()).map(|point| sign * columns[roots[point]]).collect()
}

/// The columns, each behind all that stand nearer to the side.
fn near_first(roots: &[usize], near: &[Vec<(usize, i64)>], far: &[Vec<(usize, i64)>]) -> Vec<usize> {
    let mut missing: Vec<usize> = near.iter().map(Vec::len).collect();
    let mut order: Vec<usize> =
        (0..roots.len()).filter(|point| roots[*point] == *point && missing[*point] == 0).collect();
    let mut next = 0;
    while let Some(&root) = order.get(next) {
        next += 1;
        for (other, _) in &far[root] {
            missing[*other] -= 1;
            if missing[*other] == 0 {
                order.push(*other);
            }
        }
    }
    order
}

/// Moves a long arc below the box it leaves where nothing stands in the way: the middle of four ways may miss it by a
/// little.
fn straighten(mesh: &Mesh, places: &[usize], middles: &mut [i64]) {
    let is_passing = |point: usize| mesh.points[point].kind != Kind::Box;
    for first in (0..mesh.points.len()).filter(|point| is_passing(*point)) {
        let Some(&upper) = mesh.above[first].first() else { continue };
        let (from, to) = (middles[first], middles[upper]);
        if from == to {
            continue;
        }
        let mut arc = vec![first];
        let mut end = mesh.below[first].first();
        while let Some(&point) = end.filter(|point| is_passing(**point) && middles[**point] == from) {
            arc.push(point);
            end = mesh.below[point].first();
        }
        let ends_straight = end.is_some_and(|end| (middles[*end] - from).abs() < mesh.points[*end].half());
        if !ends_straight && arc.iter().all(|point| is_free(mesh, places, middles, *point, to)) {
            arc.into_iter().for_each(|point| middles[point] = to);
        }
    }
}

/// Whether a point may stand at this column, seen from its neighbours.
fn is_free(mesh: &Mesh, places: &[usize], middles: &[i64], point: usize, column: i64) -> bool {
    let layer = &mesh.layers[mesh.points[point].layer];
    let place = places[point];
    let left = place.checked_sub(1).map(|place| layer[place]);
    let right = layer.get(place + 1).copied();
    left.is_none_or(|left| column - middles[left] >= distance(mesh, left, point))
        && right.is_none_or(|right| middles[right] - column >= distance(mesh, point, right))
}

/// The leftmost and rightmost column that anything takes.
fn extent(mesh: &Mesh, middles: &[i64]) -> (i64, i64) {
    let left = mesh.points.iter().zip(middles).map(|(point, middle)| middle - point.half()).min().unwrap_or(0);
    let right = mesh.points.iter().zip(middles).map(|(point, middle)| middle + point.half()).max().unwrap_or(0);
    (left, right)
}

/// Moves the four ways over each other: those packed to the left begin, those packed to the right end where the
/// narrowest does.
fn level(mesh: &Mesh, ways: &mut [(Side, Vec<i64>)]) {
    let extents: Vec<(i64, i64)> = ways.iter().map(|(_, columns)| extent(mesh, columns)).collect();
    let Some(&(left, right)) = extents.iter().min_by_key(|(left, right)| right - left) else { return };
    for ((side, columns), extent) in ways.iter_mut().zip(extents) {
        let shift = if *side == Side::Left { left - extent.0 } else { right - extent.1 };
        columns.iter_mut().for_each(|column| *column += shift);
    }
}
