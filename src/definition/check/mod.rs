//! Checks what only the whole of a definition shows, and makes the graph of it: arcs, cycles, splits, names.

mod arcs;
mod names;
mod splits;

pub(super) use arcs::connect;
pub(super) use names::check_names;
pub(super) use splits::END;
