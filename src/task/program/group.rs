//! One program in a process group of its own: recorded, let go, fed, listened to, and ended with its children.
//!
//! A wrapper shell leads the group from its first moment and waits for one line on its standard input; it gets that
//! line when the group's record is written, and becomes the program (R16). `read` of a POSIX shell takes a pipe byte by
//! byte, so what stands behind the line is the program's own input. An engine that dies before leaves a wrapper that
//! sees the end of its input and ends. Two things follow: variables whose names are no shell names do not reach the
//! program, and a program that makes a session of its own is out of reach.
//!
//! A group does not outlive its program: when the program has ended, what it left running has until the streams are
//! closed, at most [`Patience::drain`], and is killed then.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read, Write as _};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::capture::Capture;
use super::error::Error;
use super::leftover::GroupRecord;
use crate::task::cancel::{Cancel, Stop};

/// What leads a group until its program does.
const WRAPPER: &str = "/bin/sh";

/// The wrapper's text with and without own input of the program. The variable is kept out of the environment.
const WITH_INPUT: &str = r#"read -r STABILIZE_GO && exec "$@""#;
const WITHOUT_INPUT: &str = r#"read -r STABILIZE_GO && exec "$@" </dev/null"#;
const GO: &str = "STABILIZE_GO";

/// Longest wait of one look; `poll` of some systems takes no more than 24 days.
const LOOK_MAX: Duration = Duration::from_secs(24 * 3_600);

/// What to run.
pub(super) struct Program {
    /// An executable file, absolute.
    pub(super) path: PathBuf,
    /// What it is given.
    pub(super) arguments: Vec<OsString>,
    /// Where it runs; exists.
    pub(super) cwd: PathBuf,
    /// All of its environment.
    pub(super) env: BTreeMap<OsString, OsString>,
    /// What it reads; none is `/dev/null`.
    pub(super) stdin: Option<Vec<u8>>,
    /// Whether the end of what it reads is how it is asked to end, in place of TERM.
    pub(super) holds_input: bool,
}

/// How long to wait for those who were asked to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// From TERM to KILL.
    pub(crate) grace: Duration,
    /// For streams that somebody holds open behind the program's end.
    pub(crate) drain: Duration,
}

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, or by a signal that is not ours.
    Exited(ExitStatus),
    /// It was ended since the attempt should stop.
    Stopped(Stop),
}

/// Runs a program to its end, or until `cancel` says stop: then TERM to its group, or the end of an input that is held,
/// and KILL after the grace.
///
/// `record` is the file that names the group while it lives.
///
/// # Errors
///
/// A wrapper that cannot be started, a record that cannot be written, a system call that fails. Nothing runs then.
pub(super) fn run(
    program: &Program,
    record: &Path,
    cancel: &Cancel,
    patience: Patience,
    captures: &mut [Capture; 2],
) -> Result<End, Error> {
    if let Some(stop) = cancel.stop() {
        return Ok(End::Stopped(stop));
    }
    let mut child = start(program).map_err(Error::io("start", WRAPPER))?;
    let leader = Pid::from_child(&child);
    let written = GroupRecord::of_leader(leader).and_then(|group| group.write(record));
    let followed = written.and_then(|()| {
        let pipes = Pipes::of(&mut child, program, captures);
        follow(leader, pipes, cancel, patience).map_err(Error::io("follow", &program.path))
    });
    // The leader is not waited for yet, so the number is still its own: whatever went wrong, nothing runs on.
    signal(leader, Signal::KILL);
    let status = child.wait().map_err(Error::io("wait for", &program.path));
    let removed = match fs::remove_file(record) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", record)(error)),
        Ok(()) | Err(_) => Ok(()),
    };
    let stop = followed?;
    removed?;
    match stop {
        Some(stop) => Ok(End::Stopped(stop)),
        None => status.map(End::Exited),
    }
}

