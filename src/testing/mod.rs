//! What any test of this engine needs, ours or yours (feature `testing`).

pub mod values;
