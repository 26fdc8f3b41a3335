//! Which work of a workflow somebody means: a stage by its name, an activation of it, or an instance of that.
//!
//! A name only: whether there is such work is found by whoever has a state.

use std::fmt;
use std::str::FromStr;

use crate::ids::ActivationId;

/// A stage by its ref id, with the activation that is meant: `deploy`, `deploy#2`, `deploy#2[0]`.
///
/// Without a number it is the oldest activation of the stage that lives and has the work that is spoken of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageAddress {
    stage: String,
    number: Option<u32>,
    instance: Option<u32>,
}

/// A text that names no work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} names no work: write STAGE, STAGE#N or STAGE#N[I], with N from 1 and I from 0")]
pub struct InvalidAddress {
    text: String,
}

impl StageAddress {
    /// The stage's ref id.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// The number of the activation, from 1; `None` is the oldest that fits.
    pub fn number(&self) -> Option<u32> {
        self.number
    }

    /// The number of the instance, from 0.
    pub fn instance(&self) -> Option<u32> {
        self.instance
    }

    /// Is it this activation of the stage, as far as is said?
    pub(super) fn names(&self, id: ActivationId) -> bool {
        let is_instance = self.instance.is_none() || self.instance == id.instance();
        is_instance && self.number.is_none_or(|number| number == id.number)
    }
}

impl FromStr for StageAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<StageAddress, InvalidAddress> {
        let invalid = || InvalidAddress { text: text.chars().take(80).collect() };
        let number = |digits: &str| digits.parse::<u32>().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()));
        let Some((stage, rest)) = text.split_once('#') else {
            return if text.is_empty() || text.contains(['[', ']']) {
                Err(invalid())
            } else {
                Ok(StageAddress { stage: text.to_owned(), number: None, instance: None })
            };
        };
        let (activation, instance) = match rest.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
            Some((activation, instance)) => (activation, Some(number(instance).ok_or_else(invalid)?)),
            None => (rest, None),
        };
        let activation = number(activation).filter(|number| *number > 0).ok_or_else(invalid)?;
        if stage.is_empty() {
            return Err(invalid());
        }
        Ok(StageAddress { stage: stage.to_owned(), number: Some(activation), instance })
    }
}

impl fmt::Display for StageAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stage)?;
        if let Some(number) = self.number {
            write!(f, "#{number}")?;
        }
        self.instance.map_or(Ok(()), |instance| write!(f, "[{instance}]"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_an_activation_and_an_instance_are_told_apart() {
        for (text, stage, number, instance) in [
            ("deploy", "deploy", None, None),
            ("deploy#2", "deploy", Some(2), None),
            ("a-b_1#10[0]", "a-b_1", Some(10), Some(0)),
        ] {
            let address: StageAddress = text.parse().unwrap();
            assert_eq!((address.stage(), address.number(), address.instance()), (stage, number, instance));
            assert_eq!(address.to_string(), text);
        }
        for text in
            ["", "#1", "a#", "a#0", "a#x", "a#+1", "a[0]", "a#1[", "a#1[]", "a#1[-1]", "a#1[0]x", "a#99999999999"]
        {
            assert!(text.parse::<StageAddress>().is_err(), "{text}");
        }
    }
}
