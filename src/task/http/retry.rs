//! Whether and when a failed request is tried again.
//!
//! Pure. Each try is an attempt of its own in the log; nothing here waits.

use crate::limits::HTTP_RETRY_AFTER_SECONDS_MAX;
use crate::task::outcome::TaskError;
use crate::time::{Duration, Timestamp};

/// What the author says about trying again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Retry {
    /// How often at most; none leaves it to the task's `retry`.
    pub(super) times: Option<u32>,
    /// Pause before the first time, doubled from time to time up to ten times as long.
    pub(super) delay: Duration,
    /// Answers that are worth another try, instead of those that usually are.
    pub(super) statuses: Option<Vec<u16>>,
    /// Whether asking twice does no harm: the method says so, or the author.
    pub(super) is_repeatable: bool,
}

/// How far a failed request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// The server has not done it: it cannot have seen it, or it says so.
    NotDone,
    /// Nobody knows whether the server has done it.
    Unknown,
}

impl Retry {
    /// Whether an answer with this status may be another one later.
    pub(super) fn is_transient(&self, status: u16) -> bool {
        match &self.statuses {
            Some(statuses) => statuses.contains(&status),
            None => status == 429 || (500..600).contains(&status),
        }
    }

    /// The error as the engine should take it, if it belongs to attempt number `attempt`. `asked` is how long the
    /// server wants to be left alone.
    pub(super) fn judged(
        &self,
        error: TaskError,
        reached: Reached,
        attempt: u32,
        asked: Option<Duration>,
    ) -> TaskError {
        if !error.is_transient() {
            return error;
        }
        if !self.is_repeatable && reached == Reached::Unknown {
            let why = "it is not tried again, since the server may have done it: retry_non_idempotent: true, or a header \
                       Idempotency-Key, say that this does no harm";
            return error.permanently().cause(why);
        }
        match self.times {
            Some(times) if attempt > times => error.permanently(),
            Some(_) => error.retry_after(asked.unwrap_or(self.pause(attempt))),
            None => match asked {
                Some(asked) => error.retry_after(asked),
                None => error,
            },
        }
    }

    fn pause(&self, attempt: u32) -> Duration {
        let factor = 1_u64.checked_shl(attempt.saturating_sub(1)).map_or(10, |factor| factor.clamp(1, 10));
        Duration::from_microseconds(self.delay.microseconds().saturating_mul(factor))
    }
}

/// How long a server wants to be left alone (RFC 9110, 10.2.3), at most a day. `date` is the moment it answered by its
/// own clock, `now` by ours.
pub(super) fn retry_after(value: &str, date: Option<&str>, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let length = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // What does not fit is longer than is waited anyway.
        Duration::from_seconds(value.parse().unwrap_or(HTTP_RETRY_AFTER_SECONDS_MAX))
    } else {
        moment(value)?.since(date.and_then(moment).unwrap_or(now))
    };
    Some(length.min(Duration::from_seconds(HTTP_RETRY_AFTER_SECONDS_MAX)))
}

/// A moment as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`; the two older forms are not taken.
fn moment(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [_, day, month, year, time, "GMT"] = words[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    format!("{year}-{month:02}-{day}T{time}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::ErrorClass;

    fn retry() -> Retry {
        Retry { times: None, delay: Duration::from_seconds(1), statuses: None, is_repeatable: true }
    }

    #[test]
    fn usually_429_and_those_of_the_server_are_worth_another_try() {
        for (status, expected) in [(200, false), (404, false), (408, false), (429, true), (500, true), (599, true)] {
            assert_eq!(retry().is_transient(status), expected, "{status}");
        }
        let own = Retry { statuses: Some(vec![404]), ..retry() };
        assert!(own.is_transient(404));
        assert!(!own.is_transient(503));
    }

    #[test]
    fn what_may_have_been_done_is_only_done_again_if_that_does_no_harm() {
        let judge = |retry: &Retry, reached| {
            let parts = retry.judged(TaskError::transient("x"), reached, 1, None).into_parts();
            parts.failure.class()
        };
        let careful = Retry { is_repeatable: false, ..retry() };
        assert_eq!(judge(&careful, Reached::Unknown), ErrorClass::Permanent);
        assert_eq!(judge(&careful, Reached::NotDone), ErrorClass::Transient);
        assert_eq!(judge(&retry(), Reached::Unknown), ErrorClass::Transient);
        let permanent = retry().judged(TaskError::permanent("x"), Reached::NotDone, 1, None);
        assert_eq!(permanent.into_parts().failure.class(), ErrorClass::Permanent);
    }

    #[test]
    fn retries_are_counted_and_their_pauses_grow_up_to_ten_times() {
        let counted = Retry { times: Some(6), delay: Duration::from_seconds(2), ..retry() };
        let pauses: Vec<Option<u64>> = (1..=7)
            .map(|attempt| {
                let parts = counted.judged(TaskError::transient("x"), Reached::Unknown, attempt, None).into_parts();
                assert_eq!(parts.failure.class() == ErrorClass::Transient, attempt <= 6);
                parts.retry_after.map(|pause| pause.microseconds() / 1_000_000)
            })
            .collect();
        assert_eq!(pauses, [Some(2), Some(4), Some(8), Some(16), Some(20), Some(20), None]);
        assert_eq!(counted.pause(200), Duration::from_seconds(20));
        let asked = Some(Duration::from_seconds(7));
        for retry in [counted, retry()] {
            let parts = retry.judged(TaskError::transient("x"), Reached::Unknown, 1, asked).into_parts();
            assert_eq!(parts.retry_after, asked);
        }
    }

    #[test]
    fn a_server_asks_for_a_length_or_a_moment_by_its_own_clock() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let date = Some("Thu, 01 Jan 2026 01:00:00 GMT");
        let seconds = |seconds| Some(Duration::from_seconds(seconds));
        for (value, date, expected) in [
            ("0", None, seconds(0)),
            (" 120 ", None, seconds(120)),
            ("999999999", None, seconds(86_400)),
            ("99999999999999999999999", None, seconds(86_400)),
            ("Thu, 01 Jan 2026 00:00:30 GMT", None, seconds(30)),
            ("Thu, 01 Jan 2026 01:00:30 GMT", date, seconds(30)),
            ("Thu, 01 Jan 2026 00:00:30 GMT", date, seconds(0)),
            ("Wed, 31 Dec 2025 00:00:30 GMT", None, seconds(0)),
            ("-1", None, None),
            ("", None, None),
            ("soon", None, None),
            ("Thu, 32 Jan 2026 00:00:30 GMT", None, None),
        ] {
            assert_eq!(retry_after(value, date, now), expected, "{value}");
        }
    }
}
