//! Read models: what people and other programs look at, built from the log and rebuildable.
