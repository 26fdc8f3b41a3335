//! From columns and nets to cells: where arcs end at boxes, how high the gaps are, and the way of every arc.

use std::collections::BTreeMap;

use super::channel::{self, Edge, Gap, Pin, Span, Wire};
use super::mesh::{Kind, Mesh, Point};
use super::{Cell, Direction, Layout, Rect, Route};

/// The part of an arc in a gap, as it was routed.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    source: i64,
    target: i64,
    /// The row on which it goes sideways, counted within the gap; `None` goes straight on.
    row: Option<usize>,
}

/// Puts everything into its place.
pub(super) fn assemble(mesh: &Mesh, gaps: Vec<Gap>, middles: Vec<i64>, directions: &[Direction]) -> Layout {
    let mut columns = Columns { mesh, original: middles.clone(), middles };
    let mut parts: Vec<Vec<Part>> = mesh.chains.iter().map(|chain| vec![Part::default(); chain.len() - 1]).collect();
    let mut counts = Vec::with_capacity(gaps.len());
    for gap in &gaps {
        let routed = columns.route(gap);
        for (wire, part) in gap.wires.iter().zip(routed.parts) {
            parts[wire.link][wire.part] = part;
        }
        counts.push(routed.rows);
    }
    let heights = Heights::of(mesh, &gaps, &counts);
    let boxes: Vec<Rect> = (0..mesh.points.len())
        .take_while(|point| mesh.points[*point].kind == Kind::Box)
        .map(|point| columns.rect(point, &heights))
        .collect();
    let route = |link: usize| {
        let chain = &mesh.chains[link];
        let label = chain.iter().find(|point| mesh.points[**point].kind == Kind::Label);
        Route {
            points: points(mesh, chain, &parts[link], &heights, &boxes),
            direction: directions[link],
            label: label.map(|point| columns.rect(*point, &heights)),
        }
    };
    let routes: Vec<Route> = (0..mesh.chains.len()).map(route).collect();
    let rects = boxes.iter().copied().chain(routes.iter().filter_map(|route| route.label));
    let ends = rects.map(|rect| rect.left + rect.width);
    let turns = routes.iter().flat_map(|route| &route.points).map(|cell| cell.x + 1);
    Layout { width: ends.chain(turns).max().unwrap_or(0), height: heights.total, boxes, routes }
}

/// The columns of points, while the gaps are gone through from top to bottom.
struct Columns<'m> {
    mesh: &'m Mesh,
    original: Vec<i64>,
    /// As they are after what had to be moved.
    middles: Vec<i64>,
}

/// The wires of a gap, in their order.
struct Routed {
    parts: Vec<Part>,
    rows: usize,
}