fn start(program: &Program) -> io::Result<Child> {
    Command::new(WRAPPER)
        .arg("-c")
        .arg(if program.stdin.is_some() { WITH_INPUT } else { WITHOUT_INPUT })
        .arg(WRAPPER)
        .arg(&program.path)
        .args(&program.arguments)
        .current_dir(&program.cwd)
        .env_clear()
        .envs(&program.env)
        .env_remove(GO)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

/// Lets the program go and stays with it until it has ended and its streams are closed or given up. The leader is
/// left to be waited for. Says why the program was stopped, if it was.
fn follow(leader: Pid, mut pipes: Pipes<'_>, cancel: &Cancel, patience: Patience) -> io::Result<Option<Stop>> {
    let (wake_in, wake_out) = io::pipe()?;
    let wake_out = Arc::new(wake_out);
    // A full pipe wakes as well as one byte more would.
    let wake = |pipe: &PipeWriter| drop((&*pipe).write(&[0]));
    let canceled = Arc::clone(&wake_out);
    let _registration = cancel.on_cancel(move || wake(&canceled));
    let exited = AtomicBool::new(false);
    let watch = || {
        wait_exit(leader);
        exited.store(true, Ordering::Release);
        wake(&wake_out);
    };
    thread::scope(|scope| {
        let watcher = thread::Builder::new().name("stabilize-child".to_owned());
        let followed = watcher.spawn_scoped(scope, watch).and_then(|_| {
            let mut phase = Phase::Running;
            loop {
                let seen = Seen {
                    now: Instant::now(),
                    exited: exited.load(Ordering::Acquire),
                    closed: pipes.are_closed(),
                    stop: cancel.stop(),
                };
                let send;
                (phase, send) = phase.next(&seen, patience);
                match phase {
                    Phase::Asked { .. } if pipes.holds_input => pipes.stdin = None,
                    _ => send.iter().for_each(|name| signal(leader, *name)),
                }
                if let Phase::Over { stop } = phase {
                    return Ok(stop);
                }
                let until = if phase == Phase::Running { cancel.deadline() } else { phase.until() };
                pipes.look(&wake_in, until)?;
            }
        });
        // The scope ends with the watch, and the watch with the leader.
        followed.inspect_err(|_| signal(leader, Signal::KILL))
    })
}

/// Waits until the leader has ended, and leaves it there: as long as it is not waited for, its number is not given
/// to another process and signals to its group reach nobody else.
fn wait_exit(leader: Pid) {
    loop {
        match waitid(WaitId::Pid(leader), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Ok(Some(status)) if status.exited() || status.killed() || status.dumped() => return,
            // macOS answers for a process that is only stopped, and again at once.
            Ok(_) => thread::sleep(Duration::from_millis(20)),
            Err(rustix::io::Errno::INTR) => {}
            // Somebody else has waited for it.
            Err(_) => return,
        }
    }
}

/// A group that is gone needs no signal.
fn signal(leader: Pid, signal: Signal) {
    let _ = kill_process_group(leader, signal);
}

/// How far the end of a program has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nobody wants anything of it.
    Running,
    /// It was asked to end and may take until then.
    Asked { stop: Stop, until: Instant },
    /// It was killed and has not ended yet.
    Killed { stop: Stop },
    /// It has ended; its children may finish what they write until then.
    Draining { stop: Option<Stop>, until: Instant },
    /// Its children were killed; whoever else holds the streams has until then.
    Emptied { stop: Option<Stop>, until: Instant },
    /// Nothing is left to wait for.
    Over { stop: Option<Stop> },
}

/// What can be seen of a program at one moment.
struct Seen {
    now: Instant,
    exited: bool,
    closed: bool,
    stop: Option<Stop>,
}

