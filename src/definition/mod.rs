//! What a workflow is: an immutable, checked graph.
