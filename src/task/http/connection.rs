//! Connections that end when their attempt should: connecting, reading and writing wait for the other side, for the
//! request to stop, for the deadline of the attempt, and for a limit of silence, whichever comes first.
//!
//! Bytes only; knows neither HTTP nor TLS.

use std::io::{self, PipeReader, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, FdFlags, fcntl_setfd, ioctl_fionbio};
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

use crate::task::cancel::{Cancel, Registration};

/// Longest wait of one look; `poll` of some systems takes no more than 24 days.
const LOOK_MAX: Duration = Duration::from_secs(24 * 3_600);

/// How long one of several addresses has to take a connection before the next is tried.
const ADDRESS_MAX: Duration = Duration::from_secs(10);

/// Otherwise a program that another thread starts at this moment would hold the connection open.
#[cfg(not(target_vendor = "apple"))]
const FLAGS: SocketFlags = SocketFlags::CLOEXEC;
#[cfg(target_vendor = "apple")]
const FLAGS: SocketFlags = SocketFlags::empty();

/// Looks up the addresses of a name.
pub(super) type LookUp = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// What ends a wait of one attempt.
pub(super) struct Waits {
    cancel: Cancel,
    wake: PipeReader,
    silence: Duration,
    _registration: Registration,
}

impl Waits {
    /// Waits that end with `cancel`, and after `silence` in which the other side did nothing.
    ///
    /// # Errors
    ///
    /// If the system has no pipe left.
    pub(super) fn new(cancel: &Cancel, silence: Duration) -> io::Result<Waits> {
        let (wake, waker) = io::pipe()?;
        // A full pipe wakes as well as one byte more would; nobody empties it, so that every later wait ends, too.
        let registration = cancel.on_cancel(move || drop((&waker).write(&[0])));
        Ok(Waits { cancel: cancel.clone(), wake, silence, _registration: registration })
    }

    /// An error if the attempt should stop.
    pub(super) fn check(&self) -> io::Result<()> {
        match self.cancel.stop() {
            // The kind is not `TimedOut`, which is the other side's doing.
            Some(_) => Err(io::Error::other("the attempt should stop")),
            None => Ok(()),
        }
    }

    /// Waits until `fd` can be read or written, at most for `length`.
    fn wait(&self, fd: BorrowedFd<'_>, flags: PollFlags, length: Duration) -> io::Result<()> {
        let until = Instant::now().checked_add(length);
        loop {
            self.check()?;
            let now = Instant::now();
            if until.is_some_and(|until| until <= now) {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("no answer within {} s", length.as_secs_f64()),
                ));
            }
            let next = [until, self.cancel.deadline()].into_iter().flatten().min();
            let left = next.map_or(LOOK_MAX, |next| next.saturating_duration_since(now)).min(LOOK_MAX);
            let timeout = Timespec::try_from(left).expect("a day fits");
            let mut fds =
                [PollFd::from_borrowed_fd(fd, flags), PollFd::from_borrowed_fd(self.wake.as_fd(), PollFlags::IN)];
            match poll(&mut fds, Some(&timeout)) {
                // An error is found by whoever reads or writes.
                Ok(_) if !fds[0].revents().is_empty() => return self.check(),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The addresses of a host, looked up on a thread of its own: the system's resolver cannot be interrupted. A thread
/// that is not waited for any more ends with the look-up.
///
/// # Errors
///
/// What the resolver says; a request to stop; silence.
pub(super) fn addresses(host: &str, port: u16, look_up: &Arc<LookUp>, waits: &Waits) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (done, finished) = io::pipe()?;
    let found = Arc::new(Mutex::new(None));
    let (place, host, look_up) = (Arc::clone(&found), host.to_owned(), Arc::clone(look_up));
    thread::Builder::new().name("stabilize-names".to_owned()).spawn(move || {
        let addresses = look_up(&host, port);
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(addresses);
        drop(finished);
    })?;
    waits.wait(done.as_fd(), PollFlags::IN, waits.silence)?;
    let found = found.lock().unwrap_or_else(PoisonError::into_inner).take();
    match found {
        Some(Ok(addresses)) if addresses.is_empty() => {
            Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
        }
        Some(found) => found,
        None => Err(io::Error::other("the look-up ended without an answer")),
    }
}

/// An open connection.
pub(super) struct Connection {
    stream: TcpStream,
    waits: Arc<Waits>,
}

impl Connection {
    /// Connects to the first of these addresses that takes it.
    ///
    /// # Errors
    ///
    /// What the last of them said; a request to stop.
    pub(super) fn open(addresses: &[SocketAddr], waits: &Arc<Waits>) -> io::Result<Connection> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "there is no address");
        for (index, address) in addresses.iter().enumerate() {
            let is_last = index + 1 == addresses.len();
            let length = if is_last { waits.silence } else { waits.silence.min(ADDRESS_MAX) };
            match open_one(*address, waits, length) {
                Ok(stream) => return Ok(Connection { stream, waits: Arc::clone(waits) }),
                Err(error) => last = error,
            }
            waits.check()?;
        }
        Err(last)
    }

    /// Reads what is there, at least one byte; none at the end.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // Also while bytes keep coming.
            self.waits.check()?;
            match (&self.stream).read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.waits.wait(self.stream.as_fd(), PollFlags::IN, self.waits.silence)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    /// Writes all of it.
    pub(super) fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.waits.check()?;
            match (&self.stream).write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.waits.wait(self.stream.as_fd(), PollFlags::OUT, self.waits.silence)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn open_one(address: SocketAddr, waits: &Waits, length: Duration) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, FLAGS, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    ioctl_fionbio(&socket, true)?;
    match connect(&socket, &address) {
        Ok(()) => {}
        Err(Errno::INPROGRESS | Errno::INTR) => {
            waits.wait(socket.as_fd(), PollFlags::OUT, length)?;
            sockopt::socket_error(&socket)??;
        }
        Err(error) => return Err(error.into()),
    }
    let stream = TcpStream::from(socket);
    // A request is written in few pieces, and each is waited for.
    stream.set_nodelay(true)?;
    Ok(stream)
}
