//! Read models: what people and other programs look at, built from the log and rebuildable.

/// The programs in the README compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
