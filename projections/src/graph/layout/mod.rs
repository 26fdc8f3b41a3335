//! Where everything of a drawing stands: boxes in layers from top to bottom, arcs in the gaps between them.
//!
//! After Sugiyama: layers by longest path, bends where an arc passes a layer, few crossings, aligned columns, and
//! orthogonal ways of which no two lie on each other unless they begin or end together. Knows sizes and arcs only; all
//! numbers are whole cells, a column and a row of a terminal, which a picture stretches as it likes.

mod alignment;
mod channel;
mod crossings;
mod layers;
mod mesh;
mod routes;
#[cfg(test)]
pub(in crate::graph) mod tests;

use std::ops::RangeInclusive;

use stabilize::limits::DRAWN_POINTS_MAX;

use mesh::{Depths, Mesh};

/// How large a box is, in cells, its border included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns. An even width grows by one, so that there is a middle; one that is too small for its arcs grows, too.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// An arc between two boxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The box it leaves.
    pub from: usize,
    /// The box it leads to.
    pub to: usize,
    /// Columns of its label, if it has one.
    pub label: Option<u32>,
    /// Whether it is known to lead back.
    pub is_back: bool,
}

/// A cell by column and row, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Column.
    pub x: u32,
    /// Row.
    pub y: u32,
}

/// Cells side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// Columns, 1 or more.
    pub width: u32,
    /// Rows, 1 or more.
    pub height: u32,
}

impl Rect {
    /// Its columns.
    pub fn columns(&self) -> RangeInclusive<u32> {
        self.left..=self.left + self.width - 1
    }

    /// Its rows.
    pub fn rows(&self) -> RangeInclusive<u32> {
        self.top..=self.top + self.height - 1
    }

    /// The column in its middle.
    pub fn middle(&self) -> u32 {
        self.left + self.width / 2
    }
}

/// Which way an arc leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Down, as control goes.
    Forward,
    /// Up again: it closes a circle.
    Back,
}

/// The way of an arc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    points: Vec<Cell>,
    direction: Direction,
    label: Option<Rect>,
}

impl Route {
    /// Where it begins, turns and ends. It begins in the lower border of a box, ends in the upper border of one, and
    /// between two points goes along one row or one column.
    pub fn points(&self) -> &[Cell] {
        &self.points
    }

    /// Which way it leads.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Where its label stands: on it, and on nothing else.
    pub fn label(&self) -> Option<Rect> {
        self.label
    }
}

/// Which way each link leads, when the boxes are walked in their order.
pub(super) fn directions(boxes: usize, links: &[Link]) -> Vec<Direction> {
    layers::directions(boxes, links)
}

/// Where everything stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    width: u32,
    height: u32,
    boxes: Vec<Rect>,
    routes: Vec<Route>,
}

/// A drawing nobody could look at, and which would take long to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the drawing would have {found} {what}, more than {limit}")]
#[non_exhaustive]
pub struct TooLarge {
    /// What there is too much of.
    pub what: &'static str,
    /// How much of it there is, or would be at least.
    pub found: usize,
    /// How much is drawn.
    pub limit: usize,
}

impl Layout {
    /// Finds a place for every box and a way for every arc. Equal inputs give equal layouts.
    ///
    /// # Errors
    ///
    /// More boxes and bends of arcs than are drawn.
    ///
    /// # Panics
    ///
    /// If a link names a box that is not there.
    pub fn of(boxes: &[Size], links: &[Link]) -> Result<Layout, TooLarge> {
        let directions = layers::directions(boxes.len(), links);
        let ranks = layers::ranks(boxes.len(), links, &directions);
        let depths = Depths::of(links, &ranks);
        let found = depths.count(links);
        if found > DRAWN_POINTS_MAX {
            return Err(TooLarge { what: "boxes and bends", found, limit: DRAWN_POINTS_MAX });
        }
        let mut mesh = Mesh::of(boxes, links, &depths);
        let gaps = channel::gaps(&mesh);
        channel::widen(&mut mesh, &gaps);
        crossings::order(&mut mesh);
        let middles = alignment::middles(&mesh);
        Ok(routes::assemble(&mesh, gaps, middles, &directions))
    }

    /// Columns of the whole.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows of the whole.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The boxes, in the order in which they were given.
    pub fn boxes(&self) -> &[Rect] {
        &self.boxes
    }

    /// The ways of the arcs, in the order in which they were given.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }
}
