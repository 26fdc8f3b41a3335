//! The system's table of processes: who belongs to which group and since when.
//!
//! Linux answers from `/proc`, other systems through `ps`. Numbers of processes are used again; a number together with
//! the start of its process, and with the boot (and the container) it was counted in, is not.

use std::io;
use std::path::PathBuf;

use super::error::Error;

/// One process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    /// Its number.
    pub(super) pid: i32,
    /// The number of its group: that of the process that leads or led it.
    pub(super) pgid: i32,
    /// The number of its session; 0 where that is not known.
    pub(super) session: i32,
    /// When it began, in a unit of this system that grows with time within one boot.
    pub(super) began: u64,
    /// Whether it has ended and only waits to be noticed.
    pub(super) ended: bool,
}

/// All processes there are now.
pub(super) fn all() -> Result<Vec<Process>, Error> {
    system::all().map_err(Error::io("read the table of processes in", source()))
}

/// The process with this number, if it is there.
pub(super) fn find(pid: i32) -> Result<Option<Process>, Error> {
    system::find(pid).map_err(Error::io("read the table of processes in", source()))
}

/// A text that differs between two counts of processes: boots, and containers.
pub(super) fn boot() -> Result<String, Error> {
    system::boot().map_err(Error::io("read the id of this boot in", source()))
}

fn source() -> PathBuf {
    PathBuf::from(system::SOURCE)
}

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use ps as system;

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;

    use super::{Process, io};

    pub(super) const SOURCE: &str = "/proc";

    pub(super) fn all() -> io::Result<Vec<Process>> {
        let mut processes = Vec::new();
        for entry in fs::read_dir(SOURCE)? {
            let pid = entry?.file_name().to_str().and_then(|name| name.parse().ok());
            let Some(pid) = pid else {
                continue;
            };
            match find(pid) {
                Ok(process) => processes.extend(process),
                // Some systems hide the processes of other users; ours are not among those.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                Err(error) => return Err(error),
            }
        }
        Ok(processes)
    }

    pub(super) fn find(pid: i32) -> io::Result<Option<Process>> {
        match fs::read(format!("{SOURCE}/{pid}/stat")) {
            Ok(stat) => parse(pid, &String::from_utf8_lossy(&stat))
                .map(Some)
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a line of another form than proc(5) says")),
            // It ended meanwhile: before its file was opened, or while it was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound || is_no_such_process(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn is_no_such_process(error: &io::Error) -> bool {
        rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::SRCH)
    }

    pub(super) fn boot() -> io::Result<String> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        let namespace = fs::read_link("/proc/self/ns/pid")?;
        Ok(format!("{} {}", boot.trim(), namespace.display()))
    }

    /// Reads a line of `/proc/<pid>/stat` by proc(5). The name in parentheses may itself hold any character.
    fn parse(pid: i32, stat: &str) -> Option<Process> {
        let (_, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        // proc(5) counts from 1, and the third field is the first behind the name.
        let field = |number: usize| fields.get(number - 3).copied();
        Some(Process {
            pid,
            pgid: field(5)?.parse().ok()?,
            session: field(6)?.parse().ok()?,
            began: field(22)?.parse().ok()?,
            ended: matches!(field(3)?, "Z" | "X" | "x"),
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_name_with_parentheses_and_blanks_does_not_shift_the_fields() {
            let stat = "7 (a) b (c)) S 1 5 4 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 0 0";
            let expected = Process { pid: 7, pgid: 5, session: 4, began: 987_654, ended: false };
            assert_eq!(parse(7, stat), Some(expected));
            assert_eq!(parse(7, "7 (a) S 1 5"), None);
            assert_eq!(parse(7, ""), None);
        }
    }
}

/// `ps` by POSIX, and `lstart`, which Linux and the BSDs have. Compiled for the tests of Linux too.
#[cfg(any(test, not(target_os = "linux")))]
mod ps {
    use std::process::{Command, Stdio};

    use super::{Process, io};

    #[cfg(not(target_os = "linux"))]
    pub(super) const SOURCE: &str = "ps";

    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

    pub(super) fn all() -> io::Result<Vec<Process>> {
        ask(&["-A"])
    }

    pub(super) fn find(pid: i32) -> io::Result<Option<Process>> {
        Ok(ask(&["-p", &pid.to_string()])?.into_iter().find(|process| process.pid == pid))
    }

    /// Starts are moments of the calendar here, so boots need no telling apart.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn boot() -> io::Result<String> {
        Ok(String::new())
    }

    fn ask(which: &[&str]) -> io::Result<Vec<Process>> {
        let output = Command::new("ps")
            .args(which)
            .args(["-o", "pid=,pgid=,stat=,lstart="])
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(parse).collect())
    }

    /// `  7  5 Ss   Sat Nov 22 11:05:04 2025`
    fn parse(line: &str) -> Option<Process> {
        let mut words = line.split_ascii_whitespace();
        let pid = words.next()?.parse().ok()?;
        let pgid = words.next()?.parse().ok()?;
        let ended = words.next()?.starts_with('Z');
        let _weekday = words.next()?;
        let (month, day, time, year) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let month = MONTHS.iter().position(|name| *name == month)? as u64;
        let mut began = year.parse::<u64>().ok()? * 12 + month;
        began = began * 31 + day.parse::<u64>().ok()?;
        for (part, size) in time.split(':').zip([24, 60, 60]) {
            began = began * size + part.parse::<u64>().ok()?;
        }
        Some(Process { pid, pgid, session: 0, began, ended })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn later_starts_have_larger_numbers() {
            let mut before = 0;
            for start in [
                "Sat Nov 22 11:05:04 2025",
                "Sat Nov 22 11:05:05 2025",
                "Sat Nov 22 11:06:00 2025",
                "Sun Nov 23 00:00:00 2025",
                "Mon Dec  1 00:00:00 2025",
                "Thu Jan  1 00:00:00 2026",
            ] {
                let process = parse(&format!("  7     5 Ss+  {start}")).unwrap();
                assert_eq!((process.pid, process.pgid, process.ended), (7, 5, false));
                assert!(process.began > before, "{start}");
                before = process.began;
            }
            assert_eq!(parse("  PID  PGID STAT                  STARTED"), None);
            assert_eq!(parse(""), None);
        }

        #[test]
        fn it_knows_the_process_that_asks() {
            let own = i32::try_from(std::process::id()).unwrap();
            let found = find(own).unwrap().unwrap();
            assert_eq!(found.pid, own);
            assert!(all().unwrap().contains(&found));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_that_asks_is_in_the_table() {
        let own = i32::try_from(std::process::id()).unwrap();
        let found = find(own).unwrap().unwrap();
        assert!(!found.ended);
        assert!(all().unwrap().contains(&found));
        assert_eq!(find(i32::MAX).unwrap(), None);
        assert_eq!(boot().unwrap(), boot().unwrap());
    }
}
