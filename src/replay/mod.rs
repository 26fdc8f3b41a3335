//! Reading history back: rebuild, verify, compare.
