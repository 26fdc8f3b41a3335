//! The command `stabilize`: thin words over engine and projections.

fn main() {}
