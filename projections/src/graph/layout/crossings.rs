//! The order of the points in each layer: each near the middle of what it is connected with, so that few arcs cross.
//!
//! Sweeps down and up by barycentre, as many as the size allows; the best order seen is kept.

use super::mesh::Mesh;

/// Points and arcs that all sweeps together may pass: about a second.
const WORK_MAX: usize = 8_000_000;

/// Sweeps that still change anything.
const SWEEPS_MAX: usize = 32;

/// Sweeps without a better order after which none is expected.
const PATIENCE: usize = 6;

/// Puts the points of each layer into an order.
pub(super) fn order(mesh: &mut Mesh) {
    first_order(mesh);
    let arcs: usize = mesh.below.iter().map(Vec::len).sum();
    let sweeps = (WORK_MAX / (mesh.points.len() + arcs + 1)).clamp(2, SWEEPS_MAX);
    let mut places = places(mesh);
    let mut best = (crossings(mesh, &places), mesh.layers.clone());
    let mut last_better = 0;
    for sweep in 0..sweeps {
        if best.0 == 0 || sweep > last_better + PATIENCE {
            break;
        }
        let count = mesh.layers.len();
        for turn in 0..count {
            let is_down = sweep % 2 == 0;
            let layer = if is_down { turn } else { count - 1 - turn };
            sort_layer(mesh, &mut places, layer, is_down);
        }
        let found = crossings(mesh, &places);
        if found < best.0 {
            best = (found, mesh.layers.clone());
            last_better = sweep;
        }
    }
    mesh.layers = best.1;
}

/// As arcs are walked from the first box on, the first arc of each box first: what was written first stands left.
fn first_order(mesh: &mut Mesh) {
    let mut is_met = vec![false; mesh.points.len()];
    mesh.layers.iter_mut().for_each(Vec::clear);
    for root in (0..mesh.points.len()).filter(|point| mesh.above[*point].is_empty()) {
        let mut ahead = vec![root];
        while let Some(point) = ahead.pop() {
            if std::mem::replace(&mut is_met[point], true) {
                continue;
            }
            mesh.layers[mesh.points[point].layer].push(point);
            ahead.extend(mesh.below[point].iter().rev());
        }
    }
}

/// The place of each point in its layer.
pub(super) fn places(mesh: &Mesh) -> Vec<usize> {
    let mut places = vec![0; mesh.points.len()];
    for layer in &mesh.layers {
        for (place, point) in layer.iter().enumerate() {
            places[*point] = place;
        }
    }
    places
}

/// Sorts a layer by the layer above it, or by the one below. What is connected with nothing there keeps its place.
fn sort_layer(mesh: &mut Mesh, places: &mut [usize], layer: usize, is_down: bool) {
    let neighbours = if is_down { &mesh.above } else { &mesh.below };
    let points = &mut mesh.layers[layer];
    let mean = |point: usize| {
        let around = &neighbours[point];
        let sum: usize = around.iter().map(|other| places[*other]).sum();
        // Thousandths, so that equal inputs give equal orders everywhere.
        (!around.is_empty()).then(|| sum * 1000 / around.len())
    };
    let mut moving: Vec<(usize, usize)> =
        points.iter().filter_map(|point| mean(*point).map(|mean| (mean, *point))).collect();
    moving.sort_by_key(|(mean, _)| *mean);
    let mut moving = moving.into_iter();
    for (place, slot) in points.iter_mut().enumerate() {
        if !neighbours[*slot].is_empty()
            && let Some((_, point)) = moving.next()
        {
            *slot = point;
        }
        places[*slot] = place;
    }
}

/// How often arcs cross between neighbouring layers.
fn crossings(mesh: &Mesh, places: &[usize]) -> usize {
    let between = |layer: &Vec<usize>| {
        let mut ends = Vec::new();
        for point in layer {
            let mut below: Vec<usize> = mesh.below[*point].iter().map(|other| places[*other]).collect();
            below.sort_unstable();
            ends.extend(below);
        }
        inversions(&ends)
    };
    mesh.layers.iter().map(between).fold(0, usize::saturating_add)
}

/// Pairs that stand the wrong way round, counted by a tree of sums.
fn inversions(ends: &[usize]) -> usize {
    let size = ends.iter().max().map_or(0, |last| last + 2);
    let mut sums = vec![0_usize; size];
    let mut count = 0;
    for (before, end) in ends.iter().enumerate() {
        let mut not_larger = 0;
        let mut at = end + 1;
        while at > 0 {
            not_larger += sums[at];
            at &= at - 1;
        }
        count += before - not_larger;
        let mut at = end + 1;
        while at < size {
            sums[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    count
}
