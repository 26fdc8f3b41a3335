//! How the command ends: every exit code there is.

use std::process::ExitCode;

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; a workflow that was driven ended SUCCEEDED.
    Success,
    /// The workflow ended otherwise than SUCCEEDED.
    Unsuccessful,
    /// The command line or an input cannot be meant like this.
    Usage,
    /// The definition is refused.
    Refused,
    /// There is no such workflow, stage or log.
    NotFound,
    /// The state refuses it: it has ended already.
    Conflict,
    /// Recorded data are damaged, or a verification failed.
    Damage,
    /// The log or the machine cannot be used: held by another process, on hold, no space.
    Unusable,
    /// `--timeout` passed first.
    TimedOut,
    /// SIGINT or SIGTERM came first.
    Interrupted,
}

/// The table that `--help` prints; a test holds it to [`Exit::code`].
pub(crate) const TABLE: &str = "\
Exit codes:
  0    ok
  1    the workflow ended otherwise than SUCCEEDED
  2    usage, or an input that does not fit
  3    the definition is refused
  4    not found
  5    refused by the state (already ended)
  6    damage, or a verification that failed
  7    log or machine unusable (held by another process, on hold, no space)
  124  timed out
  130  interrupted";

impl Exit {
    /// The code itself.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Unsuccessful => 1,
            Exit::Usage => 2,
            Exit::Refused => 3,
            Exit::NotFound => 4,
            Exit::Conflict => 5,
            Exit::Damage => 6,
            Exit::Unusable => 7,
            Exit::TimedOut => 124,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_lists_every_code_once_and_in_order() {
        let all = [
            Exit::Success,
            Exit::Unsuccessful,
            Exit::Usage,
            Exit::Refused,
            Exit::NotFound,
            Exit::Conflict,
            Exit::Damage,
            Exit::Unusable,
            Exit::TimedOut,
            Exit::Interrupted,
        ];
        let listed: Vec<u8> =
            TABLE.lines().skip(1).map(|line| line.split_whitespace().next().unwrap().parse().unwrap()).collect();
        assert_eq!(listed, all.map(Exit::code));
    }
}
