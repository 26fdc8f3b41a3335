//! What the engine does, seen from outside, by subject. One binary, so that it is linked once.

mod conformance;
mod errors;
