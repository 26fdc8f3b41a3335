//! Read models: what people and other programs look at, built from the log and rebuildable.
//!
//! Deleting one changes what is shown, never what happens next.

mod projection;

mod driver;

mod follower;

mod graph;

mod workflow_list;

pub use driver::Driver;
pub use follower::{Follower, follow, follow_history};
pub use graph::{
    Cell, Diagram, DiagramArc, DiagramBox, Direction, Drawing, Layout, Legend, Link, Mark, Rect, Route, Size, TextLine,
    TextPiece, Tone, TooLarge,
};
pub use projection::Projection;
pub use workflow_list::WorkflowList;

/// The programs in the README compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
