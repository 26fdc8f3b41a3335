//! What any test of this engine needs, ours or yours (feature `testing`), and the suite of the patterns with what it
//! needs (feature `patterns`, which brings no other crate).

#[cfg(test)]
pub(crate) mod brute_force;
#[cfg(test)]
pub(crate) mod composition;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod course;
pub mod definitions;
pub(crate) mod dice;
#[cfg(test)]
pub(crate) mod disk;
#[cfg(any(test, feature = "testing"))]
pub mod documents;
#[cfg(any(test, feature = "testing"))]
pub mod events;
#[cfg(any(test, feature = "testing"))]
pub mod examples;
#[cfg(test)]
pub(crate) mod expressions;
pub mod given;
pub mod happening;
#[cfg(any(test, feature = "testing"))]
mod joins;
#[cfg(any(test, feature = "testing"))]
pub mod laws;
#[cfg(any(test, feature = "testing"))]
pub mod moves;
#[cfg(any(test, feature = "testing"))]
mod needs;
pub mod nets;
pub mod notation;
pub mod patterns;
#[cfg(any(test, feature = "testing"))]
mod recording;
#[cfg(any(test, feature = "testing"))]
mod releases;
#[cfg(any(test, feature = "testing"))]
mod several;
#[cfg(test)]
pub(crate) mod snapshots;
#[cfg(any(test, feature = "testing"))]
pub mod stores;
#[cfg(any(test, feature = "testing"))]
pub mod strategies;
#[cfg(any(test, feature = "testing"))]
pub mod untrusted;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod values;
pub mod world;

#[cfg(any(test, feature = "testing"))]
pub use needs::needs;
#[cfg(any(test, feature = "testing"))]
pub use recording::Recording;
