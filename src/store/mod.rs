//! Events in, events out: streams with optimistic concurrency, over any backend.
