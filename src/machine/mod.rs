//! How a workflow moves: decide and evolve, pure.