impl Phase {
    /// The phase after what is seen now, and the signals to send to the group.
    fn next(self, seen: &Seen, patience: Patience) -> (Phase, &'static [Signal]) {
        let ended = |stop, until| Phase::Draining { stop, until }.next(seen, patience);
        match (self, seen.stop) {
            (Phase::Running, _) if seen.exited => ended(None, seen.now + patience.drain),
            (Phase::Running, Some(stop)) => {
                let until = seen.now + patience.grace;
                // A stopped process takes a TERM only once it goes on.
                (Phase::Asked { stop, until }, &[Signal::TERM, Signal::CONT])
            }
            // Children have the rest of the grace too.
            (Phase::Asked { stop, until }, _) if seen.exited => ended(Some(stop), until),
            (Phase::Asked { stop, until }, _) if seen.now >= until => (Phase::Killed { stop }, &[Signal::KILL]),
            (Phase::Killed { stop }, _) if seen.exited => ended(Some(stop), seen.now),
            (Phase::Draining { stop, .. }, _) if seen.closed => (Phase::Over { stop }, &[Signal::KILL]),
            (Phase::Draining { stop, until }, asked) if seen.now >= until || (stop.is_none() && asked.is_some()) => {
                let until = seen.now + patience.drain;
                (Phase::Emptied { stop, until }, &[Signal::KILL])
            }
            (Phase::Emptied { stop, until }, _) if seen.closed || seen.now >= until => (Phase::Over { stop }, &[]),
            (phase, _) => (phase, &[]),
        }
    }

    /// When to look again although nothing happens.
    fn until(self) -> Option<Instant> {
        match self {
            Phase::Running | Phase::Killed { .. } | Phase::Over { .. } => None,
            Phase::Asked { until, .. } | Phase::Draining { until, .. } | Phase::Emptied { until, .. } => Some(until),
        }
    }
}

/// Our ends of the program's pipes.
struct Pipes<'a> {
    stdin: Option<ChildStdin>,
    input: Vec<u8>,
    holds_input: bool,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    captures: &'a mut [Capture; 2],
}

