//! What any test of this engine needs, ours or yours (feature `testing`).

#[cfg(test)]
pub(crate) mod expressions;
mod needs;
pub(crate) mod values;

pub use needs::needs;
