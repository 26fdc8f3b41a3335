//! What `doctor` looks at: each check from facts to a verdict, with what was found and what cures it.
//!
//! The bounds stand here with their reasons. Nothing is changed anywhere.

use std::time::Duration;

use stabilize::Timestamp;

use crate::host::{FileSystem, Kind, Room, Syncs};
use crate::progress::length;

/// How well it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and somebody should know.
    Warn,
    /// The log is in danger or cannot be used.
    Bad,
}

impl Verdict {
    /// The word for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Bad => "bad",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Check {
    /// What was looked at.
    pub(super) name: &'static str,
    pub(super) verdict: Verdict,
    /// What was found, in words.
    pub(super) found: String,
    /// What to do about it; `None` where nothing is to be done.
    pub(super) cure: Option<String>,
}

impl Check {
    pub(super) fn ok(name: &'static str, found: impl Into<String>) -> Check {
        Check { name, verdict: Verdict::Ok, found: found.into(), cure: None }
    }

    pub(super) fn warn(name: &'static str, found: impl Into<String>, cure: impl Into<String>) -> Check {
        Check { name, verdict: Verdict::Warn, found: found.into(), cure: Some(cure.into()) }
    }

    pub(super) fn bad(name: &'static str, found: impl Into<String>, cure: impl Into<String>) -> Check {
        Check { name, verdict: Verdict::Bad, found: found.into(), cure: Some(cure.into()) }
    }
}

/// A file system keeps what is written, and locks hold on it.
pub(super) fn file_system(found: &FileSystem) -> Check {
    let name = &found.name;
    match found.kind {
        Kind::Local => Check::ok("file system", format!("{name}, local")),
        Kind::Unknown => Check::warn(
            "file system",
            "nobody tells what it is",
            "make sure that it is a disk of this machine: locks and syncs of others need not hold",
        ),
        Kind::Memory => Check::warn(
            "file system",
            format!("{name}, in memory: the log is gone when the machine restarts"),
            "keep a log that matters on a disk, with --log DIR or STABILIZE_LOG",
        ),
        Kind::Remote => Check::bad(
            "file system",
            format!("{name}, not this machine's own: locks and syncs need not hold, and two engines may write at once"),
            "keep the log on a local disk, with --log DIR or STABILIZE_LOG",
        ),
    }
}

/// More syncs a second than any disk that keeps what it is given: then nobody waits for one.
const SYNCS_IMPLAUSIBLE: u64 = 200_000;

/// More than disks manage without a cache that outlives a power failure.
const SYNCS_FAST: u64 = 30_000;

/// Fewer make every step of a workflow wait for a twentieth of a second.
const SYNCS_SLOW: u64 = 20;

/// A sync waits for the disk.
pub(super) fn syncs(found: Syncs, kind: Kind) -> Check {
    let rate = found.per_second;
    let text = format!("{rate} a second, {} us each", 1_000_000 / rate.max(1));
    match rate {
        _ if kind == Kind::Memory => Check::ok("fsync", format!("{text}; nothing is kept there whatever is synced")),
        SYNCS_IMPLAUSIBLE.. => Check::bad(
            "fsync",
            format!("{text}: faster than any disk, so that syncs do not wait for it"),
            "what is acknowledged may be lost with the power; look for barriers that are switched off, or eatmydata",
        ),
        SYNCS_FAST.. => Check::warn(
            "fsync",
            format!("{text}: fine if the disk's cache outlives a power failure"),
            "cat /sys/block/DEVICE/queue/write_cache says `write through` for such a disk",
        ),
        SYNCS_SLOW.. => Check::ok("fsync", text),
        _ => Check::warn(
            "fsync",
            format!("{text}: each step of a workflow waits that long"),
            "a disk of this machine that nobody else uses is faster; many workflows at once share a sync",
        ),
    }
}

/// Bytes below which the next segment may not fit: segments grow up to 64 MiB.
const ROOM_NEEDED: u64 = 80 << 20;

/// Bytes below which somebody should make room soon.
const ROOM_WANTED: u64 = 1 << 30;

/// Files below which somebody should make room soon: each attempt has a few.
const FILES_WANTED: u64 = 10_000;

/// There is room for what is written.
pub(super) fn room(found: Room) -> Check {
    let cure = "make room, or move the log while no engine holds it";
    let mib = found.bytes >> 20;
    let text = match mib {
        0..10_240 => format!("{mib} MiB free"),
        _ => format!("{} GiB free", mib >> 10),
    };
    match found {
        Room { bytes: 0..ROOM_NEEDED, .. } => {
            Check::bad("space", format!("{text}: the next segment may not fit, then nothing is accepted"), cure)
        }
        Room { bytes: 0..ROOM_WANTED, .. } => Check::warn("space", text, cure),
        Room { files: Some(files @ 0..FILES_WANTED), .. } => {
            Check::warn("space", format!("{text}, and {files} more files at most"), cure)
        }
        Room { .. } => Check::ok("space", text),
    }
}

/// A step of the clock that a machine under load does not make.
const STEP: Duration = Duration::from_millis(100);

/// How far the log may be ahead of the clock; who is further must wait before anything is due again.
const AHEAD_BAD_US: u64 = 3_600 * 1_000_000;

/// Before this the clock was never set: 2024.
const CLOCK_SET: Timestamp = Timestamp::from_microseconds(1_704_067_200_000_000);

