//! What the client is told: whom to reach, as whom, and how far to trust the answer. Nothing of the work.

use std::path::Path;

use super::remote::SHELL;
use crate::task::outcome::TaskError;
use crate::task::settings::Settings;
use crate::value::Value;

/// The keys of a connection.
pub(super) const KEYS: [&str; 7] =
    ["host", "user", "port", "key_file", "strict_host_key", "known_hosts", "connect_timeout"];

/// What holds for every connection. One of its own, since a shared one belongs to another process and its log; nothing
/// is asked, as nobody could answer; a server that is silent for 45 s counts as gone.
const ALWAYS: [&str; 9] = [
    "BatchMode=yes",
    "LogLevel=DEBUG1",
    "ControlMaster=no",
    "ControlPath=none",
    "ClearAllForwardings=yes",
    "UpdateHostKeys=no",
    "ConnectionAttempts=1",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
];

/// Seconds until a server counts as away, and the most that can be asked for.
const CONNECT_SECONDS: u64 = 10;
const CONNECT_SECONDS_MAX: u64 = 3_600;

/// The host that is to be reached.
pub(super) fn host<'a>(settings: Settings<'a>) -> Result<&'a str, TaskError> {
    let is_host = |text: &&str| is_name(text, b"._-:%");
    let host = settings.typed("host", "the name or address of a host", |value| value.as_str().filter(is_host))?;
    host.ok_or_else(|| settings.refused("host", "expected this"))
}

/// The words of a connection whose client writes `log`.
pub(super) fn words(settings: Settings<'_>, log: &Path) -> Result<Vec<String>, TaskError> {
    let host = host(settings)?;
    let mut words = vec!["ssh".to_owned(), "-T".to_owned(), "-E".to_owned(), log.display().to_string()];
    let mut option = |text: &str| words.extend(["-o".to_owned(), text.to_owned()]);
    ALWAYS.into_iter().for_each(&mut option);
    option(&format!("ConnectTimeout={}", connect_seconds(settings)?));
    if let Some(path) = path(settings, "key_file")? {
        option(&format!("IdentityFile=\"{path}\""));
        option("IdentitiesOnly=yes");
    }
    match (settings.flag("strict_host_key")?.unwrap_or(true), path(settings, "known_hosts")?) {
        (true, None) => option("StrictHostKeyChecking=yes"),
        (true, Some(path)) => {
            option("StrictHostKeyChecking=yes");
            option(&format!("UserKnownHostsFile=\"{path}\""));
            option("GlobalKnownHostsFile=/dev/null");
        }
        (false, None) => {
            option("StrictHostKeyChecking=no");
            option("UserKnownHostsFile=/dev/null");
            option("GlobalKnownHostsFile=/dev/null");
        }
        (false, Some(_)) => {
            return Err(settings.refused("known_hosts", "with.strict_host_key: false asks nobody for known hosts"));
        }
    }
    let is_user = |text: &&str| is_name(text, b"._-");
    if let Some(user) = settings.typed("user", "the name of a user", |value| value.as_str().filter(is_user))? {
        option(&format!("User={user}"));
    }
    let port = |value: &Value| value.as_integer().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
    if let Some(port) = settings.typed("port", "a port from 1 to 65535", port)? {
        option(&format!("Port={port}"));
    }
    words.extend(["--", host, SHELL].map(str::to_owned));
    Ok(words)
}

/// Letters, digits and `more`, in the first place no `-`: neither an option, nor anything the client reads as more
/// than a name.
fn is_name(text: &str, more: &[u8]) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
}

/// A path as the client takes it. In some characters it would see more than a path, and no quoting helps in all of its
/// versions.
fn path<'a>(settings: Settings<'a>, key: &str) -> Result<Option<&'a str>, TaskError> {
    let Some(path) = settings.text(key)? else {
        return Ok(None);
    };
    if path.is_empty() || path.contains(['"', '\\', '%', '$']) || path.contains(char::is_control) {
        return Err(settings.refused(key, "expected a path without \", \\, %, $ and control characters"));
    }
    if path.split('/').any(|part| part == "..") {
        return Err(settings.refused(key, "a path with .. is not taken"));
    }
    Ok(Some(path))
}

/// The client counts in whole seconds.
fn connect_seconds(settings: Settings<'_>) -> Result<u64, TaskError> {
    let Some(length) = settings.length_or_seconds("connect_timeout")? else {
        return Ok(CONNECT_SECONDS);
    };
    let seconds = length.microseconds().div_ceil(1_000_000);
    if (1..=CONNECT_SECONDS_MAX).contains(&seconds) {
        Ok(seconds)
    } else {
        Err(settings.refused("connect_timeout", "expected a length from 1s to 1h"))
    }
}
