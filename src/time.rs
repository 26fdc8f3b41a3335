//! Moments and lengths of time in microseconds: arithmetic and text only, cannot read a clock. Only user of `jiff`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A moment: microseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(i64);

/// A length of time in microseconds, never negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Duration(u64);

/// A text that should have been a moment or a length of time and is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// Not a moment in the form of RFC 3339.
    #[error("{text:?} is not a moment; write it like 2026-05-01T12:00:00Z")]
    Moment {
        /// What was written.
        text: String,
    },
    /// Not a length of time with units.
    #[error("{text:?} is not a length of time; write it like 300ms, 90s, 1h30m or 2d")]
    Length {
        /// What was written.
        text: String,
    },
}

impl Timestamp {
    /// The moment this many microseconds after (or before) the Unix epoch.
    pub const fn from_microseconds(microseconds: i64) -> Timestamp {
        Timestamp(microseconds)
    }

    /// Microseconds since the Unix epoch.
    pub const fn microseconds(self) -> i64 {
        self.0
    }

    /// Milliseconds since the Unix epoch, 0 for earlier moments.
    pub(crate) fn unix_milliseconds(self) -> u64 {
        u64::try_from(self.0.div_euclid(1_000)).unwrap_or(0)
    }

    /// The moment `length` later; the last moment there is, if that lies beyond it.
    pub fn saturating_add(self, length: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add_unsigned(length.0))
    }

    /// The moment `length` earlier; the first moment there is, if that lies before it.
    pub fn saturating_sub(self, length: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub_unsigned(length.0))
    }

    /// Time from `earlier` to this moment; zero if `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration(u64::try_from(i128::from(self.0) - i128::from(earlier.0)).unwrap_or(0))
    }
}

/// RFC 3339 in UTC with microseconds; moments outside the years 0 to 9999 print as microseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) => f.pad(&moment.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads RFC 3339: date, time and an offset or `Z`; parts of a microsecond are cut.
impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Timestamp, TimeError> {
        text.parse::<jiff::Timestamp>()
            .map(|moment| Timestamp(moment.as_microsecond()))
            .map_err(|_| TimeError::Moment { text: text.chars().take(80).collect() })
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);

    /// A length of this many microseconds.
    pub const fn from_microseconds(microseconds: u64) -> Duration {
        Duration(microseconds)
    }

    /// A length of this many milliseconds.
    pub const fn from_milliseconds(milliseconds: u64) -> Duration {
        Duration(milliseconds.saturating_mul(1_000))
    }

    /// A length of this many seconds.
    pub const fn from_seconds(seconds: u64) -> Duration {
        Duration(seconds.saturating_mul(1_000_000))
    }

    /// The length in microseconds.
    pub const fn microseconds(self) -> u64 {
        self.0
    }

    /// Both lengths together; the longest there is, if that is shorter.
    pub const fn saturating_add(self, other: Duration) -> Duration {
        Duration(self.0.saturating_add(other.0))
    }
}

/// What does not fit is the longest length there is, 584,000 years.
impl From<std::time::Duration> for Duration {
    fn from(length: std::time::Duration) -> Duration {
        Duration(u64::try_from(length.as_micros()).unwrap_or(u64::MAX))
    }
}

impl From<Duration> for std::time::Duration {
    fn from(length: Duration) -> std::time::Duration {
        std::time::Duration::from_micros(length.0)
    }
}

/// The units of a written length of time, largest first, in microseconds.
const UNITS: [(&str, u64); 6] =
    [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];

/// Whole numbers with units, largest unit first: `1h30m`, `300ms`, `0s`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (name, size) in UNITS {
            if rest >= size {
                write!(f, "{}{name}", rest / size)?;
                rest %= size;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads whole numbers with units, each unit at most once and larger before smaller: `300ms`, `90s`, `1h30m`, `2d`.
impl FromStr for Duration {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Duration, TimeError> {
        parse_length(text).map(Duration).ok_or_else(|| TimeError::Length { text: text.chars().take(80).collect() })
    }
}

fn parse_length(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text;
    let mut next_unit = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (unit, (_, size)) = UNITS.iter().enumerate().find(|(_, (name, _))| rest.get(..letters) == Some(*name))?;
        if unit < next_unit {
            return None;
        }
        next_unit = unit + 1;
        total = total.checked_add(number.checked_mul(*size)?)?;
        rest = rest.get(letters..)?;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_and_written_with_units() {
        for (text, microseconds) in
            [("300ms", 300_000), ("90s", 90_000_000), ("1h30m", 5_400_000_000), ("2d", 172_800_000_000), ("0s", 0)]
        {
            assert_eq!(text.parse(), Ok(Duration::from_microseconds(microseconds)), "{text}");
        }
        assert_eq!(Duration::from_seconds(90).to_string(), "1m30s");
    }

    #[test]
    fn a_bare_number_or_a_repeated_unit_is_no_length() {
        for text in ["", "5", "s", "1x", "1s1s", "1s1h", "-1s", "1.5s", "99999999999999999999d"] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }

    #[test]
    fn moments_are_rfc_3339_in_utc_with_microseconds() {
        let moment: Timestamp = "2026-05-01T14:00:00.5+02:00".parse().unwrap();
        assert_eq!(moment.to_string(), "2026-05-01T12:00:00.500000Z");
        assert!("2026-05-01".parse::<Timestamp>().is_err());
        assert!("1714564800".parse::<Timestamp>().is_err());
    }
}
