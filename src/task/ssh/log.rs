//! What the client has written about its connection: the only thing that tells its own failures from the program's,
//! since both end with exit code 255.

use crate::failure::ErrorCode;
use crate::limits::STREAM_BYTES_IN_ERROR;
use crate::task::outcome::TaskError;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// The other side was not asked to run anything.
    Nothing,
    /// It was asked, and never told how that ended.
    Begun,
    /// It told that what it ran was killed.
    Killed,
    /// It told an exit code.
    Ended,
}

/// The log of the client.
pub(super) struct Log(String);

impl Log {
    /// Of one that cannot be read nothing is known.
    pub(super) fn new(text: Option<String>) -> Log {
        Log(text.unwrap_or_default())
    }

    pub(super) fn reached(&self) -> Reached {
        let request = |kind: &str| {
            let mut requests = self.0.lines().filter(|line| line.starts_with("debug1: client_input_channel_req: "));
            requests.any(|line| line.contains(kind))
        };
        if request(" rtype exit-status ") {
            Reached::Ended
        } else if request(" rtype exit-signal ") {
            Reached::Killed
        } else if self.0.lines().any(|line| line.starts_with("debug1: Sending command: ")) || self.0.is_empty() {
            // What is not known may have begun.
            Reached::Begun
        } else {
            Reached::Nothing
        }
    }

    /// The user the client asked to be.
    pub(super) fn user(&self) -> Option<&str> {
        let line = self.0.lines().find(|line| line.starts_with("debug1: Authenticating to "))?;
        line.rsplit_once(" as '")?.1.strip_suffix('\'')
    }

    /// What the client says to people, its end if it is long.
    pub(super) fn words(&self) -> String {
        let lines = self.0.lines().filter(|line| !line.starts_with("debug") && !line.is_empty());
        let words = lines.collect::<Vec<&str>>().join("\n");
        let mut start = words.len().saturating_sub(STREAM_BYTES_IN_ERROR);
        while !words.is_char_boundary(start) {
            start += 1;
        }
        words[start..].to_owned()
    }

    /// Why nothing was run. What a network or a busy server may do is transient.
    pub(super) fn failure(&self, host: &str) -> TaskError {
        let words = self.words();
        let says = |any: &[&str]| any.iter().any(|part| words.contains(part));
        if says(&["Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED"]) {
            let message = format!("ssh: {host} has not shown a key that is known as its own");
            return TaskError::permanent(message).code(ErrorCode::AUTHENTICATION_FAILED);
        }
        if says(&[": Permission denied (", "Too many authentication failures"]) {
            let message = format!("ssh: {host} does not let this user in");
            return TaskError::permanent(message).code(ErrorCode::AUTHENTICATION_FAILED);
        }
        if says(&["administratively prohibited"]) {
            let message = format!("ssh: {host} runs no programs for this user");
            return TaskError::permanent(message).code(ErrorCode::AUTHENTICATION_FAILED);
        }
        if says(&["bad configuration option", "Bad owner or permissions", "Unable to negotiate with"]) {
            let message = format!("ssh: the client cannot speak with {host} as it is configured");
            return TaskError::permanent(message).code(ErrorCode::CONFIGURATION_INVALID);
        }
        TaskError::transient(format!("ssh: {host} cannot be reached")).code(ErrorCode::NETWORK_ERROR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_tells_how_far_a_connection_came() {
        let exit = "debug1: client_input_channel_req: channel 0 rtype exit-status reply 0\r\n";
        let signal = "debug1: client_input_channel_req: channel 0 rtype exit-signal reply 0\r\n";
        let sent = "debug1: Sending command: exec /bin/sh\r\n";
        for (text, reached) in [
            ("debug1: Connecting to 127.0.0.1\r\n".to_owned(), Reached::Nothing),
            (String::new(), Reached::Begun),
            (sent.to_owned(), Reached::Begun),
            (format!("{sent}{exit}"), Reached::Ended),
            (format!("{sent}{signal}"), Reached::Killed),
            ("said: debug1: Sending command: x".to_owned(), Reached::Nothing),
        ] {
            assert_eq!(Log::new(Some(text.clone())).reached(), reached, "{text}");
        }
        let log = Log::new(Some("debug1: Authenticating to 127.0.0.1:22 as 'a.b'\r\nConnection closed\r\n".into()));
        assert_eq!((log.user(), log.words().as_str()), (Some("a.b"), "Connection closed"));
    }
}
