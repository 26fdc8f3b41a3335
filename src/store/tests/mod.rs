//! Tests of what the stores share, the bytes of events and the suite, and of the store over the log.

mod codec;
mod golden;
mod live;
mod local;
mod suite;
