//! What any test of this engine needs, ours or yours (feature `testing`).

pub mod conformance;
pub mod course;
pub mod definitions;
pub(crate) mod dice;
#[cfg(test)]
pub(crate) mod disk;
pub mod documents;
pub mod events;
pub mod examples;
#[cfg(test)]
pub(crate) mod expressions;
pub mod given;
pub mod happening;
pub mod laws;
pub mod moves;
mod needs;
pub mod notation;
mod recording;
mod releases;
#[cfg(test)]
pub(crate) mod snapshots;
pub mod stores;
pub mod strategies;
pub mod untrusted;
pub(crate) mod values;

pub use needs::needs;
pub use recording::Recording;
