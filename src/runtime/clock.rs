//! The time of day: a seam with the system's clock behind it; the only reader of the time of day.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::time::Timestamp;

/// Where the engine reads the time of day.
///
/// It may go back or jump: a workflow never sees a moment before one it has seen.
pub trait Clock: Send + Sync {
    /// The time of day now.
    fn now(&self) -> Timestamp;
}

/// The clock of the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the home of the time of day")]
        let now = SystemTime::now();
        let microseconds = match now.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |before| -before),
        };
        Timestamp::from_microseconds(microseconds)
    }
}
