//! What the machine is like where a log stands: its file system, what a sync costs there, its clocks, its limits.
//!
//! Facts only; whether they are good enough is judged elsewhere. The one place that asks the system for them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Resource;
use stabilize::{Clock as _, SystemClock, Timestamp};

/// How long syncs are measured. Enough for a few even where one takes tens of milliseconds.
const MEASURED: Duration = Duration::from_millis(250);

/// Bytes of the file that is measured with: written before, so that a sync has no other work than one of the log's.
const MEASURED_BYTES: u64 = 1024 * 1024;

/// A record as a log writes it, about.
const RECORD: [u8; 200] = [0x5a; 200];

/// What kind of place a file system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// On this machine's own disks, as far as its name tells.
    Local,
    /// In memory: gone when the machine is.
    Memory,
    /// Somewhere else, or in the hands of another program: locks and syncs need not do what they say.
    Remote,
    /// Nobody told its name.
    Unknown,
}

/// The file system a path lies on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileSystem {
    /// As the system calls it: `ext4`.
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// File systems in memory.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// File systems that are not this machine's own, whatever the rest of their name is.
const REMOTE: [&str; 18] = [
    "nfs",
    "cifs",
    "smb",
    "9p",
    "fuse",
    "virtiofs",
    "vboxsf",
    "prl_fs",
    "hgfs",
    "afs",
    "coda",
    "ceph",
    "glusterfs",
    "lustre",
    "gfs",
    "ocfs",
    "beegfs",
    "gpfs",
];

/// FUSE on a block device of this machine: what it holds is as local as the device.
const FUSE_LOCAL: &str = "fuseblk";

impl FileSystem {
    /// The file system that `path` lies on.
    pub(crate) fn of(path: &Path) -> FileSystem {
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        match name_of(&table, &path) {
            Some(name) => FileSystem { kind: kind_of(&name), name },
            None => FileSystem { name: "unknown".to_owned(), kind: Kind::Unknown },
        }
    }
}

fn kind_of(name: &str) -> Kind {
    if IN_MEMORY.contains(&name) {
        Kind::Memory
    } else if name != FUSE_LOCAL && REMOTE.iter().any(|remote| name.starts_with(remote)) {
        Kind::Remote
    } else {
        Kind::Local
    }
}

/// The type of the mount that `path` lies in, from a table as Linux writes it: of nested mounts the deepest, of several
/// in one place the last.
fn name_of(table: &str, path: &Path) -> Option<String> {
    let mounts = table.lines().filter_map(|line| {
        let (before, behind) = line.split_once(" - ")?;
        let point = PathBuf::from(unescaped(before.split(' ').nth(4)?));
        Some((point, behind.split(' ').next()?))
    });
    let around = mounts.filter(|(point, _)| path.starts_with(point));
    around.max_by_key(|(point, _)| point.components().count()).map(|(_, name)| name.to_owned())
}

/// `\040` stands for a space, and so on.
fn unescaped(text: &str) -> String {
    ["\\040 ", "\\011\t", "\\012\n", "\\134\\"].iter().fold(text.to_owned(), |text, pair| {
        let (code, letter) = pair.split_at(4);
        text.replace(code, letter)
    })
}

/// Room on a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Bytes that may be written.
    pub(crate) bytes: u64,
    /// Files that may be made; `None` where they are not counted.
    pub(crate) files: Option<u64>,
}

/// Room where `path` lies.
pub(crate) fn room(path: &Path) -> io::Result<Room> {
    let told = rustix::fs::statvfs(path)?;
    let bytes = told.f_bavail.saturating_mul(told.f_frsize);
    Ok(Room { bytes, files: (told.f_files > 0).then_some(told.f_favail) })
}

/// How many files this process may have open; `None` if there is no limit.
pub(crate) fn open_files() -> Option<u64> {
    rustix::process::getrlimit(Resource::Nofile).current
}

/// What a few syncs have shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Syncs {
    /// Records written and synced, each by itself, a second.
    pub(crate) per_second: u64,
    /// How far the time of day went otherwise than the time that passed.
    pub(crate) clock_step: Duration,
}

