//! A diagram with a place for everything, to be written as a picture or as letters.

use super::diagram::Diagram;
use super::layout::{Layout, TooLarge};
use super::svg;
use super::text::{self, TextLine};

/// A diagram with a place for everything.
#[derive(Clone, Debug)]
pub struct Drawing<'d> {
    diagram: &'d Diagram,
    layout: Layout,
}

impl<'d> Drawing<'d> {
    pub(super) fn new(diagram: &'d Diagram, layout: Layout) -> Drawing<'d> {
        Drawing { diagram, layout }
    }

    /// What is drawn.
    pub fn diagram(&self) -> &'d Diagram {
        self.diagram
    }

    /// Where it stands.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// It as an SVG 1.1 picture that stands alone: its own background, for light and dark surroundings, no outside
    /// fonts, every text escaped.
    pub fn to_svg(&self) -> String {
        svg::write(self)
    }

    /// It as lines of letters for a terminal.
    ///
    /// # Errors
    ///
    /// If it has more cells than are drawn.
    pub fn to_text(&self) -> Result<Vec<TextLine>, TooLarge> {
        text::lines(self)
    }
}
