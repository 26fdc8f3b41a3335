//! Bytes in order, durably: segments on disk, one writer, any number of readers.
