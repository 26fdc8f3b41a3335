//! What the command measures of the engine: its verb `bench` and the benches of the workspace share it.
//!
//! No library for programs; that is `stabilize`.

pub mod measure;