impl Columns<'_> {
    /// Finds the ways of a gap. All columns at which different nets end differ, also those above from those below: so
    /// no net's way down lies on another's, whatever rows they get.
    fn route(&mut self, gap: &Gap) -> Routed {
        let mut taken: BTreeMap<i64, usize> = BTreeMap::new();
        for (pin, net) in pins(gap).filter(|(pin, _)| pin.edge == Edge::Top) {
            taken.insert(self.middles[pin.point], net);
        }
        for wire in &gap.wires {
            self.make_way(wire, &taken);
        }
        let ends = self.ends(gap, &taken);
        let column = |pin: Pin, net: usize| match (pin.edge, self.mesh.points[pin.point].kind) {
            (Edge::Bottom, Kind::Box) => ends[&(pin.point, net)],
            _ => self.middles[pin.point],
        };
        let mut parts: Vec<Part> = gap
            .wires
            .iter()
            .map(|wire| Part {
                source: column(wire.source, wire.net),
                target: column(wire.target, wire.net),
                row: None,
            })
            .collect();
        let mut spans: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, wire) in gap.wires.iter().enumerate() {
            spans.entry(wire.net).or_default().push(index);
        }
        // A net whose wires all go straight on needs no row.
        spans.retain(|_, wires| wires.iter().any(|index| parts[*index].source != parts[*index].target));
        let bounds: Vec<Span> = spans.values().map(|wires| span(wires, &parts)).collect();
        let (rows, count) = channel::rows(&bounds);
        for (wires, row) in spans.values().zip(rows) {
            for index in wires {
                let part = &mut parts[*index];
                part.row = (part.source != part.target).then_some(row);
            }
        }
        Routed { parts, rows: count }
    }

    /// Moves a bend or label by one column if another net comes down just there, and with it all of its arc that stands
    /// straight below.
    fn make_way(&mut self, wire: &Wire, taken: &BTreeMap<i64, usize>) {
        for (pin, other) in [(wire.source, wire.target), (wire.target, wire.source)] {
            let middle = self.middles[pin.point];
            let is_met = taken.get(&middle).is_some_and(|net| *net != wire.net);
            if pin.edge == Edge::Top || self.mesh.points[pin.point].kind == Kind::Box || !is_met {
                continue;
            }
            let nearer = if self.middles[other.point] < middle { -1 } else { 1 };
            let shift = if taken.contains_key(&(middle + nearer)) { -nearer } else { nearer };
            let column = self.original[pin.point];
            let mut next = Some(pin.point);
            while let Some(point) = next {
                if self.mesh.points[point].kind == Kind::Box || self.original[point] != column {
                    break;
                }
                self.middles[point] = column + shift;
                next = self.mesh.below[point].first().copied();
            }
        }
    }

    /// The column at which each net ends at each box: straight below where it comes from if it can be.
    fn ends(&self, gap: &Gap, taken: &BTreeMap<i64, usize>) -> BTreeMap<(usize, usize), i64> {
        let mut sources: BTreeMap<usize, BTreeMap<usize, Vec<i64>>> = BTreeMap::new();
        for wire in &gap.wires {
            let pin = wire.target;
            if pin.edge == Edge::Bottom && self.mesh.points[pin.point].kind == Kind::Box {
                let column = self.middles[wire.source.point];
                sources.entry(pin.point).or_default().entry(wire.net).or_default().push(column);
            }
        }
        let mut ends = BTreeMap::new();
        for (point, nets) in sources {
            for (net, column) in self.ends_at(point, &nets, taken) {
                ends.insert((point, net), column);
            }
        }
        ends
    }

    fn ends_at(
        &self,
        point: usize,
        nets: &BTreeMap<usize, Vec<i64>>,
        taken: &BTreeMap<i64, usize>,
    ) -> Vec<(usize, i64)> {
        let half = i64::from(self.mesh.points[point].width / 2);
        let middle = self.middles[point];
        let inside = middle - half + 1..middle + half;
        let mut order: Vec<(i64, usize, i64)> = Vec::new();
        let mut by_source: Vec<(i64, usize)> = nets
            .iter()
            .map(|(net, columns)| (columns.iter().sum::<i64>() / i64::try_from(columns.len()).unwrap_or(1), *net))
            .collect();
        by_source.sort_unstable();
        let count = i64::try_from(by_source.len()).unwrap_or(i64::MAX);
        for (place, (mean, net)) in (1..).zip(by_source) {
            let spread = middle - half + (2 * half * place + count / 2) / (count + 1);
            let is_single = nets[&net].len() == 1;
            let wanted = if is_single && inside.contains(&mean) { mean } else { spread };
            order.push((wanted, net, mean));
        }
        order.sort_by_key(|(wanted, _, mean)| (*wanted, *mean));
        let mut chosen = Vec::with_capacity(order.len());
        let mut first = inside.start;
        let mut left = order.len();
        for (wanted, net, _) in order {
            left -= 1;
            let is_free = |column: &i64| taken.get(column).is_none_or(|other| *other == net);
            // Each of those that are still to come needs a column, and every other one may be taken.
            let last = inside.end - 1 - 2 * i64::try_from(left).unwrap_or(0);
            let wanted = wanted.min(last).max(first);
            let up = (wanted..inside.end).find(is_free);
            let down = (first..wanted).rev().find(is_free);
            let column = match (down, up) {
                (Some(down), Some(up)) if wanted - down < up - wanted => down,
                (_, Some(up)) => up,
                (Some(down), None) => down,
                (None, None) => wanted,
            };
            chosen.push((net, column));
            first = column + 1;
        }
        chosen
    }

    fn rect(&self, point: usize, heights: &Heights) -> Rect {
        let Point { width, height, layer, kind } = self.mesh.points[point];
        let left = self.middles[point] - i64::from(width / 2);
        let band = heights.layers[layer];
        // A box hangs from the top of its layer; a label that an arc carries up stands beside the boxes' middle.
        let top = if kind == Kind::Box { band.0 } else { band.0 + (band.1 - height) / 2 };
        Rect { left: cells(left), top, width, height }
    }
}

