//! What the engine does in a second, and what it costs: workloads and figures of the verb `bench` and of the benches.
//!
//! Every rate and length of time that the disk has a part in stands beside F of the same seconds: one write of 200
//! bytes and one fdatasync a record, on one thread, into a zero-filled file. F differs from machine to machine and from
//! minute to minute; the ratios are what compares. Nothing here says what is good: a measurement is no test.

mod counts;
mod deciding;
mod error;
mod executor;
mod floor;
mod latency;
mod part;
mod parts;
mod past;
mod scratch;
mod setting;
mod survey;
mod throughput;

pub use error::Error;
pub use part::{Effort, How, Label, Part, Reading, Row, Spent, Target, Timed, Workload};
pub use parts::PARTS;
pub use scratch::Scratch;
pub use setting::Setting;
pub use survey::Survey;
