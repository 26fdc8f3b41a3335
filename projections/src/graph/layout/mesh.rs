//! Boxes, bends and labels in their layers: every arc becomes a chain of points in neighbouring layers.
//!
//! A label stands on its arc as a point of its own, so that nothing else can stand there; labels have layers between
//! those of the boxes. An arc that leads back passes the layers of both its boxes and all between them.

use std::cmp::Ordering;
use std::iter::Rev;
use std::ops::Range;

use super::{Link, Size};

/// What stands at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Box,
    Bend,
    Label,
}

/// A box, or a place where an arc passes a layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) kind: Kind,
    pub(super) layer: usize,
    /// Odd.
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Point {
    /// Columns to each side of its middle that are its own. A bend or label may be moved by one.
    pub(super) fn half(&self) -> i64 {
        let slack = if self.kind == Kind::Box { 0 } else { 1 };
        i64::from(self.width / 2) + slack
    }
}

/// Points in layers, and the chains of them that are arcs.
pub(super) struct Mesh {
    /// The boxes in their order, then what arcs need.
    pub(super) points: Vec<Point>,
    /// The points of each layer from left to right.
    pub(super) layers: Vec<Vec<usize>>,
    /// What each point is connected with in the layer above.
    pub(super) above: Vec<Vec<usize>>,
    /// What each point is connected with in the layer below.
    pub(super) below: Vec<Vec<usize>>,
    /// The points of each link, from the box it leaves to the box it leads to.
    pub(super) chains: Vec<Vec<usize>>,
}

/// The layers in which boxes stand, by rank: behind a rank whose links have labels there is one more.
pub(super) struct Depths {
    layers: Vec<usize>,
}

impl Depths {
    pub(super) fn of(links: &[Link], ranks: &[usize]) -> Depths {
        let mut labelled = vec![false; ranks.iter().max().map_or(0, |last| last + 1)];
        for link in links.iter().filter(|link| link.label.is_some() && ranks[link.from] < ranks[link.to]) {
            labelled[ranks[link.from]] = true;
        }
        let mut next = 0;
        let layer_of = |is_labelled: bool| {
            let layer = next;
            next += 1 + usize::from(is_labelled);
            layer
        };
        let of_rank: Vec<usize> = labelled.into_iter().map(layer_of).collect();
        Depths { layers: ranks.iter().map(|rank| of_rank[*rank]).collect() }
    }

    /// The layers in which a link has points of its own, in the order in which it passes them.
    fn passed(&self, link: &Link) -> Passed {
        let (from, to) = (self.layers[link.from], self.layers[link.to]);
        if from < to { Passed::Down(from + 1..to) } else { Passed::Up((to..from + 1).rev()) }
    }

    /// How many points there will be.
    pub(super) fn count(&self, links: &[Link]) -> usize {
        links.iter().map(|link| self.passed(link).len()).fold(self.layers.len(), usize::saturating_add)
    }
}

/// Layers from top to bottom, or from bottom to top.
enum Passed {
    Down(Range<usize>),
    Up(Rev<Range<usize>>),
}

impl Passed {
    fn len(&self) -> usize {
        match self {
            Passed::Down(layers) => layers.len(),
            Passed::Up(layers) => layers.len(),
        }
    }
}

impl Iterator for Passed {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        match self {
            Passed::Down(layers) => layers.next(),
            Passed::Up(layers) => layers.next(),
        }
    }
}

impl Mesh {
    /// The points of these boxes and links, in no order yet.
    pub(super) fn of(boxes: &[Size], links: &[Link], depths: &Depths) -> Mesh {
        let count = depths.layers.iter().max().map_or(0, |last| last + 1);
        let mut mesh = Mesh {
            points: Vec::new(),
            layers: vec![Vec::new(); count],
            above: Vec::new(),
            below: Vec::new(),
            chains: Vec::new(),
        };
        for (size, layer) in boxes.iter().zip(&depths.layers) {
            mesh.add(Kind::Box, *layer, size.width.max(3), size.height.max(1));
        }
        for link in links {
            mesh.connect(link, depths.passed(link));
        }
        mesh
    }

    fn add(&mut self, kind: Kind, layer: usize, width: u32, height: u32) -> usize {
        let index = self.points.len();
        self.points.push(Point { kind, layer, width: width | 1, height });
        self.layers[layer].push(index);
        self.above.push(Vec::new());
        self.below.push(Vec::new());
        index
    }

    /// Adds the points of a link. Its label stands where it has left its box.
    fn connect(&mut self, link: &Link, passed: Passed) {
        let mut label = link.label;
        let mut chain = vec![link.from];
        for layer in passed {
            chain.push(match label.take() {
                Some(width) => self.add(Kind::Label, layer, width, 1),
                None => self.add(Kind::Bend, layer, 1, 1),
            });
        }
        chain.push(link.to);
        for pair in chain.windows(2) {
            let (one, other) = (pair[0], pair[1]);
            let (upper, lower) = match self.points[one].layer.cmp(&self.points[other].layer) {
                Ordering::Less => (one, other),
                Ordering::Greater => (other, one),
                // Where an arc turns round beside a box.
                Ordering::Equal => continue,
            };
            self.below[upper].push(lower);
            self.above[lower].push(upper);
        }
        self.chains.push(chain);
    }
}
