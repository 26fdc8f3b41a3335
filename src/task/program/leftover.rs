//! Process groups that outlived their engine: the records that name them, and their end when the next engine opens.
//!
//! A record is written before its command runs (R16), so that no moment to kill an engine leaves an unknown program
//! behind. What a program moved into a session of its own is no longer in its group and not found.

use std::fs;
use std::io;
#[cfg(feature = "shell")]
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpgrp, kill_process_group};

use super::error::Error;
use super::table::{self, Process};
use crate::task::place::Place;

/// How long killed groups may take to vanish. A process in an uninterruptible call dies when the call returns.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to rest between two looks: they are not our children, so nobody tells us.
const REST: Duration = Duration::from_millis(2);

/// A running process group, as the next engine needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GroupRecord {
    pgid: i32,
    session: i32,
    began: u64,
    boot: String,
}

impl GroupRecord {
    /// The record of the group that this process, which lives and is no child of another engine, leads.
    #[cfg(feature = "shell")]
    pub(super) fn of_leader(pid: Pid) -> Result<GroupRecord, Error> {
        let pgid = pid.as_raw_nonzero().get();
        let leader = table::find(pgid)?.ok_or_else(|| {
            let gone = io::Error::from(io::ErrorKind::NotFound);
            Error::io("find in the table of processes", pgid.to_string())(gone)
        })?;
        Ok(GroupRecord { pgid, session: leader.session, began: leader.began, boot: table::boot()? })
    }

    /// Writes the record. Not synced: a lost machine has ended its processes itself.
    #[cfg(feature = "shell")]
    pub(super) fn write(&self, path: &Path) -> Result<(), Error> {
        let GroupRecord { pgid, session, began, boot } = self;
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(Error::io("create", directory))?;
        }
        let mut file = fs::File::create(path).map_err(Error::io("create", path))?;
        let inode = file.metadata().map_err(Error::io("look at", path))?.ino();
        let text = format!("pgid {pgid}\nsession {session}\nbegan {began}\nboot {boot}\ninode {inode}\n");
        file.write_all(text.as_bytes()).map_err(Error::io("write", path))
    }

    /// A record cut short is none: its command was not let go yet, and ends by itself. Nor is one that was written to
    /// another file than the one with this inode: the directory is a copy, and the group belongs to the original.
    fn parse(text: &str, inode: u64) -> Option<GroupRecord> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let record = GroupRecord {
            pgid: lines.next()?.strip_prefix("pgid ")?.parse().ok()?,
            session: lines.next()?.strip_prefix("session ")?.parse().ok()?,
            began: lines.next()?.strip_prefix("began ")?.parse().ok()?,
            boot: lines.next()?.strip_prefix("boot ")?.to_owned(),
        };
        let is_here = lines.next()?.strip_prefix("inode ")?.parse() == Ok(inode);
        // Group 0 would be our own and group 1 is the system's.
        (record.pgid > 1 && is_here && lines.next().is_none()).then_some(record)
    }

    /// Whether anything of this group still runs. A leader with another start is another group under the same number;
    /// without a leader it is told by session and starts, since a number is not given again while a group has it.
    fn lives(&self, processes: &[Process]) -> bool {
        let of_group = |process: &&Process| process.pgid == self.pgid;
        let leader = processes.iter().find(|process| process.pid == self.pgid);
        if leader.is_some_and(|leader| leader.began != self.began) {
            return false;
        }
        processes
            .iter()
            .filter(of_group)
            .any(|process| !process.ended && process.session == self.session && process.began >= self.began)
    }
}

/// Ends every process group that a killed engine left running below `place`, waits until they are gone, and empties
/// the directories of attempts. Says how many groups there were. The caller holds the lock of the log.
///
/// # Errors
///
/// A directory or the table of processes that cannot be read, and [`Error::Survivors`]; records of these stay.
pub(crate) fn kill_leftovers(place: &Place) -> Result<usize, Error> {
    let mut left = records(&place.processes())?;
    let found = left.len();
    let mut killed = 0;
    if found > 0 {
        let boot = table::boot()?;
        left = remove_records(left, |record| record.boot != boot)?;
        let mut first_look = true;
        let until = Instant::now() + PATIENCE;
        while !left.is_empty() {
            let processes = table::all()?;
            left = remove_records(left, |record| !record.lives(&processes))?;
            if first_look {
                killed = left.len();
                first_look = false;
            }
            if Instant::now() >= until {
                let pgids = left.iter().map(|(_, record)| record.pgid).collect();
                return Err(Error::Survivors { pgids });
            }
            for (_, record) in &left {
                kill(record.pgid);
            }
            if !left.is_empty() {
                thread::sleep(REST);
            }
        }
    }
    empty(&place.scratch())?;
    Ok(killed)
}

/// A group that vanished in the meantime, or that is not ours to kill, shows at the next look.
fn kill(pgid: i32) {
    if let Some(pgid) = Pid::from_raw(pgid) {
        let _ = kill_process_group(pgid, Signal::KILL);
    }
}

