//! The control socket: how other processes reach the engine that holds the log.
//!
//! One request a line, one answer a line, both JSON. What a request asks for enters the engine by the same inbox as
//! what its own callers ask for; nothing here decides or writes.

mod claim;
mod instances;
mod request;
mod signal;

mod people;

mod answer;

mod door;

mod line;

mod conversation;

mod listener;

mod caller;

#[cfg(test)]
mod tests;

pub use caller::Control;
pub(super) use door::Door;
pub(super) use listener::{Bell, Listener, Staying};
#[cfg(any(test, feature = "testing"))]
pub(crate) use request::ControlRequest;
