//! Definitions and workflows as pictures: what is to be seen, where it stands, and one file for each format.
//!
//! Everything here is a function of a definition or of a view of a workflow; nothing is read or written.

mod diagram;
mod dot;
mod drawing;
mod layout;
mod legend;
mod letters;
mod mermaid;
mod palette;
mod svg;
#[cfg(test)]
mod tests;
mod text;

pub use diagram::{Diagram, DiagramArc, DiagramBox};
pub use drawing::Drawing;
pub use layout::{Cell, Direction, Layout, Link, Rect, Route, Size, TooLarge};
pub use legend::{Legend, Mark};
pub use text::{TextLine, TextPiece, Tone};