/// Reads all records; what is none is removed. Our own group is left alone: a program that an engine left behind may
/// itself have opened the log.
fn records(directory: &Path) -> Result<Vec<(PathBuf, GroupRecord)>, Error> {
    let own = getpgrp().as_raw_nonzero().get();
    let mut records = Vec::new();
    for path in entries(directory)? {
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        let inode = fs::metadata(&path).map_err(Error::io("look at", &path))?.ino();
        let text = std::str::from_utf8(&bytes).ok();
        match text.and_then(|text| GroupRecord::parse(text, inode)) {
            Some(record) if record.pgid == own => {}
            Some(record) => records.push((path, record)),
            None => fs::remove_file(&path).map_err(Error::io("remove", &path))?,
        }
    }
    Ok(records)
}

fn remove_records(
    records: Vec<(PathBuf, GroupRecord)>,
    over: impl Fn(&GroupRecord) -> bool,
) -> Result<Vec<(PathBuf, GroupRecord)>, Error> {
    let (ended, left): (Vec<_>, Vec<_>) = records.into_iter().partition(|(_, record)| over(record));
    for (path, _) in ended {
        fs::remove_file(&path).map_err(Error::io("remove", &path))?;
    }
    Ok(left)
}

fn empty(directory: &Path) -> Result<(), Error> {
    for path in entries(directory)? {
        let removed =
            if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        // A program may leave what its user cannot remove; that costs space and nothing else.
        if let Err(error) = removed {
            tracing::warn!(path = %path.display(), %error, "could not remove what an attempt left behind");
        }
    }
    Ok(())
}

/// What stands in a directory; a missing one is empty.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let read = match fs::read_dir(directory) {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("read", directory)(error)),
    };
    read.map(|entry| entry.map(|entry| entry.path()).map_err(Error::io("read", directory))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> GroupRecord {
        GroupRecord { pgid: 50, session: 7, began: 1_000, boot: "b c".into() }
    }

    fn process(pid: i32, began: u64) -> Process {
        Process { pid, pgid: 50, session: 7, began, ended: false }
    }

    #[test]
    fn a_group_lives_while_one_of_its_members_does() {
        let other_group = Process { pgid: 51, ..process(51, 1_000) };
        let other_session = Process { session: 8, ..process(60, 1_001) };
        let ended = Process { ended: true, ..process(50, 1_000) };
        for (name, processes, lives) in [
            ("nobody", vec![], false),
            ("its leader", vec![process(50, 1_000)], true),
            ("a leader of the same number, later", vec![process(50, 2_000)], false),
            ("the same with children", vec![process(50, 2_000), process(60, 2_001)], false),
            ("a child alone", vec![process(60, 1_001)], true),
            ("a child that is older", vec![process(60, 999)], false),
            ("a leader that has ended", vec![ended], false),
            ("a leader that has ended and a child", vec![ended, process(60, 1_001)], true),
            ("others", vec![other_group, other_session], false),
        ] {
            assert_eq!(record().lives(&processes), lives, "{name}");
        }
    }

    #[test]
    fn a_record_that_is_cut_or_names_no_group_is_none() {
        let text = "pgid 50\nsession 7\nbegan 1000\nboot b c\ninode 9\n";
        assert_eq!(GroupRecord::parse(text, 9), Some(record()));
        assert_eq!(GroupRecord::parse(text, 8), None, "a copy");
        for length in 0..text.len() {
            assert_eq!(GroupRecord::parse(&text[..length], 9), None, "{length}");
        }
        for pgid in ["0", "1", "-50", "x", ""] {
            assert_eq!(GroupRecord::parse(&text.replace("50", pgid), 9), None, "{pgid}");
        }
        assert_eq!(GroupRecord::parse(&(text.to_owned() + "more\n"), 9), None);
    }

    #[test]
    fn a_place_without_directories_has_no_leftovers() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(kill_leftovers(&Place::new(directory.path())).unwrap(), 0);
    }

    #[test]
    fn records_of_another_boot_and_of_no_group_are_removed_and_scratch_is_emptied() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place::new(directory.path());
        fs::create_dir_all(place.processes()).unwrap();
        fs::create_dir_all(place.scratch().join("a/b")).unwrap();
        fs::write(place.scratch().join("a.output"), "x=1").unwrap();
        let own = std::process::id();
        for (name, text) in [
            ("cut", "pgid 50\nsess"),
            ("no-text", "\u{0}"),
            ("former-boot", "pgid 50\nsession 7\nbegan 1000\nboot another\n"),
            ("reused", &format!("pgid {own}\nsession 7\nbegan 0\nboot {}\n", table::boot().unwrap())),
        ] {
            let path = place.processes().join(name);
            fs::write(&path, text).unwrap();
            let inode = fs::metadata(&path).unwrap().ino();
            fs::write(&path, format!("{text}inode {inode}\n")).unwrap();
        }
        assert_eq!(kill_leftovers(&place).unwrap(), 0);
        assert_eq!(entries(&place.processes()).unwrap(), Vec::<PathBuf>::new());
        assert_eq!(entries(&place.scratch()).unwrap(), Vec::<PathBuf>::new());
    }
}
