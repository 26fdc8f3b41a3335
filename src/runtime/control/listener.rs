//! The holder's side of the control socket: a thread that lets others in, and one for each that is served.
//!
//! It sleeps until somebody knocks, a conversation ends, or the engine closes; it never looks around in between.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::limits::CONTROL_CONNECTIONS_MAX;
use crate::runtime::config::Drive;
use crate::runtime::shared::Shared;
use crate::runtime::workers::{Thread, spawn};

use super::answer::{Drives, Holder};
use super::conversation::{Host, Parting, converse};
use super::door::Door;

/// How long nobody is let in after that has failed, as it does while the process has too many open files.
const REST: Duration = Duration::from_millis(100);

/// The thread that lets others in.
pub(in crate::runtime) struct Listener {
    bell: Bell,
    thread: Thread,
    /// Where the thread leaves those who stay when it ends.
    left: Arc<Mutex<Vec<UnixStream>>>,
}

/// Connections of those who wait for the engine to end. Dropping them tells them.
pub(in crate::runtime) struct Staying(#[expect(dead_code, reason = "kept open, and nothing else")] Vec<UnixStream>);

/// Tells the listener something and wakes it.
#[derive(Clone)]
pub(in crate::runtime) struct Bell {
    notes: Sender<Note>,
    wake: Arc<UnixStream>,
}

enum Note {
    /// The engine closes.
    Close,
    /// The engine has stopped after a failure: nobody need wait until somebody closes it.
    Stop,
    /// The conversation with this number has ended.
    Over { number: u64, parting: Parting },
}

/// A conversation under way.
struct Served {
    number: u64,
    stream: UnixStream,
    thread: Thread,
}

impl Bell {
    /// Tells that the engine has stopped after a failure.
    pub(in crate::runtime) fn stop(&self) {
        self.ring(Note::Stop);
    }

    fn ring(&self, note: Note) {
        // A listener that has ended needs to know nothing; a full pipe wakes it already.
        self.notes.send(note).ok();
        (&*self.wake).write_all(&[1]).ok();
    }
}

impl Listener {
    /// Begins to let others in.
    ///
    /// # Errors
    ///
    /// If the system gives no thread or no pair of sockets.
    pub(in crate::runtime) fn start(shared: &Arc<Shared>, door: Door, drive: &Drive, pid: u32) -> io::Result<Listener> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let (sender, notes) = channel();
        let bell = Bell { notes: sender, wake: Arc::new(wake) };
        let holder =
            Holder { pid, version: env!("CARGO_PKG_VERSION").to_owned(), log: door.log(), drives: Drives::of(drive) };
        let left: Arc<Mutex<Vec<UnixStream>>> = Arc::default();
        let porter = Porter {
            door,
            woken,
            notes,
            bell: bell.clone(),
            host: Arc::new(Host { shared: Arc::clone(shared), holder, n_staying: AtomicUsize::new(0) }),
            served: Vec::new(),
            staying: Vec::new(),
            next: 0,
        };
        let leaves = Arc::clone(&left);
        let thread = spawn("stabilize-control", move || {
            let host = Arc::clone(&porter.host);
            let mut staying = porter.run();
            if host.shared.check_poison().is_err() {
                // Its log is free by now, or as free as it becomes.
                staying.clear();
            }
            *leaves.lock().unwrap_or_else(PoisonError::into_inner) = staying;
        })?;
        shared.bell.set(bell.clone()).ok();
        Ok(Listener { bell, thread, left })
    }

    /// Takes the socket away and waits until every request that was read is answered. Those who wait for the engine to
    /// end still wait: for the drop of what this gives.
    pub(in crate::runtime) fn close(self) -> Staying {
        self.bell.ring(Note::Close);
        self.thread.join().ok();
        Staying(std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Who stands at the door.
struct Porter {
    door: Door,
    woken: UnixStream,
    notes: Receiver<Note>,
    bell: Bell,
    host: Arc<Host>,
    served: Vec<Served>,
    staying: Vec<UnixStream>,
    /// Number of the next conversation.
    next: u64,
}

/// What came up while the porter slept.
#[derive(Default)]
struct Heard {
    knock: bool,
    /// Places of those among the staying who have gone, ascending.
    gone: Vec<usize>,
}

/// May another conversation begin?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    Open,
    /// Not before some time has passed.
    Resting,
}

impl Porter {
    /// The life of the thread; what is left are those who stay.
    fn run(mut self) -> Vec<UnixStream> {
        let mut entry = Entry::Open;
        loop {
            let heard = match self.sleep(entry) {
                Ok(heard) => heard,
                Err(error) => {
                    tracing::warn!(%error, "the control socket cannot be waited for: nobody is let in any more");
                    break;
                }
            };
            self.forget(&heard.gone);
            if self.take_notes() {
                break;
            }
            entry = if heard.knock { self.let_in() } else { Entry::Open };
        }
        self.end()
    }

    /// Sleeps until something comes up.
    fn sleep(&self, entry: Entry) -> io::Result<Heard> {
        let staying = &self.staying;
        let mut watched = vec![PollFd::new(&self.woken, PollFlags::IN)];
        watched.extend(staying.iter().map(|stream| PollFd::new(stream, PollFlags::IN)));
        // Whoever comes beyond the limit waits outside, in the socket's own queue.
        let is_open = entry == Entry::Open && self.served.len() < CONTROL_CONNECTIONS_MAX;
        if is_open {
            watched.push(PollFd::new(self.door.listener(), PollFlags::IN));
        }
        let rest = Timespec { tv_sec: 0, tv_nsec: i64::from(REST.subsec_nanos()) };
        let timeout = (entry == Entry::Resting).then_some(&rest);
        match poll(&mut watched, timeout) {
            Ok(_) => (),
            Err(rustix::io::Errno::INTR) => return Ok(Heard::default()),
            Err(error) => return Err(error.into()),
        }
        let is_ready = |place: usize| watched.get(place).is_some_and(|fd| !fd.revents().is_empty());
        // Who stays says nothing more: whatever comes from there is its end, or somebody who does not keep to it.
        let gone = (0..staying.len()).filter(|place| is_ready(place + 1)).collect();
        Ok(Heard { knock: is_open && is_ready(staying.len() + 1), gone })
    }

    /// Takes what was told; is that the end?
    fn take_notes(&mut self) -> bool {
        let mut bytes = [0; 64];
        while (&self.woken).read(&mut bytes).is_ok_and(|count| count > 0) {}
        let notes: Vec<Note> = self.notes.try_iter().collect();
        let mut is_end = false;
        for note in notes {
            match note {
                Note::Close | Note::Stop => is_end = true,
                Note::Over { number, parting } => self.see_off(number, parting),
            }
        }
        is_end
    }

    fn see_off(&mut self, number: u64, parting: Parting) {
        if let Some(place) = self.served.iter().position(|served| served.number == number) {
            self.served.swap_remove(place).thread.join().ok();
        }
        if let Parting::Stays(stream) = parting {
            self.staying.push(stream);
        }
    }

    /// Forgets those who stayed at these places, which ascend.
    fn forget(&mut self, gone: &[usize]) {
        for place in gone.iter().rev() {
            self.staying.swap_remove(*place);
        }
        self.host.n_staying.fetch_sub(gone.len(), Ordering::Relaxed);
    }

    fn let_in(&mut self) -> Entry {
        let stream = match self.door.listener().accept() {
            Ok((stream, _)) => stream,
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::ConnectionAborted => return Entry::Open,
                _ => {
                    tracing::warn!(%error, "could not let in who asks at the control socket");
                    return Entry::Resting;
                }
            },
        };
        if let Err(error) = self.serve(stream) {
            tracing::warn!(%error, "could not serve who asks at the control socket");
            return Entry::Resting;
        }
        Entry::Open
    }

    fn serve(&mut self, stream: UnixStream) -> io::Result<()> {
        let number = self.next;
        self.next += 1;
        let (theirs, host, bell) = (stream.try_clone()?, Arc::clone(&self.host), self.bell.clone());
        let life = move || {
            let parting = converse(&host, theirs);
            bell.ring(Note::Over { number, parting });
        };
        let thread = spawn("stabilize-conversation", life)?;
        self.served.push(Served { number, stream, thread });
        Ok(())
    }

    /// Nobody is let in any more; what was asked is answered.
    fn end(self) -> Vec<UnixStream> {
        let Porter { door, served, notes, mut staying, .. } = self;
        drop(door);
        for served in &served {
            // Who was about to ask finds the end of the connection, and asks the next holder.
            served.stream.shutdown(Shutdown::Read).ok();
        }
        for served in served {
            served.thread.join().ok();
        }
        staying.extend(notes.try_iter().filter_map(|note| match note {
            Note::Over { parting: Parting::Stays(stream), .. } => Some(stream),
            Note::Over { .. } | Note::Close | Note::Stop => None,
        }));
        staying
    }
}
