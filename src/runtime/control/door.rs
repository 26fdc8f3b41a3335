//! Where the control socket is: made when the log is opened, found by others through CONTROL, removed at close.
//!
//! Files and names only; nothing is said here. What a killed holder left is replaced by the next one: LOCK decides who
//! holds a log, never a file that lies about.

use std::env;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::runtime::entropy;
use crate::value::Value;

use super::answer::LogIdentity;

/// Name of the socket.
const SOCKET: &str = "control.sock";

/// Who holds the log, and where its socket is.
const CONTROL: &str = "CONTROL";

/// CONTROL before it has its name.
const CONTROL_NEW: &str = "CONTROL.new";

/// The folder a socket is made in, so that nobody else reaches it before its mode is set. Together with `s` it is
/// shorter than the socket's final name, so that a place that fits one fits both.
const PRIVATE: &str = ".control";

/// The longest CONTROL file anybody reads.
const CONTROL_BYTES_MAX: u64 = 4096;

/// The file that is locked.
const LOCK: &str = "LOCK";

/// A control socket that others can find. Dropping it takes it away.
pub(in crate::runtime) struct Door {
    /// First to go, so that nobody finds the way to a door that is closed.
    _sign: Sign,
    listener: UnixListener,
    log: LogIdentity,
}

/// The files of a control socket. Dropping it removes them.
struct Sign {
    socket: PathBuf,
    /// The socket's own file, in case somebody else has put theirs in its place since.
    file: (u64, u64),
    /// The folder that was made for the socket alone.
    folder: Option<PathBuf>,
}

impl Door {
    /// Makes the socket of the log in `home`, an absolute path, for the process that holds it; CONTROL names it.
    ///
    /// # Errors
    ///
    /// If no socket can be made, neither there nor in a folder for temporary files.
    pub(in crate::runtime) fn open(home: &Path, pid: u32) -> io::Result<Door> {
        let (listener, sign) = at_home(home).or_else(|error| {
            tracing::debug!(%error, "no control socket in the log directory; trying a private temporary one");
            elsewhere()
        })?;
        let text =
            sign.socket.to_str().ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "its name is not UTF-8"))?;
        let text = format!("{{\"version\":1,\"pid\":{pid},\"path\":{}}}\n", Value::from(text).to_json());
        // Renamed into its place, so that nobody reads half of it.
        fs::write(home.join(CONTROL_NEW), text)?;
        fs::rename(home.join(CONTROL_NEW), home.join(CONTROL))?;
        listener.set_nonblocking(true)?;
        Ok(Door { listener, log: identity(home)?, _sign: sign })
    }

    /// Where others knock.
    pub(super) fn listener(&self) -> &UnixListener {
        &self.listener
    }

    /// Which log it is the door of.
    pub(super) fn log(&self) -> LogIdentity {
        self.log
    }
}

/// A socket in the log's own directory.
fn at_home(home: &Path) -> io::Result<(UnixListener, Sign)> {
    let socket = home.join(SOCKET);
    if socket.to_str().is_none() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "CONTROL cannot name a path that is not UTF-8"));
    }
    // Refused here if it is too long for an address.
    SocketAddr::from_pathname(&socket)?;
    let private = home.join(PRIVATE);
    remove_folder(&private)?;
    DirBuilder::new().mode(0o700).create(&private)?;
    let made = make(&private.join("s")).and_then(|listener| {
        // Replaces what a killed holder left.
        fs::rename(private.join("s"), &socket)?;
        Ok(listener)
    });
    remove_folder(&private)?;
    let listener = made?;
    let file = file_of(&socket)?;
    Ok((listener, Sign { socket, file, folder: None }))
}

/// A socket in a folder of its own among temporary files. One that a killed holder left stays until the system clears
/// them away.
fn elsewhere() -> io::Result<(UnixListener, Sign)> {
    let distinct: String = entropy::bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect();
    let name = format!("stabilize-{distinct}");
    let mut last = None;
    for parent in [env::temp_dir(), PathBuf::from("/tmp")] {
        let folder = parent.join(&name);
        let socket = folder.join(SOCKET);
        let made = SocketAddr::from_pathname(&socket)
            .and_then(|_| DirBuilder::new().mode(0o700).create(&folder))
            .and_then(|()| Ok((make(&socket)?, file_of(&socket)?)));
        match made {
            Ok((listener, file)) => return Ok((listener, Sign { socket, file, folder: Some(folder) })),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| ErrorKind::NotFound.into()))
}

fn make(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn file_of(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Which log the one in this directory is.
fn identity(home: &Path) -> io::Result<LogIdentity> {
    let metadata = fs::metadata(home.join(LOCK))?;
    Ok(LogIdentity { device: metadata.dev(), inode: metadata.ino() })
}

impl Drop for Sign {
    fn drop(&mut self) {
        // After a failure LOCK may be somebody else's by now, and so may be the socket of this name.
        if file_of(&self.socket).is_ok_and(|file| file == self.file)
            && let Err(error) = fs::remove_file(&self.socket)
        {
            tracing::debug!(%error, path = %self.socket.display(), "could not remove the control socket");
        }
        if let Some(folder) = &self.folder {
            fs::remove_dir(folder).ok();
        }
    }
}

/// What another process can find out about the holder of a log.
pub(super) struct Found {
    /// Connections that may lead to the holder, the likeliest first. Whoever answers has to say which log it holds.
    pub(super) connections: Vec<UnixStream>,
    /// The log as it is known here.
    pub(super) log: LogIdentity,
}

/// Looks for the holder of the log in `directory`; `None` if there is no log.
///
/// # Errors
///
/// If the directory cannot be looked at.
pub(super) fn find(directory: &Path) -> io::Result<Option<Found>> {
    let log = match identity(directory) {
        Ok(log) => log,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error),
    };
    // CONTROL names the socket by a path that was right when it was written; the directory may have been moved since.
    let places = named(directory).into_iter().chain([directory.join(SOCKET)]);
    let mut connections = Vec::new();
    for place in places {
        match UnixStream::connect(&place) {
            Ok(stream) => connections.push(stream),
            Err(error) => tracing::debug!(%error, path = %place.display(), "no holder behind this socket"),
        }
    }
    Ok(Some(Found { connections, log }))
}

/// The socket that CONTROL names.
fn named(directory: &Path) -> Option<PathBuf> {
    use std::io::Read as _;
    let mut text = String::new();
    fs::File::open(directory.join(CONTROL)).ok()?.take(CONTROL_BYTES_MAX).read_to_string(&mut text).ok()?;
    Value::from_json(&text).ok()?.get("path")?.as_str().map(PathBuf::from)
}
