//! Tests of what the stores share: the bytes of events.

mod codec;
mod golden;