/// The clock goes on, evenly, and from where the log has been.
pub(super) fn clock(now: Timestamp, last: Option<Timestamp>, step: Duration) -> Check {
    let cure = "let the time service of the system set it slowly, and wait until the log's time has come";
    if now < CLOCK_SET {
        let found = format!("it says {now}: it was never set");
        return Check::bad("clock", found, "set the clock before an engine records anything");
    }
    let ahead = last.map_or(0, |last| last.since(now).microseconds());
    if ahead > 0 {
        let by = length(now, now.saturating_add(stabilize::Duration::from_microseconds(ahead)));
        let found = format!("it is {by} behind the last event: it was set back, and timers wait for it to catch up");
        let check = if ahead >= AHEAD_BAD_US { Check::bad } else { Check::warn };
        return check("clock", found, cure);
    }
    if step >= STEP {
        let found = format!("it stepped by {} ms while this was looked at", step.as_millis());
        return Check::warn("clock", found, "look whether two services set it; waits end early or late by such steps");
    }
    Check::ok("clock", "it goes evenly, and not behind the log")
}

/// Files that an engine with its usual workers may have open: two streams, two pipes and a few more each, 32
/// connections, the log, the index.
const FILES_NEEDED: u64 = 256;

/// Files that leave room for many workers.
const FILES_PLENTY: u64 = 1_024;

/// A process may have enough files open.
pub(super) fn open_files(limit: Option<u64>) -> Check {
    let cure = "ulimit -n 4096 before the engine is started, or LimitNOFILE= of its service";
    match limit {
        None => Check::ok("open files", "no limit"),
        Some(limit @ 0..FILES_NEEDED) => {
            Check::bad("open files", format!("at most {limit}: tasks will fail where no file can be opened"), cure)
        }
        Some(limit @ 0..FILES_PLENTY) => Check::warn("open files", format!("at most {limit}"), cure),
        Some(limit) => Check::ok("open files", format!("at most {limit}")),
    }
}

/// Sealed segments have their indexes, so that opening need not read them.
pub(super) fn index(sealed: usize, without: usize) -> Check {
    match (sealed, without) {
        (0, _) => Check::ok("index", "nothing to index yet"),
        (_, 0) => Check::ok("index", format!("each of {sealed} sealed segments has one")),
        _ => Check::warn(
            "index",
            format!("{without} of {sealed} sealed segments have none, and are read whole when the log is opened"),
            "nothing is lost; the next engine that holds the log makes them",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_follow_from_their_bounds() {
        let verdict = |check: Check| check.verdict;
        for (rate, kind, expected) in [
            (900, Kind::Local, Verdict::Ok),
            (19, Kind::Local, Verdict::Warn),
            (30_000, Kind::Local, Verdict::Warn),
            (200_000, Kind::Local, Verdict::Bad),
            (900_000, Kind::Memory, Verdict::Ok),
        ] {
            assert_eq!(
                verdict(syncs(Syncs { per_second: rate, clock_step: Duration::ZERO }, kind)),
                expected,
                "{rate}"
            );
        }
        for (bytes, files, expected) in [
            (1 << 40, None, Verdict::Ok),
            (1 << 40, Some(9_999), Verdict::Warn),
            ((1 << 30) - 1, None, Verdict::Warn),
            ((80 << 20) - 1, Some(1 << 20), Verdict::Bad),
        ] {
            assert_eq!(verdict(room(Room { bytes, files })), expected, "{bytes} {files:?}");
        }
        for (limit, expected) in
            [(None, Verdict::Ok), (Some(1_024), Verdict::Ok), (Some(1_023), Verdict::Warn), (Some(255), Verdict::Bad)]
        {
            assert_eq!(verdict(open_files(limit)), expected, "{limit:?}");
        }
        for (kind, expected) in [
            (Kind::Local, Verdict::Ok),
            (Kind::Memory, Verdict::Warn),
            (Kind::Unknown, Verdict::Warn),
            (Kind::Remote, Verdict::Bad),
        ] {
            assert_eq!(verdict(file_system(&FileSystem { name: "x".to_owned(), kind })), expected);
        }
        assert_eq!([index(0, 0), index(3, 0), index(3, 1)].map(verdict), [Verdict::Ok, Verdict::Ok, Verdict::Warn]);
    }

    #[test]
    fn a_clock_behind_the_log_or_one_that_jumps_is_told() {
        let now = Timestamp::from_microseconds(1_800_000_000_000_000);
        let later = |seconds| now.saturating_add(stabilize::Duration::from_seconds(seconds));
        for (last, step, expected) in [
            (None, 0, Verdict::Ok),
            (Some(now), 99, Verdict::Ok),
            (Some(now), 100, Verdict::Warn),
            (Some(later(1)), 0, Verdict::Warn),
            (Some(later(3_600)), 0, Verdict::Bad),
        ] {
            assert_eq!(clock(now, last, Duration::from_millis(step)).verdict, expected, "{last:?} {step}");
        }
        assert_eq!(clock(Timestamp::from_microseconds(0), None, Duration::ZERO).verdict, Verdict::Bad);
        let told = clock(now, Some(later(90)), Duration::ZERO).found;
        assert!(told.starts_with("it is 1m30s behind the last event"), "{told}");
    }

    #[test]
    fn whatever_is_not_well_has_a_cure() {
        let all = [1, 100, 50_000, 1 << 30]
            .map(|per_second| syncs(Syncs { per_second, clock_step: Duration::ZERO }, Kind::Local));
        for check in all {
            assert_eq!(check.cure.is_some(), check.verdict != Verdict::Ok, "{check:?}");
        }
    }
}
