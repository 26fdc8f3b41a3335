//! A moment in the history of a workflow.

use std::str::FromStr;

use crate::ids::Sequence;
use crate::time::Timestamp;

use super::error::Error;

/// A moment in the history of a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// After its last event.
    Latest,
    /// After the event at this place of its stream.
    Sequence(Sequence),
    /// After everything that was recorded up to this moment.
    Time(Timestamp),
}

impl At {
    /// After the event with this number, from 1.
    ///
    /// # Errors
    ///
    /// If the number is 0.
    pub fn sequence(number: u64) -> Result<At, Error> {
        Sequence::new(number).map(At::Sequence).ok_or_else(|| Error::NoPlace { text: number.to_string() })
    }

    /// After everything that was recorded up to this moment.
    pub fn time(moment: Timestamp) -> At {
        At::Time(moment)
    }
}

/// Reads `latest`, the number of an event, or a moment as RFC 3339.
impl FromStr for At {
    type Err = Error;

    fn from_str(text: &str) -> Result<At, Error> {
        if text.eq_ignore_ascii_case("latest") {
            return Ok(At::Latest);
        }
        if let Ok(number) = text.parse() {
            return At::sequence(number);
        }
        text.parse().map(At::Time).map_err(|_| Error::NoPlace { text: text.chars().take(80).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_a_moment_is_a_place() {
        let moment = Timestamp::from_microseconds(1_777_636_800_000_000);
        assert_eq!("5".parse::<At>().unwrap(), At::sequence(5).unwrap());
        assert_eq!("2026-05-01T12:00:00Z".parse::<At>().unwrap(), At::time(moment));
        assert_eq!("Latest".parse::<At>().unwrap(), At::Latest);
    }

    #[test]
    fn anything_else_is_none() {
        for text in ["", "0", "-1", "yesterday", "2026-05-01"] {
            assert!(matches!(text.parse::<At>(), Err(Error::NoPlace { .. })), "{text}");
        }
        assert!(At::sequence(0).is_err());
    }
}
