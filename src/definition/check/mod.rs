//! Checks what only the whole of a definition shows, and makes the graph of it: arcs, cycles, splits, names.

mod arcs;
mod balance;
mod between;
mod blocks;
mod cancellation;
mod choices;
mod cycles;
mod dominators;
mod doubts;
mod ending;
mod exclusion;
mod generations;
mod interleave;
mod jumps;
mod milestone;
mod names;
mod reach;
mod splits;
mod synchronizing;

pub(super) use arcs::{Arcs, BackArc, Sources, connect, topological_order};
pub(super) use doubts::{doubts, never_starts};
pub(super) use ending::check_ending;
pub(super) use exclusion::exclude;
pub(super) use milestone::set_milestones;
pub(super) use names::check_names;
pub(super) use splits::END;