/// Writes and syncs small records for a moment, in a file of its own in `directory` that is removed again.
///
/// # Errors
///
/// If no file can be written there.
pub(crate) fn measure_syncs(directory: &Path) -> io::Result<Syncs> {
    let file = Scratch::create(directory)?;
    file.file.write_all_at(&vec![0; usize::try_from(MEASURED_BYTES).unwrap_or(0)], 0)?;
    file.file.sync_all()?;
    let (wall, begin) = (SystemClock.now(), Instant::now());
    let mut count = 0_u64;
    while begin.elapsed() < MEASURED || count == 0 {
        let offset = count * RECORD.len() as u64 % (MEASURED_BYTES - RECORD.len() as u64);
        file.file.write_all_at(&RECORD, offset)?;
        file.file.sync_data()?;
        count += 1;
    }
    let passed = begin.elapsed();
    let per_second = u128::from(count) * 1_000_000 / passed.as_micros().max(1);
    let clock_step = step(wall, SystemClock.now(), passed);
    Ok(Syncs { per_second: u64::try_from(per_second).unwrap_or(u64::MAX), clock_step })
}

fn step(before: Timestamp, after: Timestamp, passed: Duration) -> Duration {
    let wall = after.microseconds().saturating_sub(before.microseconds());
    let passed = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX);
    Duration::from_micros(wall.abs_diff(passed))
}

/// A file that is gone when this value is.
struct Scratch {
    path: PathBuf,
    file: File,
}

impl Scratch {
    fn create(directory: &Path) -> io::Result<Scratch> {
        let path = directory.join(format!("doctor-{}.tmp", std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok(Scratch { path, file })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in nobody's way.
        fs::remove_file(&self.path).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 27 0:22 / /sys rw,relatime - sysfs sysfs rw
30 27 0:40 / /mnt/my\\040share rw,relatime shared:1 - nfs4 host:/x rw
31 30 0:41 / /mnt/my\\040share/tmp rw - tmpfs tmpfs rw
32 27 0:42 / /srv rw - ext4 /dev/vdb rw
33 27 0:43 / /srv rw - fuse.sshfs host: rw
";

    #[test]
    fn the_deepest_mount_around_a_path_says_what_it_lies_on() {
        for (path, expected) in [
            ("/var/log/a", "ext4"),
            ("/mnt/my share/log", "nfs4"),
            ("/mnt/my share/tmp/log", "tmpfs"),
            ("/mnt/my sharelog", "ext4"),
            ("/srv/log", "fuse.sshfs"),
        ] {
            assert_eq!(name_of(TABLE, Path::new(path)).as_deref(), Some(expected), "{path}");
        }
        assert_eq!(name_of("", Path::new("/")), None);
    }

    #[test]
    fn file_systems_are_told_apart_by_their_names() {
        for (name, expected) in [
            ("ext4", Kind::Local),
            ("xfs", Kind::Local),
            ("btrfs", Kind::Local),
            ("overlay", Kind::Local),
            ("fuseblk", Kind::Local),
            ("tmpfs", Kind::Memory),
            ("nfs4", Kind::Remote),
            ("cifs", Kind::Remote),
            ("smb3", Kind::Remote),
            ("9p", Kind::Remote),
            ("fuse.sshfs", Kind::Remote),
            ("virtiofs", Kind::Remote),
        ] {
            assert_eq!(kind_of(name), expected, "{name}");
        }
    }

    #[test]
    fn measuring_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let syncs = measure_syncs(directory.path()).unwrap();
        assert!(syncs.per_second > 0);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_clock_that_goes_otherwise_than_time_is_seen_in_both_directions() {
        let at = |seconds: i64| Timestamp::from_microseconds(seconds * 1_000_000);
        for (before, after, expected) in [(10, 11, 0), (10, 15, 4), (10, 8, 3)] {
            assert_eq!(step(at(before), at(after), Duration::from_secs(1)), Duration::from_secs(expected));
        }
    }
}
