//! What any test of this engine needs, ours or yours (feature `testing`).

pub mod conformance;
pub(crate) mod dice;
#[cfg(test)]
pub(crate) mod disk;
pub mod events;
pub mod examples;
#[cfg(test)]
pub(crate) mod expressions;
mod flushes;
mod needs;
pub mod stores;
pub(crate) mod values;

pub use flushes::{Flushes, counted};
pub use needs::needs;