impl<'a> Pipes<'a> {
    fn of(child: &mut Child, program: &Program, captures: &'a mut [Capture; 2]) -> Pipes<'a> {
        let mut input = b"\n".to_vec();
        input.extend_from_slice(program.stdin.as_deref().unwrap_or_default());
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        Pipes { stdin, input, holds_input: program.holds_input, stdout, stderr, captures }
    }

    fn are_closed(&self) -> bool {
        self.stdout.is_none() && self.stderr.is_none()
    }

    /// Waits until something can be read or written, somebody wakes us, or the moment is there; reads and writes once.
    fn look(&mut self, wake: &PipeReader, until: Option<Instant>) -> io::Result<()> {
        let [wake_ready, in_ready, out_ready, err_ready] = self.poll(wake, until)?;
        if wake_ready {
            let mut wake = wake;
            // How many woke us says nothing; what they woke us for is looked at anyway.
            let _count = wake.read(&mut [0; 64])?;
        }
        if in_ready {
            self.feed()?;
        }
        let [out, err] = &mut *self.captures;
        if out_ready {
            read(&mut self.stdout, out)?;
        }
        if err_ready {
            read(&mut self.stderr, err)?;
        }
        Ok(())
    }

    /// Which of wake, standard input, output and error have something to do.
    fn poll(&self, wake: &PipeReader, until: Option<Instant>) -> io::Result<[bool; 4]> {
        let readable = PollFlags::IN;
        let asked = [
            Some((wake.as_fd(), readable)),
            // One that is only held has nothing to be written.
            self.stdin.as_ref().filter(|_| !self.input.is_empty()).map(|pipe| (pipe.as_fd(), PollFlags::OUT)),
            self.stdout.as_ref().map(|pipe| (pipe.as_fd(), readable)),
            self.stderr.as_ref().map(|pipe| (pipe.as_fd(), readable)),
        ];
        let open = |index: &usize| asked[*index].is_some();
        let indices: Vec<usize> = (0..asked.len()).filter(open).collect();
        let mut fds: Vec<PollFd<'_>> =
            asked.iter().flatten().map(|(pipe, flags)| PollFd::from_borrowed_fd(*pipe, *flags)).collect();
        let left = until.map_or(LOOK_MAX, |until| until.saturating_duration_since(Instant::now()));
        let timeout = Timespec::try_from(left.min(LOOK_MAX)).expect("a day fits");
        let mut ready = [false; 4];
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) => {
                for (index, fd) in indices.into_iter().zip(&fds) {
                    // A closed other end, too, is something to read or to fail to write.
                    ready[index] = !fd.revents().is_empty();
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(ready)
    }

    /// Writes what fits. A program that does not read its input, or not all of it, is free to do so.
    fn feed(&mut self) -> io::Result<()> {
        let Some(stdin) = &mut self.stdin else {
            return Ok(());
        };
        rustix::io::ioctl_fionbio(&*stdin, true)?;
        match stdin.write(&self.input) {
            Ok(written) => drop(self.input.drain(..written)),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.input.clear(),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
        if self.input.is_empty() && !self.holds_input {
            self.stdin = None;
        }
        Ok(())
    }
}

/// Reads once what is there; a pipe at its end is closed.
fn read(pipe: &mut Option<impl Read>, capture: &mut Capture) -> io::Result<()> {
    let mut buffer = [0; 64 * 1024];
    let Some(open) = pipe else {
        return Ok(());
    };
    match open.read(&mut buffer) {
        Ok(0) => *pipe = None,
        Ok(length) => capture.push(&buffer[..length]),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience { grace: Duration::from_secs(5), drain: Duration::from_secs(1) };

    /// Follows what is seen, one moment a line: second, `e`xited, `c`losed, `s`topped. Gives signals with their second.
    fn signals(seen: &[(u64, &str)]) -> (Phase, Vec<(u64, Signal)>) {
        let began = Instant::now();
        let mut phase = Phase::Running;
        let mut sent = Vec::new();
        for (second, what) in seen {
            let seen = Seen {
                now: began + Duration::from_secs(*second),
                exited: what.contains('e'),
                closed: what.contains('c'),
                stop: what.contains('s').then_some(Stop::Canceled),
            };
            let send;
            (phase, send) = phase.next(&seen, PATIENCE);
            sent.extend(send.iter().map(|signal| (*second, *signal)));
        }
        (phase, sent)
    }

    #[test]
    fn a_group_is_asked_then_killed_and_never_left_behind() {
        let (term, cont, kill) = (Signal::TERM, Signal::CONT, Signal::KILL);
        let ended = Phase::Over { stop: None };
        let stopped = Phase::Over { stop: Some(Stop::Canceled) };
        for (name, seen, phase, sent) in [
            ("ends", vec![(0, ""), (1, "c"), (2, "ec")], ended, vec![(2, kill)]),
            ("leaves a child", vec![(0, "e"), (1, "e"), (2, "e")], ended, vec![(1, kill)]),
            ("leaves a child that then ends", vec![(0, "e"), (0, "ec")], ended, vec![(0, kill)]),
            ("is canceled while a child is left", vec![(0, "e"), (0, "es"), (0, "ecs")], ended, vec![(0, kill)]),
            (
                "obeys, and so does its child",
                vec![(0, "s"), (1, "es"), (2, "ecs")],
                stopped,
                vec![(0, term), (0, cont), (2, kill)],
            ),
            (
                "obeys, its child does not",
                vec![(0, "s"), (1, "es"), (5, "es"), (5, "ecs")],
                stopped,
                vec![(0, term), (0, cont), (5, kill)],
            ),
            (
                "does not obey",
                vec![(0, "s"), (4, "s"), (5, "s"), (5, "ecs")],
                stopped,
                vec![(0, term), (0, cont), (5, kill), (5, kill)],
            ),
            (
                "somebody beyond the group holds its streams",
                vec![(0, "s"), (5, "s"), (6, "es"), (7, "es")],
                stopped,
                vec![(0, term), (0, cont), (5, kill), (6, kill)],
            ),
        ] {
            assert_eq!(signals(&seen), (phase, sent), "{name}");
        }
    }
}