fn pins(gap: &Gap) -> impl Iterator<Item = (Pin, usize)> {
    gap.wires.iter().flat_map(|wire| [(wire.source, wire.net), (wire.target, wire.net)])
}

fn span(wires: &[usize], parts: &[Part]) -> Span {
    let sources: Vec<i64> = wires.iter().map(|index| parts[*index].source).collect();
    let targets: Vec<i64> = wires.iter().map(|index| parts[*index].target).collect();
    let all = sources.iter().chain(&targets);
    let mean = |columns: &[i64]| columns.iter().sum::<i64>() / i64::try_from(columns.len()).unwrap_or(1);
    Span {
        left: all.clone().min().copied().unwrap_or(0),
        right: all.max().copied().unwrap_or(0),
        source: mean(&sources),
        target: mean(&targets),
    }
}

/// The first rows of layers and gaps.
struct Heights {
    /// First row and number of rows of each layer.
    layers: Vec<(u32, u32)>,
    gaps: Vec<u32>,
    total: u32,
}

impl Heights {
    fn of(mesh: &Mesh, gaps: &[Gap], counts: &[usize]) -> Heights {
        let mut heights = Heights { layers: Vec::new(), gaps: Vec::new(), total: 0 };
        for (place, (gap, count)) in gaps.iter().zip(counts).enumerate() {
            heights.gaps.push(heights.total);
            let is_entered =
                |wire: &Wire| mesh.points[wire.target.point].kind == Kind::Box && wire.target.edge == Edge::Bottom;
            let leaves_box = |wire: &Wire| mesh.points[wire.source.point].kind == Kind::Box;
            // A row for the heads of arcs, and one before it where all of them go straight on from box to box.
            let heads = u32::from(gap.wires.iter().any(is_entered));
            let is_between = place > 0 && place < mesh.layers.len();
            let straight = u32::from(*count == 0 && is_between && (heads == 0 || gap.wires.iter().any(leaves_box)));
            heights.total += u32::try_from(*count).unwrap_or(u32::MAX) + heads + straight;
            if let Some(layer) = mesh.layers.get(place) {
                let height = layer.iter().map(|point| mesh.points[*point].height).max().unwrap_or(1);
                heights.layers.push((heights.total, height));
                heights.total += height;
            }
        }
        heights
    }
}

fn cells(column: i64) -> u32 {
    u32::try_from(column).expect("everything stands right of the first column, and 4 billion columns are not drawn")
}

/// The turns of an arc, between its ends at two boxes.
fn points(mesh: &Mesh, chain: &[usize], parts: &[Part], heights: &Heights, boxes: &[Rect]) -> Vec<Cell> {
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return Vec::new() };
    let (from, to) = (boxes[chain[0]], boxes[chain[chain.len() - 1]]);
    let mut points = vec![Cell { x: cells(first.source), y: *from.rows().end() }];
    for (place, (part, pair)) in parts.iter().zip(chain.windows(2)).enumerate() {
        if let Some(row) = part.row {
            let (one, other) = (mesh.points[pair[0]].layer, mesh.points[pair[1]].layer);
            // What leads back turns round below the box it leaves, and above the one it leads to.
            let gap = if one == other && place == 0 { one + 1 } else { one.max(other) };
            let y = heights.gaps[gap] + u32::try_from(row).unwrap_or(u32::MAX);
            points.push(Cell { x: cells(part.source), y });
            points.push(Cell { x: cells(part.target), y });
        }
    }
    points.push(Cell { x: cells(last.target), y: to.top });
    points
}
