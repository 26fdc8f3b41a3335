//! When failed work is tried again: how often, after what delay, and which failures.

use std::collections::BTreeSet;

use crate::failure::{ErrorClass, ErrorCode};
use crate::time::Duration;

/// How often and when a failed attempt is tried again. Integers only, so that every binary computes the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RetryPolicy {
    /// Tries in all, 1 = no retry. Only failures the policy retries count.
    pub(crate) max_attempts: u32,
    /// Delay before the second try.
    pub(crate) initial: Duration,
    /// Growth of the delay from try to try, in thousandths.
    pub(crate) factor_thousandths: u64,
    /// No delay is longer, jitter aside.
    pub(crate) max: Duration,
    /// Part of the delay that is drawn at random, in thousandths.
    pub(crate) jitter_thousandths: u64,
    /// Failures that are tried again.
    pub(crate) on: RetryOn,
}

/// Which failures are tried again: those of a class, those with a code, those of programs with an exit code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RetryOn {
    /// Transient errors.
    pub(crate) transient: bool,
    /// Attempts that took longer than their timeout.
    pub(crate) timeout: bool,
    /// Unexpected exit codes of programs.
    pub(crate) exit: bool,
    /// Errors with one of these codes, whatever their class.
    pub(crate) codes: BTreeSet<ErrorCode>,
    /// Programs that ended with one of these codes and were not expected to.
    pub(crate) exit_codes: BTreeSet<u8>,
}

impl RetryOn {
    /// The names of the classes as definitions write them.
    pub(super) const CLASSES: [&'static str; 3] = ["transient", "timeout", "exit"];

    /// What is tried again where nobody says: what may pass by itself.
    pub(super) fn engine() -> RetryOn {
        RetryOn { transient: true, ..RetryOn::default() }
    }

    /// What is tried again where a policy does not say: every class of failures that another try may mend.
    pub(super) fn every_class() -> RetryOn {
        RetryOn { transient: true, timeout: true, exit: true, ..RetryOn::default() }
    }

    /// Is a failure of this class and code tried again? `exit_code` gives that of the program, if one has ended.
    pub(crate) fn covers(&self, class: ErrorClass, code: &ErrorCode, exit_code: impl FnOnce() -> Option<u8>) -> bool {
        let of_class = match class {
            ErrorClass::Transient => self.transient,
            ErrorClass::Timeout => self.timeout,
            ErrorClass::Exit => self.exit,
            ErrorClass::Permanent => false,
        };
        let has_exit_code =
            || class == ErrorClass::Exit && exit_code().is_some_and(|code| self.exit_codes.contains(&code));
        of_class || self.codes.contains(code) || (!self.exit_codes.is_empty() && has_exit_code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_tried_again_for_its_class_its_code_or_its_exit_code() {
        let on = |codes: &[ErrorCode], exit_codes: &[u8]| RetryOn {
            timeout: true,
            codes: codes.iter().cloned().collect(),
            exit_codes: exit_codes.iter().copied().collect(),
            ..RetryOn::default()
        };
        let named = on(&[ErrorCode::VALIDATION_FAILED], &[7, 9]);
        let cases = [
            (ErrorClass::Timeout, ErrorCode::TASK_TIMEOUT, None, true),
            (ErrorClass::Transient, ErrorCode::NETWORK_ERROR, None, false),
            (ErrorClass::Permanent, ErrorCode::VALIDATION_FAILED, None, true),
            (ErrorClass::Permanent, ErrorCode::USER_CODE_ERROR, Some(7), false),
            (ErrorClass::Exit, ErrorCode::USER_CODE_ERROR, Some(7), true),
            (ErrorClass::Exit, ErrorCode::USER_CODE_ERROR, Some(8), false),
            (ErrorClass::Exit, ErrorCode::USER_CODE_ERROR, None, false),
        ];
        for (class, code, exit_code, expected) in cases {
            assert_eq!(named.covers(class, &code, || exit_code), expected, "{class} {code} {exit_code:?}");
        }
    }
}
